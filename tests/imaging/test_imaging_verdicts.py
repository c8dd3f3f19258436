"""Each pathological series gets its exact verdict, the right step, and slices of one acquisition only; names do not matter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from build_forms import FORMS, Where, write_form
from build_series import AXIAL, ROOT, SPACING, Image, axial, write
from pathological import CASES, LISTED, LOCALIZER, Row, extra, interleaved_times
from pydicom.uid import MRImageStorage, RTDoseStorage

from mrecist.errors import SeriesError
from mrecist.imaging.scan import scan_folder, scan_to_json
from mrecist.imaging.series import Series, Verdict
from mrecist.imaging.volume import load_volume


def rows_of(series: tuple[Series, ...], where: Where) -> list[Row]:
    """What was found; every plane that loads is held to the slice that it says it is."""
    rows: list[Row] = []
    for item in series:
        step = item.geometry.slice_step_mm if item.geometry else None
        stamps = None
        if item.verdict is not Verdict.REFUSED:
            voxels = load_volume(item).voxels
            assert np.all(voxels == voxels[:, :1, :1]), "a plane holds more than one stamp"
            offset = 1024 if item.modality == "MR" else 0  # MR is built without a rescale, so it holds stored values
            stamps = [round(float(v)) - offset for v in voxels[:, 0, 0]]
            assert [where[s.sop_instance_uid, s.frame] for s in item.slices] == stamps
        else:
            with pytest.raises(SeriesError, match=item.verdict_code):
                load_volume(item)
        rows.append((len(item.slices), item.verdict.value, item.verdict_code, step, stamps))
    return rows


@pytest.mark.parametrize(("name", "form"), [(name, form) for name, case in CASES.items() for form in case.forms])
def test_verdict(name: str, form: str, tmp_path: Path) -> None:
    """The same in order and in shuffled order of files and frames, under names that say nothing."""
    case = CASES[name]
    for seed in (None, 1):
        folder = tmp_path / str(seed)
        where = write_form(folder, case.build(), form, seed)
        scan = scan_folder(folder)
        assert scan.problems == ()
        found, expected = rows_of(scan.series, where), case.rows
        if form != "CT":  # the order of stacks that no time tells apart is that of their UIDs
            found, expected = sorted(found, key=str), sorted(expected, key=str)
        assert [r[:3] + r[4:] for r in found] == [r[:3] + r[4:] for r in expected]
        for (*_, step, _), (*_, wanted, _) in zip(found, expected, strict=True):
            assert step == (None if wanted is None else pytest.approx(wanted, abs=0.01 if wanted < 1 else 1e-4))
        said = [text for series in scan.series for text in (series.verdict_text, *series.notes)]
        assert any(case.said in text for text in said) or not case.said
        for series in scan.series:
            assert (series.verdict_text == "") == (series.verdict is Verdict.OK)
            if series.verdict is not Verdict.OK and series.geometry is not None:
                assert series.geometry.voxel_volume_mm3 is None


def test_every_case_is_built_in_some_form() -> None:
    assert len(LISTED) >= 24
    assert all(case.forms and set(case.forms) <= set(FORMS) for case in CASES.values())


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


def test_blank_slices_of_two_phases_are_not_taken_for_duplicates(tmp_path: Path) -> None:
    """The first two slices of both phases are the same air; dropping them would leave a phase without its ends."""
    images = [replace(im, stamp=0) if i % 12 < 2 else im for i, im in enumerate(interleaved_times())]
    write(tmp_path, [replace(im, uid=f"{ROOT}.5.{i + 1}") for i, im in enumerate(images)])
    assert [(len(s.slices), s.verdict) for s in scan_folder(tmp_path).series] == [(12, Verdict.OK)] * 2


def test_mr_acquisitions_that_interleave_by_design_stay_one_stack(tmp_path: Path) -> None:
    tags = {"SOPClassUID": MRImageStorage}
    images = [replace(im, tags={**tags, "AcquisitionNumber": 1 + i % 2}) for i, im in enumerate(axial())]
    write(tmp_path, images)
    assert [(len(s.slices), s.verdict) for s in scan_folder(tmp_path).series] == [(12, Verdict.OK)]


def test_a_dose_distribution_is_no_series(tmp_path: Path) -> None:
    write(
        tmp_path,
        [*axial(), replace(axial(1)[0], tags={"SOPClassUID": RTDoseStorage, "Modality": "RTDOSE"}, uid=f"{ROOT}.9")],
    )
    scan = scan_folder(tmp_path)
    assert [(len(s.slices), s.verdict) for s in scan.series] == [(12, Verdict.OK)]
    assert [kind for _, kind in scan.others] == ["RT"]


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

    write(tmp_path, extra((0.0, 0.0, 130.0), 0, **LOCALIZER))
    data = json.loads(json.dumps(scan_to_json(scan_folder(tmp_path))))
    assert [(s["slices"], s["verdict"], s["stack"], s["stacks"]) for s in data["series"]] == [
        (12, "ok", 1, 2),
        (1, "refused", 2, 2),
    ]
    assert data["series"][0]["geometry"]["shape"] == [12, 6, 8]
    assert AXIAL[:3] == tuple(data["series"][0]["geometry"]["row_direction"])
