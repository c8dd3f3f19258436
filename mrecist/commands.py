"""What each command does with its options: call the package, print the outcome, return the exit code.

Tables go to stdout, messages and progress to stderr.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from mrecist import derivation, tables
from mrecist.dates import parse_date
from mrecist.errors import InputError
from mrecist.model import Problem
from mrecist.protocol import Measuring, load_protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mrecist.batch import Progress, Scored
    from mrecist.imaging.scan import Scan
    from mrecist.imaging.series import Series

DONE, SOME_FAILED = 0, 1


def say(line: str) -> None:
    """One line for a person, on stderr."""
    print(line, file=sys.stderr)


def _outcome(problems: Iterable[Problem]) -> int:
    """Say each problem on a line of its own; the exit code that follows."""
    messages = [problem.message for problem in problems]
    for message in messages:
        say(f"mrecist: {message}")
    return SOME_FAILED if messages else DONE


@contextmanager
def _progress() -> Iterator[Progress]:
    """Progress bars on stderr, one a stage; plain silence where stderr is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Bars(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks = {}

        def report(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=of)
            bars.update(tasks[what], completed=done, total=of)

        yield report


# --- images ----------------------------------------------------------------------------------------------------------


def scan(options: Namespace) -> int:
    """``mrecist scan``."""
    from mrecist.imaging.scan import scan_folder, scan_to_json

    if not options.folder.is_dir():
        raise InputError(f"{options.folder}: is not a folder; give a folder with DICOM files")
    with _progress() as report:
        found = scan_folder(options.folder, lambda done, of: report("reading headers", done, of))
    if options.json:
        print(json.dumps(scan_to_json(found), indent=1, ensure_ascii=False))
    else:
        _print_scan(found)
    problems = [Problem(subject="", message=f"{p.path}: {p.reason}") for p in found.problems]
    return _outcome(problems)


def _print_scan(found: Scan) -> None:
    subjects = sorted({s.subject for s in found.series} | {s.subject for s in found.segmentations})
    for subject in subjects:
        print(f"subject {subject or '(no PatientID)'}")
        for series in sorted((s for s in found.series if s.subject == subject), key=lambda s: (s.date or "", s.uid)):
            _print_series(series)
        for segmentation in (s for s in found.segmentations if s.subject == subject):
            known = any(s.uid == segmentation.referenced_series_uid for s in found.series)
            of = "" if known else ", whose series is not here"
            print(f"  segmentation {segmentation.path.name} of series {segmentation.referenced_series_uid}{of}")
    kinds = sorted({what for _, what in found.others})
    print(
        f"{len(subjects)} subjects, {len(found.series)} series, {len(found.segmentations)} segmentations, "
        f"{len(found.others)} other DICOM objects{' (' + ', '.join(kinds) + ')' if kinds else ''}, "
        f"{len(found.problems)} unreadable, {found.ignored} files that are not DICOM"
    )


def _print_series(series: Series) -> None:
    part = f" (stack {series.stack} of {series.stacks})" if series.stacks > 1 else ""
    print(f"  {series.date or 'no date'}  {series.modality}  {series.description or '(no description)'}{part}")
    print(
        f"    phase {series.phase.name}, confidence {series.phase.confidence}: {'; '.join(series.phase.evidence) or '-'}"
    )
    grid = series.geometry
    if grid is not None:
        step = "no regular step" if grid.slice_step_mm is None else f"step {grid.slice_step_mm:.4g} mm"
        print(
            f"    {grid.shape[0]} slices of {grid.shape[1]} x {grid.shape[2]}, "
            f"pixels {grid.row_spacing_mm:.4g} x {grid.column_spacing_mm:.4g} mm, {step}"
        )
    print(f"    geometry {series.verdict}{': ' + series.verdict_text if series.verdict_text else ''}")
    for note in series.notes:
        print(f"    note: {note}")


def measure(options: Namespace) -> int:
    """``mrecist measure``."""
    from mrecist.measuring import Given, measure_labels, measure_segmentations

    if (options.seg is None) != (options.images is None) or (options.viable and options.seg):
        raise InputError("measure: --images goes with --seg, and --viable goes with --lesions")
    measuring = _measuring(options)
    given = Given(subject=options.subject, timepoint=options.timepoint, day=_date(options.date), reader=options.reader)
    if options.lesions is not None:
        done = measure_labels(options.lesions, options.viable, measuring, given)
    else:
        with _progress() as report:
            done = measure_segmentations(
                options.seg, options.images, measuring, given, lambda d, of: report("reading headers", d, of)
            )
    if done.problems and not done.rows:
        # Nothing could be read: nothing is written, so an older table is not replaced by an empty one.
        _outcome(done.problems[:-1])
        raise InputError(done.problems[-1].message)
    tables.write_whole(options.out, tables.measurements_csv(done.rows))
    if options.json is not None:
        tables.write_whole(options.json, json.dumps(done.drawings, indent=1, ensure_ascii=False) + "\n")
    for note in done.notes:
        say(f"mrecist: note: {note}")
    if not done.rows:
        say("mrecist: note: the mask holds no lesion (every voxel is 0)")
    say(f"lesions measured: {len(done.rows)}, in {options.out}")
    return _outcome(done.problems)


def _measuring(options: Namespace) -> Measuring:
    from mrecist.measure.lesion import Convention

    if options.convention is not None and options.convention not in list(Convention):
        raise InputError(f"measure: --convention is '{options.convention}', not one of: {', '.join(Convention)}")
    return Measuring(
        convention=options.convention or "", max_gap_mm=options.max_gap_mm, round_mm=Decimal(options.round_mm)
    )


def _date(text: str | None) -> date | None:
    try:
        return parse_date(text) if text else None
    except ValueError as error:
        raise InputError(f"measure: --date: {error}") from None


# --- responses -------------------------------------------------------------------------------------------------------


def assess(options: Namespace) -> int:
    """``mrecist assess``."""
    from mrecist.assessing import Job, assess_table
    from mrecist.sdtm.datasets import is_sdtm

    if is_sdtm(options.measurements):
        return _assess_sdtm(options)
    if options.compare is not None:
        raise InputError("assess: --compare checks SDTM; give TU and TR, or a folder that holds them")
    protocol = load_protocol(options.protocol)
    settings = protocol.select(options.criterion)
    (table,) = options.measurements
    job = Job(
        measurements=table,
        protocol=options.protocol,
        criteria=tuple(setting.name for setting in settings),
        subjects=options.subjects,
        stability=options.stability or options.spread is not None or protocol.stability.asked,
        spread=options.spread,
    )
    done = assess_table(job, options.workers)
    for name, content in done.tables.items():
        tables.write_whole(options.out / name, content)
    derivation.keep(options.out, table.read_bytes(), protocol, settings)
    say(f"{done.reads} best responses from {done.time_points} time points: {options.out}")
    return _outcome(done.problems)


def _assess_sdtm(options: Namespace) -> int:
    """SDTM tumour domains to responses, and the reported responses against them."""
    from mrecist.response.derive import derive
    from mrecist.sdtm.compare import COMPARISON_COLUMNS, compare, criteria_reported
    from mrecist.sdtm.datasets import open_responses, open_sources
    from mrecist.sdtm.read import read_sdtm
    from mrecist.sdtm.summary import summary

    protocol = load_protocol(options.protocol)
    settings = protocol.select(options.criterion)
    reported = open_responses(options.compare) if options.compare is not None else None
    if reported is not None and not options.criterion:
        settings += criteria_reported(reported, settings, protocol)
    read = read_sdtm(open_sources(options.measurements), protocol.partial_date)
    dates = tables.read_subject_dates(options.subjects, protocol)
    derived = derive(read.measurements.reads(), protocol, settings, dates)
    problems = (*read.measurements.problems, *derived.problems)
    notes = read.notes
    rows = tables.measurements_csv(read.measurements.rows)
    tables.write_whole(options.out / "measurements.csv", rows)
    tables.write_whole(options.out / "responses.csv", tables.responses_csv(derived.responses, protocol.sha256))
    tables.write_whole(options.out / "best_responses.csv", tables.best_responses_csv(derived.best, protocol.sha256))
    derivation.keep(options.out, rows, protocol, settings)
    tables.write_whole(options.out / "problems.csv", tables.problems_csv(problems))
    if reported is not None:
        comparison = compare(read, reported, protocol, settings, dates)
        notes += comparison.notes
        text = tables.csv_text(COMPARISON_COLUMNS, map(asdict, comparison.rows))
        tables.write_whole(options.out / "comparison.csv", text)
        print("\n".join(summary(comparison)))
    for note in notes:
        say(f"mrecist: note: {note}")
    say(f"{len(derived.best)} best responses from {len(derived.responses)} time points: {options.out}")
    return _outcome(problems)


def check(options: Namespace) -> int:
    """``mrecist check``."""
    from mrecist.checklist import Severity
    from mrecist.checks.finding import findings_csv, findings_json
    from mrecist.checks.run import check_table

    protocol = load_protocol(options.protocol)
    settings = protocol.select(options.criterion)
    measurements = tables.read_measurements(options.measurements, protocol.partial_date, keep_contradicting=True)
    dates = tables.read_subject_dates(options.subjects, protocol)
    checked = check_table(measurements, protocol, settings, dates)
    table = findings_csv(checked.findings, protocol.sha256)
    if options.out is not None:
        tables.write_whole(options.out, table)
    if options.json:
        print(json.dumps(findings_json(checked.findings, protocol.sha256), indent=1, ensure_ascii=False))
    elif options.out is None:
        print(table, end="")
    counts = ", ".join(f"{checked.count(s)} {s}{'' if checked.count(s) == 1 else 's'}" for s in Severity)
    say(f"{counts} in {checked.reads} reads" + (f": {options.out}" if options.out is not None else ""))
    failed = _outcome(checked.partly)
    return SOME_FAILED if checked.count(Severity.ERROR) else failed


def best(options: Namespace) -> int:
    """``mrecist best``."""
    from mrecist.response.best import Assessment, best_response
    from mrecist.response.derive import last_day

    protocol = load_protocol(options.protocol)
    dates = tables.read_subject_dates(options.subjects, protocol, origin=False)
    reported, problems = tables.read_overall(options.overall, protocol.partial_date)
    rows = []
    for case in reported:
        until, flags = last_day(case.subject, protocol.response, dates)
        rows.append(
            best_response(
                [Assessment(date=day, overall=overall) for day, overall in case.responses],
                start=case.baseline_date,
                rules=protocol.response,
                subject=case.subject,
                reader=case.reader,
                criterion=options.criterion,
                until=until,
                flags=flags,
            )
        )
    tables.write_whole(options.out, tables.best_responses_csv(rows, protocol.sha256))
    say(f"{len(rows)} best responses: {options.out}")
    return _outcome(problems)


def explain(options: Namespace) -> int:
    """``mrecist explain``."""
    from mrecist.explain import explain_subject

    print(explain_subject(options.folder, options.subject, options.timepoint, options.criterion))
    return DONE


# --- whole studies ---------------------------------------------------------------------------------------------------


def score(options: Namespace) -> int:
    """``mrecist score``."""
    from mrecist.batch import score_study

    with _progress() as report:
        scored = score_study(
            options.study,
            options.out,
            protocol_file=options.protocol,
            criteria=options.criterion,
            workers=options.workers,
            progress=report,
        )
    _print_scored(scored, options.out)
    return _outcome(scored.results.problems)


def _print_scored(scored: Scored, out: Path) -> None:
    results = scored.results
    for note in results.notes:
        say(f"mrecist: note: {note}")
    if scored.resumed:
        say(f"{scored.resumed} subjects unchanged since the last run, taken from it")
    names = [text.name for text in results.criteria]
    cells = {(b.subject, b.reader, b.criterion): b for b in results.best}
    reads = list(dict.fromkeys((b.subject, b.reader) for b in results.best))
    print("Best response (confirmed in brackets)")
    print(f"{'subject':<16}{'reader':<8}" + "".join(f"{name:<22}" for name in names))
    for subject, reader in reads:
        found = (cells[subject, reader, name] for name in names)
        words = "".join(f"{f'{b.best_unconfirmed} ({b.best_confirmed})':<22}" for b in found)
        print(f"{subject:<16}{reader:<8}{words}".rstrip())
    print(f"\n{len(results.measurements)} measurements, {len(results.responses)} time-point responses")
    print(f"Report: {out / 'report.html'}")


def demo(options: Namespace) -> int:
    """``mrecist demo``."""
    from mrecist.batch import score_study
    from mrecist.samples.build import sample_study_path
    from mrecist.samples.compare import differences_from_truth

    sample = sample_study_path()
    say(f"scoring the sample study {sample}: DICOM series and segmentations to RECIST 1.1 and mRECIST")
    with _progress() as report:
        scored = score_study(sample, options.out, progress=report)
    _print_scored(scored, options.out)
    failed = _outcome(scored.results.problems)
    different = differences_from_truth(options.out)
    for line in different:
        say(f"mrecist: differs from the known truth: {line}")
    if not different:
        print("Every category equals the known truth; every diameter lies within half a pixel of the analytic value.")
    first = scored.results.best[0].subject if scored.results.best else "SUBJECT"
    print(f"Why a category: mrecist explain {options.out} {first}")
    return SOME_FAILED if different or failed else DONE


def conformance(options: Namespace) -> int:
    """``mrecist conformance``."""
    from mrecist.conformance.cases import load_cases
    from mrecist.conformance.external import engine_of, run_engine
    from mrecist.conformance.judge import Outcome, judge, results_csv
    from mrecist.conformance.own import run_own
    from mrecist.conformance.scorecard import print_scorecard

    if options.best_engine is not None and options.engine is None:
        raise InputError("conformance: --best-engine goes with --engine; give both")
    cases = load_cases(options.cases)
    if options.engine is None:
        answered = run_own(cases)
    else:
        engine = engine_of(options.engine, options.best_engine, options.time_limit)
        with _progress() as report:
            answered = run_engine(engine, cases, lambda done, of: report("running the engine", done, of))
    results = judge(cases, answered)
    if options.out is not None:
        tables.write_whole(options.out, results_csv(results, cases.version))
    print_scorecard(results, cases.version)
    outcomes = {result.outcome for result in results}
    return DONE if Outcome.PASSED in outcomes and Outcome.FAILED not in outcomes else SOME_FAILED


def info(options: Namespace) -> int:
    """``mrecist info``."""
    from mrecist.info import as_json, as_text, gather

    print(as_json(gather()) if options.json else as_text(gather()))
    return DONE
