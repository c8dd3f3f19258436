"""A whole study, subject by subject: scored, assessed, written. One bad subject stops no other; a second run goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from mrecist import __version__, checkpoint, derivation
from mrecist.checks.finding import Finding, findings_csv
from mrecist.checks.run import Checked, check_table
from mrecist.model import Measurement, Problem, VisitStability
from mrecist.protocol import CriterionSetting, Measuring
from mrecist.repeating import Repeating, left_out, repeating_of
from mrecist.report.html import report_html
from mrecist.response.derive import Derived, derive
from mrecist.results import CriterionText, FindingText, StudyResults
from mrecist.score import SubjectResult, score_subject
from mrecist.stability.derive import stabilities, with_flags
from mrecist.stability.table import spread_csv, stability_tables
from mrecist.study import Study, SubjectInput, open_study
from mrecist.tables import Measurements, best_responses_csv, measurements_csv, problems_csv, responses_csv, write_whole

# What is being done, how much of it is finished, out of how much.
Progress = Callable[[str, int, int], None]

CHECKPOINTS = ".checkpoints"
SPREAD = "spread.csv"
# Written only when asked for: one of an earlier run must not stay beside the tables of a run without it.
OPTIONAL_FILES = (SPREAD,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What scoring a study gave: the results, and the files that hold them."""

    results: StudyResults
    files: tuple[Path, ...]
    resumed: int


def score_study(
    root: Path,
    out: Path,
    *,
    protocol_file: Path | None = None,
    criteria: list[str] | None = None,
    workers: int = 1,
    repeat: int | None = None,
    progress: Progress | None = None,
) -> Scored:
    """Score a study folder (docs/files.md) and write measurements, responses, best responses, problems and the report.

    Parameters
    ----------
    root : the study folder.
    out : folder for the results; made when it is not there. Finished subjects are kept in its ``.checkpoints``, so that an
        interrupted run goes on where it stopped, and a later run repeats only what has changed.
    protocol_file : overrides STUDY/protocol.toml.
    criteria : names of criteria; all of the protocol by default.
    workers : number of processes; the results are the same for any number.
    repeat : how often the outlines of every mask are drawn again, in place of the protocol's ``[stability]`` ``repeat``; the
        spread of each size goes to spread.csv and takes the place of the protocol's standard deviations.
    progress : called with what is done, how much is finished and out of how much.

    Raises
    ------
    InputError : the folder is no study, or one of its tables or its protocol cannot be read.
    """
    report = progress or _silent
    study = open_study(root, protocol_file, lambda done, of: report("reading headers", done, of), workers)
    settings = study.protocol.select(criteria)
    repeating = repeating_of(study.protocol.stability, repeat)
    results, resumed = _score_subjects(study, repeating, out, workers, report)
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
    report("writing the report", 0, 1)
    measurements = measurements_csv(summary.measurements)
    contents = {
        "measurements.csv": measurements,
        **stability_tables(stability, study.protocol),
        "findings.csv": findings_csv(checked.findings, study.protocol.sha256),
    }
    if repeating is not None:
        contents[SPREAD] = spread_csv(spread)
        summary = replace(summary, notes=(*summary.notes, left_out(repeating)))
    files = _write(out, contents, summary, results)
    derivation.keep(out, measurements, study.protocol, settings)
    report("writing the report", 1, 1)
    return Scored(results=summary, files=files, resumed=resumed)


def _silent(_what: str, _done: int, _of: int) -> None:
    """Progress that nobody watches."""


# --- subjects --------------------------------------------------------------------------------------------------------


def _score_subjects(
    study: Study, repeating: Repeating | None, out: Path, workers: int, report: Progress
) -> tuple[list[SubjectResult], int]:
    folder = out / CHECKPOINTS
    stamps = {s.subject: checkpoint.signature(s, study.protocol.measuring, repeating) for s in study.subjects}
    results: dict[str, SubjectResult] = {}
    for given in study.subjects:
        kept = checkpoint.load(folder, given.subject, stamps[given.subject])
        if kept is not None:
            results[given.subject] = kept
    resumed = len(results)
    todo = [given for given in study.subjects if given.subject not in results]
    total = len(study.subjects)
    report("measuring subjects", resumed, total)
    for result in _run(todo, study.protocol.measuring, repeating, workers):
        checkpoint.save(folder, result, stamps[result.subject])
        results[result.subject] = result
        report("measuring subjects", len(results), total)
    return [results[given.subject] for given in study.subjects], resumed


def _run(
    todo: list[SubjectInput], measuring: Measuring, repeating: Repeating | None, workers: int
) -> Iterator[SubjectResult]:
    if workers <= 1 or len(todo) <= 1:
        for given in todo:
            yield _score_safely(given, measuring, repeating)
        return
    with ProcessPoolExecutor(max_workers=min(workers, len(todo))) as pool:
        futures = [pool.submit(_score_safely, given, measuring, repeating) for given in todo]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _score_safely(given: SubjectInput, measuring: Measuring, repeating: Repeating | None) -> SubjectResult:
    """Score one subject; a fault of ours is reported as one line too, and the batch goes on."""
    try:
        return score_subject(given, measuring, repeating)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong with one subject must not stop the others
        message = f"subject {given.subject}: unexpected {type(error).__name__}: {error}; please report this"
        problem = Problem(subject=given.subject, message=" ".join(message.split()))
        return SubjectResult(
            subject=given.subject, rows=(), drawings=(), key_images=(), problems=(problem,), notes=given.notes
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
        key_images=tuple(image for result in results for image in result.key_images),
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


def _write(out: Path, given: dict[str, str], summary: StudyResults, results: list[SubjectResult]) -> tuple[Path, ...]:
    """Write the tables ``given`` by name, and those that follow from the summary; the report last."""
    sha256 = summary.protocol_sha256
    done = {(row.subject, row.reader) for row in summary.measurements}
    drawings = [
        {"subject": d.subject, "reader": d.reader, "timepoint": d.timepoint, **d.measurement}
        for result in results
        for d in result.drawings
        if (d.subject, d.reader) in done
    ]
    contents = {
        **given,
        "measurements.json": json.dumps(drawings, indent=1, ensure_ascii=False) + "\n",
        "responses.csv": responses_csv(summary.responses, sha256),
        "best_responses.csv": best_responses_csv(summary.best, sha256),
        "problems.csv": problems_csv(summary.problems),
        "report.html": report_html(summary),
    }
    for name in OPTIONAL_FILES:
        if name not in contents:
            (out / name).unlink(missing_ok=True)
    for name, content in contents.items():
        write_whole(out / name, content)
    return tuple(out / name for name in contents)
