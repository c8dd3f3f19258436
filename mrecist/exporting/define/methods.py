"""How what TR and RS hold was derived, by the protocol of the study: the words of MethodDef."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from mrecist.criteria._rule import Rule, Thresholds
from mrecist.exporting.define.parts import Clause, Told
from mrecist.exporting.sdtm.responses import CLINICAL, categories
from mrecist.exporting.sdtm.sums import families_of
from mrecist.model import Response
from mrecist.protocol import CriterionSetting, Protocol
from mrecist.sdtm.codelists import RS_TESTS, TR_TESTS, TR_TESTS_OF_OURS
from mrecist.units import show

_TESTS = {**TR_TESTS, **TR_TESTS_OF_OURS}
_OPTION = re.compile(r"protocol option (\w+)")
_DEFAULTS = Thresholds()
_NO_SUM = "A time point at which a target was not evaluated has no sum: TRSTAT is NOT DONE."
_PERCENT = (
    "100 * (sum - {reference}) / {reference}, to four decimals (thresholds are compared with the exact value); none where "
    "that is 0 or there is no sum."
)
_BASELINE = "sum at baseline (time point 0)"
_NADIR = "smallest sum of the time points before, baseline included"


class SdtmMethods:
    """What the protocol says of the tests of TR and RS."""

    def __init__(self, protocol: Protocol, settings: Mapping[str, CriterionSetting]) -> None:
        """``settings`` are the criteria by their names in the protocol."""
        self._protocol = protocol
        self._sums: dict[str, str] = {}
        for setting in settings.values():
            for test, words in _sums_of(setting):
                self._sums.setdefault(test, words)  # TR has the sum of the first of several criteria
        of_category = categories(settings.values())
        self._responses = {of_category[name]: setting for name, setting in settings.items()}

    def told(self, dataset: str, clause: Clause) -> Told:
        """What is known of the records of ``dataset`` with ``clause``."""
        if dataset == "TR":
            return self._of_sizes(clause["TRTESTCD"])
        if dataset == "RS":
            return self._of_responses(clause)
        return Told(label=" ".join(clause.values()))

    def _of_sizes(self, test: str) -> Told:
        label = _TESTS.get(test, test)
        if test not in self._sums:
            return Told(label=label, derived=False)
        return Told(label=label, derived=True, method=self._sums[test])

    def _of_responses(self, clause: Clause) -> Told:
        test, category, subcategory = clause["RSTESTCD"], clause["RSCAT"], clause.get("RSSCAT", "")
        label = f"{RS_TESTS.get(test, test)}, {category}{f' ({subcategory})' if subcategory else ''}"
        setting = self._responses.get((category, subcategory))
        if setting is None:  # what the investigator documented, which no criterion derives
            told = subcategory == CLINICAL.upper().replace("_", " ")
            return Told(label=label, derived=False if told else None)
        return Told(label=label, derived=True, method=" ".join(self._response(test, setting)))

    def _response(self, test: str, setting: CriterionSetting) -> Iterator[str]:
        yield f"{setting.title} ({setting.criterion.source})."
        if test == "TRGRESP":
            yield from _target_rules(setting)
        elif test == "NTRGRESP":
            yield from _NON_TARGETS
        elif test == "NEWLPROG":
            yield "UNEQUIVOCAL when a new lesion of the time point is one by the criterion, EQUIVOCAL when one may be."
        elif test == "LIVRRESP":
            inside = ", ".join(self._protocol.intrahepatic)
            yield f"The overall response of the lesions in the liver alone ({inside}), derived as OVRLRESP of all lesions is."
        elif test == "BESTRESP":
            yield from self._best()
        else:
            yield from _overall_rules(setting)

    def _best(self) -> Iterator[str]:
        rules = self._protocol.response
        if rules.confirm_required:
            yield (
                f"The best overall response; CR and PR count when they are confirmed at least {rules.confirm_min_days} days later, with at "
                f"most {rules.confirm_max_ne_between} NE between{_or_sd(rules.confirm_sd_between)}."
            )
        else:
            yield "The best overall response, CR before PR before SD; confirmation is not asked for."
        yield f"SD counts from {rules.sd_min_days} days after day 1. Time points are counted until: {', '.join(rules.cut)}."
        if rules.data_cutoff is not None:
            yield f"Data cut-off {rules.data_cutoff.isoformat()}."
        yield f"Without an assessment after baseline it is {rules.no_assessment}."


_NON_TARGETS = (
    "PD when a non-target progressed unequivocally; NE when one was not evaluated; CR when all are gone (nodes of normal size); else "
    "NON-CR/NON-PD. No record without non-targets.",
)


def _or_sd(allowed: bool) -> str:
    return " or SD" if allowed else ""


def _sums_of(setting: CriterionSetting) -> Iterator[tuple[str, str]]:
    criterion, own = setting.criterion, setting.thresholds
    unit = f"{criterion.unit}{', written in mL' if criterion.unit == 'mm3' else ''}"
    total = (
        f"Sum of the targets of the time point by {setting.title}: {criterion.quantity}, in {unit}. A target too small to measure counts "
        f"as it was recorded, else {show(own.too_small_mm)} mm; one that is gone counts 0. {_NO_SUM}"
    )
    for family in families_of(criterion):
        yield family.total, total
        for test, words in (
            (family.from_baseline, _PERCENT.format(reference=_BASELINE)),
            (family.from_nadir, _PERCENT.format(reference=_NADIR)),
            (family.absolute, f"sum - {_NADIR}, in {unit}."),
        ):
            yield test, f"{setting.title}: {words}"


def _target_rules(setting: CriterionSetting) -> Iterator[str]:
    yield f"Size that counts: {setting.criterion.quantity}. The first rule that holds:"
    rules = (rule for rule in setting.criterion.rules if _asked_for(rule, setting.thresholds))
    named = [f"{rule.gives}: {rule.needs(setting.thresholds)}" for rule in rules]
    yield "; ".join(_numbered(named)) + "."
    reference = (
        "smallest sum of the time points before" if setting.thresholds.pd_reference == "nadir" else "baseline sum"
    )
    yield f"Response is counted from the baseline sum, progression from the {reference}."


def _asked_for(rule: Rule, own: Thresholds) -> bool:
    """Whether a rule that stands on an option of the protocol is there under this protocol."""
    option = _OPTION.search(rule.cite)
    return option is None or getattr(own, option[1]) != getattr(_DEFAULTS, option[1])


def _overall_rules(setting: CriterionSetting) -> Iterator[str]:
    yield "By the response of the targets, that of the non-targets and new lesions; the first line that fits:"
    words = dict.fromkeys(
        f"{'without targets, ' if targets == {Response.NA} else ''}{source}"
        for targets, *_, source in setting.criterion.overall
    )
    yield "; ".join(_numbered(words)) + "."
    own = setting.thresholds
    if own.ne_when_any_part_ne:
        yield "The protocol gives NE instead, unless it is PD, when targets or non-targets are NE."
    if own.unknown_non_target == "NE":
        yield "The protocol gives NE instead of PR when targets are CR and non-targets NE."
    if "new_lesion_is_pd" in setting.criterion.options and not own.new_lesion_is_pd:
        yield "A new lesion of the organ liver is no progression under the protocol, unless it names a thrombus."
    if setting.criterion.confirms_progression:
        until = f" and at most {own.icpd_max_days} days after the last" if own.icpd_max_days else ""
        yield f"A progression is iUPD until it is confirmed, at least {own.icpd_min_days} days after the first iUPD{until}, as iCPD."


def _numbered(words: Iterable[str]) -> Iterator[str]:
    return (f"({number}) {one}" for number, one in enumerate(words, start=1))
