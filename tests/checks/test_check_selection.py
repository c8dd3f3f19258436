"""Choice of targets at the limits of Eisenhauer 2009 (3.1.1, 3.1.2, 3.2) and of Lencioni & Llovet 2010."""

from __future__ import annotations

from typing import Any

import pytest
from check_rows import findings, names, node, row, target

from mrecist.checks.finding import Finding
from mrecist.model import Basis, LocalTherapy, Measurement, Pattern, State, YesNo


def of(check: str, found: tuple[Finding, ...]) -> list[tuple[str, ...]]:
    """The lesions that a check names."""
    return [finding.lesion for finding in found if finding.check == check]


@pytest.mark.parametrize(
    ("given", "fires"),
    [
        ({"longest_mm": "9.9"}, True),
        ({"longest_mm": "10.0"}, False),
        ({"longest_mm": "10.0", "slice_thickness_mm": "5.0"}, False),
        ({"longest_mm": "10.0", "slice_thickness_mm": "5.1"}, True),
        ({"longest_mm": "10.1", "slice_thickness_mm": "5.1"}, True),
        ({"longest_mm": "10.2", "slice_thickness_mm": "5.1"}, False),
        ({"longest_mm": "15.9", "slice_thickness_mm": "8"}, True),
        ({"longest_mm": "16", "slice_thickness_mm": "8"}, False),
        ({"longest_mm": "19.9", "modality": "DX"}, True),
        ({"longest_mm": "20", "modality": "DX"}, False),
        ({"longest_mm": "9.9", "modality": "caliper"}, True),
        ({"longest_mm": "10", "modality": "caliper"}, False),
        ({"longest_mm": "50", "modality": "US"}, True),
        ({"longest_mm": "12", "state": State.TOO_SMALL}, True),
        ({"state": State.NOT_EVALUABLE}, True),
    ],
)
def test_measurable_by_recist(given: dict[str, Any], fires: bool) -> None:
    found = findings(target(**{"viable_mm": None, **given}), criterion="recist11")
    assert bool(of("not_measurable", found)) is fires


@pytest.mark.parametrize(("short", "fires"), [("14.9", True), ("15.0", False), ("9.9", True)])
def test_measurable_node(short: str, fires: bool) -> None:
    assert bool(of("not_measurable", findings(node(short=short), criterion="recist11"))) is fires


@pytest.mark.parametrize(
    ("criterion", "given", "fires"),
    [
        ("mrecist", {"viable_mm": "9.9"}, True),
        ("mrecist", {"viable_mm": "10.0"}, False),
        ("mrecist", {"viable_mm": "9.9", "basis": Basis.OVERALL}, False),
        ("recist11", {"viable_mm": "9.9"}, False),
        ("easl", {"viable_mm": "9.9", "viable_short_mm": "9"}, True),
        ("qeasl", {"viable_mm": "10", "viable_volume_mm3": "500"}, False),
    ],
)
def test_the_viable_part_is_measurable(criterion: str, given: dict[str, Any], fires: bool) -> None:
    assert bool(of("not_measurable", findings(target(**given), criterion=criterion))) is fires


def test_the_words_say_numbers_and_reason() -> None:
    (found,) = findings(node(short="12"), criterion="recist11")
    assert found.what == "T09: target, short_mm 12 is below 15 mm (a node, pathological but non-target)"
    assert (found.timepoint, found.criterion, found.severity) == (0, ("recist11",), "error")


def targets(organs: list[str]) -> list[Measurement]:
    return [target(f"T{n:02}", organ=organ) for n, organ in enumerate(organs, 1)]


@pytest.mark.parametrize(
    ("organs", "expected"),
    [
        (["liver", "liver"], []),
        (["liver", "Liver", "liver, segment 4"], ["too_many_targets_per_organ"]),
        (["left lung", "right lung"], []),
        (["left lung", "right lung", "lungs"], ["too_many_targets_per_organ"]),
        (["left kidney", "right kidney", "kidney"], ["too_many_targets_per_organ"]),
        (["left adrenal gland", "right adrenal", "adrenals"], ["too_many_targets_per_organ"]),
        (["left ovary", "right ovary", "ovaries"], ["too_many_targets_per_organ"]),
        (["liver", "liver", "lung", "lung", "spleen"], []),
        (["liver", "liver", "lung", "lung", "spleen", "kidney"], ["too_many_targets"]),
    ],
)
def test_how_many_targets(organs: list[str], expected: list[str]) -> None:
    assert names(*targets(organs)) == expected


def test_nodes_of_all_stations_are_one_organ() -> None:
    nodes = [node(f"T{n}", organ="lymph node", station=place) for n, place in enumerate(("axilla", "neck", "groin"))]
    assert names(*nodes[:2]) == []
    assert names(*nodes) == ["too_many_targets_per_organ"]


def test_one_finding_for_both_criteria() -> None:
    (found,) = findings(*targets(["liver"] * 3))
    assert found.criterion == ("recist11", "mrecist")
    assert found.what == "3 targets in liver, at most 2: T01, T02, T03"


def sized(longest: str) -> dict[str, str]:
    return {"longest_mm": longest, "viable_mm": longest}


@pytest.mark.parametrize(
    ("non_target", "expected"),
    [
        (row("NT01", organ="lung", **sized("10.0")), ["room_for_target"]),
        (row("NT01", organ="lung", **sized("9.9")), []),
        (row("NT01", organ="lung"), []),
        (row("NT01", organ="liver", **sized("25")), ["larger_not_chosen"]),
        (row("NT01", organ="liver", **sized("20")), []),
        (row("NT01", organ="liver", **sized("25"), comment="PVT"), []),
        (row("NT01", organ="bone", **sized("25")), []),
        (row("NT01", organ="", **sized("25")), []),
        (row("NT01", organ="lung", **sized("25"), local_therapy=LocalTherapy.RADIATION, basis=Basis.OVERALL), []),
        (node("NT01", short="15.0"), ["room_for_target"]),
        (node("NT01", short="14.9"), []),
    ],
)
def test_a_measurable_non_target(non_target: Measurement, expected: list[str]) -> None:
    rows = (target("T01", longest="40"), target("T02", longest="20"), non_target)
    assert names(*rows, criterion="recist11") == expected
    # By mRECIST the viable diameter is compared, which is the same here.
    assert names(*rows, criterion="mrecist") == expected


def test_room_is_filled_up_once() -> None:
    """One target in the liver leaves room for one of the two non-targets there: the larger."""
    rows = (target("T01", longest="40"), row("NT01", **sized("20")), row("NT02", **sized("30")))
    assert of("room_for_target", findings(*rows, criterion="recist11")) == [("NT02",)]


def test_no_room_beside_five_targets() -> None:
    """One of them would have to give way, and only to a larger lesion; the smallest is named."""
    five = targets(["liver", "liver", "lung", "lung", "spleen"])
    small, large = row("NT01", organ="kidney", **sized("30")), row("NT01", organ="kidney", **sized("31"))
    assert names(*five, small, criterion="recist11") == []
    (found,) = findings(*five[:4], target("T05", longest="20", organ="spleen"), large, criterion="recist11")
    assert found.check == "larger_not_chosen"
    assert found.what == "NT01: non-target with longest_mm 31, larger than target T05 with 20"


def test_how_much_room_there_was() -> None:
    rows = (target("T01"), target("T02", organ="lung"), row("NT01", **sized("20")))
    (found,) = findings(*rows, criterion="recist11")
    assert found.what == ("NT01: non-target with longest_mm 20, measurable; 2 targets chosen of 5, 1 of 2 in liver")


def test_a_full_organ_gives_way_in_that_organ_only() -> None:
    """A third lung lesion may take the place of a lung target; the smaller liver targets are none of its business."""
    chosen = [*targets(["liver", "liver"]), *(target(f"T1{n}", longest="50", organ="lung") for n in (1, 2))]
    assert names(*chosen, row("NT01", organ="lung", **sized("40")), criterion="recist11") == []


def test_lipiodol_that_counts_as_viable_is_measured_whole() -> None:
    one = target(viable_mm="9", lipiodol=YesNo.YES, modality="MR")
    rules = {"mrecist": {"lipiodol_is_viable": True}}
    assert names(one, criterion="mrecist", criteria=rules) == []
    assert names(one, criterion="mrecist") == ["not_measurable"]
    assert names(target(viable_mm="9"), criterion="mrecist", criteria=rules) == ["not_measurable"]


@pytest.mark.parametrize(
    ("criterion", "given", "fires"),
    [
        ("recist11", {}, True),
        ("recist11", {"progressed_since": YesNo.NO}, True),
        ("recist11", {"progressed_since": YesNo.YES}, False),
        ("mrecist", {"viable_mm": "10"}, False),
        ("mrecist", {"viable_mm": "9.9"}, True),
    ],
)
def test_a_treated_target(criterion: str, given: dict[str, Any], fires: bool) -> None:
    one = target(local_therapy=LocalTherapy.ABLATION, **given)
    assert bool(of("treated_target", findings(one, criterion=criterion))) is fires


@pytest.mark.parametrize(("short", "fires"), [("19.9", True), ("20", False)])
def test_a_node_at_the_porta_hepatis(short: str, fires: bool) -> None:
    found = findings(target(), node(short=short, station="porta hepatis"))
    assert [f.criterion for f in found] == ([("mrecist",)] if fires else [])
    assert of("target_not_of_criterion", found) == ([("T09",)] if fires else [])


def test_a_target_without_enhancement() -> None:
    found = findings(target("T01"), target("T02", viable_mm="0"))
    assert [(f.check, f.lesion, f.criterion) for f in found] == [("target_not_of_criterion", ("T02",), ("mrecist",))]
    assert names(target("T02", viable_mm="0"), criterion="mrecist") == ["no_target", "target_not_of_criterion"]


def test_a_read_without_target() -> None:
    assert names(row("NT01")) == ["no_target"]
    assert names(target(), row("NT01")) == []


@pytest.mark.parametrize(
    ("organ", "pattern", "fires"),
    [("liver", None, True), ("liver", Pattern.ATYPICAL, False), ("lung", None, False), ("", None, True)],
)
def test_a_new_nodule_has_its_pattern(organ: str, pattern: Pattern | None, fires: bool) -> None:
    new = row("NEW01", 1, organ=organ, pattern=pattern, longest_mm="12")
    found = findings(target(), target(timepoint=1), new)
    assert [(f.check, f.criterion) for f in found] == ([("new_without_pattern", ("mrecist",))] if fires else [])


def test_metastases_have_no_pattern_of_hcc() -> None:
    """The pattern of a new nodule (Lencioni and Llovet 2010) is that of HCC; of metastases nothing is asked."""
    new = row("NEW01", 1, longest_mm="12")
    like = {"mrecist": {"enhancement_based_non_hcc": True}}
    for disease, criteria, fires in (("HCC", {"mrecist": {}}, True), ("colorectal liver metastases", like, False)):
        found = findings(target(), target(timepoint=1), new, study={"disease": disease}, criteria=criteria)
        assert ("new_without_pattern" in [one.check for one in found]) is fires


@pytest.mark.parametrize(("short", "fires"), [("9.9", True), ("10", True), ("14.9", True), ("15", False)])
def test_a_small_new_node(short: str, fires: bool) -> None:
    rows = [target("T01", t) for t in (0, 1, 2)] + [node("NEW01", t, short) for t in (1, 2)]
    found = [f for f in findings(*rows) if f.check == "new_small_node"]
    assert [(f.timepoint, f.criterion) for f in found] == ([(1, ("recist11", "mrecist"))] if fires else [])
