"""``mrecist agree`` on three readers of real patients: TCIA HCC-TACE-Seg, doi 10.7937/TCIA.5FNA-0924.

The odd patients are compared with computations written here in another way: pairs counted one by one, analyses of variance from
their sums, categories by their printed rule. The figures of all 93 patients are published (hcc-mrecist-reliability, results of
2026-08-11 on the sheet with MD5 63af6363...; Mohammadzadeh 2025); they need the whole sheet.
"""

from __future__ import annotations

import csv
import math
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable
from itertools import combinations, product
from pathlib import Path
from statistics import mean, stdev

import pytest

from mrecist.agreement import figures
from mrecist.cli import main

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "hcc_tace_seg.py"
ODD, ALL = "clinical_table_odd_patients.csv", "HCC-TACE-Seg_clinical_data-V2.xlsx"
READERS = ("1", "2", "3")
PAIRS = tuple(combinations(range(3), 2))
Rows = list[dict[str, str]]


def compared(sheet: Path, folder: Path, resamples: int) -> dict[str, Rows]:
    sums = folder / "sums.csv"
    subprocess.run([sys.executable, str(SCRIPT), str(sheet), str(sums)], check=True, capture_output=True)
    with pytest.MonkeyPatch.context() as patch:
        # Nothing here asks of the page, whose figures take longer than all numbers.
        patch.setattr(figures, "bland_altman_figures", lambda _: iter(()))
        assert main(["agree", str(sums), "--resamples", str(resamples), "--out", str(folder / "out")]) == 0
    found = {}
    for name in ("agreement", "crosstabs", "discordances", "swaps", "adjudication"):
        with (folder / "out" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            found[name] = list(csv.DictReader(file))
    return found


@pytest.fixture(scope="module")
def sheet(shared_data: Path) -> Path:
    path = shared_data / "hcc_tace_seg" / ODD
    if not path.is_file():
        pytest.skip(f"hcc_tace_seg/{ODD} is not in the shared data folder on this machine")
    return path


@pytest.fixture(scope="module")
def odd(sheet: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    return compared(sheet, tmp_path_factory.mktemp("odd"), 300)


@pytest.fixture(scope="module")
def patients(sheet: Path) -> Rows:
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def complete(patients: Rows, name: str) -> list[tuple[list[float], list[float], list[int]]]:
    """Baselines, follow-ups and codes of the patients whom all three readers read."""
    found = []
    for patient in patients:
        cells = [[patient[f"{reader}_{name}{end}"] for reader in READERS] for end in ("_BL", "_FU", "")]
        if all(cell for row in cells for cell in row):
            baseline, follow_up, codes = ([float(cell) for cell in row] for row in cells)
            found.append((baseline, follow_up, [int(code) for code in codes]))
    return found


def value(rows: Rows, statistic: str, **about: str) -> float:
    wanted = {"statistic": statistic, "criterion": "mrecist", "variable": "visit_response", **about}
    (row,) = [r for r in rows if all(r[name] == text for name, text in wanted.items())]
    return float(row["value"])


def near(expected: float) -> object:
    return pytest.approx(expected, rel=1e-5, abs=1e-6)  # the table has six digits


def chance_corrected(pairs: list[tuple[float, float]], expected: float) -> float:
    agreed = sum(a for a, _ in pairs) / len(pairs)
    return (agreed - expected) / (1 - expected)


@pytest.mark.parametrize("name", ["mrecist", "recist11"])
def test_coefficients_by_enumeration_of_pairs(odd: dict[str, Rows], patients: Rows, name: str) -> None:
    codes = [c for _, _, c in complete(patients, {"mrecist": "mRECIST", "recist11": "RECIST"}[name])]
    assert len(codes) == 47
    given = sorted({code for row in codes for code in row})
    q = given[-1] - given[0] + 1
    weight: dict[str, Callable[[int], float]] = {
        "identity": lambda d: float(d == 0),
        "linear": lambda d: 1 - d / (q - 1),
        "ordinal": lambda d: 1 - math.comb(d + 1, 2) / math.comb(q, 2),
    }
    everybody = [code for row in codes for code in row]
    share = {k: everybody.count(k) / len(everybody) for k in range(given[0], given[-1] + 1)}
    about = {"criterion": name, "group": "read by all", "readers": "R1|R2|R3"}
    for kind, w in weight.items():
        agreed = [(mean(w(abs(row[a] - row[b])) for a, b in PAIRS), 0.0) for row in codes]
        fleiss = sum(w(abs(k - m)) * share[k] * share[m] for k in share for m in share)
        total = sum(w(abs(k - m)) for k in share for m in share)
        gwet = total / (q * (q - 1)) * sum(p * (1 - p) for p in share.values())
        found = about | {"weights": kind}
        assert value(odd["agreement"], "fleiss_kappa", **found) == near(chance_corrected(agreed, fleiss))
        ac = "gwet_ac1" if kind == "identity" else "gwet_ac2"
        assert value(odd["agreement"], ac, **found) == near(chance_corrected(agreed, gwet))
        if kind == "ordinal":
            continue
        for a, b in PAIRS:
            # chance: every patient's code by one reader with every patient's code by the other
            crossed = mean(w(abs(one[a] - other[b])) for one, other in product(codes, codes))
            two = [(w(abs(row[a] - row[b])), 0.0) for row in codes]
            pair = found | {"readers": f"R{a + 1}|R{b + 1}"}
            assert value(odd["agreement"], "cohen_kappa", **pair) == near(chance_corrected(two, crossed))


def icc21(sizes: list[list[float]]) -> float:
    """Two-way random effects, absolute agreement, single reader: from the sums of squares."""
    n, k = len(sizes), len(sizes[0])
    grand = mean(x for row in sizes for x in row)
    of_rows, of_columns = [mean(row) for row in sizes], [mean(column) for column in zip(*sizes, strict=True)]
    rows = k * sum((m - grand) ** 2 for m in of_rows) / (n - 1)
    columns = n * sum((m - grand) ** 2 for m in of_columns) / (k - 1)
    left = sum(
        (x - r - c + grand) ** 2
        for row, r in zip(sizes, of_rows, strict=True)
        for x, c in zip(row, of_columns, strict=True)
    )
    error = left / ((n - 1) * (k - 1))
    return float((rows - error) / (rows + (k - 1) * error + k * (columns - error) / n))


def test_sums_by_analysis_of_variance(odd: dict[str, Rows], patients: Rows) -> None:
    reads = complete(patients, "mRECIST")
    above = [(b, f) for b, f, _ in reads if min(f) > 0]
    assert len(above) == 29
    sets = {
        "visit=0": [b for b, _, _ in reads],
        "visit=0;no sum is 0": [b for b, _ in above],
        "visit=1;no sum is 0": [f for _, f in above],
    }
    for group, sizes in sets.items():
        about = {"variable": "sum", "group": group, "readers": "R1|R2|R3"}
        logs = [[math.log(x) for x in row] for row in sizes]
        rows = odd["agreement"]
        assert value(rows, "icc", form="ICC(2,1), mm", **about) == near(icc21(sizes))
        assert value(rows, "icc", form="ICC(2,1), log mm", **about) == near(icc21(logs))
        assert value(rows, "within_subject_cv", form="mean", **about) == near(mean(stdev(s) / mean(s) for s in sizes))
        assert value(rows, "between_reader_sd", form="mean, mm", **about) == near(mean(map(stdev, sizes)))
        assert value(rows, "between_reader_sd", form="mean, log mm", **about) == near(mean(map(stdev, logs)))
    pair = {"variable": "sum", "group": "visit=0;no sum is 0", "readers": "R1|R2", "form": "mm"}
    apart = [b[0] - b[1] for b, _ in above]
    assert value(odd["agreement"], "bland_altman_bias", **pair) == near(mean(apart))
    assert value(odd["agreement"], "bland_altman_lower_limit", **pair) == near(mean(apart) - 1.96 * stdev(apart))


def category(baseline: float, follow_up: float) -> str:
    """mRECIST of one sum and another, exactly as printed (Lencioni and Llovet 2010)."""
    if follow_up == 0:
        return "CR"
    change = round(1e6 * (follow_up - baseline) / baseline)
    return "PR" if change <= -300_000 else "PD" if change >= 200_000 else "SD"


def test_swaps_by_the_printed_rule(odd: dict[str, Rows], patients: Rows) -> None:
    reads = [(b, f) for b, f, _ in complete(patients, "mRECIST")]
    grids = [[[category(b[i], f[j]) for j in range(3)] for i in range(3)] for b, f in reads]
    by_follow_up = mean(len({grid[i][j] for j in range(3)}) > 1 for grid in grids for i in range(3))
    by_baseline = mean(len({grid[i][j] for i in range(3)}) > 1 for grid in grids for j in range(3))
    about = {"group": "visit=1", "readers": "R1|R2|R3"}
    assert value(odd["agreement"], "varying_follow_up", **about) == near(by_follow_up)
    assert value(odd["agreement"], "varying_baseline", **about) == near(by_baseline)
    assert value(odd["agreement"], "varying_difference", **about) == near(by_follow_up - by_baseline)
    differ = mean(len({grid[i][i] for i in range(3)}) > 1 for grid in grids)
    assert value(odd["agreement"], "discordance", group="read by all", readers="R1|R2|R3") == near(differ)


def test_every_row_of_swaps_and_every_difference(odd: dict[str, Rows], patients: Rows) -> None:
    by_name = {p["TCIA_ID"]: p for p in patients}
    sums = {
        (s, f"R{r}"): (float(p[f"{r}_mRECIST_BL"]), float(p[f"{r}_mRECIST_FU"]))
        for s, p in by_name.items()
        for r in READERS
        if p[f"{r}_mRECIST_BL"] and p[f"{r}_mRECIST_FU"] and p[f"{r}_mRECIST"]
    }
    expected = {
        (s, swap, a, b): category(
            sums[s, b if swap == "baseline" else a][0], sums[s, a if swap == "baseline" else b][1]
        )
        for (s, a), (t, b) in product(sums, sums)
        if s == t and a != b
        for swap in ("baseline", "follow_up")
    }
    mine = [row for row in odd["swaps"] if row["criterion"] == "mrecist" and row["variable"] == "visit_response"]
    assert {(r["subject"], r["swap"], r["reader"], r["other"]): r["swapped"] for r in mine} == expected
    classes = {key: category(*both) for key, both in sums.items()}
    different = {
        (s, a, b) for (s, a), (t, b) in product(sums, sums) if s == t and a < b and classes[s, a] != classes[t, b]
    }
    told = [r for r in odd["discordances"] if r["criterion"] == "mrecist" and r["variable"] == "visit_response"]
    assert {(r["subject"], r["reader_1"], r["reader_2"]) for r in told} == different
    listed = {r["subject"] for r in odd["adjudication"] if r["criterion"] == "mrecist"}
    assert listed == {s for s, _, _ in different}


def test_cross_tables(odd: dict[str, Rows], patients: Rows) -> None:
    """Readers 1 and 3, all patients whom both read."""
    both = [(p["1_mRECIST"], p["3_mRECIST"]) for p in patients if p["1_mRECIST"] and p["3_mRECIST"]]
    names = {"1.0": "CR", "2.0": "PR", "3.0": "SD", "4.0": "PD"}
    expected = Counter((names[a], names[b]) for a, b in both)
    about = {
        "criterion": "mrecist",
        "variable": "visit_response",
        "group": "visit=1",
        "reader_1": "R1",
        "reader_2": "R3",
    }
    mine = [r for r in odd["crosstabs"] if all(r[name] == text for name, text in about.items())]
    assert {(r["value_1"], r["value_2"]): int(r["n"]) for r in mine} == expected


def test_figures_are_near_those_of_all_patients(odd: dict[str, Rows]) -> None:
    """47 of the 93 patients: each published figure lies in the interval that the 47 give."""
    every = [(criterion, *figure) for criterion, figures in FIGURES.items() for figure in figures]
    assert len(every) == 31
    for criterion, statistic, about, published in every:
        wanted = {"criterion": criterion, "variable": "visit_response", "readers": "R1|R2|R3", **about}
        (row,) = [
            r for r in odd["agreement"] if r["statistic"] == statistic and all(r[n] == t for n, t in wanted.items())
        ]
        assert float(row["low"]) <= published <= float(row["high"]), (statistic, wanted)


IDENTITY, ORDINAL = {"weights": "identity", "group": "read by all"}, {"weights": "ordinal", "group": "read by all"}
COEFFICIENTS: tuple[tuple[str, dict[str, str], float], ...] = (
    ("fleiss_kappa", IDENTITY | {"form": "CR|PR|SD|PD"}, 0.443),
    ("gwet_ac1", IDENTITY | {"form": "CR|PR|SD|PD"}, 0.526),
    ("gwet_ac2", ORDINAL, 0.802),
    *(
        (name, IDENTITY | {"variable": f"visit_response:{question}"}, published)
        for question, kappa, ac1 in (("CR", 0.656, 0.828), ("OR", 0.409, 0.519), ("PD", 0.527, 0.961))
        for name, published in (("fleiss_kappa", kappa), ("gwet_ac1", ac1))
    ),
    ("discordance", {"group": "read by all"}, 0.538),
    ("varying_follow_up", {"group": "visit=1"}, 0.505),
    ("varying_baseline", {"group": "visit=1"}, 0.244),
    ("varying_difference", {"group": "visit=1"}, 0.262),
)
ABOVE = "no sum is 0"
SIZES: tuple[tuple[str, dict[str, str], float], ...] = (
    ("icc", {"variable": "sum", "group": "visit=0", "form": "ICC(2,1), log mm"}, 0.852),
    ("icc", {"variable": "sum", "group": f"visit=0;{ABOVE}", "form": "ICC(2,1), log mm"}, 0.808),
    ("icc", {"variable": "sum", "group": f"visit=1;{ABOVE}", "form": "ICC(2,1), log mm"}, 0.706),
    ("icc", {"variable": "sum", "group": f"visit=0;{ABOVE}", "form": "ICC(2,1), mm"}, 0.842),
    ("icc", {"variable": "sum", "group": f"visit=1;{ABOVE}", "form": "ICC(2,1), mm"}, 0.821),
    ("within_subject_cv", {"variable": "sum", "group": "visit=0", "form": "mean"}, 0.143),
    ("within_subject_cv", {"variable": "sum", "group": f"visit=1;{ABOVE}", "form": "mean"}, 0.258),
    ("between_reader_sd", {"variable": "sum", "group": f"visit=0;{ABOVE}", "form": "mean, mm"}, 12.4),
    ("between_reader_sd", {"variable": "sum", "group": f"visit=1;{ABOVE}", "form": "mean, mm"}, 13.6),
)
PAIRWISE: tuple[tuple[str, dict[str, str], float], ...] = tuple(
    ("cohen_kappa", {"weights": "linear", "group": "read by all", "readers": readers}, published)
    for readers, published in (("R1|R2", 0.446), ("R1|R3", 0.554), ("R2|R3", 0.556))
)
RECIST: tuple[tuple[str, dict[str, str], float], ...] = (
    ("fleiss_kappa", IDENTITY | {"form": "PR|SD|PD"}, 0.354),
    ("gwet_ac1", IDENTITY | {"form": "PR|SD|PD"}, 0.777),
    ("gwet_ac2", ORDINAL, 0.909),
    ("discordance", {"group": "read by all"}, 0.280),
    ("varying_follow_up", {"group": "visit=1"}, 0.283),
    ("varying_baseline", {"group": "visit=1"}, 0.165),
)
FIGURES = {"mrecist": (*COEFFICIENTS, *PAIRWISE, *SIZES), "recist11": RECIST}


def test_a_workbook_is_read_as_its_csv(tmp_path: Path) -> None:
    """As spreadsheet programs write it: a glossary before the patients, shared strings, 36.4 as the 17 digits of its binary number."""
    names = [
        "TCIA_ID",
        *(f"{r}_{c}{end}" for r in READERS for c in ("RECIST", "mRECIST") for end in ("_BL", "_FU", "")),
    ]
    cells = ["HCC_500", *(["44.5", "36.399999999999999", "3"] * 6)]
    letters = [chr(ord("A") + i) for i in range(len(names))]
    head = "".join(f'<c r="{a}1" t="s"><v>{i}</v></c>' for i, a in enumerate(letters))
    first = f'<c r="A2" t="inlineStr"><is><t>{cells[0]}</t></is></c>'
    body = first + "".join(f'<c r="{a}2"><v>{text}</v></c>' for a, text in zip(letters[1:], cells[1:], strict=True))
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    book = tmp_path / "sheet.xlsx"
    with zipfile.ZipFile(book, "w") as file:
        strings = "".join(f"<si><t>{name}</t></si>" for name in names)
        file.writestr("xl/sharedStrings.xml", f"<sst {space}>{strings}</sst>")
        rows = f'<row r="1">{head}</row><row r="2">{body}</row>'
        glossary = '<row r="1"><c r="A1" t="inlineStr"><is><t>TCIA_ID</t></is></c></row>'
        for number, content in ((1, glossary), (2, rows)):
            sheet = f"<worksheet {space}><sheetData>{content}</sheetData></worksheet>"
            file.writestr(f"xl/worksheets/sheet{number}.xml", sheet)
    out = tmp_path / "sums.csv"
    subprocess.run([sys.executable, str(SCRIPT), str(book), str(out)], check=True, capture_output=True)
    lines = out.read_text(encoding="utf-8").splitlines()
    assert lines[1:3] == ["HCC_500,R1,recist11,0,44.5,", "HCC_500,R1,recist11,1,36.4,SD"]
    assert len(lines) == 1 + 3 * 2 * 2


def test_published_figures_of_all_patients(shared_data: Path, tmp_path: Path) -> None:
    sheet = shared_data / "hcc_tace_seg" / ALL
    if not sheet.is_file():
        pytest.skip(f"hcc_tace_seg/{ALL} (all 105 patients) is not in the shared data folder on this machine")
    rows = compared(sheet, tmp_path, 0)["agreement"]
    for criterion, printed in FIGURES.items():
        for statistic, about, published in printed:
            step = 0.05 if published > 10 else 5e-4
            found = value(rows, statistic, **{"criterion": criterion, "readers": "R1|R2|R3", **about})
            assert found == pytest.approx(published, abs=step + 1e-6), (criterion, statistic, about)
