"""Random series of one to three volumes: a usable stack never holds slices of two, and no slice is lost.

Two volumes that fill one another's gaps evenly, with no tag that differs, are a reconstruction with overlap as far as any header
tells; only such series are left out of the claim.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from mrecist.imaging.records import FrameRecord
from mrecist.imaging.series import Verdict
from mrecist.imaging.stacks import build_stacks

TELLING = ("acquisition", "time", "temporal", "kernel", "acquisition and time")
PLAIN: dict[str, Any] = {
    **dict.fromkeys(("sop_class_uid", "description", "protocol_name", "stack_id", "kernel", "contrast_agent"), ""),
    **dict.fromkeys(
        ("frame", "subject_id", "timepoint_id", "temporal_position", "trigger_time", "echo_time", "b_value")
    ),
    **dict.fromkeys(("gradient", "kvp", "energy_kev", "cycle_percent", "concatenation", "acquisition_seconds")),
    **dict.fromkeys(("content_seconds", "contrast_start_seconds", "reject")),
    "path": Path("x"),
    "study_uid": "1",
    "series_uid": "2",
    "series_number": "1",
    "frame_of_reference_uid": "3",
    "patient_id": "P",
    "photometric": "MONOCHROME2",
    "image_type": ("ORIGINAL", "PRIMARY", "AXIAL"),
    "dates": (),
    "rows": 4,
    "columns": 4,
    "orientation": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    "spacing": (1.0, 1.0),
    "rescaled": True,
    "acquisition_number": 1,
    "instance_number": 1,
}


@dataclass(frozen=True)
class Drawn:
    """A random series: its slices, named ``volume.index``, and what tells its volumes apart."""

    records: list[FrameRecord]
    tag: str


def series_of(rng: random.Random) -> Drawn:
    modality, tag = rng.choice(("CT", "CT", "MR")), rng.choice((*TELLING, "nothing"))
    step = rng.choice((1.0, 3.0, 5.0))
    thickness = step * rng.choice((0.8, 1.0, 1.0, 1.5, 2.0))
    offset = step * rng.choice((0.0, 0.0, 0.5, 1 / 3, 0.4, 1.0, 4.0))
    numbering = rng.choice(("blocks", "one", "alternating"))
    records = []
    for volume in range(rng.choice((1, 2, 2, 3))):
        count = rng.choice((6, 8, 8, 10))
        missing = rng.sample(range(count), rng.choice((0, 0, 0, 1, 2)))
        for index in sorted(set(range(count)) - {*missing}):
            number = {"one": 1, "blocks": 100 * volume + index, "alternating": 3 * index + volume}[numbering]
            values = PLAIN | {"position": (0.0, 0.0, volume * offset + index * step), "slice_thickness_mm": thickness}
            values |= {"modality": modality, "sop_instance_uid": f"{volume}.{index}", "instance_number": number}
            values |= {"acquisition_number": volume + 1} if "acquisition" in tag else {}
            values |= {"acquisition_seconds": 40.0 * volume + 0.4 * index} if "time" in tag else {}
            values |= {"temporal_position": volume + 1} if tag == "temporal" else {}
            values |= {"kernel": f"B{volume}"} if tag == "kernel" else {}
            records.append(FrameRecord(**values))
    if rng.random() < 0.25:
        records.append(replace(rng.choice(records), sop_instance_uid="9.9", instance_number=999))
    rng.shuffle(records)
    return Drawn(records=records, tag=tag)


def volumes_in(records: tuple[FrameRecord, ...]) -> set[str]:
    return {r.sop_instance_uid.split(".")[0] for r in records} - {"9"}


@pytest.mark.parametrize("start", range(0, 750, 250))
def test_no_usable_stack_holds_two_volumes(start: int) -> None:
    told = 0
    for seed in range(start, start + 250):
        rng = random.Random(seed)
        drawn = series_of(rng)
        stacks = build_stacks(drawn.records, lambda a, b: a.sop_instance_uid == b.sop_instance_uid)
        assert sorted(r.sop_instance_uid for s in stacks for r in s.records) == sorted(
            r.sop_instance_uid for r in drawn.records
        )
        shuffled = rng.sample(drawn.records, len(drawn.records))
        assert build_stacks(shuffled, lambda a, b: a.sop_instance_uid == b.sop_instance_uid) == stacks
        if drawn.tag in TELLING:
            told += 1
            mixed = [s for s in stacks if s.verdict is not Verdict.REFUSED and len(volumes_in(s.records)) > 1]
            end_to_end = [s for s in mixed if not _between(s.records)]
            assert mixed == end_to_end, (seed, drawn.tag, [s.code for s in mixed])
    assert told > 150


def _between(records: tuple[FrameRecord, ...]) -> bool:
    """Whether slices of one volume lie between those of another; volumes end to end are one stack unless a pause parts them."""
    names = [r.sop_instance_uid.split(".")[0] for r in records if not r.sop_instance_uid.startswith("9")]
    return sum(a != b for a, b in itertools.pairwise(names)) >= len(set(names))
