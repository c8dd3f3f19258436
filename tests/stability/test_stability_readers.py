"""What docs/stability.md says of real readers: HCC-TACE-Seg (odd patients), three readers, doi 10.7937/TCIA.5FNA-0924.

The table gives sums, so each is one lesion. A pair is a reader's response and that of another reader of the same patient.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from mrecist.model import Measurement, Role, State, VisitStability
from mrecist.protocol import load_protocol
from mrecist.response.read import build_read
from mrecist.stability.derive import stability_of

PAGE = Path(__file__).parents[2] / "docs" / "stability.md"
DAYS = (date(2010, 1, 1), date(2010, 3, 1))


@dataclass
class Pairs:
    """Pairs of readers: how many, how many agree, and the shares of the first."""

    number: int = 0
    agree: int = 0
    shares: Decimal = Decimal(0)


def read_rows(patient: dict[str, str], reader: str) -> list[Measurement]:
    rows = []
    for timepoint, visit in enumerate(("BL", "FU")):
        whole, viable = (Decimal(patient[f"{reader}_{name}_{visit}"]) for name in ("RECIST", "mRECIST"))
        rows.append(
            Measurement(
                subject=patient["TCIA_ID"],
                timepoint=timepoint,
                date=DAYS[timepoint],
                reader=reader,
                lesion="SUM",
                role=Role.TARGET,
                state=State.MEASURED if whole > 0 else State.ABSENT,
                longest_mm=whole,
                viable_mm=viable,
            )
        )
    return rows


@pytest.fixture(scope="module")
def by_criterion(shared_data: Path) -> dict[str, dict[bool, Pairs]]:
    """Criterion -> flagged or not -> pairs of readers."""
    path = shared_data / "hcc_tace_seg" / "clinical_table_odd_patients.csv"
    if not path.is_file():
        pytest.skip("hcc_tace_seg/clinical_table_odd_patients.csv is not in the shared data folder on this machine")
    with path.open(encoding="utf-8-sig", newline="") as file:
        patients = list(csv.DictReader(file))
    protocol = load_protocol()
    found: dict[str, dict[bool, Pairs]] = {}
    for setting in protocol.criteria:
        pairs = found.setdefault(setting.name, {False: Pairs(), True: Pairs()})
        of_patient: dict[str, list[VisitStability]] = defaultdict(list)
        for patient in patients:
            for reader in ("1", "2", "3"):
                if all(patient[f"{reader}_{name}_{v}"] for name in ("RECIST", "mRECIST") for v in ("BL", "FU")):
                    of_patient[patient["TCIA_ID"]] += stability_of(
                        build_read(read_rows(patient, reader)), setting, protocol
                    )
        for readers in of_patient.values():
            for one in readers:
                for other in readers:
                    if one is not other and one.share is not None:
                        counted = pairs[one.less_likely]
                        counted.number += 1
                        counted.agree += one.overall is other.overall
                        counted.shares += one.share
    return found


@pytest.mark.parametrize(("name", "row"), [("recist11", "RECIST 1.1"), ("mrecist", "mRECIST, without")])
def test_the_agreement_on_the_page(by_criterion: dict[str, dict[bool, Pairs]], name: str, row: str) -> None:
    (line,) = (line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {row}"))
    said = [int(number) for number in re.findall(r"(\d+) (?:pairs|%)", line)]
    expected = []
    for pairs in (by_criterion[name][False], by_criterion[name][True]):
        expected += [pairs.number, round(100 * pairs.shares / pairs.number), round(100 * pairs.agree / pairs.number)]
    assert said == expected


def test_the_flag_tells_weaker_from_firmer_categories(by_criterion: dict[str, dict[bool, Pairs]]) -> None:
    firm, weak = by_criterion["recist11"][False], by_criterion["recist11"][True]
    assert firm.agree / firm.number > weak.agree / weak.number + 0.1
