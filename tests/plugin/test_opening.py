"""The reading room from napari's menu and from the list of subjects: one read after the other, and nothing left behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock, Timeout
from settled import settle

from mrecist.model import Role, State
from mrecist.session.actions import AnswerAdequate, SetState
from mrecist.session.signed import session_folder
from mrecist.session.worklist import StudyReads, Work, next_work, work_of, worklist
from mrecist.study import open_study

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "sample_data" / "study" / "images"
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two subjects with their baseline alone."""
    folder = tmp_path_factory.mktemp("study")
    for name in ("SAMPLE-01", "SAMPLE-02"):
        shutil.copytree(IMAGES / name / "0", folder / "images" / name / "0")
    return folder


@pytest.fixture(scope="module")
def viewer() -> Iterator[Any]:
    """A napari window as anybody has it."""
    import napari
    from qtpy.QtWidgets import QApplication

    QApplication.instance() or QApplication([])
    made = napari.Viewer()
    yield made
    made.close()


@pytest.fixture(scope="module")
def widget(viewer: Any) -> Any:
    """The widget of the Plugins menu."""
    _, made = viewer.window.add_plugin_dock_widget("mrecist", "Reading room")
    return made


def is_free(study: Path, subject: str) -> bool:
    lock = FileLock(session_folder(study, "R7", subject) / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return False
    lock.release()
    return True


def docks(viewer: Any) -> set[str]:
    return set(viewer.window.dock_widgets)


def read_baseline(room: Any) -> None:
    """A baseline without a target: nothing needs to be drawn."""
    room.add_lesion(Role.NON_TARGET)
    room.do(SetState(timepoint=0, lesion="NT01", state=State.PRESENT))
    room.do(AnswerAdequate(timepoint=0, answer=True))


def test_the_widget_opens_a_study_and_one_subject_after_the_other(viewer: Any, widget: Any, study: Path) -> None:
    before, keys = docks(viewer), dict(viewer.keymap)
    callbacks = [len(viewer.mouse_drag_callbacks), len(viewer.dims.events.point.callbacks)]
    widget.reader.setText("R7")
    widget.open_study(study)
    assert widget.list.subject == "SAMPLE-01"
    widget.list.read.click()
    settle(widget.readings.window)
    assert widget.readings.subject == "SAMPLE-01"
    assert not is_free(study, "SAMPLE-01")
    assert widget.list.subject == "SAMPLE-02"
    first = docks(viewer) - before
    asked: list[str] = []
    widget.readings.ask = lambda what: bool(asked.append(what))
    session = widget.readings.window.room.session
    session.trouble = "journal.jsonl: not saved (No space left on device)"
    session._unsaved.append(("", "", None))
    widget.list.read.click()
    assert asked == ["1 actions are not saved: journal.jsonl: not saved (No space left on device)"]
    assert (widget.readings.subject, widget.list.said.text()) == ("SAMPLE-01", "SAMPLE-01 stays open")
    session.trouble = ""
    session._unsaved.clear()
    widget.list.choose("SAMPLE-02")
    widget.list.read.click()
    settle(widget.readings.window)
    assert (widget.readings.subject, len(asked)) == ("SAMPLE-02", 1)
    assert is_free(study, "SAMPLE-01")
    assert docks(viewer) - before == first
    uids = {layer.metadata.get("series_uid") for layer in viewer.layers}
    assert uids & {s.uid for s in open_study(study).subjects[0].series} == set()
    widget.end()
    assert is_free(study, "SAMPLE-02")
    assert docks(viewer) == before
    assert dict(viewer.keymap) == keys
    assert callbacks == [len(viewer.mouse_drag_callbacks), len(viewer.dims.events.point.callbacks)]
    assert list(viewer.layers) == []


def test_the_page_of_keys_comes_and_goes(viewer: Any, widget: Any, study: Path) -> None:
    from plugin_mouse import canvas, press
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    widget.open_study(study)
    widget.open("SAMPLE-01")
    window = widget.readings.window
    settle(window)
    window.hints.tell("")
    foot = viewer.canvas.overlays["told"]
    assert "? shows all keys" in foot.text
    window.prior.main.activateWindow()
    assert QTest.qWaitForWindowActive(window.prior.main)
    # As a keyboard sends it: the question mark, with the Shift that most layouts need for it.
    QTest.keyClick(canvas(window), Qt.Key.Key_Question, Qt.KeyboardModifier.ShiftModifier)
    assert window.help.isVisible()
    assert "? shows all keys" not in foot.text
    QTest.keyClick(window.help, Qt.Key.Key_Escape)
    assert not window.help.isVisible()
    press(window, "?")
    assert window.help.isVisible()
    QTest.mouseClick(window.help, Qt.MouseButton.LeftButton)
    assert not window.help.isVisible()
    widget.end()


def test_the_widget_tells_what_it_cannot_open_in_a_line(widget: Any, study: Path, tmp_path: Path) -> None:
    widget.open_study(tmp_path / "nowhere")
    assert widget.said.text().endswith("is not a folder; give the study folder that holds images/ and masks/")
    widget.open_study(tmp_path)
    assert "holds none of images/, masks/, reads/" in widget.said.text()
    lock = FileLock(session_folder(study, "R7", "SAMPLE-02") / "lock")
    with lock:
        widget.open_study(study)
        widget.open("SAMPLE-02")
        assert "is open in another window; close it there first" in widget.list.said.text()
        assert "open in another window" in widget.list.table.item(1, 2).text()
    assert widget.readings.window is None


def test_layers_that_are_there_are_not_taken_away_unasked(viewer: Any, widget: Any, study: Path) -> None:
    layer = viewer.add_points([[0, 0]])
    widget.open_study(study)
    asked: list[str] = []
    widget.readings.ask = lambda what: bool(asked.append(what))
    widget.open("SAMPLE-01")
    assert (asked, widget.readings.window) == (["1 layers that are open here are closed."], None)
    assert layer in viewer.layers
    viewer.layers.clear()


def test_after_the_last_signature_the_next_subject_is_offered(widget: Any, study: Path) -> None:
    from qtpy.QtTest import QTest

    widget.open_study(study)
    widget.open("SAMPLE-01")
    settle(widget.readings.window)
    read_baseline(widget.readings.window.room)
    widget.readings.window.room.sign("R. Reader")
    for _ in range(100):
        settle(widget.readings.window)
        if widget.list.said.text():
            break
        QTest.qWait(50)
    assert widget.list.said.text() == "Every visit of SAMPLE-01 is signed. Next: SAMPLE-02."
    assert widget.list.subject == "SAMPLE-02"
    assert widget.list.table.item(0, 1).text() == "BL ✓"


def test_closing_the_dock_ends_the_read(viewer: Any, widget: Any, study: Path) -> None:
    widget.list.read.click()
    settle(widget.readings.window)
    assert not is_free(study, "SAMPLE-02")
    viewer.window.remove_dock_widget(widget)
    assert is_free(study, "SAMPLE-02")
    assert list(viewer.layers) == []


def test_from_the_list_to_a_window_and_its_end(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``mrecist read`` does once it has a screen: the list, a choice, the window; closing it frees the read."""
    from qtpy.QtCore import QEvent
    from qtpy.QtWidgets import QApplication

    from mrecist_napari.opening import Start
    from mrecist_napari.readings import Readings
    from mrecist_napari.settings import Settings

    QApplication.instance() or QApplication([])
    monkeypatch.setattr("mrecist_napari.prior.settings", lambda: Settings(prior_side="right"))
    shutil.rmtree(study / "reads", ignore_errors=True)
    start = Start(Readings(StudyReads(open_study(study), "R7")))
    start.show()
    assert start.box.subject == "SAMPLE-01"
    start.box.choose("SAMPLE-02")
    start.box.read.click()
    window = start.readings.window
    settle(window)
    assert not start.box.isVisible()
    assert not is_free(study, "SAMPLE-02")
    assert window.prior.main.dockWidgetArea(window.prior.dock).name == "RightDockWidgetArea"
    window.viewer.close()
    for _ in range(50):
        QApplication.processEvents()
        if start.readings.window is None:
            break
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert is_free(study, "SAMPLE-02")
    assert start.readings.open("SAMPLE-01")
    settle(start.readings.window)
    again = start.readings.window.viewer
    start.readings.leave()
    again.close()


def test_the_worklist_says_how_far_each_read_is(tmp_path: Path) -> None:
    from mrecist.session.room import enter

    for name in ("SAMPLE-01", "SAMPLE-02", "SAMPLE-03"):
        for visit in ("0", "1"):
            shutil.copytree(IMAGES / name / visit, tmp_path / "images" / name / visit)
    study = open_study(tmp_path)
    assert [one.state for one in worklist(study, "R7")] == ["not begun"] * 3
    assert not (tmp_path / "reads").exists()
    room = enter(study, "SAMPLE-02", "R7")
    read_baseline(room)
    assert work_of(study, "SAMPLE-02", "R7") == Work(subject="SAMPLE-02", visits=(0, 1), begun=True, elsewhere=True)
    room.sign("R. Reader", write=False)
    room.close()
    work = work_of(study, "SAMPLE-02", "R7")
    assert (work.state, work.signed, work.next_visit, work.elsewhere, work.unwritten) == (
        *("open", {0: "R. Reader"}, 1, False),
        True,
    )
    kept = session_folder(tmp_path, "R7", "SAMPLE-02") / "journal.jsonl"
    kept.write_text("{}\n", encoding="utf-8")
    assert work_of(study, "SAMPLE-02", "R7").state == "cannot be read"
    assert "line 1 is damaged" in work_of(study, "SAMPLE-02", "R7").problem


def test_the_next_subject_is_the_one_behind_and_then_from_the_beginning() -> None:
    def work(subject: str, *, signed: bool = False, elsewhere: bool = False, problem: str = "") -> Work:
        visits = () if problem else (0,)
        done = {0: "R7"} if signed else {}
        return Work(subject=subject, visits=visits, signed=done, elsewhere=elsewhere, problem=problem)

    works = [work("A"), work("B"), work("C", signed=True), work("D", elsewhere=True), work("E", problem="damaged")]
    assert next_work(works).subject == "A"  # type: ignore[union-attr]
    assert next_work(works, "A").subject == "B"  # type: ignore[union-attr]
    assert next_work(works, "B").subject == "A"  # type: ignore[union-attr]
    assert next_work(works[2:]) is None
