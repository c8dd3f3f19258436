"""Which figures a study gets, and their data. Nothing is drawn before it is asked for, so that one that fails stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mrecist.endpoints.course import Courses
from mrecist.endpoints.derive import Derived, criterion_of, readers_of
from mrecist.endpoints.estimate import Estimate
from mrecist.endpoints.figures.endpoints import of_endpoint
from mrecist.endpoints.figures.groups import by_visit
from mrecist.endpoints.figures.patients import MOST_LANES, Patient
from mrecist.endpoints.figures.people import patients_of, responses_by_visit
from mrecist.endpoints.figures.plan import Plan
from mrecist.endpoints.figures.spider import spider
from mrecist.endpoints.figures.swimmer import pages_of, swimmer
from mrecist.endpoints.figures.waterfall import waterfall
from mrecist.endpoints.sources import Found
from mrecist.protocol import Protocol
from mrecist.trial import Trial

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class _Read:
    """One reader's responses by one criterion, of all lesions or of those of a region."""

    criterion: str
    reader: str
    region: str


def figures(
    protocol: Protocol,
    courses: Courses,
    trial: Trial,
    derived: Derived,
    rows: Sequence[Estimate],
    regions: Mapping[str, Found] | None = None,
) -> Iterator[Plan]:
    """The figures, in the order in which a report shows them: those of subjects, then those of endpoints."""
    by_region = {"": courses, **{name: found.courses for name, found in (regions or {}).items()}}
    for read in _reads(protocol, by_region):
        yield from _of_read(protocol, by_region[read.region], trial, read)
    drawn: list[object] = []
    for endpoint in protocol.endpoints:
        yield from of_endpoint(endpoint, protocol, derived, rows, drawn, trial)


def _reads(protocol: Protocol, by_region: Mapping[str, Courses]) -> list[_Read]:
    """Criteria, readers and regions of the endpoints that need responses."""
    found = []
    for endpoint in protocol.endpoints:
        courses = by_region.get(endpoint.region)
        if endpoint.needs_responses and courses is not None and courses.by_key:
            criterion = criterion_of(endpoint, protocol, courses)
            by = replace(endpoint, criterion=criterion)
            found += [_Read(criterion, reader, endpoint.region) for reader in readers_of(by, protocol, courses)]
    return sorted(dict.fromkeys(found), key=lambda read: read.region != "")


def _of_read(protocol: Protocol, courses: Courses, trial: Trial, read: _Read) -> Iterator[Plan]:
    several = len(courses.readers) > 1
    what = protocol.setting(read.criterion).title if read.criterion else "as reported"
    what += f", {read.region}" if read.region else ""
    what += f", reader {read.reader}" if several else ""
    name = (read.criterion or "overall", read.region, read.reader if several else "")
    patients = list(patients_of(protocol, courses, trial, read.criterion, read.reader))
    yield from _of_changes(protocol, patients, read, what, name)
    if patients and not read.region:
        yield from _lanes(patients, read, what, name)
    counts = responses_by_visit(courses, read.criterion, read.reader)
    if counts:
        title = f"Responses by visit, {what}"
        alt = f"Stacked bars of the responses at {len(counts)} time points, in % of the subjects assessed at each."
        yield _plan(read, "responses", name, title, alt, lambda: by_visit(counts, title=title))


def _of_changes(
    protocol: Protocol, patients: list[Patient], read: _Read, what: str, name: tuple[str, ...]
) -> Iterator[Plan]:
    thresholds = protocol.setting(read.criterion).thresholds
    limits = {"pr_percent": float(thresholds.pr_percent), "pd_percent": float(thresholds.pd_percent)}
    count = sum(bool(patient.changes) for patient in patients)
    if not count:
        return
    best, time = f"Best change, {what}", f"Change over time, {what}"
    alt = f"Waterfall: the best change of the sum from baseline of {count} subjects, coloured by best response."
    yield _plan(read, "waterfall", name, best, alt, lambda: waterfall(patients, title=best, **limits))
    alt = f"Spider: the change of the sum from baseline over time of {count} subjects, coloured by best response."
    yield _plan(read, "spider", name, time, alt, lambda: spider(patients, title=time, **limits))


def _lanes(patients: list[Patient], read: _Read, what: str, name: tuple[str, ...]) -> Iterator[Plan]:
    if len(patients) > MOST_LANES:
        note = f"No swimmer plot is drawn of {len(patients)} subjects; more than {MOST_LANES} lanes cannot be read."
        yield _plan(read, "swimmer", name, f"Time on study, {what}", "", None, note)
        return
    pages = list(pages_of(patients))
    until = max(patient.end for patient in patients)
    for number, page in enumerate(pages, 1):
        part = f" ({number} of {len(pages)})" if len(pages) > 1 else ""
        title = f"Time on study, {what}{part}"
        alt = f"Swimmer plot: time on study, responses and events of {len(page)} subjects, the longest on top."
        parts = (*name, str(number) if part else "")
        yield _plan(
            read,
            "swimmer",
            parts,
            title,
            alt,
            lambda page=page, title=title: swimmer(page, title=title, until=until),  # type: ignore[misc]
        )


def _plan(
    read: _Read,
    kind: str,
    name: tuple[str, ...],
    title: str,
    alt: str,
    draw: Callable[[], Figure] | None,
    note: str = "",
) -> Plan:
    return Plan(
        kind=kind,
        parts=(kind, *name),
        title=title,
        alt=alt,
        draw=draw,
        note=note,
        reader=read.reader,
        criterion=read.criterion,
        region=read.region,
    )
