"""Where the diameters of a lesion lie, as plain data: which slice, which ends, what stands at the edges of the picture.

Nothing is drawn here, so that a report, a plot and a viewer can show the same lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from mrecist.imaging.geometry import Geometry
from mrecist.measure.measured import Diameter, LesionMeasurement, Point2, Point3
from mrecist.pictures.styles import LINES
from mrecist.results import KeyLine, Outlines, Picture, Point
from mrecist.units import round_size, show

BoolArray = npt.NDArray[np.bool_]

# What is shown around a lesion, in mm: enough of the liver to recognise the place.
MARGIN_MM = 30.0
MIN_SIDE_MM = 90.0
# A direction is named by every body axis that has at least this share of it: sin(11.5 degrees).
_SHARE_OF_AXIS = 0.2
# LPS: +x is left, +y posterior, +z towards the head. The letters of PatientOrientation (DICOM PS3.3 C.7.6.1.1.1).
_LETTERS = ("RL", "AP", "FH")


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionLine:
    """One diameter of a lesion, ready to be drawn.

    name : longest, short, viable or viable_short.
    mm : the size as it is recorded (rounded).
    text : its label, ``longest 48.2 mm``.
    slice_index : the slice it lies on, from 0; it belongs on no other.
    ends_index : (row, column) of both ends; fractional, pixel centres at integers.
    ends_mm : (x, y) of both ends in the plane of the slice, mm from the centre of its first pixel along rows and columns.
    ends_lps : (x, y, z) of both ends, LPS mm.
    """

    name: str
    mm: Decimal
    text: str
    slice_index: int
    ends_index: tuple[Point2, Point2]
    ends_mm: tuple[Point2, Point2]
    ends_lps: tuple[Point3, Point3]


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionView:
    """A slice of a lesion, cropped around it.

    picture : lines, outlines and letters in the pixels of the crop.
    slice_index, slice_count : which slice (from 0) of how many.
    rows, columns : the part of the slice that the picture shows.
    elsewhere : the diameters that lie on other slices and are therefore not in the picture.
    """

    picture: Picture
    slice_index: int
    slice_count: int
    rows: slice
    columns: slice
    elsewhere: tuple[LesionLine, ...]


def lesion_lines(
    measured: LesionMeasurement,
    geometry: Geometry,
    sizes: Mapping[str, Decimal | None] | None = None,
    round_mm: Decimal = Decimal("0.1"),
) -> tuple[LesionLine, ...]:
    """The diameters of a lesion on all slices: longest, short, viable, viable short, as far as there are any.

    sizes : the recorded sizes by name of the line, a line without one is left out; default: rounded here to ``round_mm``.
    """
    diameters = {name: getattr(measured, name) for name in LINES}
    found = {name: diameter for name, diameter in diameters.items() if diameter is not None}
    if sizes is None:
        sizes = {name: round_size(diameter.mm, round_mm) for name, diameter in found.items()}
    return tuple(
        _line(name, diameter, mm, geometry) for name, diameter in found.items() if (mm := sizes.get(name)) is not None
    )


def _line(name: str, diameter: Diameter, mm: Decimal, geometry: Geometry) -> LesionLine:
    (row_a, column_a), (row_b, column_b) = diameter.ends_index
    across, down = geometry.column_spacing_mm, geometry.row_spacing_mm
    return LesionLine(
        name=name,
        mm=mm,
        text=f"{LINES[name].word} {show(mm)} mm",
        slice_index=diameter.slice_index,
        ends_index=diameter.ends_index,
        ends_mm=((column_a * across, row_a * down), (column_b * across, row_b * down)),
        ends_lps=diameter.ends_lps,
    )


def lesion_view(
    whole: BoolArray, viable: BoolArray | None, geometry: Geometry, lines: Sequence[LesionLine], slice_index: int
) -> LesionView:
    """One slice of a lesion; ``whole`` and ``viable`` are (Z, Y, X) bool, ``whole`` holds something on that slice."""
    rows, columns = np.nonzero(whole[slice_index])
    top, bottom = _span(rows, geometry.row_spacing_mm, geometry.shape[1])
    left, right = _span(columns, geometry.column_spacing_mm, geometry.shape[2])
    parts = {"whole": whole, "viable": viable}
    picture = Picture(
        width=right - left,
        height=bottom - top,
        column_spacing_mm=geometry.column_spacing_mm,
        row_spacing_mm=geometry.row_spacing_mm,
        lines=tuple(_on_crop(line, top, left) for line in lines if line.slice_index == slice_index),
        outlines={
            name: _outlines(part[slice_index, top:bottom, left:right])
            for name, part in parts.items()
            if part is not None
        },
        letters=edge_letters(geometry),
    )
    return LesionView(
        picture=picture,
        slice_index=slice_index,
        slice_count=geometry.shape[0],
        rows=slice(top, bottom),
        columns=slice(left, right),
        elsewhere=tuple(line for line in lines if line.slice_index != slice_index),
    )


def _span(indices: npt.NDArray[np.intp], spacing_mm: float, size: int) -> tuple[int, int]:
    first, last = int(indices.min()), int(indices.max())
    side_mm = max((last - first + 1) * spacing_mm + 2 * MARGIN_MM, MIN_SIDE_MM)
    half = round(side_mm / spacing_mm / 2)
    middle = (first + last + 1) // 2
    return max(0, middle - half), min(size, middle + half)


def _on_crop(line: LesionLine, top: int, left: int) -> KeyLine:
    (row_a, column_a), (row_b, column_b) = line.ends_index
    # Index 0 is the centre of a pixel; the picture's origin is the corner of its first pixel.
    start: Point = (column_a - left + 0.5, row_a - top + 0.5)
    end: Point = (column_b - left + 0.5, row_b - top + 0.5)
    return KeyLine(name=line.name, mm=line.mm, start=start, end=end)


def _outlines(part: BoolArray) -> Outlines:
    from skimage.measure import find_contours

    padded = np.pad(part.astype(np.float32), 1)
    # One pixel of padding, half a pixel from centre to corner.
    return tuple(
        tuple((float(column) - 0.5, float(row) - 0.5) for row, column in contour)
        for contour in find_contours(padded, 0.5)
    )


def edge_letters(geometry: Geometry) -> tuple[str, str, str, str]:
    """What lies beyond the left, right, top and bottom edge of a slice as stored: R, L, A, P, H (head), F (feet).

    An oblique direction has several letters, the largest share first ("LA").
    """
    across, down = np.array(geometry.row_direction), np.array(geometry.column_direction)
    return direction_letters(-across), direction_letters(across), direction_letters(-down), direction_letters(down)


def direction_letters(direction: npt.NDArray[np.float64]) -> str:
    """The letters of a unit vector in LPS."""
    order = sorted(range(3), key=lambda axis: -abs(float(direction[axis])))
    named = (axis for axis in order if abs(float(direction[axis])) >= _SHARE_OF_AXIS)
    return "".join(_LETTERS[axis][int(direction[axis] > 0)] for axis in named)
