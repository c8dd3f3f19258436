"""``accepted.csv``: whose read of a subject counts, in each track of the review (docs/files.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from mrecist import __version__
from mrecist.errors import InputError
from mrecist.tables.files import csv_text, read_rows

_Word = TypeVar("_Word", bound=StrEnum)


class ReviewTrack(StrEnum):
    """Two reviews of a trial that are kept apart: that of the independent readers, and that of the sites."""

    CENTRAL = "central"
    INVESTIGATOR = "investigator"


class AcceptedAs(StrEnum):
    """Why a read counts.

    ONLY: nobody else read the subject. AGREED: the readers agree in all that is adjudicated. PICKED: the adjudicator chose it.
    REREAD: it is the adjudicator's own. OPEN: none does yet, though the subject was given to readers.
    """

    ONLY = "only"
    AGREED = "agreed"
    PICKED = "picked"
    REREAD = "reread"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedRead:
    """The read of a subject that counts by one criterion in one track. ``by`` is who decided, empty where nobody had to.

    Where none counts yet, ``reader`` is empty, ``accepted_as`` OPEN, and ``reason`` says why.
    """

    subject: str
    criterion: str
    track: ReviewTrack
    reader: str
    accepted_as: AcceptedAs
    by: str = ""
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """No read counts yet, which is not the same as never assessed."""
        return self.accepted_as is AcceptedAs.OPEN

    def __str__(self) -> str:
        return (
            f"{self.subject}, {self.criterion}, {self.track}: {f'open: {self.reason}' if self.is_open else self.reader}"
        )


ACCEPTED_COLUMNS = (
    *("subject", "criterion", "track", "reader", "accepted_as", "by", "reason"),
    *("protocol_sha256", "version"),
)


def accepted_csv(rows: Iterable[AcceptedRead], protocol_sha256: str) -> str:
    """``accepted.csv`` as text, by subject, criterion and track."""
    extra = {"protocol_sha256": protocol_sha256, "version": __version__}
    ordered = sorted(rows, key=lambda row: (row.subject, row.criterion, row.track))
    return csv_text(
        ACCEPTED_COLUMNS, ({**{n: getattr(r, n, None) for n in ACCEPTED_COLUMNS}, **extra} for r in ordered)
    )


def read_accepted(path: Path) -> tuple[AcceptedRead, ...]:
    """Read ``accepted.csv``.

    Raises :class:`InputError` when it is no such table, a word is unknown, an open row names a reader or another one names none, or a
    subject has two rows by one criterion in one track.
    """
    _, lines = read_rows(path, ("subject", "criterion", "track", "reader"))
    found: dict[tuple[str, str, ReviewTrack], tuple[int, AcceptedRead]] = {}
    for number, cells in lines:
        row = _row(path, number, cells)
        key = (row.subject, row.criterion, row.track)
        if key in found:
            line, other = found[key]
            raise InputError(
                f"{path}: subject {row.subject}, {row.criterion}, {row.track}: {_whose(other)} (line {line}) and "
                f"{_whose(row)} (line {number}); keep one"
            )
        found[key] = number, row
    return tuple(row for _, row in found.values())


def _whose(row: AcceptedRead) -> str:
    return "is open" if row.is_open else f"the read of {row.reader} is accepted"


def _row(path: Path, number: int, cells: dict[str, str]) -> AcceptedRead:
    for name in ("subject", "criterion"):
        if not cells[name]:
            raise InputError(f"{path}: line {number}: {name} is empty; say it")
    why = _word(AcceptedAs, cells.get("accepted_as") or AcceptedAs.PICKED, f"{path}: line {number}: accepted_as")
    if why is AcceptedAs.OPEN and cells["reader"]:
        raise InputError(
            f"{path}: line {number}: accepted_as is open and reader is {cells['reader']}; nobody's read counts of an open "
            "subject: empty the reader, or say why that read counts"
        )
    if why is not AcceptedAs.OPEN and not cells["reader"]:
        raise InputError(
            f"{path}: line {number}: reader is empty; say it, or open in accepted_as where none counts yet"
        )
    return AcceptedRead(
        subject=cells["subject"],
        criterion=cells["criterion"],
        track=_word(ReviewTrack, cells["track"], f"{path}: line {number}: track"),
        reader=cells["reader"],
        accepted_as=why,
        by=cells.get("by", ""),
        reason=cells.get("reason", ""),
    )


def _word(words: type[_Word], text: str, where: str) -> _Word:
    try:
        return words(text)
    except ValueError:
        raise InputError(f"{where} is '{text}', not one of: {', '.join(words)}") from None
