"""Rows of estimates.csv as tables and sentences of the page. An estimate of a name that is not known here is shown all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from mrecist.endpoints.printing import NO_LIMIT, p_value, percent, rounded
from mrecist.endpoints.report.table import Cell, Line, Rows, Table, arm_name, line, values

Row = Mapping[str, str]

_NAMES = {
    "rate": "rate",
    "rate_difference": "difference of rates",
    "odds_ratio": "odds ratio",
    "median": "median",
    "median_follow_up": "median follow-up",
    "survival": "event-free",
    "cumulative_incidence": "cumulative incidence",
    "logrank": "log-rank test",
    "logrank_stratified": "log-rank test, stratified",
    "hazard_ratio": "hazard ratio",
    "hazard_ratio_stratified": "hazard ratio, stratified",
    "hazard_ratio_adjusted": "hazard ratio, adjusted",
    "first_quartile": "first quartile",
    "median_change": "median change",
    "third_quartile": "third quartile",
}
_SHARES = ("rate", "survival", "cumulative_incidence")
_OF_A_GROUP = (*_SHARES, "median", "median_follow_up", "first_quartile", "median_change", "third_quartile")
_METHODS = {"clopper-pearson": "Clopper-Pearson", "wilson": "Wilson", "newcombe-wilson": "Newcombe (Wilson)"}


def name_of(row: Row) -> str:
    """What an estimate is called; one that is not known by its name in the table, in words."""
    return _NAMES.get(row["estimate"], row["estimate"].replace("_", " "))


def _level(row: Row) -> str:
    return f"{percent(row['level'], 0)} % CI" if row["level"] else ""


def _shown(row: Row) -> tuple[Callable[[str], str], str]:
    """How the numbers of an estimate are printed, and their unit."""
    if row["estimate"] in _SHARES:
        return percent, "%"
    if row["estimate"] == "rate_difference":
        return percent, "percentage points"
    if row["unit"] in ("months", "%"):
        return (lambda text: rounded(text, 1)), row["unit"]
    if "ratio" in row["estimate"] or row["unit"] == "chi-squared":
        return (lambda text: rounded(text, 2)), row["unit"]
    return (lambda text: text.replace("-", "−", 1) if text.startswith("-") else text), row["unit"]


def interval(row: Row) -> str:
    """``8.1 to 13.2``; empty where an estimate has no interval."""
    if not row["low"] and not row["high"]:
        return ""
    shown = _shown(row)[0]
    low, high = (shown(row[side]) if row[side] else NO_LIMIT for side in ("low", "high"))
    return f"{low} to {high}"


def value(row: Row, *, unit: bool = False) -> str:
    """``10.8 (8.1 to 13.2)``, with ``unit`` ``10.8 months (95 % CI 8.1 to 13.2)``; without a value why there is none."""
    shown, named = _shown(row)
    limits = interval(row)
    told = shown(row["value"]) if row["value"] else row["note"] or "no estimate"
    if unit and row["value"] and named:
        told += f" {named}"
    return f"{told} ({_level(row) + ' ' if unit else ''}{limits})" if limits else told


def sentences(rows: Rows) -> Iterator[str]:
    """What an endpoint found in all subjects of each arm, and between them, as a paper prints it."""
    whole = [row for row in rows if not row["group"]]
    arms = [arm for (arm,) in values([row for row in whole if row["estimate"] in _OF_A_GROUP], "arm")]
    shown = [arm for arm in arms if arm] or arms
    main = next((row["method"] for row in whole if row["estimate"] == "rate"), "")
    told = [row for row in whole if row["estimate"] in ("median", "rate", "median_change") and row["arm"] in shown]
    told = [row for row in told if row["estimate"] != "rate" or row["method"] == main]
    for arm, estimate in values(told, "arm", "estimate"):
        yield _sentence([row for row in told if (row["arm"], row["estimate"]) == (arm, estimate)])
    for row in whole:
        between = row["estimate"] not in (*_OF_A_GROUP, "rate_difference") and not row["covariate"]
        if between and not row["months"] and (row["value"] or row["note"]):
            yield _comparison(row)


def _sentence(rows: list[Row]) -> str:
    """An estimate of an arm, at each month where it has months."""
    found = []
    for row in rows:
        counted = f"{row['events']} of {row['n']} subjects" if row["events"] else f"{row['n']} subjects"
        if row["estimate"] == "median":
            counted = f"{row['events']} events of {row['n']} subjects"
        month = f"month {row['months']}: " if row["months"] else ""
        found.append(f"{month}{value(row, unit=True)}, {counted}")
    head = f"{rows[0]['arm']}: " if rows[0]["arm"] else ""
    return f"{head}{name_of(rows[0])}{' at ' if rows[0]['months'] else ' '}{'; '.join(found)}"


def _comparison(row: Row) -> str:
    between = f"{row['arm']} against {row['against']}: " if row["against"] else ""
    p = f", p {_p(row['p'])}" if row["p"] else ""
    test = row["unit"] == "chi-squared" and row["p"]
    return f"{between}{name_of(row)}{'' if test else ' ' + value(row, unit=True)}{p}"


def _p(text: str) -> str:
    shown = p_value(text)
    return shown if shown[0] in "<>" else f"= {shown}"


# --- one row for each arm, subgroup and month ------------------------------------------------------------------------


def summary(rows: Rows, caption: str) -> Table | None:
    """Arms, subgroups and months as rows; n, events and what was estimated of each as columns."""
    known = [row for row in rows if row["estimate"] in _OF_A_GROUP]
    if not known:
        return None
    by_month = not any(row["estimate"] in ("survival", "median") for row in known)
    columns = _columns(known, by_month)
    months = by_month and any(row["months"] for row in known)
    head = ["Arm", *(["Month"] if months else []), "n", *(title for title, _ in columns)]
    lines: list[Line] = []
    for (group,) in values(known, "group"):
        of_group = [row for row in known if row["group"] == group]
        if group:
            lines.append(Line(group=group.replace("=", ": ", 1)))
        for key in values(of_group, "arm", *(("months",) if by_month else ())):
            own = [row for row in of_group if _is(row, key, by_month)]
            names = [arm_name(key[0]), *([key[1]] if months else [])]
            cells = [_find(own, test) for _, test in columns]
            n = next((row["n"] for row in own if row["n"]), "")
            lines.append(line(*names, n, *cells, heads=len(names)))
    return Table(caption=caption, head=tuple(head), lines=tuple(lines), source="estimates.csv", notes=(methods(known),))


def _is(row: Row, key: tuple[str, ...], by_month: bool) -> bool:
    return row["arm"] == key[0] and (not by_month or row["months"] == key[1])


Test = Callable[[Row], Cell | None]


def _columns(rows: Rows, by_month: bool) -> list[tuple[str, Test]]:
    """The columns that have anything to show, each with what it shows of a row (None: nothing)."""
    found: list[tuple[str, Test]] = []
    events = next((row["estimate"] for row in rows if row["events"] and row["estimate"] in ("median", "rate")), "")
    if events:
        found.append(("Events" if events == "median" else "Successes", _events(events)))
    for estimate, method in values(rows, "estimate", "method"):
        months = (
            [m for (m,) in values([r for r in rows if r["estimate"] == estimate], "months")] if not by_month else [""]
        )
        for month in months:
            one = [r for r in rows if (r["estimate"], r["method"]) == (estimate, method)]
            if any(by_month or r["months"] == month for r in one):
                found.append((_title(one, month), _cell(estimate, method, month, by_month)))
    return found


def _title(rows: Rows, month: str) -> str:
    """``Median, months (95 % CI)``; of rates with their method, because there are two."""
    row = next((row for row in rows if row["low"] or row["high"]), rows[0])
    name, unit = name_of(row), _shown(row)[1]
    at = f" at month {month}" if month else ""
    by = f" {_METHODS.get(row['method'], row['method'])}" if row["estimate"] == "rate" and _level(row) else ""
    limits = f" ({_level(row)}{by})" if _level(row) else ""
    return f"{name[0].upper()}{name[1:]}{at}{', ' + unit if unit else ''}{limits}"


def _events(estimate: str) -> Test:
    return lambda row: Cell(row["events"]) if row["estimate"] == estimate else None


def _cell(estimate: str, method: str, month: str, by_month: bool) -> Test:
    def shown(row: Row) -> Cell | None:
        if (row["estimate"], row["method"]) != (estimate, method) or not (by_month or row["months"] == month):
            return None
        return Cell(value(row), row["note"] if row["value"] else "")

    return shown


def _find(rows: Rows, test: Test) -> Cell:
    return next((cell for row in rows if (cell := test(row)) is not None), Cell("–"))


def methods(rows: Rows) -> str:
    """How each estimate was made, by name."""
    found: dict[str, list[str]] = {}
    for estimate, method in values(rows, "estimate", "method"):
        if method:
            known = found.setdefault(name_of({"estimate": estimate}), [])
            known.append(_METHODS.get(method, method))
    return "Methods: " + "; ".join(f"{name}: {' and '.join(ways)}" for name, ways in found.items()) + "."


# --- comparisons -----------------------------------------------------------------------------------------------------


def comparisons(rows: Rows, caption: str) -> Table | None:
    """Tests, differences and ratios, also those whose name is not known here: one row each."""
    own = [row for row in rows if row["estimate"] not in _OF_A_GROUP]
    if not own:
        return None
    lines: list[Line] = []
    for (group,) in values(own, "group"):
        if group:
            lines.append(Line(group=group.replace("=", ": ", 1)))
        lines += [_compared(row) for row in own if row["group"] == group]
    head = ("Estimate", "Of", "Value (95 % CI)", "p", "n", "Events", "Method")
    return Table(caption=caption, head=head, lines=tuple(lines), source="estimates.csv")


def _compared(row: Row) -> Line:
    of = [f"{row['arm']} against {row['against']}" if row["against"] and not row["covariate"] else row["arm"]]
    if row["covariate"]:
        of = [row["covariate"] + (f" against {row['against']}" if row["against"] else "")]
    of += [f"month {row['months']}"] if row["months"] else []
    unit = _shown(row)[1] if row["value"] else ""
    told = Cell(value(row), ", ".join(one for one in (unit, row["note"] if row["value"] else "") if one))
    p = p_value(row["p"]) if row["p"] else "–"
    name, method = name_of(row), _METHODS.get(row["method"], row["method"])
    told_of = ", ".join(one for one in of if one) or "all arms"
    return line(f"{name[0].upper()}{name[1:]}", told_of, told, p, row["n"] or "–", row["events"] or "–", method)
