"""What Define-XML says of the datasets of ``mrecist export sdtm``."""

from __future__ import annotations

from pathlib import Path

from mrecist.derivation import load_rules
from mrecist.exporting.define.methods import SdtmMethods
from mrecist.exporting.define.run import Definable
from mrecist.exporting.sdtm.inputs import Given
from mrecist.exporting.sdtm.run import MAY_BE, build_sdtm
from mrecist.exporting.sdtm.settings import ASSESSOR, SdtmSettings
from mrecist.units import show

_BY_ASSESSOR = "Sums, their changes and best responses are those that the assessor supplied."
_SCANS = {"latest_scan": "latest scan", "earliest_scan": "earliest scan"}
_BY_SPONSOR = "Sums and best responses are not here: they are derived for analysis."


def define_of_sdtm(folder: Path, settings: SdtmSettings, given: Given) -> Definable:
    """The datasets of results with their definitions; raises :class:`InputError` as the export does."""
    built = build_sdtm(folder, settings, given)
    protocol, criteria, _ = load_rules(folder)
    methods = SdtmMethods(protocol, {one.name: one for one in criteria})
    by_assessor = settings.derived == ASSESSOR
    words = _BY_ASSESSOR if by_assessor else _BY_SPONSOR
    small = next((show(one.thresholds.too_small_mm) for one in criteria), "5")
    dates = [_SCANS[one] for one in (protocol.response.response_date, protocol.response.progression_date)]
    return Definable(
        standard=built.standard,
        title=protocol.title,
        datasets=built.datasets,
        may_be=MAY_BE,
        describe=methods.told,
        deriver="" if by_assessor else "Sponsor",
        comment="Tumour assessments by imaging, made from the recorded measurements by the rules of the study's protocol.",
        comments={
            "TR": f"{words} A target TOO SMALL TO MEASURE has in TRSTRESN the size that was recorded, else {small} mm.",
            "RS": f"{words} RSDTC is the {dates[0]} of the time point, of a progression the {dates[1]}.",
        },
    )
