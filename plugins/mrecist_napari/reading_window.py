"""The window in which a subject is read: the visit, the visit before beside it, and the panel.

It holds no state of the read: it shows a :class:`mrecist.session.room.Room` and tells it what the reader does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from qtpy.QtCore import QTimer

from mrecist.errors import MrecistError
from mrecist.imaging.series import Series
from mrecist.imaging.volume import Volume
from mrecist.session.case import CaseVisit
from mrecist.session.proposing import Proposal
from mrecist.session.room import Room, best_series
from mrecist_napari.background import Background
from mrecist_napari.keys import bind, help_text
from mrecist_napari.layout import AsksBeforeClosing, lists_shown, show_lists
from mrecist_napari.marks import MarkLine, Marks, lines_of, marks_on
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
        self.message: Callable[[str], None] = self._tell
        self.background = Background(self._failed)
        self.proposing = Proposing(self)
        self.closing = AsksBeforeClosing(self.prior.main, self.would_be_lost)
        self._shown: int | None = None
        self._looked_at: tuple[str, int] | None = None
        self._jumps = False
        self._drawn: dict[Pane, tuple[object, Marks, tuple[MarkLine, ...]]] = {}
        # Several changes in a row (a lesion, its mask, the choice of it) are shown once.
        self._soon = QTimer(self.prior.main)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._show)
        self.panel = ReadingPanel(room, do_later=self._later, message=self.message)
        self.panel_dock = self.viewer.window.add_dock_widget(self.panel, name="read", area="right")
        self.panel.setMinimumWidth(_PANEL_WIDTH)
        self._stop = room.watch(self._changed)
        self.viewer.dims.events.point.connect(lambda _event: self._say())
        bind(self, self.viewer)
        bind(self, self.prior.model)
        self._hint = "? shows the keys   N then drag: new lesion"
        self.message(self._hint)
        self._open_visit()

    # --- loading ---------------------------------------------------------------------------------------------------

    def _open_visit(self) -> None:
        """Show the visit as soon as its first series is there; the others, and the visit before, come after it."""
        self._shown = self.room.looking.timepoint
        self.mouse.stop()
        self._drawn.clear()
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
        def work() -> Iterator[tuple[Pane, Series, Volume | Exception]]:
            for pane, series in todo:
                try:
                    yield pane, series, self.room.volumes.get(series)
                except (MrecistError, OSError) as error:
                    yield pane, series, error

        worker = work()
        worker.yielded.connect(self._loaded)
        self.background.start(worker)

    def _loaded(self, arrived: tuple[Pane, Series, Volume | Exception]) -> None:
        pane, series, volume = arrived
        if isinstance(volume, Exception):
            self.message(str(volume))
            return
        expected = self.room.visit if pane is self.current else self._prior_visit()
        if expected is None or all((s.uid, s.stack) != (series.uid, series.stack) for s in expected.series):
            return  # the reader has moved on
        pane.add(series, volume)
        chosen = pane is self.current and series == self.room.series
        if pane.series is None or (chosen and pane.series != series):
            pane.show(series)
            self._soon.start()

    @property
    def busy(self) -> bool:
        """Something is being loaded, cut, or about to be shown."""
        return self.background.busy or self._soon.isActive()

    def _later(self, work: Callable[[], Any], then: Callable[[Any], None], what: str) -> None:
        """Long work of the panel; what was measured by it is drawn."""

        def go_on(result: Any) -> None:
            then(result)
            self._soon.start()

        self.background.later(work, go_on, what)

    def _failed(self, why: str) -> None:
        self.message(why)
        self.redraw()

    # --- showing ---------------------------------------------------------------------------------------------------

    def _changed(self, what: str) -> None:
        if self.room.session.trouble:
            self.message("")
        if what == "looking":
            if self.room.looking.timepoint != self._shown:
                self._open_visit()
                return
            if self.room.looking.series == self._looked_at:
                self._jumps = True  # to a lesion; another phase leaves the slice where it is
        self._soon.start()

    def _show(self) -> None:
        """The read as it stands, once its sizes are known: what is not measured yet is measured elsewhere first."""
        self._looked_at = self.room.looking.series
        series = self.room.series
        if self.current.series is not None and self.current.series != series and self.current.has(series):
            self.current.show(series)
        if self.room.unmeasured() and self.panel.measure():
            return
        if self._jumps:
            self._jumps = False
            self.jump()
        self.redraw()

    def redraw(self) -> None:
        """Masks and lines of both visits as the read stands, with the proposal that waits."""
        self.prior.model.layers.selection.clear()
        try:
            self._draw(self.current, self.room.looking.timepoint, self._extra())
            if self.room.looking.prior is not None:
                self._draw(self.prior.pane, self.room.looking.prior, ())
        except MrecistError as error:
            self.message(str(error))
        self._say()

    def _draw(self, pane: Pane, timepoint: int, extra: tuple[MarkLine, ...]) -> None:
        """One visit; nothing is built again where nothing of it changed."""
        if pane.series is None:
            return
        needs = (pane.series, timepoint, self.room.state.lesions, self.room.state.visit(timepoint).marks)
        waits = self._proposed_on(pane) is not None
        before = self._drawn.get(pane)
        if before is not None and before[0] == needs and not waits:
            marks = before[1]
            if extra == before[2]:
                return
        else:
            marks = self._marks(pane, timepoint)
        pane.drawing.draw(marks, extra)
        # With a proposal in it the marks are of the moment.
        self._drawn[pane] = (None if waits else needs, marks, extra)

    def _marks(self, pane: Pane, timepoint: int) -> Marks:
        assert pane.series is not None
        marks = marks_on(self.room, timepoint, (pane.series.uid, pane.series.stack))
        proposal = self._proposed_on(pane)
        if proposal is not None:
            marks.whole[proposal.whole] = 255
            if proposal.viable is not None:
                marks.viable[proposal.viable] = 255
        return marks

    def _proposed_on(self, pane: Pane) -> Proposal | None:
        """The proposal that waits, where it was drawn on what the pane shows."""
        pending, series = self.room.pending, pane.series
        if pending is None or series is None or pane is not self.current:
            return None
        own = pending.timepoint, pending.proposal.series.uid, pending.proposal.series.stack
        return pending.proposal if own == (self.room.looking.timepoint, series.uid, series.stack) else None

    def _extra(self) -> tuple[MarkLine, ...]:
        pending, proposal = self.room.pending, self._proposed_on(self.current)
        return () if proposal is None or pending is None else tuple(lines_of(proposal, pending.lesion))

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
        except (MrecistError, OSError) as error:
            self.message(str(error))

    def _tell(self, words: str) -> None:
        """A line at the foot of the picture; where nothing else is said, what is not saved."""
        trouble = self.room.session.trouble
        self.current.tell(words or (f"NOT SAVED  {trouble} (F8)" if trouble else ""))

    def save_again(self) -> None:
        """Try to save what a full disk refused."""
        self.message("everything is saved" if self.room.session.save() else "")

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
            if self.current.has(now):  # else another visit was opened meanwhile
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
        shown = self.viewer.canvas.overlays["keys"].visible
        self.current.show_keys("" if shown else help_text())

    def next_window(self) -> None:
        """The next window preset, in both panes."""
        window = next_preset(self.current.window)
        self.current.set_window(window)
        self.prior.pane.set_window(window)
        self._say()

    def close(self) -> None:
        """Leave the read; the window stays."""
        self._stop()
        self._soon.stop()
        self.panel.stop()
        self.background.quit()
        self.room.close()
