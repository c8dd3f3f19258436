"""Categories in their order, and the questions that are asked of them with yes or no."""

from __future__ import annotations

from collections.abc import Iterable

from mrecist.model import Response

# Best first. Categories of one place are ordered alike: disease that is neither gone nor progressing.
_PLACES: tuple[tuple[Response, ...], ...] = (
    (Response.CR, Response.ICR),
    (Response.PR, Response.IPR),
    (Response.SD, Response.NON_CR_NON_PD, Response.ISD, Response.NON_ICR_NON_IUPD),
    (Response.PD, Response.IUPD),
    (Response.ICPD,),
)
_PLACE = {response: place for place, responses in enumerate(_PLACES) for response in responses}
_IMMUNE = (Response.ICR, Response.IPR, Response.ISD, Response.IUPD, Response.ICPD)
NAMES = tuple(responses[0] for responses in _PLACES)
PROGRESSION = frozenset({Response.PD, Response.IUPD, Response.ICPD})
_COMPLETE = frozenset({Response.CR, Response.ICR})
_RESPONSE = _COMPLETE | {Response.PR, Response.IPR}
QUESTIONS: dict[str, frozenset[Response]] = {"CR": _COMPLETE, "OR": _RESPONSE, "PD": PROGRESSION}


def place_of(response: Response | None) -> int | None:
    """The place on the scale from CR (0) to iCPD (4); None for NE, NA, MISSING: they have none."""
    return None if response is None else _PLACE.get(response)


def answer(question: str, response: Response | None) -> int | None:
    """1 or 0 whether the category answers ``CR``, ``OR`` or ``PD`` with yes; None where there is no category on the scale."""
    return None if place_of(response) is None else int(response in QUESTIONS[question])


def span_in_use(places: Iterable[int | None]) -> range:
    """The scale from the best to the worst category in use; every category between counts, also one that nobody gave."""
    there = [place for place in places if place is not None]
    return range(min(there), max(there) + 1) if there else range(0)


def labels(span: range, immune: bool) -> list[str]:
    """The categories of a part of the scale by name; ``immune``: as iRECIST writes them."""
    return [str((_IMMUNE if immune else NAMES)[place]) for place in span]
