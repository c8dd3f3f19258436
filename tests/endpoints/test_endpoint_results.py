"""Endpoints from a folder that `assess` wrote: the engine's dates, and what does not belong together."""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint_study import proportion, rows, time_endpoint

from mrecist.cli import main

FORMAT = 'format = "mrecist-protocol/1"\n'
HEAD = FORMAT + '[criteria.recist11]\n[criteria.mrecist]\n[origin]\nevent = "randomisation"\n'
# One target: 50, 30 (-40 %: PR), 30, 45 mm (+50 % and 15 mm from the nadir: PD), by hand from Eisenhauer 2009, 4.3.
SIZES = (("2019-12-20", 50), ("2020-03-01", 30), ("2020-05-01", 30), ("2020-07-01", 45))
TIMES = time_endpoint(name="PFS", more='criterion = "recist11"')


def measurements() -> str:
    lines = [f"S1,{n},{day},T01,target,measured,{mm}" for n, (day, mm) in enumerate(SIZES)]
    return "\n".join(["subject,timepoint,date,lesion,role,state,longest_mm", *lines]) + "\n"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """What `assess` writes."""
    (tmp_path / "measurements.csv").write_text(measurements(), encoding="utf-8")
    (tmp_path / "subjects.csv").write_text("subject,arm,randomisation\nS1,A,2020-01-01\n", encoding="utf-8")
    (tmp_path / "assess.toml").write_text(HEAD, encoding="utf-8")
    call = ["assess", "measurements.csv", "--protocol", "assess.toml", "--subjects", "subjects.csv", "--out", "results"]
    assert main([str(tmp_path / one) if "." in one or one == "results" else one for one in call]) == 0
    return tmp_path / "results"


def endpoints(results: Path, protocol: str) -> int:
    folder = results.parent
    (folder / "p.toml").write_text(protocol, encoding="utf-8")
    call = ["endpoints", str(results), "--subjects", str(folder / "subjects.csv"), "--protocol", str(folder / "p.toml")]
    return main([*call, "--out", str(folder / "out")])


def test_progression_and_response_of_the_engine(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dor = time_endpoint(name="DOR", more='criterion = "recist11"\norigin = "first_confirmed_response"')
    assert endpoints(results, HEAD + TIMES + dor + proportion(more='criterion = "recist11"')) == 0
    assert "note" not in capsys.readouterr().err
    out = results.parent / "out"
    # 1 July 2020 is day 183 of 1 January, and day 123 of 1 March.
    assert [(r["endpoint"], r["days"], r["cnsr"], r["source"]) for r in rows(out / "events.csv")] == [
        ("PFS", "183", "0", "responses.csv recist11"),
        ("DOR", "123", "0", "responses.csv recist11"),
    ]
    assert [(r["success"], r["value"], r["date"]) for r in rows(out / "outcomes.csv")] == [("yes", "PR", "2020-03-01")]


def test_other_rules_than_those_of_the_responses_are_told(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert endpoints(results, HEAD.replace("[origin]", "pd_absolute_mm = 5\n[origin]") + TIMES) == 0
    assert "derived with another [criteria] than this protocol's" in capsys.readouterr().err


def test_a_criterion_that_nobody_used(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert endpoints(results, HEAD + TIMES.replace("recist11", "easl")) == 2
    assert "no response is by criterion easl; there are mrecist, recist11" in capsys.readouterr().err


def test_an_assessment_in_a_year_of_no_trial(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for table in ("responses.csv", "best_responses.csv"):
        path = results / table
        path.write_text(path.read_text(encoding="utf-8").replace("2020-07-01", "2202-07-01"), encoding="utf-8")
    assert endpoints(results, HEAD + TIMES + proportion(more='criterion = "recist11"')) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if "2202-07-01, which is no day of a trial" in line]
    assert [f"endpoint {name}" in line for name, line in zip(("PFS", "ORR"), said, strict=True)] == [True, True]


@pytest.mark.parametrize("table", ["responses.csv", "best_responses.csv"])
def test_tables_that_do_not_belong_together(table: str, results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = results / table
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line for line in lines if ",mrecist," not in line) + "\n", encoding="utf-8")
    assert endpoints(results, HEAD + TIMES) == 2
    assert "is in one of responses.csv and best_responses.csv only" in capsys.readouterr().err
    path.unlink()
    assert endpoints(results, HEAD + TIMES) == 2
    assert f"{table}: cannot be read" in capsys.readouterr().err


def test_reads_with_a_problem_are_not_never_assessed(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """S2 was not assessed for a damaged file: no failure of response. S3 was never scanned and is one."""
    subjects = "subject,arm,randomisation\nS1,A,2020-01-01\nS2,A,2020-01-01\nS3,A,2020-01-01\n"
    (results.parent / "subjects.csv").write_text(subjects, encoding="utf-8")
    (results / "problems.csv").write_text("subject,reader,message\nS2,,a mask is damaged\n", encoding="utf-8")
    assert endpoints(results, HEAD + TIMES + proportion(more='criterion = "recist11"')) == 1
    told = rows(results.parent / "out" / "outcomes.csv")
    assert [(row["subject"], row["success"]) for row in told] == [("S1", "yes"), ("S3", "no")]
    assert [row["subject"] for row in rows(results.parent / "out" / "events.csv")] == ["S1", "S3"]
    assert "a mask is damaged" in capsys.readouterr().err


def test_a_read_that_could_not_be_derived_is_not_called_never_assessed(results: Path) -> None:
    table = results / "derivation" / "measurements.csv"
    with table.open("a", encoding="utf-8") as file:
        file.write("S2,0,2019-12-20,T01,target,measured,0\n")
    (results.parent / "subjects.csv").write_text(
        "subject,arm,randomisation,death\nS1,A,2020-01-01,\nS2,A,2020-01-01,2020-02-01\n", encoding="utf-8"
    )
    death = time_endpoint('["death"]', name="OS").replace("last_assessment", "last_alive")
    assert endpoints(results, HEAD + death + proportion(more='criterion = "recist11"')) == 1
    out = results.parent / "out"
    assert [row["subject"] for row in rows(out / "outcomes.csv")] == ["S1"]
    assert [row["subject"] for row in rows(out / "events.csv")] == ["S1", "S2"]
    assert [row["message"][:30] for row in rows(out / "problems.csv")] == ["subject S2, reader R1: was ass"]
