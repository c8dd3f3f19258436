"""Voxels of a case, loaded when they are first asked for."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from mrecist.imaging.series import Series
from mrecist.imaging.volume import Volume, load_volume

_VOLUMES = 8


class Volumes:
    """Voxels of the series of a case, loaded when they are first asked for; the last few are kept. For any thread."""

    def __init__(self, loader: Callable[[Series], Volume] = load_volume, most: int = _VOLUMES) -> None:
        self._loader = loader
        self._most = most
        self._held: OrderedDict[tuple[str, int], Volume] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, series: Series) -> Volume:
        """The voxels of a series; raises :class:`SeriesError` when they cannot be loaded."""
        key = (series.uid, series.stack)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key]
        volume = self._loader(series)
        with self._lock:
            self._held[key] = volume
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return volume

    def has(self, series: Series) -> bool:
        """Whether the voxels are there already."""
        return (series.uid, series.stack) in self._held
