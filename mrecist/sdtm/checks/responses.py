"""What follows from the measurements: the choice of targets, sums, and the responses of RS under their RSCAT.

The measurements are read as ``assess`` reads them and compared as ``assess --compare`` does; its differences become findings. A read
whose records hold errors is left out: everything derived from it would only repeat them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from mrecist.checklist import CHECKS, CONTRADICTIONS
from mrecist.checks.run import check_table
from mrecist.model import SubjectDates
from mrecist.protocol import CriterionSetting, Protocol
from mrecist.sdtm import terms
from mrecist.sdtm.checks import arithmetic
from mrecist.sdtm.checks.datasets import Study, by_reader
from mrecist.sdtm.checks.rule import Rule, Said, error, note, warning
from mrecist.sdtm.checks.terminology import is_classification
from mrecist.sdtm.compare import NO, Row, compare, criteria_reported
from mrecist.sdtm.datasets import Dataset, Record, Sources
from mrecist.sdtm.read import SdtmRead, read_sdtm
from mrecist.sdtm.reported import reported_in, settings_of
from mrecist.sdtm.visits import day_of

_FOLLOWS = "docs/sdtm.md: the response that the measurements give under the criterion that RSCAT names"
COMPARED: tuple[Rule, ...] = (
    error(
        "read_not_understood",
        "a read whose records `mrecist assess` refuses",
        "docs/sdtm.md",
        "Correct the records; the read is compared then.",
    ),
    error("target_response_differs", "TRGRESP that does not follow from TR", _FOLLOWS, "Correct RS or TR."),
    error("non_target_response_differs", "NTRGRESP that does not follow from TR", _FOLLOWS, "Correct RS or TR."),
    error(
        "new_lesion_differs",
        "NEWLPROG or NEWLIND that does not follow from TU and TR",
        _FOLLOWS,
        "Correct RS, TU or TR.",
    ),
    error("overall_response_differs", "OVRLRESP that does not follow from TR", _FOLLOWS, "Correct RS or TR."),
    warning(
        "best_response_differs",
        "BESTRESP that does not follow from TR, confirmed or not; it depends on rules and dates that the protocol and subjects.csv hold",
        _FOLLOWS,
        "Give the study's --protocol and --subjects, or correct RS.",
    ),
    warning(
        "overall_response_missing",
        "a visit that was measured and has no OVRLRESP, of a reader who reports by that criterion",
        _FOLLOWS,
        "Add the overall response, or NOT DONE with the reason.",
    ),
    warning("response_at_baseline", "a response at baseline", _FOLLOWS, "Remove it: a baseline has no response."),
    warning(
        "response_without_results",
        "a response of a reader who has no results in TR for that subject",
        _FOLLOWS,
        "Correct the evaluator, or add the results.",
    ),
    note(
        "response_not_checked",
        "responses under an RSCAT that is not derived here",
        _FOLLOWS,
        "Nothing; the responses of that criterion are not compared.",
    ),
)
# Of the checks of `mrecist check`, those that need no more than TU and TR hold.
OF_MEASUREMENTS = (
    *(check.name for check in CONTRADICTIONS),
    *("not_measurable", "too_many_targets", "too_many_targets_per_organ", "normal_node"),
    *("viable_above_whole", "absurd_size", "below_one_pixel", "decimal_slip"),
)
MEASURED: tuple[Rule, ...] = tuple(
    Rule(
        name=check.name,
        severity=check.severity,
        looks_at=check.looks_at,
        source=check.source,
        what_to_do=check.what_to_do,
    )
    for check in (CHECKS[name] for name in OF_MEASUREMENTS)
)
_BY_TEST = {
    terms.TARGET: "target_response_differs",
    terms.NON_TARGET: "non_target_response_differs",
    terms.NEW_PROGRESSION: "new_lesion_differs",
    terms.NEW_INDICATOR: "new_lesion_differs",
    terms.OVERALL: "overall_response_differs",
    terms.BEST: "best_response_differs",
    **dict.fromkeys(terms.SUMS, "sum_not_parts"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What was said, of how many reads, and which reads were left out (subject, reader; reader empty = all)."""

    said: tuple[Said, ...]
    reads: int
    left_out: int


def derive(
    study: Study,
    doubtful: Iterable[tuple[str, str]],
    protocol: Protocol,
    criteria: Sequence[str],
    dates: SubjectDates,
) -> Derived:
    """Compare every read but the doubtful ones with what is reported of it."""
    left = set(doubtful)
    whole = len(by_reader(study.records("TR"), "TR"))
    readable = all(study.has(domain, *terms.REQUIRED[domain]) for domain in ("TU", "TR"))
    if not readable:
        return Derived(said=(), reads=0, left_out=whole)
    study = _without(study, left)
    read = read_sdtm(_sources(study), protocol.partial_date)
    responses = Dataset(domain="RS", paths=(), records=tuple(_responses(study)))
    settings = _settings(responses, protocol, criteria)
    said = [
        Said(
            rule="read_not_understood",
            domain="TR",
            message=problem.message,
            subject=problem.subject,
            reader=problem.reader,
        )
        for problem in read.measurements.problems
    ]
    refused = {(problem.subject, problem.reader) for problem in read.measurements.problems}
    said += _of_measurements(study, read, protocol, settings)
    said += _compared(read, responses, protocol, settings, dates, refused)
    said += [one for one in arithmetic.look(study, read) if one.record is not None]
    reads = len({(row.subject, row.reader) for row in read.measurements.rows} - refused)
    return Derived(said=tuple(said), reads=reads, left_out=whole - reads)


def _without(study: Study, left: set[tuple[str, str]]) -> Study:
    """The study without the records of these reads."""
    tables = dict(study.tables)
    for domain in ("TU", "TR", "RS"):
        if domain in tables:
            kept: list[Record] = []
            for (subject, reader), records in by_reader(tables[domain].records, domain).items():
                if subject and (subject, reader) not in left and (subject, "") not in left:
                    kept += records
            tables[domain] = replace(tables[domain], records=tuple(kept))
    return replace(study, tables=tables)


def _sources(study: Study) -> Sources:
    qualifiers = {name: _dataset(study, name) if name in study.tables else None for name in ("SUPPTU", "SUPPTR")}
    return Sources(
        tu=_dataset(study, "TU"), tr=_dataset(study, "TR"), supptu=qualifiers["SUPPTU"], supptr=qualifiers["SUPPTR"]
    )


def _dataset(study: Study, domain: str) -> Dataset:
    return Dataset(domain=domain, paths=(), records=study.records(domain))


def _responses(study: Study) -> Iterator[Record]:
    return (record for record in study.records("RS") if not is_classification(record))


def _settings(responses: Dataset, protocol: Protocol, criteria: Sequence[str]) -> tuple[CriterionSetting, ...]:
    """Those asked for; else those of the protocol and of this package that RSCAT names."""
    if criteria:
        return protocol.select(list(criteria))
    names = dict.fromkeys(record["RSCAT"] for record in responses.records)
    own = tuple(s for s in protocol.criteria if any(settings_of(name, (s,)) for name in names if name))
    return own + criteria_reported(responses, own, protocol)


# --- choice of targets, sizes ----------------------------------------------------------------------------------------


def _of_measurements(
    study: Study, read: SdtmRead, protocol: Protocol, settings: Sequence[CriterionSetting]
) -> Iterator[Said]:
    by = settings or (protocol.setting("recist11"),)
    wanted = set(OF_MEASUREMENTS)
    # Rows of a read that was not understood in parts would be taken for the whole read.
    refused = {(problem.subject, problem.reader) for problem in read.measurements.problems}
    rows = tuple(row for row in read.measurements.rows if (row.subject, row.reader) not in refused)
    usable = replace(read.measurements, rows=rows, problems=())
    found = [one for one in check_table(usable, protocol, by).findings if one.check in wanted]
    concerned = {one.subject for one in found}
    records: dict[tuple[str, str, str, int], Record] = {}
    for (subject, reader), own in by_reader(study.records("TR"), "TR").items():
        for record in own if subject in concerned else ():
            point = read.timelines[subject].of(record, "TR")
            if point is not None:
                records.setdefault((subject, reader, record["TRLNKID"], point.number), record)
    for one in found:
        link = one.lesion[0] if one.lesion else ""
        yield Said(
            rule=one.check,
            domain="TR",
            record=records.get((one.subject, one.reader, link, one.timepoint or 0)),
            variable="TRLNKID" if link else "",
            message=f"{one.reader}: {one.what}",
            subject=one.subject,
            reader=one.reader,
        )


# --- reported against derived ----------------------------------------------------------------------------------------

_Key = tuple[str, str, str, str, str]


def _compared(
    read: SdtmRead,
    responses: Dataset,
    protocol: Protocol,
    settings: Sequence[CriterionSetting],
    dates: SubjectDates,
    refused: set[tuple[str, str]],
) -> Iterator[Said]:
    found = compare(read, responses, protocol, settings, dates)
    records = _records(read, responses, settings)
    told: set[tuple[str, ...]] = set()
    for row in found.rows:
        rule = _rule(row, refused)
        if not rule:
            continue
        place = {"response_not_checked": (rule, row.rscat), "response_without_results": (rule, row.subject, row.reader)}
        key = place.get(rule)
        if key in told:
            continue
        if key is not None:
            told.add(key)
        domain = "TR" if row.test in terms.SUMS else "RS"
        yield Said(
            rule=rule,
            domain=domain,
            record=None if rule in ("response_not_checked", "overall_response_missing") else records.get(_key(row)),
            variable=f"{domain}STRESC",
            message=_words(row, rule),
            subject="" if rule == "response_not_checked" else row.subject,
            reader=row.reader,
        )


def _rule(row: Row, refused: set[tuple[str, str]]) -> str:
    """The rule that a row of the comparison breaks; empty when none."""
    if row.agrees == NO:
        return _BY_TEST[row.test]
    if row.agrees or row.test in terms.SUMS:
        return ""
    by_flag = {
        "NOT_REPORTED": "overall_response_missing",
        "BASELINE": "response_at_baseline",
        "NO_READ": "" if (row.subject, row.reader) in refused else "response_without_results",
        "OTHER_CRITERION": "response_not_checked",
    }
    return next((by_flag[flag] for flag in row.flags if flag in by_flag), "")


def _words(row: Row, rule: str) -> str:
    where = f"{row.reader}, {row.visit or 'no visit'}"
    if rule == "response_not_checked":
        return (
            f"RSCAT '{row.rscat}' is not derived here"
            if row.rscat
            else "RSCAT is empty; name the criterion with --criterion"
        )
    if rule == "response_without_results":
        return f"{row.reader}: {row.why}"
    if row.agrees != NO:
        return f"{where}: {row.test} {row.reported or 'nothing'}; {row.why}"
    by = f" by {row.criterion}" if row.criterion else ""
    return f"{where}: {row.test} is {row.reported or 'nothing'}, and TR gives {row.derived or 'nothing'}{by}. {row.why}"


def _key(row: Row) -> _Key:
    moment = "" if row.date is None or row.test in terms.SUMS else row.date.isoformat()
    return row.subject, row.reader, row.test, row.rscat, f"{row.visit}|{moment}"


def _records(read: SdtmRead, responses: Dataset, settings: Sequence[CriterionSetting]) -> dict[_Key, Record]:
    """The record that a row of the comparison is about."""
    found: dict[_Key, Record] = {}
    for one in read.sums:
        name = read.timelines[one.subject].points[one.timepoint].name
        found[one.subject, one.reader, one.test, "", f"{name}|"] = one.record
    only = settings[0].criterion.rscat[0] if len(settings) == 1 and settings[0].criterion.rscat else ""
    for given in reported_in(responses.records, only)[0]:
        record, time = given.record, read.timelines.get(given.subject)
        try:
            day = day_of(record, "RS", time.partial) if time is not None else None
        except ValueError:
            day = None
        moment = "" if day is None else day.isoformat()
        visit = record[terms.VISIT] or record[terms.VISITNUM]
        found[given.subject, given.reader, given.test, given.rscat, f"{visit}|{moment}"] = record
    return found
