"""Series come one after the other while the first is looked at: best phase, the visit beside, then the rest."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from mrecist.errors import MrecistError
from mrecist.imaging.series import Series
from mrecist.session.case import CaseVisit, best_series
from mrecist_napari.pane import Pane, Picture, picture_of

if TYPE_CHECKING:
    from mrecist_napari.reading_window import ReadingWindow

Arrived = tuple[Pane, Series, Picture | str]


class Loading:
    """The loading of one window. Moving on to another visit ends what is still to come of the one before."""

    def __init__(self, window: ReadingWindow) -> None:
        self._window = window
        self._workers: dict[int, Any] = {}
        self._done: dict[int, tuple[int, int]] = {}

    def visit(self) -> None:
        """The visit that is looked at, and the one beside it."""
        window = self._window
        window.current.clear()
        todo = [(window.current, series) for series in _in_order(window.room.visit)]
        beside = self._beside()
        window.prior.clear(beside)
        if beside is not None:
            first, *rest = [(window.prior.pane, series) for series in _in_order(beside)]
            todo = [todo[0], first, *todo[1:], *rest]
        self._start(todo)

    def beside(self) -> None:
        """The visit beside alone."""
        beside = self._beside()
        self._window.prior.clear(beside)
        if beside is not None:
            self._start([(self._window.prior.pane, series) for series in _in_order(beside)])

    def lines(self, pane: Pane) -> list[str]:
        """What a pane's corner says of it: how far it is, and what could not be loaded, a line each."""
        said = [shorten(line, 110) for line in pane.failed.values()]
        if id(pane) in self._done:
            done, of = self._done[id(pane)]
            said.append(f"loading: {done} of {of} series")
        return said

    def _beside(self) -> CaseVisit | None:
        prior = self._window.room.looking.prior
        return None if prior is None else self._window.room.case.visit(prior)

    def _start(self, todo: list[tuple[Pane, Series]]) -> None:
        from napari.qt.threading import thread_worker

        @thread_worker(progress={"total": len(todo), "desc": "loading series"})
        def work() -> Iterator[Arrived]:
            for pane, series in todo:
                try:
                    yield pane, series, picture_of(series, self._window.room.volumes.get(series))
                except (MrecistError, OSError) as error:
                    yield pane, series, str(error)

        worker = work()
        for pane in {id(pane): pane for pane, _ in todo}.values():
            # A worker that brings nothing to either pane any more is not needed.
            old = self._workers.pop(id(pane), None)
            if old is not None and old not in self._workers.values():
                old.quit()
            self._workers[id(pane)] = worker
            self._done[id(pane)] = 0, sum(one is pane for one, _ in todo)
        worker.yielded.connect(lambda arrived: self._arrived(worker, arrived))
        worker.finished.connect(lambda: self._ended(worker))
        self._window.background.start(worker)

    def _arrived(self, worker: Any, arrived: Arrived) -> None:
        pane, series, picture = arrived
        if self._workers.get(id(pane)) is not worker:
            return  # the reader has moved on
        done, of = self._done[id(pane)]
        self._done[id(pane)] = done + 1, of
        if isinstance(picture, str):
            pane.failed[series.uid, series.stack] = f"{series.phase.name.lower()}: cannot be loaded: {picture}"
            self._window.corner.say()
            return
        pane.add(series, picture)
        if pane.series is None:
            self._first(pane, series)
        elif pane is self._window.current:
            self._window.show_soon()  # it may be the one that was chosen
        self._window.following.begin()
        self._window.corner.say()

    def _first(self, pane: Pane, series: Series) -> None:
        """The first series of a pane is shown at once; that of the visit beside at the place that is looked at."""
        window = self._window
        with window.prior.alone():
            pane.show(window.room.series if pane is window.current and pane.has(window.room.series) else series)
        window.prior.follow()
        window.redraw()

    def _ended(self, worker: Any) -> None:
        for pane in [pane for pane, one in self._workers.items() if one is worker]:
            del self._workers[pane], self._done[pane]
        self._window.corner.say()


def _in_order(visit: CaseVisit) -> list[Series]:
    first = best_series(visit)
    return [first, *(one for one in visit.series if one != first)]
