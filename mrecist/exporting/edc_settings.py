"""What ``[export]`` of a protocol says of ODM and REDCap; an option of the command goes before it."""

from __future__ import annotations

from dataclasses import dataclass

from mrecist.protocol import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class EdcSettings:
    """Version of ODM and its map of OIDs ("" is none), whether REDCap's dictionary is written, the form of the responses."""

    odm_version: str = "1.3.2"
    oid_map: str = ""
    dictionary: bool = True
    repeat_instrument: str = "tumor_response"


def settings_of(protocol: Protocol) -> EdcSettings:
    """Those of ``export.odm`` and ``export.redcap``; the defaults where the protocol has no such section."""
    export = getattr(protocol, "export", None)
    if export is None:
        return EdcSettings()
    return EdcSettings(
        odm_version=export.odm.version,
        oid_map=export.odm.oid_map,
        dictionary=export.redcap.dictionary,
        repeat_instrument=export.redcap.repeat_instrument,
    )
