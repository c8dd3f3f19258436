"""``score --repeat`` and ``measure --spread``: the spread of every size, and the stability found with it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from mrecist.batch import OPTIONAL_FILES
from mrecist.cli import main
from mrecist.samples.build import sample_study_path
from mrecist.stability.table import SPREAD_COLUMNS

DRAWS = "5"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def study(make_study: Callable[..., Path]) -> Path:
    return make_study("SAMPLE-01", "SAMPLE-04")


def scored(study: Path, out: Path, *options: str) -> Path:
    assert main(["score", str(study), "--out", str(out), *options]) == 0
    return out


def test_every_size_of_a_mask_has_its_row(study: Path, tmp_path: Path) -> None:
    out = scored(study, tmp_path / "a", "--repeat", DRAWS)
    rows = table(out / "spread.csv")
    assert tuple(rows[0])[: len(SPREAD_COLUMNS)] == SPREAD_COLUMNS
    spread = {(r["subject"], r["timepoint"], r["lesion"], r["column"]): r for r in rows}
    sizes = ("longest_mm", "short_mm", "viable_mm", "viable_short_mm", "volume_mm3", "viable_volume_mm3")
    recorded = {
        (m["subject"], m["timepoint"], m["lesion"], size): m[size]
        for m in table(out / "measurements.csv")
        for size in sizes
        if m[size] not in ("", "0")
    }
    assert recorded
    assert {cell: row["recorded"] for cell, row in spread.items()} == recorded
    for row in rows:
        low, mean, high, sd = (float(row[name]) for name in ("low", "mean", "high", "sd"))
        assert 0 <= low <= mean <= high
        assert sd > 0
        assert (row["draws"], row["seed"], row["lost"]) == (DRAWS, "0", "0")
        assert (row["below_10_mm"] == "") == row["column"].endswith("mm3")


def test_no_size_and_no_category_changes_and_the_stability_knows_the_spread(study: Path, tmp_path: Path) -> None:
    plain, repeated = scored(study, tmp_path / "a"), scored(study, tmp_path / "b", "--repeat", DRAWS)
    assert not (plain / "spread.csv").exists()
    assert (plain / "measurements.csv").read_bytes() == (repeated / "measurements.csv").read_bytes()
    for before, after in zip(table(plain / "responses.csv"), table(repeated / "responses.csv"), strict=True):
        assert {**before, "flags": ""} == {**after, "flags": ""}
    assert {row["own_sd"] for row in table(plain / "stability.csv")} == {"0"}
    assert all(int(row["own_sd"]) > 0 for row in table(repeated / "stability.csv") if row["p_reported"])
    assert (plain / "stability.csv").read_bytes() != (repeated / "stability.csv").read_bytes()


def test_assess_reads_the_table_and_finds_the_same_stability(study: Path, tmp_path: Path) -> None:
    out = scored(study, tmp_path / "a", "--repeat", DRAWS)
    again = tmp_path / "again"
    files = ["--spread", str(out / "spread.csv"), "--out", str(again)]
    assert main(["assess", str(out / "measurements.csv"), *files]) == 0
    for name in ("responses.csv", "stability.csv", "stability_lesions.csv"):
        assert (again / name).read_bytes() == (out / name).read_bytes()


def test_other_subjects_processes_and_a_second_run_change_nothing(study: Path, tmp_path: Path) -> None:
    out = scored(study, tmp_path / "a", "--repeat", DRAWS)
    before = (out / "spread.csv").read_bytes()
    assert (scored(study, out, "--repeat", DRAWS) / "spread.csv").read_bytes() == before
    assert (scored(study, tmp_path / "b", "--repeat", DRAWS, "--workers", "2") / "spread.csv").read_bytes() == before
    for path in [*(study / "images" / "SAMPLE-04").rglob("*.dcm"), *(study / "masks").glob("SAMPLE-04_*")]:
        path.unlink()
    reads = study / "reads" / "R1.csv"
    if reads.exists():
        kept = [line for line in reads.read_text(encoding="utf-8").splitlines() if "SAMPLE-04" not in line]
        reads.write_text("\n".join(kept) + "\n", encoding="utf-8")
    alone = table(scored(study, tmp_path / "c", "--repeat", DRAWS) / "spread.csv")
    assert alone == [row for row in table(out / "spread.csv") if row["subject"] == "SAMPLE-01"]


def test_the_protocol_asks_for_it_with_its_own_seed_and_error(study: Path, tmp_path: Path) -> None:
    def protocol(text: str) -> list[str]:
        path = tmp_path / "protocol.toml"
        path.write_text(f'format = "mrecist-protocol/1"\n[stability]\nrepeat = 5\n{text}', encoding="utf-8")
        return ["--protocol", str(path)]

    asked = table(scored(study, tmp_path / "a", *protocol("")) / "spread.csv")
    assert asked == table(scored(study, tmp_path / "b", "--repeat", "5") / "spread.csv")
    seeded = table(scored(study, tmp_path / "c", *protocol("seed = 7\n")) / "spread.csv")
    assert {row["seed"] for row in seeded} == {"7"}
    assert [row["sd"] for row in seeded] != [row["sd"] for row in asked]
    still = protocol("lesion_percent = 0\nnode_mm = 0\nviable_percent = 0\nviable_baseline_percent = 0\n")
    # A finished subject is measured again, because what it came from has changed.
    for row in table(scored(study, tmp_path / "a", *still) / "spread.csv"):
        assert float(row["sd"]) == 0
        assert float(row["mean"]) == pytest.approx(float(row["recorded"]), abs=0.06)


def test_measure_gives_what_score_gives(tmp_path: Path) -> None:
    sample = sample_study_path()
    masks = [str(sample / "masks" / f"SAMPLE-05_{visit}.dcm") for visit in (0, 2)]
    spread = tmp_path / "spread.csv"
    arguments = ["--seg", *masks, "--images", str(sample / "images" / "SAMPLE-05"), "--spread", str(spread)]
    assert main(["measure", *arguments, "--repeat", DRAWS, "--out", str(tmp_path / "m.csv")]) == 0
    measured = {tuple(list(row.values())[:5]): row for row in table(spread)}
    out = scored(sample, tmp_path / "out", "--repeat", DRAWS)
    of_score = {
        tuple(list(row.values())[:5]): row for row in table(out / "spread.csv") if row["subject"] == "SAMPLE-05"
    }
    assert measured.keys() <= of_score.keys()
    assert measured == {cell: of_score[cell] for cell in measured}
    assert len(measured) == 18  # three lesions with six sizes each


def test_what_the_spread_leaves_out_is_said(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "which part of a lesion is viable, and which lesions there are, was not judged again"
    out = scored(study, tmp_path / "a")
    assert words not in capsys.readouterr().err
    assert words not in (out / "report.html").read_text(encoding="utf-8")
    out = scored(study, tmp_path / "a", "--repeat", DRAWS)
    assert [words in line for line in capsys.readouterr().err.splitlines() if "drawn again" in line] == [True]
    assert (out / "report.html").read_text(encoding="utf-8").count(words) == 1
    sample = sample_study_path()
    mask = ["--seg", str(sample / "masks" / "SAMPLE-05_0.dcm"), "--images", str(sample / "images" / "SAMPLE-05")]
    files = ["--out", str(tmp_path / "m.csv"), "--spread", str(tmp_path / "s.csv"), "--repeat", DRAWS]
    assert main(["measure", *mask, *files]) == 0
    assert words in capsys.readouterr().err


def test_files_of_an_earlier_run_do_not_stay_beside_those_of_a_run_without_them(study: Path, tmp_path: Path) -> None:
    """A folder that was used before holds the same files, with the same content, as a new one."""
    used = scored(study, tmp_path / "used", "--repeat", DRAWS)
    # Every name that a run can write, filled with what no run would.
    for name in OPTIONAL_FILES:
        assert (used / name).exists()
        (used / name).write_text("of an earlier run", encoding="utf-8")
    (used / "notes.txt").write_text("of the user", encoding="utf-8")
    scored(study, used)
    new = scored(study, tmp_path / "new")
    kept = {path.name for path in used.iterdir()}
    assert kept == {path.name for path in new.iterdir()} | {"notes.txt"}
    for path in new.iterdir():
        if path.is_file():
            assert (used / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("option", ["--repeat", "--repeat-seed", "--repeat-percent", "--repeat-viable-percent"])
def test_options_of_measure_that_need_a_file(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measure", "--lesions", "l.nii", "--out", "never.csv", option, "9"]) == 2
    assert f"measure: {option} goes with --spread" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["score", "S", "--out", "o", "--repeat", "4"], "'4' is not a number of repeats (5 to 1000)"),
        (["measure", "--lesions", "l", "--out", "o", "--repeat-percent", "x"], "'x' is not a standard deviation"),
    ],
)
def test_wrong_numbers(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert words in capsys.readouterr().err
