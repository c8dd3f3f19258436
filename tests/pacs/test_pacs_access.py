"""Passwords, tokens and certificates: one clear line when they are wrong, and none of them in what is printed.

DIMSE over TLS is Orthanc's own. Its https server is not used: Debian's build (Orthanc 1.10.1 with civetweb 1.15) ends with a
segmentation fault at the first https request. TLS is put in front of its http server instead, as a reverse proxy does.
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from dicom_objects import by_uid, report, write
from forwarder import Forwarder
from orthanc_server import Orthanc, why_absent
from pacs_commands import run

pytestmark = pytest.mark.usefixtures("_sockets_of_pynetdicom")


PASSWORD = "correct horse é"


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate authority, and a certificate of localhost and one of ours signed by it; made by openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: no certificates can be made for the TLS tests")
    folder = tmp_path_factory.mktemp("papers")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    for name in ("ca", "stranger"):
        extensions = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
        keys = ["-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem"]
        openssl("req", "-x509", *keys, "-days", "2", "-subj", f"/CN={name}", *extensions)
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n", encoding="ascii")
    for name in ("server", "client"):
        openssl(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.csr",
            "-subj",
            f"/CN={name}",
        )
        signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
        openssl("x509", "-req", "-in", f"{name}.csr", *signed, "-out", f"{name}.pem")
    return folder


@pytest.fixture(scope="module")
def guarded_server(tmp_path_factory: pytest.TempPathFactory, papers: Path) -> Iterator[Orthanc]:
    """Orthanc with a password, https, and TLS with client certificates for DIMSE."""
    if reason := why_absent():
        pytest.skip(reason)
    options = {
        "AuthenticationEnabled": True,
        "RegisteredUsers": {"reader": PASSWORD},
        "DicomTlsEnabled": True,
        "DicomTlsCertificate": str(papers / "server.pem"),
        "DicomTlsPrivateKey": str(papers / "server.key"),
        "DicomTlsTrustedCertificates": str(papers / "ca.pem"),
        "DicomTlsRemoteCertificateRequired": True,
    }
    server = Orthanc(tmp_path_factory.mktemp("guarded"), options, "reader", PASSWORD)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def https(guarded_server: Orthanc, papers: Path) -> Iterator[str]:
    """URL of its DICOMweb service behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(papers / "server.pem", papers / "server.key")
    with Forwarder(guarded_server.http, context) as front:
        yield f"https://localhost:{front.port}/dicom-web"


def web(https: str, papers: Path, **keys: object) -> dict[str, object]:
    return {
        "dicomweb": https,
        "user": "reader",
        "password_env": "TEST_PACS_PASSWORD",
        "ca": papers / "ca.pem",
        "retries": 1,
        **keys,
    }


def dimse(server: Orthanc, papers: Path, **keys: object) -> dict[str, object]:
    own = {"cert": papers / "client.pem", "key": papers / "client.key"}
    there = {"host": "localhost", "port": server.dicom, "called_ae": "ORTHANC", "tls": True}
    return {**there, "ca": papers / "ca.pem", "retries": 1, "timeout_s": 5, **own, **keys}


def test_through_password_and_tls(guarded_server, https, papers, config, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TEST_PACS_PASSWORD", PASSWORD)
    path = config(web=web(https, papers), dimse=dimse(guarded_server, papers))
    sent = [write(report(PatientID=f"P{n}"), tmp_path / f"{n}.dcm") for n in (1, 2)]
    for server, file in zip(("web", "dimse"), sent, strict=True):
        ran = run("send", "--config", path, "--server", server, file)
        assert (ran.code, ran.err) == (0, "")
    for server in ("web", "dimse"):
        ran = run("fetch", "--config", path, "--server", server, "--from", "2024-01-01", "--out", tmp_path / server)
        assert ran.code == 0, ran.err
        assert by_uid(tmp_path / server).keys() == by_uid(tmp_path).keys()
        assert len(by_uid(tmp_path / server)) == 2
        assert PASSWORD not in ran.out + ran.err


def test_a_password_from_a_file(https, papers, config, tmp_path) -> None:
    (tmp_path / "secret").write_text(PASSWORD + "\n", encoding="utf-8")
    keys = web(https, papers, password_file=tmp_path / "secret")
    del keys["password_env"]
    assert run("fetch", "--config", config(web=keys), "--patient", "NOBODY", "--list").code == 0


def only_line(ran) -> str:
    assert (ran.code, ran.out) == (2, "")
    (line,) = ran.lines
    assert PASSWORD not in line
    return line


def test_a_wrong_password_is_one_line(https, papers, config, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TEST_PACS_PASSWORD", "not the password")
    path = config(web=web(https, papers))
    line = only_line(run("fetch", "--config", path, "--patient", "P1", "--out", tmp_path / "s"))
    assert "access is refused (HTTP 401)" in line
    assert "not the password" not in line
    assert "P1" not in line
    file = write(report(), tmp_path / "sr.dcm")
    assert "access is refused (HTTP 401)" in only_line(run("send", "--config", path, file))


def test_a_password_that_is_not_set_is_one_line(https, papers, config, monkeypatch) -> None:
    monkeypatch.delenv("TEST_PACS_PASSWORD", raising=False)
    line = only_line(run("fetch", "--config", config(web=web(https, papers)), "--patient", "P1", "--list"))
    assert "environment variable TEST_PACS_PASSWORD with the password is not set" in line


def test_an_unknown_authority_is_refused(guarded_server, https, papers, config, monkeypatch) -> None:
    monkeypatch.setenv("TEST_PACS_PASSWORD", PASSWORD)
    # the bundle of the environment must not take the place of the one that the server's section names
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(papers / "ca.pem"))
    path = config(
        web=web(https, papers, ca=papers / "stranger.pem"),
        dimse=dimse(guarded_server, papers, ca=papers / "stranger.pem"),
    )
    for server in ("web", "dimse"):
        line = only_line(run("fetch", "--config", path, "--server", server, "--patient", "P1", "--list"))
        assert "TLS" in line
        assert "certificate" in line


def test_without_a_bundle_the_system_does_not_know_it(https, papers, config, monkeypatch) -> None:
    monkeypatch.setenv("TEST_PACS_PASSWORD", PASSWORD)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    keys = web(https, papers)
    del keys["ca"]
    line = only_line(run("fetch", "--config", config(web=keys), "--patient", "P1", "--list"))
    assert "TLS" in line


def test_dimse_without_our_certificate_gets_nowhere(guarded_server, papers, config) -> None:
    keys = dimse(guarded_server, papers, timeout_s=3)
    del keys["cert"], keys["key"]
    line = only_line(run("fetch", "--config", config(dimse=keys), "--patient", "P1", "--list"))
    assert "server dimse" in line


def test_plain_dimse_to_a_tls_port_gets_nowhere(guarded_server, papers, config) -> None:
    keys = {
        k: v for k, v in dimse(guarded_server, papers, timeout_s=2).items() if k not in ("tls", "ca", "cert", "key")
    }
    line = only_line(run("fetch", "--config", config(dimse=keys), "--patient", "P1", "--list"))
    assert "server dimse" in line
