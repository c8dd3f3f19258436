"""A structured report read attribute by attribute, with nothing of the code under test."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom

LONG, SHORT = ("103339001", "SCT"), ("103340004", "SCT")
VIABLE, VIABLE_SHORT = ("VIABLE-LONG", "99MRECIST"), ("VIABLE-SHORT", "99MRECIST")
VOLUME = ("118565006", "SCT")
NAMES = {"longest": LONG, "short": SHORT, "viable": VIABLE, "viable_short": VIABLE_SHORT}
Code = tuple[str, str]


def code(sequence: Any) -> Code:
    return sequence[0].CodeValue, sequence[0].CodingSchemeDesignator


def report(folder: Path, visit: str) -> Any:
    subject, timepoint = visit.split("/")
    return pydicom.dcmread(folder / subject / f"sr_R1_{timepoint}.dcm")


def groups(dataset: Any) -> Iterator[Any]:
    """The measurement groups of a report."""
    for container in dataset.ContentSequence:
        if container.ValueType == "CONTAINER" and code(container.ConceptNameCodeSequence) == ("126010", "DCM"):
            yield from container.ContentSequence


def items(group: Any, kind: str) -> list[tuple[Code, Any]]:
    return [(code(i.ConceptNameCodeSequence), i) for i in group.ContentSequence if i.ValueType == kind]


def value(group: Any, kind: str, name: Code) -> Any:
    found = [item for concept, item in items(group, kind) if concept == name]
    assert len(found) == 1, (kind, name, found)
    return found[0]


def codes_of(group: Any) -> dict[Code, set[Code]]:
    found: dict[Code, set[Code]] = {}
    for name, item in items(group, "CODE"):
        found.setdefault(name, set()).add(code(item.ConceptCodeSequence))
    return found


def numbers_of(group: Any) -> dict[Code, float]:
    return {name: float(item.MeasuredValueSequence[0].NumericValue) for name, item in items(group, "NUM")}


def texts_of(group: Any) -> dict[str, str]:
    return {name[0]: item.TextValue for name, item in items(group, "TEXT")}


def of_lesion(dataset: Any, lesion: str) -> list[Any]:
    return [g for g in groups(dataset) if value(g, "TEXT", ("112039", "DCM")).TextValue == lesion]


def response(dataset: Any, criterion: str) -> Any:
    (group,) = of_lesion(dataset, f"Response {criterion}")
    return group


def tracking_uid(group: Any) -> str:
    return str(value(group, "UIDREF", ("112040", "DCM")).UID)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def visits(reports: Path) -> list[str]:
    return [f"{p.parent.name}/{p.stem.rsplit('_', 1)[1]}" for p in sorted(reports.rglob("*.dcm"))]


def lines_of(reports: Path) -> Iterator[tuple[str, Any, Code, Any, Any]]:
    """(visit, group, concept, NUM, SCOORD) of every line in the reports."""
    for visit in visits(reports):
        for group in groups(report(reports, visit)):
            for name, number in items(group, "NUM"):
                for child in number.get("ContentSequence", []):
                    if child.ValueType == "SCOORD":
                        yield visit, group, name, number, child
