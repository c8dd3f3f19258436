"""The lesions of two reads in one frame of reference: as the headers say, else carried over by registration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mrecist.errors import MaskError, MrecistError
from mrecist.imaging.series import Series
from mrecist.imaging.volume import load_volume
from mrecist.matching.across import carry
from mrecist.matching.drawn import DrawnLesion
from mrecist.matching.lesions import Lesion
from mrecist.segment.register import Scan, scan_of

FRAME = "frame"
# One frame of reference says where the table was, not how the patient breathed.
OTHER_SERIES_MM = 5.0
OTHER_VISIT_MM = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A drawn lesion in the frame of comparison and what brought it there; ``lesion`` is None where nothing did, with ``why``."""

    drawn: DrawnLesion
    lesion: Lesion | None
    by: str = ""
    why: str = ""


class Frames:
    """Brings lesions of one subject into one frame; each series is read once."""

    def __init__(self, series: Sequence[Series]) -> None:
        self._series = series
        self._scans: dict[tuple[str, int], Scan] = {}

    def bring(self, ones: Sequence[DrawnLesion], others: Sequence[DrawnLesion]) -> tuple[list[Brought], list[Brought]]:
        """Both lists of lesions, in their order, in the frame in which most of the second were drawn."""
        main = _main(others)
        brought = {id(one): one_brought for one, one_brought in self._all([*others, *ones], main)}
        return [brought[id(one)] for one in ones], [brought[id(other)] for other in others]

    def _all(self, lesions: Sequence[DrawnLesion], main: DrawnLesion) -> Iterator[tuple[DrawnLesion, Brought]]:
        for frame in dict.fromkeys((one.frame, one.timepoint) for one in lesions):
            group = [one for one in lesions if (one.frame, one.timepoint) == frame]
            if frame[0] == main.frame:
                yield from ((one, _as_it_is(one, main)) for one in group)
                continue
            try:
                yield from zip(group, self._carried(group, main), strict=True)
            except MrecistError as error:
                yield from ((one, Brought(drawn=one, lesion=None, why=str(error))) for one in group)

    def _carried(self, group: Sequence[DrawnLesion], main: DrawnLesion) -> list[Brought]:
        own = _main(group).series
        there = main.series
        if own is None or there is None:
            raise MaskError(
                "drawn in another frame of reference, and its images are not in the study; add that series to images/"
            )
        there = self._of_phase(own, there)
        if own.modality != there.modality:
            raise MaskError(f"{own.modality} and {there.modality} are not registered; compare these lesions by hand")
        assert there.geometry is not None
        done = carry(
            self._scan(own),
            self._scan(there),
            [one.lesion for one in group],
            there.geometry,
            hounsfield=there.modality == "CT",
        )
        return [
            Brought(drawn=one, lesion=found.lesion, by=found.by)
            if found.inside
            else Brought(drawn=one, lesion=None, why="its place lies outside of the other scan")
            for one, found in zip(group, done.carried, strict=True)
        ]

    def _of_phase(self, own: Series, there: Series) -> Series:
        """Another series of the frame that shows the same phase, where the one that was drawn on does not."""
        if own.phase.name == there.phase.name or not there.frame_of_reference_uid:
            return there
        same = [
            one
            for one in self._series
            if one.frame_of_reference_uid == there.frame_of_reference_uid
            and (one.study_uid, one.modality, one.phase.name) == (there.study_uid, own.modality, own.phase.name)
            and one.geometry is not None
            and one.geometry.slice_step_mm is not None
        ]
        return same[0] if same else there

    def _scan(self, series: Series) -> Scan:
        key = series.uid, series.stack
        if key not in self._scans:
            volume = load_volume(series)
            assert series.geometry is not None
            self._scans[key] = scan_of(volume.voxels, series.geometry, hounsfield=series.modality == "CT")
        return self._scans[key]


def _main(lesions: Sequence[DrawnLesion]) -> DrawnLesion:
    """One of the lesions, of the frame in which most were drawn, and there of the series on which most were."""
    frames = Counter(one.frame for one in lesions)
    most = max(frames.values())
    frame = next(one.frame for one in lesions if frames[one.frame] == most)
    inside = [one for one in lesions if one.frame == frame]
    series = Counter(_key(one) for one in inside)
    return max(inside, key=lambda one: (one.series is not None, series[_key(one)]))


def _as_it_is(one: DrawnLesion, main: DrawnLesion) -> Brought:
    off = 0.0
    if one.timepoint != main.timepoint:
        off = OTHER_VISIT_MM
    elif _key(one) != _key(main):
        off = OTHER_SERIES_MM
    return Brought(drawn=one, lesion=replace(one.lesion, off_mm=off), by=FRAME)


def _key(one: DrawnLesion) -> tuple[str, int]:
    return ("", 0) if one.series is None else (one.series.uid, one.series.stack)
