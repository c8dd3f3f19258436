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
from mrecist.session.case import CaseVisit
from mrecist.session.room import Room, best_series
from mrecist_napari.background import Background
from mrecist_napari.help_page import HelpPage
from mrecist_napari.hints import KEYS as KEYS_SEEN
from mrecist_napari.hints import Hints
from mrecist_napari.keys import bind
from mrecist_napari.layout import AsksBeforeClosing, lists_shown, show_lists
from mrecist_napari.marks import MarkLine, lines_of, marks_on
from mrecist_napari.pane import Pane
from mrecist_napari.panel import ReadingPanel
from mrecist_napari.phases import flicked_to, of_phase
from mrecist_napari.prior import PriorPane
from mrecist_napari.proposing import Proposing
from mrecist_napari.tools import MouseTools
from mrecist_napari.windows import next_preset

_PANEL_WIDTH = 430  # pixels


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
        self.prior_mouse = MouseTools(self.prior.pane, self._say)
        self.hints = Hints(room, self.current.tell)
        self.message: Callable[[str], None] = self.hints.tell
        self.background = Background(self._failed)
        self.proposing = Proposing(self)
        self.help = HelpPage(self.prior.main, self.toggle_help)
        self.closing = AsksBeforeClosing(self.prior.main, self.would_be_lost)
        self._shown: int | None = None
        self.panel = ReadingPanel(room, do_later=self.background.later, message=self.message)
        self.panel_dock = self.viewer.window.add_dock_widget(self.panel, name="read", area="right")
        self.panel.setMinimumWidth(_PANEL_WIDTH)
        self._stop = room.watch(self._changed)
        self.viewer.dims.events.point.connect(lambda _event: self._say())
        bind(self, self.viewer)
        bind(self, self.prior.model)
        self.message("")
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
        self.background.start(worker)

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

    @property
    def busy(self) -> bool:
        """Something is being loaded or cut."""
        return self.background.busy

    def _failed(self, why: str) -> None:
        self.message(why)
        self.redraw()

    # --- showing ---------------------------------------------------------------------------------------------------

    def _changed(self, what: str) -> None:
        if self.room.session.trouble:
            self.message(f"NOT SAVED  {self.room.session.trouble} (F8)")
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
        self.prior.model.layers.selection.clear()
        if self.current.series is not None:
            self.current.drawing.draw(self._marks(self.current, self.room.looking.timepoint), self._extra())
        prior = self.room.looking.prior
        if prior is not None and self.prior.pane.series is not None:
            self.prior.pane.drawing.draw(self._marks(self.prior.pane, prior))
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
        lines: tuple[MarkLine, ...] = ()
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
            slid = self.prior.offset_mm
            link = f"   offset {slid:+.1f} mm" if pane is self.prior.pane and abs(slid) >= 0.05 else ""
            pane.say(
                f"{where}  {visit}\n{phase}  {pane.window.text}\nslice {pane.slice_index + 1} / {pane.slices}{link}"
            )

    # --- doing -----------------------------------------------------------------------------------------------------

    def guarded(self, act: Callable[[], Any]) -> None:
        """Do what a key asks for; what cannot be is one line at the foot of the picture."""
        try:
            act()
        except MrecistError as error:
            self.message(str(error))

    def save_again(self) -> None:
        """Try to save what a full disk refused."""
        saved = self.room.session.save()
        self.message("everything is saved" if saved else f"NOT SAVED  {self.room.session.trouble} (F8)")

    def would_be_lost(self) -> str:
        """What closing now would lose; empty when nothing."""
        said = []
        if self.room.pending is not None:
            said.append("A proposal is neither accepted nor rejected.")
        if self.room.session.unsaved:
            said.append(f"{self.room.session.unsaved} actions are not saved: {self.room.session.trouble}")
        return " ".join(said)

    def show_phase(self, phase: str) -> None:
        """A phase in both panes."""
        series = of_phase(self.room.visit, phase)
        if series is None or not self.current.has(series):
            self.message(f"no {phase.lower()} phase at this visit" if series is None else "this phase is still loading")
            return
        prior = self._prior_visit()
        beside = of_phase(prior, phase) if prior is not None else None
        if beside is not None and self.prior.pane.has(beside):
            self.prior.pane.show(beside)
        self.room.look_at_series(series)

    def flick(self) -> Callable[[], None]:
        """Show the portal venous phase until the result is called."""
        now = self.current.series
        there = flicked_to(self.room.visit, now) if now is not None else None
        if now is None or there is None or not self.current.has(there):
            return lambda: None
        self.current.show(there)
        self._say()

        def back() -> None:
            self.current.show(now)
            self._say()

        return back

    def hidden(self) -> Callable[[], None]:
        """Hide masks and lines until the result is called."""
        for pane in (self.current, self.prior.pane):
            pane.drawing.hide(True)

        def back() -> None:
            for pane in (self.current, self.prior.pane):
                pane.drawing.hide(False)

        return back

    def step(self, slices: int) -> None:
        """So many slices on."""
        if self.current.series is not None:
            self.current.go_to_slice(self.current.slice_index + slices)

    def link_here(self) -> None:
        """The slices shown belong together."""
        self.prior.link_here()
        self._say()

    def toggle_layers(self) -> None:
        """napari's own lists, for those who want them."""
        show_lists(self.prior.main, not lists_shown(self.prior.main))

    def toggle_help(self) -> None:
        """The keys over the picture, or away."""
        self.help.toggle()
        self.hints.did(KEYS_SEEN)

    def next_window(self) -> None:
        """The next window preset, in both panes."""
        window = next_preset(self.current.window)
        self.current.set_window(window)
        self.prior.pane.set_window(window)
        self._say()

    def close(self) -> None:
        """Leave the read; the window stays."""
        self._stop()
        self.hints.stop()
        self.panel.stop()
        self.background.quit()
        self.room.close()
