"""Rows and protocols for the tests of trial protocols; sizes as text, visits 56 days apart."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mrecist import assess_subject
from mrecist.errors import ProtocolError
from mrecist.model import Measurement, Role, State, VisitResponse
from mrecist.protocol import FORMAT, Protocol, parse_protocol
from mrecist.protocol.extending import read_whole
from mrecist.response.derive import derive

TRIALS = Path(__file__).parent / "trials"
NAMES = ("base", "t1", "t2", "t3", "t4", "t5")
START = date(2024, 1, 1)
LESION = {"longest_mm": "50", "short_mm": "40", "organ": "liver"}


def changed(name: str, criterion: str = "main", drop: tuple[str, ...] = (), **keys: Any) -> Protocol:
    """A trial without its endpoints, with other keys in one criterion."""
    content, _ = read_whole(TRIALS / f"{name}.toml")
    section = {key: value for key, value in {**content["criteria"][criterion], **keys}.items() if key not in drop}
    content["criteria"][criterion] = section
    return parse_protocol({key: one for key, one in content.items() if key != "endpoint"}, where=f"{name}.toml")


def row(lesion: str, timepoint: int = 0, day: int | None = None, **cells: Any) -> Measurement:
    """A row of a target, or of a new lesion by its id; sizes as text, visits 56 days apart."""
    role = Role.NEW if lesion.startswith("NEW") else Role.TARGET
    when = START + timedelta(days=56 * timepoint if day is None else day)
    given = {key: Decimal(value) if key.endswith("_mm") else value for key, value in cells.items()}
    state = State.UNEQUIVOCAL if role is Role.NEW else State.MEASURED
    return Measurement(
        **{
            "subject": "S1",
            "timepoint": timepoint,
            "date": when,
            "lesion": lesion,
            "role": role,
            "state": state,
            **given,
        }
    )


def responses(protocol: Protocol, *rows: Measurement, criterion: str = "main") -> tuple[VisitResponse, ...]:
    return assess_subject(rows, protocol.setting(criterion), protocol.response)


def overall(protocol: Protocol, *rows: Measurement, criterion: str = "main") -> list[str]:
    return [str(one.overall) for one in responses(protocol, *rows, criterion=criterion)[1:]]


def best(protocol: Protocol, *rows: Measurement) -> Any:
    (one,) = derive({("S1", "R1"): rows}, protocol, (protocol.setting("main"),)).best
    return one


def flags(visits: tuple[VisitResponse, ...]) -> set[str]:
    return {flag for visit in visits for flag in visit.flags}


def parse(**sections: Any) -> Protocol:
    return parse_protocol({"format": FORMAT, **sections}, where="p.toml")


def refusal(**sections: Any) -> str:
    with pytest.raises(ProtocolError) as error:
        parse(**sections)
    assert "\n" not in str(error.value)
    return str(error.value)


def areas(*sizes: tuple[str, str]) -> list[Measurement]:
    return [row("T1", t, viable_mm=a, viable_short_mm=b, **LESION) for t, (a, b) in enumerate(sizes)]
