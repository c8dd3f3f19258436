"""Shares of the categories against closed forms, and against the engine run on every single draw."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from math import erf, sqrt

import pytest
from stability_reads import rows, setting, sized

from mrecist.model import Measurement, Response, State
from mrecist.protocol import CriterionSetting, MeasurementError, ResponseRules, StabilityRules
from mrecist.response.assess import assess_read
from mrecist.response.read import build_read
from mrecist.stability.chances import Chances, chances
from mrecist.stability.drawn import Sizes, draw_sizes
from mrecist.stability.spread import Spread

D = Decimal
RULES = ResponseRules()
MANY = 40_000


def shares(measured: list[Measurement], by: CriterionSetting, stability: StabilityRules) -> Chances:
    return chances(draw_sizes(build_read(measured), by, RULES, stability))


def phi(z: float) -> float:
    """Standard normal distribution function."""
    return (1 + erf(z / sqrt(2))) / 2


def near(share: Decimal, expected: float) -> bool:
    """Within four standard errors of a share of MANY draws."""
    return abs(float(share) - expected) < 4 * sqrt(expected * (1 - expected) / MANY)


def only(**keys: str) -> MeasurementError:
    """No error but the one given."""
    none = {name: D(0) for name in MeasurementError.__dataclass_fields__}
    return MeasurementError(**none | {name: D(value) for name, value in keys.items()})


# --- closed forms ----------------------------------------------------------------------------------------------------


def test_partial_response_of_one_lesion_with_both_visits_varying() -> None:
    # S <= 0.7 B with B ~ N(100, 5), S ~ N(72, 5), recorded to 0.01 mm: P = Phi((70 - 72) / sqrt(0.49 x 25 + 25)).
    stability = StabilityRules(draws=MANY, error=only(lesion_mm="5"))
    found = shares(rows({"T1": "100.00"}, {"T1": "72.00"}), setting("recist11"), stability)[1]
    assert near(found[Response.PR], phi((70.0 + 0.005 - 72) / sqrt(0.49 * 25 + 25)))


def test_the_error_is_relative_where_the_protocol_says_so() -> None:
    # 8.6 % of 100 and of 72 mm.
    stability = StabilityRules(draws=MANY, error=only(lesion_percent="8.6"))
    found = shares(rows({"T1": "100.00"}, {"T1": "72.00"}), setting("recist11"), stability)[1]
    assert near(found[Response.PR], phi((70.0 + 0.005 - 72) / sqrt((0.7 * 8.6) ** 2 + (0.72 * 8.6) ** 2)))


def test_errors_of_the_lesions_of_a_sum_are_independent() -> None:
    # Two of 50 and of 36 mm, 5 mm each: the variance of the sum is the sum of the variances.
    stability = StabilityRules(draws=MANY, error=only(lesion_mm="5"))
    measured = rows({"T1": "50.00", "T2": "50.00"}, {"T1": "36.00", "T2": "36.00"})
    found = shares(measured, setting("recist11"), stability)[1]
    assert near(found[Response.PR], phi((70.0 + 0.005 - 72) / sqrt(0.49 * 50 + 50)))


def test_correlation_between_visits() -> None:
    # Var(S - 0.7 B) = 25 (1 + 0.49 - 2 x 0.7 x 0.6).
    stability = StabilityRules(draws=MANY, correlation=D("0.6"), error=only(lesion_mm="5"))
    found = shares(rows({"T1": "100.00"}, {"T1": "72.00"}), setting("recist11"), stability)[1]
    assert near(found[Response.PR], phi((70.0 + 0.005 - 72) / sqrt(25 * (1 + 0.49 - 2 * 0.7 * 0.6))))


def test_progression_from_a_baseline_nadir() -> None:
    # S >= 1.2 B: P = Phi((122 - 120) / sqrt(25 + 1.44 x 25)).
    stability = StabilityRules(draws=MANY, error=only(lesion_mm="5"))
    found = shares(rows({"T1": "100.00"}, {"T1": "122.00"}), setting("recist11"), stability)[1]
    assert near(found[Response.PD], phi((122 - 120.0 + 0.005) / sqrt(25 + 1.44 * 25)))


def test_a_node_at_its_normal_size() -> None:
    # The lesion is gone and the node is 10.3 mm with 1.02 mm (Steger 2011): CR when it is drawn below 10.00.
    stability = StabilityRules(draws=MANY, error=only(node_mm="1.02"))
    found = shares(rows({"T1": "40", "N1": "20.00"}, {"T1": "0", "N1": "10.30"}), setting("recist11"), stability)[1]
    assert near(found[Response.CR], phi((10.0 - 0.005 - 10.3) / 1.02))


def test_an_area_has_the_error_of_two_diameters() -> None:
    # EASL, both diameters 20 then 15 mm with 10 %: sd of the areas 14.142 %; PR from 0.5 x 400 = 200 mm2 on, at 225.
    stability = StabilityRules(draws=MANY, error=only(viable_percent="10"))
    found = shares(rows({"T1": "20"}, {"T1": "15"}), setting("easl"), stability)[1]
    assert near(found[Response.PR], phi((200 + 0.05 - 225) / (225 * 0.1 * sqrt(2))))


def test_an_area_of_two_diameters_with_standard_deviations_of_their_own() -> None:
    # 18 x 15 mm with 1 and 2 mm: sd of the area hypot(15 x 1, 18 x 2) = 39 mm2 to first order; PR from 200 mm2 on, at 270.
    measured = [
        replace(row, viable_mm=D(18), viable_short_mm=D(15)) if row.timepoint else row
        for row in rows({"T1": "20"}, {"T1": "15"})
    ]
    own = {("S1", "R1", 1, "T1", "viable_mm"): 1.0, ("S1", "R1", 1, "T1", "viable_short_mm"): 2.0}
    stability = StabilityRules(draws=MANY)
    spread = Spread(error=only(), own=own)
    found = chances(draw_sizes(build_read(measured), setting("easl"), RULES, stability, spread))[1]
    assert near(found[Response.PR], phi((200 + 0.05 - 270) / 39))


def test_without_error_the_reported_category_is_certain() -> None:
    measured = rows(
        {"T1": "100", "N1": "20"}, {"T1": "60", "N1": "12"}, {"T1": "90", "N1": "12"}, {"T1": "0", "N1": "5"}
    )
    stability = StabilityRules(draws=200, error=only())
    for name in ("recist11", "mrecist", "irecist", "choi"):
        visits = assess_read(build_read(measured), setting(name), RULES)
        expected = {v.response.timepoint: {v.response.overall: D(1)} for v in visits[1:]}
        assert shares(measured, setting(name), stability) == expected


def test_what_was_not_measured_stays_as_read() -> None:
    measured = rows({"T1": "100", "T2": "30"}, {"T1": "0", "T2": "0"}, {"T1": "0", "T2": None})
    found = shares(measured, setting("recist11"), StabilityRules(draws=200))
    assert found == {1: {Response.CR: D(1)}, 2: {Response.NE: D(1)}}


# --- against the engine, draw by draw --------------------------------------------------------------------------------


def random_read(seed: int) -> list[Measurement]:
    """Four or five visits of two lesions and a node near the cut-offs, some of them absent or not evaluable."""
    pick = random.Random(seed)
    visits: list[dict[str, str | None]] = [{"T1": "40", "T2": "21.5", "N1": "16"}]
    for _ in range(pick.choice((3, 4))):
        factor = pick.choice((0.4, 0.68, 0.72, 0.9, 1.15, 1.25))
        visit: dict[str, str | None] = {"T1": f"{40 * factor:.1f}", "T2": f"{21.5 * factor:.1f}"}
        visit["N1"] = pick.choice(("9.1", "9.9", "10.4", "11.2", "16.0"))
        if pick.random() < 0.3:
            visit["T1"] = visit["T2"] = "0"
        if pick.random() < 0.15:
            visit[pick.choice(("T1", "T2", "N1"))] = None
        visits.append(visit)
    return rows(*visits)


OPTIONS: tuple[tuple[str, dict[str, object]], ...] = (
    ("recist11", {}),
    ("recist11", {"pr_carry_forward": True, "pd_reference": "baseline"}),
    ("recist11", {"reappeared_node": "hold", "normal_nodes_progress": True}),
    ("mrecist", {}),
    ("mrecist", {"regained_min_mm": D(10)}),
    ("irecist", {}),
    ("irecist", {"icpd_reference": "last"}),
    ("choi", {}),
)


@pytest.mark.parametrize(("name", "options"), OPTIONS)
# Seeds of which every criterion has a visit with more than one category.
@pytest.mark.parametrize("seed", [0, 1, 2, 4, 7, 8])
def test_groups_of_draws_are_what_the_engine_says_of_each(name: str, options: dict[str, object], seed: int) -> None:
    """Every draw is written into the measurements and assessed on its own: the counts are the same, not just near."""
    measured, by, draws = random_read(seed), setting(name, **options), 150
    sizes = draw_sizes(build_read(measured), by, RULES, StabilityRules(draws=draws))
    counts: dict[int, Counter[Response]] = {}
    for draw in range(draws):
        again = []
        for row in measured:
            one = sizes.drawn.get((row.timepoint, row.lesion))
            again.append(row if one is None else sized(row, one.exact(draw)))
        for visit in assess_read(build_read(again), by, RULES)[1:]:
            overall = visit.response.overall
            assert overall is not None
            counts.setdefault(visit.response.timepoint, Counter())[overall] += 1
    found = chances(sizes)
    assert found == {t: {c: D(n) / draws for c, n in of_visit.items()} for t, of_visit in counts.items()}
    assert any(len(of_visit) > 1 for of_visit in found.values())


def each_draw(sizes: Sizes, draws: int) -> Chances:
    """The engine asked for every draw on its own."""
    counts: dict[int, Counter[Response]] = {}
    for draw in range(draws):
        for visit in sizes.assessed(draw)[1:]:
            assert visit.response.overall is not None
            counts.setdefault(visit.response.timepoint, Counter())[visit.response.overall] += 1
    return {t: {c: D(n) / draws for c, n in of_visit.items()} for t, of_visit in counts.items()}


def test_a_scan_too_early_to_confirm_leaves_something_else_than_one_that_has_not_grown() -> None:
    # Both are iUPD at the third scan, but only the second moves the sum that the next scan is compared with.
    measured = [
        replace(row, date=date(2020, 1, 1) + timedelta(days=14 * row.timepoint))
        for row in rows({"T1": "50"}, {"T1": "60"}, {"T1": "65"}, {"T1": "66"})
    ]
    stability = StabilityRules(draws=400, error=only(lesion_mm="1"))
    sizes = draw_sizes(build_read(measured), setting("irecist", icpd_reference="last"), RULES, stability)
    assert chances(sizes) == each_draw(sizes, 400)
    assert {Response.IUPD, Response.ICPD} <= set(chances(sizes)[3])


# --- reproducible ----------------------------------------------------------------------------------------------------


def test_a_draw_depends_on_nothing_but_its_own_row() -> None:
    both = rows({"T1": "100", "T2": "30"}, {"T1": "72", "T2": "20"}, {"T1": "72", "T2": "25"})
    stability = StabilityRules(draws=300)
    whole = draw_sizes(build_read(both), setting("recist11"), RULES, stability).drawn
    fewer = [row for row in reversed(both) if row.timepoint < 2 and row.lesion == "T1"]
    part = draw_sizes(build_read(fewer), setting("recist11"), RULES, stability).drawn
    assert set(part) == {(0, "T1"), (1, "T1")}
    assert all((one.steps == whole[place].steps).all() for place, one in part.items())
    other = draw_sizes(build_read(both), setting("recist11"), RULES, replace(stability, seed=1)).drawn
    assert not (other[1, "T1"].steps == whole[1, "T1"].steps).all()
    assert not (whole[1, "T1"].steps == whole[2, "T1"].steps).all()


def test_a_later_visit_does_not_change_the_shares_of_the_earlier() -> None:
    measured = rows({"T1": "100"}, {"T1": "72"}, {"T1": "90"})
    stability = StabilityRules(draws=500)
    both = shares(measured, setting("recist11"), stability)
    assert shares(measured[:2], setting("recist11"), stability)[1] == both[1]


def test_a_measured_lesion_is_never_drawn_away() -> None:
    measured = rows({"T1": "100"}, {"T1": "1"})
    sizes = draw_sizes(
        build_read(measured), setting("recist11"), RULES, StabilityRules(draws=500, error=only(lesion_mm="9"))
    )
    assert min(sizes.drawn[1, "T1"].steps) == 1
    assert State.ABSENT not in {row.state for row in measured}
