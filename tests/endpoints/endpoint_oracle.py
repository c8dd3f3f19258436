"""Times to an event written a second time, day by day, from docs/endpoints.md and the sources it names.

It shares no line with the package: a subject is a bag of dates, and each endpoint is one walk from day 1 to the last day known.
Sources: FDA, Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics (2018), appendix 3; the derivations of PFS, OS
and RSD in admiralonco's ADTTE vignette (earliest event source, else the last assessment that is not NE; days = date - start + 1).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

DAY = timedelta(days=1)
EVALUATED = {"CR", "PR", "SD", "PD", "NON-CR/NON-PD"}
WORSE_THAN_CR = {"PR", "SD", "NON-CR/NON-PD"}


@dataclass
class Person:
    """What the tables say of a subject; ``visits`` are (day, response) in time."""

    name: str
    origin: date | None
    baseline: date
    visits: list[tuple[date, str]] = field(default_factory=list)
    death: date | None = None
    therapies: list[date] = field(default_factory=list)
    last_alive: date | None = None
    withdrawal: date | None = None
    resections: list[tuple[date, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Found:
    """A row of events.csv."""

    start: date
    end: date
    cnsr: int
    status: str
    event: str

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


def invent(number: int, seed: str) -> Person:
    """A subject of a study with visits every 8 weeks: kept, late, left out, not evaluable; a death, therapies, loss at any time."""
    dice = random.Random(f"{seed} {number}")
    origin = date(2020, 1, 1) + dice.randrange(120) * DAY
    one = Person(f"S{number}", origin, origin - dice.choice([0, 1, 1, 7, 14, 27]) * DAY)
    style = dice.choice(
        [("SD", "PR", "PR", "CR"), ("SD", "SD", "PR", "NE"), ("SD", "NE", "NON-CR/NON-PD", "CR"), ("CR", "CR", "PR")]
    )
    due = origin
    for _ in range(dice.randrange(9)):
        due += 56 * DAY * dice.choice([1, 1, 1, 1, 1, 1, 2, 3])
        seen = due + dice.choice([-8, -7, -7, -3, 0, 0, 0, 2, 7, 7, 8, 20]) * DAY
        response = dice.choice(style) if dice.random() < 0.82 else dice.choice(["PD", "PD", "NE", "SD"])
        if dice.random() < 0.02:
            seen = origin
        if seen > one.baseline and seen >= origin and (not one.visits or seen > one.visits[-1][0]):
            one.visits.append((seen, response))
    last = one.visits[-1][0] if one.visits else origin
    marks = [origin, last, *(day for day, _ in one.visits)]
    if dice.random() < 0.45:
        one.death = last + dice.choice([0, 1, 10, 60, 111, 112, 113, 150, 200]) * DAY
    for _ in range(dice.choice([0, 0, 0, 1, 1, 2])):
        day = dice.choice(marks) + dice.choice([-40, -10, -1, 0, 0, 1, 10, 40]) * DAY
        if one.death is None or day <= one.death:
            one.therapies.append(day)
    if dice.random() < 0.6:
        day = last + dice.choice([-100, -1, 0, 1, 30, 100]) * DAY
        one.last_alive = min(day, one.death or day)
    if dice.random() < 0.03:
        one.origin = None
    _leave_and_operate(one, dice, marks)
    return one


def _leave_and_operate(one: Person, dice: random.Random, marks: list[date]) -> None:
    if dice.random() < 0.3:
        one.withdrawal = dice.choice(marks) + dice.choice([-10, 0, 1, 30, 90]) * DAY
    for _ in range(dice.choice([0, 0, 1, 1, 2])):
        day = dice.choice(marks) + dice.choice([-30, 0, 1, 14, 60]) * DAY
        if one.death is None or day <= one.death:
            one.resections.append((day, dice.choice(["R0", "R0", "R1", "RX", ""])))


def until(one: Person, cutoff: date | None) -> Person:
    """What a table drawn on the cut-off holds: nothing later, and whoever did something later was alive on that day."""
    if cutoff is None:
        return one
    alive = cutoff if followed_after(one, cutoff) else one.last_alive
    return Person(
        one.name,
        one.origin,
        one.baseline,
        [(day, response) for day, response in one.visits if day <= cutoff],
        one.death if one.death and one.death <= cutoff else None,
        [day for day in one.therapies if day <= cutoff],
        alive,
        one.withdrawal if one.withdrawal and one.withdrawal <= cutoff else None,
        [(day, margin) for day, margin in one.resections if day <= cutoff],
    )


def followed_after(one: Person, cutoff: date) -> bool:
    """Somebody did something on a day after it. A withdrawal is no such day: an office dates it."""
    days = [day for day, _ in (*one.visits, *one.resections)] + one.therapies
    return any(day > cutoff for day in (*days, one.death or cutoff, one.last_alive or cutoff))


def progression(one: Person) -> date | None:
    """First PD, or the first evaluable response below CR after a CR (disease came back: RECIST 1.1 table 3, note)."""
    complete = False
    for day, response in one.visits:
        if response == "PD" or (complete and response in WORSE_THAN_CR):
            return day
        complete = complete or response == "CR"
    return None


def before_progression(one: Person) -> list[tuple[date, str]]:
    end = progression(one)
    return [(day, response) for day, response in one.visits if end is None or day < end]


def first_response(one: Person) -> date | None:
    return next((day for day, response in before_progression(one) if response in {"CR", "PR"}), None)


def confirmed_response(one: Person) -> date | None:
    """The first CR that a CR, or PR that a CR or PR, follows 28 days later or more, at most one NE and nothing else between."""
    visits = before_progression(one)
    for at, (day, response) in enumerate(visits):
        if response not in {"CR", "PR"}:
            continue
        unknown = 0
        for later, again in visits[at + 1 :]:
            good = again == "CR" or (again == "PR" and response == "PR")
            if good and (later - day).days >= 28 and unknown <= 1:
                return day
            if again == "NE":
                unknown += 1
            elif not good:
                break
    return None


def last_assessment(one: Person, start: date, to: date | None = None) -> date | None:
    days = [day for day, response in one.visits if response in EVALUATED and day > start and (to is None or day <= to)]
    return max(days, default=None)


def second_missed(one: Person, after: date, before: date) -> date | None:
    """Of the visits every 56 days from randomisation whose window of 7 days on both sides lies wholly between two days the second
    one: the day on which its window closes."""
    assert one.origin is not None
    count, due = 0, one.origin + 56 * DAY
    while due + 7 * DAY < before:
        count += due - 7 * DAY > after
        if count == 2:
            return due + 7 * DAY
        due += 56 * DAY
    return None


def alive(one: Person, start: date) -> date:
    known = [start, one.baseline, *(day for day, _ in (*one.visits, *one.resections)), *one.therapies]
    return max([*known, *([one.last_alive] if one.last_alive else [])])


def walk(
    one: Person,
    start: date,
    *,
    death: str,
    therapy: bool = False,
    two_missed: bool = False,
    none_seen: bool = False,
) -> Found:
    """Progression, and ``death`` as "event", "censored" (code 2), "competing" or "ignored", from ``start`` day by day."""
    worse = progression(one)
    # A therapy before day 1 is none of this clock.
    treated = min((day for day in one.therapies if day >= start), default=None)
    last_known = max([start, *(day for day in (worse, treated, one.death) if day)])
    day = start
    ends = min([day for day in (worse, one.death if death == "event" else None) if day], default=None)
    silent = None
    if two_missed and ends:
        seen = last_assessment(one, start, ends if worse != ends else ends - DAY)
        silent = second_missed(one, seen or start, ends)
    while day <= last_known:
        event = "pd" if day == worse else "death" if day == one.death and death == "event" else ""
        if event:
            return Found(start, day, 0, "event", event)
        if day == silent:
            return Found(start, last_assessment(one, start, day) or start, 4, "censored", "missed_visits")
        if day == one.death and death == "competing":
            return Found(start, day, 101, "competing", "death")
        if day == treated and therapy and not (day == one.death and death == "censored"):
            return Found(start, last_assessment(one, start, day) or start, 3, "censored", "new_anticancer_therapy")
        if day == one.death and death == "censored":
            return Found(start, last_assessment(one, start) or start, 2, "censored", "death")
        day += DAY
    end = last_assessment(one, start)
    if end is None and none_seen:
        return Found(start, start, 5, "censored", "no_postbaseline")
    return Found(start, end or start, 1, "censored", "no_event")


def survival(one: Person, start: date) -> Found:
    if one.death:
        return Found(start, one.death, 0, "event", "death")
    return Found(start, alive(one, start), 1, "censored", "no_event")


def withdrawn(one: Person, start: date) -> Found:
    """Progression; censored on the last day known alive by a withdrawal, at the last assessment by a death, the earlier one."""
    worse, left = progression(one), one.withdrawal if one.withdrawal and one.withdrawal >= start else None
    first = min(day for day in (worse, left, one.death, date.max) if day)
    if worse == first:
        return Found(start, worse, 0, "event", "pd")
    if left == first:
        return Found(start, max(alive(one, start), one.death or start), 8, "censored", "withdrawal")
    seen = last_assessment(one, start) or start
    return Found(start, seen, 2, "censored", "death") if one.death else Found(start, seen, 1, "censored", "no_event")


def resected(one: Person, start: date) -> Found:
    """The first resection with free margins; progression and death compete, on one day the resection counts, then progression."""
    clean = [day for day, margin in one.resections if margin == "R0" and day >= start]
    ends = [
        (day, code) for code, day in ((0, min(clean, default=None)), (101, progression(one)), (102, one.death)) if day
    ]
    if not ends:
        return Found(start, alive(one, start), 1, "censored", "no_event")
    day, code = min(ends)
    status, event = {0: ("event", "resection:R0"), 101: ("competing", "pd"), 102: ("competing", "death")}[code]
    return Found(start, day, code, status, event)


def half_a_year(found: Found) -> Found:
    """Cut after 183 days (6 months of 30.4375 days, rounded)."""
    horizon = found.start + 183 * DAY
    return found if found.end <= horizon else Found(found.start, horizon, 7, "censored", "horizon")


def at_cutoff(whole: Person, found: Found, cutoff: date) -> Found:
    """Who has no event and was followed after the cut-off is censored for that reason."""
    if found.event == "no_event" and followed_after(whole, cutoff):
        return Found(found.start, found.end, 6, "censored", "data_cutoff")
    return found


def derive(whole: Person, cutoff: date | None) -> dict[str, Found]:
    """Every endpoint of ``PROTOCOL`` that the subject has."""
    one = until(whole, cutoff)
    found: dict[str, Found] = {}
    if one.origin is not None:
        start = one.origin
        found["PFS"] = walk(one, start, death="event")
        found["FDA"] = walk(one, start, death="event", therapy=True, two_missed=True, none_seen=True)
        found["TTP"] = walk(one, start, death="censored", therapy=True)
        found["TTPC"] = walk(one, start, death="competing")
        found["OS"] = survival(one, start)
        found["HALF"] = half_a_year(found["PFS"])
        found["HALFOS"] = half_a_year(found["OS"])
        found["LEFT"] = withdrawn(one, start)
        found["TTRES"] = resected(one, start)
        if cutoff:
            found["CUT"] = at_cutoff(whole, found["PFS"], cutoff)
        for name, first in (("DOR", first_response(one)), ("CDOR", confirmed_response(one))):
            if first:
                found[name] = walk(one, first, death="event", therapy=True, two_missed=True)
    if (first := first_response(one)) is not None:
        found["PLAIN"] = walk(one, first, death="event")
    return found


NO_EVENT = '{ when = "no_event", cnsr = 1, at = "last_assessment" }'
THERAPY = '{ when = "new_anticancer_therapy", cnsr = 3, at = "last_assessment_before" }'
MISSED = '{ when = "missed_visits", count = 2, cnsr = 4, at = "last_assessment_before" }'
NONE_SEEN = '{ when = "no_postbaseline", cnsr = 5, at = "origin" }'
DEATH = '{ when = "death", cnsr = 2, at = "last_assessment" }'
ALIVE = '{ when = "no_event", cnsr = 1, at = "last_alive" }'
WITHDRAWN = '{ when = "withdrawal", cnsr = 8, at = "last_alive" }'
HORIZON = '{ when = "horizon", cnsr = 7, at = "trigger" }'
CUTOFF = '{ when = "data_cutoff", cnsr = 6, at = "last_assessment" }'


def _endpoint(name: str, events: str, *rules: str, more: str = "") -> str:
    return f'[[endpoint]]\nid = "{name}"\nkind = "time"\nevents = {events}\ncensor = [{", ".join(rules)}]\n{more}\n'


PROTOCOL = (
    "[schedule]\nvisits = [{ every_weeks = 8 }]\nwindow_days = 7\n"
    + _endpoint("PFS", '["pd", "death"]', NO_EVENT)
    + _endpoint("FDA", '["pd", "death"]', MISSED, THERAPY, NONE_SEEN, NO_EVENT)
    + _endpoint("TTP", '["pd"]', DEATH, THERAPY, NO_EVENT)
    + _endpoint("TTPC", '["pd"]', NO_EVENT, more='competing = ["death"]')
    + _endpoint("OS", '["death"]', ALIVE)
    + _endpoint("DOR", '["pd", "death"]', MISSED, THERAPY, NO_EVENT, more='origin = "first_response"')
    + _endpoint("PLAIN", '["pd", "death"]', NO_EVENT, more='origin = "first_response"')
    + _endpoint("CDOR", '["pd", "death"]', MISSED, THERAPY, NO_EVENT, more='origin = "first_confirmed_response"')
    + _endpoint("HALF", '["pd", "death"]', HORIZON, NO_EVENT, more="until_months = 6")
    + _endpoint("HALFOS", '["death"]', HORIZON, ALIVE, more="until_months = 6")
    + _endpoint("LEFT", '["pd"]', WITHDRAWN, DEATH, NO_EVENT)
    + _endpoint("TTRES", '["resection:R0"]', ALIVE, more='competing = ["pd", "death"]')
)
OF_CUTOFF = _endpoint("CUT", '["pd", "death"]', CUTOFF, NO_EVENT)


def tables(people: list[Person]) -> dict[str, str]:
    """overall.csv, subjects.csv and therapies.csv; the first therapy of every second subject stands in subjects.csv."""
    overall = ["subject,date,overall,baseline_date"]
    subjects = ["subject,arm,randomisation,death,last_alive,withdrawal,new_anticancer_therapy"]
    therapies, procedures = ["subject,date"], ["subject,date,procedure,outcome"]
    for number, one in enumerate(people):
        overall += [f"{one.name},{day},{response},{one.baseline}" for day, response in one.visits]
        own, other = (one.therapies[:1], one.therapies[1:]) if number % 2 else ([], one.therapies)
        cells = [one.origin, one.death, one.last_alive, one.withdrawal, *(own or [None])]
        subjects.append(",".join([one.name, "A", *(str(cell or "") for cell in cells)]))
        therapies += [f"{one.name},{day}" for day in other]
        procedures += [
            f"{one.name},{day},{'Hepatectomy' if number % 3 else 'RESECTION'},{margin}"
            for day, margin in one.resections
        ]
    random.Random(0).shuffle(rows := overall[1:])
    found = {"overall": [overall[0], *rows], "subjects": subjects, "therapies": therapies, "procedures": procedures}
    return {name: "\n".join(lines) + "\n" for name, lines in found.items()}
