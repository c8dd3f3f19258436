"""How categories, sizes and names look: the one place where chips, plots and tables take their colours and words from.

The colours are told apart by people with colour vision deficiency (after Okabe and Ito), and each always stands with its word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from mrecist.units import difference, percent_change, show


@dataclass(frozen=True, slots=True)
class Look:
    """``fill`` and ``ink`` are the chip and the bar, ``line`` is the same hue with contrast on white and on dark."""

    css: str
    fill: str
    ink: str
    line: str
    meaning: str


LOOKS = {
    "CR": Look("cr", "#00704f", "#ffffff", "#00855f", "complete response"),
    "PR": Look("pr", "#8cc5ee", "#08263c", "#2b86c5", "partial response"),
    "SD": Look("sd", "#f0cf73", "#3a2a00", "#b58100", "stable disease"),
    "NON-CR/NON-PD": Look("non", "#f6ecc9", "#3a2a00", "#8c7a3d", "neither complete response nor progression"),
    "PD": Look("pd", "#b5310a", "#ffffff", "#c8400f", "progressive disease"),
    "NE": Look("ne", "#d9dee4", "#1d262f", "#77818c", "not evaluable"),
    "NA": Look("na", "#ffffff", "#1d262f", "#8a949e", "not applicable, or no such disease"),
    "MISSING": Look("na", "#ffffff", "#1d262f", "#8a949e", "no assessment"),
}
# iRECIST in the colours of its neighbours; a progression that waits for confirmation is lighter than a confirmed one.
LOOKS |= {
    "iCR": replace(LOOKS["CR"], meaning="complete response (iRECIST)"),
    "iPR": replace(LOOKS["PR"], meaning="partial response (iRECIST)"),
    "iSD": replace(LOOKS["SD"], meaning="stable disease (iRECIST)"),
    "NON-iCR/NON-iUPD": replace(LOOKS["NON-CR/NON-PD"], meaning="neither complete response nor progression (iRECIST)"),
    "iUPD": Look("upd", "#f6bd9f", "#4a1400", "#c8400f", "progression, not confirmed (iRECIST)"),
    "iCPD": replace(LOOKS["PD"], meaning="progression, confirmed (iRECIST)"),
}
_OTHER = Look("na", "#ffffff", "#1d262f", "#8a949e", "")

# Plots are drawn in these; the report replaces them by the colours of light or dark mode.
INK, MUTED, RULE, PAPER = "#1c252e", "#5a6570", "#dde2e7", "#fefefe"

LONGEST_LABEL = 28
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]+")


def look_of(category: str | None) -> Look:
    """The look of a category; one that is not known looks neutral."""
    return LOOKS.get(category or "", _OTHER)


def plain(text: str) -> str:
    """Text without control characters, which neither HTML nor SVG may hold."""
    return _CONTROL.sub(" ", text).strip()


def unbroken(text: str) -> str:
    """A size that stays on one line."""
    return text.replace(" ", "\u00a0")


def label_of(subject: str, reader: str, *, several_readers: bool) -> str:
    """The name of a read in a plot: the subject, and the reader where there are several."""
    name = plain(subject)
    room = LONGEST_LABEL - (len(plain(reader)) + 3 if several_readers else 0)
    if len(name) > max(room, 8):
        name = name[: max(room, 8) - 1] + "…"
    return f"{name} · {plain(reader)}" if several_readers else name


def natural(text: str) -> list[tuple[int, int, str]]:
    """Sorting key that puts S-2 before S-10."""
    parts = re.findall(r"[0-9]{1,18}|[^0-9]+|[0-9]+", text)
    return [(0, int(p), p) if p.isascii() and p.isdigit() and len(p) <= 18 else (1, 0, p) for p in parts]


def signed(value: Decimal) -> str:
    """A number with its sign, minus as a minus and not as a hyphen: "+4.2", "−30", "0"."""
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{show(abs(value))}"


def percent(value: Decimal | None) -> str:
    """A percentage with one decimal, unless that would read as the whole number beside it: "−29.9999 %", "−29.4 %".

    Cut-offs are whole numbers, so a number just short of one never reads as if it had reached it.
    """
    if value is None:
        return "not defined"
    short = value.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
    if short % 1 == 0 and short != value:
        longer = value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
        short = value if longer == short else longer
    return f"{signed(short)} %"


def percent_from(value: Decimal, reference: Decimal) -> str:
    """The change in percent in words for a cell."""
    change = percent_change(value, reference)
    return "from 0" if change is None else percent(change)


def mm_from(value: Decimal, reference: Decimal, unit: str) -> str:
    """The change in mm: "+7 mm"."""
    return unbroken(f"{signed(difference(value, reference))} {unit}")
