"""What a scored study amounts to: the tables and the pictures that show where each number was measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from mrecist.model import BestResponse, Measurement, Problem, VisitResponse, VisitStability

Point = tuple[float, float]
# Closed, each a list of points.
Outlines = tuple[tuple[Point, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLine:
    """A measured diameter on a key image. ``name`` is longest, short, viable or viable_short.

    ``start`` and ``end`` are (x, y) in pixels of the picture, its upper left corner is (0, 0), so pixel centres lie at .5.
    """

    name: str
    mm: Decimal
    start: Point
    end: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What is drawn on a slice that was cropped around a lesion, in pixels of the crop.

    It has ``width`` x ``height`` pixels of ``column_spacing_mm`` x ``row_spacing_mm``, which may differ. ``outlines`` maps "whole"
    and "viable" to closed outlines in the coordinates of the lines. ``letters`` say what of the body lies beyond its left, right, top
    and bottom edge; empty: not known.
    """

    width: int
    height: int
    column_spacing_mm: float
    row_spacing_mm: float
    lines: tuple[KeyLine, ...]
    outlines: dict[str, Outlines]
    letters: tuple[str, str, str, str] = ("", "", "", "")

    @property
    def size_mm(self) -> Point:
        """Width and height."""
        return self.width * self.column_spacing_mm, self.height * self.row_spacing_mm

    def to_mm(self, point: Point) -> Point:
        """A point in mm from the upper left corner."""
        return point[0] * self.column_spacing_mm, point[1] * self.row_spacing_mm


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyImage(Picture):
    """The slice on which a lesion was measured; ``png`` is its 8-bit grey picture."""

    subject: str
    reader: str
    timepoint: int
    date: date | None
    lesion: str
    png: bytes
    phase: str
    series: str
    slice_number: int
    sop_instance_uid: str
    window: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionText:
    """How a criterion is presented: its words, and the cut-offs that the plots show."""

    name: str
    title: str
    quantity: str
    source: str
    unit: str
    pr_percent: Decimal = Decimal(30)
    pd_percent: Decimal = Decimal(20)


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingText:
    """A finding of the checks as a report tells it; ``timepoint`` is None where the whole read is meant."""

    subject: str
    reader: str
    timepoint: int | None
    severity: str
    what: str
    what_to_do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResults:
    """Everything that a report shows. ``notes`` are lines on the input (series refused, phases unknown, ...)."""

    title: str
    criteria: tuple[CriterionText, ...]
    measurements: tuple[Measurement, ...]
    responses: tuple[VisitResponse, ...]
    best: tuple[BestResponse, ...]
    problems: tuple[Problem, ...]
    key_images: tuple[KeyImage, ...]
    notes: tuple[str, ...] = ()
    findings: tuple[FindingText, ...] = ()
    arms: dict[str, str] = field(default_factory=dict)
    # Empty where the stability was not asked for.
    stability: tuple[VisitStability, ...] = ()
    protocol_sha256: str = ""
    version: str = ""


class Verdict(StrEnum):
    """What became of a case, the one that needs a person first at the top."""

    QUARANTINED = "quarantined"
    """At least one read of it is not in the results."""
    FLAGGED = "done with flags"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One subject of a run: what became of it, why, which files are meant, and what a person does about it.

    ``subject`` is empty for a file that belongs to nobody.
    """

    subject: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    what_to_do: str = ""
