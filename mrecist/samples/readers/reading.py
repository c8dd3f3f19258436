"""One reader's read of a simulated subject, visit by visit: rows of measurements.csv with the reader's errors, and what a review amends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from mrecist.samples.readers.disease import Lesion, Row, Scans, numbers, targets_of
from mrecist.samples.readers.errors import Errors

MOST_IN_LIVER = 2
RESIDUAL = (0.1, 0.3)
CALLED, CALLED_MM = "NEW09", (12.0, 18.0)
TAKEN_BACK = "no new lesion on the later scans: taken back in the global review"
Rows = tuple[Mapping[str, Any], ...]


class Kind(StrEnum):
    """Kinds of errors, so that a read can be made once more without those of a kind."""

    BOUNDARY = "boundary"
    WHOLE_OR_VIABLE = "whole_or_viable"
    TARGET_SET = "target_set"
    NOT_EVALUABLE = "not_evaluable"
    NEW_LESION = "new_lesion"
    NON_TARGET = "non_target"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """The new rows of a visit after the global review, and why."""

    rows: Rows
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedRead:
    """A read before and after the global review; ``visits`` and ``amended`` are by time point."""

    subject: str
    reader: str
    visits: Mapping[int, Rows]
    amended: Mapping[int, Amended]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Eye:
    """What this reader makes of this subject, at all visits: log errors by lesion, and what is missed or seen in error."""

    whole: Mapping[str, float]
    viable: Mapping[str, float]
    treated: Mapping[str, float]
    whole_for_viable: tuple[str, ...]
    residual: Mapping[str, float]
    unevaluable: frozenset[int]
    new_missed: bool
    called: int | None
    called_mm: float
    taken_back: bool
    non_target_missed: bool
    non_target_called: int | None
    at_visit: float = 1.0


def read_subject(
    scans: Scans, reader: str, study: str, errors: Errors, seed: int, without: frozenset[Kind] = frozenset()
) -> SimulatedRead:
    """The read of a subject by one reader.

    Parameters
    ----------
    errors : those of this reader.
    seed : random numbers are of the seed and the names of study, subject and reader, so that no other subject or reader changes them.
    without : kinds of errors that are drawn and not made: all others stay as they are.
    """
    bias = float(numbers(seed, "bias", study, reader).normal(0, errors.bias_sd))
    rng = numbers(seed, "read", study, scans.subject, reader)
    eye = _without(_eye(scans, errors, bias, rng), without)
    chosen = _chosen(scans, errors, rng, sees=Kind.TARGET_SET in without)
    found = {t: tuple(_visit(scans, t, chosen, eye, errors, rng, reader)) for t in sorted(scans.dates)}
    amended = {}
    if eye.taken_back and eye.called is not None and eye.called < max(scans.dates):
        for t, rows in found.items():
            kept = tuple(row for row in rows if row["lesion"] != CALLED)
            if kept != rows:
                amended[t] = Amended(rows=kept, reason=TAKEN_BACK)
    return SimulatedRead(subject=scans.subject, reader=reader, visits=found, amended=amended)


def _eye(scans: Scans, errors: Errors, bias: float, rng: np.random.Generator) -> _Eye:
    names = [one.name for one in scans.lesions]
    follow_ups = [t for t in sorted(scans.dates) if t]

    def drawn(sd: float) -> dict[str, float]:
        return {name: float(rng.normal(0, sd)) for name in names}

    def share(of: float) -> tuple[str, ...]:
        return tuple(name for name in names if rng.random() < of)

    return _Eye(
        whole={name: bias + error for name, error in drawn(errors.lesion_sd).items()},
        viable={name: bias + error for name, error in drawn(errors.viable_lesion_sd).items()},
        treated=drawn(errors.viable_treated_sd),
        whole_for_viable=share(errors.whole_for_viable),
        residual={name: float(rng.uniform(*RESIDUAL)) for name in share(errors.residual_seen)},
        unevaluable=frozenset(t for t in follow_ups if rng.random() < errors.not_evaluable),
        new_missed=bool(rng.random() < errors.new_lesion_missed),
        called=_first(follow_ups, errors.new_lesion_called, rng),
        called_mm=float(rng.uniform(*CALLED_MM)),
        taken_back=bool(rng.random() < errors.new_lesion_taken_back),
        non_target_missed=bool(rng.random() < errors.non_target_missed),
        non_target_called=_first(follow_ups, errors.non_target_called, rng),
    )


def _without(eye: _Eye, kinds: frozenset[Kind]) -> _Eye:
    """The eye of one who makes no errors of these kinds; ``at_visit`` is what those of single visits are multiplied by."""
    none: dict[Kind, dict[str, Any]] = {
        Kind.BOUNDARY: {
            **{name: dict.fromkeys(eye.whole, 0.0) for name in ("whole", "viable", "treated")},
            "residual": {},
            "at_visit": 0.0,
        },
        Kind.WHOLE_OR_VIABLE: {"whole_for_viable": ()},
        Kind.NOT_EVALUABLE: {"unevaluable": frozenset()},
        Kind.NEW_LESION: {"new_missed": False, "called": None},
        Kind.NON_TARGET: {"non_target_missed": False, "non_target_called": None},
    }
    return replace(eye, **{name: value for kind in kinds for name, value in none.get(kind, {}).items()})


def _first(visits: list[int], share: float, rng: np.random.Generator) -> int | None:
    """The first visit at which something of that share happens."""
    return next((t for t in visits if rng.random() < share), None)


def _chosen(scans: Scans, errors: Errors, rng: np.random.Generator, *, sees: bool) -> dict[str, str]:
    """True lesion -> the name that the reader gives it; in the liver two targets at most, the others are non-targets.

    ``sees`` : the two that are the largest, without an error.
    """

    def worth(one: Lesion) -> float:
        error = rng.normal(0, errors.choice_sd)
        return float(np.log(float(one.rows[0]["longest_mm"])) + (0.0 if sees else error))

    liver = sorted((one for one in targets_of(scans.lesions) if one.organ == "liver"), key=worth, reverse=True)
    names = {one.name: f"T{number:02}" for number, one in enumerate(liver[:MOST_IN_LIVER], 1)}
    names |= {one.name: f"NT{number:02}" for number, one in enumerate(liver[MOST_IN_LIVER:], 11)}
    return names


def _visit(
    scans: Scans, t: int, chosen: Mapping[str, str], eye: _Eye, errors: Errors, rng: np.random.Generator, reader: str
) -> Iterator[dict[str, Any]]:
    """The rows of a visit."""
    for lesion in scans.lesions:
        name = chosen.get(lesion.name, lesion.name)
        # Drawn for every lesion and visit, so that what a reader sees at one changes nothing at another.
        errs = [float(one) * eye.at_visit for one in rng.normal(0, errors.visit_sd, 2)]
        true = lesion.rows.get(t)
        if true is None or (true["role"] == "new" and _misses(lesion, t, eye)):
            continue
        row = {**true, "lesion": name, "reader": reader}
        if lesion.target and name.startswith("NT"):
            row = _as_non_target(row)
        elif lesion.target:
            row = row | _measured(lesion, true, t, eye, errs) if t not in eye.unevaluable else _unevaluable(row)
        elif true["role"] == "non-target":
            row |= {"state": _said(true, t, eye)}
            row |= {"change": true.get("change", "") if row["state"] == "progressed" else ""}
        yield row
    if eye.called is not None and t >= eye.called and not any(_is_new(one, t) for one in scans.lesions):
        yield _called(scans, t, eye, reader)


def _is_new(lesion: Lesion, t: int) -> bool:
    return t in lesion.rows and lesion.rows[t]["role"] == "new"


def _misses(lesion: Lesion, t: int, eye: _Eye) -> bool:
    return eye.new_missed and t == min(lesion.rows)


def _as_non_target(row: Row) -> dict[str, Any]:
    """A measurable lesion that is not followed by its size."""
    gone = row["state"] == "absent" or row.get("viable_mm") == "0.0"
    state = "absent" if gone else "not-evaluable" if row["state"] == "not-evaluable" else "present"
    sizes = dict.fromkeys(("longest_mm", "short_mm", "viable_mm", "viable_short_mm"), "")
    return {**row, **sizes, "role": "non-target", "state": state}


def _unevaluable(row: Row) -> dict[str, Any]:
    sizes = dict.fromkeys(("longest_mm", "short_mm", "viable_mm", "viable_short_mm"), "")
    return {**row, **sizes, "state": "not-evaluable"}


def _measured(lesion: Lesion, true: Row, t: int, eye: _Eye, errs: Sequence[float]) -> dict[str, Any]:
    """The sizes of a target with the reader's errors; whoever takes a larger part for viable has the whole at least as large."""
    if true["state"] != "measured":
        return _residual(lesion, true, eye) if not true.get("viable_mm") else {}
    whole = float(true["longest_mm"]) * float(np.exp(eye.whole[lesion.name] + errs[0]))
    if not true.get("viable_mm"):
        return _sizes(whole, None)
    viable = float(true["viable_mm"])
    if viable == 0:
        viable = _left(lesion, eye, "viable_mm")
    elif t and lesion.name in eye.whole_for_viable:
        viable = whole
    else:
        treated = eye.treated[lesion.name] if t else 0.0
        viable *= float(np.exp(eye.viable[lesion.name] + treated + errs[1]))
    return _sizes(max(whole, viable), viable)


def _left(lesion: Lesion, eye: _Eye, column: str) -> float:
    return float(lesion.rows[0][column]) * eye.residual.get(lesion.name, 0.0)


def _residual(lesion: Lesion, true: Row, eye: _Eye) -> dict[str, Any]:
    """A target that is gone, or that the reader still sees."""
    left = _left(lesion, eye, "longest_mm")
    return {"state": "measured", **_sizes(left, None)} if true["state"] == "absent" and left else {}


def _sizes(whole: float, viable: float | None) -> dict[str, str]:
    found = {"longest_mm": f"{whole:.1f}", "short_mm": f"{whole * 0.8:.1f}"}
    if viable is None:
        return found
    return {**found, "viable_mm": f"{viable:.1f}", "viable_short_mm": f"{viable * 0.8:.1f}"}


def _said(true: Row, t: int, eye: _Eye) -> str:
    """The state of a non-target."""
    if true["state"] == "progressed":
        return "present" if eye.non_target_missed else "progressed"
    called = eye.non_target_called is not None and t >= eye.non_target_called
    return "progressed" if called and true["state"] == "present" else str(true["state"])


def _called(scans: Scans, t: int, eye: _Eye, reader: str) -> dict[str, Any]:
    """A new lesion that is none."""
    like = next(iter(scans.lesions)).rows[t]
    kept = {name: like[name] for name in ("subject", "timepoint", "date", "modality", "phase", "slice_thickness_mm")}
    pattern = {"pattern": "typical"} if scans.viable else {}
    sizes = _sizes(eye.called_mm, None)
    row = {"lesion": CALLED, "role": "new", "kind": "lesion", "organ": "liver", "state": "unequivocal"}
    return {**kept, **row, **sizes, **pattern, "reader": reader}
