"""What the headers of files said, kept beside the results: a file that nobody wrote to since is not opened again.

::

    DIR/.checkpoints/headers/ab/abcd....json.z   of at most 50 files of one folder: name, stamp (mrecist.stamps), what was found

Whoever reads a share of the files reads and writes its part of the index, so nobody holds all of it. A part is written whole, and
is found by the folder, the program's version and pydicom's; one that is damaged is not used. A file that could not be read is not
kept: it is tried again.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import zlib
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mrecist import __version__
from mrecist.imaging.scan import Found, look_at
from mrecist.imaging.sharing import Piece
from mrecist.plain import from_plain, to_plain
from mrecist.stamps import Stamp, settled, stamp_of
from mrecist.tables import write_whole

_LAYOUT = "headers/1"
_DIGEST = hashlib.sha256().digest_size


def look_at_changed(share: Sequence[Piece], *, index: Path) -> Found:
    """What is in some files, as :func:`mrecist.imaging.scan.look_at_all`; from ``index`` where a file is the one it was."""
    found = Found()
    for piece in share:
        found.add(_of_piece(piece, index))
    return found


def _of_piece(piece: Piece, index: Path) -> Found:
    place = None if piece.number is None else _place(piece, index)
    before = {} if place is None else _read(place)
    now: dict[str, Any] = {}
    found = Found()
    for name, path in zip(piece.names, piece.paths, strict=True):
        stamp = _stamp(path)
        one = _kept(before.get(name), stamp)
        if one is not None:
            now[name] = before[name]
        else:
            began = time.time_ns()
            one = look_at(path)
            after = _stamp(path)
            if not one.problems and stamp is not None and after is not None and settled(stamp, after, began):
                now[name] = [list(stamp), to_plain(one)]
        found.add(one)
    if place is not None and now != before:
        with suppress(OSError):  # an index that is not there costs time, nothing else
            _write(place, now)
    return found


def _stamp(path: Path) -> Stamp | None:
    try:
        return stamp_of(os.stat(path))
    except OSError:
        return None


def _kept(entry: Any, stamp: Stamp | None) -> Found | None:
    """What was found in a file of that stamp; None where it has to be read."""
    try:
        return from_plain(entry[1], Found) if stamp is not None and entry[0] == list(stamp) else None
    except (ValueError, TypeError, LookupError):
        return None


@cache
def _versions() -> tuple[str, ...]:
    return _LAYOUT, __version__, version("pydicom")


def _place(piece: Piece, index: Path) -> Path:
    # records hold the path as it was given
    key = repr((_versions(), os.path.abspath(piece.folder), piece.folder, piece.number))
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    return index / digest[:2] / f"{digest}.json.z"


def _read(place: Path) -> dict[str, Any]:
    try:
        written = place.read_bytes()
        digest, data = written[:_DIGEST], written[_DIGEST:]
        content = json.loads(zlib.decompress(data)) if hashlib.sha256(data).digest() == digest else {}
    except (OSError, ValueError, zlib.error):
        return {}
    return content if isinstance(content, dict) else {}


def _write(place: Path, content: dict[str, Any]) -> None:
    data = zlib.compress(json.dumps(content, separators=(",", ":")).encode("ascii"), 1)
    write_whole(place, hashlib.sha256(data).digest() + data)
