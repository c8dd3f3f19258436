"""What we export, through a real Orthanc and back; and a study that Orthanc de-identified."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pydicom
import pytest
from dicom_objects import by_uid
from orthanc_server import Orthanc
from pacs_commands import STUDY, run

pytestmark = pytest.mark.usefixtures("_sockets_of_pynetdicom")


def one_subject(root: Path, subject: str) -> Path:
    shutil.copytree(STUDY / "images" / subject, root / "images" / subject)
    (root / "masks").mkdir()
    for mask in (STUDY / "masks").glob(f"{subject}_*.dcm"):
        shutil.copy(mask, root / "masks")
    (root / "reads").mkdir()
    lines = (STUDY / "reads" / "R1.csv").read_text(encoding="utf-8").splitlines()
    kept = [lines[0], *(line for line in lines if line.startswith(subject))]
    (root / "reads" / "R1.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    return root


def test_our_exports_come_back_and_give_the_same_rows(both: Path, tmp_path: Path) -> None:
    study = one_subject(tmp_path / "study", "SAMPLE-05")
    results, seg, sr = tmp_path / "results", tmp_path / "seg", tmp_path / "sr"
    assert run("score", study, "--out", results).code == 0
    assert run("export", "seg", study, "--out", seg).code == 0
    assert run("export", "sr", results, "--images", study, "--seg", seg, "--out", sr).code == 0
    assert run("send", "--config", both, "--server", "web", seg).code == 0
    assert run("send", "--config", both, "--server", "dimse", sr).code == 0
    for server in ("web", "dimse"):
        back = tmp_path / server
        ran = run("fetch", "--config", both, "--server", server, "--patient", "SAMPLE-05", "--out", back)
        assert ran.code == 0, ran.err
        after = by_uid(back)
        before = by_uid(seg) | by_uid(sr)
        assert after.keys() == before.keys()
        assert len(before) == 4
        for uid, path in before.items():
            assert pydicom.dcmread(path) == pydicom.dcmread(after[uid])
        assert run("import", "sr", back, "--out", tmp_path / "back.csv").code == 0
        rows = (tmp_path / "back.csv").read_text(encoding="utf-8").splitlines()
        assert sorted(rows) == sorted((results / "measurements.csv").read_text(encoding="utf-8").splitlines())


def test_images_that_orthanc_deidentified_are_asked_about(both: Path, tmp_path: Path, orthanc: Orthanc) -> None:
    """Its profile takes descriptions and contrast times away: no phase and no visit is guessed."""
    orthanc.put(*(STUDY / "images" / "SAMPLE-01" / "0").rglob("*.dcm"))
    (known,) = orthanc.rest("/studies")
    done = orthanc.rest(f"/studies/{known}/anonymize", json.dumps({"KeepSource": False}).encode(), "POST")
    patient = orthanc.rest(f"/studies/{done['ID']}")["PatientMainDicomTags"]["PatientID"]
    study = tmp_path / "study"
    assert run("fetch", "--config", both, "--server", "web", "--patient", patient, "--out", study).code == 0
    ran = run("scan", study, "--json")
    assert ran.code == 0
    found = ran.content["series"]
    assert [one["phase"]["name"] for one in found] == ["UNKNOWN", "UNKNOWN"]
    assert [one["verdict"] for one in found] == ["ok", "ok"]
    assert "state it in series.csv" in run("scan", study).out
    ran = run("check-identity", study)
    assert ran.code == 1
    assert "INTERVALS_LOST" in ran.out
