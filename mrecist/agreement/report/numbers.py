"""Numbers of the tables as the page prints them."""

from __future__ import annotations

from collections.abc import Mapping

Row = Mapping[str, str]
NONE = "\N{EN DASH}"
WORDS = {
    "best_response": "best response",
    "objective_response": "objective response",
    "disease_control": "disease control",
    "progression": "progression, yes or no",
    "progression_date": "date of progression",
    "first_response_date": "date of first response",
    "visit_response": "visit response",
}
QUESTIONS = {"CR": "complete response", "OR": "objective response", "PD": "progression"}


def words(name: str) -> str:
    """A variable of the tables in words."""
    variable, _, question = name.partition(":")
    found = WORDS.get(variable, variable.replace("_", " "))
    return f"{found}: {QUESTIONS.get(question, question)}" if question else found


def percent(row: Row | None) -> str:
    """A share in percent, one decimal."""
    return NONE if row is None or not row["value"] else f"{points(row)} %"


def points(row: Row) -> str:
    """A share or a difference of shares as percentage points, one decimal."""
    return _minus(f"{100 * float(row['value']):.1f}") if row["value"] else NONE


def number(row: Row | None, digits: int = 3) -> str:
    """A number with so many decimals; a minus is a minus."""
    if row is None or not row["value"]:
        return NONE
    return _minus(f"{float(row['value']):.{digits}f}")


def between(row: Row | None, *, share: bool = False, digits: int = 3) -> str:
    """The interval of a number; empty where it has none."""
    if row is None or not row["low"] or not row["high"]:
        return ""
    factor, places = (100, 1) if share else (1, digits)
    low, high = (_minus(f"{factor * float(row[name]):.{places}f}") for name in ("low", "high"))
    return f"{low} to {high}"


def p_value(row: Row) -> str:
    """p with three decimals; what rounds to 0 is said to be smaller."""
    if not row["p"]:
        return NONE
    p = float(row["p"])
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def visit_of(group: str) -> int | None:
    """The time point of a group that is one visit of everybody."""
    name, _, value = group.partition("=")
    return int(value) if name == "visit" and value.isdecimal() else None


def place(group: str) -> str:
    """A visit in words."""
    timepoint = visit_of(group)
    return group if timepoint is None else "baseline" if timepoint == 0 else f"time point {timepoint}"
