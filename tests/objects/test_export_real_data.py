"""A real CT with two large tumours and sparse headers (3D-IRCADb-01 case 17), from masks to segmentation and report.

Expected sizes are those of its PROVENANCE.md: 85.6 and 78.6 ml; 65.0 and 77.6 mm from centre to centre of the border pixels.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from command_line import run
from nifti_study import label_file
from sr_content import LONG, VOLUME, lines_of, numbers_of, of_lesion, report
from test_export_seg import dciodvfy_errors

from mrecist.imaging.masks import read_segmentation
from mrecist.imaging.scan import scan_folder

PIXEL_MM = 0.743


def test_masks_of_a_real_ct_become_a_segmentation_and_a_report(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "study"
    for name, folder in (("PATIENT_DICOM.zip", study / "images"), ("MASKS_DICOM.zip", tmp_path / "drawn")):
        with zipfile.ZipFile(shared_data / "ircad01_case17" / name) as opened:
            opened.extractall(folder)
    (study / "masks").mkdir()
    (study / "reads").mkdir()
    (series,) = scan_folder(study / "images").series
    assert series.geometry is not None
    labels = np.zeros(series.geometry.shape, dtype=np.uint8)
    for number in (1, 2):
        for index, one in enumerate(series.slices):
            (mask,) = (tmp_path / "drawn").rglob(f"livertumor{number}/{one.path.name}")
            labels[index][pydicom.dcmread(mask, force=True).pixel_array > 0] = number
    label_file(study / "masks" / "l.nii.gz", labels, series, "y")
    # The images name no subject, and their phase is venous: nothing of mRECIST is asked of them here.
    (study / "series.csv").write_text(f"series_uid,subject,timepoint,by\n{series.uid},IR17,0,test\n")
    (study / "masks" / "masks.csv").write_text(
        f"subject,timepoint,series_uid,lesions,viable\nIR17,0,{series.uid},l.nii.gz,\n"
    )
    (study / "reads" / "r.csv").write_text(
        "subject,timepoint,date,lesion,role,organ,state\n"
        + "".join(f"IR17,0,{series.date},{number},target,liver,measured\n" for number in (1, 2))
    )
    assert run("score", study, "--criterion", "recist11", "--out", tmp_path / "scored") == 0
    assert run("export", "seg", study, "--out", tmp_path / "seg") == 0
    assert "has no FrameOfReferenceUID; one was made" in capsys.readouterr().err
    assert (
        run("export", "sr", tmp_path / "scored", "--images", study, "--seg", tmp_path / "seg", "--out", tmp_path / "sr")
        == 0
    )

    segmentation = tmp_path / "seg" / "IR17" / "seg_R1_0.dcm"
    for path in (segmentation, tmp_path / "sr" / "IR17" / "sr_R1_0.dcm"):
        assert dciodvfy_errors(path) == []
    masks = {mask.lesion: mask for mask in read_segmentation(segmentation, [series]).masks}
    assert all(np.array_equal(masks[str(number)].whole, labels == number) for number in (1, 2))
    dataset = report(tmp_path / "sr", "IR17/0")
    for lesion, diameter, volume in (("1", 65.0, 85.6), ("2", 77.6, 78.6)):
        numbers = {name: value for group in of_lesion(dataset, lesion) for name, value in numbers_of(group).items()}
        assert numbers[LONG] == pytest.approx(diameter, abs=PIXEL_MM)
        assert numbers[VOLUME] / 1000 == pytest.approx(volume, abs=0.05)
    assert len(list(lines_of(tmp_path / "sr"))) == 4
