"""Masks changed by hand: voxels against brute force, areas against closed forms, steps back, and what the signed files keep."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pytest
from test_session_room import true_lines

from mrecist.errors import MaskError, ReadError
from mrecist.imaging.geometry import Geometry
from mrecist.imaging.phase import PhaseName
from mrecist.measure.lesion import measure_lesion
from mrecist.model import Role
from mrecist.plain import from_plain
from mrecist.segment.interpolate import between_slices
from mrecist.segment.prompt import Line, Scribbles
from mrecist.session.actions import AnswerAdequate
from mrecist.session.editing import NOTHING_VIABLE, Part, Patch, Stroke, brush, outline
from mrecist.session.mending import slices_in_words
from mrecist.session.room import Room, open_room
from mrecist.session.state import Edit, Provenance

ROW_MM, COLUMN_MM = 0.7, 0.9
# Uneven on purpose: a ball is round in millimetres, not in slices.
HEIGHTS = (0.0, 2.0, 4.0, 7.0, 9.0, 11.0, 16.0)


def stack(shape: tuple[int, int] = (60, 50)) -> Geometry:
    return Geometry(
        shape=(len(HEIGHTS), *shape),
        origins_lps=tuple((0.0, 0.0, h) for h in HEIGHTS),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        row_spacing_mm=ROW_MM,
        column_spacing_mm=COLUMN_MM,
        slice_step_mm=None,
    )


def on(patch: Patch, geometry: Geometry) -> np.ndarray:
    """The patch on the whole volume."""
    volume = np.zeros(geometry.shape, dtype=bool)
    volume[patch.box] = patch.inside
    return volume


def brute(points: list[tuple[float, float, float]], radius: float, geometry: Geometry, *, ball: bool) -> np.ndarray:
    """Every voxel centre against a thousand places of the way."""
    z, y, x = np.mgrid[tuple(slice(n) for n in geometry.shape)]
    height = np.array(HEIGHTS)[z]
    inside = np.zeros(geometry.shape, dtype=bool)
    for one, other in zip([points[0], *points], points, strict=False):
        for part in np.linspace(0, 1, 1000):
            row, column = (a + part * (b - a) for a, b in zip(one[1:], other[1:], strict=True))
            apart = ((y - row) * ROW_MM) ** 2 + ((x - column) * COLUMN_MM) ** 2 + (height - HEIGHTS[int(one[0])]) ** 2
            inside |= apart <= radius**2
    return inside if ball else inside & (z == points[0][0])


@pytest.mark.parametrize("ball", [False, True])
@pytest.mark.parametrize("diameter", [1.9, 6.0, 13.1])
def test_a_brush_covers_what_brute_force_says(diameter: float, ball: bool) -> None:
    geometry = stack()
    for points in ([(3.0, 30.2, 20.4)], [(3.0, 20.0, 15.3), (3.0, 33.7, 22.1), (3.0, 35.0, 40.0)], [(0.0, 1.0, 48.0)]):
        covered = on(brush(points, diameter, geometry, ball=ball), geometry)
        assert np.array_equal(covered, brute(points, diameter / 2, geometry, ball=ball))


def test_a_brush_smaller_than_a_voxel_paints_the_one_under_it() -> None:
    covered = on(brush([(2.0, 10.45, 10.45)], 0.1, stack()), stack())
    assert [tuple(at) for at in np.argwhere(covered)] == [(2, 10, 10)]


def test_a_brush_beside_the_picture_is_refused() -> None:
    with pytest.raises(MaskError, match="outside the picture"):
        brush([(2.0, -40.0, 10.0)], 5, stack())
    with pytest.raises(MaskError, match="outside the picture"):
        brush([(9.0, 10.0, 10.0)], 5, stack())


def test_an_outline_is_filled() -> None:
    """A circle of 15 pixels: pi r^2 pixels, none outside, and the middle among them."""
    turns = np.linspace(0, 2 * np.pi, 200)
    patch = outline([(4.0, 30 + 15 * np.sin(t), 25 + 15 * np.cos(t)) for t in turns], stack())
    filled = on(patch, stack())
    assert filled.sum() == pytest.approx(np.pi * 15**2, rel=0.02)
    assert filled[4, 30, 25]
    assert patch.slices == (4,)
    with pytest.raises(MaskError, match="encloses nothing"):
        outline([(4.0, 30.0, 25.0), (4.0, 30.1, 25.1)], stack())


def test_between_two_discs_the_radius_goes_with_the_millimetres() -> None:
    """Closed form: discs of 8 and 16 mm at 0 and 16 mm, so 8 + h / 2 at height h, whatever the steps between."""
    geometry = stack((61, 61))
    y, x = np.mgrid[:61, :61]
    away = np.hypot((y - 30) * 1.0, (x - 30) * 1.0)
    mask = np.zeros((7, 61, 61), dtype=bool)
    mask[0], mask[6] = away <= 8, away <= 16
    filled = between_slices(mask, (1.0, 1.0), HEIGHTS)
    for z in range(1, 6):
        assert np.sqrt(filled[z].sum() / np.pi) == pytest.approx(8 + HEIGHTS[z] / 2, abs=0.5)
    assert np.array_equal(filled[[0, 6]], mask[[0, 6]])
    assert geometry.shape == filled.shape


def test_outlines_apart_leave_the_middle_empty_and_nothing_is_carried_on() -> None:
    mask = np.zeros((7, 61, 61), dtype=bool)
    mask[1, 5:12, 5:12] = mask[5, 45:52, 45:52] = True
    assert np.array_equal(between_slices(mask, (1.0, 1.0)), mask)


def test_slices_in_words() -> None:
    assert slices_in_words([3]) == "slice 4"
    assert slices_in_words([3, 4, 5, 8]) == "slices 4 to 6 and 9"


# --- in a room -----------------------------------------------------------------------------------------------------------


def proposed(room: Room, lesion: str = "T01") -> Line:
    """The proposal of a true long axis waits."""
    line = true_lines()[0, lesion][0]
    room.offer(room.ask(line))
    return line


def middle(line: Line) -> tuple[float, float, float]:
    return line.start[0], (line.start[1] + line.end[1]) / 2, (line.start[2] + line.end[2]) / 2


def rim(line: Line) -> tuple[float, float, float]:
    """A fifth along the line: viable in T01, whose middle is dead."""
    return line.start[0], *(a + (b - a) / 5 for a, b in zip(line.start[1:], line.end[1:], strict=True))


def dab(
    room: Room,
    at: tuple[float, float, float],
    mm: float,
    *,
    part: Part = Part.WHOLE,
    add: bool = True,
    ball: bool = False,
) -> str:
    """One touch of brush or eraser on the proposal."""
    geometry = room.series.geometry
    assert geometry is not None
    patch = brush([at], mm, geometry, ball=ball)
    kind = ("ball " if ball else "") + ("brush" if add else "eraser")
    return room.mending.paint(Stroke(kind=kind, part=part, add=add, patch=patch, size_mm=mm))


def masks(room: Room) -> tuple[np.ndarray, np.ndarray]:
    assert room.pending is not None
    assert room.pending.proposal.viable is not None
    return room.pending.proposal.whole, room.pending.proposal.viable


def test_a_stroke_changes_the_proposal_its_numbers_and_nothing_of_the_read(room: Room) -> None:
    line = proposed(room)
    whole, viable = masks(room)
    before = room.pending.proposal.measurement.longest.mm
    said = dab(room, line.start, 12)
    after, viable_after = masks(room)
    geometry = room.series.geometry
    assert np.array_equal(after, whole | on(brush([line.start], 12, geometry), geometry))
    assert np.array_equal(viable, viable_after)
    assert "does not count as viable" in said
    measured = measure_lesion(after, geometry, viable_after, max_gap_mm=room.case.protocol.measuring.max_gap_mm)
    assert room.pending.proposal.measurement == measured
    assert measured.longest.mm > before + 3
    assert room.session.log == ()


def test_the_viable_part_stays_inside_the_whole_lesion(room: Room) -> None:
    line = proposed(room)
    dab(room, middle(line), 200, part=Part.VIABLE, add=False)
    whole, viable = masks(room)
    patch = on(brush([line.start], 12, room.series.geometry), room.series.geometry)
    said = dab(room, line.start, 12, part=Part.VIABLE)
    assert np.array_equal(masks(room)[0], whole)
    assert np.array_equal(masks(room)[1], viable | (patch & whole))
    assert f"{(patch & ~whole).sum()} voxels outside the whole lesion" in said
    said = dab(room, line.start, 8, add=False)
    assert not (masks(room)[1] & ~masks(room)[0]).any()
    assert "viable part went with it" in said
    with pytest.raises(MaskError, match="stays inside the whole lesion"):
        dab(room, (line.start[0], 2.0, 2.0), 3, part=Part.VIABLE)


def test_no_stroke_leaves_an_empty_lesion_and_an_empty_viable_part_is_said(room: Room) -> None:
    line = proposed(room)
    with pytest.raises(MaskError, match="would erase the whole lesion"):
        dab(room, middle(line), 200, add=False, ball=True)
    said = dab(room, middle(line), 200, part=Part.VIABLE, add=False, ball=True)
    assert NOTHING_VIABLE in said
    assert NOTHING_VIABLE in room.pending.proposal.notes
    assert room.pending.proposal.measurement.viable_is_empty
    dab(room, middle(line), 5, part=Part.VIABLE)
    assert NOTHING_VIABLE not in room.pending.proposal.notes
    with pytest.raises(MaskError, match="changed nothing"):
        dab(room, (line.start[0], 2.0, 2.0), 3, add=False)


def test_viable_is_not_painted_on_the_portal_phase(room: Room) -> None:
    room.look_at_series(next(s for s in room.visit.series if s.phase.name == PhaseName.PORTAL_VENOUS))
    line = proposed(room)
    with pytest.raises(MaskError, match="judged on the arterial phase"):
        dab(room, middle(line), 5, part=Part.VIABLE)


def test_every_step_goes_back_and_comes_again(room: Room) -> None:
    """Strokes on two slices, a cut-off and a scribble: voxel by voxel as they were, then the read's own actions."""
    room.add_lesion(Role.NON_TARGET)
    line = proposed(room)
    states = [masks(room)]
    dab(room, line.start, 9)
    states.append(masks(room))
    dab(room, (line.end[0] + 1, *line.end[1:]), 9, add=False, ball=True)
    states.append(masks(room))
    room.offer(room.nudged(room.pending, 5))
    states.append(masks(room))
    room.offer(room.again(room.pending, Scribbles(add=(tuple(round(v) for v in line.start),))))
    states.append(masks(room))
    for whole, viable in reversed(states[:-1]):
        room.undo()
        assert np.array_equal(masks(room)[0], whole)
        assert np.array_equal(masks(room)[1], viable)
    for whole, viable in states[1:]:
        room.redo()
        assert np.array_equal(masks(room)[0], whole)
        assert np.array_equal(masks(room)[1], viable)
    for _ in states[1:]:
        room.undo()
    assert "NT01" in room.state.lesions
    room.undo()
    assert "NT01" not in room.state.lesions
    room.redo()
    assert "NT01" in room.state.lesions


def test_a_step_back_keeps_the_name_that_was_chosen_since(room: Room) -> None:
    from dataclasses import replace

    line = proposed(room)
    dab(room, line.start, 9)
    room.offer(replace(room.pending, organ="bone"))
    room.undo()
    assert room.pending.organ == "bone"
    assert room.pending.proposal.provenance.edits == ()


def test_a_hundred_steps_back_are_small(room: Room) -> None:
    line = proposed(room)
    for n in range(60):
        dab(room, (line.start[0], line.start[1], line.start[2]), 20 + n)
    history = room.mending._history[0]
    assert history.steps_back == 60
    assert history.size < 60 * 2 * masks(room)[0].size / 8 / 10


def test_the_hand_has_the_last_word_over_a_new_cut_and_another_cutoff(room: Room) -> None:
    line = proposed(room)
    dab(room, line.start, 9)
    dab(room, line.end, 5, add=False)
    dab(room, rim(line), 6, part=Part.VIABLE, add=False)
    geometry = room.series.geometry
    added = on(brush([line.start], 9, geometry), geometry) & ~on(brush([line.end], 5, geometry), geometry)
    erased = on(brush([line.end], 5, geometry), geometry)
    dead = on(brush([rim(line)], 6, geometry), geometry)
    room.offer(room.again(room.pending, Scribbles(add=(tuple(round(v) for v in middle(line)),))))
    for _ in range(2):
        whole, viable = masks(room)
        assert whole[added].all()
        assert not whole[erased].any()
        assert not viable[dead].any()
        assert len(room.pending.proposal.provenance.edits) == 3
        room.offer(room.nudged(room.pending, -5))


def test_a_lesion_by_hand_alone(room: Room) -> None:
    """Two outlined discs of 12 px, four slices apart; between them discs of the same size: nothing else is filled."""
    turns = np.linspace(0, 2 * np.pi, 100)
    geometry = room.series.geometry

    def ring(z: float) -> Stroke:
        patch = outline([(z, 60 + 12 * np.sin(t), 60 + 12 * np.cos(t)) for t in turns], geometry)
        return Stroke(kind="contour", part=Part.WHOLE, add=True, patch=patch)

    with pytest.raises(ReadError, match="outline the lesion on two slices"):
        room.mending.interpolate(Part.WHOLE)
    with pytest.raises(ReadError, match="no lesion is chosen"):
        room.mending.paint(ring(4))
    room.mending.paint(ring(4), lesion="")
    with pytest.raises(MaskError, match="two slices or more"):
        room.mending.interpolate(Part.WHOLE)
    room.mending.paint(ring(8))
    assert room.mending.interpolate(Part.WHOLE) == "filled slices 6 to 8"
    whole = room.pending.proposal.whole
    assert np.flatnonzero(whole.any(axis=(1, 2))).tolist() == [4, 5, 6, 7, 8]
    for z in range(4, 9):
        assert np.sqrt(whole[z].sum() / np.pi) == pytest.approx(12, abs=0.5)
    with pytest.raises(MaskError, match="no empty slice"):
        room.mending.interpolate(Part.WHOLE)
    assert room.pending.proposal.viable is None
    assert room.accept() == "T01"
    provenance = room.state.mark(0, "T01").mask.provenance
    assert provenance.method == "by hand"
    assert [(e.kind, e.slices) for e in provenance.edits] == [
        ("contour", (4,)),
        ("contour", (8,)),
        ("interpolation", (5, 6, 7)),
    ]


def test_an_accepted_mask_is_mended_and_stays_until_it_is_accepted_again(room: Room) -> None:
    line = proposed(room)
    room.accept()
    kept = room.state.mark(0, "T01").mask
    assert room.mending.where() == room.series
    dab(room, line.start, 9)
    assert room.pending.lesion == "T01"
    assert room.state.mark(0, "T01").mask == kept
    with pytest.raises(ReadError, match="cannot be cut again"):
        room.again(room.pending, Scribbles())
    with pytest.raises(ReadError, match="cannot be moved any more"):
        room.nudged(room.pending, 5)
    room.accept()
    changed = room.state.mark(0, "T01").mask
    assert changed.whole != kept.whole
    assert changed.provenance.method == kept.provenance.method
    assert changed.provenance.prompts == kept.provenance.prompts
    assert [edit.kind for edit in changed.provenance.edits] == ["brush"]
    assert list(room.state.lesions) == ["T01"]
    room.undo()
    assert room.state.mark(0, "T01").mask == kept


def test_edits_reach_the_signed_file_and_survive_the_way_there_and_back(room: Room) -> None:
    line = proposed(room)
    dab(room, line.start, 9)
    dab(room, line.end, 4.5, add=False, ball=True)
    edits = room.pending.proposal.provenance.edits
    expected = on(brush([line.start], 9, room.series.geometry), room.series.geometry)
    room.accept()
    room.do(AnswerAdequate(timepoint=0, answer=True))
    room.sign("R2")
    (file,) = (room.study.root / "reads").glob("*.json")
    told = json.loads(file.read_text())["visits"][0]["lesions"]["T01"]["provenance"]
    assert from_plain(told, Provenance).edits == edits
    assert (edits[0].kind, edits[0].size_mm, edits[0].slices) == ("brush", 9, (int(line.start[0]),))
    assert 0 < edits[0].whole_voxels <= expected.sum()
    room.close()
    again = open_room(room.study.root, "SAMPLE-01", "R2")
    assert again.state.mark(0, "T01").mask.provenance.edits == edits
    again.look_at(0)
    with pytest.raises(ReadError, match="re-open it with a reason"):
        dab(again, line.start, 9)
    again.close()


def test_what_waits_outlives_a_kill(room: Room) -> None:
    """The room is not closed: only the lock is given back, as when the process is gone."""
    line = proposed(room)
    dab(room, line.start, 9)
    whole, viable = masks(room)
    room.session.close()
    again = open_room(room.study.root, "SAMPLE-01", "R2")
    assert np.array_equal(masks(again)[0], whole)
    assert np.array_equal(masks(again)[1], viable)
    assert again.pending.proposal.measurement == room.pending.proposal.measurement
    assert again.pending.proposal.provenance.edits == room.pending.proposal.provenance.edits
    assert again.session.log == ()
    again.look_at(1)
    assert again.pending is None
    again.look_at(0)
    assert np.array_equal(masks(again)[0], whole)
    again.accept()
    again.session.close()
    third = open_room(room.study.root, "SAMPLE-01", "R2")
    assert third.pending is None
    assert list(third.state.lesions) == ["T01"]
    third.offer(third.ask(line))
    third.offer(None)
    third.close()
    fourth = open_room(room.study.root, "SAMPLE-01", "R2")
    assert fourth.pending is None
    fourth.close()


def test_a_damaged_copy_of_what_waits_is_told_and_stops_nothing(room: Room) -> None:
    proposed(room)
    (file,) = room.session.folder.glob("waiting_*.json")
    file.write_text(file.read_text()[:200])
    room.session.close()
    again = open_room(room.study.root, "SAMPLE-01", "R2")
    assert again.pending is None
    assert "cannot be read" in again.mending.disk.trouble
    again.close()


def test_a_click_gives_a_proposal_whose_line_can_be_drawn_again(room: Room) -> None:
    line, whole, _ = true_lines()[0, "T01"]
    room.offer(room.asking_click(middle(line))())
    assert room.pending.asked is not None
    assert (room.pending.proposal.whole & whole).sum() > 0.5 * whole.sum()
    room.offer(room.again(room.pending, None, line))
    prompts = room.pending.proposal.provenance.prompts
    assert [list(prompt) for prompt in prompts[:2]] == [["click"], ["line"]]
    assert room.pending.asked.line == line
    for nowhere in ((line.start[0], 2.0, 2.0), (line.start[0], -5.0, 10.0)):
        with pytest.raises(MaskError, match=r"nothing at the click|outside the volume"):
            room.asking_click(nowhere)()


def test_words_of_an_edit() -> None:
    edit = Edit(kind="ball brush", part="whole", slices=(3, 4, 5), size_mm=10.0, whole_voxels=85, viable_voxels=0)
    assert edit.words() == "ball brush 10 mm on the whole lesion, slices 4 to 6: 85 voxels"
    assert Decimal(str(edit.size_mm)) == 10
