"""A protocol file into a protocol: read once, every key known, an unknown one refused with the nearest known name.

The SHA-256 of the parsed content stands in every row derived with it, so a row can be traced to the rules that made it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from mrecist.checklist import Checking
from mrecist.criteria import CRITERIA
from mrecist.dates import PartialDate
from mrecist.errors import ProtocolError
from mrecist.protocol.endpoints import endpoints_of
from mrecist.protocol.exports import exports_of
from mrecist.protocol.extending import parsed, read_whole
from mrecist.protocol.keys import (
    BASELINE_WINDOW,
    CHECK_NUMBERS,
    CHECK_SEVERITIES,
    CONFIRM,
    DESIGN,
    ELIGIBILITY,
    MEASURING,
    ORIGIN,
    READERS,
    REGIONS,
    RESPONSE,
    SAFETY,
    SCHEDULE,
    SECTIONS,
    STABILITY,
    STUDY,
    VISITS,
)
from mrecist.protocol.rules import (
    Design,
    EligibilityRules,
    MeasurementError,
    Measuring,
    Origin,
    Readers,
    ResponseRules,
    SafetyRules,
    Schedule,
    StabilityRules,
)
from mrecist.protocol.sections import only_known, section_of, take, values_of
from mrecist.protocol.study_protocol import Protocol
from mrecist.protocol.values import Reader
from mrecist.protocol.variants import LIVER, CriterionSetting, criteria_of
from mrecist.units import show

FORMAT = "mrecist-protocol/1"


def load_protocol(path: Path | None = None) -> Protocol:
    """Read a protocol file; None gives RECIST 1.1 and mRECIST with the settings of their publications.

    Raises :class:`ProtocolError` for a file that cannot be read, an unknown key or an impossible value.
    """
    if path is None:
        return replace(parse_protocol({"format": FORMAT}, where="built-in protocol"), text=f'format = "{FORMAT}"\n')
    content, written = read_whole(path)
    return replace(parse_protocol(content, where=str(path)), text=written)


def protocol_of_text(text: str, *, where: str) -> Protocol:
    """The :class:`Protocol` of the text of a file that extends no other; ``where`` names the source in messages."""
    return replace(parse_protocol(parsed(text, where), where=where), text=text)


def parse_protocol(content: Mapping[str, Any], *, where: str) -> Protocol:
    """Turn parsed TOML into a :class:`Protocol`; ``where`` names the source in messages."""
    if content.get("format") != FORMAT:
        found = repr(content["format"]) if "format" in content else "missing"
        raise ProtocolError(f"{where}: format is {found}, not '{FORMAT}'; write: format = \"{FORMAT}\"")
    only_known(content, SECTIONS, where, "")
    study = _of(content, "study", STUDY, where)
    disease = study.get("disease", "").strip()
    origin = _of(content, "origin", {**ORIGIN, **BASELINE_WINDOW}, where)
    schedule = _of(content, "schedule", {**SCHEDULE, **VISITS}, where)
    due = {key: schedule[key] for key in VISITS if key in schedule}
    due |= {key: origin[key] for key in BASELINE_WINDOW if key in origin}
    regions = _of(content, "regions", REGIONS, where)
    criteria = criteria_of(section_of(content, "criteria", where), disease, where)
    checking = checking_of(section_of(content, "checks", where), where)
    one_limit(content.get("checks", {}), checking, criteria, where)
    if any(setting.sub_sums for setting in criteria) and not regions.get("intrahepatic"):
        regions["intrahepatic"] = LIVER
    names = tuple(dict.fromkeys([*(setting.name for setting in criteria), *CRITERIA]))
    endpoints = endpoints_of(content.get("endpoint", []), names, where)
    for endpoint in endpoints:
        if endpoint.region and not regions.get("intrahepatic"):
            wanted = 'intrahepatic = ["liver", "portal vein"]'
            raise ProtocolError(
                f"{where} [[endpoint]] {endpoint.id}: region is '{endpoint.region}'; say in [regions] which organs are, {wanted}"
            )
    return Protocol(
        criteria=criteria,
        title=study.get("title", ""),
        disease=disease,
        design=Design(**{key: study[key] for key in DESIGN if key in study}),
        response=replace(response_rules_of(content, where), **schedule.get("assessment_date", {})),
        measuring=Measuring(**_of(content, "measurement", MEASURING, where)),
        stability=stability_of(content, where),
        origin=Origin(**{key: origin[key] for key in ORIGIN if key in origin}),
        partial_date=schedule.get("partial_date", PartialDate.REFUSE),
        schedule=Schedule(**due),
        readers=Readers(**_of(content, "readers", READERS, where)),
        intrahepatic=regions.get("intrahepatic", ()),
        safety=safety_of(content, where),
        eligibility=eligibility_of(content, names, where),
        endpoints=endpoints,
        export=exports_of(content, where),
        checking=checking,
        sha256=content_hash(content),
    )


def _of(content: Mapping[str, Any], name: str, readers: dict[str, Reader], where: str) -> dict[str, Any]:
    return values_of(section_of(content, name, where), readers, f"{where} [{name}]", name)


def response_rules_of(content: Mapping[str, Any], where: str) -> ResponseRules:
    """``[response]`` and ``[response.confirm]``."""
    response = section_of(content, "response", where)
    confirm = section_of(response, "confirm", f"{where} [response]")
    only_known(response, {*RESPONSE, "confirm"}, where, "response")
    only_known(confirm, set(CONFIRM), where, "response.confirm")
    settings = {key: take(response, key, read, f"{where} [response]") for key, read in RESPONSE.items()}
    for key, read in CONFIRM.items():
        settings[f"confirm_{key}"] = take(confirm, key, read, f"{where} [response.confirm]")
    rules = ResponseRules(**{key: value for key, value in settings.items() if value is not None})
    if rules.data_cutoff is not None and "data_cutoff" not in rules.cut:
        raise ProtocolError(
            f"{where} [response]: data_cutoff is {rules.data_cutoff} and cut does not name it, so it would change nothing; "
            f'add it, cut = ["first_pd", "data_cutoff"]'
        )
    return rules


def safety_of(content: Mapping[str, Any], where: str) -> SafetyRules:
    """``[safety]``; a window without the treatment that it counts from is refused."""
    rules = SafetyRules(asked="safety" in content, **_of(content, "safety", SAFETY, where))
    if (rules.window_days is None) == bool(rules.last_treatment):
        raise ProtocolError(
            f"{where} [safety]: window_days and last_treatment go together; give both, for example window_days = 30 "
            f'and last_treatment = ["date:last_dose"], or neither'
        )
    return rules


def eligibility_of(content: Mapping[str, Any], criteria: tuple[str, ...], where: str) -> EligibilityRules:
    """``[eligibility]``; a criterion that is not known, and a response that is in both groups, are refused."""
    rules = EligibilityRules(asked="eligibility" in content, **_of(content, "eligibility", ELIGIBILITY, where))
    unknown = [name for name in rules.measurable if name not in criteria]
    if unknown:
        raise ProtocolError(
            f"{where} [eligibility]: measurable names '{unknown[0]}', and the protocol has {', '.join(criteria)}"
        )
    both = set(rules.low_response) & set(rules.failure)
    if both:
        raise ProtocolError(f"{where} [eligibility]: {min(both)} is a low response and a failure; choose one")
    return rules


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 of the parsed content: comments, spacing and key order do not matter, values do."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def stability_of(content: Mapping[str, Any], where: str) -> StabilityRules:
    values = values_of(section_of(content, "stability", where), STABILITY, f"{where} [stability]", "stability")
    error = {key: values.pop(key) for key in [f.name for f in fields(MeasurementError)] if key in values}
    return StabilityRules(asked="stability" in content, error=MeasurementError(**error), **values)


def checking_of(section: Mapping[str, Any], where: str) -> Checking:
    """``[checks]``: the severity of a check by its name, and the numbers that checks take."""
    values = values_of(section, {**CHECK_NUMBERS, **CHECK_SEVERITIES}, f"{where} [checks]", "checks")
    numbers = {key: value for key, value in values.items() if key in CHECK_NUMBERS}
    return Checking(severities={k: v for k, v in values.items() if k in CHECK_SEVERITIES}, **numbers)


def one_limit(written: Mapping[str, Any], checking: Checking, criteria: Sequence[CriterionSetting], where: str) -> None:
    """A smallest target that ``[checks]`` and a criterion both state has to be the same."""
    for setting in criteria:
        sizes = setting.target_sizes
        for key, name, value in (
            ("min_target_mm", "min_target_mm", sizes.lesion),
            ("min_target_node_mm", "node_target_mm", sizes.node),
        ):
            if value is not None and key in written and getattr(checking, key) != value:
                raise ProtocolError(
                    f"{where}: [checks] {key} is {show(getattr(checking, key))} and [criteria.{setting.name}] {name} is "
                    f"{show(value)}; keep one"
                )
