"""``mrecist conformance``: this package's engine, the same one as another program, and engines that fail in every way."""

from __future__ import annotations

import csv
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mrecist.cli import main
from mrecist.conformance.cases import load_cases

SHIPPED = load_cases().folder
ROOT = Path(__file__).parents[2]
OWN = f"{sys.executable} -m mrecist"
# Four time points of RECIST 1.1 and mRECIST, an option, a best response from reported responses, and one with dates.
NAMES = ("R11-PR-01", "R11-PR-02", "MR-PD-05", "IR-N6-01", "BOR-T3-01", "A09-03")

Engine = Callable[[str], str]
Row = dict[str, str]


def rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, found: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(found[0]))
        writer.writeheader()
        writer.writerows(found)


def case_set(folder: Path, *names: str) -> Path:
    """A set of some of the shipped cases."""
    folder.mkdir()
    for table in ("cases", "measurements", "overall", "expected", "subjects"):
        kept = [row for row in rows(SHIPPED / f"{table}.csv") if row.get("case", row.get("subject")) in names]
        if kept:
            write_rows(folder / f"{table}.csv", kept)
    (folder / "protocols").mkdir()
    for row in rows(folder / "cases.csv"):
        if row["protocol"]:
            name = f"{row['protocol']}.toml"
            (folder / "protocols" / name).write_bytes((SHIPPED / "protocols" / name).read_bytes())
    return folder


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Write a Python program and give the command that runs it."""

    def write(source: str) -> str:
        path = tmp_path / "engine.py"
        path.write_text("import csv, sys, os, pathlib, subprocess, time\n" + source, encoding="utf-8")
        return f"{sys.executable} {path}"

    return write


# Answers every follow-up of RECIST 1.1 with stable disease, and no best response but stable disease.
ALWAYS_SD = """
measurements, out = sys.argv[1:3]
visits = {(r["subject"], r["timepoint"]) for r in csv.DictReader(open(measurements))}
subjects = {subject for subject, _ in visits}
with open(out + "/responses.csv", "w") as file:
    file.write("subject,criterion,timepoint,target,overall,sum\\n")
    file.writelines(f"{s},recist11,{t},SD,SD,\\n" for s, t in visits)
with open(out + "/best_responses.csv", "w") as file:
    file.write("subject,criterion,best_unconfirmed,best_confirmed\\n")
    file.writelines(f"{s},recist11,SD,SD\\n" for s in subjects)
"""


def results(cases: Path, *arguments: str) -> tuple[int, dict[tuple[str, str], Row]]:
    out = cases.parent / "results.csv"
    code = main(["conformance", "--cases", str(cases), "--out", str(out), *arguments])
    return code, {(row["case"], row["criterion"]): row for row in rows(out)}


@pytest.fixture(autouse=True)
def this_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    """The external engine is this checkout, not another one that happens to be installed."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


# --- this engine -----------------------------------------------------------------------------------------------------


def test_this_engine_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = results(case_set(tmp_path / "set", *NAMES))
    assert code == 0
    assert {row["result"] for row in found.values()} == {"passed"}
    assert {case for case, _ in found} == set(NAMES)
    assert "passed, 0 failed, 0 not answered" in capsys.readouterr().out


def test_this_engine_as_another_program_answers_the_same(tmp_path: Path) -> None:
    cases = case_set(tmp_path / "set", *NAMES)
    own = results(cases)
    assert results(cases, "--engine", OWN) == own


def test_placeholders_in_place_of_the_own_form(tmp_path: Path) -> None:
    assess = f"{OWN} assess {{measurements}} --protocol={{protocol}} --subjects {{subjects}} --out {{out}}"
    best = f"{OWN} best {{overall}} --criterion {{criterion}} --protocol {{protocol}} --out {{out_file}}"
    cases = case_set(tmp_path / "set", *NAMES)
    assert results(cases, "--engine", assess, "--best-engine", best) == results(cases)


def test_a_wrong_expected_value_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = case_set(tmp_path / "set", "R11-PR-01", "R11-PR-02")
    expected = rows(cases / "expected.csv")
    write_rows(cases / "expected.csv", [{**r, "expected": "CR"} if r["column"] == "overall" else r for r in expected])
    code, found = results(cases)
    assert code == 1
    assert {row["result"] for row in found.values()} == {"failed"}
    assert found["R11-PR-01", "recist11"]["differences"] == "time point 1: overall is 'PR', expected 'CR'"
    printed = capsys.readouterr().out
    assert "source: Eisenhauer 2009" in printed
    assert "why: " in printed


# --- engines that are wrong ------------------------------------------------------------------------------------------


def test_an_engine_that_always_says_stable(tmp_path: Path, engine: Engine) -> None:
    cases = case_set(tmp_path / "set", "R11-PR-01", "R11-PR-02", "R11-PD-02", "MR-PR-02")
    code, found = results(cases, "--engine", engine(ALWAYS_SD) + " {measurements} {out}")
    assert code == 1
    # -30 % is PR; -29.9 % and +19.9 % are stable, as the engine says of everything; it knows no mRECIST.
    assert {name: row["result"] for (name, _), row in found.items()} == {
        "R11-PR-01": "failed",
        "R11-PR-02": "passed",
        "R11-PD-02": "passed",
        "MR-PR-02": "not answered",
    }
    assert "overall is 'SD', expected 'PR'" in found["R11-PR-01", "recist11"]["differences"]


def test_criteria_that_an_engine_does_not_know_are_not_wrong(tmp_path: Path, engine: Engine) -> None:
    cases = case_set(tmp_path / "set", "R11-PR-02", "MR-PR-02", "BOR-T3-01")
    code, found = results(cases, "--engine", engine(ALWAYS_SD) + " {measurements} {out}")
    assert code == 0
    assert {key: row["result"] for key, row in found.items()} == {
        ("R11-PR-02", "recist11"): "passed",
        ("MR-PR-02", "mrecist"): "not answered",
        # No command for reported responses was given.
        ("BOR-T3-01", "recist11"): "not answered",
    }


def test_a_known_criterion_without_the_row_is_wrong(tmp_path: Path, engine: Engine) -> None:
    source = ALWAYS_SD.replace("for s, t in visits)", "for s, t in visits if s != 'R11-PD-02')")
    cases = case_set(tmp_path / "set", "R11-PR-02", "R11-PD-02")
    code, found = results(cases, "--engine", engine(source) + " {measurements} {out}")
    assert code == 1
    assert found["R11-PR-02", "recist11"]["result"] == "passed"
    assert "no such row" in found["R11-PD-02", "recist11"]["differences"]


def test_a_column_that_an_engine_does_not_write_is_not_answered(tmp_path: Path, engine: Engine) -> None:
    # Both cases are complete responses at a sum of 0; one also asks for a flag, and this engine writes none.
    source = ALWAYS_SD.replace("SD,SD,", "CR,CR,0")
    cases = case_set(tmp_path / "set", "R11-ME-03", "R11-CR-08")
    _, found = results(cases, "--engine", engine(source) + " {measurements} {out}")
    assert found["R11-CR-08", "recist11"]["result"] == "passed"
    assert found["R11-ME-03", "recist11"]["result"] == "not answered"
    assert "flag is 'no such column'" in found["R11-ME-03", "recist11"]["differences"]


def test_an_engine_that_knows_nothing_has_not_passed(tmp_path: Path, engine: Engine) -> None:
    source = ALWAYS_SD.replace("recist11", "our_criterion")
    code, found = results(case_set(tmp_path / "set", "R11-PR-02"), "--engine", engine(source) + " {measurements} {out}")
    assert code == 1
    assert {row["result"] for row in found.values()} == {"not answered"}


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("sys.exit('out of memory')", "the engine ended with exit code 1: out of memory"),
        ("os.kill(os.getpid(), 9)", "the engine ended with exit code -9"),
        ("pass", "the engine wrote no responses.csv"),
        ("open(sys.argv[2] + '/responses.csv', 'w').write('subject,visit\\n')", "no column 'criterion', 'timepoint'"),
        ("open(sys.argv[2] + '/responses.csv', 'wb').write(bytes([255]))", "not UTF-8"),
    ],
    ids=["crash", "killed", "silent", "other-columns", "garbage"],
)
def test_a_run_that_fails_fails_its_cases(
    tmp_path: Path, engine: Engine, source: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = case_set(tmp_path / "set", "R11-PR-01", "MR-PD-05")
    code, found = results(cases, "--engine", engine(source) + " {measurements} {out}")
    assert code == 1
    assert {row["result"] for row in found.values()} == {"failed"}
    assert all(reason in row["differences"] for row in found.values())
    assert "Traceback" not in capsys.readouterr().err


def test_one_failed_run_stops_no_other(tmp_path: Path, engine: Engine) -> None:
    # The program fails on the protocol that sets an option, and answers the other group.
    source = "if 'pd_absolute_mm' in open(sys.argv[3]).read(): sys.exit('cannot')\n" + ALWAYS_SD
    cases = case_set(tmp_path / "set", "R11-PR-02", "MR-PD-05")
    _, found = results(cases, "--engine", engine(source) + " {measurements} {out} {protocol}")
    assert found["R11-PR-02", "recist11"]["result"] == "passed"
    assert "cannot" in found["MR-PD-05", "mrecist"]["differences"]


def test_an_engine_that_hangs_is_stopped_with_what_it_started(tmp_path: Path, engine: Engine) -> None:
    marker = tmp_path / "still-there"
    child = f"import time, pathlib; time.sleep(3); pathlib.Path({str(marker)!r}).touch()"
    source = f"subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    began = time.monotonic()
    command = engine(source) + " {measurements} {out}"
    code, found = results(case_set(tmp_path / "set", "R11-PR-01"), "--engine", command, "--time-limit", "1")
    assert code == 1
    assert time.monotonic() - began < 30
    assert "no answer within 1 s and was stopped" in found["R11-PR-01", "recist11"]["differences"]
    time.sleep(4)
    assert not marker.exists()


def test_no_shell_reads_the_command(tmp_path: Path, engine: Engine) -> None:
    marker = tmp_path / "touched"
    command = engine(ALWAYS_SD) + f" {{measurements}} {{out}} ; touch {marker}"
    code, _ = results(case_set(tmp_path / "set", "R11-PR-02"), "--engine", command)
    assert code == 0
    assert not marker.exists()


# --- wrong use -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--engine", "engine {measurement} {out}"], "unknown placeholder {measurement}"),
        (["--engine", "engine {measurements}"], "but not {out}"),
        (["--engine", "engine 'half"], "cannot be split into words"),
        (["--engine", " "], "the command is empty"),
        (["--engine", "/no/such/engine"], "cannot be started"),
        (["--engine", "x {measurements} {out}", "--best-engine", "x {overall}"], "but not {out_file}"),
        (["--best-engine", "x"], "--best-engine goes with --engine"),
        (["--cases", "no-such-folder"], "is not a folder"),
    ],
)
def test_wrong_use_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conformance", *arguments]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1


def test_a_time_limit_is_above_0() -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["conformance", "--time-limit", "0"])
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("expected.csv", lambda text: text.replace(",1,", ",first,"), "timepoint 'first'"),
        (
            "expected.csv",
            lambda text: text.replace("R11-PR-01", "R11-XX-01"),
            "R11-XX-01 has rows and is not in cases.csv",
        ),
        ("measurements.csv", lambda text: text.replace("R11-PR-01", "R11-PR-02"), "needs rows"),
        ("measurements.csv", lambda text: text.replace("measured", "guessed"), "state is 'guessed'"),
    ],
)
def test_a_set_that_does_not_fit_together(
    tmp_path: Path, table: str, change: Callable[[str], str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = case_set(tmp_path / "set", "R11-PR-01", "R11-PR-02")
    path = cases / table
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert main(["conformance", "--cases", str(cases)]) == 2
    assert message in capsys.readouterr().err


def test_nothing_of_the_runs_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert results(case_set(tmp_path / "set", "R11-PR-01"), "--engine", OWN)[0] == 0
    assert os.listdir(temporary) == []
