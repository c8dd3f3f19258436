"""Reports and segmentations on MR, multi-frame and sparse images, with names as other programs write them, and all criteria."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pydicom
import pytest
from build_series import axial, enhanced, write
from command_line import run
from pydicom.uid import MRImageStorage
from sr_content import code, groups, items, response
from test_export_seg import dciodvfy_errors

from mrecist.errors import InputError
from mrecist.imaging.scan import scan_folder
from mrecist.model import Measurement, Role, State
from mrecist.objects.identity import image_header
from mrecist.objects.lines import line_on_image
from mrecist.objects.measurement_report import Report, write_report
from mrecist.objects.report_groups import ReportedLesion, Visit


def mr(folder: Path) -> None:
    write(folder, axial(5, SOPClassUID=MRImageStorage))


def multiframe(folder: Path) -> None:
    positions = [(-50.0, -60.0, 100.0 + 3 * i) for i in range(5)]
    enhanced(positions, [1] * 5, list(range(5))).save_as(folder / "e.dcm", enforce_file_format=True)


def no_thickness(folder: Path) -> None:
    write(folder, axial(5, SliceThickness=None))


def no_patient(folder: Path) -> None:
    """De-identification that deletes what it should have emptied; the date stays."""
    write(folder, axial(5, PatientName=None, PatientBirthDate=None, StudyTime=None, AccessionNumber=None, StudyID=None))


def report_on(folder: Path, reader: str = "Doe^Jane", lesion: str = "segment 4\\ left") -> tuple[bytes, Any]:
    """A report with one line from pixel (row 1, column 1) to (3, 4) of the third slice, and the image."""
    (series,) = scan_folder(folder).series
    geometry = series.geometry
    assert geometry is not None
    ends = [geometry.to_lps(2, 1, 1), geometry.to_lps(2, 3, 4)]
    one = series.slices[2]
    line = line_on_image(ends, math.dist(*ends), image_header(one.path), one.frame, geometry, 2)
    row = Measurement(
        subject="P1",
        timepoint=0,
        date=date(2020, 1, 31),
        reader=reader,
        lesion=lesion,
        role=Role.TARGET,
        state=State.MEASURED,
        longest_mm=Decimal("2.6"),
        organ="lung",
    )
    reported = ReportedLesion(row=row, tracking_uid="2.25.5", lines={"longest": line})
    visit = Visit(subject="P1", timepoint=0)
    report = Report(
        visit=visit,
        reader=reader,
        day=row.date,
        lesions=[reported],
        responses=[],
        image=line.image,
        modality=series.modality,
    )
    return write_report(report), line.image


@pytest.mark.parametrize("make", [mr, multiframe, no_thickness, no_patient])
def test_a_line_on_an_odd_image(make: Callable[[Path], None], tmp_path: Path) -> None:
    """Spacing is 0.8 mm between rows and 0.7 mm between columns: 2 rows and 3 columns are 2.640 mm."""
    images = tmp_path / "images"
    images.mkdir()
    make(images)
    content, image = report_on(images)
    path = tmp_path / "sr.dcm"
    path.write_bytes(content)
    assert dciodvfy_errors(path) == []
    dataset = pydicom.dcmread(path)
    (group,) = groups(dataset)
    ((name, number),) = items(group, "NUM")
    assert name == ("103339001", "SCT")
    assert float(number.MeasuredValueSequence[0].NumericValue) == pytest.approx(math.hypot(2 * 0.8, 3 * 0.7), abs=1e-5)
    (line,) = number.ContentSequence
    assert list(line.GraphicData) == pytest.approx([1.5, 1.5, 4.5, 3.5], abs=1e-5)
    reference = line.ContentSequence[0].ReferencedSOPSequence[0]
    assert reference.ReferencedSOPInstanceUID == image.SOPInstanceUID
    assert reference.get("ReferencedFrameNumber") == (3 if make is multiframe else None)
    procedure = next(i for i in dataset.ContentSequence if code(i.ConceptNameCodeSequence)[0] == "121058")
    assert procedure.ConceptCodeSequence[0].CodeValue == ("25056-3" if make is mr else "25045-6")


def test_an_end_off_its_slice_is_refused(tmp_path: Path) -> None:
    write(tmp_path, axial(5))
    (series,) = scan_folder(tmp_path).series
    assert series.geometry is not None
    ends = [series.geometry.to_lps(2, 1, 1), series.geometry.to_lps(3, 3, 4)]
    with pytest.raises(InputError, match=r"lies 3\.00 mm off that slice"):
        line_on_image(ends, 1.0, image_header(series.slices[2].path), None, series.geometry, 2)


@pytest.mark.parametrize("reader", ["a\\b", "a=b", "x" * 65])
def test_a_reader_that_is_no_name_is_refused(reader: str, tmp_path: Path) -> None:
    write(tmp_path, axial(5))
    with pytest.raises(InputError, match="the reader's id cannot be a DICOM name"):
        report_on(tmp_path, reader)


ALL = ("recist11", "mrecist", "irecist", "easl", "qeasl", "vrecist", "choi")


def test_every_criterion_has_its_group(sample: Path, scored: Path, tmp_path: Path) -> None:
    """From what ``assess`` wrote: there are no lines, because nothing says where a size was measured."""
    criteria = [argument for name in ALL for argument in ("--criterion", name)]
    assert run("assess", scored / "measurements.csv", *criteria, "--out", tmp_path / "assessed") == 0
    assert run("export", "sr", tmp_path / "assessed", "--images", sample, "--out", tmp_path / "sr") == 0
    path = tmp_path / "sr" / "SAMPLE-04" / "sr_R1_2.dcm"
    assert dciodvfy_errors(path) == []
    dataset = pydicom.dcmread(path)
    units = {}
    for name in ALL:
        group = response(dataset, name)
        units[name] = {
            number.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue
            for concept, number in items(group, "NUM")
            if concept == ("112051", "DCM")
        }
        values = {code(item.ConceptCodeSequence) for concept, item in items(group, "CODE")}
        # CID 6143 is defined with 30 % and 20 % of a sum of diameters.
        standard = {value for value, scheme in values if scheme == "DCM" and value.startswith("1120")}
        assert bool(standard - {"112020"}) == (name in ("recist11", "mrecist")), name
    other = {"easl": "mm2", "qeasl": "mm3", "vrecist": "mm3"}
    assert units == {name: {other.get(name, "mm")} for name in ALL}
