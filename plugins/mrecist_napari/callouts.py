"""Where the words beside a lesion stand: off every lesion and every other callout, as near as that allows. Plain geometry in mm, no Qt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]
_AWAY = (0.6, 1.6, 3, 4.5, 6.5, 9, 12)
"""How far from the lesion a place is tried, in rows of text."""
_LEADER = 1.4
"""From this far away on (in rows of text) a thin line ties the callout to its lesion."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box in a slice, mm."""

    top: float
    left: float
    bottom: float
    right: float

    def overlaps(self, other: Box) -> bool:
        """Whether both share a point."""
        return (
            self.top < other.bottom and other.top < self.bottom and self.left < other.right and other.left < self.right
        )

    def inside(self, other: Box) -> bool:
        """Whether the other one holds it."""
        return (
            other.top <= self.top
            and self.bottom <= other.bottom
            and other.left <= self.left
            and self.right <= other.right
        )


@dataclass(frozen=True, slots=True)
class Row:
    """Words in a colour; ``width`` without margins, mm."""

    text: str
    colour: str
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Callout:
    """Rows of words about something on a slice.

    Parameters
    ----------
    bar : colour of the bar before the rows, empty for none.
    width, row : width of the widest row with its margins, and height of one, mm.
    about : the box of what the words are about.
    touches : (N, 2) in mm, points of it that a leader may end at.
    """

    z: int
    rows: tuple[Row, ...]
    bar: str
    width: float
    row: float
    about: Box
    touches: npt.NDArray[np.float64]

    @property
    def height(self) -> float:
        """Height of all rows."""
        return self.row * len(self.rows)


@dataclass(frozen=True, slots=True)
class Placed:
    """A callout in its place; ``leader`` goes from it to what it is about, None where it stands close by."""

    callout: Callout
    box: Box
    leader: tuple[Point, Point] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What may not be covered on one slice.

    Parameters
    ----------
    view : what can be seen of the slice.
    mask : (Y, X), pixels of lesions.
    scale, origin : (row, column) in mm: size of a pixel, centre of the first one.
    points : (N, 2) in mm, lines and outlines.
    """

    view: Box
    mask: npt.NDArray[np.bool_]
    scale: Point
    origin: Point
    points: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))

    def covered(self, box: Box) -> int:
        """How many pixels and points of the taken ones a box would cover."""
        (down, along), (top, left) = self.scale, self.origin
        first = np.floor([(box.top - top) / down, (box.left - left) / along]).astype(int)
        last = np.ceil([(box.bottom - top) / down, (box.right - left) / along]).astype(int) + 1
        (r, c), (r_2, c_2) = np.maximum(first, 0), np.maximum(last, 0)
        ys, xs = self.points[:, 0], self.points[:, 1]
        on = (ys >= box.top) & (ys <= box.bottom) & (xs >= box.left) & (xs <= box.right)
        return int(self.mask[r:r_2, c:c_2].sum()) + int(on.sum())


def place(callouts: Sequence[Callout], taken: Taken) -> list[Placed]:
    """The callouts of one slice in their places, one after the other.

    Where no free place is found the one that covers least is taken: words are never left out.
    """
    placed: list[Placed] = []
    for callout in callouts:
        box = _best(callout, taken, [one.box for one in placed])
        placed.append(Placed(callout, box, _leader(callout, box)))
    return placed


def _best(callout: Callout, taken: Taken, others: list[Box]) -> Box:
    best: tuple[float, Box] | None = None
    for box in _places(callout):
        bad = float(taken.covered(box)) + 1e6 * sum(box.overlaps(other) for other in others)
        bad += 0 if box.inside(taken.view) else 1e5
        if bad == 0:
            return box
        if best is None or bad < best[0]:
            best = bad, box
    assert best is not None
    return best[1]


def _places(callout: Callout) -> Iterator[Box]:
    """Above, right, below, left, then the corners; first close by, then farther away."""
    about, width, height = callout.about, callout.width, callout.height
    middle_row = (about.top + about.bottom - height) / 2
    middle_column = (about.left + about.right - width) / 2
    for away in (rows * callout.row for rows in _AWAY):
        above, below = about.top - away - height, about.bottom + away
        left, right = about.left - away - width, about.right + away
        for top, column in (
            (above, middle_column),
            (middle_row, right),
            (below, middle_column),
            (middle_row, left),
            (above, about.right),
            (above, about.left - width),
            (below, about.right),
            (below, about.left - width),
        ):
            yield Box(top, column, top + height, column + width)


def _leader(callout: Callout, box: Box) -> tuple[Point, Point] | None:
    """From the box to the nearest point of what it is about."""
    rows = np.clip(callout.touches[:, 0], box.top, box.bottom)
    columns = np.clip(callout.touches[:, 1], box.left, box.right)
    away = np.hypot(callout.touches[:, 0] - rows, callout.touches[:, 1] - columns)
    if not away.size or away.min() < _LEADER * callout.row:
        return None
    n = int(np.argmin(away))
    return (float(rows[n]), float(columns[n])), (float(callout.touches[n, 0]), float(callout.touches[n, 1]))
