"""Organ and station as TULOC and TULAT, modality and phase as --METHOD."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mrecist.criteria._organs import organ_word
from mrecist.model import Kind, Measurement
from mrecist.sdtm.codelists import LOCATIONS, METHODS, SEGMENTS
from mrecist.sdtm.terms import NODE_WORD

_SEGMENT = re.compile(r"\b(?:segments?|seg|couinaud|s)\.? ?(viii|vii|vi|iv ?[ab]|v|iii|ii|i|8|7|6|5|4 ?[ab]|3|2|1)\b")
_ROMAN = {"1": "i", "2": "ii", "3": "iii", "4a": "iva", "4b": "ivb", "5": "v", "6": "vi", "7": "vii", "8": "viii"}
_LOBES = {"left lobe": "LIVER, LEFT LOBE", "right lobe": "LIVER, RIGHT LOBE", "caudate": "LIVER, CAUDATE LOBE"}
_SIDE = re.compile(r"\b(left|right|bilateral)\b")
_WITHOUT_CONTRAST = ("native", "non contrast", "unenhanced", "without contrast", "precontrast")


@dataclass(frozen=True, slots=True)
class Place:
    """``detail`` is what was recorded, where the terms say less; ``extended``: the location is no term of LOC."""

    location: str = ""
    side: str = ""
    detail: str = ""
    extended: bool = False


def place_of(row: Measurement) -> Place:
    """Where a lesion lies."""
    words = " ".join(filter(None, (row.organ.strip(), row.station.strip())))
    plain = " ".join(words.casefold().replace("-", " ").split())
    if row.kind is Kind.NODE:
        location, side = _node(plain), ""
    else:
        location, side = (_liver(plain), "") if organ_word(row.organ) == "liver" else _organ(row.organ, plain)
    extended = bool(location) and location not in LOCATIONS
    told = plain in ("", location.casefold(), f"{side} {location}".casefold())
    return Place(location=location, side=side, detail="" if told else words, extended=extended)


def _liver(plain: str) -> str:
    segment = _SEGMENT.search(plain)
    if segment is not None:
        # "segments 5/6" is the liver, and the detail says which.
        name = segment[1].replace(" ", "")
        return "LIVER" if plain[segment.end() :].strip() else SEGMENTS[_ROMAN.get(name, name)]
    lobes = [term for word, term in _LOBES.items() if word in plain]
    return lobes[0] if len(lobes) == 1 else "LIVER"


def _node(plain: str) -> str:
    upper = f" {plain.upper()} "
    named = [term for term in LOCATIONS if f" {term.removesuffix(NODE_WORD).replace('-', ' ').strip()} " in upper]
    # "porta hepatis" and "portal" are two stations; the longest name is the most exact one.
    return max((term for term in named if term.endswith(f" {NODE_WORD}")), key=len, default=NODE_WORD)


def _organ(organ: str, plain: str) -> tuple[str, str]:
    term = organ_word(organ).upper()
    term = "ADRENAL GLAND" if term == "ADRENAL" else term
    side = _SIDE.search(plain)
    return (term, side[1].upper() if side else "") if term in LOCATIONS else (organ.strip().upper(), "")


def method_of(row: Measurement) -> str:
    """METHOD by the modality, and by the phase where one is recorded; a modality that has no term as it is."""
    modality = row.modality.strip().upper()
    phase = " ".join(row.phase.casefold().replace("-", " ").replace("_", " ").split())
    contrast = None if phase in ("", "unknown") else not any(word in phase for word in _WITHOUT_CONTRAST)
    return METHODS.get((modality, contrast), modality)
