"""The audit trail of a store: verified against its rows and files, exported, and verified again without the store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from mrecist.errors import StoreError
from mrecist.store.schema import FIELDS
from mrecist.store.store import Reading, Store
from mrecist.store.trail import ENTRY_FIELDS, Anchor, Break, Entry, canonical, chain_breaks, content_breaks
from mrecist.tables import csv_text, read_rows, write_whole

COLUMNS = ("seq", *ENTRY_FIELDS, "prev_hash", "hash")
"""Columns of an exported trail; ``from`` and ``to`` are JSON."""


def anchor_now(read: Reading) -> Anchor:
    """The length of a trail and its last hash."""
    last = next(iter(reversed([*read.entries()])), None)
    return Anchor(count=last.seq, hash=last.hash) if last else Anchor(count=0, hash="0" * 64)


def verify(store: Store, anchor: Anchor | None = None, *, files: bool = True) -> tuple[Anchor, list[Break]]:
    """What is wrong with a store, the first break first: the chain, then every row, then (``files``) every kept file."""
    with store.reading() as read:
        found = [*verify_rows(read, anchor)]
        if files:
            # A row that names no file is no row of the trail either: it is among the breaks.
            for row in (one for one in read.rows("mask") if {"sha256", "size"} <= one.keys()):
                wrong = store.files.wrong(row["sha256"], row["size"])
                found += (
                    [Break(seq=None, what=f"{store.files.path(row['sha256'])} ({row['name']}) {wrong}")]
                    if wrong
                    else []
                )
        return anchor_now(read), found


def verify_rows(read: Reading, anchor: Anchor | None = None) -> list[Break]:
    """The chain and every row of a store."""
    entries = [*read.entries()]
    rows = {name: {row["id"]: row for row in read.rows(name)} for name in FIELDS}
    chain = [*chain_breaks(entries, anchor)]
    return [*chain, *content_breaks(entries, rows)]


def export_trail(entries: Sequence[Entry], path: Path) -> Anchor:
    """Write a trail as a table (``.csv``) or as JSON lines (any other name); the anchor to keep elsewhere.

    Raises :class:`StoreError` where an entry cannot be read: a trail that is broken is not exported as if it were whole.
    """
    rows = []
    for each in entries:
        try:
            said = each.said()
        except ValueError as error:
            raise StoreError(f"entry {each.seq} of the trail {error}; run: mrecist audit verify") from None
        rows.append({"seq": each.seq, "prev_hash": each.prev_hash, "hash": each.hash, **said})
    if path.suffix.casefold() == ".csv":
        written = [
            {key: canonical(value) if isinstance(value, dict) else value for key, value in row.items()} for row in rows
        ]
        write_whole(path, csv_text(COLUMNS, written))
    else:
        write_whole(path, "".join(f"{canonical(row)}\n" for row in rows))
    return Anchor(count=entries[-1].seq, hash=entries[-1].hash) if entries else Anchor(count=0, hash="0" * 64)


def read_trail(path: Path) -> list[Entry]:
    """An exported trail; raises :class:`mrecist.errors.InputError` or :class:`StoreError` where the file is none."""
    if path.suffix.casefold() == ".csv":
        _, lines = read_rows(path, COLUMNS)
        return [_entry(path, number, cells) for number, cells in lines]
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path}: cannot be read ({error}); check the path") from None
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if line:
            try:
                row = json.loads(line)
                kept = {key: row[key] for key in ENTRY_FIELDS if key in row}
                extra = set(row) - set(COLUMNS)
                if extra:
                    raise ValueError(f"unknown {', '.join(sorted(extra))}")
                found.append(
                    Entry(seq=int(row["seq"]), entry=canonical(kept), prev_hash=row["prev_hash"], hash=row["hash"])
                )
            except (ValueError, KeyError, TypeError) as error:
                raise StoreError(f"{path}: line {number} is no entry of an audit trail ({error})") from None
    return found


def _entry(path: Path, number: int, cells: dict[str, str]) -> Entry:
    try:
        kept = {key: cells[key] for key in ENTRY_FIELDS if cells[key]}
        said = {key: json.loads(text) if key in ("from", "to") else text for key, text in kept.items()}
        return Entry(seq=int(cells["seq"]), entry=canonical(said), prev_hash=cells["prev_hash"], hash=cells["hash"])
    except ValueError as error:
        raise StoreError(f"{path}: line {number} is no entry of an audit trail ({error})") from None
