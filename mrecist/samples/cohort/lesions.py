"""The lesions of a simulated subject at its visits: rows of measurements.csv.

All targets follow one course: unchanged, then at the response visit half their size (CR: gone, or without enhancement), and at
the visit that shows the progression half as large again as at the smallest that a visit showed, and 6 mm more, or a new lesion,
or a non-target that progresses. Sizes vary by 1.5 % from visit to visit. So each category holds by a margin (mRECIST and RECIST
1.1: -30 %, +20 % and 5 mm), and what the engine finds is what was drawn. Where the viable part is measured, the whole lesion
follows 40 % of its way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mrecist.samples.cohort.life import Life, Visit

BEFORE_RESPONSE, STABLE, PARTIAL = 0.92, 0.95, 0.5
NOISE = 0.015
REGROWTH, REGROWTH_MM = 1.5, 6.0
WHOLE_FOLLOWS = 0.4
COLUMNS = (
    *(
        "subject",
        "timepoint",
        "date",
        "lesion",
        "role",
        "kind",
        "organ",
        "state",
        "longest_mm",
        "short_mm",
        "viable_mm",
    ),
    *("viable_short_mm", "pattern", "local_therapy", "modality", "phase", "comment"),
)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disease:
    """The lesions at baseline: longest and viable diameter of each target in mm, non-targets, and how new ones look."""

    targets: tuple[tuple[float, float], ...]
    non_target: bool
    viable: bool
    hcc: bool


def disease_of(life: Life, viable: bool, hcc: bool, rng: np.random.Generator) -> Disease:
    """One or two targets in the liver of 20 to 120 mm, and a non-target in four of ten (always where it is to progress)."""
    sizes = np.clip(np.exp(rng.normal(np.log(45), 0.4, int(rng.integers(1, 3)))), 20, 120)
    targets = tuple((float(size), float(size * rng.uniform(0.85, 0.98))) for size in sizes)
    return Disease(
        targets=targets, non_target=bool(rng.random() < 0.4) or life.by == "non-target", viable=viable, hcc=hcc
    )


def rows_of(life: Life, disease: Disease, rng: np.random.Generator) -> Iterator[tuple[int | None, Row]]:
    """Day (None: the baseline scan) and row of every lesion at every visit that takes place."""
    for row in _at_baseline(disease):
        yield None, row
    smallest = 1.0
    for visit in life.attended():
        progressed = visit.day >= life.progression
        grown = progressed and life.by == "growth"
        share = smallest if grown else _share(life, visit)
        for row in _targets(life, disease, visit, share, grown, rng):
            yield visit.day, row
        smallest = min(smallest, share)
        if disease.non_target:
            yield visit.day, _non_target(visit, _non_target_state(life, visit))
        if progressed and life.by == "new lesion":
            yield visit.day, _new(disease, visit)


def _at_baseline(disease: Disease) -> Iterator[Row]:
    for number, (longest, viable) in enumerate(disease.targets, 1):
        yield _target(number, 0, "measured", longest, viable if disease.viable else None)
    if disease.non_target:
        yield _row(0, "NT01", "non-target", "present", comment="small satellite lesions")


def _targets(
    life: Life, disease: Disease, visit: Visit, share: float, grown: bool, rng: np.random.Generator
) -> Iterator[Row]:
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
            size = size * REGROWTH + REGROWTH_MM
        if not disease.viable:
            yield _target(number, visit.number, "measured", size, None)
            continue
        whole = max(longest * (1 - WHOLE_FOLLOWS * (1 - share)), size + 1.0)
        yield _target(number, visit.number, "measured", whole, size)


def _share(life: Life, visit: Visit) -> float:
    """How much of its first size a target has, were there no growth at this visit."""
    if life.response == "SD":
        return STABLE
    # A visit that shows a progression is the first to do so: no response starts on it.
    if visit.number < life.response_visit or (visit.day >= life.progression and visit.number == life.response_visit):
        return BEFORE_RESPONSE
    return PARTIAL if life.response == "PR" else 0.0


def _non_target_state(life: Life, visit: Visit) -> str:
    if visit.day >= life.progression and life.by == "non-target":
        return "progressed"
    if life.response == "CR" and _share(life, visit) == 0:
        return "absent"
    return "present"


def _row(timepoint: int, lesion: str, role: str, state: str, **more: Any) -> Row:
    return {
        "timepoint": timepoint,
        "lesion": lesion,
        "role": role,
        "kind": "lesion",
        "organ": "liver",
        "state": state,
        "modality": "CT",
        **more,
    }


def _non_target(visit: Visit, state: str) -> Row:
    return _row(visit.number, "NT01", "non-target", state, comment="small satellite lesions")


def _target(number: int, timepoint: int, state: str, longest: float | None, viable: float | None) -> Row:
    row = _row(timepoint, f"T{number:02}", "target", state, longest_mm=_mm(longest), short_mm=_mm(longest, 0.8))
    if viable is None:
        return row
    return {**row, "viable_mm": _mm(viable), "viable_short_mm": _mm(viable, 0.8), "phase": "ARTERIAL"}


def _mm(size: float | None, share: float = 1.0) -> str:
    return "" if size is None else f"{size * share:.1f}"


def _new(disease: Disease, visit: Visit) -> Row:
    more: Mapping[str, str] = {"pattern": "typical"} if disease.hcc else {}
    size = {"longest_mm": "18.0", "short_mm": "15.0", "phase": "ARTERIAL"}
    return _row(visit.number, "NEW01", "new", "unequivocal", **size, **more)
