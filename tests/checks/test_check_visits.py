"""Checks of visits: completeness, technique, plausibility and dates, at their boundaries (docs/check.md)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from check_rows import START, findings, names, node, row, target

from mrecist.checks.schedule import due_days
from mrecist.model import LocalTherapy, Measurement, State
from mrecist.protocol import EveryWeeks, Schedule


def of(check: str, *rows: Measurement, **given: Any) -> list[tuple[int | None, tuple[str, ...]]]:
    return [(f.timepoint, f.lesion) for f in findings(*rows, **given) if f.check == check]


def day(after: int) -> date:
    return START + timedelta(days=after)


# --- completeness ----------------------------------------------------------------------------------------------------


def test_rows_that_are_missing() -> None:
    rows = [
        target("T01"),
        target("T02"),
        row("NT01"),
        target("T01", 1),
        row("NEW01", 1, organ="lung"),
        target("T01", 2),
    ]
    assert of("target_without_row", *rows) == [(1, ("T02",)), (2, ("T02",))]
    assert of("non_target_without_row", *rows) == [(1, ("NT01",)), (2, ("NT01",))]
    assert of("new_lesion_without_row", *rows) == [(2, ("NEW01",))]


def test_fragments_and_treated_targets_need_no_row() -> None:
    parts = [target(p, 1, "15", part_of="T01") for p in ("T01a", "T01b")]
    assert names(target("T01"), *parts) == []
    resected = target("T02", 1, local_therapy=LocalTherapy.RESECTION)
    rows = [target("T01"), target("T02"), target("T01", 1), resected, target("T01", 2)]
    assert names(*rows) == []
    # Its size at the visit that records the treatment is not asked for either, but its row before that is.
    unmeasured = replace(resected, longest_mm=None, viable_mm=None)
    assert names(*rows[:3], unmeasured, rows[4]) == []
    later = replace(resected, timepoint=2, date=rows[4].date)
    assert of("target_without_row", *rows[:3], later, rows[4]) == [(1, ("T02",))]


@pytest.mark.parametrize(
    ("criterion", "has", "lacks"),
    [
        ("recist11", "longest_mm", "without longest_mm"),
        ("mrecist", "viable_mm", "without viable_mm"),
        ("vrecist", "volume_mm3", "without volume_mm3"),
        ("qeasl", "viable_volume_mm3", "without viable_volume_mm3"),
        ("choi", "mean_hu", "without mean_hu"),
    ],
)
def test_a_missing_quantity(criterion: str, has: str, lacks: str) -> None:
    all_of_it = {"longest_mm": "30", "viable_mm": "30", "volume_mm3": "9", "viable_volume_mm3": "9", "mean_hu": "60"}
    whole = {"phase": "PORTAL VENOUS"} if criterion == "choi" else {}
    rows = [target("T01", t, **{**all_of_it, **whole}) for t in (0, 1)]
    assert names(*rows, criterion=criterion) == []
    follow_up = target("T01", 1, **{**all_of_it, **whole, has: None})
    (found,) = findings(rows[0], follow_up, criterion=criterion)
    assert (found.check, found.timepoint, found.lesion) == ("quantity_missing", 1, ("T01",))
    assert found.what == f"T01: measured {lacks}"


def test_a_quantity_that_nobody_measured_is_said_once() -> None:
    rows = [target(lesion, t, organ=lesion) for t in (0, 1) for lesion in ("T01", "T02")]
    (found,) = findings(*rows, criterion="vrecist")
    assert (found.timepoint, found.lesion) == (None, ("T01", "T02"))
    assert found.what == "T01, T02: all 4 rows measured without volume_mm3"


def test_what_was_not_recorded_of_the_images() -> None:
    rows = [target(), target(timepoint=1, phase="", slice_thickness_mm=None)]
    (found,) = findings(*rows)
    assert found.check == "acquisition_not_recorded"
    assert found.what == "not recorded: phase in 1, slice_thickness_mm in 1 of 2 rows with a size"
    # Where nothing was measured, nothing has to be said of the images.
    assert names(target(), row("T01", 1, state=State.ABSENT, phase="", modality="", slice_thickness_mm=None)) == []


def test_a_time_point_that_is_skipped() -> None:
    assert of("timepoint_skipped", target(), target(timepoint=2)) == [(2, ())]
    assert names(target(), target(timepoint=1)) == []


# --- technique -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "column", "first", "second", "fires"),
    [
        ("changed_modality", "modality", "CT", "MR", True),
        ("changed_modality", "modality", "MR", "MRI", False),
        ("changed_modality", "modality", "CT", "", False),
        ("changed_phase", "phase", "ARTERIAL", "PORTAL VENOUS", True),
        ("changed_phase", "phase", "late arterial", "HAP", False),
        ("changed_phase", "phase", "ARTERIAL", "UNKNOWN", False),
        ("changed_slice_thickness", "slice_thickness_mm", "2.5", "3.5", False),
        ("changed_slice_thickness", "slice_thickness_mm", "2.5", "3.6", True),
        ("changed_slice_thickness", "slice_thickness_mm", "5", "2.5", True),
    ],
)
def test_a_change_of_technique(check: str, column: str, first: str, second: str, fires: bool) -> None:
    """Said once, for all lesions of the visit, and not again while it stays so."""
    rows = [target(lesion, t, **{column: first if t == 0 else second}) for t in (0, 1, 2) for lesion in ("T01", "T02")]
    assert of(check, *rows) == ([(1, ("T01", "T02"))] if fires else [])


def test_back_to_the_technique_of_baseline_is_no_change() -> None:
    rows = [target("T01", t, modality=m) for t, m in enumerate(("CT", "MR", "CT"))]
    assert of("changed_modality", *rows) == [(1, ("T01",))]


@pytest.mark.parametrize(("thickness", "fires"), [("5.0", False), ("5.1", True)])
def test_thick_slices(thickness: str, fires: bool) -> None:
    assert of("thick_slices", target(slice_thickness_mm=thickness)) == ([(0, ("T01",))] if fires else [])


@pytest.mark.parametrize(
    ("phase", "allowed", "fires"),
    [
        ("PORTAL VENOUS", ["arterial"], True),
        ("UNKNOWN", ["arterial"], True),
        ("late arterial", ["arterial"], False),
        ("", ["arterial"], False),
        ("PORTAL VENOUS", ["arterial", "portal venous"], False),
    ],
)
def test_a_viable_size_is_arterial(phase: str, allowed: list[str], fires: bool) -> None:
    rules = {"mrecist": {"viable_phases": allowed}}
    found = of("viable_not_arterial", target(phase=phase), criterion="mrecist", criteria=rules)
    assert found == ([(0, ("T01",))] if fires else [])
    # The whole diameter may be read on any phase.
    assert of("viable_not_arterial", target(phase=phase), criterion="recist11") == []


@pytest.mark.parametrize(
    ("given", "fires"),
    [
        ({"phase": "ARTERIAL"}, True),
        ({"phase": "PVP"}, False),
        ({"phase": "PVP", "modality": "MR"}, True),
        ({"phase": "ARTERIAL", "mean_hu": None}, False),
    ],
)
def test_density_is_of_portal_ct(given: dict[str, Any], fires: bool) -> None:
    found = of("density_not_portal", target(**{"mean_hu": "60", **given}), criterion="choi")
    assert found == ([(0, ("T01",))] if fires else [])


# --- plausibility ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "other", "days", "fires"),
    [
        ("46", "30", 70, True),
        ("45", "30", 70, False),
        ("46", "30", 71, False),
        ("46", "36", 70, False),
        ("46", "35", 70, True),
        ("46", "24", 70, False),
        ("14", "30", 70, True),
        ("15", "30", 70, False),
    ],
)
def test_a_jump_against_the_others(now: str, other: str, days: int, fires: bool) -> None:
    """30 mm to 45 or 15 mm is 50 % exactly; the other target is steady below 20 % (30 to 36 or 24 mm is 20 %)."""
    later = {"date": day(days)}
    rows = [target("T01"), target("T02"), target("T01", 1, now, **later), target("T02", 1, other, **later)]
    assert of("jump", *rows) == ([(1, ("T01",))] if fires else [])


def test_small_changes_single_targets_and_slips_are_no_jump() -> None:
    """6 to 10.9 mm is +82 % and 4.9 mm."""
    nodes = [node("T02", t, s) for t, s in enumerate(("6", "10.9"))]
    assert of("jump", target("T01"), target("T01", 1), *nodes) == []
    assert of("jump", target("T01"), target("T01", 1, "60")) == []
    assert of("jump", target("T01"), target("T02"), target("T01", 1, "300"), target("T02", 1)) == []


def test_a_jump_is_5_mm_at_least() -> None:
    """9 to 4 mm is -55.6 % and 5 mm; 9 to 4.1 mm is -54.4 % and 4.9 mm."""
    for now, fires in (("4", True), ("4.1", False)):
        rows = [target("T01"), target("T01", 1), node("T02", short="9"), node("T02", 1, now)]
        assert bool(of("jump", *rows)) is fires


def test_the_lesion_that_carries_a_merged_mass_does_not_jump() -> None:
    first = [target("T01"), target("T02"), target("T03", organ="lung")]
    merged = row("T02", 1, state=State.MERGED, part_of="T01")
    assert of("jump", *first, target("T01", 1, "60"), merged, target("T03", 1, organ="lung")) == []
    # Another lesion beside the mass is compared as ever.
    fourth = [target("T04", organ="lung"), target("T04", 1, "60", organ="lung"), target("T03", 1, organ="lung")]
    assert of("jump", *first, *fourth, target("T01", 1, "60"), merged) == [(1, ("T04",))]


def test_one_fragment_is_no_split() -> None:
    parts = [target(p, 1, "15", part_of="T01") for p in ("T01a", "T01b")]
    assert of("single_fragment", target("T01"), parts[0]) == [(1, ("T01", "T01a"))]
    assert of("single_fragment", target("T01"), *parts) == []


def test_merged_into_a_lesion_that_is_gone() -> None:
    first = [target("T01"), target("T02")]
    merged = row("T02", 1, state=State.MERGED, part_of="T01")
    gone = row("T01", 1, state=State.ABSENT)
    assert of("merged_into_absent", *first, merged, gone) == [(1, ("T02", "T01"))]
    assert of("merged_into_absent", *first, merged, target("T01", 1, "50")) == []


@pytest.mark.parametrize(("longest", "fires"), [("21", True), ("21.1", False)])
def test_non_targets_alone_progress(longest: str, fires: bool) -> None:
    """30 to 21 mm is PR, 21.1 mm is SD (Eisenhauer 2009, 4.3.1)."""
    rows = [target(), row("NT01"), target(timepoint=1, longest=longest), row("NT01", 1, state=State.PROGRESSED)]
    assert of("non_target_alone_progressed", *rows) == ([(1, ("NT01",))] if fires else [])


# --- dates -----------------------------------------------------------------------------------------------------------

EVERY_8 = {"visits": [{"every_weeks": 8, "until_week": 16}, {"every_weeks": 12}], "window_days": 7}


def test_when_visits_are_due() -> None:
    plan = (EveryWeeks(every_weeks=8, until_week=16), EveryWeeks(every_weeks=12, until_week=None))
    assert due_days(Schedule(visits=plan), 200) == [56, 112, 196, 280]
    assert due_days(Schedule(), 200) == []
    assert due_days(Schedule(visits=plan[:1]), 200) == [56, 112]


@pytest.mark.parametrize(("after", "fires"), [(49, False), (48, True), (63, False), (64, True), (56, False)])
def test_the_window_of_a_visit(after: int, fires: bool) -> None:
    rows = [target(), target(timepoint=1, date=day(after))]
    assert names(*rows, schedule=EVERY_8) == (["outside_window"] if fires else [])
    assert names(*rows) == []


FIRST_DOSE = {"event": "first_dose"}


@pytest.mark.parametrize(("after", "fires"), [(58, True), (59, False), (73, False), (74, True)])
def test_visits_are_counted_from_the_origin(after: int, fires: bool) -> None:
    """The first dose is day 10, so week 8 is day 66."""
    rows = [target(), target(timepoint=1, date=day(after))]
    found = names(*rows, schedule=EVERY_8, origin=FIRST_DOSE, start=day(10))
    assert found == (["outside_window"] if fires else [])


def test_the_origin_is_missing() -> None:
    assert names(target(), origin=FIRST_DOSE) == ["origin_missing"]
    assert names(target(), origin={"event": "baseline"}) == []


@pytest.mark.parametrize(
    ("start", "window", "expected"),
    [
        (28, {}, []),
        (29, {}, ["baseline_too_early"]),
        (29, {"baseline_window_days": 42}, []),
        (0, {}, []),
        (-1, {}, ["baseline_after_origin"]),
    ],
)
def test_the_baseline_against_the_origin(start: int, window: dict[str, int], expected: list[str]) -> None:
    """Never more than 4 weeks before treatment (Eisenhauer 2009, 3.2)."""
    assert names(target(), origin={**FIRST_DOSE, **window}, start=day(start)) == expected


def test_a_visit_that_was_missed() -> None:
    rows = [target(), target(timepoint=1, date=day(112))]
    (found,) = findings(*rows, schedule=EVERY_8)
    assert found.check == "missed_visit"
    assert found.what == "no assessment for week 8, day 56 after the baseline of 2024-01-01"


@pytest.mark.parametrize(("apart", "fires"), [(14, False), (15, True)])
def test_scans_of_one_visit(apart: int, fires: bool) -> None:
    rows = [target("T01"), target("T02", date=day(apart))]
    assert of("dates_far_apart", *rows) == ([(0, ())] if fires else [])
