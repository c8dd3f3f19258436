"""Contrast phase from what a reader samples: the mean of a small disc in the aorta, the portal vein, the liver, the kidney.

No network finds these places; a person clicks them. CT values are HU. MR values have no unit, so they count only as ratios to
the native series of the same study, and never with more than ``low`` confidence.

Rules (the usual enhancement of multiphase liver CT; limits chosen to leave a gap between phases, in which nothing is named):

- nothing above 70 HU: native
- aorta 150 HU or more and at least 1.5 times the portal vein: arterial; the liver must not have risen by more than 30 HU
- portal vein at least 0.8 times the aorta, 100 HU or more, and the liver 30 HU or more above native: portal venous
- aorta and portal vein within 25 HU of one another, both fallen by 15 HU or more since another series: delayed
- the renal pelvis 250 HU or more and brighter than the aorta: delayed
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from mrecist.errors import InputError
from mrecist.imaging.phase import CONFIDENCES, Phase, PhaseName


class Structure(StrEnum):
    """What a reader may sample."""

    AORTA = "aorta"
    PORTAL_VEIN = "portal vein"
    LIVER = "liver"
    KIDNEY = "kidney cortex"
    PELVIS = "renal pelvis"


Samples = Mapping[Structure, float]
_NATIVE_MOST = 70.0
_ARTERIAL_AORTA, _ARTERIAL_RATIO, _ARTERIAL_LIVER_RISE = 150.0, 1.5, 30.0
_PORTAL_LEAST, _PORTAL_RATIO, _PORTAL_LIVER_RISE = 100.0, 0.8, 30.0
_PORTAL_SURE = 140.0  # below this a delayed phase looks alike, unless another series shows the difference
_LIVER_NATIVE = 55.0  # where no native series was sampled: 50 to 65 HU in a liver without much fat
_DELAYED_ALIKE, _DELAYED_FALL, _EXCRETED = 25.0, 15.0, 250.0


def phase_from_samples(
    samples: Mapping[str, Samples], *, modality: str = "CT", native: str | None = None
) -> dict[str, Phase]:
    """The phase of each sampled series of one study, by its content.

    Parameters
    ----------
    samples : series name (any key) -> structure -> mean value of the disc; HU for CT.
    modality : ``CT`` or ``MR``.
    native : the key of the series that is known to be without contrast; needed for MR.

    Raises
    ------
    InputError
        A value is not finite, or ``native`` is not among the samples.
    """
    for name, values in samples.items():
        for structure, value in values.items():
            if not math.isfinite(value):
                raise InputError(f"series {name}: {Structure(structure)} is {value}; give the mean of a disc inside it")
    if native is not None and native not in samples:
        raise InputError(f"native series {native} is not among the samples: {', '.join(samples)}")
    if modality != "CT":
        return {name: _by_ratio(samples, name, native) for name in samples}
    if native is None:
        native = next((name for name, values in samples.items() if _is_native(values)), None)
    return {name: _of_ct(samples, name, native) for name in samples}


def _is_native(values: Samples) -> bool:
    vessels = [values[s] for s in (Structure.AORTA, Structure.PORTAL_VEIN) if s in values]
    return bool(vessels) and all(v <= _NATIVE_MOST for v in values.values())


def _of_ct(samples: Mapping[str, Samples], name: str, native: str | None) -> Phase:
    values = samples[name]
    shown = ", ".join(f"{Structure(s)} {v:.0f} HU" for s, v in values.items())
    if name == native and _is_native(values):
        confidence = "high" if Structure.AORTA in values and len(values) > 2 else "medium"
        return _phase(PhaseName.NATIVE, confidence, f"{shown}: nothing above {_NATIVE_MOST:.0f} HU, no contrast")
    if _is_native(values):
        return _phase(PhaseName.NATIVE, "medium", f"{shown}: nothing above {_NATIVE_MOST:.0f} HU, no contrast")
    aorta, portal = values.get(Structure.AORTA), values.get(Structure.PORTAL_VEIN)
    if aorta is None or portal is None:
        return _unknown(f"{shown or 'nothing sampled'}: sample the aorta and the portal vein")
    liver_native = samples[native].get(Structure.LIVER) if native is not None and native != name else None
    rise = values[Structure.LIVER] - (liver_native or _LIVER_NATIVE) if Structure.LIVER in values else None
    if aorta >= _ARTERIAL_AORTA and aorta >= _ARTERIAL_RATIO * portal:
        return _arterial(values, shown, rise, sure=liver_native is not None)
    if values.get(Structure.PELVIS, 0.0) >= max(_EXCRETED, aorta):
        return _phase(PhaseName.DELAYED, "medium", f"{shown}: contrast is excreted into the renal pelvis")
    fallen = _fallen(samples, name)
    if fallen and abs(aorta - portal) <= _DELAYED_ALIKE:
        return _phase(PhaseName.DELAYED, "medium", f"{shown}: aorta and portal vein alike", fallen)
    if portal >= max(_PORTAL_LEAST, _PORTAL_RATIO * aorta):
        compared = portal >= _PORTAL_SURE or any(k != name and not _is_native(v) for k, v in samples.items())
        return _portal(shown, rise, sure=compared)
    return _unknown(f"{shown}: between phases")


def _arterial(values: Samples, shown: str, rise: float | None, *, sure: bool) -> Phase:
    said = f"{shown}: the aorta is {values[Structure.AORTA] / values[Structure.PORTAL_VEIN]:.1f} times the portal vein"
    if values[Structure.PORTAL_VEIN] <= 0:
        said = f"{shown}: the aorta enhances and the portal vein does not"
    if rise is None:
        return _phase(PhaseName.ARTERIAL, "medium", said, "the liver was not sampled")
    if rise > _ARTERIAL_LIVER_RISE:
        return _phase(PhaseName.ARTERIAL, "low", said, f"but the liver is {rise:.0f} HU above native")
    return _phase(PhaseName.ARTERIAL, "high" if sure else "medium", said, f"the liver is {rise:.0f} HU above native")


def _portal(shown: str, rise: float | None, *, sure: bool) -> Phase:
    said = f"{shown}: the portal vein is as bright as the aorta"
    if rise is None:
        return _phase(PhaseName.PORTAL_VENOUS, "low", said, "the liver was not sampled")
    if rise < _PORTAL_LIVER_RISE:
        return _unknown(said, f"but the liver is only {rise:.0f} HU above native: portal venous or delayed")
    words = f"the liver is {rise:.0f} HU above native"
    if sure:
        return _phase(PhaseName.PORTAL_VENOUS, "medium", said, words)
    return _phase(PhaseName.PORTAL_VENOUS, "low", said, words, "a delayed phase may look so: sample another series too")


def _fallen(samples: Mapping[str, Samples], name: str) -> str:
    """The series since which both vessels have fallen, as a sentence; "" when there is none."""
    vessels = (Structure.AORTA, Structure.PORTAL_VEIN)
    for other, values in samples.items():
        if other != name and all(s in values and values[s] - samples[name][s] >= _DELAYED_FALL for s in vessels):
            return f"both are {_DELAYED_FALL:.0f} HU or more below series {other}"
    return ""


def _by_ratio(samples: Mapping[str, Samples], name: str, native: str | None) -> Phase:
    if native is None:
        return _unknown("MR values have no unit: sample the native series too, and say which it is")
    if name == native:
        return _phase(PhaseName.NATIVE, "low", "stated to be the native series")
    values, before = samples[name], samples[native]
    ratios = {s: values[s] / before[s] - 1 for s in values if before.get(s, 0.0) > 0}
    shown = ", ".join(f"{Structure(s)} {100 * r:+.0f} %" for s, r in ratios.items())
    aorta, portal = ratios.get(Structure.AORTA), ratios.get(Structure.PORTAL_VEIN)
    if aorta is None or portal is None:
        return _unknown(f"{shown or 'nothing sampled'}: sample the aorta and the portal vein in both series")
    if aorta >= 0.5 and portal <= 0.5 * aorta:
        return _phase(PhaseName.ARTERIAL, "low", f"{shown} since the native series: the aorta first")
    if portal >= 0.5 and portal >= 0.8 * aorta:
        text = f"{shown} since the native series: the portal vein as much as the aorta, portal venous or later"
        return _unknown(text)
    return _unknown(f"{shown} since the native series: between phases")


def with_samples(stated: Phase, sampled: Phase) -> Phase:
    """What headers say, held against what was sampled: agreement raises the confidence, a contradiction ends in UNKNOWN.

    Where one of them is UNKNOWN the other stands; all sentences of both are kept.
    """
    evidence = (*stated.evidence, *sampled.evidence)
    if sampled.name is PhaseName.UNKNOWN:
        return replace(stated, evidence=evidence)
    if stated.name is PhaseName.UNKNOWN:
        return replace(sampled, evidence=evidence)
    if stated.name is sampled.name:
        surer = max(CONFIDENCES.index(stated.confidence), CONFIDENCES.index(sampled.confidence))
        raised = CONFIDENCES[min(surer + 1, len(CONFIDENCES) - 1)]
        return Phase(name=stated.name, confidence=raised, evidence=evidence)
    text = f"headers say {stated.name}, the sampled values {sampled.name}: look at the images and state the phase"
    return Phase(name=PhaseName.UNKNOWN, confidence="none", evidence=(*evidence, text))


def _phase(name: PhaseName, confidence: str, *evidence: str) -> Phase:
    return Phase(name=name, confidence=confidence, evidence=evidence)


def _unknown(*evidence: str) -> Phase:
    return Phase(name=PhaseName.UNKNOWN, confidence="none", evidence=evidence)
