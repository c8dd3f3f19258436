"""Where a report finds the images and segments behind its numbers: a study folder, or any folder with the images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mrecist.errors import InputError, MrecistError
from mrecist.imaging.lesions import Lesion, Part, group_segments
from mrecist.imaging.phase import PhaseName
from mrecist.imaging.scan import Segmentation, scan_folder
from mrecist.imaging.segments import SegFile, open_segmentation
from mrecist.imaging.series import Series, Verdict
from mrecist.model import Measurement
from mrecist.objects.identity import image_header, make_uid
from mrecist.objects.lines import TOLERANCE_MM, Line, line_on_image
from mrecist.objects.report_groups import SegmentReference
from mrecist.study import LabelMaskFile, Progress, open_study

_PARTS = {"whole": Part.WHOLE, "viable": Part.VIABLE}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seg:
    """A segmentation with its lesions, and the series that it was drawn on."""

    file: SegFile
    lesions: tuple[Lesion, ...]
    reader: str
    series_uid: str


@dataclass(slots=True, kw_only=True)
class SubjectSources:
    """The images and segmentations of one subject."""

    subject: str
    series: tuple[Series, ...]
    timepoints: Mapping[str, int]
    """Series UID -> time point, as far as the study folder says it; else a series belongs to the visit of its date."""
    label_masks: tuple[LabelMaskFile, ...]
    segmentations: tuple[_Seg, ...]
    _headers: dict[Path, Any] = field(default_factory=dict)

    def header(self, path: Path) -> Any:
        """The header of an image or segmentation, read once."""
        if path not in self._headers:
            self._headers[path] = image_header(path)
        return self._headers[path]

    def of_visit(self, rows: Sequence[Measurement]) -> list[Series]:
        """The series of the visit that ``rows`` belong to, those that may be measured first, arterial before others."""
        days = {row.date.isoformat() for row in rows if row.date is not None}
        timepoint = rows[0].timepoint
        mine = [
            one
            for one in self.series
            if self.timepoints.get(one.uid, timepoint if one.date in days else -1) == timepoint
        ]
        return sorted(mine, key=lambda s: (s.verdict is Verdict.REFUSED, s.phase.name is not PhaseName.ARTERIAL))

    def line(self, row: Measurement, diameter: Mapping[str, Any]) -> Line | None:
        """A diameter of measurements.json on its image; None when it names no image and masks.csv no series.

        Raises :class:`InputError` when the image that it names is not there, or is not where the line lies.
        """
        uid = diameter.get("sop_instance_uid")
        ends = diameter["ends_lps"]
        if uid is None:
            found = self._slice_of_label_mask(row, ends)
        else:
            found = self._slice_of_image(str(uid), int(diameter["slice"]))
            if found is None:
                raise InputError(
                    f"{_named(row)}: its image {uid} is not among the images given; give the images that were scored"
                )
        if found is None:
            return None
        series, index = found
        if series.geometry is None:
            raise InputError(f"{_named(row)}: {series.label} has no geometry: {series.verdict_text}")
        image = series.slices[index]
        header = self.header(image.path)
        return line_on_image(ends, float(diameter["mm"]), header, image.frame, series.geometry, index)

    def _slice_of_image(self, uid: str, index: int) -> tuple[Series, int] | None:
        for series in self.series:
            places = [i for i, one in enumerate(series.slices) if one.sop_instance_uid == uid]
            if places:
                return series, index if index in places else places[0]
        return None

    def _slice_of_label_mask(self, row: Measurement, ends: Sequence[Sequence[float]]) -> tuple[Series, int] | None:
        """The slice of the series in masks.csv on which both ends lie; a NIfTI file names no image."""
        import numpy as np

        named = {m.series_uid for m in self.label_masks if (m.reader, m.timepoint) == (row.reader, row.timepoint)}
        fits = [
            (series, index)
            for series in self.series
            if series.uid in named and series.geometry is not None
            for index, origin in enumerate(series.geometry.origins_lps)
            if all(abs(float(np.subtract(end, origin) @ series.geometry.normal)) <= TOLERANCE_MM for end in ends)
        ]
        return fits[0] if len(fits) == 1 else None

    def segments(self, row: Measurement, rows: Sequence[Measurement]) -> tuple[dict[str, SegmentReference], str]:
        """Part -> segment of a lesion at its visit, and the lesion's TrackingUID ("" when no segmentation has it)."""
        visit = {one.uid for one in self.of_visit(rows)}
        for seg in self.segmentations:
            if seg.reader != row.reader or seg.series_uid not in visit:
                continue
            for lesion in seg.lesions:
                if lesion.name == row.lesion:
                    return self._references(seg, lesion), lesion.tracking_uid
        return {}, ""

    def _references(self, seg: _Seg, lesion: Lesion) -> dict[str, SegmentReference]:
        types = {segment.number: segment.property_type for segment in seg.file.segments}
        numbers: dict[Part, list[int]] = {}
        for number, part in lesion.parts.items():
            numbers.setdefault(part, []).append(number)
        header = self.header(seg.file.path)
        return {
            name: SegmentReference(segmentation=header, number=numbers[part][0], type=types[numbers[part][0]])
            for name, part in _PARTS.items()
            # Two segments of one part: no single one holds the volume.
            if len(numbers.get(part, ())) == 1
        }

    def tracking_uid(self, reader: str, lesion: str) -> str:
        """The TrackingUID of a lesion in any segmentation of this reader, earliest visit first; "" without one."""
        dates = {series.uid: series.date or "" for series in self.series}
        for seg in sorted(self.segmentations, key=lambda s: dates.get(s.series_uid, "")):
            for one in seg.lesions:
                if seg.reader == reader and one.name == lesion and one.tracking_uid:
                    return one.tracking_uid
        return ""

    def visit_image(self, rows: Sequence[Measurement], uid_root: str) -> tuple[Any, str]:
        """Header of an image of a visit, and its modality.

        A visit without images has the patient of another visit and a study of its own, so that it can be reported too. Raises
        :class:`InputError` when the subject has no image at all.
        """
        for series in (*self.of_visit(rows), None):
            if series is not None and series.slices:
                return self.header(series.slices[0].path), series.modality
        other = next((one for one in self.series if one.slices), None)
        if other is None:
            raise InputError(f"subject {self.subject}: no image is there, and a report needs the patient of one")
        header = image_header(other.slices[0].path)
        day = next((row.date for row in rows if row.date is not None), None)
        header.StudyInstanceUID = make_uid(uid_root, "visit", header.StudyInstanceUID, self.subject, rows[0].timepoint)
        header.StudyID = header.AccessionNumber = header.StudyTime = ""
        for name in (
            "StudyDescription",
            "AcquisitionTime",
            "SeriesTime",
            "ContentTime",
            "ClinicalTrialTimePointDescription",
        ):
            header.pop(name, None)
        if "ClinicalTrialTimePointID" in header:
            header.ClinicalTrialTimePointID = str(rows[0].timepoint)
        for name in ("AcquisitionDate", "SeriesDate", "ContentDate", "StudyDate"):
            setattr(header, name, day.strftime("%Y%m%d") if day else "")
        return header, next((row.modality for row in rows if row.modality), other.modality)


def _named(row: Measurement) -> str:
    return f"subject {row.subject}, reader {row.reader}, time point {row.timepoint}, lesion {row.lesion}"


def open_sources(
    images: Path, segmentations: Path | None, progress: Progress | None = None
) -> tuple[dict[str, SubjectSources], list[str]]:
    """Subject -> its images and segmentations, and a line for each segmentation that cannot be read.

    Parameters
    ----------
    images : a study folder, or a folder with the images and perhaps their segmentations.
    segmentations : folder with segmentations that are taken before those.

    Raises
    ------
    InputError : a folder is not there, or does not hold what it is given for.
    """
    subjects: dict[str, SubjectSources] = {}
    problems: list[str] = []
    extra = _given_segmentations(segmentations) if segmentations is not None else ()
    if any((images / name).is_dir() for name in ("images", "masks")):
        for one in open_study(images, None, progress).subjects:
            subjects[one.subject] = SubjectSources(
                subject=one.subject,
                series=one.series,
                timepoints=one.timepoints,
                label_masks=one.label_masks,
                segmentations=tuple(_opened((*extra, *one.segmentations), one.series, problems)),
            )
        return subjects, problems
    scan = scan_folder(images, progress)
    if not scan.series:
        raise InputError(f"{images}: holds no DICOM images; give the study folder that was scored, or its images")
    for subject in dict.fromkeys(series.subject for series in scan.series):
        series = tuple(one for one in scan.series if one.subject == subject)
        subjects[subject] = SubjectSources(
            subject=subject,
            series=series,
            timepoints={},
            label_masks=(),
            segmentations=tuple(_opened((*extra, *scan.segmentations), series, problems)),
        )
    return subjects, problems


def _given_segmentations(folder: Path) -> tuple[Segmentation, ...]:
    """The segmentations of ``--seg``: without any, those of the study would be taken in silence."""
    if not folder.is_dir():
        raise InputError(f"{folder}: is not a folder; give the one that 'export seg' wrote")
    found = scan_folder(folder).segmentations
    if not found:
        raise InputError(f"{folder}: holds no segmentation; give the folder that 'export seg' wrote, or leave it out")
    return tuple(found)


def _opened(found: Sequence[Segmentation], series: Sequence[Series], problems: list[str]) -> Iterator[_Seg]:
    """The segmentations that were drawn on these series."""
    known = {one.uid for one in series}
    for one in found:
        if one.referenced_series_uid not in known or one.is_structure_set:
            continue  # a report refers to segments, which a structure set has not
        try:
            file = open_segmentation(one.path)
        except MrecistError as error:
            problems.append(str(error))
            continue
        lesions, _ = group_segments(file.segments)
        yield _Seg(file=file, lesions=lesions, reader=file.creator or "R1", series_uid=one.referenced_series_uid)
