"""How parameters are called, and what goes wrong in one line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from adam_export import AdamExporter
from sdtm_export import sized

from mrecist.exporting.adam import variables
from mrecist.exporting.adam.parameters import (
    LESION_TESTS,
    STANDARD,
    SUMS,
    endpoint_codes,
    endpoint_titles,
    is_standard,
    lesion_code,
    lesion_name,
)
from mrecist.protocol import Endpoint

DATASETS = (variables.ADSL, variables.ADTR, variables.ADRS, variables.ADTTE)


@pytest.mark.parametrize(
    ("letters", "link", "code", "name"),
    [
        ("LDIAM", "T01", "LDIAM1", "1"),
        ("LDIAM", "R1-T04", "LDIAM4", "4"),
        ("NLDIAM", "RAD2-T12", "NLDIAM12", "12"),
        ("VDIAM", "T04.2", "VDIAM4B", "4B"),
        ("NLDIAM", "ADJ-T12.1", "NLDIA12A", "12A"),
    ],
)
def test_codes_of_lesions(letters: str, link: str, code: str, name: str) -> None:
    assert (lesion_code(letters, name), lesion_name(link)) == (code, name)


def test_codes_of_endpoints_are_short_and_once() -> None:
    """What a protocol says with ``paramcd`` stays; a standard parameter is never called so twice."""
    asked = [
        Endpoint(id="CEA_NEGATIVE", kind="proportion"),
        Endpoint(id="CEA_NEGATIVE_ALL", kind="proportion"),
        Endpoint(id="PFS", kind="time"),
        Endpoint(id="pfs", kind="time", paramcd="PFS"),
        Endpoint(id="BOR", kind="proportion"),
        Endpoint(id="2ND", kind="proportion"),
    ]
    assert endpoint_codes(asked, STANDARD) == {
        "CEA_NEGATIVE": "CEANEGAT",
        "CEA_NEGATIVE_ALL": "CEANEGA2",
        "PFS": "PFS2",
        "pfs": "PFS",
        "BOR": "BOR2",
        "2ND": "ND",
    }


def test_titles_of_endpoints_are_told_apart() -> None:
    asked = [
        Endpoint(id="A", kind="time", title="Survival"),
        Endpoint(id="B", kind="time", title="Survival"),
        Endpoint(id="C", kind="time"),
        Endpoint(id="D", kind="time", title="Death"),
    ]
    assert list(endpoint_titles(asked).values()) == ["Survival (A)", "Survival (B)", "C", "Death (D)"]


@pytest.mark.parametrize(
    ("more", "confirmed", "wanted"),
    [
        ({"paramcd": "CRSP"}, True, True),
        ({"paramcd": "CRSP"}, False, False),
        ({"paramcd": "RSP"}, False, True),
        ({"paramcd": "CB"}, False, False),
        ({"paramcd": "RSP", "region": "intrahepatic"}, False, False),
        ({"paramcd": "RSP", "at_months": (Decimal(6),)}, False, False),
        ({"paramcd": "ORR"}, False, False),
    ],
)
def test_which_endpoints_are_standard_parameters(more: dict[str, object], confirmed: bool, wanted: bool) -> None:
    endpoint = Endpoint(id="ORR", kind="proportion", success=("CR", "PR"), **more)  # type: ignore[arg-type]
    assert is_standard(endpoint, confirmed=confirmed) is wanted


def test_names_and_labels_fit_every_format() -> None:
    """SAS XPT version 5: names of 8 characters, labels of 40. ADaMIG 1.3: PARAMCD 8, PARAM 200."""
    for dataset in DATASETS:
        assert len({one.name for one in dataset}) == len(dataset)
        for one in dataset:
            assert len(one.name) <= 8, one.name
            assert 0 < len(one.label) <= 40, one.name
            assert one.origin in ("Derived", "Assigned", "Predecessor"), one.name
            assert one.method or one.name in ("PARAM", "PARAMCD"), one.name
    assert all(len(code) <= 8 and len(name) <= 200 for code, name in STANDARD.items())
    assert len(set(STANDARD.values())) == len(STANDARD)


def test_codelists_that_are_named_are_there() -> None:
    named = {one.codelist for dataset in DATASETS for one in dataset if one.codelist}
    assert {name for name in named if not (name[0] == "C" and name[1:].isdecimal())} <= set(variables.CODELISTS)


PAGE = (Path(__file__).parents[2] / "docs" / "adam.md").read_text(encoding="utf-8")


def test_every_parameter_and_variable_is_documented() -> None:
    codes = {*STANDARD, *(f"{letters}n" for letters, _ in LESION_TESTS.values()), *(code for code, _ in SUMS.values())}
    names = {one.name for dataset in DATASETS for one in dataset}
    assert sorted(word for word in codes | names if f"`{word}`" not in PAGE) == []


PROTOCOL = 'format = "mrecist-protocol/1"\n[study]\nid = "S1"\n[readers]\nplan = "investigator"\n[criteria.recist11]\n'


def test_a_read_with_a_problem_is_not_told_as_never_assessed(adam: AdamExporter) -> None:
    good = [sized("T01", n, size) for n, size in enumerate(("50", "40"))]
    bad = [sized("T01", n, size, subject="P02") for n, size in ((0, "50"), (1, "x"))]
    made = adam.made(good + bad, protocol=PROTOCOL, subjects="subject\nP01\nP02\nP03\n")
    assert made.code == 1
    assert "P02" in made.err
    assert not made.find("ADRS", USUBJID="S1-P02", PARAMCD="BOR")
    assert made.one("ADRS", USUBJID="S1-P03", PARAMCD="BOR")["AVALC"] == "NE"


def test_a_reader_that_nothing_tells_is_refused(adam: AdamExporter) -> None:
    rows = [sized("T01", n, "50", reader="Kim") for n in range(2)]
    made = adam.made(rows, protocol=PROTOCOL.replace('plan = "investigator"', ""), subjects="subject\nP01\n")
    assert (made.code, made.datasets) == (2, {})
    assert made.err.startswith("mrecist: reader Kim: ")


def test_best_progression_is_dated_as_the_progression(adam: AdamExporter) -> None:
    """50 to 65 mm: +30 %, +15 mm."""
    rows = [sized("T01", n, size) for n, size in enumerate(("50", "65"))]
    made = adam.made(rows, protocol=PROTOCOL, subjects="subject\nP01\n")
    bor, pd = (made.one("ADRS", USUBJID="S1-P01", PARAMCD=code) for code in ("BOR", "PD"))
    assert (bor["AVALC"], bor["AVAL"], bor["ADT"]) == ("PD", 5, "2024-03-04") == ("PD", 5, pd["ADT"])


def test_a_death_that_cannot_be_read_is_not_denied(adam: AdamExporter) -> None:
    rows = [sized("T01", n, "50") for n in range(2)]
    made = adam.made(rows, protocol=PROTOCOL, subjects="subject,death\nP01,soon\nP02,\n")
    found = {one["USUBJID"]: one["AVALC"] for one in made.find("ADRS", PARAMCD="DEATH")}
    assert found == {"S1-P01": None, "S1-P02": "N"}
    assert made.code == 1
    assert made.err.count("death") == 1


def test_lesions_of_the_same_number_are_told_apart(adam: AdamExporter) -> None:
    rows = [sized(name, n, size) for n in range(2) for name, size in (("T1", "50"), ("T01", "30"))]
    made = adam.made(rows, protocol=PROTOCOL, subjects="subject\nP01\n")
    found = {
        (one["PARAMCD"], one["PARAM"], one["TRLNKID"], one["AVAL"]) for one in made.datasets["ADTR"] if one["TRLNKID"]
    }
    assert found == {
        ("LDIAM1", "Target Lesion 1 Analysis Diameter", "T01", 30),
        ("LDIAM01", "Target Lesion 01 Analysis Diameter", "T1", 50),
    }
