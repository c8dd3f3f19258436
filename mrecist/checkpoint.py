"""Results of finished subjects, kept beside the output so that an interrupted batch goes on where it stopped.

A checkpoint is used again only when nothing that it came from has changed: the files (path, size, time of change), what the
reader stated, the settings and the version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from mrecist import __version__
from mrecist.plain import from_plain, to_plain
from mrecist.protocol import Measuring
from mrecist.repeating import Repeating
from mrecist.score import SubjectResult
from mrecist.study import SubjectInput
from mrecist.tables import write_whole


def signature(given: SubjectInput, measuring: Measuring, repeating: Repeating | None = None) -> str:
    """SHA-256 of everything that the result of a subject depends on."""
    files: set[Path] = {piece.path for series in given.series for piece in series.slices}
    files |= {segmentation.path for segmentation in given.segmentations}
    files |= {path for mask in given.label_masks for path in (mask.lesions, mask.viable) if path is not None}
    parts = [
        __version__,
        repr(measuring),
        repr(repeating),
        repr(given.rows),
        repr(given.timepoints),
        repr(given.label_masks),
    ]
    parts += [repr(given.problems), repr(given.notes)]
    parts += [repr((s.uid, s.stack, s.phase, s.verdict, s.date)) for s in given.series]
    parts += _stamps(sorted(files))
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


def _stamps(files: Iterable[Path]) -> list[str]:
    stamps = []
    for path in files:
        try:
            stat = path.stat()
            stamps.append(f"{path} {stat.st_size} {stat.st_mtime_ns}")
        except OSError:
            stamps.append(f"{path} absent")
    return stamps


def _file(folder: Path, subject: str) -> Path:
    return folder / f"{hashlib.sha256(subject.encode('utf-8')).hexdigest()[:24]}.json"


def save(folder: Path, result: SubjectResult, stamp: str) -> None:
    """Keep the result of a subject."""
    content = {"signature": stamp, "result": to_plain(result)}
    write_whole(_file(folder, result.subject), json.dumps(content))


def load(folder: Path, subject: str, stamp: str) -> SubjectResult | None:
    """The kept result of a subject, or None when there is none or anything has changed since."""
    path = _file(folder, subject)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return from_plain(content["result"], SubjectResult) if content["signature"] == stamp else None
    except (OSError, ValueError, KeyError, TypeError):
        # An unreadable checkpoint is no loss: the subject is scored again.
        return None
