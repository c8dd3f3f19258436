"""Whose read of each subject counts, by criterion and track, and which cases are still open.

In the central track a pick that still holds comes first. Without one: the only reader's read; where the readers agree in all that is
adjudicated, that of "reader 1" (who is reader 1 of a case was drawn by lot when it was assigned). Everything else is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mrecist.review.reviewed import Case, Reviewed
from mrecist.store.adjudicating import OWN
from mrecist.store.assigning import ADJUDICATOR, INVESTIGATOR
from mrecist.tables.accepted import AcceptedAs, AcceptedRead, ReviewTrack

AGREED_READ = "reader 1"
"""Whose read counts where the readers agree."""


def accepted(found: Reviewed, *, as_parts: bool = False) -> tuple[AcceptedRead, ...]:
    """A row for every assigned case by criterion and track: the read that counts, or that the case is open and why.

    ``as_parts``: readers are called by their part in the case, as :func:`mrecist.store.showing.rows_to_derive` calls them then.
    """
    rows = ((case, row) for case in found.cases.values() for row in _of_case(found, case))
    return tuple(_as_part(case, row) if as_parts else row for case, row in rows)


def _as_part(case: Case, row: AcceptedRead) -> AcceptedRead:
    parts = {reader: part for part, reader in case.central.items()}
    parts |= {case.adjudicator: ADJUDICATOR, case.investigator: INVESTIGATOR}
    return row if row.is_open else replace(row, reader=parts[row.reader], by=ADJUDICATOR if row.by else "")


def _of_case(found: Reviewed, case: Case) -> Iterator[AcceptedRead]:
    for criterion in found.reads.settings:
        if case.central:
            yield central(found, case, criterion)
        if case.investigator:
            yield _investigator(found, case, criterion)


def _open(case: Case, criterion: str, track: ReviewTrack, why: str) -> AcceptedRead:
    return AcceptedRead(
        subject=case.subject, criterion=criterion, track=track, reader="", accepted_as=AcceptedAs.OPEN, reason=why
    )


def _investigator(found: Reviewed, case: Case, criterion: str) -> AcceptedRead:
    track = ReviewTrack.INVESTIGATOR
    why = found.why_open(case, criterion, (INVESTIGATOR,))
    if why:
        return _open(case, criterion, track, why)
    return AcceptedRead(
        subject=case.subject,
        criterion=criterion,
        track=track,
        reader=case.investigator,
        accepted_as=AcceptedAs.ONLY,
    )


def central(found: Reviewed, case: Case, criterion: str) -> AcceptedRead:
    """The central read of a case that counts by a criterion, or why there is none yet."""
    picked = case.picks.get(criterion)
    parts = tuple(case.central)
    holds = picked is not None and not picked.stale
    if picked is not None and holds and picked.read == OWN:
        parts = (*parts, OWN)
    why = found.why_open(case, criterion, parts)
    if not why and picked is not None and holds:
        return AcceptedRead(
            subject=case.subject,
            criterion=criterion,
            track=ReviewTrack.CENTRAL,
            reader=picked.reader,
            accepted_as=AcceptedAs.REREAD if picked.read == OWN else AcceptedAs.PICKED,
            by=picked.by,
            reason=picked.reason,
        )
    differs = () if why else found.discordant(case).get(criterion, ())
    if differs:
        on = ", ".join(dict.fromkeys(one.variable for one in differs))
        why = f"readers differ in {on}: {_why_not_picked(case, criterion)}"
    if why:
        return _open(case, criterion, ReviewTrack.CENTRAL, why)
    return AcceptedRead(
        subject=case.subject,
        criterion=criterion,
        track=ReviewTrack.CENTRAL,
        reader=case.central.get(AGREED_READ) or next(iter(case.central.values())),
        accepted_as=AcceptedAs.ONLY if len(case.central) == 1 else AcceptedAs.AGREED,
    )


def _why_not_picked(case: Case, criterion: str) -> str:
    if not case.adjudicator:
        return "no adjudicator has the case; run: mrecist reads adjudicate"
    picked = case.picks.get(criterion)
    if picked is None:
        return "the adjudicator has not picked yet"
    return f"the pick of {picked.at} holds no more ({picked.stale}); it has to be picked again"
