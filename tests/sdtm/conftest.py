"""Running ``mrecist assess`` on small datasets."""

from __future__ import annotations

from pathlib import Path

import pytest
from sdtm_runs import Outcome, Run, table
from sdtm_study import Row, write_all

from mrecist.cli import main


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """``run(tu=[...], tr=[...], rs=[...], form="csv", options=[...])``."""

    def go(*, form: str = "csv", options: list[str] | None = None, **domains: list[Row]) -> Outcome:
        folder = write_all(tmp_path / form, form, **domains)
        out = tmp_path / "out"
        compared = ["--compare", str(folder)] if "rs" in domains else []
        code = main(["assess", str(folder), "--out", str(out), *compared, *(options or [])])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Outcome(code, said.err, said.out, {path.stem: table(path) for path in sorted(out.glob("*.csv"))})

    return go
