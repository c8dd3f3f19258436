"""Adverse events and complications: the worst grade of each subject, and the share of subjects with a grade.

A subject counts once for a term, by the worst grade (CTCAE 4.03 and 5.0, National Cancer Institute). What is not recorded (the
relation of an event, whether a procedure had a complication) is told as unknown and never counted as no.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from mrecist.endpoints.clock import cutoff_of
from mrecist.endpoints.derive import belongs
from mrecist.endpoints.happenings import Case, all_of, trials_of_subjects
from mrecist.errors import InputError
from mrecist.protocol import Protocol
from mrecist.trial import AdverseEvent, Procedure, Subject, Trial

ADVERSE_EVENTS, COMPLICATIONS = "adverse_events", "clavien_dindo"
GRADES = {"any": 1, ">=3": 3, "5": 5}
"""Columns of a table of adverse events: the worst grade is at least so much."""
CLAVIEN = {"I": 1, "II": 2, "IIIa": 3, "IIIb": 4, "IVa": 5, "IVb": 6, "V": 7}
"""Dindo 2004, Annals of Surgery 240:205; V is death."""
COMPLICATED = {"any": 1, ">=IIIa": 3, "V": 7}


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """The worst grade of a subject for a term. ``related`` is the worst grade of the related events, 0 where there is none;
    ``undecided`` the worst one of those whose relation is not recorded. ``serious`` and ``perhaps_serious`` likewise.
    """

    subject: str
    arm: str
    term: str
    soc: str
    grade: int
    related: int
    undecided: int
    events: int
    first: date | None
    serious: int = 0
    perhaps_serious: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One row of safety.csv: how many of ``n`` subjects; ``unknown`` more of them may have had it."""

    table: str
    level: str
    soc: str = ""
    term: str = ""
    relation: str = "all"
    grade: str
    arm: str
    n: int
    subjects: int
    unknown: int
    population: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """Worst grades, their shares, and what the reader of the tables should know."""

    worst: tuple[Worst, ...] = ()
    shares: tuple[Share, ...] = ()
    notes: tuple[str, ...] = ()


def safety_of(protocol: Protocol, trial: Trial) -> Safety:
    """The tables of adverse events and of complications; those for which there is a table.

    Raises :class:`InputError` for a table that the protocol asks for and was not given, a population that no table names, and
    events of another CTCAE version than the protocol's.
    """
    rules = protocol.safety
    if rules.asked and trial.adverse_events is None and not rules.clavien_procedures:
        raise InputError("the protocol has [safety] and there are no adverse events; give them with --adverse-events")
    if rules.clavien_procedures and trial.procedures is None:
        raise InputError("[safety] clavien_procedures needs procedures.csv; give it with --procedures")
    people = _population(protocol, trial)
    arms = _arms(protocol, people)
    notes: list[str] = []
    worst: tuple[Worst, ...] = ()
    shares: list[Share] = []
    if trial.adverse_events is not None:
        worst = tuple(_worst(protocol, trial, people, notes))
        recorded = any(row.serious for row in trial.adverse_events)
        relations = ("all", "related", "serious") if recorded else ("all", "related")
        shares += _of_events(worst, people, arms, rules.population, relations)
    if rules.clavien_procedures:
        shares += _of_complications(protocol, trial, people, arms)
    return Safety(worst=worst, shares=tuple(shares), notes=tuple(notes))


def _population(protocol: Protocol, trial: Trial) -> list[Subject]:
    name = protocol.safety.population
    columns = {column for subject in trial.subjects.values() for column in subject.words}
    if name not in ("ITT", "treated") and name not in columns:
        raise InputError(f"[safety]: population '{name}' is none of ITT, treated and no column of subjects.csv")
    return [subject for subject in trial.subjects.values() if belongs(name, subject, None)]


def _arms(protocol: Protocol, people: Sequence[Subject]) -> tuple[str, ...]:
    """All arms together, then each one; a study of one arm has that one only."""
    there = {one.arm for one in people}
    arms = tuple(arm for arm in dict.fromkeys((*protocol.design.arms, *sorted(there))) if arm in there)
    return arms if len(arms) == 1 else ("", *(arm for arm in arms if arm))


# --- adverse events --------------------------------------------------------------------------------------------------


def _worst(protocol: Protocol, trial: Trial, people: Sequence[Subject], notes: list[str]) -> Iterator[Worst]:
    """One row a subject and term, in the order of subjects.csv, terms by name."""
    rows = trial.adverse_events or ()
    _one_version(protocol, rows, notes)
    names: dict[str, str] = {}
    socs: dict[str, str] = {}
    for row in rows:
        names.setdefault(_key(row.term), row.term.strip())
        if row.soc and _key(socs.setdefault(_key(row.term), row.soc.strip())) != _key(row.soc):
            notes.append(
                f"adverse_events.csv: {row.term} is of {socs[_key(row.term)]} and of {row.soc}; the first counts"
            )
    outside = {row.subject for row in rows} - {one.subject for one in people}
    if outside:
        notes.append(f"adverse events of {len(outside)} subjects outside the population are not counted")
    by_subject: dict[str, list[AdverseEvent]] = {}
    for row in rows:
        by_subject.setdefault(row.subject, []).append(row)
    per_subject = trials_of_subjects(trial)
    undated = before = 0
    for subject in people:
        own = by_subject.get(subject.subject, [])
        first, last = _treated(protocol, per_subject[subject.subject], subject)
        undated += sum(row.start is None for row in own)
        counted = [row for row in own if row.start is None or _within(row.start, first, last)]
        before += len(own) - len(counted)
        for key in sorted({_key(row.term) for row in counted}):
            yield _worst_of(subject, names[key], socs.get(key, ""), [row for row in counted if _key(row.term) == key])
    if undated:
        notes.append(f"{undated} adverse events have no start and are counted as under treatment")
    if before:
        notes.append(
            f"{before} adverse events began before treatment, or after its window or the cut-off, and are not counted"
        )


def _one_version(protocol: Protocol, rows: Sequence[AdverseEvent], notes: list[str]) -> None:
    asked = protocol.safety.ctcae_version
    given = sorted({row.ctcae_version for row in rows if row.ctcae_version})
    other = [version for version in given if asked and _version(version) != _version(asked)]
    if other:
        who = next(row.subject for row in rows if row.ctcae_version == other[0])
        raise InputError(
            f"adverse_events.csv: subject {who} has an event of CTCAE {other[0]}, the protocol says {asked}; grade it again by "
            f"that version, or take ctcae_version out of [safety]"
        )
    if not asked and len({_version(version) for version in given}) > 1:
        notes.append(f"adverse events are graded by several versions of CTCAE: {', '.join(given)}")


def _version(text: str) -> str:
    """``5`` and ``5.0``, ``v4.03`` and ``CTCAE 4.03`` are the same."""
    number = text.upper().replace("CTCAE", "").strip().removeprefix("V").strip()
    return number.removesuffix(".0")


def _key(text: str) -> str:
    return " ".join(text.split()).casefold()


def _treated(protocol: Protocol, trial: Trial, subject: Subject) -> tuple[date | None, date | None]:
    """The first day of treatment, and the last day on which an event counts; None where there is no such limit."""
    begun = [subject.dates[name] for name in ("first_dose", "first_procedure") if name in subject.dates]
    case, ends = Case(subject=subject, course=None, trial=trial), []
    rules, cutoff = protocol.safety, cutoff_of(protocol)
    given = [one.date for event in rules.last_treatment for one in all_of(case, event)]
    if rules.window_days is not None and given:
        ends.append(max(given) + timedelta(days=rules.window_days))
    if cutoff is not None:
        ends.append(cutoff)
    return min(begun, default=None), min(ends, default=None)


def _within(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or day >= first) and (last is None or day <= last)


def _worst_of(subject: Subject, term: str, soc: str, rows: Sequence[AdverseEvent]) -> Worst:
    def top(column: str, said: str) -> int:
        return max((row.grade for row in rows if getattr(row, column) == said), default=0)

    return Worst(
        subject=subject.subject,
        arm=subject.arm,
        term=term,
        soc=soc,
        grade=max(row.grade for row in rows),
        related=top("related", "yes"),
        undecided=top("related", ""),
        serious=top("serious", "yes"),
        perhaps_serious=top("serious", ""),
        events=len(rows),
        first=min((row.start for row in rows if row.start is not None), default=None),
    )


def _of_events(
    worst: Sequence[Worst], people: Sequence[Subject], arms: Sequence[str], population: str, relations: Sequence[str]
) -> Iterator[Share]:
    """Any event, then each system organ class, then each term, of each relation: any grade, 3 and above, 5."""
    parts: list[tuple[str, str, str, list[Worst]]] = [("any", "", "", list(worst))]
    for soc in sorted({row.soc for row in worst} - {""}):
        parts.append(("soc", soc, "", [row for row in worst if row.soc == soc]))
    for soc, term in sorted({(row.soc, row.term) for row in worst}):
        parts.append(("term", soc, term, [row for row in worst if row.term == term]))
    for level, soc, term, rows in parts:
        for relation in relations:
            for name, grade in GRADES.items():
                sure, open_ = _reached(rows, relation, grade)
                for arm in arms:
                    yield Share(
                        table=ADVERSE_EVENTS,
                        level=level,
                        soc=soc,
                        term=term,
                        relation=relation,
                        grade=name,
                        population=population,
                        **_counted(people, arm, sure, open_),
                    )


def _reached(rows: Iterable[Worst], relation: str, grade: int) -> tuple[set[str], set[str]]:
    """Subjects with the grade, and others who may have it because the relation, or whether it was serious, is not recorded."""
    rows = list(rows)
    if relation == "all":
        return {row.subject for row in rows if row.grade >= grade}, set()
    known, perhaps = ("related", "undecided") if relation == "related" else ("serious", "perhaps_serious")
    sure = {row.subject for row in rows if getattr(row, known) >= grade}
    return sure, {row.subject for row in rows if getattr(row, perhaps) >= grade} - sure


def _counted(people: Sequence[Subject], arm: str, sure: set[str], open_: set[str]) -> dict[str, Any]:
    own = {one.subject for one in people if arm in ("", one.arm)}
    return {"arm": arm, "n": len(own), "subjects": len(own & sure), "unknown": len(own & open_)}


# --- complications of procedures -------------------------------------------------------------------------------------


def _of_complications(
    protocol: Protocol, trial: Trial, people: Sequence[Subject], arms: Sequence[str]
) -> Iterator[Share]:
    """Of the subjects with one of the procedures: the worst grade, at least IIIa, death; within each of the windows."""
    wanted = {name.upper() for name in protocol.safety.clavien_procedures}
    until, windows = cutoff_of(protocol), protocol.safety.clavien_days or (None,)
    own = [row for row in trial.procedures or () if row.procedure in wanted and (until is None or row.date <= until)]
    name = " or ".join(sorted(wanted))
    for days in windows:
        found: dict[str, list[int | None]] = {}
        for row in own:
            found.setdefault(row.subject, []).append(_grade(trial, row, days))
        # The windows are told apart where there are several.
        term = f"{name}, {days} days" if len(windows) > 1 else name
        yield from _within_days(found, term, f"{protocol.safety.population}, with the procedure", people, arms)


def _within_days(
    found: Mapping[str, Sequence[int | None]],
    term: str,
    population: str,
    people: Sequence[Subject],
    arms: Sequence[str],
) -> Iterator[Share]:
    """Rows of one window; ``found`` has the grade of each procedure of a subject, None where it is not known."""
    operated = [one for one in people if one.subject in found]
    worst = {name: max((grade for grade in grades if grade is not None), default=0) for name, grades in found.items()}
    unclear = {name for name, grades in found.items() if None in grades}
    parts = [
        ("at_least", name, {who for who in worst if worst[who] >= grade}, {w for w in unclear if worst[w] < grade})
        for name, grade in COMPLICATED.items()
    ]
    parts += [
        ("worst", name, {w for w in worst if worst[w] == grade} - unclear, {w for w in unclear if worst[w] <= grade})
        for name, grade in CLAVIEN.items()
        if name != "V"
    ]
    for level, name, sure, open_ in parts:
        for arm in arms:
            yield Share(
                table=COMPLICATIONS,
                level=level,
                term=term,
                grade=name,
                population=population,
                **_counted(operated, arm, sure, open_),
            )


def _grade(trial: Trial, row: Procedure, days: int | None) -> int | None:
    """The grade of a procedure, 0 without a complication in the window; None where it is not recorded, or its day is not."""
    if not row.clavien_dindo:
        return None
    if row.clavien_dindo == "none":
        return 0
    day = row.complication
    if day is None and row.clavien_dindo == "V":
        day = trial.subjects[row.subject].dates.get("death")
    if days is None:
        return CLAVIEN[row.clavien_dindo]
    if day is None:
        return None
    return CLAVIEN[row.clavien_dindo] if day <= row.date + timedelta(days=days) else 0
