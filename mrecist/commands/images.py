"""``scan`` and ``measure``."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from mrecist import tables
from mrecist.commands._terminal import outcome, progress, say, show, show_json
from mrecist.dates import parse_date
from mrecist.errors import InputError, printable
from mrecist.model import Problem
from mrecist.protocol import MeasurementError, Measuring

if TYPE_CHECKING:
    from mrecist.imaging.scan import Scan
    from mrecist.imaging.series import Series
    from mrecist.repeating import Repeating

_LONGEST_TEXT = 200  # characters of a header's text that a line shows; JSON holds all of it


def scan(options: Namespace) -> int:
    """``mrecist scan``."""
    from mrecist.imaging.scan import scan_folder, scan_to_json
    from mrecist.scheduling import open_scheduler

    if not options.folder.is_dir():
        raise InputError(f"{options.folder}: is not a folder; give a folder with DICOM files")
    workers = options.workers or os.cpu_count() or 1
    with progress() as report, open_scheduler(workers=workers) as scheduler:
        found = scan_folder(options.folder, partial(report, "reading headers"), run=scheduler.run)
    if options.json:
        show_json(scan_to_json(found))
    else:
        _print_scan(found)
    problems = [Problem(subject="", message=f"{p.path}: {p.reason}") for p in found.problems]
    return outcome(problems)


def _print_scan(found: Scan) -> None:
    from mrecist.study import phases_to_state

    subjects = sorted({s.subject for s in found.series} | {s.subject for s in found.segmentations})
    for subject in subjects:
        show(f"subject {subject or '(no PatientID)'}")
        for series in sorted((s for s in found.series if s.subject == subject), key=lambda s: (s.date or "", s.uid)):
            _print_series(series)
        for segmentation in (s for s in found.segmentations if s.subject == subject):
            uid = segmentation.referenced_series_uid
            of = next((s for s in found.series if s.uid == uid), None)
            drawn_on = f"series {uid}, which is not here" if of is None else _series_name(of)
            show(f"  segmentation {segmentation.path.name} on {drawn_on}")
    for line in phases_to_state(found.series):
        show(line)
    kinds = sorted({what for _, what in found.others})
    show(
        f"{len(subjects)} subjects, {len(found.series)} series, {len(found.segmentations)} segmentations, "
        f"{len(found.others)} other DICOM objects{' (' + ', '.join(kinds) + ')' if kinds else ''}, "
        f"{len(found.problems)} unreadable, {found.ignored} files that are not DICOM"
    )


def _series_name(series: Series) -> str:
    description = printable(series.description, most=_LONGEST_TEXT)
    return f"{series.date or 'no date'}  {series.modality}  {description or '(no description)'}"


def _print_series(series: Series) -> None:
    part = f" (stack {series.stack} of {series.stacks})" if series.stacks > 1 else ""
    show(f"  {_series_name(series)}{part}")
    show(f"    phase {series.phase.name}, confidence {series.phase.confidence}")
    for sentence in series.phase.evidence:
        show(f"      {printable(sentence, most=2 * _LONGEST_TEXT)}")
    if series.phase.name == "UNKNOWN" and series.verdict != "refused":
        show(f"      for series.csv: {series.uid or '(no SeriesInstanceUID)'}")
    grid = series.geometry
    if grid is not None:
        step = "no regular step" if grid.slice_step_mm is None else f"step {grid.slice_step_mm:.4g} mm"
        show(
            f"    {grid.shape[0]} slices of {grid.shape[1]} x {grid.shape[2]}, "
            f"pixels {grid.row_spacing_mm:.4g} x {grid.column_spacing_mm:.4g} mm, {step}"
        )
    show(f"    geometry {series.verdict}{': ' + series.verdict_text if series.verdict_text else ''}")
    for note in series.notes:
        show(f"    note: {note}")


def measure(options: Namespace) -> int:
    """``mrecist measure``."""
    from mrecist.measuring import Given, Wanted, label_files, measure_labels, measure_segmentations
    from mrecist.repeating import left_out
    from mrecist.stability.table import spread_csv

    if (options.seg is None) != (options.images is None) or (options.viable and options.seg):
        raise InputError("measure: --images goes with --seg, and --viable goes with --lesions")
    if options.plot is not None and options.plot.exists() and not options.plot.is_dir():
        raise InputError(f"measure: --plot is {options.plot}, which is a file; give a folder")
    if options.resample and options.seg is None:
        raise InputError("measure: --resample goes with --seg; a NIfTI label mask is regular or refused")
    measuring = _measuring(options)
    wanted = Wanted(repeating=_repeating(options), pictures=options.plot is not None)
    given = Given(subject=options.subject, timepoint=options.timepoint, day=_date(options.date), reader=options.reader)
    with progress() as report:
        if options.lesions is not None:
            files = label_files(options.lesions, options.viable)
            done = measure_labels(files, measuring, given, wanted, lambda d, of: report("measuring", d, of))
        else:
            done = measure_segmentations(
                options.seg, options.images, measuring, given, wanted, lambda d, of: report("reading headers", d, of)
            )
    if done.problems and not done.rows:
        # Nothing could be read: nothing is written, so an older table is not replaced by an empty one.
        outcome(done.problems[:-1])
        raise InputError(done.problems[-1].message)
    tables.write_whole(options.out, tables.measurements_csv(done.rows))
    if options.json is not None:
        tables.write_whole(options.json, json.dumps(done.drawings, indent=1, ensure_ascii=False) + "\n")
    if options.spread is not None:
        tables.write_whole(options.spread, spread_csv(done.spread))
    for picture in done.pictures:
        tables.write_whole(options.plot / picture.name, picture.png)
    for note in (*done.notes, *([left_out(wanted.repeating)] if wanted.repeating is not None else [])):
        say(f"mrecist: note: {note}")
    say(f"lesions measured: {len(done.rows)}, in {options.out}")
    return outcome(done.problems)


def _measuring(options: Namespace) -> Measuring:
    from mrecist.measure.lesion import Convention

    if options.convention is not None and options.convention not in list(Convention):
        raise InputError(f"measure: --convention is '{options.convention}', not one of: {', '.join(Convention)}")
    return Measuring(
        convention=options.convention or "",
        max_gap_mm=options.max_gap_mm,
        round_mm=Decimal(options.round_mm),
        dense_hu=options.dense_hu,
        resample=options.resample,
        phase_confidence=options.phase_confidence,
    )


def _repeating(options: Namespace) -> Repeating | None:
    """How outlines are drawn again for ``--spread``; the standard deviations that are not given are the protocol's defaults."""
    from mrecist.repeating import DEFAULT_DRAWS, Repeating

    changed = {
        "--repeat": options.repeat,
        "--repeat-seed": options.repeat_seed,
        "--repeat-percent": options.repeat_percent,
        "--repeat-viable-percent": options.repeat_viable_percent,
    }
    if options.spread is None:
        for name, value in changed.items():
            if value is not None:
                raise InputError(f"measure: {name} goes with --spread; give the file to write")
        return None
    error = MeasurementError()
    if options.repeat_percent is not None:
        error = replace(error, lesion_percent=Decimal(options.repeat_percent))
    if options.repeat_viable_percent is not None:
        viable = Decimal(options.repeat_viable_percent)
        error = replace(error, viable_baseline_percent=viable, viable_percent=viable)
    return Repeating(draws=options.repeat or DEFAULT_DRAWS, seed=options.repeat_seed or 0, error=error)


def _date(text: str | None) -> date | None:
    try:
        return parse_date(text) if text else None
    except ValueError as error:
        raise InputError(f"measure: --date: {error}") from None
