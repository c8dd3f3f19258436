"""What two readers may differ in: the variables of adjudication, each with its value in a read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from mrecist.agreement.reads import Track, best_of
from mrecist.agreement.scales import PROGRESSION
from mrecist.dates import days_between
from mrecist.errors import InputError
from mrecist.protocol import ResponseRules

BEST_RESPONSE, PROGRESSED, PROGRESSION_DATE = "best_response", "progression", "progression_date"
FIRST_RESPONSE_DATE, VISIT_RESPONSE = "first_response_date", "visit_response"
VARIABLES = (BEST_RESPONSE, PROGRESSED, PROGRESSION_DATE, FIRST_RESPONSE_DATE, VISIT_RESPONSE)
_SHORT = {"pd": PROGRESSED, "pd_date": PROGRESSION_DATE}
"""Other words for two of them, as protocols write them."""
_NEED_DATES = (BEST_RESPONSE, PROGRESSION_DATE, FIRST_RESPONSE_DATE)

Value = str | date | None


def known_variables(names: tuple[str, ...], where: str) -> tuple[str, ...]:
    """The names, each once; raises :class:`InputError` for one that is no variable."""
    meant = tuple(_SHORT.get(name, name) for name in names)
    for name in meant:
        if name not in VARIABLES:
            raise InputError(f"{where}: '{name}' is nothing that readers are compared by; use {', '.join(VARIABLES)}")
    return tuple(dict.fromkeys(meant))


def derivable(names: tuple[str, ...], *, dated: bool) -> tuple[str, ...]:
    """Without dates those that need none."""
    return names if dated else tuple(name for name in names if name not in _NEED_DATES)


def value_of(variable: str, track: Track, rules: ResponseRules) -> Value:
    """The value of a variable of the whole read; None: no such date."""
    if variable == BEST_RESPONSE:
        best = best_of(track, rules)
        return None if best is None else str(best)
    if variable == FIRST_RESPONSE_DATE:
        if track.best is None:
            return None
        return track.best.confirmed_response_date if rules.confirm_required else track.best.first_response_date
    if variable == PROGRESSION_DATE:
        return None if track.best is None else track.best.progression_date
    return "yes" if _progressed(track) else "no"


def _progressed(track: Track) -> bool:
    """By the best response, which ends where the protocol's ``cut`` says; without dates by the visits."""
    if track.best is not None:
        return track.best.progression_date is not None
    return any(visit.overall in PROGRESSION for visit in track.follow_ups().values())


def visit_values(one: Track, other: Track) -> Iterator[tuple[int, Value, Value]]:
    """(time point, response, response) of each visit that both have."""
    mine, theirs = one.follow_ups(), other.follow_ups()
    for timepoint in sorted(mine.keys() & theirs.keys()):
        yield timepoint, str(mine[timepoint].overall), str(theirs[timepoint].overall)


def differ(one: Value, other: Value, tolerance_days: int) -> bool:
    """Whether two values are different; dates by more than the tolerance, and a date from none always."""
    if isinstance(one, date) and isinstance(other, date):
        return abs(days_between(one, other)) > tolerance_days
    return one != other
