"""The commands, from init to export, on an SQLite store; every refusal is one line and exit code 2."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from mrecist.cli import main

HEADER = "subject,timepoint,date,reader,lesion,role,kind,organ,state,longest_mm,viable_mm\n"
ROWS = [
    f"S1,{timepoint},2024-0{1 + 2 * timepoint}-08,{reader},T01,target,lesion,liver,measured,{40 - 9 * timepoint},{30 - 15 * timepoint}"
    for reader in "AB"
    for timepoint in (0, 1)
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "study").mkdir()
    (tmp_path / "rows.csv").write_text(HEADER + "\n".join(ROWS) + "\n", encoding="utf-8")
    (tmp_path / "mask.dcm").write_bytes(b"a mask")
    return tmp_path


class Line:
    """A command line in one study folder."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, *words: str, code: int = 0) -> str:
        assert main(list(words)) == code, self.capsys.readouterr().err
        done = self.capsys.readouterr()
        self.err = done.err
        return done.out

    def reads(self, step: str, *words: str, code: int = 0) -> str:
        return self("reads", step, str(self.folder / "study"), *words, code=code)

    def refused(self, step: str, *words: str) -> str:
        assert self.reads(step, *words, code=2) == ""
        (line,) = self.err.splitlines()
        return line

    def begin(self) -> None:
        self.reads("init", "--by", "boss", "--reader", "A", "--reader", "B", "--adjudicator", "C")
        self.reads("assign", "--seed", "7", "--by", "boss", "--visits", str(self.folder / "rows.csv"))

    def submit(self, subject: str, reader: str, timepoint: int, *more: str) -> str:
        rows = str(self.folder / "rows.csv")
        return self.reads("submit", rows, *visit(subject, reader, timepoint), "--lock", *more)


def visit(subject: str, reader: str, timepoint: int) -> Sequence[str]:
    return ("--reader", reader, "--subject", subject, "--timepoint", str(timepoint))


@pytest.fixture
def line(folder: Path, capsys: pytest.CaptureFixture[str]) -> Line:
    return Line(folder, capsys)


def test_a_study_from_init_to_export(line: Line) -> None:
    line.begin()
    assert "to read" in line.reads("worklist", "--reader", "A")
    for reader in "AB":
        line.submit("S1", reader, 0, "--file", str(line.folder / "mask.dcm"))
        line.submit("S1", reader, 1)
        said = line.reads("sign", "--reader", reader, "--subject", "S1", "--name", f"Dr {reader}")
    anchor = said.splitlines()[-1].removeprefix("anchor ")
    assert [one["signed"] for one in json.loads(line.reads("worklist", "--reader", "A", "--json"))] == [True]
    assert line.reads("status").count(": holds") == 2
    out = line.folder / "signed.csv"
    line.reads("rows", "--out", str(out))
    # What was given is what is derived from: the same table as the readers' own.
    for name, table in (("given", line.folder / "rows.csv"), ("kept", out)):
        line("assess", str(table), "--criterion", "mrecist", "--out", str(line.folder / name))
    given, kept = (line.folder / name / "best_responses.csv" for name in ("given", "kept"))
    assert given.read_bytes() == kept.read_bytes()
    store = str(line.folder / "study")
    assert f"anchor {anchor}" in line("audit", "verify", store, "--anchor", anchor)
    line("audit", "export", store, "--out", str(line.folder / "trail.csv"))
    assert f"anchor {anchor}" in line("audit", "verify", str(line.folder / "trail.csv"), "--anchor", anchor)
    line.reads("export", "--out", str(line.folder / "whole"))
    (line.folder / "other").mkdir()
    line("reads", "import", str(line.folder / "other"), str(line.folder / "whole"))
    assert f"anchor {anchor}" in line("audit", "verify", str(line.folder / "other"), "--anchor", anchor)


def test_a_change_on_the_disk_is_told_by_status_and_verify(line: Line) -> None:
    line.begin()
    line.submit("S1", "A", 0, "--file", str(line.folder / "mask.dcm"))
    line.reads("sign", *visit("S1", "A", 0), "--name", "Dr A", "--meaning", "reviewed")
    (kept,) = [path for path in (line.folder / "study" / "store.files").rglob("*") if path.is_file()]
    kept.write_bytes(b"A mask")
    assert "(reviewed)" in line.reads("status", code=1)
    assert "BROKEN: file mask.dcm has SHA-256" in line.reads("status", code=1)
    assert line("audit", "verify", str(line.folder / "study"), code=1).startswith("BROKEN, first at: ")
    line("audit", "verify", str(line.folder / "study"), "--no-files")
    line.reads("rows", "--out", str(line.folder / "signed.csv"), code=2)
    assert "left out: S1 time point 0 of A: the signature is broken: file mask.dcm has SHA-256" in line.err
    assert not (line.folder / "signed.csv").exists()


def test_refusals_are_one_line(line: Line, tmp_path: Path) -> None:
    assert "there is no store; begin one with: mrecist reads init" in line.refused("worklist", "--reader", "A")
    line.begin()
    again = line.refused("init", "--by", "x")
    assert "a store is never begun again" in again
    rows = str(line.folder / "rows.csv")
    assert "time point 0 is not locked yet" in line.refused("submit", rows, *visit("S1", "A", 1))
    assert "S9 is not assigned to A" in line.refused("submit", rows, *visit("S9", "A", 0))
    assert "was not submitted yet" in line.refused("lock", *visit("S1", "A", 0))
    assert "a reader unlocks nothing" in line.refused(
        "unlock", *visit("S1", "A", 0), "--by", "A", "--role", "reader", "--reason", "x"
    )
    missing = line.refused("submit", rows, *visit("S1", "A", 0), "--file", str(tmp_path / "no.dcm"))
    assert "no.dcm: cannot be read (No such file or directory)" in missing
    huge = (
        "--reader",
        "A",
        "--subject",
        "S1",
        "--timepoint",
        "9" * 30,
        "--by",
        "boss",
        "--role",
        "manager",
        "--reason",
        "x",
    )
    assert "a number is larger than a database keeps" in line.refused("unlock", *huge)
    line.reads("worklist", "--reader", "nobody")
    assert "no case is assigned to nobody" in line.err
    assert "an SQLite file knows no logins" in line.refused("grants")
    assert "is there already" in line.refused("export", "--out", str(tmp_path))
    assert "cannot be read" in line.refused("import", str(tmp_path))
    assert line("audit", "verify", str(line.folder / "study"), "--anchor", "12", code=2) == ""
    assert "is no anchor; it is COUNT:HASH" in line.err
    assert line("audit", "verify", "oracle://x", code=2) == ""
    assert "a store in 'oracle' is not known" in line.err


def test_visits_come_from_the_images_of_the_study(line: Line) -> None:
    """The dates of SAMPLE-01 in sample_data/study/reads/R1.csv: 2024-01-09, 2024-03-06, 2024-05-01."""
    sample, study = Path(__file__).parents[2] / "sample_data" / "study", line.folder / "study"
    shutil.copytree(sample / "images" / "SAMPLE-01", study / "images" / "SAMPLE-01")
    line.reads("init", "--by", "boss", "--reader", "A", "--reader", "B")
    line.reads("assign", "--seed", "7", "--by", "boss")
    line.reads("export", "--out", str(line.folder / "whole"))
    visits = [
        json.loads(row) for row in (line.folder / "whole" / "visit.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    found = [(row["subject"], row["timepoint"], row["date"]) for row in visits]
    assert found == [("SAMPLE-01", 0, "2024-01-09"), ("SAMPLE-01", 1, "2024-03-06"), ("SAMPLE-01", 2, "2024-05-01")]


def test_a_folder_may_have_any_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "100 % of a?b=c#d ü"
    folder.mkdir()
    assert main(["reads", "init", str(folder), "--by", "boss"]) == 0
    assert main(["audit", "verify", str(folder)]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["store.sqlite"]
    capsys.readouterr()


def test_a_file_that_is_no_store_is_refused(line: Line) -> None:
    (line.folder / "study" / "store.sqlite").write_bytes(b"no database" * 1000)
    assert "file is not a database" in line.refused("worklist", "--reader", "A")


def test_a_read_of_the_reading_room(line: Line) -> None:
    line.begin()
    rows, study = str(line.folder / "rows.csv"), line.folder / "study"
    given = ("submit", rows, *visit("S1", "A", 0), "--study", str(study))
    assert "is not signed in the reading room" in line.refused(*given)
    signature = {"name": "Dr A", "at": "2024-05-01T10:00:00Z", "meaning": "read completed"}
    (study / "reads").mkdir()
    (study / "masks" / "read_A_S1").mkdir(parents=True)
    (study / "masks" / "read_A_S1" / "0_1.dcm").write_bytes(b"of visit 0")
    (study / "masks" / "read_A_S1" / "1_1.dcm").write_bytes(b"of visit 1")
    (study / "reads" / "read_A_S1.csv").write_text("x", encoding="utf-8")
    marks = {"visits": [{"timepoint": 0, "signature": signature}]}
    (study / "reads" / "read_A_S1.json").write_text(json.dumps(marks), encoding="utf-8")
    line.reads(*given)
    shutil.rmtree(study / "masks")
    kept = [path.read_bytes() for path in (study / "store.files").rglob("*") if path.is_file()]
    assert b"of visit 0" in kept
    assert b"of visit 1" not in kept
    line("audit", "export", str(study), "--out", str(line.folder / "trail.jsonl"))
    trail = (line.folder / "trail.jsonl").read_text(encoding="utf-8")
    assert "reading room, signed by Dr A at 2024-05-01T10:00:00Z: read completed" in trail


def test_a_role_is_given_and_withdrawn(line: Line) -> None:
    line.begin()
    line.reads("role", "D", "reader", "--by", "boss", "--reason", "joins")
    line.reads("role", "D", "reader", "--withdraw", "--by", "boss", "--reason", "leaves")
    assert "A is no manager" in line.refused("role", "D", "reader", "--by", "A", "--reason", "x")
