"""The figures of one endpoint: survival curves, incidences, forest plots, responses and changes at months."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from mrecist.endpoints.by_column import ByValue, by_value
from mrecist.endpoints.derive import Derived
from mrecist.endpoints.estimate import Estimate
from mrecist.endpoints.figures.groups import ForestRow, by_visit, forest
from mrecist.endpoints.figures.incidence import cumulative_incidence
from mrecist.endpoints.figures.kaplan_meier import kaplan_meier
from mrecist.endpoints.figures.plan import Plan
from mrecist.endpoints.figures.waterfall import changes_at
from mrecist.endpoints.printing import NO_LIMIT, event_name, p_value, percent, rounded
from mrecist.endpoints.proportions import Outcome
from mrecist.endpoints.summary import arms_of
from mrecist.endpoints.survival import missing_libraries
from mrecist.endpoints.times import COMPETING, EventTime
from mrecist.model import Response
from mrecist.protocol import Endpoint, Protocol
from mrecist.trial import Trial
from mrecist.units import show

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RATIOS = ("hazard_ratio", "hazard_ratio_stratified", "odds_ratio")
_RESPONSES = {str(one) for one in Response}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Of:
    """An endpoint by one reader, with its estimates; ``several``: there are more readers."""

    endpoint: Endpoint
    protocol: Protocol
    reader: str
    several: bool
    rows: Sequence[Estimate]

    @property
    def title(self) -> str:
        return (self.endpoint.title or self.endpoint.id) + (f", reader {self.reader}" if self.several else "")

    def plan(self, kind: str, title: str, alt: str, draw: Callable[[], Figure], *more: str) -> Plan:
        parts = (kind, self.endpoint.id, *more, self.reader if self.several else "")
        return Plan(
            kind=kind, parts=parts, title=title, alt=alt, draw=draw, endpoint=self.endpoint.id, reader=self.reader
        )


def of_endpoint(
    endpoint: Endpoint,
    protocol: Protocol,
    derived: Derived,
    rows: Sequence[Estimate],
    drawn: list[object],
    trial: Trial,
) -> Iterator[Plan]:
    """The figures of an endpoint for each reader. ``drawn`` keeps the data of responses at months, which are drawn once."""
    by_kind: dict[str, Sequence[EventTime | Outcome]] = {"time": derived.times, "proportion": derived.outcomes}
    found = [row for row in by_kind.get(endpoint.kind, ()) if row.endpoint == endpoint.id]
    changes = [row for row in derived.changes if row.endpoint == endpoint.id]
    readers = list(dict.fromkeys(row.reader for row in (*found, *changes)))
    for reader in readers:
        own = [row for row in rows if (row.about.endpoint, row.about.reader) == (endpoint.id, reader)]
        of = _Of(endpoint=endpoint, protocol=protocol, reader=reader, several=len(readers) > 1, rows=own)
        times = [row for row in found if isinstance(row, EventTime) and row.reader == reader]
        if times and not missing_libraries():
            yield from _curves(of, times)
            for column in endpoint.groups:
                yield from _curves_by(of, by_value(column, times, trial))
        outcomes = [row for row in found if isinstance(row, Outcome) and row.reader == reader]
        yield from _at_months(of, outcomes, drawn)
        yield from _forests(of)
    if endpoint.kind == "change":
        for reader in readers:
            of = _Of(endpoint=endpoint, protocol=protocol, reader=reader, several=len(readers) > 1, rows=())
            for month in endpoint.at_months or (None,):
                one = [row for row in changes if row.reader == reader and row.months == month]
                known = {row.subject: None if row.percent is None else float(row.percent) for row in one}
                yield from _changes(of, known, {row.subject: row.arm for row in one}, month)


def _curves(of: _Of, rows: list[EventTime]) -> Iterator[Plan]:
    arms = arms_of(rows, of.protocol)
    by_arm = {arm: [row for row in rows if row.arm == arm] for arm in arms}
    month = float(of.protocol.design.days_per_month)
    words = list(_words(of.rows))
    alt = f"Kaplan-Meier curves of {len(rows)} subjects with their 95 % intervals and the numbers at risk. {'; '.join(words)}."
    yield of.plan(
        "km",
        of.title,
        alt,
        lambda: kaplan_meier(by_arm, title=of.title, days_per_month=month, scale=of.endpoint.km_ci, words=words),
    )
    if not of.endpoint.competing:
        return
    title = f"{of.title}: cumulative incidence"
    event, rival = (" or ".join(map(event_name, one)) for one in (of.endpoint.events, of.endpoint.competing))
    count = sum(row.status == COMPETING for row in rows)
    alt = f"Cumulative incidence of {event}, and of {rival} as a competing event ({count} subjects), with the numbers at risk."
    yield of.plan(
        "incidence",
        title,
        alt,
        lambda: cumulative_incidence(
            by_arm, title=title, days_per_month=month, event=event, competing=rival, words=list(_incidences(of.rows))
        ),
    )


def _curves_by(of: _Of, found: ByValue) -> Iterator[Plan]:
    """Curves of the values of a column of ``groups``, where it has more than one and is no quantity."""
    if found.is_quantity or len(found.rows) < 2:
        return
    title, month = f"{of.title}, by {found.column}", float(of.protocol.design.days_per_month)
    by_name = {f"{found.column} {value}": rows for value, rows in found.rows.items()}
    words = list(_words_by(of.rows, found))
    count = sum(map(len, by_name.values()))
    alt = f"Kaplan-Meier curves of {count} subjects by {found.column}, with 95 % intervals and numbers at risk. {'; '.join(words)}."
    yield of.plan(
        "km",
        title,
        alt,
        lambda: kaplan_meier(by_name, title=title, days_per_month=month, scale=of.endpoint.km_ci, words=words),
        f"by-{found.column}",
    )


def _words_by(rows: Sequence[Estimate], found: ByValue) -> Iterator[str]:
    """Medians of each value, ratios and the log-rank test of a column, as the figure tells them."""
    for row in rows:
        column, _, value = row.about.group.partition("=")
        if row.estimate == "median" and column == found.column and value in found.rows:
            told = NO_LIMIT if row.value is None else f"{rounded(row.value, 1)} months"
            limits = f" ({_limits(row)})" if row.low is not None or row.high is not None else ""
            yield f"median {value}: {told}{limits}"
        if row.about.group or row.covariate.partition("=")[0] != found.column:
            continue
        if row.estimate == "hazard_ratio_univariable" and row.value is not None:
            level = row.covariate.partition("=")[2]
            yield f"HR {level} / {row.against} {rounded(row.value, 2)} ({_limits(row, 2)})"
        if row.estimate == "logrank" and row.p is not None:
            p = p_value(row.p)
            yield f"log-rank p {p if p[0] in '<>' else '= ' + p}"


def _limits(row: Estimate, digits: int = 1) -> str:
    low, high = (NO_LIMIT if one is None else rounded(one, digits) for one in (row.low, row.high))
    return f"{low} to {high}"


def _names(rows: Sequence[Estimate]) -> dict[str, str]:
    """How each arm is named in a line; not at all where there is one."""
    arms = {row.about.arm for row in rows} - {""}
    return {arm: f" {arm}" if arm and len(arms) > 1 else "" for arm in ("", *arms)}


def _words(rows: Sequence[Estimate]) -> Iterator[str]:
    """Medians and comparisons of all subjects, as the figure tells them; medians over all arms only where there is one arm."""
    several, names = any(row.about.arm for row in rows), _names(rows)
    for row in rows:
        if row.about.group or row.covariate:
            continue
        if row.estimate == "median" and (row.about.arm or not several):
            told = NO_LIMIT if row.value is None else f"{rounded(row.value, 1)} months"
            limits = f" ({_limits(row)})" if row.low is not None or row.high is not None else ""
            yield f"median{names[row.about.arm]} {told}{limits}"
        if row.estimate in _RATIOS and row.value is not None:
            kind = ", stratified" if row.estimate.endswith("stratified") else ""
            yield f"HR{kind} {row.about.arm} / {row.against} {rounded(row.value, 2)} ({_limits(row, 2)})"
        if row.estimate in ("logrank", "logrank_stratified") and row.p is not None:
            p = p_value(row.p)
            yield f"{row.estimate.replace('_', ', ').replace('logrank', 'log-rank')} p {p if p[0] in '<>' else '= ' + p}"


def _incidences(rows: Sequence[Estimate]) -> Iterator[str]:
    """The incidence at each month, as the figure tells it."""
    several, names = any(row.about.arm for row in rows), _names(rows)
    for row in rows:
        asked = row.estimate == "cumulative_incidence" and not row.about.group and (row.about.arm or not several)
        if asked and row.value is not None and row.months is not None:
            low, high = ("–" if one is None else percent(one) for one in (row.low, row.high))
            yield f"month {show(row.months)}{names[row.about.arm]}: {percent(row.value)} % ({low} to {high})"


def _forests(of: _Of) -> Iterator[Plan]:
    """A plot for each arm against the first one, of all subjects and of each subgroup; those at months stand in the tables."""
    kind = next((name for name in _RATIOS if any(row.estimate == name for row in of.rows)), None)
    found = [row for row in of.rows if row.estimate == kind and not row.covariate and row.months is None]
    pairs = list(dict.fromkeys((row.about.arm, row.against) for row in found))
    for arm, against in pairs:
        own = [row for row in found if (row.about.arm, row.against) == (arm, against)]
        if len(own) < 2:
            continue
        title = of.title + (f", {arm} against {against}" if len(pairs) > 1 else "")
        what = "hazard ratio" if kind != "odds_ratio" else "odds ratio"
        # A hazard ratio below 1 is less of what is feared, an odds ratio below 1 less of what is hoped for.
        favours = (arm, against) if kind != "odds_ratio" else (against, arm)
        lines = list(_forest_rows(own))
        yield of.plan(
            "forest",
            title,
            f"Forest plot: {what} of {arm} against {against} in all subjects and in {len(lines) - 1} subgroups.",
            lambda lines=lines, title=title, favours=favours, what=what: forest(  # type: ignore[misc]
                lines, title=title, favours=favours, what=what
            ),
            *((arm,) if len(pairs) > 1 else ()),
        )


def _forest_rows(rows: Sequence[Estimate]) -> Iterator[ForestRow]:
    for row in rows:
        yield ForestRow(
            label=row.about.group.replace("=", ": ", 1) or "all subjects",
            n=row.n or 0,
            events=row.events or 0,
            value=row.value,
            low=row.low,
            high=row.high,
            note=row.note,
        )


def _at_months(of: _Of, rows: Sequence[Outcome], drawn: list[object]) -> Iterator[Plan]:
    """The responses of those who are counted at each month; endpoints that look at the same ones have the figure once."""
    counted = [row for row in rows if row.success is not None and row.months is not None]
    if not counted or of.endpoint.success[0] not in _RESPONSES:
        return
    counts = {
        show(month): [Response(row.value or "MISSING") for row in counted if row.months == month]
        for month in of.endpoint.at_months
    }
    if (of.reader, counts) in drawn:
        return
    drawn.append((of.reader, counts))
    title = f"Responses at months {', '.join(counts)}"
    title += f", reader {of.reader}" if of.several else ""
    alt = f"Stacked bars of the responses at months {', '.join(counts)}, in % of the subjects who are counted."
    yield of.plan("responses-at", title, alt, lambda: by_visit(counts, title=title, what="month", of="counted"))


def _changes(of: _Of, known: dict[str, float | None], arms: dict[str, str], month: Decimal | None) -> Iterator[Plan]:
    if not any(change is not None for change in known.values()):
        return
    at = f"at month {show(month)}" if month is not None else of.endpoint.at
    title = f"{of.title}, {at}"
    limit = None if of.endpoint.percent is None else float(of.endpoint.percent)
    yield of.plan(
        "changes",
        title,
        f"Waterfall: the change of the sum from baseline ({at}) of each subject, coloured by arm.",
        lambda: changes_at(known, arms, title=title, what=f"change of the sum, {at}, %", percent=limit),
        *((f"month-{show(month)}",) if month is not None else ()),
    )
