"""``series.csv`` of a study folder: what a person says about a series overrides what its header says (docs/files.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from mrecist.dates import PartialDate, parse_date
from mrecist.errors import InputError
from mrecist.imaging.phase import Phase, PhaseName
from mrecist.imaging.series import Series
from mrecist.tables import read_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What is stated, by series UID; a phase also by stack (None: the whole series)."""

    phases: dict[tuple[str, int | None], Phase]
    timepoints: dict[str, int]
    subjects: dict[str, str]
    dates: dict[str, date]


def read_manifest(path: Path, partial: PartialDate = PartialDate.REFUSE) -> Manifest:
    """The manifest of a study; empty where there is none. Raises :class:`InputError` where it is no such table."""
    manifest = Manifest(phases={}, timepoints={}, subjects={}, dates={})
    if not path.exists():
        return manifest
    _, lines = read_rows(path, ("series_uid",))
    for number, cells in lines:
        uid, by = cells["series_uid"], cells.get("by") or "series.csv"
        on = f" on {cells['on']}" if cells.get("on") else ""
        if cells.get("phase"):
            where = f"{path}: line {number}"
            key = uid, _stack(cells["stack"], where) if cells.get("stack") else None
            manifest.phases[key] = _phase(cells["phase"], by + on, where)
        if cells.get("timepoint"):
            manifest.timepoints[uid] = timepoint_of(cells["timepoint"], f"{path}: line {number}")
        if cells.get("subject"):
            manifest.subjects[uid] = cells["subject"]
        if cells.get("date"):
            try:
                manifest.dates[uid] = parse_date(cells["date"], partial)
            except ValueError as error:
                raise InputError(f"{path}: line {number}: date: {error}") from None
    return manifest


def _phase(text: str, by: str, where: str) -> Phase:
    try:
        name = PhaseName(text.upper().replace("-", " ").replace("_", " "))
    except ValueError:
        raise InputError(f"{where}: phase is '{text}', not one of: {', '.join(PhaseName)}") from None
    return Phase(name=name, confidence="high", evidence=(f"stated by {by}",))


def timepoint_of(text: str, where: str) -> int:
    """A time point as a table states it."""
    if not text.isdecimal():
        raise InputError(f"{where}: timepoint is '{text}'; it is a whole number, 0 = baseline")
    return int(text)


def _stack(text: str, where: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise InputError(f"{where}: stack is '{text}'; it is a whole number from 1, as `mrecist scan` shows it")
    return int(text)


def with_manifest(series: Series, manifest: Manifest, usable: int) -> Series:
    """The series with the date and phase that a person states; what its headers said stays in the notes and evidence.

    ``usable`` : how many stacks of this UID are not refused; one phase for several of them is refused.
    """
    if (day := manifest.dates.get(series.uid)) is not None:
        said = f"date {day.isoformat()} as series.csv states; headers: {series.date or 'none'}"
        series = replace(series, date=day.isoformat(), date_source="series.csv", notes=(*series.notes, said))
    phase = manifest.phases.get((series.uid, series.stack))
    whole = manifest.phases.get((series.uid, None))
    if phase is None and whole is not None:
        if usable > 1:
            raise InputError(
                f"series.csv: series {series.uid} holds {usable} usable stacks and one phase is stated for all of them; "
                f"add the column stack with a line for each"
            )
        phase = whole
    if phase is None:
        return series
    before = f"headers: {series.phase.name} ({series.phase.confidence}): {'; '.join(series.phase.evidence)}"
    return replace(series, phase=replace(phase, evidence=(*phase.evidence, before)))


def subject_of_series(series: Series, manifest: Manifest) -> str:
    """Whose a series is."""
    return manifest.subjects.get(series.uid) or series.subject


def unused(manifest: Manifest, series: Iterable[Series]) -> tuple[str, ...]:
    """What series.csv says of series that are not there: most often a mistyped UID, whose override would be lost."""
    known = {one.uid for one in series}
    said = (*(uid for uid, _ in manifest.phases), *manifest.timepoints, *manifest.subjects)
    return tuple(f"series.csv: series {uid} is not in this study" for uid in dict.fromkeys(said) if uid not in known)
