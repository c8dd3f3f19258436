"""Order and gaps inside a study, and values that a reader samples: what they may add, and what they must not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from build_series import ROOT, Image, axial, write
from pydicom.uid import MRImageStorage

from mrecist.errors import InputError
from mrecist.imaging.phase import NO_EVIDENCE, Phase, PhaseName, phase_from_headers
from mrecist.imaging.phase_order import Acquired, with_order
from mrecist.imaging.phase_samples import Structure, phase_from_samples, with_samples
from mrecist.imaging.scan import scan_folder


def ordered(*stacks: tuple[float, str]) -> list[tuple[str, str]]:
    """(phase, confidence) of each of (second, SeriesDescription)."""
    given = [Acquired(seconds=t, phase=phase_from_headers(modality="CT", description=d)) for t, d in stacks]
    return [(phase.name.value, phase.confidence) for phase in with_order(given)]


UNKNOWN = ("UNKNOWN", "none")


@pytest.mark.parametrize(
    ("stacks", "expected"),
    [
        # One anchor names what lies the usual gap behind it, with low confidence.
        (((0, "arterial"), (35, "")), [("ARTERIAL", "medium"), ("PORTAL VENOUS", "low")]),
        (((0, "arterial"), (150, "")), [("ARTERIAL", "medium"), ("DELAYED", "low")]),
        (((0, ""), (35, "portal venous")), [("ARTERIAL", "low"), ("PORTAL VENOUS", "medium")]),
        # 150 s before a delayed phase is arterial or portal venous: not named. With the arterial phase there it is one of them.
        (((0, ""), (150, "delayed")), [UNKNOWN, ("DELAYED", "medium")]),
        (
            ((0, "arterial"), (40, ""), (180, "delayed")),
            [("ARTERIAL", "medium"), ("PORTAL VENOUS", "low"), ("DELAYED", "medium")],
        ),
        # A gap of no phase, and a native series, name nothing.
        (((0, "arterial"), (60, "")), [("ARTERIAL", "medium"), UNKNOWN]),
        (((0, "native"), (35, "")), [("NATIVE", "medium"), UNKNOWN]),
        # Short forms confirm one another.
        (((0, "ABD ART"), (35, "ABD PV")), [("ARTERIAL", "medium"), ("PORTAL VENOUS", "medium")]),
        # Reconstructions of one acquisition share its time.
        (
            ((0, "arterial"), (0.5, ""), (35, ""), (35.4, "")),
            [("ARTERIAL", "medium"), UNKNOWN, ("PORTAL VENOUS", "low"), ("PORTAL VENOUS", "low")],
        ),
        # The wrong way round: both lose confidence; what was low is unknown.
        (((0, "portal venous"), (40, "arterial")), [("PORTAL VENOUS", "low"), ("ARTERIAL", "low")]),
        (((0, "ABD PV"), (40, "arterial")), [UNKNOWN, ("ARTERIAL", "low")]),
        # A delayed phase 35 s after the arterial one is hardly one.
        (((0, "arterial"), (35, "delayed")), [("ARTERIAL", "medium"), ("DELAYED", "low")]),
        # Without any name: three gaps that fit once.
        (
            ((0, ""), (300, ""), (335, ""), (480, "")),
            [UNKNOWN, ("ARTERIAL", "low"), ("PORTAL VENOUS", "low"), ("DELAYED", "low")],
        ),
        (((0, ""), (35, "")), [UNKNOWN, UNKNOWN]),
        # Bolus tracking and other calculated series stay out of it.
        (((0, "arterial"), (35, "bolus tracking")), [("ARTERIAL", "medium"), UNKNOWN]),
        (((0, "arterial"), (35, "VNC")), [("ARTERIAL", "medium"), UNKNOWN]),
        (((0, "arterial"), (35, "art + portal")), [("ARTERIAL", "medium"), UNKNOWN]),
    ],
)
def test_order_and_gaps(stacks: Sequence[tuple[float, str]], expected: list[tuple[str, str]]) -> None:
    assert ordered(*stacks) == expected
    assert ordered(*reversed(stacks)) == expected[::-1]


def test_a_dynamic_series_with_many_times_is_not_named() -> None:
    """Every 12 s: several triples of times have the gaps of a liver protocol, so none is taken."""
    assert ordered(*((12.0 * i, "") for i in range(20))) == [UNKNOWN] * 20


def test_sentences_say_where_it_comes_from() -> None:
    given = [
        Acquired(seconds=0.0, phase=phase_from_headers(modality="CT", description="arterial")),
        Acquired(seconds=35.0, phase=phase_from_headers(modality="CT", description="")),
    ]
    evidence = with_order(given)[1].evidence
    assert evidence == (
        "acquired 35 s after a series that is ARTERIAL: PORTAL VENOUS",
        "by its gaps alone: confirm it in series.csv",
    )


def series_at(number: int, time: str, description: str, **tags: Any) -> list[Image]:
    tags = {
        "SeriesInstanceUID": f"{ROOT}.7.{number}",
        "AcquisitionTime": time,
        "SeriesDescription": description,
        **tags,
    }
    images = axial(4, phase=number, **{"AcquisitionDate": "20200131", **tags})
    return [replace(im, uid=f"{ROOT}.6.{number}.{i + 1}") for i, im in enumerate(images)]


def test_a_study_of_three_series_over_midnight(tmp_path: Path) -> None:
    images = series_at(1, "235950", "Leber art. 3.0")
    images += series_at(2, "000025", "Leber 3.0", AcquisitionDate="20200201")
    images += series_at(3, "235950", "Lunge 1.0", StudyInstanceUID=f"{ROOT}.2.2")
    write(tmp_path, images)
    found = [(s.phase.name.value, s.phase.confidence) for s in scan_folder(tmp_path).series]
    assert found == [("ARTERIAL", "low"), UNKNOWN, ("PORTAL VENOUS", "low")]


def test_temporal_position_is_an_order_and_no_phase(tmp_path: Path) -> None:
    mr = {"SOPClassUID": MRImageStorage, "RescaleSlope": None, "RescaleIntercept": None}
    write(tmp_path, [im for v in range(4) for im in axial(4, phase=v, TemporalPositionIdentifier=v + 1, **mr)])
    phases = [s.phase for s in scan_folder(tmp_path).series]
    assert [p.name.value for p in phases] == ["UNKNOWN"] * 4
    assert [p.evidence[-1] for p in phases] == [
        f"volume {v} of 4 by TemporalPositionIdentifier {v}: an order, not a phase" for v in (1, 2, 3, 4)
    ]


# Sampled values ---------------------------------------------------------------------------------------------------------
# Typical values of a multiphase liver CT, as textbooks print them: aorta 300 HU and liver hardly changed in the arterial phase,
# portal vein and aorta near 170 HU and liver near 110 HU in the portal venous phase, all falling later.


def disc(aorta: float, portal: float, liver: float | None = None, **others: float) -> dict[Structure, float]:
    values = {Structure.AORTA: aorta, Structure.PORTAL_VEIN: portal}
    values |= {} if liver is None else {Structure.LIVER: liver}
    return values | {Structure[name.upper()]: value for name, value in others.items()}


STUDY = {
    "native": disc(42, 40, 56, kidney=35),
    "art": disc(310, 85, 66, kidney=180),
    "pv": disc(165, 170, 112, kidney=190),
    "late": disc(105, 108, 92, kidney=150, pelvis=700),
}


def test_a_complete_study() -> None:
    found = {k: (p.name.value, p.confidence) for k, p in phase_from_samples(STUDY).items()}
    assert found == {
        "native": ("NATIVE", "high"),
        "art": ("ARTERIAL", "high"),
        "pv": ("PORTAL VENOUS", "medium"),
        "late": ("DELAYED", "medium"),
    }


@pytest.mark.parametrize(
    ("values", "name", "confidence"),
    [
        (disc(42, 40), "NATIVE", "medium"),
        (disc(70, 70, 70), "NATIVE", "high"),
        (disc(310, 85), "ARTERIAL", "medium"),
        (disc(310, 85, 100), "ARTERIAL", "low"),
        (disc(280, 170, 75), "ARTERIAL", "medium"),
        (disc(250, 180, 90), "UNKNOWN", "none"),
        (disc(149, 60, 60), "UNKNOWN", "none"),
        (disc(165, 170), "PORTAL VENOUS", "low"),
        (disc(165, 170, 112), "PORTAL VENOUS", "medium"),
        (disc(165, 170, 70), "UNKNOWN", "none"),
        (disc(105, 108, 92), "PORTAL VENOUS", "low"),
        (disc(95, 96, 85), "UNKNOWN", "none"),
        (disc(105, 108, 92, pelvis=700), "DELAYED", "medium"),
        ({Structure.AORTA: 300.0}, "UNKNOWN", "none"),
        ({}, "UNKNOWN", "none"),
    ],
)
def test_one_series(values: dict[Structure, float], name: str, confidence: str) -> None:
    phase = phase_from_samples({"x": values})["x"]
    assert (phase.name.value, phase.confidence) == (name, confidence)
    assert phase.evidence


def test_a_fall_since_another_series_makes_it_delayed() -> None:
    found = phase_from_samples({"pv": disc(165, 170, 112), "late": disc(105, 108, 92)})
    assert found["late"].name is PhaseName.DELAYED
    assert "15 HU or more below series pv" in found["late"].evidence[1]


def test_mr_counts_only_as_ratios_to_the_native_series() -> None:
    series = {"pre": disc(100, 120, 200), "art": disc(400, 150, 210), "pv": disc(300, 400, 330)}
    assert {p.name for p in phase_from_samples(series, modality="MR").values()} == {PhaseName.UNKNOWN}
    found = phase_from_samples(series, modality="MR", native="pre")
    assert (found["art"].name, found["art"].confidence) == (PhaseName.ARTERIAL, "low")
    assert "aorta +300 %" in found["art"].evidence[0]
    assert found["pv"].name is PhaseName.UNKNOWN
    # The same study, displayed twice as bright: nothing changes.
    doubled = {k: {s: 2 * v for s, v in values.items()} for k, values in series.items()}
    assert phase_from_samples(doubled, modality="MR", native="pre") == found


def test_values_that_are_none() -> None:
    with pytest.raises(InputError, match="series x: aorta is nan"):
        phase_from_samples({"x": disc(math.nan, 40)})
    with pytest.raises(InputError, match="native series y is not among the samples: x"):
        phase_from_samples({"x": disc(40, 40)}, native="y")


def test_headers_and_samples_together() -> None:
    stated = phase_from_headers(modality="CT", description="ABD ART")
    art, pv = phase_from_samples({"x": STUDY["art"]})["x"], phase_from_samples({"x": STUDY["pv"]})["x"]
    silent = phase_from_headers(modality="CT", description="5 mm")
    agreed = with_samples(stated, art)
    assert (agreed.name, agreed.confidence, len(agreed.evidence)) == (PhaseName.ARTERIAL, "high", 3)
    contradicted = with_samples(stated, pv)
    assert (contradicted.name, contradicted.confidence) == (PhaseName.UNKNOWN, "none")
    assert contradicted.evidence[-1].startswith("headers say ARTERIAL, the sampled values PORTAL VENOUS")
    assert with_samples(silent, pv).name is PhaseName.PORTAL_VENOUS
    unsure = Phase(name=PhaseName.UNKNOWN, confidence="none", evidence=("between phases",))
    assert with_samples(stated, unsure) == replace(stated, evidence=(*stated.evidence, "between phases"))
    assert silent.evidence == (NO_EVIDENCE,)
