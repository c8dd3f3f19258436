"""A simulated cohort as files: the tables of the study, its protocol, and the truth in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from mrecist.protocol import Protocol, load_protocol
from mrecist.samples.cohort import lesions
from mrecist.samples.cohort.known import Known, known_values
from mrecist.samples.cohort.life import Life, MarkerCourse, live
from mrecist.samples.cohort.parameters import Study
from mrecist.tables import csv_text

FIRST_DAY = date(2024, 1, 1)
BASELINE_DAYS = (3, 14)
NEW_THERAPY_SHARE, NEW_THERAPY_DAYS = 0.5, 14
ELEVATED, NORMAL_NOW = (1.5, 40.0), (0.3, 0.9)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One simulated subject: its life, its first day and its lesions."""

    name: str
    first_day: date
    baseline: date
    life: Life
    measurements: tuple[Row, ...]
    markers: tuple[Row, ...]
    treated_again: bool
    prior_line: str

    def on(self, day: float) -> date:
        """The date of a day of its life."""
        return self.first_day + timedelta(days=int(day))

    @property
    def seen_to_progress(self) -> int | None:
        """The day of the visit that shows its progression, if one does."""
        return next((v.day for v in self.life.attended() if v.day >= self.life.progression), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """All files by their path in the folder, and what they were made from."""

    study: Study
    protocol: Protocol
    subjects: tuple[Subject, ...]
    known: tuple[Known, ...]
    files: dict[str, str]


def protocol_file(study: Study) -> Path:
    """The protocol of a study, as it is shipped."""
    return Path(__file__).resolve().parents[1] / "studies" / f"{study.name}.toml"


def simulate(study: Study, seed: int = 0, subjects: int = 0) -> Cohort:
    """Simulate a study.

    Parameters
    ----------
    seed : each subject has random numbers of its own, from the seed, its number and the name of the study (numpy's default generator),
        so the first subjects of a larger cohort are those of a smaller one.
    subjects : how many; 0 = as many as the study has. They go to the arms in turn.
    """
    protocol = load_protocol(protocol_file(study))
    drawn = tuple(_subject(study, protocol, number, seed) for number in range(1, (subjects or study.subjects) + 1))
    known = tuple(known_values(study, protocol))
    return Cohort(study=study, protocol=protocol, subjects=drawn, known=known, files=dict(_files(study, drawn, known)))


def _subject(study: Study, protocol: Protocol, number: int, seed: int) -> Subject:
    rng = np.random.default_rng((seed, number, crc32(study.name.encode())))
    arm = study.arms[(number - 1) % len(study.arms)]
    life = live(study, protocol, arm, rng)
    last = FIRST_DAY + timedelta(days=study.follow_up_days + study.accrual_days)
    first_day = last - timedelta(days=life.cutoff)
    baseline = first_day - timedelta(days=int(rng.integers(BASELINE_DAYS[0], BASELINE_DAYS[1] + 1)))
    name = f"SIM-{number:03}"
    disease = lesions.disease_of(life, study.measure == "viable", protocol.disease == "HCC", rng)
    rows = []
    for day, row in lesions.rows_of(life, disease, rng):
        rows.append({"subject": name, "date": baseline if day is None else first_day + timedelta(days=day), **row})
    markers = []
    for course in life.markers:
        markers += [{"subject": name, **row} for row in _marker(course, life, first_day, baseline, rng)]
    known = study.prior_line_known
    line = "" if known is None else "unknown" if rng.random() >= known else "1" if rng.random() < 13 / 50 else "2+"
    return Subject(
        name=name,
        first_day=first_day,
        baseline=baseline,
        life=life,
        measurements=tuple(rows),
        markers=tuple(markers),
        treated_again=bool(rng.random() < NEW_THERAPY_SHARE),
        prior_line=line,
    )


def _marker(
    course: MarkerCourse, life: Life, first_day: date, baseline: date, rng: np.random.Generator
) -> Iterator[Row]:
    plan = course.plan
    level = plan.limit * (rng.uniform(*ELEVATED) if course.elevated else rng.uniform(*NORMAL_NOW))
    yield {"date": baseline, "test": plan.test, "value": f"{level:.1f}", "unit": plan.unit}
    for visit in life.attended():
        value = level * rng.uniform(0.9, 1.1)
        if course.elevated and course.converts:
            value = plan.limit * rng.uniform(*NORMAL_NOW)
        elif course.elevated:
            value = max(value, 1.2 * plan.limit)
        day = first_day + timedelta(days=visit.day)
        yield {"date": day, "test": plan.test, "value": f"{value:.1f}", "unit": plan.unit}


# --- files -----------------------------------------------------------------------------------------------------------


def _files(study: Study, subjects: Sequence[Subject], known: Sequence[Known]) -> Iterator[tuple[str, str]]:
    yield "protocol.toml", protocol_file(study).read_text(encoding="utf-8")
    yield "subjects.csv", _subjects_csv(study, subjects)
    yield "measurements.csv", csv_text(lesions.COLUMNS, (row for one in subjects for row in one.measurements))
    yield "procedures.csv", _csv(("date", "procedure", "outcome"), subjects, _procedures)
    yield "therapies.csv", _csv(("date", "therapy"), subjects, _therapies)
    yield (
        "markers.csv",
        csv_text(("subject", "date", "test", "value", "unit"), (r for s in subjects for r in s.markers)),
    )
    yield "occurrences.csv", _csv(("date", "event"), subjects, _occurrences)
    columns = ("start", "term", "grade", "ctcae_version", "soc", "related")
    yield "adverse_events.csv", _csv(columns, subjects, lambda one: _reactions(one, study))
    yield "truth/subjects.csv", _truth_csv(subjects)
    yield "truth/values.csv", _known_csv(known)


def _csv(columns: Sequence[str], subjects: Sequence[Subject], rows: Any) -> str:
    found = sorted(
        ({"subject": one.name, **row} for one in subjects for row in rows(one)),
        key=lambda row: (row["subject"], str(row[columns[0]])),
    )
    return csv_text(("subject", *columns), found)


def _subjects_csv(study: Study, subjects: Sequence[Subject]) -> str:
    extra = ("final_analysis", "treatment_line") if study.prior_line_known is not None else ()
    columns = (
        *("subject", "arm", *study.entry, *study.treated, "new_anticancer_therapy", "withdrawal", "lost_to_follow_up"),
        *("death", "last_alive", *extra),
    )
    return csv_text(columns, (_subject_row(study, one) for one in subjects))


def _subject_row(study: Study, one: Subject) -> Row:
    life = one.life
    gone = life.lost <= min(life.death - 1, life.cutoff)
    dead = life.death <= life.known_until
    row: Row = {"subject": one.name, "arm": life.arm.name}
    row |= dict.fromkeys(study.entry, one.first_day) | dict.fromkeys(study.treated, one.on(life.start))
    row |= {"new_anticancer_therapy": next((r["date"] for r in _therapies(one)), "")}
    row |= {life.lost_how: one.on(life.lost)} if gone else {}
    row |= {"death": one.on(life.death)} if dead else {"last_alive": one.on(life.known_until)}
    if study.prior_line_known is not None:
        row["treatment_line"] = one.prior_line
        row["final_analysis"] = "N" if gone or one.prior_line == "unknown" else "Y"
    return row


def _procedures(one: Subject) -> Iterator[Row]:
    life = one.life
    end = min(life.known_until, one.seen_to_progress or life.cutoff, life.surgery or life.cutoff)
    for course in life.arm.courses:
        first = 0 if course.at_entry else life.start
        days = (first + number * course.every_days for number in range(course.most))
        yield from ({"date": one.on(day), "procedure": course.procedure} for day in days if day == first or day < end)
    if life.surgery is not None and life.surgery < life.known_until:
        outcome = "R0" if life.procedure == "HEPATECTOMY" else ""
        yield {"date": one.on(life.surgery), "procedure": life.procedure, "outcome": outcome}


def _therapies(one: Subject) -> Iterator[Row]:
    seen = one.seen_to_progress
    if seen is not None and one.treated_again and seen + NEW_THERAPY_DAYS < one.life.known_until:
        yield {"date": one.on(seen + NEW_THERAPY_DAYS), "therapy": "next line of systemic therapy"}


def _occurrences(one: Subject) -> Iterator[Row]:
    day = one.life.untreatable
    if day is not None and day <= one.life.known_until:
        yield {"date": one.on(day), "event": "intraarterial_treatment_impossible"}


def _reactions(one: Subject, study: Study) -> Iterator[Row]:
    for reaction in one.life.reactions:
        if reaction.day < one.life.known_until:
            yield {
                "start": one.on(reaction.day),
                "term": reaction.toxicity.term,
                "grade": reaction.grade,
                "ctcae_version": study.ctcae_version,
                "soc": reaction.toxicity.soc,
                "related": "yes",
            }


def _truth_csv(subjects: Iterable[Subject]) -> str:
    columns = (
        *("subject", "arm", "response", "response_visit", "progression", "progression_at_visit", "progression_by"),
        *("death", "untreatable_progression", "surgery", "surgery_procedure", "lost", "cutoff"),
    )
    return csv_text(columns, map(_truth_row, subjects))


def _truth_row(one: Subject) -> Row:
    life = one.life
    visible = next((v.day for v in life.visits if v.day >= life.progression), None)
    days = {
        "progression": life.progression,
        "progression_at_visit": visible,
        "death": life.death,
        "untreatable_progression": life.untreatable,
        "surgery": life.surgery,
        "cutoff": life.cutoff,
        # A loss that would be after a hundred years is none.
        "lost": life.lost if life.lost < 36_525 else None,
    }
    return {
        "subject": one.name,
        "arm": life.arm.name,
        "response": life.response,
        "response_visit": life.response_visit,
        "progression_by": life.by,
        "surgery_procedure": life.procedure,
        **{name: "" if day is None else one.on(day) for name, day in days.items()},
    }


def _known_csv(known: Iterable[Known]) -> str:
    columns = ("endpoint", "arm", "estimate", "months", "value", "unit")
    rows = (
        {
            "endpoint": one.endpoint,
            "arm": one.arm,
            "estimate": one.estimate,
            "months": one.months,
            "value": f"{one.value:.4f}",
            "unit": one.unit,
        }
        for one in known
    )
    return csv_text(columns, rows)
