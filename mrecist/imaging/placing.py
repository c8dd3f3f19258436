"""A label mask on the series that it was drawn on: by where its voxels lie, never by index.

Converters write the same voxels in another order (dcm2niix mirrors the rows, others reverse the slices), so an axis that runs the
other way is turned. Everything else must agree, because a mask on another grid would need resampling, and that is the user's
decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.imaging.geometry import Geometry
from mrecist.imaging.masks import LabelVolume, LesionMask
from mrecist.imaging.series import Series, Verdict

POSITION_TOLERANCE_MM = 0.1
"""Largest distance of a corner voxel from where the series has it: float32 affines and rounded positions stay far below it."""
DIRECTION_TOLERANCE = 1e-3
SPACING_TOLERANCE = 1e-3
"""Relative."""


def place_on_series(mask: LesionMask, series: Series) -> LesionMask:
    """The same mask in the voxel order of ``series``, with its geometry and the SOPInstanceUID of each slice.

    Raises
    ------
    MaskError
        The series is refused, or its grid is another one: the message has both values.
    """
    turned = axes_turned(mask, series)
    order = tuple(slice(None, None, -1) if back else slice(None) for back in turned)
    return replace(
        mask,
        geometry=series.geometry or mask.geometry,
        whole=np.ascontiguousarray(mask.whole[order]),
        viable=None if mask.viable is None else np.ascontiguousarray(mask.viable[order]),
        slice_uids=tuple(one.sop_instance_uid for one in series.slices),
        series_uid=series.uid,
    )


def axes_turned(mask: LesionMask | LabelVolume, series: Series) -> tuple[bool, bool, bool]:
    """Which of the axes (slice, row, column) of a mask on the grid of ``series`` run the other way.

    Raises
    ------
    MaskError
        As :func:`place_on_series`.
    """
    geometry = series.geometry
    if geometry is None or series.verdict is Verdict.REFUSED:
        raise MaskError(f"{mask.source}: {series.label} is refused: {series.verdict_code}: {series.verdict_text}")
    turned = _axes_that_run_back(mask, series, geometry)
    _check_positions(mask, series, geometry, turned)
    return turned


def stacks_drawn_on(volume: LabelVolume, stacks: Sequence[Series]) -> tuple[Series, ...]:
    """Those of ``stacks`` that have the grid of a label file: the stacks that it can have been drawn on.

    Raises
    ------
    MaskError
        None has: the message has both values for the first usable stack.
    """
    found: list[Series] = []
    failures: list[tuple[bool, MaskError]] = []
    for one in stacks:
        try:
            axes_turned(volume, one)
            found.append(one)
        except MaskError as error:
            failures.append((one.verdict is Verdict.REFUSED, error))
    if not found and failures:
        raise min(failures, key=lambda failure: failure[0])[1]
    return tuple(found)


def _axes_that_run_back(mask: LesionMask | LabelVolume, series: Series, geometry: Geometry) -> tuple[bool, bool, bool]:
    """Which of the axes (slice, row, column) of the mask run against those of the series."""
    mine = mask.geometry
    _compare(mask, series, "shape (slices, rows, columns)", mine.shape, geometry.shape, 0.0)
    back: list[bool] = []
    for name, one, other in (
        ("slice axis", mine.normal, geometry.normal),
        ("column direction", mine.column_direction, geometry.column_direction),
        ("row direction", mine.row_direction, geometry.row_direction),
    ):
        sign = -1.0 if float(np.dot(one, other)) < 0 else 1.0
        _compare(mask, series, name, tuple(sign * np.array(one)), tuple(other), DIRECTION_TOLERANCE)
        back.append(sign < 0)
    mine_mm, series_mm = ((g.row_spacing_mm, g.column_spacing_mm) for g in (mine, geometry))
    _compare(mask, series, "pixel spacing (mm)", mine_mm, series_mm, SPACING_TOLERANCE * min(series_mm))
    return back[0], back[1], back[2]


def _check_positions(
    mask: LesionMask | LabelVolume, series: Series, geometry: Geometry, turned: tuple[bool, bool, bool]
) -> None:
    """The first and last voxel of every slice lie where the series has them."""
    slices, rows, columns = geometry.shape
    for index in range(slices):
        mine = slices - 1 - index if turned[0] else index
        for row, column in ((0, 0), (rows - 1, columns - 1)):
            at = mask.geometry.to_lps(
                mine, rows - 1 - row if turned[1] else row, columns - 1 - column if turned[2] else column
            )
            there = geometry.to_lps(index, row, column)
            if float(np.linalg.norm(np.subtract(at, there))) > POSITION_TOLERANCE_MM:
                _refuse(mask, series, f"voxel (slice {index}, row {row}, column {column}) (LPS mm)", at, there)


def _compare(
    mask: LesionMask | LabelVolume,
    series: Series,
    what: str,
    mine: Sequence[float],
    theirs: Sequence[float],
    tolerance: float,
) -> None:
    if any(abs(a - b) > tolerance for a, b in zip(mine, theirs, strict=True)):
        _refuse(mask, series, what, mine, theirs)


def _refuse(
    mask: LesionMask | LabelVolume, series: Series, what: str, mine: npt.ArrayLike, theirs: npt.ArrayLike
) -> None:
    one, other = (", ".join(f"{v:.6g}" for v in np.asarray(values).tolist()) for values in (mine, theirs))
    raise MaskError(
        f"{mask.source}: its {what} is {one}, of {series.label} {other}; draw or resample it on that series"
    )
