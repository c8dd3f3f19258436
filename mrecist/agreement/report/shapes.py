"""What the page draws beside tables: shaded cross tables, and tables of bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mrecist.agreement.causes import CAUSES
from mrecist.agreement.crosstabs import cell_order
from mrecist.agreement.report.numbers import Row, between, percent, place, visit_of, words
from mrecist.agreement.variables import BEST_RESPONSE, VARIABLES, VISIT_RESPONSE
from mrecist.endpoints.report.table import Rows, those, values


@dataclass(frozen=True, slots=True)
class Shaded:
    """A cell: how many, and its tint from 0 to 100; ``same``: the two say the same."""

    n: int
    tint: int
    same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A cross table of two readers: rows are the first one's values."""

    title: str
    down: str
    across: str
    names: tuple[str, ...]
    lines: tuple[tuple[Shaded, ...], ...]
    n: int
    agreed: int

    @property
    def words(self) -> str:
        """How many agree."""
        return f"{self.agreed} of {self.n} agree ({100 * self.agreed / self.n:.0f} %)" if self.n else "nobody"


@dataclass(frozen=True, slots=True)
class Bar:
    """A number with a bar of ``width`` (0 to 100, % of the column's largest), ``text`` beside it and ``more`` below."""

    width: float
    text: str
    more: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A table of bars: ``lines`` are (name, what it means, a bar for each column or None)."""

    caption: str
    head: tuple[str, ...]
    lines: tuple[tuple[str, str, tuple[Bar | None, ...]], ...]
    source: str
    notes: tuple[str, ...] = ()


def grid(title: str, readers: tuple[str, str], cells: dict[tuple[str, str], int]) -> Grid:
    """A shaded cross table: the tint is the share of the row's reader's value."""
    there = {value for both in cells for value in both}
    names = tuple(sorted(there, key=lambda value: cell_order((value, value))))
    lines = []
    for down in names:
        total = sum(cells.get((down, across), 0) for across in names)
        counts = [cells.get((down, across), 0) for across in names]
        lines.append(
            tuple(
                Shaded(n, round(100 * n / total) if total else 0, down == across)
                for across, n in zip(names, counts, strict=True)
            )
        )
    agreed = sum(n for both, n in cells.items() if both[0] == both[1])
    return Grid(
        title=title,
        down=readers[0],
        across=readers[1],
        names=names,
        lines=tuple(lines),
        n=sum(cells.values()),
        agreed=agreed,
    )


def cross_grids(crosstabs: Rows, criterion: str) -> tuple[list[Grid], list[Grid]]:
    """The grids of best response, progression and all visits together; and those of single visits where there are several."""
    whole, single = [], []
    found = those(crosstabs, criterion=criterion)
    for variable, one, other in values(found, "variable", "reader_1", "reader_2"):
        mine = those(found, variable=variable, reader_1=one, reader_2=other)
        visits = [group for (group,) in values(mine, "group")]
        title = words(variable)
        if len(visits) > 1:
            single += [
                grid(f"{title}, {place(group)}", (one, other), _cells(those(mine, group=group))) for group in visits
            ]
            title = f"{title}, all visits"
        whole.append(grid(title, (one, other), _cells(mine)))
    return whole, single


def _cells(rows: Iterable[Row]) -> dict[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    for row in rows:
        found[row["value_1"], row["value_2"]] += int(row["n"])
    return found


def differences(agreement: Rows, criterion: str) -> Bars | None:
    """How often readers differ, by variable and visit: everybody, then each subgroup; a column for every set of readers."""
    found = [row for row in those(agreement, criterion=criterion, statistic="discordance") if _everybody(row["group"])]
    sets = sorted({row["readers"] for row in found}, key=lambda readers: (-readers.count("|"), readers))
    lines = []
    for variable, group in values(found, "variable", "group"):
        bars = [_share_bar(those(found, variable=variable, group=group, readers=readers)) for readers in sets]
        name = words(variable) if not group else place(group)
        lines.append((name, "" if group else _units(found, variable), tuple(bars)))
    head = tuple(readers.replace("|", ", ") for readers in sets)
    caption = "Share in which readers differ"
    return Bars(caption=caption, head=head, lines=tuple(lines), source="agreement.csv") if lines else None


def _units(found: Sequence[Row], variable: str) -> str:
    form = next((row["form"] for row in found if row["variable"] == variable and row["form"]), "")
    return form if form and form != "tolerance 0 days" else ""


def _everybody(group: str) -> bool:
    return not group or visit_of(group) is not None


def _share_bar(rows: Sequence[Row]) -> Bar | None:
    row = next(iter(rows), None)
    if row is None or not row["value"]:
        return None
    interval = between(row, share=True)
    return Bar(100 * float(row["value"]), percent(row), f"{interval + ', ' if interval else ''}n = {row['n']}")


def causes(discordances: Rows, criterion: str) -> Bars | None:
    """How often each cause is the one, by variable; the most frequent first."""
    found = those(discordances, criterion=criterion)
    if not found:
        return None
    columns = [variable for variable in VARIABLES if any(row["variable"] == variable for row in found)]
    first = BEST_RESPONSE if BEST_RESPONSE in columns else VISIT_RESPONSE
    counts = Counter((row["cause"], row["variable"]) for row in found)
    totals = {column: sum(n for (_, variable), n in counts.items() if variable == column) for column in columns}
    places = {cause: number for number, cause in enumerate(CAUSES)}
    names = sorted(
        {row["cause"] for row in found},
        key=lambda cause: (-counts[cause, first], -sum(counts[cause, c] for c in columns), places[cause]),
    )
    lines = tuple(
        (
            cause.replace("_", " "),
            CAUSES[cause],
            tuple(
                Bar(
                    100 * counts[cause, c] / totals[c],
                    f"{counts[cause, c]}",
                    f"{100 * counts[cause, c] / totals[c]:.0f} %",
                )
                if counts[cause, c]
                else None
                for c in columns
            ),
        )
        for cause in names
    )
    return Bars(
        caption="The cause that comes first, of differences in each variable",
        head=tuple(f"{words(c)} ({totals[c]})" for c in columns),
        lines=lines,
        source="discordances.csv",
        notes=("One subject may stand in several columns. Causes of targets come from rules: they say where to look.",),
    )


SWAPPED = {
    "baseline": "the other's baseline sum",
    "follow_up": "the other's follow-up",
    "common_targets": "the targets that both chose",
    "other_findings": "the other's non-targets and new lesions",
}


def swaps(rows: Rows, criterion: str) -> Bars | None:
    """How often a swap changes what a reader found, by two readers and variable."""
    found = those(rows, criterion=criterion)
    columns = [variable for variable in VARIABLES if any(row["variable"] == variable for row in found)]
    lines = []
    for pair in sorted({tuple(sorted((row["reader"], row["other"]))) for row in found}):
        mine = [row for row in found if {row["reader"], row["other"]} == set(pair)]
        for swap, meaning in SWAPPED.items():
            bars = tuple(_changes(those(mine, swap=swap, variable=variable)) for variable in columns)
            if any(bars):
                lines.append((" and ".join(pair), f"with {meaning}", bars))
    return (
        Bars(
            caption="Share of what readers found that changes with something of the other",
            head=tuple(words(column) for column in columns),
            lines=tuple(lines),
            source="swaps.csv",
            notes=("Both directions of two readers are counted.",),
        )
        if lines
        else None
    )


def _changes(rows: Sequence[Row]) -> Bar | None:
    known = [row["changes"] == "yes" for row in rows if row["changes"]]
    if not known:
        return None
    share = 100 * sum(known) / len(known)
    return Bar(share, f"{share:.1f} %", f"{sum(known)} of {len(known)}")


def not_swapped(rows: Rows) -> Iterator[tuple[str, int]]:
    """Why swaps were not possible, and how many rows say so; the most frequent first."""
    counts = Counter(row["detail"] for row in rows if not row["changes"] and row["detail"])
    yield from counts.most_common()
