"""DICOMweb: QIDO-RS, WADO-RS and STOW-RS (PS3.18 section 10) through dicomweb-client.

Data are asked for in the transfer syntax that they are stored in (``transfer-syntax=*``) and kept as the bytes that come. Secrets
stand in the session only: no URL, message or log holds them. Retries are those of :mod:`mrecist.pacs.patience`.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import requests
from dicomweb_client.api import DICOMwebClient
from pydicom import Dataset, dcmread
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_environ_proxies

from mrecist.errors import InputError, MrecistError
from mrecist.pacs.fetch import Receive
from mrecist.pacs.patience import ConnectionLostError, NotOfferedError, RefusedError
from mrecist.pacs.query import IMAGE, RETURNED, SERIES, STUDY, FoundSeries, is_uid, shown
from mrecist.pacs.send import REFUSED, SENT, SENT_WITH_WARNING, Outcome, Outgoing
from mrecist.pacs.server import Server

_AS_STORED = 'multipart/related; type="application/dicom"; transfer-syntax=*'
_PAGE = 500
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_LOST = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
# Why a Store Instances request failed: PS3.18 table 10.5.3-1, PS3.4 table B.2-1.
_FAILURES = {
    0x0110: "processing failure",
    0x0122: "it does not take this SOP class",
    0x0124: "not authorised",
    0x0117: "it calls the UID invalid",
    0xA700: "out of resources",
    0xA900: "the data set does not match its SOP class",
    0xC000: "it cannot understand the data set",
    0xC122: "it does not take this transfer syntax",
}


class _Session(requests.Session):
    """A session that can ask for data as stored; proxies of the environment count, ``~/.netrc`` does not."""

    as_stored = False

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        if self.as_stored:
            options["headers"] = {**(options.get("headers") or {}), "Accept": _AS_STORED}
        response = super().request(method, url, *args, **options)
        if response.status_code == 200 and str(method).upper() == "GET" and _is_cut(response, self.as_stored):
            raise requests.ConnectionError("the connection broke inside the answer")
        if self.as_stored and response.headers.get("Content-Type", "").partition(";")[0] == "application/dicom":
            # One instance without multipart around it, as some servers send; dicomweb-client takes it under this name.
            response.headers["Content-Type"] = "multipart/related"
        return response


def _is_cut(response: requests.Response, streamed: bool) -> bool:
    """Whether an answer ended early, which http.client takes for an answer without that header, or without content.

    An empty list of matches is status 204, or ``[]``: nothing at all is never an answer (PS3.18 8.3.4.4, 10.6.3).
    """
    if streamed:
        return "Content-Type" not in response.headers
    if "Content-Length" in response.headers or "Transfer-Encoding" in response.headers:
        return not response.content
    return not response.content.rstrip().endswith((b"]", b"}", b">"))


class _Bearer(AuthBase):
    """A bearer token (RFC 6750); as an ``auth`` it is not sent on when the server redirects to another host."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _session(server: Server) -> _Session:
    session = _Session()
    # With trust_env, REQUESTS_CA_BUNDLE would replace the bundle that the server's section names.
    session.trust_env = False
    session.proxies.update(get_environ_proxies(server.dicomweb))
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    session.verify = str(server.ca) if server.ca else bundle or True
    if server.cert:
        session.cert = (str(server.cert), str(server.key)) if server.key else str(server.cert)
    if server.user:
        session.auth = HTTPBasicAuth(server.user.encode("utf-8"), server.password().encode("utf-8"))
    elif token := server.token():
        session.auth = _Bearer(token)
    return session


class Web:
    """A DICOMweb server as a source and a destination."""

    def __init__(self, server: Server) -> None:
        logging.getLogger("dicomweb_client").addHandler(logging.NullHandler())
        self.server = server
        self._session = _session(server)
        try:
            self._client = DICOMwebClient(server.dicomweb, session=self._session, timeout=server.timeout_s)
        except ValueError:
            raise InputError(f"server {server.name}: dicomweb '{server.dicomweb}' is no URL that can be used") from None
        self._client.set_http_retry_params(retry=False)

    def __enter__(self) -> Web:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def find(self, level: str, keys: Mapping[str, str]) -> list[dict[str, str]]:
        """Rows at a level, page by page; a server that ignores the offset repeats itself and is asked no further."""
        filters = dict(keys)
        study, series = (
            (None, None)
            if level == STUDY
            else (filters.pop("StudyInstanceUID"), filters.pop("SeriesInstanceUID", None))
        )
        rows: dict[str, dict[str, str]] = {}
        uid = {STUDY: "StudyInstanceUID", SERIES: "SeriesInstanceUID", IMAGE: "SOPInstanceUID"}[level]
        while True:
            common: dict[str, Any] = {"limit": _PAGE, "search_filters": filters, "fields": list(RETURNED[level])}
            if rows:
                common["offset"] = len(rows)
            with self._answers():
                if level == STUDY:
                    page = self._client.search_for_studies(**common)
                elif level == SERIES:
                    page = self._client.search_for_series(study, **common)
                else:
                    page = self._client.search_for_instances(study, series, **common)
                read = [_row(level, one) for one in page]
            new = {row[uid]: row for row in read if row[uid] not in rows}
            rows.update(new)
            if not new:
                return list(rows.values())

    def retrieve(self, series: FoundSeries, wanted: Sequence[str] | None, receive: Receive) -> dict[str, str]:
        """A whole series in one answer, or its instances one by one."""
        base = f"{self.server.dicomweb}/studies/{series.study_uid}/series/{series.series_uid}"
        if wanted is None:
            self._get(base, receive)
            return {}
        refused = {}
        for uid in wanted:
            if not is_uid(uid):
                refused[uid] = f"'{shown(uid, 70)}' is no UID, so it cannot be asked for"
                continue
            try:
                self._get(f"{base}/instances/{uid}", receive)
            except RefusedError as error:
                refused[uid] = str(error)
        return refused

    def _get(self, url: str, receive: Receive) -> None:
        self._session.as_stored = True
        try:
            parts = None
            with self._answers():
                parts = self._client.iter_bulkdata(url)
            while True:
                with self._answers():
                    content = next(parts, None)
                if content is None:
                    return
                receive(bytes(content))
        finally:
            self._session.as_stored = False

    def store(self, files: Sequence[Outgoing]) -> Iterator[Outcome]:
        """Send one file a request, so that each has an answer of its own."""
        for file in files:
            try:
                with self._answers(stored=True):
                    answer = self._client.store_instances([dcmread(file.path, force=True)])
                    outcome = _outcome(file, answer)
            except RefusedError as error:
                outcome = Outcome(file=file, verdict=REFUSED, reason=str(error))
            yield outcome

    @contextmanager
    def _answers(self, *, stored: bool = False) -> Iterator[None]:
        """Every failure of the exchange becomes :class:`ConnectionLostError` or :class:`RefusedError` with one line."""
        where = f"server {self.server.name}"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of pydicom and dicomweb-client, about values that are checked here
                yield
        except requests.HTTPError as error:
            raise _http_failure(where, error.response, stored) from None
        except requests.exceptions.SSLError as error:
            raise RefusedError(f"{where}: TLS: {_innermost(error)}; check ca, cert and the name in the URL") from None
        except _LOST as error:
            raise ConnectionLostError(f"{where}: no answer: {_innermost(error)}") from None
        except requests.exceptions.JSONDecodeError:
            raise RefusedError(f"{where}: an answer that is not DICOMweb (no JSON); check the URL") from None
        except requests.RequestException as error:
            raise RefusedError(f"{where}: {type(error).__name__}: {_innermost(error)}") from None
        except MrecistError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise RefusedError(
                f"{where}: an answer that is not DICOMweb: {type(error).__name__}: {shown(str(error))}"
            ) from None


def _http_failure(where: str, response: Any, stored: bool) -> MrecistError:
    code = response.status_code
    if code in (401, 403):
        return RefusedError(f"{where}: access is refused (HTTP {code}); check user, password or token and their rights")
    # text of the server may follow; it is one line, and never the request, which may name a patient
    text = shown(response.reason or "", 60)
    if code == 409 and stored:
        return RefusedError(f"{where}: {_failure_of(response) or f'HTTP {code} {text}'}")
    if code in _TRY_AGAIN and not (stored and code == 500):
        return ConnectionLostError(f"{where}: HTTP {code} {text}")
    kind = NotOfferedError if code in (400, 404, 405, 406, 501) else RefusedError
    return kind(f"{where}: HTTP {code} {text}")


def _failure_of(response: requests.Response) -> str:
    try:
        return _reasons(Dataset.from_json(response.json()))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _reasons(answer: Dataset) -> str:
    codes = [int(item.get("FailureReason", 0)) for item in answer.get("FailedSOPSequence") or []]
    return "; ".join(f"{_FAILURES.get(code, 'failure')} (0x{code:04X})" for code in codes)


def _outcome(file: Outgoing, answer: Dataset) -> Outcome:
    if reasons := _reasons(answer):
        return Outcome(file=file, verdict=REFUSED, reason=reasons)
    items = answer.get("ReferencedSOPSequence") or []
    item = next((one for one in items if one.get("ReferencedSOPInstanceUID") == file.sop_uid), None)
    if item is None:
        return Outcome(file=file, verdict=SENT_WITH_WARNING, reason="the server's answer does not name the instance")
    if warning := item.get("WarningReason"):
        return Outcome(file=file, verdict=SENT_WITH_WARNING, reason=f"warning 0x{int(warning):04X}")
    return Outcome(file=file, verdict=SENT)


def _innermost(error: BaseException) -> str:
    """The cause without the URL that requests and urllib3 put around it."""
    reason: Any = error
    while True:
        inner = getattr(reason, "reason", None) or next(
            (one for one in getattr(reason, "args", ()) if isinstance(one, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            break
        reason = inner
    if isinstance(reason, OSError) and reason.strerror:
        return shown(reason.strerror)
    text = str(reason)
    return shown(type(reason).__name__ if "://" in text or "url:" in text or "pool" in text else text.split(": ")[-1])


def _row(level: str, row: Mapping[str, Any]) -> dict[str, str]:
    return {name: _value(row.get(tag)) for name, tag in RETURNED[level].items()}


def _value(element: Any) -> str:
    values = element.get("Value") if isinstance(element, dict) else None
    return str(values[0]).strip().strip("\0") if isinstance(values, list) and values and values[0] is not None else ""
