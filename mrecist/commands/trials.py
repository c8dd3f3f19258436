"""``endpoints`` and ``protocol``."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import TYPE_CHECKING

from mrecist import tables
from mrecist.commands._terminal import DONE, SOME_FAILED, outcome, say, show
from mrecist.errors import InputError
from mrecist.protocol import load_protocol

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mrecist.endpoints.safety import Safety
    from mrecist.protocol import Protocol


def endpoints(options: Namespace) -> int:
    """``mrecist endpoints``."""
    from mrecist.endpoints.derive import derive_endpoints
    from mrecist.endpoints.eligibility import screen
    from mrecist.endpoints.estimate import NOT_INSTALLED, estimates_csv
    from mrecist.endpoints.figures.all import figures
    from mrecist.endpoints.regions import courses_of_regions
    from mrecist.endpoints.rows import (
        changes_csv,
        eligibility_csv,
        events_csv,
        outcomes_csv,
        safety_csv,
        worst_grades_csv,
    )
    from mrecist.endpoints.safety import safety_of
    from mrecist.endpoints.sources import courses_of_reported, courses_of_results
    from mrecist.endpoints.summary import estimates
    from mrecist.endpoints.survival import missing_libraries
    from mrecist.tables.trial import TABLES, read_trial
    from mrecist.trial import without_faults

    if (options.results is None) == (options.overall is None):
        raise InputError("endpoints: give either the folder that assess or score wrote, or --overall FILE")
    protocol = load_protocol(options.protocol)
    if not protocol.endpoints:
        raise InputError(f"{options.protocol}: has no [[endpoint]]; say what is to be derived (docs/endpoints.md)")
    files = {name: path for name in TABLES if (path := getattr(options, name)) is not None}
    read = read_trial(options.subjects, files, protocol.date_columns, protocol.partial_date)
    if options.overall is not None:
        found = courses_of_reported(options.overall, protocol, read.trial)
    else:
        found = courses_of_results(options.results, protocol)
    regions = courses_of_regions(options.results, options.overall, protocol, read.trial)
    sound = without_faults(read.trial)
    safety = safety_of(protocol, sound)
    beside = tuple(_left_out_beside(read.trial.subjects.keys() - sound.subjects.keys(), safety, protocol))
    for note in (*read.notes, *found.notes, *safety.notes, *beside):
        say(f"mrecist: note: {note}")
    told = tuple(
        dict.fromkeys((*read.problems, *found.problems, *(p for one in regions.values() for p in one.problems)))
    )
    unread = frozenset((p.subject, p.reader) for p in found.problems)
    derived = derive_endpoints(protocol, found.courses, read.trial, frozenset(p.subject for p in told), regions, unread)
    screened = screen(protocol, options.results, sound)
    problems = (*told, *derived.problems, *screened.problems)
    rows = tuple(estimates(protocol, derived, read.trial))
    contents = {
        "events": events_csv(derived.times, protocol.sha256),
        "outcomes": outcomes_csv(derived.outcomes, protocol.sha256),
        "changes": changes_csv(derived.changes, protocol.sha256),
        "estimates": estimates_csv(rows, protocol.sha256),
        "problems": tables.problems_csv(problems),
    }
    if safety.shares:
        contents["worst_grades"] = worst_grades_csv(safety.worst, protocol.sha256)
        contents["safety"] = safety_csv(safety.shares, protocol.sha256)
    if protocol.eligibility.asked:
        contents["eligibility"] = eligibility_csv(screened.rows, protocol.sha256)
    for name, content in contents.items():
        tables.write_whole(options.out / f"{name}.csv", content)
    if not missing_libraries():
        _write_figures(options.out / "figures", figures(protocol, found.courses, sound, derived, rows))
    for note in dict.fromkeys(row.note for row in rows if row.note.startswith(NOT_INSTALLED)):
        say(f"mrecist: note: times are derived and not estimated: {note}")
    say(
        f"{len(derived.times)} times, {len(derived.outcomes)} outcomes and {len(derived.changes)} changes of "
        f"{len(protocol.endpoints)} endpoints: {options.out}"
    )
    return outcome(problems)


def _left_out_beside(subjects: Set[str], safety: Safety, protocol: Protocol) -> Iterator[str]:
    """A note on who is in none of the tables that are not of endpoints, for any fault of the subject's facts."""
    if subjects:
        tables_of = ["the figures of single subjects"]
        tables_of += ["safety.csv"] if safety.shares else []
        tables_of += ["eligibility.csv"] if protocol.eligibility.asked else []
        yield f"for a problem told below, {', '.join(sorted(subjects))} are in none of: {', '.join(tables_of)}"


def _write_figures(folder: Path, found: Iterable[tuple[tuple[str, ...], Figure]]) -> None:
    from mrecist.endpoints.figures.style import files_of

    for parts, figure in found:
        name = "_".join(tables.safe_name(part) for part in parts if part)
        for suffix, content in files_of(figure).items():
            tables.write_whole(folder / f"{name}.{suffix}", content)


def protocol(options: Namespace) -> int:
    """``mrecist protocol check``."""
    from mrecist.endpoints.derive import refused_rules, undecided_readers
    from mrecist.protocol.words import in_words

    asked = load_protocol(options.file)
    for line in in_words(asked):
        show(line)
    refused = tuple(refused_rules(asked))
    for line in (*refused, *undecided_readers(asked)):
        say(f"mrecist: note: {options.file}: {line}")
    return SOME_FAILED if refused else DONE
