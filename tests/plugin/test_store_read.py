"""A case of a store read on a real window: blinded wherever one looks, one visit after the other, into the store."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from reader_hand import ReaderHand
from session_reading import read_visit as read_in_session
from settled import settle
from visible_text import picture_text, visible_text
from whole_visit import read_visit

from mrecist.errors import ReadError, StoreError
from mrecist.samples.build import sample_study_path
from mrecist.session import store_reads
from mrecist.session.case import open_case
from mrecist.session.store_reads import StoreReads
from mrecist.store.assigning import assign
from mrecist.store.audit import verify
from mrecist.store.people import begin
from mrecist.store.store import new_store, open_store
from mrecist.study import Study, open_study
from mrecist_napari import readings

pytestmark = pytest.mark.filterwarnings("default")

# One lesion each, so that a visit takes a hand little.
SUBJECT, OTHER, FOLDER = "SAMPLE-02", "SAMPLE-05", "Arm B with drug"
# A signature shows its own date and time (21 CFR 11.50); it is no date of the study.
_SIGNED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_DATE = re.compile(r"\b(?:19|20)\d\d-?[01]\d-?[0-3]\d\b|\b1000-\d\d-\d\d\b")
_UID = re.compile(r"\b\d+(?:\.\d+){5,}\b")


@dataclass
class Lab:
    study: Study
    start: Any
    # Kept, so that no widget of this test gets the identity of one that is gone.
    others: list[Any]

    @property
    def window(self) -> Any:
        return self.start.readings.window

    def hand(self) -> ReaderHand:
        self.window.viewer.window.resize(1200, 800)
        settle(self.window)
        return ReaderHand(self.window)

    def assert_blinded(self) -> None:
        """Nothing that can be read names the subject, a date, a path, another reader or the study."""
        texts = visible_text(self.others) | (picture_text(self.window) if self.window is not None else set())
        assert any("CASE-000" in text for text in texts)
        for text in texts:
            plain = _SIGNED_AT.sub("", text)
            for hidden in ("SAMPLE", FOLDER, "Baker", "Manager", "arterial 5mm", str(self.study.root)):
                assert hidden not in plain, text
            assert not _DATE.search(plain), text
            assert not _UID.search(plain), text


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A case of two visits and one of one, assigned to Adams and Baker; the list of Adams."""
    from qtpy.QtWidgets import QApplication

    from mrecist_napari.opening import Start

    QApplication.instance() or QApplication([])
    root = tmp_path / FOLDER
    for subject, visit in ((SUBJECT, "0"), (SUBJECT, "1"), (OTHER, "0")):
        shutil.copytree(sample_study_path() / "images" / subject / visit, root / "images" / subject / visit)
    shutil.copy(sample_study_path() / "protocol.toml", root)
    study = open_study(root)
    visits = {
        one.subject: {v.timepoint: v.date for v in open_case(study, one.subject).visits} for one in study.subjects
    }
    with new_store(str(root)) as store:
        begin(store, study.protocol, {"reader": ("Adams", "Baker")}, "Manager")
        assign(store, visits, "seed", "Manager", pseudonyms=True)
    others = QApplication.allWidgets()
    lab = Lab(study, Start(readings.Readings(StoreReads(study, str(root), "Adams"))), others)
    yield lab
    if lab.window is not None:
        viewer = lab.window.viewer
        lab.window.room.offer(None)
        lab.start.readings.leave()
        viewer.close()
    lab.start.box.close()


def case_of(lab: Lab, subject: str) -> str:
    with open_store(str(lab.study.root)) as store, store.reading() as read:
        return str(read.rows("assignment", subject=subject, reader="Adams")[0]["subject_key"])


def gone(*_: object) -> object:
    raise StoreError("/srv/Arm B with drug/store.sqlite: server closed the connection; nothing of this was written")


def test_a_visit_from_the_list_to_the_store(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case of one visit on the window, with real clicks."""
    case, store_path = case_of(lab, OTHER), str(lab.study.root)
    lab.start.show()
    table = lab.start.box.table
    texts = {tuple(table.item(row, column).text() for column in (1, 2)) for row in range(2)}
    assert texts == {("BL ○", "not begun, next BL (day 0)")}
    assert table.horizontalHeaderItem(0).text() == "case"
    lab.assert_blinded()
    lab.start.box.choose(case)
    lab.start.box.read.click()
    hand = lab.hand()
    assert lab.window.viewer.title == f"mrecist: {case}, reader Adams"
    assert [*lab.window.panel.header.visits] == [0]
    lab.assert_blinded()

    # The store is gone at the signature: the read is kept, F8 sends it.
    with monkeypatch.context() as patch:
        patch.setattr(store_reads, "open_store", gone)
        read_visit(hand, OTHER, 0)
        assert "NOT IN THE STORE" in told(lab)
        assert "server closed the connection" in told(lab)
        lab.assert_blinded()
        hand.key("F8")
        assert "NOT IN THE STORE" in told(lab)
    assert rows_of(store_path, "measurement") == 0
    hand.key("F8")
    assert rows_of(store_path, "measurement") > 0
    assert (rows_of(store_path, "lock"), rows_of(store_path, "signature")) == (1, 1)
    assert re.fullmatch(r"\d+:[0-9a-f]{64}", hand.find("anchor").text())
    assert hand.find("anchor").text() == lab.window.room.keeping.anchor(0)
    wait_until(lambda: lab.start.box.said.text().startswith(f"Every visit of {case} is signed. Next: CASE-000"))
    lab.assert_blinded()
    with open_store(store_path) as store:
        assert verify(store)[1] == []


@pytest.mark.usefixtures("no_picture")
def test_the_next_visit_opens_by_itself_and_after_the_last_one_the_list(lab: Lab) -> None:
    """What is opened after what, with the panel and without pictures: nothing of the follow-up is there before the baseline is locked."""
    from mrecist_napari.panel import ReadingPanel

    case, store_path = case_of(lab, SUBJECT), str(lab.study.root)
    lab.start.readings.open(case)
    before = lab.window.room
    timepoints = next(one.timepoints for one in lab.study.subjects if one.subject == SUBJECT)
    # No voxel can be read of a series that a room does not have.
    assert {timepoints[one.uid] for one in before.case.given.series} == {0}
    read_without_a_window(before, 0)
    anchor = before.keeping.anchor(0)
    wait_until(lambda: lab.window.room is not before)
    room = lab.window.room
    assert ([visit.timepoint for visit in room.case.visits], room.looking.timepoint) == ([0, 1], 1)
    assert rows_of(store_path, "lock", timepoint=0) == 1

    # The locked baseline is shown and not changed.
    panel = ReadingPanel(room)
    panel.show()
    assert [*panel.header.visits] == [0, 1]
    shown = shown_in(panel)
    assert shown("signed_by").text() == "✓ BL is locked and signed in the store, with the anchor"
    assert shown("anchor").text() == anchor
    # 2024-03-20 less 2024-01-23.
    assert shown("visit_1").text().endswith("day 57")
    lab.assert_blinded()
    shown("visit_0").click()
    wait_until(lambda: room.looking.timepoint == 0 and not shown("adequate_yes").isEnabled())
    assert not shown("start_signing").isEnabled()
    with pytest.raises(ReadError, match="time point 0 is locked; it can be amended once all visits are locked"):
        room.reopen("Dr Jane Adams", "second thoughts")
    lab.assert_blinded()
    room.look_at(1)
    panel.stop()
    panel.close()

    read_without_a_window(room, 1)
    wait_until(lambda: lab.start.box.said.text().startswith(f"Every visit of {case} is signed. Next: CASE-000"))
    lab.assert_blinded()


def test_a_visit_of_several_days_is_headed_by_both(lab: Lab) -> None:
    from mrecist_napari.panel.texts import day_text

    visit = open_case(lab.study, SUBJECT).visits[0]
    several = replace(visit, timepoint=1, date=date(2024, 3, 19), last_date=date(2024, 3, 21))
    case = replace(open_case(lab.study, SUBJECT), visits=(visit, several))
    # Of 2024-01-23.
    assert (day_text(case, 0), day_text(case, 1)) == ("day 0", "day 56 to 58")


def shown_in(panel: Any) -> Any:
    """Finds a widget of a panel by its name."""
    from qtpy.QtWidgets import QWidget

    def found(name: str) -> Any:
        (one,) = panel.findChildren(QWidget, name)
        return one

    return found


@pytest.fixture
def no_picture(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rooms are opened as ever, and no viewer shows them."""
    from qtpy.QtWidgets import QWidget

    def shown(room: Any, viewer: Any) -> SimpleNamespace:
        background = SimpleNamespace(quit=lambda: None)
        main = SimpleNamespace(main=QWidget(), model=viewer)
        return SimpleNamespace(
            room=room, viewer=viewer, prior=main, background=background, busy=False, close=room.close
        )

    viewer = SimpleNamespace(layers=(), title="", close=lambda: None, canvas=SimpleNamespace(overlays={}))
    monkeypatch.setattr(readings, "ReadingWindow", shown)
    monkeypatch.setattr(readings, "Untouched", lambda _viewer: SimpleNamespace(restore=lambda _main: None))
    monkeypatch.setattr(lab.start.readings, "_viewer", viewer)


def read_without_a_window(room: Any, timepoint: int) -> None:
    """Read and sign a visit as the sample's reader did."""
    read_in_session(room.session, open_case(open_study(sample_study_path()), SUBJECT), timepoint, sign=False)
    room.sign("Dr Jane Adams")


def told(lab: Lab) -> str:
    """The foot of the picture, on one line."""
    return " ".join(str(lab.window.viewer.canvas.overlays["told"].text).split())


def rows_of(store_path: str, table: str, **equal: int) -> int:
    """How many rows the store has."""
    with open_store(store_path) as store, store.reading() as read:
        return len(read.rows(table, **equal))


def wait_until(there: Any) -> None:
    from qtpy.QtTest import QTest

    for _ in range(400):
        if there():
            return
        QTest.qWait(25)
    raise AssertionError("it does not come")
