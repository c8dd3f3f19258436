"""From results to SDTM and back: the reader that reads anyone's TU and TR finds the same categories in every format."""

from __future__ import annotations

import builtins
import csv
import hashlib
from pathlib import Path
from typing import Any

import pandas
import pytest
from sdtm_export import Exporter, row, sized

from mrecist.cli import main
from mrecist.samples.cohort.build import simulate
from mrecist.samples.cohort.parameters import study_named
from mrecist.tables import write_whole

ROOT = Path(__file__).parents[2]
WORDS = ("target", "non_target", "new_lesion", "overall", "sum")
FORMATS = ("xpt5", "dataset-json", "csv")


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def categories(folder: Path, study: str = "") -> dict[tuple[str, ...], tuple[str, ...]]:
    """(subject, criterion, time point) -> the responses and the sum."""
    return {
        (one["subject"].removeprefix(f"{study}-"), one["criterion"], one["timepoint"]): tuple(one[w] for w in WORDS)
        for one in read(folder / "responses.csv")
    }


def best(folder: Path, study: str = "") -> dict[tuple[str, ...], tuple[str, ...]]:
    return {
        (one["subject"].removeprefix(f"{study}-"), one["criterion"]): (one["best_unconfirmed"], one["best_confirmed"])
        for one in read(folder / "best_responses.csv")
    }


def back(sdtm: Path, protocol: Path, out: Path, *options: str) -> None:
    assert (
        main(["assess", str(sdtm), "--compare", str(sdtm), "--protocol", str(protocol), "--out", str(out), *options])
        == 0
    )


def named_as_in_sdtm(subjects: Path, study: str, to: Path) -> Path:
    header, *lines = subjects.read_text(encoding="utf-8").splitlines()
    to.write_text("\n".join([header, *(f"{study}-{line}" for line in lines)]) + "\n", encoding="utf-8")
    return to


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated study with its results."""
    folder = tmp_path_factory.mktemp("cohort")
    for name, text in simulate(study_named("NCT05233358"), 3, 12).files.items():
        write_whole(folder / name, text)
    options = ["--protocol", str(folder / "protocol.toml"), "--subjects", str(folder / "subjects.csv")]
    assert main(["assess", str(folder / "measurements.csv"), *options, "--out", str(folder / "results")]) == 0
    return folder


@pytest.mark.parametrize("form", FORMATS)
def test_a_simulated_study_comes_back(cohort: Path, tmp_path: Path, form: str) -> None:
    study = "NCT05233358"
    tables = ["--subjects", str(cohort / "subjects.csv"), "--procedures", str(cohort / "procedures.csv")]
    command = ["export", "sdtm", str(cohort / "results"), "--out", str(tmp_path / "sdtm"), "--format", form, *tables]
    assert main(command) == 0
    subjects = named_as_in_sdtm(cohort / "subjects.csv", study, tmp_path / "subjects.csv")
    back(tmp_path / "sdtm", cohort / "protocol.toml", tmp_path / "out", "--subjects", str(subjects))
    assert categories(tmp_path / "out", study) == categories(cohort / "results")
    assert best(tmp_path / "out", study) == best(cohort / "results")
    compared = read(tmp_path / "out" / "comparison.csv")
    assert {one["agrees"] for one in compared} == {"yes"}
    # The rules that anyone's datasets are held to find nothing in ours.
    found = tmp_path / "findings.csv"
    protocol = ["--protocol", str(cohort / "protocol.toml"), "--subjects", str(subjects)]
    assert main(["check-sdtm", str(tmp_path / "sdtm"), *protocol, "--out", str(found)]) == 0
    assert read(found) == []
    assert {"OVRLRESP", "TRGRESP", "BESTRESP", "SUMVDIAM"} <= {one["test"] for one in compared}


def test_a_second_export_is_the_same_bytes(cohort: Path, tmp_path: Path) -> None:
    sums = []
    for name in ("one", "two"):
        command = ["export", "sdtm", str(cohort / "results"), "--out", str(tmp_path / name)]
        assert main([*command, *(word for form in FORMATS for word in ("--format", form))]) == 0
        files = sorted((tmp_path / name).rglob("*.*"))
        sums.append({p.relative_to(tmp_path / name): hashlib.sha256(p.read_bytes()).hexdigest() for p in files})
    assert sums[0] == sums[1]
    names = [{path.stem for path in sums[0] if path.parts[0] == form} for form in FORMATS]
    assert names[0] == names[1] == names[2] >= {"tu", "tr", "supptr", "rs", "relrec"}


def test_three_formats_say_the_same(cohort: Path, tmp_path: Path) -> None:
    """XPT by pandas, which has a reader of its own, against the text of the CSV."""
    command = ["export", "sdtm", str(cohort / "results"), "--out", str(tmp_path)]
    assert main([*command, "--format", "xpt5", "--format", "csv"]) == 0
    for path in sorted((tmp_path / "csv").glob("*.csv")):
        frame = pandas.read_sas(tmp_path / "xpt5" / f"{path.stem}.xpt", format="xport", encoding="ascii")
        rows = read(path)
        assert len(frame) == len(rows)
        for name in frame:
            of_csv = [one[name] for one in rows]
            if frame[name].dtype == "float64":
                # pandas takes the zero of IBM's floating point for 16 ** -65; nothing else is as small.
                numbers = [0.0 if number == 16.0**-65 else number for number in frame[name].fillna(-1.0)]
                assert [float(text) if text else -1.0 for text in of_csv] == numbers
            else:
                assert [text.removeprefix("'") for text in of_csv] == list(frame[name].fillna(""))


HARD = [
    sized("T01", 0, "50", "40", phase="ARTERIAL"),
    sized("T01a", 1, "20", "20", part_of="T01", phase="ARTERIAL"),
    sized("T01b", 1, "12.5", "0", part_of="T01", phase="ARTERIAL"),
    sized("T02", 0, "31.7", "30", phase="ARTERIAL"),
    sized("T02", 1, "30.1", "29", phase="PORTAL VENOUS"),  # a viable size of this phase does not count (A27)
    sized("T03", 0, "24", kind="node", organ="lymph node", station="porta hepatis", short_mm="21"),
    sized("T03", 1, "18", kind="node", organ="lymph node", station="porta hepatis", short_mm="9.9"),
    sized("T04", 0, "15", "14"),
    row("T04", 1, "too-small"),
    sized("T05", 0, "12", "12"),
    row("T05", 1, "merged", part_of="T02"),
    row("NT01", 0, "present", comment="thrombus"),
    row("NT01", 1, "progressed"),
    row("NT02", 0, "present", organ="ascites"),
    row("NT02", 1, "not-evaluable", comment="not in the field of view"),
    row("NEW01", 1, "equivocal", organ="lung", longest_mm="8"),
    row("NEW02", 1, "unequivocal", pattern="typical", longest_mm="12"),
]


def test_what_is_hard_to_say_comes_back(exporter: Exporter, tmp_path: Path) -> None:
    made = exporter.made(HARD)
    assert made.code == 0
    back(made.folder, tmp_path / "protocol.toml", tmp_path / "out")
    assert categories(tmp_path / "out", "S1") == categories(made.results)
    assert best(tmp_path / "out", "S1") == best(made.results)


@pytest.mark.parametrize("criterion", ["irecist", "easl", "recicl", "qeasl", "vrecist", "choi"])
def test_other_criteria_come_back(exporter: Exporter, tmp_path: Path, criterion: str) -> None:
    protocol = f'format = "mrecist-protocol/1"\n[study]\nid = "S1"\n[criteria.{criterion}]\n'
    sizes = [("60", "45.5", "91234.5"), ("41", "30", "31234.5"), ("44", "36", "42000"), ("52", "50", "91000.25")]
    rest = {"viable_short_mm": "20.5", "mean_hu": "60"}
    rows = [
        sized(lesion, n, one, two, short_mm=two, volume_mm3=volume, viable_volume_mm3=volume, **rest)
        for lesion in ("T01", "T02")
        for n, (one, two, volume) in enumerate(sizes)
    ]
    made = exporter.made(rows, protocol=protocol)
    back(made.folder, tmp_path / "protocol.toml", tmp_path / "out")
    assert categories(tmp_path / "out", "S1") == categories(made.results)


def test_without_pyreadstat_one_line_says_what_to_do(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "pyreadstat":
            raise ImportError(name="pyreadstat")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["export", "sdtm", str(cohort / "results"), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "needs the package pyreadstat" in said[0]
    assert not (tmp_path / "out").exists()


CASES = ROOT / "mrecist" / "conformance" / "cases" / "v1" / "measurements.csv"
EVERY = """format = "mrecist-protocol/1"
[study]
id = "CONF"
[criteria.recist11]
[criteria.mrecist]
[criteria.irecist]
[criteria.easl]
[criteria.recicl]
[criteria.qeasl]
[criteria.vrecist]
[criteria.choi]
"""


def test_every_twelfth_conformance_case_comes_back_under_all_criteria(tmp_path: Path) -> None:
    """Cases made to decide one rule each: what TU, TR and their qualifiers lose would change one of them."""
    header, *lines = CASES.read_text(encoding="utf-8").splitlines()
    subjects = list(dict.fromkeys(line.split(",")[0] for line in lines))
    kept = set(subjects[::12])
    text = "\n".join([header, *(line for line in lines if line.split(",")[0] in kept)])
    (tmp_path / "measurements.csv").write_text(text + "\n", encoding="utf-8")
    (tmp_path / "protocol.toml").write_text(EVERY, encoding="utf-8")
    protocol, results = tmp_path / "protocol.toml", tmp_path / "results"
    table = str(tmp_path / "measurements.csv")
    assert main(["assess", table, "--protocol", str(protocol), "--out", str(results), "--workers", "1"]) == 0
    assert main(["export", "sdtm", str(results), "--out", str(tmp_path / "sdtm"), "--format", "csv"]) == 0
    back(tmp_path / "sdtm", protocol, tmp_path / "out")
    before = categories(results)
    assert len(before) > 8 * len(kept)
    assert categories(tmp_path / "out", "CONF") == before
    assert {one["agrees"] for one in read(tmp_path / "out" / "comparison.csv")} <= {"yes", ""}
