"""Simulated readers at their worklists: every visit submitted and locked in order, amended in the global review, signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrecist.dates import PartialDate
from mrecist.errors import StoreError
from mrecist.model import Measurement
from mrecist.rehearsal.lab import Lab
from mrecist.samples.cohort import lesions
from mrecist.samples.readers.reading import SimulatedRead
from mrecist.store.locking import lock
from mrecist.store.showing import worklist
from mrecist.store.signing import MEANING, sign
from mrecist.store.store import Store
from mrecist.store.submitting import Submission, amend, submit
from mrecist.tables import csv_text, read_measurements, write_whole

COLUMNS = (*lesions.COLUMNS[:3], "reader", *lesions.COLUMNS[3:])
Visits = Mapping[tuple[str, int], list[Measurement]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What somebody wrote into the store: reads of visits, and how many of them were amended."""

    visits: int
    amended: int


def work_the_list(store: Store, lab: Lab, who: str, subjects: Mapping[str, str]) -> Written:
    """Read every case of somebody's worklist in its order; ``subjects``: case -> subject."""
    reads = {due.case: lab.read(subjects[due.case], who) for due in worklist(store, who)}
    return write_reads(store, lab, who, reads)


def write_reads(store: Store, lab: Lab, who: str, reads: Mapping[str, SimulatedRead]) -> Written:
    """Submit, lock, amend and sign reads, by case, from the tables that a person would submit from: ``submitted/*.csv``."""
    source = lab.folder / "submitted" / f"{who.replace(' ', '_')}.csv"
    visits = _through_file(source, ((case, rows) for case, read in reads.items() for rows in read.visits.values()))
    changes = ((case, new.rows) for case, read in reads.items() for new in read.amended.values())
    later = _through_file(source.with_name(f"{source.stem}_amended.csv"), changes)
    for case, read in reads.items():
        for timepoint in read.visits:
            submit(store, _submission(visits, case, who, timepoint, source.name))
            lock(store, case, who, timepoint)
        for timepoint, new in read.amended.items():
            amend(store, _submission(later, case, who, timepoint, f"{source.stem}_amended.csv"), new.reason)
        sign(store, case, who, who, MEANING)
    return Written(visits=len(visits), amended=len(later))


def blinded(case: str, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows as somebody writes them who knows the case by its name on the worklist, and no date."""
    return [{**row, "subject": case, "date": ""} for row in rows]


def _through_file(path: Path, rows: Iterable[tuple[str, Iterable[Mapping[str, Any]]]]) -> Visits:
    """The rows written, and read again as ``reads submit`` reads them: (case, time point) -> rows. No rows, no file."""
    found: dict[tuple[str, int], list[Measurement]] = {}
    written = [row for case, visit in rows for row in blinded(case, visit)]
    if not written:
        return found
    write_whole(path, csv_text(COLUMNS, written))
    table = read_measurements(path, PartialDate.REFUSE)
    if table.problems:
        raise StoreError(table.problems[0].message)
    for row in table.rows:
        found.setdefault((row.subject, row.timepoint), []).append(row)
    return found


def _submission(visits: Visits, case: str, who: str, timepoint: int, source: str) -> Submission:
    return Submission(
        subject=case, reader=who, timepoint=timepoint, rows=visits[case, timepoint], source=source, comment="simulated"
    )
