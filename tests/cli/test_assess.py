"""``mrecist assess``, ``best`` and ``explain`` as a user runs them: files in, files out, exit codes, one line per fault."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mrecist.cli import main

HEADER = "subject,timepoint,date,lesion,role,state,longest_mm,viable_mm\n"
# RECIST 1.1, Eisenhauer 2009, 4.3.1: 50 -> 34 mm is -32 %; 34 -> 41 mm is +20.6 % and +7 mm from the nadir.
GOOD = HEADER + (
    "S1,0,2024-01-01,T01,target,measured,50.0,40.0\n"
    "S1,1,2024-03-01,T01,target,measured,34.0,40.0\n"
    "S1,2,2024-05-01,T01,target,measured,41.0,0\n"
)


def write(folder: Path, text: str, name: str = "measurements.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_responses_and_best_responses_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["assess", str(write(tmp_path, GOOD)), "--out", str(tmp_path / "out")]) == 0
    rows = {(r["criterion"], r["timepoint"]): r for r in table(tmp_path / "out" / "responses.csv")}
    assert rows["recist11", "0"]["overall"] == ""
    assert rows["recist11", "1"]["overall"] == "PR"
    assert rows["recist11", "1"]["pct_from_baseline"] == "-32"
    assert rows["recist11", "2"]["overall"] == "PD"
    assert rows["recist11", "2"]["nadir_sum"] == "34"
    assert rows["recist11", "2"]["abs_from_nadir"] == "7"
    assert rows["mrecist", "1"]["overall"] == "SD"
    assert rows["mrecist", "2"]["overall"] == "CR"
    assert len({r["protocol_sha256"] for r in rows.values()}) == 1
    best = {r["criterion"]: r for r in table(tmp_path / "out" / "best_responses.csv")}
    assert best["recist11"]["best_unconfirmed"] == "PR"
    assert best["recist11"]["best_confirmed"] == "SD"
    assert best["recist11"]["progression_date"] == "2024-05-01"
    assert "Traceback" not in capsys.readouterr().err


def test_only_the_criterion_asked_for(tmp_path: Path) -> None:
    measurements = str(write(tmp_path, GOOD))
    assert main(["assess", measurements, "--criterion", "mrecist", "--out", str(tmp_path)]) == 0
    assert {r["criterion"] for r in table(tmp_path / "responses.csv")} == {"mrecist"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        (HEADER, "no rows"),
        ("subject,timepoint,date,lesion,role\nS1,0,2024-01-01,T01,target\n", "no column 'state'"),
        (GOOD.replace("50.0,40.0", "50.0"), "line 2 has 7 cells and the header 8"),
        (GOOD.replace("subject,", "Subject,"), "no column 'subject' (there is 'Subject')"),
        (GOOD.replace("date,", ""), "no column 'date'; the header is"),
    ],
)
def test_an_unusable_table_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    assert main(["assess", str(write(tmp_path, text)), "--out", str(tmp_path / "out")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert words in lines[0]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("S2,0,2024-01-01,T01,target,shrunk,50,40", "state is 'shrunk', not one of"),
        ("S2,0,2024-01-01,T01,target,measured,-5,40", "'-5' is negative"),
        ('S2,0,2024-01-01,T01,target,measured,"5,0",40', "'5,0' is not a number"),
        ("S2,0,2024-01-01,T01,target,measured,5_0,40", "'5_0' is not a number"),
        ("S2,0_0,2024-01-01,T01,target,measured,50,40", "timepoint is '0_0'"),
        ("S2,0,2024-01-01,T01,target,measured,50,40\nS2,0,2024-01-01,T01,target,measured,50,40", "two rows"),
        ("S2,1,2024-03-01,T01,target,measured,50,40", "no baseline"),
        (
            "S2,0,2024-03-01,T01,target,measured,50,40\nS2,1,2024-01-01,T01,target,measured,50,40",
            "2024-01-01, not after",
        ),
        ("S2,-1,2024-01-01,T01,target,measured,50,40", "before the baseline"),
        ("S2,0,01.02.2024,T01,target,measured,50,40", "not an ISO 8601 date"),
        ("S2,0,,T01,target,measured,50,40", "no date"),
    ],
)
def test_one_bad_subject_stops_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: str, words: str
) -> None:
    assert main(["assess", str(write(tmp_path, GOOD + row + "\n")), "--out", str(tmp_path)]) == 1
    problems = [line for line in capsys.readouterr().err.splitlines() if line.startswith("mrecist: ")]
    assert len(problems) == 1
    assert words in problems[0]
    assert "S2" in problems[0]
    assert {r["subject"] for r in table(tmp_path / "responses.csv")} == {"S1"}


@pytest.mark.parametrize("density", ["1e999999", "1e-999999", "1e30"])
def test_a_density_beyond_exact_arithmetic_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], density: str
) -> None:
    header = HEADER.replace("viable_mm", "mean_hu")
    rows = "S1,0,2024-01-01,T01,target,measured,50,80\nS1,1,2024-03-01,T01,target,measured,50,"
    measurements = str(write(tmp_path, f"{header}{rows}{density}\n"))
    assert main(["assess", measurements, "--criterion", "choi", "--out", str(tmp_path)]) == 1
    assert f"mean_hu: '{density}' has more than 24 digits" in capsys.readouterr().err


def test_a_threshold_beyond_exact_arithmetic_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    protocol = write(tmp_path, 'format = "mrecist-protocol/1"\n[criteria.recist11]\npr_percent = 1e-300\n', "p.toml")
    arguments = ["assess", str(write(tmp_path, GOOD)), "--protocol", str(protocol), "--out", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert "pr_percent is 1e-300; it takes a number with at most 24 decimals" in capsys.readouterr().err


def test_an_absent_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["assess", str(tmp_path / "nothing.csv"), "--out", str(tmp_path)]) == 2
    assert "nothing.csv: cannot be read" in capsys.readouterr().err


def test_best_from_reported_responses(tmp_path: Path) -> None:
    """Eisenhauer 2009, Table 3: PR then PR is PR when confirmed; PR then PD is SD when SD lasted long enough."""
    overall = write(
        tmp_path,
        "subject,date,overall,baseline_date\n"
        "A,2024-03-01,PR,2024-01-01\nA,2024-05-01,PR,2024-01-01\n"
        "B,2024-03-01,PR,2024-01-01\nB,2024-05-01,PD,2024-01-01\n"
        "C,,,2024-01-01\n"
        "D,2023-12-01,PR,2024-01-01\n",
        "overall.csv",
    )
    assert main(["best", str(overall), "--out", str(tmp_path / "best.csv")]) == 1
    rows = {r["subject"]: r for r in table(tmp_path / "best.csv")}
    assert (rows["A"]["best_unconfirmed"], rows["A"]["best_confirmed"]) == ("PR", "PR")
    assert rows["A"]["confirmed_response_date"] == "2024-03-01"
    assert (rows["B"]["best_unconfirmed"], rows["B"]["best_confirmed"]) == ("PR", "SD")
    assert rows["B"]["progression_date"] == "2024-05-01"
    assert rows["C"]["best_confirmed"] == "NE"
    assert "D" not in rows


def test_explain_tells_the_numbers_and_the_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["assess", str(write(tmp_path, GOOD)), "--out", str(tmp_path)])
    capsys.readouterr()
    assert main(["explain", str(tmp_path), "S1", "2", "--criterion", "recist11"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    for words in ("PD", "41 mm", "+20.5882 %", "+7 mm", "34 mm (time point 1)", "Eisenhauer 2009"):
        assert words in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["S9"], "no subject 'S9'"), (["S1", "7"], "no time point '7'"), (["S1", "--criterion", "x"], "no criterion 'x'")],
)
def test_explain_names_what_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    main(["assess", str(write(tmp_path, GOOD)), "--out", str(tmp_path)])
    capsys.readouterr()
    assert main(["explain", str(tmp_path), *arguments]) == 2
    assert words in capsys.readouterr().err


def test_what_is_written_can_be_read_back(tmp_path: Path) -> None:
    """Contract: every CSV that the tool writes it can read back, and reading it again changes nothing."""
    from mrecist.tables import measurements_csv, read_measurements

    rows = read_measurements(write(tmp_path, GOOD)).rows
    again = read_measurements(write(tmp_path, measurements_csv(rows), "again.csv")).rows
    assert again == rows


def test_a_misspelled_column_that_is_not_required_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace("longest_mm", "longest").replace("viable_mm", "viable_mm,note")
    rows = "\n".join(line + ",x" if line.startswith("S1") else line for line in text.splitlines()) + "\n"
    assert main(["assess", str(write(tmp_path, rows)), "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().err
    assert "column 'longest' is not known and was ignored; did you mean 'longest_mm'?" in told
    assert "'note'" not in told


@pytest.mark.parametrize(("separator", "word"), [(";", "';'"), ("\t", "tabs")])
def test_another_separator_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], separator: str, word: str
) -> None:
    path = write(tmp_path, GOOD.replace(",", separator))
    assert main(["assess", str(path), "--out", str(tmp_path / "out")]) == 2
    assert f"separated by {word} and not by ','" in capsys.readouterr().err


def test_what_is_not_utf8_is_found_by_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes((GOOD + "S2,0,2024-01-01,T\u00e9,target,measured,10,10\n").encode("latin-1"))
    assert main(["assess", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "line 5 is not UTF-8" in capsys.readouterr().err


def test_a_cut_off_that_changes_nothing_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    protocol = write(tmp_path, 'format = "mrecist-protocol/1"\n[response]\ndata_cutoff = 2024-04-01\n', "p.toml")
    options = ["--protocol", str(protocol), "--out", str(tmp_path / "out")]
    assert main(["assess", str(write(tmp_path, GOOD)), *options]) == 2
    assert "cut does not name it" in capsys.readouterr().err
