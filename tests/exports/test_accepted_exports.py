"""Accepted reads in SDTM and ADaM: tests/accepted_study.py by hand; --ACPTFL by SDTMIG 3.4, 6.3.12."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from accepted_study import CENTRAL, INVESTIGATORS, Study, accepted, orr, pfs
from sdtm_export import read_json

from mrecist.cli import main

MRECIST, RECIST = "MRECIST LENCIONI LIVER CANCER 2010", "RECIST 1.1"
Records = dict[str, list[dict[str, Any]]]


def sdtm(study: Study, *options: str, expect: int = 1) -> Records:
    """The records by dataset; exit code 1, because S3 is open."""
    out = study.folder / "sdtm"
    call = ["export", "sdtm", str(study.results), "--out", str(out), "--format", "dataset-json", *options]
    assert main(call) == expect
    return read_json(out) if expect != 2 else {}


def flagged(records: Records, domain: str) -> set[tuple[str, str, str]]:
    """Subject, reader and RSCAT of the accepted records."""
    return {
        (row["USUBJID"].removeprefix("T1-"), row[f"{domain}EVALID"], row.get("RSCAT") or "")
        for row in records[domain]
        if row[f"{domain}ACPTFL"] == "Y"
    }


def assessed(folder: Path) -> Study:
    made = Study(folder)
    made.assess(*CENTRAL, *INVESTIGATORS)
    return made


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """For tests that change nothing of it."""
    return assessed(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def records(study: Study) -> Records:
    return sdtm(study)


def test_responses_are_flagged_by_criterion(records: Records) -> None:
    assert flagged(records, "RS") == {
        ("S1", "READER 1", MRECIST),
        ("S1", "READER 1", RECIST),
        ("S2", "READER 2", MRECIST),
        ("S2", "READER 1", RECIST),
        ("S4", "ADJUDICATOR", MRECIST),
        ("S4", "ADJUDICATOR", RECIST),
    }
    # Every record of them: the target and overall response of two visits, and the best response.
    own = [r for r in records["RS"] if (r["USUBJID"], r["RSEVALID"], r["RSCAT"]) == ("T1-S2", "READER 2", MRECIST)]
    assert [r["RSACPTFL"] for r in own] == ["Y"] * 5
    assert {r["RSACPTFL"] for r in records["RS"]} == {"Y", None}


def test_lesions_are_flagged_where_no_criterion_accepts_another_reader(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    records = sdtm(study)
    for domain in ("TU", "TR"):
        assert flagged(records, domain) == {("S1", "READER 1", ""), ("S4", "ADJUDICATOR", "")}
    err = capsys.readouterr().err
    assert "the criteria of 1 subjects accept different readers (S2): RSACPTFL is by criterion" in err
    assert "subject S3, mrecist: is open" in err


def test_investigators_of_several_sites(records: Records) -> None:
    own = {(r["USUBJID"], r["TUEVALID"]) for r in records["TU"] if r["TUEVAL"] == "INVESTIGATOR"}
    assert own == {("T1-S1", None), ("T1-S2", None), ("T1-S3", None)}
    assert {r["TULNKID"] for r in records["TU"] if r["TUEVAL"] == "INVESTIGATOR"} == {"T01"}
    for domain in ("TU", "TR", "RS"):
        assert {r[f"{domain}ACPTFL"] for r in records[domain] if r[f"{domain}EVAL"] == "INVESTIGATOR"} == {None}


def test_check_sdtm_finds_nothing_and_the_same_responses_come_back(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    sdtm(study)
    folder = str(study.folder / "sdtm")
    capsys.readouterr()
    assert main(["check-sdtm", folder]) == 0
    assert "0 errors, 0 warnings, 0 notes" in capsys.readouterr().err
    out = study.folder / "again"
    assert study.run("assess", folder, "--compare", folder, "--out", str(out)) == 0
    # 24 reads of two criteria: sums, percent and responses of each.
    assert " 0 differ, 0 not compared" in capsys.readouterr().out


def test_datasets_that_come_back_are_flagged_by_the_same_table(tmp_path: Path) -> None:
    """With the readers as SDTM calls them, and not by what the comments of TR say after it was read."""
    study = assessed(tmp_path)
    first = sdtm(study)
    names = {"R1": "READER 1", "R2": "READER 2", "ADJ": "ADJUDICATOR", "Dr.A": "INVESTIGATOR", "Dr.B": "INVESTIGATOR"}
    lines = [line.split(",") for line in (*CENTRAL, *INVESTIGATORS)]
    table = accepted(*(",".join((f"T1-{who}", *rest[:2], names[rest[2]], rest[3])) for who, *rest in lines))
    out, folder = study.folder / "again", str(study.folder / "sdtm")
    given = str(study.write("again.csv", table))
    assert study.run("assess", folder, "--accepted", given, "--out", str(out), subjects=False) == 1
    study.results = out
    second = sdtm(study)
    for domain in ("TU", "TR", "RS"):
        assert flagged(second, domain) == flagged(first, domain)


def test_a_single_reader_has_nothing_to_accept(tmp_path: Path) -> None:
    """The flag is for several independent readers of one time point (SDTMIG 3.4, 6.3.12); an investigator is no such reader."""
    study = Study(tmp_path, without=(("S1", "R2"), ("S2", "R1"), ("S3", "R1"), ("S4", "R1"), ("S4", "ADJ")))
    central = [f"S{n},mrecist,central,{'R1' if n == 1 else 'R2'},only" for n in range(1, 5)]
    study.assess(*central, *INVESTIGATORS)
    records = sdtm(study, expect=0)
    assert not any(f"{name}ACPTFL" in row for name in ("TU", "TR", "RS") for row in records[name])


def test_the_table_goes_before_what_comments_say(tmp_path: Path) -> None:
    """A comment of a row says so where nothing else does; here it would make two accepted readers of one time point."""
    study = Study(tmp_path)
    table, row = study.folder / "measurements.csv", "S1,R2,1,2024-03-01,T01,target,measured,liver,28,28,"
    table.write_text(table.read_text(encoding="utf-8").replace(row, f"{row}accepted"), encoding="utf-8")
    study.assess()
    sites = ("--reader", "Dr.A=INVESTIGATOR", "--reader", "Dr.B=INVESTIGATOR")
    assert ("S1", "READER 2", "") in flagged(sdtm(study, *sites, expect=0), "TR")
    study.assess(*CENTRAL, *INVESTIGATORS)
    assert ("S1", "READER 2", "") not in flagged(sdtm(study), "TR")


def test_a_criterion_that_no_row_names_is_the_adjudicators(tmp_path: Path) -> None:
    study = Study(tmp_path)
    study.assess(*(line for line in CENTRAL if "mrecist" in line), *INVESTIGATORS, "S3,mrecist,central,R2,picked")
    records = sdtm(study, expect=0)
    assert {one for one in flagged(records, "RS") if one[2] == RECIST} == {("S4", "ADJUDICATOR", RECIST)}
    assert flagged(records, "TR") == {
        ("S1", "READER 1", ""),
        ("S2", "READER 2", ""),
        ("S3", "READER 2", ""),
        ("S4", "ADJUDICATOR", ""),
    }


@pytest.mark.parametrize(
    ("options", "lines", "says"),
    [
        (
            ("--reader", "Dr.A=RADIOLOGIST 1"),
            INVESTIGATORS,
            "reader Dr.A: has accepted reads in the investigator track and would be RADIOLOGIST 1",
        ),
        (
            ("--reader", "R2=INVESTIGATOR"),
            (*INVESTIGATORS, "S1,mrecist,central,R2,picked"),
            "reader R2: has accepted reads in the central track and would be INVESTIGATOR",
        ),
        (
            ("--reader", "R2=INVESTIGATOR"),
            INVESTIGATORS,
            "subject S1: readers Dr.A and R2 would both be INVESTIGATOR; keep the rows of one",
        ),
    ],
)
def test_who_a_reader_is_must_agree_with_the_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], lines: tuple[str, ...], says: str
) -> None:
    study = Study(tmp_path)
    study.assess(*lines)
    sdtm(study, *options, expect=2)
    assert says in capsys.readouterr().err


# --- ADaM -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def adam(study: Study) -> Records:
    study.protocol(pfs("PFS", "accepted") + pfs("PFSINV", "investigator") + orr("ORR", "accepted"))
    out = study.folder / "adam"
    assert study.run("export", "adam", str(study.results), "--out", str(out), "--format", "dataset-json") == 1
    return read_json(out)


def of(records: Records, dataset: str, code: str, review: str, criterion: str = MRECIST) -> dict[str, dict[str, Any]]:
    """Subject -> the row of a parameter."""
    found = [r for r in records[dataset] if (r["PARAMCD"], r["PARCAT2"], r["PARCAT3"]) == (code, review, criterion)]
    assert len({r["USUBJID"] for r in found}) == len(found)
    return {r["USUBJID"].removeprefix("T1-"): r for r in found}


def test_best_responses_of_the_central_review(records: Records, adam: Records) -> None:
    best = of(adam, "ADRS", "BOR", "Central Review")
    assert {name: row["AVALC"] for name, row in best.items()} == {"S1": "PR", "S2": "SD", "S4": "PR", "S5": "NE"}
    recist = of(adam, "ADRS", "BOR", "Central Review", RECIST)
    assert {name: row["AVALC"] for name, row in recist.items()} == {"S1": "PR", "S2": "PD", "S4": "PR", "S5": "NE"}
    # The rows of each reader stay, and a row of the review points at the record of the reader whose read it is.
    assert of(adam, "ADRS", "BOR", "Reader 2")["S3"]["AVALC"] == "SD"
    source = {r["RSSEQ"]: r for r in records["RS"] if r["USUBJID"] == "T1-S2"}[best["S2"]["SRCSEQ"]]
    assert (source["RSEVALID"], source["RSCAT"], source["RSSTRESC"]) == ("READER 2", MRECIST, "SD")


def test_sums_of_the_central_review(adam: Records) -> None:
    visits = [r for r in adam["ADTR"] if (r["PARAMCD"], r["PARCAT2"]) == ("SVDIAM", "Central Review")]
    assert [float(r["AVAL"]) for r in visits if r["USUBJID"] == "T1-S2"] == [50, 50, 50]
    assert {r["USUBJID"] for r in visits} == {"T1-S1", "T1-S2", "T1-S4"}


def test_times_and_shares_of_both_tracks(records: Records, adam: Records) -> None:
    times = of(adam, "ADTTE", "PFS", "Central Review")
    assert {name: (row["AVAL"], row["CNSR"]) for name, row in times.items()} == {
        **dict.fromkeys(("S1", "S2", "S4"), (118, 1)),
        "S5": (1, 1),
    }
    own = of(adam, "ADTTE", "PFSINV", "Investigator")
    assert {name: (row["AVAL"], row["CNSR"]) for name, row in own.items()} == {
        **dict.fromkeys(("S1", "S2"), (118, 1)),
        "S3": (118, 0),
        "S5": (1, 1),
    }
    source = {r["RSSEQ"]: r for r in records["RS"] if r["USUBJID"] == "T1-S3"}[own["S3"]["SRCSEQ"]]
    assert (source["RSEVAL"], source["RSTESTCD"], source["RSSTRESC"]) == ("INVESTIGATOR", "OVRLRESP", "PD")
    shares = of(adam, "ADRS", "ORR", "Central Review")
    assert {name: row["AVALC"] for name, row in shares.items()} == {"S1": "Y", "S2": "N", "S4": "Y", "S5": "N"}


def test_who_was_never_assessed_is_of_both_reviews(adam: Records) -> None:
    nobody = {r["PARCAT2"] for r in adam["ADRS"] if (r["USUBJID"], r["PARAMCD"]) == ("T1-S5", "BOR")}
    assert nobody == {"Central Review", "Investigator"}


def test_a_damaged_table_stops_an_export(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = assessed(tmp_path)
    (study.results / "accepted.csv").write_text(accepted("S1,mrecist,local,R1,only"), encoding="utf-8")
    sdtm(study, expect=2)
    assert "track is 'local', not one of: central, investigator" in capsys.readouterr().err
