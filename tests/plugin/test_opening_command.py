"""``mrecist read`` from the command line: what stops it is one line and an exit code, never a window that aborts."""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mrecist.cli import main
from mrecist.commands import rooms
from mrecist.model import Role, State
from mrecist.samples.build import sample_study_path
from mrecist.session.actions import AnswerAdequate, SetState
from mrecist.session.room import open_room

Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Two subjects with two visits."""
    folder = tmp_path / "study"
    for subject in ("SAMPLE-01", "SAMPLE-02"):
        for visit in ("0", "1"):
            shutil.copytree(sample_study_path() / "images" / subject / visit, folder / "images" / subject / visit)
    return folder


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Run the command: exit code, what it printed, and the last line on stderr."""

    def run(*words: object) -> tuple[int, str, str]:
        code = main(["read", *map(str, words)])
        out, err = capsys.readouterr()
        lines = err.strip().splitlines()
        assert "Traceback" not in err
        return code, out, lines[-1] if lines else ""

    return run


@pytest.fixture
def no_window(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A screen that is there, and a window that is only noted."""
    opened: list[Any] = []
    monkeypatch.setattr(rooms, "_check_screen", lambda: None)
    window = SimpleNamespace(read=lambda reads, subject, _by: opened.append((reads.study.root, reads.reader, subject)))
    monkeypatch.setattr(rooms, "import_module", lambda _name: window)
    return opened


def test_without_napari_the_extra_is_named(said: Said, study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "find_spec", lambda name: None if name == "napari" else importlib.util.find_spec(name))
    code, _, line = said(study)
    assert code == 2
    assert line == ("mrecist: napari is not installed; the reading room needs it: pip install 'mrecist[napari]'")


@pytest.mark.parametrize(
    ("platform", "display", "line"),
    [
        ("", "", "there is no screen (neither DISPLAY nor WAYLAND_DISPLAY is set)"),
        ("offscreen", ":0", "QT_QPA_PLATFORM is 'offscreen', which shows no images"),
        ("minimal:x=1", ":0", "QT_QPA_PLATFORM is 'minimal', which shows no images"),
        ("xcb", ":32123", "no window can be opened: qt.qpa.xcb: could not connect to display :32123"),
        ("nonsense", ":0", "no window can be opened: qt.qpa.plugin: "),
    ],
)
def test_without_a_screen_nothing_aborts(
    said: Said, study: Path, monkeypatch: pytest.MonkeyPatch, platform: str, display: str, line: str
) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    for name, value in (("QT_QPA_PLATFORM", platform), ("DISPLAY", display)):
        if value:
            monkeypatch.setenv(name, value)
        else:
            monkeypatch.delenv(name, raising=False)
    code, _, told = said(study)
    assert code == 2
    assert told.startswith(f"mrecist: {line}")


def test_a_window_gets_the_study_the_reader_and_the_subject(said: Said, study: Path, no_window: list[Any]) -> None:
    assert said(study, "--reader", "R7")[0] == 0
    assert said(study, "SAMPLE-02")[0] == 0
    assert no_window == [(study, "R7", ""), (study, "R1", "SAMPLE-02")]


@pytest.mark.usefixtures("no_window")
def test_a_study_that_cannot_be_read_is_one_line(said: Said, study: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for where, line in (
        (tmp_path / "nowhere", f"{tmp_path / 'nowhere'}: is not a folder; give the study folder"),
        (tmp_path / "file", f"{tmp_path / 'file'}: is not a folder"),
        (empty, f"{empty}: holds none of images/, masks/, reads/"),
    ):
        for words in ((where,), (where, "--status")):
            code, _, told = said(*words)
            assert (code, told.startswith(f"mrecist: {line}")) == (2, True), told
    (empty / "images").mkdir()
    assert said(empty)[::2] == (2, f"mrecist: {empty}: has no subject to read; put its images below images/")
    assert said()[::2] == (
        2,
        "mrecist: no study: give its folder (docs/files.md), or --sample for a copy of the sample study",
    )
    (study / "protocol.toml").write_text('format = "mrecist-protocol/1"\ncriteri = []\n', encoding="utf-8")
    code, _, told = said(study)
    assert code == 2
    assert "protocol.toml" in told
    assert "unknown key" in told


def test_a_subject_that_is_not_there_has_a_neighbour(said: Said, study: Path) -> None:
    code, _, told = said(study, "SAMPLE-1", "--status")
    assert code == 2
    assert told.startswith(f"mrecist: {study}: has no subject SAMPLE-1; did you mean SAMPLE-01? there are: SAMPLE-01,")


def test_status_of_reads_not_begun_open_signed_and_elsewhere(said: Said, study: Path) -> None:
    code, out, _ = said(study, "--status")
    assert code == 0
    assert "SAMPLE-01: not begun, 0 of 2 visits signed, next: time point 0\n" in out
    assert not (study / "reads").exists()
    room = open_room(study, "SAMPLE-01", "R1")
    room.add_lesion(Role.NON_TARGET)
    room.do(SetState(timepoint=0, lesion="NT01", state=State.PRESENT))
    room.do(AnswerAdequate(timepoint=0, answer=True))
    room.sign("R. Reader")
    try:
        code, out, _ = said(study, "--status")
    finally:
        room.close()
    assert code == 0
    assert "SAMPLE-01: open, 1 of 2 visits signed, next: time point 1, open in another window\n" in out
    assert "  0  2024-01-09  signed by R. Reader\n" in out
    code, out, _ = said(study, "SAMPLE-01", "--status", "--json")
    (one,) = json.loads(out)["subjects"]
    assert (code, one["state"], one["next"], one["elsewhere"]) == (0, "open", 1, False)
    assert one["visits"][1]["open"] != []
    (study / "reads/.sessions/R1_SAMPLE-01/journal.jsonl").write_text("{}\n", encoding="utf-8")
    code, out, _ = said(study, "--status")
    assert code == 1
    assert "SAMPLE-01: cannot be read: " in out
    assert "SAMPLE-02: not begun" in out


def test_a_copy_of_the_sample_is_made_once_and_kept(
    said: Said,
    no_window: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, told = said("--sample")
    copy = tmp_path / "mrecist-sample"
    assert (code, told) == (0, f"a copy of the sample study is in {copy}; what you read is kept there")
    assert sorted(one.name for one in copy.iterdir()) == ["images", "protocol.toml", "subjects.csv"]
    (copy / "images" / "note.txt").write_text("mine", encoding="utf-8")
    assert said("--sample")[::2] == (0, f"the sample study is in {copy}; its reads go on")
    assert (copy / "images" / "note.txt").exists()
    other = tmp_path / "other"
    other.mkdir()
    assert said(other, "--sample")[0] == 0
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    assert said(tmp_path / "full", "--sample")[::2] == (
        2,
        f"mrecist: {tmp_path / 'full'}: is there and is no copy of the sample study; name another folder",
    )
    assert [root for root, _, _ in no_window] == [Path("mrecist-sample")] * 2 + [other]
    assert sorted(one.name for one in tmp_path.iterdir()) == ["full", "mrecist-sample", "other"]


@pytest.fixture
def with_store(study: Path) -> Path:
    """The same study with a store: both subjects assigned to Adams and Baker."""
    from mrecist.session.case import open_case
    from mrecist.store.assigning import assign
    from mrecist.store.people import begin
    from mrecist.store.store import new_store
    from mrecist.study import open_study

    opened = open_study(study)
    visits = {
        one.subject: {v.timepoint: v.date for v in open_case(opened, one.subject).visits} for one in opened.subjects
    }
    with new_store(str(study)) as store:
        begin(store, opened.protocol, {"reader": ("Adams", "Baker")}, "Manager")
        assign(store, visits, "seed", "Manager", pseudonyms=True)
    return study


def test_status_of_a_store_is_the_readers_own_worklist(said: Said, with_store: Path) -> None:
    code, out, _ = said(with_store, "--store", "--reader", "Adams", "--status")
    line = "not begun, 0 visits locked, next: time point 0 (day 0)"
    assert code == 0
    assert sorted(out.splitlines()) == [f"CASE-0001: {line}", f"CASE-0002: {line}"]
    code, out, _ = said(with_store, "CASE-0002", "--store", with_store, "--reader", "Adams", "--status", "--json")
    answer = json.loads(out)
    assert (code, answer["reader"], [one["case"] for one in answer["cases"]]) == (0, "Adams", ["CASE-0002"])
    assert "SAMPLE" not in out
    assert "2024" not in out


def test_a_window_gets_the_cases_of_the_store(said: Said, with_store: Path, no_window: list[Any]) -> None:
    assert said(with_store, "--store", "--reader", "Adams")[0] == 0
    assert no_window == [(with_store.resolve(), "Adams", "")]


@pytest.mark.usefixtures("no_window")
def test_a_store_that_cannot_be_read_is_one_line(said: Said, with_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words, line in (
        (("--store",), "no case of the store is assigned to R1; name yourself with --reader"),
        (("--store", with_store / "images"), f"{with_store}/images/store.sqlite: there is no store; begin one with:"),
        (("--store", "--protocol", with_store / "protocol.toml"), "--protocol: a store is read by its own protocol"),
        (("--files", with_store), "--files is the folder of a store's files; name the store with --store"),
        (("--store", "--status", "--reader", "Adams", "--", with_store, "CASE-9"), "CASE-9 is not assigned to Adams"),
    ):
        given = words if with_store in words and "--" in words else (with_store, *words)
        code, _, told = said(*given)
        assert (code, told.startswith(f"mrecist: {line}")) == (2, True), told
    monkeypatch.setattr("mrecist.store.place.find_spec", lambda _name: None)
    code, _, told = said(with_store, "--store", "--reader", "Adams")
    assert code == 2
    assert told == (
        "mrecist: sqlalchemy is not installed; a store of reads needs the extra: pip install 'mrecist[store]'"
    )
