"""The same tests on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from postgresql_server import new_schema, programs, server, session
from sqlalchemy import make_url
from store_study import Begun, begun

from mrecist.store.place import FILE
from mrecist.store.store import Store, open_store

_PLACES = count(1)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The server, started once."""
    if programs() is None:
        pytest.skip("PostgreSQL (initdb, pg_ctl) is not installed on this machine: nothing of it is tested here")
    with server() as url:
        yield url


@pytest.fixture
def postgresql_socket(postgresql: str) -> str:
    """The same server by its Unix socket."""
    url = make_url(postgresql)
    with session(postgresql) as run:
        ((folder,),) = run("SHOW unix_socket_directories")
    return url._replace(host=None, query={"host": str(folder)}).render_as_string(hide_password=False)


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


@pytest.fixture(scope="session")
def begun_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an SQLite store with its first rows, written once and copied for each test."""
    folder = tmp_path_factory.mktemp("begun")
    with begun(str(folder)):
        pass
    return folder / FILE


@pytest.fixture
def study(where: str, tmp_path: Path, begun_file: Path) -> Iterator[Begun]:
    """A store with two readers and two assigned cases."""
    files = tmp_path / "kept"
    if "://" in where:
        with begun(where, files) as made:
            yield made
    else:
        shutil.copy(begun_file, where)
        with open_store(where, files) as store:
            yield Begun(store, files.parent / "drawn")


@pytest.fixture
def store(study: Begun) -> Store:
    return study.store
