"""Coefficients of agreement against published worked examples, another implementation, and brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from statsmodels.stats import inter_rater

from mrecist.agreement import continuous as con
from mrecist.agreement.categorical import cohen_kappa, difference_of_shares, fleiss_kappa, gwet_ac, percent_agreement
from mrecist.agreement.resampling import Array, Whole, interval
from mrecist.agreement.weights import weights

# Fleiss 1971, table 1: psychiatric diagnoses of 30 patients by 6 raters.
FLEISS_1971 = (
    *("444444", "222555", "233335", "555555", "222444", "113333", "333355", "113334", "114444", "555555"),
    *("144444", "124444", "222333", "144444", "224445", "333335", "111455", "111112", "224444", "133555"),
    *("555555", "244444", "224555", "114444", "144445", "222224", "111155", "224444", "133333", "555555"),
)
# Gwet 2014: 12 units by 4 raters, some missing (also Krippendorff 2011); . is not rated.
GWET_2014 = ("11.1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", ".555", "..11", "..3.")
# Mohammadzadeh et al. 2025 (BMC Med Imaging 25:148), table 4: mRECIST of HCC-TACE-Seg by two readers, CR, PR, SD, PD.
READERS_1_3 = ((13, 6, 1, 0), (0, 29, 11, 0), (1, 9, 17, 1), (0, 1, 2, 2))
READERS_2_3 = ((14, 8, 2, 1), (0, 29, 11, 0), (0, 8, 17, 0), (0, 0, 1, 2))
# Shrout and Fleiss 1979, table 2: 6 targets by 4 judges; table 4 gives the six coefficients.
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
)
# Bland and Altman 1986, table 1: first readings of peak flow (l/min) by the Wright and the mini meter.
WRIGHT = (494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
MINI = (512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)


def ratings(rows: tuple[str, ...]) -> Whole:
    return np.array([[-1 if c == "." else int(c) - 1 for c in row] for row in rows], dtype=np.int64)


def from_table(table: tuple[tuple[int, ...], ...]) -> Whole:
    return np.array(
        [(i, j) for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)], dtype=np.int64
    )


def subjects(of: npt.NDArray[np.generic]) -> Whole:
    return np.arange(len(of), dtype=np.int64)


def test_fleiss_1971() -> None:
    data = ratings(FLEISS_1971)
    found = fleiss_kappa(data, 5, weights("identity", 5), subjects(data))
    assert found.value == pytest.approx(0.430, abs=5e-4)  # the paper: 0.430
    assert found.units == 30


def test_gwet_with_missing_ratings() -> None:
    """irrCAC's documentation prints AC1 0.77544 for these data, and AC2 0.914 with quadratic weights."""
    data = ratings(GWET_2014)
    assert gwet_ac(data, 5, weights("identity", 5), subjects(data)).value == pytest.approx(0.77544, abs=5e-6)
    assert gwet_ac(data, 5, weights("quadratic", 5), subjects(data)).value == pytest.approx(0.914, abs=5e-4)
    agreed = percent_agreement(data, 5, weights("identity", 5), subjects(data))
    assert agreed.value == pytest.approx(0.81818, abs=5e-6)
    assert agreed.units == 11  # one unit has a single rating


def test_fleiss_weighted_on_complete_units() -> None:
    """irrCAC prints 0.66667 for units 2 to 9 with quadratic weights."""
    data = ratings(GWET_2014[1:9])
    assert fleiss_kappa(data, 4, weights("quadratic", 4), subjects(data)).value == pytest.approx(0.66667, abs=5e-6)


@pytest.mark.parametrize(("table", "published"), [(READERS_1_3, 0.554), (READERS_2_3, 0.556)])
def test_published_linear_kappa_of_hcc_tace_seg(table: tuple[tuple[int, ...], ...], published: float) -> None:
    """From the published cross tables of 93 patients: linear-weighted kappa 0.554 (readers 1, 3) and 0.556 (2, 3)."""
    data = from_table(table)
    found = cohen_kappa(data, 4, weights("linear", 4), subjects(data))
    assert found.units == 93
    assert found.value == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize("name", ["identity", "linear", "quadratic"])
def test_cohen_and_fleiss_as_statsmodels(name: str) -> None:
    table = np.array(READERS_1_3)
    kind = {"identity": None, "linear": "linear", "quadratic": "quadratic"}[name]
    theirs = inter_rater.cohens_kappa(table, wt=kind, return_results=False)
    data = from_table(READERS_1_3)
    assert cohen_kappa(data, 4, weights(name, 4), subjects(data)).value == pytest.approx(float(theirs), abs=1e-12)
    if name == "identity":
        many = ratings(FLEISS_1971)
        counts, _ = inter_rater.aggregate_raters(many)
        ours = fleiss_kappa(many, 5, weights(name, 5), subjects(many)).value
        assert ours == pytest.approx(float(inter_rater.fleiss_kappa(counts)), abs=1e-12)


def test_ordinal_weights() -> None:
    """Gwet 2014, chapter 3: 1 - C(d + 1, 2) / C(q, 2); irrCAC prints 1, 0.667, 0 for three categories."""
    assert weights("ordinal", 3)[0] == pytest.approx([1, 2 / 3, 0])
    assert weights("ordinal", 4)[0] == pytest.approx([1, 5 / 6, 1 / 2, 0])
    assert (weights("linear", 2) == np.eye(2)).all()


@pytest.mark.parametrize("name", ["identity", "linear", "ordinal"])
def test_gwet_by_pairs_of_readers(name: str) -> None:
    """Brute force on random ratings with gaps: every ordered pair of readers of every unit."""
    rng = np.random.default_rng(7)
    data = rng.integers(-1, 4, (40, 3))
    by_name: dict[str, list[float]] = {
        "identity": [1, 0, 0, 0],
        "linear": [1, 2 / 3, 1 / 3, 0],
        "ordinal": [1, 5 / 6, 1 / 2, 0],
    }
    apart = by_name[name]
    agreed, share = [], []
    for row in data.tolist():
        given = [one for one in row if one >= 0]
        if len(given) > 1:
            agreed.append(np.mean([apart[abs(a - b)] for a, b in combinations(given, 2)]))
        if given:
            share.append([given.count(k) / len(given) for k in range(4)])
    shares = np.mean(share, axis=0)
    weight = sum(apart[abs(k - m)] for k in range(4) for m in range(4))
    chance = weight / 12 * sum(p * (1 - p) for p in shares)
    expected = (np.mean(agreed) - chance) / (1 - chance)
    assert gwet_ac(data, 4, weights(name, 4), subjects(data)).value == pytest.approx(expected, abs=1e-12)


def test_agreement_that_chance_alone_gives_is_not_defined() -> None:
    data = np.zeros((5, 2), dtype=np.int64)
    assert cohen_kappa(data, 4, weights("identity", 4), subjects(data)).value is None
    assert gwet_ac(data, 4, weights("identity", 4), subjects(data)).value == 1
    none = np.full((3, 2), -1, dtype=np.int64)
    assert cohen_kappa(none, 4, weights("identity", 4), subjects(none)).value is None
    assert gwet_ac(none, 4, weights("identity", 4), subjects(none)).value is None


# --- sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "published"),
    [
        ("ICC(1,1)", 0.17),
        ("ICC(2,1)", 0.29),
        ("ICC(3,1)", 0.71),
        ("ICC(1,k)", 0.44),
        ("ICC(2,k)", 0.62),
        ("ICC(3,k)", 0.91),
    ],
)
def test_shrout_and_fleiss_1979(form: str, published: float) -> None:
    assert con.icc(SHROUT_FLEISS, form).value == pytest.approx(published, abs=5e-3)


def test_icc_keeps_its_digits_far_from_zero() -> None:
    """A constant added to every size changes no intraclass correlation."""
    near, far = (con.icc(SHROUT_FLEISS + shift, "ICC(2,1)").value for shift in (0, 1e7))
    assert near is not None
    assert far == pytest.approx(near, abs=1e-6)


def test_bland_and_altman_1986() -> None:
    """The paper: mean difference -2.1, standard deviation 38.8; limits -78.1 and 73.9 with 1.96 of them (it rounds to 2)."""
    found = con.bland_altman(np.array(WRIGHT, dtype=float), np.array(MINI, dtype=float), percent=False)
    bias, low, high = (found[name].value for name in ("bias", "lower_limit", "upper_limit"))
    assert bias is not None
    assert low is not None
    assert high is not None
    assert bias == pytest.approx(-2.1, abs=0.05)
    assert (high - bias) / 1.96 == pytest.approx(38.8, abs=0.05)
    assert (low + high) / 2 == pytest.approx(bias)


def test_percent_limits_leave_out_what_is_zero_twice() -> None:
    found = con.bland_altman(np.array([0.0, 10, 30]), np.array([0.0, 30, 10]), percent=True)
    assert found["bias"].units == 2
    assert found["bias"].value == pytest.approx(0)
    # -100 % and +100 %: standard deviation 141.42 %
    assert found["upper_limit"].value == pytest.approx(1.96 * 100 * 2**0.5)


def test_spread_between_readers() -> None:
    sizes = np.array([[10.0, 12, 14], [20, 20, 20]])
    assert con.mean_of(con.spread(sizes)).value == pytest.approx(1)  # 2 and 0
    assert con.root_mean_square_of(con.spread(sizes)).value == pytest.approx(2**0.5)  # sqrt((4 + 0) / 2)
    assert con.mean_of(con.relative_spread(sizes)).value == pytest.approx((2 / 12) / 2)


# --- intervals -------------------------------------------------------------------------------------------------------


def test_a_resample_is_the_statistic_of_the_subjects_that_were_drawn() -> None:
    """The interval by brute force: the rows of the drawn subjects repeated, all visits of a subject together."""
    rng = np.random.default_rng(3)
    data, subject = rng.integers(0, 4, (30, 2)), np.repeat(np.arange(10), 3)
    found = interval(cohen_kappa(data, 4, weights("linear", 4), subject), 200, 5)
    values = []
    for counts in np.random.default_rng((5, 10)).multinomial(10, np.full(10, 0.1), 200):
        rows = np.concatenate([np.tile(data[subject == s], (n, 1)) for s, n in enumerate(counts)])
        table = np.zeros((4, 4))
        for a, b in rows:
            table[a, b] += 1
        share = table / table.sum()
        apart = np.abs(np.subtract.outer(np.arange(4), np.arange(4))) / 3
        expected = np.outer(share.sum(axis=1), share.sum(axis=0))
        values.append(1 - (apart * share).sum() / (apart * expected).sum())
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(values, [0.025, 0.975])), abs=1e-12)
    assert found.undefined == 0


def test_the_interval_of_a_mean_is_nearly_the_normal_one() -> None:
    values: Array = np.random.default_rng(11).normal(10, 2, 400)
    found = interval(con.mean_of(values), 4000, 0)
    half = 1.96 * values.std(ddof=1) / 20
    assert found.low == pytest.approx(values.mean() - half, abs=0.02)
    assert found.high == pytest.approx(values.mean() + half, abs=0.02)


def test_the_seed_decides_and_none_can_be_asked_for() -> None:
    statistic = con.mean_of(np.arange(20.0))
    assert interval(statistic, 500, 1) == interval(statistic, 500, 1) != interval(statistic, 500, 2)
    assert interval(statistic, 0, 1).low is None


@pytest.mark.parametrize("name", ["identity", "linear", "quadratic"])
@pytest.mark.parametrize("margins", [((1, 2, 4), (1, 2, 3)), ((3, 1, 7), (5, 3, 1)), ((2, 3, 6), (1, 5, 7))])
def test_readers_who_are_independent_have_a_kappa_of_0(name: str, margins: tuple[tuple[int, ...], ...]) -> None:
    """Cells that are products of margins: p_o is p_e, and nothing of their rounding is left."""
    one, other = margins
    data = from_table(tuple(tuple(a * b for b in other) for a in one))
    assert cohen_kappa(data, 3, weights(name, 3), subjects(data)).value == 0


def test_differences_that_cancel_are_0_and_small_ones_stay() -> None:
    """Three sizes and the same in another order; a resample of the one pair without a difference; a real 0.000001 mm."""
    one, other = np.array([24.2, 28.4, 62.5, 12.7]), np.array([62.5, 24.2, 28.4, 12.7])
    assert con.bland_altman(one, other, percent=False)["bias"].value == 0
    assert con.bland_altman(one + 1e-6, other, percent=False)["bias"].value == pytest.approx(1e-6, rel=1e-6)
    for limit in con.bland_altman(np.array([33.1, 65.2, 31.2]), np.array([41.7, 19.4, 31.2]), percent=False).values():
        assert limit.of(3 * limit.parts[2]) == 0
    thirds = difference_of_shares(np.array([0, 0, 1]), np.array([0, 1 / 3, 2 / 3]))
    assert thirds.value == 0
