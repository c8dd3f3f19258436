"""Fixtures of the tests of exports."""

from __future__ import annotations

from pathlib import Path

import pytest
from adam_export import AdamExporter
from sdtm_export import Exporter


@pytest.fixture
def exporter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Exporter:
    return Exporter(tmp_path, capsys)


@pytest.fixture
def adam(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AdamExporter:
    return AdamExporter(tmp_path, capsys)
