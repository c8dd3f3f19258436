"""A fetch that is cut off: retried, and gone on with later; the folder is that of a fetch without any trouble."""

from __future__ import annotations

import hashlib
import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dicom_objects import by_uid
from forwarder import Forwarder
from orthanc_server import Orthanc, why_absent
from pacs_commands import STUDY, Ran, run

from mrecist.pacs.folder import StudyFolder

pytestmark = pytest.mark.usefixtures("_sockets_of_pynetdicom")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    """An Orthanc with the first visit of a sample subject: two series of 11 images."""
    if reason := why_absent():
        pytest.skip(reason)
    server = Orthanc(tmp_path_factory.mktemp("archive"))
    try:
        server.start().put(*sorted((STUDY / "images" / "SAMPLE-01" / "0").rglob("*.dcm")))
        yield server
    finally:
        server.stop()


@pytest.fixture(params=["web", "dimse"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def keys(transport: str, web_port: int, dicom_port: int, **more: object) -> dict[str, object]:
    if transport == "web":
        return {"dicomweb": f"http://localhost:{web_port}/dicom-web", **more}
    return {"host": "localhost", "port": dicom_port, "called_ae": "ORTHANC", "timeout_s": 5, **more}


def fetch(config, out: Path, server: dict[str, object]) -> Ran:
    return run("fetch", "--config", config(one=server), "--patient", "SAMPLE-01", "--out", out)


def content(folder: Path) -> dict[str, str]:
    """Every file with its SHA-256, records too."""
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.fixture
def undisturbed(transport: str, archive: Orthanc, config, tmp_path: Path) -> dict[str, str]:
    ran = fetch(config, tmp_path / "undisturbed", keys(transport, archive.http, archive.dicom))
    assert ran.code == 0, ran.err
    found = content(tmp_path / "undisturbed")
    assert len(found) == 24  # 22 images, a record for each of the two series
    return found


def test_broken_connections_are_tried_again(transport, archive, undisturbed, config, tmp_path) -> None:
    # 22 images are some 290 kB: these connections end inside questions and inside the data
    budgets = (10, 100, *[40_000] * 12)
    port = archive.http if transport == "web" else archive.dicom
    with Forwarder(port, budgets=budgets) as broken:
        ran = fetch(config, tmp_path / "s", keys(transport, broken.port, broken.port, retries=6))
        assert broken.cuts >= 5, ran.err
    assert ran.code == 0, ran.err
    assert content(tmp_path / "s") == undisturbed


def test_a_killed_server_that_comes_back(transport, archive, undisturbed, config, tmp_path, monkeypatch) -> None:
    taken, threads = 0, []
    take = StudyFolder.take

    def back_soon() -> None:
        time.sleep(0.3)
        archive.start()

    def kill_at_the_fifth(self: StudyFolder, *arguments: object) -> object:
        nonlocal taken
        taken += 1
        if taken == 5:
            archive.stop(signal.SIGKILL)
            threads.append(threading.Thread(target=back_soon))
            threads[0].start()
        return take(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(StudyFolder, "take", kill_at_the_fifth)
    ran = fetch(config, tmp_path / "s", keys(transport, archive.http, archive.dicom, retries=8, wait_s=0.1))
    threads[0].join(20)
    assert ran.code == 0, ran.err
    assert content(tmp_path / "s") == undisturbed


def test_a_killed_server_that_stays_away_and_a_second_run(
    transport, archive, undisturbed, config, tmp_path, monkeypatch
) -> None:
    take, server = StudyFolder.take, keys(transport, archive.http, archive.dicom, retries=1)

    def kill_at_the_fifth(self: StudyFolder, *arguments: object) -> object:
        if len(list(self.root.rglob("*.dcm"))) == 4:
            archive.stop(signal.SIGKILL)
        return take(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(StudyFolder, "take", kill_at_the_fifth)
    try:
        ran = fetch(config, tmp_path / "s", server)
    finally:
        monkeypatch.undo()
        archive.start()
    there = len(by_uid(tmp_path / "s"))
    assert ran.code == 1
    assert "run the same command again to go on" in ran.err
    if transport == "dimse":
        assert "series not tried, because the server is gone: 1" in ran.err
        assert "of 11 instances are missing" in ran.err
    # the rest of a series may be on its way already when the server goes
    assert 4 <= there <= 11
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "s").rglob("*.dcm")}
    ran = fetch(config, tmp_path / "s", server)
    assert ran.code == 0, ran.err
    assert f"2 series: {22 - there} instances fetched, {there} already there, 0 missing" in ran.err
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert content(tmp_path / "s") == undisturbed


def test_damaged_and_unrecorded_files(transport, archive, undisturbed, config, tmp_path) -> None:
    server, out = keys(transport, archive.http, archive.dicom), tmp_path / "undisturbed"
    first, second, third = sorted(out.rglob("*.dcm"))[:3]
    first.write_bytes(first.read_bytes()[:-7])
    second.unlink()
    third.write_bytes(third.read_bytes()[:-1] + b"\1")  # as long as before, another content
    (out / ".fetched" / "left.part").write_bytes(b"half")
    ran = fetch(config, out, server)
    assert ran.code == 0, ran.err
    assert "3 instances fetched, 19 already there" in ran.err
    assert content(out) == undisturbed
    # a run that was killed leaves whole files without their record
    for record in (out / ".fetched").iterdir():
        record.unlink()
    first.unlink()
    ran = fetch(config, out, server)
    assert "1 instances fetched, 21 already there" in ran.err
    assert content(out) == undisturbed


def test_a_record_leads_nowhere_else(archive, config, tmp_path) -> None:
    out, server = tmp_path / "s", keys("web", archive.http, archive.dicom)
    assert fetch(config, out, server).code == 0
    for record in (out / ".fetched").iterdir():
        stored = json.loads(record.read_text(encoding="utf-8"))
        for one in stored["instances"].values():
            one["file"] = "../../secret"
        record.write_text(json.dumps(stored), encoding="utf-8")
    ran = fetch(config, out, server)
    assert (ran.code, "22 already there" in ran.err) == (0, True)
    assert "secret" not in "".join(p.read_text(encoding="utf-8") for p in (out / ".fetched").iterdir())
