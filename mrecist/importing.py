"""Reports of other programs to rows of ``measurements.csv``: what ``mrecist import`` does.

A file says what was measured; who, when and as what is taken from it where it says so, and asked for where it does not. Nothing
that decides a category is guessed: a finding without a name, a time point or a role is a problem of its read, and a read with a
problem is left out whole, because a missing lesion would change its sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from mrecist.errors import InputError, MrecistError
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.model import Kind, Measurement, Problem, Role, State
from mrecist.objects.read_aim import read_aim
from mrecist.objects.read_finding import Finding, Line, Size
from mrecist.objects.read_list import read_list
from mrecist.objects.read_report import STUDY_DATE, ReportRead, read_report
from mrecist.reading import role_from_id, thickness
from mrecist.study import Progress
from mrecist.tables import measurement_of, read_rows
from mrecist.units import difference, parse_number, show

LINE_TOLERANCE_MM = 0.1
_STATE = {Role.TARGET: State.MEASURED, Role.NON_TARGET: State.PRESENT, Role.NEW: State.EQUIVOCAL}
_VISIT_KEYS = ("subject", "date", "study_uid", "series_uid", "label")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the caller says of the findings; None = take it from the files.

    Parameters
    ----------
    timepoints : table with ``timepoint`` and any of subject, date, study_uid, series_uid, label (what the file calls the visit).
    manifest : ``series.csv`` of a study folder: series_uid with time point and subject.
    images : folder with the images, for their dates and to compare sizes with their lines.
    role : of a lesion whose role neither the file nor its name says.
    """

    subject: str | None = None
    timepoint: int | None = None
    day: date | None = None
    reader: str | None = None
    role: Role | None = None
    timepoints: Path | None = None
    manifest: Path | None = None
    images: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """Rows, problems of the reads that were left out, and what a person should know."""

    rows: tuple[Measurement, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """A row of the table of time points: the finding must agree with all keys that are given."""

    keys: Mapping[str, str]
    timepoint: int
    subject: str = ""


T = TypeVar("T")
_Key = tuple[str, str, int, str]
"""Subject, reader, time point, lesion."""


class _Images:
    """The series that were given, by what reports refer to."""

    def __init__(self, series: Sequence[Series]) -> None:
        self.by_series = {one.uid: one for one in series}
        self.by_image: dict[str, list[Series]] = {}
        for one in series:
            for uid in {item.sop_instance_uid for item in one.slices}:
                self.by_image.setdefault(uid, []).append(one)

    def of(self, finding: Finding) -> Series | None:
        """The series that a finding was measured on."""
        by_image = (one for uid in finding.images for one in self.by_image.get(uid, ()))
        by_series = (self.by_series[uid] for uid in finding.series_uids if uid in self.by_series)
        return next(iter([*by_image, *by_series]), None)

    def length(self, line: Line) -> float | None:
        """mm between the ends of a line; None when its image is not here."""
        one, other = line.ends
        if not line.image:
            return math.dist(one, other)
        series = next(iter(self.by_image.get(line.image, ())), None)
        if series is None or series.geometry is None:
            return None
        grid = series.geometry
        return math.hypot((other[0] - one[0]) * grid.column_spacing_mm, (other[1] - one[1]) * grid.row_spacing_mm)


def import_reports(files: Sequence[Path], asked: Asked, progress: Progress | None = None) -> Imported:
    """DICOM structured reports (TID 1500) to rows; a report that another one replaces is left out, with a note."""
    reports: list[tuple[Path, ReportRead]] = []
    problems: list[Problem] = []
    for path in files:
        try:
            reports.append((path, read_report(path)))
        except MrecistError as error:
            problems.append(Problem(subject="", message=str(error)))
    replaced = {uid for _, report in reports for uid in report.replaces}
    notes = [f"{path}: replaced by a later version; not used" for path, report in reports if report.uid in replaced]
    current = [report for _, report in reports if report.uid not in replaced]
    notes += [text for report in current for text in report.not_used]
    responses = sum(report.responses for report in current)
    if responses:
        notes.append(f"the responses in these reports ({responses}) are not used; they are derived again")
    return import_findings([f for r in current for f in r.findings], asked, problems, notes, progress)


def import_annotations(files: Sequence[Path], asked: Asked, progress: Progress | None = None) -> Imported:
    """AIM 4 XML files to rows."""
    return _import_lists(read_aim, files, asked, progress)


def import_lists(files: Sequence[Path], asked: Asked, progress: Progress | None = None) -> Imported:
    """Measurement lists of viewers (CSV of OHIF, markups JSON of 3D Slicer) to rows."""
    return _import_lists(read_list, files, asked, progress)


def _import_lists(
    read: Callable[[Path], tuple[Finding, ...]], files: Sequence[Path], asked: Asked, progress: Progress | None
) -> Imported:
    findings: list[Finding] = []
    problems: list[Problem] = []
    for path in files:
        try:
            findings += read(path)
        except MrecistError as error:
            problems.append(Problem(subject="", message=str(error)))
    return import_findings(findings, asked, problems, [], progress)


def import_findings(
    findings: Sequence[Finding],
    asked: Asked,
    problems: list[Problem],
    notes: list[str],
    progress: Progress | None = None,
) -> Imported:
    """Findings to rows. ``problems`` and ``notes`` are those of the files so far."""
    series = scan_folder(asked.images, progress).series if asked.images is not None else ()
    if asked.images is not None and not series:
        raise InputError(f"{asked.images}: holds no DICOM images; give the folder with those that were measured")
    images, visits = _Images(series), _visits(asked)
    _share_names(findings)
    groups: dict[_Key, list[Finding]] = {}
    for finding in findings:
        notes += [f"{finding.where}: {text}" for text in finding.notes]
        notes += [f"{finding.where}: not used: {text}" for text in finding.not_used]
        try:
            groups.setdefault(_key(finding, asked, visits), []).append(finding)
        except MrecistError as error:
            subject, reader = asked.subject or finding.subject, asked.reader or finding.reader or "R1"
            problems.append(Problem(subject=subject, reader=reader, message=str(error)))
    rows = []
    for key, group in groups.items():
        try:
            rows.append(_row(key, group, asked, images, notes))
        except (MrecistError, ValueError) as error:
            where = f"{group[0].source}: subject {key[0]}, reader {key[1]}, time point {key[2]}, lesion {key[3]}"
            problems.append(Problem(subject=key[0], reader=key[1], message=f"{where}: {error}"))
    bad = {(p.subject, p.reader) for p in problems}
    order = list(Role)
    kept = sorted(
        (row for row in rows if (row.subject, row.reader) not in bad),
        key=lambda row: (row.subject, row.reader, row.timepoint, order.index(row.role), row.lesion),
    )
    return Imported(
        rows=tuple(kept),
        problems=tuple(replace(problem, message=_one_line(problem.message)) for problem in problems),
        notes=tuple(dict.fromkeys(map(_one_line, notes))),
    )


def _one_line(text: str) -> str:
    """Names and comments of a file may hold line breaks; a message has none."""
    return " ".join(text.split())


def _share_names(findings: Iterable[Finding]) -> None:
    """A finding without a name has that of another one with its tracking UID."""
    names = {f.tracking_uid: f.lesion for f in findings if f.tracking_uid and f.lesion}
    for finding in findings:
        finding.lesion = finding.lesion or names.get(finding.tracking_uid, "")


# --- who, when, which ------------------------------------------------------------------------------------------------


def _visits(asked: Asked) -> tuple[_Visit, ...]:
    visits: list[_Visit] = []
    if asked.timepoints is not None:
        header, lines = read_rows(asked.timepoints, ("timepoint",))
        if not set(header) & set(_VISIT_KEYS):
            raise InputError(
                f"{asked.timepoints}: no column to tell visits apart; add one of: {', '.join(_VISIT_KEYS)}"
            )
        for number, cells in lines:
            keys = {name: cells[name] for name in _VISIT_KEYS if cells.get(name)}
            visits.append(_Visit(keys=keys, timepoint=_whole(cells["timepoint"], f"{asked.timepoints}: line {number}")))
    if asked.manifest is not None:
        _, lines = read_rows(asked.manifest, ("series_uid",))
        for number, cells in lines:
            if cells.get("timepoint"):
                where = f"{asked.manifest}: line {number}"
                keys = {"series_uid": cells["series_uid"]}
                visits.append(_Visit(keys=keys, timepoint=_whole(cells["timepoint"], where)))
    return tuple(visits)


def _whole(text: str, where: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise InputError(f"{where}: timepoint is '{text}'; it is a whole number, 0 = baseline")
    return int(text)


def _key(finding: Finding, asked: Asked, visits: Sequence[_Visit]) -> _Key:
    subject = asked.subject or finding.subject
    if not subject:
        raise InputError(f"{finding.where}: names no subject; give --subject")
    if not finding.lesion:
        raise InputError(
            f"{finding.where}: names no lesion; label it in the viewer (T01, NT01, NEW01) and export again"
        )
    return subject, asked.reader or finding.reader or "R1", _timepoint(finding, subject, asked, visits), finding.lesion


def _timepoint(finding: Finding, subject: str, asked: Asked, visits: Sequence[_Visit]) -> int:
    if asked.timepoint is not None:
        return asked.timepoint
    said = {
        "subject": {subject},
        "date": {finding.day},
        "study_uid": {finding.study_uid},
        "series_uid": set(finding.series_uids),
        "label": {finding.timepoint_text},
    }
    fits = {v.timepoint for v in visits if all(value in said[name] for name, value in v.keys.items())}
    if len(fits) > 1:
        found = " and ".join(map(str, sorted(fits)))
        raise InputError(f"{finding.where}: the tables give it the time points {found}; keep one")
    if fits:
        return fits.pop()
    if finding.timepoint is not None:
        return finding.timepoint
    text = f"it says '{finding.timepoint_text}', which is no number" if finding.timepoint_text else "it names none"
    raise InputError(
        f"{finding.where}: no time point: {text}; give --timepoints, --manifest or --timepoint (its date is "
        f"{finding.day or 'not given'}, its study {finding.study_uid or 'not given'})"
    )


# --- one row ---------------------------------------------------------------------------------------------------------


def _row(key: _Key, group: Sequence[Finding], asked: Asked, images: _Images, notes: list[str]) -> Measurement:
    subject, reader, timepoint, lesion = key
    uids = sorted({f.tracking_uid for f in group if f.tracking_uid})
    if len(uids) > 1:
        raise InputError(f"two lesions have this name: tracking UIDs {' and '.join(uids)}; rename one")
    words = _joined(group)
    role = _one("role", [f.role for f in group if f.role]) or role_from_id(lesion) or asked.role
    if role is None:
        raise InputError("nothing says what it is; name it T.., NT.. or NEW.., or give --role")
    where = f"{group[0].source}: {lesion}"
    if "state" not in words and role is Role.NEW:
        notes.append(f"{where}: recorded as equivocal; the file does not say whether a new lesion is unequivocal")
    sizes = _sizes(group, words, where, images, notes)
    if role is Role.TARGET and not sizes and "state" not in words:
        raise InputError("holds no size that could be used")
    series = next((s for f in group if (s := images.of(f)) is not None), None)
    kind = _one("kind", [f.kind for f in group if f.kind])
    given = {
        "kind": str(kind or Kind.LESION),
        "organ": next((f.organ for f in group if f.organ), ""),
        "state": str(_STATE[role]),
        **_of_series(series),
        **{column: show(value) for column, value in sizes.items()},
        **{column: text for column, text in words.items() if column not in sizes},
    }
    day = _day(group, series, asked, where, notes)
    fixed = {"subject": subject, "reader": reader, "timepoint": str(timepoint), "lesion": lesion, "role": str(role)}
    return measurement_of({**given, **fixed, "date": day})


def _one(what: str, values: Sequence[T]) -> T | None:
    found = list(dict.fromkeys(values))
    if len(found) > 1:
        raise InputError(f"{what} is {' and '.join(map(str, found))}; keep one")
    return found[0] if found else None


def _joined(group: Sequence[Finding]) -> dict[str, str]:
    names = dict.fromkeys(name for f in group for name in f.words)
    joined = {name: _one(name, [f.words[name] for f in group if name in f.words]) for name in names}
    return {name: text for name, text in joined.items() if text}


def _sizes(
    group: Sequence[Finding], words: Mapping[str, str], where: str, images: _Images, notes: list[str]
) -> dict[str, Decimal]:
    """Column -> the size that counts: the recorded decimals where the report holds them, else its number."""
    found: dict[str, Decimal] = {}
    for size in (s for f in group for s in f.sizes):
        if size.column in found and found[size.column] != size.stated and size.column not in words:
            raise InputError(f"{size.column} is {show(found[size.column])} and {show(size.stated)}; keep one")
        found[size.column] = size.stated
        notes += _doubts(size, words.get(size.column), where, images)
    for column in found:
        if column in words:
            found[column] = parse_number(words[column])
    return found


def _doubts(size: Size, recorded: str | None, where: str, images: _Images) -> Iterable[str]:
    """Where a size is not that of its line, or not the one that was recorded beside it, by more than 0.1 mm."""
    if not size.column.endswith("_mm"):
        return
    drawn = images.length(size.line) if size.line is not None else None
    if drawn is not None and abs(drawn - float(size.stated)) > LINE_TOLERANCE_MM:
        yield f"{where}: WARNING: {size.what} is {show(size.stated)} mm and its line {drawn:.2f} mm; look which is right"
    if recorded and abs(difference(parse_number(recorded), size.stated)) > Decimal(str(LINE_TOLERANCE_MM)):
        yield f"{where}: WARNING: {size.what} is {show(size.stated)} mm and was recorded as {recorded} mm"


def _of_series(series: Series | None) -> dict[str, str]:
    if series is None:
        return {}
    return {"modality": series.modality, "phase": series.phase.name, "slice_thickness_mm": show(thickness(series))}


def _day(group: Sequence[Finding], series: Series | None, asked: Asked, where: str, notes: list[str]) -> str:
    if asked.day is not None:
        return asked.day.isoformat()
    if series is not None and series.date:
        return series.date
    first = next((f for f in group if f.day), None)
    if first is None:
        raise InputError("has no date; give --images or --date")
    if first.day_source == STUDY_DATE:
        notes.append(f"{where}: its date {first.day} is the {STUDY_DATE}; --images gives the date of the images")
    return first.day
