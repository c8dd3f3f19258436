"""A simulated adjudicator: sees both reads of each case that is discordant, and picks the one nearer to her own view, or reads it anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mrecist.agreement.adjudication import disagrees
from mrecist.agreement.reads import Reads, Track
from mrecist.agreement.sources import reads_of_rows
from mrecist.agreement.variables import visit_values
from mrecist.model import Measurement
from mrecist.rehearsal.lab import Lab
from mrecist.rehearsal.reading import write_reads
from mrecist.review.adjudication import ToAdjudicate, adjudication, case_of, pick_read, send_to_adjudicators
from mrecist.review.reviewed import Asked, Case, Reviewed
from mrecist.samples.readers.panel import ADJUDICATOR, ANEW, MANAGER, choose
from mrecist.samples.readers.reading import SimulatedRead
from mrecist.store.showing import worklist
from mrecist.store.store import Store
from mrecist.tables import measurement_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjudicated:
    """The cases as they were sent to the adjudicator, and how many she read anew."""

    cases: tuple[ToAdjudicate, ...]
    anew: int


def adjudicate(store: Store, lab: Lab, subjects: Mapping[str, str], asked: Asked) -> Adjudicated:
    """Send the discordant cases to the adjudicator, who works her list; ``subjects``: case -> subject."""
    found, _ = send_to_adjudicators(store, asked, lab.draw, MANAGER)
    anew: dict[str, SimulatedRead] = {}
    chosen = {}
    for due in worklist(store, ADJUDICATOR):
        own = lab.read(subjects[due.case], ADJUDICATOR)
        chosen[due.case] = _choices(*case_of(store, due.case, ADJUDICATOR, asked), own, asked)
        if any(what == ANEW for what, _ in chosen[due.case].values()):
            anew[due.case] = own
    write_reads(store, lab, ADJUDICATOR, anew)
    for name, by_criterion in chosen.items():
        for criterion, (what, why) in by_criterion.items():
            pick_read(store, name, by=ADJUDICATOR, read=what, reason=why, asked=asked, criteria=(criterion,))
    return Adjudicated(cases=adjudication(found), anew=len(anew))


def _choices(found: Reviewed, case: Case, read: SimulatedRead, asked: Asked) -> dict[str, tuple[str, str]]:
    """Criterion -> the read to pick and why, for those by which the readers differ."""
    rows = [{**row, "reader": ANEW} for visit in read.visits.values() for row in visit]
    view = reads_of_rows({(case.subject, ANEW): _measurements(rows)}, found.reads.protocol, [], asked.subjects)
    return {
        criterion: _choice(found.reads, case, criterion, view.of(case.subject, criterion)[ANEW], asked, found.variables)
        for criterion in found.discordant(case)
    }


def _choice(
    reads: Reads, case: Case, criterion: str, view: Track, asked: Asked, variables: tuple[str, ...]
) -> tuple[str, str]:
    there = {part: reads.of(case.subject, criterion)[part] for part in case.central}
    tolerance = asked.date_tolerance
    return choose(
        {part: [disagrees(reads, one, view, [name], tolerance) for name in variables] for part, one in there.items()},
        {part: sum(mine == hers for _, mine, hers in visit_values(one, view)) for part, one in there.items()},
    )


def _measurements(rows: Iterable[Mapping[str, Any]]) -> list[Measurement]:
    return [measurement_of({name: str(cell) for name, cell in row.items() if cell != ""}) for row in rows]
