"""The text in the corner of both panes: which visit, phase, window and slice, how they are linked, and what one must know."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from mrecist_napari.grid import warnings_of
from mrecist_napari.pane import Pane

if TYPE_CHECKING:
    from mrecist_napari.reading_window import ReadingWindow

_WIDE = 48  # characters


class Corner:
    """What the corners say."""

    def __init__(self, window: ReadingWindow) -> None:
        self._window = window
        self._known: tuple[object, ...] = ()
        self._word = "PRIOR"
        window.viewer.dims.events.point.connect(self.say)
        window.prior.model.dims.events.point.connect(self.say)
        for pane in (window.current, window.prior.pane):
            pane.watchers.append(lambda _what: self.say())

    def say(self, _event: object = None) -> None:
        """Write both corners."""
        window = self._window
        looking = window.room.looking
        for pane, timepoint, where in (
            (window.current, looking.timepoint, "CURRENT"),
            (window.prior.pane, looking.prior, self._beside()),
        ):
            if timepoint is not None and pane.viewer.dims.ndim == 3:
                link = window.prior.text if pane is window.prior.pane else ""
                lines = (window.room.keeping.words(line) for line in window.loading.lines(pane))
                pane.say("\n".join((*_seen(pane, timepoint, where, link), *lines)))

    def _beside(self) -> str:
        """What the visit beside is, reckoned once for a read as it stands and only from what is measured."""
        room = self._window.room
        now = (room.state, room.looking.timepoint, room.looking.prior, bool(room.unmeasured()))
        if now != self._known and room.looking.prior is not None:
            self._known, self._word = now, self._window.priors.word(room.looking.prior)
        return self._word


def _seen(pane: Pane, timepoint: int, where: str, link: str) -> list[str]:
    visit = "baseline" if timepoint == 0 else f"time point {timepoint}"
    first = where if where.startswith("BASELINE") else f"{where}  {visit}"
    if pane.series is None:
        return [first]
    said = [
        first,
        f"{pane.series.phase.name.lower()}  {pane.window.text}",
        f"slice {pane.slice_index + 1} / {pane.slices}",
        *([link] if link else []),
        *(f"! {warning}" for warning in warnings_of(pane.series)),
    ]
    if pane.beyond_mm:
        said.append(f"! not covered here: nearest slice, {pane.beyond_mm:.0f} mm away")
    return [fill(line, _WIDE) for line in said]
