"""What there is to read in a simulated subject: its lesions as its own rows have them, and further ones that it was not measured by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zlib import crc32

import numpy as np

from mrecist.samples.cohort.subject import Subject
from mrecist.samples.readers.errors import Errors

SMALLER = (0.5, 1.0)
LEAST_MM = 15.0
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """A true lesion: its rows by time point. ``target`` says that it is large enough to be one."""

    name: str
    target: bool
    organ: str
    rows: Mapping[int, Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scans:
    """What a reader is shown of a subject: its visits with their dates, and what is truly there."""

    subject: str
    dates: Mapping[int, date]
    lesions: tuple[Lesion, ...]
    viable: bool


def numbers(seed: int, *names: str) -> np.random.Generator:
    """Random numbers that depend on the seed and these names only."""
    return np.random.default_rng((seed, *(crc32(name.encode()) for name in names)))


def scans_of(subject: Subject, study: str, errors: Errors, seed: int) -> Scans:
    """The subject's own lesions, and in a share of subjects one or two further ones in the liver."""
    by_name: dict[str, dict[int, Row]] = {}
    for row in subject.measurements:
        by_name.setdefault(row["lesion"], {})[row["timepoint"]] = row
    own = [_lesion(name, rows) for name, rows in by_name.items()]
    return Scans(
        subject=subject.name,
        dates={row["timepoint"]: row["date"] for row in subject.measurements},
        lesions=(*own, *_further(by_name["T01"], errors, numbers(seed, "lesions", study, subject.name))),
        viable=any(row.get("viable_mm") for row in subject.measurements),
    )


def _lesion(name: str, rows: Mapping[int, Row]) -> Lesion:
    first = next(iter(rows.values()))
    return Lesion(name=name, target=first["role"] == "target", organ=first["organ"], rows=rows)


def _further(first: Mapping[int, Row], errors: Errors, rng: np.random.Generator) -> Iterator[Lesion]:
    if rng.random() >= errors.more_lesions:
        return
    for number in range(1, int(rng.integers(1, 3)) + 1):
        share = float(rng.uniform(*SMALLER))
        share = max(share, LEAST_MM / float(first[0]["viable_mm" if first[0].get("viable_mm") else "longest_mm"]))
        differs = float(np.exp(rng.normal(0, errors.more_lesions_differ_sd)))
        rows = {t: _scaled(row, share * (differs if t else 1.0), f"M{number:02}") for t, row in first.items()}
        yield Lesion(name=f"M{number:02}", target=True, organ="liver", rows=rows)


def _scaled(row: Row, share: float, name: str) -> Row:
    """The row of a lesion that is some share as large; the treatment before the study is that of the first one."""
    sizes = ("longest_mm", "short_mm", "viable_mm", "viable_short_mm")
    return {**row, "lesion": name, **{n: f"{float(row[n]) * share:.1f}" for n in sizes if row.get(n)}}


def targets_of(lesions: Sequence[Lesion]) -> list[Lesion]:
    """Those large enough to be targets."""
    return [one for one in lesions if one.target]
