"""The cases to adjudicate: found, given to adjudicators, picked."""

from __future__ import annotations

from dataclasses import dataclass

from mrecist.errors import InputError
from mrecist.review.accepting import central
from mrecist.review.blinding import blinded
from mrecist.review.reviewed import Asked, Case, Reviewed, reviewed
from mrecist.store.adjudicating import OWN, assign_adjudicators, pick
from mrecist.store.assigning import ADJUDICATOR, own_case
from mrecist.store.store import Store
from mrecist.store.trail import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAdjudicate:
    """A line of the adjudication list: a case and a criterion, in what its readers differ, why, and how far it is."""

    subject: str
    key: str
    criterion: str
    adjudicator: str
    differs: tuple[str, ...]
    causes: tuple[str, ...]
    state: str


def adjudication(found: Reviewed) -> tuple[ToAdjudicate, ...]:
    """Every case and criterion in which the readers differ in what is adjudicated; ``state``: "open" or "picked"."""
    return tuple(
        ToAdjudicate(
            subject=case.subject,
            key=case.key,
            criterion=criterion,
            adjudicator=case.adjudicator,
            differs=tuple(dict.fromkeys(one.variable for one in differs)),
            causes=tuple(dict.fromkeys(one.cause.name for one in differs)),
            state="open" if central(found, case, criterion).is_open else "picked",
        )
        for case in found.cases.values()
        for criterion, differs in found.discordant(case).items()
    )


def send_to_adjudicators(store: Store, asked: Asked, seed: str, by: str) -> tuple[Reviewed, tuple[Row, ...]]:
    """Adjudicators for the cases that are discordant and have none: the review after that, and the assignments that were made."""
    found = reviewed(store, asked)
    wanted = [case.subject for case in found.cases.values() if found.discordant(case)]
    why = f"readers differ, compared by {', '.join(found.variables)}"
    if asked.date_tolerance:
        why += f", dates by more than {asked.date_tolerance} days"
    made = assign_adjudicators(store, wanted, seed, by=by, why=why)
    return (reviewed(store, asked) if made else found), made


def case_of(store: Store, name: str, adjudicator: str, asked: Asked) -> tuple[Reviewed, Case]:
    """One case of an adjudicator, by the subject or its key. Raises :class:`StoreError` when it is not the adjudicator's."""
    with store.reading() as read:
        row = own_case(read, name, adjudicator)
    if row["part"] != ADJUDICATOR:
        raise InputError(f"{adjudicator} reads {name} as {row['part']}; both reads are for its adjudicator alone")
    found = reviewed(store, asked, row["subject"])
    return found, found.cases[row["subject"]]


def pick_read(
    store: Store,
    name: str,
    *,
    by: str,
    read: str,
    reason: str,
    asked: Asked,
    criteria: tuple[str, ...] = (),
    seen: str = "",
) -> tuple[Row, ...]:
    """Accept a read of a case by the criteria in which it is discordant, or those of them that are named.

    ``seen`` is the state in which the case was compared; empty: its state now.

    Raises :class:`StoreError` as :func:`mrecist.store.adjudicating.pick` does, :class:`InputError` where the readers do not differ.
    """
    found, case = case_of(store, name, by, asked)
    for criterion in criteria:
        if criterion not in found.reads.settings:
            raise InputError(f"criterion '{criterion}' is not in the protocol: {', '.join(found.reads.settings)}")
    wanted = criteria or tuple(found.discordant(case))
    if all((case.subject, part) in found.signed for part in case.central):
        _check_differs(found, case, name, wanted, (*case.central, *([OWN] if read == OWN else [])))
    # A read that is not signed is refused by the store, which says why.
    every = wanted or tuple(found.reads.settings)
    return pick(store, name, by=by, read=read, reason=reason, criteria=every, seen=seen or case.state)


def _check_differs(found: Reviewed, case: Case, name: str, criteria: tuple[str, ...], parts: tuple[str, ...]) -> None:
    for criterion in criteria or tuple(found.reads.settings):
        why = found.why_open(case, criterion, tuple(part for part in parts if (case.subject, part) in found.signed))
        if why:
            raise InputError(f"{name}, {criterion}: {blinded(case, why)}; nothing can be picked")
    agreed = [criterion for criterion in criteria if criterion not in found.discordant(case)]
    if agreed or not criteria:
        by = f" by {', '.join(agreed)}" if agreed else ""
        raise InputError(f"{name}: the readers agree{by} in {', '.join(found.variables)}; nothing to pick")
