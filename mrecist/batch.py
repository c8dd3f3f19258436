"""A whole study, subject by subject: scored, assessed, written. One bad subject stops no other; a second run goes on.

Subjects are measured by processes that keep what they finish (:mod:`mrecist.checkpoint`). This process holds rows and responses,
some tens of kB a subject; headers, drawings and key images lie on disk until they are written out.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from mrecist import __version__, derivation
from mrecist.cases import cases_csv, cases_of, flags_of, summary_text
from mrecist.checkpoint import FOLDER, KeptPieces, NotKeptError, not_kept
from mrecist.checks.finding import Finding, findings_csv
from mrecist.checks.run import Checked, check_table
from mrecist.errors import InputError
from mrecist.model import Measurement, Problem, VisitStability
from mrecist.pieces import path_of
from mrecist.plain import from_plain, to_plain
from mrecist.protocol import CriterionSetting, Measuring
from mrecist.repeating import Repeating, left_out, repeating_of
from mrecist.report.html import report_html, report_pages
from mrecist.report.summary import summary_html
from mrecist.response.derive import Derived, derive
from mrecist.results import Case, CriterionText, FindingText, KeyImage, StudyResults
from mrecist.scheduling import Cause, Failure, Limits, open_scheduler
from mrecist.score import Drawing, SubjectResult, score_subject
from mrecist.stability.derive import stabilities, with_flags
from mrecist.stability.table import spread_csv, stability_tables
from mrecist.study import Study, SubjectInput, open_study
from mrecist.tables import (
    Measurements,
    best_responses_csv,
    csv_text,
    measurements_csv,
    problems_csv,
    responses_csv,
    safe_name,
    write_whole,
)

CHECKPOINTS = FOLDER
SPREAD = "spread.csv"
PAGES = "report"
SUMMARY = "summary.html"
# Written only when asked for: one of an earlier run must not stay beside the tables of a run without it.
OPTIONAL_FILES = (SPREAD,)
MOST_ON_ONE_PAGE = 100
"""Subjects whose pictures go into report.html itself; of more, each has a page of its own."""
_RUN = "run"
_ABANDONED_SECONDS = 3600.0  # a file that is being written is done long before
_TIME_COLUMNS = ("subject", "seconds", "measured_again", "process_mib")


class Progress(Protocol):
    """Told what is being done, how much of it is finished out of how much, and how much of that failed."""

    def __call__(self, what: str, done: int, of: int, failed: int = 0) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What scoring a study gave: the results without their pictures, the verdicts, and the files that hold them.

    ``resumed`` subjects were not measured: what an earlier run kept of them was joined again.
    """

    results: StudyResults
    cases: tuple[Case, ...]
    files: tuple[Path, ...]
    resumed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """How the subjects of a run are worked on.

    Parameters
    ----------
    workers : number of processes; the results are the same for any number.
    scheduler : of a Dask cluster, in place of ``workers``.
    case_seconds : a subject that takes longer is quarantined; None: no limit with one worker, else :data:`CASE_SECONDS`.
    fresh : forget what earlier runs kept.
    notice : told, in one line, that a cluster has no workers.
    """

    workers: int = 1
    scheduler: str | None = None
    case_seconds: float | None = None
    fresh: bool = False
    notice: Callable[[str], None] | None = None


CASE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    given: SubjectInput
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class _CaseDone:
    """A scored subject without its drawings and key images, which lie in ``file``; ``stop`` ends the run."""

    result: SubjectResult
    file: Path
    files: tuple[str, ...] = ()
    measured_again: int = 0
    seconds: float = 0.0
    process_mib: float = 0.0
    stop: str = ""


def score_study(
    root: Path,
    out: Path,
    *,
    protocol_file: Path | None = None,
    criteria: list[str] | None = None,
    workers: int = 1,
    repeat: int | None = None,
    running: Running | None = None,
    progress: Progress | None = None,
) -> Scored:
    """Score a study folder (docs/files.md) and write measurements, responses, best responses, verdicts, problems and the report.

    Parameters
    ----------
    root : the study folder.
    out : folder for the results; made when it is not there. What is finished is kept in its ``.checkpoints``, so that an
        interrupted run goes on where it stopped, and a later run repeats only what has changed.
    protocol_file : overrides STUDY/protocol.toml.
    criteria : names of criteria; all of the protocol by default.
    workers : number of processes; the results are the same for any number.
    repeat : how often the outlines of every mask are drawn again, in place of the protocol's ``[stability]`` ``repeat``; the
        spread of each size goes to spread.csv and takes the place of the protocol's standard deviations.
    running : all of how it is run, in place of ``workers``.
    progress : called with what is done, how much is finished, out of how much, and how much failed.

    Raises
    ------
    InputError : the folder is no study, or one of its tables or its protocol cannot be read.
    MrecistError : what is finished cannot be written (the disk is full), or processes do not start.
    """
    report = progress or _silent
    running = running or Running(workers=workers)
    if running.scheduler is not None:  # its workers run in folders of their own
        root, out = root.absolute(), out.absolute()
    folder = _tidied(out, fresh=running.fresh)
    if running.scheduler is not None:  # said before headers are read, which may take long
        with open_scheduler(address=running.scheduler, folders=(root, out)):
            pass
    study = open_study(
        root, protocol_file, lambda done, of: report("reading headers", done, of), running.workers, spool=folder
    )
    settings = study.protocol.select(criteria)
    repeating = repeating_of(study.protocol.stability, repeat)
    done = _score_subjects(study, repeating, folder, running, report)
    results = [one.result for one in done]
    assessed = _complete_reads(results)
    derived = derive(assessed, study.protocol, settings, study.dates)
    report("drawing sizes again", 0, 1)
    spread = [one for result in results for one in result.spread if (one.subject, one.reader) in assessed]
    own = {one.cell: float(one.sd) for one in spread}
    stability = stabilities(assessed, study.protocol, settings, derived.responses, own)
    derived = replace(derived, responses=with_flags(derived.responses, stability))
    report("drawing sizes again", 1, 1)
    rows = tuple(row for rows in assessed.values() for row in rows)
    checked = check_table(Measurements(rows=rows, problems=()), study.protocol, settings, study.dates)
    summary = _summary(study, settings, results, rows, derived, stability, checked)
    cases = _cases(study, summary, done)
    if repeating is not None:
        summary = replace(summary, notes=(*summary.notes, left_out(repeating)))
    report("writing the report", 0, 1)
    contents = {
        "measurements.csv": measurements_csv(summary.measurements),
        **stability_tables(stability, study.protocol),
        "findings.csv": findings_csv(checked.findings, study.protocol.sha256),
        **({SPREAD: spread_csv(spread)} if repeating is not None else {}),
    }
    files = _write(out, contents, summary, cases, done)
    derivation.keep(out, contents["measurements.csv"], study.protocol, settings)
    shutil.rmtree(folder / _RUN, ignore_errors=True)
    report("writing the report", 1, 1)
    resumed = sum(one.measured_again == 0 and not one.result.problems for one in done)
    return Scored(results=summary, cases=cases, files=files, resumed=resumed)


def _silent(what: str, done: int, of: int, failed: int = 0) -> None:
    """Progress that nobody watches."""


def _tidied(out: Path, *, fresh: bool) -> Path:
    """The folder of what is kept, without what runs that were killed left lying about."""
    folder = out / FOLDER
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: is a file; give a folder for the results")
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(folder / _RUN, ignore_errors=True)
    before = time.time() - _ABANDONED_SECONDS
    for path in (*out.glob(".*.part"), *out.glob(f"{PAGES}/.*.part"), *folder.rglob(".*.part")):
        with suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()
    return folder


# --- subjects --------------------------------------------------------------------------------------------------------


def _score_subjects(
    study: Study, repeating: Repeating | None, folder: Path, running: Running, report: Progress
) -> list[_CaseDone]:
    """Every subject, in the order of the study whichever finished first."""
    total, failed = len(study.subjects), 0
    done: dict[int, _CaseDone] = {}
    report("measuring subjects", 0, total)
    seconds = running.case_seconds
    if seconds is None and (running.workers > 1 or running.scheduler):
        seconds = CASE_SECONDS
    score = partial(_score_case, measuring=study.protocol.measuring, repeating=repeating)
    tasks = (_Task(given=given, folder=folder) for given in study.subjects)
    with open_scheduler(
        workers=running.workers,
        address=running.scheduler,
        limits=Limits(seconds=seconds),
        folders=(study.root, folder.parent),
        notice=running.notice,
    ) as scheduler:
        for index, outcome in scheduler.run(score, tasks):
            one = _failed(study.subjects[index], outcome, folder) if isinstance(outcome, Failure) else outcome
            if one.stop:
                raise NotKeptError(one.stop)
            done[index] = one
            failed += bool(one.result.problems)
            report("measuring subjects", len(done), total, failed)
    return [done[index] for index in sorted(done)]


def _score_case(task: _Task, *, measuring: Measuring, repeating: Repeating | None) -> _CaseDone:
    """Score one subject in a worker; a fault of ours is reported as one line too, and the batch goes on."""
    began = time.monotonic()
    given = task.given
    kept = KeptPieces(task.folder, given, measuring, repeating)
    file = task.folder / _RUN / f"{sha256(given.subject.encode('utf-8', 'surrogateescape')).hexdigest()[:24]}.json"
    try:
        try:
            result = score_subject(given, measuring, repeating, kept)
        except NotKeptError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever goes wrong with one subject must not stop the others
            said = f"unexpected {type(error).__name__}: {error}; please report this"
            result = _without_rows(given, f"subject {given.subject}: {' '.join(said.split())}")
        kept.close()
        try:
            write_whole(
                file, json.dumps({"drawings": to_plain(result.drawings), "images": to_plain(result.key_images)})
            )
        except OSError as error:
            raise not_kept(file.parent, error) from None
    except NotKeptError as error:
        return _CaseDone(result=_without_rows(given, ""), file=file, stop=str(error))
    return _CaseDone(
        result=replace(result, drawings=(), key_images=()),
        file=file,
        files=_files_told(given, result.problems),
        measured_again=kept.measured_again,
        seconds=time.monotonic() - began,
        process_mib=_process_mib(),
    )


def _files_told(given: SubjectInput, problems: Iterable[Problem]) -> tuple[str, ...]:
    """The masks and images that problems name."""
    told = "\n".join(problem.message for problem in problems)
    if not told:
        return ()
    paths = [path_of(one) for one in given.segmentations] + [path_of(one) for one in given.label_masks]
    paths += [piece.path for series in given.series for piece in series.slices]
    return tuple(name for path in dict.fromkeys(paths) if (name := str(path)) in told)


def _process_mib() -> float:
    """The most memory that this process ever had; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


_HELP = {
    Cause.TIME: "look at its images and masks, or raise --case-timeout",
    Cause.MEMORY: "look at its images and masks, or run it alone with more memory",
    Cause.DIED: "look at its images and masks, or run it alone with --workers 1",
    Cause.RAISED: "run it alone with --workers 1",
}


def _failed(given: SubjectInput, failure: Failure, folder: Path) -> _CaseDone:
    message = f"subject {given.subject}: not scored: {failure.reason}; {_HELP[failure.cause]}"
    return _CaseDone(result=_without_rows(given, message), file=folder / _RUN / "none")


def _without_rows(given: SubjectInput, message: str) -> SubjectResult:
    problem = Problem(subject=given.subject, message=message)
    return SubjectResult(
        subject=given.subject,
        rows=(),
        drawings=(),
        key_images=(),
        problems=(*given.problems, problem),
        notes=given.notes,
    )


def _complete_reads(results: list[SubjectResult]) -> dict[tuple[str, str], list[Measurement]]:
    """Rows by subject and reader, without reads that have a problem: a missing visit or lesion would change categories.

    A problem that names no reader (a segmentation that cannot be read) concerns all reads of its subject.
    """
    reads: dict[tuple[str, str], list[Measurement]] = {}
    for result in results:
        concerned = {problem.reader for problem in result.problems}
        for row in result.rows:
            if "" not in concerned and row.reader not in concerned:
                reads.setdefault((row.subject, row.reader), []).append(row)
    return dict(sorted(reads.items()))


# --- output ----------------------------------------------------------------------------------------------------------


def _cases(study: Study, summary: StudyResults, done: list[_CaseDone]) -> tuple[Case, ...]:
    files = {one.result.subject: list(one.files) for one in done}
    for lost in study.damaged:
        files[lost.subject].append(lost.path)
    return cases_of(
        [one.result.subject for one in done],
        summary.problems,
        study.lost,
        flags_of(summary.responses, summary.best, summary.findings),
        files,
        study.root,
    )


def _summary(
    study: Study,
    settings: tuple[CriterionSetting, ...],
    results: list[SubjectResult],
    rows: tuple[Measurement, ...],
    derived: Derived,
    stability: tuple[VisitStability, ...],
    checked: Checked,
) -> StudyResults:
    texts = tuple(
        CriterionText(
            name=setting.name,
            title=setting.title,
            quantity=setting.criterion.quantity,
            source=setting.criterion.source,
            unit=setting.criterion.unit,
            pr_percent=setting.thresholds.pr_percent,
            pd_percent=setting.thresholds.pd_percent,
        )
        for setting in settings
    )
    return StudyResults(
        title=study.protocol.title or study.root.resolve().name,
        criteria=texts,
        measurements=rows,
        responses=derived.responses,
        best=derived.best,
        problems=(*study.problems, *(p for result in results for p in result.problems), *derived.problems),
        key_images=(),
        findings=tuple(_text(finding) for finding in checked.findings),
        notes=(*study.notes, *(note for result in results for note in result.notes)),
        arms=study.arms,
        stability=stability,
        protocol_sha256=study.protocol.sha256,
        version=__version__,
    )


def _text(finding: Finding) -> FindingText:
    return FindingText(
        subject=finding.subject,
        reader=finding.reader,
        timepoint=finding.timepoint,
        severity=str(finding.severity),
        what=finding.what,
        what_to_do=finding.what_to_do,
    )


def _write(
    out: Path, given: dict[str, str], summary: StudyResults, cases: tuple[Case, ...], done: list[_CaseDone]
) -> tuple[Path, ...]:
    """Write the tables ``given`` by name, and those that follow from the summary; the report last."""
    digest = summary.protocol_sha256
    reads = {(row.subject, row.reader) for row in summary.measurements}
    for name, content in given.items():
        write_whole(out / name, content)
    write_whole(out / "measurements.json", _json_list(_drawings(done, reads)))
    contents = {
        "responses.csv": responses_csv(summary.responses, digest),
        "best_responses.csv": best_responses_csv(summary.best, digest),
        "problems.csv": problems_csv(summary.problems),
        "cases.csv": cases_csv(cases),
        "summary.txt": summary_text(cases),
    }
    for name, content in contents.items():
        write_whole(out / name, content)
    for name in OPTIONAL_FILES:
        if name not in given:
            (out / name).unlink(missing_ok=True)
    _write_times(out, done)
    pages = _write_report(out, summary, cases, done)
    return tuple(out / name for name in (*given, "measurements.json", *contents, *pages))


def _write_report(out: Path, summary: StudyResults, cases: tuple[Case, ...], done: list[_CaseDone]) -> tuple[str, ...]:
    """``report.html`` and ``summary.html``, and of a large study a page for each subject; those of an earlier run go."""
    places: dict[str, str] = {}
    if len(done) <= MOST_ON_ONE_PAGE:
        images = tuple(image for one in done for image in _pictures(one))
        write_whole(out / "report.html", report_html(replace(summary, key_images=images), SUMMARY))
    else:
        places = {one.result.subject: f"{PAGES}/{safe_name(one.result.subject)}.html" for one in done}
        files = {one.result.subject: one for one in done}
        for page in report_pages(summary, lambda subject: _pictures(files[subject]), places, SUMMARY):
            write_whole(out / page.name, page.html)
    for path in (out / PAGES).glob("*.html"):
        if f"{PAGES}/{path.name}" not in places.values():
            path.unlink()
    with suppress(OSError):
        (out / PAGES).rmdir()
    write_whole(out / SUMMARY, summary_html(summary, cases, places))
    return "report.html", SUMMARY, *places.values()


def _kept_result(one: _CaseDone, key: str) -> list[object]:
    """What a worker wrote of a subject; nothing where none finished it."""
    try:
        return list(json.loads(one.file.read_text(encoding="utf-8"))[key])
    except OSError:
        return []


def _drawings(done: list[_CaseDone], reads: set[tuple[str, str]]) -> Iterator[dict[str, object]]:
    for one in done:
        for plain in _kept_result(one, "drawings"):
            d = from_plain(plain, Drawing)
            if (d.subject, d.reader) in reads:
                yield {"subject": d.subject, "reader": d.reader, "timepoint": d.timepoint, **d.measurement}


def _pictures(one: _CaseDone) -> tuple[KeyImage, ...]:
    return tuple(from_plain(plain, KeyImage) for plain in _kept_result(one, "images"))


def _json_list(items: Iterator[dict[str, object]]) -> Iterator[str]:
    """As ``json.dumps(list(items), indent=1)``, one item at a time."""
    between = "["
    for item in items:
        text = json.dumps(item, indent=1, ensure_ascii=False).replace("\n", "\n ")
        yield f"{between}\n {text}"
        between = ","
    yield "[]\n" if between == "[" else "\n]\n"


def _write_times(out: Path, done: list[_CaseDone]) -> None:
    """What a run took, which no two runs share: not among the results."""
    rows = (
        {
            "subject": one.result.subject,
            "seconds": f"{one.seconds:.2f}",
            "measured_again": one.measured_again,
            "process_mib": f"{one.process_mib:.0f}",
        }
        for one in done
    )
    write_whole(out / FOLDER / "last_run.csv", csv_text(_TIME_COLUMNS, rows))
