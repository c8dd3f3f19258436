"""docs/agreement.md says what the code does."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mrecist.agreement import rows
from mrecist.agreement.causes import CAUSES
from mrecist.agreement.concordance import DISCREPANCY, EDR, EVENT, LDR, OVERALL, TIMING
from mrecist.agreement.continuous import FORMS
from mrecist.agreement.resampling import Array
from mrecist.agreement.sums import COLUMNS, REQUIRED
from mrecist.agreement.swaps import SWAPS
from mrecist.agreement.variables import VARIABLES
from mrecist.agreement.weights import NAMES, weights

PAGE = (Path(__file__).parents[2] / "docs" / "agreement.md").read_text(encoding="utf-8")


def words(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(text: str, head: str) -> list[str]:
    table = text.split(f"| `{head}` " if f"| `{head}` " in text else f"| {head} ")[1].split("\n\n")[0]
    return [name for line in table.splitlines()[2:] for name in words(line.split("|")[1])]


@pytest.mark.parametrize(
    ("title", "start", "columns"),
    [
        ("Statistics", "Columns of `agreement.csv`", rows.AGREEMENT_COLUMNS),
        ("Swaps", "Columns of `swaps.csv`", rows.SWAP_COLUMNS),
        ("Adjudication", "Columns of `adjudication.csv`", rows.ADJUDICATION_COLUMNS),
        ("Investigator and central review", "Columns:", rows.CONCORDANCE_COLUMNS),
    ],
)
def test_columns(title: str, start: str, columns: tuple[str, ...]) -> None:
    text = section(title).split(start)[1].split("\n\n")[0]
    assert list(dict.fromkeys(name for name in words(text) if name in columns)) == list(columns)


def test_columns_of_crosstabs() -> None:
    (line,) = [one for one in PAGE.splitlines() if one.startswith("| `crosstabs.csv`")]
    assert list(dict.fromkeys(name for name in words(line) if name in rows.CROSSTAB_COLUMNS)) == list(
        rows.CROSSTAB_COLUMNS
    )


def test_columns_of_discordances() -> None:
    text = section("Causes").split("Columns of `discordances.csv`")[1].split("\n\n")[0]
    single = {name for name in rows.DISCORDANCE_COLUMNS if not name.endswith(("_1", "_2"))}
    double = {name[:-2] for name in rows.DISCORDANCE_COLUMNS if name.endswith(("_1", "_2"))} - {"reader", "value"}
    assert set(words(text)) - {"_1", "_2"} == single | double | {"reader_1", "reader_2", "value_1", "value_2"}


def test_causes_variables_and_columns_of_sums() -> None:
    assert first_cells(section("Causes"), "cause") == list(CAUSES)
    assert set(first_cells(section("Variables"), "variable")) == {*VARIABLES, "sum", "percent_change"}
    named = first_cells(section("A table of sums"), "column")
    assert set(named) == set(COLUMNS)
    required = [line for line in section("A table of sums").splitlines() if "| yes |" in line]
    assert {name for line in required for name in words(line.split("|")[1])} == set(REQUIRED)


def test_the_weights_are_those_on_the_page() -> None:
    """The formulas as the page prints them, with d the distance of two of q categories."""
    q = 5
    printed: dict[str, Callable[[int], float]] = {
        "identity": lambda d: float(d == 0),
        "linear": lambda d: 1 - d / (q - 1),
        "quadratic": lambda d: 1 - d**2 / (q - 1) ** 2,
        "ordinal": lambda d: 1 - ((d + 1) * d / 2) / (q * (q - 1) / 2),
    }
    assert tuple(printed) == NAMES
    for name, formula in printed.items():
        found: Array = weights(name, q)
        assert found[0].tolist() == pytest.approx([formula(d) for d in range(q)])
        assert f"; {name} 1 - " in PAGE.replace("\n  ", " ") or name == "identity"
    assert len(FORMS) == 6


def test_statistics_of_two_tracks_and_their_formulas() -> None:
    text = section("Investigator and central review")
    table = text.split("| `variable` | `statistic` |")[1].split("\n\n")[0]
    named = {name for one in table.splitlines()[2:] for name in words(one.split("|")[2])}
    days = {f"days_{name}" for name in ("minimum", "median", "maximum", "earlier_median", "later_median")}
    assert named == {*TIMING, *DISCREPANCY, *days, f"{EDR}_difference", f"{LDR}_difference"} | {
        "cross_table",
        "agreement",
        "rate",
        "rate_difference",
    }
    for name, (counted, among, formula) in DISCREPANCY.items():
        top, bottom = ({TIMING[cell] for cell in cells} for cells in (counted, among))
        whole = {"a + b": {"a1", "a2", "a3", "b"}, "N": set(TIMING.values())}
        above, below = formula.replace("(", "").replace(")", "").split(" / ")
        assert set(above.split(" + ")) == top
        assert (whole.get(below) or set(below.split(" + "))) == bottom
        short = {EDR: "EDR", LDR: "LDR", OVERALL: "overall", EVENT: "event"}[name]
        assert f"{short} = {formula}" in text


def test_every_swap_has_a_row() -> None:
    assert first_cells(section("Swaps"), "swap") == list(SWAPS)
