"""Investigator against central review: cross tables, when each saw progression, discrepancy rates, and the rates of each track.

Early and late discrepancy rates: Amit et al. 2011, Eur J Cancer 47:1772 (the method of the PhRMA working group). Intervals: Clopper and
Pearson 1934. Paired rates: McNemar 1947, exact. Difference of two arms: Newcombe 1998, method 10.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from mrecist.agreement.about import About, subgroups
from mrecist.agreement.crosstabs import cell_order
from mrecist.agreement.reads import Reads, Track, best_of
from mrecist.agreement.scales import QUESTIONS, place_of
from mrecist.agreement.tracks import CENTRAL, INVESTIGATOR
from mrecist.agreement.variables import BEST_RESPONSE, PROGRESSED, PROGRESSION_DATE, derivable, value_of
from mrecist.dates import days_between
from mrecist.endpoints import rates
from mrecist.endpoints.estimate import About as ArmAbout
from mrecist.model import Response

# The column of subjects.csv whose values are the arms of the protocol.
ARM = "arm"
OBJECTIVE_RESPONSE, DISEASE_CONTROL = "objective_response", "disease_control"
# Cells of the table of progression (Amit 2011) by name: letter and meaning.
AGREE, LATER, EARLIER = "agree", "investigator_later", "investigator_earlier"
ONLY_INVESTIGATOR, ONLY_CENTRAL, NEITHER = "investigator_only", "central_only", "neither"
TIMING = {AGREE: "a1", LATER: "a2", EARLIER: "a3", ONLY_INVESTIGATOR: "b", ONLY_CENTRAL: "c", NEITHER: "d"}
EDR, LDR = "early_discrepancy_rate", "late_discrepancy_rate"
OVERALL, EVENT = "overall_discrepancy", "event_discrepancy"
# Statistic -> the cells that are counted, the cells they are counted among, the formula.
DISCREPANCY: dict[str, tuple[frozenset[str], frozenset[str], str]] = {
    EDR: (
        frozenset({ONLY_INVESTIGATOR, EARLIER}),
        frozenset({AGREE, LATER, EARLIER, ONLY_INVESTIGATOR}),
        "(a3 + b) / (a + b)",
    ),
    LDR: (
        frozenset({ONLY_CENTRAL, LATER}),
        frozenset({LATER, EARLIER, ONLY_INVESTIGATOR, ONLY_CENTRAL}),
        "(a2 + c) / (a2 + a3 + b + c)",
    ),
    OVERALL: (frozenset(TIMING) - {AGREE, NEITHER}, frozenset(TIMING), "(a2 + a3 + b + c) / N"),
    EVENT: (frozenset({ONLY_INVESTIGATOR, ONLY_CENTRAL}), frozenset(TIMING), "(b + c) / N"),
}
_AMIT = "Amit 2011"
_EXACT = "Clopper and Pearson 1934"
_DIRECTION = {EDR: "negative", LDR: "positive"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Concordance:
    """A row of ``concordance.csv``. ``count`` of ``n``; ``value`` is a share unless the statistic is in days."""

    criterion: str
    group: str
    variable: str
    statistic: str
    track: str = ""
    central: str = ""
    investigator: str = ""
    count: int | None = None
    n: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    method: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The two reads of a subject that count."""

    subject: str
    central: Track
    investigator: Track


@dataclass(frozen=True, slots=True)
class _Success:
    success: bool | None


def concordance_rows(
    reads: Reads, groups: Mapping[str, Mapping[str, str]], tolerance_days: int = 0
) -> Iterator[Concordance]:
    """Every number of two reads named ``central`` and ``investigator``, by criterion and subgroup, of subjects who have both."""
    for criterion in reads.criteria:
        pairs = _pairs(reads, criterion)
        for group, member in subgroups(reads, groups):
            mine = [pair for pair in pairs if member(pair.subject)]
            yield from _of_variables(reads, About(criterion=criterion, variable="", group=group), mine)
            if reads.dated:
                cells = [timing(pair, tolerance_days) for pair in mine]
                yield from _of_progression(criterion, group, cells, mine)
                yield from _of_rates(reads, criterion, group, mine)
        if reads.dated:
            for column, of_subject in groups.items():
                cells_of = {pair.subject: timing(pair, tolerance_days) for pair in pairs}
                yield from _between(reads, criterion, column, of_subject, cells_of)


def timing(pair: Pair, tolerance_days: int) -> str:
    """Which cell of the table of progression a subject is in; dates up to ``tolerance_days`` apart agree."""
    days = _days(pair)
    if days is not None:
        return AGREE if abs(days) <= tolerance_days else LATER if days > 0 else EARLIER
    if _progression(pair.investigator) is not None:
        return ONLY_INVESTIGATOR
    return NEITHER if _progression(pair.central) is None else ONLY_CENTRAL


def _pairs(reads: Reads, criterion: str) -> list[Pair]:
    found = ((subject, reads.of(subject, criterion)) for subject in reads.subjects)
    return [
        Pair(subject=subject, central=tracks[CENTRAL], investigator=tracks[INVESTIGATOR])
        for subject, tracks in found
        if CENTRAL in tracks and INVESTIGATOR in tracks
    ]


def _progression(track: Track) -> object:
    return None if track.best is None else track.best.progression_date


def _days(pair: Pair) -> int | None:
    """Day of progression of the investigator less that of the central review; None unless both have one."""
    if pair.central.best is None or pair.investigator.best is None:
        return None
    one, other = pair.central.best.progression_date, pair.investigator.best.progression_date
    return None if one is None or other is None else days_between(one, other)


def _of_variables(reads: Reads, about: About, pairs: Sequence[Pair]) -> Iterator[Concordance]:
    rules = reads.protocol.response
    told: dict[str, Callable[[Track], str]] = {
        BEST_RESPONSE: lambda track: str(value_of(BEST_RESPONSE, track, rules)),
        OBJECTIVE_RESPONSE: lambda track: _yes_no(_responded(best_of(track, rules))),
        DISEASE_CONTROL: lambda track: _yes_no(_controlled(best_of(track, rules))),
        PROGRESSED: lambda track: str(value_of(PROGRESSED, track, rules)),
    }
    for variable in told if reads.dated else derivable((PROGRESSED,), dated=False):
        values = Counter((told[variable](pair.central), told[variable](pair.investigator)) for pair in pairs)
        for cell in sorted(values, key=cell_order):
            yield Concordance(
                criterion=about.criterion,
                group=about.group,
                variable=variable,
                statistic="cross_table",
                central=cell[0],
                investigator=cell[1],
                count=values[cell],
                n=len(pairs),
                value=values[cell] / len(pairs),
            )
        agreed = sum(number for (one, other), number in values.items() if one == other)
        yield _share(about.criterion, about.group, variable, "agreement", agreed, len(pairs), "")


def _of_progression(criterion: str, group: str, cells: Sequence[str], pairs: Sequence[Pair]) -> Iterator[Concordance]:
    counts = Counter(cells)
    for name, letter in TIMING.items():
        method = f"{letter} of {_AMIT}"
        yield _share(criterion, group, PROGRESSION_DATE, name, counts[name], len(cells), method)
    days = [found for pair in pairs if (found := _days(pair)) is not None]
    earlier = [-found for found, cell in zip(map(_days, pairs), cells, strict=True) if cell == EARLIER and found]
    later = [found for found, cell in zip(map(_days, pairs), cells, strict=True) if cell == LATER and found]
    signed = "days, investigator less central, of subjects in whom both saw progression"
    for name, of, values, method in (
        ("days_minimum", min, days, signed),
        ("days_median", median, days, signed),
        ("days_maximum", max, days, signed),
        ("days_earlier_median", median, earlier, "days by which the investigator was earlier, of those who were"),
        ("days_later_median", median, later, "days by which the investigator was later, of those who were"),
    ):
        yield Concordance(
            criterion=criterion,
            group=group,
            variable=PROGRESSION_DATE,
            statistic=name,
            n=len(values),
            value=float(of(values)) if values else None,
            method=method if values else f"{method}; not defined: there are none",
        )
    for name, (counted, among, formula) in DISCREPANCY.items():
        number, n = (sum(counts[cell] for cell in chosen) for chosen in (counted, among))
        yield _share(criterion, group, PROGRESSION_DATE, name, number, n, f"{formula}, {_AMIT}")


def _share(
    criterion: str, group: str, variable: str, statistic: str, count: int, n: int, method: str, track: str = ""
) -> Concordance:
    low, high = rates.interval(count, n, "clopper-pearson") if n else (None, None)
    how = _EXACT if n else "not defined: nobody is counted"
    return Concordance(
        criterion=criterion,
        group=group,
        variable=variable,
        statistic=statistic,
        track=track,
        count=count,
        n=n,
        value=count / n if n else None,
        low=low,
        high=high,
        method="; ".join(filter(None, [method, how])),
    )


def _of_rates(reads: Reads, criterion: str, group: str, pairs: Sequence[Pair]) -> Iterator[Concordance]:
    """The rates of objective response and of disease control of each track, and their paired difference."""
    rules = reads.protocol.response
    for variable, holds in ((OBJECTIVE_RESPONSE, _responded), (DISEASE_CONTROL, _controlled)):
        found = [(holds(best_of(pair.central, rules)), holds(best_of(pair.investigator, rules))) for pair in pairs]
        for place, track in enumerate((CENTRAL, INVESTIGATOR)):
            count = sum(both[place] for both in found)
            yield _share(criterion, group, variable, "rate", count, len(found), "", track)
        only_central = sum(one and not other for one, other in found)
        only_investigator = sum(other and not one for one, other in found)
        yield Concordance(
            criterion=criterion,
            group=group,
            variable=variable,
            statistic="rate_difference",
            count=only_central + only_investigator,
            n=len(found),
            value=(only_investigator - only_central) / len(found) if found else None,
            p=mcnemar_exact(only_central, only_investigator) if found else None,
            method="investigator less central; p: McNemar, exact; count: subjects in whom the two differ",
        )


def mcnemar_exact(one: int, other: int) -> float:
    """Two-sided p of the two discordant counts of a paired table; 1 where there are none (McNemar 1947, exact binomial)."""
    from scipy.stats import binomtest

    return 1.0 if one + other == 0 else float(binomtest(min(one, other), one + other, 0.5).pvalue)


def _between(
    reads: Reads, criterion: str, column: str, of_subject: Mapping[str, str], cells: Mapping[str, str]
) -> Iterator[Concordance]:
    """Discrepancy rates of each value of a column less those of its first: arms in the order of the protocol."""
    there = {value for subject, value in of_subject.items() if subject in cells and value}
    arms = reads.protocol.design.arms if column == ARM else ()
    order = [*[arm for arm in arms if arm in there], *sorted(there - set(arms))]
    for value in order[1:]:
        for name in (EDR, LDR):
            counted, among, _ = DISCREPANCY[name]
            one, other = (
                [
                    _Success(cell in counted)
                    for subject, cell in cells.items()
                    if of_subject.get(subject) == chosen and cell in among
                ]
                for chosen in (value, order[0])
            )
            found = next(iter(rates.comparisons(ArmAbout(endpoint="", arm=value), one, order[0], other, None)), None)
            yield Concordance(
                criterion=criterion,
                group=f"{column}={value} less {column}={order[0]}",
                variable=PROGRESSION_DATE,
                statistic=f"{name}_difference",
                n=len(one) + len(other),
                value=None if found is None else found.value,
                low=None if found is None else found.low,
                high=None if found is None else found.high,
                method="; ".join(
                    [
                        *([f"{_DIRECTION[name]}: the investigator favours {value} ({_AMIT})"] if column == ARM else []),
                        "Newcombe 1998" if found is not None else "not defined: one of the two has nobody to count",
                    ]
                ),
            )


def _responded(best: Response | None) -> bool:
    return best in QUESTIONS["OR"]


def _controlled(best: Response | None) -> bool:
    """Complete or partial response or stable disease, also of non-targets alone; not evaluable is none."""
    return place_of(best) is not None and best not in QUESTIONS["PD"]


def _yes_no(value: bool) -> str:
    return "yes" if value else "no"
