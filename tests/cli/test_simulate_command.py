"""``mrecist simulate``: the studies of docs/studies.md, end to end by the commands that the page gives."""

from __future__ import annotations

import csv
import re
import shlex
from pathlib import Path

import pytest

from mrecist.cli import main
from mrecist.protocol import load_protocol
from mrecist.samples.cohort.build import protocol_file
from mrecist.samples.cohort.parameters import STUDIES

PAGE = Path(__file__).parents[2] / "docs" / "studies.md"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def commands() -> list[list[str]]:
    """The commands of the page's first block, without the program's name."""
    block = re.search(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert block is not None
    return [shlex.split(line)[1:] for line in block[1].replace("\\\n", "").splitlines() if line]


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_end_to_end(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (simulate, *others) = commands()
    shown = simulate[1]
    calls = [[part.replace(shown, name) for part in call] for call in (simulate, *others)]
    for call in (calls[0] + ["--subjects", "24"], *calls[1:]):
        assert main(call) == 0, call
    study = tmp_path / "simulated" / name
    protocol = load_protocol(study / "protocol.toml")
    assert rows(study / "endpoints" / "problems.csv") == []
    assert {row["endpoint"] for row in rows(study / "endpoints" / "estimates.csv")} == {
        e.id for e in protocol.endpoints
    }
    assert (study / "truth" / "values.csv").is_file()


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
