"""The two commands as the tests run them, and the sample study."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrecist.cli import main

STUDY = Path(__file__).parents[2] / "sample_data" / "study"


@dataclass(frozen=True)
class Ran:
    """Exit code, standard output and standard error of a command."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()

    @property
    def content(self) -> Any:
        return json.loads(self.out)


def run(*arguments: object) -> Ran:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main([str(one) for one in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
    ran = Ran(code, out.getvalue(), err.getvalue())
    assert "Traceback" not in ran.err
    return ran
