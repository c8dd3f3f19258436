"""What ``score`` wrote, as DICOM structured reports: what ``mrecist export sr`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from mrecist.errors import InputError, MrecistError
from mrecist.exporting.naming import Exported, Tracking
from mrecist.exporting.results import Cells, Results, read_results
from mrecist.exporting.results import Visit as ResultVisit
from mrecist.exporting.sources import SubjectSources, open_sources
from mrecist.model import Measurement, NewLesion, Problem, Response
from mrecist.objects import codes
from mrecist.objects.identity import UUID_ROOT, check_root
from mrecist.objects.lines import Line
from mrecist.objects.measurement_report import Report, report_series_uid, write_report
from mrecist.objects.report_groups import ReportedLesion, ReportedResponse, Visit
from mrecist.objects.versions import Versions
from mrecist.study import Progress
from mrecist.tables import safe_name, write_whole

DIAMETERS = ("longest", "short", "viable", "viable_short")
_NUMBERS = ("sum", "baseline_sum", "nadir_sum", "pct_from_baseline", "pct_from_nadir", "abs_from_nadir")
_STANDARD_PERCENT = (Decimal(30), Decimal(20))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What was read, and how what it leaves out is made."""

    results: Results
    tracking: Tracking

    @property
    def round_mm(self) -> Decimal:
        """The step to which sizes were rounded."""
        return self.results.protocol.measuring.round_mm


def export_reports(
    results: Path,
    images: Path,
    out: Path,
    *,
    segmentations: Path | None = None,
    previous: Path | None = None,
    uid_root: str = UUID_ROOT,
    progress: Progress | None = None,
) -> Exported:
    """Write one structured report for each subject, reader and time point that ``score`` wrote (docs/dicom-objects.md).

    Parameters
    ----------
    results : the folder that ``score`` wrote.
    images : the study folder that was scored, or a folder with its images.
    out : folder for ``SUBJECT/sr_READER_TIMEPOINT.dcm``. A report that is there and differs is not touched: the new one names it as
        its predecessor and is called ``..._v2.dcm``.
    segmentations : folder with segmentations to refer to, taken before those beside the images.
    previous : folder with the earlier reports, when it is not ``out``.
    uid_root : root of the UIDs that are made.
    progress : called with (files scanned, files in all).

    Raises
    ------
    InputError : ``results`` holds no results, or a folder is not there. What is wrong with one report is a problem.
    """
    check_root(uid_root)
    if previous is not None and not previous.is_dir():
        raise InputError(f"{previous}: is not a folder; give the folder with the earlier reports")
    found = read_results(results)
    given = _Given(results=found, tracking=Tracking(study=found.protocol.design.id, uid_root=uid_root))
    subjects, unread = open_sources(images, segmentations, progress)
    problems = [*found.problems, *(Problem(subject="", message=line) for line in unread)]
    notes: list[str] = []
    files: list[Path] = []
    versions = Versions.of(previous or out)
    for subject in dict.fromkeys(key[0] for key in found.rows if key[0] not in subjects):
        line = f"subject {subject}: no image is in {images}; give the images that were scored"
        problems.append(Problem(subject=subject, message=line))
    for key, rows in found.rows.items():
        subject, reader, timepoint = key
        source = subjects.get(subject)
        if source is None:
            continue
        try:
            report = _report(key, rows, given, source, uid_root, notes)
            stem = out / safe_name(subject) / f"sr_{safe_name(reader)}_{timepoint}"
            files.append(_write(report, stem, versions, uid_root))
        except MrecistError as error:
            problems.append(Problem(subject=subject, reader=reader, message=str(error)))
    return Exported(files=tuple(files), problems=tuple(problems), notes=tuple(notes))


def _write(report: Report, stem: Path, versions: Versions, uid_root: str) -> Path:
    """Write a report, or its next version; the file that holds it."""
    series_uid = report_series_uid(uid_root, report.image, report.visit, report.reader)
    earlier = versions.latest(series_uid)
    number, before = (1, None) if earlier is None else (earlier.number, earlier.predecessor)
    content = write_report(report, previous=before, uid_root=uid_root)
    if earlier is not None and earlier.path.read_bytes() != content:
        number += 1
        content = write_report(report, previous=earlier.header, uid_root=uid_root)
    path = stem.with_name(f"{stem.name}{f'_v{number}' if number > 1 else ''}.dcm")
    write_whole(path, content)
    return path


# --- one report ------------------------------------------------------------------------------------------------------


def _report(
    key: ResultVisit,
    rows: Sequence[Measurement],
    given: _Given,
    source: SubjectSources,
    uid_root: str,
    notes: list[str],
) -> Report:
    subject, reader, timepoint = key
    lesions = [_lesion(row, rows, given, source, notes) for row in rows]
    image, modality = source.visit_image(rows, uid_root)
    responses = given.results.responses.get(key, [])
    if not responses:
        notes.append(
            f"{subject}, reader {reader}, time point {timepoint}: no response was derived here (after progression)"
        )
    return Report(
        visit=Visit(subject=subject, timepoint=timepoint),
        reader=reader,
        day=next((row.date for row in rows if row.date is not None), None),
        lesions=lesions,
        responses=[_response(cells, given) for cells in responses],
        image=image,
        modality=modality,
    )


def _lesion(
    row: Measurement, rows: Sequence[Measurement], given: _Given, source: SubjectSources, notes: list[str]
) -> ReportedLesion:
    drawn = given.results.drawings.get((row.subject, row.reader, row.timepoint, row.lesion), {})
    segments, tracking_uid = source.segments(row, rows)
    lines: dict[str, Line] = {}
    lengths: dict[str, float] = {}
    for name in DIAMETERS:
        diameter, recorded = drawn.get(name), getattr(row, f"{name}_mm")
        # The line of a mask does not show a size that the reader set by hand.
        if diameter is None or recorded is None or f"{name}_mm" in row.manual:
            continue
        _check_agreement(row, name, recorded, float(diameter["mm"]), given.round_mm)
        line = source.line(row, diameter)
        if line is None:
            lengths[name] = float(diameter["mm"])
        else:
            lines[name] = line
    where = f"{row.subject}, reader {row.reader}, time point {row.timepoint}, lesion {row.lesion}"
    if lengths:
        notes.append(f"{where}: its diameters are written without a line, because its mask names no image")
    if row.volume_mm3 is not None and not segments:
        notes.append(f"{where}: its volume is written without a segment; give the segmentations with --seg")
    known = (
        source.tracking_uid(row.reader, row.lesion)
        or given.results.drawn_uids.get((row.subject, row.reader, row.lesion))
        or tracking_uid
    )
    return ReportedLesion(
        row=row,
        tracking_uid=known or given.tracking.uid(row.subject, row.reader, row.lesion),
        lines=lines,
        lengths=lengths,
        segments=segments,
    )


def _check_agreement(row: Measurement, name: str, recorded: Decimal, mm: float, step: Decimal) -> None:
    if abs(float(recorded) - mm) > float(step):
        where = f"subject {row.subject}, reader {row.reader}, time point {row.timepoint}, lesion {row.lesion}"
        raise InputError(
            f"{where}: {name}_mm is {recorded} in measurements.csv and {mm:.3f} in measurements.json; run score again"
        )


def _response(cells: Cells, given: _Given) -> ReportedResponse:
    name = cells["criterion"]
    if name not in given.results.settings:
        raise InputError(f"responses.csv: criterion '{name}' is not among those of the run; run score again")
    setting = given.results.settings[name]
    standard = setting.criterion.name
    cut_offs = (setting.thresholds.pr_percent, setting.thresholds.pd_percent)
    method = codes.METHODS_NOT_HCC[standard] if setting.non_hcc else codes.METHODS[standard]
    try:
        return ReportedResponse(
            criterion=name,
            method=method,
            has_standard_codes=standard in ("recist11", "mrecist") and cut_offs == _STANDARD_PERCENT,
            tracking_uid=given.tracking.uid(cells["subject"], cells["reader"], f"response {name}"),
            unit=cells["unit"],
            numbers={number: Decimal(cells[number]) for number in _NUMBERS if cells[number]},
            target=_word(Response, cells["target"]),
            non_target=_word(Response, cells["non_target"]),
            overall=_word(Response, cells["overall"]),
            new_lesion=_word(NewLesion, cells["new_lesion"]),
            flags=cells["flags"],
            reason=cells["reason"],
            protocol_sha256=cells["protocol_sha256"],
        )
    except (ValueError, ArithmeticError) as error:
        raise InputError(
            f"responses.csv: subject {cells['subject']}, criterion {name}: {error}; run score again"
        ) from None


def _word(kind: Any, text: str) -> Any:
    return kind(text) if text else None
