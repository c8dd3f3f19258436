"""agreement.html: what the tables say, one file without a script; the same tables and figures give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from mrecist import __version__
from mrecist.agreement.reads import Reads
from mrecist.agreement.report import shapes, tables
from mrecist.agreement.report.cases import MOST, cases
from mrecist.agreement.report.numbers import between, number, percent, words
from mrecist.agreement.variables import BEST_RESPONSE, VISIT_RESPONSE
from mrecist.endpoints.report.pictures import Drawn
from mrecist.endpoints.report.table import Cell, Rows, Table, line, those, values
from mrecist.endpoints.report.writing import page_text, part, plain, rows_of
from mrecist.report.look import LOOKS, look_of

FILE = "agreement.html"
# More figures than this are left to the folder of figures.
MOST_FIGURES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Everything of one criterion."""

    anchor: str
    title: str
    findings: tuple[str, ...]
    differences: shapes.Bars | None
    coefficients: Table | None
    grids: Sequence[shapes.Grid]
    single_grids: Sequence[shapes.Grid]
    causes: shapes.Bars | None
    sizes: Table | None
    figures: tuple[Drawn, ...]
    swaps: shapes.Bars | None
    track_grids: Sequence[shapes.Grid]
    track_tables: tuple[Table, ...]
    timing: shapes.Bars | None


def agreement_html(
    reads: Reads,
    contents: Mapping[str, str],
    drawn: Sequence[Drawn],
    adjudicated_on: Sequence[str],
    notes: Sequence[str] = (),
) -> str:
    """The page.

    Parameters
    ----------
    contents : the CSV files as text, by name: the page shows no number that is not in them or counted from their rows.
    drawn : the figures; those after the first :data:`MOST_FIGURES` are not in the page.
    adjudicated_on : the variables that decide who is adjudicated.

    Every text of the study (ids, readers, reasons, messages) is escaped; control characters are left out.
    """
    found = {name.removesuffix(".csv"): rows_of(text) for name, text in contents.items()}
    readers = "|".join(reads.readers)
    read_by = {(s, r, c): plain(track.read_by) for (s, r, c), track in reads.tracks.items() if track.read_by}
    titles = {name: plain(setting.title) for name, setting in reads.settings.items()}
    listed = list(cases(found["adjudication"], found["discordances"], read_by))
    return page_text(
        _part("template.html"),
        part("page.css") + _part("agreement.css"),
        drawn,
        title=plain(reads.protocol.title or reads.protocol.design.id),
        short=_short(reads, found, readers),
        readers=[plain(reader) for reader in reads.readers],
        subjects=len(reads.subjects),
        sha256=reads.protocol.sha256,
        version=__version__,
        sections=[
            _section(place, reads, name, found, readers, drawn[:MOST_FIGURES])
            for place, name in enumerate(reads.criteria)
        ],
        tracks="concordance" in found,
        titles=titles,
        disagreement=tables.disagreement(found["agreement"], titles),
        adjudicated_on=[words(name) for name in adjudicated_on],
        cases=listed[:MOST],
        more_cases=max(0, len(listed) - MOST),
        more_figures=max(0, len(drawn) - MOST_FIGURES),
        problems=_problems(found["problems"]),
        not_swapped=_not_swapped(found["swaps"]),
        notes=[plain(note) for note in notes],
        looks=LOOKS,
        look=look_of,
        files=sorted(contents),
    )


def _part(name: str) -> str:
    return files("mrecist.agreement.report").joinpath(name).read_text(encoding="utf-8")


def _section(
    place: int, reads: Reads, name: str, found: Mapping[str, Rows], readers: str, drawn: Sequence[Drawn]
) -> Section:
    agreement, tracks = found["agreement"], found.get("concordance", ())
    whole, single = shapes.cross_grids(found["crosstabs"], name)
    of_tracks = (tables.track_rates(tracks, name), tables.discrepancy(tracks, name))
    return Section(
        anchor=f"criterion-{place + 1}",
        title=plain(reads.settings[name].title),
        findings=tuple(_findings(agreement, found["discordances"], name, readers)),
        differences=shapes.differences(agreement, name),
        coefficients=tables.coefficients(agreement, name, plain(readers)),
        grids=whole,
        single_grids=single,
        causes=shapes.causes(found["discordances"], name),
        sizes=tables.sizes(agreement, name, plain(readers)),
        figures=tuple(one for one in drawn if one.plan.criterion == name),
        swaps=shapes.swaps(found["swaps"], name),
        track_grids=tables.track_grids(tracks, name),
        track_tables=tuple(table for table in of_tracks if table is not None),
        timing=tables.timing_bars(tracks, name),
    )


def _short(reads: Reads, found: Mapping[str, Rows], readers: str) -> Table:
    """Every criterion in a line: how often readers differ in each variable, two coefficients, and the cases to adjudicate."""
    agreement = those(found["agreement"], readers=readers, group="")
    differs = those(agreement, statistic="discordance")
    variables = [variable for (variable,) in values(differs, "variable")]
    first = BEST_RESPONSE if BEST_RESPONSE in variables else VISIT_RESPONSE
    lines, kappas = [], []
    for name in reads.criteria:
        cells = [_first(those(differs, criterion=name, variable=variable)) for variable in variables]
        of_first = those(agreement, criterion=name, variable=first)
        kappa = _first(those(of_first, statistic="fleiss_kappa", weights="identity"))
        kappas.append(kappa is not None and kappa["value"])
        ac2 = _first(those(of_first, statistic="gwet_ac2", weights="ordinal"))
        rate = _first(those(found["agreement"], criterion=name, statistic="adjudication_rate"))
        listed = len(values(those(found["adjudication"], criterion=name), "subject"))
        lines.append(
            line(
                plain(reads.settings[name].title),
                *(Cell(percent(row), between(row, share=True)) for row in cells),
                *(Cell(number(row), between(row)) for row in (kappa, ac2)),
                Cell(str(listed), percent(rate)),
            )
        )
    head = ("", *map(words, variables), f"Fleiss' kappa, {words(first)}", f"AC2, {words(first)}", "to adjudicate")
    notes = (
        "Shares in which any two of the readers of a case differ, with 95 % intervals.",
        *(["Fleiss' kappa needs cases that every reader read."] if not any(kappas) else []),
    )
    return Table(caption="All readers", head=head, lines=tuple(lines), source="agreement.csv", notes=notes)


def _first(rows: Sequence[Mapping[str, str]]) -> Mapping[str, str] | None:
    return rows[0] if rows else None


def _findings(agreement: Rows, discordances: Rows, name: str, readers: str) -> Iterator[str]:
    """The result in sentences: how often readers differ, the coefficients, and the first causes."""
    mine = those(agreement, criterion=name, readers=readers, group="")
    there = [v for (v,) in values(those(mine, statistic="discordance"), "variable")]
    variable = BEST_RESPONSE if BEST_RESPONSE in there else VISIT_RESPONSE
    for row in those(mine, statistic="discordance", variable=variable):
        if row["value"]:
            interval = between(row, share=True)
            told = f" ({interval})" if interval else ""
            units = "subjects" if variable == BEST_RESPONSE else "visits"
            yield f"Readers differ in {words(variable)} in {percent(row)}{told} of {row['n']} {units}."
    shown: list[str] = []
    for statistic, weights, title in (("fleiss_kappa", "identity", "Fleiss' kappa"), ("gwet_ac2", "ordinal", "AC2")):
        for row in those(mine, statistic=statistic, weights=weights, variable=variable)[:1]:
            if row["value"]:
                shown.append(f"{title} {number(row)}" + (f" ({between(row)})" if between(row) else ""))
    if shown:
        yield f"{'; '.join(shown)}."
    bars = shapes.causes(discordances, name)
    if bars is not None:
        first = ", ".join(f"{cause} ({bars.lines[i][1]})" for i, (cause, _, _) in enumerate(bars.lines[:2]))
        yield f"Most frequent causes: {first}."


def _problems(rows: Rows) -> Table | None:
    lines = tuple(line(row["subject"], row["reader"], row["message"]) for row in rows)
    head = ("subject", "reader", "why")
    return (
        Table(caption="Reads that were not compared", head=head, lines=lines, source="problems.csv") if lines else None
    )


def _not_swapped(rows: Rows) -> Table | None:
    lines = tuple(line(why, str(count)) for why, count in shapes.not_swapped(rows))[:MOST]
    return (
        Table(caption="Swaps that were not possible", head=("why", "rows"), lines=lines, source="swaps.csv")
        if lines
        else None
    )
