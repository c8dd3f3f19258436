"""What a file format cannot hold is refused before anything is written: the first such place in one line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mrecist.datasets.model import Dataset, Row, text_of
from mrecist.errors import InputError

MOST_BYTES, MOST_NAME, MOST_LABEL = 200, 8, 40
_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_PLAIN = re.compile(r"[ -~]*")


def check_dataset(dataset: Dataset) -> None:
    """What every format needs: names once, keys that tell the rows apart, no row with a variable that is not there.

    Raises :class:`InputError`.
    """
    names = [one.name for one in dataset.variables]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{dataset.name}: variable {', '.join(twice)} appears twice; keep one")
    seen: dict[tuple[str, ...], int] = {}
    for number, row in enumerate(dataset.rows, start=1):
        unknown = sorted(set(row) - set(names))
        if unknown:
            raise InputError(f"{dataset.name} record {number}: {', '.join(unknown)} is no variable of the dataset")
        key = tuple(text_of(row.get(name)) for name in dataset.keys)
        if dataset.keys and key in seen:
            raise InputError(
                f"{dataset.name} record {number}: has the keys of record {seen[key]} ({', '.join(filter(None, key))}); "
                f"{', '.join(dataset.keys)} have to tell records apart"
            )
        seen[key] = number


def check_xpt5(dataset: Dataset) -> None:
    """What SAS XPT version 5 cannot hold; raises :class:`InputError` for the first such name, label or value."""
    for fault in _faults_of_names(dataset):
        raise InputError(fault)
    for number, row in enumerate(dataset.rows, start=1):
        for fault in _faults_of_row(dataset, number, row):
            raise InputError(fault)


def _faults_of_names(dataset: Dataset) -> Iterator[str]:
    for what, name, label in (
        ("dataset", dataset.name, dataset.label),
        *(("variable", one.name, one.label) for one in dataset.variables),
    ):
        where = f"{dataset.name}: {what} {name}" if what == "variable" else f"dataset {name}"
        if len(name) > MOST_NAME or not _NAME.fullmatch(name):
            yield (
                f"{where}: a name in SAS XPT version 5 is 1 to {MOST_NAME} capitals, digits and underscores and begins with a letter; "
                f"rename it"
            )
        if len(label) > MOST_LABEL or not _PLAIN.fullmatch(label):
            yield f"{where}: its label '{label}' is no ASCII text of at most {MOST_LABEL} characters; shorten it"


def _faults_of_row(dataset: Dataset, number: int, row: Row) -> Iterator[str]:
    for variable in dataset.variables:
        value = row.get(variable.name)
        if variable.type.is_number or not value:
            continue
        text = text_of(value)
        if _PLAIN.fullmatch(text) and len(text) <= MOST_BYTES:
            continue
        where = f"{dataset.name} record {number}{_who(row)}: {variable.name}"
        odd = next((c for c in text if not " " <= c <= "~"), "")
        if odd:
            yield (
                f"{where} is '{text}', which holds U+{ord(odd):04X}; SAS XPT version 5 holds ASCII only: write it in plain letters, or "
                f"export dataset-json"
            )
        else:
            yield f"{where} has {len(text)} characters; SAS XPT version 5 holds {MOST_BYTES}: shorten it, or export dataset-json"


def _who(row: Row) -> str:
    subject = text_of(row.get("USUBJID"))
    return f" of {subject}" if subject else ""
