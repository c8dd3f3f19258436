"""Which archive, and how it is spoken to: ``[pacs.NAME]`` in a TOML file (docs/pacs.md). The file never holds a secret."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mrecist.errors import InputError
from mrecist.pacs.patience import Patience

DEFAULT_CONFIG = Path("mrecist-pacs.toml")
_PLAIN_SECRETS = ("password", "token", "secret", "key_password")
_WEB_ONLY = ("user", "password_env", "password_file", "token_env", "token_file")
_DIMSE_ONLY = ("port", "called_ae", "calling_ae", "tls", "max_pdu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One archive. Exactly one of ``dicomweb`` and ``host`` is given; the keys are documented in docs/pacs.md."""

    name: str
    dicomweb: str = ""
    user: str = ""
    password_env: str = ""
    password_file: Path | None = None
    token_env: str = ""
    token_file: Path | None = None
    host: str = ""
    port: int = 104
    called_ae: str = ""
    calling_ae: str = "MRECIST"
    tls: bool = False
    max_pdu: int = 65536
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    timeout_s: float = 60.0
    retries: int = 4
    wait_s: float = 1.0

    @property
    def patience(self) -> Patience:
        """Its retries."""
        return Patience(retries=self.retries, wait_s=self.wait_s)

    @property
    def encrypted(self) -> bool:
        """Whether what is sent is encrypted on its way."""
        return self.dicomweb.startswith("https://") if self.dicomweb else self.tls

    @property
    def on_this_machine(self) -> bool:
        """Whether the server is reached over the loopback interface."""
        host = (urlsplit(self.dicomweb).hostname or "") if self.dicomweb else self.host
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    def password(self) -> str:
        """The password, from the environment or its file; raises :class:`InputError` when it is not there."""
        return self._secret("password", self.password_env, self.password_file)

    def token(self) -> str:
        """The bearer token, likewise."""
        return self._secret("token", self.token_env, self.token_file)

    def _secret(self, what: str, variable: str, file: Path | None) -> str:
        if variable:
            if not os.environ.get(variable):
                raise InputError(f"server {self.name}: the environment variable {variable} with the {what} is not set")
            return os.environ[variable]
        if file is None:
            return ""
        try:
            text = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise InputError(f"server {self.name}: {what} file {file}: {reason}") from None
        if not text:
            raise InputError(f"server {self.name}: {what} file {file} is empty")
        return text


def load_server(config: Path | None, name: str | None) -> Server:
    """The server of that name in the file; without a name the only one there is.

    Raises
    ------
    InputError : no such file or server, an unknown key, an impossible value, or a secret written into the file.
    """
    path = config or DEFAULT_CONFIG
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; it names the servers, see docs/pacs.md, or give --config") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is no TOML file: {error}") from None
    servers = content.get("pacs", {})
    if not isinstance(servers, dict) or not servers or not all(isinstance(s, dict) for s in servers.values()):
        raise InputError(f"{path}: names no server; write [pacs.NAME] with keys below it (docs/pacs.md)")
    if name is None and len(servers) > 1:
        raise InputError(f"{path}: names several servers ({', '.join(servers)}); choose one with --server")
    chosen = name or next(iter(servers))
    if chosen not in servers:
        raise InputError(f"{path}: no server '{chosen}'; there are: {', '.join(servers)}")
    return parse_server(chosen, servers[chosen], path)


def parse_server(name: str, section: Mapping[str, Any], path: Path) -> Server:
    """One section, checked; relative files are relative to the folder of ``path``."""
    where = f"{path} [pacs.{name}]"
    values: dict[str, Any] = {}
    for key, value in section.items():
        if key in _PLAIN_SECRETS:
            raise InputError(
                f"{where}: holds a {key}; name the environment variable or file that holds it instead, "
                f"{key}_env or {key}_file, and change the {key}: this file may have been copied"
            )
        if key not in READERS:
            near = get_close_matches(key, READERS, n=1, cutoff=0.0)[0]
            raise InputError(f"{where}: unknown key '{key}'; did you mean '{near}'?")
        try:
            values[key] = READERS[key](value)
        except ValueError as error:
            # a URL may hold a password
            what = "a URL that cannot be used" if "@" in str(value) else repr(value)
            raise InputError(f"{where}: {key} is {what}; it takes {error}") from None
        if isinstance(values[key], Path):
            values[key] = path.parent / values[key].expanduser()
    server = Server(name=name, **values)
    _check(server, values, where)
    return server


def _check(server: Server, values: Mapping[str, Any], where: str) -> None:
    if bool(server.dicomweb) == bool(server.host):
        raise InputError(f"{where}: give either dicomweb (a URL) or host, port and called_ae (DIMSE), not both or none")
    foreign = [key for key in (_DIMSE_ONLY if server.dicomweb else _WEB_ONLY) if key in values]
    if foreign:
        raise InputError(f"{where}: {foreign[0]} does not go with {'dicomweb' if server.dicomweb else 'host'}")
    if server.host and not server.called_ae:
        raise InputError(f"{where}: called_ae is missing; it is the AE title of the server")
    _check_secrets(server, values, where)
    _check_certificates(server, where)


def _check_secrets(server: Server, values: Mapping[str, Any], where: str) -> None:
    passwords = [key for key in ("password_env", "password_file") if key in values]
    tokens = [key for key in ("token_env", "token_file") if key in values]
    if len(passwords + tokens) > 1:
        raise InputError(f"{where}: {' and '.join(passwords + tokens)} are given; keep one")
    if bool(server.user) != bool(passwords):
        raise InputError(f"{where}: user and password_env (or password_file) go together")
    if (passwords or tokens) and not server.encrypted and not server.on_this_machine:
        raise InputError(f"{where}: a password or token would go over http in clear; use an https URL")


def _check_certificates(server: Server, where: str) -> None:
    if not server.encrypted and (server.ca or server.cert):
        raise InputError(f"{where}: ca and cert need {'an https URL' if server.dicomweb else 'tls = true'}")
    if server.key and not server.cert:
        raise InputError(f"{where}: key goes with cert")
    for file in (server.ca, server.cert, server.key):
        if file is not None and not file.is_file():
            raise InputError(f"{where}: {file}: no such file")


# --- reading values --------------------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    return value.strip()


def _url(value: Any) -> str:
    text = _text(value) if isinstance(value, str) else ""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("a URL such as https://pacs.example.org/dicom-web")
    if parts.username is not None or parts.password is not None:
        raise ValueError("a URL without user and password in it; use user and password_env")
    return text.rstrip("/")


def _ae_title(value: Any) -> str:
    # PS3.5 6.2, VR AE: at most 16 characters, no backslash, no control characters
    text = _text(value)
    if len(text) > 16 or "\\" in text or not text.isascii() or not text.isprintable():
        raise ValueError("an AE title of at most 16 letters")
    return text


def _file(value: Any) -> Path:
    return Path(_text(value))


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return read


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 3600:
        raise ValueError("a number of seconds above 0, at most 3600")
    return float(value)


def _yes_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


READERS: dict[str, Callable[[Any], Any]] = {
    "dicomweb": _url,
    "user": _text,
    "password_env": _text,
    "password_file": _file,
    "token_env": _text,
    "token_file": _file,
    "host": _text,
    "port": _whole(1, 65535),
    "called_ae": _ae_title,
    "calling_ae": _ae_title,
    "tls": _yes_no,
    "max_pdu": _whole(4096, 1048576),
    "ca": _file,
    "cert": _file,
    "key": _file,
    "timeout_s": _seconds,
    "retries": _whole(0, 20),
    "wait_s": _seconds,
}
DEFAULTS = {field.name: field.default for field in fields(Server) if field.name in READERS}
