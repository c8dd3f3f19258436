"""Exporting as ADaM, and reading it back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sdtm_export import Made, read_json, table

from mrecist.cli import main


@dataclass(frozen=True)
class AdamExporter:
    """Assesses a table of rows with its subjects, and exports it; Dataset-JSON is what the rows are looked at in."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def assess(self, rows: list[dict[str, str]], protocol: str, subjects: str) -> Path:
        for name, text in (
            ("measurements.csv", table(rows)),
            ("protocol.toml", protocol),
            ("subjects.csv", subjects),
        ):
            (self.folder / name).write_text(text, encoding="utf-8")
        results = self.folder / "results"
        words = ["--protocol", str(self.folder / "protocol.toml"), "--subjects", str(self.folder / "subjects.csv")]
        assert main(["assess", str(self.folder / "measurements.csv"), *words, "--out", str(results)]) in (0, 1)
        self.capsys.readouterr()
        return results

    def export(self, results: Path, *options: str, out: str = "adam") -> Made:
        folder = self.folder / out
        words = ["--subjects", str(self.folder / "subjects.csv"), "--format", "dataset-json"]
        code = main(["export", "adam", str(results), "--out", str(folder), *words, *options])
        said = self.capsys.readouterr()
        assert "Traceback" not in said.err
        return Made(code, said.err, folder, results, read_json(folder))

    def made(self, rows: list[dict[str, str]], *options: str, protocol: str, subjects: str) -> Made:
        return self.export(self.assess(rows, protocol, subjects), *options)


def values(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Some variables of rows, what is empty as None."""
    return [tuple(row.get(name) for name in names) for row in rows]
