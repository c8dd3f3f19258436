"""Every key of a protocol, by section, and what reads its value (docs/protocol.md)."""

from __future__ import annotations

from dataclasses import fields

from mrecist.checklist import CHECKLIST, OFF, Checking, Severity
from mrecist.criteria._rule import Thresholds
from mrecist.protocol.rules import MeasurementError
from mrecist.protocol.values import (
    Reader,
    assessment_date,
    confirm_pd,
    day,
    day_text,
    days,
    dense_hu,
    draws,
    list_of,
    number,
    one_of,
    origin_event,
    partial_date,
    redcap_name,
    repeats,
    share,
    some_of,
    some_text,
    step,
    stretches,
    text,
    texts,
    treatments,
    whole,
    yes_no,
)

KINDS: dict[str, Reader] = {"Decimal": number, "bool": yes_no, "int": whole, "tuple[str, ...]": texts}
WORDS: dict[str, Reader] = {
    "pd_reference": one_of("nadir", "baseline"),
    "reappeared_node": one_of("pd", "hold"),
    "modality_change": one_of("flag", "NE"),
    "unknown_non_target": one_of("PR", "NE"),
    "never_enhancing": one_of("non-target", "exclude"),
    "foci": one_of("longest", "sum"),
    "porta_hepatis_small": one_of("ignore", "non-target"),
    "icpd_reference": one_of("either", "last"),
}
REGION_NAMES = ("intrahepatic", "extrahepatic")
# Keys of [criteria.NAME] that are no thresholds.
CRITERION: dict[str, Reader] = {
    "standard": text,
    "rscat": some_text,
    "measure": one_of("longest", "viable"),
    "min_target_mm": number,
    "node_target_mm": number,
    "portal_node_target_mm": number,
    "sub_sums": list_of(*REGION_NAMES),
    "confirm_pd": confirm_pd,
}
THRESHOLDS: dict[str, Reader] = {
    f.name: WORDS[f.name] if str(f.type) == "str" else KINDS[str(f.type)] for f in fields(Thresholds)
}
RESPONSE: dict[str, Reader] = {
    "sd_min_days": whole,
    "cr_then_worse": one_of("pd", "as-recorded", "pr"),
    "cut": list_of("first_pd", "new_anticancer_therapy", "data_cutoff"),
    "data_cutoff": day,
    "no_assessment": one_of("NE", "MISSING"),
    "after_pd": one_of("show", "stop"),
}
CONFIRM: dict[str, Reader] = {
    "required": yes_no,
    "min_days": whole,
    "max_ne_between": whole,
    "sd_between": yes_no,
}
MEASURING: dict[str, Reader] = {
    "convention": one_of("calibrated", "extent", "edge", "centre"),
    "max_gap_mm": lambda value: float(number(value)),
    "round_mm": step,
    "dense_hu": dense_hu,
    "resample": yes_no,
    "phase_confidence": one_of("low", "medium", "high"),
}
STABILITY: dict[str, Reader] = {
    "level": share,
    "draws": draws,
    "seed": whole,
    "correlation": share,
    "repeat": repeats,
    **{f.name: number for f in fields(MeasurementError)},
}
ORIGIN: dict[str, Reader] = {
    "event": origin_event,
    "procedure": text,
}
SCHEDULE: dict[str, Reader] = {"partial_date": partial_date, "assessment_date": assessment_date}
# What conformance checks count visits and baseline by (docs/check.md).
VISITS: dict[str, Reader] = {"visits": stretches, "window_days": whole}
BASELINE_WINDOW: dict[str, Reader] = {"baseline_window_days": whole}
CHECK_NUMBERS: dict[str, Reader] = {f.name: KINDS[str(f.type)] for f in fields(Checking) if f.name != "severities"}
CHECK_SEVERITIES: dict[str, Reader] = {
    check.name: one_of("error") if check.fixed else one_of(OFF, *reversed(Severity)) for check in CHECKLIST
}
DESIGN: dict[str, Reader] = {"id": text, "arms": texts, "strata": texts, "subgroups": texts, "days_per_month": step}
STUDY: dict[str, Reader] = {"title": text, "disease": text, **DESIGN}
READERS: dict[str, Reader] = {
    "plan": one_of("investigator", "single", "two_plus_adjudicator", "consensus"),
    "adjudicate_on": texts,
    "accepted": text,
}
SAFETY: dict[str, Reader] = {
    "ctcae_version": text,
    "population": text,
    "last_treatment": treatments,
    "window_days": whole,
    "clavien_procedures": texts,
    "clavien_days": days,
}
ELIGIBILITY: dict[str, Reader] = {
    "measurable": texts,
    "treated_need_progression": yes_no,
    "prior_response": text,
    "low_response": list_of("CR", "PR", "SD", "PD"),
    "failure": list_of("CR", "PR", "SD", "PD"),
}
REGIONS: dict[str, Reader] = {"intrahepatic": texts}
EXPORT: dict[str, dict[str, Reader]] = {
    "sdtm": {
        "ig": one_of("3.3", "3.4"),
        "ct": day_text,
        "derived": one_of("assessor", "sponsor"),
        "format": some_of("xpt5", "dataset-json", "csv"),
    },
    "odm": {"version": one_of("1.3.2", "2.0"), "oid_map": text},
    "redcap": {"dictionary": yes_no, "repeat_instrument": redcap_name},
}
SECTIONS = {
    *("format", "extends", "study", "criteria", "response", "measurement", "origin", "schedule", "readers", "endpoint"),
    *("checks", "stability", "safety", "regions", "eligibility", "export"),
}
