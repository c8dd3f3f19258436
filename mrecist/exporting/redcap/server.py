"""A REDCap project over its API, through PyCap. The token is in the body of the requests, never in a URL, message or log."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlsplit

from mrecist.errors import InputError, printable
from mrecist.exporting.extra import library
from mrecist.pacs.patience import ConnectionLostError, Patience, RefusedError

TOKEN_VARIABLE = "MRECIST_REDCAP_TOKEN"
_CONNECT_S, _ANSWER_S = 10, 120
_MOST_OF_A_MESSAGE = 500
T = TypeVar("T")


class DeniedError(RefusedError):
    """The server does not accept the token, or the token has no right to this: no other row would be taken either."""


def check_url(url: str) -> str:
    """The URL of the API as PyCap wants it; raises :class:`InputError` for one that would show the token to others."""
    parts = urlsplit(url)
    shown = f"{parts.scheme}://{parts.hostname}"
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InputError("--upload: give a URL such as https://redcap.example.org/api/")
    if parts.username is not None or parts.password is not None:
        raise InputError(f"--upload: a URL without user and password in it; the token comes from {TOKEN_VARIABLE}")
    if parts.scheme == "http" and not _on_this_machine(parts.hostname):
        raise InputError(f"--upload: {shown} is not encrypted, and the token and the data would go in clear; use https")
    if not parts.path.rstrip("/").endswith("/api"):
        raise InputError(f"--upload: the path '{parts.path}' does not end with /api/, as the API of REDCap does")
    return url.rstrip("/") + "/"


def _on_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def token_of_environment() -> str:
    """The token; raises :class:`InputError`, which does not quote it, when there is none that could be one."""
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not re.fullmatch(r"[0-9A-Za-z]{32}", token):
        what = "is not set" if not token else "is not the token of a project, which has 32 letters and digits"
        raise InputError(f"the environment variable {TOKEN_VARIABLE} {what}")
    return token


class Server:
    """One project.

    Raises :class:`ConnectionLostError` after the retries, :class:`DeniedError` when the token is not accepted and
    :class:`RefusedError` when the server says no to what was asked.
    """

    def __init__(self, url: str, token: str, patience: Patience) -> None:
        """Nothing is asked yet."""
        self._requests = library("requests")
        self._token = token
        self._patience = patience
        self._host = urlsplit(url).hostname or ""
        # No redirects: the request would take the token along. An auth of its own: ~/.netrc does not count.
        self._project = library("redcap").Project(
            url,
            token,
            timeout=(_CONNECT_S, _ANSWER_S),
            allow_redirects=False,
            auth=lambda request: request,
            hooks={"response": self._look_at_status},
        )

    def metadata(self) -> list[dict[str, Any]]:
        """The fields of the project."""
        return self._ask_list(self._project.export_metadata)

    def project(self) -> dict[str, Any]:
        """Settings of the project."""
        found = self._ask(self._project.export_project_info)
        if not isinstance(found, dict):
            raise self._odd_answer()
        return found

    def repeating(self) -> list[dict[str, Any]]:
        """The forms that repeat."""
        return self._ask_list(self._project.export_repeating_instruments_events)

    def records(self, names: Sequence[str], forms: Sequence[str]) -> list[dict[str, Any]]:
        """The rows of those records, of those forms."""
        return self._ask_list(
            lambda: self._project.export_records(records=list(names), forms=list(forms), raw_or_label="raw")
        )

    def send(self, rows: Sequence[Mapping[str, str]], *, erase: bool) -> set[str]:
        """Import rows; the records that the server says it took. The same rows may be sent again: they have their instances.

        ``erase``: an empty value empties what is there.
        """
        sent = self._ask(
            lambda: self._project.import_records(
                [dict(row) for row in rows], return_content="ids", overwrite="overwrite" if erase else "normal"
            )
        )
        if not isinstance(sent, list):
            raise self._odd_answer()
        return {str(one) for one in sent}

    def _ask_list(self, ask: Callable[[], Any]) -> list[dict[str, Any]]:
        found = self._ask(ask)
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise self._odd_answer()
        return found

    def _ask(self, ask: Callable[[], Any]) -> Any:
        def once() -> Any:
            errors = self._requests.exceptions
            try:
                return ask()
            except (errors.SSLError, errors.ProxyError) as error:
                raise RefusedError(self._told(f"no safe connection: {type(error).__name__}")) from None
            except (errors.ConnectionError, errors.Timeout, errors.ChunkedEncodingError) as error:
                raise ConnectionLostError(self._told(type(error).__name__)) from None
            except errors.JSONDecodeError:
                raise self._odd_answer() from None
            except errors.RequestException as error:
                raise RefusedError(self._told(str(error))) from None

        return self._patience.insist(once)

    def _look_at_status(self, response: Any, **_: Any) -> None:
        status = response.status_code
        if status < 300:
            return
        message = self._message(response)
        if status < 400:
            raise DeniedError(
                self._told(f"answers with a redirect ({status}), which is not followed; give the final URL")
            )
        if status in (401, 403):
            raise DeniedError(self._told(f"{status}: {message}"))
        if status == 429 or status >= 500:
            raise ConnectionLostError(self._told(f"{status}: {message}"))
        if status >= 400:
            raise RefusedError(self._told(message))

    def _message(self, response: Any) -> str:
        try:
            return str(response.json()["error"])
        except (ValueError, KeyError, TypeError):
            return str(response.reason or "no reason is given")

    def _told(self, message: str) -> str:
        """A line of the server without the token, should it quote it."""
        clean = re.sub(re.escape(self._token), "(token)", message, flags=re.IGNORECASE)
        return f"{self._host}: {printable(clean, most=_MOST_OF_A_MESSAGE)}"

    def _odd_answer(self) -> RefusedError:
        return RefusedError(self._told("does not answer as the API of REDCap does; look at the URL"))
