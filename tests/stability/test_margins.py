"""Margins against brute force: every size of a 0.1 mm grid goes through the engine, the nearest other category is the margin.

The hand-worked values are arithmetic on the published cut-offs (Eisenhauer 2009, 4.3.1): 0.70 x baseline, 1.20 x nadir and 5 mm.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from stability_reads import rows, setting, sized

from mrecist.model import Flip, Margins, Measurement, NewLesion, Response, Role, State
from mrecist.protocol import ResponseRules
from mrecist.response.assess import assess_read
from mrecist.response.margins import margins
from mrecist.response.read import build_read

D = Decimal
CR, PR, SD, PD = Response.CR, Response.PR, Response.SD, Response.PD
RULES = ResponseRules()


def last_margins(measured: list[Measurement], criterion: str = "recist11", **options: object) -> Margins | None:
    return margins(assess_read(build_read(measured), setting(criterion, **options), RULES)[-1])


def last_overall(measured: list[Measurement], criterion: str = "recist11") -> Response:
    overall = assess_read(build_read(measured), setting(criterion), RULES)[-1].response.overall
    assert overall is not None
    return overall


def with_size(measured: list[Measurement], lesion: str, size: Decimal) -> list[Measurement]:
    last = measured[-1].timepoint
    return [sized(row, size) if (row.timepoint, row.lesion) == (last, lesion) else row for row in measured]


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_the_cut_offs_of_one_lesion() -> None:
    found = last_margins(rows({"T1": "100"}, {"T1": "80"}))
    assert found is not None
    # PR from 70.0 on, inclusive; PD from 96.0 on, were 80 the nadir, but the nadir is 100: from 120.0 on.
    assert (found.less, found.more) == (Flip(by=D("10.0"), gives=PR), Flip(by=D("40.0"), gives=PD))
    assert (found.target_less, found.target_more) == (found.less, found.more)
    assert found.nearest_lesion() == ("T1", D("-10.0"), PR)


def test_the_absolute_part_of_progression() -> None:
    # 1.20 x 10 is 12, but 5 mm are needed: 15.0, and without the absolute part (mRECIST 2010) 12.0.
    measured = rows({"T1": "30"}, {"T1": "10"}, {"T1": "11"})
    assert last_margins(measured).more == Flip(by=D("4.0"), gives=PD)  # type: ignore[union-attr]
    assert last_margins(measured, "mrecist").more == Flip(by=D("1.0"), gives=PD)  # type: ignore[union-attr]


def test_a_cut_off_between_two_steps() -> None:
    # 0.70 x 33.3 is 23.31: 23.3 is PR and 23.4 is not.
    assert last_margins(rows({"T1": "33.3"}, {"T1": "25"})).less == Flip(by=D("1.7"), gives=PR)  # type: ignore[union-attr]


def test_finer_sizes_have_finer_margins() -> None:
    found = last_margins(rows({"T1": "33.30"}, {"T1": "25.00"}))
    assert found is not None
    assert (found.step, found.less) == (D("0.01"), Flip(by=D("1.69"), gives=PR))


def test_an_exclusive_cut_off_needs_a_step_more() -> None:
    measured = rows({"T1": "100"}, {"T1": "100"})
    assert last_margins(measured).more == Flip(by=D("20.0"), gives=PD)  # type: ignore[union-attr]
    found = last_margins(measured, pd_inclusive=False)
    assert found is not None
    assert found.more == Flip(by=D("20.1"), gives=PD)


def test_a_node_is_normal_below_10_mm() -> None:
    # All but the node is gone: 0.6 mm less is 9.9 and complete response, long before 0.70 x 40.
    found = last_margins(rows({"T1": "20", "N1": "20"}, {"T1": "0", "N1": "10.5"}))
    assert found is not None
    assert found.less == Flip(by=D("0.6"), gives=CR)
    assert found.nearest_lesion() == ("N1", D("-0.6"), CR)
    # And a normal node is disease again from 10.0 on.
    found = last_margins(rows({"T1": "20", "N1": "20"}, {"T1": "0", "N1": "9.5"}))
    assert found is not None
    assert (found.less, found.more) == (None, Flip(by=D("0.5"), gives=PR))


def test_nothing_flips_a_new_lesion() -> None:
    measured = rows({"T1": "50"}, {"T1": "50"})
    new = replace(measured[-1], lesion="NEW1", role=Role.NEW, state=State.UNEQUIVOCAL, longest_mm=None, viable_mm=None)
    found = last_margins([*measured, new])
    assert found is not None
    assert (found.less, found.more) == (None, None)
    # The targets have their margins still.
    assert found.target_less == Flip(by=D("15.0"), gives=PR)
    visits = assess_read(build_read([*measured, new]), setting("recist11"), RULES)
    assert visits[-1].response.new_lesion is NewLesion.YES


def test_an_incomplete_sum_and_a_baseline_have_none() -> None:
    visits = assess_read(
        build_read(rows({"T1": "50", "T2": "20"}, {"T1": "50", "T2": None})), setting("recist11"), RULES
    )
    assert [margins(visit) for visit in visits] == [None, None]


def test_irecist_progression_is_first_unconfirmed() -> None:
    found = last_margins(rows({"T1": "50"}, {"T1": "50"}), "irecist")
    assert found is not None
    assert (found.less, found.more) == (Flip(by=D("15.0"), gives=Response.IPR), Flip(by=D("10.0"), gives=Response.IUPD))
    # After an iUPD 5 mm more confirm it (Seymour 2017).
    found = last_margins(rows({"T1": "50"}, {"T1": "60"}, {"T1": "62"}), "irecist")
    assert found is not None
    assert found.more == Flip(by=D("3.0"), gives=Response.ICPD)


def test_easl_counts_in_square_millimetres() -> None:
    # 0.50 x 400 mm2 = 200 mm2 from 324 mm2.
    found = last_margins(rows({"T1": "20"}, {"T1": "18"}), "easl")
    assert found is not None
    assert (found.unit, found.less) == ("mm2", Flip(by=D("124.0"), gives=PR))


# --- by brute force --------------------------------------------------------------------------------------------------

READS = {
    "SD": rows({"T1": "9.3", "T2": "6.1"}, {"T1": "8", "T2": "6"}),
    "PR": rows({"T1": "12", "T2": "8"}, {"T1": "6.7", "T2": "6.9"}),
    "PD from the nadir": rows({"T1": "12", "T2": "8"}, {"T1": "4", "T2": "4.4"}, {"T1": "7", "T2": "7"}),
    "node left": rows({"T1": "6", "N1": "15"}, {"T1": "0.4", "N1": "10.3"}),
    "normal node": rows({"T1": "6", "N1": "15"}, {"T1": "1.1", "N1": "9.2"}),
    "back after CR": rows({"T1": "6", "N1": "15"}, {"T1": "0", "N1": "8"}, {"T1": "0", "N1": "10.4"}),
}


@pytest.mark.parametrize("criterion", ["recist11", "mrecist", "irecist", "choi"])
@pytest.mark.parametrize("name", READS)
def test_single_lesions_against_every_size_of_the_grid(name: str, criterion: str) -> None:
    measured = READS[name]
    found = last_margins(measured, criterion)
    assert found is not None
    now = last_overall(measured, criterion)
    for one in found.lesions:
        grid = [D(k) / 10 for k in range(300)]
        other = {s: c for s in grid if (c := last_overall(with_size(measured, one.lesion, s), criterion)) is not now}
        below, above = [s for s in other if s < one.size], [s for s in other if s > one.size]
        assert (one.less and one.less.by) == (one.size - max(below) if below else None)
        assert (one.more and one.more.by) == (min(above) - one.size if above else None)
        assert one.less is None or other[one.size - one.less.by] is one.less.gives
        assert one.more is None or other[one.size + one.more.by] is one.more.gives


@pytest.mark.parametrize("name", READS)
def test_sums_against_every_pair_of_sizes(name: str) -> None:
    measured = READS[name]
    found = last_margins(measured)
    assert found is not None
    last = [row for row in measured if row.timepoint == measured[-1].timepoint]
    one, two = ((row.lesion, (row.short_mm if row.lesion == "N1" else row.longest_mm) or D(0)) for row in last)
    now = last_overall(measured)

    def others(margin: Decimal, sign: int) -> set[Decimal]:
        """Changes of the sum up to ``margin`` in which some sharing between the two lesions gives another category."""
        hit = set()
        for steps in range(int(margin * 10) + 1):
            for first in range(steps + 1):
                sizes = one[1] + sign * D(first) / 10, two[1] + sign * D(steps - first) / 10
                grows_from_nothing = sign > 0 and any(
                    was == 0 < is_ for was, is_ in zip((one[1], two[1]), sizes, strict=True)
                )
                if min(sizes) < 0 or grows_from_nothing:
                    continue
                if last_overall(with_size(with_size(measured, one[0], sizes[0]), two[0], sizes[1])) is not now:
                    hit.add(D(steps) / 10)
        return hit

    for flip, sign in ((found.less, -1), (found.more, 1)):
        if flip is not None:
            assert others(flip.by, sign) == {flip.by}
    if found.less is None:
        assert others(one[1] + two[1], -1) == set()
