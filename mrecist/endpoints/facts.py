"""What an endpoint is derived from, and days that cannot be: only where the two meet is a subject left out.

A fact is a table (``liver``), the ``responses``, or a column of subjects.csv (``subjects.death``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from mrecist.dates import given_text
from mrecist.endpoints.clock import ALIVE, OF_RESPONSE, known_alive
from mrecist.endpoints.happenings import Case
from mrecist.protocol import Endpoint, Protocol
from mrecist.protocol.endpoints import CATEGORIES
from mrecist.trial import PROCEDURES

RESPONSES, DEATH = "responses", "subjects.death"
TABLES = ("procedures", "therapies", "markers", "liver", "occurrences", "adverse_events")
_NEW_THERAPY = frozenset(("subjects.new_anticancer_therapy", "therapies"))
_EVERYTHING_ALIVE = frozenset((RESPONSES, *TABLES, *(f"subjects.{column}" for column in ALIVE)))
_OF_EVENT = {
    "pd": frozenset((RESPONSES,)),
    "new_lesion": frozenset((RESPONSES,)),
    "new_anticancer_therapy": _NEW_THERAPY,
    "child_pugh_c_after_tace": frozenset(("liver", "procedures")),
    **{word: frozenset((f"subjects.{word}",)) for word in ("death", "withdrawal", "lost_to_follow_up")},
}
_OF_CENSORING = {
    "missed_visits": frozenset((RESPONSES,)),
    "no_postbaseline": frozenset((RESPONSES,)),
    "data_cutoff": _EVERYTHING_ALIVE,
    "no_event": frozenset[str](),
    "horizon": frozenset[str](),
}
_OF_PLACE = {
    "last_assessment": frozenset((RESPONSES,)),
    "last_assessment_before": frozenset((RESPONSES,)),
    "last_alive": _EVERYTHING_ALIVE,
    "last_alive_before": _EVERYTHING_ALIVE,
}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A fact that has a subject after its death, in words."""

    fact: str
    message: str

    def concerns(self, reads: frozenset[str], *, death_decides: bool) -> bool:
        """Whether an endpoint cannot be told: it reads that fact, or its row hangs on the death.

        Assessments after a death leave neither of them to be trusted.
        """
        return self.fact in reads or (DEATH in reads and (death_decides or self.fact == RESPONSES))


def facts_of(endpoint: Endpoint, protocol: Protocol) -> frozenset[str]:
    """All facts that the derivation of an endpoint reads."""
    found = set(_of_origin(endpoint.origin or protocol.origin.event, protocol, own=bool(endpoint.origin)))
    if endpoint.origin in OF_RESPONSE:
        found |= _of_origin(protocol.origin.event, protocol, own=False) | _NEW_THERAPY
    words = [word for word in (*endpoint.events, *endpoint.competing, *endpoint.success) if word not in CATEGORIES]
    for word in words:
        found |= _of_event(word)
    for rule in endpoint.censor:
        found |= _OF_CENSORING[rule.when] if rule.when in _OF_CENSORING else _of_event(rule.when)
        found |= _OF_PLACE.get(rule.at, frozenset())
    if endpoint.marker_rules:
        found.add("markers")
    elif endpoint.needs_responses or endpoint.denominator != "population":
        found.add(RESPONSES)
    if endpoint.population == "treated":
        found |= {"subjects.first_dose", "subjects.first_procedure"}
    if endpoint.population in ("evaluable", "measurable"):
        found.add(RESPONSES)
    if endpoint.kind == "proportion" and endpoint.at_months:
        found.add(DEATH)
    if endpoint.kind == "change" or (RESPONSES in found and "new_anticancer_therapy" in protocol.response.cut):
        found |= _NEW_THERAPY
    return frozenset(found)


def _of_origin(word: str, protocol: Protocol, *, own: bool) -> frozenset[str]:
    if word in ("", "baseline", *OF_RESPONSE):
        return frozenset((RESPONSES,))
    if word == "first_procedure" and protocol.origin.procedure and not own:
        return frozenset(("procedures",))
    return _of_event(word) if ":" in word else frozenset((f"subjects.{word}",))


def _of_event(word: str) -> frozenset[str]:
    tag, _, name = word.partition(":")
    if word in _OF_EVENT:
        return _OF_EVENT[word]
    if tag in PROCEDURES or tag == "procedure":
        return frozenset(("procedures",))
    return frozenset((f"subjects.{name}",)) if tag == "date" else frozenset(("occurrences",))


def contradictions(case: Case) -> tuple[Contradiction, ...]:
    """The facts that have a subject after its death, each with its last day there. Assessments count where they were evaluated."""
    death = case.subject.dates.get("death")
    if death is None:
        return ()
    last: dict[str, tuple[date, str]] = {}
    for fact, day, source in _seen(case):
        if day > death and (fact not in last or day > last[fact][0]):
            last[fact] = day, source
    return tuple(
        Contradiction(fact, f"{source} has the subject on {_told(day)}, after the death of {_told(death)}; correct one")
        for fact, (day, source) in last.items()
    )


def _seen(case: Case) -> Iterator[tuple[str, date, str]]:
    """Fact, day and source of all that has the subject alive."""
    for visit in case.course.visits if case.course is not None else ():
        if case.course is not None and visit.evaluated:
            yield RESPONSES, visit.date, case.course.source
    for day, source in known_alive(replace(case, course=None)):
        table, _, column = source.partition(".csv")
        yield f"subjects.{column.strip()}" if table == "subjects" else table, day, source


def _told(day: date) -> str:
    return f"{day} ('{given_text(day)}', completed by partial_date)" if given_text(day) else str(day)
