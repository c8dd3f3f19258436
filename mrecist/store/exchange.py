"""A whole store as a folder of JSON lines and files, and back: to move it to another database, or to keep it.

::

    DIR/store.json      format, version of the tables, anchor of the trail
    DIR/TABLE.jsonl     one row a line, canonical JSON, in the order of their writing
    DIR/audit.jsonl     the trail: seq, entry, prev_hash, hash
    DIR/files/ab/...    the kept files by their hash
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from mrecist.errors import StoreError
from mrecist.store.audit import anchor_now, verify_rows
from mrecist.store.kept_files import KeptFiles
from mrecist.store.migrations import MIGRATIONS, build
from mrecist.store.schema import FIELDS, table
from mrecist.store.store import Reading, Store, take
from mrecist.store.trail import Anchor, Row, anchor_of, canonical
from mrecist.tables import write_whole

FORMAT = "mrecist-store/1"


def export_store(store: Store, folder: Path) -> Anchor:
    """Write a store to a folder that is not there yet: whole, or not at all; the anchor of its trail.

    Raises :class:`StoreError` when the folder is there, or the store or a kept file is not as the trail says.
    """
    if folder.exists():
        raise StoreError(f"{folder}: is there already; name a folder that is not")
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with store.reading() as read:
            broken = verify_rows(read)
            if broken:
                raise StoreError(f"{store.place.name}: {broken[0]}; a store that is broken is not exported")
            files = KeptFiles(unfinished / "files")
            for name in (*FIELDS, "audit"):
                lines = (f"{canonical(row)}\n" for row in _as_written(read, name))
                write_whole(unfinished / f"{name}.jsonl", "".join(lines))
            for row in read.rows("mask"):
                _copy(row, store.files, files)
            anchor = anchor_now(read)
        said = {"format": FORMAT, "version": MIGRATIONS[-1].number, "anchor": str(anchor)}
        write_whole(unfinished / "store.json", json.dumps(said, indent=1) + "\n")
        unfinished.replace(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return anchor


def import_store(store: Store, folder: Path) -> Anchor:
    """Fill a database that is empty with an exported store: all of it, or nothing when its trail does not hold.

    What an older version exported is brought to the newest tables; the anchor returned is that of the trail then.
    """
    version, anchor = _head(folder)
    with store.empty() as connection:
        for step in MIGRATIONS[:version]:
            build(connection, step)
        for name in (*FIELDS, "audit"):
            rows = _rows(folder / f"{name}.jsonl")
            # Rows have different columns; each is inserted with its own. Those that are replaced come first in the file.
            for row in rows:
                connection.execute(table(name).insert().values(**row))
        for step in MIGRATIONS[version:]:
            take(connection, step, "mrecist")
        read = Reading(connection)
        broken = verify_rows(read, anchor)
        if broken:
            raise StoreError(f"{folder}: {broken[0]}; nothing was imported")
        source = KeptFiles(folder / "files")
        for row in read.rows("mask"):
            _copy(row, source, store.files)
        return anchor_now(read)


def _as_written(read: Reading, name: str) -> list[Row]:
    """Rows in the order of the trail: a row comes after the one that it replaces, whatever the clock said."""
    if name == "audit":
        return read.rows(name)
    place = {each.said()["key"]: each.seq for each in read.entries()}
    return sorted(read.rows(name), key=lambda row: place[row["id"]])


def _copy(row: Row, source: KeptFiles, to: KeptFiles) -> None:
    wrong = source.wrong(row["sha256"], row["size"])
    if wrong:
        raise StoreError(f"{source.path(row['sha256'])} ({row['name']}): {wrong}; restore it from a copy first")
    to.keep(source.path(row["sha256"]))


def _head(folder: Path) -> tuple[int, Anchor]:
    try:
        said = json.loads((folder / "store.json").read_text(encoding="utf-8"))
        known = said["format"] == FORMAT and 1 <= int(said["version"]) <= MIGRATIONS[-1].number
        anchor = anchor_of(said["anchor"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{folder / 'store.json'}: cannot be read ({error}); give a folder that export wrote"
        ) from None
    if not known:
        raise StoreError(f"{folder / 'store.json'}: is of a format or version that this program does not know")
    return int(said["version"]), anchor


def _rows(path: Path) -> list[Row]:
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read ({error}); give a folder that export wrote") from None
