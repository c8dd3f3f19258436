"""Words that readers write into organ, station and comment, and what they say of a lesion."""

from __future__ import annotations

import re

from mrecist.criteria._said import VESSELS, named
from mrecist.model import Measurement

# What is not measurable, or not by itself (Eisenhauer 2009, 3.1.1 and 3.1.2).
_UNFIT = {
    "bone": r"\b(?:bones?|osseous|skelet\w*|vertebra\w*|sacr(?:um|al)|ili(?:um|ac bone)|femur|ribs?|blastic|osteoblastic)\b",
    "cyst": r"\bcyst(?:s|ic)?\b",
    "effusion or ascites": r"\b(?:effusions?|ascites)\b",
    "leptomeningeal disease": r"\bleptomening\w*",
    "lymphangitic spread": r"\blymphangi\w*",
    "inflammatory breast disease": r"\binflammatory breast\b",
}
_MEASURABLE_PART = re.compile(r"\b(?:soft[- ]tissue|solid)\b")
# What mRECIST takes as non-target (Lencioni & Llovet 2010).
_VASCULAR = {
    **VESSELS,
    "infiltrative growth": r"\binfiltrat\w*|\bdiffuse\b|\bill[- ]defined\b",
}
_NODE = re.compile(r"\b(?:lymph ?nodes?|nodes?|nodal|lymphadenopathy|lymphonod\w*)\b")


def unfit_word(row: Measurement) -> str:
    """What organ, station or comment names that is not measurable; "" = nothing, or a measurable part is named too."""
    text = f"{row.organ} {row.station} {row.comment}".casefold()
    return "" if _MEASURABLE_PART.search(text) else named(row, _UNFIT)


def vascular_word(row: Measurement) -> str:
    """Tumour thrombus, vascular invasion or infiltrative growth, as organ, station or comment names it; "" = nothing."""
    return named(row, _VASCULAR)


def says_node(row: Measurement) -> bool:
    """Organ or station names a lymph node."""
    return bool(_NODE.search(f"{row.organ} {row.station}".casefold()))
