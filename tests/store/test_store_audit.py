"""The audit trail: whatever is changed behind it is found, and named."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from pathlib import Path

import pytest
from postgresql_server import PASSWORD
from sqlalchemy import text
from store_study import ONE_DATABASE, Begun
from store_tampering import by_force, disarm, full, last_of

from mrecist.errors import StoreError
from mrecist.store.audit import export_trail, read_trail, verify, verify_rows
from mrecist.store.migrations import MIGRATIONS
from mrecist.store.place import engine_of, place_of
from mrecist.store.schema import FIELDS
from mrecist.store.store import Reading, Store, open_store
from mrecist.store.trail import Anchor, chain_breaks


def first_break(store: Store, anchor: Anchor | None = None) -> str:
    broken = verify(store, anchor)[1]
    assert broken
    return str(broken[0])


def test_an_untouched_store_verifies(study: Begun) -> None:
    anchor, broken = verify(full(study))
    assert broken == []
    with study.store.reading() as read:
        rows = sum(len(read.rows(name)) for name in FIELDS)
        assert all(read.rows(name) for name in FIELDS)
    assert anchor.count == rows  # an entry for every row
    assert verify(study.store, anchor)[1] == []


def test_rows_are_never_changed_or_deleted(study: Begun) -> None:
    store = full(study)
    for name in (*FIELDS, "audit"):
        for statement in (f"UPDATE {name} SET {'hash' if name == 'audit' else 'who'} = 'x'", f"DELETE FROM {name}"):
            with store.engine.connect().execution_options(writes=True) as connection, connection.begin():
                with pytest.raises(Exception, match="never changed or deleted"):
                    connection.execute(text(statement))
                connection.rollback()


def test_tampering_of_each_table_is_found(study: Begun) -> None:
    store = full(study)
    with store.engine.connect().execution_options(writes=True) as connection, connection.begin() as whole:
        disarm(connection)
        for name in FIELDS:
            key = Reading(connection).rows(name)[-1]["id"]
            column = "number" if name == "migration" else FIELDS[name][0]
            value = "number + 1" if name == "migration" else f"{column} || 'x'"
            for statement, said in (
                (f"UPDATE {name} SET {column} = {value} WHERE id = '{key}'", f"{name} {key}: {column} is"),
                (f"DELETE FROM {name} WHERE id = '{key}'", f"{name} {key} is not in the store any more"),
                (
                    f"INSERT INTO {name} (id, at, who) VALUES ('planted', '2024', 'x')",
                    f"{name} planted is in the store and in no entry of the trail",
                ),
            ):
                with connection.begin_nested() as tampering:
                    connection.execute(text(statement))
                    (broken,) = verify_rows(Reading(connection))
                    assert said in str(broken)
                    tampering.rollback()
        assert verify_rows(Reading(connection)) == []
        whole.rollback()


@ONE_DATABASE
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit SET entry = replace(entry, '\"A\"', '\"B\"') WHERE seq = 14", "entry 14: was changed"),
        ("UPDATE audit SET hash = prev_hash || '' WHERE seq = 0", ""),
        ("DELETE FROM audit WHERE seq = 9", "entry 9: is not there; the trail goes on with entry 10"),
        ("DELETE FROM audit WHERE seq = 1", "entry 1: is not there"),
        ("UPDATE audit SET prev_hash = 'x' WHERE seq = 5", "entry 5: names 'x' as the hash before it"),
        ("UPDATE audit SET seq = -8 WHERE seq = 8; UPDATE audit SET seq = 8 WHERE seq = 7; "
         "UPDATE audit SET seq = 7 WHERE seq = -8", "entry 7: names"),
        ("INSERT INTO audit VALUES (9999, '{}', 'a', 'b')", "is not there; the trail goes on with entry 9999"),
    ],
)  # fmt: skip
def test_tampering_of_the_trail_is_found(study: Begun, statement: str, said: str) -> None:
    study.read_all()
    by_force(study.store, *statement.split("; "))
    if not said:
        assert verify(study.store)[1] == []
    else:
        assert said in first_break(study.store)


def test_a_trail_that_was_cut_off_is_found_by_its_rows_or_by_the_anchor(study: Begun) -> None:
    store = full(study)
    anchor = verify(store)[0]
    by_force(store, f"DELETE FROM audit WHERE seq = {anchor.count}")
    assert "is in the store and in no entry of the trail" in first_break(store)
    # The row goes too: only the anchor, kept elsewhere, can tell.
    by_force(store, f"DELETE FROM pick WHERE id = '{last_of(store, 'pick')}'")
    assert verify(store)[1] == []
    assert first_break(store, anchor) == (
        f"entry {anchor.count}: is not there: the trail ends before it, and the anchor counts {anchor.count}"
    )
    # A history that was written anew from there on has another hash.
    with store.writing("C", "") as write:
        write.add("pick", "adjudicated", subject="S1", variable="best_confirmed", reader="B")
    assert verify(store)[1] == []
    assert first_break(store, anchor).startswith(f"entry {anchor.count}: has the hash")


@ONE_DATABASE
def test_a_changed_file_is_found(study: Begun) -> None:
    study.read(mask="mask-0")
    with study.store.reading() as read:
        kept = study.store.files.path(read.rows("mask")[0]["sha256"])
    kept.write_text("mask-X")
    assert "(S1_0_mask-0.dcm) has SHA-256" in first_break(study.store)
    assert verify(study.store, files=False)[1] == []
    with pytest.raises(StoreError, match="it was changed on the disk"):
        study.read("S1", 1, mask="mask-0")


def written_by_the_page(lines: list[dict[str, object]]) -> list[str]:
    """The hashes of a trail as docs/core-lab.md describes them, by nothing of this package."""
    found, before = [], "0" * 64
    for line in lines:
        entry = {key: value for key, value in line.items() if key not in ("seq", "prev_hash", "hash")}
        text_of = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        before = hashlib.sha256(f"{line['seq']}\n{before}\n{text_of}".encode()).hexdigest()
        found.append(before)
    return found


@ONE_DATABASE
@pytest.mark.parametrize("name", ["trail.csv", "trail.jsonl"])
def test_an_exported_trail_is_verified_without_the_store(study: Begun, tmp_path: Path, name: str) -> None:
    store, path = full(study), tmp_path / name
    with store.reading() as read:
        entries = [*read.entries()]
    anchor = export_trail(entries, path)
    assert anchor == verify(store)[0]
    assert read_trail(path) == entries
    assert [*chain_breaks(read_trail(path), anchor)] == []
    if name.endswith("jsonl"):
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    else:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [{key: value for key, value in row.items() if value} for row in csv.DictReader(file)]
        lines = [{**r, **{key: json.loads(r[key]) for key in ("from", "to") if key in r}} for r in rows]
    assert written_by_the_page(lines) == [line["hash"] for line in lines]
    changed = path.read_text(encoding="utf-8").replace("wrong series", "wrong serie5", 1)
    path.write_text(changed, encoding="utf-8")
    broken = [*chain_breaks(read_trail(path), anchor)]
    assert "was changed" in str(broken[0])


@ONE_DATABASE
def test_every_entry_says_who_when_what_why_and_with_what(study: Begun) -> None:
    with full(study).reading() as read:
        said = [each.said() for each in read.entries()]
        sha256 = read.protocol()["sha256"]
    assert {"at", "who", "account", "what", "table", "key", "to", "software"} <= set.intersection(*map(set, said))
    assert all(one["protocol_sha256"] == sha256 for one in said[len(MIGRATIONS) :])
    (unlocked,) = [one for one in said if one["what"] == "visit unlocked"]
    assert (unlocked["who"], unlocked["why"], unlocked["from"]["state"]) == ("boss", "wrong series", "locked")


def test_no_password_in_messages(postgresql: str) -> None:
    wrong = postgresql.replace(PASSWORD, "s3cret")
    with pytest.raises(StoreError) as error, open_store(wrong):
        pass
    assert "s3cret" not in str(error.value)
    assert "password authentication failed" in str(error.value)
    assert "s3cret" not in repr(place_of(wrong))


def test_the_sqlite_file_syncs_before_it_acknowledges(tmp_path: Path) -> None:
    with engine_of(place_of(str(tmp_path))).connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
    assert found == {"journal_mode": "delete", "synchronous": 3}  # 3 = EXTRA, sqlite.org/pragma.html
    assert sqlite3.connect(tmp_path / "store.sqlite").execute("PRAGMA journal_mode").fetchone() == ("delete",)
