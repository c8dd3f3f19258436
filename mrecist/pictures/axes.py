"""A lesion on matplotlib axes: its slice, its outlines, and the diameters that were measured on it.

The data coordinates of the axes are mm from the centre of the first pixel of the slice, x along the rows and y along the columns, so
pixel (row, column) lies at (column * column spacing, row * row spacing) and a line is as long as its size says.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from mrecist.errors import InputError, MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.measure.measured import LesionMeasurement
from mrecist.pictures.marks import FONT_POINTS, Mark, Stroke, marks_of
from mrecist.pictures.slices import BoolArray, LesionLine, LesionView, lesion_lines, lesion_view
from mrecist.pictures.windows import grey_of, window_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Window = tuple[float, float]
_TILE = "#0d1014"
_WIDTHS = {"outline": 1.1, "edge": 3.2, "diameter": 1.8, "cap": 1.8, "scale": 1.4}
_EDGE_ALPHA = 0.35
# Without voxels the mask itself is the picture.
_GREY_WHOLE, _GREY_VIABLE = 70, 120
# Which axes of the body point right and down where slices are looked at: the patient's left, back and feet.
_RIGHT_DOWN = np.array((1.0, 1.0, -1.0))


def plot_lesion(
    whole: BoolArray,
    geometry: Geometry,
    measured: LesionMeasurement,
    viable: npt.NDArray[Any] | None = None,
    *,
    voxels: npt.NDArray[Any] | None = None,
    modality: str = "",
    window: Window | None = None,
    diameter: Literal["longest", "viable"] = "longest",
    short_axes: bool = True,
    round_mm: Decimal = Decimal("0.1"),
    ax: Axes | None = None,
) -> Axes:
    """Draw a lesion on the slice of one of its diameters.

    The slice is shown in mm, as it is looked at (the patient's right on the left, the front or the head at the top). Blue is the
    whole lesion, orange its viable part; short axes are dashed. A diameter that lies on another slice is not drawn; the line below
    the picture says where it is.

    Parameters
    ----------
    whole : (Z, Y, X) bool, the lesion that was measured.
    geometry : where the voxels lie; ``geometry.shape`` is (Z, Y, X).
    measured : what :func:`mrecist.measure` or :func:`mrecist.measure_lesion` found for it.
    viable : (Z, Y, X), not 0 where a lesion is viable, as for :func:`mrecist.measure`; None when none was drawn.
    voxels : the image on the same lattice, (Z, Y, X), or (Y, X) of the slice alone; None: the mask is drawn without an image.
    modality : "CT" chooses the window of the report (centre 70, width 350 HU); otherwise the 2nd to 99th percentile of the slice.
    window : centre and width in the unit of the voxels, in place of both.
    diameter : whose slice is shown.
    short_axes : draw the short axes too.
    round_mm : step of the sizes in the labels, rounded half away from zero.
    ax : where to draw; None: a new figure of pyplot.

    Raises
    ------
    MaskError : a mask that is not bool, has another shape than the geometry, or is empty on the slice of the diameter.
    InputError : voxels of another shape, or the slice of a viable diameter is asked for and there is none.

    Examples
    --------
    >>> found = mrecist.measure(labels, geometry, viable)
    >>> ax = plot_lesion(labels == 1, geometry, found[1], viable, voxels=volume.voxels, modality="CT")
    """
    _check(whole, viable, geometry)
    part = None if viable is None else (np.asarray(viable) != 0) & whole
    chosen = measured.viable if diameter == "viable" else measured.longest
    if chosen is None:
        raise InputError("plot_lesion: there is no viable diameter whose slice could be shown; use diameter='longest'")
    lines = lesion_lines(measured, geometry, round_mm=round_mm)
    if not short_axes:
        lines = tuple(line for line in lines if line.name in ("longest", "viable"))
    index = chosen.slice_index
    pixels = _slice_of(voxels, geometry, index)
    return draw_lesion(whole, part, geometry, lines, index, pixels=pixels, modality=modality, window=window, ax=ax)


def draw_lesion(
    whole: BoolArray,
    viable: BoolArray | None,
    geometry: Geometry,
    lines: Sequence[LesionLine],
    slice_index: int,
    *,
    pixels: npt.NDArray[Any] | None,
    modality: str,
    window: Window | None = None,
    ax: Axes | None = None,
) -> Axes:
    """As :func:`plot_lesion`, for a slice and lines that are known; ``pixels`` is (Y, X), or None."""
    if not (0 <= slice_index < geometry.shape[0] and whole[slice_index].any()):
        raise MaskError(f"the lesion mask is empty on slice {slice_index}, where its diameter lies; give its own mask")
    view = lesion_view(whole, viable, geometry, lines, slice_index)
    if ax is None:
        from matplotlib import pyplot

        ax = pyplot.subplots(figsize=(5, 5), layout="constrained")[1]
    if pixels is None:
        grey, shown = _mask_as_grey(view, whole, viable), "mask only"
    else:
        window = window or window_of(pixels, modality)
        grey, shown = grey_of(pixels[view.rows, view.columns], window), f"C {window[0]:.0f} W {window[1]:.0f}"
    # A stack may be stored with any side first; it is looked at in one way only.
    flipped = _against(geometry.row_direction), _against(geometry.column_direction)
    _show(ax, grey, view, flipped)
    corner = _corner(view)
    for mark in marks_of(view.picture, _point_mm(ax, view), labels=True, scale_bar=flipped):
        _draw(ax, mark, corner)
    ax.set_title(f"slice {slice_index + 1} of {view.slice_count} · {shown}", fontsize=FONT_POINTS)
    ax.set_xlabel(
        "\n".join(f"{line.text}: on slice {line.slice_index + 1}" for line in view.elsewhere), fontsize=FONT_POINTS - 1
    )
    return ax


def _check(whole: BoolArray, viable: npt.NDArray[Any] | None, geometry: Geometry) -> None:
    for mask, name in ((whole, "lesion"), (viable, "viable")):
        if mask is not None and np.shape(mask) != geometry.shape:
            shape = np.shape(mask)
            raise MaskError(f"the {name} mask has shape {shape}, its images {geometry.shape} (slices, rows, columns)")
    if np.asarray(whole).dtype != np.bool_:
        held = np.asarray(whole).dtype
        raise MaskError(f"the lesion mask holds {held}, not bool: choose one lesion, for example labels == 1")


def _slice_of(voxels: npt.NDArray[Any] | None, geometry: Geometry, index: int) -> npt.NDArray[np.float64] | None:
    if voxels is None:
        return None
    given = np.asarray(voxels)
    if given.shape == geometry.shape:
        given = given[index]
    if given.shape != geometry.shape[1:]:
        raise InputError(
            f"the voxels have shape {given.shape}; give {geometry.shape} (slices, rows, columns) or one slice, {geometry.shape[1:]}"
        )
    return given.astype(np.float64)


def _mask_as_grey(view: LesionView, whole: BoolArray, viable: BoolArray | None) -> npt.NDArray[np.uint8]:
    place = view.slice_index, view.rows, view.columns
    grey = whole[place].astype(np.uint8) * _GREY_WHOLE
    if viable is not None:
        grey[viable[place]] = _GREY_VIABLE
    return grey


def _corner(view: LesionView) -> tuple[float, float]:
    """Where the picture's upper left corner lies in the mm of the slice."""
    picture = view.picture
    return (view.columns.start - 0.5) * picture.column_spacing_mm, (view.rows.start - 0.5) * picture.row_spacing_mm


def _show(ax: Axes, grey: npt.NDArray[np.uint8], view: LesionView, flipped: tuple[bool, bool]) -> None:
    left, top = _corner(view)
    wide, high = view.picture.size_mm
    right, bottom = left + wide, top + high
    ax.imshow(grey, cmap="gray", vmin=0, vmax=255, extent=(left, right, bottom, top), interpolation="nearest")
    ax.set_aspect("equal")
    ax.set_xlim((right, left) if flipped[0] else (left, right))
    ax.set_ylim((top, bottom) if flipped[1] else (bottom, top))
    ax.set_facecolor(_TILE)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def _against(direction: tuple[float, float, float]) -> bool:
    main = int(np.argmax(np.abs(direction)))
    return bool(direction[main] * _RIGHT_DOWN[main] < 0)


def _point_mm(ax: Axes, view: LesionView) -> float:
    """How many mm one point of text covers."""
    figure = ax.figure.canvas.figure  # that of a subfigure too
    figure.draw_without_rendering()
    box = ax.get_window_extent()
    wide, high = view.picture.size_mm
    pixels_per_mm = min(box.width / wide, box.height / high)
    return float(figure.dpi / 72 / pixels_per_mm)


def _draw(ax: Axes, mark: Mark, corner: tuple[float, float]) -> None:
    if not isinstance(mark, Stroke):
        from matplotlib.patheffects import withStroke

        x, y = mark.at[0] + corner[0], mark.at[1] + corner[1]
        ax.text(
            x,
            y,
            mark.text,
            color=mark.colour,
            fontsize=FONT_POINTS,
            ha="center",
            va="center",
            gid=f"{mark.role}-{mark.name}",
            path_effects=[withStroke(linewidth=1.6, foreground="#000000a0")],
            parse_math=False,
        )
        return
    points = [*mark.points, *mark.points[:1]] if mark.closed else mark.points
    width = _WIDTHS[mark.role]
    dashes = tuple(float(part) / width for part in mark.dashes.split())
    ax.plot(
        [x + corner[0] for x, _ in points],
        [y + corner[1] for _, y in points],
        color=mark.colour,
        linewidth=width,
        linestyle=(0, dashes) if dashes else "-",
        solid_capstyle="butt",
        gid=f"{mark.role}-{mark.name}",
        alpha=_EDGE_ALPHA if mark.role == "edge" else None,
        scalex=False,
        scaley=False,
    )
