"""``[[endpoint]]``: what is derived from responses, and from the other tables of a study (docs/endpoints.md).

An endpoint is a time from an origin to the first of its events, or the share of subjects with a success. Sources of the words:
FDA, Clinical Trial Endpoints for the Approval of Cancer Drugs and Biologics (2018), appendix 3; CDISC ADaM BDS-TTE 1.0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from mrecist.errors import ProtocolError
from mrecist.protocol.sections import only_known, values_of
from mrecist.protocol.values import SPELLINGS, Reader, list_of, number, one_of, step, text, texts, whole, yes_no
from mrecist.trial import OUTCOMES

EVENTS = (
    *(
        "pd",
        "death",
        "new_anticancer_therapy",
        "withdrawal",
        "lost_to_follow_up",
        "resection",
        "ablation",
        "transplant",
    ),
    *("new_lesion", "vascular_invasion", "extrahepatic_spread", "clinical_progression", "child_pugh_c_after_tace"),
)
"""What may happen to a subject; beside these ``procedure:NAME``, ``event:NAME``, ``date:COLUMN``, and outcomes (``resection:R0``)."""
TAGGED = ("procedure:", "event:", "date:")
ORIGINS = (
    *("randomisation", "enrolment", "consent", "first_dose", "first_procedure", "baseline"),
    *("first_response", "first_confirmed_response"),
)
PLACES = (
    *(
        "last_assessment",
        "last_assessment_before",
        "last_alive",
        "last_alive_before",
        "origin",
        "trigger",
        "data_cutoff",
    ),
)
AT_HORIZON = ("trigger", "last_assessment_before", "last_alive_before")
LAST_RESORTS = ("no_event", "no_postbaseline", "missed_visits", "data_cutoff", "horizon")
CATEGORIES = ("CR", "PR", "SD", "NON-CR/NON-PD", "PD", "iCR", "iPR", "iSD", "NON-iCR/NON-iUPD", "iUPD", "iCPD")
TESTS = ("logrank", "logrank_stratified", "cox", "cox_stratified", "gray", "gray_stratified", "fine_gray")
REGIONS = ("intrahepatic", "extrahepatic")
KM_INTERVALS = ("log-log", "log", "linear")
DENOMINATORS = ("population", "assessed", "evaluated")
OF_MARKERS = ("population", "elevated", "evaluated")
PROPORTION_INTERVALS = ("clopper-pearson", "wilson")


@dataclass(frozen=True, slots=True, kw_only=True)
class Censoring:
    """Who has no event, and when the clock stops for them: ``when`` happened first, so the time ends ``at``, with code ``cnsr``."""

    when: str
    at: str
    cnsr: int
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerRule:
    """``marker``: a tumour marker that was above ``limit`` and falls to it or below (``unit`` as in markers.csv).

    With ``fall_percent`` it falls by so many % of the baseline value, and ``limit`` says only who was above it at baseline.
    """

    test: str
    unit: str
    limit: Decimal | None = None
    fall_percent: Decimal | None = None
    elevated_at_baseline: bool = True
    confirm_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint. Which fields matter is said by ``kind``: ``time``, ``proportion`` or ``change``.

    ``at_months`` of a proportion or a change asks for the response, or the sum, at these months (within ``window_days``), not for
    the best one; ``at_months`` of a time are the landmarks at which the survival function is told. Nothing later than
    ``until_months`` after day 1 counts: of a time, of a share of events and of a share of markers.
    """

    id: str
    kind: str
    title: str = ""
    criterion: str = ""
    region: str = ""
    reader: str = ""
    paramcd: str = ""
    population: str = "ITT"
    at_months: tuple[Decimal, ...] = ()
    window_days: int = 0
    until_months: Decimal | None = None
    # time
    origin: str = ""
    events: tuple[str, ...] = ()
    censor: tuple[Censoring, ...] = ()
    competing: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    km_ci: str = "log-log"
    # proportion
    success: tuple[str, ...] = ()
    confirmed: bool | None = None
    marker: MarkerRule | None = None
    markers: tuple[MarkerRule, ...] = ()
    require: str = "all"
    denominator: str = "population"
    ci: str = "clopper-pearson"
    # change
    at: str = "best"
    percent: Decimal | None = None

    @property
    def marker_rules(self) -> tuple[MarkerRule, ...]:
        """The markers that the share is about: one, or several together."""
        return self.markers if self.marker is None else (self.marker,)

    @property
    def needs_responses(self) -> bool:
        """It cannot be derived without responses."""
        if self.kind == "change":
            return True
        asked = {
            *self.events,
            *self.competing,
            self.origin,
            *(c.when for c in self.censor),
            *(c.at for c in self.censor),
        }
        of_responses = {"pd", "new_lesion", "first_response", "first_confirmed_response", "missed_visits"}
        assessed = {"last_assessment", "last_assessment_before", "no_postbaseline"}
        return bool(asked & (of_responses | assessed)) or any(word in CATEGORIES for word in self.success)


def endpoints_of(content: Any, criteria: tuple[str, ...], where: str) -> tuple[Endpoint, ...]:
    """The endpoints of a protocol; ``criteria`` are the names its responses have.

    Raises :class:`ProtocolError` for an unknown key, an impossible value, a missing one, or an id that is there twice.
    """
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise ProtocolError(f"{where}: 'endpoint' is {content!r}, not a list of tables; write it as [[endpoint]]")
    found: dict[str, Endpoint] = {}
    for place, section in enumerate(content, 1):
        name = section.get("id")
        if not isinstance(name, str) or not name.strip():
            raise ProtocolError(f'{where}: [[endpoint]] number {place} has no id; give it one, for example id = "PFS"')
        here = f"{where} [[endpoint]] {name}"
        if name in found:
            raise ProtocolError(f"{here}: is there twice; each endpoint has an id of its own")
        found[name] = _endpoint(section, criteria, here)
    return tuple(found.values())


def _endpoint(section: Mapping[str, Any], criteria: tuple[str, ...], here: str) -> Endpoint:
    only_known(section, set(ENDPOINT_KEYS), here, "endpoint")
    kind = section.get("kind")
    if kind not in _OF_KIND:
        raise ProtocolError(f"{here}: kind is {kind!r}; it takes one of {', '.join(_OF_KIND)}")
    readers = {**_COMMON, **_OF_KIND[kind]}
    for key in section:
        if key not in readers:
            raise ProtocolError(f"{here}: {key} has no meaning for a {kind}; take it away")
    values = values_of(section, readers, here, "endpoint")
    if kind == "proportion":
        values.setdefault("denominator", _denominator(values))
    asked = values.get("criterion", "")
    if asked and asked not in criteria:
        raise ProtocolError(f"{here}: criterion is '{asked}', and the protocol has {', '.join(criteria)}")
    endpoint = Endpoint(**values)
    if endpoint.region and not endpoint.needs_responses:
        raise ProtocolError(f"{here}: region is of responses, and this endpoint needs none; take it away")
    _CHECKS[kind](endpoint, here)
    return endpoint


def _check_time(endpoint: Endpoint, here: str) -> None:
    if not endpoint.events:
        raise ProtocolError(f'{here}: has no events; say what ends the time, for example events = ["pd", "death"]')
    both = set(endpoint.events) & set(endpoint.competing)
    if both:
        raise ProtocolError(f"{here}: '{min(both)}' is an event and competes with the events; choose one")
    of_competing = [test for test in endpoint.tests if test in ("gray", "gray_stratified", "fine_gray")]
    if of_competing and not endpoint.competing:
        raise ProtocolError(
            f"{here}: tests has '{of_competing[0]}', which is for competing events, and there are none; give competing, or take it away"
        )
    whens = [rule.when for rule in endpoint.censor]
    for rule in endpoint.censor:
        if whens.count(rule.when) > 1:
            raise ProtocolError(f"{here}: censor has '{rule.when}' twice; keep one")
        if rule.when in endpoint.events:
            raise ProtocolError(f"{here}: '{rule.when}' is an event and censors; choose one")
    if (endpoint.until_months is None) is ("horizon" in whens):
        wanted = '{ when = "horizon", cnsr = 6, at = "trigger" }'
        raise ProtocolError(f"{here}: until_months and the censoring rule {wanted} go together; give both or neither")
    if "no_event" not in whens:
        wanted = '{ when = "no_event", cnsr = 1, at = "last_assessment" }'
        raise ProtocolError(f"{here}: censor does not say what happens without an event; add {wanted}")


def _check_proportion(endpoint: Endpoint, here: str) -> None:
    if [bool(endpoint.success), endpoint.marker is not None, bool(endpoint.markers)].count(True) != 1:
        raise ProtocolError(f'{here}: give either success, for example ["CR", "PR"], or marker, or markers')
    categories = [word for word in endpoint.success if word in CATEGORIES]
    if categories and len(categories) != len(endpoint.success):
        raise ProtocolError(f"{here}: success mixes responses and other events; make two endpoints")
    if endpoint.at_months and not categories:
        raise ProtocolError(f"{here}: at_months asks for responses at a month, and success names none")
    if endpoint.until_months is not None and categories:
        raise ProtocolError(f"{here}: until_months is of events and markers; ask for responses with at_months")
    _check_denominator(endpoint, here)


def _denominator(values: Mapping[str, Any]) -> str:
    """Who is counted unless the endpoint says so: of markers that were to be above their limit at baseline those who were."""
    rules = [*([values["marker"]] if "marker" in values else []), *values.get("markers", ())]
    return "elevated" if any(rule.elevated_at_baseline for rule in rules) else "population"


def _check_denominator(endpoint: Endpoint, here: str) -> None:
    allowed = OF_MARKERS if endpoint.marker_rules else DENOMINATORS
    if endpoint.denominator not in allowed:
        what = "markers" if endpoint.marker_rules else "responses and events"
        raise ProtocolError(
            f"{here}: denominator is '{endpoint.denominator}'; of {what} it is one of {', '.join(allowed)}"
        )
    if endpoint.denominator == "elevated" and not any(rule.elevated_at_baseline for rule in endpoint.marker_rules):
        raise ProtocolError(
            f"{here}: denominator is 'elevated', and no marker has to be elevated at baseline; choose one"
        )


def _check_change(endpoint: Endpoint, here: str) -> None:
    if endpoint.at_months and endpoint.at != "best":
        raise ProtocolError(f"{here}: at is '{endpoint.at}' and at_months asks for months; keep one")


_CHECKS = {"time": _check_time, "proportion": _check_proportion, "change": _check_change}


# --- reading values --------------------------------------------------------------------------------------------------


def _event(value: Any) -> str:
    if isinstance(value, str):
        tag, _, outcome = value.partition(":")
        if tag in OUTCOMES and outcome:
            return f"{tag}:{_outcome(outcome, OUTCOMES[tag])}"
        if value in EVENTS or any(value.startswith(tag) and value != tag for tag in TAGGED):
            return _with_outcome(value)
        near = get_close_matches(value, EVENTS, n=1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise ValueError(
            f"{hint}one of {', '.join(EVENTS)}, procedure:NAME, event:NAME, date:COLUMN, resection:OUTCOME"
        )
    raise ValueError('a text such as "pd"')


def _with_outcome(value: str) -> str:
    """``procedure:NAME``, or ``procedure:NAME:OUTCOME``; any other word as it is."""
    tag, _, rest = value.partition(":")
    name, colon, outcome = rest.partition(":")
    if tag != "procedure" or not colon:
        return value
    return f"{tag}:{name}:{_outcome(outcome, [word for words in OUTCOMES.values() for word in words])}"


def _outcome(text: str, known: Sequence[str]) -> str:
    by_name = {word.casefold(): word for word in known}
    if text.strip().casefold() not in by_name:
        raise ValueError(f"'{text}' after the colon is no outcome; one of {', '.join(known)}")
    return by_name[text.strip().casefold()]


def _events(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError('a list such as ["pd", "death"]')
    return tuple(_event(one) for one in value)


def _success(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError('a list such as ["CR", "PR"] or ["procedure:HEPATECTOMY"]')
    return tuple(one if one in CATEGORIES else _event(one) for one in value)


def _origin(value: Any) -> str:
    value = SPELLINGS.get(value, value) if isinstance(value, str) else value
    tags = ("procedure:", "date:")
    if isinstance(value, str) and (value in ORIGINS or any(value.startswith(t) and value != t for t in tags)):
        return _with_outcome(value)
    raise ValueError(f"one of {', '.join(ORIGINS)}, procedure:NAME, date:COLUMN")


def _place(value: Any) -> str:
    if value in PLACES:
        return str(value)
    raise ValueError(f"one of {', '.join(PLACES)}")


def _censorings(value: Any) -> tuple[Censoring, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        raise ValueError('a list such as [{ when = "no_event", cnsr = 1, at = "last_assessment" }]')
    return tuple(_censoring(one) for one in value)


def _censoring(given: Mapping[str, Any]) -> Censoring:
    unknown = given.keys() - {"when", "at", "cnsr", "count"}
    missing = {"when", "at", "cnsr"} - given.keys()
    if unknown or missing:
        wrong = f"unknown '{min(unknown)}'" if unknown else f"no '{min(missing)}'"
        raise ValueError(f"rules with when, at, cnsr (and count for missed_visits); one has {wrong}")
    when = given["when"] if given["when"] in LAST_RESORTS else _event(given["when"])
    if type(given["cnsr"]) is not int or given["cnsr"] < 1:
        raise ValueError(f"rules whose cnsr is a whole number from 1 on (0 is an event); one has {given['cnsr']!r}")
    if (when == "missed_visits") != ("count" in given):
        raise ValueError("count with missed_visits and only there: how many visits in a row")
    if when in ("no_event", "no_postbaseline") and given["at"] == "trigger":
        raise ValueError(f"a place for {when} that is not trigger: nothing happened, so there is no such day")
    if when == "horizon" and given["at"] not in AT_HORIZON:
        raise ValueError(f"a rule for horizon whose at is one of {', '.join(AT_HORIZON)}")
    if "count" in given and (type(given["count"]) is not int or given["count"] < 1):
        raise ValueError(f"a count from 1 on; one is {given['count']!r}")
    return Censoring(when=when, at=_place(given["at"]), cnsr=given["cnsr"], count=given.get("count", 0))


def _months(value: Any) -> tuple[Decimal, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError("a list of months, such as [6, 12, 24]")
    months = tuple(number(one) for one in value)
    if any(b <= a for a, b in zip((Decimal(0), *months), months, strict=False)):
        raise ValueError("a list of months above 0, rising")
    return months


def _markers(value: Any) -> tuple[MarkerRule, ...]:
    if not isinstance(value, list) or len(value) < 2:
        raise ValueError('a list of two or more tables such as { test = "CEA", limit = 5.0, unit = "ug/L" }')
    return tuple(_marker(one) for one in value)


def _marker(value: Any) -> MarkerRule:
    wanted = 'a table such as { test = "CEA", limit = 5.0, unit = "ug/L", elevated_at_baseline = true }'
    known: dict[str, Callable[[Any], Any]] = {
        "test": text,
        "lbtestcd": text,
        "limit": number,
        "fall_percent": step,
        "unit": text,
        "elevated_at_baseline": yes_no,
        "confirm_days": whole,
    }
    if not isinstance(value, dict) or value.keys() - known.keys() or ("test" in value) == ("lbtestcd" in value):
        raise ValueError(wanted)
    read = {("test" if key == "lbtestcd" else key): known[key](one) for key, one in value.items()}
    falls, elevated = read.get("fall_percent"), read.get("elevated_at_baseline", True)
    if not read.get("unit") or ("limit" not in read and (falls is None or elevated)):
        raise ValueError(f"{wanted}; without a limit only with fall_percent and elevated_at_baseline = false")
    if falls is not None and (falls > 100 or ("limit" in read and not elevated)):
        raise ValueError(
            f"{wanted}; fall_percent is at most 100, and a limit beside it says who was elevated at baseline"
        )
    return MarkerRule(**read)


_COMMON: dict[str, Reader] = {
    "id": text,
    "kind": text,
    "title": text,
    "criterion": text,
    "region": one_of(*REGIONS),
    "reader": text,
    "paramcd": text,
    "population": text,
    "at_months": _months,
}
_TIME: dict[str, Reader] = {
    "origin": _origin,
    "events": _events,
    "censor": _censorings,
    "competing": _events,
    "tests": list_of(*TESTS),
    "covariates": texts,
    "groups": texts,
    "km_ci": one_of(*KM_INTERVALS),
    "until_months": step,
}
_PROPORTION: dict[str, Reader] = {
    "success": _success,
    "confirmed": yes_no,
    "window_days": whole,
    "marker": _marker,
    "markers": _markers,
    "require": one_of("all", "any"),
    "until_months": step,
    "denominator": one_of(*DENOMINATORS, "elevated"),
    "ci": one_of(*PROPORTION_INTERVALS),
}
_CHANGE: dict[str, Reader] = {
    "at": one_of("best", "first"),
    "percent": number,
    "window_days": whole,
    "denominator": one_of(*DENOMINATORS),
    "ci": one_of(*PROPORTION_INTERVALS),
}
_OF_KIND = {"time": _TIME, "proportion": _PROPORTION, "change": _CHANGE}
ENDPOINT_KEYS: tuple[str, ...] = tuple({**_COMMON, **_TIME, **_PROPORTION, **_CHANGE})
