"""A real Orthanc with its DICOMweb plugin, on free ports of the loopback interface, in a folder of its own.

Orthanc 1.10.1 has no option for the address that it binds: its HTTP server refuses callers from elsewhere
(``RemoteAccessAllowed``), its DICOM server would answer them while the tests run. ``unshare -rn sh -c 'ip link set lo up; pytest
tests/pacs'`` runs everything without a network where that matters.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


def binary() -> str:
    """Path of the Orthanc binary, or ``""``."""
    return shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin:/usr/local/sbin") or ""


def why_absent() -> str:
    """Why no Orthanc can be started here, or ``""``."""
    if not binary():
        return (
            "Orthanc is not installed (Debian packages orthanc and orthanc-dicomweb): no round trip through a real PACS"
        )
    return "" if PLUGIN.exists() else f"the DICOMweb plugin of Orthanc is not installed ({PLUGIN})"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Orthanc:
    """One server: started and stopped by the tests, the storage stays over a restart."""

    folder: Path
    options: dict[str, Any] = field(default_factory=dict)
    user: str = ""
    password: str = ""
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.http, self.dicom = free_port(), free_port()
        storage = str(self.folder / "storage")
        config = {
            "Name": "TEST",
            "StorageDirectory": storage,
            "IndexDirectory": storage,
            "Plugins": [str(PLUGIN)],
            "HttpPort": self.http,
            "DicomPort": self.dicom,
            "DicomAet": "ORTHANC",
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowGet": True,
            "DicomAlwaysAllowMove": True,
            "StableAge": 1,
            "SaveJobs": False,
            "TranscodeDicomProtocol": False,
            **self.options,
        }
        self.config = self.folder / "orthanc.json"
        self.config.write_text(json.dumps(config), encoding="utf-8")

    @property
    def url(self) -> str:
        return f"http://localhost:{self.http}"

    def start(self) -> Orthanc:
        self.log = (self.folder / "orthanc.log").open("ab")
        self.process = subprocess.Popen(
            [binary(), str(self.config)],
            stdout=self.log,
            stderr=self.log,
            cwd=self.folder,
            env={**os.environ, "TCP_NODELAY": "1"},
        )
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                self.rest("/system")
                return self
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        self.stop()
        raise RuntimeError((self.folder / "orthanc.log").read_text(encoding="utf-8", errors="replace")[-2000:])

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is not None:
            if self.process.poll() is None:
                os.kill(self.process.pid, how)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.kill(self.process.pid, signal.SIGKILL)
                self.process.wait(10)
            self.process = None
            self.log.close()

    def rest(self, path: str, data: bytes | None = None, method: str | None = None) -> Any:
        """Orthanc's own REST API: an independent way in and out."""
        request = urllib.request.Request(f"{self.url}{path}", data=data, method=method)
        if self.user:
            both = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            request.add_header("Authorization", f"Basic {both}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            body = answer.read()
        return json.loads(body) if body[:1] in (b"{", b"[") else body

    def clear(self) -> None:
        for patient in self.rest("/patients"):
            self.rest(f"/patients/{patient}", method="DELETE")

    def put(self, *files: Path) -> None:
        for file in files:
            self.rest("/instances", file.read_bytes())
