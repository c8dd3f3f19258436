"""Nothing is lost: autosave, undo and redo over a restart, a torn line, a damaged file, a full disk, a kill."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from session_reading import STUDY, Opened, clock, read_visit

from mrecist.errors import MaskError, ReadError
from mrecist.model import Role, State
from mrecist.session.actions import AddLesion, AnswerAdequate, Comment, RenameLesion, Reopen, SetState
from mrecist.session.journal import Journal
from mrecist.session.kept_masks import KeptMasks
from mrecist.session.session import open_session


def lesion(number: int) -> AddLesion:
    return AddLesion(lesion=f"T{number:02d}", role=Role.TARGET, tracking_uid=f"2.25.{number}", organ="liver")


def test_a_read_goes_on_where_it_stopped(opened: Opened) -> None:
    read_visit(opened.session, opened.case, 0)
    read_visit(opened.session, opened.case, 1, sign=False)
    before = opened.session.state
    assert opened.again().state == before
    assert opened.session.unsaved == 0
    assert opened.session.note == ""


def test_undo_and_redo_hold_over_a_restart(opened: Opened) -> None:
    opened.session.do(lesion(1))
    one = opened.session.state
    opened.session.do(lesion(2))
    two = opened.session.state
    opened.session.undo()
    session = opened.again()
    assert session.state == one
    assert session.can_redo == "add target lesion T02"
    session.redo()
    assert session.state == two
    session.undo()
    session.do(lesion(3))
    assert session.can_redo == ""
    with pytest.raises(ReadError, match="nothing to redo"):
        session.redo()
    assert list(opened.again().state.lesions) == ["T01", "T03"]
    assert [entry.do for entry in session.log] == ["AddLesion", "AddLesion", "undo", "redo", "undo", "AddLesion"]


def test_a_refused_action_changes_and_saves_nothing(opened: Opened) -> None:
    opened.session.do(lesion(1))
    before = opened.session.state
    for action in (
        lesion(1),
        AddLesion(lesion="T09", role=Role.TARGET, tracking_uid="2.25.1"),
        SetState(timepoint=0, lesion="T02", state=State.ABSENT),
        SetState(timepoint=0, lesion="T01", state=State.PROGRESSED),
        SetState(timepoint=0, lesion="T01", state=State.MEASURED),
        SetState(timepoint=0, lesion="T01", state=State.MERGED),
        Comment(timepoint=0, lesion="T01", text="nothing marked yet"),
        Reopen(timepoint=0, name="R1", at="2026-01-01T00:00:00Z", reason="not signed"),
    ):
        with pytest.raises(ReadError):
            opened.session.do(action)
    assert opened.session.state == before
    assert len(opened.session.log) == 1


def test_a_signed_visit_changes_only_by_reopening(opened: Opened) -> None:
    read_visit(opened.session, opened.case, 0)
    signed = opened.session.state
    assert opened.session.can_undo == ""
    with pytest.raises(ReadError, match="re-opened with a reason"):
        opened.session.undo()
    with pytest.raises(ReadError, match=r"signed by R1 at .*; re-open it with a reason"):
        opened.session.do(AnswerAdequate(timepoint=0, answer=False))
    with pytest.raises(ReadError, match="needs a reason"):
        opened.session.do(Reopen(timepoint=0, name="R1", at="2026-01-02T00:00:00Z", reason=" "))
    assert opened.again().state == signed
    opened.session.do(Reopen(timepoint=0, name="R1", at="2026-01-02T00:00:00Z", reason="wrong slice"))
    opened.session.do(AnswerAdequate(timepoint=0, answer=False))
    assert opened.again().state.visit(0).adequate is False


def test_a_line_that_was_cut_off_is_dropped_and_told(opened: Opened) -> None:
    opened.session.do(lesion(1))
    opened.session.do(lesion(2))
    path = opened.folder / "journal.jsonl"
    whole = path.read_bytes()
    for cut in range(1, len(whole.splitlines(keepends=True)[1])):
        path.write_bytes(whole[:-cut])
        session = opened.again()
        assert list(session.state.lesions) == ["T01"]
        assert session.note.endswith("was cut off before it was saved and is not there")
    session.do(lesion(3))
    assert list(opened.again().state.lesions) == ["T01", "T03"]


@pytest.mark.parametrize("damage", ["{}", "not json", '{"n":1,"at":"","do":"Fly","with":null}'])
def test_a_journal_damaged_in_its_middle_is_refused_and_kept(opened: Opened, damage: str) -> None:
    opened.session.do(lesion(1))
    opened.session.do(lesion(2))
    opened.session.close()
    path = opened.folder / "journal.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text(f"{damage}\n{lines[1]}\n", encoding="utf-8")
    with pytest.raises(ReadError, match=r"journal\.jsonl: (line|action) 1 .*restore the file from a copy"):
        open_session(opened.case, "R1", opened.folder)
    assert path.read_text(encoding="utf-8").startswith(damage)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert list(opened.again().state.lesions) == ["T01", "T02"]


def test_a_full_disk_is_told_and_survived(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    opened.session.do(lesion(1))
    path = opened.folder / "journal.jsonl"
    real = os.fsync

    def full(handle: int) -> None:
        os.ftruncate(handle, os.fstat(handle).st_size - 10)  # half of it went to disk
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    opened.session.do(lesion(2))
    opened.session.do(lesion(3))
    assert opened.session.unsaved == 2
    assert opened.session.trouble == f"{path}: not saved (No space left on device); free space, then save again"
    assert list(opened.session.state.lesions) == ["T01", "T02", "T03"]
    monkeypatch.setattr(os, "fsync", real)
    assert opened.session.save()
    assert (opened.session.unsaved, opened.session.trouble) == (0, "")
    assert list(opened.again().state.lesions) == ["T01", "T02", "T03"]


def test_a_read_is_open_in_one_window_only(opened: Opened) -> None:
    with pytest.raises(ReadError, match="open in another window"):
        open_session(opened.case, "R1", opened.folder)
    opened.session.close()
    open_session(opened.case, "R1", opened.folder).close()


_WRITER = """
import sys
sys.path[:0] = {paths!r}
from pathlib import Path
from session_reading import STUDY, clock
from mrecist.session.case import open_case
from mrecist.session.session import open_session
from mrecist.session.actions import Comment
from mrecist.study import open_study
case = open_case(open_study(STUDY), "SAMPLE-02")
session = open_session(case, "R1", Path({folder!r}), clock())
print("open", flush=True)
for number in range(len(session.log), 10**6):
    session.do(Comment(timepoint=0, text=f"{{number}} " + "x" * 5000))
    print(number, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_what_was_done_before_a_kill_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    chance = random.Random(4)
    for _ in range(3):
        command = [sys.executable, "-c", _WRITER.format(paths=paths, folder=str(folder))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "open\n"
            time.sleep(chance.uniform(0.01, 0.3))
            writer.send_signal(signal.SIGKILL)
            told = writer.stdout.read().splitlines()
        # The last line of the pipe may itself be cut off.
        last = int(told[-2]) if len(told) > 1 else -1
        entries = Journal(folder).entries
        assert len(entries) > last
        assert [int(entry.given["text"].split()[0]) for entry in entries] == list(range(len(entries)))


def test_masks_are_kept_by_content(tmp_path: Path) -> None:
    kept = KeptMasks(tmp_path)
    chance = np.random.default_rng(7)
    for shape in ((1, 1, 1), (3, 5, 7), (12, 64, 80)):
        for filled in (0.0, 0.02, 1.0):
            mask = chance.random(shape) < filled
            key = kept.keep(mask)
            assert kept.keep(mask.copy()) == key
            assert np.array_equal(KeptMasks(tmp_path).get(key), mask)
    assert KeptMasks(tmp_path).keep(np.zeros((2, 3, 4), bool)) != kept.keep(np.zeros((2, 4, 3), bool))


def test_a_damaged_mask_is_refused(tmp_path: Path) -> None:
    key = KeptMasks(tmp_path).keep(np.ones((2, 3, 4), bool))
    path = tmp_path / f"{key}.mask"
    whole = path.read_bytes()
    for damaged in (b"", whole[:-3], whole.replace(b"[2, 3, 4]", b"[2, 3, 5]")):
        path.write_bytes(damaged)
        with pytest.raises(MaskError, match="draw the lesion again"):
            KeptMasks(tmp_path).get(key)
    with pytest.raises(MaskError, match="cannot be read"):
        KeptMasks(tmp_path).get("0" * 64)


def test_the_journal_is_plain_json_lines(opened: Opened) -> None:
    read_visit(opened.session, opened.case, 0)
    lines = (opened.folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    said = [json.loads(line) for line in lines]
    assert [one["n"] for one in said] == list(range(1, len(said) + 1))
    assert said[-1]["do"] == "Sign"
    assert said[0]["at"] == clock()()
    assert STUDY.is_dir()


def test_a_lesion_takes_another_name_with_all_that_is_said_of_it(opened: Opened) -> None:
    session = opened.session
    for number in (1, 2, 3):
        session.do(lesion(number))
    session.do(SetState(timepoint=0, lesion="T01", state=State.ABSENT))
    session.do(SetState(timepoint=1, lesion="T03", state=State.MERGED, part_of="T01"))
    before = session.state
    session.do(RenameLesion(lesion="T01", name="T11"))
    assert session.can_undo == "rename lesion T01 to T11"
    state = opened.again().state
    assert list(state.lesions) == ["T11", "T02", "T03"]
    assert state.lesions["T11"] == before.lesions["T01"]
    assert state.mark(0, "T11") == before.mark(0, "T01")
    assert state.mark(0, "T01") is None
    assert state.mark(1, "T03").part_of == "T11"  # type: ignore[union-attr]
    opened.session.undo()
    assert opened.session.state == before


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("T01", "T02", "T02 is there already"),
        ("T01", "T01", "T01 is there already"),
        ("T09", "T10", "T09 is not there"),
        ("T01", " ", "is no name"),
        ("T01", "T10 ", "is no name"),
    ],
)
def test_a_name_that_cannot_be_is_refused(opened: Opened, old: str, new: str, why: str) -> None:
    opened.session.do(lesion(1))
    opened.session.do(lesion(2))
    with pytest.raises(ReadError, match=why):
        opened.session.do(RenameLesion(lesion=old, name=new))


def test_a_name_is_fixed_once_a_visit_that_names_the_lesion_is_signed(opened: Opened) -> None:
    opened.session.do(lesion(9))  # nothing is said of it at any visit
    read_visit(opened.session, opened.case, 0)
    with pytest.raises(ReadError, match="time point 0 was signed by R1"):
        opened.session.do(RenameLesion(lesion="T01", name="T11"))
    opened.session.do(RenameLesion(lesion="T09", name="T08"))
    assert "T08" in opened.session.state.lesions
    opened.session.do(Reopen(timepoint=0, name="R1", at="2026-01-02T00:00:00Z", reason="names of the site"))
    opened.session.do(RenameLesion(lesion="T01", name="T11"))
    assert opened.session.state.mark(0, "T11") is not None
