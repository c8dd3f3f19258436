"""Who a reader is (SDTMIG 3.4, 6.3.12: --EVALID needs --EVAL; --ACPTFL is an independent assessor's), visits, days, and other domains."""

from __future__ import annotations

from pathlib import Path

import pytest
from sdtm_export import PROTOCOL, Exporter, row, sized

from mrecist.errors import InputError
from mrecist.exporting.sdtm.readers import evaluators
from mrecist.protocol import Readers


def both(reader: str) -> list[dict[str, str]]:
    return [sized("T01", 0, "50", "40", reader=reader), sized("T01", 1, "30", "20", reader=reader)]


def who(readers: list[str], named: dict[str, str] | None = None, **rules: str) -> dict[str, tuple[str, str, str]]:
    found = evaluators(readers, named or {}, Readers(**rules))  # type: ignore[arg-type]
    return {name: (one.role, one.identifier, one.linked("T01")) for name, one in found.items()}


def test_names_that_say_who_reads() -> None:
    assert who(["R1", "reader 2", "ADJ", "investigator"]) == {
        "R1": ("INDEPENDENT ASSESSOR", "READER 1", "R1-T01"),
        "reader 2": ("INDEPENDENT ASSESSOR", "READER 2", "R2-T01"),
        "ADJ": ("INDEPENDENT ASSESSOR", "ADJUDICATOR", "ADJ-T01"),
        "investigator": ("INVESTIGATOR", "", "T01"),
    }
    assert who(["RADIOLOGIST 2"]) == {"RADIOLOGIST 2": ("INDEPENDENT ASSESSOR", "RADIOLOGIST 2", "RAD2-T01")}


def test_the_protocol_says_who_reads() -> None:
    assert who(["Smith"], plan="investigator") == {"Smith": ("INVESTIGATOR", "", "T01")}
    found = who(["R1", "R2", "boss"], plan="two_plus_adjudicator", accepted="boss")
    assert found["boss"] == ("INDEPENDENT ASSESSOR", "ADJUDICATOR", "ADJ-T01")


def test_the_user_says_who_reads() -> None:
    assert who(["Smith"], {"Smith": "oncologist 1"})["Smith"][1:] == ("ONCOLOGIST 1", "ONC1-T01")


@pytest.mark.parametrize(
    ("readers", "named", "says"),
    [
        (["Smith"], {}, "reader Smith: nothing says who that is"),
        (["R1", "READER 1"], {}, "readers R1 and READER 1 would both be READER 1"),
        (["R1"], {"R1": "BOSS"}, "--reader R1=BOSS: is no evaluator"),
        (["R1"], {"R2": "READER 2"}, "--reader R2: is no reader of these results"),
        (["INV", "investigator"], {}, "would both be INVESTIGATOR"),
    ],
)
def test_what_nobody_says_is_refused(readers: list[str], named: dict[str, str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        who(readers, named)


def test_two_readers_and_an_adjudicator(exporter: Exporter) -> None:
    adjudicated = [one for one in both("ADJ") if one["timepoint"] == "1"]
    rows = [*both("R1"), *both("R2"), sized("T01", 0, "50", "40", reader="ADJ"), *adjudicated, *both("investigator")]
    made = exporter.made(rows)
    assert made.code == 0
    for name in ("TU", "TR", "RS"):
        accepted = {one[f"{name}EVALID"] for one in made.datasets[name] if one[f"{name}ACPTFL"]}
        assert accepted == {"ADJUDICATOR"}
        assert {one[f"{name}ACPTFL"] for one in made.datasets[name]} == {"Y", None}
        roles = {(one[f"{name}EVAL"], one[f"{name}EVALID"]) for one in made.datasets[name]}
        assert roles == {
            ("INVESTIGATOR", None),
            *(("INDEPENDENT ASSESSOR", one) for one in ("READER 1", "READER 2", "ADJUDICATOR")),
        }
    links = {one["TULNKID"] for one in made.datasets["TU"]}
    assert links == {"T01", "R1-T01", "R2-T01", "ADJ-T01"}


def test_one_reader_has_no_accepted_record(exporter: Exporter) -> None:
    made = exporter.made(both("ADJ"))
    assert "TRACPTFL" not in made.datasets["TR"][0]


def test_the_word_accepted_of_a_row_counts_where_several_read(exporter: Exporter) -> None:
    first, second = both("R2")
    rows = [*both("R1"), first, {**second, "comment": "accepted"}]
    made = exporter.made(rows)
    flagged = [(one["TREVALID"], one["VISITNUM"]) for one in made.datasets["TR"] if one["TRACPTFL"]]
    assert set(flagged) == {("READER 2", 2)}


# --- days and the domains beside the tumours -------------------------------------------------------------------------


SUBJECTS = """subject,arm,consent,randomisation,first_procedure,death,sex,age,site,country
P01,A,2024-01-02,2024-01-09,2024-01-15,2024-09-01,F,61,101,USA
P02,B,2024-01-02,2024-01-09,,,M,58,102,USA
"""
PROCEDURES = """subject,date,procedure,outcome,clavien_dindo,complication
P01,2024-01-15,TACE,,II,2024-01-17
P01,2024-05-02,HEPATECTOMY,R0,,
"""
VISITS = """timepoint,visitnum,visit
0,10,Screening
1,20,Week 8
"""


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, str]:
    found = {}
    for name, text in (("subjects", SUBJECTS), ("procedures", PROCEDURES), ("visits", VISITS)):
        path = tmp_path / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        found[name] = str(path)
    return found


def test_study_days_have_no_day_0(exporter: Exporter, tables: dict[str, str]) -> None:
    """Day 1 is 2024-01-15, the first treatment: 2024-01-08 is day -7 (SDTMIG 3.4, 4.4.4), 2024-03-04 is day 50."""
    made = exporter.made(both("R1"), "--subjects", tables["subjects"])
    assert {(one["TRDTC"], one["TRDY"], one["EPOCH"]) for one in made.datasets["TR"]} == {
        ("2024-01-08", -7, "SCREENING"),
        ("2024-03-04", 50, "TREATMENT"),
    }


def test_a_baseline_after_the_first_treatment_has_no_flag(exporter: Exporter, tables: dict[str, str]) -> None:
    late = SUBJECTS.replace("2024-01-15", "2024-01-05")
    Path(tables["subjects"]).write_text(late, encoding="utf-8")
    made = exporter.made(both("R1"), "--subjects", tables["subjects"])
    assert {one["TRLOBXFL"] for one in made.datasets["TR"]} == {None}


def test_subjects_procedures_and_visits(exporter: Exporter, tables: dict[str, str]) -> None:
    options = [word for name in tables for word in (f"--{name}", tables[name])]
    made = exporter.made(both("R1"), *options)
    assert made.code == 0
    first, second = made.datasets["DM"]
    wanted = (
        "USUBJID",
        "SUBJID",
        "RFSTDTC",
        "RFXSTDTC",
        "RFICDTC",
        "DTHDTC",
        "DTHFL",
        "SITEID",
        "AGE",
        "SEX",
        "ARM",
        "ACTARM",
    )
    assert [first[name] for name in wanted] == [
        *("S1-P01", "P01", "2024-01-15", "2024-01-15", "2024-01-02", "2024-09-01", "Y", "101", 61, "F", "A", "A"),
    ]
    assert (second["RFSTDTC"], second["ACTARM"], second["ARMNRS"]) == ("2024-01-09", None, "ASSIGNED, NOT TREATED")
    assert [(one["PRTRT"], one["PRSTDTC"], one["PRSTDY"]) for one in made.datasets["PR"]] == [
        ("TACE", "2024-01-15", 1),
        ("HEPATECTOMY", "2024-05-02", 109),
    ]
    assert {one["QNAM"]: one["QVAL"] for one in made.datasets["SUPPPR"]} == {
        "PRCLAVD": "II",
        "PRCLAVDT": "2024-01-17",
        "PROUTCOM": "R0",
    }
    assert [(one["VISITNUM"], one["VISIT"], one["SVSTDTC"], one["SVPRESP"]) for one in made.datasets["SV"]] == [
        (10, "SCREENING", "2024-01-08", "Y"),
        (20, "WEEK 8", "2024-03-04", "Y"),
    ]
    assert {one["VISIT"] for one in made.datasets["TR"]} == {"SCREENING", "WEEK 8"}


def test_the_older_guide_has_fewer_variables(exporter: Exporter, tables: dict[str, str]) -> None:
    made = exporter.made(both("R1"), "--visits", tables["visits"], "--ig", "3.3")
    assert "SVPRESP" not in made.datasets["SV"][0]


# --- one line for what cannot be -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--ig", "3.2"], "--ig 3.2: is no SDTMIG that is written"),
        (["--ct", "2022"], "--ct 2022: is no release"),
        (["--derived", "me"], "--derived me: is neither assessor nor sponsor"),
        (["--format", "sas"], "--format sas: is not one of: xpt5, dataset-json, csv"),
        (["--reader", "R1"], "--reader R1: is not NAME=VALUE"),
        (["--qnam", "TRPHASE=toolongname"], "a QNAM is 1 to 8 capitals"),
        (["--qnam", "TRNONE=X"], "--qnam TRNONE: is no qualifier"),
        (["--qnam", "TRPHASE=TRCOMNT"], "two qualifiers would be called TRCOMNT"),
        (["--procedures", "p.csv"], "--procedures goes with --subjects"),
    ],
)
def test_wrong_options(exporter: Exporter, options: list[str], says: str) -> None:
    made = exporter.made(both("R1"), *options)
    assert made.code == 2
    assert says in made.err
    assert len(made.err.strip().splitlines()) == 1
    assert not made.folder.exists()


def test_a_study_has_an_id(exporter: Exporter) -> None:
    nameless = PROTOCOL.replace('[study]\nid = "S1"\n', "")
    made = exporter.made(both("R1"), protocol=nameless)
    assert made.code == 2
    assert "SDTM needs STUDYID" in made.err
    assert exporter.export(made.results, "--study", "X9").datasets["TU"][0]["USUBJID"] == "X9-P01"


def test_two_subjects_cannot_be_one(exporter: Exporter) -> None:
    rows = [*both("R1"), *({**one, "subject": "S1-P01"} for one in both("R1"))]
    made = exporter.made(rows)
    assert made.code == 2
    assert "would both be USUBJID S1-P01" in made.err


def test_a_time_point_that_visits_do_not_name(exporter: Exporter, tables: dict[str, str]) -> None:
    made = exporter.made([*both("R1"), sized("T01", 2, "30", "20")], "--visits", tables["visits"])
    assert made.code == 2
    assert "time point 2 has measurements and no name there" in made.err


def test_qualifiers_may_have_other_names(exporter: Exporter) -> None:
    made = exporter.made([*both("R1"), row("NT01", 0, "present", comment="thrombus")], "--qnam", "TRCOMNT=TRNOTE")
    assert made.one("SUPPTR")["QNAM"] == "TRNOTE"


def test_a_comment_that_xpt_cannot_hold_is_named_and_nothing_is_written(exporter: Exporter) -> None:
    rows = [*both("R1"), row("NT01", 0, "present", comment="größer")]
    made = exporter.made(rows, "--format", "xpt5")
    assert made.code == 2
    assert "SUPPTR record 1 of S1-P01: QVAL is 'größer', which holds U+00F6" in made.err
    assert not made.folder.exists()


def test_a_subject_that_a_spreadsheet_would_run_is_escaped_and_stays_inside(exporter: Exporter) -> None:
    rows = [{**one, "subject": "../=cmd|x"} for one in both("R1")]
    made = exporter.made(rows, "--format", "csv", "--study", "=S")
    assert made.code == 0
    lines = (made.folder / "csv" / "tu.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1].startswith("'=S,TU,'=S-../=cmd|x,")
    assert {path.name for path in made.folder.parent.iterdir()} >= {"sdtm", "results"}
    assert sorted(path.name for path in made.folder.iterdir()) == ["csv", "dataset-json"]
