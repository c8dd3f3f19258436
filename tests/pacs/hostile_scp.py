"""A DIMSE server that does as the test says: answers of C-FIND and C-GET are given, true or not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, AllStoragePresentationContexts, evt
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelMove,
)


def row(one: Dataset, level: str, count: int) -> Dataset:
    answer = Dataset()
    answer.QueryRetrieveLevel = level
    names = {
        "STUDY": ("PatientID", "StudyDate", "StudyInstanceUID"),
        "SERIES": ("Modality", "SeriesInstanceUID"),
        "IMAGE": ("SOPInstanceUID", "SOPClassUID"),
    }[level]
    for name in names:
        setattr(answer, name, one.get(name))
    if level == "SERIES":
        answer.NumberOfSeriesRelatedInstances = count
    return answer


@dataclass
class Script:
    """What the server says it has, what it then sends, and how long it waits before it answers a question."""

    has: list[Dataset] = field(default_factory=list)
    sends: list[Dataset] = field(default_factory=list)
    waits_s: float = 0.0
    asked: list[str] = field(default_factory=list)
    move_to: int = 0
    store_status: list[int] = field(default_factory=list)

    def find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        level = event.identifier.QueryRetrieveLevel
        self.asked.append(level)
        time.sleep(self.waits_s)
        for one in self.has if level == "IMAGE" else self.has[:1]:
            yield 0xFF00, row(one, level, len(self.has))

    def get(self, _event: Any) -> Iterator[Any]:
        yield len(self.sends)
        for one in self.sends:
            yield 0xFF00, one

    def move(self, event: Any) -> Iterator[Any]:
        yield "127.0.0.1", self.move_to
        yield from self.get(event)

    def store(self, _event: Any) -> int:
        return self.store_status.pop(0) if self.store_status else 0x0000


def entity() -> AE:
    ae = AE(ae_title="HOSTILE")
    for context in AllStoragePresentationContexts:
        ae.add_supported_context(context.abstract_syntax, ExplicitVRLittleEndian, scu_role=True, scp_role=True)
    for context in AllStoragePresentationContexts[:128]:
        ae.add_requested_context(context.abstract_syntax, ExplicitVRLittleEndian)
    for model in (
        StudyRootQueryRetrieveInformationModelFind,
        StudyRootQueryRetrieveInformationModelGet,
        StudyRootQueryRetrieveInformationModelMove,
    ):
        ae.add_supported_context(model)
    return ae


@contextmanager
def serving(script: Script) -> Iterator[int]:
    """The port of the server."""
    handlers = [
        (evt.EVT_C_FIND, script.find),
        (evt.EVT_C_GET, script.get),
        (evt.EVT_C_MOVE, script.move),
        (evt.EVT_C_STORE, script.store),
    ]
    server = entity().start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
