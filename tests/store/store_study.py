"""A small study in a store: readers A and B, subjects S1 (three visits) and S2 (two)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from mrecist.model import Measurement, Role, State
from mrecist.protocol import load_protocol
from mrecist.store.assigning import assign
from mrecist.store.locking import lock
from mrecist.store.people import begin
from mrecist.store.signing import sign
from mrecist.store.store import Store, new_store
from mrecist.store.submitting import Submission, submit

VISITS = {
    "S1": {0: date(2024, 1, 8), 1: date(2024, 3, 4), 2: date(2024, 4, 29)},
    "S2": {0: date(2024, 2, 1), 1: date(2024, 3, 28)},
}
ONE_DATABASE = pytest.mark.parametrize("where", ["sqlite"], indirect=True)
"""For tests of rules that the program keeps, in the same way on every database."""
PEOPLE = {"reader": ("A", "B"), "adjudicator": ("C",), "auditor": ("Q",)}


@dataclass(frozen=True)
class Begun:
    store: Store
    folder: Path

    def given(
        self, subject: str = "S1", timepoint: int = 0, reader: str = "A", mm: str = "48.2", mask: str = ""
    ) -> Submission:
        """A read of one visit: a target, a non-target, and a mask file when ``mask`` is its content."""
        files = []
        if mask:
            path = self.folder / f"{subject}_{timepoint}_{mask}.dcm"
            path.parent.mkdir(exist_ok=True)
            path.write_text(mask)
            files = [path]
        whose = {"subject": subject, "timepoint": timepoint, "reader": reader, "date": VISITS[subject][timepoint]}
        rows = [
            Measurement(
                lesion="T01",
                role=Role.TARGET,
                state=State.MEASURED,
                organ="liver",
                longest_mm=Decimal(mm),
                viable_mm=Decimal("18.40"),
                viable_foci_mm=(Decimal("18.40"), Decimal(9)),
                comment="=SUM(1) ünd 'so'",
                **whose,
            ),
            Measurement(lesion="NT01", role=Role.NON_TARGET, state=State.PRESENT, **whose),
        ]
        return Submission(subject=subject, reader=reader, timepoint=timepoint, rows=rows, files=files, source="test")

    def read(
        self, subject: str = "S1", timepoint: int = 0, reader: str = "A", mm: str = "48.2", mask: str = "m"
    ) -> None:
        """Submit a visit and lock it."""
        submit(self.store, self.given(subject, timepoint, reader, mm, mask))
        lock(self.store, subject, reader, timepoint)

    def read_all(self, subject: str = "S1", reader: str = "A") -> None:
        """Read every visit of a subject and sign the subject."""
        for timepoint in VISITS[subject]:
            self.read(subject, timepoint, reader)
        sign(self.store, subject, reader, f"Dr {reader}", "")


@contextmanager
def begun(where: str, files: Path | None = None) -> Iterator[Begun]:
    """A new store with its first rows."""
    with new_store(where, files) as store:
        begin(store, load_protocol(None), PEOPLE, "boss")
        assign(store, VISITS, "2024", "boss")
        yield Begun(store, (files or Path(where)).parent / "drawn")
