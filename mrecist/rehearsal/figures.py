"""What came out of a simulated core lab: who was adjudicated and why, whose reads count, how often each is right by the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mrecist.protocol import Protocol
from mrecist.rehearsal.work import Done
from mrecist.samples.readers.panel import INVESTIGATOR, READERS
from mrecist.tables import csv_text, read_rows
from mrecist.tables.accepted import AcceptedAs, AcceptedRead, ReviewTrack

Best = Mapping[tuple[str, str, str], tuple[str, str]]
"""(subject, reader, criterion) -> best response and progression date."""
READ_BY_ONE = "R1"
"""The reader of the truth's rows, which name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A count of cases; ``group`` says which of them, ``of`` how many there are."""

    figure: str
    criterion: str
    group: str
    count: int
    of: int


def best_of(results: Path, protocol: Protocol) -> Best:
    """The best responses of a folder of results, confirmed where the protocol requires it."""
    best = "best_confirmed" if protocol.response.confirm_required else "best_unconfirmed"
    needed = ("subject", "reader", "criterion", best, "progression_date")
    return {
        (row["subject"], row["reader"], row["criterion"]): (row[best], row["progression_date"])
        for _, row in read_rows(results / "best_responses.csv", needed)[1]
    }


def figures(done: Done, read: Best, truth: Best) -> tuple[Figure, ...]:
    """Every figure, by criterion."""
    criteria = dict.fromkeys(one.criterion for one in done.accepted)
    return tuple(one for criterion in criteria for one in _of(done, criterion, read, truth))


def figures_csv(found: Iterable[Figure]) -> str:
    """``core_lab.csv``: one row a count, with its percent."""
    rows = ({**asdict(one), "percent": f"{100 * one.count / one.of:.1f}" if one.of else ""} for one in found)
    return csv_text(("figure", "criterion", "group", "count", "of", "percent"), rows)


def _of(done: Done, criterion: str, read: Best, truth: Best) -> Iterator[Figure]:
    sent = [one for one in done.adjudicated.cases if one.criterion == criterion]
    central = [one for one in done.accepted if (one.criterion, one.track) == (criterion, ReviewTrack.CENTRAL)]

    def figure(name: str, group: str, count: int, of: int) -> Figure:
        return Figure(figure=name, criterion=criterion, group=group, count=count, of=of)

    yield figure("adjudicated", "", len(sent), len(central))
    for variable in dict.fromkeys(name for one in sent for name in one.differs):
        yield figure("adjudicated, differs in", variable, sum(variable in one.differs for one in sent), len(central))
    for cause in sorted({name for one in sent for name in one.causes}):
        yield figure("adjudicated, cause", cause, sum(cause in one.causes for one in sent), len(sent))
    for kind in AcceptedAs:
        yield figure("accepted as", kind, sum(one.accepted_as is kind for one in central), len(central))
    for reader in READERS:
        mine = [one for one in central if reader in _readers(done, one.subject)]
        against = {one.subject for one in sent} & {one.subject for one in mine if one.reader != reader}
        yield figure("reader disagreement", reader, len(against), len(mine))
    yield from _right(done, central, figure, read, truth)


def _right(
    done: Done,
    central: list[AcceptedRead],
    figure: Callable[[str, str, int, int], Figure],
    read: Best,
    truth: Best,
) -> Iterator[Figure]:
    """How often a read is right: whose read it is, by case."""
    whose: dict[str, Callable[[AcceptedRead], str]] = {
        "reader 1": lambda one: done.parts[one.subject, "reader 1"],
        "reader 2": lambda one: done.parts[one.subject, "reader 2"],
        "accepted": lambda one: one.reader,
        "investigator": lambda _: INVESTIGATOR,
    }
    for group, reader in whose.items():
        pairs = [
            (read[one.subject, reader(one), one.criterion], truth[one.subject, READ_BY_ONE, one.criterion])
            for one in central
        ]
        yield figure("right in best response", group, sum(a[0] == b[0] for a, b in pairs), len(pairs))
        yield figure("right in progression date", group, sum(a[1] == b[1] for a, b in pairs), len(pairs))
        yield figure("right in both", group, sum(a == b for a, b in pairs), len(pairs))


def _readers(done: Done, subject: str) -> tuple[str, ...]:
    return tuple(
        reader for (name, part), reader in done.parts.items() if name == subject and part.startswith("reader ")
    )
