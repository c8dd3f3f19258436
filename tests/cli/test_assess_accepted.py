"""``assess --accepted``: which reads count, held against the reads that there are; and what an earlier run left in the folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from accepted_study import CENTRAL, INVESTIGATORS, Study, rows

from mrecist.assessing import OPTIONAL_FILES

EVERY = (*CENTRAL, *INVESTIGATORS)
CLOSED = ("S3,mrecist,central,R2,picked", "S3,recist11,central,R2,picked")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)


def test_the_table_stands_beside_the_responses(study: Study) -> None:
    assert study.assess(*EVERY, *CLOSED) == 0
    kept = rows(study.results / "accepted.csv")
    shown = [",".join(row[name] for name in ("subject", "criterion", "track", "reader", "accepted_as")) for row in kept]
    assert shown == sorted((*EVERY, *CLOSED))
    assert {row["protocol_sha256"] for row in kept} == {rows(study.results / "responses.csv")[0]["protocol_sha256"]}


def test_a_subject_that_is_open_is_named_and_the_rest_is_written(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    assert study.assess(*EVERY) == 1
    err = capsys.readouterr().err
    for criterion in ("mrecist", "recist11"):
        assert (
            f"mrecist: subject S3, {criterion}: is open, no central read of it is accepted (read by R1, R2); adjudicate it and "
            "add its row to accepted.csv\n"
        ) in err
    assert err.count("is open") == 2
    assert len(rows(study.results / "accepted.csv")) == len(EVERY)
    assert {row["subject"] for row in rows(study.results / "responses.csv")} == {"S1", "S2", "S3", "S4"}


def test_a_criterion_that_no_row_names_is_not_open(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert study.assess(*(line for line in (*CENTRAL, *CLOSED) if "mrecist" in line)) == 0
    assert "open" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("S9,mrecist,central,R1,picked", "subject S9, mrecist: the central read of R1 is accepted and nobody's read"),
        (
            "S3,mrecist,central,R7,picked",
            "subject S3, mrecist: the central read of R7 is accepted and has no response; that subject was read by Dr.B, R1, R2: "
            "mend the row of accepted.csv",
        ),
    ],
)
def test_a_read_that_is_not_there(study: Study, capsys: pytest.CaptureFixture[str], row: str, says: str) -> None:
    closed = [line for line in CLOSED if not line.startswith(row[:10])]
    assert study.assess(*EVERY, *closed, row) == 1
    assert [line for line in capsys.readouterr().err.splitlines() if says in line]
    # Without its row the subject would count by somebody else.
    assert row[:19] in (study.results / "accepted.csv").read_text(encoding="utf-8")


def test_a_read_with_a_problem(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    table = study.folder / "measurements.csv"
    text = table.read_text(encoding="utf-8").replace("S1,R1,1,2024-03-01", "S1,R1,1,soon")
    table.write_text(text, encoding="utf-8")
    assert study.assess(*EVERY, *CLOSED) == 1
    assert (
        "the central read of R1 is accepted and has no response for a problem that is told" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (["S1,easl,central,R1,only"], "subject S1: no response is by criterion easl; there are mrecist, recist11"),
        (
            ["S1,mrecist,central,R1,only", "S2,mrecist,investigator,R1,only"],
            "reader R1 has accepted reads in both tracks: central (subject S1) and investigator (subject S2); keep one track",
        ),
        (
            ["S1,mrecist,central,R1,only", "S1,mrecist,central,R2,only"],
            "R1 is accepted (line 2) and the read of R2 is accepted (line 3)",
        ),
        ([""], "has no row, so nobody's read counts"),
        (["S3,mrecist,central,R1,open"], "line 2: accepted_as is open and reader is R1; nobody's read counts"),
        (["S3,mrecist,central,,picked"], "line 2: reader is empty; say it, or open in accepted_as"),
        (
            ["S3,mrecist,central,R1,picked", "S3,mrecist,central,,open"],
            "the read of R1 is accepted (line 2) and is open (line 3); keep one",
        ),
        (
            ["S3,mrecist,central,reader 1,picked"],
            "accepts reads of reader 1, and the responses are of ADJ, Dr.A, Dr.B, R1, R2",
        ),
    ],
)
def test_a_table_that_cannot_be_used_writes_nothing(
    study: Study, capsys: pytest.CaptureFixture[str], lines: list[str], says: str
) -> None:
    assert study.assess(*lines) == 2
    assert says in capsys.readouterr().err
    assert not study.results.exists()


# --- what an earlier run left -----------------------------------------------------------------------------------------


def test_a_later_run_takes_away_what_it_does_not_write(study: Study) -> None:
    assert study.assess(*EVERY, *CLOSED, options=("--stability",)) == 0
    written = [name for name in OPTIONAL_FILES if (study.results / name).exists()]
    assert written == ["stability.csv", "stability_lesions.csv", "accepted.csv"]
    assert study.assess() == 0
    assert not [name for name in OPTIONAL_FILES if (study.results / name).exists()]


def test_a_table_that_no_run_wrote_is_not_taken_away(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    assert study.assess(*EVERY, *CLOSED) == 0
    own = study.results / "accepted.csv"
    text = own.read_text(encoding="utf-8").replace("R2,picked", "R1,picked")
    own.write_text(text, encoding="utf-8")
    assert study.assess() == 2
    assert (
        "accepted.csv: was not written by assess; give it with --accepted, or move it away" in capsys.readouterr().err
    )
    assert own.read_text(encoding="utf-8") == text
    assert study.assess(options=("--accepted", str(own))) == 0


def test_problems_of_an_earlier_table_go_with_it(study: Study) -> None:
    """A read that an earlier table could not give must not be left out of this one's endpoints."""
    assert study.assess() == 0
    problems = study.results / "problems.csv"
    problems.write_text("subject,reader,message\nS1,R1,cannot be read\n", encoding="utf-8")
    assert study.assess() == 0
    assert problems.exists()
    table = study.folder / "measurements.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",44,44,", ",43,43,"), encoding="utf-8")
    assert study.assess() == 0
    assert not problems.exists()
