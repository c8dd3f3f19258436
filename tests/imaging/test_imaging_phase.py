"""Phases: the delay, the words of many languages, and the traps that must end in UNKNOWN."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from build_series import axial, write

from mrecist.imaging.phase import phase_from_headers
from mrecist.imaging.phase_words import normalise
from mrecist.imaging.scan import scan_folder

# Own strings in the words of the languages named; the phase is what a reader of that language would say.
WORDS = {
    "ARTERIAL": """late arterial|LATE ART 5mm|early arterial phase|Arterial 1.0 B30f|ABD ART|HAP|arteriell|Spätarteriell
        phase artérielle|phase artérielle tardive|temps artériel|fase arterial|fase arteriosa|arteriële fase|faza tętnicza
        артериальная фаза|動脈相|後期動脈相|动脉期|晚期动脉|동맥기|조기동맥기|LIVER 3 PHASE ARTERIAL|PRE TACE arterial""",
    "PORTAL VENOUS": """portal venous|PORTAL|Abd/Pel VENOUS 5.0|PVP|pv|late portal|portalvenös|venös|temps portal|temps veineux
        fase portal venosa|fase venosa|fase portale|veneuze fase|faza wrotna|faza żylna|портальная фаза|венозная фаза
        門脈相|门脉期|静脉期|문맥기|정맥기""",
    "DELAYED": """delayed|5 MIN DELAY|equilibrium|late phase|Spätphase|Leber spät|Gleichgewichtsphase|phase tardive
        fase tardía|fase tardiva|fase de equilíbrio|faza późna|faza opóźniona|отсроченная фаза|равновесная фаза|遅延相
        平衡相|延迟期|지연기|평형기""",
    "NATIVE": """native|nativ|NON-CONTRAST|unenhanced|without contrast|PRE CONTRAST|Recon 2: PRE LIVER|PRE LIVER|W/O|ohne KM
        sans injection|sans contraste|sin contraste|sem contraste|senza mdc|basale|blanco|zonder contrast|bez kontrastu
        нативная фаза|без контраста|平扫|単純|造影前|비조영|조영 전""",
    "HEPATOBILIARY": """HBP 20 min|hepatobiliary phase|hepatobiliär|phase hépatobiliaire|fase hepatobiliar|fase epatobiliare
        hepatobiliaire fase|гепатобилиарная фаза|肝細胞相|肝胆期|간담도기""",
    "UNKNOWN": """VENTILATION|HEART|SMART|PARTIAL|START|A/P W|C/A/P LIVER|LIVER 3 PHASE (AP)|CT, ABDOMEN W&W/O CONT|triphasic
        2.5 SOFT|150cc OMNIPAQUE)|LUNG BASES 5MM|NEW HASTE CORONAL|intravenous|post contrast|pre-op|PRE TACE|Pre Biopsy
        scout|Topogram 0.6 T20f|Surview|Localizer arterial|Bolus tracking|SMARTPREP|Premonitoring|Test Bolus|Dose Report
        Patient Protocol|MIP arterial|arterial MinIP|VNC arterial|Virtual non-contrast|Iodine map portal|Jodkarte
        subtraction arterial|SUB ART-PRE|venous delayed|art + portal|spätvenös||""",
}
CASES = [(name, text.strip()) for name, block in WORDS.items() for text in block.replace("\n", "|").split("|")]


@pytest.mark.parametrize(("name", "text"), CASES)
def test_words(name: str, text: str) -> None:
    phase = phase_from_headers(modality="MR", description=text)
    assert phase.name.value == name, phase.evidence
    assert (phase.confidence == "none") == (name == "UNKNOWN")
    assert phase.evidence
    assert name == "UNKNOWN" or f"SeriesDescription '{text}' says" in phase.evidence[0]


@pytest.mark.parametrize(
    ("modality", "delay", "name"),
    [
        ("CT", 19.9, "UNKNOWN"),
        ("CT", 20, "ARTERIAL"),
        ("CT", 45, "ARTERIAL"),
        ("CT", 50, "UNKNOWN"),
        ("CT", 55, "PORTAL VENOUS"),
        ("CT", 90, "PORTAL VENOUS"),
        ("CT", 95.8, "UNKNOWN"),
        ("CT", 180, "DELAYED"),
        ("CT", 1200, "UNKNOWN"),
        ("MR", 599, "DELAYED"),
        ("MR", 600, "HEPATOBILIARY"),
        ("MR", 1200, "HEPATOBILIARY"),
        ("CT", -60, "NATIVE"),
        ("CT", -5, "UNKNOWN"),
    ],
)
@pytest.mark.parametrize("start", [36000.0, 86390.0])
def test_delay_also_over_midnight(modality: str, delay: float, name: str, start: float) -> None:
    phase = phase_from_headers(
        modality=modality, acquisition_seconds=(start + delay) % 86400, contrast_start_seconds=start
    )
    assert phase.name.value == name
    assert f"AcquisitionTime is {delay:.1f} s after ContrastBolusStartTime" in phase.evidence[0]


def test_agreement_is_high_and_conflict_is_unknown_with_both_named() -> None:
    agreed = phase_from_headers(
        modality="CT", description="arterial", acquisition_seconds=35.0, contrast_start_seconds=0.0
    )
    assert (agreed.name.value, agreed.confidence, len(agreed.evidence)) == ("ARTERIAL", "high", 2)
    conflict = phase_from_headers(
        modality="CT", description="arterial", acquisition_seconds=70.0, contrast_start_seconds=0.0
    )
    assert (conflict.name.value, conflict.confidence) == ("UNKNOWN", "none")
    assert "70.0 s after" in conflict.evidence[0]
    assert "SeriesDescription 'arterial'" in conflict.evidence[1]
    assert "conflicts" in conflict.evidence[2]


def test_protocol_name_counts_only_when_the_description_is_silent() -> None:
    assert (
        phase_from_headers(modality="CT", description="portal", protocol_name="arterial").name.value == "PORTAL VENOUS"
    )
    alone = phase_from_headers(modality="CT", description="5 mm", protocol_name="arterial")
    assert (alone.name.value, alone.confidence) == ("ARTERIAL", "low")


def test_hangul_is_not_torn_apart() -> None:
    assert normalise("동맥기 ÄÉñ_Ł") == "동맥기 aen l"


def test_two_phases_under_one_description_are_both_unknown(tmp_path: Path) -> None:
    write(
        tmp_path,
        axial(SeriesDescription="ARTERIAL") + axial(phase=1, AcquisitionNumber=2, SeriesDescription="ARTERIAL"),
    )
    phases = [s.phase for s in scan_folder(tmp_path).series]
    assert [p.name.value for p in phases] == ["UNKNOWN", "UNKNOWN"]
    assert "stands over several stacks" in phases[0].evidence[-1]


def test_split_phases_are_named_by_their_delay(tmp_path: Path) -> None:
    start = {"ContrastBolusStartTime": "120000"}
    write(
        tmp_path,
        axial(AcquisitionTime="120035", **start)
        + axial(phase=1, AcquisitionTime="120110", AcquisitionNumber=2, **start),
    )
    assert [s.phase.name.value for s in scan_folder(tmp_path).series] == ["ARTERIAL", "PORTAL VENOUS"]


def test_real_descriptions_of_liver_protocols(shared_data: Path) -> None:
    """49 headers of HCC-TACE-Seg: PRE is native, everything else names no single phase."""
    path = shared_data / "hcc_tace_seg" / "series_headers_odd_patients.csv"
    with path.open(encoding="utf-8") as stream:
        texts = [row["SeriesDescription"] for row in csv.DictReader(stream)]
    assert len(texts) == 49
    for text in texts:
        expected = "NATIVE" if "PRE" in text.split() or "PRE " in text else "UNKNOWN"
        assert phase_from_headers(modality="CT", description=text).name.value == expected, text
