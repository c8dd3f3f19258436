"""What stands in the cells of a subject's table. A cell without a value says why in words; it never says 0."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from mrecist.model import Basis, Change, Kind, Measurement, Response, Role, State, VisitResponse, VisitStability
from mrecist.report.look import mm_from, percent_from, plain, unbroken
from mrecist.units import show


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """``main`` in normal weight, ``more`` in small lines below; ``tone`` is "", "quiet", "missing" or "alarm".

    ``category`` makes ``main`` a chip; ``flags`` are codes with their meaning.
    """

    main: str = ""
    more: tuple[str, ...] = ()
    tone: str = ""
    category: str = ""
    title: str = ""
    flags: tuple[str, ...] = ()


NOT_EVALUATED = Cell(main="not evaluated", tone="missing")
NONE = Cell(main="–", tone="quiet")

_WORDS = {
    State.TOO_SMALL: "too small",
    State.NOT_EVALUABLE: "not evaluable",
    State.MERGED: "merged",
}
_ALARM = (State.PROGRESSED, State.UNEQUIVOCAL)


def lesion_cell(row: Measurement) -> Cell:
    """What a reader recorded of a lesion at a visit."""
    whole, viable = _whole(row), _viable(row)
    more = [] if viable is None else [viable]
    if row.state is State.MEASURED:
        main = whole or viable or "measured, no size given"
        more = more if whole else []
    else:
        main = _WORDS.get(row.state, str(row.state))
        if row.state is State.MERGED:
            main = f"merged into {plain(row.part_of)}"
        if whole:
            more.insert(0, whole)
    more += _remarks(row)
    tone = "alarm" if row.state in _ALARM else "missing" if row.state is State.NOT_EVALUABLE else ""
    title = ", ".join(part for part in (plain(row.modality), plain(row.phase)) if part)
    return Cell(main=main, more=tuple(more), tone=tone, title=title)


def _whole(row: Measurement) -> str | None:
    if row.kind is Kind.NODE and row.short_mm is not None:
        longest = f" (longest {show(row.longest_mm)})" if row.longest_mm is not None else ""
        return unbroken(f"short {show(row.short_mm)} mm") + longest
    if row.longest_mm is not None:
        short = f" × {show(row.short_mm)}" if row.short_mm is not None else ""
        return unbroken(f"{show(row.longest_mm)}{short} mm")
    return unbroken(f"short {show(row.short_mm)} mm") if row.short_mm is not None else None


def _viable(row: Measurement) -> str | None:
    if row.viable_mm is None:
        return None
    short = f" × {show(row.viable_short_mm)}" if row.viable_short_mm is not None else ""
    return unbroken(f"viable {show(row.viable_mm)}{short} mm")


def _remarks(row: Measurement) -> list[str]:
    remarks = []
    if row.role is not Role.TARGET and row.change not in (None, Change.NONE):
        remarks.append(f"{row.change}")
    if row.pattern is not None:
        remarks.append(f"enhancement {row.pattern}")
    if row.basis is Basis.OVERALL and row.timepoint == 0:
        remarks.append("followed by its overall diameter")
    if row.part_of and row.state is not State.MERGED:
        remarks.append(f"part of {plain(row.part_of)}")
    if plain(row.comment):
        remarks.append(f"“{plain(row.comment)}”")
    return remarks


def empty_cell(first: Measurement, timepoint: int, earlier: Measurement | None, parts: tuple[str, ...]) -> Cell:
    """A lesion without a row at a visit: a fragmented one, one not yet seen, or one that was not evaluated."""
    if parts:
        return Cell(main=f"in parts: {', '.join(plain(part) for part in parts)}")
    if timepoint < first.timepoint:
        return Cell(main="–", tone="quiet", title="not yet seen")
    if first.role is Role.NEW and earlier is not None:
        return Cell(main="no row", more=(f"last: {earlier.state}",), tone="missing")
    return NOT_EVALUATED


# --- responses -------------------------------------------------------------------------------------------------------


def sum_cell(visit: VisitResponse, *, has_targets: bool) -> Cell:
    """The sum of a visit, or why there is none."""
    if visit.sum is not None:
        return Cell(main=unbroken(f"{show(visit.sum)} {visit.unit}"))
    if visit.target is Response.NA or not has_targets or "NOT_APPLICABLE" in visit.flags:
        return Cell(main="no target in the sum", tone="quiet")
    return Cell(main="incomplete", tone="missing")


def baseline_cell(visit: VisitResponse) -> Cell:
    """The change from baseline."""
    if visit.timepoint == 0 or visit.sum is None or visit.baseline_sum is None:
        return NONE
    change = mm_from(visit.sum, visit.baseline_sum, visit.unit)
    return Cell(main=percent_from(visit.sum, visit.baseline_sum), more=(change,))


def nadir_cell(visit: VisitResponse) -> Cell:
    """The change from the smallest complete sum so far, in percent and mm."""
    if visit.nadir is None or visit.sum is None:
        return NONE
    change = mm_from(visit.sum, visit.nadir.sum, visit.unit)
    at = "baseline" if visit.nadir.timepoint == 0 else f"TP {visit.nadir.timepoint}"
    nadir = f"{change} from {show(visit.nadir.sum)} ({at})"
    return Cell(main=percent_from(visit.sum, visit.nadir.sum), more=(nadir,))


def category_cell(category: Response | None) -> Cell:
    """A category as a chip; nothing at baseline."""
    return NONE if category is None else Cell(main=str(category), category=str(category))


def new_lesion_cell(visit: VisitResponse) -> Cell:
    """Whether there is a new lesion."""
    if visit.new_lesion is None:
        return NONE
    return Cell(main=str(visit.new_lesion), tone="alarm" if visit.new_lesion == "yes" else "")


def flags_cell(visit: VisitResponse) -> Cell:
    """The flags of a visit."""
    return Cell(flags=visit.flags) if visit.flags else NONE


def stability_cell(found: VisitStability | None) -> Cell:
    """How likely the overall response is when measured again, and how far the sum is from another one."""
    if found is None:
        return NONE
    if found.share is None:
        return Cell(
            main="no size to measure",
            tone="quiet",
            title="no target of this visit has a size that could be measured again",
        )
    more = []
    if found.margins is not None:
        for word, flip in (("less", found.margins.less), ("more", found.margins.more)):
            if flip is not None:
                more.append(f"{unbroken(f'{show(flip.by)} {found.unit} {word}')} is {flip.gives}")
        if not more:
            more.append("no size changes it")
    return Cell(
        main=unbroken(f"{found.overall} {percent_of(found.share)}"),
        more=tuple(more),
        tone="alarm" if found.less_likely else "",
        title=_drawn(found),
    )


def percent_of(share: Decimal) -> str:
    """A share of draws in whole percent; what came sometimes is neither 0 nor 100 %."""
    if share in (0, 1):
        return f"{show(share * 100)} %"
    if share > Decimal("0.99"):
        return "> 99 %"
    return "< 1 %" if share < Decimal("0.01") else f"{show((share * 100).quantize(Decimal(1)))} %"


def _drawn(found: VisitStability) -> str:
    shares = sorted(found.shares.items(), key=lambda item: -item[1])
    return "measured again: " + ", ".join(f"{category} {percent_of(share)}" for category, share in shares)
