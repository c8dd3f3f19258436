"""What is told of lines set by hand, and of masks drawn on another phase or plane than the first one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from session_reading import STUDY

from mrecist.errors import ReadError
from mrecist.imaging.masks import LesionMask
from mrecist.model import Kind, Role, State
from mrecist.session.case import Case, open_case
from mrecist.session.remarks import drawn_otherwise, line_remarks
from mrecist.session.rows import line_mm
from mrecist.session.state import DrawnMask, LesionFacts, ManualLine, Mark, Provenance, ReadState, VisitState
from mrecist.study import open_study


@pytest.fixture(scope="module")
def case() -> Case:
    return open_case(open_study(STUDY), "SAMPLE-01")


def drawn_on(*series: tuple[str, int]) -> ReadState:
    """T01 drawn at time points 0, 1, ... on these series."""
    facts = LesionFacts(role=Role.TARGET, kind=Kind.LESION, organ="liver", station="", tracking_uid="1.2")
    visits = {}
    for timepoint, (uid, stack) in enumerate(series):
        mask = DrawnMask(series_uid=uid, stack=stack, whole="w", viable=None, provenance=Provenance(method="test"))
        visits[timepoint] = VisitState(marks={"T01": Mark(state=State.MEASURED, mask=mask)})
    return ReadState(lesions={"T01": facts}, visits=visits)


def series_of(case: Case, timepoint: int, phase: str) -> tuple[str, int]:
    return next((s.uid, s.stack) for s in case.visit(timepoint).series if s.phase.name == phase)


def test_the_same_phase_and_plane_are_nothing_to_tell(case: Case) -> None:
    state = drawn_on(series_of(case, 0, "ARTERIAL"), series_of(case, 1, "ARTERIAL"))
    assert [drawn_otherwise(state, case, t, "T01") for t in (0, 1, 2)] == ["", "", ""]


def test_another_phase_is_told_with_both(case: Case) -> None:
    state = drawn_on(series_of(case, 0, "ARTERIAL"), series_of(case, 1, "PORTAL VENOUS"))
    assert drawn_otherwise(state, case, 1, "T01") == "portal venous, baseline arterial"
    assert drawn_otherwise(state, case, 0, "T01") == ""
    later = ReadState(
        lesions=state.lesions, visits={1: state.visits[1], 2: drawn_on(*[series_of(case, 2, "ARTERIAL")] * 3).visits[2]}
    )
    assert drawn_otherwise(later, case, 2, "T01") == "arterial, time point 1 portal venous"


def test_an_unknown_phase_is_no_change(case: Case) -> None:
    arterial, portal = series_of(case, 0, "ARTERIAL"), series_of(case, 1, "PORTAL VENOUS")
    unknown = case.with_phases({portal[0]: "UNKNOWN"}, "R2")
    assert drawn_otherwise(drawn_on(arterial, portal), unknown, 1, "T01") == ""


@pytest.mark.parametrize(("degrees", "said"), [(10, ""), (20, "plane 20 degrees off baseline"), (180, "")])
def test_another_plane_is_told_with_its_angle(case: Case, degrees: float, said: str) -> None:
    """The stack of the follow-up is turned about the rows; upside down it is the same plane."""
    turned = np.radians(degrees)
    uid, stack = series_of(case, 1, "ARTERIAL")

    def turn(visit: object) -> object:
        series = []
        for one in visit.series:  # type: ignore[attr-defined]
            if one.uid == uid:
                down = (0.0, float(np.cos(turned)), float(np.sin(turned)))
                normal = np.cross(one.geometry.row_direction, down)
                origins = tuple(tuple(float(v) for v in 5 * n * normal) for n in range(one.geometry.shape[0]))
                one = replace(one, geometry=replace(one.geometry, column_direction=down, origins_lps=origins))
            series.append(one)
        return replace(visit, series=tuple(series))  # type: ignore[type-var]

    changed = replace(case, visits=tuple(turn(v) for v in case.visits))  # type: ignore[misc]
    state = drawn_on(series_of(case, 0, "ARTERIAL"), (uid, stack))
    assert drawn_otherwise(state, changed, 1, "T01") == said


def lesion(case: Case) -> LesionMask:
    """On slice 1: a square of rows and columns 10 to 30, its left half viable."""
    series = case.visits[0].series[0]
    assert series.geometry is not None
    geometry = replace(series.geometry, shape=(series.geometry.shape[0], 60, 60))
    whole = np.zeros(geometry.shape, dtype=bool)
    whole[1, 10:31, 10:31] = True
    viable = whole.copy()
    viable[:, :, 20:] = False
    return LesionMask(
        lesion="T01",
        tracking_uid="1.2",
        reader="R2",
        organ="liver",
        kind="lesion",
        geometry=geometry,
        whole=whole,
        viable=viable,
        slice_uids=(),
        series_uid=series.uid,
        source="test",
        stack=1,
    )


@pytest.mark.parametrize(
    ("size", "ends", "said"),
    [
        ("longest_mm", ((9.5, 9.5), (30.5, 30.5)), ()),
        ("longest_mm", ((9.5, 9.5), (40.0, 40.0)), ("an end lies outside the outline of the lesion",)),
        ("longest_mm", ((9.5, 9.5), (30.0, 61.0)), ("an end lies beyond the image",)),
        ("longest_mm", ((-0.6, 9.5), (30.0, 20.0)), ("an end lies beyond the image",)),
        ("viable_mm", ((10.0, 10.0), (30.0, 10.0)), ()),
        (
            "viable_mm",
            ((20.0, 9.5), (20.0, 29.5)),  # 10 of its 20 columns are viable
            ("an end lies outside the outline of the viable part", "50 % of the line is not viable tissue"),
        ),
    ],
)
def test_a_line_by_hand_is_told_what_is_doubtful(
    case: Case, size: str, ends: tuple[tuple[float, float], tuple[float, float]], said: tuple[str, ...]
) -> None:
    assert line_remarks(ManualLine(slice_index=1, ends=ends), size, lesion(case)) == said


def test_a_line_by_hand_has_the_length_of_the_triangle(case: Case) -> None:
    """3, 4, 5: pixels of 0.5 mm down and 2 mm along, six rows and two columns apart."""
    geometry = replace(lesion(case).geometry, row_spacing_mm=0.5, column_spacing_mm=2.0)
    assert line_mm(ManualLine(slice_index=1, ends=((4.25, 7.5), (10.25, 9.5))), geometry) == 5


def test_a_line_without_a_length_is_refused(case: Case) -> None:
    with pytest.raises(ReadError, match="both ends"):
        line_remarks(ManualLine(slice_index=1, ends=((9.5, 9.5), (9.5, 9.5))), "longest_mm", lesion(case))
