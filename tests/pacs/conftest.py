"""Servers for the tests, and short ways to run the two commands against them."""

from __future__ import annotations

import gc
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from orthanc_server import Orthanc, free_port, why_absent

# Where the other side refuses or resets a connection, pynetdicom 3.0 leaves its socket to the garbage collector.
LEFT_SOCKET = "ignore:Exception ignored in. <s(ocket|sl)[.]:pytest.PytestUnraisableExceptionWarning"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(LEFT_SOCKET))


@pytest.fixture
def _sockets_of_pynetdicom() -> Iterator[None]:
    """Collect such sockets before the next test; records of its log would hold them longer."""
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def _bad_uids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets pydicom build data sets that break the rules."""
    monkeypatch.setattr(pydicom.config.settings, "_reading_validation_mode", pydicom.config.IGNORE)
    monkeypatch.setattr(pydicom.config.settings, "_writing_validation_mode", pydicom.config.IGNORE)


@pytest.fixture(scope="session")
def move_port() -> int:
    """Where C-MOVE may deliver to."""
    return free_port()


@pytest.fixture(scope="session")
def orthanc_process(tmp_path_factory: pytest.TempPathFactory, move_port: int) -> Iterator[Orthanc]:
    if reason := why_absent():
        pytest.skip(reason)
    server = Orthanc(
        tmp_path_factory.mktemp("orthanc"), {"DicomModalities": {"MRECIST": ["MRECIST", "127.0.0.1", move_port]}}
    )
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def orthanc(orthanc_process: Orthanc) -> Orthanc:
    """An Orthanc that holds nothing."""
    orthanc_process.clear()
    return orthanc_process


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """Write a configuration: ``config(web={...}, dimse={...})``; short waits unless said otherwise."""

    def write(**servers: dict[str, object]) -> Path:
        text = ""
        for name, keys in servers.items():
            text += f"[pacs.{name}]\n"
            for key, value in {"wait_s": 0.05, "timeout_s": 10, **keys}.items():
                text += f"{key} = {json.dumps(value) if not isinstance(value, Path) else json.dumps(str(value))}\n"
        path = tmp_path / "pacs.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def both(orthanc: Orthanc, config: Callable[..., Path]) -> Path:
    """Orthanc over both transports: servers ``web`` and ``dimse``."""
    return config(
        web={"dicomweb": f"{orthanc.url}/dicom-web"},
        dimse={"host": "localhost", "port": orthanc.dicom, "called_ae": "ORTHANC"},
    )
