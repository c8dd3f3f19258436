"""Which segmenters there are: the built-in one, and the entry points of the group. Nothing is imported to list them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from mrecist import __version__
from mrecist.errors import InputError
from mrecist.segmenters.built_in import BUILT_IN, GraphCut
from mrecist.segmenters.interface import GROUP, Segmenter


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A segmenter that can be asked for.

    Parameters
    ----------
    name : what the reader chooses and the provenance of a mask says.
    package : the distribution that brings it, with its version.
    make : gives one; whatever it raises is for the caller to tell.
    """

    name: str
    package: str
    make: Callable[[], Segmenter]


def built_in() -> Found:
    """The one that is always there."""
    return Found(name=BUILT_IN, package=f"mrecist {__version__}", make=GraphCut)


def plug_ins() -> dict[str, Found]:
    """Name -> plug-in.

    A plug-in cannot take the built-in one's name. Of two packages with the same name for a segmenter neither is used; making it says so.
    """
    by_name: dict[str, dict[str, EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        by_name.setdefault(point.name, {})[_package(point)] = point
    return {
        name: Found(name=name, package=", ".join(sorted(points)), make=_maker(name, points))
        for name, points in sorted(by_name.items())
        if name != BUILT_IN
    }


def _maker(name: str, points: dict[str, EntryPoint]) -> Callable[[], Segmenter]:
    def make() -> Segmenter:
        if len(points) > 1:
            raise InputError(
                f"{len(points)} packages bring a segmenter {name} ({', '.join(sorted(points))}); remove all but one"
            )
        (point,) = points.values()
        made: Segmenter = point.load()()
        return made

    return make


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
