"""docs/sdtm.md is held to the code: columns, terms, causes and flags."""

from __future__ import annotations

import re
from pathlib import Path

from sdtm_runs import Run
from test_sdtm_compare import S01

from mrecist.criteria import CRITERIA
from mrecist.sdtm import terms
from mrecist.sdtm.causes import CAUSES, SEEN
from mrecist.sdtm.compare import COMPARISON_COLUMNS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sdtm.md").read_text(encoding="utf-8")


def first_cells(header: str) -> list[str]:
    """The back-ticked words in the first column of the table with that header."""
    (block,) = re.findall(rf"^\| {header} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, flags=re.MULTILINE)
    return [word for line in block.splitlines() for word in re.findall(r"`([^`]+)`", line.split("|")[1])]


def test_columns() -> None:
    assert sorted(first_cells("column")) == sorted(COMPARISON_COLUMNS)


def test_causes() -> None:
    assert sorted(first_cells("cause")) == sorted([*(cause.code for cause in CAUSES), *SEEN, "OPTION:key=value"])


def test_flags() -> None:
    source = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "mrecist" / "sdtm").glob("*.py"))
    named = {flag.split(":")[0] for flag in first_cells("flag")}
    assert all(f'"{flag}' in source for flag in named)
    assert set(re.findall(r'flags=\(?.*?"([A-Z_]{4,})[":]', source)) <= named


def test_criteria_and_tests() -> None:
    known = [name for criterion in CRITERIA.values() for name in criterion.rscat]
    assert sorted(first_cells("RSCAT")) == sorted(known)
    (line,) = [line for line in PAGE.splitlines() if line.startswith("| `test` |")]
    assert re.findall(r"`([A-Z]+)`", line) == [
        *[t for t in terms.RESPONSE_TESTS if t != "BESTRESP"],
        "BESTRESP",
        *terms.SUMS,
    ]


def test_terms_that_the_page_gives() -> None:
    words = {*terms.ROLES, *terms.TOO_SMALL, *(s for states in terms.STATES.values() for s in states)}
    missing = sorted(word for word in words - {"TARGET LESION", "NON-TARGET LESION", "NEW LESION"} if word not in PAGE)
    assert missing == []


def test_the_example_is_what_is_printed(run: Run) -> None:
    lesions, results, reported = S01
    printed = run(tu=lesions, tr=results, rs=reported).out.splitlines()
    (example,) = re.findall(r"^```text\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    shown = example.splitlines()
    assert len(shown) == len(printed)
    assert all(line.startswith(told.removesuffix("...")) for told, line in zip(shown, printed, strict=True))
    (sentence,) = re.findall(r'"(Derived: PD.*?)"', PAGE, flags=re.DOTALL)
    assert " ".join(sentence.split()) in printed[-1]
