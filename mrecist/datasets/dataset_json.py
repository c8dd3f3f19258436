"""CDISC Dataset-JSON 1.1: one object, its metadata first, then a line a row. No clock, as in XPT."""

from __future__ import annotations

import datetime
import json
from typing import Any

from mrecist import __version__
from mrecist.datasets.model import Dataset, Standard, Type, Value, Variable

FIXED_TIME = "1960-01-01T00:00:00"
_TYPES = {
    Type.TEXT: "string",
    Type.INTEGER: "integer",
    Type.FLOAT: "double",
    Type.DATE: "date",
    Type.SAS_DATE: "date",
}


def dataset_json_text(dataset: Dataset, standard: Standard) -> str:
    """The file. A number is the shortest one that gives its double back; a day is ISO 8601; what is empty is null."""
    head = {
        "datasetJSONCreationDateTime": FIXED_TIME,
        "datasetJSONVersion": "1.1.0",
        "fileOID": f"{standard.oid}.{dataset.name}",
        "originator": "mrecist",
        "sourceSystem": {"name": "mrecist", "version": __version__},
        "studyOID": standard.study,
        "metaDataVersionOID": standard.oid,
        "itemGroupOID": f"IG.{dataset.name}",
        "records": len(dataset.rows),
        "name": dataset.name,
        "label": dataset.label,
        "columns": [_column(dataset, one) for one in dataset.variables],
    }
    start = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}")
    rows = (
        json.dumps([_value(one, row.get(one.name)) for one in dataset.variables], ensure_ascii=False)
        for row in dataset.rows
    )
    return f'{start},\n "rows": [\n' + ",\n".join(rows) + "\n ]\n}\n"


def _column(dataset: Dataset, variable: Variable) -> dict[str, Any]:
    column: dict[str, Any] = {
        "itemOID": f"IT.{dataset.name}.{variable.name}",
        "name": variable.name,
        "label": variable.label,
        "dataType": _TYPES[variable.type],
    }
    if variable.type is Type.SAS_DATE:
        column |= {"targetDataType": "integer", "displayFormat": "DATE9."}
    if variable.type in (Type.TEXT, Type.DATE):
        column["length"] = dataset.length(variable.name)
    if variable.name in dataset.keys:
        column["keySequence"] = dataset.keys.index(variable.name) + 1
    return column


def _value(variable: Variable, value: Value) -> Any:
    if value is None or value == "":
        return None
    if isinstance(value, datetime.date):
        return value.isoformat()
    if variable.type is Type.INTEGER:
        return int(value)
    return float(value) if variable.type is Type.FLOAT else str(value)
