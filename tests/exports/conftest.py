"""Fixtures of the tests of exports."""

from __future__ import annotations

from pathlib import Path

import pytest
from sdtm_export import Exporter


@pytest.fixture
def exporter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Exporter:
    return Exporter(tmp_path, capsys)
