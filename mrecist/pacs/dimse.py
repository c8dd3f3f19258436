"""DIMSE: C-FIND, C-GET, C-MOVE and C-STORE, study root (PS3.4 annexes B and C) through pynetdicom.

C-GET brings the data over the connection that was opened from here, so nothing listens. C-MOVE makes the server open a
connection to here: only when a listener was asked for by its own address and port.
"""

from __future__ import annotations

import socket
import ssl
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydicom import Dataset
from pydicom.uid import UID
from pynetdicom import AE, AllStoragePresentationContexts, _config, build_context, build_role, evt
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)

from mrecist.errors import InputError, MrecistError
from mrecist.pacs.contexts import MOST_CONTEXTS, SYNTAXES, classes_of, to_receive, to_send
from mrecist.pacs.fetch import Receive
from mrecist.pacs.instance import LABELMAP
from mrecist.pacs.patience import ConnectionLostError, NotOfferedError, RefusedError
from mrecist.pacs.query import IMAGE, RETURNED, FoundSeries, is_uid, shown
from mrecist.pacs.send import REFUSED, SENT, SENT_WITH_WARNING, Outcome, Outgoing
from mrecist.pacs.server import Server

_QUESTIONS = SYNTAXES[:2]
_PENDING = (0xFF00, 0xFF01)
_SUCCESS, _NOT_TAKEN, _OUT_OF_RESOURCES = 0x0000, 0xA900, 0xA700
# PS3.4 tables B.2-1, C.4-1, C.4-2, C.4-3; PS3.7 annex C.
_MEANINGS = {
    0x0110: "processing failure",
    0x0117: "it calls the UID invalid",
    0x0122: "it does not take this SOP class",
    0x0124: "not authorised",
    0xA700: "out of resources",
    0xA701: "out of resources: it cannot count the matches",
    0xA702: "out of resources: it cannot send",
    0xA801: "it does not know our AE title as a destination of C-MOVE",
    0xA900: "the data set does not match its SOP class",
    0xB000: "some instances failed, or values were changed",
    0xB006: "elements were discarded",
    0xB007: "the data set does not match its SOP class",
    0xFE00: "it stopped",
}


class Dimse:
    """A DIMSE server as a source and a destination.

    Parameters
    ----------
    listen : (address, port) of the listener for C-MOVE; None: C-GET.
    """

    def __init__(self, server: Server, listen: tuple[str, int] | None = None) -> None:
        self.server = server
        self.where = f"server {server.name}"
        self._listen = listen
        self._classes: dict[str, set[str]] = {}
        self._tls = _tls(server) if server.tls else None
        self._listener: Any = None
        # whose data a listener takes now; None: nobody's
        self._expecting: _Intake | None = None

    def __enter__(self) -> Dimse:
        return self

    def __exit__(self, *_: object) -> None:
        if self._listener is not None:
            self._listener.shutdown()
            self._listener = None

    # --- questions ---------------------------------------------------------------------------------------------------

    def find(self, level: str, keys: Mapping[str, str]) -> list[dict[str, str]]:
        """Rows of a C-FIND at a level."""
        model = StudyRootQueryRetrieveInformationModelFind
        identifier = Dataset()
        identifier.QueryRetrieveLevel = level
        for name in (*RETURNED[level], *keys):
            setattr(identifier, name, keys.get(name) or None)
        rows = []
        with self._association([(model, ())]) as association:
            for status, answer in association.send_c_find(identifier, model):
                code = self._code(status)
                if code in _PENDING and answer is not None:
                    rows.append({name: _text(answer, name) for name in RETURNED[level]})
                elif code != _SUCCESS:
                    raise NotOfferedError(f"{self.where}: C-FIND: {_meaning(code)}")
        if level == IMAGE:
            series = keys["SeriesInstanceUID"]
            self._classes[series] = {row["SOPClassUID"] for row in rows if is_uid(row["SOPClassUID"])}
        return rows

    # --- fetching ----------------------------------------------------------------------------------------------------

    def retrieve(self, series: FoundSeries, wanted: Sequence[str] | None, receive: Receive) -> dict[str, str]:
        """By C-GET, or by C-MOVE to the listener."""
        identifier = Dataset()
        identifier.QueryRetrieveLevel = "SERIES" if wanted is None else IMAGE
        identifier.StudyInstanceUID = series.study_uid
        identifier.SeriesInstanceUID = series.series_uid
        refused = {}
        if wanted is not None:
            refused = {
                uid: f"'{shown(uid, 70)}' is no UID, so it cannot be asked for" for uid in wanted if not is_uid(uid)
            }
            askable = [uid for uid in wanted if is_uid(uid)]
            if not askable:
                return refused
            identifier.SOPInstanceUID = askable
        intake = _Intake(receive)
        if self._listen is None:
            refused |= self._get(identifier, series, intake)
        else:
            refused |= self._move(identifier, intake, self._listen)
        return refused

    def _get(self, identifier: Dataset, series: FoundSeries, intake: _Intake) -> dict[str, str]:
        model = StudyRootQueryRetrieveInformationModelGet
        classes = classes_of(series.modality, sorted(self._classes.get(series.series_uid, ())))
        contexts: list[tuple[str, Sequence[str]]] = [(model, ()), *to_receive(classes, MOST_CONTEXTS - 1)]
        with self._association(contexts, receiving=classes, intake=intake) as association:
            if not any(context.abstract_syntax == model for context in association.accepted_contexts):
                raise RefusedError(f"{self.where}: it does not offer C-GET; use --listen with C-MOVE, or DICOMweb")
            return self._subop_answers("C-GET", association.send_c_get(identifier, model), intake)

    def _move(self, identifier: Dataset, intake: _Intake, listen: tuple[str, int]) -> dict[str, str]:
        model = StudyRootQueryRetrieveInformationModelMove
        self._start_listener(listen)
        self._expecting = intake
        try:
            with self._association([(model, ())]) as association:
                answers = association.send_c_move(identifier, self.server.calling_ae, model)
                return self._subop_answers("C-MOVE", answers, intake)
        finally:
            self._expecting = None

    def _subop_answers(
        self, what: str, answers: Iterator[tuple[Dataset, Dataset | None]], intake: _Intake
    ) -> dict[str, str]:
        failed: dict[str, str] = {}
        code = _SUCCESS
        for status, identifier in answers:
            intake.raise_failure()
            code = self._code(status)
            for uid in _failed_uids(identifier):
                failed[uid] = f"{what}: {_meaning(code)}"
        if code not in (_SUCCESS, 0xB000) and not failed:
            raise RefusedError(f"{self.where}: {what}: {_meaning(code)}")
        return failed

    def _start_listener(self, listen: tuple[str, int]) -> None:
        """A storage SCP; what it takes is decided by the receiver of the series that is being fetched, never by the sender."""
        if self._listener is not None:
            return
        ae = self._ae()
        ae.require_called_aet = True
        ae.maximum_pdu_size = self.server.max_pdu
        for uid in (*(context.abstract_syntax for context in AllStoragePresentationContexts), LABELMAP):
            ae.add_supported_context(str(uid), list(SYNTAXES))
        context = _tls_to_accept(self.server) if self.server.tls else None
        try:
            self._listener = ae.start_server(
                listen, block=False, evt_handlers=[(evt.EVT_C_STORE, self._stored)], ssl_context=context
            )
        except OSError as error:
            raise InputError(f"fetch: --listen {listen[0]}:{listen[1]}: {error.strerror or error}") from None

    def _stored(self, event: Any) -> int:
        intake = self._expecting
        return _NOT_TAKEN if intake is None else intake(event)

    # --- sending -----------------------------------------------------------------------------------------------------

    def store(self, files: Sequence[Outgoing]) -> Iterator[Outcome]:
        """C-STORE of the files as they are; classes or syntaxes that the server does not take are refused by name."""
        for group in to_send((file.sop_class, file.transfer_syntax) for file in files):
            members = [file for file in files if (file.sop_class, file.transfer_syntax) in group]
            try:
                yield from self._store_group(group, members)
            except NotOfferedError:  # none of them is taken
                yield from (Outcome(file=f, verdict=REFUSED, reason=_not_accepted(f, set())) for f in members)

    def _store_group(self, group: Sequence[tuple[str, str]], members: Sequence[Outgoing]) -> Iterator[Outcome]:
        with self._association([(uid, (syntax,)) for uid, syntax in group]) as association:
            taken = {(str(c.abstract_syntax), str(s)) for c in association.accepted_contexts for s in c.transfer_syntax}
            for file in members:
                if (file.sop_class, file.transfer_syntax) in taken:
                    yield self._store_one(association, file)
                else:
                    yield Outcome(file=file, verdict=REFUSED, reason=_not_accepted(file, taken))

    def _store_one(self, association: Association, file: Outgoing) -> Outcome:
        # The flag makes pynetdicom send the bytes of the file; otherwise it decodes and encodes the data set.
        before, _config.STORE_SEND_CHUNKED_DATASET = _config.STORE_SEND_CHUNKED_DATASET, True
        try:
            code = self._code(association.send_c_store(file.path))
        except (AttributeError, ValueError, RuntimeError) as error:
            if not association.is_established:
                raise ConnectionLostError(f"{self.where}: the connection broke") from None
            return Outcome(file=file, verdict=REFUSED, reason=shown(str(error)))
        finally:
            _config.STORE_SEND_CHUNKED_DATASET = before
        if code == _SUCCESS:
            return Outcome(file=file, verdict=SENT)
        if code in (0xB000, 0xB006, 0xB007):
            return Outcome(file=file, verdict=SENT_WITH_WARNING, reason=_meaning(code))
        return Outcome(file=file, verdict=REFUSED, reason=_meaning(code))

    # --- connections -------------------------------------------------------------------------------------------------

    def _ae(self) -> AE:
        ae = AE(ae_title=self.server.calling_ae)
        ae.connection_timeout = ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = self.server.timeout_s
        return ae

    @contextmanager
    def _association(
        self,
        contexts: Sequence[tuple[str, Sequence[str]]],
        *,
        receiving: Sequence[str] = (),
        intake: _Intake | None = None,
    ) -> Iterator[Association]:
        ae, opening = self._ae(), _Opening()
        ae.requested_contexts = [_context(uid, syntaxes) for uid, syntaxes in contexts]
        handlers: list[Any] = [(evt.EVT_CONN_OPEN, opening.connected), (evt.EVT_ACSE_RECV, opening.answered)]
        association = ae.associate(
            self.server.host,
            self.server.port,
            ae_title=self.server.called_ae,
            max_pdu=self.server.max_pdu,
            ext_neg=[build_role(uid, scp_role=True) for uid in receiving],
            evt_handlers=[*handlers, (evt.EVT_C_STORE, intake)] if intake else handlers,
            tls_args=(self._tls, self.server.host) if self._tls else None,
        )
        if not association.is_established:
            raise self._no_association(opening, association)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "ignore"
                )  # pydicom warns of values that the other side got wrong; they are checked here
                yield association
        except BaseException:
            association.abort()
            raise
        if association.is_established:
            association.release()

    def _no_association(self, opening: _Opening, association: Association) -> MrecistError:
        to = f"{self.where}: {self.server.host} port {self.server.port}"
        if not opening.is_connected:
            return self._no_connection(to)
        answer = opening.answer
        if answer is not None and answer.result in (1, 2):
            reason = f"{to} refuses the association: {shown(answer.reason_str)}"
            advice = f"called_ae {self.server.called_ae}, calling_ae {self.server.calling_ae}"
            return ConnectionLostError(reason) if answer.result == 2 else RefusedError(f"{reason}; check {advice}")
        if answer is not None and answer.result == 0 and not association.accepted_contexts:
            return NotOfferedError(f"{to} accepts none of the SOP classes that were proposed")
        return ConnectionLostError(
            f"{to} did not answer the association request within {self.server.timeout_s:g} s, or hung up"
        )

    def _no_connection(self, to: str) -> MrecistError:
        """pynetdicom tells the cause only to its log: connect once more to name it."""
        try:
            with socket.create_connection((self.server.host, self.server.port), self.server.timeout_s) as plain:
                if self._tls is not None:
                    with self._tls.wrap_socket(plain, server_hostname=self.server.host):
                        pass
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", "") or error.reason or str(error)
            return RefusedError(f"{to}: TLS: {shown(str(reason))}; check ca, cert, key and host")
        except OSError as error:
            return ConnectionLostError(f"{to}: {shown(error.strerror or str(error))}")
        return ConnectionLostError(f"{to}: the connection could not be opened")

    def _code(self, status: Dataset) -> int:
        if "Status" not in status:
            raise ConnectionLostError(f"{self.where}: it did not answer within {self.server.timeout_s:g} s, or hung up")
        return int(status.Status)


class _Opening:
    """What happened while an association was opened."""

    def __init__(self) -> None:
        self.is_connected = False
        self.answer: Any = None

    def connected(self, _event: Any) -> None:
        self.is_connected = True

    def answered(self, event: Any) -> None:
        # the first answer only: releases and aborts come by the same event
        if self.answer is None and hasattr(event.primitive, "result"):
            self.answer = event.primitive


class _Intake:
    """The handler of C-STORE: hands the bytes on, as stored; a failure to write is raised where the series is fetched."""

    def __init__(self, receive: Receive) -> None:
        self._receive, self._lock = receive, threading.Lock()
        self._failure: Exception | None = None

    def __call__(self, event: Any) -> int:
        with self._lock:  # the server may open several associations to the listener
            try:
                return _SUCCESS if self._receive(event.encoded_dataset()) else _NOT_TAKEN
            except Exception as error:  # noqa: BLE001 - pynetdicom would only log it
                self._failure = self._failure or error
                return _OUT_OF_RESOURCES

    def raise_failure(self) -> None:
        """Raise what went wrong here, such as a full disk."""
        if self._failure is not None:
            raise self._failure


def _context(uid: str, syntaxes: Sequence[str]) -> PresentationContext:
    # without syntaxes: those in which every server takes questions
    return build_context(uid, list(syntaxes) or list(_QUESTIONS))


def _tls(server: Server) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(server.ca) if server.ca else None)
    _own_certificate(context, server)
    return context


def _tls_to_accept(server: Server) -> ssl.SSLContext:
    if not server.cert:
        raise InputError(f"server {server.name}: C-MOVE with tls needs cert and key of our own, for the listener")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(server.ca) if server.ca else None)
    context.verify_mode = ssl.CERT_REQUIRED
    _own_certificate(context, server)
    return context


def _own_certificate(context: ssl.SSLContext, server: Server) -> None:
    if server.cert:
        try:
            context.load_cert_chain(server.cert, server.key)
        except (ssl.SSLError, OSError) as error:
            raise InputError(f"server {server.name}: cert {server.cert}: {shown(str(error))}") from None


def _meaning(code: int) -> str:
    return f"{_MEANINGS.get(code, 'it cannot process this')} (0x{code:04X})"


def _text(dataset: Dataset, name: str) -> str:
    try:
        value = dataset.get(name)
        return "" if value is None else str(value).strip().strip("\0")
    except Exception:  # noqa: BLE001 - a value that pydicom cannot decode is no value
        return ""


def _failed_uids(identifier: Dataset | None) -> list[str]:
    value = identifier.get("FailedSOPInstanceUIDList") if identifier else None
    if not value:
        return []
    return [str(value)] if isinstance(value, str) else [str(uid) for uid in value]


def _not_accepted(file: Outgoing, taken: set[tuple[str, str]]) -> str:
    # pydicom's dictionary is older than this class, and shows its UID
    if file.sop_class == LABELMAP:
        name = "Label Map Segmentation Storage"
        advice = " (in DICOM since 2024); write the segmentation as BINARY and send that"
    else:
        name, advice = UID(file.sop_class).name, ""
    if any(uid == file.sop_class for uid, _ in taken):
        return f"it takes {name}, but not in {UID(file.transfer_syntax).name}"
    return f"it does not take {name}{advice}"
