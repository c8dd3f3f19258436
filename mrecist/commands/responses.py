"""``assess``, ``best``, ``check``, ``explain`` and ``conformance``."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from mrecist import derivation, tables
from mrecist.commands._terminal import DONE, SOME_FAILED, outcome, progress, say, show, show_json
from mrecist.errors import InputError
from mrecist.protocol import load_protocol

if TYPE_CHECKING:
    pass


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
    for note in done.notes:
        say(f"mrecist: note: {note}")
    say(f"{done.reads} best responses from {done.time_points} time-point responses: {options.out}")
    return outcome(done.problems)


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
    say(f"{len(derived.best)} best responses from {len(derived.responses)} time-point responses: {options.out}")
    return outcome(problems)


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
