"""Signed visits in the study folder: score gives of them what the session says, and re-opening takes them out."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from session_reading import STUDY, clock, read_visit

from mrecist.batch import score_study
from mrecist.errors import InputError, ReadError
from mrecist.session.actions import AnswerNewLesions, SetLine
from mrecist.session.case import Case, open_case
from mrecist.session.checklist import live
from mrecist.session.room import enter
from mrecist.session.rows import Rows
from mrecist.session.session import Session, open_session
from mrecist.session.signed import is_written, reopen, sign, write_signed
from mrecist.session.state import ManualLine
from mrecist.study import open_study
from mrecist.tables import safe_name, write_whole


@dataclass
class Reading:
    study: Path
    case: Case
    session: Session
    rows: Rows


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Reading]:
    """SAMPLE-01 read by R1 as in the sample, in a study that holds its images only; nothing is signed yet."""
    study = tmp_path / "study"
    shutil.copytree(STUDY / "images" / "SAMPLE-01", study / "images" / "SAMPLE-01")
    session = open_session(open_case(open_study(STUDY), "SAMPLE-01"), "R1", study / "reads" / "kept", clock())
    case = open_case(open_study(STUDY), "SAMPLE-01")
    for visit in case.visits:
        read_visit(session, case, visit.timepoint, sign=False)
    yield Reading(study, case, session, Rows("R1", session.masks))
    session.close()


def sign_all(reading: Reading) -> None:
    for visit in reading.case.visits:
        sign(reading.session, reading.rows, visit.timepoint, "R1")
        write_signed(reading.session, reading.rows, reading.study)


def responses(folder: Path) -> list[dict[str, str]]:
    with (folder / "responses.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_score_of_a_signed_read_is_what_the_session_says(reading: Reading, tmp_path: Path) -> None:
    sign_all(reading)
    scored = score_study(reading.study, tmp_path / "out")
    assert scored.results.problems == ()
    mine = live(reading.session.state, reading.session.case, reading.rows)
    assert scored.results.responses == mine.responses
    order = lambda row: (row.timepoint, row.lesion)  # noqa: E731
    assert sorted(scored.results.measurements, key=order) == sorted(mine.rows, key=order)
    # The sample's truth: sample_data/truth/responses.csv, of RECIST 1.1 SD, SD and of mRECIST PR, PR.
    assert [r["overall"] for r in responses(tmp_path / "out") if r["timepoint"] != "0"] == ["SD", "SD", "PR", "PR"]


def test_only_signed_visits_are_in_the_study(reading: Reading, tmp_path: Path) -> None:
    sign(reading.session, reading.rows, 0, "R1")
    write_signed(reading.session, reading.rows, reading.study)
    files = sorted(p.relative_to(reading.study).as_posix() for p in reading.study.glob("masks/**/*.dcm"))
    assert files == ["masks/read_R1_SAMPLE-01/0_1.dcm"]
    sign(reading.session, reading.rows, 1, "R1")
    write_signed(reading.session, reading.rows, reading.study)
    assert len(list(reading.study.glob("masks/**/*.dcm"))) == 2
    reopen(reading.session, 1, "R1", "wrong slice")
    write_signed(reading.session, reading.rows, reading.study)
    assert len(list(reading.study.glob("masks/**/*.dcm"))) == 1
    scored = score_study(reading.study, tmp_path / "out")
    assert {row.timepoint for row in scored.results.measurements} == {0}
    reopen(reading.session, 0, "R1", "wrong lesion")
    write_signed(reading.session, reading.rows, reading.study)
    assert list(reading.study.glob("masks/**/*.dcm")) == list(reading.study.glob("reads/read_*")) == []


def test_a_visit_with_open_points_is_not_signed(reading: Reading) -> None:
    reading.session.do(AnswerNewLesions(timepoint=1, answer=None))
    with pytest.raises(
        ReadError, match="time point 1 cannot be signed yet: answer the question: is there a new lesion"
    ):
        sign(reading.session, reading.rows, 1, "R1")
    assert reading.session.state.visit(1).signature is None
    assert not list(reading.study.glob("masks/**/*.dcm"))


def test_a_line_set_by_hand_stands_beside_its_mask(reading: Reading, tmp_path: Path) -> None:
    drawn = reading.rows.drawn(reading.session.state, reading.case, 0, "T01")
    assert drawn is not None
    longest = drawn.measurement.longest
    # 40 columns of 1.5 mm or so: the length follows from the pixel spacing alone.
    line = ManualLine(slice_index=longest.slice_index, ends=((10.0, 4.0), (10.0, 44.0)))
    reading.session.do(SetLine(timepoint=0, lesion="T01", size="longest_mm", line=line))
    sign_all(reading)
    scored = score_study(reading.study, tmp_path / "out")
    assert scored.results.problems == ()
    row = next(r for r in scored.results.measurements if (r.timepoint, r.lesion) == (0, "T01"))
    assert float(row.longest_mm or 0) == pytest.approx(40 * drawn.mask.geometry.column_spacing_mm, abs=0.05)
    assert row.manual == ("longest_mm",)
    assert scored.results.responses == live(reading.session.state, reading.session.case, reading.rows).responses
    marks = json.loads((reading.study / "reads" / "read_R1_SAMPLE-01.json").read_text(encoding="utf-8"))
    said = marks["visits"][0]["lesions"]["T01"]["lines"]["longest_mm"]
    assert said["manual"] is True
    assert said["mm"] == pytest.approx(40 * drawn.mask.geometry.column_spacing_mm)


def test_a_file_of_somebody_else_is_never_overwritten(reading: Reading) -> None:
    foreign = reading.study / "reads" / "read_R1_SAMPLE-01.csv"
    foreign.write_text("mine", encoding="utf-8")
    sign(reading.session, reading.rows, 0, "R1")
    with pytest.raises(InputError, match="was not written by this read; move it away"):
        write_signed(reading.session, reading.rows, reading.study)
    assert foreign.read_text(encoding="utf-8") == "mine"
    foreign.unlink()
    assert len(write_signed(reading.session, reading.rows, reading.study)) == 3


@pytest.mark.parametrize("text", ["../../x", "a/b", "", "R 1", "ä", "con", "x" * 200])
def test_names_cannot_leave_the_folder(text: str) -> None:
    name = safe_name(text)
    assert "/" not in name
    assert "." not in name
    assert 0 < len(name) <= 41
    assert safe_name(text + "'") != name


def test_files_that_a_full_disk_refused_are_written_when_the_read_is_opened_again(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.move(reading.study / "reads" / "kept", reading.study / "reads/.sessions/R1_SAMPLE-01")
    reading.session.close()
    room = enter(open_study(reading.study), "SAMPLE-01", "R1")
    room.look_at(0)
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def refuse(path: Path, content: object) -> None:
        if path.suffix == ".dcm":
            raise full
        write_whole(path, content)  # type: ignore[arg-type]

    with monkeypatch.context() as disk:
        disk.setattr("mrecist.session.signed.write_whole", refuse)
        with pytest.raises(OSError, match="No space left"):
            room.sign("R1")
        room.close()
        room = enter(open_study(reading.study), "SAMPLE-01", "R1")  # still full: the read opens all the same
        assert "No space left" in room.unwritten
        room.close()
    assert list(reading.study.glob("masks/**/*.dcm")) == []
    room = enter(open_study(reading.study), "SAMPLE-01", "R1")
    assert (room.unwritten, is_written(room.session)) == ("", True)
    assert len(list(reading.study.glob("masks/**/*.dcm"))) == 1
    room.look_at(0)
    room.reopen("R1", "wrong slice", write=False)
    assert not is_written(room.session)
    room.close()
    room = enter(open_study(reading.study), "SAMPLE-01", "R1")
    assert list(reading.study.glob("masks/**/*.dcm")) == []
    room.close()
