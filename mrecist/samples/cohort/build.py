"""A simulated cohort: its subjects with all their rows, and its files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np

from mrecist.protocol import Protocol, load_protocol
from mrecist.samples.cohort import lesions, liver
from mrecist.samples.cohort.files import files_of
from mrecist.samples.cohort.known import Known, known_values
from mrecist.samples.cohort.life import Life, MarkerCourse, drawn_from, live
from mrecist.samples.cohort.parameters import COMPLICATIONS, OUTCOMES, Study
from mrecist.samples.cohort.subject import Operation, Subject

FIRST_DAY = date(2024, 1, 1)
BASELINE_DAYS = (3, 14)
NEW_THERAPY_SHARE = 0.5
COMPLICATION_DAYS = 30
ELEVATED, NORMAL_NOW = (1.5, 40.0), (0.3, 0.9)
# Cao 2022, table 1: 40 mg in 1, 80 mg in 12, 120 mg in 2, 160 mg in 28.
DOSES = {False: (("40", 1 / 13), ("80", 12 / 13)), True: (("120", 2 / 30), ("160", 28 / 30))}
LARGE_MM = 50.0
Row = dict[str, Any]


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
    path = protocol_file(study)
    protocol = load_protocol(path)
    drawn = tuple(_subject(study, protocol, number, seed) for number in range(1, (subjects or study.subjects) + 1))
    known = tuple(known_values(study, protocol))
    files = dict(files_of(study, path.read_text(encoding="utf-8"), drawn, known))
    return Cohort(study=study, protocol=protocol, subjects=drawn, known=known, files=files)


def _subject(study: Study, protocol: Protocol, number: int, seed: int) -> Subject:
    rng = np.random.default_rng((seed, number, crc32(study.name.encode())))
    arm = study.arms[(number - 1) % len(study.arms)]
    life = live(study, protocol, arm, rng)
    last = FIRST_DAY + timedelta(days=study.follow_up_days + study.accrual_days)
    first_day = last - timedelta(days=life.cutoff)
    baseline = first_day - timedelta(days=int(rng.integers(BASELINE_DAYS[0], BASELINE_DAYS[1] + 1)))
    name = f"SIM-{number:03}"
    disease = lesions.disease_of(life, study, rng)

    def dated(rows: Iterator[tuple[int | None, Row]]) -> tuple[Row, ...]:
        days = ((baseline if day is None else first_day + timedelta(days=day), row) for day, row in rows)
        return tuple({"subject": name, "date": day, **row} for day, row in days)

    return Subject(
        name=name,
        first_day=first_day,
        baseline=baseline,
        life=life,
        measurements=dated(lesions.rows_of(life, disease, rng)),
        markers=dated(row for course in life.markers for row in _marker(course, life, rng)),
        liver=dated(liver.rows_of(life, rng)),
        operations=tuple(_operations(life, rng)),
        treated_again=bool(rng.random() < NEW_THERAPY_SHARE),
        words=dict(_words(study, life, disease, rng)),
    )


def _marker(course: MarkerCourse, life: Life, rng: np.random.Generator) -> Iterator[tuple[int | None, Row]]:
    plan = course.plan
    level = plan.limit * (rng.uniform(*ELEVATED) if course.elevated else rng.uniform(*NORMAL_NOW))
    yield None, {"test": plan.test, "value": f"{level:.1f}", "unit": plan.unit}
    for visit in life.attended():
        value = level * rng.uniform(0.9, 1.1)
        if course.elevated and course.converts:
            value = plan.limit * rng.uniform(*NORMAL_NOW)
        elif course.elevated:
            value = max(value, 1.2 * plan.limit)
        yield visit.day, {"test": plan.test, "value": f"{value:.1f}", "unit": plan.unit}


def _operations(life: Life, rng: np.random.Generator) -> Iterator[Operation]:
    """Repeated procedures until a progression is seen, and the surgery; each with its outcome and its worst complication."""
    seen = next((v.day for v in life.attended() if v.day >= life.progression), life.cutoff)
    end = min(life.known_until, seen, life.surgery or life.cutoff)
    for course in life.arm.courses:
        first = 0 if course.at_entry else life.start
        for day in (first + number * course.every_days for number in range(course.most)):
            if day == first or day < end:
                yield _operation(course.procedure, day, life, rng)
    if life.surgery is not None and life.surgery < life.known_until:
        yield _operation(life.procedure, life.surgery, life, rng)


def _operation(procedure: str, day: int, life: Life, rng: np.random.Generator) -> Operation:
    grade = drawn_from(COMPLICATIONS.get(procedure, ()), rng, otherwise="none")
    late = int(rng.integers(0, COMPLICATION_DAYS + 1))
    return Operation(
        procedure=procedure,
        day=day,
        outcome=drawn_from(OUTCOMES.get(procedure, ()), rng),
        clavien_dindo=grade,
        complication=None if grade == "none" else int(min(day + late, life.known_until)),
    )


def _words(study: Study, life: Life, disease: lesions.Disease, rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Columns of subjects.csv that are no dates."""
    for column, shares in study.words:
        yield column, drawn_from(shares, rng)
    if study.before is not None:
        yield "prior_mrecist", drawn_from(study.before.responses, rng)
    if study.factor is not None:
        recorded = bool(rng.random() < study.factor.known)
        yield "dose_mg", drawn_from(DOSES[life.factor], rng) if recorded else ""
        yield study.factor.column, str(int(life.factor)) if recorded else ""
    if study.spread is not None:
        yield "cea_high", str(int(any(one.elevated for one in life.markers if one.plan.test == "CEA")))
        yield "large_tumours", str(int(max(longest for longest, _ in disease.targets) >= LARGE_MM))
        yield "extrahepatic_pd", _first_answer(life)
    if study.prior_line_known is not None:
        known = rng.random() < study.prior_line_known
        line = "1" if rng.random() < 13 / 50 else "2+"
        gone = life.lost <= min(life.death - 1, life.cutoff)
        yield "treatment_line", line if known else "unknown"
        yield "final_analysis", "Y" if known and not gone else "N"


def _first_answer(life: Life) -> str:
    """Whether the first evaluation shows a progression outside the liver: 1 or 0, empty where there is no answer."""
    first = next((visit for visit in life.attended() if visit.number == 1), None)
    if first is None or life.elsewhere is None or not life.elsewhere.evaluable:
        return ""
    return str(int(first.day >= life.progression and life.place != "liver"))
