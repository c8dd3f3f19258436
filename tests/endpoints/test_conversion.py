"""Conversion to resection and ablation: shares by margin, within so many months, and the time to it. All dates are worked by hand.

Margins: R0 no residual tumour, R1 microscopic, R2 macroscopic, RX not assessed (UICC). 6 months of 30.4375 days are 183 days: with
randomisation on 1 January 2020 the last day is 2 July.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint_study import derived, proportion, time_endpoint, visits

from mrecist.errors import ProtocolError

SUBJECTS = "subject,arm,randomisation,death,last_alive\n"
PROCEDURES = """subject,date,procedure,outcome
S1,2020-06-01,Hepatectomy,r0
S2,2020-06-01,RESECTION,R1
S2,2020-08-01,RESECTION,R0
S3,2020-06-01,HEPATECTOMY,RX
S4,2020-06-01,HEPATECTOMY,
S5,2020-06-01,HEPATECTOMY,RO
S6,2020-06-01,RFA,complete
S7,2020-06-01,MWA,incomplete
S8,2020-07-03,HEPATECTOMY,R0
S9,2019-06-01,HEPATECTOMY,R0
"""
SHARES = {
    # success: the subjects that have it
    "resection": "S1 S2 S3 S4 S5 S8",
    "resection:R0": "S1 S2 S8",
    "resection:R1": "S2",
    "procedure:hepatectomy:R0": "S1 S8",
    "procedure:HEPATECTOMY": "S1 S3 S4 S5 S8",
    "ablation:complete": "S6",
    "ablation": "S6 S7",
}


def people(count: int) -> str:
    return SUBJECTS + "".join(f"S{n},A,2020-01-01,,2020-12-01\n" for n in range(1, count + 1))


@pytest.mark.parametrize("success", SHARES)
def test_who_was_converted(success: str, tmp_path: Path) -> None:
    overall, asked = visits(("2020-03-01", "PR")), proportion(f'["{success}"]', name="X")
    made, problems = derived(tmp_path, asked, overall=overall, subjects=people(10), procedures=PROCEDURES)
    assert not problems
    assert " ".join(one.subject for one in made.outcomes if one.success) == SHARES[success]
    assert [one.success for one in made.outcomes].count(None) == 0


def test_a_margin_that_is_not_recorded_is_no_r0_and_is_told(tmp_path: Path) -> None:
    made, _ = derived(
        tmp_path,
        proportion('["resection:R0", "ablation:complete"]'),
        overall=visits(("2020-03-01", "PR")),
        subjects=people(10),
        procedures=PROCEDURES,
    )
    told = {one.subject: one.reason for one in made.outcomes if "is not recorded, so it is no" in one.reason}
    assert sorted(told) == ["S3", "S4", "S5"]
    assert told["S3"].endswith(
        "the outcome of procedures.csv HEPATECTOMY on 2020-06-01 is not recorded, so it is no resection:R0"
    )
    dates = {one.subject: str(one.date) for one in made.outcomes if one.success}
    assert dates == {"S1": "2020-06-01", "S2": "2020-08-01", "S6": "2020-06-01", "S8": "2020-07-03"}


@pytest.mark.parametrize(
    ("cutoff", "yes", "counted"),
    [
        # S8 was resected on 3 July, one day too late.
        ("2020-12-31", "S1 S3", "S1 S3 S8 S10"),
        # The half year ends on 2 July: with a cut-off one day before nobody had the whole of it, also who was resected in time.
        ("2020-07-02", "S1 S3", "S1 S3 S8 S10"),
        ("2020-07-01", "", ""),
    ],
)
def test_converted_within_six_months(cutoff: str, yes: str, counted: str, tmp_path: Path) -> None:
    cut = f'[response]\ncut = ["first_pd", "data_cutoff"]\ndata_cutoff = {cutoff}\n'
    subjects = SUBJECTS + "".join(f"{who},A,2020-01-01,,2020-12-01\n" for who in ("S1", "S3", "S8", "S10"))
    rows = [
        line for line in PROCEDURES.splitlines(keepends=True) if line.split(",")[0] in ("subject", "S1", "S3", "S8")
    ]
    asked = cut + proportion('["resection"]', "until_months = 6")
    made, _ = derived(
        tmp_path, asked, overall=visits(("2020-03-01", "PR")), subjects=subjects, procedures="".join(rows)
    )
    assert " ".join(one.subject for one in made.outcomes if one.success) == yes
    assert " ".join(one.subject for one in made.outcomes if one.success is not None) == counted


def test_only_who_was_assessed(tmp_path: Path) -> None:
    asked = proportion('["resection"]', 'denominator = "assessed"') + proportion(
        '["resection"]', 'denominator = "evaluated"', name="E"
    )
    overall = visits(("2020-03-01", "PR")) + "S2,2020-03-01,NE,2019-12-20\n"
    made, _ = derived(
        tmp_path, asked, overall=overall, subjects=people(3), procedures="\n".join(PROCEDURES.splitlines()[:3]) + "\n"
    )
    assert [(one.endpoint, one.subject, one.success) for one in made.outcomes] == [
        ("ORR", "S1", True), ("ORR", "S2", True), ("ORR", "S3", None), ("E", "S1", True), ("E", "S2", None), ("E", "S3", None),
    ]  # fmt: skip


def test_time_to_resection(tmp_path: Path) -> None:
    """Progression and death compete; who has none of them is censored on the last day alive. 1 June is day 153."""
    subjects = SUBJECTS + "".join(
        f"{who},A,2020-01-01,{death},{alive}\n"
        for who, death, alive in (
            ("S1", "", "2020-12-01"),
            ("S2", "", "2020-12-01"),
            ("S3", "2020-04-01", ""),
            ("S4", "", "2020-10-01"),
            ("S5", "", "2020-12-01"),
            ("S6", "2020-09-01", ""),
        )
    )
    overall = visits(("2020-03-01", "PR")) + "".join(
        f"{who},{day},{what},2019-12-20\n"
        for who, day, what in (
            ("S2", "2020-05-01", "PD"),
            ("S3", "2020-03-01", "SD"),
            ("S4", "2020-03-01", "PR"),
            ("S5", "2020-06-01", "PD"),
            ("S6", "2020-03-01", "PR"),
        )
    )
    procedures = "subject,date,procedure,outcome\n" + "".join(
        f"{who},{day},HEPATECTOMY,{outcome}\n"
        for who, day, outcome in (
            ("S1", "2020-06-01", "R0"),
            ("S2", "2020-06-01", "R0"),
            ("S5", "2020-06-01", "R0"),
            ("S6", "2020-06-01", "R1"),
            ("S4", "2020-08-01", ""),
        )
    )
    ends = 'competing = ["pd", "death"]'
    asked = time_endpoint('["resection"]', more=ends, name="TTRES") + time_endpoint(
        '["resection:R0"]', more=ends, name="R0"
    )
    made, problems = derived(
        tmp_path,
        asked.replace('at = "last_assessment"', 'at = "last_alive"'),
        overall=overall,
        subjects=subjects,
        procedures=procedures,
    )
    assert not problems
    found = {(one.endpoint, one.subject): (one.days, one.cnsr, one.status, one.flags) for one in made.times}
    assert found == {
        ("TTRES", "S1"): (153, 0, "event", ()),
        ("TTRES", "S2"): (122, 101, "competing", ()),
        ("TTRES", "S3"): (92, 102, "competing", ()),
        ("TTRES", "S4"): (214, 0, "event", ()),
        ("TTRES", "S5"): (153, 0, "event", ()),
        ("TTRES", "S6"): (153, 0, "event", ()),
        ("R0", "S1"): (153, 0, "event", ()),
        ("R0", "S2"): (122, 101, "competing", ()),
        ("R0", "S3"): (92, 102, "competing", ()),
        # Resected on 1 August with a margin that is not recorded: no event, and flagged. 1 October is day 275.
        ("R0", "S4"): (275, 1, "censored", ("OUTCOME_NOT_RECORDED",)),
        ("R0", "S5"): (153, 0, "event", ()),
        # R1, then death on 1 September.
        ("R0", "S6"): (245, 102, "competing", ()),
    }


def test_a_time_from_a_resection_with_free_margins(tmp_path: Path) -> None:
    """S2 was resected with R1 on 1 June and with R0 on 1 August 2020; progression on 1 September is day 32 after that."""
    overall = visits(("2020-03-01", "PR"), ("2020-09-01", "PD"), subject="S2")
    asked = time_endpoint(more='origin = "procedure:RESECTION:r0"', name="RFS")
    made, _ = derived(tmp_path, asked, overall=overall, subjects=people(10), procedures=PROCEDURES)
    assert [(one.subject, str(one.start), one.days, one.cnsr) for one in made.times] == [("S2", "2020-08-01", 32, 0)]


def test_a_margin_that_is_not_recorded_may_have_censored(tmp_path: Path) -> None:
    rule = '{ when = "resection:R0", cnsr = 2, at = "trigger" }'
    overall = visits(("2020-03-01", "PR")) + "S4,2020-09-01,PD,2019-12-20\n"
    made, _ = derived(tmp_path, time_endpoint(censor=rule), overall=overall, subjects=people(10), procedures=PROCEDURES)
    found = {one.subject: (one.days, one.cnsr, one.flags) for one in made.times}
    assert found["S1"] == (153, 2, ())
    assert found["S4"] == (245, 0, ("OUTCOME_NOT_RECORDED",))


@pytest.mark.parametrize(
    ("success", "said"),
    [
        ("resection:R3", "'R3' after the colon is no outcome; one of R0, R1, R2"),
        ("resection:complete", "'complete' after the colon is no outcome; one of R0, R1, R2"),
        ("ablation:R0", "one of complete, incomplete"),
        ("procedure:HEPATECTOMY:RO", "'RO' after the colon is no outcome"),
        ("transplant:R0", "one of pd, death"),
    ],
)
def test_an_outcome_that_nobody_records_is_refused(success: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=said):
        derived(tmp_path, proportion(f'["{success}"]'), overall=visits(("2020-03-01", "PR")))
