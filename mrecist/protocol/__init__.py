"""The protocol of a study: one TOML file, read once, then a plain value that is passed along. Keys and defaults: docs/protocol.md."""

from mrecist.protocol.endpoints import Censoring, Endpoint, MarkerRule
from mrecist.protocol.exports import Exports, OdmExport, RedcapExport, SdtmExport
from mrecist.protocol.reading import FORMAT, content_hash, load_protocol, parse_protocol, protocol_of_text
from mrecist.protocol.rules import (
    Design,
    EligibilityRules,
    EveryWeeks,
    MeasurementError,
    Measuring,
    Origin,
    Readers,
    ResponseRules,
    SafetyRules,
    Schedule,
    StabilityRules,
)
from mrecist.protocol.study_protocol import Protocol
from mrecist.protocol.variants import CriterionSetting

__all__ = [
    "FORMAT",
    "Censoring",
    "CriterionSetting",
    "Design",
    "EligibilityRules",
    "Endpoint",
    "EveryWeeks",
    "Exports",
    "MarkerRule",
    "MeasurementError",
    "Measuring",
    "OdmExport",
    "Origin",
    "Protocol",
    "Readers",
    "RedcapExport",
    "ResponseRules",
    "SafetyRules",
    "Schedule",
    "SdtmExport",
    "StabilityRules",
    "content_hash",
    "load_protocol",
    "parse_protocol",
    "protocol_of_text",
]
