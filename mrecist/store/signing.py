"""Signatures over reads. A signature lists the hash of every row and file under it, and holds while they are the same."""

from __future__ import annotations

import json
from dataclasses import dataclass

from mrecist.errors import NotSigned, StoreError
from mrecist.store.assigning import own_case, visits_of
from mrecist.store.store import Reading, Store
from mrecist.store.submitting import lock_of, read_of
from mrecist.store.trail import Anchor, Row, canonical, sha256

MEANING = "read completed"
"""What a signature means unless the reader says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signature and what changed under it since; it holds when nothing did. ``anchor`` is known when it was just made."""

    row: Row
    changed: tuple[str, ...] = ()
    anchor: Anchor | None = None


def sign(store: Store, subject: str, reader: str, name: str, meaning: str, timepoint: int | None = None) -> Signed:
    """Sign a visit, or every visit of a subject where ``timepoint`` is None.

    Raises :class:`StoreError` where a visit is not locked, or a kept file is not as it was.
    """
    with store.writing(reader) as write:
        own = own_case(write, subject, reader)["subject"]
        visits = [*visits_of(write, own)] if timepoint is None else [timepoint]
        for each in visits:
            if lock_of(write, own, reader, each) is None:
                raise StoreError(f"{subject} time point {each} is not locked; a visit is signed after it is locked")
        covers = covered(write, own, reader, visits)
        for row in _files(write, own, reader, visits):
            wrong = store.files.wrong(row["sha256"], row["size"])
            if wrong:
                raise StoreError(f"{store.files.path(row['sha256'])} ({row['name']}): {wrong}; it cannot be signed")
        text = canonical(covers)
        old = _signature(write, own, reader, timepoint)
        row = write.add(
            "signature",
            "read signed",
            replaces=old,
            subject=own,
            reader=reader,
            timepoint=timepoint,
            name=name,
            meaning=meaning or MEANING,
            covers=text,
            covers_sha256=sha256(text),
        )
        return Signed(row=row, anchor=write.anchor)


def signatures(store: Store, read: Reading, subject: str, reader: str) -> tuple[Signed, ...]:
    """The signatures in force on a subject's reads, each with what changed under it."""
    found = []
    for row in read.current("signature", subject=subject, reader=reader):
        visits = [row["timepoint"]] if "timepoint" in row else [*visits_of(read, subject)]
        found.append(Signed(row=row, changed=(*_changes(store, read, row, visits),)))
    return tuple(found)


def require_signed(store: Store, read: Reading, subject: str, reader: str) -> None:
    """Raise :class:`NotSigned` unless every visit of a subject is under a signature that holds."""
    held = signatures(store, read, subject, reader)
    for timepoint in visits_of(read, subject):
        mine = [one for one in held if one.row.get("timepoint", timepoint) == timepoint]
        # A visit that was added after the whole subject was signed is not read, whatever that signature says.
        if not mine or read_of(read, subject, reader, timepoint) is None:
            what = f"time point {timepoint} is not signed"
            raise NotSigned(f"{subject} time point {timepoint} of {reader} is not signed", what)
        if all(one.changed for one in mine):
            broken = f"the signature is broken: {mine[0].changed[0]}"
            # One over all visits is broken by a change of any of them, which it names.
            signed = f"time point {timepoint}" if "timepoint" in mine[0].row else "all visits"
            raise NotSigned(f"{subject} {signed} of {reader}: {broken}", f"{signed}: {broken}")


def covered(read: Reading, subject: str, reader: str, visits: list[int]) -> dict[str, str]:
    """What a signature stands over: table and id (or "file" and name) -> SHA-256, of the newest version of each visit."""
    rows: list[tuple[str, Row]] = []
    for timepoint in visits:
        newest, held = read_of(read, subject, reader, timepoint), lock_of(read, subject, reader, timepoint)
        if newest is None:
            continue
        rows.append(("read", newest))
        # The protocol that was read by; a later one changes nothing of what was signed.
        rows += [("protocol", row) for row in read.rows("protocol", sha256=newest["protocol_sha256"])]
        rows += [("lock", held)] if held else []
        rows += [(name, row) for name in ("measurement", "mask") for row in read.rows(name, read_id=newest["id"])]
    return {f"{name} {row['id']}": sha256(canonical(row)) for name, row in rows}


def _files(read: Reading, subject: str, reader: str, visits: list[int]) -> list[Row]:
    newest = (read_of(read, subject, reader, timepoint) for timepoint in visits)
    return [row for one in newest if one for row in read.rows("mask", read_id=one["id"])]


def _signature(read: Reading, subject: str, reader: str, timepoint: int | None) -> Row | None:
    for row in read.current("signature", subject=subject, reader=reader):
        if row.get("timepoint") == timepoint:
            return row
    return None


def _changes(store: Store, read: Reading, row: Row, visits: list[int]) -> list[str]:
    said = []
    if sha256(row["covers"]) != row["covers_sha256"]:
        said.append("the signature itself was changed")
    then: dict[str, str] = json.loads(row["covers"])
    now = covered(read, row["subject"], row["reader"], visits)
    for key in sorted({*then, *now}):
        table = key.split(" ")[0]
        if key not in now:
            said.append(f"{table} that was signed is not in force any more ({_placed(read, key)})")
        elif key not in then:
            said.append(f"{table} is new since ({_placed(read, key)})")
        elif then[key] != now[key]:
            said.append(f"{table} was changed ({_placed(read, key)})")
    for one in _files(read, row["subject"], row["reader"], visits):
        wrong = store.files.wrong(one["sha256"], one["size"])
        said += [f"file {one['name']} {wrong}"] if wrong else []
    return said


def _placed(read: Reading, key: str) -> str:
    """The table and id of a row, behind the time point that it is of."""
    table, _, row_id = key.partition(" ")
    visits = [row["timepoint"] for row in read.rows(table, id=row_id) if "timepoint" in row]
    return f"time point {visits[0]}, {key}" if visits else key
