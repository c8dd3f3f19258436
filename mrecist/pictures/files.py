"""One PNG for each measured lesion: the slice of its longest diameter and, when that is another, the slice of its viable one."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import count

from mrecist.imaging.masks import LesionMask
from mrecist.imaging.series import Series
from mrecist.imaging.volume import load_slice
from mrecist.measure.measured import LesionMeasurement
from mrecist.pictures.axes import draw_lesion
from mrecist.pictures.slices import lesion_lines

_SIDE_IN, _DPI = 5.0, 144


def lesion_png(
    mask: LesionMask,
    measured: LesionMeasurement,
    sizes: Mapping[str, Decimal | None],
    title: str,
    series: Series | None,
) -> bytes:
    """The picture of one lesion.

    Parameters
    ----------
    sizes : the recorded sizes by name of the line (longest, short, viable, viable_short).
    title : stands above the picture.
    series : its images; None: the mask is drawn without.

    Raises
    ------
    SeriesError : a slice of the series cannot be read.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = lesion_lines(measured, mask.geometry, sizes)
    slices = list(dict.fromkeys(line.slice_index for line in lines)) or [measured.longest.slice_index]
    figure = Figure(figsize=(_SIDE_IN * len(slices), _SIDE_IN + 0.3), dpi=_DPI, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11, parse_math=False)
    axes = figure.subplots(1, len(slices), squeeze=False)[0]
    for ax, index in zip(axes, slices, strict=True):
        pixels = None if series is None else load_slice(series, index)
        modality = "" if series is None else series.modality
        draw_lesion(mask.whole, mask.viable, mask.geometry, lines, index, pixels=pixels, modality=modality, ax=ax)
    buffer = io.BytesIO()
    canvas.print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()


def file_name(parts: Sequence[str], taken: Iterable[str]) -> str:
    """A PNG name made of subject, reader, ..., unlike all that are taken, even where capitals do not count."""
    stem = "_".join(re.sub(r"[^\w.-]+", "-", part).strip("-.") or "-" for part in parts)
    used = {name.casefold() for name in taken}
    numbered = (stem if number == 1 else f"{stem}_{number}" for number in count(1))
    return next(f"{name}.png" for name in numbered if f"{name}.png".casefold() not in used)
