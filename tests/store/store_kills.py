"""A process that writes reads and is killed at random moments; used by test_store_kills.py and benchmarks/store_kills.py."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from store_study import Begun, begun

from mrecist.store.audit import verify
from mrecist.store.store import Store, open_store
from mrecist.store.submitting import submit

# A writer is killed after it has reported up to so many reads less one, and then a part of this time.
MOST_READS, LATEST_SECONDS = 4, 0.04


@dataclass
class Outcome:
    """What was found after the kills. ``acknowledged`` reads were reported by the writer before it was killed."""

    kills: int = 0
    acknowledged: int = 0
    written: int = 0
    hot: int = 0  # kills that left a journal behind: in the middle of a write
    orphans: int = 0  # kept files that no row names: a kill between file and rows


def write_until_killed(where: str, files: Path, start: int, said: Connection) -> None:
    """Submit one version after another of the same visit, each with a mask; ``said`` hears of every one that is written."""
    with open_store(where, files) as store:
        study = Begun(store, files.parent / "drawn")
        said.send_bytes(b"begun")
        for number in range(start, start + 100_000):
            given = study.given(mm=f"{number % 900 + 10}.{number % 10}", mask=f"mask {number}")
            row = submit(store, given, "again")
            said.send_bytes(str(row["id"]).encode("ascii"))


def kill_and_look(where: str, files: Path, times: int, seed: int) -> Outcome:
    """Kill a writer ``times`` times; raises ``AssertionError`` where anything is lost or half there."""
    chance = random.Random(seed)
    context = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
    if os.name == "posix":
        context.set_forkserver_preload(["store_kills", "sqlalchemy.dialects.sqlite", "pg8000"])
    outcome, known = Outcome(), set()
    with begun(where, files):
        pass
    for _ in range(times):
        hear, say = context.Pipe(duplex=False)
        writer = context.Process(target=write_until_killed, args=(where, files, outcome.written, say), daemon=True)
        writer.start()
        say.close()
        assert hear.recv_bytes() == b"begun"
        known |= {hear.recv_bytes().decode("ascii") for _ in range(chance.randrange(MOST_READS))}
        time.sleep(chance.uniform(0, LATEST_SECONDS))
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join()
        known |= set(_heard(hear))
        outcome.kills += 1
        outcome.hot += Path(where, "store.sqlite-journal").exists()
        with open_store(where, files) as store:
            outcome.written = look(store, known)
    outcome.acknowledged = len(known)
    with open_store(where, files) as store, store.reading() as read:
        named = {row["sha256"] for row in read.rows("mask")}
        outcome.orphans = len({path.name for path in files.rglob("*") if path.is_file()} - named)
    return outcome


def look(store: Store, acknowledged: set[str]) -> int:
    """How many reads there are; every acknowledged one is there, each has all its rows, and everything verifies."""
    assert verify(store)[1] == []
    with store.reading() as read:
        ids = {row["id"] for row in read.rows("read")}
        assert acknowledged <= ids, f"lost: {acknowledged - ids}"
        for name, each in (("measurement", 2), ("mask", 1)):
            owners = [row["read_id"] for row in read.rows(name)]
            assert sorted(owners) == sorted([*ids] * each), f"a read without all its rows in {name}"
    return len(ids)


def _heard(hear: Connection) -> Iterator[str]:
    while True:
        try:
            yield hear.recv_bytes().decode("ascii")
        except (EOFError, OSError):
            return
