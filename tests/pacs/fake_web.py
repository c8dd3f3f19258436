"""A DICOMweb server that does as the test says: it breaks the standard in the ways that the tests name."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import pydicom
from pydicom.dataset import Dataset

TAGS = {
    "studies": ("PatientID", "StudyDate", "StudyInstanceUID"),
    "series": ("Modality", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber"),
    "instances": ("SOPInstanceUID", "SOPClassUID"),
}


@dataclass
class Script:
    """What the server lists, what it sends for a series or instance, and answers that come before all others."""

    has: list[Dataset] = field(default_factory=list)
    sends: list[bytes] = field(default_factory=list)
    instead: list[tuple[int, str, bytes]] = field(default_factory=list)
    stored: tuple[int, str, bytes] = (200, "application/dicom+json", b"{}")
    count: int | None = None
    single: bool = False
    asked: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)


def encoded(one: Dataset) -> bytes:
    stream = BytesIO()
    pydicom.dcmwrite(stream, one, enforce_file_format=True)
    return stream.getvalue()


def as_rows(script: Script, level: str) -> list[dict[str, Any]]:
    rows = []
    for one in script.has if level == "instances" else script.has[:1]:
        part = Dataset()
        for name in TAGS[level]:
            if name in one:
                part[name] = one[name]
        row = json.loads(part.to_json())
        if level == "series":
            row["00201209"] = {"vr": "IS", "Value": [len(script.has) if script.count is None else script.count]}
        rows.append(row)
    return rows


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    script: Script

    def log_message(self, *_: object) -> None: ...

    def answer(self, code: int, kind: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answered_instead(self) -> bool:
        self.script.asked.append(self.path)
        self.script.tokens.append(self.headers.get("Authorization", ""))
        if self.script.instead:
            self.answer(*self.script.instead.pop(0))
            return True
        return False

    def do_GET(self) -> None:
        if self.answered_instead():
            return
        path = self.path.split("?")[0]
        if search := re.search(r"/(studies|series|instances)$", path):
            self.answer(200, "application/dicom+json", json.dumps(as_rows(self.script, search[1])).encode())
            return
        uid = path.rpartition("/instances/")[2]
        parts = [p for p in self.script.sends if "/instances/" not in path or uid.encode() in p]
        if not parts:
            self.answer(404, "text/plain", b"no such instance")
            return
        if self.script.single and "/instances/" in path:
            self.answer(200, "application/dicom", parts[0])
            return
        body = b"".join(b"--X\r\nContent-Type: application/dicom\r\n\r\n" + p + b"\r\n" for p in parts) + b"--X--"
        self.answer(200, 'multipart/related; type="application/dicom"; boundary=X', body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.answered_instead():
            self.answer(*self.script.stored)


@contextmanager
def serving(script: Script) -> Iterator[str]:
    """The URL of the service."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OneHandler", (Handler,), {"script": script}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/dicomweb"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
