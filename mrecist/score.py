"""One subject: its measured masks joined with what its readers stated. Every failure names its file or lesion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from mrecist.errors import MaskError, MrecistError, ReadError, SeriesError
from mrecist.imaging.scan import Segmentation
from mrecist.imaging.series import Series
from mrecist.keyimages import of_row
from mrecist.model import Measurement, Problem
from mrecist.pieces import (
    DrawnLesion,
    MaskFile,
    MeasuredFile,
    Piece,
    drawn_lesions,
    measure_file,
    measured_lesion,
    path_of,
    stack_named,
)
from mrecist.protocol import Measuring
from mrecist.reading import join_reads, measured_row
from mrecist.repeating import Repeating, own_spread
from mrecist.results import KeyImage
from mrecist.stability.spread import OwnSpread
from mrecist.study import SubjectInput

Spread = tuple[OwnSpread, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Where the diameters of one row lie: the unrounded measurement beside the row's identity."""

    subject: str
    reader: str
    timepoint: int
    lesion: str
    measurement: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectResult:
    """What scoring one subject gave. With problems, ``rows`` are incomplete and must not be assessed."""

    subject: str
    rows: tuple[Measurement, ...]
    drawings: tuple[Drawing, ...]
    key_images: tuple[KeyImage, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    spread: tuple[OwnSpread, ...] = ()


class Keeping(Protocol):
    """Where measured masks and drawn outlines are kept, so that they are made once."""

    def measured(self, file: MaskFile, make: Callable[[], MeasuredFile]) -> MeasuredFile:
        """The lesions of a mask file: kept ones, else ``make``'s."""

    def spread(self, file: MaskFile, row: Measurement, make: Callable[[], Spread]) -> Spread:
        """The spread of the sizes of a row that came from a mask file: the kept one, else ``make``'s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A measured lesion with the visit and reader that it belongs to."""

    piece: Piece
    file: MaskFile
    timepoint: int
    day: date
    reader: str
    series: Series | None


def score_subject(
    given: SubjectInput, measuring: Measuring, repeating: Repeating | None = None, keeping: Keeping | None = None
) -> SubjectResult:
    """Measure every mask of a subject and join what the reader stated; with ``repeating``, again with outlines moved.

    Never raises for bad input: what cannot be used becomes a problem with one line, and the rest is still measured.
    """
    problems = list(given.problems)
    notes = list(given.notes)
    placed = _placed(given, measuring, keeping, problems, notes)
    rows: dict[tuple[str, int, str], Measurement] = {}
    done: list[tuple[_Placed, Measurement]] = []
    for one in sorted(placed, key=lambda p: (p.reader, p.timepoint, p.piece.lesion)):
        try:
            row = _row(one, given, rows)
        except MrecistError as error:
            problems.append(Problem(subject=given.subject, reader=one.reader, message=str(error)))
            continue
        rows[row.reader, row.timepoint, row.lesion] = row
        done.append((one, row))
        where = f"{row.subject}, reader {row.reader}, time point {row.timepoint}"
        notes += [f"{where}: {note}" for note in one.piece.notes]
    spread = () if repeating is None else _spreads(done, given, measuring, repeating, keeping, problems)
    joined = join_reads(rows, given.rows)
    if not joined and not problems:
        message = (
            f"subject {given.subject}: {len(given.series)} series but no segmentation and no read; nothing to score"
        )
        problems.append(Problem(subject=given.subject, message=message))
    return SubjectResult(
        subject=given.subject,
        rows=tuple(joined),
        drawings=tuple(_drawing(row, one.piece) for one, row in done),
        key_images=tuple(of_row(image, row) for one, row in done for image in one.piece.images),
        problems=tuple(problems),
        notes=tuple(notes),
        spread=tuple(spread),
    )


# --- masks of a subject ----------------------------------------------------------------------------------------------


def _placed(
    given: SubjectInput, measuring: Measuring, keeping: Keeping | None, problems: list[Problem], notes: list[str]
) -> list[_Placed]:
    """The measured lesions of all mask files, each with its visit."""
    placed: list[_Placed] = []
    files: tuple[MaskFile, ...] = (*given.segmentations, *given.label_masks)
    for file in files:

        def measure(file: MaskFile = file) -> MeasuredFile:
            return measure_file(file, given.series, measuring)

        found = measure() if keeping is None else keeping.measured(file, measure)
        reader = "" if isinstance(file, Segmentation) else file.reader
        notes += [f"{given.subject}: {path_of(file).name}: {note}" for note in found.notes]
        try:
            placed += [_place(piece, file, given) for piece in found.pieces]
        except MrecistError as error:
            problems.append(Problem(subject=given.subject, reader=reader, message=str(error)))
        if found.failure:
            problems.append(Problem(subject=given.subject, reader=reader, message=found.failure))
    return placed


def _place(piece: Piece, file: MaskFile, given: SubjectInput) -> _Placed:
    if piece.on is None:
        assert not isinstance(file, Segmentation)  # every lesion of a segmentation lies on a stack
        day = date.fromisoformat(piece.day)
        return _Placed(piece=piece, file=file, timepoint=file.timepoint, day=day, reader=file.reader, series=None)
    series = stack_named(piece.on, given.series)
    timepoint, day = _visit_of(series, given, str(path_of(file)))
    return _Placed(piece=piece, file=file, timepoint=timepoint, day=day, reader=piece.reader or "R1", series=series)


def _visit_of(series: Series, given: SubjectInput, where: str) -> tuple[int, date]:
    name = f"{where}: series {series.description or series.uid}"
    if series.uid not in given.timepoints:
        raise SeriesError(f"{name} has no time point; state it in series.csv (columns series_uid, timepoint)")
    if series.date is None:
        raise SeriesError(
            f"{name} has no date, and a response needs one; state it in series.csv (columns series_uid, date)"
        )
    return given.timepoints[series.uid], date.fromisoformat(series.date)


# --- rows ------------------------------------------------------------------------------------------------------------


def _row(one: _Placed, given: SubjectInput, rows: dict[tuple[str, int, str], Measurement]) -> Measurement:
    piece = one.piece
    if piece.drawn is None:
        raise MaskError(piece.failure)
    same = [row for row in given.rows if (row.reader, row.lesion) == (one.reader, piece.lesion)]
    others = [row for (reader, _, name), row in rows.items() if (reader, name) == (one.reader, piece.lesion)]
    row = measured_row(
        piece.drawn,
        subject=given.subject,
        timepoint=one.timepoint,
        day=one.day,
        reader=one.reader,
        series=one.series,
        phase=piece.phase,
        stated=[row for row in same if row.timepoint == one.timepoint],
        earlier=next(iter([*others, *(row for row in same if row.timepoint < one.timepoint)]), None),
    )
    if (row.reader, row.timepoint, row.lesion) in rows:
        where = f"subject {row.subject}, reader {row.reader}, time point {row.timepoint}"
        raise ReadError(f"{where}: lesion {row.lesion} has two masks, the second in {path_of(one.file)}; keep one")
    return row


def _drawing(row: Measurement, piece: Piece) -> Drawing:
    return Drawing(
        subject=row.subject,
        reader=row.reader,
        timepoint=row.timepoint,
        lesion=row.lesion,
        measurement=piece.drawing,
    )


# --- outlines drawn again --------------------------------------------------------------------------------------------


def _spreads(
    done: Sequence[tuple[_Placed, Measurement]],
    given: SubjectInput,
    measuring: Measuring,
    repeating: Repeating,
    keeping: Keeping | None,
    problems: list[Problem],
) -> list[OwnSpread]:
    """The spread of every measured row, in their order; masks are read again, because a draw moves their outlines."""
    found: list[OwnSpread] = []
    opened: dict[int, list[DrawnLesion]] = {}  # the lesions of one file: rows of a file follow one another

    def lesions_of(file: MaskFile) -> list[DrawnLesion]:
        if id(file) not in opened:
            opened.clear()
            opened[id(file)] = list(drawn_lesions(file, given.series, measuring))
        return opened[id(file)]

    for one, row in done:

        def draw(one: _Placed = one, row: Measurement = row) -> Spread:
            drawn = next(lesion for lesion in lesions_of(one.file) if lesion.mask.lesion == one.piece.lesion)
            looked, volumes, _ = measured_lesion(drawn, given.series, measuring)
            return own_spread(row, looked.mask, volumes.measured, repeating)

        try:
            found += draw() if keeping is None else keeping.spread(one.file, row, draw)
        except MrecistError as error:
            problems.append(Problem(subject=given.subject, reader=one.reader, message=str(error)))
    return found
