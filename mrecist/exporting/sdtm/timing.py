"""Visits, study days and epochs: VISITNUM, VISIT, --DTC, --DY, EPOCH and --LOBXFL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from mrecist.errors import InputError
from mrecist.protocol import Protocol
from mrecist.tables import read_rows
from mrecist.trial import Procedure, Subject
from mrecist.units import parse_number

BASELINE = "BASELINE"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitName:
    """How the study calls a time point."""

    number: Decimal
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The days of a subject that others are counted from; None = not known.

    ``start`` is day 1 (RFSTDTC), ``exposure`` the first study treatment (RFXSTDTC), ``end`` what ends treatment.
    """

    start: date | None = None
    exposure: date | None = None
    end: date | None = None

    def study_day(self, day: date | None) -> int | None:
        """--DY: day 1 is the reference start, the day before it is -1."""
        if day is None or self.start is None:
            return None
        days = (day - self.start).days
        return days + 1 if days >= 0 else days

    def epoch(self, day: date | None) -> str:
        """EPOCH by the first treatment (day 1 where that is not known) and by what ends it; "" where neither is known."""
        begins = self.exposure or self.start
        if day is None or begins is None:
            return ""
        if day < begins:
            return "SCREENING"
        return "FOLLOW-UP" if self.end is not None and day > self.end else "TREATMENT"

    def before_exposure(self, day: date | None) -> bool:
        """Whether a baseline observation is the last one before treatment; it is where nothing says when that began."""
        return self.exposure is None or (day is not None and day <= self.exposure)


def reference_of(subject: Subject | None, procedures: Sequence[Procedure], protocol: Protocol) -> Reference:
    """The reference days of a subject by subjects.csv and procedures.csv.

    The first treatment is the earliest of ``first_dose``, ``first_procedure`` and, where the protocol names the procedure of its
    ``[origin]``, the first one of it. Day 1 is the protocol's origin event, else the first treatment, else randomisation or enrolment.
    """
    if subject is None:
        return Reference()
    dates = subject.dates
    named = [p.date for p in procedures if p.procedure == protocol.origin.procedure.upper()]
    treated = [dates[name] for name in ("first_dose", "first_procedure") if name in dates] + sorted(named)[:1]
    exposure = min(treated, default=None)
    event = protocol.origin.event
    origin = min(named) if event == "first_procedure" and named else dates.get(event)
    start = origin or exposure or dates.get("randomisation") or dates.get("enrolment")
    ends = [dates[name] for name in ("new_anticancer_therapy", "withdrawal", "death") if name in dates]
    return Reference(start=start, exposure=exposure, end=min(ends, default=None))


def read_visit_names(path: Path | None) -> dict[int, VisitName]:
    """``visits.csv``: time point -> its name; raises :class:`InputError`."""
    found: dict[int, VisitName] = {}
    for number, cells in read_rows(path, ("timepoint", "visit"))[1] if path is not None else ():
        where = f"{path}: line {number}"
        if not cells["timepoint"].isdecimal() or not cells["visit"]:
            raise InputError(f"{where}: has to have a time point (0 = baseline) and the name of its visit")
        timepoint = int(cells["timepoint"])
        if timepoint in found:
            raise InputError(f"{where}: time point {timepoint} is there twice; keep one")
        try:
            visitnum = parse_number(cells["visitnum"]) if cells.get("visitnum") else Decimal(timepoint + 1)
        except ValueError as error:
            raise InputError(f"{where}: visitnum {error}") from None
        found[timepoint] = VisitName(number=visitnum, name=cells["visit"].upper())
    _check_order(path, found)
    return found


def _check_order(path: Path | None, found: Mapping[int, VisitName]) -> None:
    in_order = [found[timepoint] for timepoint in sorted(found)]
    for one, other in pairwise(in_order):
        if one.number >= other.number:
            raise InputError(f"{path}: {other.name} comes after {one.name} and its visitnum does not; mend one of them")
    names = [one.name for one in in_order]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path}: two time points are called {twice[0]}; each visit has a name of its own")


def visit_of(timepoint: int, names: Mapping[int, VisitName]) -> VisitName:
    """What visits.csv says; without one BASELINE is visit 1 and time point n is visit n + 1.

    Raises :class:`InputError` for a time point that visits.csv does not name.
    """
    if names and timepoint not in names:
        raise InputError(f"visits.csv: time point {timepoint} has measurements and no name there; add it")
    unnamed = BASELINE if timepoint == 0 else f"TIME POINT {timepoint}"
    return names.get(timepoint) or VisitName(number=Decimal(timepoint + 1), name=unnamed)
