"""TU and TR to measurements: subject by subject, every read that cannot be understood named and left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from mrecist.dates import PartialDate
from mrecist.model import Measurement, Role, State
from mrecist.sdtm import terms, values
from mrecist.sdtm.datasets import Record, Sources
from mrecist.sdtm.faults import Faults
from mrecist.sdtm.lesions import Lesion, Lesions, lesions_of
from mrecist.sdtm.results import Gathered, NotSeenError, Place, gathered, measurement
from mrecist.sdtm.supplements import with_qualifiers
from mrecist.sdtm.visits import Timeline, day_of, marked, timeline, visit_key
from mrecist.tables import Measurements

_IGNORED = "TR tests that are not used: "


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedSum:
    """A sum of sizes as TR reports it; ``value`` is None when it was not done."""

    subject: str
    reader: str
    timepoint: int
    test: str
    value: Decimal | None
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class SdtmRead:
    """What TU and TR hold: the rows and problems, the reported sums, the time points of each subject, and notes."""

    measurements: Measurements
    sums: tuple[ReportedSum, ...]
    timelines: Mapping[str, Timeline]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Subject:
    """One subject while it is read."""

    name: str
    time: Timeline
    lesions: Lesions
    faults: Faults
    rows: list[Measurement] = field(default_factory=list)
    sums: list[ReportedSum] = field(default_factory=list)


Group = tuple[str, str, int]  # reader, link id, time point


def reader_in(record: Record, domain: str) -> str:
    """The reader of a record."""
    return terms.reader_of(record.term(f"{domain}EVAL"), record.term(f"{domain}EVALID"))


def read_sdtm(sources: Sources, partial: PartialDate = PartialDate.REFUSE) -> SdtmRead:
    """Turn TU and TR into measurements (docs/sdtm.md); ``partial`` is the protocol's rule for dates without a day."""
    faults = Faults()
    identified = _by_subject(with_qualifiers(sources.tu, sources.supptu).records)
    results = _by_subject(with_qualifiers(sources.tr, sources.supptr).records)
    rows: list[Measurement] = []
    sums: list[ReportedSum] = []
    timelines: dict[str, Timeline] = {}
    for subject in sorted({*identified, *results}):
        one = _read_subject(subject, identified.get(subject, []), results.get(subject, []), partial, faults)
        rows += sorted(one.rows, key=lambda r: (r.reader, r.timepoint, r.lesion))
        sums += one.sums
        timelines[subject] = one.time
    notes = (*sources.tu.notes, *sources.tr.notes, *faults.notes())
    return SdtmRead(
        measurements=Measurements(rows=tuple(rows), problems=faults.problems()),
        sums=tuple(sums),
        timelines=timelines,
        notes=notes,
    )


def _by_subject(records: Iterable[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record[terms.SUBJECT], []).append(record)
    return found


def _read_subject(
    subject: str, identified: Sequence[Record], results: Sequence[Record], partial: PartialDate, faults: Faults
) -> _Subject:
    readers = dict.fromkeys(reader_in(record, "TR") for record in results)
    if not subject:
        faults.problem("", "", (*identified, *results)[0].where, "USUBJID is empty; every record names its subject")
    elif not results:
        faults.problem(subject, "", identified[0].where, "is in TU and has no TR records, so nothing was measured")
    one = _Subject(
        name=subject,
        time=timeline(subject, results, identified, partial, faults),
        lesions=lesions_of(subject, identified, readers or [""], faults),
        faults=faults,
    )
    if not subject:
        return one
    for (reader, link, number), records in _groups(one, results).items():
        try:
            one.rows += _rows(one, reader, link, number, records)
        except NotSeenError:
            text = "a new lesion that was NOT DONE at a visit has no row there and keeps its last state"
            faults.note(text, subject)
        except ValueError as error:
            faults.problem(subject, reader, f"{records[0].where}, visit {_visit(records[0])}", str(error))
    _new_without_results(one, identified)
    return one


def _visit(record: Record) -> str:
    return record[terms.VISIT] or record[terms.VISITNUM] or record["TRDTC"] or record["TUDTC"] or "?"


def _groups(one: _Subject, results: Sequence[Record]) -> dict[Group, list[Record]]:
    """The records of each lesion at each time point by each reader; sums and visits not done are taken out."""
    groups: dict[Group, list[Record]] = {}
    unused: dict[str, None] = {}
    for record in results:
        reader, test = reader_in(record, "TR"), record.term("TRTESTCD")
        try:
            number = _number_of(one.time, record)
            if number is None:
                if one.time.of(record, "TR") is not None:
                    text = "baseline is marked in several visits; what is not marked in them is not used"
                    one.faults.note(text, one.name)
                continue
            if test in terms.SUMS:
                _take_sum(one, reader, number, record)
            elif record["TRLNKID"]:
                groups.setdefault((reader, record["TRLNKID"], number), []).append(record)
            elif test in terms.UNIT_OF or test in terms.LESION_STATES:
                raise ValueError(f"{test} has no TRLNKID, so its lesion is not known; add it")
            elif test not in terms.CHANGES:
                unused[test or "(empty)"] = None
        except ValueError as error:
            one.faults.problem(one.name, reader, record.where, str(error))
    if unused:
        one.faults.note(_IGNORED + ", ".join(unused), one.name)
    return groups


def _number_of(time: Timeline, record: Record) -> int | None:
    """The time point of a TR record, None before the baseline; raises ``ValueError`` when it has no date or visit."""
    point = time.of(record, "TR")
    if point is None:
        day = day_of(record, "TR", time.partial)
        if day is None and not visit_key(record):
            raise ValueError("has neither a visit nor TRDTC; give one")
        if day is None:
            raise ValueError(f"visit {_visit(record)} has no date in any record; give TRDTC")
        return None
    if point.number == 0 and time.only_marked and not marked(record, "TR"):
        return None
    return point.number


def _take_sum(one: _Subject, reader: str, number: int, record: Record) -> None:
    test = record.term("TRTESTCD")
    result = values.result_of(record, test)
    one.sums.append(
        ReportedSum(subject=one.name, reader=reader, timepoint=number, test=test, value=result.value, record=record)
    )


def _rows(one: _Subject, reader: str, link: str, number: int, records: list[Record]) -> list[Measurement]:
    """The row of a lesion at a time point, and those of the lesions that have merged into it."""
    day = _day(one, number, records)
    place = Place(subject=one.name, reader=reader, timepoint=number, date=day)
    joined = one.lesions.joined(reader, link)
    lesion = one.lesions.get(reader, joined[0]) if joined else one.lesions.of(reader, records[0])
    assert lesion is not None
    found = gathered(records, lesion.kind)
    if found.unknown:
        one.faults.note(_IGNORED + ", ".join(dict.fromkeys(found.unknown)), one.name)
    for note in found.notes:
        one.faults.note(note, one.name)
    _tell_words(one, lesion, found)
    carriers = [c for c in one.lesions.carriers(reader, link) if c in _links_at(one, reader, number)]
    rows = [measurement(place, lesion, found, records, carriers[0] if carriers else _any_carrier(one, reader, link))]
    for part in joined[1:]:
        other = one.lesions.get(reader, part)
        assert other is not None
        merged = Gathered(state=terms.MERGED[0])
        rows.append(measurement(place, other, merged, [], lesion.id))
    if joined:
        text = f"the mass {link} is recorded on {joined[0]}; the others are merged into it"
        one.faults.note(text, one.name)
    return rows


def _any_carrier(one: _Subject, reader: str, link: str) -> str:
    return next(iter(one.lesions.carriers(reader, link)), "")


def _links_at(one: _Subject, reader: str, number: int) -> set[str]:
    return {
        row.lesion
        for row in one.rows
        if row.reader == reader and row.timepoint == number and row.state is not State.MERGED
    }


def _tell_words(one: _Subject, lesion: Lesion, found: Gathered) -> None:
    """States whose meaning for the role is a reading of ours."""
    if lesion.role is Role.NON_TARGET and found.state in ("UNEQUIVOCAL", "EQUIVOCAL"):
        meant = "unequivocal progression" if found.state == "UNEQUIVOCAL" else "present"
        one.faults.note(f"a non-target whose state is {found.state} is read as {meant}", one.name)
    if lesion.role is Role.NEW and found.state == "PRESENT":
        one.faults.note("a new lesion whose state is PRESENT is read as unequivocal", one.name)


def _day(one: _Subject, number: int, records: Sequence[Record]) -> date:
    """The date of the records; without one, the only date of that time point."""
    days = sorted({day for record in records if (day := day_of(record, "TR", one.time.partial)) is not None})
    if len(days) == 1:
        return days[0]
    if len(days) > 1:
        raise ValueError(f"{records[0]['TRLNKID']} is dated {days[0]} and {days[-1]} at one visit; give one date")
    dates = one.time.points[number].dates
    if len(dates) == 1:
        one.faults.note("records without TRDTC have the date of their visit", one.name)
        return dates[0]
    raise ValueError(f"TRDTC is empty and the visit has {len(dates)} dates; give it")


def _new_without_results(one: _Subject, identified: Sequence[Record]) -> None:
    """A new lesion that TU identifies and TR never measures is there all the same."""
    measured = {(row.reader, row.lesion) for row in one.rows}
    failed = one.faults.failed(one.name)
    for record in identified:
        role = terms.ROLES.get(record.term("TUSTRESC") or record.term("TUORRES"))
        reader, link = reader_in(record, "TU"), record["TULNKID"]
        if role is not Role.NEW or (reader, link) in measured or reader in failed:
            continue
        try:
            point = one.time.of(record, "TU")
            day = day_of(record, "TU", one.time.partial)
            lesion = one.lesions.get(reader, link)
            if point is None or lesion is None:
                raise ValueError(f"new lesion {link} has no TR record and no visit or date that TR knows; give TUDTC")
            when = day or point.dates[-1]
            place = Place(subject=one.name, reader=reader, timepoint=point.number, date=when)
            one.rows.append(measurement(place, lesion, Gathered(state="UNEQUIVOCAL"), [], ""))
            text = "new lesions that are in TU and never in TR are unequivocal at the visit of TU"
            one.faults.note(text, one.name)
            measured.add((reader, link))
        except ValueError as error:
            one.faults.problem(one.name, reader, record.where, str(error))
