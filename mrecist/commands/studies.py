"""``score``, ``demo`` and ``info``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from mrecist.commands._terminal import (
    DONE,
    NOTHING_USABLE,
    SOME_FAILED,
    outcome,
    progress,
    say,
    show,
    show_table,
    stoppable,
)

if TYPE_CHECKING:
    from mrecist.batch import Running, Scored

_MOST_LINES = 50  # of a kind on a screen; the files have all of them


def score(options: Namespace) -> int:
    """``mrecist score``."""
    from mrecist.batch import score_study

    running = running_of(options, fresh=options.fresh)
    with stoppable(), progress() as report:
        scored = score_study(
            options.study,
            options.out,
            protocol_file=options.protocol,
            criteria=options.criterion,
            repeat=options.repeat,
            running=running,
            progress=report,
        )
    _print_scored(scored, options.out)
    _tell_problems(scored, options.out)
    return _exit_code(scored)


def running_of(options: Namespace, *, fresh: bool) -> Running:
    """Where and how the subjects are scored, as the options say."""
    from mrecist.batch import Running

    return Running(
        workers=options.workers,
        scheduler=options.scheduler,
        case_seconds=options.case_timeout,
        fresh=fresh,
        notice=lambda line: say(f"mrecist: note: {line}"),
    )


def _exit_code(scored: Scored) -> int:
    """0: every case is done; 1: some are quarantined, or a file is nobody's; 2: no case can be used."""
    from mrecist.results import Verdict

    subjects = [case for case in scored.cases if case.subject]
    if all(case.verdict is Verdict.QUARANTINED for case in subjects):
        return NOTHING_USABLE
    return SOME_FAILED if scored.results.problems else DONE


def _tell_problems(scored: Scored, out: Path) -> None:
    problems = scored.results.problems
    outcome(problems[:_MOST_LINES])
    if len(problems) > _MOST_LINES:
        say(f"mrecist: and {len(problems) - _MOST_LINES} more problems, in {out / 'problems.csv'}")


def _print_scored(scored: Scored, out: Path) -> None:
    from mrecist.cases import summary_text

    results = scored.results
    for note in results.notes[:_MOST_LINES]:
        say(f"mrecist: note: {note}")
    if len(results.notes) > _MOST_LINES:
        say(f"mrecist: and {len(results.notes) - _MOST_LINES} more notes, in {out / 'report.html'}")
    if scored.resumed:
        say(f"{scored.resumed} subjects unchanged since the last run, taken from it")
    names = [text.name for text in results.criteria]
    cells = {(b.subject, b.reader, b.criterion): b for b in results.best}
    reads = list(dict.fromkeys((b.subject, b.reader) for b in results.best))
    if len(reads) <= _MOST_LINES:
        print("Best response (confirmed in brackets)")
        lines = [["subject", "reader", *names]]
        for subject, reader in reads:
            found = (cells[subject, reader, name] for name in names)
            lines.append([subject, reader, *(f"{b.best_unconfirmed} ({b.best_confirmed})" for b in found)])
        show_table(lines)
        print()
    show(f"{len(results.measurements)} measurements, {len(results.responses)} time-point responses")
    for line in summary_text(scored.cases).splitlines():
        show(line)
    show(f"Report: {out / 'report.html'}; what became of each case: {out / 'summary.html'}")


def demo(options: Namespace) -> int:
    """``mrecist demo``."""
    from mrecist.batch import score_study
    from mrecist.samples.build import sample_study_path
    from mrecist.samples.compare import differences_from_truth

    sample = sample_study_path()
    say(f"scoring the sample study {sample}: DICOM series and segmentations to RECIST 1.1 and mRECIST")
    with progress() as report:
        scored = score_study(sample, options.out, progress=report)
    _print_scored(scored, options.out)
    _tell_problems(scored, options.out)
    failed = _exit_code(scored)
    different = differences_from_truth(options.out)
    for line in different:
        say(f"mrecist: differs from the known truth: {line}")
    if not different:
        print("Every category equals the known truth; every diameter lies within half a pixel of the analytic value.")
    first = scored.results.best[0].subject if scored.results.best else "SUBJECT"
    print(f"Why a category: mrecist explain {options.out} {first}")
    return SOME_FAILED if different or failed else DONE


def info(options: Namespace) -> int:
    """``mrecist info``."""
    from mrecist.info import as_json, as_text, gather
    from mrecist.segmenters.bench import Bench

    bench = Bench()
    usable = {name: bench.why_not(name) or bench.package(name) for name in bench.names}
    found = {**gather(), "segmenters": usable}
    print(as_json(found) if options.json else as_text(found))
    return DONE
