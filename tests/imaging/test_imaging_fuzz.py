"""Damaged files of every kind end as a result or as one line; the long run is benchmarks/fuzz_dicom.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzzing import KINDS, Seeds, build_seeds, damaged, run_case

CASES_A_KIND = 40


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Seeds:
    return build_seeds(tmp_path_factory.mktemp("seeds"))


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_a_result_or_one_line(kind: str, seeds: Seeds, tmp_path: Path) -> None:
    words = {run_case(seeds, kind, number, tmp_path / "case") for number in range(CASES_A_KIND)}
    assert len(words) > 1 or kind == "sr", "the damage changes nothing"


@pytest.mark.parametrize(
    ("kind", "number", "why"),
    [
        ("jpegls", 1248, "Rows 2000000000: 238 GiB were asked for"),
        ("implicit", 1364, "a UID with a line feed in an error"),
        ("rle", 1073, "PhotometricInterpretation with a line feed in an error"),
    ],
)
def test_what_was_found_before_stays_mended(kind: str, number: int, why: str, seeds: Seeds, tmp_path: Path) -> None:
    assert run_case(seeds, kind, number, tmp_path / "case"), why


def test_a_case_is_the_same_bytes_every_time(seeds: Seeds) -> None:
    assert damaged(seeds, "ct", 5) == damaged(seeds, "ct", 5) != damaged(seeds, "ct", 6)
