"""A case of a store read on a real window: blinded wherever one looks, one visit after the other, into the store."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from reader_hand import ReaderHand
from settled import settle
from visible_text import picture_text, visible_text
from whole_visit import read_visit

from mrecist.errors import StoreError
from mrecist.samples.build import sample_study_path
from mrecist.session import store_reads
from mrecist.session.case import open_case
from mrecist.session.store_reads import StoreReads
from mrecist.session.volumes import Volumes
from mrecist.store.assigning import assign
from mrecist.store.audit import verify
from mrecist.store.people import begin
from mrecist.store.showing import rows_to_derive
from mrecist.store.store import new_store, open_store
from mrecist.study import Study, open_study

pytestmark = pytest.mark.filterwarnings("default")

SUBJECT, FOLDER = "SAMPLE-01", "Arm B with drug"
# A signature shows its own date and time (21 CFR 11.50); it is no date of the study.
_SIGNED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_DATE = re.compile(r"\b(?:19|20)\d\d-?[01]\d-?[0-3]\d\b|\b1000-\d\d-\d\d\b")
_UID = re.compile(r"\b\d+(?:\.\d+){5,}\b")


@dataclass
class Lab:
    study: Study
    start: Any
    loaded: list[tuple[str, int]] = field(default_factory=list)
    """UIDs of the series whose voxels were read, each with the number of locks in the store by then."""

    @property
    def window(self) -> Any:
        return self.start.readings.window

    def hand(self) -> ReaderHand:
        self.window.viewer.window.resize(1200, 800)
        settle(self.window)
        return ReaderHand(self.window)

    def assert_blinded(self) -> None:
        """Nothing that can be read names the subject, a date, a path, another reader or the study."""
        texts = visible_text() | (picture_text(self.window) if self.window is not None else set())
        assert any("CASE-000" in text for text in texts)
        for text in texts:
            plain = _SIGNED_AT.sub("", text)
            for hidden in ("SAMPLE", FOLDER, "Baker", "Manager", "arterial 5mm", str(self.study.root)):
                assert hidden not in plain, text
            assert not _DATE.search(plain), text
            assert not _UID.search(plain), text

    def wait_for(self, visits: int) -> None:
        """Until the window has so many visits; it is made anew after a signature."""
        from qtpy.QtTest import QTest

        for _ in range(600):
            QTest.qWait(50)
            if self.window is not None and not self.window.busy and len(self.window.room.case.visits) == visits:
                return
        raise AssertionError("the next visit does not come")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """SAMPLE-01 with two visits and SAMPLE-02 with one, assigned to Adams and Baker; the list of Adams."""
    from qtpy.QtWidgets import QApplication

    from mrecist_napari.opening import Start
    from mrecist_napari.readings import Readings

    QApplication.instance() or QApplication([])
    root = tmp_path / FOLDER
    for subject, visit in ((SUBJECT, "0"), (SUBJECT, "1"), ("SAMPLE-02", "0")):
        shutil.copytree(sample_study_path() / "images" / subject / visit, root / "images" / subject / visit)
    shutil.copy(sample_study_path() / "protocol.toml", root)
    study = open_study(root)
    visits = {
        one.subject: {v.timepoint: v.date for v in open_case(study, one.subject).visits} for one in study.subjects
    }
    with new_store(str(root)) as store:
        begin(store, study.protocol, {"reader": ("Adams", "Baker")}, "Manager")
        assign(store, visits, "seed", "Manager", pseudonyms=True)
    lab = Lab(study, Start(Readings(StoreReads(study, str(root), "Adams"))))
    load = Volumes.get

    def noted(volumes: Volumes, series: Any) -> Any:
        lab.loaded.append((series.uid, rows_of(str(root), "lock")))
        return load(volumes, series)

    monkeypatch.setattr(Volumes, "get", noted)
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


def test_a_case_from_the_list_to_the_amended_signature(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    case, store_path = case_of(lab, SUBJECT), str(lab.study.root)
    lab.start.show()
    table = lab.start.box.table
    assert {table.item(row, 2).text() for row in range(2)} == {"not begun, next BL (day 0)"}
    assert {table.item(row, 1).text() for row in range(2)} == {"BL ○"}
    lab.assert_blinded()

    # The baseline: nothing of the follow-up is there.
    lab.start.box.choose(case)
    lab.start.box.read.click()
    hand = lab.hand()
    assert lab.window.viewer.title == f"mrecist: {case}, reader Adams"
    assert [*lab.window.panel.header.visits] == [0]
    lab.assert_blinded()
    read_visit(hand, SUBJECT, 0)

    # Signed, locked, and the next visit is open; the baseline beside it is read-only.
    lab.wait_for(2)
    hand = lab.hand()
    room = lab.window.room
    assert room.looking.timepoint == 1
    timepoints = next(one.timepoints for one in lab.study.subjects if one.subject == SUBJECT)
    # Not a voxel of the follow-up was read before the baseline was locked.
    assert {(timepoints[uid], locks) for uid, locks in lab.loaded} >= {(0, 0), (1, 1)}
    assert (1, 0) not in {(timepoints[uid], locks) for uid, locks in lab.loaded}
    assert hand.find("signed_by").text() == "✓ BL is locked and signed in the store, with the anchor"
    assert re.fullmatch(r"\d+:[0-9a-f]{64}", hand.find("anchor").text())
    lab.assert_blinded()
    hand.click("visit_0")
    assert not hand.find("start_signing").isEnabled()
    hand.key("Ctrl+Return")
    assert "time point 0 is locked; it can be amended once all visits are locked" in hand.find("told").text()
    assert not hand.find("adequate_yes").isEnabled()
    hand.click("visit_1")

    # The store is gone at the signature: the read is kept, F8 sends it.
    with monkeypatch.context() as patch:
        patch.setattr(store_reads, "open_store", gone)
        read_visit(hand, SUBJECT, 1)
        assert "NOT IN THE STORE" in told(lab)
        assert "server closed the connection" in told(lab)
        lab.assert_blinded()
        hand.key("F8")
        assert "NOT IN THE STORE" in told(lab)
    assert rows_of(store_path, "measurement", timepoint=1) == 0
    hand.key("F8")
    assert rows_of(store_path, "measurement", timepoint=1) > 0
    assert hand.find("anchor").text() == room.keeping.anchor(1) != ""
    wait_until(lambda: lab.start.box.said.text().startswith(f"Every visit of {case} is signed. Next: CASE-000"))
    lab.assert_blinded()

    # Global review: not without a reason.
    hand = lab.hand()
    hand.click("visit_0")
    hand.click("start_signing")
    hand.type("signer", "Dr Jane Adams")
    assert not hand.find("confirm_signing").isEnabled()
    hand.type("reopen_reason", "T01 was drawn across a vessel")
    hand.click("confirm_signing")
    assert room.state.visit(0).signature is None
    hand.choose_lesion("T01")
    hand.type("comment", "without the vessel")
    hand.key("Return")
    hand.key("Ctrl+Return")
    hand.type("signer", "Dr Jane Adams")
    hand.key("Ctrl+Return")
    settle(lab.window)
    lab.assert_blinded()
    with open_store(store_path) as store:
        rows, left = rows_to_derive(store, "Adams")
        with store.reading() as read:
            (amended,) = read.rows("amendment")
            reads = [(row["timepoint"], row["version"]) for row in read.rows("read")]
        assert (amended["timepoint"], amended["reason"]) == (0, "T01 was drawn across a vessel")
        assert sorted(reads) == [(0, 1), (0, 2), (1, 1)]
        assert {row.comment for row in rows if row.lesion == "T01"} >= {"without the vessel"}
        assert [str(error) for error in left if SUBJECT in str(error)] == []
        assert verify(store)[1] == []


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
