"""Checks of rows and lesions at their boundaries. Limits: Eisenhauer 2009, 3.1.1 and 4.3.2; the rest as docs/check.md says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from check_rows import findings, names, node, row, target

from mrecist.model import Kind, LiradsResponse, LiradsVersion, Measurement, State, YesNo

V2018 = LiradsVersion.V2018


def test_a_sound_read_has_no_finding() -> None:
    assert findings(target(), target(timepoint=1, longest="27"), row("NT01"), row("NT01", 1)) == ()


@pytest.mark.parametrize(
    ("check", "given", "fires"),
    [
        ("viable_above_whole", {"longest_mm": "30", "viable_mm": "30.1"}, True),
        ("viable_above_whole", {"longest_mm": "30", "viable_mm": "30.0"}, False),
        ("viable_above_whole", {"volume_mm3": "100", "viable_volume_mm3": "101"}, True),
        ("viable_above_whole", {"volume_mm3": "100", "viable_volume_mm3": "100"}, False),
        ("viable_above_whole", {"viable_mm": "20", "viable_foci_mm": (Decimal(21), Decimal(5))}, True),
        ("viable_above_whole", {"viable_mm": "20", "viable_foci_mm": (Decimal(20), Decimal(5))}, False),
        ("absurd_size", {"longest_mm": "400.1"}, True),
        ("absurd_size", {"longest_mm": "400"}, False),
        ("below_one_pixel", {"viable_mm": "0.9"}, True),
        ("below_one_pixel", {"viable_mm": "1.0"}, False),
        ("below_one_pixel", {"viable_mm": "0"}, False),
        ("too_small_with_size", {"state": State.TOO_SMALL, "longest_mm": "5.1", "viable_mm": None}, True),
        ("too_small_with_size", {"state": State.TOO_SMALL, "longest_mm": "5.0", "viable_mm": None}, False),
        ("too_small_with_size", {"state": State.TOO_SMALL, "longest_mm": "30", "viable_mm": "4"}, False),
        ("too_small_with_size", {"state": State.MEASURED, "longest_mm": "30", "viable_mm": "6"}, False),
        ("lirads_conflict", {"lirads_tr": LiradsResponse.NONVIABLE, "lirads_version": V2018, "viable_mm": "3"}, True),
        ("lirads_conflict", {"lirads_tr": LiradsResponse.NONVIABLE, "lirads_version": V2018, "viable_mm": "0"}, False),
        ("lirads_conflict", {"lirads_tr": LiradsResponse.VIABLE, "lirads_version": V2018, "viable_mm": "0"}, True),
        ("lirads_conflict", {"lirads_tr": LiradsResponse.VIABLE, "lirads_version": V2018, "viable_mm": "3"}, False),
        ("lirads_conflict", {"lirads_tr": LiradsResponse.EQUIVOCAL, "lirads_version": V2018, "viable_mm": "3"}, False),
        ("lipiodol_on_ct", {"lipiodol": YesNo.YES, "modality": "CT"}, True),
        ("lipiodol_on_ct", {"lipiodol": YesNo.YES, "modality": "MR"}, False),
        ("lipiodol_on_ct", {"lipiodol": YesNo.YES, "modality": "MRI"}, False),
        ("lipiodol_on_ct", {"lipiodol": YesNo.NO, "modality": "CT"}, False),
    ],
)
def test_one_row(check: str, given: dict[str, Any], fires: bool) -> None:
    found = [f for f in findings(target(), target(timepoint=1, **{"longest": "30", **given})) if f.check == check]
    assert [(f.timepoint, f.lesion) for f in found] == ([(1, ("T01",))] if fires else [])


def test_a_merged_lesion_has_no_size() -> None:
    first = (target("T01"), target("T02"), target("T01", 1, "60"))
    merged = {"state": State.MERGED, "part_of": "T01", "viable_mm": None}
    assert names(*first, row("T02", 1, **merged)) == []
    assert names(*first, row("T02", 1, **{**merged, "longest_mm": "30"})) == ["merged_with_size"]


@pytest.mark.parametrize(
    ("organ", "station", "comment", "fires"),
    [
        ("bone", "", "", True),
        ("Bone", "", "soft tissue part 22 mm", False),
        ("liver", "", "simple cyst", True),
        ("liver", "", "no cyst", False),
        ("liver", "", "next to a cyst", False),
        ("liver", "", "", False),
        ("pleura", "effusion", "", True),
        ("abdomen", "ascites", "", True),
        ("carbon", "", "", False),
    ],
)
def test_words_of_an_unfit_target(organ: str, station: str, comment: str, fires: bool) -> None:
    found = names(target(organ=organ, station=station, comment=comment))
    assert found == (["unfit_target"] if fires else [])


@pytest.mark.parametrize(
    ("organ", "comment", "fires"),
    [
        ("portal vein", "tumour thrombus", True),
        ("liver", "PVT", True),
        ("liver", "no PVT", False),
        ("liver", "infiltrative growth", True),
        ("liver", "not infiltrative", False),
        ("portal vein", "", False),
        ("liver", "macrovascular invasion", True),
    ],
)
def test_words_of_a_vascular_target(organ: str, comment: str, fires: bool) -> None:
    found = [f for f in findings(target(organ=organ, comment=comment)) if f.check == "vascular_or_infiltrative_target"]
    # Of mRECIST only: RECIST 1.1 does not name it.
    assert [f.criterion for f in found] == ([("mrecist",)] if fires else [])


@pytest.mark.parametrize(("short", "fires"), [("9.9", True), ("10.0", False)])
def test_a_normal_node_is_no_disease(short: str, fires: bool) -> None:
    assert names(target(), node("NT01", short=short)) == (["normal_node"] if fires else [])


@pytest.mark.parametrize(
    ("organ", "kind", "fires"),
    [
        ("lymph node", Kind.LESION, True),
        ("lymph node", Kind.NODE, False),
        ("liver", Kind.LESION, False),
        ("nodular liver", Kind.LESION, False),
    ],
)
def test_a_node_that_is_not_called_one(organ: str, kind: Kind, fires: bool) -> None:
    rows = [target("T01", t, "30", organ=organ, kind=kind, short_mm="20") for t in (0, 1)]
    assert [f.timepoint for f in findings(*rows) if f.check == "node_as_lesion"] == ([0] if fires else [])


@pytest.mark.parametrize(
    ("organ", "fires"), [("lung", True), ("Liver", False), ("liver, segment 4a", False), ("", False)]
)
def test_a_lesion_stays_in_its_organ(organ: str, fires: bool) -> None:
    assert names(target(), target(timepoint=1, organ=organ)) == (["changed_organ"] if fires else [])


@pytest.mark.parametrize(
    ("then", "now", "fires"),
    [
        ("30", "3", True),
        ("30", "300", True),
        ("30", "3.75", True),
        ("30", "3.76", False),
        ("30", "2.4", True),
        ("30", "2.39", False),
        ("30", "30", False),
    ],
)
def test_a_decimal_slip(then: str, now: str, fires: bool) -> None:
    found = [f for f in findings(target(longest=then), target(timepoint=1, longest=now)) if f.check == "decimal_slip"]
    assert bool(found) is fires
    if fires:
        assert found[0].what == f"T01: longest_mm is {now} and was {then} at time point 0"


def test_no_slip_from_or_to_nothing() -> None:
    gone = row("T01", 1, state=State.ABSENT)
    assert names(target(), gone, target(timepoint=2)) == []


NEW: dict[str, Any] = {"organ": "lung", "longest_mm": "12"}


@pytest.mark.parametrize(("imaged", "fires"), [(YesNo.NO, True), (YesNo.YES, False), (None, False)])
def test_new_where_baseline_was_not_imaged(imaged: YesNo | None, fires: bool) -> None:
    rows = [target("T01", t) for t in (0, 1, 2)] + [row("NEW01", t, imaged_at_baseline=imaged, **NEW) for t in (1, 2)]
    found = findings(*rows)
    assert [(f.check, f.timepoint) for f in found] == ([("new_in_unimaged_region", 1)] if fires else [])


@pytest.mark.parametrize(
    ("states", "fires"),
    [
        (("equivocal", "equivocal"), True),
        (("equivocal", None), True),
        (("equivocal", "unequivocal"), False),
        (("equivocal", "absent"), False),
        ((None, "equivocal"), False),
    ],
)
def test_an_equivocal_lesion_is_settled(states: tuple[str | None, ...], fires: bool) -> None:
    rows: list[Measurement] = [target("T01", t) for t in (0, 1, 2)]
    for timepoint, state in enumerate(states, 1):
        if state is not None:
            rows.append(row("NEW01", timepoint, organ="lung", state=State(state)))
    assert ("equivocal_unresolved" in names(*rows)) is fires
