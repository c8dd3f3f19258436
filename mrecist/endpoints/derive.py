"""All endpoints of a protocol for all subjects: times, outcomes, and what could not be derived. One subject stops no other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from mrecist.accepted import TRACK_OF, faults_of
from mrecist.endpoints.changes import Change, changes_of
from mrecist.endpoints.clock import NotDerivableError, check_start, check_years, cutoff_of
from mrecist.endpoints.course import Course, Courses
from mrecist.endpoints.facts import DEATH, contradictions, facts_of
from mrecist.endpoints.happenings import Case, trials_of_subjects
from mrecist.endpoints.imputed import with_known_days
from mrecist.endpoints.proportions import Outcome, outcomes_of
from mrecist.endpoints.sources import Found
from mrecist.endpoints.times import EventTime, time_of
from mrecist.errors import InputError
from mrecist.model import Problem
from mrecist.protocol import Endpoint, Protocol
from mrecist.tables.accepted import AcceptedRead, ReviewTrack
from mrecist.trial import Subject, Trial

POPULATIONS = ("ITT", "treated", "evaluable", "measurable")


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """Rows of events.csv, outcomes.csv and changes.csv, and problems."""

    times: tuple[EventTime, ...]
    outcomes: tuple[Outcome, ...]
    changes: tuple[Change, ...]
    problems: tuple[Problem, ...]


def derive_endpoints(
    protocol: Protocol,
    courses: Courses,
    trial: Trial,
    left_out: frozenset[str] = frozenset(),
    regions: Mapping[str, Found] | None = None,
    unread: frozenset[tuple[str, str]] = frozenset(),
) -> Derived:
    """Derive every endpoint.

    Parameters
    ----------
    left_out : subjects with a problem that was told already.
    unread : (subject, reader) of the reads with a problem, left out of every endpoint that needs responses.
    regions : what was found of each region that an endpoint is about; a read with a problem there is left out of it.

    Raises
    ------
    InputError : an endpoint needs a table, a reader, a criterion or a population that was not given.
    """
    check_populations(protocol.endpoints, trial)
    check_rules(protocol)
    check_covariates(protocol.endpoints, trial)
    trial = with_known_days(trial, courses, protocol)
    made = _Made()
    whole = courses
    made.problems += _unknown([courses, *(found.courses for found in (regions or {}).values())], trial, left_out)
    per_subject = trials_of_subjects(trial)
    faults = faults_of(whole.accepted, whole.by_key.keys(), unread)
    for asked in protocol.endpoints:
        of_region = (regions or {})[asked.region] if asked.region else None
        courses = of_region.courses if of_region is not None else whole
        without = {(p.subject, p.reader) for p in of_region.problems} if of_region is not None else unread
        endpoint = replace(asked, criterion=criterion_of(asked, protocol, courses) if asked.needs_responses else "")
        reads = facts_of(endpoint, protocol)
        for reader in readers_of(endpoint, protocol, courses):
            none_counts = _none_counts(endpoint, faults, trial) if endpoint.reader in TRACK_OF else {}
            made.problems += none_counts.values()
            for case in cases_of(endpoint, courses, per_subject, reader, left_out):
                name = case.subject.subject
                if name in none_counts or (name, courses.who(name, reader, endpoint.criterion)) in without:
                    continue
                if case.course is None and (others := read_by(endpoint, courses, name)):
                    track = courses.track_of(reader, endpoint.criterion)
                    whose = _called(reader) if track is None else f"the {track} review"
                    made.problems.append(_not_read(name, reader, whose, others))
                    continue
                if case.course is None and (row := courses.accepted.open(name, endpoint.criterion)) is not None:
                    made.problems.append(_still_open(row))
                    continue
                made.add(endpoint, case, protocol, reader, reads)
    return made.all()


@dataclass(slots=True)
class _Made:
    """What was derived so far. ``doubtful`` are the contradictions by subject, and the endpoints that each leaves it out of."""

    rows: list[EventTime | Change | Outcome] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    doubtful: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)

    def add(self, endpoint: Endpoint, case: Case, protocol: Protocol, reader: str, reads: frozenset[str]) -> None:
        """The rows of one subject by one reader, or why there are none."""
        name = case.subject.subject
        at_fault = [(fault.message, fault.fact in reads) for fault in case.trial.faults]
        against = contradictions(case)
        decides = bool(against) and DEATH in reads and _death_decides(endpoint, case, protocol, reader)
        at_fault += [(f"subject {name}: {one.message}", one.concerns(reads, death_decides=decides)) for one in against]
        for message, concerned in at_fault:
            self.doubtful.setdefault((name, message), {}).update({endpoint.id: None} if concerned else {})
        if any(concerned for _, concerned in at_fault):
            return
        try:
            check_years(case)
            found = _made(endpoint, case, protocol, reader)
            check_start(endpoint, case, protocol)
        except NotDerivableError as error:
            message = f"subject {name}, endpoint {endpoint.id}: {error}; the subject is left out of it"
            self.problems.append(Problem(subject=name, reader=reader, message=message))
        else:
            self.rows += found

    def all(self) -> Derived:
        """Everything, each problem once."""
        told = list(self.problems)
        for (name, message), left_out in self.doubtful.items():
            where = f"left out of {', '.join(left_out)}" if left_out else "no endpoint hangs on it"
            told.append(Problem(subject=name, reader="", message=f"{message} ({where})"))
        return Derived(
            times=tuple(row for row in self.rows if isinstance(row, EventTime)),
            outcomes=tuple(row for row in self.rows if isinstance(row, Outcome)),
            changes=tuple(row for row in self.rows if isinstance(row, Change)),
            problems=tuple(dict.fromkeys(told)),
        )


def _none_counts(
    endpoint: Endpoint, faults: Mapping[tuple[str, str, ReviewTrack], Problem], trial: Trial
) -> dict[str, Problem]:
    """The subjects of which no read counts in the endpoint's track by its criterion, which is not the same as never assessed."""
    where = endpoint.criterion, TRACK_OF[endpoint.reader]
    return {key[0]: problem for key, problem in faults.items() if key[1:] == where and key[0] in trial.subjects}


def _death_decides(endpoint: Endpoint, case: Case, protocol: Protocol, reader: str) -> bool:
    """Whether the rows of a subject would be others without its death."""
    dates = {column: day for column, day in case.subject.dates.items() if column != "death"}
    alive = replace(case, subject=replace(case.subject, dates=dates))
    try:
        return list(_made(endpoint, case, protocol, reader)) != list(_made(endpoint, alive, protocol, reader))
    except NotDerivableError:
        return True


def read_by(endpoint: Endpoint, courses: Courses, subject: str) -> tuple[str, ...]:
    """The readers with responses of a subject, whose endpoint needs them."""
    if not endpoint.needs_responses:
        return ()
    there = courses.readers_of(endpoint.criterion)
    return tuple(reader for reader in there if courses.of(subject, reader, endpoint.criterion) is not None)


def _called(reader: str) -> str:
    """A reader in a sentence, also one who is called by the part in a case."""
    if reader.startswith("reader "):
        return reader
    return f"the {reader}" if reader in ("adjudicator", "investigator") else f"reader {reader}"


def _not_read(subject: str, reader: str, whose: str, others: tuple[str, ...]) -> Problem:
    """A subject that only other readers read (the adjudicator has the discordant ones only): not the same as never assessed."""
    message = (
        f"subject {subject}: has responses of {', '.join(others)} and none of {whose}; it is left out of what "
        f"{whose} decides, add the responses that stand for it"
    )
    return Problem(subject=subject, reader=reader, message=message)


def _still_open(row: AcceptedRead) -> Problem:
    """A subject that was given to readers and of which no response is here: not the same as never assessed."""
    message = (
        f"subject {row.subject}, {row.criterion}: has no response and is open, no {row.track} read of it is accepted: {row.reason}; "
        "it is left out of every endpoint by that criterion"
    )
    return Problem(subject=row.subject, reader="", message=message)


def _made(endpoint: Endpoint, case: Case, protocol: Protocol, reader: str) -> Sequence[EventTime | Change | Outcome]:
    """The rows of one subject by one reader."""
    rows: Sequence[EventTime | Change | Outcome]
    if endpoint.kind == "time":
        found = time_of(endpoint, case, protocol, reader)
        rows = [] if found is None else [found]
    elif endpoint.kind == "change":
        rows = changes_of(endpoint, case, protocol, reader)
    else:
        rows = list(outcomes_of(endpoint, case, protocol, reader))
    whose = case.course.reader if reader and case.course is not None else ""
    return [replace(row, read_by=whose) for row in rows]


def _unknown(every: Iterable[Courses], trial: Trial, left_out: frozenset[str]) -> Iterator[Problem]:
    """Subjects with responses, of the whole or of a region, and without a row in subjects.csv."""
    there = {subject for courses in every for subject, _, _ in courses.by_key}
    for name in sorted(there - trial.subjects.keys() - left_out):
        message = f"subject {name} has responses and no row in subjects.csv; it is left out of every endpoint, add it"
        yield Problem(subject=name, reader="", message=message)


def readers_of(endpoint: Endpoint, protocol: Protocol, courses: Courses) -> tuple[str, ...]:
    """Whose responses an endpoint is derived from: the one it names, the accepted one, or each of them.

    ``"accepted"`` and ``"investigator"`` where the folder says whose read of each subject counts, ``""`` where an endpoint needs no
    responses.
    """
    if not endpoint.needs_responses:
        return ("",)
    if courses.track_of(endpoint.reader, endpoint.criterion) is not None:
        return (endpoint.reader,)
    there = courses.readers_of(endpoint.criterion)
    asked = protocol.readers.accepted if endpoint.reader == "accepted" else endpoint.reader
    if endpoint.reader == "accepted" and not asked and len(there) > 1:
        raise InputError(
            f"endpoint {endpoint.id}: [readers] accepted is not given and there are {', '.join(there)}; name one, or give "
            "accepted.csv with the results"
        )
    if not asked or endpoint.reader == "all":
        return there
    if asked not in there and len(there) == 1 and endpoint.reader == "accepted":
        return there
    if not there:  # Nobody's responses could be read, which is told subject by subject.
        return (asked,)
    if asked not in there:
        raise InputError(
            f"endpoint {endpoint.id}: reader {asked} is not among those of the responses ({', '.join(there)})"
        )
    return (asked,)


def criterion_of(endpoint: Endpoint, protocol: Protocol, courses: Courses) -> str:
    """The criterion of an endpoint, the protocol's first unless it names one; raises :class:`InputError` when nobody used it."""
    name = endpoint.criterion or protocol.criteria[0].name
    # Who was never assessed may have a row that names no criterion.
    there = sorted({key[2] for key, course in courses.by_key.items() if key[2] or course.visits})
    if there and name not in there and "" not in there:
        raise InputError(f"endpoint {endpoint.id}: no response is by criterion {name}; there are {', '.join(there)}")
    return name


def cases_of(
    endpoint: Endpoint, courses: Courses, per_subject: Mapping[str, Trial], reader: str, left_out: frozenset[str]
) -> Iterator[Case]:
    """The subjects of the endpoint's population. Where no responses are needed, the longest course by anybody says who was alive.

    A subject whose responses could not be read was not "never assessed": it is left out.
    """
    longest = {} if endpoint.needs_responses else _longest(courses)
    for name, trial in per_subject.items():
        course = courses.of(name, reader, endpoint.criterion) if endpoint.needs_responses else longest.get(name)
        if course is None and name in left_out and endpoint.needs_responses:
            continue
        if belongs(endpoint.population, trial.subjects[name], course):
            yield Case(subject=trial.subjects[name], course=course, trial=trial)


def _longest(courses: Courses) -> dict[str, Course]:
    """Of each subject the course with the last assessment."""
    in_order = sorted(
        courses.by_key, key=lambda key: (max((v.date for v in courses.by_key[key].visits), default=date.min), key)
    )
    return {key[0]: courses.by_key[key] for key in in_order}


def belongs(population: str, subject: Subject, course: Course | None) -> bool:
    """Whether a subject is of a population: ITT, treated, evaluable, measurable, or a column of subjects.csv that says yes."""
    if population == "ITT":
        return True
    if population == "treated":
        return "first_dose" in subject.dates or "first_procedure" in subject.dates
    if population == "evaluable":
        return course is not None and any(visit.evaluated for visit in course.visits)
    if population == "measurable":
        return course is not None and course.measurable is True
    return subject.words.get(population, "").casefold() in ("y", "yes", "1", "true")


def check_rules(protocol: Protocol) -> None:
    """Raises :class:`InputError` for a censoring rule that could never hold."""
    for line in refused_rules(protocol):
        raise InputError(line)


def refused_rules(protocol: Protocol) -> Iterator[str]:
    """Why no endpoint will be derived by a protocol as it is."""
    for endpoint in protocol.endpoints:
        when = {rule.when for rule in endpoint.censor}
        if "missed_visits" in when and not protocol.schedule.visits:
            yield f"endpoint {endpoint.id}: missed_visits needs [schedule] visits; say when assessments are due"
        if "data_cutoff" in when | {rule.at for rule in endpoint.censor} and cutoff_of(protocol) is None:
            yield f"endpoint {endpoint.id}: data_cutoff needs [response] data_cutoff, and cut must name it"


def undecided_readers(protocol: Protocol) -> Iterator[str]:
    """Endpoints by the accepted reader, where the protocol names none: refused if several have read."""
    if not protocol.readers.accepted:
        for endpoint in protocol.endpoints:
            if endpoint.needs_responses and endpoint.reader == "accepted":
                yield (
                    f"endpoint {endpoint.id}: reader is the accepted one and [readers] accepted names nobody; responses of "
                    "several readers will be refused, unless accepted.csv is with them"
                )


def check_populations(endpoints: Sequence[Endpoint], trial: Trial) -> None:
    """Raises :class:`InputError` for a population that is no known one and no column of subjects.csv."""
    columns = {name for subject in trial.subjects.values() for name in subject.words}
    for endpoint in endpoints:
        if endpoint.population not in POPULATIONS and endpoint.population not in columns:
            known = ", ".join(POPULATIONS)
            raise InputError(
                f"endpoint {endpoint.id}: population '{endpoint.population}' is none of {known} and no column of subjects.csv"
            )


def check_covariates(endpoints: Sequence[Endpoint], trial: Trial) -> None:
    """Raises :class:`InputError` for a covariate or a column of ``groups`` that is no column of subjects.csv."""
    columns = {name for subject in trial.subjects.values() for name in subject.words}
    for endpoint in endpoints:
        asked = [("covariate", name) for name in endpoint.covariates] + [("groups", name) for name in endpoint.groups]
        for what, name in asked:
            if name not in columns:
                raise InputError(f"endpoint {endpoint.id}: {what} '{name}' is no column of subjects.csv with a value")
