"""Responses of a part of the body: the lesions of a region alone, by the same rules (docs/endpoints.md).

The engine sees the rows of the region's lesions at every visit of the read. Without disease there at baseline the targets and
non-targets are NA, and a new lesion is a progression of the region.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from mrecist.criteria._organs import organ_word
from mrecist.derivation import load_rules, rows_path
from mrecist.endpoints.course import Course, Visit, courses_of
from mrecist.endpoints.sources import Found, courses_of_reported, later_progression
from mrecist.errors import ReadError
from mrecist.model import BestResponse, Kind, Measurement, NewLesion, Response, SubjectDates, VisitResponse
from mrecist.protocol import Protocol
from mrecist.response.best import Assessment
from mrecist.response.derive import derive
from mrecist.response.read import Read
from mrecist.tables import read_measurements
from mrecist.trial import Trial
from mrecist.units import percent_change


def courses_of_regions(folder: Path | None, overall: Path | None, protocol: Protocol, trial: Trial) -> dict[str, Found]:
    """The courses of every region that an endpoint names, from a folder of results or from reported responses.

    Raises :class:`InputError` when there is nothing to take a region from.
    """
    asked = dict.fromkeys(endpoint.region for endpoint in protocol.endpoints if endpoint.region)
    if overall is not None:
        return {region: courses_of_reported(overall, protocol, trial, region) for region in asked}
    return {region: _of_rows(folder, region, protocol, trial) for region in asked if folder is not None}


def responses_of_region(folder: Path, region: str) -> tuple[VisitResponse, ...]:
    """The responses of a region at each visit, by the rules and the regions that the results in ``folder`` were derived with.

    A read that has a lesion whose region is not known has none.
    """
    then, settings, _ = load_rules(folder)
    read = read_measurements(rows_path(folder), then.partial_date)
    part = _Part(region, frozenset(organ_word(organ) for organ in then.intrahepatic))
    return derive(read.reads(), then, settings, None, part.of).responses


def _of_rows(folder: Path, region: str, protocol: Protocol, trial: Trial) -> Found:
    then, settings, _ = load_rules(folder)
    read = read_measurements(rows_path(folder), then.partial_date)
    part = _Part(region, frozenset(organ_word(organ) for organ in protocol.intrahepatic))
    found = derive(read.reads(), then, settings, _dates(then, trial), part.of)
    visits: dict[tuple[str, str, str], list[VisitResponse]] = {}
    for row in found.responses:
        visits.setdefault((row.subject, row.reader, row.criterion), []).append(row)
    courses = [_course(best, visits[best.subject, best.reader, best.criterion], part, protocol) for best in found.best]
    problems = tuple(replace(one, message=f"{one.message} ({region} responses)") for one in found.problems)
    return Found(courses_of(courses), problems)


def _dates(protocol: Protocol, trial: Trial) -> SubjectDates:
    """As `assess` took them from subjects.csv."""

    def of(column: str) -> dict[str, date]:
        return {name: one.dates[column] for name, one in trial.subjects.items() if column in one.dates}

    event, therapy = protocol.origin.event, "new_anticancer_therapy"
    return SubjectDates(
        origins=of(event) if event not in ("", "baseline") else None,
        new_therapy=of(therapy) if therapy in protocol.response.cut else None,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """Takes a region out of reads, and keeps which reads have disease there at baseline."""

    region: str
    intrahepatic: frozenset[str]
    diseased: dict[tuple[str, str], bool] = field(default_factory=dict)

    def of(self, read: Read) -> Read:
        """The region's lesions at every visit. Raises :class:`ReadError` for a lesion whose region is not known."""
        inside = {lesion for lesion, where in _places(read, self.intrahepatic).items() if where == self.region}
        rows = [{name: row for name, row in visit.rows.items() if name in inside} for visit in read.visits]
        self.diseased[read.subject, read.reader] = bool(rows[0])
        return replace(
            read,
            visits=tuple(replace(visit, rows=own) for visit, own in zip(read.visits, rows, strict=True)),
            targets=tuple(row for row in read.targets if row.lesion in inside),
            non_targets=tuple(row for row in read.non_targets if row.lesion in inside),
            fragments={whole: parts for whole, parts in read.fragments.items() if whole in inside},
            treated={lesion: one for lesion, one in read.treated.items() if lesion in inside},
        )


def _places(read: Read, intrahepatic: frozenset[str]) -> dict[str, str]:
    """Lesion -> region, by the organ or the station of its rows; a fragment without one is where its lesion is."""
    found: dict[str, set[str]] = {}
    wholes: dict[str, str] = {}
    for visit in read.visits:
        for row in visit.rows.values():
            found.setdefault(row.lesion, set()).update(_region_of(row, intrahepatic))
            if row.part_of:
                wholes.setdefault(row.lesion, row.part_of)
    for lesion, regions in found.items():
        source = lesion
        # build_read has refused parts that go in a circle.
        while not found[source] and wholes.get(source) in found:
            source = wholes[source]
        regions |= found[source]
        if wholes.get(lesion) in found:
            regions |= found[wholes[lesion]]
        if len(regions) != 1:
            what = "lies in both regions" if regions else "has no organ, so its region is not known"
            where = f"subject {read.subject}, reader {read.reader}"
            raise ReadError(f"{where}: lesion {lesion} {what}; give it one organ in all its rows")
    return {lesion: min(regions) for lesion, regions in found.items()}


def _region_of(row: Measurement, intrahepatic: frozenset[str]) -> set[str]:
    """The region that one row states; nothing where it states no place. A node without an organ is a lymph node."""
    organ = row.organ.strip() or ("lymph node" if row.kind is Kind.NODE else "")
    if not organ:
        return set()
    inside = {organ_word(organ), organ_word(row.station)} & intrahepatic
    return {"intrahepatic" if inside else "extrahepatic"}


def _course(best: BestResponse, rows: list[VisitResponse], part: _Part, protocol: Protocol) -> Course:
    baseline, *later = rows
    follow_ups = [row for row in later if row.overall is not None]
    diseased = part.diseased[best.subject, best.reader]
    return Course(
        subject=best.subject,
        reader=best.reader,
        criterion=best.criterion,
        baseline=baseline.date,
        visits=tuple(_visit(row, diseased) for row in follow_ups),
        first_response=best.first_response_date,
        confirmed_response=best.confirmed_response_date,
        progression=best.progression_date or later_progression([_assessment(row) for row in follow_ups], protocol),
        best_unconfirmed=best.best_unconfirmed,
        best_confirmed=best.best_confirmed,
        measurable=baseline.sum is not None,
        source=f"{part.region} lesions",
        diseased=diseased,
    )


def _visit(row: VisitResponse, diseased: bool) -> Visit:
    assert row.overall is not None
    sums = (row.sum, row.baseline_sum) if row.sum is not None and row.baseline_sum else None
    return Visit(
        date=row.date,
        overall=row.overall,
        timepoint=row.timepoint,
        percent=percent_change(*sums) if sums is not None else None,
        sums=sums,
        new_lesion=row.new_lesion is NewLesion.YES,
        clear=not diseased and row.overall is Response.NA,
    )


def _assessment(row: VisitResponse) -> Assessment:
    assert row.overall is not None
    return Assessment(
        date=row.date,
        overall=row.overall,
        timepoint=row.timepoint,
        disease_seen=any(flag.startswith("CR_THEN_WORSE:") for flag in row.flags),
        disregarded=any(flag.startswith("CONFIRMATION_EARLY:") for flag in row.flags),
    )
