"""Which stack of slices a drawing (SEG, RTSTRUCT) lies on: the one that it names, else the only one that it fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mrecist.errors import MaskError
from mrecist.imaging.series import Series, Verdict

Fit = TypeVar("Fit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a drawing says of its images: series, images (SOPInstanceUIDs) and frame of reference, as far as it says it."""

    path: Path
    series_uids: tuple[str, ...]
    images: frozenset[str]
    frame_of_reference_uid: str


def choose_stack(
    named: Named, series: Sequence[Series], fit: Callable[[Series], Fit], by_reference: Callable[[Fit], bool]
) -> tuple[Fit, str]:
    """The fit on the one right stack, and a note where the drawing did not name it.

    Parameters
    ----------
    fit : places the drawing on a stack, or raises :class:`MaskError`.
    by_reference : whether every part of a fit lies on the image that it names.

    Raises
    ------
    MaskError
        The images are not among ``series``, were refused, have another grid, or several stacks fit and none is named.
    """
    candidates = _candidates(named, series)
    usable = [s for s in candidates if s.verdict is not Verdict.REFUSED and s.geometry is not None]
    failures: list[str] = []
    fits: list[tuple[Series, Fit]] = []
    for stack in usable:
        try:
            fits.append((stack, fit(stack)))
        except MaskError as error:
            failures.append(str(error))
    if len(fits) > 1:
        sure = [found for _, found in fits if by_reference(found)]
        if len(sure) != 1:
            labels = " and ".join(stack.label for stack, _ in fits)
            raise MaskError(
                f"{named.path}: its frames fit {labels} and do not say which; give only the images that were drawn on"
            )
        return sure[0], ""
    if fits:
        stack, found = fits[0]
        if named.series_uids or named.images:
            return found, ""
        return found, f"names no images; placed on {stack.label}, the only one of its frame of reference that it fits"
    refused = _refused(named, candidates)
    if refused is not None and (not usable or not failures or refused.stacks > 1):
        raise MaskError(
            f"{named.path}: refers to {refused.label}, which is refused: {refused.verdict_code}: {refused.verdict_text}"
        )
    raise MaskError(failures[0])


def _candidates(named: Named, series: Sequence[Series]) -> list[Series]:
    known = [
        s for s in series if s.uid in named.series_uids or any(i.sop_instance_uid in named.images for i in s.slices)
    ]
    if known:
        return known
    if named.series_uids or named.images:
        name = f"series {named.series_uids[0]}" if named.series_uids else f"image {min(named.images)}"
        raise MaskError(f"{named.path}: refers to {name}, which is not among the images given; add the images")
    frame_uid = named.frame_of_reference_uid
    same_space = [s for s in series if frame_uid and s.frame_of_reference_uid == frame_uid]
    if not same_space:
        raise MaskError(
            f"{named.path}: names no images, and no series has its FrameOfReferenceUID {frame_uid or '(none)'}"
        )
    return same_space


def _refused(named: Named, candidates: Sequence[Series]) -> Series | None:
    refused = [s for s in candidates if s.verdict is Verdict.REFUSED]
    own = [s for s in refused if any(i.sop_instance_uid in named.images for i in s.slices)]
    return next(iter(own or refused), None)
