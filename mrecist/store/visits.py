"""The visits of cases: a visit is of one day, or lasts from a first to a last day (CT on the one, MR on the other)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from mrecist.dates import day_words
from mrecist.errors import StoreError
from mrecist.store.store import Reading, Writing
from mrecist.store.trail import Row


@dataclass(frozen=True, slots=True)
class Span:
    """The days of a visit, both included; ``last`` is ``first`` for a visit of one day."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"

    def days(self, baseline: date) -> str:
        """Its days after the first day of the baseline, for those who are told no dates: ``56``, or ``56 to 58``."""
        return day_words((self.first - baseline).days, (self.last - baseline).days)


def span_of(given: Span | date) -> Span:
    """The days of a visit; a date stands for a visit of that day."""
    return given if isinstance(given, Span) else Span(given, given)


def spans_of(read: Reading, subject: str) -> dict[int, Span]:
    """Time point -> days of the visits of a subject, in order."""
    return dict(sorted((row["timepoint"], _span(row)) for row in read.current("visit", subject=subject)))


def visits_of(read: Reading, subject: str) -> dict[int, date]:
    """Time point -> first day of the visits of a subject, in order."""
    return {timepoint: span.first for timepoint, span in spans_of(read, subject).items()}


def add_visits(write: Writing, subject: str, given: Mapping[int, Span | date], *, change: bool = False) -> None:
    """Write the visits of a subject that are not there yet; with ``change`` those with other days in the place of the old.

    Raises :class:`StoreError` without a baseline, where visits do not follow each other, where a visit has other days in the store and
    ``change`` is False, or where rows that were read lie outside the days that are given.
    """
    known, days = spans_of(write, subject), {timepoint: span_of(one) for timepoint, one in given.items()}
    if 0 not in {**known, **days}:
        raise StoreError(f"{subject} has no visit of time point 0; the baseline comes first")
    for timepoint, span in days.items():
        if span.last < span.first:
            raise StoreError(f"{subject} time point {timepoint}: its last day {span.last} is before {span.first}")
    ordered = sorted({**known, **days}.items())
    for (earlier, before), (later, after) in pairwise(ordered):
        if after.first <= before.last:
            raise StoreError(f"{subject}: time point {later} is of {after} and time point {earlier} of {before}")
    for timepoint, span in sorted(days.items()):
        if timepoint not in known:
            _write(write, subject, timepoint, span, None)
        elif known[timepoint] != span:
            if not change:
                raise StoreError(
                    f"{subject} time point {timepoint} is of {known[timepoint]} in the store and of {span} here; a manager "
                    "changes it with --reason"
                )
            _hold_rows(write, subject, timepoint, span)
            (old,) = write.current("visit", subject=subject, timepoint=timepoint)
            _write(write, subject, timepoint, span, old)


def _write(write: Writing, subject: str, timepoint: int, span: Span, old: Row | None) -> None:
    days = {"date": span.first.isoformat(), "last_date": span.last.isoformat() if span.last > span.first else None}
    what = "visit added" if old is None else "days of the visit changed"
    write.add("visit", what, replaces=old, subject=subject, timepoint=timepoint, **days)


def _hold_rows(write: Writing, subject: str, timepoint: int, span: Span) -> None:
    """Raise where a row of a read in force is of a day that the visit would not have any more."""
    for read in write.current("read", subject=subject, timepoint=timepoint):
        for row in write.rows("measurement", read_id=read["id"]):
            if date.fromisoformat(row["date"]) not in span:
                raise StoreError(
                    f"{subject} time point {timepoint} cannot be of {span}: lesion {row['lesion']} of {read['reader']} is of "
                    f"{row['date']}; have it read again first"
                )


def _span(row: Row) -> Span:
    first = date.fromisoformat(row["date"])
    return Span(first, date.fromisoformat(row["last_date"]) if "last_date" in row else first)
