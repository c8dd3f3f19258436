"""Endpoints by the read of each subject that counts, centrally and by the investigators: tests/accepted_study.py by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from accepted_study import CENTRAL, INVESTIGATORS, Study, accepted, orr, pfs

from mrecist.endpoints.figures.people import responses_by_visit
from mrecist.endpoints.study import endpoints_of_study
from mrecist.protocol import load_protocol
from mrecist.tables.trial import read_trial

BOTH = pfs("PFS", "accepted") + pfs("PFSINV", "investigator")
# From 5 January 2024, day 1: 1 March is day 57 and 1 May day 118 (26 + 29 + 31 + 30 days later, and one).
MARCH, MAY = "57", "118"


def times(study: Study, endpoint: str) -> dict[str, tuple[str, str, str, str]]:
    """Subject -> days, status, reader and whose read it is."""
    found = [row for row in study.table("events") if row["endpoint"] == endpoint]
    return {row["subject"]: (row["days"], row["status"], row["reader"], row["read_by"]) for row in found}


def test_each_subject_by_the_read_that_counts(tmp_path: Path) -> None:
    study = Study(tmp_path, BOTH + pfs("PFSREC", "accepted", "recist11"))
    assert study.assess(*CENTRAL, *INVESTIGATORS) == 1
    assert study.endpoints() == 1
    assert times(study, "PFS") == {
        "S1": (MAY, "censored", "accepted", "R1"),
        "S2": (MAY, "censored", "accepted", "R2"),
        "S4": (MAY, "censored", "accepted", "ADJ"),
        "S5": ("1", "censored", "accepted", ""),
    }
    # By RECIST 1.1 the adjudicator picked R1, whose first visit was a progression.
    assert times(study, "PFSREC")["S2"] == (MARCH, "event", "accepted", "R1")
    assert times(study, "PFSINV") == {
        "S1": (MAY, "censored", "investigator", "Dr.A"),
        "S2": (MAY, "censored", "investigator", "Dr.A"),
        "S3": (MAY, "event", "investigator", "Dr.B"),
        "S5": ("1", "censored", "investigator", ""),
    }


def test_who_is_left_out_is_named(tmp_path: Path) -> None:
    study = Study(tmp_path, BOTH)
    study.assess(*CENTRAL, *INVESTIGATORS)
    assert study.endpoints() == 1
    told = {row["subject"]: row["message"] for row in study.table("problems")}
    assert "S3, mrecist: is open, no central read of it is accepted (read by R1, R2)" in told["S3"]
    assert "has responses of ADJ, R1, R2 and none of the investigator review" in told["S4"]
    assert told.keys() == {"S3", "S4"}


def test_an_open_row_is_not_never_assessed(tmp_path: Path) -> None:
    """S5 was given to readers and has no read here: it is in no endpoint, whoever's; a row for S3 says what no row says too."""
    study = Study(tmp_path, BOTH + pfs("PFSR1", "R1") + pfs("PFSREC", "accepted", "recist11"))
    assert study.assess(*CENTRAL, *INVESTIGATORS, "S5,mrecist,central,,open", "S3,mrecist,central,,open") == 1
    assert study.endpoints() == 1
    assert times(study, "PFS").keys() == {"S1", "S2", "S4"}
    assert times(study, "PFSINV").keys() == {"S1", "S2", "S3"}
    assert times(study, "PFSR1").keys() == {"S1", "S2", "S3", "S4"}
    # No row by RECIST 1.1 says that S5 is open.
    assert times(study, "PFSREC").keys() == {"S1", "S2", "S4", "S5"}
    of_s5 = [row["message"] for row in study.table("problems") if row["subject"] == "S5"]
    assert of_s5[0].startswith("subject S5, mrecist: is open, no central read of it is accepted")


def test_a_track_of_open_rows_alone_is_decided(tmp_path: Path) -> None:
    study = Study(tmp_path, '[readers]\naccepted = "R1"\n' + pfs("PFS", "accepted") + pfs("PFSINV", "investigator"))
    study.assess(*(f"S{n},mrecist,{track},,open" for n in range(1, 5) for track in ("central", "investigator")))
    assert study.endpoints() == 1
    # Nobody's read counts, not R1's either; S5 was never assessed.
    assert times(study, "PFS").keys() == times(study, "PFSINV").keys() == {"S5"}


def test_who_is_called_investigator_is_none_of_the_central_readers(tmp_path: Path) -> None:
    """Though no row names the reader: the only read of S2 that is there is of no central reader, so S2 was not read centrally."""
    mine = (("S2", "R1"), ("S2", "R2"))
    study = Study(tmp_path, pfs("PFS", "accepted"), without=mine)
    table = study.folder / "measurements.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",Dr.A,", ",Investigator,"), encoding="utf-8")
    study.assess(*(line for line in CENTRAL if not line.startswith("S2")))
    assert study.endpoints() == 1
    told = {row["subject"]: row["message"] for row in study.table("problems")}
    assert "has responses of Investigator and none of the central review" in told["S2"]


def test_both_tracks_are_estimated_side_by_side(tmp_path: Path) -> None:
    """Responders: S1 and S4 of S1, S2, S4, S5 centrally; none of S1, S2, S3, S5 by the investigators."""
    study = Study(tmp_path, orr("ORR", "accepted") + orr("ORRINV", "investigator"))
    study.assess(*CENTRAL, *INVESTIGATORS)
    study.endpoints()
    found = {
        row["endpoint"]: (row["reader"], row["events"], row["n"])
        for row in study.table("estimates")
        if row["estimate"] == "rate" and not row["arm"]
    }
    assert found == {"ORR": ("accepted", "2", "4"), "ORRINV": ("investigator", "0", "4")}


def test_a_region_by_the_read_that_counts(tmp_path: Path) -> None:
    """All lesions are in the liver, so its progression is that of the whole."""
    liver = pfs("LIVER", "accepted", "recist11") + 'region = "intrahepatic"\n'
    study = Study(tmp_path, '[regions]\nintrahepatic = ["liver"]\n' + pfs("PFS", "accepted", "recist11") + liver)
    study.assess(*CENTRAL, *INVESTIGATORS)
    study.endpoints()
    assert times(study, "LIVER") == times(study, "PFS")
    assert times(study, "LIVER")["S2"] == (MARCH, "event", "accepted", "R1")


def test_figures_show_the_read_that_counts(tmp_path: Path) -> None:
    study = Study(tmp_path, BOTH)
    study.assess(*CENTRAL, *INVESTIGATORS)
    read = load_protocol(tmp_path / "protocol.toml")
    trial = read_trial(tmp_path / "subjects.csv", {}, read.date_columns, read.partial_date)
    courses = endpoints_of_study(read, trial, study.results).found.courses
    # S1, S2 and S4; S1, S2 and S3.
    assert responses_by_visit(courses, "mrecist", "accepted") == {"1": ["PR", "SD", "PR"], "2": ["PR", "SD", "PR"]}
    assert responses_by_visit(courses, "mrecist", "investigator") == {"1": ["SD", "SD", "SD"], "2": ["SD", "SD", "PD"]}


def test_another_reader_of_the_protocol_is_told_and_not_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = Study(tmp_path, '[readers]\naccepted = "R1"\n' + BOTH)
    study.assess(*CENTRAL, *INVESTIGATORS)
    study.endpoints()
    assert times(study, "PFS")["S2"] == (MAY, "censored", "accepted", "R2")
    assert (
        "note: accepted.csv: by mrecist 2 of 3 subjects have an accepted read that is not of R1, whom [readers] accepted names; "
        "accepted.csv is followed"
    ) in capsys.readouterr().err


def test_a_criterion_that_no_row_names_is_the_protocols(tmp_path: Path) -> None:
    study = Study(tmp_path, '[readers]\naccepted = "R1"\n' + pfs("PFSREC", "accepted", "recist11"))
    study.assess(*(line for line in CENTRAL if "mrecist" in line))
    study.endpoints()
    assert times(study, "PFSREC") == {
        "S1": (MAY, "censored", "R1", "R1"),
        "S2": (MARCH, "event", "R1", "R1"),
        "S3": (MARCH, "event", "R1", "R1"),
        "S4": (MAY, "censored", "R1", "R1"),
        "S5": ("1", "censored", "R1", ""),
    }


def test_without_the_table_an_investigator_is_a_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = Study(tmp_path, pfs("PFSINV", "investigator"))
    assert study.assess() == 0
    assert study.endpoints() == 2
    assert (
        "reader investigator is not among those of the responses (ADJ, Dr.A, Dr.B, R1, R2)" in capsys.readouterr().err
    )


def test_a_table_put_into_the_results_by_hand_is_held_against_them(tmp_path: Path) -> None:
    """As beside the results of `score`, which does not take the table."""
    study = Study(tmp_path, pfs("PFS", "accepted"))
    assert study.assess() == 0
    lines = (*CENTRAL, "S3,mrecist,central,R7,picked")
    (study.results / "accepted.csv").write_text(accepted(*lines), encoding="utf-8")
    assert study.endpoints() == 1
    (told,) = study.table("problems")
    assert "S3, mrecist: the central read of R7 is accepted and has no response" in told["message"]
    assert times(study, "PFS").keys() == {"S1", "S2", "S4", "S5"}


def test_a_read_that_is_accepted_and_of_which_nothing_is_here_is_not_never_assessed(tmp_path: Path) -> None:
    study = Study(tmp_path, pfs("PFS", "accepted"))
    study.assess(*CENTRAL, "S5,mrecist,central,R1,only", "S3,mrecist,central,R2,picked")
    assert study.endpoints() == 1
    assert times(study, "PFS").keys() == {"S1", "S2", "S3", "S4"}
    assert {row["subject"] for row in study.table("problems")} == {"S5"}


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("accepted", ("S1,mrecist,central,accepted,only",)),
        ("investigator", ("S1,mrecist,investigator,Dr.B,only",)),
    ],
)
def test_a_reader_called_as_the_read_that_counts_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, lines: tuple[str, ...]
) -> None:
    study = Study(tmp_path, pfs("PFS", name))
    table = study.folder / "measurements.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",Dr.A,", f",{name},"), encoding="utf-8")
    study.assess(*lines)
    assert study.endpoints() == 2
    assert f"reader {name}: is a reader of the responses, and of accepted.csv the word for" in capsys.readouterr().err


def test_a_reader_called_investigator_whose_reads_count_is_no_contradiction(tmp_path: Path) -> None:
    study = Study(tmp_path, pfs("PFSINV", "investigator"))
    table = study.folder / "measurements.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(",Dr.A,", ",investigator,"), encoding="utf-8")
    study.assess("S1,mrecist,investigator,investigator,only")
    assert study.endpoints() == 1
    # S2 has a read of that investigator and no row: open. Of S3 and S4 only others have read.
    assert times(study, "PFSINV") == {
        "S1": (MAY, "censored", "investigator", "investigator"),
        "S5": ("1", "censored", "investigator", ""),
    }
    assert {row["subject"] for row in study.table("problems")} == {"S2", "S3", "S4"}
