"""Damaged reports, structure sets and annotations: a result or one line, never another exception. Seeds are kept."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from build_report import LONG, SHORT, VOLUME, Group, Num, by_highdicom
from build_seg import Part, write_seg
from build_series import axial, write
from build_structure_set import Region, write_structure_set
from test_import_annotations import aim, annotation, calculation, markup, statement

from mrecist.errors import MrecistError
from mrecist.imaging.contours import read_masks
from mrecist.imaging.scan import scan_folder
from mrecist.importing import Asked, import_annotations, import_reports

ROUNDS = 60


def damaged(content: bytes, seed: int) -> bytes:
    """One to eight bytes changed, and every third time the end cut off."""
    rng = random.Random(seed)
    changed = bytearray(content)
    for _ in range(rng.randint(1, 8)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed[: rng.randrange(len(changed))] if seed % 3 == 0 else changed)


@pytest.mark.parametrize("kind", ["report", "structure set", "segmentation", "annotation"])
@pytest.mark.filterwarnings("ignore")
def test_damage_is_one_line(kind: str, tmp_path: Path) -> None:
    images = write(tmp_path / "ct", axial(5))
    series = scan_folder(tmp_path / "ct").series
    square = np.array([[-48.6, -59.2, 106.0], [-46.5, -59.2, 106.0], [-46.5, -57.6, 106.0], [-48.6, -57.6, 106.0]])
    mask = np.zeros((5, 6, 8), dtype=bool)
    mask[1:3, 2:4, 3:6] = True
    line = Num(LONG, 4.1, ends=[(1, 1), (5, 5)], image=images[1])
    group = Group("T01", [line, Num(SHORT, 3), Num(VOLUME, 9, ("mm3", "UCUM", "mm3"))])
    parts = [calculation("1.1", "41.2"), markup("2.1", (1, 1), (4, 5)), statement("1.1", "2.1")]
    path = {
        "report": lambda: by_highdicom(tmp_path / "a.dcm", images, [group], "0"),
        "structure set": lambda: write_structure_set(
            tmp_path / "a.dcm", images, [Region("T01", [(images[2], square)])]
        ),
        "segmentation": lambda: write_seg(tmp_path / "a.dcm", images, [Part(mask)]),
        "annotation": lambda: aim(tmp_path / "a.xml", annotation("T01", *parts)),
    }[kind]()
    content, outcomes = path.read_bytes(), {"read": 0, "refused": 0}
    for seed in range(ROUNDS):
        path.write_bytes(damaged(content, seed))
        if kind in ("report", "annotation"):
            read = import_reports if kind == "report" else import_annotations
            done = read([path], Asked(timepoint=0))
            outcomes["read" if done.rows else "refused"] += 1
            assert all("\n" not in problem.message for problem in done.problems)
            continue
        said = ""
        try:
            read_masks(path, series)
        except MrecistError as error:
            said = str(error)
        assert "\n" not in said
        outcomes["refused" if said else "read"] += 1
    assert all(outcomes.values()), outcomes  # the damage was neither harmless nor always fatal
