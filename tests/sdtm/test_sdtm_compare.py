"""Reported responses against measurements: every number and category below is worked out by hand from the rules.

RECIST 1.1: Eisenhauer 2009, 4.3 and Tables 1-3; mRECIST: Lencioni & Llovet 2010.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sdtm_runs import Run
from sdtm_study import FORMATS, Row, not_done, rs, tr, tu

MRECIST = "MRECIST LENCIONI LIVER CANCER 2010"


def target(
    subject: str, link: str, *sizes: str, test: str = "LDIAM", loc: str = "LIVER"
) -> tuple[list[Row], list[Row]]:
    """A target with its size at visits 1, 2, ..."""
    found = [tr(subject, link, test, size, str(n)) for n, size in enumerate(sizes, start=1)]
    return [tu(subject, link, "TARGET", TULOC=loc)], found


# 60 + 20 = 80; 30 + 15 = 45 is -43.75 %: PR; 40 + 15 = 55 is +22.2 % and +10 mm from 45: PD, and -31.25 % from 80.
S01 = (
    [tu("S-01", "T01", "TARGET"), tu("S-01", "T02", "TARGET", TULOC="LYMPH NODE")],
    [
        *(tr("S-01", "T01", "LDIAM", size, visit) for visit, size in (("1", "60"), ("2", "30"), ("3", "40"))),
        *(tr("S-01", "T02", "LPERP", size, visit) for visit, size in (("1", "20"), ("2", "15"), ("3", "15"))),
        *(tr("S-01", "T02", "LDIAM", "30", visit) for visit in "123"),
        *(tr("S-01", "", "SUMDIAM", size, visit) for visit, size in (("1", "80"), ("2", "45"), ("3", "55"))),
    ],
    [
        rs("S-01", "OVRLRESP", "PR", "2"),
        rs("S-01", "TRGRESP", "PR", "2"),
        rs("S-01", "OVRLRESP", "PR", "3"),
        rs("S-01", "TRGRESP", "PR", "3"),
    ],
)


@pytest.mark.parametrize("form", FORMATS)
def test_progression_counted_from_baseline_in_every_format(run: Run, form: str) -> None:
    lesions, results, reported = S01
    done = run(form=form, tu=lesions, tr=results, rs=reported)
    assert done.code == 0
    rows = {(r["test"], r["timepoint"]): r for r in done.tables["comparison"]}
    assert {key: row["agrees"] for key, row in rows.items()} == {
        ("SUMDIAM", "0"): "yes",
        ("SUMDIAM", "1"): "yes",
        ("SUMDIAM", "2"): "yes",
        ("OVRLRESP", "1"): "yes",
        ("TRGRESP", "1"): "yes",
        ("OVRLRESP", "2"): "no",
        ("TRGRESP", "2"): "no",
    }
    wrong = rows["TRGRESP", "2"]
    assert (wrong["reported"], wrong["derived"], wrong["visit"], wrong["date"]) == ("PR", "PD", "WEEK 16", "2024-04-22")
    assert (wrong["criterion"], wrong["rscat"], wrong["reader"]) == ("recist11", "RECIST 1.1", "INVESTIGATOR")
    assert wrong["flags"] == "CAUSE:PD_FROM_BASELINE"
    assert "progression is counted from baseline instead of the smallest sum" in wrong["why"]
    assert "sum 55 mm (T01 40, T02 15)" in wrong["why"]
    assert "smallest sum 45 mm (time point 1)" in wrong["why"]
    assert rows["OVRLRESP", "2"]["flags"] == "CAUSE:REPORTED_PARTS;CAUSE:PD_FROM_BASELINE"
    assert "7 reported values compared, 2 differ" in done.out
    assert "S-01, INVESTIGATOR, recist11, WEEK 16 (time point 2): TRGRESP reported PR, derived PD." in done.out


def _new(subject: str, *states: tuple[str, str]) -> tuple[list[Row], list[Row]]:
    lesions, results = target(subject, "T01", "30", "30", "30")
    seen = [tr(subject, "NEW01", "TUMSTATE", state, visit) for visit, state in states]
    return [*lesions, tu(subject, "NEW01", "NEW", states[0][0])], [*results, *seen]


def _two(subject: str, visit: Row) -> tuple[list[Row], list[Row]]:
    lesions = [tu(subject, "T01", "TARGET"), tu(subject, "T02", "TARGET")]
    results = [tr(subject, "T01", "LDIAM", size, v) for v, size in (("1", "50"), ("2", "50"))]
    return lesions, [*results, tr(subject, "T02", "LDIAM", "30", "1"), visit]


NON_TARGET = (
    [tu("S", "NT01", "NON-TARGET")],
    [tr("S", "NT01", "TUMSTATE", "PRESENT", "1"), tr("S", "NT01", "TUMSTATE", "PRESENT", "2")],
)
CAUSED = {
    # 14.0 to 9.8 mm is exactly -30 %: PR, which binary numbers get wrong. In whole mm, 14 to 10 is -28.6 %: SD.
    "exactly the limit": (
        *(target("S", "T01", "14.0", "9.8"), "OVRLRESP", "SD", "PR"),
        "ROUNDED_MM;LIMIT_EXCLUDED",
    ),
    # 20 to 24 mm is +20 % but only +4 mm: SD.
    "5 mm": (target("S", "T01", "20", "24"), "OVRLRESP", "PD", "SD", "NO_5_MM"),
    # 50 + 30 = 80; 50 with T02 not done: NE; with 0 for T02 -37.5 %; without T02 50 to 50 is SD.
    "missing as zero": (_two("S", not_done("S", "T02", "LDIAM", "2")), "OVRLRESP", "PR", "NE", "MISSING_AS_ZERO"),
    "missing left out": (
        *(_two("S", not_done("S", "T02", "LDIAM", "2")), "TRGRESP", "SD", "NE"),
        "MISSING_LEFT_OUT;MISSING_CARRIED_FORWARD",
    ),
    # A node of 8 mm short axis is normal: CR; 16 to 8 mm is -50 %.
    "node": (
        *(target("S", "T01", "16", "8", test="LPERP", loc="LYMPH NODE"), "TRGRESP", "PR", "CR"),
        "NODE_NOT_NORMAL",
    ),
    # 100 to 70.4 mm is -29.6 %: SD, rounded -30 %; 70 of 100 mm is -30 %.
    "rounding": (target("S", "T01", "100", "70.4"), "OVRLRESP", "PR", "SD", "ROUNDED_PERCENT;ROUNDED_MM"),
    "non-target only": (NON_TARGET, "OVRLRESP", "SD", "NON-CR/NON-PD", "SD_FOR_NON_CR_NON_PD"),
    "new lesion": (_new("S", ("2", "UNEQUIVOCAL")), "OVRLRESP", "SD", "PD", "NEW_LESION_IGNORED"),
    # Equivocal at week 8, proven at week 16: progression dates back to week 8.
    "back-dated": (
        *(_new("S", ("2", "EQUIVOCAL"), ("3", "UNEQUIVOCAL")), "OVRLRESP", "SD", "PD"),
        "NEW_LESION_IGNORED;READ_BEFORE_PROOF",
    ),
    "equivocal": (_new("S", ("2", "EQUIVOCAL")), "OVRLRESP", "PD", "SD", "EQUIVOCAL_COUNTED"),
    # Too small to measure is 5 mm: 20 to 5 is PR.
    "too small": (
        *(target("S", "T01", "20", "TOO SMALL TO MEASURE"), "OVRLRESP", "CR", "PR"),
        "TOO_SMALL_AS_ZERO",
    ),
    "nothing explains it": (target("S", "T01", "30", "30"), "OVRLRESP", "CR", "SD", ""),
}


@pytest.mark.parametrize("name", CAUSED)
def test_a_known_cause_is_named(run: Run, name: str) -> None:
    (lesions, results), test, reported, derived, causes = CAUSED[name]
    done = run(tu=lesions, tr=results, rs=[rs("S", test, reported, "2")])
    assert done.code == 0
    (row,) = (r for r in done.tables["comparison"] if r["timepoint"] == "1")
    assert (row["reported"], row["derived"], row["agrees"]) == (reported, derived, "no")
    assert row["flags"] == ";".join(f"CAUSE:{cause}" for cause in causes.split(";") if cause)
    assert ("Possible cause:" in row["why"]) == bool(causes)


def test_sums_are_compared_with_their_parts(run: Run) -> None:
    """50 mm is the sum only when the target that was not done counts 0 mm, or is left out."""
    lesions, results = _two("S", not_done("S", "T02", "LDIAM", "2"))
    sums = [tr("S", "", "SUMDIAM", "79", "1"), tr("S", "", "SUMDIAM", "50", "2")]
    done = run(tu=lesions, tr=[*results, *sums], rs=[rs("S", "OVRLRESP", "NE", "2")])
    rows = {r["timepoint"]: r for r in done.tables["comparison"] if r["test"] == "SUMDIAM"}
    assert (rows["0"]["reported"], rows["0"]["derived"], rows["0"]["agrees"]) == ("79", "80", "no")
    assert (rows["1"]["reported"], rows["1"]["derived"], rows["1"]["agrees"]) == ("50", "", "no")
    assert rows["1"]["flags"] == "CAUSE:MISSING_AS_ZERO;CAUSE:MISSING_LEFT_OUT"


def test_each_rscat_is_judged_by_its_own_criterion(run: Run) -> None:
    """50 mm stays 50 (SD), its viable part falls from 40 to 20 (-50 %, PR)."""
    results = [tr("S", "T01", "LDIAM", "50", v) for v in "12"]
    results += [tr("S", "T01", "VDIAM", size, v) for v, size in (("1", "40"), ("2", "20"))]
    reported = [
        rs("S", "OVRLRESP", "SD", "2"),
        rs("S", "OVRLRESP", "SD", "2", RSCAT=MRECIST),
        rs("S", "OVRLRESP", "iSD", "2", RSCAT="iRECIST"),
        rs("S", "OVRLRESP", "SD", "2", RSCAT="RECIST 1.0"),
        rs("S", "SYMPTDTR", "PD", "2", RSCAT="PROTOCOL DEFINED RESPONSE CRITERIA"),
    ]
    done = run(tu=[tu("S", "T01", "TARGET")], tr=results, rs=reported)
    rows = {r["rscat"]: r for r in done.tables["comparison"]}
    assert {name: (r["criterion"], r["derived"], r["agrees"]) for name, r in rows.items()} == {
        "RECIST 1.1": ("recist11", "SD", "yes"),
        MRECIST: ("mrecist", "PR", "no"),
        "iRECIST": ("irecist", "iSD", "yes"),
        "RECIST 1.0": ("", "", ""),
    }
    assert rows[MRECIST]["flags"] == "CAUSE:AS_RECIST11"
    assert "RECIST 1.0" in rows["RECIST 1.0"]["why"]
    assert "RS tests that are not compared: SYMPTDTR (1)" in done.err
    assert {r["criterion"] for r in done.tables["responses"]} == {"recist11", "mrecist", "irecist"}


def test_best_response_agrees_with_either_and_says_which(run: Run) -> None:
    """PR at week 8 is not confirmed (SD at week 16): best PR unconfirmed, SD confirmed; CR is neither."""
    lesions, results = target("S", "T01", "100", "70", "80")
    for reported, agrees, words in (("PR", "yes", "the unconfirmed one"), ("SD", "yes", "the confirmed one")):
        done = run(tu=lesions, tr=results, rs=[rs("S", "BESTRESP", reported, "3")])
        (row,) = (r for r in done.tables["comparison"] if r["test"] == "BESTRESP")
        assert (row["derived"], row["agrees"], row["timepoint"]) == ("PR (confirmed SD)", agrees, "")
        assert words in row["why"]
    overall = [rs("S", "OVRLRESP", "CR", "2"), rs("S", "BESTRESP", "CR", "3")]
    (row,) = (r for r in run(tu=lesions, tr=results, rs=overall).tables["comparison"] if r["test"] == "BESTRESP")
    assert (row["agrees"], row["flags"]) == ("no", "CAUSE:REPORTED_OVERALL")


def test_what_is_missing_on_either_side(run: Run) -> None:
    lesions, results = target("S", "T01", "30", "30", "30")
    reported = [
        rs("S", "OVRLRESP", "", "2", RSSTAT="NOT DONE"),
        rs("S", "OVRLRESP", "NE", "4"),
        rs("S", "TRGRESP", "PR", "4"),
        rs("S", "OVRLRESP", "XX", "2"),
        rs("S", "OVRLRESP", "SD", "2", RSEVAL="INDEPENDENT ASSESSOR", RSEVALID="RADIOLOGIST 1"),
        rs("S", "OVRLRESP", "SD", "1"),
    ]
    rows = run(tu=lesions, tr=results, rs=reported).tables["comparison"]
    found = {(r["reader"], r["visit"], r["test"], r["reported"]): (r["agrees"], r["flags"]) for r in rows}
    assert found == {
        ("INVESTIGATOR", "BASELINE", "OVRLRESP", "SD"): ("", "BASELINE"),
        ("INVESTIGATOR", "WEEK 8", "OVRLRESP", "NOT DONE"): ("no", ""),
        ("INVESTIGATOR", "WEEK 8", "OVRLRESP", "XX"): ("", "NOT_UNDERSTOOD"),
        ("INVESTIGATOR", "WEEK 16", "OVRLRESP", ""): ("", "NOT_REPORTED"),
        ("INVESTIGATOR", "WEEK 24", "OVRLRESP", "NE"): ("yes", "NO_MEASUREMENTS"),
        ("INVESTIGATOR", "WEEK 24", "TRGRESP", "PR"): ("no", "NO_MEASUREMENTS"),
        ("RADIOLOGIST 1", "WEEK 8", "OVRLRESP", "SD"): ("", "NO_READ"),
    }


def test_flags_that_tell_no_cause(run: Run) -> None:
    lesions, results = target("S", "T01", "30", "30")
    one = rs("S", "OVRLRESP", "SD", "2", RSACPTFL="Y", RSDTC="2024-03-01", RSORRES="PR")
    (row,) = run(tu=lesions, tr=results, rs=[one]).tables["comparison"]
    assert row["agrees"] == "yes"
    assert row["flags"] == "ORIGINAL_DIFFERS:PR;ACCEPTED;DATE_DIFFERS:2024-02-26"


def test_without_rscat_the_criterion_must_be_named(run: Run) -> None:
    lesions, results = target("S", "T01", "30", "30")
    reported = [rs("S", "OVRLRESP", "Stable Disease", "2", RSCAT="")]
    (row,) = run(tu=lesions, tr=results, rs=reported).tables["comparison"]
    assert (row["agrees"], row["why"]) == ("", "RSCAT is empty; name the criterion with --criterion")
    done = run(tu=lesions, tr=results, rs=reported, options=["--criterion", "recist11"])
    assert done.tables["comparison"][0]["agrees"] == "yes"
    assert "RS records without RSCAT are compared under recist11" in done.err


def test_a_response_finds_its_time_point_by_group_or_date_when_its_visit_is_another(run: Run) -> None:
    lesions, results = target("S", "T01", "30", "30", "30")
    results = [row | {"TRLNKGRP": f"A{row['VISITNUM']}"} for row in results]
    reported = [
        rs("S", "OVRLRESP", "SD", "2", VISITNUM="20", VISIT="TUMOUR ASSESSMENT 1", RSLNKGRP="A2"),
        rs("S", "OVRLRESP", "SD", "3", VISITNUM="30", VISIT="TUMOUR ASSESSMENT 2"),
        rs("S", "TRGRESP", "SD", "3", VISITNUM="", VISIT="Week 16", RSDTC=""),
    ]
    rows = run(tu=lesions, tr=results, rs=reported).tables["comparison"]
    assert [(r["timepoint"], r["test"], r["agrees"], r["flags"]) for r in rows] == [
        ("1", "OVRLRESP", "yes", "MATCHED_BY_GROUP"),
        ("2", "OVRLRESP", "yes", "MATCHED_BY_DATE"),
        ("2", "TRGRESP", "yes", ""),
    ]


def test_a_criterion_for_another_disease_is_not_compared(run: Run, tmp_path: Path) -> None:
    protocol = tmp_path / "p.toml"
    protocol.write_text('format = "mrecist-protocol/1"\n[study]\ndisease = "colorectal cancer"\n')
    lesions, results = target("S", "T01", "30", "30")
    reported = [rs("S", "OVRLRESP", "SD", "2"), rs("S", "OVRLRESP", "SD", "2", RSCAT=MRECIST)]
    done = run(tu=lesions, tr=results, rs=reported, options=["--protocol", str(protocol)])
    assert {r["rscat"]: r["agrees"] for r in done.tables["comparison"]} == {"RECIST 1.1": "yes", MRECIST: ""}
