"""An opened sample study, and an empty session with its first subject."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from session_reading import STUDY, Opened, clock

from mrecist.session.case import open_case
from mrecist.session.session import open_session
from mrecist.study import Study, open_study


@pytest.fixture(scope="session")
def sample_study() -> Study:
    """The shipped sample study, opened."""
    return open_study(STUDY)


@pytest.fixture
def opened(sample_study: Study, tmp_path: Path) -> Iterator[Opened]:
    """An empty session with SAMPLE-01."""
    case = open_case(sample_study, "SAMPLE-01")
    one = Opened(case, tmp_path / "kept", open_session(case, "R1", tmp_path / "kept", clock()))
    yield one
    one.session.close()
