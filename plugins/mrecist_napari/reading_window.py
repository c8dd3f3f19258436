"""The window in which a subject is read: the visit, the visit before beside it, and the panel.

It holds no state of the read: it shows a :class:`mrecist.session.room.Room` and tells it what the reader does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mrecist.errors import MrecistError
from mrecist.imaging.series import Series
from mrecist.imaging.volume import Volume
from mrecist.segment.prompt import Line
from mrecist.session.case import CaseVisit
from mrecist.session.room import Room, best_series
from mrecist_napari.marks import MarkLine, lines_of, marks_on
from mrecist_napari.pane import Pane
from mrecist_napari.prior import PriorPane
from mrecist_napari.tools import Index3, MouseTools
from mrecist_napari.windows import next_preset


class ReadingWindow:
    """The reading room on a screen.

    Parameters
    ----------
    room : the opened subject.
    viewer : a napari Viewer; a new one unless given.
    """

    def __init__(self, room: Room, viewer: Any = None) -> None:
        import napari

        self.room = room
        self.viewer = viewer if viewer is not None else napari.Viewer(title="mrecist", show=True)
        self.current = Pane(self.viewer)
        self.prior = PriorPane(self.viewer, self.current)
        self.mouse = MouseTools(self.current, self._say)
        self.message: Callable[[str], None] = lambda text: setattr(self.viewer, "status", text)
        self._workers: list[Any] = []
        self._shown: int | None = None
        self._growing: MarkLine | None = None
        self._stop = room.watch(self._changed)
        self.viewer.dims.events.point.connect(lambda _event: self._say())
        self._open_visit()

    # --- loading ---------------------------------------------------------------------------------------------------

    def _open_visit(self) -> None:
        """Show the visit as soon as its first series is there; the others, and the visit before, come after it."""
        self._shown = self.room.looking.timepoint
        self.current.clear()
        visit = self.room.visit
        order = [best_series(visit), *(s for s in visit.series if s != best_series(visit))]
        prior = self._prior_visit()
        self.prior.clear(prior)
        todo = [(self.current, series) for series in order]
        if prior is not None:
            first = best_series(prior)
            todo[1:1] = [(self.prior.pane, first)]
            todo += [(self.prior.pane, s) for s in prior.series if s != first]
        self.load(todo)

    def _prior_visit(self) -> CaseVisit | None:
        return None if self.room.looking.prior is None else self.room.case.visit(self.room.looking.prior)

    def load(self, todo: list[tuple[Pane, Series]]) -> None:
        """Load series one after the other away from the screen's thread, and show each when it is there."""
        from napari.qt.threading import thread_worker

        @thread_worker(progress={"total": len(todo), "desc": "loading series"})
        def work() -> Iterator[tuple[Pane, Series, Volume | MrecistError]]:
            for pane, series in todo:
                try:
                    yield pane, series, self.room.volumes.get(series)
                except MrecistError as error:
                    yield pane, series, error

        worker = work()
        worker.yielded.connect(self._loaded)
        self._start(worker)

    def _loaded(self, arrived: tuple[Pane, Series, Volume | MrecistError]) -> None:
        pane, series, volume = arrived
        if isinstance(volume, MrecistError):
            self.message(str(volume))
            return
        expected = self.room.visit if pane is self.current else self._prior_visit()
        if expected is None or all((s.uid, s.stack) != (series.uid, series.stack) for s in expected.series):
            return  # the reader has moved on
        pane.add(series, volume)
        if pane.series is None:
            pane.show(self.room.series if pane is self.current and pane.has(self.room.series) else series)
            self.redraw()

    def _start(self, worker: Any) -> None:
        self._workers.append(worker)
        worker.finished.connect(lambda: self._workers.remove(worker) if worker in self._workers else None)
        worker.start()

    @property
    def busy(self) -> bool:
        """Something is being loaded or cut."""
        return bool(self._workers)

    # --- showing ---------------------------------------------------------------------------------------------------

    def _changed(self, what: str) -> None:
        if what == "looking":
            if self.room.looking.timepoint != self._shown:
                self._open_visit()
                return
            if self.current.series is not None and self.current.has(self.room.series):
                self.current.show(self.room.series)
            self.jump()
        self.redraw()

    def redraw(self) -> None:
        """Masks and lines of both visits as the read stands, with the proposal that waits."""
        if self.current.series is not None:
            self.current.draw(self._marks(self.current, self.room.looking.timepoint), self._extra())
        prior = self.room.looking.prior
        if prior is not None and self.prior.pane.series is not None:
            self.prior.pane.draw(self._marks(self.prior.pane, prior))
        self._say()

    def _marks(self, pane: Pane, timepoint: int) -> Any:
        assert pane.series is not None
        marks = marks_on(self.room, timepoint, (pane.series.uid, pane.series.stack))
        pending = self.room.pending
        if pending is not None and pane is self.current and pending.timepoint == timepoint:
            own = (pending.proposal.series.uid, pending.proposal.series.stack)
            if own == (pane.series.uid, pane.series.stack):
                marks.whole[pending.proposal.whole] = 255
                if pending.proposal.viable is not None:
                    marks.viable[pending.proposal.viable] = 255
        return marks

    def _extra(self) -> tuple[MarkLine, ...]:
        lines = () if self._growing is None else (self._growing,)
        pending = self.room.pending
        if pending is not None:
            lines += tuple(lines_of(pending.proposal, pending.lesion))
        return lines

    def jump(self) -> None:
        """Both panes to the lesion that is chosen."""
        for pane, timepoint in (
            (self.current, self.room.looking.timepoint),
            (self.prior.pane, self.room.looking.prior),
        ):
            if timepoint is None or pane.series is None or not self.room.looking.lesion:
                continue
            drawn = self.room.drawn(timepoint, self.room.looking.lesion)
            if drawn is not None:
                longest = drawn.measurement.longest
                middle = np.mean(longest.ends_index, axis=0)
                pane.centre_on((float(longest.slice_index), float(middle[0]), float(middle[1])))

    def _say(self) -> None:
        for pane, timepoint, where in (
            (self.current, self.room.looking.timepoint, "CURRENT"),
            (self.prior.pane, self.room.looking.prior, "PRIOR"),
        ):
            if pane.series is None or timepoint is None:
                continue
            visit = "baseline" if timepoint == 0 else f"time point {timepoint}"
            phase = str(pane.series.phase.name).lower()
            pane.say(f"{where}  {visit}\n{phase}  {pane.window.text}\nslice {pane.slice_index + 1} / {pane.slices}")

    # --- doing -----------------------------------------------------------------------------------------------------

    def start_line(self, lesion: str = "") -> None:
        """The next drag is the long axis of a lesion: a new one, or the one named."""
        self.message("drag the long axis of the lesion on its largest slice")
        self.mouse.ask_for_line(self._line_grows, lambda start, end: self._line_drawn(start, end, lesion))

    def _line_grows(self, start: Index3, end: Index3) -> None:
        grid = self.current.grid
        mm = float(np.hypot((end[1] - start[1]) * grid.scale[1], (end[2] - start[2]) * grid.scale[2]))
        self._growing = MarkLine(
            lesion="",
            size="longest_mm",
            text=f"{mm:.1f} mm",
            colour="#ffffff",
            ends=(start, (start[0], end[1], end[2])),
            callout=(start[0], end[1], end[2] + 4),
            manual=True,
            proposed=False,
        )
        self.redraw()

    def _line_drawn(self, start: Index3, end: Index3, lesion: str) -> None:
        self._growing = None
        line = Line(start=start, end=(start[0], end[1], end[2]))
        self.later(lambda: self.room.ask(line, lesion=lesion), self.room.offer, "finding the lesion")

    def later(self, work: Callable[[], Any], then: Callable[[Any], None], what: str) -> None:
        """Do long work away from the screen's thread, then go on with its result; an error is told in one line."""
        from napari.qt.threading import thread_worker

        @thread_worker(progress={"desc": what})
        def run() -> Any:
            try:
                return work()
            except MrecistError as error:
                return error

        def done(result: Any) -> None:
            if isinstance(result, MrecistError):
                self.message(str(result))
                self.redraw()
            else:
                then(result)

        worker = run()
        worker.returned.connect(done)
        self._start(worker)

    def next_window(self) -> None:
        """The next window preset, in both panes."""
        window = next_preset(self.current.window)
        self.current.set_window(window)
        self.prior.pane.set_window(window)
        self._say()

    def close(self) -> None:
        """Leave the read; the window stays."""
        self._stop()
        for worker in self._workers:
            worker.quit()
        self.room.close()
