"""The window in which a subject is read: the visit, the visit before beside it, and the panel.

It holds no state of the read: it shows a :class:`mrecist.session.room.Room` and tells it what the reader does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from qtpy.QtCore import QTimer

from mrecist.errors import MrecistError
from mrecist.session.case import CaseVisit
from mrecist.session.room import Room
from mrecist_napari.background import Background
from mrecist_napari.clicking import Clicking
from mrecist_napari.corner import Corner
from mrecist_napari.following import Following
from mrecist_napari.help_page import HelpPage
from mrecist_napari.hints import KEYS as KEYS_SEEN
from mrecist_napari.hints import Hints
from mrecist_napari.keys import bind
from mrecist_napari.layout import AsksBeforeClosing, lists_shown, show_lists
from mrecist_napari.loading import Loading
from mrecist_napari.marks import Marks, marks_on
from mrecist_napari.measuring import Measuring
from mrecist_napari.painting import Painting
from mrecist_napari.pane import Pane
from mrecist_napari.panel import ReadingPanel
from mrecist_napari.phases import flicked_to, of_phase
from mrecist_napari.prior import PriorPane
from mrecist_napari.priors import Priors
from mrecist_napari.proposing import Proposing
from mrecist_napari.reformats import Reformats
from mrecist_napari.tools import MouseTools

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
        self.message: Callable[[str], None] = self._tell
        self.background = Background(self._failed)
        self.proposing = Proposing(self)
        self.painting = Painting(self)
        self.clicking = Clicking(self)
        self.measuring = Measuring(self)
        self.following = Following(self)
        self.help = HelpPage(self.prior.main, self.toggle_help)
        self.closing = AsksBeforeClosing(self.prior.main, self.would_be_lost)
        self.priors = Priors(self)
        self.loading = Loading(self)
        self.corner = Corner(self)
        self.reformats = Reformats(self)
        self._shown = (room.looking.timepoint, room.looking.prior)
        self._looked_at: tuple[str, int] | None = None
        self._jumps = False
        self._beside: tuple[object, ...] = ()
        # Several changes in a row (a lesion, its mask, the choice of it) are shown once.
        self._soon = QTimer(self.prior.main)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._show)
        self.panel = ReadingPanel(room, do_later=self._later, message=self.message)
        self.panel_dock = self.viewer.window.add_dock_widget(self.panel, name="read", area="right")
        self.panel.setMinimumWidth(_PANEL_WIDTH)
        self._stop = room.watch(self._changed)
        bind(self, self.viewer)
        bind(self, self.prior.model)
        self.message("")
        self.loading.visit()

    # --- loading ---------------------------------------------------------------------------------------------------

    def _prior_visit(self) -> CaseVisit | None:
        return None if self.room.looking.prior is None else self.room.case.visit(self.room.looking.prior)

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
            before, self._shown = self._shown, (self.room.looking.timepoint, self.room.looking.prior)
            if self._shown != before:
                same_visit = self._shown[0] == before[0]
                self.mouse.stop()
                self._beside = ()
                self.loading.beside() if same_visit else self.loading.visit()
                self.corner.say()
                return
            if self.room.looking.series == self._looked_at:
                self._jumps = True  # to a lesion; another phase leaves the slice where it is
        if what == "pending":
            self.painting.pending_changed()
        self._soon.start()

    def show_soon(self) -> None:
        """Show the read as it stands once what is going on now is done."""
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
            self.following.tell_chosen()
        self.redraw()

    def redraw(self) -> None:
        """Masks and lines of both visits as the read stands, with the proposal that waits."""
        self.prior.model.layers.selection.clear()
        try:
            if self.current.series is not None:
                self.current.drawing.draw(self._marks(self.current, self.room.looking.timepoint))
                self.following.draw()
            self._draw_beside()
        except MrecistError as error:
            self.message(str(error))
        self.reformats.masks_changed()
        self._say()

    def _draw_beside(self) -> None:
        """The visit beside; nothing is built again where nothing of it changed."""
        prior, series = self.room.looking.prior, self.prior.pane.series
        if prior is None or series is None:
            self._beside = ()
            return
        needs = (series, prior, self.room.state.lesions, self.room.state.visit(prior).marks)
        if needs != self._beside:
            self._beside = needs
            self.prior.pane.drawing.draw(self._marks(self.prior.pane, prior))

    def _marks(self, pane: Pane, timepoint: int) -> Marks:
        assert pane.series is not None
        marks = marks_on(self.room, timepoint, (pane.series.uid, pane.series.stack))
        return self.measuring.with_own(marks) if pane is self.current else marks

    def jump(self) -> None:
        """Both panes to the lesion that is chosen; where nothing is drawn of it yet, to its carried place."""
        with self.prior.alone():
            self._jump()

    def _jump(self) -> None:
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
            elif pane is self.current and (place := self.following.place_of(self.room.looking.lesion)) is not None:
                pane.centre_on(place)

    def _say(self) -> None:
        self.corner.say()

    # --- doing -----------------------------------------------------------------------------------------------------

    def guarded(self, act: Callable[[], Any]) -> None:
        """Do what a key asks for; what cannot be is one line at the foot of the picture."""
        try:
            act()
        except (MrecistError, OSError) as error:
            self.message(str(error))

    def _tell(self, words: str) -> None:
        """A line at the foot of the picture; where nothing else is said, what is not saved."""
        room, trouble = self.room, self.room.session.trouble
        waits = f"NOT SAVED  {trouble} (F8)" if trouble else room.keeping.waits(room.unwritten)
        self.hints.tell(room.keeping.words(words or waits))

    def save_again(self) -> None:
        """Try to save what a full disk refused, and to send what the store did not get."""
        saved = self.room.session.save()
        if not (saved and self.panel.signing.try_again()):
            self.message("everything is saved" if saved else "")

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
            failed = "" if series is None else self.current.failed.get((series.uid, series.stack), "still loading")
            self.message(f"no {phase.lower()} phase at this visit" if series is None else failed)
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
        self.message(self.prior.link_here())
        self.corner.say()

    def unlink(self) -> None:
        """Each visit moves alone."""
        self.prior.unlink()
        self.corner.say()

    def toggle_layers(self) -> None:
        """napari's own lists, for those who want them."""
        show_lists(self.prior.main, not lists_shown(self.prior.main))

    def toggle_help(self) -> None:
        """The keys over the picture, or away."""
        self.help.toggle()
        self.hints.did(KEYS_SEEN)

    def next_window(self) -> None:
        """The next window preset, in both panes."""
        self.current.next_window()
        self.prior.pane.use_preset(self.current.window.name)

    def close(self) -> None:
        """Leave the read; the window stays."""
        self._stop()
        self.reformats.close()
        self.hints.stop()
        self._soon.stop()
        self.panel.stop()
        self.background.quit()
        self.room.close()
