"""From an empty folder to accepted reads: the store begun, cases assigned, read, adjudicated, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mrecist.errors import StoreError
from mrecist.protocol import load_protocol
from mrecist.rehearsal.adjudicating import Adjudicated, adjudicate
from mrecist.rehearsal.lab import INVESTIGATORS, VISITS, Lab
from mrecist.rehearsal.reading import Written, work_the_list
from mrecist.review.accepting import accepted
from mrecist.review.reviewed import Asked, reviewed
from mrecist.samples.readers.panel import ADJUDICATOR, INVESTIGATOR, MANAGER, READERS
from mrecist.store.assigning import assign
from mrecist.store.audit import verify
from mrecist.store.incoming import read_investigators, read_visits
from mrecist.store.people import begin
from mrecist.store.showing import rows_to_derive
from mrecist.store.store import Store, new_store
from mrecist.store.trail import Anchor
from mrecist.tables import measurements_csv, write_whole
from mrecist.tables.accepted import AcceptedRead, accepted_csv

ROWS, ACCEPTED = "measurements.csv", "accepted.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What the store holds at the end.

    ``parts``: (subject, "reader 1" or "reader 2") -> who read the case as that. ``written``: name -> what that person wrote.
    """

    parts: Mapping[tuple[str, str], str]
    written: Mapping[str, Written]
    adjudicated: Adjudicated
    accepted: tuple[AcceptedRead, ...]
    anchor: Anchor


def work(lab: Lab, say: Callable[[str], None]) -> Done:
    """Write the folder and work its store, from ``init`` to ``accepted.csv`` and ``audit verify``; ``say`` is told each step.

    Raises :class:`StoreError` where a case is left open or the trail is broken.
    """
    lab.folder.mkdir(parents=True, exist_ok=True)
    with new_store(str(lab.folder)) as store:
        for name, text in lab.files():
            write_whole(lab.folder / name, text)
        people = {"reader": READERS, "adjudicator": (ADJUDICATOR,), "investigator": (INVESTIGATOR,)}
        begin(store, load_protocol(lab.folder / "protocol.toml"), people, MANAGER)
        rows = assign(
            store,
            read_visits(lab.folder / VISITS),
            lab.draw,
            MANAGER,
            pseudonyms=True,
            investigators=read_investigators(lab.folder / INVESTIGATORS),
        )
        say(f"{len(lab.scans)} cases assigned to {', '.join(READERS)} (seed {lab.draw})")
        subjects = {row["subject_key"]: row["subject"] for row in rows}
        written = {}
        for who in (*READERS, INVESTIGATOR):
            written[who] = work_the_list(store, lab, who, subjects)
            say(f"{who}: {written[who].visits} visits read, locked and signed, {written[who].amended} amended")
        asked = Asked(subjects=lab.folder / "subjects.csv")
        adjudicated = adjudicate(store, lab, subjects, asked)
        say(f"{ADJUDICATOR}: {len({one.subject for one in adjudicated.cases})} cases, {adjudicated.anew} read anew")
        counted = _accepted(store, lab, asked)
        anchor, broken = verify(store)
        if broken:
            raise StoreError(f"the trail of a simulated store is broken: {broken[0]}")
    parts = {(row["subject"], row["part"]): row["reader"] for row in rows}
    return Done(parts=parts, written=written, adjudicated=adjudicated, accepted=counted, anchor=anchor)


def _accepted(store: Store, lab: Lab, asked: Asked) -> tuple[AcceptedRead, ...]:
    """``measurements.csv`` and ``accepted.csv`` of the store."""
    rows, unsigned = rows_to_derive(store)
    found = reviewed(store, asked)
    counted = accepted(found)
    left = [one for one in counted if one.is_open]
    if unsigned or left:
        raise StoreError(f"a simulated case is open: {(*unsigned, *left)[0]}")
    write_whole(lab.folder / ROWS, measurements_csv(rows))
    write_whole(lab.folder / ACCEPTED, accepted_csv(counted, found.reads.protocol.sha256))
    return counted
