"""ADaM of subjects worked by hand.

Percentages and categories: Eisenhauer 2009, section 4.3. What each parameter means: admiralonco 1.4.0, vignettes "Creating ADRS",
"Creating ADRS with iRECIST endpoints", "Creating ADTR" and "Creating ADTTE". Days: ADaM BDS for Time-to-Event Analyses 1.0.
"""

from __future__ import annotations

import pytest
from adam_export import AdamExporter, values
from sdtm_export import DAYS, row, sized

HEAD = """format = "mrecist-protocol/1"
[study]
id = "S1"
[origin]
event = "randomisation"
[readers]
plan = "investigator"
[schedule]
partial_date = "last_of_month"
[response]
no_assessment = "MISSING"
"""
PROTOCOL_OF_BASELINE = HEAD.replace('[origin]\nevent = "randomisation"\n', "") + "[criteria.recist11]\n"
PROTOCOL = f"""{HEAD}
[criteria.recist11]
[[endpoint]]
id = "PFS"
kind = "time"
title = "Progression-free survival"
events = ["pd", "death"]
censor = [{{ when = "no_event", cnsr = 1, at = "last_assessment" }}]
[[endpoint]]
id = "TTP"
kind = "time"
events = ["pd"]
competing = ["death"]
censor = [{{ when = "no_event", cnsr = 1, at = "last_assessment" }}]
[[endpoint]]
id = "CONVERSION"
kind = "proportion"
paramcd = "CONVRES"
success = ["procedure:HEPATECTOMY"]
[[endpoint]]
id = "ORR"
kind = "proportion"
paramcd = "CRSP"
confirmed = true
success = ["CR", "PR"]
"""
SUBJECTS = """subject,arm,randomisation,first_dose,death,last_alive
P01,A,2024-01-10,2024-01-12,,2024-12-01
P02,B,2024-01-15,,2024-09,
P03,B,2024-01-10,2024-01-10,,2024-12-01
"""
# 50 mm, then -40 %, -44 %, and from the nadir of 28 mm up by 12 mm, 42.857 %: PR, PR, PD.
SIZES = ("50", "30", "28", "40")
# 50 mm, -10 %, not evaluable, -4 %: SD, NE, SD.
STABLE = ("50", "45", "", "48")


def rows_of(subject: str, sizes: tuple[str, ...], **more: str) -> list[dict[str, str]]:
    return [
        sized("T01", n, size, subject=subject, **more)
        if size
        else row("T01", n, "not-evaluable", subject=subject, **more)
        for n, size in enumerate(sizes)
    ]


ROWS = [*rows_of("P01", SIZES), *rows_of("P03", STABLE)]


def export(adam: AdamExporter, *options: str):  # type: ignore[no-untyped-def]
    (adam.folder / "procedures.csv").write_text(
        "subject,date,procedure\nP01,2024-06-30,HEPATECTOMY\n", encoding="utf-8"
    )
    procedures = ("--procedures", str(adam.folder / "procedures.csv"))
    return adam.made(ROWS, *procedures, *options, protocol=PROTOCOL, subjects=SUBJECTS)


def test_sums_of_adtr(adam: AdamExporter) -> None:
    made = export(adam)
    assert made.code == 0
    sums = made.find("ADTR", USUBJID="S1-P01", PARAMCD="SDIAM")
    assert values(sums, "AVISIT", "AVISITN", "ADT", "AVAL", "BASE", "CHG", "PCHG", "NADIR", "CHGNAD", "PCHGNAD") == [
        ("BASELINE", 0, DAYS[0], 50, 50, None, None, None, None, None),
        ("TIME POINT 1", 1, DAYS[1], 30, 50, -20, -40, 50, -20, -40),
        ("TIME POINT 2", 2, DAYS[2], 28, 50, -22, -44, 30, -2, -6.6667),
        ("TIME POINT 3", 3, DAYS[3], 40, 50, -10, -20, 28, 12, 42.8571),
    ]
    assert values(sums, "ABLFL", "ANL01FL", "ANL02FL", "PDFL") == [
        ("Y", "Y", None, None),
        (None, "Y", None, None),
        (None, "Y", "Y", None),
        (None, "Y", None, "Y"),
    ]
    # Day 1 is randomisation on 2024-01-10, and there is no day 0.
    assert [one["ADY"] for one in sums] == [-2, 55, 111, 167]
    assert {one["PARCAT3"] for one in sums} == {"RECIST 1.1"}
    assert {one["PARCAT2"] for one in sums} == {"Investigator"}


def test_a_sum_that_is_not_complete_is_no_number(adam: AdamExporter) -> None:
    sums = export(adam).find("ADTR", USUBJID="S1-P03", PARAMCD="SDIAM")
    assert values(sums, "AVAL", "CHG", "PCHG", "ANL01FL", "ANL02FL") == [
        (50, None, None, "Y", None),
        (45, -5, -10, "Y", "Y"),
        (None, None, None, None, None),
        (48, -2, -4, "Y", None),
    ]


def test_lesions_of_adtr_refer_to_tr(adam: AdamExporter) -> None:
    made = export(adam)
    lesions = made.find("ADTR", USUBJID="S1-P01", PARAMCD="LDIAM1")
    assert values(lesions, "AVAL", "BASE", "PCHG", "TULOC") == [
        (50, 50, None, "LIVER"),
        (30, 50, -40, "LIVER"),
        (28, 50, -44, "LIVER"),
        (40, 50, -20, "LIVER"),
    ]
    (missing,) = [one for one in made.find("ADTR", USUBJID="S1-P03", PARAMCD="LDIAM1") if one["AVAL"] is None]
    assert (missing["AVISITN"], missing["TRSTAT"], missing["ANL01FL"]) == (2, "NOT DONE", None)


def test_parameters_of_a_responder(adam: AdamExporter) -> None:
    made = export(adam)
    found = {
        one["PARAMCD"]: (one["AVALC"], one["AVAL"], one["ADT"])
        for one in made.find("ADRS", USUBJID="S1-P01", AVISITN=None)
    }
    assert found == {
        "PD": ("Y", 1, DAYS[3]),
        "RSP": ("Y", 1, DAYS[1]),
        "CB": ("Y", 1, DAYS[1]),
        "BOR": ("PR", 2, DAYS[1]),
        "BCP": ("Y", 1, DAYS[1]),
        "CRSP": ("Y", 1, DAYS[1]),
        "CCB": ("Y", 1, DAYS[1]),
        "CBOR": ("PR", 2, DAYS[1]),
        "CBCP": ("Y", 1, DAYS[1]),
        "LSTA": ("PD", 5, DAYS[3]),
        "DEATH": ("N", 0, None),
        "CONVRES": ("Y", 1, "2024-06-30"),
    }
    assert values(made.find("ADRS", USUBJID="S1-P01", PARAMCD="OVR"), "AVISITN", "AVALC", "AVAL", "ANL01FL") == [
        (1, "PR", 2, "Y"),
        (2, "PR", 2, "Y"),
        (3, "PD", 5, "Y"),
    ]
    assert made.one("ADRS", USUBJID="S1-P01", PARAMCD="MDIS")["AVALC"] == "Y"
    assert "endpoint ORR: is parameter CRSP of ADRS" in made.err


def test_parameters_of_stable_disease(adam: AdamExporter) -> None:
    """SD from 42 days after day 1 on: 2024-03-04 is day 55."""
    made = export(adam)
    found = {one["PARAMCD"]: (one["AVALC"], one["ADT"]) for one in made.find("ADRS", USUBJID="S1-P03", AVISITN=None)}
    assert {name: found[name] for name in ("PD", "RSP", "BCP", "CRSP", "CBCP")} == dict.fromkeys(
        ("PD", "RSP", "BCP", "CRSP", "CBCP"), ("N", None)
    )
    assert (found["BOR"], found["CB"], found["LSTA"]) == (("SD", DAYS[1]), ("Y", DAYS[1]), ("SD", DAYS[3]))
    visits = made.find("ADRS", USUBJID="S1-P03", PARAMCD="OVR")
    assert values(visits, "AVALC", "AVAL") == [("SD", 3), ("NE", 6), ("SD", 3)]


def test_who_was_never_assessed_is_missing_and_no_responder(adam: AdamExporter) -> None:
    made = export(adam)
    found = {one["PARAMCD"]: (one["AVALC"], one["AVAL"]) for one in made.find("ADRS", USUBJID="S1-P02")}
    assert found == {
        **dict.fromkeys(("PD", "RSP", "CB", "BCP", "CRSP", "CCB", "CBCP", "CONVRES"), ("N", 0)),
        **dict.fromkeys(("BOR", "CBOR"), ("MISSING", 7)),
        "DEATH": ("Y", 1),
    }


def test_times_with_their_source(adam: AdamExporter) -> None:
    """2024-01-10 to 2024-06-24 are 167 days, both counted; 2024-01-15 to 2024-09-30 are 260."""
    made = export(adam)
    names = ("STARTDT", "ADT", "AVAL", "CNSR", "EVNTDESC", "CNSDTDSC", "SRCDOM", "SRCVAR")
    assert values(made.find("ADTTE", PARAMCD="PFS"), *names) == [
        ("2024-01-10", DAYS[3], 167, 0, "DISEASE PROGRESSION", None, "RS", "RSDTC"),
        ("2024-01-15", "2024-09-30", 260, 0, "DEATH", None, "DM", "DTHDTC"),
        ("2024-01-10", DAYS[3], 167, 1, "NO EVENT", "LAST ASSESSMENT", "RS", "RSDTC"),
    ]
    rival = made.one("ADTTE", PARAMCD="TTP", USUBJID="S1-P02")
    assert (rival["CNSR"], rival["EVNTDESC"], rival["CNSDTDSC"]) == (101, "DEATH", "COMPETING EVENT")


def test_completed_dates_are_flagged(adam: AdamExporter) -> None:
    made = export(adam)
    assert [one["ADTF"] for one in made.find("ADTTE", PARAMCD="PFS")] == [None, "D", None]
    assert made.one("ADSL", USUBJID="S1-P02")["DTHDTF"] == "D"
    assert made.one("ADRS", USUBJID="S1-P02", PARAMCD="DEATH")["ADTF"] == "D"
    assert all(one["ADTF"] is None for one in made.datasets["ADTR"] if "ADTF" in one)


def test_subjects(adam: AdamExporter) -> None:
    made = export(adam)
    names = ("USUBJID", "TRT01P", "RANDDT", "TRTSDT", "DTHDT", "ITTFL", "SAFFL")
    assert values(made.datasets["ADSL"], *names) == [
        ("S1-P01", "A", "2024-01-10", "2024-01-12", None, "Y", "Y"),
        ("S1-P02", "B", "2024-01-15", None, "2024-09-30", "Y", "N"),
        ("S1-P03", "B", "2024-01-10", "2024-01-10", None, "Y", "Y"),
    ]


IMMUNE = f"{HEAD}[criteria.irecist]\n"


@pytest.mark.parametrize(
    ("sizes", "confirmed", "unconfirmed"),
    [
        # iUPD, iCPD: confirmed, dated at the first iUPD.
        (("50", "65", "72"), ("Y", DAYS[1]), ("N", None)),
        # iUPD and nothing after it: unconfirmed.
        (("50", "65"), ("N", None), ("Y", DAYS[1])),
        # iUPD, then iPR: taken back, so neither.
        (("50", "65", "30"), ("N", None), ("N", None)),
        # iSD, iUPD, iCPD: the iUPD of the block.
        (("50", "52", "65", "72"), ("Y", DAYS[2]), ("N", None)),
    ],
)
def test_progression_of_irecist(
    adam: AdamExporter, sizes: tuple[str, ...], confirmed: tuple[str, str | None], unconfirmed: tuple[str, str | None]
) -> None:
    """As the vignette has it: the date of progression is the first iUPD of the block that ends in iCPD."""
    made = adam.made(rows_of("P01", sizes), protocol=IMMUNE, subjects=SUBJECTS)
    for code, wanted in (("ICPD", confirmed), ("IUPD", unconfirmed)):
        found = made.one("ADRS", USUBJID="S1-P01", PARAMCD=code)
        assert (found["AVALC"], found["ADT"]) == wanted
    assert not made.find("ADRS", PARAMCD="PD")


def test_responses_of_irecist(adam: AdamExporter) -> None:
    made = adam.made(rows_of("P01", ("50", "30", "28")), protocol=IMMUNE, subjects=SUBJECTS)
    visits = made.find("ADRS", USUBJID="S1-P01", PARAMCD="IOVR")
    assert values(visits, "AVALC", "AVAL") == [("iPR", 5), ("iPR", 5)]
    found = {one["PARAMCD"]: one["AVALC"] for one in made.find("ADRS", USUBJID="S1-P01", PARCAT3="iRECIST")}
    for code, word in (("IRSP", "Y"), ("ICRSP", "Y"), ("ICB", "Y"), ("ICCB", "Y"), ("IBOR", "iPR"), ("ICBOR", "iPR")):
        assert found[code] == word


def test_readers_and_criteria_keep_apart(adam: AdamExporter) -> None:
    protocol = HEAD.replace('"investigator"', '"two_plus_adjudicator"\naccepted = "ADJ"')
    protocol += "[criteria.recist11]\n[criteria.mrecist]\n"
    rows = [
        sized("T01", n, size, viable, reader=reader)
        for reader, sizes in (("R1", SIZES), ("R2", STABLE[:2]), ("ADJ", SIZES))
        for n, (size, viable) in enumerate(zip(sizes, ("40", "0", "0", "20"), strict=False))
    ]
    made = adam.made(rows, protocol=protocol, subjects=SUBJECTS)
    found = {
        (one["PARCAT2"], one["PARCAT3"]): one["AVALC"] for one in made.find("ADRS", USUBJID="S1-P01", PARAMCD="BOR")
    }
    mrecist = "MRECIST LENCIONI LIVER CANCER 2010"
    assert found == {
        **{(who, "RECIST 1.1"): word for who, word in (("Reader 1", "PR"), ("Reader 2", "SD"), ("BICR", "PR"))},
        **{(who, mrecist): "CR" for who in ("Reader 1", "Reader 2", "BICR")},
    }
    viable = made.find("ADTR", PARAMCD="SVDIAM", PARCAT2="BICR")
    assert values(viable, "AVAL", "PCHG") == [(40, None), (0, -100), (0, -100), (20, -50)]
    # Who was never assessed is told for the reader who decides.
    assert {one["PARCAT2"] for one in made.find("ADRS", USUBJID="S1-P02", PARAMCD="BOR")} == {"BICR"}


def test_regions(adam: AdamExporter) -> None:
    protocol = f'{HEAD}[regions]\nintrahepatic = ["liver"]\n[criteria.recist11]\n'
    rows = rows_of("P01", SIZES) + [sized("T02", n, "20", organ="lung") for n in range(4)]
    made = adam.made(rows, protocol=protocol, subjects=SUBJECTS)
    names = ("PARCAT4", "AVALC", "SRCDOM")
    assert values(made.find("ADRS", PARAMCD="LIVOVR"), *names) == [
        ("Liver", "PR", "RS"),
        ("Liver", "PR", "RS"),
        ("Liver", "PD", "RS"),
    ]
    assert values(made.find("ADRS", PARAMCD="EHOVR"), *names) == [("Extrahepatic", "SD", None)] * 3


def test_what_no_date_says_is_not_denied(adam: AdamExporter) -> None:
    """No subject has a date of treatment: who was treated is not known, and nobody is said not to be."""
    made = adam.made(rows_of("P01", SIZES), protocol=PROTOCOL_OF_BASELINE, subjects="subject\nP01\nP02\n")
    assert values(made.datasets["ADSL"], "ITTFL", "SAFFL") == [("Y", None), ("Y", None)]
    assert not made.find("ADSL", RANDFL="N")


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        (rows_of("P01", SIZES[:2]), "Y"),
        ([row("NT01", n, "present", subject="P01") for n in range(2)], "N"),
    ],
)
def test_measurable_at_baseline(adam: AdamExporter, rows: list[dict[str, str]], wanted: str) -> None:
    made = adam.made(rows, protocol=PROTOCOL_OF_BASELINE, subjects="subject\nP01\nP02\n")
    (found,) = made.find("ADRS", PARAMCD="MDIS")
    assert (found["USUBJID"], found["AVALC"], found["AVISIT"]) == ("S1-P01", wanted, "BASELINE")


def test_a_completed_day_gives_way_to_a_known_one(adam: AdamExporter) -> None:
    """A death "in June" is not before the scan of 24 June; the day is the same in every dataset, and flagged."""
    protocol = PROTOCOL.replace("last_of_month", "first_of_month")
    (adam.folder / "procedures.csv").write_text("subject,date,procedure\n", encoding="utf-8")
    subjects = "subject,randomisation,death\nP03,2024-01-10,2024-06\n"
    procedures = ("--procedures", str(adam.folder / "procedures.csv"))
    made = adam.made(rows_of("P03", STABLE), *procedures, protocol=protocol, subjects=subjects)
    assert values(made.datasets["ADSL"], "DTHDT", "DTHDTF") == [(DAYS[3], "D")]
    assert values(made.find("ADRS", PARAMCD="DEATH"), "AVALC", "ADT", "ADTF") == [("Y", DAYS[3], "D")]
    assert values(made.find("ADTTE", PARAMCD="PFS"), "ADT", "ADTF", "CNSR", "AVAL") == [(DAYS[3], "D", 0, 167)]


def test_a_section_of_irecist_by_another_name(adam: AdamExporter) -> None:
    protocol = f'{HEAD}[criteria.immune]\nstandard = "iRECIST"\n'
    made = adam.made(rows_of("P01", ("50", "65")), protocol=protocol, subjects=SUBJECTS)
    assert made.one("ADRS", USUBJID="S1-P01", PARAMCD="IUPD")["AVALC"] == "Y"
