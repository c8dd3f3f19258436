"""Measurement lists of viewers: the CSV that OHIF's measurement panel exports, and the markups JSON of 3D Slicer.

OHIF (extension cornerstone, report of Bidirectional and Length): one row a measurement with ``Patient ID``, ``StudyInstanceUID``,
``SeriesInstanceUID``, ``SOPInstanceUID``, ``Label``, ``AnnotationType``, ``Length (mm)`` and ``Width (mm)``; no date and no reader.
Slicer (markups schema 1.0.3): one line a file; the lesion is the name of the file, because the format holds no other name.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mrecist.errors import InputError
from mrecist.objects.read_finding import Finding, Line
from mrecist.tables import read_rows

_OHIF = ("Patient ID", "SOPInstanceUID", "Label", "AnnotationType")
_OHIF_SIZES = {"length": "longest_mm", "width": "short_mm"}
_OHIF_WHERE = frozenset(
    {"Patient Name", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "points", "Unit"}
)


def read_list(path: Path) -> tuple[Finding, ...]:
    """The measurements of a list.

    Raises
    ------
    InputError
        The file is neither of the two.
    """
    return _slicer(path) if path.suffix.lower() == ".json" else _ohif(path)


def _ohif(path: Path) -> tuple[Finding, ...]:
    _, lines = read_rows(path, _OHIF)
    return tuple(_ohif_finding(path, number, cells) for number, cells in lines)


def _ohif_finding(path: Path, number: int, cells: Mapping[str, str]) -> Finding:
    finding = Finding(
        source=f"{path} line {number}",
        subject=cells["Patient ID"],
        lesion=cells["Label"],
        study_uid=cells.get("StudyInstanceUID", ""),
        series_uids=tuple(filter(None, [cells.get("SeriesInstanceUID", "")])),
        images=tuple(filter(None, [cells["SOPInstanceUID"]])),
    )
    kind = cells["AnnotationType"].rpartition(":")[2]
    lines = _ohif_lines(cells.get("points", ""))
    for name, text in cells.items():
        if not text or name in _OHIF or name in _OHIF_WHERE:
            continue
        what, _, unit = name.partition(" (")
        column = _OHIF_SIZES.get(what.lower()) if kind in ("Bidirectional", "Length") else None
        if column is None:
            finding.not_used.append(f"{kind}: {name} = {text}")
            continue
        if kind == "Length":
            finding.notes.append("its Length is taken as the longest diameter")
        place = 0 if column == "longest_mm" else 1
        finding.add(
            column, text, unit.rstrip(")") or cells.get("Unit", ""), what, lines[place] if len(lines) > place else None
        )
    return finding


def _ohif_lines(text: str) -> list[Line]:
    """``x y z;x y z;...`` in LPS mm: two points a line, first the long axis."""
    try:
        points = [tuple(float(v) for v in point.split()) for point in text.split(";") if point.strip()]
    except ValueError:
        return []
    if len(points) not in (2, 4) or any(len(p) != 3 for p in points):
        return []
    return [Line(ends=pair, image="") for pair in zip(points[::2], points[1::2], strict=True)]


def _slicer(path: Path) -> tuple[Finding, ...]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({' '.join(str(error).split())[:100]})") from None
    markups = content.get("markups") if isinstance(content, dict) else None
    if not isinstance(markups, list) or not all(isinstance(m, dict) for m in markups):
        raise InputError(f"{path}: holds no list 'markups'; give a markups file of 3D Slicer (.mrk.json)")
    name = path.name.partition(".")[0]
    try:
        return tuple(_slicer_finding(path, name, markup) for markup in markups)
    except (AttributeError, TypeError, ValueError):
        raise InputError(f"{path}: its markups are not laid out as 3D Slicer does; export them again") from None


def _slicer_finding(path: Path, name: str, markup: Mapping[str, Any]) -> Finding:
    finding = Finding(source=str(path), lesion=name)
    kind = markup.get("type")
    if kind != "Line":
        finding.not_used.append(f"markup of type {kind}")
        return finding
    units = str(markup.get("coordinateUnits", "mm"))
    for measured in markup.get("measurements") or []:
        if measured.get("name") == "length" and measured.get("value") is not None:
            finding.notes.append("its length is taken as the longest diameter")
            text, unit = str(measured["value"]), str(measured.get("units", units))
            finding.add("longest_mm", text, unit, "length", _slicer_line(markup))
        elif measured.get("value") is not None:
            finding.not_used.append(f"{measured.get('name')} = {measured['value']}")
    return finding


def _slicer_line(markup: Mapping[str, Any]) -> Line | None:
    """Ends in LPS or RAS: a length is the same in both."""
    points = [p.get("position") for p in markup.get("controlPoints") or []]
    if len(points) != 2 or any(not isinstance(p, list) or len(p) != 3 for p in points):
        return None
    one, other = (tuple(float(v) for v in p) for p in points)
    return Line(ends=(one, other), image="") if all(map(math.isfinite, (*one, *other))) else None
