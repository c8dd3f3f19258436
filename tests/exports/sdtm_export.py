"""Exporting what was assessed as SDTM, and reading it back."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mrecist.cli import main

DAYS = ("2024-01-08", "2024-03-04", "2024-04-29", "2024-06-24")


def row(lesion: str, timepoint: int, state: str, **more: str) -> dict[str, str]:
    """A row of measurements.csv; the role follows from the name of the lesion."""
    role = "new" if lesion.startswith("NEW") else "non-target" if lesion.startswith("NT") else "target"
    cells = {"subject": "P01", "timepoint": str(timepoint), "date": DAYS[timepoint], "reader": "R1", "lesion": lesion}
    return {**cells, "role": role, "kind": "lesion", "organ": "liver", "state": state, **more}


def sized(lesion: str, timepoint: int, longest: str, viable: str = "", **more: str) -> dict[str, str]:
    """A target that was measured."""
    return row(lesion, timepoint, "measured", longest_mm=longest, viable_mm=viable, **more)


def table(rows: list[dict[str, str]]) -> str:
    """measurements.csv with the columns that the rows have."""
    text = io.StringIO(newline="")
    columns = list(dict.fromkeys(name for one in rows for name in one))
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


PROTOCOL = """format = "mrecist-protocol/1"
[study]
id = "S1"
[criteria.recist11]
[criteria.mrecist]
"""


@dataclass(frozen=True)
class Made:
    """An export: exit code, standard error, and the records of each dataset by name."""

    code: int
    err: str
    folder: Path
    results: Path
    datasets: dict[str, list[dict[str, Any]]]

    def find(self, dataset: str, **wanted: Any) -> list[dict[str, Any]]:
        rows = self.datasets.get(dataset, [])
        return [one for one in rows if all(one.get(name) == value for name, value in wanted.items())]

    def one(self, dataset: str, **wanted: Any) -> dict[str, Any]:
        (found,) = self.find(dataset, **wanted)
        return found


class Exporter:
    """Assess a table and export it; Dataset-JSON is what the records are looked at in."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def assess(self, rows: list[dict[str, str]], protocol: str = PROTOCOL) -> Path:
        (self.folder / "measurements.csv").write_text(table(rows), encoding="utf-8")
        (self.folder / "protocol.toml").write_text(protocol, encoding="utf-8")
        results = self.folder / "results"
        code = main(
            [
                *("assess", str(self.folder / "measurements.csv"), "--protocol", str(self.folder / "protocol.toml")),
                *("--out", str(results)),
            ]
        )
        assert code in (0, 1)
        self.capsys.readouterr()
        return results

    def export(self, results: Path, *options: str, out: str = "sdtm") -> Made:
        folder = self.folder / out
        code = main(["export", "sdtm", str(results), "--out", str(folder), "--format", "dataset-json", *options])
        said = self.capsys.readouterr()
        assert "Traceback" not in said.err
        return Made(code, said.err, folder, results, read_json(folder))

    def made(self, rows: list[dict[str, str]], *options: str, protocol: str = PROTOCOL) -> Made:
        return self.export(self.assess(rows, protocol), *options)


def read_json(folder: Path) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        names = [column["name"] for column in content["columns"]]
        found[content["name"]] = [dict(zip(names, one, strict=True)) for one in content["rows"]]
    return found
