"""The tables of the page: coefficients, sizes, and the two tracks of the review."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mrecist.agreement.concordance import ARM
from mrecist.agreement.report.numbers import (
    NONE,
    Row,
    between,
    number,
    p_value,
    percent,
    place,
    points,
    visit_of,
    words,
)
from mrecist.agreement.report.shapes import Bar, Bars, Grid, grid
from mrecist.endpoints.report.table import Cell, Line, Rows, Table, line, those, values

_COEFFICIENTS = (
    ("fleiss_kappa", "identity", "Fleiss' kappa"),
    ("gwet_ac1", "identity", "AC1"),
    ("gwet_ac2", "ordinal", "AC2, ordinal"),
)
_TIMING = {
    "agree": "both saw progression, on one day",
    "investigator_later": "both, the investigator later",
    "investigator_earlier": "both, the investigator earlier",
    "investigator_only": "the investigator only",
    "central_only": "the central review only",
    "neither": "neither",
}
_DISCREPANCY = {
    "early_discrepancy_rate": "early discrepancy rate (EDR)",
    "late_discrepancy_rate": "late discrepancy rate (LDR)",
    "overall_discrepancy": "overall discrepancy",
    "event_discrepancy": "discrepancy of the event alone",
}


def coefficients(agreement: Rows, criterion: str, readers: str) -> Table | None:
    """How all readers agree: chance-corrected coefficients of everybody, by variable and visit."""
    names = [name for name, _, _ in _COEFFICIENTS]
    found = [
        row
        for row in those(agreement, criterion=criterion, readers=readers)
        if row["statistic"] in names
        and (not row["group"] or (visit_of(row["group"]) is not None and ":" not in row["variable"]))
    ]
    lines: list[Line] = []
    for (whole,) in dict.fromkeys((row["variable"].partition(":")[0],) for row in found):
        lines.append(Line(group=words(whole)))
        own = [row for row in found if row["variable"].partition(":")[0] == whole]
        for variable, group, scale in values(own, "variable", "group", "form"):
            mine = those(own, variable=variable, group=group, form=scale)
            cells = [_coefficient(mine, statistic, weights) for statistic, weights, _ in _COEFFICIENTS]
            # One that nothing gives (Fleiss' kappa where no unit has every reader) says nothing of how many there are.
            units = sorted({int(row["n"]) for row in mine if row["value"]} or {0})
            n = " to ".join(dict.fromkeys(map(str, (units[0], units[-1]))))
            question = words(variable).partition(": ")[2]
            name = place(group) if group else question or "category"
            lines.append(line(Cell(name, scale.replace("|", " | ")), n, *cells))
    return (
        Table(
            caption=f"Agreement of {readers.replace('|', ', ')}",
            head=("", "n", *(title for _, _, title in _COEFFICIENTS)),
            lines=tuple(lines),
            source="agreement.csv",
            notes=("Weights: identity for kappa and AC1; the file has the others, every two readers and subgroups.",),
        )
        if lines
        else None
    )


def disagreement(agreement: Rows, titles: Mapping[str, str]) -> Table | None:
    """The reader disagreement index of each reader, by criterion; None where no adjudicator is known."""
    found = those(agreement, statistic="reader_disagreement_index")
    lines = [
        line(
            row["readers"],
            titles[row["criterion"]],
            row["n"],
            f"{float(row['value']) / 100 * int(row['n']):.0f}",
            Cell(f"{number(row, 1)} %", between(row, digits=1)),
        )
        for row in found
    ]
    note = "Of the cases that a reader read, those in which the adjudicator accepted a read that differs from the reader's."
    return (
        Table(
            caption="Reader disagreement index",
            head=("", "criterion", "cases read", "adjudicator disagreed", "index"),
            lines=tuple(lines),
            source="agreement.csv",
            notes=(note,),
        )
        if lines
        else None
    )


def _coefficient(rows: Sequence[Row], statistic: str, weights: str) -> Cell:
    row = next(iter(those(rows, statistic=statistic, weights=weights)), None)
    return Cell(number(row), between(row))


def sizes(agreement: Rows, criterion: str, readers: str) -> Table | None:
    """Sums of every two readers: bias and limits of agreement; and the spread of all of them."""
    found = [row for row in those(agreement, criterion=criterion, variable="sum") if visit_of(row["group"]) is not None]
    lines: list[Line] = []
    for (group,) in values(found, "group"):
        mine = those(found, group=group)
        lines.append(Line(group=place(group)))
        for (pair,) in values(those(mine, statistic="bland_altman_bias"), "readers"):
            lines.append(line(Cell(pair.replace("|", " less ")), *_limits(those(mine, readers=pair))))
        every = those(mine, readers=readers)
        if any(row["value"] for row in every):
            lines.append(_spread(every, readers))
    if not any(one.cells for one in lines):
        return None
    return Table(
        caption="Sums of the targets",
        head=("", "n", "bias", "limits of agreement", "bias, % of the mean", "limits, %"),
        lines=tuple(lines),
        source="agreement.csv",
        notes=("Bias \N{PLUS-MINUS SIGN} 1.96 SD (Bland and Altman 1986). The line of all readers: ICC(2,1) and CV.",),
    )


def _limits(rows: Sequence[Row]) -> Iterator[Cell]:
    forms = [form for (form,) in values(those(rows, statistic="bland_altman_bias"), "form")]
    absolute = next((form for form in forms if "%" not in form), "")
    relative = next((form for form in forms if "%" in form), "")
    bias = _of(rows, "bland_altman_bias", absolute)
    yield Cell(bias["n"] if bias else NONE)
    for form, unit in ((absolute, f" {absolute}"), (relative, " %")):
        one, low, high = (_of(rows, f"bland_altman_{name}", form) for name in ("bias", "lower_limit", "upper_limit"))
        yield Cell(f"{number(one, 1)}{unit}", between(one, digits=1))
        yield Cell(f"{number(low, 1)} to {number(high, 1)}{unit}")


def _spread(rows: Sequence[Row], readers: str) -> Line:
    icc = next((row for row in rows if row["statistic"] == "icc" and _plain_icc(row["form"])), None)
    cv = _of(rows, "within_subject_cv", "mean")
    cells = (
        Cell(icc["n"] if icc else NONE),
        Cell(f"ICC(2,1) {number(icc)}", between(icc)),
        Cell(f"CV {percent(cv)}", between(cv, share=True)),
    )
    return line(Cell(f"all: {readers.replace('|', ', ')}"), *cells, Cell(), Cell())


def _plain_icc(form: str) -> bool:
    return form.startswith("ICC(2,1),") and "log" not in form


def _of(rows: Sequence[Row], statistic: str, form: str) -> Row | None:
    return next(iter(those(rows, statistic=statistic, form=form)), None)


# --- investigator against central review -----------------------------------------------------------------------------


def track_grids(concordance: Rows, criterion: str) -> list[Grid]:
    """Cross tables of everybody: rows central, columns investigator."""
    found = those(concordance, criterion=criterion, group="", statistic="cross_table")
    grids = []
    for (variable,) in values(found, "variable"):
        cells = {(row["central"], row["investigator"]): int(row["count"]) for row in those(found, variable=variable)}
        grids.append(grid(words(variable), ("central", "investigator"), cells))
    return grids


def track_rates(concordance: Rows, criterion: str) -> Table | None:
    """ORR and DCR of the two tracks, everybody and subgroups."""
    found = those(concordance, criterion=criterion)
    lines = []
    for variable, group in values(those(found, statistic="rate"), "variable", "group"):
        mine = those(found, variable=variable, group=group)
        rates = {row["track"]: row for row in those(mine, statistic="rate")}
        (apart,) = those(mine, statistic="rate_difference")
        cells = [Cell(percent(rates[t]), between(rates[t], share=True)) for t in ("central", "investigator")]
        lines.append(line(Cell(words(variable), group), apart["n"], *cells, points(apart), p_value(apart)))
    return (
        Table(
            caption="Rates by the two tracks",
            head=("", "n", "central", "investigator", "investigator less central, points", "p"),
            lines=tuple(lines),
            source="concordance.csv",
            notes=("Intervals of Clopper and Pearson; p of McNemar's test, exact.",),
        )
        if lines
        else None
    )


def timing_bars(concordance: Rows, criterion: str) -> Bars | None:
    """When each track saw progression."""
    found = those(concordance, criterion=criterion, variable="progression_date")
    groups = [group for (group,) in values([row for row in found if row["statistic"] in _TIMING], "group")]
    lines = []
    for name, meaning in _TIMING.items():
        rows = [next(iter(those(found, statistic=name, group=group)), None) for group in groups]
        bars = tuple(None if row is None else _timing_bar(row) for row in rows)
        letter = next((row["method"].partition(" ")[0] for row in rows if row), "")
        lines.append((letter, meaning, bars))
    return (
        Bars(
            caption="When each track saw progression",
            head=tuple(group or "all" for group in groups),
            lines=tuple(lines),
            source="concordance.csv",
            notes=tuple(_days_told(those(found, group=""))),
        )
        if groups
        else None
    )


def _timing_bar(row: Row) -> Bar:
    return Bar(100 * float(row["value"] or 0), row["count"], percent(row))


def _days_told(rows: Sequence[Row]) -> Iterator[str]:
    for name in ("earlier", "later"):
        row = next(iter(those(rows, statistic=f"days_{name}_median")), None)
        if row is not None and row["value"]:
            yield f"The investigator was {name} by {number(row, 0)} days in the median ({row['n']} subjects)."


def discrepancy(concordance: Rows, criterion: str) -> Table | None:
    """EDR, LDR and discordance by group, and what two arms differ by."""
    found = those(concordance, criterion=criterion)
    groups = [group for (group,) in values([row for row in found if row["statistic"] in _DISCREPANCY], "group")]
    apart = [
        group for (group,) in values([row for row in found if row["statistic"].endswith("_rate_difference")], "group")
    ]
    lines = []
    for name, title in _DISCREPANCY.items():
        rows = [next(iter(those(found, statistic=name, group=group)), None) for group in groups]
        differences = [next(iter(those(found, statistic=f"{name}_difference", group=group)), None) for group in apart]
        formula = next((row["method"].partition(",")[0] for row in rows if row), "")
        cells = [Cell(percent(row), _of_n(row)) for row in rows]
        cells += [Cell(f"{points(row)} points", _of_n(row)) if row else Cell() for row in differences]
        lines.append(line(Cell(title, formula), *cells))
    if not groups:
        return None
    return Table(
        caption="Discrepancy of progression between the tracks",
        head=("", *(group or "all" for group in groups), *apart),
        lines=tuple(lines),
        source="concordance.csv",
        notes=(
            "Amit 2011. Of two arms a negative difference of EDR or a positive one of LDR says that the investigator "
            "favours the first named arm.",
        )
        if any(group.startswith(f"{ARM}=") for group in apart)
        else ("Amit 2011.",),
    )


def _of_n(row: Row | None) -> str:
    if row is None:
        return ""
    interval = between(row, share=True)
    return f"{row['count'] + ' of ' if row['count'] else 'n = '}{row['n']}" + (f"; {interval}" if interval else "")
