"""The forms of a REDCap project as its data dictionary: 18 columns, one line a field (docs/edc.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mrecist.errors import InputError
from mrecist.exporting.results_fields import Field, FieldKind, field_of
from mrecist.exporting.results_rows import ACCEPTED_TRACK
from mrecist.tables import BEST_COLUMNS, MEASUREMENT_COLUMNS, RESPONSE_COLUMNS, csv_text
from mrecist.tables.trial import DATE_COLUMNS

DICTIONARY_COLUMNS = (
    *("Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label"),
    *("Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number"),
    *("Text Validation Min", "Text Validation Max", "Identifier?", "Branching Logic (Show field only if...)"),
    *("Required Field?", "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?"),
    "Field Annotation",
)
RECORD_ID = "record_id"
# REDCap recommends variable names of 26 characters at most.
MOST_LETTERS = 26
_BEFORE_TREATMENT = ("consent", "enrolment", "randomisation", "first_dose", "first_procedure")
_VALIDATION = {FieldKind.DATE: "date_ymd", FieldKind.NUMBER: "number", FieldKind.INTEGER: "integer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """A form: the table and columns that it holds, by field name, and the columns that tell its instances apart."""

    name: str
    table: str
    fields: Mapping[str, Field]
    identity: tuple[str, ...] = ()

    @property
    def repeats(self) -> bool:
        """Whether it is a repeating instrument."""
        return bool(self.identity)

    @property
    def complete(self) -> str:
        """The field in which REDCap keeps its status."""
        return f"{self.name}_complete"


def instruments(
    repeat_instrument: str, subject_columns: Iterable[str] = (), *, accepted: bool = False
) -> tuple[Instrument, ...]:
    """The five forms. ``repeat_instrument`` names the form of the responses, ``subject_columns`` those of ``subjects.csv``.

    ``accepted``: with a field for the track in which a read is the accepted one, which a project of other results need not have.

    Raises :class:`InputError` for a name that REDCap does not take, or two columns that get one field name.
    """
    others = ("subject", "baseline", "tumor_measurement", "best_response")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", repeat_instrument) or repeat_instrument in others:
        raise InputError(
            f"repeat instrument '{repeat_instrument}': is a name in small letters, digits and _, and not one of: {', '.join(others)}"
        )
    given = [name for name in subject_columns if name != "subject"] or ["arm", *DATE_COLUMNS]
    track = [ACCEPTED_TRACK] if accepted else []
    before = [name for name in _BEFORE_TREATMENT if name in given]
    return (
        _instrument("subject", "subjects", "sj", [name for name in given if name not in before]),
        _instrument("baseline", "subjects", "bl", before),
        _instrument("tumor_measurement", "measurements", "tm", MEASUREMENT_COLUMNS, ("reader", "timepoint", "lesion")),
        _instrument(
            repeat_instrument, "responses", "tr", (*RESPONSE_COLUMNS, *track), ("reader", "criterion", "timepoint")
        ),
        _instrument("best_response", "best_responses", "br", (*BEST_COLUMNS, *track), ("reader", "criterion")),
    )


def _instrument(
    name: str, table: str, prefix: str, columns: Sequence[str], identity: tuple[str, ...] = ()
) -> Instrument:
    fields: dict[str, Field] = {}
    for column in columns:
        if column == "subject":
            continue  # the record
        field = _field_name(prefix, column)
        if field in fields:
            raise InputError(
                f"columns '{fields[field].column}' and '{column}' of {table} both become {field}; rename one"
            )
        fields[field] = field_of(table, column)
    return Instrument(name=name, table=table, fields=fields, identity=tuple(_field_name(prefix, c) for c in identity))


def _field_name(prefix: str, column: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", column.casefold()).strip("_")
    return f"{prefix}_{name}"[:MOST_LETTERS].rstrip("_")


def code_of(word: str) -> str:
    """The code of a choice: REDCap takes letters, digits and _."""
    return re.sub(r"[^a-z0-9]+", "_", word.casefold()).strip("_")


def choices(field: Field) -> dict[str, str]:
    """Code -> word."""
    return {code_of(word): word for word in field.words}


def dictionary_csv(forms: Iterable[Instrument]) -> str:
    """The data dictionary as CSV, for REDCap's upload of it."""
    rows = [_line(RECORD_ID, "subject", Field(column="subject", label="Subject"))]
    for form in forms:
        rows.extend(_line(name, form.name, field) for name, field in form.fields.items())
    return csv_text(DICTIONARY_COLUMNS, rows)


def _line(name: str, form: str, field: Field) -> dict[str, str]:
    kinds = {FieldKind.CHOICE: "dropdown", FieldKind.NOTES: "notes"}
    options = " | ".join(f"{code}, {word}" for code, word in choices(field).items())
    values = (
        *(name, form, "", kinds.get(field.kind, "text"), field.label, options),
        *(field.unit, _VALIDATION.get(field.kind, "")),
    )
    return dict(zip(DICTIONARY_COLUMNS, (*values, *[""] * 10), strict=True))
