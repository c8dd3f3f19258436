"""A PostgreSQL server of its own for the tests: in a temporary folder, on a free port of loopback, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import pg8000.dbapi
import pytest
from sqlalchemy import make_url

PASSWORD = "only-on-loopback"
# No test pulls the plug: what only a crash of the machine would need is left out.
FAST = ("fsync", "full_page_writes", "synchronous_commit")
_SCHEMAS = count(1)


def programs() -> Path | None:
    """The folder of ``initdb`` and ``pg_ctl`` of the newest version; None when PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    folders = [*found, *([Path(on_path).parent] if on_path else [])]
    return next((one for one in reversed(folders) if (one / "initdb").exists() and (one / "pg_ctl").exists()), None)


@contextmanager
def server() -> Iterator[str]:
    """A running server; the URL of a database for its owner."""
    home = programs()
    assert home is not None
    # In memory where the machine has such a folder.
    folder = Path(tempfile.mkdtemp(prefix="mrecist-pg-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    # The server refuses to run as root.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(*command: str, given: str = "") -> None:
        subprocess.run(
            [*as_user, *command], check=True, capture_output=True, text=True, timeout=60, input=given, cwd="/"
        )

    try:
        yield from _running(home, folder, port, run)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _running(home: Path, folder: Path, port: int, run: Callable[..., None]) -> Iterator[str]:
    data, secret = folder / "data", folder / "password"
    run("sh", "-c", f"cat > {secret}", given=PASSWORD)
    owner = ("-U", "owner", "-A", "scram-sha-256", "--pwfile", str(secret))
    run(str(home / "initdb"), "-D", str(data), *owner, "-E", "UTF8", "-N")
    settings: Sequence[str] = (
        f"-p {port}",
        "-c listen_addresses=127.0.0.1",
        f"-k {folder}",
        *(f"-c {one}=off" for one in FAST),
    )
    run(str(home / "pg_ctl"), "-D", str(data), "-l", str(folder / "log"), "-w", "-o", " ".join(settings), "start")
    try:
        yield f"postgresql://owner:{PASSWORD}@127.0.0.1:{port}/postgres"
    finally:
        run(str(home / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")


@contextmanager
def session(url: str) -> Iterator[Callable[..., Sequence[Sequence[object]]]]:
    """SQL of one's own by a login, past the program: a statement and its parameters (``%s``) to its rows, each by itself."""
    made = make_url(url)
    options = made.query.get("options")
    connection = pg8000.dbapi.connect(
        made.username,
        password=made.password,
        host=str(made.host),
        port=made.port or 0,
        database=made.database,
        ssl_context=False,
        startup_params={"options": options} if options else None,
    )
    connection.autocommit = True

    def run(statement: str, *given: object) -> Sequence[Sequence[object]]:
        cursor = connection.cursor()
        cursor.execute(statement, given)
        return list(cursor.fetchall()) if cursor.description else []

    with closing(connection):
        yield run


@contextmanager
def refused(state: str, match: str = "") -> Iterator[None]:
    """The server refuses with this SQLSTATE (PostgreSQL manual, appendix A) and says what matches."""
    with pytest.raises(pg8000.dbapi.DatabaseError) as error:
        yield
    said = error.value.args[0]
    assert said["C"] == state, said
    assert match in said["M"]


def new_schema(url: str) -> str:
    """A schema of its own, as good as a database and much quicker to make; its URL."""
    name = f"study{next(_SCHEMAS)}"
    with session(url) as run:
        run(f"CREATE SCHEMA {name}")
    return f"{url}?sslmode=disable&options=-csearch_path%3D{name}"
