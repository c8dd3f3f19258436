"""The truth of one simulated subject: what happens to it, whether anyone sees it or not. Days are counted from its first day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import ceil, inf

import numpy as np

from mrecist.protocol import Protocol
from mrecist.samples.cohort.parameters import Arm, MarkerPlan, Study, Toxicity

SURGERY_AFTER_VISIT = 2
SURGERY_DAYS = 10
REACTION_DAYS = 119
"""Adverse events begin 1 to so many days after the start of treatment; a death in these days may be one of grade 5."""
RELATED = 0.9
UNTREATABLE = (("child_pugh_c", 0.4), ("vascular_invasion", 0.35), ("extrahepatic_spread", 0.25))
PLACES = ("lung", "peritoneum", "adrenal gland")


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
    related: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Disease outside the liver at baseline: never evaluable, or a target that responds from a visit on (0: does not respond)."""

    evaluable: bool
    progresses_first: bool
    response_visit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """All of it. ``start`` is the day of the first treatment; ``death`` and the other days lie after it.

    ``response`` (CR, PR, SD) is what the tumour in the liver does from visit ``response_visit`` on unless it progresses before; ``by``
    is how it progresses (growth, new lesion, non-target), ``place`` where. ``pseudo``: the sum is that of a progression at the first
    visit only. ``procedure`` is what the second visit finds possible, ``judged`` its day, ``surgery`` the day of the resection or
    ablation, or None. ``cutoff`` is the last day that the study looks at, ``lost`` the day on which the subject leaves it (``inf``:
    never). ``confirms``: a visit follows the one that shows the progression. ``factor`` is the value of the study's factor.
    """

    arm: Arm
    start: int
    visits: tuple[Visit, ...]
    response: str
    response_visit: int
    progression: int
    by: str
    place: str
    elsewhere: Elsewhere | None
    pseudo: bool
    confirms: bool
    factor: bool
    death: int
    fatal: bool
    untreatable: int | None
    untreatable_by: str
    child_pugh: str
    procedure: str
    judged: int
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
        """The visits that take place: before death and loss, not missed, none after the one that shows, or confirms, the progression."""
        more = 2 if self.confirms else 1
        for visit in self.visits:
            if visit.day >= self.death or visit.day > min(self.lost, self.cutoff):
                return
            if not visit.missed:
                yield visit
                more -= visit.day >= self.progression
                if more == 0:
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
    factor = bool(study.factor is not None and rng.random() < study.factor.share)
    hazard = study.factor.hazard_ratio if study.factor is not None and factor else 1.0
    progression = start + _days(arm.progression_rate * hazard, rng)
    death = start + _days(arm.death_rate * hazard, rng)
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
    elsewhere = _elsewhere(study, rng)
    if elsewhere is not None and elsewhere.progresses_first:
        progression = visits[0].day
    draw = rng.random()
    response = "CR" if draw < arm.complete else "PR" if draw < arm.complete + arm.partial else "SD"
    response_visit = 1 if rng.random() < study.first_visit_response else 2
    pseudo = bool(rng.random() < arm.pseudo) and progression > visits[1].day
    procedure, judged, surgery = _surgery(arm, visits, progression, death, rng)
    by, place = _progresses(study, elsewhere, rng, only_new=response == "CR" or surgery is not None)
    return Life(
        arm=arm,
        start=start,
        visits=visits,
        response=response,
        response_visit=2 if pseudo else response_visit,
        progression=progression,
        by=by,
        place=place,
        elsewhere=elsewhere,
        pseudo=pseudo,
        confirms=study.confirms,
        factor=factor,
        death=death,
        fatal=bool(rng.random() < arm.fatal) and death <= start + REACTION_DAYS,
        untreatable=untreatable,
        untreatable_by=drawn_from(UNTREATABLE, rng) if untreatable is not None else "",
        child_pugh="B" if rng.random() < study.child_pugh_b else "A",
        procedure=procedure,
        judged=judged,
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


def drawn_from(shares: Iterable[tuple[str, float]], rng: np.random.Generator, otherwise: str = "") -> str:
    """A word by its share; ``otherwise`` where the shares leave something over."""
    draw = rng.random()
    for word, share in shares:
        draw -= share
        if draw < 0:
            return word
    return otherwise


def _elsewhere(study: Study, rng: np.random.Generator) -> Elsewhere | None:
    spread = study.spread
    if spread is None or rng.random() >= spread.disease:
        return None
    shares = (("progresses", spread.progresses), ("unevaluable", spread.unevaluable), ("responds", spread.responds))
    what = drawn_from(shares, rng)
    visit = 1 if rng.random() < study.first_visit_response else 2
    return Elsewhere(
        evaluable=what != "unevaluable",
        progresses_first=what == "progresses",
        response_visit=visit if what == "responds" else 0,
    )


def _progresses(
    study: Study, elsewhere: Elsewhere | None, rng: np.random.Generator, *, only_new: bool
) -> tuple[str, str]:
    """How and where: outside the liver a target grows if there is one, or a new lesion comes."""
    by = str(rng.choice(("growth", "new lesion", "non-target"), p=(0.5, 0.35, 0.15)))
    place = str(rng.choice(PLACES))
    if elsewhere is not None and elsewhere.progresses_first:
        return "growth", "lung"
    if rng.random() < study.outside:
        grows = by == "growth" and elsewhere is not None and elsewhere.evaluable
        return ("growth", "lung") if grows else ("new lesion", place)
    return "new lesion" if only_new else by, "liver"


def _days(rate: float, rng: np.random.Generator) -> int:
    return max(1, ceil(rng.exponential(1 / rate)))


def _surgery(
    arm: Arm, visits: tuple[Visit, ...], progression: int, death: int, rng: np.random.Generator
) -> tuple[str, int, int | None]:
    """What the second visit finds possible in those who live and whose disease is under control by then, its day, and the day of the
    operation some days later, unless death comes before.
    """
    draw = rng.random()
    procedure = "HEPATECTOMY" if draw < arm.resection else "ABLATION" if draw < arm.resection + arm.ablation else ""
    seen = visits[SURGERY_AFTER_VISIT - 1].day
    if not procedure or min(progression, death) <= seen:
        return "", seen, None
    return procedure, seen, seen + SURGERY_DAYS if death > seen + SURGERY_DAYS else None


def _reactions(study: Study, start: int, rng: np.random.Generator) -> Iterator[Reaction]:
    for toxicity in study.toxicities:
        draw, day = rng.random(), start + int(rng.integers(1, REACTION_DAYS + 1))
        mild, severe = int(rng.integers(1, 3)), int(rng.choice((3, 4), p=(0.85, 0.15)))
        related = bool(rng.random() < RELATED)
        if draw < toxicity.any_grade:
            grade = severe if draw < toxicity.severe else mild
            yield Reaction(toxicity=toxicity, grade=grade, day=day, related=related)
