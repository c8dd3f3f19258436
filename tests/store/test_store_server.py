"""The URL of a server, its password and its encryption: what is taken, and what is refused in one line."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from doc_pages import names, page, section, table
from postgresql_server import PASSWORD, new_schema, session
from store_study import begun

from mrecist.errors import StoreError
from mrecist.store.place import place_of
from mrecist.store.server import KEYS, SSL_MODES
from mrecist.store.store import Store, open_store

URL = "postgresql://me@host/base"


def version(url: str) -> int:
    """Connect, and look for the tables."""
    store = Store(place_of(url))
    try:
        return store.version()
    finally:
        store.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"{URL}?sslcert=x", "the key 'sslcert', which is not known; keys: host, options, sslmode, sslrootcert"),
        (f"{URL}?sslmode=require&sslmode=disable", "the key 'sslmode' twice"),
        (f"{URL}?sslmode=verify-ca", "sslmode=verify-ca is not known; modes: disable, prefer, require, verify-full"),
        (f"{URL}?sslmode=require&sslrootcert=x", "sslrootcert is for sslmode=verify-full, and sslmode is require"),
        (f"{URL}?host=/run", "names two hosts, host and /run"),
        ("postgresql://host/base", "names no user"),
        ("postgresql://me@/base", "names no host"),
        ("postgresql://me@host", "names no database"),
    ],
)
def test_what_is_not_known_in_a_url_is_refused(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=re.escape(said)):
        place_of(url)


def test_the_keys_and_modes_are_documented() -> None:
    text = section(page("core-lab.md"), "A store that readers share")
    assert sorted(names(table(text, "key"))) == sorted(KEYS)
    assert all(f"`{mode}`" in text for mode in SSL_MODES)


def test_a_password_comes_from_the_environment_or_the_password_file(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = postgresql.replace(f":{PASSWORD}@", "@")
    port = bare.rpartition(":")[2].partition("/")[0]
    kept = tmp_path / "pgpass"
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSFILE", str(kept))
    with pytest.raises(StoreError, match=r"authentication failed.*no password was given, neither in PGPASSWORD nor in"):
        version(bare)
    # PostgreSQL manual 34.16: the first line that matches is taken; a colon or backslash in a field is escaped.
    kept.write_text(f"# mine\n*:*:other:*:x\n127.0.0.1:1:*:owner:x\n127.0.0.1:{port}:*:owner:{PASSWORD}\n*:*:*:*:x\n")
    kept.chmod(0o644)
    with pytest.raises(StoreError, match="others can read the passwords in it; run: chmod 600"):
        version(bare)
    kept.chmod(0o600)
    assert version(bare) == 0
    kept.unlink()
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert version(bare) == 0


@pytest.mark.parametrize("how", ["server", "network"])
def test_a_connection_that_is_lost_at_commit_leaves_doubt_and_says_so(postgresql: str, how: str) -> None:
    url = new_schema(postgresql)
    with begun(url) as study:
        with session(url) as run:
            # The server ends the session in the middle of the commit.
            run(
                "CREATE FUNCTION leave() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'"
            )
            if how == "server":
                run(
                    "CREATE CONSTRAINT TRIGGER left_alone AFTER INSERT ON role DEFERRABLE INITIALLY DEFERRED "
                    "FOR EACH ROW EXECUTE FUNCTION leave()"
                )
        with pytest.raises(
            StoreError, match="whether it is there is not known, look with: mrecist reads status"
        ) as error:
            _write_and_lose(study.store, cut=how == "network")
        assert "nothing of this was written" not in str(error.value)
        with study.store.reading() as read:
            assert read.rows("role", person="X") == []  # here it is not, as status would tell


def _write_and_lose(store: Store, *, cut: bool) -> None:
    with store.writing("boss") as write:
        write.add("role", "made reader", person="X", role="reader", state="granted")
        if cut:
            write.connection.connection.dbapi_connection._usock.shutdown(socket.SHUT_RDWR)


def test_a_unix_socket_is_named_by_its_folder(postgresql_socket: str) -> None:
    assert version(postgresql_socket) == 0


def test_a_server_without_encryption_is_refused_where_it_was_asked_for(postgresql: str) -> None:
    for mode, right in (("prefer", True), ("disable", True), ("require", False), ("verify-full", False)):
        if right:
            assert version(f"{postgresql}?sslmode={mode}") == 0
        else:
            with pytest.raises(StoreError, match="Server refuses SSL; nothing of this was written"):
                version(f"{postgresql}?sslmode={mode}")


def test_a_server_that_is_not_there_is_one_line() -> None:
    # Port 1 (tcpmux) of loopback: nothing listens.
    with (
        pytest.raises(StoreError, match=r"127.0.0.1:1/base: no connection to the server \(Connection refused\)"),
        open_store("postgresql://me:secret@127.0.0.1:1/base"),
    ):
        pass
