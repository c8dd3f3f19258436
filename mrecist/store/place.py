"""Where a store is: a study folder, an SQLite file, or the URL of a PostgreSQL database; and how it is connected to.

SQLite keeps a rollback journal and syncs with ``EXTRA``: a write is on the disk, the journal's removal too, before it is
acknowledged. No write-ahead log, which needs shared memory (study folders lie on network drives) and would leave acknowledged
writes in a second file that a copy of ``store.sqlite`` alone would lose.
"""

from __future__ import annotations

import getpass
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrecist.errors import StoreError
from mrecist.store.server import checked, connect

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

FILE = "store.sqlite"
_WAIT_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A store: its URL (of a server), its name for messages (without a password), its file, the folder of its files."""

    url: str = field(repr=False)
    name: str
    path: Path | None
    files: Path | None


def place_of(where: str, files: Path | None = None) -> Place:
    """What a person wrote as a store: a folder, a ``.sqlite`` file, ``postgresql://...``."""
    if "://" in where:
        return _server(where, files)
    path = Path(where)
    if path.is_dir() or not path.suffix:
        path = path / FILE
    return Place(url="", name=str(path), path=path, files=files or path.with_suffix(".files"))


def _server(where: str, files: Path | None) -> Place:
    _require("sqlalchemy", "store")
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(where)
    except (ArgumentError, ValueError):
        raise StoreError("the URL of the store cannot be read; it is postgresql://USER@HOST/DATABASE") from None
    if url.get_backend_name() != "postgresql":
        raise StoreError(f"a store in '{url.get_backend_name()}' is not known; give a folder, or a postgresql:// URL")
    _require("pg8000", "postgresql")
    return Place(
        url=checked(url).set(drivername="postgresql+pg8000").render_as_string(hide_password=False),
        name=url.set(password=None).render_as_string(),
        path=None,
        files=files,
    )


def _require(module: str, extra: str) -> None:
    if find_spec(module) is None:
        raise StoreError(f"{module} is not installed; a store of reads needs the extra: pip install 'mrecist[{extra}]'")


def engine_of(place: Place) -> Engine:
    """An engine; the file of SQLite is let go after every transaction, the connection to a server when the store is closed."""
    _require("sqlalchemy", "store")
    from sqlalchemy import URL, create_engine, event, make_url
    from sqlalchemy.pool import NullPool

    if place.path is None:
        server = make_url(place.url)
        engine = create_engine(server, hide_parameters=True)
        event.listen(engine, "do_connect", lambda dialect, *_: connect(dialect, server, place.name, _WAIT_SECONDS))
        return engine
    # Made of its parts: a folder may be called what a URL takes for a query.
    url = URL.create("sqlite", database=str(place.path))
    engine = create_engine(url, hide_parameters=True, poolclass=NullPool, connect_args={"timeout": _WAIT_SECONDS})
    event.listen(engine, "connect", _durable)
    event.listen(engine, "begin", _begin)
    return engine


def _durable(connection: Any, _: Any) -> None:
    # Transactions are begun by _begin: the driver's own would leave DDL outside of them.
    connection.isolation_level = None
    for name, value in (("journal_mode", "DELETE"), ("synchronous", "EXTRA"), ("foreign_keys", "ON")):
        connection.execute(f"PRAGMA {name}={value}").close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def one_writer(connection: Connection) -> None:
    """From here to the end of the transaction no other process writes: what is checked stays true until it is written."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7305467171)")


def account(connection: Connection) -> str:
    """The login that the database, or for SQLite the operating system, vouches for."""
    if connection.dialect.name == "postgresql":
        return str(connection.exec_driver_sql("SELECT session_user").scalar_one())
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"
