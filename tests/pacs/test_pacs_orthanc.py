"""Round trips through a real Orthanc: what is fetched is what was sent, and a fetched study scores as the original."""

from __future__ import annotations

import shutil
from pathlib import Path

import pydicom
import pytest
from dicom_objects import LABELMAP, by_uid, image, report, write
from orthanc_server import Orthanc, free_port
from pacs_commands import STUDY, run

pytestmark = pytest.mark.usefixtures("_sockets_of_pynetdicom")


TRANSPORTS = ("web", "dimse")


def visit(tmp_path: Path) -> Path:
    """One visit of a sample subject: two JPEG-LS series, a segmentation, and a report."""
    there = tmp_path / "visit"
    shutil.copytree(STUDY / "images" / "SAMPLE-01" / "0", there / "images")
    shutil.copy(STUDY / "masks" / "SAMPLE-01_0.dcm", there / "seg.dcm")
    seg = pydicom.dcmread(there / "seg.dcm", stop_before_pixels=True)
    same = {"PatientID": seg.PatientID, "StudyInstanceUID": seg.StudyInstanceUID, "StudyDate": seg.StudyDate}
    write(report(**same), there / "sr.dcm")
    return there


@pytest.mark.parametrize("fetch", ["web", "dimse", "move"])
@pytest.mark.parametrize("send", TRANSPORTS)
def test_what_comes_back_is_what_was_sent(send: str, fetch: str, both: Path, tmp_path: Path, move_port: int) -> None:
    sent = visit(tmp_path)
    ran = run("send", "--config", both, "--server", send, sent, "--json")
    assert (ran.code, {one["verdict"] for one in ran.content["instances"]}) == (0, {"sent"})
    how = ["--server", "dimse", "--listen", move_port] if fetch == "move" else ["--server", fetch]
    ran = run("fetch", "--config", both, *how, "--patient", "SAMPLE-01", "--out", tmp_path / "back")
    assert ran.code == 0, ran.err
    before, after = by_uid(sent), by_uid(tmp_path / "back")
    assert len(before) == 24
    assert before.keys() == after.keys()
    for uid, path in before.items():
        one, other = pydicom.dcmread(path), pydicom.dcmread(after[uid])
        assert one == other
        assert one.file_meta.TransferSyntaxUID == other.file_meta.TransferSyntaxUID
        if "PixelData" in one:
            assert one.PixelData == other.PixelData
        if (send, fetch) == ("web", "web"):  # no file meta information is written anew on the way
            assert path.read_bytes() == after[uid].read_bytes()


@pytest.mark.parametrize("server", TRANSPORTS)
def test_segmentations_and_reports_are_found_by_date_and_patient(
    server: str, both: Path, tmp_path: Path, orthanc: Orthanc
) -> None:
    orthanc.put(*visit(tmp_path).rglob("*.dcm"), *(STUDY / "masks").glob("*.dcm"))

    def listed(*options: object) -> list[tuple[str, str, str, int]]:
        ran = run("fetch", "--config", both, "--server", server, "--list", "--json", *options)
        assert ran.code == 0, ran.err
        return [(one["patient"], one["date"], one["modality"], one["instances"]) for one in ran.content]

    day = pydicom.dcmread(tmp_path / "visit" / "seg.dcm", stop_before_pixels=True).StudyDate
    iso = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    wanted = ["--modality", "seg", "--modality", "SR"]
    assert listed("--from", iso, "--to", iso, *wanted) == [
        ("SAMPLE-01", day, "SR", 1),
        ("SAMPLE-01", day, "SEG", 1),
    ]
    # dates of the masks, read from the files without this package
    masks = [pydicom.dcmread(p, stop_before_pixels=True) for p in (STUDY / "masks").glob("*.dcm")]
    from_april = sorted((m.PatientID, m.StudyDate) for m in masks if m.StudyDate >= "20240401")
    assert [(p, d) for p, d, _, _ in listed("--from", "2024-04-01")] == from_april
    to_march = sorted((m.PatientID, m.StudyDate) for m in masks if m.StudyDate <= "20240331")
    assert [(p, d) for p, d, m, _ in listed("--to", "2024-03-31", "--modality", "SEG") if m == "SEG"] == to_march
    assert {p for p, *_ in listed("--patient", "SAMPLE-02", "--patient", "SAMPLE-03")} == {"SAMPLE-02", "SAMPLE-03"}
    assert [c for *_, c in listed("--patient", "SAMPLE-01", "--description", "*arterial*")] == [11]
    assert listed("--patient", "SAMPLE-0") == []
    table = tmp_path / "subjects.csv"
    table.write_text("subject,patient_id\nA,SAMPLE-05\nB,\n", encoding="utf-8")
    assert {p for p, *_ in listed("--subjects", table)} == {"SAMPLE-05"}
    uid = str(masks[0].StudyInstanceUID)
    assert {p for p, *_ in listed("--study-uid", uid)} == {masks[0].PatientID}


def test_the_table_of_a_list_holds_no_name(both: Path, tmp_path: Path, orthanc: Orthanc) -> None:
    orthanc.put(write(image(PatientID="P7", PatientName="SECRET^NAME", SeriesDescription="ART\n1"), tmp_path / "a.dcm"))
    ran = run("fetch", "--config", both, "--server", "web", "--patient", "P7", "--list")
    assert ran.code == 0
    assert "SECRET" not in ran.out + ran.err
    assert ran.out.splitlines()[-1] == "1 series of 1 studies, 1 instances"
    assert not (tmp_path / "mrecist-pacs.toml").exists()


def test_nothing_found_is_wrong_use_and_makes_no_folder(both: Path, tmp_path: Path) -> None:
    ran = run("fetch", "--config", both, "--server", "web", "--patient", "NOBODY", "--out", tmp_path / "none")
    assert (ran.code, len(ran.lines)) == (2, 1)
    assert "nothing there matches" in ran.err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("server", TRANSPORTS)
def test_sending_twice_says_so_and_sends_once(server: str, both: Path, tmp_path: Path, orthanc: Orthanc) -> None:
    path = write(report(), tmp_path / "sr.dcm")
    first, second = (run("send", "--config", both, "--server", server, path) for _ in range(2))
    assert (first.code, first.out) == (0, f"{path}: sent\n")
    assert (second.code, second.out) == (0, f"{path}: already there\n")
    assert orthanc.rest("/statistics")["CountInstances"] == 1


def test_a_dry_run_connects_to_nothing(config, tmp_path: Path) -> None:
    nowhere = config(nowhere={"host": "localhost", "port": 1, "called_ae": "NONE"})
    path = write(report(), tmp_path / "out" / "sr.dcm")
    (tmp_path / "out" / "notes.txt").write_text("no DICOM", encoding="utf-8")
    ran = run("send", "--config", nowhere, tmp_path / "out", "--dry-run")
    assert (ran.code, ran.out, ran.err) == (0, f"{path}: would be sent to nowhere\n", "")


def test_labelmap_is_refused_by_name_and_binary_is_suggested(both: Path, tmp_path: Path, orthanc: Orthanc) -> None:
    refused = write(image(LABELMAP, "SEG"), tmp_path / "a_labelmap.dcm")
    accepted = write(report(), tmp_path / "b_report.dcm")
    ran = run("send", "--config", both, "--server", "dimse", refused, accepted)
    assert ran.code == 1
    assert ran.out == f"{accepted}: sent\n"
    (line,) = ran.lines
    assert line.startswith(f"mrecist: {refused}: refused: it does not take Label Map Segmentation Storage")
    assert "BINARY" in line
    assert orthanc.rest("/statistics")["CountInstances"] == 1
    # also when there is nothing else in the association
    alone = run("send", "--config", both, "--server", "dimse", refused)
    assert (alone.code, alone.out, alone.lines) == (1, "", [line])
    # the same file over DICOMweb is no problem for this server
    assert run("send", "--config", both, "--server", "web", refused).out == f"{refused}: sent\n"


def test_c_move_without_us_as_a_known_destination_is_one_line(config, tmp_path: Path, orthanc: Orthanc) -> None:
    orthanc.put(write(image(), tmp_path / "a.dcm"))
    stranger = {"host": "localhost", "port": orthanc.dicom, "called_ae": "ORTHANC", "calling_ae": "STRANGER"}
    path = config(dimse={**stranger, "retries": 1})
    ran = run("fetch", "--config", path, "--patient", "P1", "--out", tmp_path / "s", "--listen", free_port())
    assert ran.code == 1
    assert any("C-MOVE" in line for line in ran.lines), ran.err
    assert any("1 of 1 instances are missing" in line for line in ran.lines), ran.err


def test_a_fetched_study_scores_as_the_original(both: Path, tmp_path: Path) -> None:
    # three of the six subjects: responding, a new lesion after a missing visit, a visit that cannot be evaluated
    original, copy = tmp_path / "original", tmp_path / "study"
    for subject in ("SAMPLE-01", "SAMPLE-05", "SAMPLE-06"):
        shutil.copytree(STUDY / "images" / subject, original / "images" / subject)
        for mask in (STUDY / "masks").glob(f"{subject}_*.dcm"):
            (original / "masks").mkdir(exist_ok=True)
            shutil.copy(mask, original / "masks")
    (original / "reads").mkdir()
    rows = (STUDY / "reads" / "R1.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [rows[0], *(row for row in rows if row.startswith(("SAMPLE-01", "SAMPLE-05", "SAMPLE-06")))]
    (original / "reads" / "R1.csv").write_text("".join(kept), encoding="utf-8")
    for name in ("protocol.toml", "subjects.csv"):
        shutil.copy(STUDY / name, original / name)
    assert run("send", "--config", both, "--server", "web", original).code == 0
    for server, half in (("web", "2024-03-15"), ("dimse", None)):
        bounds = ["--from", "2023-01-01", "--to", half] if half else ["--from", "2024-03-16"]
        ran = run("fetch", "--config", both, "--server", server, *bounds, "--out", copy)
        assert ran.code == 0, ran.err
    assert by_uid(copy).keys() == by_uid(original).keys()
    for name in ("protocol.toml", "subjects.csv", "reads"):
        what = original / name
        (shutil.copytree if what.is_dir() else shutil.copy)(what, copy / name)
    codes = [
        run("score", study, "--out", out).code
        for study, out in ((original, tmp_path / "one"), (copy, tmp_path / "other"))
    ]
    assert codes == [0, 0]
    for table in ("responses.csv", "best_responses.csv", "measurements.csv"):
        assert (tmp_path / "one" / table).read_bytes() == (tmp_path / "other" / table).read_bytes()
