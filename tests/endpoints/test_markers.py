"""Tumour markers: back to normal, falls in percent, several together, and who is counted. Every subject is worked by hand.

Limits of NCT06071052: CEA at most 5.0 ug/L, CA19-9 at most 35.0 U/mL. Day 1 is 1 January 2020.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint_study import derived, visits

from mrecist.endpoints.proportions import Outcome
from mrecist.errors import ProtocolError

OVERALL = visits(("2020-03-01", "PR"))
CEA = '{ test = "CEA", limit = 5.0, unit = "ug/L" }'
CA = '{ test = "CA19-9", limit = 35.0, unit = "U/mL" }'
# subject: values of CEA and of CA19-9 before day 1, in March and in May ("": not taken)
VALUES = {
    "S1": (("8", "4", ""), ("90", "30", "")),  # both were above, both normal
    "S2": (("8", "4", ""), ("90", "40", "")),  # both were above, CEA only
    "S3": (("8", "4", ""), ("20", "20", "")),  # CEA was above and is normal; CA19-9 normal throughout
    "S4": (("3", "3", ""), ("20", "20", "")),  # neither was above
    "S5": (("8", "", ""), ("90", "30", "")),  # both were above, CEA never again
    "S6": (("", "4", ""), ("90", "30", "")),  # CEA not taken before day 1
    "S7": (("8", "4", "9"), ("90", "50", "30")),  # CEA normal in March, CA19-9 in May
    "S8": (("", "", ""), ("", "", "")),  # nothing was taken
}
DAYS = ("2019-12-30", "2020-03-01", "2020-05-01")
YES, NO, OUT = True, False, None


def table(values: dict[str, tuple[tuple[str, ...], ...]]) -> str:
    lines = ["subject,date,test,value,unit"]
    for who, (cea, ca) in values.items():
        lines += [f"{who},{day},CEA,{value},ng/mL" for day, value in zip(DAYS, cea, strict=True) if value]
        lines += [f"{who},{day},CA19-9,{value},kU/L" for day, value in zip(DAYS, ca, strict=True) if value]
    return "\n".join(lines) + "\n"


def share(rule: str, more: str = "") -> str:
    return f'[[endpoint]]\nid = "X"\nkind = "proportion"\n{rule}\n{more}\n'


def found(tmp_path: Path, asked: str, markers: str, count: int = 8) -> tuple[dict[str, Outcome], list[str]]:
    subjects = "subject,arm,randomisation\n" + "".join(f"S{n},A,2020-01-01\n" for n in range(1, count + 1))
    made, problems = derived(tmp_path, asked, overall=OVERALL, subjects=subjects, markers=markers)
    return {one.subject: one for one in made.outcomes}, problems


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        # Of those above the limit at baseline: S1 S2 S3 S5 S7, S5 without a later value.
        (share(f"marker = {CEA}"), (YES, YES, YES, OUT, NO, OUT, YES, OUT)),
        (share(f"marker = {CEA}", 'denominator = "elevated"'), (YES, YES, YES, OUT, NO, OUT, YES, OUT)),
        (share(f"marker = {CEA}", 'denominator = "evaluated"'), (YES, YES, YES, OUT, OUT, OUT, YES, OUT)),
        # "to total number of cases": S4, normal throughout, and S6, not known to have been above, are cases and no success.
        (share(f"marker = {CEA}", 'denominator = "population"'), (YES, YES, YES, NO, NO, NO, YES, NO)),
        # Normal after treatment, whatever it was before.
        (
            share("marker = " + CEA.replace(" }", ", elevated_at_baseline = false }")),
            (YES, YES, YES, YES, NO, YES, YES, NO),
        ),
        # Both of those who had both above the limit: S1, S2, S5, S7.
        (share(f"markers = [{CEA}, {CA}]"), (YES, NO, OUT, OUT, NO, OUT, YES, OUT)),
        (share(f"markers = [{CEA}, {CA}]", 'denominator = "evaluated"'), (YES, NO, OUT, OUT, OUT, OUT, YES, OUT)),
        (share(f"markers = [{CEA}, {CA}]", 'denominator = "population"'), (YES, NO, NO, NO, NO, NO, YES, NO)),
        # One at least of those who had one above: also S3 by CEA, S6 by CA19-9.
        (share(f"markers = [{CEA}, {CA}]", 'require = "any"'), (YES, YES, YES, OUT, YES, YES, YES, OUT)),
        (
            share(f"markers = [{CEA}, {CA}]", 'require = "any"\ndenominator = "population"'),
            (YES, YES, YES, NO, YES, YES, YES, NO),
        ),
        # CEA was above and is normal, and CA19-9 is normal whatever it was before.
        (
            share(f"markers = [{CEA}, {CA.replace(' }', ', elevated_at_baseline = false }')}]"),
            (YES, NO, YES, OUT, NO, OUT, YES, OUT),
        ),
        # CEA of S7 was above its limit again in May: with a second value 28 days later it is no success.
        (share("marker = " + CEA.replace(" }", ", confirm_days = 28 }")), (NO, NO, NO, OUT, NO, OUT, NO, OUT)),
        # March lies within 2 months (61 days: 2 March), May does not.
        (share(f"markers = [{CEA}, {CA}]", "until_months = 2"), (YES, NO, OUT, OUT, NO, OUT, NO, OUT)),
    ],
)
def test_who_is_counted_and_who_is_a_success(asked: str, expected: tuple[bool | None, ...], tmp_path: Path) -> None:
    outcomes, problems = found(tmp_path, asked, table(VALUES))
    assert not problems
    assert tuple(outcomes[f"S{n}"].success for n in range(1, 9)) == expected


def test_the_day_of_a_joint_conversion(tmp_path: Path) -> None:
    outcomes, _ = found(tmp_path, share(f"markers = [{CEA}, {CA}]"), table(VALUES))
    assert str(outcomes["S7"].date) == "2020-05-01"
    outcomes, _ = found(tmp_path, share(f"markers = [{CEA}, {CA}]", 'require = "any"'), table(VALUES))
    assert str(outcomes["S7"].date) == "2020-03-01"
    assert "CEA 4 ng/mL on 2020-03-01, at most 5.0 ug/L; CA19-9 30 kU/L on 2020-05-01" in outcomes["S7"].reason


FALL = '{ test = "AFP", unit = "ug/L", fall_percent = 50, elevated_at_baseline = false }'
HIGH = '{ test = "AFP", unit = "ug/L", fall_percent = 50, limit = 200 }'


@pytest.mark.parametrize(
    ("rule", "values", "success"),
    [
        # 50 % of 400 is 200; the limit itself counts as a fall.
        (FALL, ("400", "200"), YES),
        (FALL, ("400", "200.1"), NO),
        (FALL, ("0.3", "0.15"), YES),
        (FALL, ("400", ""), NO),
        (FALL, ("", "200"), NO),
        (FALL, ("0", "0"), NO),
        (HIGH, ("400", "200"), YES),
        # 200 is not above 200: outside the denominator.
        (HIGH, ("200", "20"), OUT),
        (HIGH, ("", "20"), OUT),
        # Limits of the assay: below 2 is half of 4 and of more for sure; of 3 it is not known (1.4 or 1.9).
        (FALL, ("4", "<2"), YES),
        (FALL, ("3", "<2"), "does not say whether it fell by 50 %"),
        # Above 1000: 500 and below is a half for sure; 600 is of 1100 and not of 1200.
        (FALL, (">1000", "500"), YES),
        (FALL, (">1000", "600"), "does not say whether it fell by 50 %"),
        (FALL, ("1500", ">1000"), NO),
        (FALL, ("3000", ">1000"), "does not say whether it fell by 50 %"),
    ],
)
def test_a_fall_in_percent(rule: str, values: tuple[str, str], success: bool | str | None, tmp_path: Path) -> None:
    lines = [f"S1,{day},afp,{value},ng/mL" for day, value in zip(DAYS, values, strict=False) if value]
    markers = "\n".join(["subject,date,test,value,unit", *lines]) + "\n"
    outcomes, problems = found(tmp_path, share(f"marker = {rule}"), markers, 1)
    if isinstance(success, str):
        assert [success in one for one in problems] == [True]
        assert not outcomes
    else:
        assert not problems
        assert outcomes["S1"].success is success


def test_two_values_of_one_day(tmp_path: Path) -> None:
    head = "subject,date,test,value,unit\nS1,2019-12-30,CEA,8,ug/L\nS1,2020-03-01,CEA,4,ug/L\n"
    outcomes, problems = found(tmp_path, share(f"marker = {CEA}"), head + "S1,2020-03-01,cea,4,ug/L\n", 1)
    assert (outcomes["S1"].success, problems) == (True, [])
    outcomes, problems = found(tmp_path, share(f"marker = {CEA}"), head + "S1,2020-03-01,cea,9,ug/L\n", 1)
    said = "markers.csv line 4, subject S1: says something else of 2020-03-01, cea than line 3; keep one"
    assert [one.startswith(said) for one in problems] == [True]
    assert "S1" not in outcomes


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (share(f"marker = {CEA}", 'denominator = "assessed"'), "one of population, elevated, evaluated"),
        (share('success = ["CR"]', 'denominator = "elevated"'), "one of population, assessed, evaluated"),
        (
            share("marker = " + CEA.replace(" }", ", elevated_at_baseline = false }"), 'denominator = "elevated"'),
            "no marker has to be elevated",
        ),
        (share(f"markers = [{CEA}]"), "a list of two or more tables"),
        (share(f"marker = {CEA}\nmarkers = [{CEA}, {CA}]"), "give either success"),
        (
            share('marker = { test = "AFP", unit = "ug/L", fall_percent = 50 }'),
            "without a limit only with fall_percent",
        ),
        (share("marker = " + HIGH.replace("50", "120")), "fall_percent is at most 100"),
        (share('success = ["CR"]', "until_months = 6"), "until_months is of events and markers"),
    ],
)
def test_what_no_marker_can_be_is_refused(asked: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=said):
        found(tmp_path, asked, table(VALUES))
