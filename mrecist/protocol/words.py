"""What a protocol means, in plain words: ``mrecist protocol check``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from mrecist.protocol.endpoints import CATEGORIES, Censoring, Endpoint, MarkerRule
from mrecist.protocol.rules import EligibilityRules, SafetyRules
from mrecist.protocol.settings_words import criterion_in_words, exports_in_words, readers_in_words, visits_in_words
from mrecist.protocol.study_protocol import Protocol
from mrecist.trial import OUTCOMES
from mrecist.units import ZERO, show

_PLACES = {
    "last_assessment": "the last assessment that could be evaluated",
    "last_assessment_before": "the last assessment up to then",
    "last_alive": "the last day known to be alive",
    "last_alive_before": "the last day known to be alive up to then",
    "origin": "day 1",
    "trigger": "that day",
    "data_cutoff": "the data cut-off",
}
_WHEN = {
    "no_event": "without any event",
    "no_postbaseline": "without any event and any assessment after day 1",
    "data_cutoff": "when follow-up goes on after the data cut-off",
}
_EVENTS = {
    "pd": "progression",
    "new_anticancer_therapy": "a new anticancer therapy",
    "lost_to_follow_up": "loss to follow-up",
    "new_lesion": "a new lesion",
    "clinical_progression": "clinical progression",
    "vascular_invasion": "vascular invasion",
    "extrahepatic_spread": "extrahepatic spread",
    "child_pugh_c_after_tace": "deterioration to Child-Pugh C after TACE",
}


def in_words(protocol: Protocol) -> Iterator[str]:
    """The protocol line by line."""
    yield f"protocol {protocol.design.id or protocol.title or '(unnamed)'}, sha256 {protocol.sha256}"
    yield from _criteria(protocol)
    yield from _responses(protocol)
    yield from visits_in_words(protocol)
    yield f"Day 1 is {_origin(protocol.origin.event or 'baseline', protocol.origin.procedure)}."
    yield from readers_in_words(protocol.readers)
    if protocol.safety.asked:
        yield from _safety(protocol.safety)
    if protocol.eligibility.asked:
        yield from _eligibility(protocol.eligibility)
    yield from exports_in_words(protocol.export)
    for endpoint in protocol.endpoints:
        yield ""
        yield from _endpoint(endpoint, protocol)


def _criteria(protocol: Protocol) -> Iterator[str]:
    for setting in protocol.criteria:
        own, published = setting.thresholds, setting.criterion.thresholds
        changed = [
            f"{f.name} = {_value(getattr(own, f.name))} (published: {_value(getattr(published, f.name))})"
            for f in fields(own)
            if getattr(own, f.name) != getattr(published, f.name)
        ]
        yield (
            f"Criterion {setting.name}: {setting.title}"
            + (", but " + "; ".join(changed) if changed else ", as published")
            + "."
        )
        yield from criterion_in_words(setting, protocol)


def _responses(protocol: Protocol) -> Iterator[str]:
    rules = protocol.response
    answer = "confirmed" if rules.confirm_required else "unconfirmed"
    yield (
        f"Best response: the {answer} one is the study's; a CR or PR is confirmed by another one {rules.confirm_min_days} days later "
        f"or more; stable disease lasts {rules.sd_min_days} days or more."
    )
    ends = {"first_pd": "the first progression", "new_anticancer_therapy": "a new anticancer therapy"}
    day = (
        f"of {rules.data_cutoff}"
        if rules.data_cutoff is not None
        else "(no data_cutoff is given yet: nothing is cut by it)"
    )
    cuts = [ends.get(one, f"the data cut-off {day}") for one in rules.cut]
    yield f"Nothing after {' or '.join(cuts)} counts for the best response." if cuts else "Every assessment counts."
    yield f"Without an assessment after baseline the best response is {rules.no_assessment}."


def _origin(event: str, procedure: str = "") -> str:
    if event == "baseline":
        return "the baseline scan"
    if event == "first_procedure" and procedure:
        return f"the first {procedure} in procedures.csv"
    tag, _, name = event.partition(":")
    if name:
        return (
            f"the first {name} in procedures.csv"
            if tag == "procedure"
            else f"the date in column {name} of subjects.csv"
        )
    if event.endswith("response"):
        return f"the day of the {event.replace('_', ' ')}; subjects without one are left out"
    return f"the date in column {event} of subjects.csv"


def _eligibility(rules: EligibilityRules) -> Iterator[str]:
    if rules.measurable:
        treated = ", treated ones only where they progressed since" if rules.treated_need_progression else ""
        yield f"Eligible: a target at baseline that is measurable by {' and by '.join(rules.measurable)}{treated}."
    if rules.prior_response:
        low, failure = (" or ".join(one) for one in (rules.low_response, rules.failure))
        yield f"Eligible: {rules.prior_response} of subjects.csv is {low} (low response) or {failure} (failure)."


def _safety(rules: SafetyRules) -> Iterator[str]:
    version = f", CTCAE {rules.ctcae_version}" if rules.ctcae_version else ""
    since = (
        f" up to {rules.window_days} days after the last of {', '.join(_event(one) for one in rules.last_treatment)}"
    )
    window = since if rules.window_days is not None else ""
    yield f"Adverse events{version}: from the first treatment on{window}, of population {rules.population}."
    if rules.clavien_procedures:
        days = f" within {' and within '.join(map(str, rules.clavien_days))} days" if rules.clavien_days else ""
        yield f"Complications (Clavien-Dindo) of {' or '.join(rules.clavien_procedures)}{days}."


def _endpoint(endpoint: Endpoint, protocol: Protocol) -> Iterator[str]:
    by = f" by {endpoint.criterion or protocol.criteria[0].name}" if endpoint.needs_responses else ""
    if endpoint.region == "intrahepatic":
        by += f", of lesions in {', '.join(protocol.intrahepatic)}"
    elif endpoint.region:
        by += f", of lesions elsewhere than in {', '.join(protocol.intrahepatic)}"
    yield f"{endpoint.id}{': ' + endpoint.title if endpoint.title else ''} ({endpoint.kind}{by}), population {endpoint.population}"
    if endpoint.kind == "time":
        yield from _time(endpoint)
        if endpoint.tests:
            yield f"  arms are compared by {', '.join(one.replace('_', ' ') for one in endpoint.tests)}"
    elif endpoint.kind == "change":
        yield from _change(endpoint)
    else:
        yield from _proportion(endpoint, protocol)


def _change(endpoint: Endpoint) -> Iterator[str]:
    at = "the best change" if endpoint.at == "best" else "the change at the first assessment"
    if endpoint.at_months:
        months = ", ".join(show(month) for month in endpoint.at_months)
        at = f"the change at month {months}, by the complete sum nearest to it within {endpoint.window_days} days"
    yield f"  {at} of the sum from baseline, in %"
    if endpoint.percent is not None:
        yield f"  and the share of subjects whose sum fell by {show(endpoint.percent)} % or more, of the {endpoint.denominator}"


def _time(endpoint: Endpoint) -> Iterator[str]:
    if endpoint.origin:
        yield f"  from {_origin(endpoint.origin)}"
    yield f"  to the first of: {', '.join(_event(one) for one in endpoint.events)}"
    if endpoint.competing:
        yield f"  competing: {', '.join(_event(one) for one in endpoint.competing)}"
    for rule in endpoint.censor:
        yield f"  {_censoring(rule, endpoint)}"
    if endpoint.covariates:
        yield f"  hazard ratios adjusted for {', '.join(endpoint.covariates)}"
    if endpoint.groups:
        yield (
            f"  by {', '.join(endpoint.groups)} of subjects.csv, all arms together: log-rank test and a Cox model of that column alone; of "
            "more than two different numbers only the ratio per 1"
        )


def _censoring(rule: Censoring, endpoint: Endpoint) -> str:
    if rule.when == "horizon":
        when = f"where the time would end later than {show(endpoint.until_months or ZERO)} months after day 1"
    elif rule.when == "missed_visits":
        when = f"after {rule.count} missed visits in a row before a progression or death"
    else:
        when = _WHEN.get(rule.when, f"{_event(rule.when)} before the event")
    return f"{when}: censored (code {rule.cnsr}) at {_PLACES[rule.at]}"


def _event(event: str) -> str:
    tag, _, name = event.partition(":")
    if tag in OUTCOMES and name:
        return f"{tag} with outcome {name}"
    if tag == "procedure":
        name, _, outcome = name.partition(":")
        tag += f" with outcome {outcome}" if outcome else ""
    if name:
        return f"{name} ({tag})"
    return _EVENTS.get(event, event.replace("_", " "))


def _proportion(endpoint: Endpoint, protocol: Protocol) -> Iterator[str]:
    if endpoint.marker_rules:
        yield from _markers(endpoint)
    elif endpoint.success[0] in CATEGORIES:
        confirmed = protocol.confirms(endpoint)
        kind = "confirmed" if confirmed else "unconfirmed"
        what = f"{kind} best response" if not endpoint.at_months else "response"
        yield f"  success: {what} {' or '.join(endpoint.success)}"
    else:
        yield f"  success: {' or '.join(_event(one) for one in endpoint.success)} after day 1"
    if endpoint.at_months:
        months = ", ".join(show(month) for month in endpoint.at_months)
        yield f"  at month {months}, by the assessment nearest to it within {endpoint.window_days} days"
    if endpoint.denominator != "population" and not endpoint.marker_rules:
        what = "an assessment after baseline" if endpoint.denominator == "assessed" else "a response that was evaluated"
        yield f"  of: subjects with {what}"
    if endpoint.until_months is not None:
        yield f"  within {show(endpoint.until_months)} months of day 1; subjects whom the data cut-off stopped earlier are not counted"
    yield f"  interval: {endpoint.ci}, 95 %"


def _markers(endpoint: Endpoint) -> Iterator[str]:
    for place, rule in enumerate(endpoint.marker_rules):
        what = "success:" if place == 0 else "and:" if endpoint.require == "all" else "or:"
        if rule.fall_percent is None and rule.limit is not None:
            wanted = f"at or below {show(rule.limit)} {rule.unit}"
        else:
            wanted = f"at least {show(rule.fall_percent or ZERO)} % below the last value up to day 1"
        yield f"  {what} {rule.test} {wanted} on a day after day 1{_confirmed(rule)}"
        if rule.elevated_at_baseline and rule.limit is not None:
            yield f"    in a subject whose last {rule.test} up to day 1 was above {show(rule.limit)} {rule.unit}"
    if endpoint.denominator == "population":
        yield "  of: the population, whatever was measured"
    else:
        elevated = "above the limit at baseline where that is asked for"
        later = "; with a later value" if endpoint.denominator == "evaluated" else ""
        each = ", by each marker" if endpoint.require == "all" else ", by one marker at least"
        yield f"  of: subjects {elevated}{later}{each if endpoint.markers else ''}"


def _confirmed(rule: MarkerRule) -> str:
    return f", confirmed {rule.confirm_days} days later or more" if rule.confirm_days else ""


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
