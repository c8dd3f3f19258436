"""``endpoints`` and ``protocol``."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mrecist import tables
from mrecist.commands._terminal import DONE, SOME_FAILED, outcome, progress, say, show
from mrecist.errors import InputError
from mrecist.protocol import Protocol, load_protocol

if TYPE_CHECKING:
    from mrecist.endpoints.course import Courses
    from mrecist.endpoints.derive import Derived
    from mrecist.endpoints.eligibility import Eligibility
    from mrecist.endpoints.estimate import Estimate
    from mrecist.endpoints.figures.plan import Plan
    from mrecist.endpoints.report.pictures import Drawn
    from mrecist.endpoints.safety import Safety
    from mrecist.endpoints.sources import Found
    from mrecist.model import Problem
    from mrecist.trial import Trial

PAGE = "report.html"
_STEPS = 4
"""Tables, regions and safety, endpoints, estimates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Study:
    """All that was read and derived of a study."""

    protocol: Protocol
    trial: Trial
    courses: Courses
    regions: Mapping[str, Found]
    derived: Derived
    safety: Safety
    screened: Sequence[Eligibility]
    estimates: Sequence[Estimate]
    notes: Sequence[str]
    problems: Sequence[Problem]

    from mrecist.endpoints.safety import Safety
    from mrecist.protocol import Protocol


def endpoints(options: Namespace) -> int:
    """``mrecist endpoints``: the tables first, then figures and the page, which cannot take the tables with them."""
    if (options.results is None) == (options.overall is None):
        raise InputError("endpoints: give either the folder that assess or score wrote, or --overall FILE")
    protocol = load_protocol(options.protocol)
    if not protocol.endpoints:
        raise InputError(f"{options.protocol}: has no [[endpoint]]; say what is to be derived (docs/endpoints.md)")
    with progress() as report:
        study = _derived(options, protocol, lambda done: report("reading and deriving", done, _STEPS))
    for note in study.notes:
        say(f"mrecist: note: {note}")
    contents = _contents(study)
    for name, content in contents.items():
        tables.write_whole(options.out / f"{name}.csv", content)
    failures: list[str] = []
    drawn = _figures(study, options.out, failures) if not options.no_figures else []
    page = _page(study, contents, drawn, options.out, failures)
    code = outcome(study.problems)
    for failure in failures:
        say(f"mrecist: {failure}")
    derived = study.derived
    say(
        f"{len(derived.times)} times, {len(derived.outcomes)} outcomes and {len(derived.changes)} changes of "
        f"{len(protocol.endpoints)} endpoints: {options.out}{f'; read {page}' if page else ''}"
    )
    return SOME_FAILED if failures else code


def _derived(options: Namespace, protocol: Protocol, done: Callable[[int], None]) -> _Study:
    from mrecist.endpoints.derive import derive_endpoints
    from mrecist.endpoints.eligibility import screen
    from mrecist.endpoints.estimate import NOT_INSTALLED
    from mrecist.endpoints.regions import courses_of_regions
    from mrecist.endpoints.safety import safety_of
    from mrecist.endpoints.sources import courses_of_reported, courses_of_results
    from mrecist.endpoints.summary import estimates
    from mrecist.tables.trial import TABLES, read_trial
    from mrecist.trial import without_faults

    files = {name: path for name in TABLES if (path := getattr(options, name)) is not None}
    read = read_trial(options.subjects, files, protocol.date_columns, protocol.partial_date)
    done(1)
    if options.overall is not None:
        found = courses_of_reported(options.overall, protocol, read.trial)
    else:
        found = courses_of_results(options.results, protocol)
    regions = courses_of_regions(options.results, options.overall, protocol, read.trial)
    done(2)
    sound = without_faults(read.trial)
    safety = safety_of(protocol, sound)
    beside = tuple(_left_out_beside(read.trial.subjects.keys() - sound.subjects.keys(), safety, protocol))
    told = tuple(
        dict.fromkeys((*read.problems, *found.problems, *(p for one in regions.values() for p in one.problems)))
    )
    unread = frozenset((p.subject, p.reader) for p in found.problems)
    derived = derive_endpoints(protocol, found.courses, read.trial, frozenset(p.subject for p in told), regions, unread)
    done(3)
    screened = screen(protocol, options.results, sound)
    rows = tuple(estimates(protocol, derived, read.trial))
    done(_STEPS)
    missing = dict.fromkeys(row.note for row in rows if row.note.startswith(NOT_INSTALLED))
    not_estimated = [f"times are derived and not estimated: {note}" for note in missing]
    return _Study(
        protocol=protocol,
        trial=read.trial,
        courses=found.courses,
        regions=regions,
        derived=derived,
        safety=safety,
        screened=screened.rows,
        estimates=rows,
        notes=(*read.notes, *found.notes, *safety.notes, *beside, *not_estimated),
        problems=(*told, *derived.problems, *screened.problems),
    )


def _left_out_beside(subjects: Set[str], safety: Safety, protocol: Protocol) -> Iterator[str]:
    """A note on who is in none of the tables that are not of endpoints, for any fault of the subject's facts."""
    if subjects:
        tables_of = ["the figures of single subjects"]
        tables_of += ["safety.csv"] if safety.shares else []
        tables_of += ["eligibility.csv"] if protocol.eligibility.asked else []
        yield f"for a problem told below, {', '.join(sorted(subjects))} are in none of: {', '.join(tables_of)}"


def _contents(study: _Study) -> dict[str, str]:
    """The CSV files by name."""
    from mrecist.endpoints import rows
    from mrecist.endpoints.counts import counts, counts_csv
    from mrecist.endpoints.estimate import estimates_csv

    protocol, derived, sha256 = study.protocol, study.derived, study.protocol.sha256
    counted = counts(protocol, study.trial, study.courses, derived, study.screened)
    contents = {
        "events": rows.events_csv(derived.times, sha256),
        "outcomes": rows.outcomes_csv(derived.outcomes, sha256),
        "changes": rows.changes_csv(derived.changes, sha256),
        "estimates": estimates_csv(study.estimates, sha256),
        "counts": counts_csv(counted, sha256),
        "problems": tables.problems_csv(study.problems),
    }
    if study.safety.shares:
        contents["worst_grades"] = rows.worst_grades_csv(study.safety.worst, sha256)
        contents["safety"] = rows.safety_csv(study.safety.shares, sha256)
    if protocol.eligibility.asked:
        contents["eligibility"] = rows.eligibility_csv(study.screened, sha256)
    return contents


def _figures(study: _Study, out: Path, failures: list[str]) -> list[Drawn]:
    """Each figure drawn and written; one that fails is named in ``failures`` and stops no other."""
    from importlib.util import find_spec

    from mrecist.endpoints.figures.all import figures
    from mrecist.endpoints.report.pictures import Drawn
    from mrecist.trial import without_faults

    if find_spec("matplotlib") is None:
        failures.append("no figure is drawn, matplotlib is not installed: pip install matplotlib, or give --no-figures")
        return []
    plans = list(
        figures(
            study.protocol, study.courses, without_faults(study.trial), study.derived, study.estimates, study.regions
        )
    )
    drawn = []
    with progress() as report:
        for number, plan in enumerate(plans, 1):
            path = "figures/" + "_".join(tables.safe_name(part) for part in plan.parts if part)
            try:
                drawn.append(_drawn(plan, path, out))
            except Exception as error:  # noqa: BLE001 - whatever a drawing library raises, the tables and the page stay
                failures.append(f"figure {path} could not be drawn: {_reason(error)}")
                drawn.append(Drawn(plan, told=f"not drawn: {_reason(error)}"))
            report("figures", number, len(plans))
    return drawn


def _drawn(plan: Plan, path: str, out: Path) -> Drawn:
    from mrecist.endpoints.figures.style import files_of
    from mrecist.endpoints.report.pictures import Drawn

    if plan.draw is None:
        return Drawn(plan)
    made = files_of(plan.draw(), plan.title)
    for suffix, content in made.items():
        tables.write_whole(out / f"{path}.{suffix}", content)
    return Drawn(plan, svg=made["svg"].decode("utf-8"), path=path)


def _page(
    study: _Study, contents: Mapping[str, str], drawn: Sequence[Drawn], out: Path, failures: list[str]
) -> Path | None:
    """Where the page is; None where it could not be written."""
    from mrecist.endpoints.report.page import report_html

    try:
        tables.write_whole(out / PAGE, report_html(study.protocol, contents, drawn, study.notes))
    except Exception as error:  # noqa: BLE001 - the tables are there and are told of, whatever is wrong with the page
        failures.append(f"{PAGE} could not be written: {_reason(error)}")
        return None
    return out / PAGE


def _reason(error: Exception) -> str:
    """An exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


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
