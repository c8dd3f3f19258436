"""What lies in a watched folder, and whether it still changes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TABLES = ("protocol.toml", "subjects.csv", "series.csv")
FOLDERS = ("images", "masks", "reads")


def is_study(folder: Path) -> bool:
    """Whether it holds images/, masks/ or reads/."""
    return any((folder / name).is_dir() for name in FOLDERS)


def studies_in(folder: Path) -> list[Path]:
    """The folder itself when it is a study, else each folder in it that is one, by name; hidden ones are left out.

    Raises OSError when it cannot be listed.
    """
    if is_study(folder):
        return [folder]
    return [one for one in sorted(folder.iterdir()) if not one.name.startswith(".") and one.is_dir() and is_study(one)]


def stamp(study: Path) -> str:
    """A digest of names, sizes and times of all that ``score`` reads of a study; it differs when anything changed.

    Raises OSError when a part of it cannot be listed: a visit that cannot be seen must not look like one that is not there.
    """
    lines = []
    for path in _files(study):
        name = path.relative_to(study).as_posix()
        try:
            state = path.stat()
        except FileNotFoundError:  # listed a moment ago: a copy that got its name, which the next look sees
            lines.append(f"{name} gone")
        else:
            lines.append(f"{name} {state.st_size} {state.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _files(study: Path) -> Iterator[Path]:
    for name in TABLES:
        if (study / name).exists():
            yield study / name
    for name in FOLDERS:
        for folder, folders, files in os.walk(study / name, onerror=_refuse, followlinks=False):
            folders.sort()
            yield from (Path(folder) / file for file in sorted(files))


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):  # a study need not have all three folders
        raise error


@dataclass(slots=True)
class Settling:
    """What was last seen of each thing that arrives, and since when it looks like that."""

    seconds: float
    _seen: dict[str, tuple[str, float]] = field(default_factory=dict)

    def is_settled(self, name: str, looks: str, now: float) -> bool:
        """Whether it has looked the same for the settle time; ``now`` in seconds of a clock that only goes on."""
        before, since = self._seen.get(name, ("", now))
        if before != looks:
            self._seen[name] = looks, now
            since = now
        return now - since >= self.seconds
