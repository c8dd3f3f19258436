"""SAS XPT version 5 by pyreadstat. No clock: the dates in the header are always the same, so the same rows give the same bytes.

Source: SAS Institute, "Record layout of a SAS version 5 or 6 data set in SAS transport (XPORT) format", TS-140.
"""

from __future__ import annotations

import datetime
import re
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

from mrecist.datasets.guard import check_xpt5
from mrecist.datasets.model import Dataset, Type, Value, Variable, text_of
from mrecist.errors import InputError

SAS_ZERO = datetime.date(1960, 1, 1)
FIXED_TIME = b"01JAN60:00:00:00"
_TIME = re.compile(rb"\d{2}[A-Z]{3}\d{2}:\d{2}:\d{2}:\d{2}")
_RECORD = 80


def xpt_bytes(dataset: Dataset) -> bytes:
    """The file. Raises :class:`InputError` for what the format cannot hold, and when pyreadstat or pandas is not installed."""
    check_xpt5(dataset)
    try:
        import pandas
        import pyreadstat
    except ImportError as error:
        raise InputError(
            f"SAS XPT needs the package {error.name}, which is not installed; pip install 'mrecist[exports]' pandas, or export "
            f"dataset-json or csv"
        ) from None
    wide = _widened(dataset)
    columns = {one.name: pandas.Series(_column(wide, one), dtype=_dtype(one)) for one in dataset.variables}
    with tempfile.TemporaryDirectory(prefix="mrecist-xpt-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = Path(folder) / "dataset.xpt"
        pyreadstat.write_xport(
            pandas.DataFrame(columns),
            str(path),
            file_label=dataset.label,
            column_labels=[one.label for one in dataset.variables],
            table_name=dataset.name,
            file_format_version=5,
            variable_format={one.name: "DATE9." for one in dataset.variables if one.type is Type.SAS_DATE},
        )
        return _without_clock(path.read_bytes())


def _widened(dataset: Dataset) -> Dataset:
    """A record of up to one card of 80 bytes is made longer, by blanks behind a text, which no reader keeps.

    pandas.read_sas, and CDISC's rules engine with it, takes blanks within the last card of shorter records for padding, and loses records.
    """
    width = sum(dataset.length(one.name) for one in dataset.variables)
    text = next((one.name for one in dataset.variables if not one.type.is_number), "")
    if width > _RECORD or not text or not dataset.rows:
        return dataset
    first, *rest = dataset.rows
    blanks = " " * (_RECORD + 1 - width + dataset.length(text))
    return replace(dataset, rows=({**first, text: (text_of(first.get(text)) + blanks)[: len(blanks)]}, *rest))


def _dtype(variable: Variable) -> str:
    return "float64" if variable.type.is_number else "object"


def _column(dataset: Dataset, variable: Variable) -> list[Any]:
    read = _number if variable.type.is_number else text_of
    return [read(row.get(variable.name)) for row in dataset.rows]


def _number(value: Value) -> float:
    if value is None or value == "":
        return float("nan")
    return float((value - SAS_ZERO).days) if isinstance(value, datetime.date) else float(value)


def _without_clock(content: bytes) -> bytes:
    """The dates of creation and change stand in the headers of library and member, above the first NAMESTR."""
    end = content.index(b"HEADER RECORD*******NAMESTR") // _RECORD * _RECORD
    return _TIME.sub(FIXED_TIME, content[:end]) + content[end:]
