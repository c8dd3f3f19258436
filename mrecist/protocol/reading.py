"""A protocol file into a protocol: read once, every key known, an unknown one refused with the nearest known name.

The SHA-256 of the parsed content stands in every row derived with it, so a row can be traced to the rules that made it.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from mrecist.checklist import Checking
from mrecist.dates import PartialDate
from mrecist.errors import ProtocolError
from mrecist.protocol.keys import (
    BASELINE_WINDOW,
    CHECK_NUMBERS,
    CHECK_SEVERITIES,
    CONFIRM,
    LATER_SECTIONS,
    MEASURING,
    ORIGIN,
    RESPONSE,
    SCHEDULE,
    SECTIONS,
    STABILITY,
    VISITS,
)
from mrecist.protocol.rules import MeasurementError, Measuring, ResponseRules, Schedule, StabilityRules
from mrecist.protocol.sections import check_names_below, only_known, section_of, take, values_of
from mrecist.protocol.study_protocol import Protocol
from mrecist.protocol.values import text
from mrecist.protocol.variants import criteria_of

FORMAT = "mrecist-protocol/1"


def load_protocol(path: Path | None = None) -> Protocol:
    """Read a protocol file; None gives RECIST 1.1 and mRECIST with the settings of their publications.

    Raises :class:`ProtocolError` for a file that cannot be read, an unknown key or an impossible value.
    """
    if path is None:
        return replace(parse_protocol({"format": FORMAT}, where="built-in protocol"), text=f'format = "{FORMAT}"\n')
    try:
        written = path.read_text(encoding="utf-8")
        content = tomllib.loads(written)
    except OSError as error:
        raise ProtocolError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{path}: is not valid TOML ({error}); mend that line") from None
    return replace(parse_protocol(content, where=str(path)), text=written)


def parse_protocol(content: Mapping[str, Any], *, where: str) -> Protocol:
    """Turn parsed TOML into a :class:`Protocol`; ``where`` names the source in messages."""
    if content.get("format") != FORMAT:
        found = repr(content["format"]) if "format" in content else "missing"
        raise ProtocolError(f"{where}: format is {found}, not '{FORMAT}'; write: format = \"{FORMAT}\"")
    only_known(content, SECTIONS, where, "")
    for name in LATER_SECTIONS:
        check_names_below(content.get(name), LATER_SECTIONS[name], where, name)
    response = section_of(content, "response", where)
    confirm = section_of(response, "confirm", f"{where} [response]")
    study = section_of(content, "study", where)
    disease = (take(study, "disease", text, f"{where} [study]") or "").strip()
    only_known(response, {*RESPONSE, "confirm"}, where, "response")
    only_known(confirm, set(CONFIRM), where, "response.confirm")
    settings = {key: take(response, key, read, f"{where} [response]") for key, read in RESPONSE.items()}
    for key, read in CONFIRM.items():
        settings[f"confirm_{key}"] = take(confirm, key, read, f"{where} [response.confirm]")
    measuring = values_of(section_of(content, "measurement", where), MEASURING, f"{where} [measurement]", "measurement")
    origin = values_of(
        section_of(content, "origin", where), {**ORIGIN, **BASELINE_WINDOW}, f"{where} [origin]", "origin"
    )
    schedule = values_of(
        section_of(content, "schedule", where), {**SCHEDULE, **VISITS}, f"{where} [schedule]", "schedule"
    )
    due = {key: schedule[key] for key in VISITS if key in schedule}
    due |= {key: origin[key] for key in BASELINE_WINDOW if key in origin}
    rules = ResponseRules(**{key: value for key, value in settings.items() if value is not None})
    if "data_cutoff" in rules.cut and rules.data_cutoff is None:
        raise ProtocolError(f"{where} [response]: cut names data_cutoff; give its date, data_cutoff = 2024-01-31")
    if rules.data_cutoff is not None and "data_cutoff" not in rules.cut:
        raise ProtocolError(
            f"{where} [response]: data_cutoff is {rules.data_cutoff} and cut does not name it, so it would change nothing; "
            f'add it, cut = ["first_pd", "data_cutoff"]'
        )
    return Protocol(
        criteria=criteria_of(section_of(content, "criteria", where), disease, where),
        title=take(study, "title", text, f"{where} [study]") or "",
        disease=disease,
        response=rules,
        measuring=Measuring(**measuring),
        stability=stability_of(content, where),
        origin_event=str(origin.get("event", "")),
        partial_date=PartialDate(schedule.get("partial_date", PartialDate.REFUSE)),
        schedule=Schedule(**due),
        checking=checking_of(section_of(content, "checks", where), where),
        sha256=content_hash(content),
    )


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
