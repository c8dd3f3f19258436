"""A PostgreSQL server: what the URL of a store says of it, where its password comes from, and a connection to it.

The driver (pg8000) does not use libpq: the keys of a URL, ``PGPASSWORD`` and the password file are read here, as the manual of
PostgreSQL describes them (34.1 "Connection URIs", 34.16 "The Password File").
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrecist.errors import StoreError

if TYPE_CHECKING:
    from sqlalchemy import URL

KEYS = ("host", "options", "sslmode", "sslrootcert")
"""Keys that the URL of a store may have after ``?``."""
SSL_MODES = ("disable", "prefer", "require", "verify-full")
"""Values of ``sslmode``; without the key it is ``prefer``."""
_PORT = 5432


def checked(url: URL) -> URL:
    """The URL, or :class:`StoreError` where a part is missing or a key is not known."""
    for key, value in url.query.items():
        if key not in KEYS:
            raise StoreError(f"the URL of the store has the key '{key}', which is not known; keys: {', '.join(KEYS)}")
        if not isinstance(value, str):
            raise StoreError(f"the URL of the store has the key '{key}' twice; give it once")
    query = _query(url)
    for name, given in (("user", url.username), ("host", url.host or query.get("host")), ("database", url.database)):
        if not given:
            raise StoreError(f"the URL of the store names no {name}; it is postgresql://USER@HOST/DATABASE")
    if url.host and "host" in query:
        raise StoreError(f"the URL of the store names two hosts, {url.host} and {query['host']}; give one")
    mode = query.get("sslmode", "prefer")
    if mode not in SSL_MODES:
        raise StoreError(f"sslmode={mode} is not known; modes: {', '.join(SSL_MODES)}")
    if "sslrootcert" in query and mode != "verify-full":
        raise StoreError(f"sslrootcert is for sslmode=verify-full, and sslmode is {mode}")
    return url


def connect(dialect: Any, url: URL, name: str, seconds: float) -> Any:
    """A connection of the driver; ``seconds`` is how long to wait for the host. Raises :class:`StoreError`."""
    password = url.password or os.environ.get("PGPASSWORD") or _kept_password(url)
    options = _query(url).get("options")
    try:
        return dialect.loaded_dbapi.Connection(
            url.username,
            # Never None: the driver knows no login without a password where the server asks for one by SCRAM.
            password=password or "",
            host=url.host,
            database=url.database,
            sock=_socket(url, seconds),
            ssl_context=_ssl_context(url),
            startup_params={"options": options} if options else None,
        )
    except OSError as error:
        said = (error.strerror or str(error)).split("\n")[0]
        raise StoreError(f"{name}: no connection to the server ({said}); nothing of this was written") from None
    except dialect.loaded_dbapi.Error as error:
        hint = "" if password else "; no password was given, neither in PGPASSWORD nor in ~/.pgpass"
        raise StoreError(f"{name}: {message(error)}{hint}; nothing of this was written") from None


def message(error: BaseException | None) -> str:
    """What a database said, in one line: a server's answer comes as its fields, of which ``M`` is the message."""
    said = error.args[0] if error is not None and error.args else error
    return str(said["M"] if isinstance(said, dict) else said).strip().split("\n")[0]


def answered(error: BaseException | None) -> bool:
    """Whether an error is the server's answer: not a connection that broke, nor the last word of a server that ends it.

    Classes of SQLSTATE 08 (connection exception) and 57 (operator intervention): PostgreSQL manual, appendix A.
    """
    said = error.args[0] if error is not None and error.args else None
    return isinstance(said, dict) and not str(said.get("C", "")).startswith(("08", "57"))


def _query(url: URL) -> dict[str, str]:
    return {key: value for key, value in url.query.items() if isinstance(value, str)}


def _socket(url: URL, seconds: float) -> socket.socket:
    # The time is for the host to answer. Afterwards a writer waits for its turn as long as another one writes.
    if folder := _query(url).get("host"):
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.connect(str(Path(folder) / f".s.PGSQL.{url.port or _PORT}"))
        except OSError:
            made.close()
            raise
        return made
    made = socket.create_connection((url.host, url.port or _PORT), seconds)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    made.settimeout(None)
    return made


def _ssl_context(url: URL) -> ssl.SSLContext | bool | None:
    """In the driver's words. None: encrypted where the server can, and whose certificate it is stays unknown."""
    query = _query(url)
    if query.get("sslmode") == "verify-full":
        return ssl.create_default_context(cafile=query.get("sslrootcert"))
    return {"disable": False, "require": True}.get(query.get("sslmode", ""))


def _kept_password(url: URL) -> str | None:
    """The password of the first line of ``~/.pgpass`` (or ``PGPASSFILE``) that is of this server, database and user."""
    path = Path(os.environ.get("PGPASSFILE") or Path.home() / ".pgpass")
    if not path.is_file():
        return None
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise StoreError(f"{path}: others can read the passwords in it; run: chmod 600 {path}")
    folder = _query(url).get("host")
    hosts = (folder, "localhost") if folder else (url.host,)
    asked = (hosts, (str(url.port or _PORT),), (url.database,), (url.username,))
    for fields in _fields(path):
        if all(field == "*" or field in right for field, right in zip(fields[:4], asked, strict=True)):
            return re.sub(r"\\(.)", r"\1", fields[4])
    return None


def _fields(path: Path) -> Iterator[list[str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: cannot be read ({error}); check the file") from None
    for line in lines:
        parts = re.match(r"((?:\\.|[^\\:])*):" * 4 + r"((?:\\.|[^\\:])*)", line)
        if parts and not line.startswith("#"):
            yield [*(re.sub(r"\\(.)", r"\1", part) for part in parts.groups()[:4]), parts.group(5)]
