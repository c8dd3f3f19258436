"""One DICOM file as it came or as it will be sent: who it is, and whether it is whole."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrecist.errors import MrecistError, SeriesError
from mrecist.imaging.headers import (
    DEFLATED,
    Header,
    get_integer,
    get_text,
    guarded,
    object_uid,
    pixel_problem,
    read_header,
)

_UNDEFINED_LENGTH = 0xFFFFFFFF
_LONGEST_ELEMENT_HEADER = 12
_MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
# Label Map Segmentation Storage, which many archives do not know yet
LABELMAP = "1.2.840.10008.5.1.4.1.1.66.7"
# CT, Enhanced CT, MR, Enhanced MR, Segmentation, Label Map Segmentation: never without pixel data
_WITH_PIXELS = frozenset(f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("2", "2.1", "4", "4.1", "66.4", "66.7"))


class InstanceError(MrecistError):
    """An instance that is not whole, or not what was asked for; the text says why."""


class MediaDirectoryError(InstanceError):
    """A DICOMDIR: DICOM, and no instance of a study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """What a file says it is."""

    patient: str
    study_uid: str
    series_uid: str
    sop_uid: str
    sop_class: str
    transfer_syntax: str


def inspect(path: Path) -> Instance:
    """Read the header of a file and measure the rest.

    Raises
    ------
    InstanceError : not DICOM, no UIDs, or truncated. A file that is cut exactly between two elements, and holds no pixel data,
        cannot be told from a whole one.
    """
    try:
        header = read_header(path)
        if object_uid(header.dataset, "SOPClassUID") == _MEDIA_DIRECTORY:
            raise MediaDirectoryError("it is a DICOMDIR, no instance of a study")
        _refuse_truncated(path, header)
        with guarded(f"{path}: the header cannot be used"):
            return _identity(header)
    except SeriesError as error:
        raise InstanceError(str(error).removeprefix(f"{path}: ")) from None


def _identity(header: Header) -> Instance:
    dataset = header.dataset
    instance = Instance(
        patient=get_text(dataset, "PatientID"),
        study_uid=get_text(dataset, "StudyInstanceUID"),
        series_uid=get_text(dataset, "SeriesInstanceUID"),
        sop_uid=object_uid(dataset, "SOPInstanceUID"),
        sop_class=object_uid(dataset, "SOPClassUID"),
        transfer_syntax=header.transfer_syntax,
    )
    for what in ("study_uid", "series_uid", "sop_uid", "sop_class"):
        if not getattr(instance, what):
            raise SeriesError(f"it has no {what.replace('_', ' ')}: no DICOM instance, or cut short")
    return instance


def _refuse_truncated(path: Path, header: Header) -> None:
    dataset = header.dataset
    if header.pixels is not None:
        if problem := pixel_problem(header, frames=get_integer(dataset, "NumberOfFrames") or 1):
            raise SeriesError(problem)
    elif get_integer(dataset, "Rows") or object_uid(dataset, "SOPClassUID") in _WITH_PIXELS:
        raise SeriesError("truncated: an image without Pixel Data (7FE0,0010)")
    if header.pixels is None or header.pixels.declared is not None:
        _refuse_cut_elements(path)


def _refuse_cut_elements(path: Path) -> None:
    """pydicom reads a cut file without an error: it warns, or gives a value that is shorter than its length."""
    from pydicom import dcmread

    with guarded("truncated, or not readable as DICOM"), warnings.catch_warnings():
        warnings.filterwarnings("error", message="End of file.* in file", category=UserWarning)
        dataset: Any = dcmread(path, force=True)
        end = 0
        for tag in dataset.keys():  # noqa: SIM118 - iterating the data set itself would convert the raw elements
            element = dataset.get_item(tag)
            length, value = getattr(element, "length", None), getattr(element, "value", None)
            if length in (None, _UNDEFINED_LENGTH):
                end = 0  # not raw: where it ends is not known
                continue
            if isinstance(value, bytes) and len(value) < length:
                raise SeriesError(f"truncated: {len(value)} bytes of element {tag} where {length} are stated")
            end = element.value_tell + length
        deflated = dataset.file_meta.get("TransferSyntaxUID") == DEFLATED
        if end and not deflated and 0 < path.stat().st_size - end < _LONGEST_ELEMENT_HEADER:
            raise SeriesError("truncated: it ends inside the head of an element")
