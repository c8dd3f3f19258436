"""``reads adjudicate``, ``compare``, ``pick`` and ``accepted``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from mrecist.commands._terminal import DONE, SOME_FAILED, say, show, show_json, show_table
from mrecist.errors import InputError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from mrecist.review.compared import Compared, Difference
    from mrecist.review.reviewed import Asked
    from mrecist.store.store import Store


def _asked(store: Store, options: Namespace) -> Asked:
    from mrecist.review.reviewed import Asked
    from mrecist.store.people import protocol_of

    with store.reading() as read:
        event = protocol_of(read).origin.event
    if options.subjects is None and event not in ("", "baseline"):
        say(
            f"mrecist: note: the protocol counts from {event}, and without --subjects from the baseline scan: best responses may differ "
            "from those of the study; give it to adjudicate, compare, pick, accepted and assess, or to none"
        )
    return Asked(
        variables=tuple(options.adjudicate_on),
        date_tolerance=options.date_tolerance,
        subjects=options.subjects,
    )


def _adjudicate(store: Store, options: Namespace) -> int:
    from mrecist.review.adjudication import adjudication, send_to_adjudicators
    from mrecist.store.assigning import is_central

    found, made = send_to_adjudicators(store, _asked(store, options), options.seed, options.by)
    for (subject, part), why in found.unsigned.items():
        if is_central(part):
            say(f"mrecist: not compared: {subject}, {part} ({found.cases[subject].central[part]}): {why}")
    cases = adjudication(found)
    if options.json:
        show_json([asdict(one) for one in cases])
    else:
        lines = [("subject", "case", "criterion", "differs", "cause", "adjudicator", "state")]
        for one in cases:
            words = (", ".join(one.differs), ", ".join(one.causes), one.adjudicator, one.state)
            lines.append((one.subject, one.key, one.criterion, *words))
        show_table(lines)
    subjects = len({one.subject for one in cases})
    say(f"{subjects} cases to adjudicate on {', '.join(found.variables)}, {len(made)} of them assigned now")
    return DONE


def _compare(store: Store, options: Namespace) -> int:
    from mrecist.review.adjudication import case_of
    from mrecist.review.compared import side_by_side
    from mrecist.review.page import compared_html
    from mrecist.tables import write_whole

    shown = side_by_side(*case_of(store, options.subject, options.reader, _asked(store, options)))
    if options.out:
        write_whole(options.out, compared_html(shown))
    if options.json:
        show_json(asdict(shown))
        return DONE
    for one in shown.criteria:
        show(f"{shown.case}, {one.title} ({one.criterion})")
        _show_compared(one)
        show("")
    show(f"state {shown.state}")
    if options.out:
        say(f"mrecist: {options.out}")
    return DONE


def _show_compared(one: Compared) -> None:
    show(f"first difference: {_said(one.first)}" if one.first else "the readers agree")
    if one.picked or one.stale:
        show(f"picked: {one.picked}" + (f", holds no more: {one.stale}" if one.stale else ""))
    variables = list(next(iter(one.reads.values())).values)
    show_table([("", *one.reads), *((name, *(read.values[name] for read in one.reads.values())) for name in variables)])
    lines = [("visit", "day", "read", "sum", "from baseline %", "target", "non-target", "new lesion", "overall")]
    reasons = []
    for visit in one.visits:
        for name, said in visit.reads.items():
            size = f"{said.sum} {said.unit}" if said.sum else ""
            words = (said.target, said.non_target, said.new_lesion, said.overall)
            lines.append((str(visit.timepoint), str(visit.day), name, size, said.percent, *words))
            reasons.append(f"visit {visit.timepoint}, {name}: {said.reason}")
    show_table(lines)
    for line in (*reasons, *(f"best response, {name}: {read.reason}" for name, read in one.reads.items())):
        show(line)


def _said(one: Difference) -> str:
    where = "" if one.timepoint is None else f" at visit {one.timepoint}"
    values = " and ".join(one.values)
    return f"{one.variable}{where}: {values}; cause: {one.meaning}" + (f" ({one.detail})" if one.detail else "")


def _pick(store: Store, options: Namespace) -> int:
    from mrecist.review.adjudication import pick_read

    rows = pick_read(
        store,
        options.subject,
        by=options.by,
        read=options.read,
        reason=options.reason,
        asked=_asked(store, options),
        criteria=tuple(dict.fromkeys(options.criterion)),
        seen=options.seen,
    )
    for row in rows:
        show(f"{options.subject}, {row['criterion']}: {options.read} picked")
    return DONE


def _accepted(store: Store, options: Namespace) -> int:
    from mrecist.review.accepting import accepted
    from mrecist.review.reviewed import reviewed
    from mrecist.tables import write_whole
    from mrecist.tables.accepted import accepted_csv

    found = reviewed(store, _asked(store, options))
    rows = accepted(found, as_parts=options.as_parts)
    if not rows:
        raise InputError(f"{store.place.name}: no case is assigned; nothing to write")
    left = [one for one in rows if one.is_open]
    for one in left:
        say(f"mrecist: {one}")
    still = {one.subject for one in left}
    for (subject, part), why in found.unsigned.items():
        if subject not in still:
            say(f"mrecist: note: {subject}, {part}: {why}; the accepted read is another one")
    write_whole(options.out, accepted_csv(rows, found.reads.protocol.sha256))
    show(f"{len(rows) - len(left)} accepted reads in {options.out}" + (f", {len(left)} open" if left else ""))
    return SOME_FAILED if left else DONE


ADJUDICATION: dict[str, Callable[[Store, Namespace], int]] = {
    "adjudicate": _adjudicate,
    "compare": _compare,
    "pick": _pick,
    "accepted": _accepted,
}
"""Step of ``mrecist reads`` -> what does it."""
