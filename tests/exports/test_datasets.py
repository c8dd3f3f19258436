"""The writers: what each format holds is what another reader of it finds, and what it cannot hold is refused in one line."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pandas
import pyreadstat
import pytest

from mrecist.datasets.dataset_json import dataset_json_text
from mrecist.datasets.guard import check_dataset
from mrecist.datasets.model import Dataset, Standard, Type, Variable
from mrecist.datasets.write import FORMATS, write_datasets
from mrecist.datasets.xpt import xpt_bytes
from mrecist.errors import InputError

STANDARD = Standard(study="S1", name="SDTMIG", version="3.4", terminology="2022-09-30")
VARIABLES = (
    Variable(name="USUBJID", label="Unique Subject Identifier"),
    Variable(name="AVAL", label="Analysis Value", type=Type.FLOAT),
    Variable(name="SEQ", label="Sequence Number", type=Type.INTEGER),
    Variable(name="ADT", label="Analysis Date", type=Type.SAS_DATE),
    Variable(name="DTC", label="Date/Time of Collection", type=Type.DATE),
    Variable(name="NOTE", label="Nothing at All"),
)
DAY = datetime.date(2024, 2, 29)


def dataset(*rows: dict[str, Any], **changed: Any) -> Dataset:
    default = {"name": "XX", "label": "Example", "variables": VARIABLES, "keys": ("USUBJID",)}
    return Dataset(rows=rows, **{**default, **changed})


FULL = {"USUBJID": "S1-P01", "AVAL": Decimal("9.8"), "SEQ": 1, "ADT": DAY, "DTC": DAY}
TWO = dataset(FULL, {"USUBJID": "S1-P02", "SEQ": 2})


def test_xpt_is_what_two_other_readers_find(tmp_path: Path) -> None:
    """pandas has a reader of its own; 2024-02-29 is day 23435 after 1960-01-01 (64 years of which 16 are leap years, and 59 days)."""
    path = tmp_path / "xx.xpt"
    path.write_bytes(xpt_bytes(TWO))
    frame = pandas.read_sas(path, format="xport", encoding="ascii")
    assert list(frame.columns) == [one.name for one in VARIABLES]
    assert list(frame["USUBJID"]) == ["S1-P01", "S1-P02"]
    assert list(frame["DTC"]) == ["2024-02-29", ""]
    assert frame["AVAL"][0] == 9.8
    assert frame["ADT"][0] == 64 * 365 + 16 + 59
    assert frame[["AVAL", "ADT"]].iloc[1].isna().all()
    other, meta = pyreadstat.read_xport(str(path), disable_datetime_conversion=True)
    assert meta.column_labels == [one.label for one in VARIABLES]
    assert (meta.table_name, meta.file_label) == ("XX", "Example")
    assert meta.original_variable_types["ADT"] == "DATE9"
    assert [list(other[name].fillna(-1)) for name in other] == [list(frame[name].fillna(-1)) for name in frame]


@pytest.mark.parametrize("count", range(1, 12))
def test_records_that_end_in_blanks_are_all_there(count: int, tmp_path: Path) -> None:
    """pandas takes blanks in short records for padding (record length up to 80 bytes)."""
    (tmp_path / "xx.xpt").write_bytes(xpt_bytes(dataset(*({"USUBJID": f"P{n}"} for n in range(count)))))
    frame = pandas.read_sas(tmp_path / "xx.xpt", format="xport", encoding="ascii")
    assert list(frame["USUBJID"]) == [f"P{n}" for n in range(count)]
    other, _ = pyreadstat.read_xport(str(tmp_path / "xx.xpt"))
    assert list(other["USUBJID"]) == [f"P{n}" for n in range(count)]


def test_the_same_rows_are_the_same_bytes() -> None:
    first = xpt_bytes(TWO)
    assert first.count(b"01JAN60:00:00:00") == 4
    # The clock of C is not ours to set: what it wrote is replaced, so a second later nothing else may stand there.
    assert datetime.datetime.now(tz=datetime.UTC).strftime("%d%b%y").upper().encode() not in first
    assert xpt_bytes(TWO) == first


# Dataset-JSON 1.1, as its published JSON schema states it: the parts that a dataset of ours fills.
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": [
        "datasetJSONCreationDateTime",
        "datasetJSONVersion",
        "itemGroupOID",
        "records",
        "name",
        "label",
        "columns",
    ],
    "properties": {
        "datasetJSONCreationDateTime": {
            "type": "string",
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?$",
        },
        "datasetJSONVersion": {"type": "string", "pattern": r"^1.1(.(0|([1-9][0-9]*)))?$"},
        "sourceSystem": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name", "version"],
            "properties": {"name": {"type": "string"}, "version": {"type": "string"}},
        },
        **{
            name: {"type": "string"}
            for name in (
                "fileOID",
                "originator",
                "studyOID",
                "metaDataVersionOID",
                "metaDataRef",
                "itemGroupOID",
                "name",
                "label",
            )
        },
        "records": {"type": "integer", "minimum": 0},
        "columns": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["itemOID", "name", "label", "dataType"],
                "properties": {
                    **{name: {"type": "string"} for name in ("itemOID", "name", "label", "displayFormat")},
                    "dataType": {
                        "enum": [
                            *("string", "integer", "decimal", "float", "double", "boolean"),
                            *("datetime", "date", "time", "URI"),
                        ]
                    },
                    "targetDataType": {"enum": ["integer", "decimal"]},
                    "length": {"type": "integer", "minimum": 1},
                    "keySequence": {"type": "integer", "minimum": 1},
                },
            },
        },
        "rows": {"type": "array", "items": {"type": "array"}},
    },
}


def test_dataset_json_is_valid_and_says_the_same() -> None:
    content = json.loads(dataset_json_text(TWO, STANDARD))
    jsonschema.validate(content, SCHEMA)
    assert content["rows"] == [
        ["S1-P01", 9.8, 1, "2024-02-29", "2024-02-29", None],
        ["S1-P02", None, 2, None, None, None],
    ]
    columns = {one["name"]: one for one in content["columns"]}
    assert columns["NOTE"]["length"] == 1  # empty in every row
    assert columns["ADT"]["targetDataType"] == "integer"
    assert columns["USUBJID"]["keySequence"] == 1


def test_dataset_json_is_valid_by_the_model_of_a_library() -> None:
    from odmlib.dataset_json_1_1.model import Column, DatasetJSON

    content = json.loads(dataset_json_text(TWO, STANDARD))
    for column in content["columns"]:
        Column(**column)
    head = {
        name: content[name] for name in ("datasetJSONCreationDateTime", "datasetJSONVersion", "itemGroupOID", "records")
    }
    DatasetJSON(**head, name=content["name"], label=content["label"])


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"name": "TOOLONGNAME"}, "dataset TOOLONGNAME: a name in SAS XPT version 5"),
        ({"name": "xx"}, "dataset xx: a name in SAS XPT version 5"),
        ({"label": "x" * 41}, "is no ASCII text of at most 40"),
        ({"variables": (*VARIABLES, Variable(name="NINECHARS", label="x"))}, "XX: variable NINECHARS: a name"),
        ({"variables": (*VARIABLES, Variable(name="1ST", label="x"))}, "XX: variable 1ST: a name"),
        ({"variables": (*VARIABLES, Variable(name="OK", label="größer"))}, "XX: variable OK: its label"),
    ],
)
def test_names_and_labels_that_xpt_cannot_hold(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        xpt_bytes(dataset(FULL, **changed))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x" * 201, "XX record 2 of S1-P02: NOTE has 201 characters; SAS XPT version 5 holds 200"),
        ("größer", r"XX record 2 of S1-P02: NOTE is 'größer', which holds U\+00F6"),
        ("two\nlines", r"which holds U\+000A"),
    ],
)
def test_values_that_xpt_cannot_hold_are_written_nowhere(text: str, says: str, tmp_path: Path) -> None:
    wrong = dataset(FULL, {"USUBJID": "S1-P02", "NOTE": text})
    with pytest.raises(InputError, match=says):
        write_datasets([TWO, wrong], tmp_path / "out", ["dataset-json", "xpt5"], STANDARD, ["XX"])
    assert not (tmp_path / "out").exists()
    (path,) = write_datasets([wrong], tmp_path / "json", ["dataset-json"], STANDARD, ["XX"])
    assert json.loads(path.read_text(encoding="utf-8"))["rows"][1][-1] == text


def test_200_characters_fit() -> None:
    xpt_bytes(dataset({"USUBJID": "S1-P02", "NOTE": "x" * 200}))


def test_keys_tell_records_apart() -> None:
    with pytest.raises(InputError, match="XX record 2: has the keys of record 1"):
        check_dataset(dataset(FULL, FULL))
    with pytest.raises(InputError, match="OTHER is no variable"):
        check_dataset(dataset({"USUBJID": "x", "OTHER": "y"}))


def test_a_csv_cell_that_a_spreadsheet_would_run_is_escaped(tmp_path: Path) -> None:
    (path,) = write_datasets([dataset({"USUBJID": "=1+1", "AVAL": Decimal(-5)})], tmp_path, ["csv"], STANDARD, ["XX"])
    assert path.read_text(encoding="utf-8").splitlines()[1] == "'=1+1,-5,,,,"


def test_several_formats_have_folders_and_empty_datasets_no_file(tmp_path: Path) -> None:
    empty = dataset(name="YY")
    files = write_datasets([TWO, empty], tmp_path, list(FORMATS), STANDARD, ["XX", "YY"])
    assert [path.relative_to(tmp_path).as_posix() for path in files] == [
        *("xpt5/xx.xpt", "dataset-json/xx.json", "csv/xx.csv"),
    ]


def test_two_exports_do_not_lie_together(tmp_path: Path) -> None:
    write_datasets([TWO], tmp_path, ["xpt5"], STANDARD, ["XX"])
    write_datasets([TWO], tmp_path, ["xpt5"], STANDARD, ["XX"])  # the same again takes its place
    with pytest.raises(InputError, match=r"xx.xpt: is of another export"):
        write_datasets([TWO], tmp_path, ["dataset-json"], STANDARD, ["XX"])
