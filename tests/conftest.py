"""Fixtures that several test folders share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mrecist.session.room import Room, open_room

SAMPLE = Path(__file__).parents[1] / "sample_data" / "study"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real DICOM beside the repository; a test that needs it says so when it is absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data folder (../shared/data beside the repository) is not on this machine")
    return folder


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """The images of SAMPLE-01, opened by reader R2."""
    study = tmp_path / "study"
    shutil.copytree(SAMPLE / "images" / "SAMPLE-01", study / "images" / "SAMPLE-01")
    shutil.copy(SAMPLE / "protocol.toml", study)
    opened = open_room(study, "SAMPLE-01", "R2")
    yield opened
    opened.close()
