"""Which visits of a subject are which time points: 0 is the baseline, follow-ups are numbered by their dates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from mrecist.dates import PartialDate, parse_date
from mrecist.sdtm import terms
from mrecist.sdtm.datasets import Record
from mrecist.sdtm.faults import Faults
from mrecist.units import show

BY_TR = "baseline is the visit that TRLOBXFL or TRBLFL marks"
BY_TU = "baseline is the visit that TULOBXFL or TUBLFL marks"
BY_DATE = "baseline is the earliest visit, because no TRLOBXFL, TRBLFL or TULOBXFL is set"


def visit_key(record: Record) -> str:
    """What names the visit of a record: VISITNUM, else VISIT; empty when it has neither."""
    number = record[terms.VISITNUM]
    if not number:
        return record.term(terms.VISIT)
    try:
        return show(Decimal(number))
    except InvalidOperation:
        return terms.folded(number)


def day_of(record: Record, domain: str, partial: PartialDate) -> date | None:
    """The date of a record without its time of day, or None when it has none; raises ``ValueError`` with the reason."""
    text = record[f"{domain}DTC"]
    try:
        return parse_date(text.split("T")[0], partial) if text else None
    except ValueError as error:
        raise ValueError(f"{domain}DTC: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePoint:
    """A visit of a subject that is used: its number from the baseline on, how SDTM names it, its dates."""

    number: int
    keys: tuple[str, ...]
    name: str
    dates: tuple[date, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The time points of one subject, the same for all its readers."""

    points: tuple[TimePoint, ...]
    partial: PartialDate
    # Baseline rows are only those that are marked, because several visits hold them.
    only_marked: bool = False
    _by_key: dict[str, TimePoint] = field(default_factory=dict)
    # TRLNKGRP, which RSLNKGRP names, -> its time points.
    _by_group: dict[str, set[int]] = field(default_factory=dict)

    def of(self, record: Record, domain: str) -> TimePoint | None:
        """The time point of a record by its visit, else by its date; None when it has none here."""
        key = visit_key(record)
        if key:
            return self._by_key.get(key)
        return self.on(day_of(record, domain, self.partial))

    def of_response(self, record: Record, day: date | None) -> tuple[TimePoint | None, str]:
        """The time point of an RS record: by its visit, else RSLNKGRP, else its date; and a flag when not by the visit."""
        named = self._by_key.get(visit_key(record)) or self._called(record.term(terms.VISIT))
        if named is not None:
            return named, ""
        linked = self._by_group.get(record["RSLNKGRP"], set())
        if record["RSLNKGRP"] and len(linked) == 1:
            return self.points[min(linked)], "MATCHED_BY_GROUP"
        found = self.on(day)
        return found, "MATCHED_BY_DATE" if found is not None and visit_key(record) else ""

    def _called(self, name: str) -> TimePoint | None:
        same = [point for point in self.points if name and terms.folded(point.name) == name]
        return same[0] if len(same) == 1 else None

    def on(self, day: date | None) -> TimePoint | None:
        """The time point that has this date."""
        return next((point for point in self.points if day in point.dates), None)


@dataclass(slots=True)
class _Seen:
    name: str = ""
    dates: set[date] = field(default_factory=set)
    marked: bool = False


def marked(record: Record, domain: str) -> bool:
    """Whether the record is flagged as the last observation before treatment, or as baseline."""
    return "Y" in (record.term(f"{domain}LOBXFL"), record.term(f"{domain}BLFL"))


def timeline(
    subject: str, results: Iterable[Record], identified: Iterable[Record], partial: PartialDate, faults: Faults
) -> Timeline:
    """The time points of one subject from its TR records, and from the TU records of its new lesions."""
    results, identified = list(results), list(identified)
    seen: dict[str, _Seen] = {}
    for record in results:
        _see(seen, record, "TR", partial, mark=marked(record, "TR"))
    for record in identified:
        if terms.ROLES.get(record.term("TUSTRESC") or record.term("TUORRES")) == "new":
            _see(seen, record, "TU", partial, mark=False)
    dated = {key: visit for key, visit in seen.items() if visit.dates}
    ordered = sorted(dated, key=lambda key: (min(dated[key].dates), max(dated[key].dates), key))
    baseline, how = _baseline(ordered, dated, identified)
    if not baseline:
        return Timeline(points=(), partial=partial)
    faults.note(how, subject)
    first = min(day for key in baseline for day in dated[key].dates)
    before = [key for key in ordered if key not in baseline and min(dated[key].dates) <= first]
    if before:
        names = ", ".join(dated[key].name for key in before)
        faults.note(f"visits before the baseline are not used: {names}", subject)
    groups = [tuple(baseline), *((key,) for key in ordered if key not in baseline and key not in before)]
    points = tuple(
        TimePoint(
            number=number,
            keys=keys,
            name=" + ".join(dated[key].name for key in keys),
            dates=tuple(sorted({day for key in keys for day in dated[key].dates})),
        )
        for number, keys in enumerate(groups)
    )
    by_key = {key: point for point in points for key in point.keys}
    by_group: dict[str, set[int]] = {}
    for record in results:
        point = by_key.get(visit_key(record))
        if point is not None and record["TRLNKGRP"]:
            by_group.setdefault(record["TRLNKGRP"], set()).add(point.number)
    return Timeline(points=points, partial=partial, only_marked=len(baseline) > 1, _by_key=by_key, _by_group=by_group)


def _see(seen: dict[str, _Seen], record: Record, domain: str, partial: PartialDate, *, mark: bool) -> None:
    try:
        day = day_of(record, domain, partial)
    except ValueError:
        day = None  # told where the record itself is read
    key = visit_key(record) or (day.isoformat() if day else "")
    if not key:
        return
    visit = seen.setdefault(key, _Seen())
    visit.name = visit.name or record[terms.VISIT] or key
    visit.marked = visit.marked or mark
    if day is not None:
        visit.dates.add(day)


def _baseline(ordered: list[str], dated: dict[str, _Seen], identified: list[Record]) -> tuple[list[str], str]:
    by_results = [key for key in ordered if dated[key].marked]
    if by_results:
        return by_results, BY_TR
    keys = {visit_key(record) for record in identified if marked(record, "TU")}
    by_lesions = [key for key in ordered if key in keys]
    if by_lesions:
        return by_lesions[:1], BY_TU
    return ordered[:1], BY_DATE
