"""All estimates of a study: every endpoint by arm and reader, arms against the first one, and the same in each subgroup."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol as Shape
from typing import TypeVar

from mrecist.endpoints.changes import Change
from mrecist.endpoints.cox import adjusted
from mrecist.endpoints.derive import Derived
from mrecist.endpoints.estimate import About, Estimate
from mrecist.endpoints.proportions import Outcome
from mrecist.endpoints.rates import comparisons, quartiles, rates
from mrecist.endpoints.survival import hazard_ratio, incidences, landmarks, logrank, medians, missing_libraries
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
    """The rows of estimates.csv, in the order of the protocol."""
    for endpoint in protocol.endpoints:
        for group in groups(protocol, trial):
            if endpoint.kind == "time":
                yield from _by_reader(endpoint, group.of(derived.times, trial), group, protocol, trial, _times)
            elif endpoint.kind == "change":
                yield from _by_reader(endpoint, group.of(derived.changes, trial), group, protocol, trial, _changes)
            else:
                yield from _by_reader(endpoint, group.of(derived.outcomes, trial), group, protocol, trial, _outcomes)


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
    own = [row for row in rows if row.endpoint == endpoint.id]
    for reader, criterion in dict.fromkeys((row.reader, row.criterion) for row in own):
        about = About(endpoint=endpoint.id, group=group.name, reader=reader, criterion=criterion)
        of_reader = [row for row in own if (row.reader, row.criterion) == (reader, criterion)]
        yield from work(endpoint, about, of_reader, protocol, trial)


def arms_of(rows: Sequence[_OfArm], protocol: Protocol) -> tuple[str, ...]:
    """The arms in the protocol's order, then others by name; the first one is the control of comparisons."""
    there = {row.arm for row in rows}
    return tuple(arm for arm in dict.fromkeys((*protocol.design.arms, *sorted(there))) if arm in there)


def _in(about: About, arm: str) -> About:
    return About(endpoint=about.endpoint, arm=arm, group=about.group, reader=about.reader, criterion=about.criterion)


def _outcomes(
    endpoint: Endpoint, about: About, rows: list[Outcome], protocol: Protocol, _trial: Trial
) -> Iterator[Estimate]:
    arms = arms_of(rows, protocol)
    months: tuple[Decimal | None, ...] = endpoint.at_months or (None,)
    for month in months:
        at = [row for row in rows if row.months == month]
        by_arm = {arm: [row for row in at if row.arm == arm] for arm in arms}
        if len(arms) != 1:
            yield from rates(_in(about, ALL), at, month, endpoint.ci)
        for arm in arms:
            yield from rates(_in(about, arm), by_arm[arm], month, endpoint.ci)
        for arm in arms[1:]:
            yield from comparisons(_in(about, arm), by_arm[arm], arms[0], by_arm[arms[0]], month)


def _changes(
    endpoint: Endpoint, about: About, rows: list[Change], protocol: Protocol, _trial: Trial
) -> Iterator[Estimate]:
    arms = arms_of(rows, protocol)
    for month in endpoint.at_months or (None,):
        for arm in (*((ALL,) if len(arms) != 1 else ()), *arms):
            own = [row for row in rows if row.months == month and arm in (ALL, row.arm)]
            yield from quartiles(_in(about, arm), [row.percent for row in own if row.percent is not None], month)
            if endpoint.percent is not None:
                yield from rates(_in(about, arm), own, month, endpoint.ci)


def _times(
    endpoint: Endpoint, about: About, rows: list[EventTime], protocol: Protocol, trial: Trial
) -> Iterator[Estimate]:
    if missing := missing_libraries():
        yield Estimate(about=about, estimate="median", value=None, note=missing)
        return
    arms, month = arms_of(rows, protocol), protocol.design.days_per_month
    for arm in (*((ALL,) if len(arms) != 1 else ()), *arms):
        own = [row for row in rows if arm in (ALL, row.arm)]
        yield from medians(_in(about, arm), own, endpoint.km_ci, month)
        yield from landmarks(_in(about, arm), own, endpoint.at_months, endpoint.km_ci, month)
        if endpoint.competing:
            yield from incidences(_in(about, arm), own, endpoint.at_months, month)
    if endpoint.covariates:
        words = [trial.subjects[row.subject].words for row in rows]
        yield from adjusted(about, rows, [{c: one.get(c, "") for c in endpoint.covariates} for one in words], arms)
    if len(arms) > 1:
        yield from _compared(endpoint, about, rows, arms, _strata(rows, protocol, trial))


def _compared(
    endpoint: Endpoint, about: About, rows: list[EventTime], arms: tuple[str, ...], strata: list[str]
) -> Iterator[Estimate]:
    if "logrank" in endpoint.tests:
        yield logrank(about, rows)
    if "logrank_stratified" in endpoint.tests:
        yield logrank(about, rows, strata)
    for arm in arms[1:]:
        if "cox" in endpoint.tests:
            yield hazard_ratio(_in(about, arm), rows, arms[0])
        if "cox_stratified" in endpoint.tests:
            yield hazard_ratio(_in(about, arm), rows, arms[0], strata)


def _strata(rows: Sequence[EventTime], protocol: Protocol, trial: Trial) -> list[str]:
    """The stratum of each row: the values of the protocol's strata columns."""
    columns: Mapping[str, str]
    found = []
    for row in rows:
        columns = trial.subjects[row.subject].words
        found.append(" ".join(columns.get(name, "?") for name in protocol.design.strata))
    return found
