"""What the records of TU, TR and RS say of a read; the expected words are those of SDTMIG 3.4, section 6.3.12, and its controlled terms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sdtm_export import DAYS, Exporter, Made, row, sized

from mrecist.cli import main
from mrecist.exporting.sdtm.places import place_of
from mrecist.model import Kind, Measurement, Role, State

TARGETS = [sized("T01", 0, "50", "40"), sized("T01", 1, "30", "20.5")]


def results(made: Made, **wanted: Any) -> dict[str, tuple[Any, Any]]:
    """Test -> original result and number, of the TR records wanted."""
    return {one["TRTESTCD"]: (one["TRORRES"], one["TRSTRESN"]) for one in made.find("TR", **wanted)}


def test_one_reading_under_two_criteria_is_measured_once(exporter: Exporter) -> None:
    made = exporter.made(TARGETS)
    assert made.code == 0
    assert results(made, VISITNUM=2) == {
        "LDIAM": ("30", 30),
        "VDIAM": ("20.5", 20.5),
        "SUMLDIAM": ("30", 30),
        "PCBSLD": ("-40", -40),
        "PCNSLD": ("-40", -40),
        "ACNSLD": ("-20", -20),
        "SUMVDIAM": ("20.5", 20.5),
        "PCBSVD": ("-48.75", -48.75),
        "PCNSVD": ("-48.75", -48.75),
        "ACNSVD": ("-19.5", -19.5),
    }
    overall = made.find("RS", RSTESTCD="OVRLRESP")
    assert [(one["RSCAT"], one["RSSTRESC"]) for one in overall] == [
        ("MRECIST LENCIONI LIVER CANCER 2010", "PR"),
        ("RECIST 1.1", "PR"),
    ]
    best = made.find("RS", RSTESTCD="BESTRESP")
    assert [(one["RSSTRESC"], one["VISITNUM"]) for one in best] == [("PR", None), ("PR", None)]


def test_a_sponsor_writes_no_sums_and_no_best_response(exporter: Exporter) -> None:
    made = exporter.made(TARGETS, "--derived", "sponsor")
    assert set(results(made)) == {"LDIAM", "VDIAM"}
    assert {one["RSTESTCD"] for one in made.datasets["RS"]} == {"TRGRESP", "OVRLRESP"}


def test_nodes_make_it_a_sum_of_diameters(exporter: Exporter) -> None:
    node = {"kind": "node", "organ": "lymph node", "station": "porta hepatis"}
    rows = [*TARGETS, sized("T02", 0, "24", short_mm="16", **node), sized("T02", 1, "20", short_mm="11", **node)]
    made = exporter.made(rows)
    assert results(made, TRLNKID="R1-T02", VISITNUM=2) == {"LDIAM": ("20", 20), "LPERP": ("11", 11)}
    assert made.one("TR", TRTESTCD="SUMDIAM", VISITNUM=2)["TRSTRESN"] == 41
    assert made.find("TR", TRTESTCD="SUMLDIAM") == []
    assert made.one("TU", TULNKID="R1-T02")["TULOC"] == "PORTA HEPATIS LYMPH NODE"


def test_too_small_keeps_its_words_beside_five(exporter: Exporter) -> None:
    made = exporter.made([TARGETS[0], row("T01", 1, "too-small")])
    (record,) = made.find("TR", TRTESTCD="LDIAM", VISITNUM=2)
    assert (record["TRORRES"], record["TRSTRESC"], record["TRSTRESN"], record["TRSTRESU"]) == (
        "TOO SMALL TO MEASURE",
        "5",
        5,
        "mm",
    )
    assert record.get("TRSTAT") is None


def test_not_evaluable_is_not_done_with_a_reason(exporter: Exporter) -> None:
    made = exporter.made([TARGETS[0], row("T01", 1, "not-evaluable", comment="motion artefact")])
    for test in ("LDIAM", "VDIAM"):
        record = made.one("TR", TRTESTCD=test, VISITNUM=2)
        assert (record["TRSTAT"], record["TRREASND"]) == ("NOT DONE", "NOT ASSESSABLE")
        assert (record["TRORRES"], record["TRSTRESC"], record["TRSTRESN"]) == (None, None, None)
    assert {one["QVAL"] for one in made.find("SUPPTR", QNAM="TRREASNE")} == {"motion artefact"}
    assert made.one("TR", TRTESTCD="SUMLDIAM", VISITNUM=2)["TRREASND"] == "NOT ALL TARGETS EVALUATED"
    assert made.one("RS", RSTESTCD="OVRLRESP", RSCAT="RECIST 1.1")["RSSTRESC"] == "NE"


def test_a_target_without_a_row_is_not_recorded_and_never_zero(exporter: Exporter) -> None:
    made = exporter.made([*TARGETS, sized("T02", 0, "20", "20")])
    record = made.one("TR", TRLNKID="R1-T02", TRTESTCD="LDIAM", VISITNUM=2)
    assert (record["TRSTAT"], record["TRREASND"], record["TRSTRESN"]) == ("NOT DONE", "NOT RECORDED", None)


def test_gone_is_zero(exporter: Exporter) -> None:
    made = exporter.made([TARGETS[0], row("T01", 1, "absent")])
    assert results(made, TRLNKID="R1-T01", VISITNUM=2) == {
        "TUMSTATE": ("ABSENT", None),
        "LDIAM": ("0", 0),
        "VDIAM": ("0", 0),
    }


def test_non_targets_and_new_lesions_have_states(exporter: Exporter) -> None:
    rows = [
        *TARGETS,
        row("NT01", 0, "present"),
        row("NT01", 1, "progressed"),
        row("NEW01", 1, "equivocal", organ="left lung"),
    ]
    made = exporter.made(rows)
    assert made.one("TR", TRLNKID="R1-NT01", VISITNUM=1)["TRSTRESC"] == "PRESENT"
    grown = made.one("TR", TRLNKID="R1-NT01", VISITNUM=2)
    assert (grown["TRORRES"], grown["TRSTRESC"]) == ("UNEQUIVOCAL PROGRESSION", "UNEQUIVOCAL")
    new = made.one("TU", TULNKID="R1-NEW01")
    assert (new["TUSTRESC"], new["VISITNUM"], new["TULOC"], new["TULAT"]) == ("NEW", 2, "LUNG", "LEFT")
    assert made.one("TR", TRLNKID="R1-NEW01")["TRTESTCD"] == "TUMSTATE"
    said = made.find("RS", RSTESTCD="NEWLPROG")
    assert {(one["RSORRES"], one["RSSTRESC"]) for one in said} == {("EQUIVOCAL", "EQUIVOCAL")}


def test_a_split_lesion_has_numbered_parts(exporter: Exporter) -> None:
    rows = [TARGETS[0], sized("T01a", 1, "20", "20", part_of="T01"), sized("T01b", 1, "12", "12", part_of="T01")]
    made = exporter.made(rows)
    parts = made.find("TU", TUTESTCD="TUSPLIT")
    assert [(one["TULNKID"], one["TUGRPID"], one["TUSPID"]) for one in parts] == [
        ("R1-T01.1", "R1-T01", "T01a"),
        ("R1-T01.2", "R1-T01", "T01b"),
    ]
    assert made.find("TR", TRLNKID="R1-T01", VISITNUM=2) == []
    assert made.one("TR", TRTESTCD="SUMLDIAM", VISITNUM=2)["TRSTRESN"] == 32


def test_a_merged_lesion_names_where_it_went(exporter: Exporter) -> None:
    rows = [*TARGETS, sized("T02", 0, "20", "20"), row("T02", 1, "merged", part_of="T01"), sized("T01", 2, "52", "52")]
    made = exporter.made([*rows, row("T02", 2, "merged", part_of="T01")])
    (merger,) = made.find("TU", TUTESTCD="TUMERGE")
    assert (merger["TULNKID"], merger["VISITNUM"]) == ("R1-T01/R1-T02", 2)
    states = made.find("TR", TRLNKID="R1-T02", TRTESTCD="TUMSTATE")
    assert [one["TRSTRESC"] for one in states] == ["TUMOR MERGED", "TUMOR MERGED"]


def test_links_groups_and_relations(exporter: Exporter) -> None:
    made = exporter.made(TARGETS, protocol=exporter_protocol("[criteria.recist11]"))
    known = {one["TULNKID"] for one in made.datasets["TU"]}
    assert {one["TRLNKID"] for one in made.datasets["TR"]} - {None} <= known
    groups = {one["TRLNKGRP"] for one in made.datasets["TR"]}
    assert groups == {"R1-A1", "R1-A2"}
    linked = [one for one in made.datasets["RS"] if one["RSLNKGRP"]]
    assert [(one["RSTESTCD"], one["RSLNKGRP"]) for one in linked] == [("OVRLRESP", "R1-A2")]
    relations = [(one["RDOMAIN"], one["IDVAR"], one["RELTYPE"], one["RELID"]) for one in made.datasets["RELREC"]]
    assert relations == [
        ("TU", "TULNKID", "ONE", "TUTR"),
        ("TR", "TRLNKID", "MANY", "TUTR"),
        ("TR", "TRLNKGRP", "MANY", "TRRS"),
        ("RS", "RSLNKGRP", "ONE", "TRRS"),
    ]
    assert not {"TRLOC", "TRLAT"} & set(made.datasets["TR"][0])


def exporter_protocol(rest: str) -> str:
    return f'format = "mrecist-protocol/1"\n[study]\nid = "S1"\n{rest}\n'


@pytest.mark.parametrize(
    ("section", "category", "subcategory"),
    [
        ("[criteria.irecist]", "iRECIST", None),
        ("[criteria.easl]", "EASL BRUIX LIVER CANCER 2001", None),
        ("[criteria.choi]", "CHOI GIST 2008", None),
        ("[criteria.vrecist]", "PROTOCOL DEFINED RESPONSE CRITERIA", "VRECIST"),
    ],
)
def test_the_category_is_a_controlled_term(
    exporter: Exporter, section: str, category: str, subcategory: str | None
) -> None:
    made = exporter.made(TARGETS, protocol=exporter_protocol(section))
    record = made.one("RS", RSTESTCD="OVRLRESP")
    assert (record["RSCAT"], record.get("RSSCAT")) == (category, subcategory)


def test_two_sections_of_one_standard_are_told_apart(exporter: Exporter) -> None:
    sections = '[criteria.mrecist]\n[criteria.mrecist_5]\nstandard = "mrecist"\npd_absolute_mm = 5'
    made = exporter.made(TARGETS, protocol=exporter_protocol(sections))
    found = [(one["RSCAT"], one["RSSCAT"]) for one in made.find("RS", RSTESTCD="OVRLRESP")]
    assert sorted(found, key=str) == [
        ("MRECIST LENCIONI LIVER CANCER 2010", None),
        ("PROTOCOL DEFINED RESPONSE CRITERIA", "MRECIST_5"),
    ]


def test_ids_that_name_no_role_are_numbered_in_order(exporter: Exporter) -> None:
    rows = [
        sized("9", 0, "30", "30", role="target"),
        sized("t02", 0, "20", "20"),
        sized("x", 0, "10", "10", role="target"),
    ]
    made = exporter.made([*rows, sized("9", 1, "30", "30", role="target")])
    links = {one["TUSPID"]: one["TULNKID"] for one in made.datasets["TU"]}
    assert links == {"9": "R1-T01", "t02": "R1-T02", "x": "R1-T03"}


def test_baseline_is_flagged_where_something_was_seen(exporter: Exporter) -> None:
    made = exporter.made([*TARGETS, row("NT01", 0, "not-evaluable"), row("NT01", 1, "present")])
    flags = {(one["TRTESTCD"], one["VISITNUM"]): one["TRLOBXFL"] for one in made.datasets["TR"]}
    assert flags["LDIAM", 1] == "Y"
    assert flags["TUMSTATE", 1] is None
    assert flags["LDIAM", 2] is None
    assert [one["TRDTC"] for one in made.find("TR", TRTESTCD="LDIAM")] == list(DAYS[:2])


def test_sequence_numbers_follow_the_keys_and_begin_with_each_subject(exporter: Exporter) -> None:
    other = [{**one, "subject": "P02"} for one in TARGETS]
    made = exporter.made([*other, *TARGETS])
    for name in ("TU", "TR", "RS"):
        by_subject: dict[str, list[int]] = {}
        for one in made.datasets[name]:
            by_subject.setdefault(one["USUBJID"], []).append(one[f"{name}SEQ"])
        assert list(by_subject) == ["S1-P01", "S1-P02"]
        assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in by_subject.values())


def test_the_liver_has_a_response_of_its_own(exporter: Exporter) -> None:
    """The liver lesion shrinks by 40 % (PR) while the lung lesion doubles (PD): together 75 to 80 mm, which is SD."""
    lung = {"organ": "lung"}
    rows = [
        *(sized("T01", n, size, organ="liver") for n, size in enumerate(("50", "30"))),
        *(sized("T02", n, size, **lung) for n, size in enumerate(("25", "50"))),
    ]
    protocol = exporter_protocol('[criteria.recist11]\n[regions]\nintrahepatic = ["liver"]')
    made = exporter.made(rows, protocol=protocol)
    assert {one["RSTESTCD"]: one["RSSTRESC"] for one in made.find("RS", VISITNUM=2)} == {
        "TRGRESP": "SD",
        "LIVRRESP": "PR",
        "OVRLRESP": "SD",
    }


def test_clinical_progression_is_no_progression_of_images(exporter: Exporter, tmp_path: Path) -> None:
    """SDTMIG 3.4, 6.3.12: symptomatic deterioration stands under criteria that the protocol defines."""
    (tmp_path / "subjects.csv").write_text("subject,first_dose\nP01,2024-01-10\n", encoding="utf-8")
    (tmp_path / "occurrences.csv").write_text(
        "subject,date,event\nP01,2024-05-01,clinical progression\nP01,2024-05-02,other\n", encoding="utf-8"
    )
    options = ["--subjects", str(tmp_path / "subjects.csv"), "--occurrences", str(tmp_path / "occurrences.csv")]
    made = exporter.made(TARGETS, *options)
    found = made.find("RS", RSCAT="PROTOCOL DEFINED RESPONSE CRITERIA")
    assert [(one["RSTESTCD"], one["RSSTRESC"], one["RSEVAL"], one["RSDTC"]) for one in found] == [
        ("OVRLRESP", "PD", "INVESTIGATOR", "2024-05-01"),
        ("SYMPTDTR", "PD", "INVESTIGATOR", "2024-05-01"),
    ]
    assert {one["RSSTRESC"] for one in made.find("RS", RSTESTCD="OVRLRESP", RSCAT="RECIST 1.1")} == {"PR"}


def test_a_reason_too_long_for_a_variable_goes_on_as_a_qualifier(exporter: Exporter) -> None:
    """SDTMIG 3.4, 4.5.3: 200 characters at most in each, cut between words."""
    long = " ".join(f"word{n:03d}" for n in range(60))  # 479 characters
    made = exporter.made([TARGETS[0], row("T01", 1, "not-evaluable", comment=long)])
    record = made.one("TR", TRTESTCD="LDIAM", VISITNUM=2)
    pieces = {one["QNAM"]: one["QVAL"] for one in made.find("SUPPTR", IDVARVAL=str(record["TRSEQ"]))}
    assert all(len(text) <= 200 for text in pieces.values())
    assert " ".join(pieces[name] for name in ("TRREASNE", "TRREASN1", "TRREASN2")) == long


@pytest.mark.parametrize(
    ("organ", "station", "kind", "location", "side", "detail"),
    [
        ("liver", "", "lesion", "LIVER", None, None),
        ("liver, segment VIII", "", "lesion", "LIVER, RIGHT LOBE ANTEROSUPERIOR SEGMENT", None, "liver, segment VIII"),
        ("liver", "S4a", "lesion", "LIVER, LEFT LOBE SUPEROMEDIAL SEGMENT", None, "liver S4a"),
        ("liver", "segment 1", "lesion", "LIVER, CAUDATE LOBE", None, "liver segment 1"),
        ("liver", "segments 5/6", "lesion", "LIVER", None, "liver segments 5/6"),
        ("liver", "left lobe", "lesion", "LIVER, LEFT LOBE", None, "liver left lobe"),
        ("left lung", "", "lesion", "LUNG", "LEFT", None),
        ("adrenal", "right", "lesion", "ADRENAL GLAND", "RIGHT", "adrenal right"),
        ("lymph node", "", "node", "LYMPH NODE", None, None),
        ("lymph node", "para-aortic", "node", "PARA-AORTIC LYMPH NODE", None, "lymph node para-aortic"),
        ("lymph node", "perihilar", "node", "LYMPH NODE", None, "lymph node perihilar"),
        ("port site", "", "lesion", "PORT SITE", None, None),
    ],
)
def test_places(organ: str, station: str, kind: str, location: str, side: str | None, detail: str | None) -> None:
    """Couinaud's segments by their names in the codelist LOC; what is no term stays as it was recorded."""
    found = place_of(
        Measurement(
            subject="P",
            timepoint=0,
            date=None,
            lesion="T01",
            role=Role.TARGET,
            kind=Kind(kind),
            organ=organ,
            station=station,
            state=State.MEASURED,
        )
    )
    assert (found.location, found.side or None, found.detail or None) == (location, side, detail)
    assert found.extended == (location == "PORT SITE")


def test_the_sum_of_volumes_is_in_millilitres(exporter: Exporter) -> None:
    """CDISC's units have no mm3; 1 mL is 1000 mm3."""
    rows = [sized("T01", n, "50", volume_mm3=volume) for n, volume in enumerate(("61234.5", "20000"))]
    made = exporter.made(rows, protocol=exporter_protocol("[criteria.vrecist]"))
    assert results(made, VISITNUM=1) == {
        "LDIAM": ("50", 50),
        "VOLUME": ("61.2345", 61.2345),
        "SUMVOL": ("61.2345", 61.2345),
    }
    assert {one["TRSTRESU"] for one in made.find("TR", TRTESTCD="SUMVOL")} == {"mL"}


def test_the_protocol_says_what_the_export_follows(exporter: Exporter) -> None:
    export = '[export.sdtm]\nig = "3.3"\nderived = "sponsor"\nformat = ["csv"]'
    made = exporter.made(TARGETS, protocol=exporter_protocol(f"[criteria.recist11]\n{export}"))
    assert main(["export", "sdtm", str(made.results), "--out", str(made.folder.parent / "by_protocol")]) == 0
    assert (made.folder.parent / "by_protocol" / "tr.csv").read_text(encoding="utf-8").count("SUMLDIAM") == 0
    assert set(results(made)) == {
        "LDIAM",
        "VDIAM",
    }  # the option --format goes before the protocol, the rest is the protocol's
    content = json.loads((made.folder / "tr.json").read_text(encoding="utf-8"))
    assert content["metaDataVersionOID"] == "MDV.S1.SDTMIG.3.3"


def test_a_section_may_have_a_category_of_its_own(exporter: Exporter) -> None:
    sections = '[criteria.mrecist]\n[criteria.ours]\nstandard = "protocol"\nmeasure = "viable"\nrscat = "RECICL"'
    made = exporter.made(TARGETS, protocol=exporter_protocol(sections))
    found = {one["RSCAT"] for one in made.find("RS", RSTESTCD="OVRLRESP")}
    assert found == {"MRECIST LENCIONI LIVER CANCER 2010", "RECICL"}
