"""The autosave of a read: one JSON line an action, appended and forced to disk before the next.

After a crash, a kill or a full disk the journal holds every action up to the last one that was saved; a line that was cut off
is dropped when the read is opened again. Lines are never changed: undo and redo are lines too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrecist.errors import ReadError

_NAME = "journal.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line: its number, when (ISO 8601, UTC), what was done, and with what."""

    n: int
    at: str
    do: str
    given: Any = None


class Journal:
    """The journal in a folder. ``entries`` are those that were read when it was opened; ``note`` what was dropped."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / _NAME
        self.entries: tuple[Entry, ...] = ()
        self.note = ""
        self._length = 0
        self._next = 1
        if self.path.exists():
            self._open()

    def _open(self) -> None:
        data = self.path.read_bytes()
        entries: list[Entry] = []
        position = 0
        while (end := data.find(b"\n", position)) >= 0:
            try:
                entries.append(_entry(data[position:end], len(entries) + 1))
            except ValueError as error:
                raise ReadError(
                    f"{self.path}: line {len(entries) + 1} is damaged ({error}); restore the file from a copy, or move it "
                    f"away to start the read again"
                ) from None
            position = end + 1
        if position < len(data):
            self.note = f"{self.path}: the last action was cut off before it was saved and is not there"
        self.entries = tuple(entries)
        self._length, self._next = position, len(entries) + 1

    def append(self, lines: Sequence[tuple[str, str, Any]]) -> None:
        """Save actions, each (at, do, given): all of them or none.

        Raises
        ------
        OSError : the disk is full or gone. Nothing is lost: what was saved before stays, and the same may be tried again.
        """
        entries = [Entry(n=self._next + i, at=at, do=do, given=given) for i, (at, do, given) in enumerate(lines)]
        data = b"".join(_line(entry) for entry in entries)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = not self.path.exists()
        with self.path.open("r+b" if not new else "x+b") as file:
            file.truncate(self._length)  # what a failed attempt left behind
            file.seek(self._length)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if new:
            _sync_folder(self.path.parent)
        self._length += len(data)
        self._next += len(entries)
        self.entries += tuple(entries)


def _line(entry: Entry) -> bytes:
    content = {"n": entry.n, "at": entry.at, "do": entry.do, "with": entry.given}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8") + b"\n"


def _entry(line: bytes, number: int) -> Entry:
    content = json.loads(line)
    if not isinstance(content, dict) or content.get("n") != number or not isinstance(content.get("do"), str):
        raise ValueError(f"it is not action {number}")
    return Entry(n=number, at=str(content.get("at", "")), do=content["do"], given=content.get("with"))


def _sync_folder(folder: Path) -> None:
    """The entry of a new file in its folder is on disk too; only POSIX needs and allows it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
