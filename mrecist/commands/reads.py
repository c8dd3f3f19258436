"""``reads`` and ``audit``: the core lab's store."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrecist.commands._terminal import DONE, SOME_FAILED, say, show, show_json, show_table
from mrecist.commands.adjudication import ADJUDICATION
from mrecist.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from mrecist.store.showing import Due, ReadStatus
    from mrecist.store.store import Store
    from mrecist.store.submitting import Submission


def reads(options: Namespace) -> int:
    """``mrecist reads STEP``."""
    from mrecist.store.store import new_store, open_store

    place = new_store if options.step in ("init", "import") else open_store
    with place(options.store, options.files) as store:
        return _STEPS[options.step](store, options)


def audit(options: Namespace) -> int:
    """``mrecist audit verify`` and ``export``."""
    if options.step == "verify" and "://" not in options.store and Path(options.store).suffix in (".csv", ".jsonl"):
        return _verify_trail(options)
    from mrecist.store.store import open_store

    with open_store(options.store, options.files) as store:
        return _verify(store, options) if options.step == "verify" else _export_trail(store, options)


# --- the audit trail -------------------------------------------------------------------------------------------------


def _verify(store: Store, options: Namespace) -> int:
    from mrecist.store.audit import verify

    anchor, broken = verify(store, _anchor(options), files=not options.no_files)
    return _verdict(
        anchor, broken, f"{store.place.name}: the trail, every row and every kept file are as they were written"
    )


def _verify_trail(options: Namespace) -> int:
    from mrecist.store.audit import read_trail
    from mrecist.store.trail import Anchor, chain_breaks

    entries = read_trail(Path(options.store))
    if not entries:
        raise InputError(f"{options.store}: holds no entry of an audit trail")
    anchor = Anchor(count=entries[-1].seq, hash=entries[-1].hash)
    broken = [*chain_breaks(entries, _anchor(options))]
    return _verdict(anchor, broken, f"{options.store}: the trail is as it was written")


def _anchor(options: Namespace) -> Any:
    from mrecist.store.trail import anchor_of

    try:
        return anchor_of(options.anchor) if options.anchor else None
    except ValueError as error:
        raise InputError(f"--anchor: {error}") from None


def _verdict(anchor: Any, broken: Any, fine: str) -> int:
    for one in broken:
        say(f"mrecist: {one}")
    if broken:
        show(f"BROKEN, first at: {broken[0]}")
        return SOME_FAILED
    show(fine)
    show(f"anchor {anchor}")
    return DONE


def _export_trail(store: Store, options: Namespace) -> int:
    from mrecist.store.audit import export_trail

    with store.reading() as read:
        anchor = export_trail([*read.entries()], options.out)
    show(f"{anchor.count} entries in {options.out}")
    show(f"anchor {anchor}")
    return DONE


# --- managers --------------------------------------------------------------------------------------------------------


def _init(store: Store, options: Namespace) -> int:
    from mrecist.protocol import load_protocol
    from mrecist.store.people import ROLES, begin

    own = store.place.path.parent / "protocol.toml" if store.place.path else None
    protocol = load_protocol(options.protocol or (own if own and own.exists() else None))
    begin(store, protocol, {role: tuple(getattr(options, role)) for role in ROLES}, options.by)
    show(f"{store.place.name}: begun, protocol {protocol.sha256[:12]}...")
    return DONE


def _protocol(store: Store, options: Namespace) -> int:
    from mrecist.protocol import load_protocol
    from mrecist.store.people import change_protocol

    protocol = load_protocol(options.protocol)
    change_protocol(store, protocol, by=options.by, reason=options.reason)
    show(f"{store.place.name}: protocol {protocol.sha256[:12]}... from now on")
    return DONE


def _role(store: Store, options: Namespace) -> int:
    from mrecist.store.people import change_role

    granted = not options.withdraw
    change_role(store, options.person, options.role, granted=granted, by=options.by, reason=options.reason)
    show(f"{options.person} is {'now' if granted else 'no longer'} {options.role}")
    return DONE


def _assign(store: Store, options: Namespace) -> int:
    from mrecist.store.assigning import assign
    from mrecist.store.incoming import read_investigators, read_visits

    visits = read_visits(options.visits) if options.visits else _visits_of_study(store)
    made = assign(
        store,
        visits,
        options.seed,
        options.by,
        pseudonyms=options.pseudonyms,
        per_case=options.readers_per_case,
        investigators=read_investigators(options.investigators) if options.investigators else {},
    )
    lines = [(row["subject"], row["subject_key"], row["part"], row["reader"], str(row["place"])) for row in made]
    show_table([("subject", "case", "part", "reader", "place"), *sorted(lines)])
    return DONE


def _reassign(store: Store, options: Namespace) -> int:
    from mrecist.store.assigning import reassign

    row = reassign(store, options.subject, options.reader, options.to, by=options.by, reason=options.reason)
    show(f"{options.subject}: {row['reader']} has the case of {options.reader} now, as {row['part']}")
    return DONE


def _visits_of_study(store: Store) -> dict[str, dict[int, date]]:
    from mrecist.session.case import open_case
    from mrecist.study import open_study

    if store.place.path is None:
        raise InputError("a store on a server has no study folder; give the visits with --visits FILE")
    try:
        study = open_study(store.place.path.parent)
    except InputError as error:
        raise InputError(f"{error}; without images give the visits with --visits FILE") from None
    cases = {one.subject: open_case(study, one.subject) for one in study.subjects}
    return {name: {visit.timepoint: visit.date for visit in case.visits} for name, case in cases.items()}


def _unlock(store: Store, options: Namespace) -> int:
    from mrecist.store.locking import unlock

    given = (store, options.subject, options.reader, options.timepoint)
    unlock(*given, by=options.by, role=options.role, reason=options.reason)
    show(f"{options.subject} time point {options.timepoint} of {options.reader}: unlocked")
    return DONE


def _status(store: Store, options: Namespace) -> int:
    from mrecist.store.showing import status

    found = status(store)
    if options.json:
        show_json([asdict(one) for one in found])
        return DONE
    lines = [("subject", "case", "part", "reader", "visits", "signatures", "picks")]
    lines += [(o.subject, o.subject_key, o.part, o.reader, _visits_said(o), _signed_said(o), _picked(o)) for o in found]
    show_table(lines)
    return SOME_FAILED if any(signed.changed for one in found for signed in one.signatures) else DONE


def _visits_said(one: ReadStatus) -> str:
    """Time points of one state together: ``0-3 locked, 4 submitted v2, 5-6 open``."""
    said = []
    for state, group in groupby(one.visits, key=lambda v: f"{v.state} v{v.version}" if v.version > 1 else v.state):
        visits = [v.timepoint for v in group]
        said.append(f"{visits[0]}-{visits[-1]} {state}" if len(visits) > 1 else f"{visits[0]} {state}")
    return ", ".join(said)


def _signed_said(one: ReadStatus) -> str:
    said = []
    for signed in one.signatures:
        row = signed.row
        what = f"time point {row['timepoint']}" if "timepoint" in row else "subject"
        held = f"BROKEN: {signed.changed[0]}" if signed.changed else "holds"
        said.append(f"{what} by {row['name']} ({row['meaning']}) {row['at']}: {held}")
    return "; ".join(said) or "none"


def _picked(one: ReadStatus) -> str:
    said = [f"{p.criterion}: {p.reader}, {f'HOLDS NO MORE: {p.stale}' if p.stale else 'picked'}" for p in one.picks]
    return "; ".join(said) or ("open" if one.part == "adjudicator" else "")


# --- readers ---------------------------------------------------------------------------------------------------------


def _worklist(store: Store, options: Namespace) -> int:
    from mrecist.store.showing import worklist

    found = worklist(store, options.reader)
    if options.json:
        show_json([asdict(one) for one in found])
        return DONE
    if not found:
        say(f"mrecist: no case is assigned to {options.reader}")
    lines = [("place", "case", "next", "day", "state", "locked")]
    for one in found:
        state = _due_said(one)
        following, day = ("", "") if one.next is None else (str(one.next), str(one.next_day))
        lines.append((str(one.place), one.case, following, day, state, " ".join(map(str, one.locked))))
    show_table(lines)
    return DONE


def _due_said(one: Due) -> str:
    if one.picked:
        return "; ".join(f"{criterion}: {read} picked" for criterion, read in one.picked.items())
    if one.adjudicates and not (one.locked or one.submitted):
        return "to adjudicate"
    state = "signed" if one.signed else "to sign" if one.next is None else "submitted" if one.submitted else "to read"
    return f"to adjudicate, own read: {state}" if one.adjudicates else state


def _submission(store: Store, options: Namespace) -> Submission:
    from mrecist.store.assigning import assignment_of
    from mrecist.store.incoming import from_reading_room, rows_of_visit
    from mrecist.store.submitting import Submission

    with store.reading() as read:
        case = assignment_of(read, options.subject, options.reader)
    names = (options.subject, case["subject"], case["subject_key"])
    rows = rows_of_visit(options.measurements, names, options.reader, options.timepoint)
    files, source = list(options.file), str(options.measurements.name)
    if options.study:
        kept, source = from_reading_room(options.study, options.reader, rows[0].subject, options.timepoint)
        files += kept
    return Submission(
        subject=options.subject,
        reader=options.reader,
        timepoint=options.timepoint,
        rows=rows,
        files=files,
        source=source,
        comment=options.comment,
    )


def _submit(store: Store, options: Namespace) -> int:
    from mrecist.store.submitting import submit

    row = submit(store, _submission(store, options), options.reason)
    show(f"{options.subject} time point {options.timepoint}: version {row['version']} is in the store")
    return _lock(store, options) if options.lock else DONE


def _amend(store: Store, options: Namespace) -> int:
    from mrecist.store.submitting import amend

    row = amend(store, _submission(store, options), options.reason)
    show(f"{options.subject} time point {options.timepoint}: version {row['version']} is in the store; sign it again")
    return DONE


def _lock(store: Store, options: Namespace) -> int:
    from mrecist.store.locking import lock

    lock(store, options.subject, options.reader, options.timepoint)
    show(f"{options.subject} time point {options.timepoint}: locked")
    return DONE


def _sign(store: Store, options: Namespace) -> int:
    from mrecist.store.signing import sign

    made = sign(store, options.subject, options.reader, options.name, options.meaning, options.timepoint)
    what = "all visits" if options.timepoint is None else f"time point {options.timepoint}"
    show(f"{options.subject} {what}: signed by {made.row['name']} at {made.row['at']} ({made.row['meaning']})")
    show(f"anchor {made.anchor}")
    return DONE


# --- the whole store -------------------------------------------------------------------------------------------------


def _rows(store: Store, options: Namespace) -> int:
    from mrecist.store.showing import rows_to_derive
    from mrecist.tables import measurements_csv, write_whole

    rows, left = rows_to_derive(store, options.reader, unsigned=options.unsigned, as_parts=options.as_parts)
    for error in left:
        say(f"mrecist: left out: {error}")
    if not rows:
        raise InputError(
            f"{store.place.name}: no read is {'locked' if options.unsigned else 'signed'}; nothing to write"
        )
    write_whole(options.out, measurements_csv(rows))
    show(f"{len(rows)} rows in {options.out}")
    return SOME_FAILED if left else DONE


def _export(store: Store, options: Namespace) -> int:
    from mrecist.store.exchange import export_store

    anchor = export_store(store, options.out)
    show(f"{store.place.name} is in {options.out}")
    show(f"anchor {anchor}")
    return DONE


def _import(store: Store, options: Namespace) -> int:
    from mrecist.store.exchange import import_store

    anchor = import_store(store, options.folder)
    show(f"{options.folder} is in {store.place.name}")
    show(f"anchor {anchor}")
    return DONE


def _grants(store: Store, options: Namespace) -> int:
    from mrecist.store.grants import grants_of, run_grants

    for statement in run_grants(store) if options.execute else grants_of(store):
        show(f"{statement};")
    return DONE


_STEPS: dict[str, Callable[[Store, Namespace], int]] = {
    "init": _init,
    "protocol": _protocol,
    "role": _role,
    "assign": _assign,
    "reassign": _reassign,
    "unlock": _unlock,
    "status": _status,
    "worklist": _worklist,
    "submit": _submit,
    "amend": _amend,
    "lock": _lock,
    "sign": _sign,
    **ADJUDICATION,
    "rows": _rows,
    "export": _export,
    "import": _import,
    "grants": _grants,
}
