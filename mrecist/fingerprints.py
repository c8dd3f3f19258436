"""SHA-256 of files by their content, without reading again what nobody wrote to since.

An index remembers a file's digest with its path and stamp (:mod:`mrecist.stamps`); where they are the same, the digest is taken from
there.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

from mrecist.stamps import Stamp, settled, stamp_of
from mrecist.tables import write_whole


class Fingerprints:
    """The digests of some files, remembered in ``index`` by :meth:`keep`."""

    def __init__(self, index: Path) -> None:
        self._index = index
        self._before = _remembered(index)
        self._now: dict[str, tuple[Stamp, str]] = {}
        self._passing: dict[str, tuple[Stamp, str]] = {}

    def sha256(self, path: Path) -> str:
        """The digest of a file's content; raises OSError where it cannot be read."""
        name = os.path.abspath(path)
        stamp = stamp_of(os.stat(path))
        for known in (self._now, self._passing, self._before):
            if name in known and known[name][0] == stamp:
                if known is self._before:
                    self._now[name] = known[name]
                return known[name][1]
        began = time.time_ns()
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            after = stamp_of(os.fstat(file.fileno()))
        (self._now if settled(stamp, after, began) else self._passing)[name] = stamp, digest
        return digest

    def still(self, path: Path) -> bool:
        """Whether a file is the one whose digest was given."""
        name = os.path.abspath(path)
        known = self._now.get(name) or self._passing.get(name)
        try:
            return known is not None and known[0] == stamp_of(os.stat(path))
        except OSError:
            return False

    def keep(self) -> None:
        """Remember the files that were asked for, and no others."""
        if self._now != self._before:
            content = {name: [*stamp, digest] for name, (stamp, digest) in sorted(self._now.items())}
            write_whole(self._index, json.dumps(content))


def _remembered(index: Path) -> dict[str, tuple[Stamp, str]]:
    try:
        content = json.loads(index.read_text(encoding="utf-8"))
        return {name: ((int(a), int(b), int(c), int(d)), str(e)) for name, (a, b, c, d, e) in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # a lost index costs time, nothing else
