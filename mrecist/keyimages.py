"""The slice on which a lesion was measured, cropped, windowed and with its diameters: a picture that proves a number."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import fields, replace
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from mrecist.imaging.masks import LesionMask
from mrecist.imaging.series import Series
from mrecist.imaging.volume import load_slice
from mrecist.measure.lesion import LesionMeasurement
from mrecist.model import Measurement
from mrecist.pictures.slices import LesionLine, lesion_lines, lesion_view
from mrecist.pictures.windows import grey_of, window_of
from mrecist.results import KeyImage, Picture


def key_images(
    mask: LesionMask, measured: LesionMeasurement, series: Series, recorded: dict[str, Decimal | None], phase: str
) -> tuple[KeyImage, ...]:
    """The key images of one measured lesion: the slice of its longest diameter and, when it is another, of its viable one.

    ``recorded`` maps line names (longest, short, viable, viable_short) to the recorded sizes; a line without one is left out.
    A mask does not know whose it is: subject, reader and visit are empty until :func:`of_row` names them.
    """
    lines = lesion_lines(measured, mask.geometry, recorded)
    slices = dict.fromkeys(line.slice_index for line in lines)
    return tuple(_key_image(mask, series, index, lines, phase) for index in slices)


def of_row(image: KeyImage, row: Measurement) -> KeyImage:
    """The key image of the lesion that a row records."""
    return replace(image, subject=row.subject, reader=row.reader, timepoint=row.timepoint, date=row.date)


def _key_image(mask: LesionMask, series: Series, slice_index: int, lines: Sequence[LesionLine], phase: str) -> KeyImage:
    pixels = load_slice(series, slice_index)
    view = lesion_view(mask.whole, mask.viable, mask.geometry, lines, slice_index)
    window = window_of(pixels, series.modality)
    return KeyImage(
        **{field.name: getattr(view.picture, field.name) for field in fields(Picture)},
        subject="",
        reader="",
        timepoint=0,
        date=None,
        lesion=mask.lesion,
        png=_png(grey_of(pixels[view.rows, view.columns], window)),
        phase=phase,
        series=series.description,
        slice_number=slice_index + 1,
        sop_instance_uid=series.slices[slice_index].sop_instance_uid,
        window=window,
    )


def _png(grey: npt.NDArray[np.uint8]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(grey).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()
