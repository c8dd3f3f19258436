"""What the engine refuses comes out as findings, all of it, and stops neither other checks of rows nor other reads."""

from __future__ import annotations

from decimal import Decimal

import pytest
from check_rows import findings, names, node, protocol, row, target

from mrecist.checklist import CONTRADICTIONS
from mrecist.errors import ReadError
from mrecist.model import Basis, Kind, LiradsResponse, LiradsVersion, Measurement, Role, State
from mrecist.response.read import build_read

CASES: dict[str, list[list[Measurement]]] = {
    "absent_with_size": [[target(), row("T01", 1, state=State.ABSENT, longest_mm="5")]],
    "measured_zero": [[target(), target(timepoint=1, longest="0", viable_mm=None)]],
    "foci_above_viable": [[target(viable_mm="12", viable_foci_mm=(Decimal("12.1"), Decimal(4)))]],
    "axes_swapped": [[target(short_mm="31")], [target(viable_short_mm="31")]],
    "lirads_version": [
        [target(lirads_tr=LiradsResponse.EQUIVOCAL)],
        [target(lirads_tr=LiradsResponse.NONPROGRESSING, lirads_version=LiradsVersion.V2018)],
    ],
    "no_date": [[target(date=None)]],
    "duplicate_row": [[target(), target()]],
    "no_baseline": [[target(timepoint=1), target("T02", 1)]],
    "visit_order": [[target(), target(timepoint=1, date=target().date)]],
    "changed_role": [[target("T01"), row("T02"), row("T02", 1, role=Role.NON_TARGET)]],
    "changed_kind": [[node("T01"), target("T01", 1, short_mm="16")]],
    "changed_basis": [[target(), target(timepoint=1, basis=Basis.OVERALL)]],
    "new_at_baseline": [[target(), row("NEW01", organ="lung")]],
    "no_baseline_row": [[target("T01"), target("T01", 1), target("T02", 1)]],
    "part_of_nothing": [
        [target(), target("T01a", 1, part_of="T07")],
        [target("A"), target("B", 1, part_of="A"), target("A", 2, part_of="B")],
    ],
    "merged_into_nothing": [
        [target("T01"), target("T02"), row("T02", 1, state=State.MERGED, part_of="T01")],
        [target("T01"), row("NT01"), row("NT01", 1), row("T01", 1, state=State.MERGED, part_of="NT01")],
    ],
    "counted_twice": [[target(), target(timepoint=1), target("T01a", 1, part_of="T01")]],
    "baseline_state": [[row("T01", state=State.ABSENT)], [target(), row("NT01", state=State.PROGRESSED)]],
}
IN_ONE_ROW = ("absent_with_size", "measured_zero", "foci_above_viable", "axes_swapped", "lirads_version")


def test_every_contradiction_has_a_case() -> None:
    assert {*CASES, "unreadable_row"} == {check.name for check in CONTRADICTIONS}


@pytest.mark.parametrize(("name", "rows"), [(name, rows) for name, cases in CASES.items() for rows in cases])
def test_a_contradiction_is_an_error(name: str, rows: list[Measurement]) -> None:
    found = [f for f in findings(*rows) if f.check in CASES]
    assert [f.check for f in found] == [name]
    assert found[0].severity == "error"
    if name not in IN_ONE_ROW:
        with pytest.raises(ReadError) as error:
            build_read(rows)
        assert str(error.value).endswith(f": {found[0].what}")


def test_all_contradictions_of_a_read_are_found() -> None:
    rows = [target(), target(), row("NEW01", organ="lung"), target(timepoint=1, date=None), target("T02", 1)]
    assert sorted(names(*rows)) == ["duplicate_row", "new_at_baseline", "no_baseline_row", "no_date"]


def test_rows_and_lesions_of_such_a_read_are_still_checked() -> None:
    rows = [target(longest="40"), target(longest="40"), target(timepoint=1, longest="401")]
    assert names(*rows) == ["duplicate_row", "absurd_size", "absurd_size", "decimal_slip"]


def test_a_lesion_may_keep_what_it_was() -> None:
    rows = [target(basis=Basis.OVERALL), target(timepoint=1, basis=Basis.OVERALL), target(timepoint=2)]
    assert names(*rows) == []
    assert names(node("T01"), node("T01", 1)) == []


def test_what_is_just_no_contradiction() -> None:
    """A round lesion has equal axes, and Nonprogressing is of the 2024 radiation algorithm."""
    assert names(target(short_mm="30", viable_short_mm="30")) == []
    radiation = {"lirads_version": LiradsVersion.V2024_RADIATION, "lirads_tr": LiradsResponse.NONPROGRESSING}
    assert names(target(**radiation)) == []
    assert names(target(lirads_version=LiradsVersion.V2018, lirads_tr=LiradsResponse.EQUIVOCAL)) == []


def test_a_target_node_that_is_absent_has_no_size() -> None:
    gone = row("T01", 1, kind=Kind.NODE, state=State.ABSENT, short_mm="8")
    assert "absent_with_size" in names(node("T01"), gone)


def test_a_normal_node_may_be_absent_with_its_size() -> None:
    gone = row("NT01", 1, kind=Kind.NODE, state=State.ABSENT, short_mm="8")
    assert names(target(), node("NT01", short="12"), target(timepoint=1), gone) == []


def test_sizes_of_a_case_are_decimals() -> None:
    assert target(longest="9.9").longest_mm == Decimal("9.9")
    assert protocol().checking.min_target_mm == 10
