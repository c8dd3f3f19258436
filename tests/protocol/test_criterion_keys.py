"""Keys of ``[criteria.NAME]`` that are no thresholds, ``[export]`` and assessment dates: what they take, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from trial_rows import (
    overall,
    parse,
    refusal,
    responses,
    row,
)

from mrecist.criteria import CRITERIA
from mrecist.protocol.variants import SPELLED
from mrecist.sdtm.reported import settings_of


def test_every_standard_has_the_spelling_of_trials() -> None:
    assert SPELLED == {
        "RECIST 1.1": "recist11",
        "mRECIST": "mrecist",
        "iRECIST": "irecist",
        "EASL": "easl",
        "qEASL": "qeasl",
        "vRECIST": "vrecist",
        "Choi": "choi",
        "RECICL": "recicl",
    }
    for spelled, name in SPELLED.items():
        assert parse(criteria={"x": {"standard": spelled}}).setting("x").criterion is CRITERIA[name]
    for other in ("RECIST", "RECIST1.1", "mrecist 1.1", "Recicl", 11):
        assert "is not known; there are: recist11 (" in refusal(criteria={"x": {"standard": other}})


# CDISC CT 2022-09-30, codelist C124298; qEASL and vRECIST are not in it.
TERMS = {
    "recist11": "RECIST 1.1",
    "mrecist": "MRECIST LENCIONI LIVER CANCER 2010",
    "irecist": "iRECIST",
    "easl": "EASL BRUIX LIVER CANCER 2001",
    "qeasl": "PROTOCOL DEFINED RESPONSE CRITERIA",
    "vrecist": "PROTOCOL DEFINED RESPONSE CRITERIA",
    "choi": "CHOI GIST 2008",
    "recicl": "RECICL",
}


def test_rscat_is_the_term_of_the_standard_unless_the_protocol_says_otherwise() -> None:
    assert {name: parse().setting(name).rscat for name in CRITERIA} == TERMS
    own = parse(criteria={"mrecist": {"rscat": " OUR CRITERIA "}}).setting("mrecist")
    assert (own.rscat, own.rscats) == ("OUR CRITERIA", ("OUR CRITERIA",))


def test_reported_responses_are_found_under_the_rscat_of_the_protocol() -> None:
    own = "PROTOCOL DEFINED RESPONSE CRITERIA"
    settings = parse(criteria={"mrecist": {}, "ours": {"standard": "mRECIST", "rscat": own}}).criteria
    assert [one.name for one in settings_of(own, settings)] == ["ours"]
    assert [one.name for one in settings_of("MRECIST LENCIONI LIVER CANCER 2010", settings)] == ["mrecist"]


def test_rules_of_the_study() -> None:
    # -25 % is a response by the study's own 25 %; mRECIST and RECIST 1.1 ask for 30.
    own = {"standard": "protocol", "pr_percent": 25}
    protocol = parse(criteria={"long": {**own, "measure": "longest"}, "alive": {**own, "measure": "viable"}})
    rows = [row("T1", 0, longest_mm="40", viable_mm="40"), row("T1", 1, longest_mm="30", viable_mm="20")]
    assert overall(protocol, *rows, criterion="long") == ["PR"]
    assert overall(protocol, *rows, criterion="recist11") == ["SD"]
    assert [one.sum for one in responses(protocol, *rows, criterion="alive")] == [Decimal(40), Decimal(20)]
    assert protocol.setting("long").rscat == "PROTOCOL DEFINED RESPONSE CRITERIA"
    assert "Rules of the study" in protocol.setting("long").title


def test_sub_sums_need_no_regions_and_allow_endpoints_of_a_region() -> None:
    endpoint = [{"id": "LORR", "kind": "proportion", "success": ["CR"], "region": "intrahepatic", "criterion": "main"}]
    main_ = {"standard": "recist11", "sub_sums": ["intrahepatic", "extrahepatic"]}
    protocol = parse(criteria={"main": main_}, endpoint=endpoint)
    assert protocol.intrahepatic == ("liver",)
    assert protocol.setting("main").sub_sums == ("intrahepatic", "extrahepatic")
    wider = parse(criteria={"main": main_}, regions={"intrahepatic": ["liver", "portal vein"]})
    assert wider.intrahepatic == ("liver", "portal vein")
    assert "say in [regions]" in refusal(criteria={"main": {"standard": "recist11"}}, endpoint=endpoint)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "measure": ({"standard": "RECIST 1.1", "measure": "viable"}, "RECIST 1.1 measures whole longest diameters"),
    "volumes": ({"standard": "vRECIST", "measure": "longest"}, "vRECIST measures whole volumes"),
    "no measure": ({"standard": "protocol"}, 'say what it measures, measure = "longest" or "viable"'),
    "measure of no kind": ({"standard": "protocol", "measure": {}}, "say what it measures"),
    "confirm_pd": ({"standard": "mRECIST", "confirm_pd": {"min_days": 28}}, "confirm_pd is of iRECIST"),
    "confirm twice": (
        {"standard": "iRECIST", "confirm_pd": {"min_days": 28}, "icpd_min_days": 26},
        "icpd_min_days is 26 and confirm_pd says 28; keep one",
    ),
    "confirm_pd words": ({"standard": "iRECIST", "confirm_pd": {"days": 28}}, "min_days = 28, max_days = 56"),
    "portal twice": (
        {"standard": "mRECIST", "portal_node_target_mm": 20, "porta_hepatis_node_mm": 15},
        "porta_hepatis_node_mm is 15 and portal_node_target_mm says 20; keep one",
    ),
    "absolute": ({"standard": "EASL", "pd_absolute_mm": 5}, "unknown key 'criteria.main.pd_absolute_mm'"),
    "absolute false": ({"standard": "EASL", "pd_absolute_mm": False}, "unknown key 'criteria.main.pd_absolute_mm'"),
    "immune": ({"standard": "iRECIST", "new_lesion_is_pd": False}, "unknown key 'criteria.main.new_lesion_is_pd'"),
    "sub_sums": ({"standard": "recist11", "sub_sums": ["liver"]}, 'a list of "intrahepatic", "extrahepatic"'),
    "rscat": ({"standard": "recist11", "rscat": " "}, "a text that is not empty"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_contradicts_is_refused_in_one_line(name: str) -> None:
    section, said = WRONG[name]
    assert said in refusal(criteria={"main": section})


def test_a_value_that_says_what_holds_anyway_passes() -> None:
    assert parse(criteria={"easl": {"pd_absolute_mm": 0}}).criteria == parse(criteria={"easl": {}}).criteria
    assert parse(criteria={"irecist": {"new_lesion_is_pd": True}}).criteria == parse(criteria={"irecist": {}}).criteria


@pytest.mark.parametrize(
    ("checks", "key", "said"),
    [
        ({"min_target_mm": 15}, "min_target_mm", "[checks] min_target_mm is 15 and [criteria.main] min_target_mm is 10"),
        ({"min_target_node_mm": 20}, "node_target_mm", "[checks] min_target_node_mm is 20 and [criteria.main] node_target_mm is 10"),
    ],
)  # fmt: skip
def test_a_smallest_target_is_stated_once(checks: dict[str, int], key: str, said: str) -> None:
    main_ = {"standard": "mrecist", key: 10}
    assert said in refusal(criteria={"main": main_}, checks=checks)
    assert parse(criteria={"main": main_}, checks=dict.fromkeys(checks, 10)).checking


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"sdtm": {"ig": "3.2"}}, 'ig is \'3.2\'; it takes one of "3.3", "3.4"'),
        ({"sdtm": {"ct": "2022-9-30"}}, "a date as a text"),
        ({"sdtm": {"ct": "20220930"}}, "a date as a text"),
        ({"sdtm": {"format": ["xpt"]}}, '"xpt5", "dataset-json", "csv"'),
        ({"sdtm": {"format": []}}, "one or more of"),
        ({"odm": {"version": "1.3"}}, 'one of "1.3.2", "2.0"'),
        ({"redcap": {"repeat_instrument": "Tumor response"}}, "small letters"),
        ({"sas": {}}, "unknown key 'export.sas'"),
        ({"sdtm": "3.4"}, "not a table"),
    ],
)
def test_an_export_that_cannot_be_is_refused(section: dict[str, Any], said: str) -> None:
    assert said in refusal(export=section)


@pytest.mark.parametrize(
    "value", ["latest_scan", {}, {"response": "last"}, {"baseline": "latest_scan"}, {"response": ["latest_scan"]}]
)
def test_an_assessment_date_that_cannot_be_is_refused(value: Any) -> None:
    assert 'each "latest_scan" or "earliest_scan"' in refusal(schedule={"assessment_date": value})
