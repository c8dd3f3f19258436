"""Reported responses (RS) and sums (TR) against what the reported measurements give, with the reason for each difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from mrecist.criteria import CRITERIA
from mrecist.criteria._overall import overall_response
from mrecist.errors import ProtocolError, ReadError
from mrecist.model import BestResponse, Measurement, NewLesion, Response, SubjectDates, VisitResponse
from mrecist.protocol import CriterionSetting, Protocol, ResponseRules
from mrecist.response.best import Assessment, best_response
from mrecist.response.derive import best_of_visits, last_day
from mrecist.response.options import assess_subject
from mrecist.sdtm import terms
from mrecist.sdtm.causes import Case, Cause, explaining, in_words
from mrecist.sdtm.datasets import Dataset
from mrecist.sdtm.read import ReportedSum, SdtmRead
from mrecist.sdtm.reported import NEW_LESION_TESTS, Reported, agree, reported_in, same, settings_of
from mrecist.sdtm.visits import Timeline, TimePoint, day_of, visit_key
from mrecist.units import show

COMPARISON_COLUMNS = (
    *("subject", "reader", "criterion", "rscat", "visit", "timepoint", "date", "test", "reported", "derived"),
    *("agrees", "why", "flags"),
)
YES, NO, NOT_COMPARED = "yes", "no", ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of ``comparison.csv``; ``agrees`` is ``yes``, ``no``, or empty when there was nothing to compare."""

    subject: str
    reader: str
    criterion: str
    rscat: str
    visit: str
    timepoint: int | None
    date: date | None
    test: str
    reported: str
    derived: str
    agrees: str
    why: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All rows, and what of RS was passed over."""

    rows: tuple[Row, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Reads:
    """The reads with their derived responses by criterion, each derived once."""

    rows: Mapping[tuple[str, str], Sequence[Measurement]]
    rules: ResponseRules
    dates: SubjectDates
    _done: dict[tuple[str, str, str], tuple[VisitResponse, ...]] = field(default_factory=dict)

    def responses(self, subject: str, reader: str, setting: CriterionSetting) -> tuple[VisitResponse, ...]:
        """Time-point responses of a read, baseline first; empty when it has none."""
        key = (subject, reader, setting.name)
        if key not in self._done:
            try:
                rows = self.rows.get((subject, reader), ())
                self._done[key] = assess_subject(rows, setting, self.rules) if rows else ()
            except ReadError:
                self._done[key] = ()
        return self._done[key]

    def at(self, subject: str, reader: str, setting: CriterionSetting, timepoint: int) -> VisitResponse | None:
        """The response of one time point."""
        responses = self.responses(subject, reader, setting)
        return next((r for r in responses if r.timepoint == timepoint), None)

    def case(self, subject: str, reader: str, setting: CriterionSetting, timepoint: int) -> Case:
        """The read as it is derived again with variations."""
        rows = tuple(self.rows[subject, reader])
        return Case(rows=rows, setting=setting, rules=self.rules, timepoint=timepoint)


def criteria_reported(
    records: Dataset, settings: Sequence[CriterionSetting], protocol: Protocol
) -> tuple[CriterionSetting, ...]:
    """The criteria that RS reports by its RSCAT and that ``settings`` do not hold; those of another disease are left out."""
    found: dict[str, CriterionSetting] = {}
    for rscat in dict.fromkeys(record["RSCAT"] for record in records.records):
        for name, criterion in CRITERIA.items():
            reports = any(terms.same_category(rscat, known) for known in criterion.rscat)
            if reports and not settings_of(rscat, settings):
                with suppress(ProtocolError):
                    found[name] = protocol.setting(name)
    return tuple(found.values())


def compare(
    read: SdtmRead,
    records: Dataset,
    protocol: Protocol,
    settings: Sequence[CriterionSetting],
    dates: SubjectDates | None = None,
) -> Comparison:
    """Compare every reported response and sum with what the measurements of the same reader give.

    RS records without RSCAT are taken under the criterion of ``settings`` when there is only one.
    """
    only = settings[0].rscats[0] if len(settings) == 1 and settings[0].rscats else ""
    reported, others = reported_in(records.records, only)
    reads = _Reads(rows=read.measurements.reads(), rules=protocol.response, dates=dates or SubjectDates())
    by_read: dict[tuple[str, str, str], list[Reported]] = {}
    for one in reported:
        by_read.setdefault((one.subject, one.reader, one.rscat), []).append(one)
    rows: list[Row] = []
    for of_read in by_read.values():
        for one in of_read:
            rows += _rows_of(one, of_read, read.timelines, reads, settings)
    rows += _not_reported(reported, read.timelines, reads, settings)
    rows += [_sum_row(one, read.timelines, reads, settings) for one in read.sums]
    rows.sort(key=lambda r: (r.subject, r.reader, r.criterion, -1 if r.timepoint is None else r.timepoint, r.test))
    notes = [*records.notes]
    if only and any(not record["RSCAT"] for record in records.records):
        notes.append(f"RS records without RSCAT are compared under {settings[0].name}, the only criterion asked for")
    if others:
        told = ", ".join(f"{test or '(empty)'} ({count})" for test, count in sorted(others.items()))
        notes.append(f"RS tests that are not compared: {told}")
    return Comparison(rows=tuple(rows), notes=tuple(notes))


# --- responses -------------------------------------------------------------------------------------------------------


def _rows_of(
    one: Reported,
    of_read: Sequence[Reported],
    timelines: Mapping[str, Timeline],
    reads: _Reads,
    settings: Sequence[CriterionSetting],
) -> list[Row]:
    time = timelines.get(one.subject)
    place = _place(one, time)
    blank = _blank(one, place)
    found = settings_of(one.rscat, settings)
    if not found:
        why = f"RSCAT is '{one.rscat}', which is no criterion that is derived here"
        if not one.rscat:
            why = "RSCAT is empty; name the criterion with --criterion"
        return [replace(blank, why=why, flags=(*blank.flags, "OTHER_CRITERION"))]
    rows = []
    for setting in found:
        row = replace(blank, criterion=setting.name)
        if place.fault or one.fault:
            rows.append(replace(row, why=place.fault or one.fault, flags=(*row.flags, "NOT_UNDERSTOOD")))
        elif not reads.responses(one.subject, one.reader, setting):
            others = ", ".join(reader for subject, reader in reads.rows if subject == one.subject)
            why = f"no usable measurements of reader {one.reader} for this subject; TR has {others or 'none'}"
            rows.append(replace(row, why=why, flags=(*row.flags, "NO_READ")))
        elif one.test == terms.BEST:
            rows.append(_best_row(row, one, of_read, time, reads, setting))
        else:
            rows.append(_visit_row(row, one, place.point, of_read, timelines, reads, setting))
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where an RS record belongs: its time point and date, what is wrong with its date, and how it was matched."""

    point: TimePoint | None = None
    day: date | None = None
    fault: str = ""
    flag: str = ""


def _place(one: Reported, time: Timeline | None) -> _Place:
    if time is None:
        return _Place()
    day = None
    try:
        day = day_of(one.record, "RS", time.partial)
    except ValueError as error:
        if not visit_key(one.record):
            return _Place(fault=str(error))
    if one.test == terms.BEST:
        return _Place(day=day)
    point, flag = time.of_response(one.record, day)
    return _Place(point=point, day=day, flag=flag)


def _blank(one: Reported, place: _Place) -> Row:
    point, day = place.point, place.day
    flags = (*one.flags, place.flag) if place.flag else one.flags
    if point is not None and day is not None and day not in point.dates:
        flags = (*flags, f"DATE_DIFFERS:{'+'.join(str(d) for d in point.dates)}")
    return Row(
        subject=one.subject,
        reader=one.reader,
        criterion="",
        rscat=one.rscat,
        visit=one.record[terms.VISIT] or one.record[terms.VISITNUM],
        timepoint=None if point is None else point.number,
        date=day,
        test=one.test,
        reported=one.text,
        derived="",
        agrees=NOT_COMPARED,
        why="",
        flags=flags,
    )


def value_of(response: VisitResponse, test: str) -> Response | NewLesion | Decimal | None:
    """What a derived response says to a test of RS or to a sum of TR."""
    if test in NEW_LESION_TESTS:
        return response.new_lesion
    if test in terms.SUMS:
        return response.sum
    return {terms.OVERALL: response.overall, terms.TARGET: response.target, terms.NON_TARGET: response.non_target}[test]


def _visit_row(
    row: Row,
    one: Reported,
    point: TimePoint | None,
    of_read: Sequence[Reported],
    timelines: Mapping[str, Timeline],
    reads: _Reads,
    setting: CriterionSetting,
) -> Row:
    response = None if point is None else reads.at(one.subject, one.reader, setting, point.number)
    if point is None or response is None:
        return _without_measurements(row, one)
    if point.number == 0:
        return replace(row, why="the baseline has no response", flags=(*row.flags, "BASELINE"))
    derived = value_of(response, one.test)
    shown = terms.NEW_LESION_WORDS[derived] if isinstance(derived, NewLesion) else str(derived)
    row = replace(row, derived=shown)
    if agree(one, derived):
        return replace(row, agrees=YES, why=response.reason)
    case = reads.case(one.subject, one.reader, setting, point.number)
    known = explaining(case, lambda varied: same(one, value_of(varied, one.test)))
    codes = (
        *_seen(one, response, of_read, timelines, reads, setting),
        *(cause.code for cause in known),
    )
    return _differs(row, codes, known, response.reason)


def _without_measurements(row: Row, one: Reported) -> Row:
    why = "no measurement of this reader at this visit"
    flags = (*row.flags, "NO_MEASUREMENTS")
    if one.nothing or one.value in (Response.NE, NewLesion.NO):
        return replace(row, agrees=YES, why=why, flags=flags)
    return replace(row, agrees=NO, why=f"{why}, so nothing follows from the measurements", flags=flags)


def _differs(row: Row, codes: Sequence[str], known: Sequence[Cause], reason: str) -> Row:
    codes = tuple(dict.fromkeys(codes))
    explained = f"Possible cause: {in_words(codes, known)}. " if codes else ""
    words = f"{explained}Derived: {reason}"
    return replace(row, agrees=NO, why=words, flags=(*row.flags, *(f"CAUSE:{code}" for code in codes)))


def _seen(
    one: Reported,
    response: VisitResponse,
    of_read: Sequence[Reported],
    timelines: Mapping[str, Timeline],
    reads: _Reads,
    setting: CriterionSetting,
) -> Iterator[str]:
    """Causes that need no other derivation."""
    derived = value_of(response, one.test)
    if one.value is Response.SD and derived is Response.NON_CR_NON_PD:
        yield "SD_FOR_NON_CR_NON_PD"
    if one.value is Response.NON_CR_NON_PD and derived is Response.SD:
        yield "NON_CR_NON_PD_FOR_SD"
    if one.test != terms.OVERALL:
        return
    if one.value is not None and _from_parts(response.timepoint, of_read, timelines, setting) is one.value:
        yield "REPORTED_PARTS"
    earlier = [r for r in reads.responses(one.subject, one.reader, setting) if r.timepoint < response.timepoint]
    if one.value is Response.PD and any(r.overall is Response.PD for r in earlier):
        yield "PD_KEPT"


def _from_parts(
    timepoint: int,
    of_read: Sequence[Reported],
    timelines: Mapping[str, Timeline],
    setting: CriterionSetting,
) -> Response | None:
    """The overall response that the reported parts of the same time point give; None without a reported target part."""
    if setting.criterion.confirms_progression:
        return None
    parts: dict[str, Reported] = {}
    for other in of_read:
        if other.test != terms.OVERALL:
            point = _place(other, timelines.get(other.subject)).point
            if point is not None and point.number == timepoint:
                parts[other.test] = other
    if terms.TARGET not in parts and terms.NON_TARGET not in parts:
        return None
    target, non_target = (_part(parts.get(name)) for name in (terms.TARGET, terms.NON_TARGET))
    if target is None or non_target is None:
        return None
    new = any(parts[test].value is NewLesion.YES for test in NEW_LESION_TESTS if test in parts)
    overall, _ = overall_response(
        setting.criterion.overall, setting.thresholds, target=target, non_target=non_target, new_lesion=new
    )
    return overall


def _part(part: Reported | None) -> Response | None:
    if part is None:
        return Response.NA
    if part.nothing:
        return Response.NE
    plain = (Response.CR, Response.PR, Response.SD, Response.NON_CR_NON_PD, Response.PD, Response.NE, Response.NA)
    return part.value if isinstance(part.value, Response) and part.value in plain else None


# --- best response ---------------------------------------------------------------------------------------------------


def _best_row(
    row: Row,
    one: Reported,
    of_read: Sequence[Reported],
    time: Timeline | None,
    reads: _Reads,
    setting: CriterionSetting,
) -> Row:
    """Either best response may be the reported one; ``why`` says which it is."""
    visits = reads.responses(one.subject, one.reader, setting)
    best = best_of_visits(visits, reads.rules, reads.dates)
    row = replace(row, derived=_both(best))
    for name, value in (("unconfirmed", best.best_unconfirmed), ("confirmed", best.best_confirmed)):
        if agree(one, value):
            which = "both" if best.best_unconfirmed is best.best_confirmed else f"the {name} one"
            return replace(row, agrees=YES, why=f"agrees with {which}: {best.reason}")
    codes = []
    follow = _best_of_reported(one, of_read, time, visits, reads)
    if follow is not None and one.value in (follow.best_unconfirmed, follow.best_confirmed):
        codes.append("REPORTED_OVERALL")
    for code, rules in (
        ("NO_MINIMUM_OF_SD", replace(reads.rules, sd_min_days=0)),
        ("AFTER_PROGRESSION", replace(reads.rules, cut=tuple(c for c in reads.rules.cut if c != "first_pd"))),
    ):
        other = best_of_visits(visits, rules, reads.dates)
        if one.value in (other.best_unconfirmed, other.best_confirmed):
            codes.append(code)
    return _differs(row, codes, (), best.reason)


def _both(best: BestResponse) -> str:
    if best.best_unconfirmed is best.best_confirmed:
        return str(best.best_unconfirmed)
    return f"{best.best_unconfirmed} (confirmed {best.best_confirmed})"


def _best_of_reported(
    one: Reported,
    of_read: Sequence[Reported],
    time: Timeline | None,
    visits: tuple[VisitResponse, ...],
    reads: _Reads,
) -> BestResponse | None:
    """The best response of the reported overall responses, from their own dates."""
    given: dict[date, Response] = {}
    for other in of_read:
        if other.test == terms.OVERALL and isinstance(other.value, Response):
            place = _place(other, time)
            when = place.day or (None if place.point is None else place.point.dates[-1])
            if when is not None and when > visits[0].date:
                given[when] = other.value
    if not given:
        return None
    origins = reads.dates.origins or {}
    until, flags = last_day(one.subject, reads.rules, reads.dates, visits[0].date)
    return best_response(
        [Assessment(date=day, overall=overall) for day, overall in sorted(given.items())],
        start=origins.get(one.subject, visits[0].date),
        rules=reads.rules,
        subject=one.subject,
        reader=one.reader,
        criterion=visits[0].criterion,
        until=until,
        flags=flags,
    )


# --- what is missing in RS -------------------------------------------------------------------------------------------


def _not_reported(
    reported: Sequence[Reported],
    timelines: Mapping[str, Timeline],
    reads: _Reads,
    settings: Sequence[CriterionSetting],
) -> Iterator[Row]:
    """Time points that were measured and have no reported overall response, for readers who report under that criterion."""
    given: dict[tuple[str, str, str], set[int]] = {}
    for one in reported:
        if one.test == terms.OVERALL:
            point = _place(one, timelines.get(one.subject)).point
            places = given.setdefault((one.subject, one.reader, one.rscat), set())
            if point is not None:
                places.add(point.number)
    for (subject, reader, rscat), places in given.items():
        for setting in settings_of(rscat, settings):
            for response in reads.responses(subject, reader, setting)[1:]:
                if response.timepoint not in places:
                    yield Row(
                        subject=subject,
                        reader=reader,
                        criterion=setting.name,
                        rscat=rscat,
                        visit=timelines[subject].points[response.timepoint].name,
                        timepoint=response.timepoint,
                        date=response.date,
                        test=terms.OVERALL,
                        reported="",
                        derived=str(response.overall),
                        agrees=NOT_COMPARED,
                        why=f"RS has no {terms.OVERALL} for this visit. Derived: {response.reason}",
                        flags=("NOT_REPORTED",),
                    )


# --- sums ------------------------------------------------------------------------------------------------------------


def _sum_row(
    one: ReportedSum, timelines: Mapping[str, Timeline], reads: _Reads, settings: Sequence[CriterionSetting]
) -> Row:
    """A reported sum against the sum of its parts."""
    name = terms.SUMS[one.test]
    setting = next((s for s in settings if s.criterion.name == name), None)
    if setting is None:
        setting = CriterionSetting(name=name, criterion=CRITERIA[name], thresholds=CRITERIA[name].thresholds)
    point = timelines[one.subject].points[one.timepoint]
    row = Row(
        subject=one.subject,
        reader=one.reader,
        criterion=setting.name,
        rscat="",
        visit=point.name,
        timepoint=one.timepoint,
        date=point.dates[-1],
        test=one.test,
        reported=terms.NOT_DONE if one.value is None else show(one.value),
        derived="",
        agrees=NOT_COMPARED,
        why="",
    )
    rows = reads.rows.get((one.subject, one.reader), ())
    response = reads.at(one.subject, one.reader, setting, one.timepoint)
    if response is None:
        why = f"no usable measurements of reader {one.reader} at this visit"
        return replace(row, why=why, flags=("NO_READ",))
    if one.test == "SUMLDIAM" and any(r.role == "target" and r.kind == "node" for r in rows):
        why = "a sum of longest diameters, and this read has nodes, which are added by their short axis"
        return replace(row, why=why, flags=("OTHER_CRITERION",))
    row = replace(row, derived=show(response.sum))
    if one.value == response.sum:
        return replace(row, agrees=YES, why=response.reason)
    case = reads.case(one.subject, one.reader, setting, one.timepoint)
    causes = explaining(case, _sums_to(one))
    return _differs(row, [cause.code for cause in causes], causes, response.reason)


def _sums_to(one: ReportedSum) -> Callable[[VisitResponse], bool]:
    return lambda varied: one.value is not None and varied.sum == one.value
