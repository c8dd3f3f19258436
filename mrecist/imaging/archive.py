"""A scan of more files than memory holds: what was found lies in a file on disk, and is handed out series by series.

The headers of a slice take some 2 kB, and an archive has millions of slices. Here the processes that read headers pack them, and
this one only remembers where the headers of which series lie. The result is that of :func:`mrecist.imaging.scan.scan_folder`.
"""

from __future__ import annotations

import pickle
import tempfile
import weakref
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mrecist.imaging.assemble import Damage, assemble, series_key
from mrecist.imaging.scan import Found, Problem, Segmentation, files_below, in_shares, look_at_all, with_neighbours
from mrecist.imaging.series import Series

_Key = tuple[str, ...]


class Pile:
    """Values by key, in a file that has no name: it is gone with the process, however that ends."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed when nobody knows the pile any more
        weakref.finalize(self, self._file.close)
        self._places: dict[Hashable, list[tuple[int, int]]] = defaultdict(list)

    def put(self, key: Hashable, value: Any) -> None:
        """Add a value to those of a key."""
        self.put_packed(key, pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))

    def put_packed(self, key: Hashable, data: bytes) -> None:
        """Add a value that was pickled elsewhere."""
        start = self._file.seek(0, 2)
        self._file.write(data)
        self._places[key].append((start, len(data)))

    def get(self, key: Hashable) -> list[Any]:
        """The values of a key in their order; what comes out is what this program put in."""
        values = []
        for start, length in self._places.get(key, ()):
            self._file.seek(start)
            values.append(pickle.loads(self._file.read(length)))
        return values


@dataclass(slots=True)
class _Packed:
    """What a share of the files holds; the records of each series pickled, with the studies that they name."""

    found: Found
    records: list[tuple[_Key, frozenset[tuple[str, str]], bytes]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedParts:
    """``series`` come in no particular order; those of one study come together."""

    series: Iterator[Series]
    segmentations: Iterator[Segmentation]
    problems: tuple[Problem, ...]


def scan_in_parts(
    root: Path, spool: Path, progress: Callable[[int, int], None] | None = None, workers: int | None = 1
) -> ScannedParts:
    """Scan a folder as :func:`mrecist.imaging.scan.scan_folder`; ``spool`` is where the file lies that holds what was found."""
    files, problems = files_below(root)
    pile, groups = Pile(spool), _Groups()
    damage: dict[str, list[Damage]] = defaultdict(list)
    segmentations = 0
    for done, packed in in_shares(_pack, files, workers):
        for key, studies, data in packed.records:
            pile.put_packed(key, data)
            groups.join(key, studies)
        for segmentation in packed.found.segmentations:
            pile.put(("segmentation", str(segmentations)), segmentation)
            segmentations += 1
        problems += packed.found.problems
        for uid, damaged in packed.found.damage.items():
            damage[uid] += damaged
        if progress is not None:
            progress(done, len(files))
    return ScannedParts(
        series=_series(pile, groups, damage, problems),
        segmentations=(pile.get(("segmentation", str(number)))[0] for number in range(segmentations)),
        problems=tuple(sorted(problems, key=lambda p: (p.path, p.reason))),
    )


def _pack(files: Sequence[Path]) -> _Packed:
    found = look_at_all(files)
    records: dict[_Key, list[Any]] = defaultdict(list)
    for record in found.records:
        records[series_key(record)].append(record)
    found.records = []
    packed = [
        (key, frozenset((r.patient_id, r.study_uid) for r in of_key), pickle.dumps(of_key, pickle.HIGHEST_PROTOCOL))
        for key, of_key in records.items()
    ]
    return _Packed(found=found, records=packed)


def _series(
    pile: Pile, groups: _Groups, damage: dict[str, list[Damage]], problems: Sequence[Problem]
) -> Iterator[Series]:
    for keys in groups.all():
        records = [record for key in keys for share in pile.get(key) for record in share]
        yield from with_neighbours(assemble(records, damage), problems)


class _Groups:
    """Keys of series that have to be assembled together, because they share a study: its phases are told by their order."""

    def __init__(self) -> None:
        self._parent: dict[Hashable, Hashable] = {}
        self._keys: dict[_Key, None] = {}

    def join(self, key: _Key, studies: frozenset[tuple[str, str]]) -> None:
        self._keys[key] = None
        for study in studies:
            one, other = self._root(("series", key)), self._root(("study", study))
            self._parent[one] = other

    def _root(self, name: Hashable) -> Hashable:
        self._parent.setdefault(name, name)
        while self._parent[name] != name:
            self._parent[name] = name = self._parent[self._parent[name]]
        return name

    def all(self) -> list[list[_Key]]:
        """The groups; keys in the order in which their first file came, so that duplicates are told apart as in one scan."""
        groups: dict[Hashable, list[_Key]] = defaultdict(list)
        for key in self._keys:
            groups[self._root(("series", key))].append(key)
        return list(groups.values())
