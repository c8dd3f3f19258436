"""Where files are written: links and what is no file stay what they are."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from mrecist.tables import write_whole


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, "a,b\n")
    reader.join()
    assert read == [b"a,b\n"]
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_link_keeps_pointing_and_its_file_is_written(tmp_path: Path) -> None:
    real, link = tmp_path / "real" / "out.csv", tmp_path / "out.csv"
    real.parent.mkdir()
    real.write_text("old", encoding="utf-8")
    link.symlink_to(real)
    write_whole(link, "new")
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == "new"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, "a")
