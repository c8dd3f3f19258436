"""Adjudicators for cases, and whose read of a case they pick. Which cases need one is derived elsewhere (mrecist.review).

A pick is of a whole read: a response stands on the baseline and the smallest sum of the same reader, so parts of two reads make none.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mrecist.errors import NotSigned, StoreError
from mrecist.protocol import Protocol
from mrecist.store.assigning import (
    ADJUDICATOR,
    Assigned,
    add_assignment,
    assignments,
    central_readers,
    drawn,
    in_order,
    last_places,
    own_case,
)
from mrecist.store.people import holders, needed, protocol_of, require
from mrecist.store.signing import covered, require_signed
from mrecist.store.store import Reading, Store
from mrecist.store.trail import Row, canonical, sha256
from mrecist.store.visits import visits_of

WHOLE_READ = "read"
"""``variable`` of a pick."""
OWN = "own"
"""What an adjudicator's own read is called, beside "reader 1" and "reader 2"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """The pick in force of a case by a criterion.

    Parameters
    ----------
    read : "reader 1", "reader 2", or "own"; empty where the one who read it has the case no more.
    reader, by, reason, at : whose read, who picked it, why and when.
    stale : why the pick holds no more, empty while it does: it was of other reads, or by other rules.
    """

    criterion: str
    read: str
    reader: str
    by: str
    reason: str
    at: str
    stale: str


def assign_adjudicators(store: Store, subjects: Iterable[str], seed: str, *, by: str, why: str) -> tuple[Row, ...]:
    """Adjudicators for the cases that have none; the assignments that were made. ``why`` stands beside them in the trail.

    Raises :class:`StoreError` where everyone who could adjudicate a case has read it.
    """
    with store.writing(by, why) as write:
        require(write, by, "manager")
        mine = [row for row in assignments(write) if row["part"] == ADJUDICATOR]
        wanted = sorted(set(subjects) - {row["subject"] for row in mine})
        if not wanted:
            return ()
        people = holders(write, ADJUDICATOR)
        keys, may = {}, {}
        for subject in wanted:
            rows = write.rows("assignment", subject=subject)
            keys[subject] = rows[0]["subject_key"]
            # Whoever had another part in the case once, has seen it.
            known = {row["reader"] for row in rows}
            may[subject] = tuple(name for name in people if name not in known)
        loads = Counter(row["reader"] for row in mine)
        found = draw_adjudicators(may, seed, loads, last_places(write))
        return tuple(add_assignment(write, one, keys[one.subject], seed, "adjudicator assigned") for one in found)


def draw_adjudicators(
    may: Mapping[str, Sequence[str]],
    seed: str,
    loads: Mapping[str, int] | None = None,
    places: Mapping[str, int] | None = None,
) -> tuple[Assigned, ...]:
    """An adjudicator for each case out of those who ``may``: the numbers of cases are as even as that allows, by one at most where
    everyone may take every case.

    Cases come in the order of ``SHA-256(seed, "adjudicate", case)``. Each goes to whoever has the fewest cases among those that a
    chain of moves can free for it (optimal semi-matching: Harvey et al., J Algorithms 2006;59:53-78); the hash decides between equals.
    """
    load, last = Counter(loads or {}), Counter(places or {})
    held: dict[str, list[str]] = {name: [] for names in may.values() for name in names}
    for subject in sorted(may, key=lambda name: drawn(seed, "adjudicate", name)):
        if not may[subject]:
            raise StoreError(
                f"{subject}: no adjudicator is left who did not read it; name one with: mrecist reads role"
            )
        _place(subject, may, held, load, seed)
    return tuple(
        one
        for name, cases in held.items()
        for one in in_order(name, [(subject, ADJUDICATOR) for subject in cases], seed, last[name])
    )


def _place(
    subject: str, may: Mapping[str, Sequence[str]], held: dict[str, list[str]], load: Counter[str], seed: str
) -> None:
    # Name -> the case that would come to it, who gives it away (nobody: it is the new one), how many moves.
    reached: dict[str, tuple[str, str | None, int]] = {}
    waiting: deque[tuple[str, str | None, int]] = deque([(subject, None, 0)])
    while waiting:
        case, before, moves = waiting.popleft()
        for name in may[case]:
            if name not in reached:
                reached[name] = case, before, moves
                waiting += [(other, name, moves + 1) for other in held[name]]
    to: str | None = min(
        reached, key=lambda name: (load[name], reached[name][2], drawn(seed, ADJUDICATOR, f"{subject}\n{name}"))
    )
    load[str(to)] += 1
    while to is not None:
        case, before, _ = reached[to]
        held[to].append(case)
        if before is not None:
            held[before].remove(case)
        to = before


def pick(
    store: Store, subject: str, *, by: str, read: str, reason: str, criteria: Sequence[str], seen: str = ""
) -> tuple[Row, ...]:
    """Accept a whole read of a case by each of the criteria: "reader 1", "reader 2" or "own". It replaces an earlier pick.

    ``seen`` is the :func:`state_of` the case as whoever picks saw it; empty: not checked.

    Raises
    ------
    NotSigned : a read of the case is not signed, or its signature is broken.
    StoreError : the case is not the adjudicator's or is not as it was seen, there is no such read, or no reason is given.
    """
    with store.writing(by, needed(reason)) as write:
        case = own_case(write, subject, by)
        if case["part"] != ADJUDICATOR:
            raise StoreError(f"{by} reads {subject} as {case['part']}; only its adjudicator picks")
        own = case["subject"]
        reads = central_readers(write, own)
        named = {**reads, OWN: by}
        if read not in named:
            raise StoreError(f"{subject} has no read of '{read}'; its reads are: {', '.join(named)}")
        under_it = {**reads, read: named[read]}
        for part, reader in under_it.items():
            try:
                require_signed(store, write, own, reader)
            except NotSigned as error:
                # The one who picks is not told who read, nor whom.
                said = str(error).replace(f"{own} ", f"{subject} ", 1).replace(f" of {reader}", f" of {part}", 1)
                raise NotSigned(said) from None
        now = state_of(write, own)
        if seen and seen != now:
            raise StoreError(f"{subject} is {now} now and was {seen} when it was compared; compare it again")
        under = _under(write, own, under_it, write.protocol()["sha256"])
        before = {row["criterion"]: row for row in write.current("pick", subject=own)}
        return tuple(
            write.add(
                "pick",
                "read picked",
                replaces=before.get(criterion),
                subject=own,
                criterion=criterion,
                variable=WHOLE_READ,
                reader=named[read],
                value=canonical(under),
                reason=reason.strip(),
            )
            for criterion in criteria
        )


def picks(read: Reading, subject: str) -> tuple[Picked, ...]:
    """The picks in force of a case, by criterion."""
    reads = central_readers(read, subject)
    adjudicators = [row["reader"] for row in assignments(read, subject=subject) if row["part"] == ADJUDICATOR]
    names = {reader: part for part, reader in reads.items()} | dict.fromkeys(adjudicators, OWN)
    once = {row["reader"] for row in read.rows("assignment", subject=subject) if row["part"] == ADJUDICATOR}
    found = []
    for row in sorted(read.current("pick", subject=subject), key=lambda one: str(one.get("criterion"))):
        name = names.get(row["reader"], "")
        found.append(
            Picked(
                criterion=row.get("criterion", ""),
                read=name,
                reader=row["reader"],
                by=row["who"],
                reason=row.get("reason", ""),
                at=row["at"],
                stale=_stale(read, row, {**reads, **({OWN: row["reader"]} if name == OWN else {})}, once)
                if name
                else _GONE,
            )
        )
    return tuple(found)


def state_of(read: Reading, subject: str) -> str:
    """What the central reads of a case and the protocol are now, as sixteen letters: it changes when any of it does."""
    under = _under(read, subject, central_readers(read, subject), read.protocol()["sha256"])
    return sha256(canonical(under))[:16]


_GONE = "who read it has the case no more"


def _under(read: Reading, subject: str, reads: Mapping[str, str], protocol_sha256: str) -> Row:
    """What a pick stands on: the hash of every row under each read, and the protocol by which they were compared."""
    visits = [*visits_of(read, subject)]
    digests = {part: sha256(canonical(covered(read, subject, name, visits))) for part, name in reads.items()}
    return {"protocol": protocol_sha256, "reads": digests, "readers": dict(reads)}


def _stale(read: Reading, row: Row, reads: Mapping[str, str], adjudicators: set[str]) -> str:
    """Why a pick holds no more; empty while it does. ``adjudicators`` had the case, now or once."""
    if row["who"] not in adjudicators:
        return f"{row['who']} never had the case as its adjudicator"
    try:
        then = json.loads(row.get("value", ""))
        before, readers, sha = dict(then["reads"]), dict(then["readers"]), str(then["protocol"])
    except (ValueError, KeyError, TypeError):
        return "it does not say what it is of"
    now = _under(read, row["subject"], reads, sha)
    for part in sorted({*before, *now["reads"]}):
        if readers.get(part) != reads.get(part):
            return f"the case has another {part} since"
        if before.get(part) != now["reads"].get(part):
            return f"the read of {part} is another one since"
    if not _same_rules(protocol_of(read, sha), protocol_of(read)):
        return "the protocol has other rules of response since"
    return ""


def _same_rules(one: Protocol, other: Protocol) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in ("criteria", "response", "origin"))
