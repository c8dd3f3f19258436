"""Sentences and names that the panel shows. No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from mrecist.dates import day_words
from mrecist.model import Margins, Response
from mrecist.response.flags import MEANING
from mrecist.session.case import Case
from mrecist.session.state import Mark, Provenance
from mrecist.units import show


def visit_name(timepoint: int) -> str:
    """BL, FU1, FU2, ..."""
    return "BL" if timepoint == 0 else f"FU{timepoint}"


def day_text(case: Case, timepoint: int) -> str:
    """The days of a visit counted from baseline, or its first date where there is no baseline scan."""
    visit = case.visit(timepoint)
    first = case.visits[0]
    if first.timepoint != 0:
        return visit.date.isoformat()
    return f"day {day_words((visit.date - first.date).days, (visit.last_date - first.date).days)}"


def clock_text(at: str) -> str:
    """Hours and minutes of a saved time (ISO 8601, UTC), as on the clock on the wall."""
    return datetime.fromisoformat(at.replace("Z", "+00:00")).astimezone().strftime("%H:%M")


def flag_meaning(flag: str) -> str:
    """A flag of a response row in words."""
    code, _, detail = flag.partition(":")
    said = MEANING.get(code, "")
    return f"{detail}: {said}" if detail else said


def would_change(margins: Margins | None) -> str:
    """What would change the overall response: the nearest lesion, and the sum; empty where no size can."""
    if margins is None:
        return ""
    parts = []
    nearest = margins.nearest_lesion()
    if nearest is not None:
        lesion, by, gives = nearest
        parts.append(f"{lesion} {_more(by, margins.unit)} alone gives {gives}")
    for flip, sign in ((margins.less, -1), (margins.more, 1)):
        if flip is not None and (nearest is None or not _same(flip.by * sign, flip.gives, nearest)):
            parts.append(f"a sum {_more(flip.by * sign, margins.unit)} gives {flip.gives}")
    return "; ".join(parts) or "no change of a size would give another category"


def _more(by: Decimal, unit: str) -> str:
    return f"{show(abs(by))} {unit} {'larger' if by > 0 else 'smaller'}"


def _same(by: Decimal, gives: Response, nearest: tuple[str, Decimal, Response]) -> bool:
    return (by, gives) == nearest[1:]


def reason_parts(reason: str) -> tuple[str, str]:
    """A reason without its sources, and the sources: ``[Eisenhauer 2009, 4.3.1]`` are for the tooltip."""
    said: list[str] = []
    sources: list[str] = []
    depth = 0
    for letter in reason:
        depth += letter == "["
        (sources if depth else said).append(letter)
        depth -= letter == "]"
    text = "".join(said).replace(" ;", ";").replace("  ", " ").strip()
    return text, "".join(sources).replace("][", "]\n[")


def origin_lines(provenance: Provenance) -> Iterator[str]:
    """How a mask came to be."""
    version = provenance.parameters.get("version")
    yield provenance.method + (f" (mrecist {version})" if version else "")
    if provenance.parameters.get("segmenter"):
        yield proposed_by(provenance)
    if provenance.prompts:
        yield "given: " + ", ".join(key for prompt in provenance.prompts for key in prompt)
    if provenance.parameters.get("phases"):
        yield "phases: " + ", ".join(str(phase).lower() for phase in provenance.parameters["phases"])
    cutoff = provenance.parameters.get("cutoff")
    if cutoff is not None:
        by = provenance.parameters.get("cutoff_by", "")
        yield f"viable from {float(cutoff):.0f} HU" + (f" ({by})" if by else "")
    if provenance.edits:
        yield f"edits by hand: {len(provenance.edits)}, the last: {provenance.edits[-1].words()}"


def proposed_by(provenance: Provenance) -> str:
    """Who made a mask, with the licence of its weights where it has any; the method where no segmenter made it."""
    name, version, licence = (
        provenance.parameters.get(k) for k in ("segmenter", "segmenter_version", "weights_licence")
    )
    if not name:
        return provenance.method
    return f"by {name} {version}" + (f", weights {licence}" if licence else "")


def split_from(mark: Mark) -> str:
    """The lesion that a part split from; empty for any other."""
    return mark.part_of if mark.part_of and mark.state != "merged" else ""
