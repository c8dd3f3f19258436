"""The lesions of a simulated subject at its visits: rows of measurements.csv.

All targets in the liver follow one course: 8 % less, then from the response visit on a share of their size that is the subject's own
(PR 34 to 70 % less; CR gone, or without enhancement; SD, from the first visit on, 20 % less to 10 % more), and at the visit that shows
the progression half as large again as at the smallest that a visit showed, and 6 mm more, or a new lesion, or a non-target that
progresses. A visit that confirms shows 12 mm more of each target, a larger new lesion, a non-target that increased. A
pseudoprogression is that growth at the first visit only.

A target outside the liver is at most half as large as those in it together, and with one the shares that are left are 30 to 50 % (PR)
and 90 to 108 % (SD), so that the liver decides the response of the subject; where it progresses it grows by 40 % of the whole sum and
6 mm. Sizes vary by 1.5 % from visit to visit. So each category holds by a margin (mRECIST and RECIST 1.1: -30 %, +20 % and 5 mm), and
what the engine finds is what was drawn. Where the viable part is measured, the whole lesion follows 40 % of its way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mrecist.samples.cohort.life import Life, Visit, drawn_from
from mrecist.samples.cohort.parameters import Before, Study

BEFORE_RESPONSE = 0.92
# Of the first size, from and to: without and with a target outside the liver.
DEPTHS = {"PR": ((0.30, 0.66), (0.30, 0.50)), "SD": ((0.80, 1.10), (0.90, 1.08)), "CR": ((0.0, 0.0), (0.0, 0.0))}
OUTSIDE_STABLE, OUTSIDE_PARTIAL = 0.95, 0.5
NOISE = 0.015
REGROWTH, REGROWTH_MM, CONFIRMED_MM = 1.5, 6.0, 12.0
OUTSIDE_SHARE, OUTSIDE_GROWS = 0.5, 0.4
WHOLE_FOLLOWS = 0.4
OUTSIDE = "T03"
COLUMNS = (
    *("subject", "timepoint", "date", "lesion", "role", "kind", "organ", "state", "longest_mm", "short_mm"),
    *("viable_mm", "viable_short_mm", "basis", "pattern", "change", "local_therapy", "progressed_since"),
    *("modality", "phase", "slice_thickness_mm", "comment"),
)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disease:
    """The lesions at baseline: longest and viable diameter of each target in the liver and the size of one outside in mm (0: none),
    non-targets, and what each target in the liver says of its treatment before the study. ``depth`` is the share of
    its size that is left of a target in the liver when the response shows.
    """

    targets: tuple[tuple[float, float], ...]
    depth: float
    outside: float
    non_target: bool
    viable: bool
    treated: tuple[Mapping[str, str], ...] = ()


def disease_of(life: Life, study: Study, rng: np.random.Generator) -> Disease:
    """One or two targets in the liver of 25 to 120 mm, and a non-target in four of ten (always where it is to progress)."""
    sizes = np.clip(np.exp(rng.normal(np.log(45), 0.4, int(rng.integers(1, 3)))), 25, 120)
    targets = tuple((float(size), float(size * rng.uniform(0.85, 0.98))) for size in sizes)
    viable = study.measure == "viable"
    most = OUTSIDE_SHARE * sum(size[viable] for size in targets)
    evaluable = life.elsewhere is not None and life.elsewhere.evaluable
    return Disease(
        targets=targets,
        depth=float(rng.uniform(*DEPTHS[life.response][evaluable])),
        outside=float(rng.uniform(10, min(30, max(most, 10.5)))) if evaluable else 0.0,
        non_target=bool(rng.random() < 0.4) or life.by == "non-target",
        viable=viable,
        treated=tuple(_treated(study.before, rng) for _ in targets),
    )


def _treated(before: Before | None, rng: np.random.Generator) -> Mapping[str, str]:
    """``local_therapy`` and ``progressed_since`` of a target at baseline."""
    if before is None or rng.random() >= before.treated:
        return {}
    since = drawn_from((("yes", before.progressed), ("", before.not_known)), rng, otherwise="no")
    return {"local_therapy": "embolisation", "progressed_since": since}


def rows_of(life: Life, disease: Disease, rng: np.random.Generator) -> Iterator[tuple[int | None, Row]]:
    """Day (None: the baseline scan) and row of every lesion at every visit that takes place."""
    for row in _at_baseline(life, disease):
        yield None, row
    smallest, shown = 1.0, 0
    for visit in life.attended():
        shown += visit.day >= life.progression
        pseudo = life.pseudo and visit.number == 1
        grown = (shown if life.by == "growth" and life.place == "liver" else 0) or int(pseudo)
        share = smallest if grown else _share(life, disease, visit)
        for row in _targets(life, disease, visit, share, grown, rng):
            yield visit.day, row
        smallest = min(smallest, share)
        if life.elsewhere is not None:
            grows = shown > 0 and life.by == "growth" and life.place != "liver"
            yield visit.day, _outside(life, disease, visit, grows, rng)
        if disease.non_target:
            yield visit.day, _non_target(life, disease, visit, shown)
        if shown and life.by == "new lesion":
            yield visit.day, _new(life, disease, visit, shown)


def _at_baseline(life: Life, disease: Disease) -> Iterator[Row]:
    treated = disease.treated or ({},) * len(disease.targets)
    for number, ((longest, viable), before) in enumerate(zip(disease.targets, treated, strict=True), 1):
        yield {**_target(number, 0, "measured", longest, viable if disease.viable else None), **before}
    if disease.outside:
        yield _target_outside(0, disease.outside)
    elif life.elsewhere is not None:
        yield _row(0, "NT02", "non-target", "present", organ="peritoneum", comment="deposits")
    if disease.non_target:
        yield _row(0, "NT01", "non-target", "present", comment="small satellite lesions")


def _targets(
    life: Life, disease: Disease, visit: Visit, share: float, grown: int, rng: np.random.Generator
) -> Iterator[Row]:
    """Targets in the liver; ``grown`` is how many visits have shown that they grow."""
    operated = life.surgery is not None and visit.day >= life.surgery
    for number, (longest, viable) in enumerate(disease.targets, 1):
        noise = 1 + NOISE * rng.uniform(-1, 1)
        if operated:
            therapy = "resection" if life.procedure == "HEPATECTOMY" else "ablation"
            yield {**_target(number, visit.number, "not-evaluable", None, None), "local_therapy": therapy}
            continue
        if share == 0 and not disease.viable:
            yield _target(number, visit.number, "absent", None, None)
            continue
        size = (viable if disease.viable else longest) * share * noise
        if grown:
            size = size * REGROWTH + REGROWTH_MM + CONFIRMED_MM * (grown - 1)
        if not disease.viable:
            yield _target(number, visit.number, "measured", size, None)
            continue
        whole = max(longest * (1 - WHOLE_FOLLOWS * (1 - share)), size + 1.0)
        yield _target(number, visit.number, "measured", whole, size)


def _outside(life: Life, disease: Disease, visit: Visit, grows: bool, rng: np.random.Generator) -> Row:
    """The lesion outside the liver at a visit."""
    assert life.elsewhere is not None
    if not disease.outside:
        return _row(visit.number, "NT02", "non-target", "not-evaluable", organ="peritoneum", comment="deposits")
    responds = life.elsewhere.response_visit
    shrunk = responds and visit.number >= responds and not (visit.day >= life.progression and visit.number == responds)
    size = disease.outside * (OUTSIDE_PARTIAL if shrunk else OUTSIDE_STABLE) * (1 + NOISE * rng.uniform(-1, 1))
    if grows:
        whole = disease.outside + sum(size[disease.viable] for size in disease.targets)
        size += OUTSIDE_GROWS * whole + REGROWTH_MM
    return _target_outside(visit.number, size)


def _share(life: Life, disease: Disease, visit: Visit) -> float:
    """How much of its first size a target has, were there no growth at this visit."""
    if life.response == "SD":
        return disease.depth
    # A visit that shows a progression is the first to do so: no response starts on it.
    if visit.number < life.response_visit or (visit.day >= life.progression and visit.number == life.response_visit):
        return BEFORE_RESPONSE
    return disease.depth


def _row(timepoint: int, lesion: str, role: str, state: str, **more: Any) -> Row:
    return {
        "timepoint": timepoint,
        "lesion": lesion,
        "role": role,
        "kind": "lesion",
        "organ": "liver",
        "state": state,
        "modality": "CT",
        "phase": "PORTAL VENOUS",
        "slice_thickness_mm": "5",
        **more,
    }


def _non_target(life: Life, disease: Disease, visit: Visit, shown: int) -> Row:
    """The satellites; a visit that confirms says that they increased again."""
    if shown and life.by == "non-target":
        state = "progressed"
    else:
        state = "absent" if life.response == "CR" and _share(life, disease, visit) == 0 else "present"
    change = "increase" if state == "progressed" and shown > 1 else ""
    return _row(visit.number, "NT01", "non-target", state, change=change, comment="small satellite lesions")


def _target(number: int, timepoint: int, state: str, longest: float | None, viable: float | None) -> Row:
    row = _row(timepoint, f"T{number:02}", "target", state, longest_mm=_mm(longest), short_mm=_mm(longest, 0.8))
    if viable is None:
        return row
    return {**row, "viable_mm": _mm(viable), "viable_short_mm": _mm(viable, 0.8), "phase": "ARTERIAL"}


def _target_outside(timepoint: int, size: float) -> Row:
    """mRECIST follows a target outside the liver by its whole diameter (A12): on the overall basis."""
    sizes = {"longest_mm": _mm(size), "short_mm": _mm(size, 0.8)}
    return _row(timepoint, OUTSIDE, "target", "measured", organ="lung", basis="overall", **sizes)


def _mm(size: float | None, share: float = 1.0) -> str:
    return "" if size is None else f"{size * share:.1f}"


def _new(life: Life, disease: Disease, visit: Visit, shown: int) -> Row:
    """A new lesion, larger at a visit that confirms it."""
    more = {"pattern": "typical"} if disease.viable and life.place == "liver" else {}
    sizes = {"longest_mm": _mm(18.0 + 8 * (shown - 1)), "short_mm": _mm(15.0 + 6 * (shown - 1))}
    more |= {"phase": "ARTERIAL"} if disease.viable else {}
    return _row(visit.number, "NEW01", "new", "unequivocal", organ=life.place, **sizes, **more)
