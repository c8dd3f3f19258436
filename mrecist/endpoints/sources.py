"""Courses out of what `assess` or `score` wrote, or out of responses that were reported elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from mrecist.dates import parse_date
from mrecist.derivation import other_rules, problems_told, rows_path
from mrecist.endpoints.clock import cutoff_of
from mrecist.endpoints.course import Course, Courses, Visit, courses_of
from mrecist.endpoints.imputed import days_1, with_known_days
from mrecist.errors import InputError
from mrecist.model import Problem, Response, SubjectDates
from mrecist.protocol import Protocol
from mrecist.response.best import Assessment, best_response
from mrecist.response.derive import best_of_reported
from mrecist.tables import read_overall, read_rows
from mrecist.tables.reported import ReportedResponses
from mrecist.trial import Trial
from mrecist.units import parse_number, percent_change

_RESPONSES = (
    *("subject", "reader", "criterion", "timepoint", "date", "sum", "baseline_sum", "new_lesion", "overall", "flags"),
)
_BEST = (
    *("subject", "reader", "criterion", "best_unconfirmed", "best_confirmed", "first_response_date"),
    *("confirmed_response_date", "progression_date"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """Courses, what could not be read, and what the reader of the result should know."""

    courses: Courses
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def courses_of_results(folder: Path, protocol: Protocol) -> Found:
    """From ``responses.csv`` and ``best_responses.csv``.

    Raises :class:`InputError` when the folder holds no such tables, or tables that do not belong together.
    """
    best_path, path = folder / "best_responses.csv", folder / "responses.csv"
    best = {_key(cells): (number, cells) for number, cells in read_rows(best_path, _BEST)[1]}
    visits: dict[tuple[str, str, str], list[tuple[int, dict[str, str]]]] = {}
    for number, cells in read_rows(path, _RESPONSES)[1]:
        visits.setdefault(_key(cells), []).append((number, cells))
    if best.keys() != visits.keys():
        odd = " ".join(min(best.keys() ^ visits.keys()))
        raise InputError(
            f"{folder}: {odd} is in one of responses.csv and best_responses.csv only; assess or score again"
        )
    found = [_course(path, visits[key], best_path, *best[key], protocol) for key in visits]
    # Of reads that are missing for a problem the subjects were assessed, so they are no failures either.
    told = tuple(one for one in problems_told(folder) if one.subject)
    known = {(one.subject, one.reader) for one in found} | {(one.subject, one.reader or "R1") for one in told}
    return Found(courses_of(found), (*told, *_not_derived(folder, known)), tuple(other_rules(folder, protocol)))


def _not_derived(folder: Path, derived: set[tuple[str, str]]) -> Iterator[Problem]:
    """Reads that were assessed and have no response: they are not derivable, which is not the same as never assessed."""
    table = rows_path(folder)
    if not table.is_file():
        return
    reads = {(cells["subject"], cells.get("reader") or "R1") for _, cells in read_rows(table, ("subject",))[1]}
    for subject, reader in sorted(reads - derived):
        message = f"subject {subject}, reader {reader}: was assessed and no response could be derived; it is left out, mend the read"
        yield Problem(subject=subject, reader=reader, message=message)


def _key(cells: dict[str, str]) -> tuple[str, str, str]:
    return cells["subject"], cells["reader"], cells["criterion"]


def _course(
    path: Path,
    rows: list[tuple[int, dict[str, str]]],
    best_path: Path,
    line: int,
    best: dict[str, str],
    protocol: Protocol,
) -> Course:
    subject, reader, criterion = _key(best)
    try:
        dates = {name: _date(best[f"{name}_date"]) for name in ("first_response", "confirmed_response", "progression")}
        best_responses = {name: Response(best[name]) for name in ("best_unconfirmed", "best_confirmed")}
    except ValueError as error:
        raise InputError(f"{best_path}: line {line}: {error}; assess or score again") from None
    visits: list[Visit] = []
    assessments: list[Assessment] = []
    baseline: date | None = None
    measurable: bool | None = None
    for number, cells in rows:
        try:
            if int(cells["timepoint"]) == 0:
                baseline, measurable = parse_date(cells["date"]), bool(cells["sum"])
            elif cells["overall"]:
                visits.append(_visit(cells))
                assessments.append(_assessment(visits[-1], cells["flags"]))
        except ValueError as error:
            raise InputError(f"{path}: line {number}: {error}; assess or score again") from None
    return Course(
        subject=subject,
        reader=reader,
        criterion=criterion,
        baseline=baseline,
        visits=tuple(sorted(visits, key=lambda visit: visit.date)),
        first_response=dates["first_response"],
        confirmed_response=dates["confirmed_response"],
        progression=dates["progression"] or later_progression(assessments, protocol),
        best_unconfirmed=best_responses["best_unconfirmed"],
        best_confirmed=best_responses["best_confirmed"],
        measurable=measurable,
    )


def _assessment(visit: Visit, flags: str) -> Assessment:
    """As the engine saw it: what it flagged decides what a worse visit after CR and an early iRECIST scan mean."""
    return Assessment(
        date=visit.date,
        overall=visit.overall,
        timepoint=visit.timepoint,
        disease_seen="CR_THEN_WORSE:" in flags,
        disregarded="CONFIRMATION_EARLY:" in flags,
    )


def later_progression(assessments: Sequence[Assessment], protocol: Protocol) -> date | None:
    """Progression after a new anticancer therapy, where the best response ends with that therapy.

    Whether it is an event is for the endpoint's censoring rules to say.
    """
    if "new_anticancer_therapy" not in protocol.response.cut or not assessments:
        return None
    rules = replace(protocol.response, cut=("first_pd",), data_cutoff=None)
    in_order = sorted(assessments, key=lambda one: one.date)
    found = best_response(
        in_order, start=in_order[0].date, rules=rules, subject="", reader="", criterion="", until=cutoff_of(protocol)
    )
    return found.progression_date


def _date(text: str) -> date | None:
    return parse_date(text) if text else None


def _visit(cells: dict[str, str]) -> Visit:
    sums: tuple[Decimal, Decimal] | None = None
    if cells["sum"] and cells["baseline_sum"] and parse_number(cells["baseline_sum"]):
        sums = parse_number(cells["sum"]), parse_number(cells["baseline_sum"])
    return Visit(
        date=parse_date(cells["date"]),
        overall=Response(cells["overall"]),
        timepoint=int(cells["timepoint"]),
        percent=percent_change(*sums) if sums is not None else None,
        sums=sums,
        new_lesion=cells["new_lesion"] == "yes",
    )


def courses_of_reported(path: Path, protocol: Protocol, trial: Trial, region: str = "") -> Found:
    """From ``overall.csv``: the responses of each subject, the best response and progression by the protocol's rules.

    ``region`` : from the rows of that region. A subject whose responses there are all NA has no disease in it.
    """
    reported, problems = read_overall(path, protocol.partial_date, region)
    dates = _dates(reported, protocol, trial)
    found = []
    for case in reported:
        best = best_of_reported(case, case.criterion, protocol.response, dates)
        seen = [Assessment(date=day, overall=overall) for day, overall in case.responses]
        diseased = not case.responses or any(overall is not Response.NA for _, overall in case.responses)
        found.append(
            Course(
                subject=case.subject,
                reader=case.reader,
                criterion=case.criterion,
                baseline=case.baseline_date,
                visits=tuple(
                    Visit(date=day, overall=overall, clear=bool(region) and not diseased)
                    for day, overall in case.responses
                ),
                first_response=best.first_response_date,
                confirmed_response=best.confirmed_response_date,
                progression=best.progression_date or later_progression(seen, protocol),
                best_unconfirmed=best.best_unconfirmed,
                best_confirmed=best.best_confirmed,
                source=path.name,
                has_sums=False,
                diseased=diseased or not region,
            )
        )
    notes = [] if any(case.criterion for case in reported) else [*_one_for_all(path, protocol)]
    return Found(courses_of(found), tuple(problems), (*notes, *_taken_as_pd(path, reported, protocol, dates)))


def _taken_as_pd(
    path: Path, reported: Sequence[ReportedResponses], protocol: Protocol, dates: SubjectDates
) -> Iterator[str]:
    """A note on the subjects whose progression is one by ``cr_then_worse`` alone: a table that says PR or SD after CR may mean it."""
    if protocol.response.cr_then_worse != "pd":
        return
    literal = replace(protocol.response, cr_then_worse="as-recorded")
    other = {
        case.subject
        for case in reported
        if best_of_reported(case, "", protocol.response, dates).progression_date
        != best_of_reported(case, "", literal, dates).progression_date
    }
    if other:
        yield (
            f"{path.name}: {len(other)} subjects have a PR, SD or NON-CR/NON-PD after a CR, which [response] cr_then_worse = "
            f'"pd" takes as progression ({", ".join(sorted(other)[:5])}{", ..." if len(other) > 5 else ""}); "as-recorded" '
            "takes the table at its word"
        )


def _one_for_all(path: Path, protocol: Protocol) -> Iterator[str]:
    """A note where endpoints of several criteria are derived from the same responses, which name no criterion."""
    asked = (one.criterion or protocol.criteria[0].name for one in protocol.endpoints if one.needs_responses)
    names = tuple(dict.fromkeys(asked))
    if len(names) > 1:
        yield (
            f"{path}: does not say by which criterion its responses are; the endpoints of {' and '.join(names)} are "
            "derived from the same ones. Give each criterion a table and a protocol of its own"
        )


def _dates(reported: Sequence[ReportedResponses], protocol: Protocol, trial: Trial) -> SubjectDates:
    """The first new therapy of each subject where it cuts, and its day 1, before which a therapy is none."""
    if "new_anticancer_therapy" not in protocol.response.cut:
        return SubjectDates()
    seen = courses_of(
        Course(subject=one.subject, reader=one.reader, criterion="", baseline=one.baseline_date, visits=())
        for one in reported
    )
    moved = with_known_days(trial, seen, protocol)
    return SubjectDates(new_therapy=dict(_new_therapies(moved)), origins=days_1(moved, seen, protocol))


def _new_therapies(trial: Trial) -> Iterator[tuple[str, date]]:
    """Subject -> the first new anticancer therapy of either table."""
    first: dict[str, date] = {}
    for name, subject in trial.subjects.items():
        if "new_anticancer_therapy" in subject.dates:
            first[name] = subject.dates["new_anticancer_therapy"]
    for row in trial.therapies or ():
        first[row.subject] = min(row.date, first.get(row.subject, row.date))
    yield from first.items()
