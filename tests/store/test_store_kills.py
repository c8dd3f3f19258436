"""Nothing is lost and nothing is half there: killed writers, full disks, two writers at once."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from postgresql_server import new_schema
from store_kills import kill_and_look, look
from store_study import Begun, begun

from mrecist.errors import StoreError
from mrecist.store.audit import verify
from mrecist.store.migrations import MIGRATIONS
from mrecist.store.store import Store, open_store
from mrecist.store.submitting import submit


def test_a_writer_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    """The long run, 200 kills, is benchmarks/store_kills.py."""
    (tmp_path / "study").mkdir()
    outcome = kill_and_look(str(tmp_path / "study"), tmp_path / "kept", times=4, seed=20)
    assert outcome.kills == 4
    assert 0 < outcome.acknowledged <= outcome.written


def test_a_writer_that_is_killed_loses_nothing_on_a_server(postgresql: str, tmp_path: Path) -> None:
    outcome = kill_and_look(new_schema(postgresql), tmp_path / "kept", times=2, seed=21)
    assert 0 < outcome.acknowledged <= outcome.written


def test_a_full_disk_is_one_line_and_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    from sqlalchemy import event

    (tmp_path / "study").mkdir()
    with begun(str(tmp_path / "study")) as study:
        submit(study.store, study.given(mask="first"))
        # SQLite says "full" at this number of pages as it does when the disk is (sqlite.org/pragma.html#pragma_max_page_count).
        path = study.store.place.path
        assert path is not None
        pages = path.stat().st_size // 4096 + 1
        full = Store(study.store.place)
        event.listen(full.engine, "connect", lambda c, _: c.execute(f"PRAGMA max_page_count={pages}").close())
        acknowledged = []

        def fill() -> None:
            for number in range(50):
                acknowledged.append(submit(full, study.given(mm=f"{number + 10}"), "x" * 3000)["id"])

        with pytest.raises(StoreError) as error:
            fill()
        assert str(error.value) == f"{path}: database or disk is full; nothing of this was written"
        with open_store(str(tmp_path / "study")) as again:
            with again.reading() as read:
                assert [row["id"] for row in read.rows("read")][1:] == acknowledged
            assert verify(again)[1] == []
            submit(again, study.given(mm="77"), "there is room again")
            assert verify(again)[1] == []


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
from mrecist.cli import main
raise SystemExit(main(sys.argv[2:]))
"""


@pytest.mark.skipif(os.name != "posix", reason="only POSIX limits the size of files")
def test_no_room_for_a_mask_or_a_row_is_one_line(tmp_path: Path) -> None:
    from mrecist.tables import measurements_csv, write_whole

    folder = tmp_path / "study"
    folder.mkdir()
    with begun(str(folder)) as study:
        given = study.given()
        before = verify(study.store)
    write_whole(tmp_path / "rows.csv", measurements_csv(given.rows))
    (tmp_path / "mask.dcm").write_bytes(bytes(5_000_000))
    command = ["reads", "submit", str(folder), str(tmp_path / "rows.csv"), "--reader", "A", "--subject", "S1"]
    command += ["--timepoint", "0", "--file", str(tmp_path / "mask.dcm")]
    # Room for the database and not for the mask; then not even for the database, which has some 150 kB.
    for room, said in ((1_000_000, "store.files"), (20_000, "store.sqlite")):
        run = [sys.executable, "-c", LIMITED, str(room), *(command if room > 50_000 else command[:-2])]
        done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2, done.stderr
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert said in line
        assert line.endswith("was written")
    with open_store(str(folder)) as store:
        assert verify(store) == before
        assert [path for path in (folder / "store.files").rglob("*") if path.is_file()] == []


def write_three(where: str, files: Path, reader: str) -> None:
    with open_store(where, files) as store:
        study = Begun(store, files.parent / f"drawn-{reader}")
        for number in range(3):
            submit(store, study.given(reader=reader, mm=str(20 + number), mask=f"{reader} {number}"), "again")


def begin_at_once(where: str, said: Connection) -> None:
    from mrecist.store.store import new_store

    with new_store(where) as store:
        said.send(len(store.migrate("boss")))


def test_two_programs_that_migrate_at_once_do_it_once(where: str) -> None:
    context = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
    ears = []
    for _ in range(2):
        hear, say = context.Pipe(duplex=False)
        context.Process(target=begin_at_once, args=(where, say)).start()
        ears.append(hear)
    assert sorted(hear.recv() for hear in ears) == [0, len(MIGRATIONS)]
    with open_store(where) as store:
        assert verify(store, files=False)[1] == []


def test_two_writers_at_once_make_one_chain(where: str, tmp_path: Path) -> None:
    files = tmp_path / "kept"
    with begun(where, files):
        pass
    context = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
    writers = [context.Process(target=write_three, args=(where, files, reader)) for reader in "AB"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0]
    with open_store(where, files) as store:
        assert look(store, set()) == 6
