"""The files of a folder in shares, which one process reads or many: how they run is the caller's, what comes out the same.

A share that gave nothing, because its process died or ran out of memory, is read again file by file, so that only the file that
was the cause is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

FILES_A_SHARE = 50
WORTH_SHARING = 20
"""Shares; fewer are read here, which takes no longer than to start a process elsewhere."""
Share = TypeVar("Share")
Place = tuple[int, int]
"""Where something stands among the files: parts come in any order."""
Run = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[tuple[int, Any]]]
"""Runs a function over items and yields (index of the item, its value, or a failure that has a ``reason``), in any order; items are
taken as places become free. See :class:`mrecist.scheduling.Scheduler`."""


@dataclass(frozen=True, slots=True)
class Piece:
    """At most :data:`FILES_A_SHARE` files of one folder.

    ``number`` says which of the folder, in the order of the names; None: files on their own.
    """

    folder: str
    number: int | None
    names: tuple[str, ...]

    @property
    def paths(self) -> list[Path]:
        """The files, in their order."""
        folder = Path(self.folder)
        return [folder / name for name in self.names]


@dataclass(frozen=True, slots=True)
class _Looked(Generic[Share]):
    """What was found: anything else that comes back is a failure."""

    found: Share


def pieces_of(folder: str, names: Sequence[str]) -> Iterator[Piece]:
    """The files of a folder, sorted by name, piece by piece."""
    names = sorted(names)
    for number, start in enumerate(range(0, len(names), FILES_A_SHARE)):
        yield Piece(folder, number, tuple(names[start : start + FILES_A_SHARE]))


def in_shares(
    look: Callable[[Sequence[Piece]], Share],
    pieces: Sequence[Piece],
    lost: Callable[[Path, str], Share],
    run: Run | None,
) -> Iterator[tuple[Place, int, Share]]:
    """(Place, number of files, what ``look`` found in them) of all files, in any order.

    ``lost`` is what a file gives that could not be looked at, and why; without ``run``, and where there are few files, this
    process looks at all.
    """
    shares = _shares(pieces)
    if run is None or len(shares) < WORTH_SHARING:
        run = _here
    failed: list[int] = []
    for index, outcome in run(partial(_look, look), iter(shares)):
        if isinstance(outcome, _Looked):
            yield (index, 0), sum(len(piece.names) for piece in shares[index]), outcome.found
        else:
            failed.append(index)
    alone = [
        ((index, number), Piece(folder, None, (name,)))
        for index in sorted(failed)
        for number, (folder, name) in enumerate((piece.folder, name) for piece in shares[index] for name in piece.names)
    ]
    if not alone:
        return
    for index, outcome in run(partial(_look, look), ((piece,) for _, piece in alone)):
        place, piece = alone[index]
        yield place, 1, outcome.found if isinstance(outcome, _Looked) else lost(piece.paths[0], outcome.reason)


def _look(look: Callable[[Sequence[Piece]], Share], share: Sequence[Piece]) -> _Looked[Share]:
    return _Looked(look(share))


def _here(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    return enumerate(map(function, items))


def _shares(pieces: Sequence[Piece]) -> list[tuple[Piece, ...]]:
    """Small pieces together, so that a folder of few files is not a share of its own."""
    shares: list[tuple[Piece, ...]] = []
    share: list[Piece] = []
    files = 0
    for piece in pieces:
        if share and files + len(piece.names) > FILES_A_SHARE:
            shares.append(tuple(share))
            share, files = [], 0
        share.append(piece)
        files += len(piece.names)
    return [*shares, tuple(share)] if share else shares
