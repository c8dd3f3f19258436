"""Rows for the tests of the checks: a read without any finding, and how to depart from it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from mrecist.checks.finding import Finding
from mrecist.checks.run import check_read
from mrecist.model import Kind, Measurement, Role, State, SubjectDates
from mrecist.protocol import FORMAT, Protocol, parse_protocol

START = date(2024, 1, 1)
STATE = {Role.TARGET: State.MEASURED, Role.NON_TARGET: State.PRESENT, Role.NEW: State.UNEQUIVOCAL}
DECIMALS = ("longest_mm", "short_mm", "viable_mm", "viable_short_mm", "volume_mm3", "viable_volume_mm3", "mean_hu")


def row(lesion: str, timepoint: int = 0, **given: Any) -> Measurement:
    """A row with modality, phase and 2.5 mm slices, 56 days a time point; the role from the id, sizes as text."""
    role = given.pop(
        "role", Role.NEW if lesion.startswith("NEW") else Role.NON_TARGET if lesion[0] == "N" else Role.TARGET
    )
    cells: dict[str, Any] = {
        "subject": "S1",
        "timepoint": timepoint,
        "date": START + timedelta(days=56 * timepoint),
        "lesion": lesion,
        "role": role,
        "state": STATE[role],
        "organ": "lymph node" if given.get("kind") is Kind.NODE else "liver",
        "modality": "CT",
        "phase": "ARTERIAL",
        "slice_thickness_mm": Decimal("2.5"),
        **given,
    }
    for name in (*DECIMALS, "slice_thickness_mm"):
        if isinstance(cells.get(name), str):
            cells[name] = Decimal(cells[name])
    return Measurement(**cells)


def target(lesion: str = "T01", timepoint: int = 0, longest: str = "30", **given: Any) -> Measurement:
    """A target with that longest and viable diameter."""
    return row(lesion, timepoint, **{"longest_mm": longest, "viable_mm": longest, **given})


def node(lesion: str = "T09", timepoint: int = 0, short: str = "16", **given: Any) -> Measurement:
    """A lymph node with that short axis."""
    return row(lesion, timepoint, **{"kind": Kind.NODE, "short_mm": short, **given})


def protocol(**sections: Any) -> Protocol:
    """A protocol with these sections."""
    return parse_protocol({"format": FORMAT, **sections}, where="protocol.toml")


def findings(
    *rows: Measurement, criterion: str = "", start: date | None = None, **sections: Any
) -> tuple[Finding, ...]:
    """What the checks find in these rows, by RECIST 1.1 and mRECIST or by one criterion; ``start`` is the subject's origin date."""
    rules = protocol(**sections)
    named = rules.origin.event not in ("", "baseline")
    dates = SubjectDates(origins={} if start is None else {"S1": start}) if named else None
    return check_read(rows, rules, [rules.setting(criterion)] if criterion else None, dates)


def names(*rows: Measurement, **given: Any) -> list[str]:
    """The names of the checks that find something, in order."""
    return [finding.check for finding in findings(*rows, **given)]
