"""TR to measurements: all results of one lesion at one time point by one reader become one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from mrecist.contradictions import contradictions_of_row
from mrecist.model import Change, Kind, Measurement, Role, State
from mrecist.sdtm import terms, values
from mrecist.sdtm.datasets import Record
from mrecist.sdtm.lesions import Lesion
from mrecist.sdtm.supplements import facts_of
from mrecist.units import show


@dataclass(slots=True)
class Gathered:
    """What the records of one lesion at one time point say together."""

    sizes: dict[str, Decimal] = field(default_factory=dict)
    tests: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    state: str = ""
    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    @property
    def nothing(self) -> bool:
        """No test of these records was understood."""
        return not self.sizes and not self.words and not self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Whose row it is and when."""

    subject: str
    reader: str
    timepoint: int
    date: date


def gathered(records: Sequence[Record], kind: Kind) -> Gathered:
    """Put the tests of a lesion together; raises ``ValueError`` where they contradict each other."""
    found = Gathered()
    for record in records:
        test = record.term("TRTESTCD")
        if test in terms.LESION_STATES:
            _take_state(found, record, test)
        elif test in terms.UNIT_OF and test not in terms.SUMS:
            _take_size(found, record, test, kind)
        else:
            found.unknown.append(test)
        accepted = record.term("TRACPTFL")
        if accepted == "Y" and "accepted" not in found.reasons:
            found.reasons.append("accepted")
    found.facts = facts_of(records, found.notes)
    return found


def _take_state(found: Gathered, record: Record, test: str) -> None:
    said = terms.NOT_EVALUABLE[0] if values.not_done(record) else record.term("TRSTRESC") or record.term("TRORRES")
    if not said:
        raise ValueError(f"{test} has neither a result nor TRSTAT NOT DONE; give one")
    if record["TRREASND"]:
        found.reasons.append(record["TRREASND"])
    if found.state and found.state != said:
        raise ValueError(f"the state is '{found.state}' and '{said}'; keep one")
    found.state = said


def _take_size(found: Gathered, record: Record, test: str, kind: Kind) -> None:
    result = values.result_of(record, test)
    column = terms.SIZES.get(test, "short_mm" if kind is Kind.NODE else "longest_mm")
    if result.reason:
        found.reasons.append(result.reason)
    if result.note:
        found.notes.append(result.note)
    if result.word:
        found.words[column] = result.word
    if result.value is None:
        return
    before = found.sizes.setdefault(column, result.value)
    found.tests.setdefault(column, test)
    if before != result.value:
        of = f"{record['TRLNKID']}, a {kind},"
        other = found.tests[column]
        raise ValueError(f"{of} has {test} {show(result.value)} and {other} {show(before)} for one size; correct one")


def measurement(place: Place, lesion: Lesion, found: Gathered, records: Sequence[Record], carrier: str) -> Measurement:
    """The row of a lesion; ``carrier`` is the lesion that it merged into, if any.

    Raises ``ValueError`` when the records do not say what a row needs, or contradict each other.
    """
    if found.nothing:
        tests = ", ".join(found.unknown)
        raise ValueError(
            f"{lesion.id} has {tests} only, which says neither size nor state; use LDIAM, LPERP or TUMSTATE"
        )
    state = _STATE_OF[lesion.role](lesion, found, carrier)
    sizes: dict[str, Any] = dict(found.sizes)
    if state in (State.MERGED, State.NOT_EVALUABLE):
        sizes = {}
    facts = dict(found.facts)
    if found.state == terms.GROWN and lesion.role is not Role.TARGET:
        facts["change"] = Change.INCREASE
    methods = {record.term("TRMETHOD") for record in records} - {""}
    row = Measurement(
        subject=place.subject,
        timepoint=place.timepoint,
        date=place.date,
        reader=place.reader,
        lesion=lesion.id,
        role=lesion.role,
        kind=lesion.kind,
        organ=lesion.organ,
        station=lesion.station,
        state=state,
        part_of=carrier if state is State.MERGED else lesion.part_of,
        basis=lesion.basis,
        modality="+".join(sorted({terms.METHODS.get(method, method) for method in methods})),
        comment="; ".join(dict.fromkeys(found.reasons)),
        **facts,
        **sizes,
    )
    for found_wrong in contradictions_of_row(row):
        raise ValueError(str(found_wrong))
    return row


def _word(found: Gathered, role: Role) -> State | None:
    if not found.state or found.state in (*terms.NOT_EVALUABLE, *terms.MERGED):
        return None
    try:
        return terms.STATES[role][found.state]
    except KeyError:
        known = ", ".join(terms.STATES[role])
        raise ValueError(f"the state '{found.state}' is not understood for a {role}; use one of: {known}") from None


def _target(lesion: Lesion, found: Gathered, carrier: str) -> State:
    if found.state in terms.MERGED or values.MERGED in found.words.values():
        if not carrier:
            raise ValueError(
                f"{lesion.id} has merged and no TUMERGE says with which lesion; add it, such as T01/{lesion.id}"
            )
        return State.MERGED
    said = _word(found, Role.TARGET)
    if values.TOO_SMALL in found.words.values():
        return State.TOO_SMALL
    if said is State.ABSENT or values.ABSENT in found.words.values():
        return State.ABSENT
    counted = found.sizes.get("short_mm" if lesion.kind is Kind.NODE else "longest_mm")
    if counted == 0:
        if said is not None and found.state != "NON-PATHOLOGICAL":
            raise ValueError(f"{lesion.id} is '{found.state}' with a size of 0 mm; correct one")
        return State.ABSENT
    if found.sizes or said is not None:
        return State.MEASURED
    return State.NOT_EVALUABLE


def _non_target(lesion: Lesion, found: Gathered, _carrier: str) -> State:
    if found.state in terms.MERGED:
        raise ValueError(f"{lesion.id} is a non-target that has merged; give its state as PRESENT or ABSENT")
    said = _word(found, Role.NON_TARGET)
    if said is not None:
        return said
    if found.state or not (found.sizes or _seen(found)):
        return State.NOT_EVALUABLE
    return State.PRESENT if _seen(found) else State.ABSENT


def _new(lesion: Lesion, found: Gathered, _carrier: str) -> State:
    said = _word(found, Role.NEW)
    if said is not None:
        return said
    if _seen(found):
        return State.UNEQUIVOCAL
    if found.sizes or values.ABSENT in found.words.values():
        return State.ABSENT
    raise NotSeenError(f"{lesion.id} is a new lesion that was not evaluated here")


def _seen(found: Gathered) -> bool:
    return any(found.sizes.values()) or values.TOO_SMALL in found.words.values()


class NotSeenError(ValueError):
    """A new lesion was not evaluated at a visit: it has no row there, and keeps what it was."""


_STATE_OF = {Role.TARGET: _target, Role.NON_TARGET: _non_target, Role.NEW: _new}
