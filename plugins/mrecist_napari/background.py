"""Long work away from the screen's thread, with progress; what cannot be is told in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mrecist.errors import MrecistError


class Background:
    """The work of one window.

    Parameters
    ----------
    failed : called with the sentence of work that could not be done.
    """

    def __init__(self, failed: Callable[[str], None]) -> None:
        self._failed = failed
        self._workers: list[Any] = []

    @property
    def busy(self) -> bool:
        """Something is being loaded or cut."""
        return bool(self._workers)

    def later(self, work: Callable[[], Any], then: Callable[[Any], None], what: str) -> None:
        """Do long work, then go on with its result on the screen's thread."""
        from napari.qt.threading import thread_worker

        @thread_worker(progress={"desc": what})
        def run() -> tuple[bool, Any]:
            try:
                return True, work()
            except (MrecistError, OSError) as error:
                return False, str(error)  # the error itself would be raised again by the worker

        def done(result: tuple[bool, Any]) -> None:
            succeeded, what = result
            if succeeded:
                then(what)
            else:
                self._failed(what)

        worker = run()
        worker.returned.connect(done)
        self.start(worker)

    def start(self, worker: Any) -> None:
        """Start a worker of napari's, and know of it until it is finished."""
        self._workers.append(worker)
        worker.finished.connect(lambda: self._workers.remove(worker) if worker in self._workers else None)
        worker.start()

    def quit(self) -> None:
        """Ask all work to end; what comes of it is not shown any more."""
        for worker in self._workers:
            worker.quit()
