"""``assess``, ``best``, ``check``, ``explain`` and ``conformance``."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from mrecist import derivation, tables
from mrecist.accepted import FILE as ACCEPTED
from mrecist.commands._terminal import DONE, SOME_FAILED, outcome, progress, say, show, show_json
from mrecist.errors import InputError
from mrecist.protocol import load_protocol
from mrecist.tables.accepted import accepted_csv

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from mrecist.accepted import Accepted
    from mrecist.model import Problem


def assess(options: Namespace) -> int:
    """``mrecist assess``."""
    from mrecist.assessing import Job, accepted_asked, assess_table, write_results
    from mrecist.sdtm.datasets import is_sdtm

    if is_sdtm(options.measurements):
        return _assess_sdtm(options)
    if options.compare is not None:
        raise InputError("assess: --compare checks SDTM; give TU and TR, or a folder that holds them")
    protocol = load_protocol(options.protocol)
    settings = protocol.select(options.criterion)
    accepted = accepted_asked(options.accepted, options.out, settings)
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
    problems = (*done.problems, *_without_accepted(accepted, done.derived, done.problems))
    kept = _accepted_table(accepted, protocol.sha256)
    rows = table.read_bytes()
    write_results(options.out, {**done.tables, **kept}, rows)
    derivation.keep(options.out, rows, protocol, settings, kept.get(ACCEPTED))
    for note in done.notes:
        say(f"mrecist: note: {note}")
    say(f"{done.reads} best responses from {done.time_points} time-point responses: {options.out}")
    return outcome(problems)


def _without_accepted(
    accepted: Accepted, derived: Collection[tuple[str, str, str]], problems: Iterable[Problem]
) -> tuple[Problem, ...]:
    """The subjects of which no read counts, though the accepted reads are given."""
    from mrecist.accepted import faults_of

    return tuple(faults_of(accepted, derived, {(one.subject, one.reader) for one in problems}).values())


def _accepted_table(accepted: Accepted, protocol_sha256: str) -> dict[str, str]:
    """``accepted.csv`` by its name, where accepted reads are given.

    Also the rows whose read is not there: without them the subject would count by somebody else.
    """
    return {ACCEPTED: accepted_csv(accepted.rows, protocol_sha256)} if accepted.rows else {}


def _assess_sdtm(options: Namespace) -> int:
    """SDTM tumour domains to responses, and the reported responses against them."""
    from mrecist.assessing import COMPARISON, PROBLEMS, accepted_asked, write_results
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
    accepted = accepted_asked(options.accepted, options.out, settings)
    read = read_sdtm(open_sources(options.measurements), protocol.partial_date)
    dates = tables.read_subject_dates(options.subjects, protocol)
    derived = derive(read.measurements.reads(), protocol, settings, dates)
    problems: tuple[Problem, ...] = (*read.measurements.problems, *derived.problems)
    keys = {(row.subject, row.reader, row.criterion) for row in derived.best}
    without = _without_accepted(accepted, keys, problems)
    notes = read.notes
    rows = tables.measurements_csv(read.measurements.rows)
    contents = {
        "measurements.csv": rows,
        "responses.csv": tables.responses_csv(derived.responses, protocol.sha256),
        "best_responses.csv": tables.best_responses_csv(derived.best, protocol.sha256),
        PROBLEMS: tables.problems_csv(problems),
        **_accepted_table(accepted, protocol.sha256),
    }
    if reported is not None:
        comparison = compare(read, reported, protocol, settings, dates)
        notes += comparison.notes
        contents[COMPARISON] = tables.csv_text(COMPARISON_COLUMNS, map(asdict, comparison.rows))
        print("\n".join(summary(comparison)))
    write_results(options.out, contents, rows)
    derivation.keep(options.out, rows, protocol, settings, contents.get(ACCEPTED))
    for note in notes:
        say(f"mrecist: note: {note}")
    say(f"{len(derived.best)} best responses from {len(derived.responses)} time-point responses: {options.out}")
    return outcome((*problems, *without))


def check(options: Namespace) -> int:
    """``mrecist check``."""
    from mrecist.checklist import Severity
    from mrecist.checks.finding import findings_csv, findings_json
    from mrecist.checks.run import check_table

    protocol = load_protocol(options.protocol)
    settings = protocol.select(options.criterion)
    measurements = tables.read_measurements(options.measurements, protocol.partial_date, keep_contradicting=True)
    dates = tables.read_subject_dates(options.subjects, protocol)
    for note in measurements.notes:
        say(f"mrecist: note: {note}")
    checked = check_table(measurements, protocol, settings, dates)
    table = findings_csv(checked.findings, protocol.sha256)
    if options.out is not None:
        tables.write_whole(options.out, table)
    if options.json:
        show_json(findings_json(checked.findings, protocol.sha256))
    elif options.out is None:
        print(table, end="")
    counts = ", ".join(f"{checked.count(s)} {s}{'' if checked.count(s) == 1 else 's'}" for s in Severity)
    say(f"{counts} in {checked.reads} reads" + (f": {options.out}" if options.out is not None else ""))
    failed = outcome(checked.partly)
    return SOME_FAILED if checked.count(Severity.ERROR) else failed


def best(options: Namespace) -> int:
    """``mrecist best``."""
    from mrecist.response.derive import best_of_reported

    protocol = load_protocol(options.protocol)
    dates = tables.read_subject_dates(options.subjects, protocol, origin=False)
    reported, problems = tables.read_overall(options.overall, protocol.partial_date)
    rows = [best_of_reported(case, case.criterion or options.criterion, protocol.response, dates) for case in reported]
    tables.write_whole(options.out, tables.best_responses_csv(rows, protocol.sha256))
    say(f"{len(rows)} best responses: {options.out}")
    return outcome(problems)


def explain(options: Namespace) -> int:
    """``mrecist explain``."""
    from mrecist.explain import explain_subject

    for line in explain_subject(options.folder, options.subject, options.timepoint, options.criterion).split("\n"):
        show(line)
    return DONE


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
        with progress() as report:
            answered = run_engine(engine, cases, lambda done, of: report("running the engine", done, of))
    results = judge(cases, answered)
    if options.out is not None:
        tables.write_whole(options.out, results_csv(results, cases.version))
    print_scorecard(results, cases.version)
    outcomes = {result.outcome for result in results}
    return DONE if Outcome.PASSED in outcomes and Outcome.FAILED not in outcomes else SOME_FAILED
