"""A map to begin with: every column of the results, with OIDs in the style of a system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mrecist.exporting.odm.oid_map import MAP_COLUMNS
from mrecist.exporting.results_fields import FieldKind, field_of
from mrecist.exporting.results_rows import LESION_NUMBER, RESPONSE_NUMBER, TABLES
from mrecist.tables import csv_text
from mrecist.tables.trial import DATE_COLUMNS

# Form and group of each table.
_FORMS = {
    "subjects": ("SUBJECT", "SUBJECT"),
    "measurements": ("TUMOURS", "LESION"),
    "responses": ("RESPONSE", "RESPONSE"),
    "best_responses": ("BEST", "BEST"),
}
_SHORT = {"subjects": "SUBJ", "measurements": "TUM", "responses": "RESP", "best_responses": "BEST"}
_NUMBER = {"measurements": LESION_NUMBER, "responses": RESPONSE_NUMBER, "best_responses": RESPONSE_NUMBER}
_SETTINGS: dict[str, dict[str, str]] = {
    "odm": {"study_oid": "S_STUDY", "metadata_version_oid": "MDV.1", "subject_key": "{subject}"},
    "openclinica": {
        "style": "openclinica",
        "study_oid": "S_STUDY",
        "metadata_version_oid": "v1.0.0",
        "subject_key": "SS_{subject}",
        "study_subject_id": "{subject}",
    },
    "rave": {
        "style": "rave",
        "study_oid": "STUDY(Prod)",
        "metadata_version_oid": "1",
        "subject_key": "{subject}",
        "site_oid": "SITE",
    },
}


def map_template(style: str, subject_columns: Iterable[str] = ()) -> str:
    """The map as CSV; ``style`` is one of ``odm``, ``openclinica`` and ``rave``: OIDs as that system gives them.

    ``subject_columns`` are those of ``subjects.csv``; without them the line of each column that the docs know is written.
    """
    rows: list[dict[str, str]] = [
        {"table": "study", "column": name, "oid": oid} for name, oid in _SETTINGS[style].items()
    ]
    columns = {**TABLES, "subjects": tuple(subject_columns) or ("subject", "arm", *DATE_COLUMNS)}
    for table, names in columns.items():
        for name in names:
            rows.extend(_lines(style, table, name))
    return csv_text(MAP_COLUMNS, rows)


def _lines(style: str, table: str, column: str) -> Iterator[dict[str, str]]:
    if column in (LESION_NUMBER, RESPONSE_NUMBER, "subject"):
        return  # they are in the keys
    place = _place_rave if style == "rave" else _place_openclinica
    item = {"table": table, "column": column, **place(table, column)}
    known = field_of(table, column)
    if known.kind is FieldKind.CHOICE:
        item["codes"] = ";".join(f"{word}={number}" for number, word in enumerate(known.words, start=1))
    # A database that defines the unit with the item has no OID of its own for it
    if known.unit and style == "odm":
        item["unit"] = f"MU_{known.unit.upper().replace('%', 'PERCENT')}"
    if table in ("subjects", "best_responses"):
        yield item
        return
    first, later = ("BASELINE", "FOLLOWUP") if style == "rave" else ("SE_BASELINE", "SE_FOLLOWUP")
    yield {**item, "where": "timepoint=0", "study_event": first}
    yield {**item, "where": "timepoint!=0", "study_event": later, "study_event_repeat": "{timepoint}"}


def _place_openclinica(table: str, column: str) -> dict[str, str]:
    form, group = _FORMS[table]
    # OpenClinica's own OIDs begin with four letters of the form
    place = {"form": f"F_{form}_V10", "item_group": f"IG_{form[:5]}_{group}", "oid": f"I_{form[:5]}_{column.upper()}"}
    return _with_event(place, table, "SE_BASELINE", "SE_ENDOFSTUDY")


def _place_rave(table: str, column: str) -> dict[str, str]:
    short = _SHORT[table]
    place = {
        "form": short,
        "item_group": f"{short}_LOG_LINE" if table in _NUMBER else short,
        "oid": f"{short}.{column.upper()}",
    }
    return _with_event(place, table, "SUBJECT", "EOS")


def _with_event(place: dict[str, str], table: str, once: str, end: str) -> dict[str, str]:
    repeat = {"item_group_repeat": f"{{{_NUMBER[table]}}}"} if table in _NUMBER else {}
    return {**place, **repeat, "study_event": end if table == "best_responses" else once}
