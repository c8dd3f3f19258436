"""The truth of one simulated subject: what happens to it, whether anyone sees it or not. Days are counted from its first day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, inf

import numpy as np

from mrecist.protocol import Protocol
from mrecist.samples.cohort.parameters import Arm, MarkerPlan, Study, Toxicity

SURGERY_AFTER_VISIT = 2
SURGERY_DAYS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit as it would take place if the subject lived and stayed; ``missed`` says that it is skipped all the same."""

    number: int
    day: int
    missed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerCourse:
    """What a marker does: above the limit at baseline or not, and from the first visit on below it or not."""

    plan: MarkerPlan
    elevated: bool
    converts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """An adverse event that a subject has, unless it is dead or lost before."""

    toxicity: Toxicity
    grade: int
    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """All of it. ``start`` is the day of the first treatment; ``death`` and the other days lie after it.

    ``response`` (CR, PR, SD) is what the tumour does from visit ``response_visit`` on unless it progresses before; ``by`` is how it
    progresses (growth, new lesion, non-target). ``surgery`` is the day of the resection or ablation, or None. ``cutoff`` is the last day
    that the study looks at, ``lost`` the day on which the subject leaves it (``inf``: never).
    """

    arm: Arm
    start: int
    visits: tuple[Visit, ...]
    response: str
    response_visit: int
    progression: int
    by: str
    death: int
    untreatable: int | None
    procedure: str
    surgery: int | None
    markers: tuple[MarkerCourse, ...]
    reactions: tuple[Reaction, ...]
    lost: float
    lost_how: str
    cutoff: int

    @property
    def known_until(self) -> float:
        """The last day on which the study knows of the subject: death, loss or cut-off."""
        return min(self.death, self.lost, self.cutoff)

    def attended(self) -> Iterator[Visit]:
        """The visits that take place: before death and loss, not missed, and none after the one that shows the progression."""
        for visit in self.visits:
            if visit.day >= self.death or visit.day > min(self.lost, self.cutoff):
                return
            if not visit.missed:
                yield visit
                if visit.day >= self.progression:
                    return


def due_days(protocol: Protocol, until: int) -> Iterator[int]:
    """Days after the protocol's origin on which visits are due (``[schedule]`` ``visits``), up to a day."""
    week = 0
    for stretch in protocol.schedule.visits:
        while stretch.until_week is None or week + stretch.every_weeks <= stretch.until_week:
            week += stretch.every_weeks
            if 7 * week > until:
                return
            yield 7 * week


def visits_start_at_entry(study: Study, protocol: Protocol) -> bool:
    """Whether visits are due from the first day on, or from the start of treatment."""
    return protocol.origin.event in study.entry


def live(study: Study, protocol: Protocol, arm: Arm, rng: np.random.Generator) -> Life:
    """Draw one subject.

    Progression, untreatable progression, death and loss are independent exponential times in whole days after the start of
    treatment, which makes their distributions known exactly (:mod:`mrecist.samples.cohort.known`). In patients they depend on each other.
    """
    start = int(rng.integers(study.lead[0], study.lead[1] + 1))
    cutoff = study.follow_up_days + int(rng.integers(0, study.accrual_days + 1))
    progression = start + _days(arm.progression_rate, rng)
    death = start + _days(arm.death_rate, rng)
    untreatable = start + _days(arm.untreatable_rate, rng) if arm.untreatable_months else None
    lost = start + _days(-np.log1p(-study.lost_per_year) / 365.25, rng) if study.lost_per_year else inf
    first = 0 if visits_start_at_entry(study, protocol) else start
    # A year beyond the cut-off, so that the truth says when a later progression would have been seen.
    visits = tuple(
        Visit(
            number=n,
            day=first + due + int(rng.integers(0, study.late_days + 1)),
            missed=bool(rng.random() < study.missed),
        )
        for n, due in enumerate(due_days(protocol, cutoff + 366), 1)
    )
    draw = rng.random()
    response = "CR" if draw < arm.complete else "PR" if draw < arm.complete + arm.partial else "SD"
    response_visit = 1 if rng.random() < study.first_visit_response else 2
    procedure, surgery = _surgery(arm, visits, progression, death, rng)
    by = str(rng.choice(("growth", "new lesion", "non-target"), p=(0.5, 0.35, 0.15)))
    if response == "CR" or surgery is not None:
        by = "new lesion"
    return Life(
        arm=arm,
        start=start,
        visits=visits,
        response=response,
        response_visit=response_visit,
        progression=progression,
        by=by,
        death=death,
        untreatable=untreatable,
        procedure=procedure,
        surgery=surgery,
        markers=tuple(
            MarkerCourse(
                plan=plan, elevated=bool(rng.random() < plan.elevated), converts=bool(rng.random() < plan.converts)
            )
            for plan in study.markers
        ),
        reactions=tuple(_reactions(study, start, rng)),
        lost=lost,
        lost_how="withdrawal" if rng.random() < 0.5 else "lost_to_follow_up",
        cutoff=cutoff,
    )


def _days(rate: float, rng: np.random.Generator) -> int:
    return max(1, ceil(rng.exponential(1 / rate)))


def _surgery(
    arm: Arm, visits: tuple[Visit, ...], progression: int, death: int, rng: np.random.Generator
) -> tuple[str, int | None]:
    """Resection or ablation some days after the second visit, of those who live and whose disease is under control by then."""
    draw = rng.random()
    procedure = "HEPATECTOMY" if draw < arm.resection else "ABLATION" if draw < arm.resection + arm.ablation else ""
    seen = visits[SURGERY_AFTER_VISIT - 1].day
    if not procedure or progression <= seen or death <= seen + SURGERY_DAYS:
        return "", None
    return procedure, seen + SURGERY_DAYS


def _reactions(study: Study, start: int, rng: np.random.Generator) -> Iterator[Reaction]:
    for toxicity in study.toxicities:
        draw, day = rng.random(), start + int(rng.integers(1, 120))
        mild, severe = int(rng.integers(1, 3)), int(rng.choice((3, 4), p=(0.85, 0.15)))
        if draw < toxicity.any_grade:
            yield Reaction(toxicity=toxicity, grade=severe if draw < toxicity.severe else mild, day=day)
