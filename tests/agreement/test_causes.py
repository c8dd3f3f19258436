"""The cause of a difference: tables in which one thing differs, which is what has to be named."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from two_readers import Line, agree, line, read, write

from mrecist.agreement.matching import target_sets
from mrecist.agreement.reads import Place, Track
from mrecist.cli import main
from mrecist.model import Measurement, Role, State

BOTH_50 = (line("A", 0, 50), line("B", 0, 50))
NON_TARGET = {"lesion": "NT01", "role": "non-target"}

# What differs -> rows, the criterion, the variable, the two values, explained_by.
CASES: dict[str, tuple[tuple[Line, ...], str, tuple[str, str], str]] = {
    # -32 % and -28 % of 50 mm
    "boundary": ((*BOTH_50, line("A", 1, 34), line("B", 1, 36)), "recist11", ("PR", "SD"), "follow_up"),
    # -28 % of 50 mm and -34.5 % of 55 mm, B's baseline is another day's
    "baseline_scan": (
        (line("A", 0, 50), line("B", 0, 55, date="2009-12-20"), line("A", 1, 36), line("B", 1, 36)),
        "recist11",
        ("SD", "PR"),
        "baseline",
    ),
    # 70 to 50 mm is -28.6 %, of the common lesion alone -40 %
    "target_set": (
        (
            *(*BOTH_50, line("A", 1, 30), line("B", 1, 30)),
            *(line("A", 0, 20, lesion="T02", organ="lung"), line("A", 1, 20, lesion="T02", organ="lung")),
        ),
        "recist11",
        ("SD", "PR"),
        "follow_up",  # 50 to 50 mm is SD, 70 to 30 mm is PR; so the sums are explained by the follow-up
    ),
    # both saw 50 mm, B that 20 mm of it are viable
    "whole_or_viable": (
        (
            *(line("A", 0, 50, viable=50), line("B", 0, 50, viable=50)),
            *(line("A", 1, 50, viable=50), line("B", 1, 50, viable=20)),
        ),
        "mrecist",
        ("SD", "PR"),
        "follow_up",
    ),
    "new_lesion": (
        (
            *(*BOTH_50, line("A", 1, 50), line("B", 1, 50)),
            line("B", 1, 15, lesion="NEW01", role="new", state="unequivocal"),
        ),
        "recist11",
        ("SD", "PD"),
        "",
    ),
    "non_target": (
        (
            *(*BOTH_50, line("A", 1, 50), line("B", 1, 50)),
            *(line("A", 0, state="present", **NON_TARGET), line("B", 0, state="present", **NON_TARGET)),
            *(line("A", 1, state="present", **NON_TARGET), line("B", 1, state="progressed", **NON_TARGET)),
        ),
        "recist11",
        ("SD", "PD"),
        "",
    ),
    "not_evaluable": (
        (*BOTH_50, line("A", 1, 50), line("B", 1, state="not-evaluable")),
        "recist11",
        ("SD", "NE"),
        "follow_up",
    ),
}


@pytest.mark.parametrize("cause", CASES)
def test_one_thing_differs(cause: str, tmp_path: Path) -> None:
    lines, criterion, values, explained_by = CASES[cause]
    out = agree(tmp_path, lines, "--criterion", criterion)
    (row,) = [r for r in read(out / "discordances.csv") if r["variable"] == "visit_response"]
    assert (row["value_1"], row["value_2"], row["cause"], row["explained_by"]) == (*values, cause, explained_by)
    assert row["decides"] == "yes"
    assert row["reason_1"].startswith(f"{values[0]}: ")
    assert row["reason_2"].startswith(f"{values[1]}: ")
    best = [r for r in read(out / "discordances.csv") if r["variable"] == "best_response"]
    assert [(r["cause"], r["timepoint"]) for r in best] == [(cause, "1")]


# A's sizes (whole, viable) at the visits after 50 mm, all viable; B's; the cause at the first visit, and what else is said.
RIMS: dict[str, tuple[list[tuple[float, float]], list[tuple[float, float]], str, str]] = {
    # A takes the whole at both visits, of which B has less than half
    "followed": ([(50, 50), (50, 50)], [(50, 20), (50, 20)], "whole_or_viable", "boundary"),
    # the same, of a part that one may draw too large
    "perhaps": ([(50, 50), (50, 50)], [(50, 30), (50, 30)], "boundary", "whole_or_viable?"),
    # A has a part at the second visit, so it was not the whole lesion that A followed
    "one visit": ([(50, 50), (50, 30)], [(50, 20), (50, 20)], "boundary", ""),
    # the lesion itself grew with the part, which was drawn beyond the rim: 20 % by A, not by B
    "beyond": ([(60, 60), (60, 60)], [(50, 20), (50, 20)], "boundary", ""),
    # nothing is left at the second visit, which says nothing
    "gone": ([(50, 50), (50, 0)], [(50, 20), (50, 0)], "whole_or_viable", "boundary"),
}


@pytest.mark.parametrize("name", RIMS)
def test_the_whole_lesion_or_a_part_drawn_to_the_rim(name: str, tmp_path: Path) -> None:
    mine, theirs, cause, also = RIMS[name]
    lines = [
        line(reader, t, whole, viable=viable)
        for reader, sizes in (("A", mine), ("B", theirs))
        for t, (whole, viable) in enumerate([(50, 50), *sizes])
    ]
    out = agree(tmp_path, lines, "--criterion", "mrecist")
    (row,) = [r for r in read(out / "discordances.csv") if (r["variable"], r["timepoint"]) == ("visit_response", "1")]
    assert (row["cause"], row["also"]) == (cause, also)
    assert ("A 50 mm of 50 mm, B" in row["detail"]) == ("whole_or_viable" in cause + also)


def test_with_the_targets_that_both_chose(tmp_path: Path) -> None:
    """A with the lesion that both chose alone: 50 to 30 mm is PR."""
    lines, criterion, *_ = CASES["target_set"]
    out = agree(tmp_path, lines, "--criterion", criterion)
    found = {
        r["reader"]: (r["recorded"], r["swapped"], r["changes"])
        for r in read(out / "swaps.csv")
        if r["swap"] == "common_targets" and r["variable"] == "visit_response"
    }
    assert found == {"A": ("SD", "PR", "yes"), "B": ("PR", "PR", "no")}
    (detail,) = {r["detail"] for r in read(out / "discordances.csv") if r["variable"] == "visit_response"}
    assert "T02 lung 20.0 mm of A only" in detail


def test_two_findings_differ_and_each_would_do(tmp_path: Path) -> None:
    """B has a new lesion and a progressing non-target: either alone would make A PD, and both are named."""
    lines = (
        *(*BOTH_50, line("A", 1, 50), line("B", 1, 50)),
        *(line(reader, 0, state="present", **NON_TARGET) for reader in "AB"),
        *(line("A", 1, state="present", **NON_TARGET), line("B", 1, state="progressed", **NON_TARGET)),
        line("B", 1, 15, lesion="NEW01", role="new", state="unequivocal"),
    )
    out = agree(tmp_path, lines, "--criterion", "recist11")
    (row,) = [r for r in read(out / "discordances.csv") if r["variable"] == "visit_response"]
    assert (row["cause"], row["also"], row["decides"]) == ("new_lesion", "non_target", "yes")


def test_a_difference_that_does_not_decide_is_not_the_cause(tmp_path: Path) -> None:
    """Non-targets differ (CR and present), but the target of A grows: PD whatever they do."""
    lines = (
        *(*BOTH_50, line("A", 1, 70), line("B", 1, 50)),
        *(line(reader, 0, state="present", **NON_TARGET) for reader in "AB"),
        *(line("A", 1, state="absent", **NON_TARGET), line("B", 1, state="present", **NON_TARGET)),
    )
    out = agree(tmp_path, lines, "--criterion", "recist11")
    (row,) = [r for r in read(out / "discordances.csv") if r["variable"] == "visit_response"]
    assert (row["value_1"], row["value_2"]) == ("PD", "SD")
    assert (row["cause"], row["also"], row["decides"]) == ("boundary", "non_target", "yes")


def test_differences_without_a_visit_that_differs(tmp_path: Path) -> None:
    """S1: both PD at the same visit, dated by other days. S2: both SD, B's 19 days after baseline. S3: B has a visit more."""
    lines = (
        *(line(r, 0, 50, subject=s) for s in ("S1", "S2", "S3") for r in "AB"),
        *(line("A", 1, 70), line("B", 1, 70, date="2010-03-08")),
        *(line("A", 1, 50, subject="S2"), line("B", 1, 50, subject="S2", date="2010-01-20")),
        *(line(r, 1, 50, subject="S3") for r in "AB"),
        line("B", 2, 70, subject="S3"),
    )
    rows = read(agree(tmp_path, lines, "--criterion", "recist11") / "discordances.csv")
    found = {(r["subject"], r["variable"]): (r["value_1"], r["value_2"], r["cause"]) for r in rows}
    assert found == {
        ("S1", "progression_date"): ("2010-03-01", "2010-03-08", "date"),
        ("S2", "best_response"): ("SD", "NE", "confirmation"),
        ("S3", "progression"): ("no", "yes", "missing_visit"),
        ("S3", "progression_date"): ("", "2010-05-01", "missing_visit"),
    }
    kept = read(agree(tmp_path, lines, "--criterion", "recist11", "--date-tolerance", "7") / "discordances.csv")
    assert ("S1", "progression_date") not in {(r["subject"], r["variable"]) for r in kept}


def test_the_same_findings_after_another_visit(tmp_path: Path) -> None:
    """iRECIST: the growth at the second visit confirms A's progression of the first, and is B's first one."""
    grown = (*BOTH_50, line("A", 1, 61), line("B", 1, 50), line("A", 2, 70), line("B", 2, 70))
    rows = read(agree(tmp_path, grown, "--criterion", "irecist") / "discordances.csv")
    found = {
        r["timepoint"]: (r["value_1"], r["value_2"], r["cause"], r["decides"])
        for r in rows
        if r["variable"] == "visit_response"
    }
    assert found == {"1": ("iUPD", "iSD", "boundary", ""), "2": ("iCPD", "iUPD", "earlier_visit", "")}


def test_lesions_of_a_scored_study_are_matched_by_place(tmp_path: Path) -> None:
    """The same names, organ and sizes; with measurements.json of score the lesions lie 90 mm apart."""
    lines = (*BOTH_50, line("A", 1, 34), line("B", 1, 36))
    table = write(tmp_path / "rows.csv", lines)
    results = tmp_path / "results"
    assert main(["assess", str(table), "--criterion", "recist11", "--out", str(results)]) == 0
    drawings = [
        {
            "subject": "S1",
            "reader": r,
            "timepoint": 0,
            "lesion": "T01",
            "series_uid": "1.2",
            "longest": {"ends_lps": ends},
        }
        for r, ends in (("A", [[0, 0, 0], [50, 0, 0]]), ("B", [[90, 0, 0], [140, 0, 0]]))
    ]
    for content, cause in ((None, "boundary"), (drawings, "target_set")):
        if content is not None:
            (results / "measurements.json").write_text(json.dumps(content), encoding="utf-8")
        assert main(["agree", str(results), "--resamples", "0", "--out", str(tmp_path / "out")]) == 0
        rows = read(tmp_path / "out" / "discordances.csv")
        assert {r["cause"] for r in rows if r["variable"] == "visit_response"} == {cause}


def test_a_read_that_its_sum_does_not_explain_is_not_swapped(tmp_path: Path) -> None:
    """A's target is not evaluable at baseline: there is no sum to swap, and the reason is told."""
    lines = (line("A", 0, state="not-evaluable"), line("B", 0, 50), line("A", 1, 50), line("B", 1, 50))
    rows = read(agree(tmp_path, lines, "--criterion", "recist11") / "swaps.csv")
    assert {r["swapped"] for r in rows} == {""}
    assert {r["detail"] for r in rows} == {"A: it has no complete baseline sum"}


def test_shared_names_are_taken_at_their_word(tmp_path: Path) -> None:
    """T01 has 50 mm by A and 20 mm by B: two lesions, unless names are said to be shared."""
    lines = (line("A", 0, 50), line("B", 0, 20), line("A", 1, 30), line("B", 1, 20))
    for options, cause in (((), "target_set"), (("--shared-names",), "boundary")):
        rows = read(agree(tmp_path, lines, "--criterion", "recist11", *options) / "discordances.csv")
        assert {r["cause"] for r in rows if r["variable"] == "visit_response"} == {cause}


# --- which target is which -------------------------------------------------------------------------------------------


def row(reader: str, lesion: str, longest: str, organ: str = "liver") -> Measurement:
    return Measurement(
        subject="S1",
        timepoint=0,
        date=None,
        reader=reader,
        lesion=lesion,
        role=Role.TARGET,
        organ=organ,
        state=State.MEASURED,
        longest_mm=Decimal(longest),
    )


def track(*rows: Measurement) -> Track:
    return Track(visits={}, best=None, rows=rows)


def pairs(one: Track, other: Track) -> set[tuple[str, str]]:
    return {(m.one.lesion, m.other.lesion) for m in target_sets(one, other).both}


def test_names_are_each_reader_s_own() -> None:
    """T01 and T02 are called the other way round."""
    one = track(row("A", "T01", "50"), row("A", "T02", "20"))
    other = track(row("B", "T01", "21"), row("B", "T02", "52"))
    assert pairs(one, other) == {("T01", "T02"), ("T02", "T01")}


def test_a_name_speaks_only_where_sizes_fit_alike() -> None:
    """A's T01 of 50 mm: B's T01 has 30 mm and its T02 52 mm; then both of B's fit, and the name decides."""
    one = track(row("A", "T01", "50"))
    assert pairs(one, track(row("B", "T01", "30"), row("B", "T02", "52"))) == {("T01", "T02")}
    assert pairs(one, track(row("B", "T01", "45"), row("B", "T02", "50"))) == {("T01", "T01")}


def test_another_organ_or_size_is_another_lesion() -> None:
    one = track(row("A", "T01", "50"), row("A", "T02", "20"))
    other = track(row("B", "T01", "50", organ="lung"), row("B", "T03", "30"))
    found = target_sets(one, other)
    assert not found.both
    assert len(found.only_one) == len(found.only_other) == 2


def test_places_come_before_names_and_sizes() -> None:
    """Both called T01 and 30 mm, but 80 mm apart in one series; B's T02 lies where A's T01 does."""
    one = track(row("A", "T01", "30"))
    other = track(row("B", "T01", "30"), row("B", "T02", "22"))
    series = "1.2.3"
    one = replace(one, places={(0, "T01"): Place(middle_lps=(0, 0, 0), series_uid=series)})
    places = {"T01": (80.0, 0.0, 0.0), "T02": (3.0, 4.0, 0.0)}
    other = replace(other, places={(0, n): Place(middle_lps=p, series_uid=series) for n, p in places.items()})
    found = target_sets(one, other)
    assert pairs(one, other) == {("T01", "T02")}
    assert found.both[0].by == "5.0 mm apart"
