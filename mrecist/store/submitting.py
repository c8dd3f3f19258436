"""A reader's read of one visit into the store: a new version, never in the place of the old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mrecist.errors import Locked, StoreError
from mrecist.model import Measurement
from mrecist.store.assigning import own_case, visits_of
from mrecist.store.people import needed
from mrecist.store.schema import MEASURED
from mrecist.store.store import Reading, Store, Writing
from mrecist.store.trail import Row
from mrecist.tables import measurement_cells, measurement_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a reader says of one visit.

    Parameters
    ----------
    subject : the subject, or its key on a blinded worklist.
    rows : rows of that visit; their reader and subject are set to whose read it is. Empty: nothing is there to record.
    files : masks and other files that belong to the read.
    source : where the rows come from, for a person.
    """

    subject: str
    reader: str
    timepoint: int
    rows: Sequence[Measurement]
    files: Sequence[Path] = ()
    source: str = ""
    comment: str = ""


def submit(store: Store, given: Submission, reason: str = "") -> Row:
    """Add a read of a visit; the row of it. A correction of a read that is not locked needs a reason.

    Raises
    ------
    Locked : the visit is locked, or an earlier one is not.
    StoreError : the case is not assigned to the reader, or the rows are not of this visit.
    """
    kept = _keep(store, given)
    with store.writing(given.reader, reason) as write:
        subject = own_case(write, given.subject, given.reader)["subject"]
        check_turn(write, subject, given.reader, given.timepoint)
        old = read_of(write, subject, given.reader, given.timepoint)
        if lock_of(write, subject, given.reader, given.timepoint) is not None:
            raise Locked(
                f"{given.subject} time point {given.timepoint} is locked; amend it with a reason, or have it unlocked"
            )
        if old is not None and not reason.strip():
            raise StoreError(
                f"{given.subject} time point {given.timepoint} was submitted before (version {old['version']}); a correction needs "
                "a reason: give it with --reason"
            )
        return add_read(write, given, subject, old, kept, "read submitted" if old is None else "read corrected")


def amend(store: Store, given: Submission, reason: str) -> Row:
    """Global review: a new version of a locked visit after all visits of the subject were locked; both versions are kept.

    Raises :class:`Locked` before that, :class:`StoreError` without a reason or an older version.
    """
    kept = _keep(store, given)
    with store.writing(given.reader, needed(reason)) as write:
        subject = own_case(write, given.subject, given.reader)["subject"]
        for timepoint in visits_of(write, subject):
            if lock_of(write, subject, given.reader, timepoint) is None:
                raise Locked(
                    f"{given.subject} time point {timepoint} is not locked; the global review comes after all visits"
                )
        old = read_of(write, subject, given.reader, given.timepoint)
        lock = lock_of(write, subject, given.reader, given.timepoint)
        if old is None or lock is None:
            raise StoreError(f"{given.subject} has no time point {given.timepoint} to amend")
        new = add_read(write, given, subject, old, kept, "read amended in the global review")
        whose: Row = {"subject": subject, "reader": given.reader, "timepoint": given.timepoint}
        write.add(
            "amendment", "amendment", read_id=new["id"], amended_read_id=old["id"], reason=reason.strip(), **whose
        )
        write.add("lock", "visit locked", replaces=lock, read_id=new["id"], state="locked", **whose)
        return new


def add_read(
    write: Writing, given: Submission, subject: str, old: Row | None, kept: Sequence[tuple[str, str, int]], what: str
) -> Row:
    """The rows of a read: the read itself, its measurements, the files that it names."""
    day = visits_of(write, subject)[given.timepoint]
    for row in given.rows:
        _check_row(row, given, subject, day)
    whose: Row = {"subject": subject, "reader": given.reader, "timepoint": given.timepoint}
    read = write.add(
        "read",
        what,
        replaces=old,
        version=old["version"] + 1 if old else 1,
        protocol_sha256=write.protocol()["sha256"],
        source=given.source,
        comment=given.comment,
        **whose,
    )
    for position, row in enumerate(given.rows, 1):
        cells = measurement_cells(row)
        said: Row = {name: cells[name] for name in MEASURED}
        write.add(
            "measurement", "measurement", read_id=read["id"], position=position, date=day.isoformat(), **whose, **said
        )
    for name, digest, size in kept:
        write.add("mask", "file kept", read_id=read["id"], name=name, sha256=digest, size=size, **whose)
    return read


def check_turn(read: Reading, subject: str, reader: str, timepoint: int) -> None:
    """Raise :class:`Locked` while an earlier visit is not locked, :class:`StoreError` when there is no such visit."""
    visits = visits_of(read, subject)
    for earlier in (t for t in visits if t < timepoint):
        if lock_of(read, subject, reader, earlier) is None:
            raise Locked(f"time point {earlier} is not locked yet; a visit is read after all before it are locked")
    if timepoint not in visits:
        raise StoreError(
            f"there is no time point {timepoint} of this case; visits are added with: mrecist reads assign"
        )


def read_of(read: Reading, subject: str, reader: str, timepoint: int) -> Row | None:
    """The newest version of a read of a visit."""
    return next(iter(read.current("read", subject=subject, reader=reader, timepoint=timepoint)), None)


def lock_of(read: Reading, subject: str, reader: str, timepoint: int) -> Row | None:
    """The lock that holds on a visit."""
    found = read.current("lock", subject=subject, reader=reader, timepoint=timepoint)
    return found[0] if found and found[0]["state"] == "locked" else None


def measurements_of(read: Reading, row: Row) -> tuple[Measurement, ...]:
    """The measurements of a read as they were given."""
    found = sorted(read.rows("measurement", read_id=row["id"]), key=lambda one: int(one["position"]))
    whose = {"subject": row["subject"], "reader": row["reader"], "timepoint": str(row["timepoint"])}
    return tuple(
        measurement_of({**{name: one[name] for name in (*MEASURED, "date") if name in one}, **whose}) for one in found
    )


def _keep(store: Store, given: Submission) -> list[tuple[str, str, int]]:
    names = [path.name for path in given.files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise StoreError(f"two files of the read are called {twice[0]}; rename one")
    return [(path.name, *store.files.keep(path)) for path in given.files]


def _check_row(row: Measurement, given: Submission, subject: str, day: date) -> None:
    for name, found, right in (
        ("subject", row.subject, (given.subject, subject)),
        ("time point", row.timepoint, (given.timepoint,)),
        ("reader", row.reader, (given.reader,)),
    ):
        if found not in right:
            raise StoreError(f"lesion {row.lesion}: its {name} is {found} and the read is of {name} {right[0]}")
    # The reader is not told the date of the visit.
    if row.date is not None and row.date != day:
        raise StoreError(
            f"lesion {row.lesion}: its date is {row.date}, {abs((row.date - day).days)} days off the visit's"
        )
