"""A study's endpoints from its files: what ``mrecist endpoints`` writes, and what other commands have to agree with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mrecist.accepted import accepted_of_results, differing
from mrecist.endpoints.course import with_accepted
from mrecist.endpoints.derive import Derived, derive_endpoints
from mrecist.endpoints.regions import courses_of_regions
from mrecist.endpoints.sources import Found, courses_of_reported, courses_of_results
from mrecist.model import Problem
from mrecist.protocol import Protocol
from mrecist.tables.trial import TrialTables


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyEndpoints:
    """Courses, endpoints, and every problem of tables, responses and regions that was told before the endpoints were derived."""

    found: Found
    regions: Mapping[str, Found]
    derived: Derived
    told: tuple[Problem, ...]


def endpoints_of_study(
    protocol: Protocol, tables: TrialTables, results: Path | None, overall: Path | None = None
) -> StudyEndpoints:
    """Derive the endpoints of a folder of results, or of responses that were reported elsewhere (``overall``).

    Raises :class:`InputError` for what cannot be used.
    """
    if overall is not None:
        found = courses_of_reported(overall, protocol, tables.trial)
    else:
        assert results is not None
        found = _with_accepted(courses_of_results(results, protocol), results, protocol)
    regions = {
        name: replace(one, courses=replace(one.courses, accepted=found.courses.accepted, tracks=found.courses.tracks))
        for name, one in courses_of_regions(results, overall, protocol, tables.trial).items()
    }
    told = tuple(
        dict.fromkeys((*tables.problems, *found.problems, *(p for one in regions.values() for p in one.problems)))
    )
    unread = frozenset((p.subject, p.reader) for p in found.problems)
    left_out = frozenset(p.subject for p in told)
    derived = derive_endpoints(protocol, found.courses, tables.trial, left_out, regions, unread)
    return StudyEndpoints(found=found, regions=regions, derived=derived, told=told)


def _with_accepted(found: Found, results: Path, protocol: Protocol) -> Found:
    """The courses with the accepted reads of the folder, and a note where the protocol names another reader."""
    accepted = accepted_of_results(results, {criterion for _, _, criterion in found.courses.by_key})
    notes = (*found.notes, *differing(accepted, protocol.readers.accepted))
    return replace(found, courses=with_accepted(found.courses, accepted), notes=notes)
