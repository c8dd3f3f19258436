"""Lesions of the visit before as dashed lines on the current one, carried over in the background; the reader takes them up one by one."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mrecist.session.following import Carried, Ghost, offset_mm
from mrecist.session.waiting import Pending
from mrecist_napari.drawing import GHOST_LINES, GHOST_NAMES

if TYPE_CHECKING:
    from mrecist_napari.pane import Pane
    from mrecist_napari.reading_window import ReadingWindow

COLOUR = "#7fe3c1"
"""Pale green: neither the blue nor the yellow of what was measured."""
_FAINT = "#7fe3c155"
_DASH_MM, _GAP_MM = 2.4, 1.8
Pair = tuple[int, int]


class Following:
    """The ghosts of one reading window."""

    def __init__(self, window: ReadingWindow) -> None:
        self._window = window
        self._room = window.room
        self._worker: Any = None
        self._running: Pair | None = None
        # Pairs of visits that were begun without being asked for, and the offset at which the reader has linked their slices.
        self._begun: set[Pair] = set()
        self._linked: dict[Pair, float] = {}
        self._drawn: tuple[object, list[Any]] = (None, [])
        window.prior.linked_by_reader = self._reader_linked

    # --- carrying --------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Carry the lesions once when a visit is opened, as soon as both series are there."""
        pair, following = self._room.following.pair, self._room.following
        self._link()
        if self._running is not None and self._running != pair:
            self._leave()
        if pair is None or pair in self._begun or self._worker is not None:
            return
        both = following.series() if following.wanted() else None
        if both is not None and self._window.prior.pane.has(both[0]) and self._window.current.has(both[1]):
            self._begun.add(pair)
            self._start()

    def ask(self) -> None:
        """Carry them because the reader asks; while that is under way it is stopped."""
        following = self._room.following
        if self._worker is not None:
            self._leave()
            self._window.message("stopped; P carries the lesions of the visit before again")
            return
        if following.carried is not None and following.carried.problem:
            following.forget()
        if following.wanted():
            self._start()
        elif following.ghosts():
            self._tell()
        elif following.pair is None:
            self._window.message("there is no visit before beside this one")
        else:
            self._window.message("every lesion drawn at the visit before has a word at this one, or cannot be carried")

    def propose(self) -> None:
        """The ghost of the chosen lesion as a proposal: to be accepted, mended or rejected as any other."""
        lesion, timepoint = self._room.looking.lesion, self._room.looking.timepoint
        if self._room.pending is not None:
            self._window.message("a proposal waits: Return accepts it, Esc rejects it")
            return
        ghosts = self._room.following.ghosts()
        if self._room.following.ghost(lesion) is None and len(ghosts) == 1:
            lesion = ghosts[0].lesion
            self._room.look_at_lesion(lesion)

        def offer(pending: Pending) -> None:
            if self._room.looking.timepoint == timepoint and self._room.state.mark(timepoint, lesion) is None:
                self._window.proposing.offer(pending)

        self._window.message(f"finding {lesion} ..." if lesion else "")
        self._window.background.later(lambda: self._room.following.propose(lesion), offer, "finding the lesion")

    def _reader_linked(self, offset: float) -> None:
        """The reader's own link of the slices holds for this pair of visits."""
        if self._room.following.pair is not None:
            self._linked[self._room.following.pair] = offset

    def _start(self) -> None:
        from napari.qt.threading import thread_worker

        work, steps = self._room.following.carrying(), 4 + len(self._room.following.wanted())
        self._running = self._room.following.pair

        @thread_worker(progress={"total": steps, "desc": "carrying lesions of the visit before"})
        def run() -> Generator[str, None, Carried]:
            return (yield from work)

        worker = self._worker = run()
        worker.returned.connect(self._arrived)
        worker.finished.connect(lambda: self._ended(worker))
        self._window.background.start(worker)

    def _leave(self) -> None:
        """What is under way is stopped at its next step, and nothing is kept of it."""
        if self._worker is not None:
            self._worker.returned.disconnect(self._arrived)
            self._worker.quit()
        self._worker = self._running = None

    def _ended(self, worker: Any) -> None:
        if worker is self._worker:
            self._worker = self._running = None

    def _arrived(self, carried: Carried) -> None:
        self._worker = self._running = None
        if self._room.following.keep(carried):
            self._link()
            self._window.redraw()
            if self._room.looking.lesion:
                self._window.jump()
            self._tell()

    def _link(self) -> None:
        """The slices of both visits lie beside each other as the reader linked them, else as the lesions do."""
        pane, current = self._window.prior, self._window.current.series
        pair, carried = self._room.following.pair, self._room.following.carried
        if pair is None or pane.pane.series is None or current is None:
            return
        slid = self._linked.get(pair)
        if slid is None:
            slid = offset_mm(() if carried is None else carried.ghosts, pane.pane.series, current) or 0.0
        if slid != pane.offset_mm:
            pane.offset_mm = slid
            pane.follow()

    # --- showing ---------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """The ghosts of the series that is shown, in place of those that were there."""
        pane = self._window.current
        pending = self._room.pending.lesion if self._room.pending is not None else ""
        found = [(one, one.line_on(pane.series)) for one in self._room.following.ghosts() if one.lesion != pending]
        ghosts = [(ghost, line) for ghost, line in found if line is not None]
        there = GHOST_LINES in pane.viewer.layers
        where = (pane.series.uid, pane.series.stack) if pane.series is not None else None
        drawn = (where, [(ghost.lesion, ghost.mm, ghost.followed.off_mm, line) for ghost, line in ghosts])
        if drawn == self._drawn and there is bool(ghosts):
            return  # taking layers away and adding them costs more than all else that is drawn
        self._drawn = drawn
        for name in (GHOST_LINES, GHOST_NAMES) if there else ():
            pane.viewer.layers.remove(pane.viewer.layers[name])
        shown = [(ghost, np.array([line.start, line.end])) for ghost, line in ghosts]
        if shown and pane.series is not None:
            _draw(pane, shown)

    def place_of(self, lesion: str) -> tuple[float, float, float] | None:
        """The middle (z, y, x) of a ghost on the series that is shown."""
        ghost, series = self._room.following.ghost(lesion), self._window.current.series
        line = ghost.line_on(series) if ghost is not None and series is not None else None
        if line is None:
            return None
        z, y, x = (np.array(line.start) + line.end) / 2
        return float(z), float(y), float(x)

    def tell_chosen(self) -> None:
        """What is known of the place of the chosen lesion."""
        ghost = self._room.following.ghost(self._room.looking.lesion)
        if ghost is not None and self._room.pending is None:
            self._window.message(f"{ghost.lesion}: {ghost.followed.note}\nShift+P proposes it   1 to 5 say what it is")

    def _tell(self) -> None:
        carried = self._room.following.carried
        if carried is None or self._room.pending is not None:
            return
        if carried.problem:
            self._window.message(carried.problem)
            return
        names = [one.lesion for one in self._room.following.ghosts()]
        if names and self._room.looking.lesion in names:
            self.tell_chosen()
            return
        lines = (
            [f"{', '.join(names)} carried over as dashed lines: End goes to the next, Shift+P proposes it"]
            if names
            else []
        )
        self._window.message("\n".join([*lines, *carried.left]))


def _draw(pane: Pane, shown: list[tuple[Ghost, Any]]) -> None:
    scale = np.array(pane.grid.scale)
    dashes, colours = [], []
    for _, ends in shown:
        for step in (0, -1, 1):
            # Fainter on the slices beside it, so that it is met while scrolling.
            for one in _dashes(ends + np.array([step, 0, 0]), scale):
                dashes.append(one)
                colours.append(COLOUR if step == 0 else _FAINT)
    lines = pane.viewer.add_shapes(
        dashes,
        shape_type="line",
        name=GHOST_LINES,
        edge_color=colours,
        edge_width=1.0,
        **pane.place(pane.series),
    )
    lines.editable = False
    points = pane.viewer.add_points(
        np.array([_beside(ends, scale) for _, ends in shown]),
        name=GHOST_NAMES,
        size=0.1,
        face_color="transparent",
        border_color="transparent",
        features={"label": [f"{g.lesion} was {g.mm:.1f} mm, place ±{g.followed.off_mm:.0f} mm" for g, _ in shown]},
        text={"string": "{label}", "color": COLOUR, "size": 10, "anchor": "upper_left"},
        **pane.place(pane.series),
    )
    points.editable = False
    pane.viewer.layers.selection.clear()


def _dashes(ends: Any, scale: Any) -> Iterator[Any]:
    """A line (2, 3) as the ends of its dashes; napari draws none by itself."""
    start, way = ends[0], ends[1] - ends[0]
    length = float(np.linalg.norm(way * scale))
    count = max(round((length + _GAP_MM) / (_DASH_MM + _GAP_MM)), 2)
    share = _DASH_MM / (_DASH_MM + _GAP_MM)
    unit = 1 / (count - 1 + share)
    for number in range(count):
        yield np.array([start + way * number * unit, start + way * (number + share) * unit])


def _beside(ends: Any, scale: Any) -> tuple[float, float, float]:
    """Where the name stands: above the right end."""
    right = ends[int(ends[1][2] > ends[0][2])]
    return float(right[0]), float(right[1] - 3 / scale[1]), float(right[2] + 2 / scale[2])
