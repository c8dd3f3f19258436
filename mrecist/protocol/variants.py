"""Criteria as a study uses them: ``[criteria.NAME]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mrecist.criteria import CRITERIA
from mrecist.criteria._rule import Criterion, Thresholds
from mrecist.errors import ProtocolError
from mrecist.protocol.keys import THRESHOLDS
from mrecist.protocol.sections import section_of, values_of

DEFAULT_CRITERIA = ("recist11", "mrecist")
HCC = ("hcc", "hepatocellular carcinoma")


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


def as_published(name: str, disease: str, where: str) -> CriterionSetting:
    return setting_as(name, CRITERIA[name], CRITERIA[name].thresholds, disease, where)


def setting_as(name: str, criterion: Criterion, thresholds: Thresholds, disease: str, where: str) -> CriterionSetting:
    """A criterion for the disease of the study; one that is defined for HCC only is refused elsewhere (A17)."""
    non_hcc = criterion.hcc_only and disease != "" and disease.casefold() not in HCC
    if non_hcc and not thresholds.enhancement_based_non_hcc:
        raise ProtocolError(
            f"{where}: {criterion.title} is defined for hepatocellular carcinoma and the study's disease is '{disease}'; "
            f"use recist11, or set enhancement_based_non_hcc = true to report it as {criterion.title}-like"
        )
    return CriterionSetting(name=name, criterion=criterion, thresholds=thresholds, non_hcc=non_hcc)


def criteria_of(sections: Mapping[str, Any], disease: str, where: str) -> tuple[CriterionSetting, ...]:
    if not sections:
        hcc = disease == "" or disease.casefold() in HCC
        names = [name for name in DEFAULT_CRITERIA if hcc or not CRITERIA[name].hcc_only]
        return tuple(as_published(name, disease, where) for name in names)
    settings = []
    for name in sections:
        section = section_of(sections, name, f"{where} [criteria]")
        here = f"{where} [criteria.{name}]"
        standard = section.get("standard", name)
        if not isinstance(standard, str) or standard not in CRITERIA:
            raise ProtocolError(f"{here}: standard {standard!r} is not known; there are: {', '.join(CRITERIA)}")
        criterion = CRITERIA[standard]
        readers = {key: THRESHOLDS[key] for key in criterion.options}
        values = values_of({k: v for k, v in section.items() if k != "standard"}, readers, here, f"criteria.{name}")
        settings.append(setting_as(name, criterion, replace(criterion.thresholds, **values), disease, here))
    return tuple(settings)
