"""How numbers and events are printed, the same in figures and in the report: one decimal for months and percent, two for ratios.

Numbers are rounded, a half upwards, from the six significant digits that stand in estimates.csv, so that both say what the table says.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

NO_LIMIT = "not reached"
"""A limit that the data do not reach."""


def rounded(value: float | str, digits: int) -> str:
    """A number with so many decimals and a minus that is one."""
    exact = Decimal(value if isinstance(value, str) else f"{value:.6g}")
    short = exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{short:f}".replace("-", "−") if short else f"{abs(short):f}"


def percent(value: float | str, digits: int = 1) -> str:
    """A share as a number of percent, without the sign."""
    exact = Decimal(value if isinstance(value, str) else f"{value:.6g}")
    return rounded(str(exact * 100), digits)


def p_value(value: float | str) -> str:
    """Three decimals; ``< 0.001`` below that, ``> 0.999`` above."""
    exact = float(value)
    if exact < 0.001:
        return "< 0.001"
    return "> 0.999" if exact > 0.9995 else rounded(value, 3)


_EVENTS = {
    "pd": "progression",
    "no_postbaseline": "no assessment after day 1",
    "data_cutoff": "data cut-off",
    "lost_to_follow_up": "loss to follow-up",
    "child_pugh_c_after_tace": "Child-Pugh C after TACE",
}


def event_name(event: str) -> str:
    """An event or a rule of the protocol as figures and tables call it: ``event:liver_failure`` is "liver failure"."""
    return _EVENTS.get(event, event.partition(":")[2] or event).replace("_", " ")
