"""Each pathological series gets its exact verdict, the right step, and slices of one acquisition only; names do not matter."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from build_series import AXIAL, FRAME, ROOT, SPACING, Image, axial, enhanced, rgb, write
from pydicom.uid import MRImageStorage

from mrecist.imaging.scan import scan_folder, scan_to_json
from mrecist.imaging.series import Series, Verdict
from mrecist.imaging.volume import load_volume

# A row of expectation: number of slices, verdict, code, step in mm, stamps in stack order (None: not loadable).
Row = tuple[int, str, str, float | None, list[int] | None]
PHASE_1, PHASE_2 = list(range(12)), list(range(1000, 1012))


def without(images: list[Image], *numbers: int) -> list[Image]:
    return [image for i, image in enumerate(images) if i not in numbers]


def two_phases() -> list[Image]:
    return axial(AcquisitionNumber=1) + axial(phase=1, AcquisitionNumber=2)


def interleaved_times() -> list[Image]:
    """Phases at one second apart a slice, 40 s apart a phase; instance numbers alternate."""
    images = []
    for phase in (0, 1):
        for i, image in enumerate(axial(phase=phase)):
            seconds = 10 + 40 * phase + i * 0.5
            tags = {"AcquisitionTime": f"1200{seconds:09.6f}", "AcquisitionDate": "20200131"}
            images.append(replace(image, number=2 * i + phase + 1, tags=tags))
    return images


def offset_phases() -> list[Image]:
    """The second phase lies half a step beside the first: together they look like a regular stack of 1.5 mm."""
    return axial(AcquisitionNumber=1) + axial(phase=1, start=101.5, AcquisitionNumber=2)


def offset_times() -> list[Image]:
    images = []
    for phase in (0, 1):
        for i, image in enumerate(axial(phase=phase, start=100 + 1.5 * phase)):
            images.append(replace(image, tags={"AcquisitionTime": f"1200{10 + 40 * phase + i * 0.5:09.6f}"}))
    return images


def dixon() -> list[Image]:
    mr = {"SOPClassUID": MRImageStorage, "RescaleSlope": None, "RescaleIntercept": None}
    return axial(EchoTime=2.3, **mr) + axial(phase=1, EchoTime=1.15, **mr)


def duplicate() -> list[Image]:
    images = axial()
    return [*images, replace(images[5], uid=f"{ROOT}.9", number=99)]


def copy() -> list[Image]:
    images = axial()
    same = replace(images[5], uid=f"{ROOT}.9")
    return [*without(images, 5), same, same]


def clash() -> list[Image]:
    """One SOPInstanceUID, one place, two pictures."""
    images = axial()
    return [*without(images, 5), replace(images[5], uid=f"{ROOT}.9"), replace(images[5], uid=f"{ROOT}.9", stamp=500)]


def tilted(degrees: float = 15.0) -> list[Image]:
    angle = math.radians(degrees)
    orientation = [1.0, 0.0, 0.0, 0.0, math.cos(angle), -math.sin(angle)]
    return axial(ImageOrientationPatient=orientation)


def at(positions: list[float]) -> list[Image]:
    return [Image((0.0, 0.0, z), i, i + 1) for i, z in enumerate(positions)]


def localizer_inside() -> list[Image]:
    tags = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"], "ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}
    return [*axial(), Image((0.0, 0.0, 130.0), 0, 99, tags)]


def reformat_inside() -> list[Image]:
    tags = {"ImageType": ["DERIVED", "SECONDARY", "MPR"], "ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}
    return [*axial(), Image((0.0, 20.0, 130.0), 500, 99, tags)]


def map_inside() -> list[Image]:
    tags = {"ImageType": ["DERIVED", "PRIMARY", "PERFUSION", "RCBF"]}
    return [*axial(), Image((0.0, 20.0, 130.0), 500, 99, tags)]


def jitter() -> list[Image]:
    """Positions off by up to 4 µm, cosines by 1e-5, on both sides of a rounding edge."""
    images = []
    for i, image in enumerate(axial()):
        sign = 1 if i % 2 else -1
        x, y, z = image.position
        cosines = [1.0, sign * 1e-5, 0.0, 0.0005 + sign * 1e-5, 1.0, sign * 1e-5]
        images.append(
            replace(
                image, position=(x, y + sign * 4e-6, z + sign * 4e-3 * 1e-3), tags={"ImageOrientationPatient": cosines}
            )
        )
    return images


def unsplittable() -> list[Image]:
    return [replace(i, number=1) for i in axial() + axial(phase=1)]


def second_half(images: list[Image], **tags: object) -> list[Image]:
    return [replace(im, tags={**im.tags, **tags}) if i >= 6 else im for i, im in enumerate(images)]


OK12: Row = (12, "ok", "", 3.0, PHASE_1)
CASES: dict[str, tuple[Callable[[], list[Image]], list[Row]]] = {
    "plain": (axial, [OK12]),
    "reversed instance numbers": (lambda: [replace(i, number=99 - i.number) for i in axial()], [OK12]),
    "identical instance numbers": (lambda: [replace(i, number=1) for i in axial()], [OK12]),
    "missing middle slice": (lambda: without(axial(), 5), [(11, "refused", "MISSING_SLICES", None, None)]),
    "missing two places": (lambda: without(axial(), 3, 7, 8), [(9, "refused", "MISSING_SLICES", None, None)]),
    "two phases by AcquisitionNumber": (two_phases, [OK12, (12, "ok", "", 3.0, PHASE_2)]),
    "two phases by time, interleaved": (interleaved_times, [OK12, (12, "ok", "", 3.0, PHASE_2)]),
    "two phases half a step apart": (offset_phases, [OK12, (12, "ok", "", 3.0, PHASE_2)]),
    "two phases half a step apart by time": (offset_times, [OK12, (12, "ok", "", 3.0, PHASE_2)]),
    "two phases by InstanceNumber only": (lambda: axial() + axial(phase=1), [OK12, (12, "ok", "", 3.0, PHASE_2)]),
    "two phases that nothing tells apart": (unsplittable, [(24, "refused", "DUPLICATE_POSITIONS", None, None)]),
    "Dixon echoes": (dixon, [(12, "ok", "", 3.0, PHASE_2), (12, "ok", "", 3.0, PHASE_1)]),
    "duplicate slice": (duplicate, [OK12]),
    "copied file": (copy, [OK12]),
    "one UID, two pictures": (clash, [(13, "refused", "DUPLICATE_UID", None, None)]),
    "gantry tilt": (tilted, [(12, "in-plane", "TILT", None, PHASE_1)]),
    "irregular 3 and 5 mm": (
        lambda: at([0, 3, 6, 9, 14, 19, 24, 29]),
        [(8, "in-plane", "IRREGULAR_STEP", None, list(range(8)))],
    ),
    "localizer inside": (localizer_inside, [OK12, (1, "refused", "LOCALIZER", None, None)]),
    "reformat inside": (reformat_inside, [OK12, (1, "in-plane", "SINGLE_SLICE", None, [500])]),
    "perfusion map inside": (map_inside, [OK12, (1, "refused", "DERIVED", None, None)]),
    "RGB save inside": (
        lambda: [*axial(), rgb((0.0, 0.0, 150.0), 99)],
        [OK12, (1, "refused", "NOT_GREYSCALE", None, None)],
    ),
    "float jitter": (jitter, [OK12]),
    "positions to one decimal": (lambda: at([0, 0.6, 1.3, 1.9, 2.5, 3.1, 3.8]), [(7, "ok", "", 0.625, list(range(7)))]),
    "pixel spacing changes": (
        lambda: second_half(axial(), PixelSpacing=[0.9, 0.7]),
        [(6, "ok", "", 3.0, PHASE_1[:6]), (6, "ok", "", 3.0, PHASE_1[6:])],
    ),
    "two frames of reference": (
        lambda: second_half(axial(), FrameOfReferenceUID=f"{FRAME}.7"),
        [(6, "ok", "", 3.0, PHASE_1[:6]), (6, "ok", "", 3.0, PHASE_1[6:])],
    ),
    "MONOCHROME1": (lambda: axial(PhotometricInterpretation="MONOCHROME1"), [OK12]),
    "no position": (lambda: axial(ImagePositionPatient=None), [(12, "refused", "NO_GEOMETRY", None, None)]),
    "single slice": (lambda: axial(1), [(1, "in-plane", "SINGLE_SLICE", None, [0])]),
    "far apart": (lambda: axial(SliceThickness=1.5), [(12, "in-plane", "SPARSE", None, PHASE_1)]),
}


def rows_of(series: tuple[Series, ...]) -> list[Row]:
    rows: list[Row] = []
    for item in series:
        step = item.geometry.slice_step_mm if item.geometry else None
        stamps = None
        if item.verdict is not Verdict.REFUSED:
            voxels = load_volume(item).voxels
            assert np.all(voxels == voxels[:, :1, :1]), "a plane holds more than one stamp"
            offset = 1024 if item.modality == "MR" else 0  # MR is built without a rescale, so it holds stored values
            stamps = [round(float(v)) - offset for v in voxels[:, 0, 0]]
        rows.append((len(item.slices), item.verdict.value, item.verdict_code, step, stamps))
    return rows


@pytest.mark.parametrize("seed", [None, 1, 2])
@pytest.mark.parametrize("case", CASES)
def test_verdict(case: str, seed: int | None, tmp_path: Path) -> None:
    build, expected = CASES[case]
    write(tmp_path / "study", build(), seed=seed)
    scan = scan_folder(tmp_path)
    found = rows_of(scan.series)
    assert [r[:3] for r in found] == [r[:3] for r in expected]
    assert [r[4] for r in found] == [r[4] for r in expected]
    for (*_, step, _), (*_, wanted, _) in zip(found, expected, strict=True):
        assert step == (
            None if wanted is None else pytest.approx(wanted, abs=1e-4 if case != "positions to one decimal" else 0.01)
        )
    assert scan.problems == ()
    for series in scan.series:
        assert (series.verdict_text == "") == (series.verdict is Verdict.OK)
        if series.verdict is not Verdict.OK and series.geometry is not None:
            assert series.geometry.voxel_volume_mm3 is None


def test_geometry_is_that_of_the_headers(tmp_path: Path) -> None:
    write(tmp_path, axial(), seed=3)
    (series,) = scan_folder(tmp_path).series
    geometry = series.geometry
    assert geometry is not None
    assert geometry.shape == (12, 6, 8)
    assert (geometry.row_spacing_mm, geometry.column_spacing_mm) == SPACING
    assert geometry.to_lps(2, 1, 3) == pytest.approx((-50 + 3 * 0.7, -60 + 0.8, 106.0))
    assert [s.position_lps[2] for s in series.slices] == [100 + 3 * i for i in range(12)]
    assert len({s.sop_instance_uid for s in series.slices}) == 12


def test_numbers_in_the_verdict_texts(tmp_path: Path) -> None:
    write(tmp_path / "a", without(axial(), 5))
    assert scan_folder(tmp_path / "a").series[0].verdict_text == (
        "1 slice missing between 112.00 and 118.00 mm (step 3.00 mm); re-export the series"
    )
    write(tmp_path / "b", tilted(15.0))
    assert "sheared by 15.0 degrees" in scan_folder(tmp_path / "b").series[0].verdict_text
    write(tmp_path / "c", at([0, 3, 6, 11, 16]))
    assert "from 3.00 to 5.00 mm over 5 slices" in scan_folder(tmp_path / "c").series[0].verdict_text
    write(tmp_path / "d", unsplittable())
    assert "24 slices at 12 positions, 12 of them taken more than once" in (
        scan_folder(tmp_path / "d").series[0].verdict_text
    )


@pytest.mark.parametrize(
    ("build", "note"),
    [
        (duplicate, "dropped 1 exact duplicate slice"),
        (copy, "dropped 1 exact duplicate slice"),
        (two_phases, "split 1 of 2 by AcquisitionNumber"),
        (interleaved_times, "split 1 of 2 by AcquisitionTime"),
        (lambda: axial(SliceThickness=5.0), "overlapping slices: 5 mm thick every 3.00 mm"),
        (lambda: axial(SliceThickness=2.5), "gaps between slices: 2.5 mm thick every 3.00 mm"),
        (reformat_inside, None),
    ],
)
def test_what_was_done_is_noted(build: Callable[[], list[Image]], note: str | None, tmp_path: Path) -> None:
    write(tmp_path, build())
    assert scan_folder(tmp_path).series[0].notes == (() if note is None else (note,))


def test_blank_slices_of_two_phases_are_not_taken_for_duplicates(tmp_path: Path) -> None:
    """The first two slices of both phases are the same air; dropping them would leave a phase without its ends."""
    images = [replace(im, stamp=0) if i % 12 < 2 else im for i, im in enumerate(interleaved_times())]
    write(tmp_path, [replace(im, uid=f"{ROOT}.5.{i + 1}") for i, im in enumerate(images)])
    assert [(len(s.slices), s.verdict) for s in scan_folder(tmp_path).series] == [(12, Verdict.OK)] * 2


def test_one_series_uid_in_two_patients_is_two_stacks(tmp_path: Path) -> None:
    write(tmp_path, second_half(axial(), PatientID="P2"))
    assert [(s.patient_id, len(s.slices)) for s in scan_folder(tmp_path).series] == [("P1", 6), ("P2", 6)]


def test_mr_acquisitions_that_interleave_by_design_stay_one_stack(tmp_path: Path) -> None:
    tags = {"SOPClassUID": MRImageStorage}
    images = [replace(im, tags={**tags, "AcquisitionNumber": 1 + i % 2}) for i, im in enumerate(axial())]
    write(tmp_path, images)
    assert [(len(s.slices), s.verdict) for s in scan_folder(tmp_path).series] == [(12, Verdict.OK)]


class TestEnhancedMultiFrame:
    def scan(self, folder: Path, z: list[float], acquisitions: list[int], stamps: list[int]) -> tuple[Series, ...]:
        enhanced([(0.0, 0.0, v) for v in z], acquisitions, stamps).save_as(folder / "mf", enforce_file_format=True)
        return scan_folder(folder).series

    def test_two_phases_are_two_stacks_with_their_own_frames(self, tmp_path: Path) -> None:
        z = [float(3 * (i // 2)) for i in range(24)]
        stamps = [1000 * (i % 2) + i // 2 for i in range(24)]
        series = self.scan(tmp_path, z, [1 + i % 2 for i in range(24)], stamps)
        assert rows_of(series) == [OK12, (12, "ok", "", 3.0, PHASE_2)]
        assert [s.frame for s in series[0].slices] == list(range(0, 24, 2))

    def test_frames_in_any_order_are_sorted_by_position(self, tmp_path: Path) -> None:
        order = [5, 0, 3, 1, 4, 2]
        series = self.scan(tmp_path, [3.0 * i for i in order], [1] * 6, order)
        assert rows_of(series) == [(6, "ok", "", 3.0, list(range(6)))]

    def test_irregular_step_is_in_plane_only(self, tmp_path: Path) -> None:
        series = self.scan(tmp_path, [0.0, 3.0, 6.0, 11.0, 16.0], [1] * 5, list(range(5)))
        assert rows_of(series) == [(5, "in-plane", "IRREGULAR_STEP", None, list(range(5)))]

    def test_missing_frame(self, tmp_path: Path) -> None:
        series = self.scan(tmp_path, [0.0, 3.0, 9.0, 12.0], [1] * 4, list(range(4)))
        assert rows_of(series) == [(4, "refused", "MISSING_SLICES", None, None)]


def test_oblique_stack_is_ordered_along_its_own_normal(tmp_path: Path) -> None:
    """Coronal slices: row direction x, column direction -z, so the normal is y."""
    images = [
        Image(
            (0.0, 5.0 - 2.0 * i, 0.0), i, i + 1, {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1], "SliceThickness": 2.0}
        )
        for i in range(5)
    ]
    write(tmp_path, images, seed=4)
    (series,) = scan_folder(tmp_path).series
    assert series.verdict is Verdict.OK
    assert [s.position_lps[1] for s in series.slices] == [-3.0, -1.0, 1.0, 3.0, 5.0]
    assert series.geometry is not None
    assert series.geometry.normal == pytest.approx([0.0, 1.0, 0.0])


def test_json_holds_every_series_and_plain_values_only(tmp_path: Path) -> None:
    import json

    write(tmp_path, localizer_inside())
    data = json.loads(json.dumps(scan_to_json(scan_folder(tmp_path))))
    assert [(s["slices"], s["verdict"], s["stack"], s["stacks"]) for s in data["series"]] == [
        (12, "ok", 1, 2),
        (1, "refused", 2, 2),
    ]
    assert data["series"][0]["geometry"]["shape"] == [12, 6, 8]
    assert AXIAL[:3] == tuple(data["series"][0]["geometry"]["row_direction"])
