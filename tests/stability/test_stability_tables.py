"""``mrecist assess --stability``: two more tables, a flag, and no other category."""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from pathlib import Path

import pytest
from stability_reads import rows

from mrecist.cli import main
from mrecist.model import Response, VisitStability
from mrecist.protocol import load_protocol
from mrecist.report.cells import percent_of, stability_cell
from mrecist.response.read import build_read
from mrecist.stability.derive import stability_of
from mrecist.stability.table import LESION_COLUMNS, SHARES, STABILITY_COLUMNS
from mrecist.tables import measurements_csv

DOCS = Path(__file__).parents[2] / "docs"
# 0.70 x 100 = 70: the second visit is a tenth of a millimetre from PR, the third 45 mm from anything.
READ = rows({"T1": "60", "T2": "40"}, {"T1": "40.1", "T2": "30"}, {"T1": "150", "T2": "60"})


def assess(folder: Path, *options: str, measured: str = "") -> dict[str, list[dict[str, str]]]:
    """Table name -> rows of what assess wrote."""
    folder.mkdir()
    table = folder / "measurements.csv"
    table.write_text(measured or measurements_csv(READ), encoding="utf-8")
    assert main(["assess", str(table), "--out", str(folder / "out"), *options]) == 0
    found = {}
    for path in (folder / "out").glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            found[path.name] = list(csv.DictReader(file))
    return found


def protocol(folder: Path, text: str) -> str:
    path = folder / "protocol.toml"
    path.write_text(f'format = "mrecist-protocol/1"\n{text}', encoding="utf-8")
    return str(path)


def test_only_when_asked(tmp_path: Path) -> None:
    assert set(assess(tmp_path / "a")) == {"responses.csv", "best_responses.csv"}
    named = assess(tmp_path / "b", "--protocol", protocol(tmp_path, "[stability]\n"))
    asked = assess(tmp_path / "c", "--stability")
    assert set(named) == set(asked) == {*assess(tmp_path / "d"), "stability.csv", "stability_lesions.csv"}


def test_no_category_changes_and_the_flag_stands_where_the_share_is_low(tmp_path: Path) -> None:
    plain, asked = assess(tmp_path / "a"), assess(tmp_path / "b", "--stability")
    shares = {(r["criterion"], r["timepoint"]): r for r in asked["stability.csv"]}
    flagged = 0
    for before, after in zip(plain["responses.csv"], asked["responses.csv"], strict=True):
        own = [flag for flag in after["flags"].split(";") if flag.startswith("LESS_LIKELY_THAN")]
        assert {**after, "flags": ""} == {**before, "flags": ""}
        assert ";".join([*filter(None, before["flags"].split(";")), *own]) == after["flags"]
        row = shares.get((after["criterion"], after["timepoint"]))
        expected = (
            [] if row is None or float(row["p_reported"]) >= 0.8 else [f"LESS_LIKELY_THAN:0.8={row['p_reported']}"]
        )
        assert own == expected
        flagged += bool(own)
    assert 0 < flagged < len(shares)
    assert plain["best_responses.csv"] == asked["best_responses.csv"]


def test_the_rows_say_what_the_arithmetic_says(tmp_path: Path) -> None:
    found = assess(tmp_path / "a", "--stability")
    near, far = (r for r in found["stability.csv"] if r["criterion"] == "recist11")
    assert (near["overall"], near["less"], near["less_gives"], near["more"], near["more_gives"]) == (
        *("SD", "0.1", "PR"),
        # PD from the baseline nadir: 120 - 70.1.
        *("49.9", "PD"),
    )
    assert (near["lesion"], near["lesion_change"], near["lesion_gives"]) == ("T1", "-0.1", "PR")
    # From the nadir 70.1: PD from 84.12 on, so 84.1 is SD: 210 - 84.1 = 125.9 less.
    assert (far["overall"], far["less"], far["less_gives"], far["more"]) == ("PD", "125.9", "SD", "")
    # T2 alone cannot: 60 less leaves 150.
    lesions = {
        r["lesion"]: r for r in found["stability_lesions.csv"] if r["timepoint"] == "2" and r["criterion"] == "recist11"
    }
    assert (lesions["T1"]["less"], lesions["T2"]["less"]) == ("125.9", "")
    for row in found["stability.csv"]:
        assert sum(float(row[name]) for name in SHARES) == pytest.approx(1, abs=1e-12)
        assert row["p_reported"] == row[f"p_{row['overall']}"]
        assert row["draws"] == "1000"


def test_every_category_has_its_column() -> None:
    counted = [category for categories in SHARES.values() for category in categories]
    assert sorted(counted) == sorted(set(Response) - {Response.NA, Response.MISSING})


def test_other_subjects_and_their_order_change_nothing(tmp_path: Path) -> None:
    text = measurements_csv(READ)
    header, *lines = text.splitlines()
    others = [line.replace("S1,", "S0,", 1) for line in lines]
    more = "\n".join([header, *reversed(lines), *others]) + "\n"
    alone = assess(tmp_path / "a", "--stability")["stability.csv"]
    together = assess(tmp_path / "b", "--stability", measured=more)["stability.csv"]
    assert [row for row in together if row["subject"] == "S1"] == alone
    shares = [name for name in alone[0] if name.startswith("p_")]
    other = [row for row in together if row["subject"] == "S0"]
    assert [[r[n] for n in shares] for r in other] != [[r[n] for n in shares] for r in alone]


def test_the_protocol_decides(tmp_path: Path) -> None:
    by_default = assess(tmp_path / "a", "--stability")["stability.csv"][0]
    path = protocol(tmp_path, "[stability]\nlevel = 0.4\ndraws = 500\nlesion_percent = 0\nlesion_mm = 0\n")
    found = assess(tmp_path / "b", "--protocol", path)
    row = found["stability.csv"][0]
    assert (row["level"], row["draws"], row["p_SD"]) == ("0.4", "500", "1")
    assert "lesion_percent=0;" in row["model"]
    assert by_default["p_SD"] != "1"
    seeded = assess(tmp_path / "c", "--protocol", protocol(tmp_path, "[stability]\nseed = 7\n"))["stability.csv"][0]
    assert (seeded["seed"], seeded["p_PR"] == by_default["p_PR"]) == ("7", False)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("level = 1.2", "[stability]: level is 1.2; it takes a number from 0 to 1"),
        ("draws = 10", "[stability]: draws is 10; it takes a whole number from 100 to 1000000"),
        ("lesion_sd = 3", "unknown key 'stability.lesion_sd'"),
    ],
)
def test_a_wrong_key_is_refused(line: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "measurements.csv"
    table.write_text(measurements_csv(READ), encoding="utf-8")
    path = protocol(tmp_path, f"[stability]\n{line}\n")
    assert main(["assess", str(table), "--protocol", path, "--out", str(tmp_path / "out")]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# --- standard deviations of single sizes -----------------------------------------------------------------------------


def spread(folder: Path, *lines: str) -> str:
    path = folder / "spread.csv"
    path.write_text("\n".join(("subject,reader,timepoint,lesion,column,sd", *lines)) + "\n", encoding="utf-8")
    return str(path)


def test_single_sizes_take_their_own_standard_deviation(tmp_path: Path) -> None:
    # All sizes of RECIST 1.1 exact, the others as ever: SD of RECIST 1.1 is certain, that of mRECIST is not.
    exact = [f"S1,R1,{t},{lesion},longest_mm,0" for t in range(3) for lesion in ("T1", "T2")]
    found = assess(tmp_path / "a", "--spread", spread(tmp_path, *exact))["stability.csv"]
    row, _, viable, _ = found
    assert (row["criterion"], row["p_SD"], row["own_sd"]) == ("recist11", "1", "6")
    assert (viable["criterion"], viable["own_sd"]) == ("mrecist", "0")
    assert viable["p_SD"] != "1"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("S1,R1,1,T9,longest_mm,2", "line 2 names no row of the measurements"),
        ("S1,R1,1,T1,length,2", "line 2 has column 'length', not one of: longest_mm"),
        ("S1,R1,1,T1,longest_mm,-2", "line 2 has sd '-2' is negative"),
        ("S1,R1,x,T1,longest_mm,2", "line 2 has timepoint 'x'"),
        ("S1,R1,1,T1,longest_mm,2\nS1,,1,T1,longest_mm,3", "line 3 is a second row of this size"),
    ],
)
def test_a_wrong_line_of_the_spread_is_refused(
    line: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "measurements.csv"
    table.write_text(measurements_csv(READ), encoding="utf-8")
    assert main(["assess", str(table), "--spread", spread(tmp_path, line), "--out", str(tmp_path / "out")]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


# --- the report ------------------------------------------------------------------------------------------------------


def last(*visits: dict[str, str | None]) -> VisitStability:
    rules = load_protocol()
    return stability_of(build_read(rows(*visits)), rules.setting("recist11"), rules)[-1]


def test_what_the_report_says_of_a_visit() -> None:
    near = stability_cell(last({"T1": "100"}, {"T1": "70.1"}))
    assert re.fullmatch(r"SD\xa0\d\d\xa0%", near.main)
    assert [line.replace("\xa0", " ") for line in near.more] == ["0.1 mm less is PR", "49.9 mm more is PD"]
    assert near.tone == "alarm"
    assert re.fullmatch(r"measured again: (SD|PR) \d\d %, (SD|PR) \d\d %", near.title)
    far = stability_cell(last({"T1": "100"}, {"T1": "20"}))
    assert (far.main.replace("\xa0", " "), far.tone) == ("PR 100 %", "")
    gone = stability_cell(last({"T1": "100"}, {"T1": "0"}))
    assert (gone.main, gone.more) == ("no size to measure", ())


def test_a_share_that_is_not_certain_never_reads_so() -> None:
    shown = [percent_of(Decimal(share)) for share in ("0", "0.001", "0.01", "0.705", "0.99", "0.999", "1")]
    assert shown == ["0 %", "< 1 %", "1 %", "70 %", "99 %", "> 99 %", "100 %"]


# --- the page --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "columns"), [("stability.csv", STABILITY_COLUMNS), ("stability_lesions.csv", LESION_COLUMNS)]
)
def test_every_column_is_documented_once(name: str, columns: tuple[str, ...]) -> None:
    text = (DOCS / "stability.md").read_text(encoding="utf-8").split(f"\n## `{name}`\n")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert sorted(word for cell in cells for word in re.findall(r"`(\w+)`", cell)) == sorted(columns)


def test_the_derivation_of_the_defaults_is_arithmetic() -> None:
    # Limits of agreement are 1.96 standard deviations of a difference of two measurements on either side.
    error = load_protocol().stability.error
    yoon_2016 = (25.4 + 22.1) / (2 * 1.96) / 2**0.5
    assert float(error.lesion_percent) == pytest.approx(yoon_2016, abs=0.05)
    page = (DOCS / "stability.md").read_text(encoding="utf-8")
    for name, number in (("longest diameter", error.lesion_percent), ("short axis of a node", error.node_mm)):
        assert re.search(rf"^\| {name} \| {number} ", page, flags=re.MULTILINE)
    for name, number in (
        ("viable diameter, baseline", error.viable_baseline_percent),
        ("volume", error.volume_percent),
    ):
        assert re.search(rf"^\| {name} \| {number} %", page, flags=re.MULTILINE)
    assert re.search(rf"^\| viable diameter, follow-up \| {error.viable_percent} %", page, flags=re.MULTILINE)
    assert re.search(rf"^\| viable volume \| {error.viable_volume_percent} %", page, flags=re.MULTILINE)
