"""Small TU, TR and RS datasets written by hand, in every format that is read."""

from __future__ import annotations

import csv
import json
from pathlib import Path

Row = dict[str, str]

# VISITNUM -> VISIT, date.
VISITS = {
    "1": ("BASELINE", "2024-01-01"),
    "2": ("WEEK 8", "2024-02-26"),
    "3": ("WEEK 16", "2024-04-22"),
    "4": ("WEEK 24", "2024-06-17"),
}
NUMBERS = ("VISITNUM", "TRSTRESN", "TUSEQ", "TRSEQ", "RSSEQ", "TUDY", "TRDY", "RSDY")


def tu(subject: str, link: str, result: str, visit: str = "1", **more: str) -> Row:
    """A TU record of the investigator: a liver lesion unless TULOC says otherwise."""
    return {
        "STUDYID": "HAND",
        "DOMAIN": "TU",
        "USUBJID": subject,
        "TULNKID": link,
        "TUTESTCD": "TUMIDENT",
        "TUORRES": result,
        "TUSTRESC": result,
        "TULOC": "LIVER",
        "TUEVAL": "INVESTIGATOR",
        "TUEVALID": "",
        "VISITNUM": visit,
        "VISIT": VISITS[visit][0],
        "TUDTC": VISITS[visit][1],
        **more,
    }


def tr(subject: str, link: str, test: str, result: str, visit: str, **more: str) -> Row:
    """A TR record of the investigator; a number is in mm."""
    number = result.replace(".", "", 1).isdigit()
    unit = "mm" if number else ""
    return {
        "STUDYID": "HAND",
        "DOMAIN": "TR",
        "USUBJID": subject,
        "TRLNKID": link,
        "TRTESTCD": test,
        "TRORRES": result,
        "TRORRESU": unit,
        "TRSTRESC": result,
        "TRSTRESN": result if number else "",
        "TRSTRESU": unit,
        "TRSTAT": "",
        "TRREASND": "",
        "TRLOBXFL": "Y" if visit == "1" else "",
        "TREVAL": "INVESTIGATOR",
        "TREVALID": "",
        "TRACPTFL": "",
        "VISITNUM": visit,
        "VISIT": VISITS[visit][0],
        "TRDTC": VISITS[visit][1],
        **more,
    }


def not_done(subject: str, link: str, test: str, visit: str, reason: str = "NOT ASSESSABLE") -> Row:
    """A TR record that says that nothing was measured."""
    return tr(subject, link, test, "", visit, TRSTAT="NOT DONE", TRREASND=reason)


def rs(subject: str, test: str, result: str, visit: str, **more: str) -> Row:
    """An RS record of the investigator under RECIST 1.1."""
    return {
        "STUDYID": "HAND",
        "DOMAIN": "RS",
        "USUBJID": subject,
        "RSTESTCD": test,
        "RSCAT": "RECIST 1.1",
        "RSORRES": result,
        "RSSTRESC": result,
        "RSSTAT": "",
        "RSEVAL": "INVESTIGATOR",
        "RSEVALID": "",
        "RSACPTFL": "",
        "VISITNUM": visit,
        "VISIT": VISITS[visit][0],
        "RSDTC": VISITS[visit][1],
        **more,
    }


def write_all(folder: Path, form: str, **domains: list[Row]) -> Path:
    """Write datasets such as ``tu=[...]`` to ``folder`` as csv, xpt, json (Dataset-JSON 1.1), json10 or ndjson."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in domains.items():
        columns = list(dict.fromkeys(column for row in rows for column in row))
        _WRITERS[form](folder, name, columns, [[row.get(column, "") for column in columns] for row in rows])
    return folder


def _csv(folder: Path, name: str, columns: list[str], rows: list[list[str]]) -> None:
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def _xpt(folder: Path, name: str, columns: list[str], rows: list[list[str]]) -> None:
    import pandas
    import pyreadstat

    frame = pandas.DataFrame(rows, columns=columns)
    for column in NUMBERS:
        if column in columns:
            frame[column] = pandas.to_numeric(frame[column])
    # Upper-case name: SAS writes TU.XPT as often as tu.xpt.
    path = folder / f"{name.upper()}.XPT"
    pyreadstat.write_xport(frame, str(path), table_name=name.upper(), file_format_version=5)


def _typed(columns: list[str], row: list[str]) -> list[object]:
    return [
        (float(value) if value else None) if column in NUMBERS else value
        for column, value in zip(columns, row, strict=True)
    ]


def _head(name: str, columns: list[str], rows: list[list[str]]) -> dict[str, object]:
    described = [
        {
            "itemOID": f"IT.{name.upper()}.{column}",
            "name": column,
            "label": column,
            "dataType": "float" if column in NUMBERS else "string",
        }
        for column in columns
    ]
    return {
        "datasetJSONCreationDateTime": "2024-07-01T00:00:00",
        "datasetJSONVersion": "1.1.0",
        "itemGroupOID": f"IG.{name.upper()}",
        "records": len(rows),
        "name": name.upper(),
        "label": name.upper(),
        "columns": described,
    }


def _json(folder: Path, name: str, columns: list[str], rows: list[list[str]]) -> None:
    content = _head(name, columns, rows) | {"rows": [_typed(columns, row) for row in rows]}
    (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def _json10(folder: Path, name: str, columns: list[str], rows: list[list[str]]) -> None:
    group = {
        "records": len(rows),
        "name": name.upper(),
        "items": [{"OID": f"IT.{c}", "name": c, "label": c, "type": "string"} for c in columns],
        "itemData": [_typed(columns, row) for row in rows],
    }
    content = {"datasetJSONVersion": "1.0.0", "clinicalData": {"itemGroupData": {f"IG.{name}": group}}}
    (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def _ndjson(folder: Path, name: str, columns: list[str], rows: list[list[str]]) -> None:
    lines = [_head(name, columns, rows), *(_typed(columns, row) for row in rows)]
    (folder / f"{name}.ndjson").write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")


_WRITERS = {"csv": _csv, "xpt": _xpt, "json": _json, "json10": _json10, "ndjson": _ndjson}
FORMATS = tuple(_WRITERS)
