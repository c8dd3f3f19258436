"""The protocol of a study: one TOML file, read once, then a plain value that is passed along.

Every key is known; an unknown one is refused with the nearest known name. The SHA-256 of the parsed content stands in every row
derived with it, so a row can be traced to the rules that made it. Keys and defaults: docs/protocol.md.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mrecist.checklist import CHECKLIST, OFF, Checking, Severity
from mrecist.criteria import CRITERIA
from mrecist.criteria._rule import Criterion, Thresholds
from mrecist.dates import PartialDate
from mrecist.errors import ProtocolError
from mrecist.units import MAX_DIGITS

FORMAT = "mrecist-protocol/1"
DEFAULT_CRITERIA = ("recist11", "mrecist")
_HCC = ("hcc", "hepatocellular carcinoma")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRules:
    """``[response]`` and ``[response.confirm]``: how visits become a best response."""

    sd_min_days: int = 42
    cr_then_worse: str = "pd"
    cut: tuple[str, ...] = ("first_pd",)
    data_cutoff: date | None = None
    no_assessment: str = "NE"
    after_pd: str = "show"
    confirm_required: bool = False
    confirm_min_days: int = 28
    confirm_max_ne_between: int = 1
    confirm_sd_between: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """``[measurement]``: how masks become recorded sizes."""

    convention: str = ""
    max_gap_mm: float = 0.0
    round_mm: Decimal = Decimal("0.1")
    # CT voxels from this HU on are taken off the viable part where that can be told; 0: nothing is taken off.
    dense_hu: float = 0.0
    # Whether volumes are told of irregular and tilted stacks too, after resampling them.
    resample: bool = False
    # The phase that headers state goes into rows from this confidence on; below it, it is UNKNOWN (A27).
    phase_confidence: str = "medium"


@dataclass(frozen=True, slots=True, kw_only=True)
class EveryWeeks:
    """One stretch of the schedule: a visit every so many weeks until that week, or for ever (None)."""

    every_weeks: int
    until_week: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When assessments are due, counted from the origin: ``[schedule]`` and ``origin.baseline_window_days``."""

    visits: tuple[EveryWeeks, ...] = ()
    window_days: int = 7
    baseline_window_days: int = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementError:
    """``[stability]``: the standard deviation of one measurement, in % of the size and in mm, added in quadrature.

    The defaults are published reader variability; docs/stability.md derives each number.
    """

    lesion_percent: Decimal = Decimal("8.6")
    lesion_mm: Decimal = Decimal(0)
    node_percent: Decimal = Decimal(0)
    node_mm: Decimal = Decimal("1.02")
    viable_baseline_percent: Decimal = Decimal("14.3")
    viable_percent: Decimal = Decimal("25.8")
    viable_mm: Decimal = Decimal(0)
    volume_percent: Decimal = Decimal("15.9")
    viable_volume_percent: Decimal = Decimal("25.8")


@dataclass(frozen=True, slots=True, kw_only=True)
class StabilityRules:
    """``[stability]``: how the probability of each category is found, and below which one a response is flagged."""

    asked: bool = False
    level: Decimal = Decimal("0.8")
    draws: int = 1000
    seed: int = 0
    correlation: Decimal = Decimal(0)
    # How often `score` draws the outlines of every mask again; 0: the standard deviations of `error` stand for all sizes.
    repeat: int = 0
    error: MeasurementError = field(default_factory=MeasurementError)


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionSetting:
    """A criterion as the study uses it: ``name`` in the outputs, the standard it follows, and its thresholds."""

    name: str
    criterion: Criterion
    thresholds: Thresholds
    # An HCC criterion used on another enhancing tumour, as the protocol allows (A17, A18).
    non_hcc: bool = False

    @property
    def title(self) -> str:
        """How the criterion is called in reports."""
        return f"{self.criterion.title.removesuffix(' (HCC)')}-like (not HCC)" if self.non_hcc else self.criterion.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """The settings of a study. ``sha256`` identifies the parsed content."""

    criteria: tuple[CriterionSetting, ...]
    title: str = ""
    disease: str = ""
    response: ResponseRules = field(default_factory=ResponseRules)
    measuring: Measuring = field(default_factory=Measuring)
    stability: StabilityRules = field(default_factory=StabilityRules)
    origin_event: str = ""
    partial_date: PartialDate = PartialDate.REFUSE
    schedule: Schedule = field(default_factory=Schedule)
    checking: Checking = field(default_factory=Checking)
    sha256: str = ""
    # The file as it was given.
    text: str = field(default="", repr=False, compare=False)

    def setting(self, name: str) -> CriterionSetting:
        """The criterion called ``name``: a section of the protocol, else a built-in one as published."""
        for setting in self.criteria:
            if setting.name == name:
                return setting
        if name in CRITERIA:
            return _as_published(name, self.disease, "built-in criterion")
        known = [s.name for s in self.criteria] + list(CRITERIA)
        raise ProtocolError(f"criterion '{name}' is not known; there are: {', '.join(dict.fromkeys(known))}")

    def select(self, names: list[str] | None) -> tuple[CriterionSetting, ...]:
        """The criteria asked for by name, or all of the protocol."""
        return tuple(self.setting(name) for name in dict.fromkeys(names)) if names else self.criteria


def load_protocol(path: Path | None = None) -> Protocol:
    """Read a protocol file; None gives RECIST 1.1 and mRECIST with the settings of their publications.

    Raises :class:`ProtocolError` for a file that cannot be read, an unknown key or an impossible value.
    """
    if path is None:
        return replace(parse_protocol({"format": FORMAT}, where="built-in protocol"), text=f'format = "{FORMAT}"\n')
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as error:
        raise ProtocolError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{path}: is not valid TOML ({error}); mend that line") from None
    return replace(parse_protocol(content, where=str(path)), text=text)


def parse_protocol(content: Mapping[str, Any], *, where: str) -> Protocol:
    """Turn parsed TOML into a :class:`Protocol`; ``where`` names the source in messages."""
    if content.get("format") != FORMAT:
        found = repr(content["format"]) if "format" in content else "missing"
        raise ProtocolError(f"{where}: format is {found}, not '{FORMAT}'; write: format = \"{FORMAT}\"")
    _only_known(content, _SECTIONS, where, "")
    for name in _LATER_SECTIONS:
        _check_names_below(content.get(name), _LATER_SECTIONS[name], where, name)
    response = _section(content, "response", where)
    confirm = _section(response, "confirm", f"{where} [response]")
    study = _section(content, "study", where)
    disease = (_take(study, "disease", _text, f"{where} [study]") or "").strip()
    _only_known(response, {*_RESPONSE, "confirm"}, where, "response")
    _only_known(confirm, set(_CONFIRM), where, "response.confirm")
    settings = {key: _take(response, key, read, f"{where} [response]") for key, read in _RESPONSE.items()}
    for key, read in _CONFIRM.items():
        settings[f"confirm_{key}"] = _take(confirm, key, read, f"{where} [response.confirm]")
    measuring = _values(_section(content, "measurement", where), _MEASURING, f"{where} [measurement]", "measurement")
    origin = _values(_section(content, "origin", where), {**_ORIGIN, **_BASELINE_WINDOW}, f"{where} [origin]", "origin")
    schedule = _values(
        _section(content, "schedule", where), {**_SCHEDULE, **_VISITS}, f"{where} [schedule]", "schedule"
    )
    due = {key: schedule[key] for key in _VISITS if key in schedule}
    due |= {key: origin[key] for key in _BASELINE_WINDOW if key in origin}
    rules = ResponseRules(**{key: value for key, value in settings.items() if value is not None})
    if "data_cutoff" in rules.cut and rules.data_cutoff is None:
        raise ProtocolError(f"{where} [response]: cut names data_cutoff; give its date, data_cutoff = 2024-01-31")
    if rules.data_cutoff is not None and "data_cutoff" not in rules.cut:
        raise ProtocolError(
            f"{where} [response]: data_cutoff is {rules.data_cutoff} and cut does not name it, so it would change nothing; "
            f'add it, cut = ["first_pd", "data_cutoff"]'
        )
    return Protocol(
        criteria=_criteria(_section(content, "criteria", where), disease, where),
        title=_take(study, "title", _text, f"{where} [study]") or "",
        disease=disease,
        response=rules,
        measuring=Measuring(**measuring),
        stability=_stability(content, where),
        origin_event=str(origin.get("event", "")),
        partial_date=PartialDate(schedule.get("partial_date", PartialDate.REFUSE)),
        schedule=Schedule(**due),
        checking=_checking(_section(content, "checks", where), where),
        sha256=content_hash(content),
    )


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 of the parsed content: comments, spacing and key order do not matter, values do."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _stability(content: Mapping[str, Any], where: str) -> StabilityRules:
    values = _values(_section(content, "stability", where), _STABILITY, f"{where} [stability]", "stability")
    error = {key: values.pop(key) for key in [f.name for f in fields(MeasurementError)] if key in values}
    return StabilityRules(asked="stability" in content, error=MeasurementError(**error), **values)


# --- criteria --------------------------------------------------------------------------------------------------------


def _as_published(name: str, disease: str, where: str) -> CriterionSetting:
    return _setting(name, CRITERIA[name], CRITERIA[name].thresholds, disease, where)


def _setting(name: str, criterion: Criterion, thresholds: Thresholds, disease: str, where: str) -> CriterionSetting:
    """A criterion for the disease of the study; one that is defined for HCC only is refused elsewhere (A17)."""
    non_hcc = criterion.hcc_only and disease != "" and disease.casefold() not in _HCC
    if non_hcc and not thresholds.enhancement_based_non_hcc:
        raise ProtocolError(
            f"{where}: {criterion.title} is defined for hepatocellular carcinoma and the study's disease is '{disease}'; "
            f"use recist11, or set enhancement_based_non_hcc = true to report it as {criterion.title}-like"
        )
    return CriterionSetting(name=name, criterion=criterion, thresholds=thresholds, non_hcc=non_hcc)


def _criteria(sections: Mapping[str, Any], disease: str, where: str) -> tuple[CriterionSetting, ...]:
    if not sections:
        hcc = disease == "" or disease.casefold() in _HCC
        names = [name for name in DEFAULT_CRITERIA if hcc or not CRITERIA[name].hcc_only]
        return tuple(_as_published(name, disease, where) for name in names)
    settings = []
    for name in sections:
        section = _section(sections, name, f"{where} [criteria]")
        here = f"{where} [criteria.{name}]"
        standard = section.get("standard", name)
        if not isinstance(standard, str) or standard not in CRITERIA:
            raise ProtocolError(f"{here}: standard {standard!r} is not known; there are: {', '.join(CRITERIA)}")
        criterion = CRITERIA[standard]
        readers = {key: _THRESHOLDS[key] for key in criterion.options}
        values = _values({k: v for k, v in section.items() if k != "standard"}, readers, here, f"criteria.{name}")
        settings.append(_setting(name, criterion, replace(criterion.thresholds, **values), disease, here))
    return tuple(settings)


def _checking(section: Mapping[str, Any], where: str) -> Checking:
    """``[checks]``: the severity of a check by its name, and the numbers that checks take."""
    values = _values(section, {**_CHECK_NUMBERS, **_CHECK_SEVERITIES}, f"{where} [checks]", "checks")
    numbers = {key: value for key, value in values.items() if key in _CHECK_NUMBERS}
    return Checking(severities={k: v for k, v in values.items() if k in _CHECK_SEVERITIES}, **numbers)


# --- reading values --------------------------------------------------------------------------------------------------


def _number(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number")
    if not 0 <= value < 1e6:
        raise ValueError("a number of 0 or more")
    number = Decimal(str(value))
    if number and number.adjusted() < -MAX_DIGITS:
        raise ValueError(f"a number with at most {MAX_DIGITS} decimals")
    return number


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a whole number of 0 or more")
    return value


def _share(value: Any) -> Decimal:
    try:
        share = _number(value)
    except ValueError:
        share = Decimal(-1)
    if not 0 <= share <= 1:
        raise ValueError("a number from 0 to 1")
    return share


def _draws(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 1_000_000:
        raise ValueError("a whole number from 100 to 1000000")
    return value


def _repeats(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not (value == 0 or 5 <= value <= 1000):
        raise ValueError("0, or a whole number from 5 to 1000")
    return value


def _dense(value: Any) -> float:
    try:
        hu = _number(value)
    except ValueError:
        hu = Decimal(-1)
    if hu != 0 and not 150 <= hu <= 3000:
        raise ValueError("0, or a number from 150 to 3000")
    return float(hu)


def _step(value: Any) -> Decimal:
    if _number(value) == 0:
        raise ValueError("a number above 0")
    return _number(value)


def _yes_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _day(value: Any) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError("a date without quotes, such as 2024-01-31")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("a list of texts")
    return tuple(value)


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError("one of " + ", ".join(f'"{a}"' for a in allowed))
        return str(value)

    return read


def _list_of(*allowed: str) -> Callable[[Any], tuple[str, ...]]:
    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or any(item not in allowed for item in value):
            raise ValueError("a list of " + ", ".join(f'"{a}"' for a in allowed))
        return tuple(value)

    return read


def _stretches(value: Any) -> tuple[EveryWeeks, ...]:
    wanted = "a list such as [{ every_weeks = 8, until_week = 48 }, { every_weeks = 12 }], weeks rising"
    if not isinstance(value, list):
        raise ValueError(wanted)
    stretches: list[EveryWeeks] = []
    for item in value:
        known = isinstance(item, dict) and "every_weeks" in item and not item.keys() - {"every_weeks", "until_week"}
        if not known or any(type(number) is not int or number < 1 for number in item.values()):
            raise ValueError(wanted)
        last = stretches[-1].until_week if stretches else 0
        stretch = EveryWeeks(every_weeks=item["every_weeks"], until_week=item.get("until_week"))
        if last is None or (stretch.until_week is not None and stretch.until_week <= last):
            raise ValueError(wanted)
        stretches.append(stretch)
    return tuple(stretches)


Reader = Callable[[Any], Any]
_KINDS: dict[str, Reader] = {"Decimal": _number, "bool": _yes_no, "int": _whole, "tuple[str, ...]": _texts}
_WORDS: dict[str, Reader] = {
    "pd_reference": _one_of("nadir", "baseline"),
    "reappeared_node": _one_of("pd", "hold"),
    "modality_change": _one_of("flag", "NE"),
    "unknown_non_target": _one_of("PR", "NE"),
    "never_enhancing": _one_of("non-target", "exclude"),
    "foci": _one_of("longest", "sum"),
    "porta_hepatis_small": _one_of("ignore", "non-target"),
    "icpd_reference": _one_of("either", "last"),
}
_THRESHOLDS: dict[str, Reader] = {
    f.name: _WORDS[f.name] if str(f.type) == "str" else _KINDS[str(f.type)] for f in fields(Thresholds)
}
_RESPONSE: dict[str, Reader] = {
    "sd_min_days": _whole,
    "cr_then_worse": _one_of("pd", "as-recorded", "pr"),
    "cut": _list_of("first_pd", "new_anticancer_therapy", "data_cutoff"),
    "data_cutoff": _day,
    "no_assessment": _one_of("NE", "MISSING"),
    "after_pd": _one_of("show", "stop"),
}
_CONFIRM: dict[str, Reader] = {
    "required": _yes_no,
    "min_days": _whole,
    "max_ne_between": _whole,
    "sd_between": _yes_no,
}
_MEASURING: dict[str, Reader] = {
    "convention": _one_of("calibrated", "extent", "edge", "centre"),
    "max_gap_mm": lambda value: float(_number(value)),
    "round_mm": _step,
    "dense_hu": _dense,
    "resample": _yes_no,
    "phase_confidence": _one_of("low", "medium", "high"),
}
_STABILITY: dict[str, Reader] = {
    "level": _share,
    "draws": _draws,
    "seed": _whole,
    "correlation": _share,
    "repeat": _repeats,
    **{f.name: _number for f in fields(MeasurementError)},
}
_ORIGIN: dict[str, Reader] = {
    "event": _one_of("randomisation", "enrolment", "first_dose", "first_procedure", "baseline")
}
_SCHEDULE: dict[str, Reader] = {"partial_date": _one_of(*PartialDate)}
# What conformance checks count visits and baseline by (docs/check.md).
_VISITS: dict[str, Reader] = {"visits": _stretches, "window_days": _whole}
_BASELINE_WINDOW: dict[str, Reader] = {"baseline_window_days": _whole}
_CHECK_NUMBERS: dict[str, Reader] = {f.name: _KINDS[str(f.type)] for f in fields(Checking) if f.name != "severities"}
_CHECK_SEVERITIES: dict[str, Reader] = {
    check.name: _one_of("error") if check.fixed else _one_of(OFF, *reversed(Severity)) for check in CHECKLIST
}
# Sections whose names are checked here and which the derivation of endpoints reads.
_LATER_SECTIONS: dict[str, set[str]] = {
    "study": {"id", "title", "disease", "arms", "strata", "days_per_month"},
    "endpoint": {
        *("id", "kind", "criterion", "reader", "paramcd", "origin", "events", "censor", "success", "population", "ci"),
        *("competing",),
    },
}
_SECTIONS = {"format", "criteria", "response", "measurement", "origin", "schedule", "checks", "stability"} | {
    *_LATER_SECTIONS
}


def _only_known(section: Mapping[str, Any], known: set[str], where: str, name: str) -> None:
    for key in section:
        if key not in known:
            near = get_close_matches(key, sorted(known), n=1, cutoff=0.0)
            place = f"{name}.{key}" if name else key
            raise ProtocolError(f"{where}: unknown key '{place}'; did you mean '{near[0]}'?")


def _check_names_below(value: Any, known: set[str], where: str, name: str) -> None:
    for section in value if isinstance(value, list) else [{} if value is None else value]:
        if not isinstance(section, dict):
            raise ProtocolError(f"{where}: '{name}' is {section!r}, not a table; write it as [{name}] with keys below")
        _only_known(section, known, where, name)


def _section(content: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    section = content.get(name, {})
    if not isinstance(section, dict):
        raise ProtocolError(f"{where}: '{name}' is {section!r}, not a table; write it as [{name}] with keys below")
    return section


def _take(section: Mapping[str, Any], key: str, read: Reader, where: str) -> Any:
    if key not in section:
        return None
    try:
        return read(section[key])
    except ValueError as error:
        raise ProtocolError(f"{where}: {key} is {section[key]!r}; it takes {error}") from None


def _values(section: Mapping[str, Any], readers: dict[str, Reader], where: str, name: str) -> dict[str, Any]:
    _only_known(section, set(readers), where.split(" [")[0], name)
    return {key: _take(section, key, readers[key], where) for key in section}
