"""The files that a store names (masks, a reader's lines), each under the hash of its content: ``FOLDER/ab/abcdef...``.

A file is whole and on the disk before any row names it; it is never written again.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from mrecist.errors import StoreError
from mrecist.tables import write_whole


class KeptFiles:
    """A folder of files by their SHA-256. ``folder`` is None for a server whose folder was not given."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def keep(self, path: Path) -> tuple[str, int]:
        """Keep the content of a file; its SHA-256 and size in bytes."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise StoreError(f"{path}: cannot be read ({error.strerror}); nothing of this read was written") from None
        digest = hashlib.sha256(data).hexdigest()
        there = self.path(digest)
        wrong = self.wrong(digest, len(data)) if there.exists() else "absent"
        if wrong and there.exists():
            raise StoreError(f"{there}: {wrong}; it was changed on the disk, restore it from a copy")
        if wrong:
            try:
                write_whole(there, data)
                for folder in (there.parent, there.parent.parent, there.parent.parent.parent):
                    _sync(folder)
            except OSError as error:
                raise StoreError(
                    f"{there}: cannot be written ({error.strerror}); nothing of this read was written"
                ) from None
        return digest, len(data)

    def path(self, digest: str) -> Path:
        """Where the file of a hash lies; raises :class:`StoreError` without a folder."""
        if self.folder is None:
            raise StoreError("a store on a server keeps its files in a folder; name it with --files DIR")
        return self.folder / digest[:2] / digest

    def wrong(self, digest: str, size: int) -> str:
        """What is wrong with a kept file; empty when it is as it was."""
        path = self.path(digest)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return "is not there any more"
        except OSError as error:
            return f"cannot be read ({error.strerror})"
        if len(data) != size:
            return f"has {len(data)} bytes and the store says {size}"
        found = hashlib.sha256(data).hexdigest()
        return "" if found == digest else f"has SHA-256 {found[:12]}... and the store says {digest[:12]}..."


def _sync(folder: Path) -> None:
    """The entry of a new file in its folder is on the disk too; only POSIX needs and allows it."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
