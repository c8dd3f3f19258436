"""Responses at 1, 3, 6 and 12 months, worked by hand, and the regions of Cao 2022 through the command.

Months of 30.4375 days from 1 January 2020: 1 is 31 January (day 30 after it), 3 is 1 April (91), 6 is 2 July (183), 12 is 31 December
(365). Source of the rules: docs/endpoints.md; NCT05233358 asks for "The 1-, 3-, 6-, and 12 months ORR".
"""

from __future__ import annotations

from pathlib import Path

import pytest
from endpoint_study import derived, proportion, rows, run, visits

WINDOW = "at_months = [1, 3, 6, 12]\nwindow_days = 14"
FIRST = ("2020-01-31", "SD")
CASES = {
    # name: (visits, date of death, what is found at months 1, 3, 6, 12: response, date, disease control)
    "the nearer of two assessments": (
        (("2020-01-20", "SD"), ("2020-02-03", "PR"), ("2020-03-25", "PR"), ("2020-04-10", "SD"),
         ("2020-07-02", "SD"), ("2020-12-31", "SD")),
        "",
        (("PR", "2020-02-03", True), ("PR", "2020-03-25", True), ("SD", "2020-07-02", True), ("SD", "2020-12-31", True)),
    ),
    "of two as near the earlier": (
        (("2020-01-30", "PR"), ("2020-02-01", "SD"), ("2020-03-31", "SD"), ("2020-04-02", "CR")), "",
        (("PR", "2020-01-30", True), ("SD", "2020-03-31", True), ("", "", False), ("", "", False)),
    ),
    "an evaluated one before a nearer one that was not": (
        (("2020-01-31", "NE"), ("2020-02-10", "SD"), ("2020-04-01", "NE")), "",
        (("SD", "2020-02-10", True), ("NE", "", False), ("", "", False), ("", "", False)),
    ),
    "progression before the month, later scans notwithstanding": (
        (FIRST, ("2020-03-01", "PD"), ("2020-04-01", "SD"), ("2020-07-02", "PR")), "",
        (("SD", "2020-01-31", True), ("PD", "2020-03-01", False), ("PD", "2020-03-01", False), ("PD", "2020-03-01", False)),
    ),
    "progression after the month, in its window, and the nearest": (
        (FIRST, ("2020-03-20", "SD"), ("2020-04-05", "PD")), "",
        (("SD", "2020-01-31", True), ("PD", "2020-04-05", False), ("PD", "2020-04-05", False), ("PD", "2020-04-05", False)),
    ),
    "progression after the month, in its window, and not the nearest": (
        (FIRST, ("2020-03-30", "SD"), ("2020-04-05", "PD")), "",
        (("SD", "2020-01-31", True), ("SD", "2020-03-30", True), ("PD", "2020-04-05", False), ("PD", "2020-04-05", False)),
    ),
    # Dead on 30 March: no response on 1 April, although there was one in the window. Dead is not missing.
    "death before the month": (
        (FIRST, ("2020-03-25", "PR")), "2020-03-30",
        (("SD", "2020-01-31", True), ("", "2020-03-30", False), ("", "2020-03-30", False), ("", "2020-03-30", False)),
    ),
    "death after the month, in its window": (
        (FIRST, ("2020-03-25", "PR")), "2020-04-02",
        (("SD", "2020-01-31", True), ("PR", "2020-03-25", True), ("", "2020-04-02", False), ("", "2020-04-02", False)),
    ),
    "never assessed": ((), "", (("", "", False),) * 4),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("denominator", ["population", "assessed", "evaluated"])
def test_responses_at_months(denominator: str, name: str, tmp_path: Path) -> None:
    """Nobody seen in the window is a failure, or not counted; progressed and dead are failures in every denominator."""
    pairs, death, expected = CASES[name]
    asked = proportion('["CR", "PR", "SD"]', f'{WINDOW}\ndenominator = "{denominator}"')
    overall = visits(*pairs) if pairs else "subject,date,overall,baseline_date\nS1,,,2019-12-20\n"
    subjects = f"subject,arm,randomisation,death\nS1,A,2020-01-01,{death}\n"
    made, problems = derived(tmp_path, asked, overall=overall, subjects=subjects)
    assert not problems
    left_out = {"population": (), "assessed": ("",), "evaluated": ("", "NE")}[denominator]
    missing = [value in left_out and not day for value, day, _ in expected]
    assert [(one.value, str(one.date or "")) for one in made.outcomes] == [(value, day) for value, day, _ in expected]
    assert [one.success for one in made.outcomes] == [
        None if out else success for out, (_, _, success) in zip(missing, expected, strict=True)
    ]


@pytest.mark.parametrize(("denominator", "success"), [("population", False), ("assessed", None), ("evaluated", None)])
def test_who_was_never_treated_is_missing(denominator: str, success: bool | None, tmp_path: Path) -> None:
    """Without a day 1 there is no month, and no resection that counts: intention to treat makes it a failure of both."""
    asked = proportion(more=f'{WINDOW}\ndenominator = "{denominator}"') + proportion(
        '["resection"]', f'denominator = "{denominator}"', name="RES"
    )
    overall = "subject,date,overall,baseline_date\nS1,,,2019-12-20\n"
    subjects = "subject,arm,randomisation\nS1,A,\n"
    made, problems = derived(tmp_path, asked, overall=overall, subjects=subjects, procedures="subject,date,procedure\n")
    assert not problems
    assert [one.success for one in made.outcomes] == [success] * 5


def test_the_regions_of_cao_2022_through_the_command(tmp_path: Path) -> None:
    """BMC Gastroenterology 2022;22:328, table 1. Intrahepatic: PR 20, SD 20, missing 17, "ORR (20/40) 50.0", DCR 100. Extrahepatic: PR 4,
    SD 7, PD 7, other 12, missing 27, "ORR (4/30) 13.3", "DCR (11/30) 36.7". "Other" is counted, so it was assessed: NE. Missing
    is a subject without a row, or a row without date and response.
    """
    groups = {
        "intrahepatic": ((20, "PR"), (20, "SD"), (17, "")),
        "extrahepatic": ((4, "PR"), (7, "SD"), (7, "PD"), (12, "NE"), (27, "")),
    }
    lines = ["subject,date,overall,baseline_date,region"]
    for region, counts in groups.items():
        responses = [response for count, response in counts for _ in range(count)]
        assert len(responses) == 57
        for number, response in enumerate(responses):
            if response:
                lines.append(f"S{number},2020-04-01,{response},2019-12-20,{region}")
            elif number % 2:
                lines.append(f"S{number},,,2019-12-20,{region}")
    asked = '[regions]\nintrahepatic = ["liver"]\n'
    for region in groups:
        more = f'region = "{region}"\ndenominator = "assessed"'
        asked += proportion(more=more, name=f"{region} ORR") + proportion(
            '["CR", "PR", "SD"]', more, name=f"{region} DCR"
        )
    subjects = "subject,arm,randomisation\n" + "".join(f"S{number},A,2020-01-01\n" for number in range(57))
    out = run(tmp_path, asked, overall="\n".join(lines) + "\n", subjects=subjects)
    printed = {
        row["endpoint"]: (f"{100 * float(row['value']):.1f}", row["events"], row["n"])
        for row in rows(out / "estimates.csv")
        if row["method"] == "clopper-pearson"
    }
    assert printed == {
        "intrahepatic ORR": ("50.0", "20", "40"),
        "intrahepatic DCR": ("100.0", "40", "40"),
        "extrahepatic ORR": ("13.3", "4", "30"),
        "extrahepatic DCR": ("36.7", "11", "30"),
    }
