"""What was drawn of a subject: every lesion mask with its reader, its time point and its frame of reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mrecist.errors import MaskError, MrecistError
from mrecist.imaging.contours import read_masks
from mrecist.imaging.masks import lesion_mask, read_label_volume
from mrecist.imaging.placing import stacks_drawn_on
from mrecist.imaging.scan import Segmentation
from mrecist.imaging.series import Series
from mrecist.matching.lesions import Lesion, lesion_of
from mrecist.model import Problem
from mrecist.pieces import series_of
from mrecist.study import LabelMaskFile, SubjectInput


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnLesion:
    """A lesion mask of a read.

    Parameters
    ----------
    frame : FrameOfReferenceUID of its series, else the SeriesInstanceUID: positions of one frame may be compared.
    series : on which it was drawn; None where its images are not in the study.
    """

    reader: str
    timepoint: int
    lesion: Lesion
    frame: str
    series: Series | None


def drawn_lesions(given: SubjectInput) -> tuple[tuple[DrawnLesion, ...], tuple[Problem, ...]]:
    """Every lesion mask of a subject, and what could not be used; of two masks with one name at one visit the second."""
    found: dict[tuple[str, int, str], DrawnLesion] = {}
    problems = list(given.problems)

    def keep(one: DrawnLesion, source: object) -> None:
        key = one.reader, one.timepoint, one.lesion.name
        if key in found:
            where = f"subject {given.subject}, reader {one.reader}, time point {one.timepoint}"
            raise MaskError(
                f"{where}: lesion {one.lesion.name} has two masks, the second in {source}; keep one, it was left out"
            )
        found[key] = one

    for segmentation in given.segmentations:
        try:
            for one in _of_segmentation(segmentation, given):
                keep(one, segmentation.path)
        except MrecistError as error:
            problems.append(Problem(subject=given.subject, message=str(error)))
    for label_mask in given.label_masks:
        try:
            for one in _of_labels(label_mask, given):
                keep(one, label_mask.lesions)
        except MrecistError as error:
            problems.append(Problem(subject=given.subject, reader=label_mask.reader, message=str(error)))
    return tuple(found[key] for key in sorted(found)), tuple(problems)


def _of_segmentation(segmentation: Segmentation, given: SubjectInput) -> Iterator[DrawnLesion]:
    for mask in read_masks(segmentation.path, given.series).masks:
        series = series_of(mask, given.series)
        if series.uid not in given.timepoints:
            raise MaskError(
                f"{segmentation.path}: series {series.description or series.uid} has no time point; state it in series.csv "
                f"(columns series_uid, timepoint)"
            )
        if mask.whole.any():  # drawn and empty: there is nothing left to match
            yield DrawnLesion(
                reader=mask.reader or "R1",
                timepoint=given.timepoints[series.uid],
                lesion=lesion_of(mask.lesion, mask.whole, mask.geometry),
                frame=series.frame_of_reference_uid or series.uid,
                series=series,
            )


def _of_labels(label_mask: LabelMaskFile, given: SubjectInput) -> Iterator[DrawnLesion]:
    volume = read_label_volume(label_mask.lesions, None)
    stacks = stacks_drawn_on(volume, [s for s in given.series if s.uid == label_mask.series_uid])
    if not stacks and not label_mask.series_uid:
        raise MaskError(
            f"{label_mask.lesions}: names no series, so nobody knows where it lies; fill series_uid in masks.csv"
        )
    series = stacks[0] if stacks else None
    for number in np.unique(volume.labels[volume.labels != 0]).tolist():
        mask = lesion_mask(volume, number)
        yield DrawnLesion(
            reader=label_mask.reader,
            timepoint=label_mask.timepoint,
            lesion=lesion_of(mask.lesion, mask.whole, mask.geometry),
            frame=(series.frame_of_reference_uid if series else "") or label_mask.series_uid,
            series=series,
        )
