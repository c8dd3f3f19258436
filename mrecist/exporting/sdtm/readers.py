"""Who a reader of the tables is in SDTM: --EVAL, --EVALID, and what begins the link identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mrecist.accepted import Accepted
from mrecist.errors import InputError
from mrecist.protocol import Readers
from mrecist.sdtm.codelists import EVALUATOR_IDS, INDEPENDENT, INVESTIGATOR
from mrecist.tables.accepted import ReviewTrack

_SHORT = re.compile(r"(R|READER|RAD|RADIOLOGIST|ONC|ONCOLOGIST|ADJ|ADJUDICATOR)[ _-]*([1-3]?)")
_WORDS = {"R": "READER", "RAD": "RADIOLOGIST", "ONC": "ONCOLOGIST", "ADJ": "ADJUDICATOR"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluator:
    """``identifier`` is empty for an investigator, and only for one: --EVALID never stands without --EVAL."""

    reader: str
    role: str
    identifier: str = ""

    @property
    def independent(self) -> bool:
        """Not the investigator."""
        return self.role == INDEPENDENT

    @property
    def adjudicates(self) -> bool:
        """Decides between readers."""
        return self.identifier.startswith("ADJUDICATOR")

    def linked(self, identifier: str) -> str:
        """A link identifier of this reader: ``R1-T01``; an investigator's has no prefix."""
        prefix = EVALUATOR_IDS.get(self.identifier, "")
        return f"{prefix}-{identifier}" if prefix else identifier


def evaluators(
    readers: Iterable[str], named: Mapping[str, str], rules: Readers, accepted: Accepted | None = None
) -> dict[str, Evaluator]:
    """Reader -> evaluator (docs/sdtm.md has the rules).

    ``named`` is what the user says: reader -> INVESTIGATOR or a term of EVALID; ``accepted`` says who has accepted reads as an
    investigator; every site may have its own. Raises :class:`InputError` for a reader that nothing tells, when two readers would
    be the same evaluator, and where ``accepted`` has another one.
    """
    accepted = accepted or Accepted()
    investigators = accepted.readers(ReviewTrack.INVESTIGATOR)
    # Several are told apart by their subjects, where somebody says that they are investigators.
    several = investigators | {name for name, term in named.items() if term.strip().upper() == INVESTIGATOR}
    readers = list(dict.fromkeys(readers))
    unknown = [name for name in named if name not in readers]
    if unknown:
        raise InputError(f"--reader {unknown[0]}: is no reader of these results; there are: {', '.join(readers)}")
    found: dict[str, Evaluator] = {}
    for reader in readers:
        if reader in named:
            term = _term_named(reader, named[reader])
        else:
            term = INVESTIGATOR if reader in investigators else _term(reader, readers, rules)
        _check_track(reader, term, accepted)
        same = next((e.reader for e in found.values() if term in (e.identifier, e.role)), None)
        if same is not None and not {same, reader} <= several:
            raise InputError(
                f"readers {same} and {reader} would both be {term}; say who they are with --reader NAME=TERM. Who is {term} of one "
                "subject and somebody else of another has no one term: write the reads of the store with --as-parts"
            )
        is_investigator = term == INVESTIGATOR
        found[reader] = Evaluator(
            reader=reader,
            role=INVESTIGATOR if is_investigator else INDEPENDENT,
            identifier="" if is_investigator else term,
        )
    return found


def _check_track(reader: str, term: str, accepted: Accepted) -> None:
    for track in ReviewTrack:
        is_investigator = track is ReviewTrack.INVESTIGATOR
        if reader in accepted.readers(track) and (term == INVESTIGATOR) is not is_investigator:
            raise InputError(
                f"reader {reader}: has accepted reads in the {track} track and would be {term}; mend accepted.csv, or say who "
                f"that is with --reader '{reader}={'INVESTIGATOR' if is_investigator else 'READER 1'}'"
            )


def _term_named(reader: str, term: str) -> str:
    term = " ".join(term.upper().split())
    if term != INVESTIGATOR and term not in EVALUATOR_IDS:
        known = ", ".join((INVESTIGATOR, *EVALUATOR_IDS))
        raise InputError(f"--reader {reader}={term}: is no evaluator; use one of: {known}")
    return term


def _term(reader: str, readers: list[str], rules: Readers) -> str:
    if rules.plan == "investigator" and len(readers) == 1:
        return INVESTIGATOR
    if rules.plan == "two_plus_adjudicator" and reader == rules.accepted:
        return "ADJUDICATOR"
    name = " ".join(reader.upper().split())
    if name in ("INVESTIGATOR", "INV"):
        return INVESTIGATOR
    short = _SHORT.fullmatch(name)
    if short is not None:
        term = " ".join(filter(None, (_WORDS.get(short[1], short[1]), short[2])))
        if term in EVALUATOR_IDS:
            return term
    raise InputError(f"reader {reader}: nothing says who that is in --EVALID; say it with --reader '{reader}=READER 1'")
