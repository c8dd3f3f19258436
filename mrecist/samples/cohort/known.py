"""What the endpoints of a simulated study truly are: closed forms of the distributions that its subjects are drawn from.

All times are whole days, the ceiling of exponential times from the start of treatment: P(T > d) = exp(-rate d). Day 1 of an
endpoint is the first day of the study or the start of treatment, ``lead`` days later, uniform. A progression shows at the first
visit on or after it, a visit being 0 to ``late_days`` later than due, uniform. Nothing else is assumed: the values are for
subjects who attend every visit and are followed to the end, so they are what an estimate approaches when few visits are missed
and losses are independent. Where no closed form is written down (responses at a month, duration of response), there is no row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import exp

from mrecist.protocol import Endpoint, Protocol
from mrecist.samples.cohort.life import SURGERY_AFTER_VISIT, SURGERY_DAYS, due_days, visits_start_at_entry
from mrecist.samples.cohort.parameters import Arm, Study

HORIZON_DAYS = 12_000
_SURGERY = {"resection": "resection", "ablation": "ablation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One true value: ``survival`` and ``rate`` are shares, ``median`` is in months."""

    endpoint: str
    arm: str
    estimate: str
    months: Decimal | None
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class _World:
    """One arm with the days on which its visits are due."""

    study: Study
    protocol: Protocol
    arm: Arm
    due: tuple[int, ...]
    visits_at_entry: bool

    def mean(self, of: Callable[[int], float]) -> float:
        """The mean over all leads."""
        return sum(map(of, self.study.leads)) / len(self.study.leads)

    def first_visit_day(self, number: int, lead: int) -> int:
        """The earliest day, from the start of treatment, of visit ``number`` (from 1)."""
        return self.due[number - 1] - (lead if self.visits_at_entry else 0)

    def unseen(self, last: int, lead: int) -> float:
        """P(no visit up to day ``last`` after the start of treatment shows a progression), lateness averaged over."""
        rate, late = self.arm.progression_rate, range(self.study.late_days + 1)
        number = sum(1 for n in range(1, len(self.due) + 1) if self.first_visit_day(n, lead) <= last)
        share, open_ended = 0.0, 1.0
        while number > 0:
            days = [self.first_visit_day(number, lead) + extra for extra in late]
            held = [day for day in days if day <= last]
            share += open_ended * sum(exp(-rate * max(0, day)) for day in held) / len(days)
            open_ended *= 1 - len(held) / len(days)
            if open_ended == 0:
                return share
            number -= 1
        return share + open_ended

    def controlled(self, number: int) -> float:
        """P(alive and without progression at visit ``number``)."""
        rate = self.arm.progression_rate + self.arm.death_rate
        return self.at_visit(number, lambda day: exp(-rate * max(0, day)))

    def alive(self, number: int) -> float:
        """P(alive at visit ``number``)."""
        return self.at_visit(number, lambda day: exp(-self.arm.death_rate * max(0, day)))

    def at_visit(self, number: int, of: Callable[[int], float]) -> float:
        """The mean of a function of the day of a visit, from the start of treatment, over leads and lateness."""
        late = range(self.study.late_days + 1)
        return self.mean(lambda lead: sum(of(self.first_visit_day(number, lead) + x) for x in late) / len(late))


def known_values(study: Study, protocol: Protocol) -> Iterator[Known]:
    """The true value of every endpoint that has a closed form, arm by arm."""
    due = tuple(due_days(protocol, HORIZON_DAYS))
    for endpoint in protocol.endpoints:
        for arm in study.arms:
            world = _World(study, protocol, arm, due, visits_start_at_entry(study, protocol))
            yield from (_times if endpoint.kind == "time" else _shares)(endpoint, world)


# --- times -----------------------------------------------------------------------------------------------------------


def _times(endpoint: Endpoint, world: _World) -> Iterator[Known]:
    if endpoint.origin in ("first_response", "first_confirmed_response"):
        return
    month = float(world.protocol.design.days_per_month)
    for months in endpoint.at_months:
        value = survival(endpoint, world, int(float(months) * month))
        yield Known(endpoint=endpoint.id, arm=world.arm.name, estimate="survival", months=months, value=value, unit="")
    median = median_days(endpoint, world)
    yield Known(
        endpoint=endpoint.id, arm=world.arm.name, estimate="median", months=None, value=median / month, unit="months"
    )


def survival(endpoint: Endpoint, world: _World, days: int) -> float:
    """P(time > ``days``), where the day of the origin is day 1."""
    from_entry = _from_entry(endpoint, world)

    def given(lead: int) -> float:
        last = days - 1 - (lead if from_entry else 0)
        value = 1.0
        for event in endpoint.events:
            if event == "pd":
                value *= world.unseen(last, lead)
            else:
                rate = world.arm.death_rate if event == "death" else world.arm.untreatable_rate
                value *= exp(-rate * max(0, last))
        return value

    return world.mean(given)


def median_days(endpoint: Endpoint, world: _World) -> int:
    """The first day by which half of the subjects have had the event."""
    low, high = 1, HORIZON_DAYS
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if survival(endpoint, world, middle) <= 0.5 else (middle + 1, high)
    return low


def _from_entry(endpoint: Endpoint, world: _World) -> bool:
    origin = endpoint.origin or world.protocol.origin.event
    if origin.startswith("procedure:"):
        return any(one.at_entry for one in world.arm.courses if one.procedure == origin.partition(":")[2])
    return origin in world.study.entry


# --- shares ----------------------------------------------------------------------------------------------------------


def _shares(endpoint: Endpoint, world: _World) -> Iterator[Known]:
    if endpoint.at_months:
        return
    if endpoint.marker is not None:
        value = _converted(endpoint, world)
    elif endpoint.success[0] in _SURGERY:
        value = sum(_operated(getattr(world.arm, _SURGERY[one]), world) for one in endpoint.success)
    else:
        value = _responded(world) if "SD" not in endpoint.success else _under_control(world)
        if endpoint.denominator == "evaluated":
            value /= world.alive(1)
    yield Known(endpoint=endpoint.id, arm=world.arm.name, estimate="rate", months=None, value=value, unit="")


def _by_visit(world: _World) -> tuple[tuple[int, float], ...]:
    """Visits at which a response may start, and the share of subjects whose response does."""
    responders = world.arm.complete + world.arm.partial
    first = world.study.first_visit_response
    return (1, responders * first), (2, responders * (1 - first))


def _responded(world: _World) -> float:
    return sum(share * world.controlled(number) for number, share in _by_visit(world))


def _under_control(world: _World) -> float:
    """No progression at the first visit that is late enough for stable disease, or a response before."""
    enough = next(n for n, day in enumerate(world.due, 1) if day >= world.protocol.response.sd_min_days)
    held = world.controlled(enough)
    early = ((number, share) for number, share in _by_visit(world) if number < enough)
    return held + sum(share * (world.controlled(number) - held) for number, share in early)


def _operated(share: float, world: _World) -> float:
    arm = world.arm
    return share * world.at_visit(
        SURGERY_AFTER_VISIT,
        lambda day: exp(-arm.progression_rate * max(0, day) - arm.death_rate * max(0, day + SURGERY_DAYS)),
    )


def _converted(endpoint: Endpoint, world: _World) -> float:
    rule = endpoint.marker
    assert rule is not None
    plan = next(one for one in world.study.markers if one.test == rule.test)
    if rule.elevated_at_baseline:
        return plan.converts * world.alive(1)
    return (plan.elevated * plan.converts + 1 - plan.elevated) * world.alive(1)
