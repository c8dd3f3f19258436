"""What each column of the results is: its question, kind, unit and words, as a form of a trial database asks it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from mrecist.dates import parse_date
from mrecist.model import Kind, NewLesion, Response, Role, State
from mrecist.tables import WORD_COLUMNS
from mrecist.tables.accepted import ReviewTrack
from mrecist.tables.trial import DATE_COLUMNS
from mrecist.units import parse_number


class FieldKind(StrEnum):
    """What a cell holds."""

    TEXT = "text"
    NOTES = "notes"
    DATE = "date"
    NUMBER = "number"
    INTEGER = "integer"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column; ``words`` are those of a choice, in the order in which they are offered."""

    column: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    unit: str = ""
    words: tuple[str, ...] = ()


_MM, _MM3 = "mm", "mm3"
_NUMBERS = {
    "longest_mm": ("Longest diameter", _MM),
    "short_mm": ("Longest perpendicular diameter", _MM),
    "viable_mm": ("Longest viable (enhancing) diameter", _MM),
    "viable_short_mm": ("Perpendicular of the viable diameter", _MM),
    "volume_mm3": ("Volume", _MM3),
    "viable_volume_mm3": ("Viable volume", _MM3),
    "mean_hu": ("Mean attenuation", "HU"),
    "dense_percent": ("Very dense share of the lesion", "%"),
    "slice_thickness_mm": ("Slice thickness", _MM),
    "sum": ("Sum of the targets", ""),
    "baseline_sum": ("Sum at baseline", ""),
    "nadir_sum": ("Smallest sum before this visit", ""),
    "pct_from_baseline": ("Change of the sum from baseline", "%"),
    "pct_from_nadir": ("Change of the sum from the smallest sum", "%"),
    "abs_from_nadir": ("Difference from the smallest sum", ""),
}
_INTEGERS = {
    "timepoint": "Time point (0 = baseline)",
    "nadir_timepoint": "Time point of the smallest sum",
    "lesion_number": "Number of the lesion",
    "response_number": "Number of reader and criterion",
}
_NOTES = {"reason": "Why", "comment": "Comment", "flags": "Flags"}
_RESPONSES = tuple(str(word) for word in Response)
_CHOICES: dict[str, tuple[str, tuple[str, ...]]] = {
    "role": ("Role of the lesion", tuple(Role)),
    "kind": ("Lesion or lymph node", tuple(Kind)),
    "state": ("State of the lesion", tuple(State)),
    "unit": ("Unit of the sums", ("mm", "mm2", "mm3")),
    "target": ("Response of the targets", _RESPONSES),
    "non_target": ("Response of the non-targets", _RESPONSES),
    "new_lesion": ("New lesion", tuple(NewLesion)),
    "overall": ("Overall response", _RESPONSES),
    "best_unconfirmed": ("Best response, unconfirmed", _RESPONSES),
    "best_confirmed": ("Best response, confirmed", _RESPONSES),
    "accepted": ("The read that counts in the review", (*ReviewTrack, "no")),
}
_TEXTS = {
    "subject": "Subject",
    "reader": "Reader",
    "lesion": "Lesion",
    "organ": "Organ",
    "station": "Station or side",
    "viable_foci_mm": "Longest diameter of every viable focus (mm)",
    "manual": "Sizes set by hand",
    "part_of": "Part of, or merged into",
    "modality": "Modality",
    "phase": "Contrast phase",
    "criterion": "Criterion",
    "protocol_sha256": "SHA-256 of the protocol",
    "version": "Version of mrecist",
    "arm": "Arm",
}
_WORD_LABELS = {
    "basis": "Diameter that is followed",
    "pattern": "Enhancement of a new nodule",
    "change": "Change since the last visit",
    "intratumoral_nodule": "Nodule inside the target",
    "local_therapy": "Local therapy of the lesion",
    "progressed_since": "Progressed since that treatment",
    "imaged_at_baseline": "Region imaged at baseline",
    "lipiodol": "Lipiodol in the lesion",
    "cytology": "Cytology of the effusion",
    "lirads_tr": "LI-RADS treatment response",
    "lirads_version": "LI-RADS version",
}
_DATES = {
    "date": "Date of the assessment",
    "first_response_date": "First response",
    "confirmed_response_date": "First confirmed response",
    "progression_date": "Progression",
    "last_assessment_date": "Last assessment",
}


@cache
def field_of(table: str, column: str) -> Field:
    """A column of a table of the results, or of ``subjects``, whose columns are dates or texts whatever their names."""
    if table == "subjects" and column not in DATE_COLUMNS:
        return Field(column=column, label=_TEXTS.get(column, column))
    if column in _NUMBERS:
        label, unit = _NUMBERS[column]
        return Field(column=column, label=label, kind=FieldKind.NUMBER, unit=unit)
    if column in _INTEGERS:
        return Field(column=column, label=_INTEGERS[column], kind=FieldKind.INTEGER)
    if column in _NOTES:
        return Field(column=column, label=_NOTES[column], kind=FieldKind.NOTES)
    if column in _DATES or column in DATE_COLUMNS:
        label = _DATES.get(column, column.replace("_", " ").capitalize())
        return Field(column=column, label=label, kind=FieldKind.DATE)
    if column in _CHOICES:
        label, words = _CHOICES[column]
        return Field(column=column, label=label, kind=FieldKind.CHOICE, words=tuple(str(word) for word in words))
    if column in WORD_COLUMNS:
        words = tuple(str(word) for word in WORD_COLUMNS[column])
        return Field(column=column, label=_WORD_LABELS[column], kind=FieldKind.CHOICE, words=words)
    return Field(column=column, label=_TEXTS.get(column, column))


_PLAIN = re.compile(r"-?\d+(\.\d+)?")


def plain_value(field: Field, text: str) -> str:
    """A cell as databases read it: a date ``YYYY-MM-DD``, a number as recorded, or written out where it is ``1E-7`` or ``+5``.

    Raises ``ValueError`` for a date that is not a day, or a number that is none.
    """
    if field.kind is FieldKind.DATE:
        return parse_date(text).isoformat()
    if field.kind in (FieldKind.NUMBER, FieldKind.INTEGER):
        number = parse_number(text)
        return text if _PLAIN.fullmatch(text) else format(number, "f")
    return text
