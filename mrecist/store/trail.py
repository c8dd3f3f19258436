"""The audit trail as a chain of hashes that any program can follow (docs/core-lab.md): standard library only.

::

    hash = SHA-256 of UTF-8( seq "\\n" prev_hash "\\n" entry )

``entry`` is canonical JSON: keys sorted, no white space, nothing escaped that JSON does not demand, absent values left out.
``prev_hash`` of the first entry is 64 zeros. ``to`` of an entry is the whole row that was written, ``from`` the row that it
replaces, so the trail alone says what the store must hold.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64
ENTRY_FIELDS = ("at", "who", "account", "what", "table", "key", "from", "to", "why", "software", "protocol_sha256")
"""What an entry says, in the order of an exported table. ``account``: the login that the system vouches for."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One link: its number from 1, what was written (canonical JSON), the hash of the link before, its own hash."""

    seq: int
    entry: str
    prev_hash: str
    hash: str

    def said(self) -> Row:
        """The entry as values; raises ``ValueError`` where it is no canonical JSON object."""
        found = json.loads(self.entry)
        if not isinstance(found, dict) or canonical(found) != self.entry:
            raise ValueError("is no canonical JSON object")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """How long a trail was and how it ended: kept elsewhere, it shows that nothing was cut off since."""

    count: int
    hash: str

    def __str__(self) -> str:
        return f"{self.count}:{self.hash}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """A place where the trail, or what it says of the store, does not hold. ``seq`` is None where no entry can be named."""

    seq: int | None
    what: str

    def __str__(self) -> str:
        return self.what if self.seq is None else f"entry {self.seq}: {self.what}"


def canonical(value: Any) -> str:
    """Canonical JSON of a value of texts, whole numbers, lists and objects."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256(text: str) -> str:
    """SHA-256 of the UTF-8 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def link(seq: int, prev_hash: str, entry: str) -> str:
    """The hash of an entry."""
    return sha256(f"{seq}\n{prev_hash}\n{entry}")


def anchor_of(text: str) -> Anchor:
    """``COUNT:HASH`` as an anchor; raises ``ValueError``."""
    count, _, digest = text.strip().partition(":")
    if not count.isdecimal() or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ValueError(f"'{text}' is no anchor; it is COUNT:HASH, as verify and export print it")
    return Anchor(count=int(count), hash=digest)


def chain_breaks(entries: Iterable[Entry], anchor: Anchor | None = None) -> Iterator[Break]:
    """Where the chain does not hold, in order; nothing when it does.

    ``anchor`` is what the trail once was: a trail that is shorter now, or differs there, was cut or written again.
    """
    before, expected = GENESIS, 1
    anchored = anchor is None or anchor.count == 0
    for each in entries:
        if each.seq != expected:
            yield Break(seq=expected, what=f"is not there; the trail goes on with entry {each.seq}")
        if each.prev_hash != before:
            yield Break(
                seq=each.seq, what=f"names {_short(each.prev_hash)} as the hash before it, which is {_short(before)}"
            )
        right = link(each.seq, each.prev_hash, each.entry)
        if right != each.hash:
            yield Break(
                seq=each.seq, what=f"was changed: its hash is {_short(right)} and it states {_short(each.hash)}"
            )
        if anchor is not None and each.seq == anchor.count:
            anchored = True
            if each.hash != anchor.hash:
                yield Break(seq=each.seq, what=f"has the hash {_short(each.hash)} and the anchor {_short(anchor.hash)}")
        before, expected = each.hash, each.seq + 1
    if anchor is not None and not anchored:
        yield Break(seq=expected, what=f"is not there: the trail ends before it, and the anchor counts {anchor.count}")


def content_breaks(entries: Iterable[Entry], rows: Mapping[str, Mapping[str, Row]]) -> Iterator[Break]:
    """Where the rows of a store (table -> id -> row) are not what its trail says; in the order of the trail, then the rest."""
    known: dict[tuple[str, str], Row] = {}
    for each in entries:
        try:
            said = each.said()
            place = (str(said["table"]), str(said["key"]))
            right: Row = dict(said["to"])
        except (ValueError, KeyError, TypeError) as error:
            yield Break(seq=each.seq, what=f"cannot be read ({error})")
            continue
        if place in known:
            yield Break(seq=each.seq, what=f"writes {_named(place)} a second time")
        known[place] = right
        yield from (Break(seq=each.seq, what=what) for what in _differences(place, said, right, rows, known))
    for name, found in rows.items():
        for key in found:
            if (name, key) not in known:
                yield Break(seq=None, what=f"{_named((name, key))} is in the store and in no entry of the trail")


def _differences(
    place: tuple[str, str], said: Row, right: Row, rows: Mapping[str, Mapping[str, Row]], known: Mapping[Any, Row]
) -> Iterator[str]:
    replaced = right.get("replaces")
    if said.get("from") != (None if replaced is None else known.get((place[0], replaced))):
        yield f"states another row before {_named(place)} than the trail has"
    found = rows.get(place[0], {}).get(place[1])
    if found is None:
        yield f"{_named(place)} is not in the store any more"
        return
    for column in sorted({*found, *right}):
        if found.get(column) != right.get(column):
            yield f"{_named(place)}: {column} is {found.get(column)!r} in the store and {right.get(column)!r} in the trail"


def _named(place: tuple[str, str]) -> str:
    return f"{place[0]} {place[1]}"


def _short(digest: str) -> str:
    return f"{digest[:12]}..." if len(digest) > 12 else repr(digest)
