"""docs/repeatability.md says what the code does."""

from __future__ import annotations

import re

from doc_pages import names, page, section, table

from mrecist.imaging import dense
from mrecist.measure import repeat
from mrecist.repeating import DEFAULT_DRAWS
from mrecist.stability.table import OWN_SPREAD_COLUMNS
from mrecist.tables import SIZE_COLUMNS


def test_the_columns_of_the_spread() -> None:
    rows = table(section(page("repeatability.md"), "`spread.csv`"), "column")
    assert names(rows) == list(OWN_SPREAD_COLUMNS)
    (sizes,) = (row["values"] for row in rows if row["column"] == "`column`")
    assert re.findall(r"`(\w+)`", sizes) == list(SIZE_COLUMNS)


def test_the_ratios_are_those_of_the_code() -> None:
    rows = table(page("repeatability.md"), "quantity")
    assert [float(row["sd of the diameter over sd of the outline"]) for row in rows] == [
        repeat.LONGEST_PER_BORDER,
        repeat.SHORT_PER_BORDER,
        repeat.VIABLE_PER_BORDER,
    ]
    assert repeat.LENGTH == 0.5
    assert f"`measure` takes {DEFAULT_DRAWS} without it" in page("repeatability.md")
    # 8.6 % of 50 mm and of 12 mm, over the ratio.
    assert [round(0.086 * size / repeat.LONGEST_PER_BORDER, 1) for size in (50, 12)] == [2.6, 0.6]


def test_the_numbers_of_dense_material() -> None:
    text = page("dense-material.md")
    assert f"**{dense.DENSE_HU:g} HU** or more" in text
    assert f"**{dense.NATIVE_DENSE_HU:g} HU** or more before contrast" in text
    assert f"within {dense.DOUBTFUL_BELOW_HU:g} HU below" in text
    assert f"gains {dense.ENHANCING_HU:g} HU or more" in text
    assert f"{dense.SMALLEST_MM2:.1f} mm²" in text
    rows = table(text, "verdict")
    assert [row["verdict"].strip("`") for row in rows] == [str(verdict) for verdict in dense.DenseVerdict]
