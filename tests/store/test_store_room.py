"""A room on a store of a real server, with the reader's own login of least rights."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from postgresql_server import PASSWORD, new_schema, session

from mrecist.errors import ReadError
from mrecist.model import Role, State
from mrecist.samples.build import sample_study_path
from mrecist.session.actions import AnswerAdequate, Comment, SetState
from mrecist.session.case import open_case
from mrecist.session.room import Room
from mrecist.session.store_reads import StoreReads
from mrecist.store.assigning import assign
from mrecist.store.audit import verify
from mrecist.store.grants import run_grants
from mrecist.store.locking import unlock
from mrecist.store.people import begin
from mrecist.store.store import Store, new_store, open_store
from mrecist.study import open_study

SUBJECT, CASE = "SAMPLE-01", "CASE-0001"


@dataclass(frozen=True)
class Trial:
    root: Path
    store: Store
    url: str
    files: Path

    def login(self, name: str) -> str:
        return self.url.replace("owner:", f"{name}:")

    def reads(self, reader: str) -> StoreReads:
        return StoreReads(open_study(self.root), self.login(reader), reader, self.files)


@pytest.fixture
def trial(postgresql: str, tmp_path: Path) -> Iterator[Trial]:
    """The baseline of one subject, assigned to A and B, each with a login."""
    root, url = tmp_path / "study", new_schema(postgresql)
    shutil.copytree(sample_study_path() / "images" / SUBJECT / "0", root / "images" / SUBJECT / "0")
    study = open_study(root)
    with session(url) as owner, new_store(url, tmp_path / "kept") as store:
        begin(store, study.protocol, {"reader": ("A", "B")}, "boss")
        days = {v.timepoint: v.date for v in open_case(study, SUBJECT).visits}
        assign(store, {SUBJECT: days}, "2026", "boss", pseudonyms=True)
        for name in ("A", "B", "boss"):
            owner(f"DO $$ BEGIN CREATE ROLE \"{name}\" LOGIN PASSWORD '{PASSWORD}'; EXCEPTION WHEN OTHERS THEN END $$")
        run_grants(store)
        yield Trial(root, store, url, tmp_path / "kept")


def read_baseline(room: Room) -> None:
    room.add_lesion(Role.NON_TARGET, "portal vein")
    room.do(SetState(timepoint=0, lesion="NT01", state=State.PRESENT))
    room.do(AnswerAdequate(timepoint=0, answer=True))


def test_a_reader_reads_signs_is_unlocked_and_signs_again_with_the_own_login(trial: Trial) -> None:
    reads = trial.reads("A")
    room = reads.enter(CASE)
    read_baseline(room)
    room.sign("Dr A")
    room.close()
    with open_store(trial.login("boss"), trial.files) as store:
        unlock(store, SUBJECT, "A", 0, by="boss", role="manager", reason="wrong series")
    room = reads.enter(CASE)
    assert room.state.visit(0).signature is None
    room.do(Comment(timepoint=0, lesion="NT01", text="bland"))
    room.sign("Dr A")
    assert (room.unwritten, reads.works()[0].state) == ("", "signed")
    room.reopen("Dr A", "not bland")  # one visit: the review is open at once
    room.do(Comment(timepoint=0, lesion="NT01", text="tumour thrombus"))
    room.sign("Dr A")
    room.close()
    with trial.store.reading() as read:
        assert [row["version"] for row in read.rows("read", reader="A")] == [1, 2, 3]
        assert {row["who"] for row in read.rows("signature")} == {"A"}
        assert {entry.said()["account"] for entry in read.entries()} >= {"A", "boss"}
    assert verify(trial.store)[1] == []
    assert [work.signed for work in trial.reads("B").works()] == [{}]
    # With the login of B nothing can be read as A: the database shows no case of A.
    with pytest.raises(ReadError, match="no case of the store is assigned to A"):
        StoreReads(open_study(trial.root), trial.login("B"), "A", trial.files)
