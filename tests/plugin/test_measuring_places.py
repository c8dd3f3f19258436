"""Where words and strokes are put, without a screen: closed forms and brute force."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mrecist.model import Role
from mrecist_napari.callout_rows import callouts_of
from mrecist_napari.callouts import Box, Callout, Placed, Row, Taken, place
from mrecist_napari.grid import Grid
from mrecist_napari.marks import MarkLine, MarkMask, Marks
from mrecist_napari.strokes import dashed, ellipse, outlines, path, ticks

VIEW = Box(-20, -20, 140, 180)


def disc(row: float, column: float, radius: float, shape: tuple[int, int] = (120, 160)) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.asarray(np.hypot(y - row, x - column) <= radius)


def callout(row: float, column: float, radius: float, rows: int = 2) -> Callout:
    around = np.array([[row + radius * np.sin(a), column + radius * np.cos(a)] for a in np.linspace(0, 6.28, 40)])
    said = tuple(Row("T01 whole 50.9 mm", "#3fa7ff", 40.0) for _ in range(rows))
    about = Box(row - radius, column - radius, row + radius, column + radius)
    return Callout(z=0, rows=said, bar="", width=45.0, row=6.0, about=about, touches=around)


def placed(*lesions: tuple[float, float, float]) -> tuple[list[Placed], np.ndarray]:
    mask = np.any([disc(*one) for one in lesions], axis=0)
    taken = Taken(view=VIEW, mask=mask, scale=(1.0, 1.0), origin=(0.0, 0.0))
    return place([callout(*one) for one in lesions], taken), mask


@pytest.mark.parametrize(
    "lesions",
    [
        [(60, 80, 20)],
        [(30, 60, 15), (75, 60, 15)],  # the one below is where words above it would stand
        [(40, 40, 12), (40, 70, 12), (70, 40, 12), (70, 70, 12)],
        [(5, 5, 10), (115, 155, 10)],
    ],
)
def test_words_cover_no_lesion_and_no_other_words(lesions: list[tuple[float, float, float]]) -> None:
    found, mask = placed(*lesions)
    assert len(found) == len(lesions)
    y, x = np.nonzero(mask)
    for one in found:
        box = one.box
        assert not ((y > box.top) & (y < box.bottom) & (x > box.left) & (x < box.right)).any()
        assert box.inside(VIEW)
    assert not any(one.box.overlaps(other.box) for one, other in combinations(found, 2))


def test_words_that_had_to_move_away_have_a_leader_to_their_own_lesion() -> None:
    lesions = [
        (60.0, 80.0, 6.0),
        *((r, c, 7.0) for r in (45.0, 60.0, 75.0) for c in (50.0, 80.0, 110.0) if (r, c) != (60, 80)),
    ]
    first = placed(*lesions)[0][0]
    assert first.leader is not None
    start, end = first.leader
    assert np.hypot(end[0] - 60, end[1] - 80) == pytest.approx(6)
    box = first.box
    assert box.top <= start[0] <= box.bottom
    assert box.left <= start[1] <= box.right
    assert placed((60, 80, 20))[0][0].leader is None


def test_words_are_never_left_out_where_no_place_is_free() -> None:
    taken = Taken(view=VIEW, mask=np.ones((120, 160), dtype=bool), scale=(1.0, 1.0), origin=(0.0, 0.0))
    both = place([callout(60, 80, 20), callout(60, 80, 20)], taken)
    assert len(both) == 2
    assert not both[0].box.overlaps(both[1].box)


def test_the_outline_of_one_voxel_is_a_diamond_of_half_a_voxel() -> None:
    """Closed form: between the centre inside and the centres outside, pixels of 2 by 0.5 mm, first centre at (10, -3)."""
    mask = np.zeros((3, 5, 6), dtype=bool)
    mask[1, 2, 4] = True
    found = outlines(mask, (2.0, 0.5), (10.0, -3.0))
    assert list(found) == [1]
    corners = {tuple(float(v) for v in one) for one in found[1][:, 0]}
    assert corners == {(13.0, -1.0), (15.0, -1.0), (14.0, -1.25), (14.0, -0.75)}
    assert np.allclose(found[1][:, 1].sum(axis=0), 0)  # closed


def test_the_outline_of_an_annulus_passes_between_every_pixel_inside_and_its_neighbours_outside() -> None:
    """Brute force: every pair of neighbours of which one is inside, both rings."""
    mask = disc(60, 80, 30) & ~disc(60, 80, 15)
    strokes = outlines(mask[None], (1.0, 1.0), (0.0, 0.0))[0]
    between = set()
    for y, x in np.argwhere(mask):
        for other in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
            if not mask[other]:
                between.add(((y + other[0]) / 2, (x + other[1]) / 2))
    assert {(float(y), float(x)) for y, x in strokes[:, 0]} == between
    assert len(strokes) == len(between)


def test_dashes_are_half_of_the_line() -> None:
    line = path([(0, 0), (0, 40)])
    dashes = dashed(line, 4.0)
    assert np.linalg.norm(dashes[:, 1], axis=1).sum() == pytest.approx(20)
    assert dashes[:, 0, 1].max() < 40


def test_ticks_stand_across_both_ends() -> None:
    both = ticks((0, 0), (30, 40), 10.0)
    assert np.allclose(both[:, 1] @ (30, 40), 0)
    assert np.allclose(np.linalg.norm(both[:, 1], axis=1), 10)
    assert np.allclose(both[:, 0] + both[:, 1] / 2, [(0, 0), (30, 40)])


def test_an_ellipse_fills_the_box_of_its_corners() -> None:
    points = ellipse((10, 50), (30, 20))[:, 0]
    assert np.allclose(points.min(axis=0), (10, 20))
    assert np.allclose(points.max(axis=0), (30, 50))
    assert np.allclose(np.sum(((points - (20, 35)) / (10, 15)) ** 2, axis=1), 1)


def test_a_warning_stands_below_the_sizes_and_a_role_before_them() -> None:
    whole = disc(60, 80, 20)[None]
    mask = MarkMask(
        lesion="NT01", whole=whole, viable=None, role=Role.NON_TARGET, warning="portal venous, baseline arterial"
    )
    line = MarkLine(
        lesion="NT01", size="longest_mm", text="NT01 whole 40.0 mm", colour="#3fa7ff", ends=((0, 60, 60), (0, 60, 100))
    )
    grid = Grid(scale=(5.0, 1.0, 1.0), translate=(0.0, 0.0, 0.0))
    around = np.argwhere(whole[0]).astype(float)
    (found,) = callouts_of(Marks(masks=(mask,), lines=(line,)), [line], grid, 6.0, lambda _: 40.0, lambda *_: around)
    assert [row.text for row in found.rows] == ["NT01 whole 40.0 mm", "portal venous, baseline arterial"]
    assert found.bar == "#e69f00"
    assert found.about == Box(40, 60, 80, 100)
