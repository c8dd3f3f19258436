"""Proposals that wait for the reader's word: what they are, the steps back from them, and a copy on disk that outlives a crash.

A step back holds the masks as bits of their boxes, so a hundred steps of a large lesion are a few megabytes.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt

from mrecist.errors import MrecistError
from mrecist.model import Role
from mrecist.plain import from_plain, to_plain
from mrecist.segment.prompt import Line, Scribbles
from mrecist.session.case import Case
from mrecist.session.editing import Stroke, as_proposal
from mrecist.session.kept_masks import packed, unpacked
from mrecist.session.proposing import Asked, Proposal
from mrecist.session.state import Provenance, ReadState
from mrecist.tables import write_whole

BoolArray = npt.NDArray[np.bool_]
MOST_STEPS = 100
LEFT_BEFORE = "left from before, neither accepted nor rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A proposal that waits for the reader: accept, mend or reject.

    Parameters
    ----------
    lesion, role, organ, timepoint : what it would become in the read; no lesion for a new one.
    asked : what the method was asked; None for a mask that no method can find again (drawn by hand, accepted before).
    strokes : what the reader drew on it by hand.
    begun : the same for everything that came of one beginning.
    """

    lesion: str
    role: Role
    organ: str
    timepoint: int
    asked: Asked | None
    proposal: Proposal
    strokes: tuple[Stroke, ...] = ()
    begun: str = field(default_factory=lambda: uuid4().hex)


@dataclass(frozen=True, slots=True)
class _Step:
    """A proposal with its masks packed."""

    pending: Pending
    whole: tuple[bytes, bytes]
    viable: tuple[bytes, bytes] | None

    @classmethod
    def of(cls, pending: Pending) -> _Step:
        found = pending.proposal
        nothing = np.zeros((0, 0, 0), dtype=np.bool_)
        light = replace(pending, proposal=replace(found, whole=nothing, viable=None))
        return cls(light, packed(found.whole), None if found.viable is None else packed(found.viable))

    def back(self) -> Pending:
        viable = None if self.viable is None else unpacked(*self.viable)
        found = replace(self.pending.proposal, whole=unpacked(*self.whole), viable=viable)
        return replace(self.pending, proposal=found)


class History:
    """The steps back from, and again to, what waits at one visit. The oldest are forgotten after :data:`MOST_STEPS`."""

    def __init__(self) -> None:
        self._back: deque[_Step] = deque(maxlen=MOST_STEPS)
        self._again: list[_Step] = []

    @property
    def steps_back(self) -> int:
        """How many there are to take back."""
        return len(self._back)

    @property
    def steps_again(self) -> int:
        """How many were taken back and can come again."""
        return len(self._again)

    @property
    def size(self) -> int:
        """Bytes of the masks that are held."""
        return sum(
            len(bits) for s in (*self._back, *self._again) for _, bits in (s.whole, *([s.viable] if s.viable else []))
        )

    def went_on(self, before: Pending, after: Pending) -> None:
        """A step was made; another name or organ of the same masks is none."""
        if before.proposal is not after.proposal:
            self._back.append(_Step.of(before))
            self._again.clear()

    def undo(self, now: Pending) -> Pending:
        """What was before; there must be a step."""
        self._again.append(_Step.of(now))
        return _as(self._back.pop().back(), now)

    def redo(self, now: Pending) -> Pending:
        """What was taken back last; there must be a step."""
        self._back.append(_Step.of(now))
        return _as(self._again.pop().back(), now)


def _as(pending: Pending, now: Pending) -> Pending:
    """A step of the same beginning keeps the lesion that the reader has chosen since."""
    if pending.begun != now.begun:
        return pending
    return replace(pending, lesion=now.lesion, role=now.role, organ=now.organ)


class OnDisk:
    """Copies of what waits, one file a visit, in the folder of the session.

    ``trouble`` says why the last one could not be written; the work itself goes on.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.trouble = ""

    def _path(self, timepoint: int) -> Path:
        return self._folder / f"waiting_{timepoint}.json"

    def keep(self, pending: Pending) -> None:
        """Write what waits, whole or not at all."""
        found, asked = pending.proposal, pending.asked
        content = {
            "lesion": pending.lesion,
            "role": str(pending.role),
            "organ": pending.organ,
            "series": [found.series.uid, found.series.stack],
            "whole": _text(found.whole),
            "viable": None if found.viable is None else _text(found.viable),
            "provenance": to_plain(found.provenance),
            "notes": [note for note in found.notes if note != LEFT_BEFORE],
            # Strokes are in the masks and not kept one by one: what they mended is not found again.
            "asked": None
            if asked is None or pending.strokes
            else {"line": to_plain(asked.line), "scribbles": to_plain(asked.scribbles), "cutoff": asked.cutoff},
        }
        try:
            write_whole(self._path(pending.timepoint), json.dumps(content))
        except OSError as error:
            self.trouble = f"{self._path(pending.timepoint)}: the proposal is not kept ({error.strerror or error})"
        else:
            self.trouble = ""

    def forget(self, timepoint: int) -> None:
        """It was accepted or rejected."""
        try:
            self._path(timepoint).unlink(missing_ok=True)
        except OSError as error:
            self.trouble = f"{self._path(timepoint)}: cannot be removed ({error.strerror or error})"

    def read(self, timepoint: int, case: Case, state: ReadState) -> Pending | None:
        """What was left waiting at a visit; None when nothing was, or it does not fit the case any more."""
        path = self._path(timepoint)
        if not path.exists() or state.visit(timepoint).signature is not None:
            return None
        try:
            return _read(json.loads(path.read_text(encoding="utf-8")), timepoint, case, state)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, zlib.error, MrecistError) as error:
            self.trouble = f"{path}: what was left waiting cannot be read ({error}); draw the lesion again"
            return None


def _read(content: dict[str, Any], timepoint: int, case: Case, state: ReadState) -> Pending:
    series = case.series(*content["series"])
    viable = None if content["viable"] is None else _mask(content["viable"])
    provenance: Provenance = from_plain(content["provenance"], Provenance)
    notes = (LEFT_BEFORE, *content["notes"])
    proposal = as_proposal(series, _mask(content["whole"]), viable, provenance, case.protocol.measuring, notes)
    asked = content["asked"]
    return Pending(
        lesion=content["lesion"] if content["lesion"] in state.lesions else "",
        role=Role(content["role"]),
        organ=content["organ"],
        timepoint=timepoint,
        asked=None
        if asked is None
        else Asked(
            series=series,
            line=from_plain(asked["line"], Line),
            scribbles=None if asked["scribbles"] is None else from_plain(asked["scribbles"], Scribbles),
            cutoff=asked["cutoff"],
        ),
        proposal=proposal,
    )


def _text(mask: BoolArray) -> list[str]:
    head, bits = packed(mask)
    return [head.decode("ascii"), base64.b64encode(zlib.compress(bits, 1)).decode("ascii")]


def _mask(text: list[str]) -> BoolArray:
    return unpacked(text[0].encode("ascii"), zlib.decompress(base64.b64decode(text[1])))
