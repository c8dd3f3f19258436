"""Terms, what is told of a read that is left out, and what is no fault."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from checked_study import SUBJECT, Datasets, clean, study_of, the

from mrecist.protocol import load_protocol
from mrecist.sdtm.checks import codelists
from mrecist.sdtm.checks.codelists import BY_NAME, nearest
from mrecist.sdtm.checks.run import Checked, Checking, check_study


def checked(study: Datasets, **settings: object) -> Checked:
    return check_study(study_of(study), Checking(protocol=load_protocol(None), **settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("codelist", "written", "term"),
    [
        ("TRTESTCD", "SAXIS", "LPERP"),
        ("TRTESTCD", "Longest Diameter", "LDIAM"),
        ("TRTESTCD", "SUMVIABLE", "SUMVDIAM"),
        ("ONCRSCAT", "mRECIST", "MRECIST LENCIONI LIVER CANCER 2010"),
        ("ONCRSCAT", "Recist 1.1", "RECIST 1.1"),
        ("ONCRSCAT", "IRECIST", "iRECIST"),
        ("ONCRTSCD", "OVRLRSP", "OVRLRESP"),
        ("ONCRSR", "Non-CR/Non-PD", "NON-CR/NON-PD"),
        ("MEDEVAL", "RADIOLOGIST1", "RADIOLOGIST 1"),
        ("LOC", "LIVER, RIGHT LOBE ANTEROINFERIOR", "LIVER, RIGHT LOBE ANTEROINFERIOR SEGMENT"),
        ("TRTESTCD", "QQQQQQQQ", ""),
    ],
)
def test_the_nearest_term(codelist: str, written: str, term: str) -> None:
    assert nearest(BY_NAME[codelist], written) == term


def test_the_published_codelists_are_whole() -> None:
    """Numbers of terms in SDTM CT 2022-09-30, and names of tests from it."""
    assert {name: len(one.terms) for name, one in BY_NAME.items()} == {
        "TUTESTCD": 17,
        "TRTESTCD": 71,
        "ONCRTSCD": 35,
        "TUIDRS": 26,
        "TRPROPRS": 19,
        "ONCRSR": 84,
        "ONCRSCAT": 85,
        "CCCAT": 73,
        "EVAL": 52,
        "MEDEVAL": 56,
        "METHOD": 464,
        "LOC": 1326,
        "LAT": 7,
        "NY": 4,
        "ND": 1,
        "RELTYPE": 2,
    }
    assert codelists.TR_TESTS.terms["VDIAM"] == "Viable Diameter"
    assert codelists.TR_TESTS.terms["SUMVDIAM"] == "Sum of Viable Diameter"
    assert not any(term in codelists.TR_TESTS.terms for term in codelists.OURS["TRTESTCD"])


def test_what_is_meant_is_published() -> None:
    for name, words in codelists.MEANT.items():
        assert set(words.values()) <= set(BY_NAME[name].terms)
        assert not set(words) & set(BY_NAME[name].terms)


def test_a_doubtful_read_is_left_out_and_the_other_is_compared() -> None:
    study = clean()
    the(study["tr"], TRTESTCD="LDIAM", VISITNUM="2")["TRTESTCD"] = "SAXIS"
    for row in study["rs"]:
        if row["RSTESTCD"] == "TRGRESP":
            row |= {"RSORRES": "PD", "RSSTRESC": "PD"}
    done = checked(study)
    assert (done.reads, done.left_out) == (1, 1)
    differ = [one for one in done.findings if one.rule == "target_response_differs"]
    assert len(differ) == 4
    assert all(one.message.startswith("READER 2") for one in differ)
    (other,) = [one for one in done.findings if one.rule == "lesion_test_not_published"]
    assert "the nearest is 'LPERP'" in other.message


def test_a_read_that_assess_refuses() -> None:
    study = clean()
    the(study["tr"], TRTESTCD="VDIAM", VISITNUM="2")["TRTESTCD"] = "DIAMETER"
    the(study["tr"], TRTESTCD="DIAMETER")["TRTEST"] = "Diameter"
    (found,) = [one for one in checked(study).findings if one.severity == "error"]
    assert (found.rule, found.usubjid) == ("read_not_understood", SUBJECT)
    assert "has DIAMETER 15 and LDIAM 30 for one size" in found.message


def test_a_criterion_that_is_not_derived_here() -> None:
    study = clean()
    for number, row in enumerate([row for row in study["rs"] if row["RSCAT"] == "RECIST 1.1"]):
        study["rs"].append({**row, "RSCAT": "RANO", "RSSEQ": str(100 + number), "RSSTRESC": "PD", "RSORRES": "PD"})
    published = "RANO" in codelists.CRITERIA.terms
    rules = {one.rule for one in checked(study).findings}
    assert rules - {"two_accepted"} == {"response_not_checked"} | (set() if published else {"term_not_published"})


def test_a_classification_is_no_response() -> None:
    study = clean()
    row = {**the(study["rs"], RSTESTCD="TRGRESP"), "RSTESTCD": "CPS0106", "RSTEST": "CPS01-Child-Pugh Score"}
    row |= {"RSCAT": "CHILD-PUGH CLASSIFICATION", "RSORRES": "6", "RSSTRESC": "6", "RSSEQ": "99"}
    study["rs"].append(row)
    assert checked(study).findings == ()


def test_a_relation_to_a_domain_that_is_not_read() -> None:
    study = clean()
    for domain, variable in (("TR", "TRREFID"), ("LB", "LBREFID")):
        study["relrec"].append(
            {**study["relrec"][0], "RDOMAIN": domain, "IDVAR": variable, "RELID": "X", "RELTYPE": "MANY"}
        )
    for row in study["tr"]:
        row["TRREFID"] = "1.2.3"
    assert checked(study).findings == ()


def test_a_qualifier_of_another_domain() -> None:
    study = clean()
    study["supptu"].append({**study["supptu"][0], "RDOMAIN": "RS", "QNAM": "OTHER"})
    assert [one.rule for one in checked(study).findings] == ["qualifier_domain"]


@pytest.mark.parametrize("day", ["2024-04", "2024", "2024-04-22T10:30", "2024-04-22T10:30:00Z", "2024---22"])
def test_dates_that_are_iso_8601(day: str) -> None:
    study = clean()
    the(study["rs"], RSTESTCD="BESTRESP").update(RSDTC=day, RSDY="")
    assert [one.rule for one in checked(study).findings if one.rule == "date_form"] == []


@pytest.mark.parametrize("day", ["22/04/2024", "2024-13-01", "2024-00", "2024-04-22 10:30", "2024-04-22T25:00", "UNK"])
def test_dates_that_are_not(day: str) -> None:
    study = clean()
    the(study["rs"], RSTESTCD="BESTRESP").update(RSDTC=day, RSDY="")
    assert "date_form" in [one.rule for one in checked(study).findings]


def test_rounded_changes_and_a_nadir_that_counts_itself() -> None:
    """-18 / 62 = -29.032 %, as -29, -29.0, -29.03; 0 at a new smallest sum."""
    for written in ("-29", "-29.0", "-29.032"):
        study = clean()
        the(study["tr"], TRTESTCD="PCBSD", VISITNUM="2").update(TRORRES=written, TRSTRESC=written, TRSTRESN=written)
        assert checked(study).findings == ()
    study = clean()
    the(study["tr"], TRTESTCD="PCNSD", VISITNUM="2").update(TRORRES="0", TRSTRESC="0", TRSTRESN="0")
    assert checked(study).findings == ()
    the(study["tr"], TRTESTCD="PCNSD", VISITNUM="2").update(TRORRES="-28", TRSTRESC="-28", TRSTRESN="-28")
    assert [one.rule for one in checked(study).findings] == ["change_not_of_sums"]


def test_criteria_that_are_asked_for() -> None:
    """Without RSCAT the criterion is named; RECIST 1.1 gives SD where mRECIST was reported."""
    study = clean()
    study["rs"] = [row for row in study["rs"] if row["RSCAT"] != "RECIST 1.1"]
    for row in study["rs"]:
        row["RSCAT"] = ""
    assert {one.rule for one in checked(study, criteria=("mrecist",)).findings} == set()
    found = {one.rule for one in checked(study, criteria=("recist11",)).findings}
    assert found == {"target_response_differs", "overall_response_differs", "best_response_differs"}


def test_what_is_too_small_to_measure_counts_5_mm_and_is_no_slip() -> None:
    """50 mm, then too small: TRSTRESN = 5 by convention (Eisenhauer 2009, 4.3.2)."""
    study = clean()
    study["rs"], study["relrec"] = [], study["relrec"][:2]
    study["tr"] = [row for row in study["tr"] if row["TRLNKID"] and row["VISITNUM"] in ("1", "2")]
    study["tu"] = [row for row in study["tu"] if row["TUORRES"] != "NEW"]
    for row in study["tr"]:
        if row["TRTESTCD"] in ("LDIAM", "VDIAM"):
            first = {"TRORRES": "50", "TRSTRESC": "50", "TRSTRESN": "50"}
            later = {"TRORRES": "TOO SMALL TO MEASURE", "TRORRESU": "", "TRSTRESC": "5", "TRSTRESN": "5"}
            row |= first if row["VISITNUM"] == "1" else later
    assert [one.rule for one in checked(study).findings] == ["dataset_empty"]


JUNK = (
    "",
    "Y",
    "-",
    "0",
    "1e5",
    "9" * 30,
    "NaN",
    "2024-02-30",
    "T",
    "é",
    "NOT DONE",
    "NEW",
    "TUSPLIT",
    "TUMERGE",
    "R1-T01/R1-T02",
)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_stands_in_a_cell_is_a_finding_and_no_failure(seed: int) -> None:
    chance, study = random.Random(seed), clean()
    for _ in range(1 + seed % 8):
        rows = study[chance.choice(("tu", "tr", "rs", "relrec", "supptu", "dm"))]
        chance.choice(rows)[chance.choice(list(rows[0]))] = chance.choice(JUNK)
    for one in checked(study).findings:
        assert one.message
        assert one.what_to_do


def test_without_responses_targets_are_checked_by_recist11(tmp_path: Path) -> None:
    """A protocol that names another criterion only does not hinder it."""
    path = tmp_path / "protocol.toml"
    path.write_text('format = "mrecist-protocol/1"\n[criteria.mrecist]\n', encoding="utf-8")
    study = clean()
    del study["rs"], study["relrec"]
    for row in [row for row in study["tr"] if row["TRLNKID"] == "R1-T02" and row["VISITNUM"] == "1"]:
        row |= {"TRORRES": "14", "TRSTRESC": "14", "TRSTRESN": "14"}
    found = check_study(study_of(study), Checking(protocol=load_protocol(path))).findings
    assert [one.message for one in found if one.rule == "not_measurable"] == [
        "READER 1: R1-T02: target, short_mm 14 is below 15 mm (a node, pathological but non-target)"
    ]
