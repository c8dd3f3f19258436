"""Cross tables of two readers: how often one gave each category where the other gave each; the table behind every kappa."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from mrecist.agreement.about import About
from mrecist.agreement.reads import Reads
from mrecist.agreement.variables import BEST_RESPONSE, PROGRESSED, VISIT_RESPONSE, derivable, value_of, visit_values
from mrecist.model import Response

# Categories in the order of the model, which is best first; then yes and no.
_ORDER = {name: place for place, name in enumerate([*map(str, Response), "yes", "no"])}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A row of ``crosstabs.csv``: ``n`` units to which the two readers gave these two values."""

    about: About
    values: tuple[str, str]
    n: int


def cell_order(values: tuple[str, str]) -> list[int]:
    """Sorts cells by their two values, best first, yes before no."""
    return [_ORDER[value] for value in values]


def cross_tables(reads: Reads) -> Iterator[Cell]:
    """The cells that are not empty, by criterion, variable, visit and two readers."""
    for criterion in reads.criteria:
        for variable in derivable((BEST_RESPONSE, PROGRESSED, VISIT_RESPONSE), dated=reads.dated):
            for pair in reads.pairs():
                for group, counts in sorted(_counts(reads, criterion, variable, pair).items()):
                    named = "" if group is None else f"visit={group}"
                    about = About(criterion=criterion, variable=variable, group=named, readers=pair)
                    for values in sorted(counts, key=cell_order):
                        yield Cell(about=about, values=values, n=counts[values])


def _counts(
    reads: Reads, criterion: str, variable: str, pair: tuple[str, str]
) -> dict[int | None, Counter[tuple[str, str]]]:
    found: dict[int | None, Counter[tuple[str, str]]] = {}
    for subject in reads.subjects:
        tracks = reads.of(subject, criterion)
        if not all(reader in tracks for reader in pair):
            continue
        one, other = (tracks[reader] for reader in pair)
        if variable == VISIT_RESPONSE:
            for timepoint, a, b in visit_values(one, other):
                found.setdefault(timepoint, Counter())[str(a), str(b)] += 1
        else:
            a, b = (value_of(variable, track, reads.protocol.response) for track in (one, other))
            found.setdefault(None, Counter())[str(a), str(b)] += 1
    return found
