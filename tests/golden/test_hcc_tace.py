"""Every released reader category of HCC-TACE-Seg (odd patients), from the released sums, through ``mrecist assess``.

TCIA HCC-TACE-Seg, doi 10.7937/TCIA.5FNA-0924: three readers, baseline and one follow-up, RECIST 1.1 and mRECIST sums in mm with
category codes 1 CR, 2 PR, 3 SD, 4 PD. The table gives sums, so each sum is written as one target.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mrecist.cli import main

READERS = ("1", "2", "3")
COLUMN_OF = {"recist11": "RECIST", "mrecist": "mRECIST"}
MEANING = {1.0: "CR", 2.0: "PR", 3.0: "SD", 4.0: "PD"}
HEADER = ("subject", "timepoint", "date", "reader", "lesion", "role", "state", "longest_mm", "viable_mm")
DATES = ("2010-01-01", "2010-03-01")
# 53 patients x 3 readers x 2 criteria, less what the readers left empty.
COMPARISONS = 290


@pytest.fixture(scope="module")
def patients(shared_data: Path) -> list[dict[str, str]]:
    path = shared_data / "hcc_tace_seg" / "clinical_table_odd_patients.csv"
    if not path.is_file():
        pytest.skip("hcc_tace_seg/clinical_table_odd_patients.csv is not in the shared data folder on this machine")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def has_sums(patient: dict[str, str], reader: str) -> bool:
    return all(patient[f"{reader}_{name}_{visit}"] for name in COLUMN_OF.values() for visit in ("BL", "FU"))


def rows_of(patient: dict[str, str], reader: str) -> list[tuple[str, ...]]:
    """Baseline and follow-up of one reader; a whole sum of 0 is a target that is gone."""
    rows = []
    for timepoint, visit in enumerate(("BL", "FU")):
        whole, viable = (patient[f"{reader}_{name}_{visit}"] for name in COLUMN_OF.values())
        state = "measured" if float(whole) > 0 else "absent"
        about = (patient["TCIA_ID"], str(timepoint), DATES[timepoint], reader)
        rows.append((*about, "SUM", "target", state, whole, viable))
    return rows


def test_every_released_category(patients: list[dict[str, str]], tmp_path: Path) -> None:
    table = tmp_path / "measurements.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for patient in patients:
            for reader in READERS:
                if has_sums(patient, reader):
                    writer.writerows(rows_of(patient, reader))
    assert main(["assess", str(table), "--out", str(tmp_path / "out")]) == 0

    with (tmp_path / "out" / "responses.csv").open(encoding="utf-8", newline="") as file:
        found = {(r["subject"], r["reader"], r["criterion"]): r for r in csv.DictReader(file) if r["timepoint"] == "1"}
    released = {
        (patient["TCIA_ID"], reader, criterion): MEANING[float(patient[f"{reader}_{name}"])]
        for patient in patients
        for reader in READERS
        for criterion, name in COLUMN_OF.items()
        if patient[f"{reader}_{name}"]
    }
    assert len(released) == COMPARISONS
    assert set(released.values()) == set(MEANING.values())
    different = [
        f"{key}: {found[key]['overall']}, released {category}, {found[key]['baseline_sum']} to {found[key]['sum']} mm"
        for key, category in released.items()
        if found[key]["overall"] != category or found[key]["target"] != category
    ]
    assert different == []
