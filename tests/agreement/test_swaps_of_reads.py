"""What the whole read says with something of the other reader: rows of swaps.csv for best response and progression, and their rates."""

from __future__ import annotations

from pathlib import Path

import pytest
from two_readers import Line, agree, line, read

Rows = list[dict[str, str]]


def whole(rows: Rows, swap: str) -> dict[tuple[str, str], tuple[str, str, str]]:
    """(reader, variable) -> recorded, swapped, changes."""
    return {
        (r["reader"], r["variable"]): (r["recorded"], r["swapped"], r["changes"])
        for r in rows
        if r["swap"] == swap and not r["timepoint"]
    }


def test_baseline_and_follow_up_over_all_visits(tmp_path: Path) -> None:
    """A 50, 40, 46 mm and B 70, 40, 46 mm, by the printed rule (30 % down from baseline, 20 % and 5 mm up from the smallest sum).

    A: -20 %, +15 % from 40 mm: SD. B: -43 % is PR. Each becomes the other with the other's baseline; the follow-up changes nothing.
    """
    sizes = {"A": (50, 40, 46), "B": (70, 40, 46)}
    lines = [line(reader, t, size) for reader, all_sizes in sizes.items() for t, size in enumerate(all_sizes)]
    rows = read(agree(tmp_path, lines, "--criterion", "recist11") / "swaps.csv")
    assert whole(rows, "baseline") == {
        ("A", "best_response"): ("SD", "PR", "yes"),
        ("B", "best_response"): ("PR", "SD", "yes"),
        ("A", "progression"): ("no", "no", "no"),
        ("B", "progression"): ("no", "no", "no"),
    }
    assert {changes for *_, changes in whole(rows, "follow_up").values()} == {"no"}
    assert not [r for r in rows if r["swap"] == "other_findings"]


def test_a_later_visit_decides_with_the_other_follow_up(tmp_path: Path) -> None:
    """Both 50 mm at baseline; A 30, 32 mm, B 48, 70 mm: with B's visits A is SD and then progresses (70 is +46 % from 48)."""
    sizes = {"A": (50, 30, 32), "B": (50, 48, 70)}
    lines = [line(reader, t, size) for reader, all_sizes in sizes.items() for t, size in enumerate(all_sizes)]
    out = agree(tmp_path, lines, "--criterion", "recist11")
    assert whole(read(out / "swaps.csv"), "follow_up") == {
        ("A", "best_response"): ("PR", "SD", "yes"),
        ("B", "best_response"): ("SD", "PR", "yes"),
        ("A", "progression"): ("no", "yes", "yes"),
        ("B", "progression"): ("yes", "no", "yes"),
    }
    rates = {
        (r["statistic"], r["variable"]): (r["value"], r["n"])
        for r in read(out / "agreement.csv")
        if r["statistic"].startswith("swap_") and r["variable"] != "visit_response"
    }
    assert rates == {
        ("swap_baseline", "best_response"): ("0", "2"),
        ("swap_baseline", "progression"): ("0", "2"),
        ("swap_follow_up", "best_response"): ("1", "2"),
        ("swap_follow_up", "progression"): ("1", "2"),
    }


def new(reader: str, timepoint: int) -> Line:
    return line(reader, timepoint, lesion="N1", role="new", state="unequivocal")


def test_other_findings_are_the_new_lesions_and_non_targets_of_the_other(tmp_path: Path) -> None:
    """Targets PR by both; B sees a new lesion at the second visit: with B's findings A progresses, with A's B does not."""
    lines = [line(r, t, size) for r in "AB" for t, size in ((0, 50), (1, 30), (2, 30))]
    rows = read(agree(tmp_path, [*lines, new("B", 2)], "--criterion", "recist11") / "swaps.csv")
    found = whole(rows, "other_findings")
    assert found["A", "progression"] == ("no", "yes", "yes")
    assert found["B", "progression"] == ("yes", "no", "yes")
    assert found["A", "best_response"] == ("PR", "PR", "no")
    of_visits = {
        (r["reader"], r["timepoint"]): r["swapped"] for r in rows if r["swap"] == "other_findings" and r["timepoint"]
    }
    assert of_visits == {("A", "1"): "PR", ("A", "2"): "PD", ("B", "1"): "PR", ("B", "2"): "PR"}


@pytest.mark.parametrize(("missing", "why"), [("B", "B has not the same visits"), ("A", "")])
def test_other_findings_say_nothing_of_visits_that_the_other_has_not(missing: str, why: str, tmp_path: Path) -> None:
    """B stops after the first visit: of A's second nothing is known; B's own read is whole with the first visit of A."""
    lines = [line(r, t, size) for r in "AB" for t, size in ((0, 50), (1, 30), (2, 30)) if (r, t) != ("B", 2)]
    rows = read(agree(tmp_path, [*lines, new("A", 2), new("B", 1)], "--criterion", "recist11") / "swaps.csv")
    mine = [r for r in rows if r["swap"] == "other_findings" and r["other"] == missing and not r["timepoint"]]
    assert {r["detail"] for r in mine} == {why}
    assert all((r["swapped"] == "") == bool(why) for r in mine)
