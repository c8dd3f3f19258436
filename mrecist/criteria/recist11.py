"""RECIST 1.1 (Eisenhauer EA et al., Eur J Cancer 2009;45:228-247): longest diameters and nodal short axes."""

from __future__ import annotations

from decimal import Decimal

from mrecist.criteria import _conditions as c
from mrecist.criteria._findings import as_recorded, new_lesion_as_read, non_target_as_read
from mrecist.criteria._overall import RECIST11_MATRIX
from mrecist.criteria._rule import OPTIONS_OF_ALL, OPTIONS_OF_DIAMETERS, Criterion, LesionSize, Rule, Thresholds, always
from mrecist.criteria._sizes import counted
from mrecist.model import Kind, Measurement, Response

E09 = "Eisenhauer 2009"


def conventional_size(row: Measurement, _baseline: Measurement, thresholds: Thresholds) -> LesionSize:
    """Longest diameter, or the short axis of a node (section 4.2 and appendix I)."""
    if row.kind is Kind.NODE:
        return counted(row, row.short_mm, "short_mm", thresholds, thresholds.too_small_mm)
    return counted(row, row.longest_mm, "longest_mm", thresholds, thresholds.too_small_mm)


RULES = (
    Rule(
        name="back after complete response",
        gives=Response.PD,
        when=c.back_after_cr,
        shows=c.show_left,
        needs=c.needs_back,
        arises=c.was_complete,
        cite=f"{E09}, 4.4.3 and Table 3 note",
        note="A7: response.cr_then_worse; A6: a node at 10.0 to 10.9 mm is flagged REIMAGE_NODE (reappeared_node)",
    ),
    Rule(
        name="progression in the targets that were evaluated",
        gives=Response.PD,
        when=c.rose_without_the_missing,
        shows=c.show_rise,
        needs=c.needs_rise_without_the_missing,
        arises=c.not_all_evaluated,
        cite=f"{E09}, 4.4.2: missing lesions cannot change the category",
    ),
    Rule(
        name="not all evaluated",
        gives=Response.NE,
        when=c.not_all_evaluated,
        shows=c.show_missing,
        needs=c.needs_missing,
        arises=c.not_all_evaluated,
        cite=f"{E09}, 4.4.2 and Table 1",
    ),
    Rule(
        name="complete response",
        gives=Response.CR,
        when=c.gone_with_normal_nodes_counted,
        shows=c.show_sum,
        needs=c.needs_gone,
        cite=f"{E09}, 4.3.1",
        note="A5: stands before progression when all that is left are nodes below 10 mm (normal_nodes_progress)",
    ),
    Rule(
        name="borderline node held after complete response",
        gives=Response.CR,
        when=c.held_after_cr,
        shows=c.show_left,
        needs=c.needs_held,
        arises=c.may_hold,
        cite="protocol option reappeared_node",
        note="A6: off by default",
    ),
    Rule(
        name="progression",
        gives=Response.PD,
        when=c.rose,
        shows=c.show_rise,
        needs=c.needs_rise,
        cite=f"{E09}, 4.3.1",
        note="A4: from a sum of 0 the relative part is met and pd_absolute_mm decides (pd_from_zero)",
    ),
    Rule(
        name="no baseline sum",
        gives=Response.NE,
        when=c.no_reference,
        shows=c.show_fall,
        needs=c.needs_reference,
        arises=c.no_reference,
        cite=f"{E09}, 4.3.1: a decrease is counted from the baseline sum",
    ),
    Rule(
        name="partial response",
        gives=Response.PR,
        when=c.fell,
        shows=c.show_fall,
        needs=c.needs_fall,
        cite=f"{E09}, 4.3.1",
    ),
    Rule(
        name="partial response carried forward",
        gives=Response.PR,
        when=c.pr_carried,
        shows=c.show_pr,
        needs=c.needs_carrying,
        arises=c.may_carry,
        cite="protocol option pr_carry_forward",
        note="A2: off by default",
    ),
    Rule(
        name="stable disease",
        gives=Response.SD,
        when=always,
        shows=c.show_both,
        needs=c.needs_nothing,
        cite=f"{E09}, 4.3.1",
    ),
)

CRITERION = Criterion(
    name="recist11",
    title="RECIST 1.1",
    unit="mm",
    quantity="longest diameter, nodes by short axis",
    source="Eisenhauer EA et al. Eur J Cancer 2009;45:228-247",
    measure="longest",
    thresholds=Thresholds(pd_absolute_mm=Decimal(5)),
    options=(*OPTIONS_OF_ALL, *OPTIONS_OF_DIAMETERS, "new_lesion_is_pd"),
    size_of=conventional_size,
    rules=RULES,
    overall=RECIST11_MATRIX,
    placed=as_recorded,
    non_target=non_target_as_read,
    new_lesion=new_lesion_as_read,
    other_pd_absolute_mm=Decimal(0),
    rscat=("RECIST 1.1",),
)
