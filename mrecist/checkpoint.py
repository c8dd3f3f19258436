"""Results of finished subjects, kept beside the output so that an interrupted batch goes on where it stopped.

A checkpoint is used again only when nothing that it came from has changed: the files (path, size, time of change), what the
reader stated, the settings and the version.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

from mrecist import __version__
from mrecist.model import Kind, Measurement, Problem, Role, State
from mrecist.protocol import Measuring
from mrecist.repeating import Repeating
from mrecist.results import KeyImage, KeyLine
from mrecist.score import Drawing, SubjectResult
from mrecist.stability.spread import OwnSpread
from mrecist.study import SubjectInput
from mrecist.tables import WORD_COLUMNS, write_whole


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
    content = {"signature": stamp, "result": asdict(result)}
    write_whole(_file(folder, result.subject), json.dumps(content, default=_plain))


def load(folder: Path, subject: str, stamp: str) -> SubjectResult | None:
    """The kept result of a subject, or None when there is none or anything has changed since."""
    path = _file(folder, subject)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["signature"] != stamp:
            return None
        return _result(content["result"])
    except (OSError, ValueError, KeyError, TypeError):
        # An unreadable checkpoint is no loss: the subject is scored again.
        return None


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"{type(value)} has no place in a checkpoint")


def _result(content: dict[str, Any]) -> SubjectResult:
    return SubjectResult(
        subject=content["subject"],
        rows=tuple(_row(row) for row in content["rows"]),
        drawings=tuple(Drawing(**drawing) for drawing in content["drawings"]),
        key_images=tuple(_image(image) for image in content["key_images"]),
        problems=tuple(Problem(**problem) for problem in content["problems"]),
        notes=tuple(content["notes"]),
        spread=tuple(_spread(one) for one in content["spread"]),
    )


_WORDS: dict[str, type[StrEnum]] = {"role": Role, "kind": Kind, "state": State, **WORD_COLUMNS}
_DECIMALS = {f.name for f in fields(Measurement) if str(f.type) == "Decimal | None"}


def _row(content: dict[str, Any]) -> Measurement:
    values = dict(content, date=None if content["date"] is None else date.fromisoformat(content["date"]))
    for name, word in _WORDS.items():
        values[name] = None if values[name] is None else word(values[name])
    for name in _DECIMALS:
        values[name] = None if values[name] is None else Decimal(values[name])
    values["viable_foci_mm"] = tuple(Decimal(focus) for focus in values["viable_foci_mm"])
    return Measurement(**values)


def _spread(content: dict[str, Any]) -> OwnSpread:
    decimals = {f.name for f in fields(OwnSpread) if str(f.type).startswith("Decimal")}
    values: dict[str, Any] = {k: Decimal(v) if k in decimals and v is not None else v for k, v in content.items()}
    return OwnSpread(**values)


def _image(content: dict[str, Any]) -> KeyImage:
    def point(pair: list[float]) -> tuple[float, float]:
        return pair[0], pair[1]

    lines = tuple(
        KeyLine(name=line["name"], mm=Decimal(line["mm"]), start=point(line["start"]), end=point(line["end"]))
        for line in content["lines"]
    )
    outlines = {
        name: tuple(tuple(point(p) for p in outline) for outline in outlines)
        for name, outlines in content["outlines"].items()
    }
    values = dict(content, lines=lines, outlines=outlines, date=date.fromisoformat(content["date"]))
    values["png"] = base64.b64decode(content["png"])
    values["window"] = (content["window"][0], content["window"][1])
    values["letters"] = tuple(content["letters"])
    return KeyImage(**values)
