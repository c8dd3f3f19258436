"""``[export]``: what the exported tables of a study follow. The writers read it; nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mrecist.protocol.keys import EXPORT
from mrecist.protocol.sections import only_known, section_of, values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SdtmExport:
    """``export.sdtm``: version of the SDTM implementation guide, date of the controlled terminology, forms of the files.

    ``derived``: whose sums and best responses are, as SDTM takes them from an assessor only ("sponsor" leaves them to ADaM).
    """

    ig: str = "3.4"
    ct: str = "2022-09-30"
    derived: str = "assessor"
    format: tuple[str, ...] = ("xpt5",)


@dataclass(frozen=True, slots=True, kw_only=True)
class OdmExport:
    """``export.odm``: version of ODM, and the file that gives our names the OIDs of the study's database; empty: ours."""

    version: str = "1.3.2"
    oid_map: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedcapExport:
    """``export.redcap``: whether the data dictionary is written too, and the repeating instrument of the responses."""

    dictionary: bool = True
    repeat_instrument: str = "tumor_response"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exports:
    """``[export]`` whole."""

    sdtm: SdtmExport = field(default_factory=SdtmExport)
    odm: OdmExport = field(default_factory=OdmExport)
    redcap: RedcapExport = field(default_factory=RedcapExport)


def exports_of(content: Mapping[str, Any], where: str) -> Exports:
    """``[export]``; raises :class:`ProtocolError` for an unknown key or an impossible value."""
    section = section_of(content, "export", where)
    only_known(section, set(EXPORT), where, "export")
    values = {
        name: values_of(
            section_of(section, name, f"{where} [export]"), keys, f"{where} [export.{name}]", f"export.{name}"
        )
        for name, keys in EXPORT.items()
    }
    return Exports(
        sdtm=SdtmExport(**values["sdtm"]), odm=OdmExport(**values["odm"]), redcap=RedcapExport(**values["redcap"])
    )
