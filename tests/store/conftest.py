"""The same tests on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from postgresql_server import new_schema, programs, server
from store_study import Begun, begun

from mrecist.store.store import Store

_PLACES = count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The server, started once."""
    if programs() is None:
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not installed on this machine: nothing of it is tested here")
    with server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place without a store."""
    if request.param == "sqlite":
        (tmp_path / "study").mkdir()
        return str(tmp_path / "study")
    return new_schema(request.getfixturevalue("postgresql"))


@pytest.fixture
def place(where: str, tmp_path: Path) -> Callable[[], str]:
    """More places without a store, of the same kind."""

    def another() -> str:
        if "://" in where:
            return new_schema(where.partition("?")[0])
        folder = tmp_path / f"place{next(_PLACES)}"
        folder.mkdir()
        return str(folder)

    return another


@pytest.fixture
def study(where: str, tmp_path: Path) -> Iterator[Begun]:
    """A store with two readers and two assigned cases."""
    with begun(where, tmp_path / "kept") as made:
        yield made


@pytest.fixture
def store(study: Begun) -> Store:
    return study.store
