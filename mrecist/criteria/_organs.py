"""Which organ a lesion counts in: paired organs are one organ, and so are the lymph nodes of all stations.

Source: Eisenhauer 2009, 3.2 (two lesions per organ); RECIST Working Group FAQ (paired organs, nodes).
"""

from __future__ import annotations

import re

from mrecist.model import Kind, Measurement

# Words of place inside an organ, which do not make it another organ.
_INSIDE = re.compile(
    r"\b(?:left|right|bilateral|both|upper|lower|middle|lobes?|segments?|seg|lt|rt|[lr]|[rl][um]?l|rml|lingula|i{1,3}|iv[ab]?|vi{0,3}|s?\d[ab]?)\b"
)
_NAMES = {
    "lungs": "lung",
    "pulmonary": "lung",
    "kidneys": "kidney",
    "renal": "kidney",
    "ovaries": "ovary",
    "ovarian": "ovary",
    "adrenals": "adrenal",
    "adrenal gland": "adrenal",
    "adrenal glands": "adrenal",
    "suprarenal gland": "adrenal",
    "hepatic": "liver",
    "lymph nodes": "lymph node",
    "node": "lymph node",
    "nodes": "lymph node",
}


def organ_of(row: Measurement) -> str:
    """The organ in which a lesion counts, in small letters; "" when none is recorded."""
    return "lymph node" if row.kind is Kind.NODE else organ_word(row.organ)


def organ_word(text: str) -> str:
    """The organ that a cell names: "Left lung" and "lungs" are "lung", "Liver, segment 4a" is "liver"."""
    plain = " ".join(re.sub(r"[^\w\s]", " ", text.casefold().replace("_", " ")).split())
    organ = " ".join(_INSIDE.sub(" ", plain).split())
    return _NAMES.get(organ, organ) or plain
