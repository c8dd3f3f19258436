"""ADTTE and the proportions of ADRS: what ``mrecist endpoints`` derives, row by row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mrecist.datasets.model import Value
from mrecist.endpoints.proportions import Outcome
from mrecist.endpoints.times import COMPETING, EVENT, EventTime
from mrecist.exporting.adam.inputs import Material
from mrecist.exporting.adam.origins import NOWHERE, Found
from mrecist.exporting.adam.parameters import (
    CENTRAL_REVIEW,
    ENDPOINT,
    INVESTIGATORS,
    MOST_TEXT,
    STANDARD,
    YES_NO,
    criterion_name,
    endpoint_codes,
    endpoint_titles,
    is_standard,
    reader_name,
)
from mrecist.exporting.adam.responses import REGIONS, Rows, when
from mrecist.exporting.sdtm.readers import Evaluator
from mrecist.protocol import Endpoint
from mrecist.tables.accepted import ReviewTrack

_EVENTS = {"pd": "DISEASE PROGRESSION", "no_event": "NO EVENT", "no_postbaseline": "NO POST-BASELINE ASSESSMENT"}
_OF_RESPONSES = ("responses.csv", "best_responses.csv")


def time_rows(material: Material) -> Rows:
    """Subject -> row of ADTTE, from the rows of events.csv."""
    asked = [one for one in material.protocol.endpoints if one.kind == "time"]
    codes, titles = endpoint_codes(asked, ()), endpoint_titles(asked)
    who = _evaluators(material)
    for one in material.study.derived.times:
        named = {"PARAMCD": codes[one.endpoint], "PARAM": titles[one.endpoint]}
        yield one.subject, {**named, **_time(material, one, who)}


def _time(material: Material, one: EventTime, who: Mapping[str, Evaluator]) -> dict[str, Value]:
    censored = one.status != EVENT
    return {
        **_categories(material, one, who),
        "STARTDT": one.start,
        "STARTDTF": material.flag(one.subject, one.start),
        "ADT": one.date,
        "ADTF": material.flag(one.subject, one.date),
        "AVAL": one.days,
        "AVALU": "DAYS",
        "CNSR": one.cnsr,
        "EVNTDESC": _words(one.event),
        "CNSDTDSC": _censored_at(one) if censored else "",
        **_source(material, one, who.get(one.read_by)),
        "SRCTXT": one.source[:MOST_TEXT],
        "PROTSHA": material.protocol.sha256,
    }


def _words(event: str) -> str:
    return _EVENTS.get(event, event.upper().replace("_", " ").replace(":", ": "))[:MOST_TEXT]


def _censored_at(one: EventTime) -> str:
    """Whose day it is: the place that the rule names, or that a competing event came first."""
    if one.status == COMPETING:
        return "COMPETING EVENT"
    return one.reason.rpartition("; censored at ")[2].upper()[:MOST_TEXT]


def _categories(material: Material, one: EventTime | Outcome, who: Mapping[str, Evaluator]) -> dict[str, Value]:
    return {
        "PARCAT1": ENDPOINT,
        "PARCAT2": _review(material, one, who),
        "PARCAT3": criterion_name(material.named[one.criterion]) if one.criterion in material.named else "",
        "PARCAT4": REGIONS[one.region][1] if one.region else "",
    }


def _review(material: Material, one: EventTime | Outcome, who: Mapping[str, Evaluator]) -> str:
    """Whose responses the row is derived from, also of a subject whom nobody assessed; "" where it is of no responses."""
    track = material.study.found.courses.track_of(one.reader, one.criterion)
    if track is not None:
        return CENTRAL_REVIEW if track is ReviewTrack.CENTRAL else INVESTIGATORS
    return reader_name(who[one.reader]) if one.reader in who else ""


def _evaluators(material: Material) -> dict[str, Evaluator]:
    return {read.evaluator.reader: read.evaluator for read in material.inputs.reads}


def _source(material: Material, one: EventTime, who: Evaluator | None) -> Found:
    """The record of our SDTM with that day; nothing where SDTM has none, and SRCTXT alone says where it stands."""
    records, subject = material.records, material.unique_id(one.subject)
    table, _, rest = one.source.partition(" ")
    if table in _OF_RESPONSES and who is not None and one.criterion in material.named:
        test = REGIONS[one.region][2] if one.region else "OVRLRESP"
        found = records.response(subject, who, material.named[one.criterion], one.date, test)
        return {**found, "SRCVAR": "RSDTC"} if found["SRCDOM"] else found
    if table == "subjects.csv":
        variables = {"death": ("DTHDTC",), "last_alive": ("RFENDTC",)}.get(rest, ("RFSTDTC", "RFXSTDTC", "RFICDTC"))
        named = (records.person(subject, variable, one.date) for variable in variables)
        return next((found for found in named if found["SRCDOM"]), dict(NOWHERE))
    if table == "procedures.csv":
        done = {row.procedure for row in material.trial.procedures or () if row.procedure in rest}
        named = (records.procedure(subject, name, one.date) for name in sorted(done, key=len, reverse=True))
        return next((found for found in named if found["SRCDOM"]), dict(NOWHERE))
    if one.source == "occurrences.csv clinical_progression":
        return records.symptomatic(subject, one.date)
    if one.source == "start of the clock":
        return records.person(subject, "RFSTDTC", one.date)
    return dict(NOWHERE)


# --- proportions -----------------------------------------------------------------------------------------------------


def outcome_rows(material: Material) -> Rows:
    """Subject -> row of ADRS of a proportion, from the rows of outcomes.csv.

    Without a value: a subject outside the denominator. An endpoint whose ``paramcd`` is one of the standard parameters is that one.
    """
    own = _not_standard(material)
    codes, titles = endpoint_codes(own, STANDARD), endpoint_titles(own)
    who = _evaluators(material)
    for one in material.study.derived.outcomes:
        if one.endpoint in codes:
            named = {"PARAMCD": codes[one.endpoint], "PARAM": titles[one.endpoint]}
            yield one.subject, {**named, **_outcome(material, one, who)}


def _not_standard(material: Material) -> list[Endpoint]:
    protocol = material.protocol
    asked = [one for one in protocol.endpoints if one.kind == "proportion"]
    return [one for one in asked if not is_standard(one, confirmed=protocol.confirms(one))]


def _outcome(material: Material, one: Outcome, who: Mapping[str, Evaluator]) -> dict[str, Value]:
    word = {True: "Y", False: "N", None: ""}[one.success]
    row: dict[str, Value] = {
        **_categories(material, one, who),
        "AVALC": word,
        "AVAL": YES_NO.get(word),
        **when(material, one.subject, material.inputs.references[one.subject], one.date),
        "ANL01FL": "Y" if one.success is not None else "",
        "SRCTXT": one.reason[:MOST_TEXT],
        "PROTSHA": material.protocol.sha256,
    }
    if one.months is not None:
        row |= {"AVISIT": f"MONTH {one.months}", "AVISITN": one.months}
    by = who.get(one.read_by)
    if by is not None and one.criterion in material.named:
        test = REGIONS[one.region][2] if one.region else "OVRLRESP"
        category = material.named[one.criterion]
        row |= material.records.response(material.unique_id(one.subject), by, category, one.date, test)
    return row


def notes_of(material: Material) -> Iterator[str]:
    """How endpoints are called where their name is no PARAMCD, and which are standard parameters."""
    asked = material.protocol.endpoints
    codes = endpoint_codes([one for one in asked if one.kind == "time"], ())
    own = _not_standard(material)
    codes |= endpoint_codes(own, STANDARD)
    called = {one.id: one.paramcd or one.id for one in asked}
    renamed = [f"{name} is {code}" for name, code in codes.items() if code != called[name]]
    if renamed:
        yield (
            f"PARAMCD is one parameter and has at most eight capitals and digits, so {', '.join(renamed)}; say another one with "
            f"paramcd"
        )
    for one in asked:
        if one.kind == "proportion" and one not in own:
            outside = sum(o.endpoint == one.id and o.success is None for o in material.study.derived.outcomes)
            left = f"; {outside} subjects are not in its denominator" if outside else ""
            yield f"endpoint {one.id}: is parameter {one.paramcd} of ADRS and not written twice{left}"
