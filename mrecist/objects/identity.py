"""What makes two exports of the same input the same bytes: UIDs from hashes, times from the images, never from the clock.

A wall-clock time beside study dates that were shifted by de-identification tells the shift; so every date and time of an
object is that of its images.
"""

from __future__ import annotations

import hashlib
import io
import re
import uuid
import warnings
from pathlib import Path
from typing import Any

from mrecist import __version__
from mrecist.errors import InputError
from mrecist.imaging.headers import read_header

MANUFACTURER = "mrecist"
MODEL = "mrecist"
SERIAL_NUMBER = "0"
UUID_ROOT = "2.25"
NO_DATE, NO_TIME = "19000101", "000000"
"""Where the images have none: objects may not be without (PS3.3 C.17.2, type 1)."""

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:mrecist:objects")
_ROOT = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
_UID_LENGTH = 64
_LONGEST_NAME = 64
_FEWEST_DIGITS = 24  # two of a thousand million objects get one UID with a chance of one in two million
_LONGEST_ROOT = _UID_LENGTH - 1 - _FEWEST_DIGITS


def check_root(root: str) -> str:
    """``root`` when UIDs can be made below it; raises :class:`InputError` otherwise."""
    if not _ROOT.fullmatch(root) or len(root) > _LONGEST_ROOT:
        raise InputError(
            f"UID root '{root}': is not numbers with points between them, {_LONGEST_ROOT} characters at most"
        )
    return root


def check_reader(reader: str, where: str) -> None:
    """Raise :class:`InputError` when a reader's id cannot be a DICOM person name (PS3.5 6.2)."""
    if not reader.isprintable() or len(reader) > _LONGEST_NAME or any(sign in reader for sign in "\\="):
        raise InputError(
            f"{where}: the reader's id cannot be a DICOM name; use {_LONGEST_NAME} characters at most, no \\ and no ="
        )


def make_uid(root: str, *names: object) -> str:
    """A UID that depends on ``names`` only: the root and a UUID of version 5 as a number (PS3.5 B.2 for the root 2.25).

    Behind a root that leaves less room than the 39 digits of a UUID, its last digits stand.
    """
    # The unit separator cannot stand in a name, so that ("a", "bc") and ("ab", "c") differ.
    number = uuid.uuid5(_NAMESPACE, chr(31).join(str(name) for name in names)).int
    return f"{root}.{number % 10 ** (_UID_LENGTH - 1 - len(root))}"


def image_header(path: Path) -> Any:
    """The header of an image or object as a data set, without its pixels; raises :class:`SeriesError` when it cannot be read."""
    dataset = read_header(path).dataset
    # Type 2 attributes that de-identification deleted: what is unknown is empty, and an object must have them.
    for name in _MAY_BE_EMPTY:
        if name not in dataset:
            setattr(dataset, name, "")
    return dataset


_MAY_BE_EMPTY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "StudyDate"),
    *("StudyTime", "ReferringPhysicianName"),
)


def day_and_time(image: Any) -> tuple[str, str]:
    """Date and time of an object made from ``image``: DA and TM as they stand in it."""
    day = next((str(image.get(name)) for name in _DATES if image.get(name)), NO_DATE)
    time = next((str(image.get(name)) for name in _TIMES if image.get(name)), NO_TIME)
    return day, time


_DATES = ("AcquisitionDate", "SeriesDate", "ContentDate", "StudyDate")
_TIMES = ("AcquisitionTime", "SeriesTime", "ContentTime", "StudyTime")


def settle(dataset: Any, root: str, image: Any) -> bytes:
    """Take out of a new object whatever depends on the clock or on chance, name it by its content, and give its bytes.

    ``image`` is the image whose date and time the object takes. SOPInstanceUID follows from all other bytes.
    """
    day, time = day_and_time(image)
    dataset.ContentDate = dataset.SeriesDate = dataset.InstanceCreationDate = day
    dataset.ContentTime = dataset.SeriesTime = dataset.InstanceCreationTime = time
    if "TimezoneOffsetFromUTC" not in image:
        dataset.pop("TimezoneOffsetFromUTC", None)
    dimensions = make_uid(root, "dimensions", dataset.SeriesInstanceUID)
    for name in ("DimensionOrganizationSequence", "DimensionIndexSequence"):
        for item in dataset.get(name, []):
            item.DimensionOrganizationUID = dimensions
    for item in dataset.get("ContributingEquipmentSequence", []):
        item.ContributionDateTime = f"{day}{time}"
    # First a name that depends on nothing, so that the digest is that of the content.
    _name(dataset, make_uid(root, "object", dataset.SeriesInstanceUID))
    digest = hashlib.sha256(_bytes(dataset)).hexdigest()
    return _bytes(_name(dataset, make_uid(root, "object", dataset.SeriesInstanceUID, digest)))


def _name(dataset: Any, uid: str) -> Any:
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
    return dataset


def _bytes(dataset: Any) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def software() -> str:
    """Name and version for SoftwareVersions."""
    return f"mrecist {__version__}"
