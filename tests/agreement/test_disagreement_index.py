"""The reader disagreement index, counted by hand.

100 x cases in which the adjudicator disagreed with the reader / cases that the reader read (ASCO e18592).
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from two_readers import Line, line, read, write

from mrecist.cli import main

PR, SD, PD = 30, 50, 70  # mm after 50 mm
# Subject -> sizes of A and B after 50 mm, and of J who adjudicates where she read the case anew.
SIZES: dict[str, dict[str, int]] = {
    "S1": {"A": PR, "B": SD},
    "S2": {"A": SD, "B": PR},
    "S3": {"A": PR, "B": SD, "J": PD},
    "S4": {"A": PR, "B": SD, "J": PR},
    "S5": {"A": SD, "B": SD},
    "S6": {"A": PR, "B": SD},
}
SITE = ("S1", "recist11", "investigator", "Site", "only", "")
# S1: B is wrong, S2: A is, S3: both are, S4: B is, S5: nobody; S6 is not decided.
DECIDED = (
    ("S1", "recist11", "central", "A", "picked", "J"),
    ("S2", "recist11", "central", "B", "picked", "J"),
    ("S3", "recist11", "central", "J", "reread", "J"),
    ("S4", "recist11", "central", "J", "reread", "J"),
    ("S5", "recist11", "central", "A", "agreed", ""),
)
COLUMNS = ("subject", "criterion", "track", "reader", "accepted_as", "by")


def lines() -> list[Line]:
    of_subjects = {**SIZES, "S1": SIZES["S1"] | {"Site": PD}}
    return [
        line(reader, t, size, subject=subject)
        for subject, of_readers in of_subjects.items()
        for reader, last in of_readers.items()
        for t, size in enumerate((50, last))
    ]


def accepted(path: Path, *rows: tuple[str, ...]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


def index(folder: Path, *options: str) -> dict[str, tuple[float, str]]:
    """Reader -> index and n."""
    table = write(folder / "measurements.csv", lines())
    told = ["--criterion", "recist11", "--resamples", "0", "--out", str(folder / "out")]
    assert main(["agree", str(table), *told, *options]) == 0
    rows = [r for r in read(folder / "out" / "agreement.csv") if r["statistic"] == "reader_disagreement_index"]
    return {row["readers"]: (round(float(row["value"]), 3), row["n"]) for row in rows}


def test_picked_and_read_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted(tmp_path / "accepted.csv", *DECIDED, SITE)
    assert index(tmp_path, "--readers", "A", "B") == {"A": (33.333, "6"), "B": (50, "6")}
    assert (
        "accepted.csv: 1 of 5 cases to adjudicate have no read that an adjudicator accepted (first: S6, recist11)"
        in (capsys.readouterr().err)
    )


def test_the_file_may_be_elsewhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lab").mkdir()
    path = accepted(tmp_path / "lab" / "counted.csv", *DECIDED)
    found = index(tmp_path, "--accepted", str(path), "--adjudicator", "J", "--readers", "A", "B")
    assert found == {"A": (33.333, "6"), "B": (50, "6")}
    missing = ["agree", str(tmp_path / "measurements.csv"), "--accepted", "none.csv", "--out", str(tmp_path / "no")]
    assert main(missing) == 2
    assert "none.csv: is not there" in capsys.readouterr().err


def test_without_the_table_only_what_was_read_anew_is_known(tmp_path: Path) -> None:
    assert index(tmp_path, "--readers", "A", "B") == {}
    found = index(tmp_path, "--readers", "A", "B", "--adjudicator", "J")
    assert found == {"A": (16.667, "6"), "B": (33.333, "6")}


def test_no_adjudicator_judges_the_site_or_herself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted(tmp_path / "accepted.csv", *DECIDED, SITE)
    assert index(tmp_path).keys() == {"A", "B"}
    assert "accepted.csv: J, Site: read as adjudicator or for the site" in capsys.readouterr().err


def test_a_case_whose_accepted_read_is_not_there_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted(tmp_path / "accepted.csv", ("S1", "recist11", "central", "Z", "picked", "J"), *DECIDED[1:])
    assert index(tmp_path, "--readers", "A", "B") == {"A": (40, "5"), "B": (40, "5")}
    assert "of 1 adjudicated cases the accepted read is not there (first: S1, recist11, Z)" in capsys.readouterr().err


def test_of_three_readers_only_who_differs_from_what_was_picked(tmp_path: Path) -> None:
    """A and C say PR, B says SD; A's read is picked, so the adjudicator does not disagree with C."""
    table = write(
        tmp_path / "measurements.csv",
        [
            line(reader, t, size)
            for reader, last in (("A", PR), ("B", SD), ("C", PR))
            for t, size in enumerate((50, last))
        ],
    )
    accepted(tmp_path / "accepted.csv", ("S1", "recist11", "central", "A", "picked", "J"))
    told = ["--criterion", "recist11", "--resamples", "0", "--out", str(tmp_path / "out")]
    assert main(["agree", str(table), *told]) == 0
    rows = [r for r in read(tmp_path / "out" / "agreement.csv") if r["statistic"] == "reader_disagreement_index"]
    assert {row["readers"]: float(row["value"]) for row in rows} == {"A": 0, "B": 100, "C": 0}
