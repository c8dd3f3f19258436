"""Where a choice that a publication leaves open decides: the read is assessed again with the other choice.

Each entry of :data:`OTHER_CHOICES` names a key of the criterion, its other value, and which reads it can matter for, so that a
read without anything open is assessed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any

from mrecist.criteria._rule import Thresholds
from mrecist.model import Kind, LocalTherapy, Measurement, Response, State, VisitResponse, YesNo
from mrecist.protocol import CriterionSetting, ResponseRules
from mrecist.response.assess import assess_read
from mrecist.response.read import Read, build_read

Matters = Callable[["_Facts"], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What may make a choice matter: the read, its responses, and the traits of its rows."""

    read: Read
    responses: Sequence[VisitResponse]
    thresholds: Thresholds
    traits: frozenset[str]


def _traits_of(row: Measurement) -> Iterator[str]:
    if row.kind is Kind.NODE:
        yield "node"
    if row.state is State.TOO_SMALL:
        yield "too small"
    if row.local_therapy is LocalTherapy.RESECTION and row.timepoint > 0:
        yield "resected"
    if row.lipiodol is YesNo.YES:
        yield "lipiodol"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherChoice:
    """An option of a criterion, the values in use for it, and the reads for which it can matter."""

    key: str
    values: tuple[Any, ...]
    ambiguity: str
    matters: Matters


def _any_row(trait: str) -> Matters:
    return lambda facts: trait in facts.traits


def _any_flag(*codes: str) -> Matters:
    def matters(facts: _Facts) -> bool:
        return any(flag.startswith(codes) for response in facts.responses for flag in response.flags)

    return matters


def _any_visit(test: Callable[[VisitResponse], bool]) -> Matters:
    return lambda facts: any(map(test, facts.responses))


def _regained(facts: _Facts) -> bool:
    for target in facts.read.targets:
        rows = [row for _, row in sorted(facts.read.history(target.lesion).items())]
        sizes = [row.viable_mm for row in rows]
        gone = [index for index, row in enumerate(rows) if row.state is State.ABSENT or row.viable_mm == 0]
        if gone and any(size is not None and 0 < size < Decimal(10) for size in sizes[gone[0] :]):
            return True
    return False


def _mixed_basis(facts: _Facts) -> bool:
    kinds = {row.kind is Kind.NODE or row.basis == "overall" for row in facts.read.targets}
    return len(kinds) > 1


def _pr_drifts(facts: _Facts) -> bool:
    """A carried response hides its drift, so with pr_carry_forward every read with a PR is looked at."""
    if facts.thresholds.pr_carry_forward:
        return any(r.target in (Response.PR, Response.IPR) for r in facts.responses)
    return _any_flag("PR_DRIFT")(facts)


def _progressing(response: VisitResponse) -> bool:
    return response.overall in (Response.IUPD, Response.ICPD)


OTHER_CHOICES: tuple[OtherChoice, ...] = (
    OtherChoice(key="pr_carry_forward", values=(False, True), ambiguity="A2", matters=_pr_drifts),
    OtherChoice(key="pd_from_zero", values=(True, False), ambiguity="A4", matters=_any_flag("ZERO_NADIR")),
    OtherChoice(
        key="normal_nodes_progress",
        values=(False, True),
        ambiguity="A5",
        matters=_any_row("node"),
    ),
    OtherChoice(key="reappeared_node", values=("pd", "hold"), ambiguity="A6", matters=_any_flag("REIMAGE_NODE")),
    OtherChoice(
        key="resected_is_zero",
        values=(False, True),
        ambiguity="A10",
        matters=_any_row("resected"),
    ),
    OtherChoice(
        key="unknown_non_target",
        values=("PR", "NE"),
        ambiguity="A11",
        matters=_any_visit(lambda r: r.target in (Response.CR, Response.ICR) and r.non_target is Response.NE),
    ),
    OtherChoice(
        key="never_enhancing",
        values=("non-target", "exclude"),
        ambiguity="A12",
        matters=_any_flag("NOT_VIABLE_AT_BASELINE"),
    ),
    OtherChoice(key="viable_only_sum", values=(False, True), ambiguity="A13", matters=_mixed_basis),
    OtherChoice(key="regained_min_mm", values=(Decimal(0), Decimal(10)), ambiguity="A14", matters=_regained),
    OtherChoice(
        key="too_small_mm",
        values=(Decimal(5), Decimal(0)),
        ambiguity="A15",
        matters=_any_row("too small"),
    ),
    OtherChoice(key="foci", values=("longest", "sum"), ambiguity="A16", matters=_any_flag("SEVERAL_FOCI")),
    OtherChoice(
        key="lipiodol_is_viable",
        values=(False, True),
        ambiguity="A19",
        matters=_any_row("lipiodol"),
    ),
    OtherChoice(
        key="ne_when_any_part_ne",
        values=(False, True),
        ambiguity="A21",
        matters=_any_visit(lambda r: r.non_target is Response.NE),
    ),
    OtherChoice(
        key="pd_inclusive",
        values=(True, False),
        ambiguity="A22",
        matters=lambda facts: (
            not facts.thresholds.pd_inclusive or any(r.target == Response.PD for r in facts.responses)
        ),
    ),
    OtherChoice(key="icpd_inclusive", values=(True, False), ambiguity="A23", matters=_any_visit(_progressing)),
    OtherChoice(key="icpd_reference", values=("either", "last"), ambiguity="A24", matters=_any_visit(_progressing)),
    OtherChoice(key="icpd_max_days", values=(0, 56), ambiguity="A25", matters=_any_flag("CONFIRMATION_LATE")),
    OtherChoice(key="modality_change", values=("flag", "NE"), ambiguity="A26", matters=_any_flag("MODALITY_CHANGED")),
    OtherChoice(
        key="porta_hepatis_small",
        values=("ignore", "non-target"),
        ambiguity="A31",
        matters=_any_flag("PORTA_HEPATIS_NODE"),
    ),
)
# Options whose every use would be a choice: only these criteria's publications leave them open.
_ONLY_FOR = {
    "too_small_mm": ("mrecist",),
    "ne_when_any_part_ne": ("mrecist",),
    "pd_inclusive": ("easl", "recicl"),
}


def assess_subject(
    rows: Iterable[Measurement], setting: CriterionSetting, rules: ResponseRules
) -> tuple[VisitResponse, ...]:
    """Responses of one subject and reader, one a time point, baseline first.

    Parameters
    ----------
    rows : the measurements of one subject by one reader, in any order.
    setting : the criterion with its thresholds.
    rules : the ``[response]`` section of the protocol (only ``cr_then_worse`` matters here).

    Raises
    ------
    ReadError : the rows contradict each other (see :func:`mrecist.response.read.build_read`).
    """
    return responses_of(build_read(rows), setting, rules)


def responses_of(read: Read, setting: CriterionSetting, rules: ResponseRules) -> tuple[VisitResponse, ...]:
    """Responses of a read, with a flag wherever another choice would give another overall response."""
    responses = tuple([assessed.response for assessed in assess_read(read, setting, rules)])
    decided: dict[int, list[str]] = {}
    for key, value in _that_matter(read, responses, setting):
        other = replace(setting, thresholds=replace(setting.thresholds, **{key: value}))
        for mine, theirs in zip(responses, assess_read(read, other, rules), strict=True):
            if theirs.response.overall is not mine.overall:
                flag = f"OPTION_DECIDES:{key}={_word(value)} gives {theirs.response.overall}"
                decided.setdefault(mine.timepoint, []).append(flag)
    if not decided:
        return responses
    return tuple(
        replace(response, flags=(*response.flags, *decided.get(response.timepoint, ()))) for response in responses
    )


def _that_matter(
    read: Read, responses: Sequence[VisitResponse], setting: CriterionSetting
) -> Iterator[tuple[str, Any]]:
    traits = frozenset([trait for visit in read.visits for row in visit.rows.values() for trait in _traits_of(row)])
    facts = _Facts(read=read, responses=responses, thresholds=setting.thresholds, traits=traits)
    for choice in _open_choices(setting.criterion.name, setting.criterion.options):
        if choice.matters(facts):
            current = getattr(setting.thresholds, choice.key)
            yield from ((choice.key, value) for value in choice.values if value != current)


@cache
def _open_choices(criterion: str, options: tuple[str, ...]) -> tuple[OtherChoice, ...]:
    """The choices that a criterion with these options leaves open."""
    return tuple(
        choice
        for choice in OTHER_CHOICES
        if choice.key in options and criterion in _ONLY_FOR.get(choice.key, (criterion,))
    )


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
