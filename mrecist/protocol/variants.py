"""Criteria as a study uses them: ``[criteria.NAME]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from mrecist.criteria import CRITERIA
from mrecist.criteria._rule import Criterion, Thresholds
from mrecist.criteria.study_rules import PROTOCOL_DEFINED, STUDY_RULES
from mrecist.errors import ProtocolError
from mrecist.protocol.keys import CRITERION, THRESHOLDS
from mrecist.protocol.sections import section_of, values_of

DEFAULT_CRITERIA = ("recist11", "mrecist")
HCC = ("hcc", "hepatocellular carcinoma")
# The region "intrahepatic" of a protocol that has no [regions].
LIVER = ("liver",)
# Values that say what holds without the key: criteria that do not take it let them pass, as a file that is extended may state them.
_WITHOUT_EFFECT: dict[str, Any] = {"pd_absolute_mm": 0, "new_lesion_is_pd": True}
# Standard, as the trial world spells it -> our name.
SPELLED = {criterion.title.removesuffix(" (HCC)"): name for name, criterion in CRITERIA.items()}
_MEASURES = {"longest": "whole longest diameters", "viable": "the viable part", "volume": "whole volumes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSizes:
    """From which size on a lesion can be a target by this criterion, in mm; None: as ``[checks]`` says.

    ``portal_node`` is the short axis of a node at the porta hepatis, None: as any other node.
    """

    lesion: Decimal | None = None
    node: Decimal | None = None
    portal_node: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionSetting:
    """A criterion as the study uses it: ``name`` in the outputs, the standard it follows, and its thresholds."""

    name: str
    criterion: Criterion
    thresholds: Thresholds
    # An HCC criterion used on another enhancing tumour, as the protocol allows (A17, A18).
    non_hcc: bool = False
    # RSCAT as the protocol writes it; empty: the term of the standard.
    own_rscat: str = ""
    target_sizes: TargetSizes = field(default_factory=TargetSizes)
    # Regions whose sums and responses the study wants beside those of all lesions.
    sub_sums: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """How the criterion is called in reports."""
        return f"{self.criterion.title.removesuffix(' (HCC)')}-like (not HCC)" if self.non_hcc else self.criterion.title

    @property
    def rscat(self) -> str:
        """RSCAT of SDTM under which its responses are written."""
        return self.rscats[0] if self.rscats else PROTOCOL_DEFINED

    @property
    def rscats(self) -> tuple[str, ...]:
        """RSCAT values under which its responses may be reported: the protocol's own, else those known of the standard."""
        return (self.own_rscat,) if self.own_rscat else self.criterion.rscat


def as_published(name: str, disease: str, where: str) -> CriterionSetting:
    return _for_disease(
        CriterionSetting(name=name, criterion=CRITERIA[name], thresholds=CRITERIA[name].thresholds), disease, where
    )


def _for_disease(setting: CriterionSetting, disease: str, where: str) -> CriterionSetting:
    """A criterion for the disease of the study; one that is defined for HCC only is refused elsewhere (A17)."""
    title = setting.criterion.title
    non_hcc = setting.criterion.hcc_only and disease != "" and disease.casefold() not in HCC
    if non_hcc and not setting.thresholds.enhancement_based_non_hcc:
        raise ProtocolError(
            f"{where}: {title} is defined for hepatocellular carcinoma and the study's disease is '{disease}'; "
            f"use recist11, or set enhancement_based_non_hcc = true to report it as {title}-like"
        )
    return replace(setting, non_hcc=non_hcc)


def criteria_of(sections: Mapping[str, Any], disease: str, where: str) -> tuple[CriterionSetting, ...]:
    """``[criteria]``; without a section RECIST 1.1 and, for HCC, mRECIST."""
    if not sections:
        hcc = disease == "" or disease.casefold() in HCC
        names = [name for name in DEFAULT_CRITERIA if hcc or not CRITERIA[name].hcc_only]
        return tuple(as_published(name, disease, where) for name in names)
    settings = []
    for name in sections:
        section = section_of(sections, name, f"{where} [criteria]")
        here = f"{where} [criteria.{name}]"
        settings.append(_for_disease(_setting(name, section, here), disease, here))
    return tuple(settings)


def _setting(name: str, section: Mapping[str, Any], here: str) -> CriterionSetting:
    criterion = _standard(section.get("standard", name), section.get("measure"), here)
    given = {
        key: value for key, value in section.items() if key in criterion.options or not _without_effect(key, value)
    }
    if "confirm_pd" in given and not criterion.confirms_progression:
        raise ProtocolError(
            f"{here}: confirm_pd is of iRECIST; {criterion.title} confirms no progression, take it away"
        )
    readers = {**CRITERION, **{key: THRESHOLDS[key] for key in criterion.options}}
    values = values_of(given, readers, here, f"criteria.{name}")
    _check_measure(values.get("measure", criterion.measure), criterion, here)
    thresholds = replace(criterion.thresholds, **_thresholds(values, criterion, here))
    return CriterionSetting(
        name=name,
        criterion=criterion,
        thresholds=thresholds,
        own_rscat=values.get("rscat", ""),
        target_sizes=TargetSizes(
            lesion=values.get("min_target_mm"),
            node=values.get("node_target_mm"),
            portal_node=values.get("portal_node_target_mm"),
        ),
        sub_sums=tuple(dict.fromkeys(values.get("sub_sums", ()))),
    )


def _without_effect(key: str, value: Any) -> bool:
    same = key in _WITHOUT_EFFECT and value == _WITHOUT_EFFECT[key]
    return same and isinstance(value, bool) is isinstance(_WITHOUT_EFFECT[key], bool)


def _standard(asked: Any, measure: Any, here: str) -> Criterion:
    if asked == "protocol":
        if not isinstance(measure, str) or measure not in STUDY_RULES:
            raise ProtocolError(
                f'{here}: standard is "protocol"; say what it measures, measure = "longest" or "viable"'
            )
        return STUDY_RULES[measure]
    name = SPELLED.get(asked, asked) if isinstance(asked, str) else None
    if name in CRITERIA:
        return CRITERIA[name]
    known = ", ".join(f'{name} ("{spelled}")' for spelled, name in SPELLED.items())
    raise ProtocolError(f"{here}: standard {asked!r} is not known; there are: {known}, protocol (rules of your own)")


def _check_measure(asked: str, criterion: Criterion, here: str) -> None:
    if asked != criterion.measure:
        others = ", ".join(one.name for one in CRITERIA.values() if one.measure == asked)
        raise ProtocolError(
            f"{here}: measure is '{asked}' ({_MEASURES[asked]}), and {criterion.title} measures {_MEASURES[criterion.measure]}; "
            f"take measure away, or choose the standard that is meant, one of {others}"
        )


def _thresholds(values: Mapping[str, Any], criterion: Criterion, here: str) -> dict[str, Any]:
    """The thresholds of a section: its own keys, and those that other keys stand for; two that contradict are refused."""
    found = {key: value for key, value in values.items() if key in criterion.options}
    stands_for = dict(values.get("confirm_pd", {}))
    if "porta_hepatis_node_mm" in criterion.options and "portal_node_target_mm" in values:
        stands_for["porta_hepatis_node_mm"] = values["portal_node_target_mm"]
    for key, value in stands_for.items():
        if found.get(key, value) != value:
            other = "portal_node_target_mm" if key == "porta_hepatis_node_mm" else "confirm_pd"
            raise ProtocolError(f"{here}: {key} is {found[key]} and {other} says {value}; keep one")
    return {**found, **stands_for}
