"""``assess`` shares a large table between processes: the same bytes for any number of them, and the same faults named."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest

from mrecist.assessing import Job, assess_table
from mrecist.cli import main

COLUMNS = "subject,reader,timepoint,date,lesion,role,state,longest_mm,viable_mm"


def write_table(path: Path, subjects: int, seed: int = 20240607) -> Path:
    """Rows in no order, two readers for every third subject, and one subject with a row that cannot be read."""
    random = Random(seed)
    rows = []
    for number in range(subjects):
        for reader in ("R1", "R2")[: 1 + (number % 3 == 0)]:
            for visit in range(4):
                day = date(2024, 1, 1) + timedelta(days=56 * visit)
                size = random.randint(100, 600) / 10
                rows.append(f"S {number},{reader},{visit},{day},T1,target,measured,{size},{size}")
    rows.append("S 5,R1,9,2025-01-01,T1,target,measured,abc,1")
    rows.append("no baseline,R1,1,2025-01-01,T1,target,measured,10,1")
    random.shuffle(rows)
    path.write_text("\n".join((COLUMNS, *rows)) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("stability", [False, True])
def test_any_number_of_processes_gives_the_same_bytes_and_faults(tmp_path: Path, stability: bool) -> None:
    table = write_table(tmp_path / "m.csv", 23)
    protocol = tmp_path / "p.toml"
    protocol.write_text(
        'format = "mrecist-protocol/1"\n[criteria.recist11]\n[stability]\ndraws = 100\n', encoding="utf-8"
    )
    job = Job(measurements=table, protocol=protocol, criteria=("recist11",), subjects=None, stability=stability)
    alone = assess_table(job, 1)
    assert {"stability.csv" in alone.tables} == {stability}
    assert [problem.subject for problem in alone.problems] == ["S 5", "no baseline"]
    for workers in (2, 3, 50):
        assert assess_table(job, workers) == alone


def test_the_number_of_processes_is_an_option(tmp_path: Path) -> None:
    table = write_table(tmp_path / "m.csv", 7)
    for workers in ("1", "2"):
        assert main(["assess", str(table), "--workers", workers, "--out", str(tmp_path / workers)]) == 1
    for name in ("responses.csv", "best_responses.csv"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_an_unreadable_table_is_one_line_with_several_processes_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "m.csv"
    table.write_text(COLUMNS + "\nS1,R1,0\n", encoding="utf-8")
    assert main(["assess", str(table), "--workers", "2", "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "line 2 has 3 cells and the header 9" in error
    assert "Traceback" not in error
