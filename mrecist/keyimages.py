"""The slice on which a lesion was measured, cropped, windowed and with its diameters: a picture that proves a number."""

from __future__ import annotations

import io
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from mrecist.imaging.masks import LesionMask
from mrecist.imaging.series import Series
from mrecist.imaging.volume import load_slice
from mrecist.measure.lesion import Diameter, LesionMeasurement
from mrecist.model import Measurement
from mrecist.results import KeyImage, KeyLine, Point

# Half the side of the picture, in mm: enough of the liver around a lesion to recognise the place.
MARGIN_MM = 30.0
MIN_SIDE_MM = 90.0
# Abdominal soft tissue; a liver in the portal or arterial phase fills it well.
CT_WINDOW = (70.0, 350.0)


def key_images(
    row: Measurement, mask: LesionMask, measured: LesionMeasurement, series: Series, recorded: dict[str, Decimal | None]
) -> tuple[KeyImage, ...]:
    """The key images of one measured lesion: the slice of its longest diameter and, when it is another, of its viable one.

    ``recorded`` maps line names (longest, short, viable, viable_short) to the recorded sizes; a line without one is left out.
    """
    lines = {
        "longest": measured.longest,
        "short": measured.short,
        "viable": measured.viable,
        "viable_short": measured.viable_short,
    }
    drawn = {name: line for name, line in lines.items() if line is not None and recorded.get(name) is not None}
    slices = dict.fromkeys(line.slice_index for line in drawn.values())
    return tuple(
        _key_image(row, mask, series, index, {n: d for n, d in drawn.items() if d.slice_index == index}, recorded)
        for index in slices
    )


def _key_image(
    row: Measurement,
    mask: LesionMask,
    series: Series,
    slice_index: int,
    lines: dict[str, Diameter],
    recorded: dict[str, Decimal | None],
) -> KeyImage:
    pixels = load_slice(series, slice_index)
    top, bottom, left, right = _crop(mask, slice_index)
    window = CT_WINDOW if series.modality == "CT" else _percentile_window(pixels)
    shown = tuple(
        _line(name, line, mm, top, left) for name, line in lines.items() if (mm := recorded[name]) is not None
    )
    parts = {"whole": mask.whole, "viable": mask.viable}
    outlines = {
        name: _outlines(part[slice_index, top:bottom, left:right]) for name, part in parts.items() if part is not None
    }
    return KeyImage(
        subject=row.subject,
        reader=row.reader,
        timepoint=row.timepoint,
        date=row.date,
        lesion=row.lesion,
        png=_png(pixels[top:bottom, left:right], window),
        width=right - left,
        height=bottom - top,
        column_spacing_mm=mask.geometry.column_spacing_mm,
        row_spacing_mm=mask.geometry.row_spacing_mm,
        lines=shown,
        outlines=outlines,
        phase=row.phase,
        series=series.description,
        slice_number=slice_index + 1,
        sop_instance_uid=series.slices[slice_index].sop_instance_uid,
        window=window,
    )


def _crop(mask: LesionMask, slice_index: int) -> tuple[int, int, int, int]:
    """Rows top:bottom and columns left:right around the lesion on its slice."""
    rows, columns = np.nonzero(mask.whole[slice_index])
    top, bottom = _span(rows, mask.geometry.row_spacing_mm, mask.geometry.shape[1])
    left, right = _span(columns, mask.geometry.column_spacing_mm, mask.geometry.shape[2])
    return top, bottom, left, right


def _span(indices: npt.NDArray[np.intp], spacing_mm: float, size: int) -> tuple[int, int]:
    first, last = int(indices.min()), int(indices.max())
    side_mm = max((last - first + 1) * spacing_mm + 2 * MARGIN_MM, MIN_SIDE_MM)
    half = round(side_mm / spacing_mm / 2)
    middle = (first + last + 1) // 2
    return max(0, middle - half), min(size, middle + half)


def _line(name: str, diameter: Diameter, mm: Decimal, top: int, left: int) -> KeyLine:
    (row_a, column_a), (row_b, column_b) = diameter.ends_index
    # Index 0 is the centre of a pixel; the picture's origin is the corner of its first pixel.
    start: Point = (column_a - left + 0.5, row_a - top + 0.5)
    end: Point = (column_b - left + 0.5, row_b - top + 0.5)
    return KeyLine(name=name, mm=mm, start=start, end=end)


def _outlines(part: npt.NDArray[np.bool_]) -> tuple[tuple[Point, ...], ...]:
    from skimage.measure import find_contours

    padded = np.pad(part.astype(np.float32), 1)
    # One pixel of padding, half a pixel from centre to corner.
    return tuple(
        tuple((float(column) - 0.5, float(row) - 0.5) for row, column in contour)
        for contour in find_contours(padded, 0.5)
    )


def _percentile_window(pixels: npt.NDArray[np.float32]) -> tuple[float, float]:
    low, high = np.nanpercentile(pixels, (2, 99))
    return (float(low + high) / 2, max(float(high - low), 1.0))


def _png(pixels: npt.NDArray[np.float32], window: tuple[float, float]) -> bytes:
    from PIL import Image

    centre, width = window
    grey = (np.nan_to_num(pixels, nan=centre - width / 2) - (centre - width / 2)) / width * 255
    buffer = io.BytesIO()
    Image.fromarray(np.clip(np.rint(grey), 0, 255).astype(np.uint8)).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
