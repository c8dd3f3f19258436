"""Each fault planted alone in a study without faults is found by its rule, and nothing else is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from checked_study import SUBJECT, Datasets, Row, clean, study_of, the
from sdtm_study import write_all

from mrecist.checklist import CHECKS
from mrecist.protocol import load_protocol
from mrecist.sdtm.checks.datasets import open_study
from mrecist.sdtm.checks.rule import Finding
from mrecist.sdtm.checks.run import RULES, Checking, check_study

Plant = Callable[[Datasets], object]
FAULTS: list[tuple[str, str, Plant]] = []


def rule(*names: str) -> Callable[[Plant], Plant]:
    """The rules that find the fault, each exactly once unless the name ends in ``*``."""

    def keep(plant: Plant) -> Plant:
        FAULTS.append((" ".join(names), plant.__name__, plant))
        return plant

    return keep


def cell(rules: str, dataset: str, wanted: Row, **values: str) -> None:
    """A fault that is another value in one record."""

    def plant(study: Datasets) -> None:
        the(study[dataset], **wanted).update(values)

    FAULTS.append((rules, f"{dataset} {' '.join(f'{k}={v}' for k, v in values.items())}"[:60], plant))


def find(study: Datasets) -> tuple[Finding, ...]:
    return check_study(study_of(study), Checking(protocol=load_protocol(None))).findings


LDIAM1 = {"TRLNKID": "R1-T01", "TRTESTCD": "LDIAM", "VISITNUM": "1"}
LDIAM2 = {**LDIAM1, "VISITNUM": "2"}
T01 = {"TULNKID": "R1-T01"}
BLIND = {"TRSTAT": "NOT DONE"}
RECIST, MRECIST = {"RSCAT": "RECIST 1.1"}, {"RSCAT": "MRECIST LENCIONI LIVER CANCER 2010"}
OVERALL = {"RSTESTCD": "OVRLRESP", "VISITNUM": "2", **RECIST}

# --- terms: what the rules engine of CDISC does not look at ----------------------------------------------------------

cell("lesion_test_not_published", "tr", {"TRLNKID": "R1-T02", "VISITNUM": "2"}, TRTESTCD="SAXIS")
cell("test_not_published", "rs", {"RSTESTCD": "NTRGRESP", "VISITNUM": "2"}, RSTESTCD="NTRESP", RSTEST="Our Name")
cell("lesion_test_not_published", "tu", T01, TUTESTCD="TUMORID")
cell("term_not_published", "tu", T01, TULOC="LIVER SEGMENT VIII")
cell("term_not_published", "tu", T01, TUMETHOD="CT")
cell("term_not_published", "tu", T01, TULAT="RIGHT SIDE")
cell("term_not_published", "tr", LDIAM1, TRMETHOD="CECT")
cell("term_not_allowed", "tr", BLIND, TRSTAT="not done")
cell("test_name_differs", "tr", LDIAM1, TRTEST="Longest Diameter (mm)")
cell("test_name_differs", "rs", OVERALL, RSTEST="OVERALL RESPONSE")


@rule("term_not_published*")
def evaluator_is_no_term(study: Datasets) -> None:
    for name in ("tu", "tr", "rs"):
        for row in study[name]:
            row[f"{name.upper()}EVAL"] = "INDEPENDENT READER"


@rule("term_not_published*")
def evaluator_id_is_no_term(study: Datasets) -> None:
    for name in ("tu", "tr", "rs"):
        for row in study[name]:
            row[f"{name.upper()}EVALID"] = row[f"{name.upper()}EVALID"].replace("READER ", "R")


@rule("term_not_published*")
def criterion_is_no_term(study: Datasets) -> None:
    for row in study["rs"]:
        row["RSCAT"] = row["RSCAT"].replace(MRECIST["RSCAT"], "mRECIST")


@rule("test_name_varies", "test_not_published*", "baseline_flag_repeated")
def sponsors_test_with_two_names(study: Datasets) -> None:
    for number, name in enumerate(("Our Test", "Our Other Test")):
        row = {**the(study["tr"], TRTESTCD="SUMDIAM"), "TRTESTCD": "OURTEST", "TRTEST": name}
        study["tr"].append({**row, "TRSEQ": str(100 + number), "TRSPID": str(number)})


@rule("test_code_form", "test_not_published")
def code_too_long(study: Datasets) -> None:
    row = the(study["tr"], TRTESTCD="SUMDIAM")
    study["tr"].append({**row, "TRTESTCD": "OURLONGTEST", "TRTEST": "Our Test", "TRSEQ": "100"})


# --- readers ---------------------------------------------------------------------------------------------------------

cell("flag_not_y", "rs", OVERALL, RSACPTFL="N")
cell("flag_not_y", "tr", LDIAM2, TRACPTFL="N")
cell("flag_not_y", "tu", T01, TULOBXFL="N")
cell("two_accepted", "rs", OVERALL, RSACPTFL="Y")
cell("two_accepted", "tr", LDIAM2, TRACPTFL="Y")


@rule("evaluator_missing*")
def evaluator_id_without_evaluator(study: Datasets) -> None:
    for name in ("tu", "tr", "rs"):
        for row in study[name]:
            row[f"{name.upper()}EVAL"] = ""


@rule("evaluator_missing")
def one_evaluator_id_without_evaluator(study: Datasets) -> None:
    the(study["rs"], **OVERALL)["RSEVAL"] = ""


@rule("evaluator_id_missing", "response_without_results", "overall_response_missing")
def evaluator_without_id(study: Datasets) -> None:
    the(study["rs"], **OVERALL)["RSEVALID"] = ""


@rule("investigator_accepted*")
def investigator_accepted(study: Datasets) -> None:
    for name in ("tu", "tr", "rs"):
        for row in study[name]:
            if row[f"{name.upper()}EVALID"] == "READER 2":
                row |= {f"{name.upper()}EVAL": "INVESTIGATOR", f"{name.upper()}EVALID": ""}


# --- links -----------------------------------------------------------------------------------------------------------


@rule("lesion_link_missing", "result_link_unknown*")
def lesion_link_missing(study: Datasets) -> None:
    the(study["tu"], **T01)["TULNKID"] = ""


@rule("lesion_link_repeated", "relation_not_one", "baseline_flag_repeated")
def lesion_link_repeated(study: Datasets) -> None:
    study["tu"].append({**the(study["tu"], **T01), "TUSEQ": "99", "TUDTC": "2023-12-31", "TUDY": "-3"})


@rule("lesion_link_shared*", "relation_not_one")
def lesion_link_shared(study: Datasets) -> None:
    for name in ("tu", "tr"):
        for row in study[name]:
            row[f"{name.upper()}LNKID"] = row[f"{name.upper()}LNKID"].replace("R2-", "R1-")


@rule("lesion_without_results")
def lesion_without_results(study: Datasets) -> None:
    study["tu"].append({**the(study["tu"], TULNKID="R1-NT01"), "TUSEQ": "99", "TULNKID": "R1-NT02", "TULOC": "BONE"})


cell("result_link_missing", "tr", LDIAM2, TRLNKID="")
cell("result_link_unknown", "tr", LDIAM2, TRLNKID="R1-T09")
cell("result_link_of_other_reader", "tr", LDIAM2, TRLNKID="R2-T01")
cell("location_missing", "tu", T01, TULOC="")
cell("response_group_unknown", "rs", OVERALL, RSLNKGRP="R1-A9")
cell("response_group_missing", "rs", OVERALL, RSLNKGRP="")
cell("response_group_on_part", "rs", {"RSTESTCD": "TRGRESP", "VISITNUM": "2"}, RSLNKGRP="R1-A2")
cell("result_group_missing", "tr", LDIAM2, TRLNKGRP="")
cell("result_group_unanswered", "tr", LDIAM2, TRLNKGRP="R1-A22")


@rule("new_lesion_not_reported", "overall_response_differs*")
def new_lesion_not_reported(study: Datasets) -> None:
    rows = [row for row in study["rs"] if not (row["RSTESTCD"] == "NEWLPROG" and row["RSEVALID"] == "READER 1")]
    for row in rows:
        if row["RSTESTCD"] == "OVRLRESP" and row["RSEVALID"] == "READER 1" and row["VISITNUM"] == "3":
            row |= {"RSORRES": "NE", "RSSTRESC": "NE"}
    study["rs"] = rows


# --- results ---------------------------------------------------------------------------------------------------------

cell("original_missing", "tr", LDIAM2, TRORRES="")
cell("original_missing", "rs", OVERALL, RSORRES="")
cell("standard_missing", "tr", LDIAM2, TRSTRESC="")
cell("result_missing", "tr", LDIAM2, TRORRES="", TRSTRESC="", TRSTRESN="")
cell("not_done_with_result", "tr", BLIND, TRORRES="PRESENT")
cell("not_done_without_reason", "tr", BLIND, TRREASND="")
cell("reason_without_not_done", "tr", LDIAM2, TRREASND="IMAGE OBSCURED")
cell("numbers_differ", "tr", LDIAM2, TRSTRESN="31")
cell("number_missing", "tr", LDIAM2, TRSTRESN="")
cell("conversion_differs", "tr", LDIAM2, TRORRESU="cm")
cell("conversion_differs", "tr", LDIAM2, TRORRES="31")
cell("unit_missing", "tr", LDIAM2, TRORRESU="")
cell("unit_missing", "tr", LDIAM2, TRSTRESU="")
cell("unit_not_of_test", "tr", LDIAM2, TRORRESU="mL")
cell("unit_not_standard", "tr", LDIAM2, TRORRES="3", TRORRESU="cm", TRSTRESC="3", TRSTRESN="3", TRSTRESU="cm")
cell("size_negative", "tr", LDIAM2, TRORRES="-30", TRSTRESC="-30", TRSTRESN="-30")

# --- dates, visits, records ------------------------------------------------------------------------------------------

cell("date_form", "tr", LDIAM2, TRDTC="26FEB2024")
cell("date_form", "rs", OVERALL, RSDTC="2024-02-30")
cell("date_missing", "tr", LDIAM2, TRDTC="", TRDY="")
cell("day_zero", "tr", LDIAM1, TRDY="0")
cell("day_differs", "tr", LDIAM1, TRDY="-1")
cell("visit_differs", "tr", LDIAM2, VISIT="WEEK 9")
cell("visit_not_a_number", "rs", {"RSTESTCD": "BESTRESP"}, VISITNUM="LAST", VISIT="", RSDTC="2024-04-22")
cell("baseline_flag_repeated baseline_after_treatment", "tr", LDIAM2, TRLOBXFL="Y")
cell("baseline_after_treatment*", "dm", {}, RFXSTDTC="2023-12-31")
cell("sequence_not_whole", "tr", LDIAM2, TRSEQ="1.5")
cell("sequence_repeated", "tr", LDIAM2, TRSEQ="1")
cell("required_value_missing", "tr", LDIAM2, STUDYID="")
cell("domain_differs", "tr", LDIAM2, DOMAIN="TU")
cell("subject_not_in_dm*", "dm", {}, USUBJID="HAND-P02")


@rule("record_repeated")
def record_repeated(study: Datasets) -> None:
    study["rs"].append({**the(study["rs"], **OVERALL), "RSSEQ": "99"})


def test_a_dataset_without_records(tmp_path: Path) -> None:
    study = clean()
    folder = write_all(tmp_path, "csv", **study)
    (folder / "dm.csv").write_text("STUDYID,USUBJID\n", encoding="utf-8")
    found = check_study(open_study([folder]), Checking(protocol=load_protocol(None))).findings
    assert [one.rule for one in found] == ["dataset_empty"]


@rule("place_outside_tu")
def place_in_results(study: Datasets) -> None:
    for row in study["tr"]:
        row["TRLOC"] = "LIVER" if row["TRLNKID"] else ""


@rule("expected_variable_missing")
def variable_missing(study: Datasets) -> None:
    for row in study["tu"]:
        del row["TUMETHOD"]


@rule("required_variable_missing")
def required_variable_missing(study: Datasets) -> None:
    for row in study["tu"]:
        del row["TUTEST"]


@rule("dataset_missing", "relation_domain")
def dataset_missing(study: Datasets) -> None:
    del study["rs"]


# --- RELREC and qualifiers -------------------------------------------------------------------------------------------

cell("relation_variable", "relrec", {"RDOMAIN": "TU"}, IDVAR="TULINKID")
cell("relation_type", "relrec", {"RDOMAIN": "TU"}, RELTYPE="")
cell("relation_not_one", "relrec", {"RDOMAIN": "TR"}, RELTYPE="ONE")
cell("relation_domain", "relrec", {"RDOMAIN": "TU"}, RDOMAIN="SV")


@rule("relation_alone")
def relation_with_one_side(study: Datasets) -> None:
    study["relrec"] = study["relrec"][:3]


@rule("relation_value")
def relation_to_no_record(study: Datasets) -> None:
    pairs = (("TR", "TRSEQ", "999"), ("PR", "PRSEQ", "1"))
    for domain, variable, value in pairs:
        row = {"STUDYID": "HAND", "RDOMAIN": domain, "USUBJID": SUBJECT, "IDVAR": variable, "IDVARVAL": value}
        study["relrec"].append({**row, "RELTYPE": "", "RELID": "SCAN"})


cell("qualifier_value", "supptu", {}, IDVARVAL="99")
cell("qualifier_value", "supptu", {}, USUBJID="HAND-P09")
cell("qualifier_variable", "supptu", {}, IDVAR="TUSEQUENCE")
cell("qualifier_name", "supptu", {}, QNAM="LOCATIONDETAIL")
cell("qualifier_label", "supptu", {}, QLABEL="Detail of the Location as the Reader Wrote It")
cell("qualifier_empty", "supptu", {}, QVAL="")


@rule("qualifier_repeated")
def qualifier_repeated(study: Datasets) -> None:
    study["supptr"].append(dict(study["supptr"][0]))


# --- arithmetic and responses ----------------------------------------------------------------------------------------


def result(rules: str, wanted: Row, value: str) -> None:
    cell(rules, "tr", wanted, TRORRES=value, TRSTRESC=value, TRSTRESN=value)


def response(rules: str, wanted: Row, value: str) -> None:
    cell(rules, "rs", wanted, RSORRES=value, RSSTRESC=value)


result("sum_not_parts change_not_of_sums*", {"TRTESTCD": "SUMDIAM", "VISITNUM": "2"}, "45")
result("sum_not_parts", {"TRTESTCD": "SUMVDIAM", "VISITNUM": "2"}, "30")
result("sum_not_parts", {"TRTESTCD": "SUMNLNLD", "VISITNUM": "2"}, "44")
result("change_not_of_sums", {"TRTESTCD": "PCBSD", "VISITNUM": "3"}, "6.82")
result("change_not_of_sums", {"TRTESTCD": "PCNSD", "VISITNUM": "3"}, "-24.19")
result("change_not_of_sums", {"TRTESTCD": "ACNSD", "VISITNUM": "3"}, "-15")
response("target_response_differs", {"RSTESTCD": "TRGRESP", "VISITNUM": "2", **RECIST}, "PR")
response("target_response_differs", {"RSTESTCD": "TRGRESP", "VISITNUM": "2", **MRECIST}, "SD")
response("non_target_response_differs", {"RSTESTCD": "NTRGRESP", "VISITNUM": "2"}, "CR")
response("new_lesion_differs", {"RSTESTCD": "NEWLPROG"}, "EQUIVOCAL")
response("overall_response_differs", {"RSTESTCD": "OVRLRESP", "VISITNUM": "2", **MRECIST}, "SD")
response("overall_response_differs", {"RSTESTCD": "OVRLRESP", "VISITNUM": "3", **RECIST}, "SD")
response("best_response_differs", {"RSTESTCD": "BESTRESP", **RECIST}, "CR")


@rule("overall_response_missing")
def overall_response_missing(study: Datasets) -> None:
    study["rs"].remove(the(study["rs"], **OVERALL))


@rule("response_at_baseline")
def response_at_baseline(study: Datasets) -> None:
    row = {**the(study["rs"], RSTESTCD="TRGRESP"), "RSSEQ": "99", "VISITNUM": "1", "VISIT": "BASELINE"}
    study["rs"].append({**row, "RSDTC": "2024-01-01", "RSDY": "-2"})


@rule("response_without_results")
def reader_without_results(study: Datasets) -> None:
    study["rs"].append({**the(study["rs"], **OVERALL), "RSSEQ": "99", "RSEVALID": "READER 3"})


# --- choice of targets -----------------------------------------------------------------------------------------------


@rule("not_measurable*", "sum_not_parts*", "target_response_differs*")
def node_below_15_mm(study: Datasets) -> None:
    """16 mm would be measurable by RECIST 1.1 and not at the porta hepatis by mRECIST; 12 mm is by neither."""
    for row in [r for r in study["tr"] if r["TRLNKID"] == "R1-T02" and r["VISITNUM"] == "1"]:
        row |= {"TRORRES": "12", "TRSTRESC": "12", "TRSTRESN": "12"}


@rule("too_many_targets_per_organ*", "sum_not_parts*")
def three_targets_in_the_liver(study: Datasets) -> None:
    for name in ("R1-T03", "R1-T04"):
        study["tu"].append({**the(study["tu"], **T01), "TULNKID": name, "TUSEQ": f"9{name[-1]}"})
        for row in [r for r in study["tr"] if r["TRLNKID"] == "R1-T01"]:
            study["tr"].append({**row, "TRLNKID": name, "TRSEQ": f"{name[-1]}{row['TRSEQ']}0"})


@rule("viable_above_whole", "sum_not_parts")
def viable_above_whole(study: Datasets) -> None:
    row = the(study["tr"], TRLNKID="R1-T01", TRTESTCD="VDIAM", VISITNUM="1")
    row |= {"TRORRES": "41", "TRSTRESC": "41", "TRSTRESN": "41"}


def test_the_study_without_faults_is_clean() -> None:
    assert find(clean()) == ()


@pytest.mark.parametrize(("rules", "name", "plant"), FAULTS, ids=[f"{r.split()[0]}-{n}" for r, n, _ in FAULTS])
def test_the_fault_is_found_and_nothing_else(rules: str, name: str, plant: Plant) -> None:
    study = clean()
    plant(study)
    found = [one.rule for one in find(study)]
    wanted = rules.split()
    assert set(found) == {one.rstrip("*") for one in wanted}, name
    assert all(found.count(one) == 1 for one in wanted if not one.endswith("*"))


def test_every_rule_is_planted() -> None:
    """But those of single reads, which tests/checks plants, and those that other tests here show."""
    planted = {one.rstrip("*") for rules, *_ in FAULTS for one in rules.split()}
    elsewhere = {"dataset_empty", "qualifier_domain", "response_not_checked", "read_not_understood"}
    assert set(RULES) - planted - elsewhere - set(CHECKS) == set()
