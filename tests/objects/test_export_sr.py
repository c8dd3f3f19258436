"""``export sr``: what dciodvfy, dcmqi, dsrdump and a plain reading of the attributes find in the reports.

Expected values come from what ``score`` wrote (whose sizes are checked against the analytic truth of the phantoms elsewhere), from
``sample_data/truth`` for the responses, and from the images and segmentations themselves for the lines.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from math import dist
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from sr_content import (
    LONG,
    NAMES,
    SHORT,
    VIABLE,
    VIABLE_SHORT,
    VOLUME,
    Code,
    codes_of,
    groups,
    items,
    lines_of,
    numbers_of,
    of_lesion,
    report,
    response,
    rows,
    texts_of,
    tracking_uid,
    value,
    visits,
)
from test_export_seg import dciodvfy_errors, program

from mrecist.imaging.masks import read_segments
from mrecist.imaging.series import Series
from mrecist.samples.build import sample_data_path


@pytest.fixture(scope="session")
def images(sample: Path) -> dict[str, Any]:
    """SOPInstanceUID -> header of every image of the sample."""
    found = (pydicom.dcmread(path, stop_before_pixels=True) for path in (sample / "images").rglob("*.dcm"))
    return {str(one.SOPInstanceUID): one for one in found}


@pytest.fixture(scope="session")
def drawings(scored: Path) -> dict[tuple[str, str], dict[str, Any]]:
    found = json.loads((scored / "measurements.json").read_text(encoding="utf-8"))
    return {(f"{d['subject']}/{d['timepoint']}", d["lesion"]): d for d in found}


# --- by others -------------------------------------------------------------------------------------------------------


def test_dciodvfy_finds_no_error(reports: Path) -> None:
    files = sorted(reports.rglob("*.dcm"))
    assert len(files) == 17
    assert {str(path): dciodvfy_errors(path) for path in files if dciodvfy_errors(path)} == {}


def test_dsrdump_prints_every_report(reports: Path) -> None:
    found = shutil.which("dsrdump")
    if found is None:
        pytest.skip("dsrdump (Debian package dcmtk) is not on this machine")
    for path in sorted(reports.rglob("*.dcm")):
        done = subprocess.run([found, "+Pl", str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0
        # DCMTK 3.6.7 cannot check value representations in UTF-8 and says so; nothing else may be said.
        said = [line for line in done.stderr.splitlines() if "VR checker does not support" not in line]
        assert said == []
        assert "Overall response at this visit" in done.stdout or path.stem.endswith("_0")


@pytest.mark.parametrize("visit", ["SAMPLE-01/0", "SAMPLE-02/1", "SAMPLE-04/2"])
def test_dcmqi_reads_the_same_numbers(
    visit: str, reports: Path, binary: Path, drawings: dict[tuple[str, str], dict[str, Any]], tmp_path: Path
) -> None:
    subject, timepoint = visit.split("/")
    path = reports / subject / f"sr_R1_{timepoint}.dcm"
    out = tmp_path / "m.json"
    arguments = [program("tid1500reader"), "--inputDICOM", str(path), "--outputMetadata", str(out)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    read = [
        g for g in json.loads(out.read_text())["Measurements"] if not g["TrackingIdentifier"].startswith("Response")
    ]
    segmentation = pydicom.dcmread(binary / subject / f"seg_R1_{timepoint}.dcm", stop_before_pixels=True)
    tracked = {item.TrackingID: item.TrackingUID for item in segmentation.SegmentSequence}
    found: dict[str, dict[str, float]] = {}
    for group in read:
        lesion = group["TrackingIdentifier"]
        assert group["timePoint"] == timepoint
        assert lesion not in tracked or group["TrackingUniqueIdentifier"] == tracked[lesion]
        assert group["FindingSite"]["CodeValue"] in ("10200004", "59441001")
        assert group["Finding"]["CodeValue"] in ("52988006", "C113842")
        part = "viable " if group["Finding"]["CodeValue"] == "C113842" else ""
        for item in group.get("measurementItems", []):
            name = part + item["quantity"]["CodeValue"]
            assert name not in found.setdefault(lesion, {})
            found[lesion][name] = float(item["value"])
        if "ReferencedSegment" in group:
            assert group["segmentationSOPInstanceUID"] == segmentation.SOPInstanceUID
    for lesion in tracked:
        drawn = drawings[visit, lesion]
        named = {
            "longest": LONG[0],
            "short": SHORT[0],
            "viable": "viable VIABLE-LONG",
            "viable_short": "viable VIABLE-SHORT",
        }
        expected = {dcm: drawn[name]["mm"] for name, dcm in named.items() if drawn[name]}
        expected |= {"118565006": drawn["volume_mm3"]}
        expected |= {"viable 118565006": drawn["viable_volume_mm3"]} if drawn["viable_volume_mm3"] else {}
        got = found[lesion]
        density = got.pop("112031", None)  # the mean density, from the images and not from the mask
        assert density is not None
        if visit == "SAMPLE-02/1":
            # Nothing enhances: 0 mm, and no line.
            assert got.pop("viable VIABLE-LONG") == 0
        assert got == pytest.approx(expected, abs=0.05)
        lines = [key for key in expected if "118565006" not in key]
        assert {key: got[key] for key in lines} == pytest.approx({key: expected[key] for key in lines}, abs=1e-6)


# --- lines -----------------------------------------------------------------------------------------------------------


def test_every_line_has_the_length_of_its_number(reports: Path, images: dict[str, Any]) -> None:
    """Column coordinates count columns: they take the second value of PixelSpacing, rows the first (PS3.3 10.7.1.3)."""
    spacings = set()
    count = 0
    for _, _, _, number, line in lines_of(reports):
        (image,) = line.ContentSequence
        reference = image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        between_rows, between_columns = map(float, images[reference].PixelSpacing)
        spacings.add(between_rows != between_columns)
        assert line.GraphicType == "POLYLINE"
        x1, y1, x2, y2 = line.GraphicData
        length = float(np.hypot((x2 - x1) * between_columns, (y2 - y1) * between_rows))
        assert length == pytest.approx(float(number.MeasuredValueSequence[0].NumericValue), abs=0.01)
        count += 1
    assert count > 60
    assert True in spacings


def test_every_line_lies_where_the_measurement_says(
    reports: Path, images: dict[str, Any], drawings: dict[tuple[str, str], dict[str, Any]]
) -> None:
    """The ends in LPS mm, from the coordinates by ImagePositionPatient: (0.5, 0.5) is the centre of the first pixel."""
    for visit, group, name, _, line in lines_of(reports):
        lesion = value(group, "TEXT", ("112039", "DCM")).TextValue
        key = next(k for k, concept in NAMES.items() if concept == name)
        drawn = drawings[visit, lesion][key]
        uid = line.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        assert uid == drawn["sop_instance_uid"]
        image = images[uid]
        across, down = np.array(image.ImageOrientationPatient[:3]), np.array(image.ImageOrientationPatient[3:])
        points = np.array(line.GraphicData, dtype=float).reshape(2, 2)
        for (column, row), end in zip(points, drawn["ends_lps"], strict=True):
            at = (
                np.array(image.ImagePositionPatient, dtype=float)
                + across * (column - 0.5) * float(image.PixelSpacing[1])
                + down * (row - 0.5) * float(image.PixelSpacing[0])
            )
            assert dist(at, end) < 0.001


def test_both_ends_lie_in_the_segment_on_its_slice(reports: Path, binary: Path, series: tuple[Series, ...]) -> None:
    """And a viable line crosses nothing that does not enhance: no middle third of such a pixel (docs/measuring.md)."""
    opened: dict[str, tuple[Any, dict[int, Any]]] = {}
    for visit, group, name, _, line in lines_of(reports):
        if visit not in opened:
            subject, timepoint = visit.split("/")
            path = binary / subject / f"seg_R1_{timepoint}.dcm"
            opened[visit] = pydicom.dcmread(path, stop_before_pixels=True), read_segments(path, series)
        header, masks = opened[visit]
        lesion = value(group, "TEXT", ("112039", "DCM")).TextValue
        viable = name in (VIABLE, VIABLE_SHORT)
        (number,) = (
            item.SegmentNumber
            for item in header.SegmentSequence
            if item.TrackingID == lesion
            and item.SegmentedPropertyTypeCodeSequence[0].CodeValue == ("C113842" if viable else "52988006")
        )
        uid = line.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        index = next(i for s in series for i, one in enumerate(s.slices) if one.sop_instance_uid == uid)
        mask = masks[number][index]
        one, other = np.array(line.GraphicData, dtype=float).reshape(2, 2)
        # An end may lie on the border of its pixel: look a thousandth of the line inside.
        for end in (one + (other - one) * 0.001, other + (one - other) * 0.001):
            assert mask[int(end[1]), int(end[0])], (visit, lesion, name)
        for point in (one + (other - one) * t for t in np.linspace(0, 1, 1001)) if viable else ():
            middle = all(1 / 3 < v % 1 < 2 / 3 for v in point)
            assert mask[int(point[1]), int(point[0])] or not middle, (visit, lesion, name)


# --- content ---------------------------------------------------------------------------------------------------------


def test_all_groups_of_a_lesion_have_its_tracking_uid_at_every_visit(reports: Path, binary: Path) -> None:
    segmentation = pydicom.dcmread(binary / "SAMPLE-01" / "seg_R1_0.dcm", stop_before_pixels=True)
    tracked = {item.TrackingID: str(item.TrackingUID) for item in segmentation.SegmentSequence}
    for lesion in ("T01", "NT01"):
        uids = {tracking_uid(g) for t in (0, 1, 2) for g in of_lesion(report(reports, f"SAMPLE-01/{t}"), lesion)}
        assert len(uids) == 1
        assert lesion not in tracked or uids == {tracked[lesion]}
    for criterion in ("recist11", "mrecist"):
        assert len({tracking_uid(response(report(reports, f"SAMPLE-01/{t}"), criterion)) for t in (0, 1, 2)}) == 1


def test_the_recorded_decimals_stand_beside_the_lines(reports: Path, scored: Path) -> None:
    concepts = {
        "longest_mm": "REC-LONG",
        "short_mm": "REC-SHORT",
        "viable_mm": "REC-VIABLE",
        "viable_short_mm": "REC-VIABLE-SHORT",
        "volume_mm3": "REC-VOLUME",
        "viable_volume_mm3": "REC-VIABLE-VOL",
        "organ": "ORGAN",
        "comment": "121106",
        "phase": "PHASE",
    }
    for row in rows(scored / "measurements.csv"):
        first = of_lesion(report(reports, f"{row['subject']}/{row['timepoint']}"), row["lesion"])[0]
        texts = texts_of(first)
        assert {c: texts[c] for c in concepts.values() if c in texts} == {
            concept: row[column] for column, concept in concepts.items() if row[column]
        }


TARGET = {"CR": "112041", "PR": "112042", "PD": "112043", "SD": "112044"}
NON_TARGET = {"CR": "112045", "NON-CR/NON-PD": "112046", "PD": "112047"}


def test_every_response_of_the_truth_is_coded(reports: Path) -> None:
    """Codes of CID 6143 and 6144, and the private ones where DICOM has none."""
    truth = rows(sample_data_path() / "truth" / "responses.csv")
    assert len(truth) == 22
    for row in truth:
        found = codes_of(response(report(reports, f"{row['subject']}/{row['timepoint']}"), row["criterion"]))
        expected: set[Code] = set()
        for column, standard, own in (("target", TARGET, "TARGET-RESP"), ("non_target", NON_TARGET, "NONTARGET-RESP")):
            if row[column] in standard:
                expected.add((standard[row[column]], "DCM"))
                assert (own, "99MRECIST") not in found
            else:
                assert found[own, "99MRECIST"] == {(row[column], "99MRECIST")}
        assert found.get(("112048", "DCM"), set()) == expected
        assert found["OVERALL-RESP", "99MRECIST"] == {(row["overall"], "99MRECIST")}
        assert found["NEW", "99MRECIST"] == {(f"NEW-{row['new_lesion'].upper()}", "99MRECIST")}


def test_sums_and_changes_are_those_of_the_table(reports: Path, scored: Path) -> None:
    named = {
        "sum": ("112051", "DCM"),
        "baseline_sum": ("SUM-BASELINE", "99MRECIST"),
        "nadir_sum": ("SUM-NADIR", "99MRECIST"),
        "pct_from_baseline": ("PCT-BASELINE", "99MRECIST"),
        "pct_from_nadir": ("PCT-NADIR", "99MRECIST"),
        "abs_from_nadir": ("ABS-NADIR", "99MRECIST"),
    }
    table = rows(scored / "responses.csv")
    for row in table:
        group = response(report(reports, f"{row['subject']}/{row['timepoint']}"), row["criterion"])
        assert numbers_of(group) == {concept: float(row[column]) for column, concept in named.items() if row[column]}
        assert texts_of(group)["REASON"] == row["reason"]
        method = {"recist11": ("126081", "DCM"), "mrecist": ("MRECIST", "99MRECIST")}[row["criterion"]]
        assert codes_of(group)["370129005", "SCT"] == {method}
    assert len(table) > 30


def states(reports: Path, visit: str, lesion: str) -> tuple[str, dict[Code, float]]:
    """The state of a lesion, and all numbers of its groups."""
    found = of_lesion(report(reports, visit), lesion)
    (state,) = codes_of(found[0])["STATE", "99MRECIST"]
    return state[0], {name: number for group in found for name, number in numbers_of(group).items()}


def test_lesions_without_a_mask_are_words_and_never_zero(reports: Path) -> None:
    """What reads/R1.csv of the sample states."""
    assert states(reports, "SAMPLE-03/2", "T01") == ("STATE-ABSENT", {})
    assert states(reports, "SAMPLE-06/2", "T02") == ("STATE-NE", {})
    assert states(reports, "SAMPLE-04/2", "NT01") == ("STATE-PRESENT", {})
    assert states(reports, "SAMPLE-05/2", "NEW01")[0] == "STATE-NEW"
    # A viable diameter of 0 mm is a number that the reader recorded.
    assert states(reports, "SAMPLE-02/1", "T01")[1][VIABLE] == 0


def test_roles_are_those_at_baseline(reports: Path) -> None:
    for visit, lesion, category in (
        ("SAMPLE-01/1", "T01", ("112074", "DCM")),
        ("SAMPLE-01/1", "NT01", ("112075", "DCM")),
        ("SAMPLE-05/2", "NEW01", ("NEW-LESION", "99MRECIST")),
    ):
        assert codes_of(of_lesion(report(reports, visit), lesion)[0])["112016", "DCM"] == {category}


def test_only_the_images_with_a_line_are_evidence(reports: Path) -> None:
    for visit in visits(reports):
        dataset = report(reports, visit)
        drawn = {
            line.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
            for at, _, _, _, line in lines_of(reports)
            if at == visit
        }
        evidence = {
            (one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID)
            for study in dataset.get("CurrentRequestedProcedureEvidenceSequence", [])
            for of_series in study.ReferencedSeriesSequence
            for one in of_series.ReferencedSOPSequence
        }
        assert {uid for kind, uid in evidence if kind == "1.2.840.10008.5.1.4.1.1.2"} == drawn
        segmented = any(name == VOLUME for g in groups(dataset) for name, _ in items(g, "NUM"))
        assert any(kind == "1.2.840.10008.5.1.4.1.1.66.4" for kind, _ in evidence) == segmented


def test_the_private_scheme_is_declared_and_the_time_point_named(reports: Path) -> None:
    dataset = report(reports, "SAMPLE-01/0")
    (scheme,) = dataset.CodingSchemeIdentificationSequence
    assert scheme.CodingSchemeDesignator == "99MRECIST"
    assert scheme.CodingSchemeUID.is_valid
    for group in groups(dataset):
        assert value(group, "TEXT", ("C2348792", "UMLS")).TextValue == "0"
        assert codes_of(group)["126072", "DCM"] == {("C1442488", "UMLS")}
    assert dataset.ClinicalTrialTimePointID == "0"
    assert dataset.PatientID == "SAMPLE-01"
