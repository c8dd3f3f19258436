"""``mrecist simulate``: the studies of docs/studies.md, end to end by one command, and by the three that the page gives."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import pytest

from mrecist.cli import main
from mrecist.endpoints.figures import all as all_figures
from mrecist.protocol import load_protocol
from mrecist.samples.cohort.build import protocol_file
from mrecist.samples.cohort.parameters import STUDIES

PAGE = Path(__file__).parents[2] / "docs" / "studies.md"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def commands(place: int) -> list[list[str]]:
    """The commands of a block of the page, without the program's name."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [shlex.split(line)[1:] for line in blocks[place].replace("\\\n", "").splitlines() if line]


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take most of the time and have tests of their own."""
    monkeypatch.setattr(all_figures, "figures", lambda *_: iter(()))


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize("name", STUDIES)
def test_a_study_end_to_end(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = tmp_path / name
    assert main(["simulate", name, "--out", str(study), "--subjects", "24", "--endpoints"]) == 0
    protocol = load_protocol(study / "protocol.toml")
    assert rows(study / "endpoints" / "problems.csv") == []
    assert {row["endpoint"] for row in rows(study / "endpoints" / "estimates.csv")} == {
        e.id for e in protocol.endpoints
    }
    assert (study / "truth" / "values.csv").is_file()
    assert (study / "endpoints" / "safety.csv").is_file() is protocol.safety.asked
    assert (study / "endpoints" / "eligibility.csv").is_file() is protocol.eligibility.asked
    told = capsys.readouterr().err
    assert f"24 simulated subjects of {name}" in told
    assert f" endpoints: {study / 'endpoints'}" in told


@pytest.mark.usefixtures("no_figures")
def test_one_command_and_three_give_the_same_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ((one,), three) = commands(0), commands(1)
    three = [[part.replace("simulated/", "by-steps/") for part in call] for call in three]
    for call in (one, *three):
        assert main(call + (["--subjects", "24"] if call[0] == "simulate" else [])) == 0, call
    once, stepwise = tmp_path / "simulated", tmp_path / "by-steps"
    files = sorted(path.relative_to(once) for path in once.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(stepwise) for path in stepwise.rglob("*") if path.is_file())
    assert [name for name in files if (once / name).read_bytes() != (stepwise / name).read_bytes()] == []


def test_every_protocol_is_of_a_study_and_on_the_page() -> None:
    folder = protocol_file(STUDIES["Cao2022"]).parent
    assert {path.stem for path in folder.glob("*.toml")} == set(STUDIES)
    assert re.findall(r"^\| `([^`]+)`", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[: len(STUDIES)] == list(
        STUDIES
    )


def test_what_it_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "NCT1", "--out", str(tmp_path / "new")]) == 2
    assert "there is no study 'NCT1'; there are NCT06071052, " in capsys.readouterr().err
    (tmp_path / "subjects.csv").write_text("subject\nS1\n", encoding="utf-8")
    assert main(["simulate", "cao2022", "--out", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert (tmp_path / "subjects.csv").read_text(encoding="utf-8") == "subject\nS1\n"
    for wrong in (["--seed", "-1"], ["--seed", "x"], ["--subjects", "0"]):
        with pytest.raises(SystemExit) as stopped:
            main(["simulate", "cao2022", "--out", str(tmp_path / "new"), *wrong])
        assert stopped.value.code == 2
    assert not (tmp_path / "new").exists()
