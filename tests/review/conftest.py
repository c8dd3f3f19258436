"""A store of read cases, written once and copied for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from reviewed_study import Study, written

from mrecist.store.place import FILE
from mrecist.store.store import open_store


@pytest.fixture(scope="session")
def read_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("read")
    written(folder)
    return folder / FILE


@pytest.fixture
def study(tmp_path: Path, read_file: Path) -> Iterator[Study]:
    shutil.copy(read_file, tmp_path)
    with open_store(str(tmp_path)) as store:
        yield Study(store, tmp_path)
