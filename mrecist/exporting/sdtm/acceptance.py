"""Whose records are the accepted ones, --ACPTFL: by ``accepted.csv``, else those of the adjudicator (SDTMIG 3.4, 6.3.12)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from mrecist.accepted import Accepted
from mrecist.errors import InputError
from mrecist.exporting.results import Results
from mrecist.exporting.sdtm.readers import Evaluator
from mrecist.tables.accepted import ReviewTrack

_NOWHERE: frozenset[int] = frozenset()
_FIRST = 5
"""So many subjects are named in a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Of one read the time points whose records are accepted, among those that several independent readers assessed.

    ``responses`` are by criterion, ``lesions`` those of TU and TR, ``by_row`` those where the comment of a row may say so itself.
    """

    responses: Mapping[str, frozenset[int]] = field(default_factory=dict)
    lesions: frozenset[int] = _NOWHERE
    by_row: frozenset[int] = _NOWHERE


def acceptance(
    results: Results,
    accepted: Accepted,
    who: Mapping[str, Evaluator],
    subject: str,
    reader: str,
    timepoints: Iterable[int],
) -> Acceptance:
    """What is accepted of a read; nothing of an investigator's.

    A record of TU or TR is of all criteria: it is accepted where no criterion accepts another reader's.
    """
    if not who[reader].independent:
        return Acceptance()
    independent = [name for name, one in who.items() if one.independent]
    shared = frozenset(n for n in timepoints if sum((subject, name, n) in results.rows for name in independent) > 1)
    if not accepted.rows:
        decides = _adjudicates(results, who[reader])
        of_lesions = shared if decides else _NOWHERE
        return Acceptance(responses=dict.fromkeys(results.settings, of_lesions), lesions=of_lesions, by_row=shared)
    deciding = _deciding(results, accepted, who, subject)
    return Acceptance(
        responses={criterion: shared if reader in whose else _NOWHERE for criterion, whose in deciding.items()},
        lesions=shared if set().union(*deciding.values()) == {reader} else _NOWHERE,
    )


def _deciding(results: Results, accepted: Accepted, who: Mapping[str, Evaluator], subject: str) -> dict[str, set[str]]:
    """Criterion -> whose read of a subject counts by ``accepted.csv``; the adjudicator's by a criterion that it says nothing of."""
    central = ReviewTrack.CENTRAL
    there = {name for one, name, _ in results.rows if one == subject}
    found = {}
    for criterion in results.settings:
        if accepted.decides(criterion, central):
            whose = {accepted.reader(subject, criterion, central)}
        else:
            whose = {name for name in there if _adjudicates(results, who[name])}
        found[criterion] = whose & there
    return found


def _adjudicates(results: Results, evaluator: Evaluator) -> bool:
    """Whether the records of this reader are the accepted ones: the adjudicator's, unless the protocol names somebody else."""
    return evaluator.adjudicates and results.protocol.readers.accepted in ("", evaluator.reader)


def check_investigators(results: Results, who: Mapping[str, Evaluator]) -> None:
    """One investigator a subject: records of two could not be told apart. Raises :class:`InputError`."""
    first: dict[str, str] = {}
    for subject, reader, _ in sorted(results.rows):
        if not who[reader].independent and first.setdefault(subject, reader) != reader:
            raise InputError(
                f"subject {subject}: readers {first[subject]} and {reader} would both be INVESTIGATOR; keep the rows of one"
            )


def notes_of(results: Results, accepted: Accepted, who: Mapping[str, Evaluator]) -> Iterator[str]:
    """The subjects whose criteria accept different readers, so that no record of TU and TR is flagged."""
    if not accepted.rows:
        return
    subjects = sorted({subject for subject, _, _ in results.rows})
    several = [one for one in subjects if len(set().union(*_deciding(results, accepted, who, one).values())) > 1]
    if several:
        more = ", ..." if len(several) > _FIRST else ""
        yield (
            f"the criteria of {len(several)} subjects accept different readers ({', '.join(several[:_FIRST])}{more}): RSACPTFL is "
            "by criterion, and TUACPTFL and TRACPTFL are empty, because their records are of all criteria"
        )
