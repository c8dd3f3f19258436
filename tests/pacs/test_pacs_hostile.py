"""Servers that lie, break off or never answer: nothing outside the folder, nothing that was not asked for, one line each."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path

import fake_web
import hostile_scp
import pytest
from dicom_objects import image, report, write
from orthanc_server import free_port
from pacs_commands import Ran, run
from pydicom.dataset import Dataset

pytestmark = pytest.mark.usefixtures("_sockets_of_pynetdicom")


def series_of(count: int) -> list[Dataset]:
    first = image()
    same = {"StudyInstanceUID": first.StudyInstanceUID, "SeriesInstanceUID": first.SeriesInstanceUID}
    return [first, *(image(**same) for _ in range(count - 1))]


def altered(one: Dataset, **values: object) -> Dataset:
    other = image(
        StudyInstanceUID=one.StudyInstanceUID,
        SeriesInstanceUID=one.SeriesInstanceUID,
        SOPInstanceUID=one.SOPInstanceUID,
    )
    for name, value in values.items():
        setattr(other, name, value)
    other.file_meta.MediaStorageSOPInstanceUID = other.SOPInstanceUID
    return other


def fetch_dimse(config, script: hostile_scp.Script, out: Path, *options: object, **keys: object) -> Ran:
    with hostile_scp.serving(script) as port:
        there = {"host": "127.0.0.1", "port": port, "called_ae": "HOSTILE", "retries": 1, "timeout_s": 5, **keys}
        return run("fetch", "--config", config(dimse=there), "--patient", "P1", "--out", out, *options)


def fetch_web(config, script: fake_web.Script, out: Path, **keys: object) -> Ran:
    with fake_web.serving(script) as url:
        return run(
            "fetch", "--config", config(web={"dicomweb": url, "retries": 2, **keys}), "--patient", "P1", "--out", out
        )


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


WRONG = {
    "a path as UID": ({"SOPInstanceUID": "../../x"}, "SOPInstanceUID '../../x' is not one that the server listed"),
    "another patient": ({"PatientID": "P2"}, "PatientID is 'P2' where 'P1' was asked for"),
    "another study": ({"StudyInstanceUID": "1.2.3"}, "StudyInstanceUID is '1.2.3' where"),
    "another series": ({"SeriesInstanceUID": "../../../y"}, "SeriesInstanceUID is '../../../y' where"),
    "truncated": ({"PixelData": bytes(10)}, "truncated: 10 bytes of pixel data where 32 are needed"),
}


@pytest.mark.usefixtures("_bad_uids")
@pytest.mark.parametrize(
    ("transport", "what"),
    [
        *(("web", what) for what in WRONG),
        *(("get", what) for what in WRONG),
        ("move", "a path as UID"),
        ("move", "truncated"),
    ],
)
def test_what_was_not_asked_for_is_not_kept(transport: str, what: str, config, tmp_path: Path) -> None:
    values, message = WRONG[what]
    good, bad = series_of(2)
    wrong = altered(bad, **values)
    out = tmp_path / "deep" / "study"
    if transport == "web":
        sent = [fake_web.encoded(good), fake_web.encoded(wrong)]
        ran = fetch_web(config, fake_web.Script(has=[good, bad], sends=sent), out)
    else:
        listen = free_port()
        script = hostile_scp.Script(has=[good, bad], sends=[good, wrong], move_to=listen)
        ran = fetch_dimse(config, script, out, *(["--listen", listen] if transport == "move" else []))
    assert ran.code == 1
    assert any(message in line for line in ran.lines) or (transport == "web" and what == "a path as UID"), ran.err
    assert any(f"1 of 2 instances are missing: {bad.SOPInstanceUID}" in line for line in ran.lines), ran.err
    where = f"images/{good.StudyInstanceUID}/{good.SeriesInstanceUID}/{good.SOPInstanceUID}.dcm"
    found = files(tmp_path)
    assert [f for f in found if ".fetched" not in f] == [f"deep/study/{where}", "pacs.toml"]
    assert not [f for f in found if f.endswith(".part")]


@pytest.mark.usefixtures("_bad_uids")
def test_a_listed_uid_that_is_a_path_becomes_a_hash(config, tmp_path: Path) -> None:
    one = image(SOPInstanceUID="../../../../x")
    out = tmp_path / "deep" / "study"
    ran = fetch_dimse(config, hostile_scp.Script(has=[one], sends=[one]), out)
    assert ran.code == 0, ran.err
    (path,) = out.rglob("*.dcm")
    assert path.parent == out / "images" / one.StudyInstanceUID / one.SeriesInstanceUID
    assert path.name.startswith("x")
    assert len(path.name) == 45


@pytest.mark.parametrize("uid", ["../../x", "..", "", "1..2", "1.2." + "3" * 64])
@pytest.mark.usefixtures("_bad_uids")
def test_a_series_uid_that_is_none_is_left_out(uid: str, config, tmp_path: Path) -> None:
    ran = fetch_web(config, fake_web.Script(has=[image(SeriesInstanceUID=uid)]), tmp_path / "s")
    assert ran.code == 2
    assert "is no UID; left out" in ran.err


def test_a_server_that_never_answers_a_question(config, tmp_path: Path) -> None:
    script = hostile_scp.Script(has=series_of(1), waits_s=2.0)
    started = time.monotonic()
    ran = fetch_dimse(config, script, tmp_path / "s", timeout_s=0.3)
    assert (ran.code, len(ran.lines)) == (2, 1)
    assert "did not answer within 0.3 s" in ran.err
    assert script.asked == ["STUDY", "STUDY"]  # one retry
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("kind", ["web", "dimse"])
def test_a_port_that_never_says_anything(kind: str, config, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        keys = {"retries": 1, "timeout_s": 0.3}
        dimse = {"host": "127.0.0.1", "port": port, "called_ae": "X", **keys}
        servers = {"dimse": dimse, "web": {"dicomweb": f"http://127.0.0.1:{port}/d", **keys}}
        path = config(**{kind: servers[kind]})
        ran = run("fetch", "--config", path, "--patient", "P1", "--out", tmp_path / "s")
    assert (ran.code, len(ran.lines)) == (2, 1)
    assert f"server {kind}" in ran.err
    assert "answer" in ran.err


@pytest.mark.parametrize("kind", ["web", "dimse"])
def test_nobody_there(kind: str, config, tmp_path: Path) -> None:
    port = free_port()
    dimse = {"host": "127.0.0.1", "port": port, "called_ae": "X", "retries": 1}
    path = config(**{kind: {"dimse": dimse, "web": {"dicomweb": f"http://127.0.0.1:{port}/d", "retries": 1}}[kind]})
    for command in (["fetch", "--patient", "P1", "--list"], ["send", write(report(), tmp_path / "sr.dcm")]):
        ran = run(command[0], "--config", path, *command[1:])
        assert (ran.code, len(ran.lines)) == (2, 1)
        assert "Connection refused" in ran.err


def test_an_unknown_ae_title_is_refused_by_name(config) -> None:
    from pynetdicom import AE

    ae = AE(ae_title="STRICT")
    ae.require_called_aet = True
    ae.add_supported_context("1.2.840.10008.5.1.4.1.2.2.1")
    server = ae.start_server(("127.0.0.1", 0), block=False)
    try:
        keys = {"host": "127.0.0.1", "port": server.server_address[1], "called_ae": "OTHER", "retries": 0}
        ran = run("fetch", "--config", config(dimse=keys), "--patient", "P1", "--list")
    finally:
        server.shutdown()
    assert (ran.code, len(ran.lines)) == (2, 1)
    assert "refuses the association" in ran.err
    assert "called_ae OTHER" in ran.err


def test_busy_and_then_well(config, tmp_path: Path) -> None:
    one = image()
    busy = (503, "text/plain", b"busy")
    script = fake_web.Script(has=[one], sends=[fake_web.encoded(one)], instead=[busy, busy])
    ran = fetch_web(config, script, tmp_path / "s")
    assert (ran.code, len(list((tmp_path / "s").rglob("*.dcm")))) == (0, 1), ran.err
    script.instead = [busy] * 3
    ran = fetch_web(config, script, tmp_path / "t")
    assert (ran.code, len(ran.lines)) == (2, 1)
    assert "HTTP 503" in ran.err
    assert "P1" not in ran.err


@pytest.mark.parametrize(
    "cut", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[{"]
)
def test_an_answer_that_breaks_off_is_not_an_empty_one(cut: bytes, config, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            for _ in range(2):
                caller, _ = listening.accept()
                with caller:
                    caller.recv(65536)
                    caller.sendall(cut)

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/d"
        path = config(web={"dicomweb": url, "retries": 1})
        ran = run("fetch", "--config", path, "--patient", "P1", "--out", tmp_path / "s")
        thread.join(10)
    assert (ran.code, len(ran.lines)) == (2, 1)
    assert "the connection broke inside the answer" in ran.err


def test_a_login_page_is_no_answer(config, tmp_path: Path) -> None:
    script = fake_web.Script(instead=[(200, "text/html", b"<html>Please log in</html>")])
    ran = fetch_web(config, script, tmp_path / "s")
    assert (ran.code, len(ran.lines)) == (2, 1)
    assert "an answer that is not DICOMweb" in ran.err


def test_a_server_that_repeats_its_page_is_asked_no_further(config, tmp_path: Path) -> None:
    one = image()
    script = fake_web.Script(has=[one], sends=[fake_web.encoded(one)])
    assert fetch_web(config, script, tmp_path / "s").code == 0
    assert sum("/studies?" in path for path in script.asked) == 2


def test_a_server_that_ignores_the_keys_gives_nobody_elses_data(config, tmp_path: Path) -> None:
    script = fake_web.Script(has=[image(PatientID="P2")])
    ran = fetch_web(config, script, tmp_path / "s")
    assert ran.code == 2
    assert "do not match what was asked, left out: 1" in ran.err
    assert not any("/series" in path for path in script.asked)


def test_an_instance_without_multipart_around_it(config, tmp_path: Path) -> None:
    one, other = series_of(2)
    script = fake_web.Script(has=[one, other], sends=[fake_web.encoded(one)], single=True)
    assert fetch_web(config, script, tmp_path / "s").code == 1  # the whole series: only one of the two comes
    script.sends.append(fake_web.encoded(other))
    ran = fetch_web(config, script, tmp_path / "s")
    assert ran.code == 0, ran.err
    assert any(path.endswith(f"/instances/{other.SOPInstanceUID}") for path in script.asked)
    assert len(list((tmp_path / "s").rglob("*.dcm"))) == 2


def test_a_count_that_is_not_the_list_is_said(config, tmp_path: Path) -> None:
    one = image()
    ran = fetch_web(config, fake_web.Script(has=[one], sends=[fake_web.encoded(one)], count=3), tmp_path / "s")
    assert ran.code == 1
    assert "the server states 3 instances and lists 1" in ran.err


def test_a_token_goes_in_the_header_only(config, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("TEST_PACS_TOKEN", "abc.def")
    one = image()
    script = fake_web.Script(has=[one], sends=[fake_web.encoded(one)])
    ran = fetch_web(config, script, tmp_path / "s", token_env="TEST_PACS_TOKEN")
    assert ran.code == 0, ran.err
    assert set(script.tokens) == {"Bearer abc.def"}
    assert not any("abc.def" in path for path in script.asked)
    assert "abc.def" not in ran.err


# --- sending ---------------------------------------------------------------------------------------------------------


def failed(one: Dataset, code: int) -> bytes:
    item = {"00081155": {"vr": "UI", "Value": [one.SOPInstanceUID]}, "00081197": {"vr": "US", "Value": [code]}}
    return json.dumps({"00081198": {"vr": "SQ", "Value": [item]}}).encode()


@pytest.mark.parametrize("code", [200, 202, 409])
def test_a_refusal_by_stow_names_the_reason(code: int, config, tmp_path: Path) -> None:
    one = report()
    path = write(one, tmp_path / "sr.dcm")
    with fake_web.serving(fake_web.Script(stored=(code, "application/dicom+json", failed(one, 0x0122)))) as url:
        ran = run("send", "--config", config(web={"dicomweb": url}), path)
    assert (ran.code, ran.out) == (1, "")
    assert ran.lines == [f"mrecist: {path}: refused: " + ran.err.split("refused: ")[1].strip()]
    assert "it does not take this SOP class (0x0122)" in ran.err


def test_an_answer_that_does_not_name_the_instance_is_a_warning(config, tmp_path: Path) -> None:
    path = write(report(), tmp_path / "sr.dcm")
    with fake_web.serving(fake_web.Script()) as url:
        ran = run("send", "--config", config(web={"dicomweb": url}), path)
    assert (ran.code, ran.err) == (0, "")
    assert "sent, with a warning (the server's answer does not name the instance)" in ran.out


def test_c_store_statuses(config, tmp_path: Path) -> None:
    paths = [write(report(), tmp_path / f"{n}.dcm") for n in range(3)]
    with hostile_scp.serving(hostile_scp.Script(store_status=[0x0000, 0xB000, 0xA700])) as port:
        keys = {"host": "127.0.0.1", "port": port, "called_ae": "HOSTILE"}
        ran = run("send", "--config", config(dimse=keys), *paths, "--json")
    assert ran.code == 1
    assert [one["verdict"] for one in ran.content["instances"]] == ["sent", "sent, with a warning", "refused"]
    assert "out of resources (0xA700)" in ran.err


def test_a_server_that_only_stores(config, tmp_path: Path) -> None:
    from pynetdicom import AE, evt

    path, stored = write(report(), tmp_path / "sr.dcm"), []

    def keep(event: object) -> int:
        stored.append(event.request.AffectedSOPInstanceUID)  # type: ignore[attr-defined]
        return 0x0000

    ae = AE(ae_title="STORE")
    ae.add_supported_context("1.2.840.10008.5.1.4.1.1.88.34")
    server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)])
    try:
        keys = {"host": "127.0.0.1", "port": server.server_address[1], "called_ae": "STORE"}
        ran = run("send", "--config", config(dimse=keys), path)
    finally:
        server.shutdown()
    assert (ran.code, ran.out, len(stored)) == (0, f"{path}: sent\n", 1)


@pytest.mark.usefixtures("_bad_uids")
def test_files_that_cannot_be_sent_are_named_and_the_rest_is_sent(config, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    one = report()
    good = write(one, folder / "a.dcm")
    (folder / "same.dcm").write_bytes(good.read_bytes())
    write(report(SOPInstanceUID=one.SOPInstanceUID), folder / "other.dcm")
    (folder / "cut.dcm").write_bytes(write(image(), folder / "cut.dcm").read_bytes()[:-10])
    write(image(SOPInstanceUID="../../x"), folder / "path.dcm")
    (folder / "bare.dcm").write_bytes(data_set_only(write(report(), tmp_path / "whole.dcm")))
    with hostile_scp.serving(hostile_scp.Script()) as port:
        keys = {"host": "127.0.0.1", "port": port, "called_ae": "HOSTILE"}
        ran = run("send", "--config", config(dimse=keys), folder)
    assert (ran.code, ran.out) == (1, f"{good}: sent\n")
    assert len(ran.lines) == 4
    for name, why in (
        ("bare", "no file meta information"),
        ("cut", "truncated"),
        ("other", "another file"),
        ("path", "is no UID"),
    ):
        assert any(f"{name}.dcm: " in line and why in line for line in ran.lines), ran.err


def data_set_only(path: Path) -> bytes:
    # PS3.10 7.1: 132 bytes, then group 0002, whose length is in its first element
    data = path.read_bytes()
    return data[132 + 12 + int.from_bytes(data[140:144], "little") :]


def test_send_without_a_file_is_wrong_use(config, tmp_path: Path) -> None:
    path = config(dimse={"host": "127.0.0.1", "called_ae": "X"})
    (tmp_path / "empty").mkdir()
    for given in (tmp_path / "empty", tmp_path / "absent", path):
        ran = run("send", "--config", path, given)
        assert (ran.code, len(ran.lines)) == (2, 1)
