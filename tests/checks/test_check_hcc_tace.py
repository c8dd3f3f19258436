"""The released reader sums of HCC-TACE-Seg (odd patients) through ``mrecist check``: little is found, and what is found is there.

TCIA HCC-TACE-Seg, doi 10.7937/TCIA.5FNA-0924. Its RECIST sums of HCC_057 (17.3 to 150.5 mm, viable 75.7 mm at baseline) and of
HCC_059 (82.7 to 8.4 mm, viable 53.1 mm at follow-up) by reader 1 cannot both be what was measured.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from mrecist.cli import main

HEADER = "subject,timepoint,date,reader,lesion,role,state,longest_mm,viable_mm\n"
READERS = ("1", "2", "3")
VISITS = (("BL", "2010-01-01"), ("FU", "2010-03-01"))


def rows_of(patient: dict[str, str], reader: str) -> list[str]:
    """Baseline and follow-up of one reader, each sum as one target; nothing where the reader left a cell empty."""
    rows = []
    for timepoint, (visit, day) in enumerate(VISITS):
        whole, viable = patient[f"{reader}_RECIST_{visit}"], patient[f"{reader}_mRECIST_{visit}"]
        if not whole or not viable:
            return []
        state = "measured" if float(whole) > 0 else "absent"
        rows.append(f"{patient['TCIA_ID']},{timepoint},{day},{reader},SUM,target,{state},{whole},{viable}\n")
    return rows


def test_what_is_found_in_released_reads(shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = shared_data / "hcc_tace_seg" / "clinical_table_odd_patients.csv"
    if not source.is_file():
        pytest.skip("hcc_tace_seg/clinical_table_odd_patients.csv is not in the shared data folder on this machine")
    with source.open(encoding="utf-8-sig", newline="") as file:
        patients = list(csv.DictReader(file))
    table = tmp_path / "measurements.csv"
    lines = [line for patient in patients for reader in READERS for line in rows_of(patient, reader)]
    table.write_text(HEADER + "".join(lines), encoding="utf-8")
    assert main(["check", str(table)]) == 0
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    by_check: dict[str, set[str]] = {}
    for row in found:
        by_check.setdefault(row["check"], set()).add(row["subject"])
    above = {p["TCIA_ID"] for p in patients for r in READERS for v, _ in VISITS if _viable_above_whole(p, r, v)}
    assert by_check == {
        "acquisition_not_recorded": {""},
        "decimal_slip": {"HCC_057", "HCC_059"},
        "viable_above_whole": above,
    }
    assert {"HCC_057", "HCC_059"} < above


def _viable_above_whole(patient: dict[str, str], reader: str, visit: str) -> bool:
    whole, viable = patient[f"{reader}_RECIST_{visit}"], patient[f"{reader}_mRECIST_{visit}"]
    return bool(rows_of(patient, reader)) and float(viable) > float(whole)
