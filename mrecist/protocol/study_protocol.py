"""The protocol of a study as one value that is passed along."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mrecist.checklist import Checking
from mrecist.criteria import CRITERIA
from mrecist.dates import PartialDate
from mrecist.errors import ProtocolError
from mrecist.protocol.endpoints import Endpoint
from mrecist.protocol.exports import Exports
from mrecist.protocol.rules import (
    Design,
    EligibilityRules,
    Measuring,
    Origin,
    Readers,
    ResponseRules,
    SafetyRules,
    Schedule,
    StabilityRules,
)
from mrecist.protocol.variants import CriterionSetting, as_published


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """The settings of a study. ``sha256`` identifies the parsed content."""

    criteria: tuple[CriterionSetting, ...]
    title: str = ""
    disease: str = ""
    response: ResponseRules = field(default_factory=ResponseRules)
    measuring: Measuring = field(default_factory=Measuring)
    stability: StabilityRules = field(default_factory=StabilityRules)
    origin: Origin = field(default_factory=Origin)
    partial_date: PartialDate = PartialDate.REFUSE
    schedule: Schedule = field(default_factory=Schedule)
    design: Design = field(default_factory=Design)
    readers: Readers = field(default_factory=Readers)
    # Organs of the region "intrahepatic"; every other one is "extrahepatic".
    intrahepatic: tuple[str, ...] = ()
    safety: SafetyRules = field(default_factory=SafetyRules)
    eligibility: EligibilityRules = field(default_factory=EligibilityRules)
    endpoints: tuple[Endpoint, ...] = ()
    export: Exports = field(default_factory=Exports)
    checking: Checking = field(default_factory=Checking)
    sha256: str = ""
    # The file as it was given.
    text: str = field(default="", repr=False, compare=False)

    def confirms(self, endpoint: Endpoint) -> bool:
        """Whether the best response of an endpoint has to be confirmed: by its own word, else by the study's."""
        return self.response.confirm_required if endpoint.confirmed is None else endpoint.confirmed

    @property
    def date_columns(self) -> tuple[str, ...]:
        """Columns of subjects.csv that endpoints take dates from by name (``date:COLUMN``)."""
        asked = [word for one in self.endpoints for word in (one.origin, *one.events, *one.competing, *one.success)]
        asked += [rule.when for one in self.endpoints for rule in one.censor]
        asked += self.safety.last_treatment
        return tuple(dict.fromkeys(word.removeprefix("date:") for word in asked if word.startswith("date:")))

    def setting(self, name: str) -> CriterionSetting:
        """The criterion called ``name``: a section of the protocol, else a built-in one as published."""
        for setting in self.criteria:
            if setting.name == name:
                return setting
        if name in CRITERIA:
            return as_published(name, self.disease, "built-in criterion")
        known = [s.name for s in self.criteria] + list(CRITERIA)
        raise ProtocolError(f"criterion '{name}' is not known; there are: {', '.join(dict.fromkeys(known))}")

    def limits_of(self, setting: CriterionSetting) -> Checking:
        """The numbers of ``[checks]`` for one criterion, with the smallest targets that its section states."""
        sizes = setting.target_sizes
        return replace(
            self.checking,
            min_target_mm=self.checking.min_target_mm if sizes.lesion is None else sizes.lesion,
            min_target_node_mm=self.checking.min_target_node_mm if sizes.node is None else sizes.node,
        )

    def select(self, names: list[str] | None) -> tuple[CriterionSetting, ...]:
        """The criteria asked for by name, or all of the protocol."""
        return tuple(self.setting(name) for name in dict.fromkeys(names)) if names else self.criteria
