"""A study folder to DICOM segmentations: what ``mrecist export seg`` does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrecist.errors import InputError, MaskError, MrecistError, SeriesError
from mrecist.exporting.naming import Exported, Tracking
from mrecist.imaging.contours import read_masks
from mrecist.imaging.masks import LesionMask, read_label_masks
from mrecist.imaging.placing import place_on_series
from mrecist.imaging.series import Series
from mrecist.model import Kind, Measurement, Problem
from mrecist.objects.identity import UUID_ROOT, check_root
from mrecist.objects.segmentation import DrawnLesion, write_segmentation
from mrecist.pieces import series_of
from mrecist.study import LabelMaskFile, Progress, SubjectInput, open_study
from mrecist.tables import safe_name, write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawn:
    """A lesion mask on its series, with the reader and visit that it belongs to."""

    mask: LesionMask
    series: Series
    timepoint: int
    reader: str


def export_segmentations(
    root: Path,
    out: Path,
    *,
    labelmap: bool = False,
    uid_root: str = UUID_ROOT,
    progress: Progress | None = None,
) -> Exported:
    """Write one DICOM SEG for each subject, reader, time point and series of a study folder (docs/dicom-objects.md).

    Parameters
    ----------
    root : the study folder; DICOM segmentations and the NIfTI masks of ``masks.csv`` are taken alike.
    out : folder for ``SUBJECT/seg_READER_TIMEPOINT.dcm``; made when it is not there.
    labelmap : LABELMAP in place of BINARY.
    uid_root : root of the UIDs that are made.
    progress : called with (files scanned, files in all).

    Raises
    ------
    InputError : the folder is no study. What is wrong with one mask is a problem, and the others are written.
    """
    check_root(uid_root)
    study = open_study(root, None, progress)
    problems = list(study.problems)
    notes: list[str] = []
    files: list[Path] = []
    names = Tracking(study=study.protocol.design.id, uid_root=uid_root)
    for subject in study.subjects:
        problems += subject.problems
        drawn = list(_drawn_masks(subject, problems, notes))
        uids = _tracking_uids(subject.subject, drawn, names, notes)
        for (reader, timepoint, series), group in _by_object(drawn).items():
            path = out / safe_name(subject.subject) / f"seg_{safe_name(reader)}_{timepoint}{series}.dcm"
            try:
                lesions = [_lesion(one, subject.rows, uids) for one in group]
                _check_names(subject.subject, group)
                content = write_segmentation(
                    group[0].series, lesions, reader=reader, labelmap=labelmap, uid_root=uid_root
                )
            except MrecistError as error:
                problems.append(Problem(subject=subject.subject, reader=reader, message=str(error)))
                continue
            write_whole(path, content)
            files.append(path)
            if not group[0].series.frame_of_reference_uid:
                notes.append(f"{path}: {group[0].series.label} has no FrameOfReferenceUID; one was made from its UID")
    if not files and not problems:
        raise InputError(f"{root}: holds no lesion mask, neither a DICOM segmentation nor a row in masks/masks.csv")
    return Exported(files=tuple(files), problems=tuple(problems), notes=tuple(notes))


# --- masks -----------------------------------------------------------------------------------------------------------


def _drawn_masks(subject: SubjectInput, problems: list[Problem], notes: list[str]) -> Iterator[_Drawn]:
    for segmentation in subject.segmentations:
        try:
            found = read_masks(segmentation.path, subject.series)
            notes += [f"{subject.subject}: {segmentation.path.name}: {n}" for n in (*found.skipped, *found.notes)]
            drawn = [
                _Drawn(
                    mask=mask,
                    series=(series := series_of(mask, subject.series)),
                    timepoint=_timepoint(series, subject, str(segmentation.path)),
                    reader=mask.reader or "R1",
                )
                for mask in found.masks
            ]
        except MrecistError as error:
            problems.append(Problem(subject=subject.subject, message=str(error)))
            continue
        yield from drawn
    for label_mask in subject.label_masks:
        try:
            placed = list(_placed_labels(label_mask, subject))
        except MrecistError as error:
            problems.append(Problem(subject=subject.subject, reader=label_mask.reader, message=str(error)))
            continue
        yield from placed


def _timepoint(series: Series, subject: SubjectInput, where: str) -> int:
    if series.uid not in subject.timepoints:
        name = series.description or series.uid
        raise SeriesError(f"{where}: series {name} has no time point; state it in series.csv (series_uid, timepoint)")
    return subject.timepoints[series.uid]


def _placed_labels(label_mask: LabelMaskFile, subject: SubjectInput) -> Iterator[_Drawn]:
    stacks = [one for one in subject.series if one.uid == label_mask.series_uid]
    if not stacks:
        named = (
            f"its series {label_mask.series_uid} is not in the images" if label_mask.series_uid else "names no series"
        )
        raise MaskError(f"{label_mask.lesions}: {named}; state series_uid in masks.csv and add those images")
    for mask in read_label_masks(label_mask.lesions, label_mask.viable):
        on, series = _place_on_one(mask, stacks)
        yield _Drawn(mask=on, series=series, timepoint=label_mask.timepoint, reader=label_mask.reader)


def _place_on_one(mask: LesionMask, stacks: Sequence[Series]) -> tuple[LesionMask, Series]:
    """The mask on the one stack under its series UID that has its grid."""
    placed: list[tuple[LesionMask, Series]] = []
    failures: list[MaskError] = []
    for one in stacks:
        try:
            placed.append((place_on_series(mask, one), one))
        except MaskError as error:
            failures.append(error)
    if not placed:
        raise failures[0]
    if len(placed) > 1:
        labels = " and ".join(series.label for _, series in placed)
        raise MaskError(f"{mask.source}: lies on {labels} alike; split that series, then name one of them in masks.csv")
    return placed[0]


# --- objects ---------------------------------------------------------------------------------------------------------


def _by_object(drawn: Sequence[_Drawn]) -> dict[tuple[str, int, str], list[_Drawn]]:
    """Masks by (reader, time point, suffix); a second series that a reader drew on at a visit gets the suffix ``_2``."""
    groups: dict[tuple[str, int], dict[tuple[str, int], list[_Drawn]]] = {}
    for one in sorted(drawn, key=lambda d: (d.reader, d.timepoint, d.series.uid, d.series.stack, d.mask.lesion)):
        visit = groups.setdefault((one.reader, one.timepoint), {})
        visit.setdefault((one.series.uid, one.series.stack), []).append(one)
    return {
        (*visit, f"_{number}" if number > 1 else ""): group
        for visit, by_series in groups.items()
        for number, group in enumerate(by_series.values(), 1)
    }


def _check_names(subject: str, group: Sequence[_Drawn]) -> None:
    names = [one.mask.lesion for one in group]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        sources = ", ".join(sorted({one.mask.source for one in group if one.mask.lesion == twice[0]}))
        where = f"subject {subject}, reader {group[0].reader}, time point {group[0].timepoint}"
        raise MaskError(f"{where}: lesion {twice[0]} has two masks, in {sources}; keep one")


def _tracking_uids(
    subject: str, drawn: Sequence[_Drawn], names: Tracking, notes: list[str]
) -> dict[tuple[str, str], str]:
    """(reader, lesion) -> TrackingUID: that of its first mask that has one, so that it is the same at every visit."""
    uids: dict[tuple[str, str], str] = {}
    for one in sorted(drawn, key=lambda d: d.timepoint):
        key, given = (one.reader, one.mask.lesion), one.mask.tracking_uid
        if given and uids.setdefault(key, given) != given:
            notes.append(
                f"{subject}, reader {one.reader}, time point {one.timepoint}: lesion {one.mask.lesion} had the TrackingUID "
                f"{given}; it is written as {uids[key]}, that of its first visit"
            )
    for one in drawn:
        uids.setdefault((one.reader, one.mask.lesion), names.uid(subject, one.reader, one.mask.lesion))
    return uids


def _lesion(one: _Drawn, rows: Sequence[Measurement], uids: dict[tuple[str, str], str]) -> DrawnLesion:
    mask = one.mask
    stated = [row for row in rows if (row.reader, row.lesion) == (one.reader, mask.lesion)]
    here = [row for row in stated if row.timepoint == one.timepoint]
    viable = mask.viable
    if viable is None and any(row.viable_mm == 0 for row in here):
        # reads/ says that nothing enhances: the segmentation says it too.
        viable = np.zeros_like(mask.whole)
    node = mask.kind == "node" or any(row.kind is Kind.NODE for row in stated)
    return DrawnLesion(
        lesion=mask.lesion,
        tracking_uid=uids[one.reader, mask.lesion],
        whole=mask.whole,
        viable=viable,
        organ=mask.organ or next((row.organ for row in stated if row.organ), ""),
        kind="node" if node else "lesion",
    )
