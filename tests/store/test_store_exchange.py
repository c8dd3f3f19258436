"""A whole store out and in again; migrations; stores of older versions."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import inspect
from store_study import ONE_DATABASE, Begun
from store_tampering import by_force, full, last_of

from mrecist.errors import StoreError
from mrecist.store.audit import verify
from mrecist.store.exchange import FORMAT, export_store, import_store
from mrecist.store.migrations import MIGRATIONS, Migration
from mrecist.store.schema import AUDIT, FIELDS, OWN
from mrecist.store.showing import status
from mrecist.store.store import Store, new_store, open_store
from mrecist.store.trail import Anchor
from mrecist.store.visits import Span, spans_of

OLDER = Path(__file__).parent / "written_by"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_store_is_equal_after_a_round_trip(study: Begun, place: Callable[[], str], tmp_path: Path) -> None:
    full(study)
    anchor = export_store(study.store, tmp_path / "out")
    with new_store(place(), tmp_path / "other") as other:
        assert import_store(other, tmp_path / "out") == anchor
        assert verify(other, anchor) == (anchor, [])
        assert status(other) == status(study.store)
        assert export_store(other, tmp_path / "again") == anchor
        with other.reading() as there, study.store.reading() as here:
            for name in (*FIELDS, "audit"):
                assert there.rows(name) == here.rows(name)
    assert contents(tmp_path / "again") == contents(tmp_path / "out")
    assert contents(tmp_path / "other") == {
        name.removeprefix("files/"): data
        for name, data in contents(tmp_path / "out").items()
        if name.startswith("files/")
    }


def test_the_import_goes_on_being_a_store(study: Begun, place: Callable[[], str], tmp_path: Path) -> None:
    study.read()
    export_store(study.store, tmp_path / "out")
    there = place()
    with new_store(there, tmp_path / "other") as other:
        import_store(other, tmp_path / "out")
        with pytest.raises(StoreError, match="holds a store already"):
            import_store(other, tmp_path / "out")
    with open_store(there, tmp_path / "other") as other:
        Begun(other, tmp_path / "drawn").read("S1", 1)
        assert verify(other)[1] == []


def test_an_export_that_was_changed_is_not_imported(study: Begun, place: Callable[[], str], tmp_path: Path) -> None:
    full(study)
    export_store(study.store, tmp_path / "out")
    there = place()
    for name in (*FIELDS, "audit") if "://" not in there else ("measurement", "audit"):
        changed = tmp_path / f"changed-{name}"
        shutil.copytree(tmp_path / "out", changed)
        path = changed / f"{name}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        path.write_text("".join(lines[:-1]), encoding="utf-8")
        with new_store(there, tmp_path / "other") as other:
            with pytest.raises(StoreError, match=r"nothing was imported|nothing of this was written"):
                import_store(other, changed)
            assert other.version() == 0
    (file,) = [path for path in (tmp_path / "out" / "files").rglob("*") if path.is_file() and path.read_text() == "n"]
    file.write_text("x")
    with new_store(there, tmp_path / "other") as other:
        with pytest.raises(StoreError, match="restore it from a copy"):
            import_store(other, tmp_path / "out")
        assert other.version() == 0


@ONE_DATABASE
def test_a_broken_store_is_not_exported(study: Begun, tmp_path: Path) -> None:
    store = full(study)
    by_force(store, f"DELETE FROM pick WHERE id = '{last_of(store, 'pick')}'")
    with pytest.raises(StoreError, match="a store that is broken is not exported"):
        export_store(store, tmp_path / "out")
    assert not [*tmp_path.glob("out*")]
    (tmp_path / "out").mkdir()
    with pytest.raises(StoreError, match="is there already"):
        export_store(store, tmp_path / "out")


def test_the_migrations_make_the_tables_that_the_program_knows(store: Store) -> None:
    with store.engine.connect() as connection:
        found = inspect(connection)
        tables = {name: {column["name"] for column in found.get_columns(name)} for name in found.get_table_names()}
    assert tables == {**{name: {*OWN, *columns} for name, columns in FIELDS.items()}, "audit": set(AUDIT)}
    assert [step.number for step in MIGRATIONS] == [*range(1, len(MIGRATIONS) + 1)]


def next_step(*more: str) -> tuple[Migration, ...]:
    def statements(_: str) -> Iterator[str]:
        yield "ALTER TABLE pick ADD COLUMN extra TEXT"
        yield from more

    return (*MIGRATIONS, Migration(number=len(MIGRATIONS) + 1, name="one more column", statements=statements))


def test_a_migration_is_recorded_and_leaves_old_rows_as_they_were(study: Begun) -> None:
    store = full(study)
    steps = next_step()
    assert store.migrate("boss", steps) == steps[-1:]
    assert store.migrate("boss", steps) == ()
    with store.reading() as read:
        last = read.rows("migration")[-1]
    assert (last["number"], last["name"], last["who"]) == (len(steps), "one more column", "boss")
    assert verify(store)[1] == []


def test_a_migration_that_fails_leaves_nothing(study: Begun) -> None:
    before = verify(study.store)
    with pytest.raises(StoreError, match="nothing of this was written"):
        study.store.migrate("boss", next_step("ALTER TABLE nowhere ADD COLUMN x TEXT"))
    assert study.store.version() == len(MIGRATIONS)
    assert verify(study.store) == before
    study.store.migrate("boss", next_step())  # the column is not there yet


@ONE_DATABASE
def test_a_store_of_a_newer_program_is_refused(study: Begun, where: str, tmp_path: Path) -> None:
    known = len(MIGRATIONS)
    study.store.migrate("boss", next_step())
    with (
        pytest.raises(
            StoreError, match=rf"has tables of version {known + 1} and this program knows {known}; update mrecist"
        ),
        open_store(where, tmp_path),
    ):
        pass


@pytest.mark.parametrize("dump", sorted(OLDER.glob("*.sql")), ids=lambda path: path.stem)
def test_a_store_that_an_older_version_wrote_opens_and_goes_on(dump: Path, tmp_path: Path) -> None:
    """The dumps are of ``sqlite3 store.sqlite .dump`` after the reads of store_study.py, and never change."""
    with sqlite3.connect(tmp_path / "store.sqlite") as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))
    connection.close()
    with open_store(str(tmp_path)) as store:
        assert store.version() == len(MIGRATIONS)
        assert verify(store, files=False)[1] == []
        old = Begun(store, tmp_path / "drawn")
        assert [visit.state for visit in status(store)[0].visits] == ["locked", "locked", "open"]
        with store.reading() as read:
            # Before version 2 a visit was of one day; in the dumps since then one is of three.
            last = date(2024, 3, 28 if dump.stem == "version_1" else 30)
            assert spans_of(read, "S2")[1] == Span(date(2024, 3, 28), last)
        old.read("S2", 1, "B")
        assert verify(store, files=False)[1] == []


def test_what_an_older_version_exported_is_imported(study: Begun, place: Callable[[], str], tmp_path: Path) -> None:
    """Version 1 wrote the same files without ``last_date``, and one row of ``migration``."""
    study.read()
    export_store(study.store, tmp_path / "out")
    older = as_of_version_1(tmp_path / "out")
    with new_store(place(), tmp_path / "other") as other:
        anchor = import_store(other, tmp_path / "out")
        assert other.version() == len(MIGRATIONS)
        assert anchor.count == older.count + len(MIGRATIONS) - 1
        assert verify(other, older)[1] == []
        Begun(other, tmp_path / "drawn").read("S1", 1)


def as_of_version_1(folder: Path) -> Anchor:
    """Take the later migrations out of an exported store; its anchor then. The entries are chained anew."""
    lines = [json.loads(line) for line in (folder / "audit.jsonl").read_text(encoding="utf-8").splitlines()]
    said = [line["entry"] for line in lines]
    kept = [one for one in said if (row := json.loads(one))["table"] != "migration" or row["to"]["number"] == 1]
    before, chain = "0" * 64, []
    for seq, entry in enumerate(kept, 1):
        made = hashlib.sha256(f"{seq}\n{before}\n{entry}".encode()).hexdigest()
        chain.append({"seq": seq, "entry": entry, "prev_hash": before, "hash": made})
        before = made
    (folder / "audit.jsonl").write_text("".join(json.dumps(line) + "\n" for line in chain), encoding="utf-8")
    path = folder / "migration.jsonl"
    rows = [line for line in path.read_text(encoding="utf-8").splitlines() if json.loads(line)["number"] == 1]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    anchor = Anchor(count=len(chain), hash=before)
    head = {"format": FORMAT, "version": 1, "anchor": str(anchor)}
    (folder / "store.json").write_text(json.dumps(head), encoding="utf-8")
    return anchor


def test_every_version_has_its_dump() -> None:
    assert sorted(path.name for path in OLDER.glob("*.sql")) == [f"version_{step.number}.sql" for step in MIGRATIONS]
    with pytest.raises(StoreError, match="there is no store; begin one"), open_store(str(OLDER)):
        pass
