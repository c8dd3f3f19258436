"""``watch`` with a real archive: what arrives there is fetched and scored, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from orthanc_server import Orthanc
from pacs_commands import STUDY, run

pytestmark = pytest.mark.usefixtures("_sockets_of_pynetdicom")


def test_a_visit_and_its_masks_are_fetched_and_scored_once(orthanc: Orthanc, both: Path, tmp_path: Path) -> None:
    study, out = tmp_path / "study", tmp_path / "out"
    options = ("--out", out, "--config", both, "--server", "web", "--patient", "SAMPLE-01", "--settle", "0", "--once")
    orthanc.put(*sorted((STUDY / "images" / "SAMPLE-01" / "0").rglob("*.dcm")))
    orthanc.put(STUDY / "masks" / "SAMPLE-01_0.dcm")
    first = run("watch", study, *options)
    assert [line.split(" ", 1)[1].split(" ")[0] for line in first.lines] == ["PACS:", f"{study}:"]
    assert "23 instances of 3 series fetched" in first.lines[0]
    assert "SAMPLE-01" in (out / "measurements.csv").read_text(encoding="utf-8")
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    again = run("watch", study, *options)
    assert (again.code, again.lines) == (0, [])
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before
