"""``mrecist explain``: every rule with its numbers, the options in force, and an honest word when the table was changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mrecist.cli import main

HEADER = "subject,timepoint,date,lesion,role,kind,state,longest_mm,short_mm,viable_mm,organ\n"
# Eisenhauer 2009, 4.3.1 by hand: 50 + 12 = 62; 30 + 12 = 42 is -32.3 %; 40 + 14 = 54 is +28.6 % and +12 mm from 42.
ROWS = HEADER + (
    "S1,0,2024-01-01,T01,target,lesion,measured,50,,40,liver\n"
    "S1,0,2024-01-01,N01,target,node,measured,20,12,,lymph node\n"
    "S1,1,2024-03-01,T01,target,lesion,measured,30,,20,liver\n"
    "S1,1,2024-03-01,N01,target,node,measured,20,12,,lymph node\n"
    "S1,2,2024-05-01,T01,target,lesion,measured,40,,20,liver\n"
    "S1,2,2024-05-01,N01,target,node,measured,20,14,,lymph node\n"
    "S1,3,2024-07-01,T01,target,lesion,not-evaluable,,,,liver\n"
    "S1,3,2024-07-01,N01,target,node,measured,20,14,,lymph node\n"
)


def assessed(folder: Path, protocol: str = "", rows: str = ROWS) -> Path:
    source = folder / "rows.csv"
    source.write_text(rows, encoding="utf-8")
    options = []
    if protocol:
        (folder / "p.toml").write_text(f'format = "mrecist-protocol/1"\n{protocol}', encoding="utf-8")
        options = ["--protocol", str(folder / "p.toml")]
    assert main(["assess", str(source), "--out", str(folder / "out"), *options]) == 0
    return folder / "out"


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(["explain", *arguments]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_each_rule_is_told_with_its_numbers_up_to_the_one_that_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = told(capsys, str(assessed(tmp_path)), "S1", "2", "--criterion", "recist11")
    assert "sum 54 mm = T01 40 + N01 14" in words
    assert "baseline 62 mm: -12.9032 %, -8 mm" in words
    assert "smallest sum before 42 mm (time point 1): +28.5714 %, +12 mm" in words
    order = ["no complete response (CR)", "YES progression (PD)", "nothing to ask here: back after complete response"]
    assert [words.index(name) for name in order] == sorted(words.index(name) for name in order)
    assert "progression from at least +20 % and at least +5 mm [Eisenhauer 2009, 4.3.1]" in words
    assert "not tried any more: no baseline sum, partial response" in words
    # Options that are off are no rules of this protocol.
    assert "carries a partial response forward" not in words


def test_a_missing_target_is_named_and_no_sum_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = told(capsys, str(assessed(tmp_path)), "S1", "3", "--criterion", "recist11")
    assert "no sum: T01 not evaluated; the others are 14 mm" in words
    assert "YES not all evaluated (NE)" in words


def test_options_that_depart_from_the_publication_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = assessed(tmp_path, "[criteria.mrecist]\npd_absolute_mm = 5\n[response.confirm]\nmin_days = 42\n")
    words = told(capsys, str(out), "S1")
    assert "pd_absolute_mm = 5 (as published: 0)" in words
    assert "response.confirm.min_days = 42 (default: 28)" in words
    assert "pr_percent" not in words


def test_without_departures_no_option_is_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Options in force" not in told(capsys, str(assessed(tmp_path)), "S1")


def test_a_table_that_was_edited_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = assessed(tmp_path)
    table = out / "responses.csv"
    text = table.read_text(encoding="utf-8")
    assert ",PD,," in text or ",PD," in text
    table.write_text(text.replace(",no,PD,", ",no,SD,", 1), encoding="utf-8")
    words = told(capsys, str(out), "S1", "2", "--criterion", "recist11")
    assert "NOTE: responses.csv says 'SD'" in words
    assert "derives 'PD' from the same rows" in words


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda kept: (kept / "run.json").unlink(), "has no derivation/run.json"),
        (lambda kept: (kept / "run.json").write_text("{"), "is damaged"),
        (
            lambda kept: (kept / "protocol.toml").write_text('format = "mrecist-protocol/1"\n[study]\ntitle = "x"\n'),
            "protocol.toml was changed since the run",
        ),
    ],
)
def test_a_derivation_that_does_not_belong_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: object, words: str
) -> None:
    out = assessed(tmp_path)
    damage(out / "derivation")  # type: ignore[operator]
    assert main(["explain", str(out), "S1"]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert "Traceback" not in error


def test_the_table_of_the_user_is_never_replaced(tmp_path: Path) -> None:
    """``--out .`` beside the input: the input stays as it is."""
    source = tmp_path / "measurements.csv"
    source.write_text(ROWS, encoding="utf-8")
    assert main(["assess", str(source), "--out", str(tmp_path)]) == 0
    assert source.read_text(encoding="utf-8") == ROWS


def test_every_criterion_of_one_read_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = assessed(tmp_path, "[criteria.recist11]\n[criteria.irecist]\n[criteria.mrecist]\n")
    words = told(capsys, str(out), "S1", "2")
    assert words.index("recist11 (RECIST 1.1)") < words.index("irecist (iRECIST)") < words.index("mrecist (mRECIST")
    assert "overall iUPD: progression in targets, to be confirmed at the next assessment" in words


def test_what_would_have_changed_the_answer_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By hand: -30 % of 62 is 43.4, so 42 + 1.5 is no PR; CR needs T01 gone (30) and the node below 10 (12 - 2.1)."""
    words = told(capsys, str(assessed(tmp_path)), "S1", "1", "--criterion", "recist11")
    assert "what would change it: on the sum 32.1 mm less and it is CR; 1.5 mm more and it is SD" in words
    assert "T01 alone: 1.5 mm more and it is SD" in words
