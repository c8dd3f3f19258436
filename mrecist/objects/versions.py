"""Structured reports that are there already: a corrected report names the one that it replaces."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mrecist.errors import InputError, MrecistError
from mrecist.imaging.headers import get_items, get_text, looks_like_dicom, object_uid, read_header

COMPREHENSIVE_3D_SR = "1.2.840.10008.5.1.4.1.1.88.34"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One report: its file, its header, its place in the chain of corrections (1 = first), and what it replaced."""

    path: Path
    header: Any
    number: int
    predecessor: Any
    """Names the document before it as a header does; None for the first."""


@dataclass(slots=True)
class Versions:
    """The reports of a folder by SeriesInstanceUID."""

    _by_series: dict[str, list[tuple[Path, Any]]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> Versions:
        """The reports below a folder; none when it is not there. Files that are no such report are passed over."""
        found = cls()
        for path in sorted(folder.rglob("*.dcm")) if folder.is_dir() else ():
            try:
                header = read_header(path).dataset if path.is_file() and looks_like_dicom(path) else None
            except MrecistError:
                continue
            if header is not None and object_uid(header, "SOPClassUID") == COMPREHENSIVE_3D_SR:
                found._by_series.setdefault(get_text(header, "SeriesInstanceUID"), []).append((path, header))
        return found

    def latest(self, series_uid: str) -> Version | None:
        """The report of a series that no other one replaces; raises :class:`InputError` when there are two of them."""
        reports = self._by_series.get(series_uid, [])
        by_uid = {get_text(header, "SOPInstanceUID"): (path, header) for path, header in reports}
        replaced = {str(p.SOPInstanceUID) for _, header in reports if (p := _predecessor(header)) is not None}
        last = [uid for uid in by_uid if uid not in replaced]
        if not last:
            return None
        if len(last) > 1:
            names = " and ".join(str(by_uid[uid][0]) for uid in last)
            raise InputError(f"{names}: two reports of one read, and neither replaces the other; keep one")
        path, header = by_uid[last[0]]
        number, step = 1, _predecessor(header)
        while step is not None:
            number += 1
            before = by_uid.get(str(step.SOPInstanceUID))
            step = _predecessor(before[1]) if before else None
        return Version(path=path, header=header, number=number, predecessor=_predecessor(header))


def _predecessor(header: Any) -> Any:
    for study in get_items(header, "PredecessorDocumentsSequence"):
        for series in get_items(study, "ReferencedSeriesSequence"):
            for one in get_items(series, "ReferencedSOPSequence"):
                return SimpleNamespace(
                    SOPClassUID=get_text(one, "ReferencedSOPClassUID"),
                    SOPInstanceUID=get_text(one, "ReferencedSOPInstanceUID"),
                    StudyInstanceUID=get_text(study, "StudyInstanceUID"),
                    SeriesInstanceUID=get_text(series, "SeriesInstanceUID"),
                )
    return None
