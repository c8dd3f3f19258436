"""``mrecist agree`` from each kind of input: what it writes, who is adjudicated, and what it refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from two_readers import BASELINE, FIRST, Line, agree, line, read, write

from mrecist.agreement.rows import (
    ADJUDICATION_COLUMNS,
    AGREEMENT_COLUMNS,
    CROSSTAB_COLUMNS,
    DISCORDANCE_COLUMNS,
    SWAP_COLUMNS,
)
from mrecist.cli import main

TABLES = {
    "agreement.csv": AGREEMENT_COLUMNS,
    "crosstabs.csv": CROSSTAB_COLUMNS,
    "discordances.csv": DISCORDANCE_COLUMNS,
    "swaps.csv": SWAP_COLUMNS,
    "adjudication.csv": ADJUDICATION_COLUMNS,
}
# Subject -> size at the first visit, from 50 mm, by readers A, B and the adjudicator C: PR is 35 mm or less, PD 60 mm or more.
SIZES = {"S1": (30, 30, None), "S2": (30, 45, 30), "S3": (45, 70, 45), "S4": (70, 70, None), "S5": (30, 50, 50)}


def study() -> list[Line]:
    lines = []
    for subject, sizes in SIZES.items():
        for reader, size in zip("ABC", sizes, strict=True):
            if size is not None:
                lines += [line(reader, 0, 50, subject=subject), line(reader, 1, size, subject=subject)]
    return lines


def number(rows: list[dict[str, str]], statistic: str, **about: str) -> float:
    (row,) = [r for r in rows if r["statistic"] == statistic and all(r[n] == text for n, text in about.items())]
    return float(row["value"])


def test_two_readers_and_an_adjudicator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """S2, S3 and S5 differ. C agrees with A in S2 and S3, with B in S5: indices 100 x 1 / 5 and 100 x 2 / 5."""
    options = ("--criterion", "recist11", "--adjudicator", "C", "--adjudicate-on", "best_response")
    out = agree(tmp_path, study(), *options)
    assert re.search(r"^recist11 +best_response +discordance +5 +0\.600$", capsys.readouterr().out, re.MULTILINE)
    rows = read(out / "agreement.csv")
    assert {r["readers"] for r in rows} == {"A|B", "A", "B"}
    assert number(rows, "adjudication_rate") == pytest.approx(0.6)
    assert number(rows, "reader_disagreement_index", readers="A") == pytest.approx(20)
    assert number(rows, "reader_disagreement_index", readers="B") == pytest.approx(40)
    assert number(rows, "discordance", variable="best_response") == pytest.approx(0.6)
    assert number(rows, "discordance", variable="progression") == pytest.approx(0.2)  # S3
    said = read(out / "adjudication.csv")
    assert [(r["subject"], r["reader"], r["best_response"]) for r in said] == [
        ("S2", "A", "PR"),
        ("S2", "B", "SD"),
        ("S3", "A", "SD"),
        ("S3", "B", "PD"),
        ("S5", "A", "PR"),
        ("S5", "B", "SD"),
    ]
    assert {r["differs"] for r in said} == {"best_response"}
    assert all(r["causes"] == "boundary" and r["reason"] and r["visit_responses"] for r in said)


def test_the_protocol_says_what_is_adjudicated(tmp_path: Path) -> None:
    protocol = tmp_path / "protocol.toml"
    text = 'format = "mrecist-protocol/1"\n[criteria.recist11]\n[readers]\nadjudicate_on = ["progression"]\n'
    protocol.write_text(text, encoding="utf-8")
    out = agree(tmp_path, study(), "--protocol", str(protocol), "--readers", "A", "B")
    assert {(r["subject"], r["differs"]) for r in read(out / "adjudication.csv")} == {("S3", "progression")}
    other = agree(
        tmp_path, study(), "--protocol", str(protocol), "--readers", "A", "B", "--adjudicate-on", "first_response_date"
    )
    assert {r["subject"] for r in read(other / "adjudication.csv")} == {"S2", "S5"}


def test_results_give_what_their_measurements_give(tmp_path: Path) -> None:
    table = write(tmp_path / "rows.csv", study())
    assert main(["assess", str(table), "--out", str(tmp_path / "results")]) == 0
    for source, out in ((table, "one"), (tmp_path / "results", "two")):
        options = ["--readers", "A", "B", "--resamples", "100", "--out", str(tmp_path / out)]
        assert main(["agree", str(source), *options]) == 0
    for name, columns in TABLES.items():
        one, two = ((tmp_path / out / name).read_text(encoding="utf-8") for out in ("one", "two"))
        assert one == two
        assert one.splitlines()[0] == ",".join(columns)
        assert len(one.splitlines()) > 1


def test_subgroups_and_visits(tmp_path: Path) -> None:
    """BCLC B: S1 and S2, one of two differs; C: S3 to S5, two of three."""
    people = tmp_path / "subjects.csv"
    people.write_text("subject,bclc\nS1,B\nS2,B\nS3,C\nS4,C\nS5,C\nS9,C\n", encoding="utf-8")
    options = ("--criterion", "recist11", "--readers", "A", "B", "--subjects", str(people), "--by", "bclc")
    rows = read(agree(tmp_path, study(), *options) / "agreement.csv")
    for group, expected in (("bclc=B", 1 / 2), ("bclc=C", 2 / 3)):
        assert number(rows, "discordance", variable="best_response", group=group) == pytest.approx(expected, abs=1e-6)
    # of 50 mm at baseline by both, so that only the follow-up can make a difference
    for group, expected in (("visit=1", 3 / 5), ("bclc=C;visit=1", 2 / 3)):
        about = {"variable": "visit_response", "group": group}
        assert number(rows, "varying_follow_up", **about) == pytest.approx(expected, abs=1e-6)
        assert number(rows, "varying_baseline", **about) == 0
    assert {r["group"] for r in rows if r["statistic"] == "icc"} >= {"visit=0", "visit=1", "bclc=B;visit=1"}


def test_not_evaluable_is_a_category_of_its_own_or_no_rating(tmp_path: Path) -> None:
    """B cannot evaluate S1: the scale from PR to PD has four units, with NE there are five."""
    lines = [row if row[:4] != ("S1", 1, FIRST, "B") else line("B", 1, state="not-evaluable") for row in study()]
    rows = read(agree(tmp_path, lines, "--criterion", "recist11", "--readers", "A", "B") / "agreement.csv")
    found = {
        r["form"]: int(r["n"])
        for r in rows
        if r["statistic"] == "cohen_kappa" and r["variable"] == "visit_response" and r["weights"] == "identity"
    }
    assert found == {"PR|SD|PD": 4, "PR|SD|PD|NE": 5}


def test_figures_only_where_there_are_enough_pairs(tmp_path: Path) -> None:
    """Readers A and B have five pairs at each visit, A and C three."""
    out = agree(tmp_path, study(), "--criterion", "recist11", "--figures")
    assert sorted(path.name for path in (out / "figures").iterdir()) == [
        f"bland-altman_recist11_A_B_visit{t}.{suffix}" for t in (0, 1) for suffix in ("png", "svg")
    ]
    text = (out / "figures" / "bland-altman_recist11_A_B_visit1.svg").read_text(encoding="utf-8")
    # differences 0, -15, -25, 0, -20 mm: mean -12, standard deviation 11.51
    assert "bias \N{MINUS SIGN}12.0" in text
    assert "upper 10.6" in text
    assert "lower \N{MINUS SIGN}34.6" in text


# --- sums ------------------------------------------------------------------------------------------------------------


def sums(path: Path, *lines: str, header: str = "subject,reader,criterion,timepoint,sum,date,category") -> Path:
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return path


def test_a_table_of_sums_with_dates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """50 to 34 mm is PR, to 36 mm SD; the table states SD for a third reader whose sums give PR."""
    table = sums(
        tmp_path / "sums.csv",
        *(f"S1,{reader},recist11,0,50,{BASELINE}," for reader in "ABC"),
        f"S1,A,recist11,1,34,{FIRST},",
        f"S1,B,recist11,1,36,{FIRST},SD",
        f"S1,C,recist11,1,30,{FIRST},SD",
    )
    assert main(["agree", str(table), "--resamples", "0", "--out", str(tmp_path / "out")]) == 0
    assert "reader C, recist11, time point 1: the table states SD and its sums give PR" in capsys.readouterr().err
    found = {
        (r["reader_1"], r["reader_2"]): (r["value_1"], r["value_2"], r["cause"])
        for r in read(tmp_path / "out" / "discordances.csv")
        if r["variable"] == "visit_response"
    }
    assert found == {("A", "B"): ("PR", "SD", "sum"), ("A", "C"): ("PR", "SD", "stated")}
    swapped = {r["detail"] for r in read(tmp_path / "out" / "swaps.csv") if r["reader"] == "C" and not r["swapped"]}
    assert swapped == {"C: its sum as one target gives PR at time point 1, recorded is SD"}


def test_a_row_of_sums_that_cannot_be_read_fails_its_subject(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{s},{r},{t},{size}" for s in ("S1", "S2") for r in "AB" for t, size in ((0, 50), (1, 40))]
    table = sums(tmp_path / "sums.csv", *rows, "S3,A,0,minus one", header="subject,reader,timepoint,sum")
    assert main(["agree", str(table), "--criterion", "recist11", "--out", str(tmp_path / "out")]) == 1
    assert "subject S3: sum: 'minus one' is not a number" in capsys.readouterr().err
    assert len(read(tmp_path / "out" / "problems.csv")) == 1


def test_short_words_of_protocols_are_the_same_variables(tmp_path: Path) -> None:
    """trials write pd_date for the day of progression; the list is the same as by the long word."""
    found = []
    for place, word in enumerate(("pd_date", "progression_date")):
        (tmp_path / str(place)).mkdir()
        agree(tmp_path / str(place), study(), "--adjudicate-on", word)
        found.append((tmp_path / str(place) / "out" / "adjudication.csv").read_bytes())
    assert found[0] == found[1]
    assert b"progression_date" in found[0]


# --- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--readers", "A"), "there is one reader, A; agreement needs two or more"),
        (("--readers", "A", "Z"), "there is no read of reader 'Z'; readers are: A, B, C"),
        (("--adjudicator", "A", "--readers", "A", "B"), "reader 'A' is compared and adjudicates"),
        (("--adjudicate-on", "bor"), "'bor' is nothing that readers are compared by"),
        (("--by", "arm"), "--by takes columns of subjects.csv"),
    ],
)
def test_what_cannot_be_compared(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    agree(tmp_path, study(), *options, code=2)
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("lines", "options", "said"),
    [
        (["S1,A,recist11,0,50,,", "S1,A,recist11,0,51,,"], (), "has two sums by 'recist11'; keep one"),
        (["S1,A,bor,0,50,,"], (), "criterion is 'bor', and the protocol has recist11, mrecist"),
        (["S1,A,easl,0,50,,"], ("--criterion", "easl"), "easl is not derived from sums of diameters alone"),
        (["S1,A,irecist,0,50,,"], ("--criterion", "irecist"), "irecist needs the dates of the visits"),
        ([], (), "has a header and no rows"),
    ],
)
def test_sums_that_cannot_be_used(
    lines: list[str], options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = sums(tmp_path / "sums.csv", *lines)
    assert main(["agree", str(table), *options, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err


def test_three_readers_of_whom_two_read_each_case(tmp_path: Path) -> None:
    """S1 by A and B, who differ; S2 by B and C, who do not; S3 by all, of whom C differs; S4 by A alone. 50 to 30 mm is PR."""
    reads = {"S1": {"A": 30, "B": 50}, "S2": {"B": 50, "C": 50}, "S3": {"A": 30, "B": 30, "C": 50}, "S4": {"A": 30}}
    lines = [
        line(reader, t, size, subject=subject)
        for subject, of_readers in reads.items()
        for reader, last in of_readers.items()
        for t, size in enumerate((50, last))
    ]
    found = {
        (row["variable"], row["group"]): (float(row["value"]), row["n"])
        for row in read(agree(tmp_path, lines, "--criterion", "recist11") / "agreement.csv")
        if row["statistic"] == "discordance" and row["readers"] == "A|B|C"
    }
    for variable in ("best_response", "visit_response"):
        assert found[variable, ""] == (pytest.approx(2 / 3, abs=1e-5), "3")
        assert found[variable, "read by all"] == (1, "1")
