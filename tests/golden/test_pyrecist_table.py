"""The small synthetic table of pyrecist: what is right in it must come out, what is wrong is named.

pyrecist keeps a partial response until progression, which is our ``pr_carry_forward`` (A2). In its table:

- 2023-03-01 (third follow-up) is PR only by that option. By arithmetic 25.2 mm is -16 % from baseline and +20 % but only +4.2 mm
  from the nadir of 21 mm: SD (Eisenhauer 2009, 4.3.1).
- 2023-09-01 (fifth follow-up) is wrong: no category, because the tool stops after the first progression. 30 mm is +42.9 % and
  +9 mm from the nadir: PD. The visit is still assessed; only best response stops (A32).
"""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from mrecist.cli import main

PROTOCOL = 'format = "mrecist-protocol/1"\n[criteria.recist11]\npr_carry_forward = true\n'
NOT_ASSESSED_BY_THE_TOOL = {"2023-09-01": "PD"}
BY_ARITHMETIC = {"2023-03-01": "SD"}
COLUMNS = {
    "current_burden": "sum",
    "baseline_burden": "baseline_sum",
    "min_burden": "nadir_sum",
    "burden_difference_from_nadir": "abs_from_nadir",
    "burden_percentual_variation_from_baseline": "pct_from_baseline",
    "burden_percentual_variation_from_nadir": "pct_from_nadir",
}


def iso(day: str) -> str:
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    path = shared_data / "pyrecist_synthetic_table"
    if not path.is_dir():
        pytest.skip("pyrecist_synthetic_table is not in the shared data folder on this machine")
    return path


def assessed(folder: Path, out: Path, protocol: str) -> dict[str, dict[str, str]]:
    """Date -> row of our responses.csv for the tool's measurements."""
    rows = table(folder / "synthetic_measurements.csv")
    timepoint = {day: str(number) for number, day in enumerate(sorted({r["study_date"] for r in rows}))}
    with (out / "measurements.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("subject", "timepoint", "date", "lesion", "role", "state", "longest_mm"))
        for r in rows:
            day, lesion = r["study_date"], r["lesion_label_alias"]
            about = (r["patient_id"], timepoint[day], iso(day), lesion)
            writer.writerow((*about, r["lesion_category"], "measured", r["measurement"]))
    (out / "protocol.toml").write_text(protocol, encoding="utf-8")
    arguments = ["--criterion", "recist11", "--protocol", str(out / "protocol.toml"), "--out", str(out)]
    assert main(["assess", str(out / "measurements.csv"), *arguments]) == 0
    return {r["date"]: r for r in table(out / "responses.csv") if r["timepoint"] != "0"}


def test_categories_with_carried_response(folder: Path, tmp_path: Path) -> None:
    printed = {iso(r["current_date"]): r["classification"] for r in table(folder / "synthetic_evaluation.csv")}
    assert [day for day, category in printed.items() if not category] == list(NOT_ASSESSED_BY_THE_TOOL)
    found = assessed(folder, tmp_path, PROTOCOL)
    assert {day: r["target"] for day, r in found.items()} == printed | NOT_ASSESSED_BY_THE_TOOL


def test_categories_by_arithmetic(folder: Path, tmp_path: Path) -> None:
    """Without the option 25.2 mm is SD: -16 % from baseline, +20 % but only 4.2 mm from the nadir."""
    with_option = assessed(folder, tmp_path, PROTOCOL)
    without = assessed(folder, tmp_path, 'format = "mrecist-protocol/1"\n[criteria.recist11]\n')
    changed = {day: r["target"] for day, r in without.items() if r["target"] != with_option[day]["target"]}
    assert changed == BY_ARITHMETIC


def test_sums_and_changes(folder: Path, tmp_path: Path) -> None:
    found = assessed(folder, tmp_path, PROTOCOL)
    for printed in table(folder / "synthetic_evaluation.csv"):
        ours = found[iso(printed["current_date"])]
        for theirs, column in COLUMNS.items():
            assert abs(Decimal(ours[column]) - Decimal(printed[theirs])) < Decimal("0.0001"), (ours["date"], column)
