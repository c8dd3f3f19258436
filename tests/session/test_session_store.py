"""Reads in rooms on a store: what the store gets, what a reader is not shown, and what is left where the store fails."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from session_reading import STUDY, read_visit

from mrecist.batch import score_study
from mrecist.errors import ReadError, StoreError
from mrecist.imaging.masks import read_segmentation
from mrecist.imaging.phase import Phase, PhaseName
from mrecist.model import Measurement, Role, State
from mrecist.session import store_reads
from mrecist.session.actions import AnswerAdequate, Comment
from mrecist.session.blinding import BASELINE, Blinding, Unsaid
from mrecist.session.case import Case, open_case
from mrecist.session.room import enter
from mrecist.session.store_reads import StoreReads
from mrecist.session.worklist import Work
from mrecist.store.assigning import assign
from mrecist.store.audit import verify
from mrecist.store.locking import lock, unlock
from mrecist.store.people import begin
from mrecist.store.showing import rows_to_derive, status
from mrecist.store.store import new_store, open_store
from mrecist.store.submitting import Submission, submit
from mrecist.store.visits import Span
from mrecist.study import Study, open_study

SUBJECT, NEXT = "SAMPLE-05", 2  # its visits are time points 0 and 2, with a new lesion at 2
CASE = "CASE-0001"


@dataclass
class Lab:
    """A study folder with a store for Adams and Baker, and the truth of its one subject."""

    root: Path
    truth: Case

    def reads(self, reader: str = "Adams") -> StoreReads:
        return StoreReads(open_study(self.root), str(self.root), reader)

    def read_through(self) -> None:
        """Adams reads and signs visit after visit as in the sample."""
        reads = self.reads()
        for visit in self.truth.visits:
            room = reads.enter(CASE)
            assert room.looking.timepoint == visit.timepoint
            read_visit(room.session, self.truth, visit.timepoint, sign=False)
            room.sign("Dr Jane Adams")
            room.close()

    def versions(self) -> list[tuple[int, str, int]]:
        """Time point, state, version of Adams' visits in the store."""
        with open_store(str(self.root)) as store:
            (one,) = (each for each in status(store) if each.reader == "Adams")
        return [(v.timepoint, v.state, v.version) for v in one.visits]


@pytest.fixture(scope="module")
def begun(sample_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Nothing is read yet."""
    root = tmp_path_factory.mktemp("begun") / "TACE plus drug"
    shutil.copytree(STUDY / "images" / SUBJECT, root / "images" / SUBJECT)
    shutil.copy(STUDY / "protocol.toml", root)
    truth = open_case(sample_study, SUBJECT)
    with new_store(str(root)) as store:
        begin(store, sample_study.protocol, {"reader": ("Adams", "Baker")}, "Manager")
        assign(store, {SUBJECT: {v.timepoint: v.date for v in truth.visits}}, "seed", "Manager", pseudonyms=True)
    return Lab(root, truth)


@pytest.fixture(scope="module")
def finished(begun: Lab, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Adams has read every visit."""
    lab = copied(begun, tmp_path_factory.mktemp("finished"))
    lab.read_through()
    return lab


def copied(lab: Lab, folder: Path) -> Lab:
    return Lab(shutil.copytree(lab.root, folder / lab.root.name), lab.truth)


@pytest.fixture
def lab(begun: Lab, tmp_path: Path) -> Lab:
    return copied(begun, tmp_path)


@pytest.fixture
def read_lab(finished: Lab, tmp_path: Path) -> Lab:
    return copied(finished, tmp_path)


@pytest.fixture
def no_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """The store is gone until the result is called."""

    def gone(*_: object) -> object:
        raise StoreError("/mnt/trial/store.sqlite: connection refused; nothing of this was written")

    with monkeypatch.context() as patch:
        patch.setattr(store_reads, "open_store", gone)
        yield patch.undo


def test_the_store_gets_what_score_gives_of_the_same_masks(read_lab: Lab, tmp_path: Path) -> None:
    """The same read in a room without a store, written to a study folder and scored."""
    lab = read_lab
    plain = tmp_path / "plain"
    shutil.copytree(STUDY / "images" / SUBJECT, plain / "images" / SUBJECT)
    shutil.copy(STUDY / "protocol.toml", plain)
    room = enter(open_study(plain), SUBJECT, "Adams")
    for visit in room.case.visits:
        room.look_at(visit.timepoint)
        read_visit(room.session, lab.truth, visit.timepoint, sign=False)
        room.sign("Dr Jane Adams")
    room.close()
    scored = score_study(plain, tmp_path / "out").results.measurements
    with open_store(str(lab.root)) as store:
        rows, left = rows_to_derive(store, "Adams")
        with store.reading() as read:
            kept = {row["name"]: row["sha256"] for row in read.rows("mask")}
        assert verify(store)[1] == []
    assert left == []

    def order(row: Measurement) -> tuple[int, str]:
        return row.timepoint, row.lesion

    assert {row.role for row in rows} == {Role.TARGET, Role.NEW}
    assert sorted(rows, key=order) == sorted(scored, key=order)
    masks = sorted((plain / "masks").glob("*/*.dcm"))
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in masks}.items() <= kept.items()
    assert {name for name in kept if name.endswith(".json")} == {f"lines_{v.timepoint}.json" for v in room.case.visits}
    # Nothing of the read lies where the study's other readers find it.
    assert sorted(path.name for path in (lab.root / "reads").iterdir()) == [".store"]
    assert not (lab.root / "masks").exists()


def test_visits_come_one_after_the_other(lab: Lab) -> None:
    reads = lab.reads()
    assert reads.works() == (Work(subject=CASE, visits=(0,), day=0, last_day=0),)
    room = reads.enter(CASE)
    assert [v.timepoint for v in room.case.visits] == [0]
    assert {room.case.given.timepoints[one.uid] for one in room.case.given.series} == {0}
    with pytest.raises(ReadError, match=f"has no images of time point {NEXT}"):
        room.look_at(NEXT)
    read_visit(room.session, lab.truth, 0, sign=False)
    room.sign("Dr Jane Adams")
    assert room.keeping.has_more
    assert re.fullmatch(r"\d+:[0-9a-f]{64}", room.keeping.anchor(0))
    with pytest.raises(ReadError, match="time point 0 is locked; it can be amended once all visits are locked"):
        room.reopen("Dr Jane Adams", "second thoughts")
    room.close()
    room = reads.enter(CASE)
    assert ([v.timepoint for v in room.case.visits], room.looking.timepoint) == ([0, NEXT], NEXT)
    with pytest.raises(ReadError, match="was signed by Dr Jane Adams"):
        room.do(Comment(timepoint=0, lesion="T01", text="x"))
    (work,) = reads.works()
    assert (work.visits, set(work.signed), work.state, work.elsewhere) == ((0, NEXT), {0}, "open", True)
    assert work.day == (lab.truth.visits[1].date - lab.truth.visits[0].date).days
    room.close()
    assert lab.reads("Baker").works() == (Work(subject=CASE, visits=(0,), day=0, last_day=0),)


def test_nothing_of_the_study_is_in_a_blinded_room(lab: Lab) -> None:
    """Everything that a room holds, as text, but for the paths and UIDs that lead to the voxels."""
    room = lab.reads().enter(CASE)
    shown = replace_slices(room.case)
    assert SUBJECT not in shown
    assert "2024" not in shown
    assert (room.study.arms, room.study.notes, room.study.problems) == ({}, (), ())
    assert [one.description for one in room.case.visits[0].series] == ["CT series 1", "CT series 2"]
    room.close()


def masks_on(path: Path, case: Case) -> set[str]:
    """UIDs of the series that the masks of a segmentation lie on."""
    return {mask.series_uid for mask in read_segmentation(path, case.given.series).masks}


def replace_slices(case: Case) -> str:
    given = dataclasses.replace(
        case.given, series=tuple(dataclasses.replace(one, slices=(), geometry=None) for one in case.given.series)
    )
    return repr((case.subject, case.dates, given, [(v.timepoint, v.date) for v in case.visits], case.refused))


def test_messages_say_no_name_path_uid_or_date(lab: Lab) -> None:
    study = open_study(lab.root)
    given = study.subjects[0]
    first = lab.truth.visits[0].date
    uid, path = given.series[0].uid, given.series[0].slices[0].path
    words = Blinding(study, given, CASE, first, {"postgresql://Adams@host/arm": "the store"}).words
    assert words(f"{path}: cannot be read; restore it") == "a file of the study: cannot be read; restore it"
    assert words(f"series {uid} is not in the images") == "series CT series 1 is not in the images"
    assert words("postgresql://Adams@host/arm: connection refused") == "the store: connection refused"
    assert words(f"{SUBJECT} of {first}, {first:%Y%m%d}") == f"{CASE} of day 0, day 0"
    assert words("due 1000-02-26, was 1000-03-01") == "due day 56, was day 59"
    assert words("study 1.2.840.113619.2.55.3.604688119") == "study (UID)"
    assert words("/srv/Arm B/store.sqlite: gone; C:\\Arm B\\x.dcm: gone") == "a file: gone; a file: gone"
    signed = "signed by Dr Jane Adams at 2026-01-31T10:00:00Z; 12345678 voxels, 26.1/51.8 mm, viable / whole, and/or"
    assert words(signed) == signed
    assert Unsaid(lab.root, {}).words("of 2024-01-09") == "of (a date)"


def test_eight_digits_are_a_day_only_where_they_can_be_one(lab: Lab) -> None:
    """The images of the study are of 2024: 20240109 is the day as DICOM writes it, and no other number of eight digits is one."""
    study, first = open_study(lab.root), lab.truth.visits[0].date
    words = Blinding(study, study.subjects[0], CASE, first).words
    assert words(f"StudyDate {first:%Y%m%d}, arterial_{first:%Y%m%d}; {first:%Y%m%d}.") == (
        "StudyDate day 0, arterial_day 0; day 0."
    )
    for number in ("20190109 of 20310305", "10000226", "a20240109f", "1.20240109", "has 20240109 bytes", "120240109"):
        assert words(f"{number} here") == f"{number} here"
    assert words("of 2019-01-09") == f"of day {(date(2019, 1, 9) - first).days}"
    assert Unsaid(lab.root, {}, years=range(2024, 2025)).words("of 20240109, of 20190109") == "of (a date), of 20190109"


def test_texts_of_the_headers_are_not_shown_as_evidence(lab: Lab) -> None:
    study = open_study(lab.root)
    given = study.subjects[0]
    said = (
        "SeriesDescription 'MUSTER^MAX arterial 20240109' says 'arterial': arterial",
        "stated by Baker on 2024-01-09",
    )
    phase = Phase(name=PhaseName.ARTERIAL, confidence="high", evidence=said)
    series = tuple(dataclasses.replace(one, phase=phase) for one in given.series)
    blinding = Blinding(study, dataclasses.replace(given, series=series), CASE, lab.truth.visits[0].date)
    (subject,) = blinding.study([0]).subjects
    assert subject.series[0].phase.evidence == (
        "SeriesDescription says 'arterial': arterial",
        "not shown in a blinded read",
    )


def test_a_read_that_the_store_did_not_get_is_kept_and_sent_later(
    lab: Lab, no_store: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreError, match="connection refused"):
        lab.reads()
    no_store()
    reads = lab.reads()
    room = reads.enter(CASE)
    read_visit(room.session, lab.truth, 0, sign=False)
    with monkeypatch.context() as patch:

        def refused(*_: object) -> object:
            raise StoreError("connection refused")

        patch.setattr(store_reads, "open_store", refused)
        with pytest.raises(StoreError, match="connection refused"):
            room.sign("Dr Jane Adams")
    assert lab.versions()[0] == (0, "open", 0)
    assert room.state.visit(0).signature is not None
    assert not room.keeping.is_written(room.session)
    assert reads.works()[0].unwritten
    # Not in the store: it may still be changed.
    room.reopen("Dr Jane Adams", "slip", write=False)
    room.sign("Dr Jane Adams", write=False)
    room.close()
    room = reads.enter(CASE)  # another day
    assert room.unwritten == ""
    assert room.looking.timepoint == NEXT
    assert lab.versions()[0] == (0, "locked", 1)
    room.close()


@pytest.mark.parametrize("step", ["lock", "sign", "write_whole"])
def test_what_the_store_has_is_not_sent_twice(lab: Lab, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """The connection is lost behind each step, or the program killed before it noted the end."""
    reads = lab.reads()
    room = reads.enter(CASE)
    read_visit(room.session, lab.truth, 0, sign=False)
    with monkeypatch.context() as patch:

        def lost(*_: object) -> None:
            raise StoreError("connection lost")

        patch.setattr(store_reads, step, lost)
        with pytest.raises(StoreError, match="connection lost"):
            room.sign("Dr Jane Adams")
    room.write()
    room.close()
    assert lab.versions()[0] == (0, "locked", 1)
    with open_store(str(lab.root)) as store, store.reading() as read:
        assert [len(read.rows(name)) for name in ("read", "lock", "signature")] == [1, 1, 1]


def test_the_global_review_keeps_both_versions(read_lab: Lab) -> None:
    lab = read_lab
    room = lab.reads().enter(CASE)
    room.look_at(0)
    with pytest.raises(ReadError, match="needs a reason"):
        room.reopen("Dr Jane Adams", "  ")
    room.reopen("Dr Jane Adams", "T01 was measured across a vessel")
    assert lab.reads().works()[0].state == "in review"
    assert lab.reads().works()[0].amending == (0,)
    room.do(Comment(timepoint=0, lesion="T01", text="without the vessel"))
    room.sign("Dr Jane Adams", "reviewed and approved")
    room.close()
    assert lab.versions() == [(0, "locked", 2), (NEXT, "locked", 1)]
    with open_store(str(lab.root)) as store:
        rows, left = rows_to_derive(store, "Adams")
        assert left == []  # every signature holds
        assert "without the vessel" in {row.comment for row in rows}
        with store.reading() as read:
            (amended,) = read.rows("amendment")
            versions = read.rows("read", timepoint=0)
        assert amended["reason"] == "T01 was measured across a vessel"
        assert [row["version"] for row in versions] == [1, 2]
        assert verify(store)[1] == []
    assert lab.reads().works()[0].state == "signed"


def test_an_unlocked_visit_is_open_again_and_hides_the_later_ones(
    read_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = read_lab
    (sent,) = lab.root.rglob("sent.json")
    before = json.loads(sent.read_text())["0"]["signature"]["made"]["at"]
    # The second signature has the time of the first one, as it has when it comes within a second.
    monkeypatch.setattr("mrecist.session.signed.utc_now", lambda: before)
    with open_store(str(lab.root)) as store:
        unlock(store, SUBJECT, "Adams", 0, by="Manager", role="manager", reason="wrong series")
    reads = lab.reads()
    room = reads.enter(CASE)
    assert ([v.timepoint for v in room.case.visits], room.state.visit(0).signature) == ([0], None)
    assert room.live().problem == ""
    new = {row.lesion for row in lab.truth.given.rows if row.role is Role.NEW}
    assert new
    assert not new & set(room.state.lesions)
    assert room.add_lesion(Role.NEW) not in new
    room.session.undo()
    room.do(Comment(timepoint=0, lesion="T01", text="on the arterial series"))
    room.sign("Dr Jane Adams")
    assert room.unwritten == ""
    room.close()
    room = reads.enter(CASE)
    assert [v.timepoint for v in room.case.visits] == [v.timepoint for v in lab.truth.visits]
    assert lab.versions()[0] == (0, "locked", 2)
    with open_store(str(lab.root)) as store, store.reading() as read:
        entries = [each.said() for each in read.entries()]
    assert "unlocked: wrong series" in {one.get("why") for one in entries}
    room.close()


def test_another_read_of_a_locked_visit_is_not_gone_on_with(lab: Lab) -> None:
    whose = {"subject": CASE, "timepoint": 0, "date": None, "reader": "Adams"}
    row = Measurement(lesion="T01", role=Role.TARGET, state=State.NOT_EVALUABLE, comment="motion", **whose)
    with open_store(str(lab.root)) as store:
        submit(store, Submission(subject=CASE, reader="Adams", timepoint=0, rows=[row]))
        lock(store, CASE, "Adams", 0)
    with pytest.raises(
        ReadError, match="time point 0 is locked in the store with a read that is not kept in this study"
    ):
        lab.reads().enter(CASE)


def test_images_of_another_day_or_of_nobody_are_not_read(lab: Lab, tmp_path: Path) -> None:
    with open_store(str(lab.root)) as store, store.reading() as read:
        assert read.rows("visit")
    with pytest.raises(ReadError, match="no case of the store is assigned to Clark; name yourself with --reader"):
        lab.reads("Clark")
    with pytest.raises(ReadError, match="SAMPLE-99 is not assigned to Adams"):
        lab.reads().enter("SAMPLE-99")
    other = tmp_path / "other"
    shutil.copytree(STUDY / "images" / "SAMPLE-01", other / "images" / "SAMPLE-01")
    reads = StoreReads(open_study(other), str(lab.root), "Adams")
    assert reads.works()[0].problem == f"{CASE}: the study folder has no images of this case"
    uid = lab.truth.visits[0].series[0].uid
    table = "series_uid,date\n" + "".join(f"{one.uid},2024-01-01\n" for one in lab.truth.visits[0].series)
    assert uid in table
    (lab.root / "series.csv").write_text(table, encoding="utf-8")
    with pytest.raises(
        ReadError, match=rf"{CASE}: the images of time point 0 are of day -\d+ and the visit is of day 0"
    ):
        lab.reads().enter(CASE)


def test_a_visit_of_two_days_is_read_with_the_day_of_each_series(lab: Lab) -> None:
    """The series with the masks of the follow-up was made two days after the other one of that visit."""
    first, follow_up = lab.truth.visits
    days = (follow_up.date - first.date).days
    later = follow_up.date + timedelta(days=2)
    drawn = {uid for one in lab.truth.given.segmentations for uid in masks_on(one.path, lab.truth)}
    uids = [one.uid for one in follow_up.series if one.uid in drawn]
    assert 0 < len(uids) < len(follow_up.series)
    table = "series_uid,date\n" + "".join(f"{uid},{later}\n" for uid in uids)
    (lab.root / "series.csv").write_text(table, encoding="utf-8")
    room = lab.reads().enter(CASE)
    read_visit(room.session, lab.truth, 0, sign=False)
    room.sign("Dr Jane Adams")
    room.close()
    with pytest.raises(
        ReadError, match=rf"of day {days} to {days + 2} and the visit is of day {days} in the store; a manager must"
    ):
        lab.reads().enter(CASE)
    with open_store(str(lab.root)) as store:
        assign(store, {SUBJECT: {NEXT: Span(follow_up.date, later)}}, "seed", "Manager", reason="two examinations")
    assert (lab.reads().works()[0].days, lab.reads().works()[0].problem) == (f"{days} to {days + 2}", "")
    room = lab.reads().enter(CASE)
    shown = room.case.visit(NEXT)
    assert [(day - BASELINE).days for day in (shown.date, shown.last_date)] == [days, days + 2]
    read_visit(room.session, lab.truth, NEXT, sign=False)
    room.sign("Dr Jane Adams")
    room.close()
    with open_store(str(lab.root)) as store:
        rows, left = rows_to_derive(store, "Adams")
    assert left == []
    assert {row.date for row in rows if row.timepoint == NEXT} == {later}


def test_what_is_open_stands_against_a_signature_and_nothing_goes_to_the_store(lab: Lab) -> None:
    room = lab.reads().enter(CASE)
    read_visit(room.session, lab.truth, 0, sign=False)
    room.do(AnswerAdequate(timepoint=0, answer=None))
    with pytest.raises(ReadError, match="say whether the images are adequate"):
        room.sign("Dr Jane Adams")
    room.close()
    assert lab.versions()[0] == (0, "open", 0)
