"""What is asked of an archive, and which of its answers are what was asked: nothing here opens a connection.

Only PatientID, StudyDate and StudyInstanceUID go to the server; modality and description are compared here, and so are the
first three once more, because servers differ in which keys they honour (PS3.4 C.2.2.2: an unsupported key matches everything).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path

from mrecist.errors import InputError
from mrecist.tables import read_rows

STUDY, SERIES, IMAGE = "STUDY", "SERIES", "IMAGE"
# Level -> what is asked to be returned there, with its tag (PS3.4 C.6.2.1, PS3.18 10.6.3).
RETURNED: dict[str, dict[str, str]] = {
    STUDY: {"PatientID": "00100020", "StudyDate": "00080020", "StudyInstanceUID": "0020000D"},
    SERIES: {
        "Modality": "00080060",
        "SeriesDescription": "0008103E",
        "SeriesNumber": "00200011",
        "SeriesInstanceUID": "0020000E",
        "NumberOfSeriesRelatedInstances": "00201209",
    },
    IMAGE: {"SOPInstanceUID": "00080018", "SOPClassUID": "00080016"},
}
_UID = re.compile(r"[0-9]+(\.[0-9]+)*")


def is_uid(text: str) -> bool:
    """Whether ``text`` is numbers and single dots, at most 64 characters: it can be asked for, and be a file name."""
    return len(text) <= 64 and _UID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to fetch; what is empty does not restrict. ``descriptions`` may hold ``*`` and ``?``, capitals do not matter."""

    patients: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None
    modalities: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.patients or self.studies or self.first or self.last):
            raise InputError(
                "fetch: nothing says which patients; give --patient, --subjects, --study-uid, or --from and --to"
            )
        if self.first and self.last and self.first > self.last:
            raise InputError(f"fetch: --from {self.first} is after --to {self.last}")
        for patient in self.patients:
            if not patient or len(patient) > 64 or not patient.isprintable() or set(patient) & set("*?\\"):
                raise InputError(f"fetch: '{patient}' is no PatientID: 1 to 64 characters, without * ? \\")
        for study in self.studies:
            if not is_uid(study):
                raise InputError(f"fetch: '{study}' is no StudyInstanceUID: digits and dots, at most 64")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSeries:
    """A series that the archive says it has. ``instances`` is None when it does not say how many."""

    patient: str
    study_uid: str
    series_uid: str
    date: str
    modality: str
    description: str
    number: str
    instances: int | None


def patients_of(path: Path) -> tuple[str, ...]:
    """PatientIDs of a CSV table: its column ``patient_id``, else ``subject``."""
    header, rows = read_rows(path, ())
    column = "patient_id" if "patient_id" in header else "subject"
    if column not in header:
        raise InputError(f"{path}: no column 'subject' or 'patient_id'; the header is: {', '.join(header)}")
    patients = tuple(dict.fromkeys(cells[column] for _, cells in rows if cells[column]))
    if not patients:
        raise InputError(f"{path}: names no subject")
    return patients


def study_filters(query: Query) -> list[dict[str, str]]:
    """One set of matching keys for each question to the server."""
    days = ""
    if query.first or query.last:
        # PS3.5 6.2.5: a range of dates is A-B, -B or A-
        days = f"{query.first:%Y%m%d}-" if query.first else "-"
        days += f"{query.last:%Y%m%d}" if query.last else ""
    asked = []
    for patient in query.patients or ("",):
        for study in query.studies or ("",):
            keys = {"PatientID": patient, "StudyDate": days, "StudyInstanceUID": study}
            asked.append({key: value for key, value in keys.items() if value})
    return asked


def study_is_asked(query: Query, row: Mapping[str, str]) -> bool:
    """Whether a study that the server named is one that was asked for."""
    if not is_uid(row["StudyInstanceUID"]):
        return False
    if query.patients and row["PatientID"] not in query.patients:
        return False
    if query.studies and row["StudyInstanceUID"] not in query.studies:
        return False
    day = row["StudyDate"].replace(".", "")  # the form of ACR-NEMA, still met
    if query.first and day < f"{query.first:%Y%m%d}":
        return False
    return not (query.last and not "00000000" < day <= f"{query.last:%Y%m%d}")


def series_is_asked(query: Query, series: FoundSeries) -> bool:
    """Whether a series is one that was asked for, by modality and description."""
    if query.modalities and series.modality.upper() not in {m.upper() for m in query.modalities}:
        return False
    text = series.description.casefold()
    return not query.descriptions or any(fnmatchcase(text, wanted.casefold()) for wanted in query.descriptions)


def series_of(study: Mapping[str, str], row: Mapping[str, str]) -> FoundSeries:
    """A row at series level, joined with that of its study."""
    count = row["NumberOfSeriesRelatedInstances"]
    return FoundSeries(
        patient=study["PatientID"],
        study_uid=study["StudyInstanceUID"],
        series_uid=row["SeriesInstanceUID"],
        date=study["StudyDate"],
        modality=row["Modality"],
        description=row["SeriesDescription"],
        number=row["SeriesNumber"],
        instances=int(count) if count.isascii() and count.isdecimal() and len(count) < 10 else None,
    )


def shown(text: str, length: int = 120) -> str:
    """Text of a server on one line: it may hold anything, so only printable characters, and not too many."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:length]


def in_order(series: Iterable[FoundSeries]) -> list[FoundSeries]:
    """By patient, date, study, series number and UID; a series that came twice stays once."""
    once = {(one.study_uid, one.series_uid): one for one in series}

    def key(one: FoundSeries) -> tuple[str, str, str, int, str]:
        number = int(one.number) if one.number.isascii() and one.number.isdecimal() else 0
        return one.patient, one.date, one.study_uid, number, one.series_uid

    return sorted(once.values(), key=key)
