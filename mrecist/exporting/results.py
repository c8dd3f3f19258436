"""What ``assess`` or ``score`` wrote, read back for an export: rows, responses, and where each size was drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mrecist import derivation
from mrecist.errors import InputError
from mrecist.model import Measurement, Problem
from mrecist.protocol import CriterionSetting, Protocol
from mrecist.tables import read_measurements, read_rows
from mrecist.tables.responses import BEST_COLUMNS, RESPONSE_COLUMNS

Cells = Mapping[str, str]
Drawings = dict[tuple[str, str, int, str], Mapping[str, Any]]
Visit = tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Rows and responses by (subject, reader, time point), of the reads that have responses; where each diameter lies."""

    rows: dict[Visit, list[Measurement]]
    responses: dict[Visit, list[Cells]]
    drawings: Drawings
    # (subject, reader, lesion) -> the TrackingUID of the first visit at which measurements.json has one.
    drawn_uids: dict[tuple[str, str, str], str]
    settings: dict[str, CriterionSetting]
    protocol: Protocol
    problems: tuple[Problem, ...]


def read_results(folder: Path) -> Results:
    """Read the folder.

    Raises :class:`InputError` when it holds no results, or tables that do not belong together. A read without a response is a
    problem of its subject.
    """
    protocol, settings, _ = derivation.load_rules(folder)
    # The rows that the responses came from; a table that was changed since must not stand beside them.
    table = read_measurements(derivation.unchanged_rows_path(folder), protocol.partial_date)
    rows: dict[Visit, list[Measurement]] = {}
    for (subject, reader), read in table.reads().items():
        for row in sorted(read, key=lambda r: (r.timepoint, r.lesion)):
            rows.setdefault((subject, reader, row.timepoint), []).append(row)
    responses = _read_responses(folder / "responses.csv")
    assessed = {key[:2] for key in responses}
    unassessed = dict.fromkeys(key[:2] for key in rows if key[:2] not in assessed)
    where = folder / "responses.csv"
    problems = [
        Problem(subject=s, reader=r, message=f"subject {s}, reader {r}: has no response in {where}, so it is left out")
        for s, r in unassessed
    ]
    drawings = _read_drawings(folder / "measurements.json")
    drawn_uids: dict[tuple[str, str, str], str] = {}
    for (subject, reader, _, lesion), drawn in sorted(drawings.items(), key=lambda item: item[0][2]):
        if drawn.get("tracking_uid"):
            drawn_uids.setdefault((subject, reader, lesion), str(drawn["tracking_uid"]))
    return Results(
        rows={key: value for key, value in rows.items() if key[:2] in assessed},
        responses=responses,
        drawings=drawings,
        drawn_uids=drawn_uids,
        settings={setting.name: setting for setting in settings},
        protocol=protocol,
        problems=(*table.problems, *problems),
    )


def _read_responses(where: Path) -> dict[Visit, list[Cells]]:
    responses: dict[Visit, list[Cells]] = {}
    for number, cells in read_rows(where, RESPONSE_COLUMNS)[1]:
        if not cells["timepoint"].isdecimal():
            raise InputError(f"{where}: line {number}: timepoint is '{cells['timepoint']}'; run score again")
        responses.setdefault((cells["subject"], cells["reader"], int(cells["timepoint"])), []).append(cells)
    return responses


def read_best(folder: Path) -> dict[tuple[str, str], list[Cells]]:
    """``best_responses.csv`` by (subject, reader); raises :class:`InputError` when it is no such table."""
    best: dict[tuple[str, str], list[Cells]] = {}
    for _, cells in read_rows(folder / "best_responses.csv", BEST_COLUMNS)[1]:
        best.setdefault((cells["subject"], cells["reader"]), []).append(cells)
    return best


def _read_drawings(path: Path) -> Drawings:
    if not path.exists():  # responses that were derived from a table: nothing is drawn
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {(d["subject"], d["reader"], int(d["timepoint"]), d["lesion"]): d for d in found}
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path}: is damaged; run score again") from None
