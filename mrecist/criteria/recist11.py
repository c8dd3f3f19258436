"""RECIST 1.1 (Eisenhauer EA et al., Eur J Cancer 2009;45:228-247): longest diameters and nodal short axes."""

from __future__ import annotations

from decimal import Decimal

from mrecist.criteria import _conditions as c
from mrecist.criteria._overall import RECIST11_MATRIX
from mrecist.criteria._rule import Criterion, LesionSize, NewLesionView, Rule, Thresholds
from mrecist.criteria._sizes import size_from
from mrecist.model import Kind, Measurement, NewLesion, Response, State

E09 = "Eisenhauer 2009"


def conventional_size(row: Measurement, _baseline: Measurement, thresholds: Thresholds) -> LesionSize:
    """Longest diameter, or the short axis of a node (section 4.2 and appendix I)."""
    if row.kind is Kind.NODE:
        return size_from(row, row.short_mm, "short_mm", thresholds)
    return size_from(row, row.longest_mm, "longest_mm", thresholds)


def every_target(_baseline: Measurement) -> bool:
    """Every target of the baseline read is in the sum."""
    return True


def new_lesion_as_read(history: dict[int, Measurement], _thresholds: Thresholds) -> dict[int, NewLesionView]:
    """The reader's word decides: unequivocal is progression, equivocal is not (section 4.3.5)."""
    status = {State.UNEQUIVOCAL: NewLesion.YES, State.EQUIVOCAL: NewLesion.EQUIVOCAL, State.ABSENT: NewLesion.NO}
    return {
        timepoint: NewLesionView(status=status[row.state], words=f"{row.lesion} {row.state}")
        for timepoint, row in history.items()
    }


RULES = (
    Rule(
        name="back after complete response",
        gives=Response.PD,
        when=c.back_after_cr,
        because=c.say_back,
        cite=f"{E09}, 4.4.3 and Table 3 note",
        note="A7: response.cr_then_worse; A6: a node at 10.0 to 10.9 mm is flagged REIMAGE_NODE",
    ),
    Rule(
        name="progression in the targets that were evaluated",
        gives=Response.PD,
        when=c.rose_without_the_missing,
        because=c.say_rose,
        cite=f"{E09}, 4.4.2: missing lesions cannot change the category",
    ),
    Rule(
        name="not all evaluated",
        gives=Response.NE,
        when=c.not_all_evaluated,
        because=c.say_missing,
        cite=f"{E09}, 4.4.2 and Table 1",
    ),
    Rule(
        name="complete response",
        gives=Response.CR,
        when=c.all_gone,
        because=c.say_gone,
        cite=f"{E09}, 4.3.1",
        note="A5: stands before progression when all that is left are nodes below 10 mm",
    ),
    Rule(
        name="progression",
        gives=Response.PD,
        when=c.rose,
        because=c.say_rose,
        cite=f"{E09}, 4.3.1",
        note="A4: from a sum of 0 the relative part is met and pd_absolute_mm decides",
    ),
    Rule(
        name="no baseline sum",
        gives=Response.NE,
        when=c.no_reference,
        because=c.say_no_reference,
        cite=f"{E09}, 4.3.1: a decrease is counted from the baseline sum",
    ),
    Rule(name="partial response", gives=Response.PR, when=c.fell, because=c.say_fell, cite=f"{E09}, 4.3.1"),
    Rule(
        name="partial response carried forward",
        gives=Response.PR,
        when=c.pr_carried,
        because=c.say_carried,
        cite="protocol option pr_carry_forward",
        note="A2: off by default",
    ),
    Rule(name="stable disease", gives=Response.SD, when=c.always, because=c.say_stable, cite=f"{E09}, 4.3.1"),
)

CRITERION = Criterion(
    name="recist11",
    title="RECIST 1.1",
    unit="mm",
    quantity="longest diameter, nodes by short axis",
    source="Eisenhauer EA et al. Eur J Cancer 2009;45:228-247",
    thresholds=Thresholds(pd_absolute_mm=Decimal(5)),
    other_pd_absolute_mm=Decimal(0),
    size_of=conventional_size,
    in_target_sum=every_target,
    rules=RULES,
    overall=RECIST11_MATRIX,
    new_lesion=new_lesion_as_read,
)
