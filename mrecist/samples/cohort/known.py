"""What the endpoints of a simulated study truly are: closed forms of the distributions that its subjects are drawn from.

All times are whole days, the ceiling of exponential times from the start of treatment: P(T > d) = exp(-rate d). Day 1 of an
endpoint is the first day of the study or the start of treatment, ``lead`` days later, uniform. A progression shows at the first
visit on or after it, a visit being 0 to ``late_days`` later than due, uniform. Where subjects differ (a factor that changes their
hazards, a progression outside the liver by the first visit) the value is the mean over these classes. Nothing else is assumed: the values
are for subjects who attend every visit and are followed to the end, so they are what an estimate approaches when few visits are missed
and losses are independent. Where no closed form is written down (responses at a month, duration of response), there is no row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from math import exp, prod

from mrecist.protocol import Endpoint, Protocol
from mrecist.samples.cohort.life import (
    REACTION_DAYS,
    SURGERY_AFTER_VISIT,
    SURGERY_DAYS,
    due_days,
    visits_start_at_entry,
)
from mrecist.samples.cohort.parameters import COMPLICATIONS, OUTCOMES, Arm, Study

HORIZON_DAYS = 12_000
_SURGERY = {"resection": "resection", "ablation": "ablation"}
_PROCEDURES = {"resection": "HEPATECTOMY", "ablation": "ABLATION"}
_ABLE = {"event:resectable": "resection", "event:ablatable": "ablation"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One true value: ``survival``, ``rate`` and the rows of other tables than ``estimates`` are shares, ``median`` is in months."""

    table: str = "estimates"
    endpoint: str
    arm: str
    covariate: str = ""
    estimate: str
    months: Decimal | None = None
    value: float
    unit: str = ""


@dataclass(frozen=True, slots=True)
class World:
    """One class of subjects of an arm: their share, their hazard, and whether they progress outside the liver by the first visit."""

    study: Study
    protocol: Protocol
    arm: Arm
    due: tuple[int, ...]
    share: float = 1.0
    hazard: float = 1.0
    progresses_first: bool = False

    @property
    def death_rate(self) -> float:
        """Deaths a day."""
        return self.arm.death_rate * self.hazard

    @property
    def progression_rate(self) -> float:
        """Progressions a day."""
        return self.arm.progression_rate * self.hazard

    def mean(self, of: Callable[[int], float]) -> float:
        """The mean over all leads."""
        return sum(map(of, self.study.leads)) / len(self.study.leads)

    def first_visit_day(self, number: int, lead: int) -> int:
        """The earliest day, from the start of treatment, of visit ``number`` (from 1)."""
        return self.due[number - 1] - (lead if visits_start_at_entry(self.study, self.protocol) else 0)

    def days_of(self, number: int, lead: int) -> list[int]:
        """Every possible day of a visit; all are as likely."""
        first = self.first_visit_day(number, lead)
        return [first + extra for extra in range(self.study.late_days + 1)]

    def unseen(self, last: int, lead: int) -> float:
        """P(no visit up to day ``last`` after the start of treatment shows a progression), lateness averaged over."""
        if self.progresses_first:
            days = self.days_of(1, lead)
            return sum(day > last for day in days) / len(days)
        rate = self.progression_rate
        number = sum(1 for n in range(1, len(self.due) + 1) if self.first_visit_day(n, lead) <= last)
        share, open_ended = 0.0, 1.0
        while number > 0:
            days = self.days_of(number, lead)
            held = [day for day in days if day <= last]
            share += open_ended * sum(exp(-rate * max(0, day)) for day in held) / len(days)
            open_ended *= 1 - len(held) / len(days)
            if open_ended == 0:
                return share
            number -= 1
        return share + open_ended

    def seen_falsely(self, last: int, lead: int) -> float:
        """P(a pseudoprogression shows up to day ``last``, and no progression does): who progresses by the second visit has none."""
        if not self.arm.pseudo:
            return 0.0
        one, two = self.days_of(1, lead), self.days_of(2, lead)
        if last >= two[-1]:
            return self.arm.pseudo * self.unseen(last, lead)
        shown = sum(day <= last for day in one) / len(one)
        return self.arm.pseudo * shown * sum(exp(-self.progression_rate * day) for day in two) / len(two)

    def controlled(self, number: int, also_alive: int = 0) -> float:
        """P(no progression by visit ``number``, and alive at it, or at visit ``also_alive``)."""
        if self.progresses_first:
            return 0.0
        other = also_alive or number

        def given(lead: int) -> float:
            if other == number:
                days = self.days_of(number, lead)
                return sum(exp(-(self.progression_rate + self.death_rate) * max(0, day)) for day in days) / len(days)
            progress, alive = self.days_of(number, lead), self.days_of(other, lead)
            return (
                sum(exp(-self.progression_rate * max(0, day)) for day in progress)
                * sum(exp(-self.death_rate * max(0, day)) for day in alive)
                / (len(progress) * len(alive))
            )

        return self.mean(given)

    def alive(self, number: int) -> float:
        """P(alive at visit ``number``)."""
        return self.at_visit(number, lambda day: exp(-self.death_rate * max(0, day)))

    def at_visit(self, number: int, of: Callable[[int], float]) -> float:
        """The mean of a function of the day of a visit, from the start of treatment, over leads and lateness."""
        late = range(self.study.late_days + 1)
        return self.mean(lambda lead: sum(of(self.first_visit_day(number, lead) + x) for x in late) / len(late))


def worlds_of(study: Study, protocol: Protocol, arm: Arm) -> tuple[World, ...]:
    """Every class of subjects of an arm, with its share."""
    due = tuple(due_days(protocol, HORIZON_DAYS))
    factor, spread = study.factor, study.spread
    hazards = [(1.0, 1.0)] if factor is None else [(factor.share, factor.hazard_ratio), (1 - factor.share, 1.0)]
    early = spread.disease * spread.progresses if spread is not None else 0.0
    return tuple(
        World(study, protocol, arm, due, share * part, hazard, first)
        for share, hazard in hazards
        for part, first in ((1 - early, False), (early, True))
        if part
    )


def known_values(study: Study, protocol: Protocol) -> Iterator[Known]:
    """The true value of every endpoint that has a closed form, arm by arm, then those of the other tables."""
    for endpoint in protocol.endpoints:
        for arm in study.arms:
            worlds = worlds_of(study, protocol, arm)
            yield from (_times if endpoint.kind == "time" else _shares)(endpoint, worlds)
        yield from _ratios(endpoint, study)
    for arm in study.arms:
        worlds = worlds_of(study, protocol, arm)
        yield from _reactions(worlds)
        yield from _complications(worlds[0])
        yield from _eligible(worlds[0])


# --- times -----------------------------------------------------------------------------------------------------------


def _times(endpoint: Endpoint, worlds: Sequence[World]) -> Iterator[Known]:
    one = worlds[0]
    if endpoint.origin in ("first_response", "first_confirmed_response") or "resection" in endpoint.events:
        return
    month = float(one.protocol.design.days_per_month)
    for months in endpoint.at_months:
        value = survival(endpoint, worlds, int(float(months) * month))
        yield Known(endpoint=endpoint.id, arm=one.arm.name, estimate="survival", months=months, value=value)
    median = median_days(endpoint, worlds)
    if endpoint.until_months is not None and median > float(endpoint.until_months) * month:
        return  # no event is counted so late
    yield Known(endpoint=endpoint.id, arm=one.arm.name, estimate="median", value=median / month, unit="months")


def survival(endpoint: Endpoint, worlds: Sequence[World], days: int) -> float:
    """P(time > ``days``), where the day of the origin is day 1."""
    return sum(world.share * _survival(endpoint, world, days) for world in worlds)


def _survival(endpoint: Endpoint, world: World, days: int) -> float:
    from_entry, immune = _from_entry(endpoint, world), endpoint.criterion == "irecist"

    def given(lead: int) -> float:
        last = days - 1 - (lead if from_entry else 0)
        value = 1.0
        for event in endpoint.events:
            if event == "pd":
                value *= world.unseen(last, lead) - (0.0 if immune else world.seen_falsely(last, lead))
            else:
                rate = world.death_rate if event == "death" else world.arm.untreatable_rate
                value *= exp(-rate * max(0, last))
        return value

    return world.mean(given)


def median_days(endpoint: Endpoint, worlds: Sequence[World]) -> int:
    """The first day by which half of the subjects have had the event."""
    low, high = 1, HORIZON_DAYS
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if survival(endpoint, worlds, middle) <= 0.5 else (middle + 1, high)
    return low


def _from_entry(endpoint: Endpoint, world: World) -> bool:
    origin = endpoint.origin or world.protocol.origin.event
    if origin.startswith("procedure:"):
        return any(one.at_entry for one in world.arm.courses if one.procedure == origin.partition(":")[2])
    return origin in world.study.entry


def _ratios(endpoint: Endpoint, study: Study) -> Iterator[Known]:
    """Hazard ratios of deaths: of arms, and of the factor. One that changes no hazard has the ratio 1.

    Only deaths, which are dated to the day: a progression is dated by a scan, where a ratio of hazards is not quite kept.
    """
    if endpoint.events != ("death",):
        return
    if "cox" in endpoint.tests:
        for arm in study.arms[1:]:
            ratio = arm.death_rate / study.arms[0].death_rate
            yield Known(endpoint=endpoint.id, arm=arm.name, estimate="hazard_ratio", value=ratio)
    for name in endpoint.groups if len(study.arms) == 1 else ():
        ratio = study.factor.hazard_ratio if study.factor is not None and study.factor.column == name else 1.0
        yield Known(
            endpoint=endpoint.id,
            arm=study.arms[0].name,
            covariate=f"{name}=1",
            estimate="hazard_ratio_univariable",
            value=ratio,
        )


# --- shares ----------------------------------------------------------------------------------------------------------


def _shares(endpoint: Endpoint, worlds: Sequence[World]) -> Iterator[Known]:
    share = _share_of(endpoint)
    if share is None:
        return
    value = sum(world.share * share(endpoint, world) for world in worlds)
    if endpoint.denominator in ("assessed", "evaluated"):
        value /= sum(world.share * world.alive(1) for world in worlds)
    yield Known(endpoint=endpoint.id, arm=worlds[0].arm.name, estimate="rate", value=value)


def _share_of(endpoint: Endpoint) -> Callable[[Endpoint, World], float] | None:
    """What gives the share of an endpoint; None where no closed form is written down."""
    success = set(endpoint.success)
    if endpoint.kind == "change" or endpoint.at_months:
        return None
    if endpoint.marker_rules:
        return _converted
    if {word.partition(":")[0] for word in success} <= _SURGERY.keys():
        return _operated
    if success <= _ABLE.keys():
        return _judged
    responses = {word.removeprefix("i") for word in success} - {"NON-CR/NON-PD", "NON-iCR/NON-iUPD"}
    if responses == {"CR", "PR"}:
        return {"": _responded, "intrahepatic": _responded, "extrahepatic": _responded_outside}[endpoint.region]
    if responses == {"CR", "PR", "SD"}:
        return {"": _under_control, "intrahepatic": _liver_held, "extrahepatic": _held_outside}[endpoint.region]
    return None


def _by_visit(world: World) -> tuple[tuple[int, float], ...]:
    """Visits at which a response may start, and the share of subjects whose response does."""
    responders = world.arm.complete + world.arm.partial
    first = world.study.first_visit_response
    return (1, responders * first), (2, responders * (1 - first))


def _responded(endpoint: Endpoint, world: World) -> float:
    """A response; with a pseudoprogression none by RECIST 1.1, and by iRECIST none before the second visit."""
    value = sum(share * world.controlled(number) for number, share in _by_visit(world))
    if not world.arm.pseudo:
        return value
    (_, first), (_, second) = _by_visit(world)
    lost = first * world.controlled(2, also_alive=1)
    kept = first * world.controlled(2)
    return value - world.arm.pseudo * (
        lost - kept if endpoint.criterion == "irecist" else lost + second * world.controlled(2)
    )


def _under_control(endpoint: Endpoint, world: World) -> float:
    """No progression at the first visit that is late enough for stable disease, or a response before."""
    enough = next(n for n, day in enumerate(world.due, 1) if day >= world.protocol.response.sd_min_days)
    held = world.controlled(enough)
    early = ((number, share) for number, share in _by_visit(world) if number < enough)
    value = held + sum(share * (world.controlled(number) - held) for number, share in early)
    if not world.arm.pseudo:
        return value
    assert enough == 1
    falsely = world.controlled(2, also_alive=1)
    back = world.controlled(2) if endpoint.criterion == "irecist" else 0.0
    return value - world.arm.pseudo * (falsely - back)


def _liver_held(_endpoint: Endpoint, world: World) -> float:
    """Assessed, and no progression in the liver at the first visit: one that is outside leaves the liver stable."""
    if world.progresses_first:
        return world.alive(1)
    inside = 1 - world.study.outside
    return world.alive(1) - inside * (world.alive(1) - world.controlled(1))


def _responded_outside(_endpoint: Endpoint, world: World) -> float:
    """Of those with disease outside the liver; ``World.share`` counts all, so those who progress first are weighed anew."""
    spread = world.study.spread
    assert spread is not None
    if world.progresses_first:
        return 0.0
    first = world.study.first_visit_response
    at = world.controlled(1) * first + world.controlled(2) * (1 - first)
    return spread.responds * at / _not_first(world)


def _held_outside(_endpoint: Endpoint, world: World) -> float:
    spread = world.study.spread
    assert spread is not None
    if world.progresses_first:
        return 0.0
    evaluable = 1 - spread.progresses - spread.unevaluable
    held = world.alive(1) - world.study.outside * (world.alive(1) - world.controlled(1))
    return evaluable * held / _not_first(world)


def _not_first(world: World) -> float:
    """The share of all subjects, given the hazard, in worlds that do not progress first."""
    spread = world.study.spread
    assert spread is not None
    return 1 - spread.disease * spread.progresses


def _operated(endpoint: Endpoint, world: World) -> float:
    share = sum(map(partial(_surgery, world.arm), endpoint.success))
    return share * world.at_visit(
        SURGERY_AFTER_VISIT,
        lambda day: exp(-world.progression_rate * max(0, day) - world.death_rate * max(0, day + SURGERY_DAYS)),
    )


def _surgery(arm: Arm, event: str) -> float:
    """The share of subjects for whom a surgery is planned, that with one outcome where the event names it."""
    kind, _, outcome = event.partition(":")
    planned = float(getattr(arm, _SURGERY[kind]))
    return planned * dict(OUTCOMES[_PROCEDURES[kind]])[outcome] if outcome else planned


def _judged(endpoint: Endpoint, world: World) -> float:
    share = sum(getattr(world.arm, _ABLE[one]) for one in endpoint.success)
    return float(share) * world.controlled(SURGERY_AFTER_VISIT)


def _converted(endpoint: Endpoint, world: World) -> float:
    """Markers are drawn independently of each other: all that are asked for were elevated, where the whole population counts, and fell."""
    plans = {one.test: one for one in world.study.markers}
    value = world.alive(1)
    for rule in endpoint.marker_rules:
        plan = plans[rule.test]
        value *= plan.converts * (plan.elevated if endpoint.denominator == "population" else 1.0)
    return value


# --- safety and eligibility ------------------------------------------------------------------------------------------


def _reactions(worlds: Sequence[World]) -> Iterator[Known]:
    """Shares of treated subjects with an adverse event; nothing where a window ends the counting."""
    one = worlds[0]
    if not one.protocol.safety.asked or one.protocol.safety.window_days is not None:
        return
    toxicities = one.study.toxicities
    for name, shares in (
        ("any", [toxicity.any_grade for toxicity in toxicities]),
        (">=3", [toxicity.severe for toxicity in toxicities]),
    ):
        for toxicity, share in zip(toxicities, shares, strict=True):
            yield _adverse(worlds, toxicity.term, name, [share], 0.0)
        yield _adverse(worlds, "", name, shares, one.arm.fatal)
    yield _adverse(worlds, "", "5", [], one.arm.fatal)


def _adverse(worlds: Sequence[World], term: str, grade: str, shares: Sequence[float], fatal: float) -> Known:
    """P(at least one of some events before death, or a death of grade 5): each begins on one of the first days, uniformly."""

    def given_death(day: int) -> float:
        began = min(day - 1, REACTION_DAYS) / REACTION_DAYS
        died = fatal if day <= REACTION_DAYS else 0.0
        return 1 - (1 - died) * prod(1 - share * began for share in shares)

    value = 0.0
    for world in worlds:
        rate, later = world.death_rate, REACTION_DAYS + 1
        days = range(1, later)
        mean = sum((exp(-rate * (day - 1)) - exp(-rate * day)) * given_death(day) for day in days)
        value += world.share * (mean + exp(-rate * REACTION_DAYS) * given_death(later))
    return Known(table="adverse_events", endpoint=term, arm=worlds[0].arm.name, estimate=grade, value=value)


def _complications(world: World) -> Iterator[Known]:
    """Shares of the operated subjects, where a procedure is done once."""
    for procedure in world.protocol.safety.clavien_procedures:
        if any(one.procedure == procedure and one.most > 1 for one in world.arm.courses):
            continue
        grades = dict(COMPLICATIONS[procedure])
        severe = sum(share for grade, share in grades.items() if grade not in ("I", "II"))
        for name, value in (("any", sum(grades.values())), (">=IIIa", severe), ("V", grades.get("V", 0.0))):
            yield Known(table="clavien_dindo", endpoint=procedure, arm=world.arm.name, estimate=name, value=value)


def _eligible(world: World) -> Iterator[Known]:
    """A response before that is low or a failure, and one of one or two targets that is measurable for sure."""
    before, rules = world.study.before, world.protocol.eligibility
    if before is None:
        return
    fits = sum(share for word, share in before.responses if word in (*rules.low_response, *rules.failure))
    sure = 1 - before.treated + before.treated * before.progressed
    measurable = (sure + 1 - (1 - sure) ** 2) / 2
    yield Known(table="eligibility", endpoint="", arm=world.arm.name, estimate="eligible", value=fits * measurable)
