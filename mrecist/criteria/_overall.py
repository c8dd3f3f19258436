"""Published matrices of the overall time-point response, as literal tables.

A row is (target, non-target, new lesion, overall, source). The first row that fits wins. ``None`` in the third place stands for
"any". The tables are complete: a test walks through every combination.
"""

from __future__ import annotations

from mrecist.criteria._rule import OverallRow, Thresholds
from mrecist.model import Response

CR, PR, SD, PD, NE, NA = Response.CR, Response.PR, Response.SD, Response.PD, Response.NE, Response.NA
NON_CR_NON_PD = Response.NON_CR_NON_PD


def _set(*responses: Response) -> frozenset[Response]:
    return frozenset(responses)


ANY = _set(CR, PR, SD, PD, NE, NA, NON_CR_NON_PD)
NOT_PD = ANY - {PD}
NONE_OR_CR = _set(CR, NA)

_T1 = "Eisenhauer 2009, Table 1"
_T2 = "Eisenhauer 2009, Table 2"

RECIST11_MATRIX: tuple[OverallRow, ...] = (
    (ANY, ANY, True, PD, f"{_T1}: any new lesion is PD"),
    (_set(PD), ANY, False, PD, f"{_T1}: target PD is PD"),
    (ANY, _set(PD), False, PD, f"{_T1}: non-target PD is PD"),
    (_set(CR), NONE_OR_CR, False, CR, f"{_T1}: target CR, non-target CR or none, no new lesion is CR"),
    (_set(CR), _set(NON_CR_NON_PD), False, PR, f"{_T1}: target CR with non-target non-CR/non-PD is PR"),
    (_set(CR), _set(NE), False, PR, f"{_T1}: target CR with non-target not evaluated is PR"),
    (_set(PR), NOT_PD, False, PR, f"{_T1}: target PR with non-target not PD is PR"),
    (_set(SD), NOT_PD, False, SD, f"{_T1}: target SD with non-target not PD is SD"),
    (_set(NE), NOT_PD, False, NE, f"{_T1}: target not all evaluated with non-target not PD is NE"),
    (_set(NA), _set(CR), False, CR, f"{_T2}: non-target CR is CR"),
    (_set(NA), _set(NON_CR_NON_PD), False, NON_CR_NON_PD, f"{_T2}: non-target non-CR/non-PD stays so"),
    (_set(NA), _set(NE), False, NE, f"{_T2}: non-target not all evaluated is NE"),
    (_set(NA), _set(NA), False, NA, "no disease at baseline: nothing to respond"),
)

_L10 = "Lencioni & Llovet 2010, overall response table"
# The 2010 table prints no NE rows and no non-target-only disease: RECIST 1.1, which it amends, fills them (A21).
_AMENDED = "not printed in Lencioni & Llovet 2010, so as in the RECIST 1.1 it amends (A21)"

MRECIST_MATRIX: tuple[OverallRow, ...] = (
    (ANY, ANY, True, PD, f"{_L10}: any new lesion is PD"),
    (_set(PD), ANY, False, PD, f"{_L10}: target PD is PD"),
    (ANY, _set(PD), False, PD, f"{_L10}: non-target PD is PD"),
    (_set(CR), _set(CR), False, CR, f"{_L10}: target CR, non-target CR, no new lesion is CR"),
    (_set(CR), _set(NA), False, CR, f"target CR without non-target disease is CR, {_AMENDED}"),
    (_set(CR), _set(NON_CR_NON_PD), False, PR, f"{_L10}: target CR with non-target IR/SD is PR"),
    (_set(CR), _set(NE), False, PR, f"target CR with non-target not evaluated is PR, {_AMENDED}"),
    (_set(PR), NOT_PD, False, PR, f"{_L10}: target PR with non-target not PD is PR"),
    (_set(SD), NOT_PD, False, SD, f"{_L10}: target SD with non-target not PD is SD"),
    (_set(NE), NOT_PD, False, NE, f"target not all evaluated is NE, {_AMENDED}"),
    (_set(NA), _set(CR), False, CR, f"non-target CR is CR, {_AMENDED}"),
    (_set(NA), _set(NON_CR_NON_PD), False, NON_CR_NON_PD, f"non-target IR/SD is non-CR/non-PD, {_AMENDED}"),
    (_set(NA), _set(NE), False, NE, f"non-target not all evaluated is NE, {_AMENDED}"),
    (_set(NA), _set(NA), False, NA, "no disease at baseline: nothing to respond"),
)


def as_recist11(name: str, why: str = "prints no overall table") -> tuple[OverallRow, ...]:
    """The matrix for a criterion without one of its own here: that of RECIST 1.1, and the source says so and ``why``."""
    return tuple(
        (target, non_target, new, overall, f"{name} {why}, so as {source}")
        for target, non_target, new, overall, source in RECIST11_MATRIX
    )


def overall_response(
    matrix: tuple[OverallRow, ...], thresholds: Thresholds, *, target: Response, non_target: Response, new_lesion: bool
) -> tuple[Response, str]:
    """The overall response and the row of the table, or the option of the protocol, that gave it."""
    overall, source = _in_table(matrix, target, non_target, new_lesion)
    if overall is PD:
        return overall, source
    if thresholds.ne_when_any_part_ne and NE in (target, non_target):
        return NE, "protocol option ne_when_any_part_ne (A21)"
    if target is CR and non_target is NE and thresholds.unknown_non_target == "NE":
        return NE, "protocol option unknown_non_target (A11)"
    return overall, source


def _in_table(
    matrix: tuple[OverallRow, ...], target: Response, non_target: Response, new_lesion: bool
) -> tuple[Response, str]:
    for row_target, row_non_target, row_new, overall, source in matrix:
        if target in row_target and non_target in row_non_target and row_new in (None, new_lesion):
            return overall, source
    raise AssertionError(f"the matrix has no row for {target}, {non_target}, new lesion {new_lesion}")
