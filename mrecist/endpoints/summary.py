"""All estimates of a study: every endpoint by arm and reader, arms against the first one, and the same in each subgroup."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol as Shape
from typing import TypeVar

from mrecist.endpoints.by_column import compared_by_column
from mrecist.endpoints.changes import Change
from mrecist.endpoints.competing import gray, incidences, subdistribution_adjusted, subdistribution_hazard_ratio
from mrecist.endpoints.cox import adjusted, hazard_ratio, univariable
from mrecist.endpoints.derive import Derived
from mrecist.endpoints.estimate import About, Estimate
from mrecist.endpoints.proportions import Outcome
from mrecist.endpoints.rates import comparisons, quartiles, rates
from mrecist.endpoints.strata import Stratified, check_strata, stratified
from mrecist.endpoints.stratified_rates import stratified_comparisons
from mrecist.endpoints.survival import landmarks, logrank, medians, missing_libraries
from mrecist.endpoints.times import EventTime
from mrecist.protocol import Endpoint, Protocol
from mrecist.trial import Trial

ALL = ""
"""The arm of estimates over all arms."""


class _OfArm(Shape):
    @property
    def subject(self) -> str: ...
    @property
    def arm(self) -> str: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def reader(self) -> str: ...
    @property
    def criterion(self) -> str: ...
    @property
    def region(self) -> str: ...


Row = TypeVar("Row", bound=_OfArm)


@dataclass(frozen=True, slots=True)
class _Group:
    """Subjects with one value in a column of subjects.csv; all subjects where ``column`` is empty."""

    column: str = ""
    value: str = ""

    @property
    def name(self) -> str:
        return f"{self.column}={self.value}" if self.column else ""

    def of(self, rows: Sequence[Row], trial: Trial) -> list[Row]:
        if not self.column:
            return list(rows)
        return [row for row in rows if trial.subjects[row.subject].words.get(self.column, "") == self.value]


def estimates(protocol: Protocol, derived: Derived, trial: Trial) -> Iterator[Estimate]:
    """The rows of estimates.csv, in the order of the protocol.

    Raises :class:`InputError` where strata are asked for that the protocol or subjects.csv does not have.
    """
    check_strata(protocol, trial)
    times, changes = _by_endpoint(derived.times), _by_endpoint(derived.changes)
    outcomes = _by_endpoint(derived.outcomes)
    for endpoint in protocol.endpoints:
        for group in groups(protocol, trial):
            if endpoint.kind == "time":
                own = group.of(times.get(endpoint.id, []), trial)
                yield from _by_reader(endpoint, own, group, protocol, trial, _times)
            elif endpoint.kind == "change":
                changed = group.of(changes.get(endpoint.id, []), trial)
                yield from _by_reader(endpoint, changed, group, protocol, trial, _changes)
            else:
                counted = group.of(outcomes.get(endpoint.id, []), trial)
                yield from _by_reader(endpoint, counted, group, protocol, trial, _outcomes)


def _by_endpoint(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.endpoint, []).append(row)
    return found


def groups(protocol: Protocol, trial: Trial) -> Iterator[_Group]:
    """All subjects, and each value of each subgroup that the protocol names."""
    yield _Group()
    for column in protocol.design.subgroups:
        for value in sorted({subject.words.get(column, "") for subject in trial.subjects.values()} - {""}):
            yield _Group(column, value)


def _by_reader(
    endpoint: Endpoint,
    rows: Sequence[Row],
    group: _Group,
    protocol: Protocol,
    trial: Trial,
    work: Callable[[Endpoint, About, list[Row], Protocol, Trial], Iterator[Estimate]],
) -> Iterator[Estimate]:
    by_reader: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        by_reader.setdefault((row.reader, row.criterion, row.region), []).append(row)
    for (reader, criterion, region), own in by_reader.items():
        about = About(endpoint=endpoint.id, group=group.name, reader=reader, criterion=criterion, region=region)
        yield from work(endpoint, about, own, protocol, trial)


def arms_of(rows: Sequence[_OfArm], protocol: Protocol) -> tuple[str, ...]:
    """The arms in the protocol's order, then others by name; the first one is the control of comparisons."""
    there = {row.arm for row in rows}
    return tuple(arm for arm in dict.fromkeys((*protocol.design.arms, *sorted(there))) if arm in there)


def _outcomes(
    endpoint: Endpoint, about: About, rows: list[Outcome], protocol: Protocol, trial: Trial
) -> Iterator[Estimate]:
    arms = arms_of(rows, protocol)
    for month in endpoint.at_months or (None,):
        at = [row for row in rows if row.months == month]
        for arm, own in _by_arm(at, arms):
            yield from rates(replace(about, arm=arm), own, month, endpoint.ci)
        yield from _shares_compared(about, at, arms, month, protocol, trial)


def _changes(
    endpoint: Endpoint, about: About, rows: list[Change], protocol: Protocol, trial: Trial
) -> Iterator[Estimate]:
    arms = arms_of(rows, protocol)
    for month in endpoint.at_months or (None,):
        at = [row for row in rows if row.months == month]
        for arm, own in _by_arm(at, arms):
            of_arm = replace(about, arm=arm)
            yield from quartiles(of_arm, [row.percent for row in own if row.percent is not None], month)
            if endpoint.percent is not None:
                yield from rates(of_arm, own, month, endpoint.ci)
        if endpoint.percent is not None:
            yield from _shares_compared(about, at, arms, month, protocol, trial)


def _by_arm(rows: list[Row], arms: tuple[str, ...]) -> Iterator[tuple[str, list[Row]]]:
    """All rows where there is not just one arm, and those of each arm."""
    if len(arms) != 1:
        yield ALL, rows
    for arm in arms:
        yield arm, [row for row in rows if row.arm == arm]


def _shares_compared(
    about: About,
    rows: Sequence[Outcome] | Sequence[Change],
    arms: tuple[str, ...],
    month: Decimal | None,
    protocol: Protocol,
    trial: Trial,
) -> Iterator[Estimate]:
    """Each arm against the first one; also over strata, where the protocol has any."""
    by_arm = {arm: [row for row in rows if row.arm == arm] for arm in arms}
    for arm in arms[1:]:
        of_arm, control = replace(about, arm=arm), arms[0]
        yield from comparisons(of_arm, by_arm[arm], control, by_arm[control], month)
        if protocol.design.strata:
            one, other = (stratified(by_arm[name], protocol, trial) for name in (arm, control))
            out = len(by_arm[arm]) + len(by_arm[control]) - len(one.rows) - len(other.rows)
            note = f"{out} left out without a stratum" if out else ""
            pair = (one.rows, one.strata), control, (other.rows, other.strata)
            yield from stratified_comparisons(of_arm, *pair, month, note)


def _times(
    endpoint: Endpoint, about: About, rows: list[EventTime], protocol: Protocol, trial: Trial
) -> Iterator[Estimate]:
    if missing := missing_libraries():
        yield Estimate(about=about, estimate="median", value=None, note=missing)
        return
    arms, month = arms_of(rows, protocol), protocol.design.days_per_month
    for arm, own in _by_arm(rows, arms):
        of_arm = replace(about, arm=arm)
        yield from medians(of_arm, own, endpoint.km_ci, month)
        yield from landmarks(of_arm, own, endpoint.at_months, endpoint.km_ci, month)
        if endpoint.competing:
            yield from incidences(of_arm, own, endpoint.at_months, month)
    of_strata = stratified(rows, protocol, trial)
    if endpoint.covariates:
        yield from _regressions(endpoint, about, rows, arms, of_strata, protocol, trial)
    if len(arms) > 1:
        yield from _compared(endpoint, about, rows, arms)
        for one in _compared_stratified(endpoint, about, of_strata, arms):
            yield _noted(one, of_strata.note)
    if not about.group:
        yield from compared_by_column(endpoint, about, rows, trial, month, protocol.design.subgroups)


def _regressions(
    endpoint: Endpoint,
    about: About,
    rows: list[EventTime],
    arms: tuple[str, ...],
    of_strata: Stratified[EventTime],
    protocol: Protocol,
    trial: Trial,
) -> Iterator[Estimate]:
    """Each covariate by itself, and all of them with the arm; over strata, and of the subdistribution, where that is asked for."""
    # What makes the subgroup is the same for all of it.
    names = [name for name in endpoint.covariates if name != about.group.partition("=")[0]]

    def given(some: Sequence[EventTime], strata: Sequence[str] = ()) -> list[dict[str, str]]:
        words = [trial.subjects[row.subject].words for row in some]
        return [{name: one.get(name, "") for name in names if name not in strata} for one in words]

    # A column of groups has that model already.
    yield from univariable(about, rows, given(rows, endpoint.groups if not about.group else ()))
    yield from adjusted(about, rows, given(rows), arms)
    if "cox_stratified" in endpoint.tests:
        own, kept = of_strata.rows, given(of_strata.rows, protocol.design.strata)
        for one in adjusted(about, own, kept, arms_of(own, protocol), of_strata.strata):
            yield _noted(one, of_strata.note)
    if "fine_gray" in endpoint.tests:
        yield from subdistribution_adjusted(about, rows, given(rows), arms)


def _compared(endpoint: Endpoint, about: About, rows: list[EventTime], arms: tuple[str, ...]) -> Iterator[Estimate]:
    if "logrank" in endpoint.tests:
        yield logrank(about, rows)
    if "gray" in endpoint.tests:
        yield gray(about, rows)
    for arm in arms[1:]:
        if "cox" in endpoint.tests:
            yield hazard_ratio(replace(about, arm=arm), rows, arms[0])
        if "fine_gray" in endpoint.tests:
            yield subdistribution_hazard_ratio(replace(about, arm=arm), rows, arms[0])


def _compared_stratified(
    endpoint: Endpoint, about: About, found: Stratified[EventTime], arms: tuple[str, ...]
) -> Iterator[Estimate]:
    if "logrank_stratified" in endpoint.tests:
        yield logrank(about, found.rows, found.strata)
    if "gray_stratified" in endpoint.tests:
        yield gray(about, found.rows, found.strata)
    if "cox_stratified" in endpoint.tests:
        for arm in arms[1:]:
            yield hazard_ratio(replace(about, arm=arm), found.rows, arms[0], found.strata)


def _noted(one: Estimate, note: str) -> Estimate:
    return replace(one, note="; ".join(part for part in (note, one.note) if part))
