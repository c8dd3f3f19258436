"""``mrecist check`` as a user runs it: table or JSON out, exit codes, the protocol's ``[checks]``."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

import mrecist
from mrecist.checklist import CHECKLIST
from mrecist.checks.finding import FINDING_COLUMNS
from mrecist.checks.lesions import LESION_CHECKS
from mrecist.checks.responses import RESPONSE_CHECKS
from mrecist.checks.rows import ROW_CHECKS
from mrecist.checks.schedule import SCHEDULE_CHECKS
from mrecist.checks.selection import SELECTION_CHECKS
from mrecist.checks.visits import READ_CHECKS
from mrecist.cli import main
from mrecist.protocol import load_protocol

HEADER = "subject,timepoint,date,lesion,role,state,organ,longest_mm,viable_mm,modality,phase,slice_thickness_mm\n"
SOUND = (
    "S1,0,2024-01-01,T01,target,measured,liver,30,30,CT,ARTERIAL,2.5\n"
    "S1,1,2024-03-01,T01,target,measured,liver,27,25,CT,ARTERIAL,2.5\n"
)
SMALL = "S2,0,2024-01-01,T01,target,measured,liver,9.9,9.9,CT,ARTERIAL,2.5\n"
DOUBTFUL = "S3,0,2024-01-01,T01,target,measured,liver,20,21,CT,ARTERIAL,2.5\n"
SWAPPED = "S4,0,2024-01-01,T01,target,absent,liver,20,21,CT,ARTERIAL,2.5\n"
UNREADABLE = "S5,0,2024-01-01,T01,target,shrunk,liver,20,21,CT,ARTERIAL,2.5\n"


def write(folder: Path, rows: str, toml: str = "") -> list[str]:
    (folder / "measurements.csv").write_text(HEADER + rows, encoding="utf-8")
    if not toml:
        return ["check", str(folder / "measurements.csv")]
    (folder / "protocol.toml").write_text(f'format = "mrecist-protocol/1"\n{toml}', encoding="utf-8")
    return ["check", str(folder / "measurements.csv"), "--protocol", str(folder / "protocol.toml")]


def checks(text: str) -> list[tuple[str, str, str]]:
    return [(r["subject"], r["check"], r["severity"]) for r in csv.DictReader(io.StringIO(text))]


def test_each_check_has_one_function() -> None:
    done = [
        *(name for one in (ROW_CHECKS, LESION_CHECKS, READ_CHECKS, SCHEDULE_CHECKS) for name in one),
        *(name for one in (SELECTION_CHECKS, RESPONSE_CHECKS) for name in one),
    ]
    assert sorted(done) == sorted(check.name for check in CHECKLIST if not check.fixed)
    assert len({check.name for check in CHECKLIST}) == len(CHECKLIST)


def test_nothing_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(write(tmp_path, SOUND)) == 0
    out, err = capsys.readouterr()
    assert out == ",".join(FINDING_COLUMNS) + "\n"
    assert err == "0 errors, 0 warnings, 0 notes in 1 reads\n"


def test_errors_give_exit_code_1_and_warnings_do_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(write(tmp_path, SOUND + DOUBTFUL)) == 0
    assert checks(capsys.readouterr().out) == [("S3", "viable_above_whole", "warning")]
    assert main(write(tmp_path, SMALL + SOUND + DOUBTFUL)) == 1
    out, err = capsys.readouterr()
    assert checks(out) == [("S2", "not_measurable", "error")] * 2 + [("S3", "viable_above_whole", "warning")]
    assert err == "2 errors, 1 warning, 0 notes in 3 reads\n"


def test_contradictions_stop_no_other_subject(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(write(tmp_path, UNREADABLE + SWAPPED + DOUBTFUL)) == 1
    out, err = capsys.readouterr()
    assert checks(out) == [
        ("S3", "viable_above_whole", "warning"),
        *[("S4", "absent_with_size", "error")] * 2,
        ("S4", "baseline_state", "error"),
        ("S4", "viable_above_whole", "warning"),
        ("S5", "unreadable_row", "error"),
    ]
    assert err.splitlines() == [
        "4 errors, 2 warnings, 0 notes in 3 reads",
        "mrecist: subject S4, reader R1: checked row by row only, contradictions: 3; correct them and check again",
        "mrecist: subject S5, reader R1: checked row by row only, contradictions: 1; correct them and check again",
    ]


def test_a_file_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep" / "findings.csv"
    assert main([*write(tmp_path, SMALL), "--criterion", "recist11", "--out", str(out), "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    (row,) = csv.DictReader(io.StringIO(out.read_text(encoding="utf-8")))
    assert found["what"] == row["what"] == "T01: target, longest_mm 9.9 is below 10 mm (a lesion)"
    assert found["lesion"] == ["T01"]
    assert found["criterion"] == ["recist11"]
    assert (found["timepoint"], row["timepoint"]) == (0, "0")
    assert row["protocol_sha256"] == found["protocol_sha256"] == load_protocol().sha256
    assert [p.name for p in out.parent.iterdir()] == ["findings.csv"]


@pytest.mark.parametrize(
    ("toml", "code", "expected"),
    [
        ('[checks]\nnot_measurable = "off"\n', 0, []),
        ('[checks]\nnot_measurable = "note"\n', 0, ["note"]),
        ('[checks]\nnot_measurable = "warning"\n', 0, ["warning"]),
        ("[checks]\nmin_target_mm = 9.9\n", 0, []),
    ],
)
def test_the_protocol_sets_severities_and_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], toml: str, code: int, expected: list[str]
) -> None:
    assert main([*write(tmp_path, SMALL, toml), "--criterion", "recist11"]) == code
    assert [severity for *_, severity in checks(capsys.readouterr().out)] == expected


def test_a_warning_may_become_an_error(tmp_path: Path) -> None:
    assert main(write(tmp_path, DOUBTFUL, '[checks]\nviable_above_whole = "error"\n')) == 1


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('[checks]\nnot_measureable = "off"\n', "unknown key 'checks.not_measureable'; did you mean 'not_measurable'?"),
        ('[checks]\njump = "maybe"\n', 'jump is \'maybe\'; it takes one of "off", "note", "warning", "error"'),
        ('[checks]\nduplicate_row = "off"\n', "duplicate_row is 'off'; it takes one of \"error\""),
        ("[schedule]\nvisits = [{ every_weeks = 0 }]\n", "visits is [{'every_weeks': 0}]; it takes a list such as"),
        (
            "[schedule]\nvisits = [{ every_weeks = 8 }, { every_weeks = 12 }]\n",
            "it takes a list such as",
        ),
        ("[schedule]\nvisits = [{ every_weeks = 8, until = 4 }]\n", "it takes a list such as"),
    ],
)
def test_a_wrong_protocol_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], toml: str, words: str) -> None:
    assert main(write(tmp_path, SOUND, toml)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


def test_what_no_row_records_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"S{n},0,2024-01-01,T01,target,measured,liver,30,30,CT,,\n" for n in range(3))
    assert main(write(tmp_path, rows)) == 0
    (found,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (found["subject"], found["check"]) == ("", "acquisition_not_recorded")
    assert found["what"] == "not recorded in any row of 3 reads: phase, slice_thickness_mm"
    assert main(write(tmp_path, rows.splitlines()[0] + "\n")) == 0
    (found,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert found["what"] == "not recorded: phase in 1, slice_thickness_mm in 1 of 1 rows with a size"
    assert found["subject"] == "S0"


def test_a_quantity_that_no_read_holds_is_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"S{n},0,2024-01-01,T01,target,measured,liver,30,,CT,ARTERIAL,2.5\n" for n in range(3)]
    assert main(write(tmp_path, "".join(rows))) == 0
    (found,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (found["subject"], found["check"], found["criterion"]) == ("", "quantity_missing", "mrecist")
    assert found["what"].startswith("no row of 3 reads holds what mrecist adds: longest viable")
    assert main(write(tmp_path, rows[0])) == 0
    assert [(subject, check) for subject, check, _ in checks(capsys.readouterr().out)] == [("S0", "quantity_missing")]
    # One read that holds it makes it a finding of each of the others.
    assert main(write(tmp_path, "".join(rows) + SOUND.replace("S1", "S9"))) == 0
    assert [subject for subject, *_ in checks(capsys.readouterr().out)] == ["S0", "S1", "S2"]


def test_the_origin_is_read_from_subjects(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = write(tmp_path, SOUND, '[origin]\nevent = "first_dose"\n')
    subjects = tmp_path / "subjects.csv"
    subjects.write_text("subject,first_dose\nS1,2024-02-15\n", encoding="utf-8")
    assert main([*arguments, "--subjects", str(subjects)]) == 0
    assert [check for _, check, _ in checks(capsys.readouterr().out)] == ["baseline_too_early"]
    assert main(arguments) == 0
    assert [check for _, check, _ in checks(capsys.readouterr().out)] == ["origin_missing"]


def test_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path / "nothing.csv"), "--out", str(tmp_path / "out.csv")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not (tmp_path / "out.csv").exists()
    assert main([*write(tmp_path, SOUND), "--criterion", "who"]) == 2


def test_from_python(tmp_path: Path) -> None:
    write(tmp_path, SMALL)
    rows = mrecist.read_measurements(tmp_path / "measurements.csv").rows
    found = mrecist.check_read(rows, mrecist.load_protocol())
    assert [type(one) for one in found] == [mrecist.Finding] * 2
    assert mrecist.check_read([], mrecist.load_protocol()) == ()
