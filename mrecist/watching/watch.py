"""The loop: look, score what has settled and is new, remember, wait."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mrecist import __version__
from mrecist.errors import InputError, MrecistError
from mrecist.tables import write_whole
from mrecist.watching.arrivals import Settling, stamp, studies_in

STATE = ".watch.json"


class Archive(Protocol):
    """A PACS that is fetched from into the watched folder."""

    def look(self, now: float) -> Look:
        """Ask what is there, and fetch what is new and settled."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look gave.

    Parameters
    ----------
    waiting : for something that still changes.
    failed : to do something that is there to be done.
    incomplete : a series was fetched in part, so the folder must not be scored.
    """

    waiting: bool = False
    failed: bool = False
    incomplete: bool = False

    def __or__(self, other: Look) -> Look:
        return Look(
            self.waiting or other.waiting, self.failed or other.failed, incomplete=self.incomplete or other.incomplete
        )


class Watch:
    """Watches a folder and scores what arrives there.

    Parameters
    ----------
    folder : a study folder, whose results go to ``out``; or a folder of study folders, whose results go to ``out/NAME``.
    out : folder for the results.
    score : scores a study folder into a folder; returns what became of it in half a line, and whether some of it failed.
    settings : what the results depend on beside the study, as a text: results of other settings are scored again.
    settle : seconds that a study must not have changed before it is scored.
    tell : takes one line for a person.
    archive : a PACS to fetch from first.
    clock : seconds of a clock that only goes on.
    """

    def __init__(
        self,
        folder: Path,
        out: Path,
        score: Callable[[Path, Path], tuple[str, bool]],
        *,
        settings: str,
        settle: float,
        tell: Callable[[str], None],
        archive: Archive | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder, self._out, self._score = folder, out, score
        self._settings, self._archive, self._clock = f"{__version__}\n{settings}", archive, clock
        self._settling = Settling(settle)
        self._tell = Once(tell)
        self._refused: dict[str, str] = {}

    def look(self) -> Look:
        """Look once, and score what has settled and is new."""
        look = Look()
        if self._archive is not None:
            look = self._archive.look(self._clock())
            if look.incomplete:
                return look
        try:
            studies = studies_in(self._folder)
        except OSError as error:
            self._tell.about("", f"{self._folder}: cannot be read ({error.strerror or error}); looked at again")
            return Look(failed=True)
        self._tell.about(
            "", "" if studies else f"{self._folder}: no study yet (a folder with images/, masks/ or reads/)"
        )
        for study in studies:
            look |= self._look_at(study)
        return look

    def _look_at(self, study: Path) -> Look:
        name = str(study)
        try:
            looks = stamp(study)
        except OSError as error:
            where = error.filename or study
            self._tell.about(name, f"{study}: {where} cannot be read ({error.strerror or error}); looked at again")
            return Look(failed=True)
        looks = hashlib.sha256(f"{self._settings}\n{looks}".encode()).hexdigest()
        out = self._out if study == self._folder else self._out / study.name
        if _scored(out) == looks:
            return Look()
        if self._refused.get(name) == looks:
            return Look(failed=True)
        if not self._settling.is_settled(name, looks, self._clock()):
            return Look(waiting=True)
        return self._score_one(study, out, looks)

    def _score_one(self, study: Path, out: Path, looks: str) -> Look:
        name = str(study)
        try:
            said, failed = self._score(study, out)
            write_whole(out / STATE, json.dumps({"study": name, "stamp": looks}) + "\n")
        except InputError as error:
            self._refused[name] = looks
            self._tell.about(name, f"{study}: not scored: {error}; tried again when something changes there")
            return Look(failed=True)
        except (MrecistError, OSError) as error:
            said = f"{error.filename or out}: {error.strerror or error}" if isinstance(error, OSError) else str(error)
            self._tell.about(name, f"{study}: waits: {said}")
            return Look(failed=True)
        except Exception as error:  # noqa: BLE001 - a fault of ours with one study must not stop the others
            self._refused[name] = looks
            said = " ".join(f"{type(error).__name__}: {error}".split())
            self._tell.about(name, f"{study}: not scored: unexpected {said}; please report this")
            return Look(failed=True)
        self._tell.forget(name)
        self._tell.now(f"{study}: {said}; results in {out}")
        return Look(failed=failed)


class Once:
    """Lines for a person, and none again while it stays true."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.now = tell
        self._told: dict[str, str] = {}

    def about(self, name: str, line: str) -> None:
        """Tell the line, unless it was the last one about ``name``; an empty one is never told."""
        if self._told.get(name) != line and line:
            self.now(line)
        self._told[name] = line

    def forget(self, name: str) -> None:
        """What was told of ``name`` is no longer so."""
        self._told.pop(name, None)


def _scored(out: Path) -> str:
    """What the study looked like whose results are there."""
    try:
        return str(json.loads((out / STATE).read_text(encoding="utf-8"))["stamp"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def watch(
    watched: Watch, *, every: float, settle: float, once: bool, wait: Callable[[float], None] = time.sleep
) -> Look:
    """Look again and again; with ``once`` until nothing waits any more, which gives the last look.

    Parameters
    ----------
    every : seconds between two looks.
    settle : of ``watched``.
    """
    failed = False
    while True:
        look = watched.look()
        failed |= look.failed
        if once and not look.waiting:
            return Look(failed=failed)
        wait(min(every, settle) if once else every)
