"""What a run of ``mrecist assess`` left."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Outcome(NamedTuple):
    """What a run left: exit code, standard error and output, tables by name."""

    code: int
    err: str
    out: str
    tables: dict[str, list[dict[str, str]]]


Run = Callable[..., Outcome]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
