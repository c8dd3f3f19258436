"""Words that readers write into organ, station and comment, and what they say of a lesion."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mrecist.model import Measurement

# Tumour in a vessel.
VESSELS = {
    "thrombus": r"\bthromb(?:us|i|osis|osed)\b|\bpvtt?\b|\btumou?r in vein\b",
    "vascular invasion": r"\b(?:macro|micro)?vascular (?:invasion|infiltration)\b|\b(?:vein|venous|vena cava|ivc) invasion\b",
}
# A comment that rules the thing out: "no PVT", "not infiltrative", "without ascites", "next to a cyst".
_RULED_OUT = re.compile(r"\b(?:no|not|non|without|negative for|next to|beside|near|adjacent to|excluding)\b[^.;,]*$")


def named(row: Measurement, patterns: Mapping[str, str]) -> str:
    """The first of ``patterns`` (name -> regular expression) that a row names, and where; "" = none."""
    for column in ("organ", "station", "comment"):
        text = str(getattr(row, column)).casefold()
        for name, pattern in patterns.items():
            found = re.search(pattern, text)
            if found and not (column == "comment" and _RULED_OUT.search(text[: found.start()])):
                return f"{name} ({column} '{getattr(row, column)}')"
    return ""
