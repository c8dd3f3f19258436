"""Contrast phase of a series from its headers, with the evidence; UNKNOWN whenever headers do not say.

A guessed phase would let viability be scored on the wrong enhancement, so there is no default: conflicting evidence, a
series of several phases and a calculated image are all UNKNOWN. A manifest or a reader overrules this later.

Two kinds of evidence: the delay AcquisitionTime - ContrastBolusStartTime (PS3.3 C.7.6.4), and words in SeriesDescription and
ProtocolName. The delay windows are the usual ones of multiphase liver protocols; times between two windows say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mrecist.imaging.phase_words import excluded_by, phases_in


class PhaseName(StrEnum):
    """Phases that liver protocols distinguish."""

    NATIVE = "NATIVE"
    ARTERIAL = "ARTERIAL"
    PORTAL_VENOUS = "PORTAL VENOUS"
    DELAYED = "DELAYED"
    HEPATOBILIARY = "HEPATOBILIARY"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A phase, how sure (``high``, ``medium``, ``low``, ``none``) and why: plain sentences that name tag and value."""

    name: PhaseName
    confidence: str
    evidence: tuple[str, ...]


NO_EVIDENCE = "no header names a phase: say the phase in series.csv"
CONFIDENCES = ("none", "low", "medium", "high")
_DAY_SECONDS = 86400.0
# (first second, last second, phase). A first pass before 20 s is too early to name, 45-55 s and 90-150 s lie between phases.
_WINDOWS = (
    (20.0, 45.0, PhaseName.ARTERIAL),
    (55.0, 90.0, PhaseName.PORTAL_VENOUS),
    (150.0, 600.0, PhaseName.DELAYED),
)
_HEPATOBILIARY_FROM_SECONDS = 600.0
_LONGEST_DELAY_SECONDS = 7200.0
_SURELY_BEFORE_SECONDS = -10.0


def phase_from_headers(
    *,
    modality: str,
    description: str = "",
    protocol_name: str = "",
    acquisition_seconds: float | None = None,
    contrast_start_seconds: float | None = None,
    contrast_agent: str = "",
) -> Phase:
    """The phase that headers of one stack state.

    Parameters
    ----------
    modality : ``CT`` or ``MR``; a hepatobiliary phase exists only in MR.
    description, protocol_name : SeriesDescription and ProtocolName.
    acquisition_seconds, contrast_start_seconds : AcquisitionTime (of the first slice) and ContrastBolusStartTime, seconds of
        the day; a whole number of days may be added to either.
    contrast_agent : ContrastBolusAgent; reported only, because its presence or absence proves nothing.
    """
    texts = (("SeriesDescription", description), ("ProtocolName", protocol_name))
    for tag, text in texts:
        reason = excluded_by(text)
        if reason:
            return _unknown(f"{tag} '{text}' names {reason}, which is no contrast phase")
    by_time, time_evidence = _from_delay(modality, acquisition_seconds, contrast_start_seconds)
    by_words, words_evidence, explicit = _from_words(texts)
    evidence = time_evidence + words_evidence
    if contrast_agent:
        evidence += (f"ContrastBolusAgent is '{contrast_agent}', which names no phase",)
    found = by_words | ({by_time} if by_time else set())
    if len(found) != 1:
        return _unknown(*evidence, "the evidence conflicts: say the phase in series.csv" if found else NO_EVIDENCE)
    both = by_time is not None and bool(by_words)
    confidence = "high" if both else "medium" if by_time is not None or explicit else "low"
    return Phase(name=found.pop(), confidence=confidence, evidence=evidence)


def _unknown(*evidence: str) -> Phase:
    return Phase(name=PhaseName.UNKNOWN, confidence="none", evidence=evidence)


def _from_delay(
    modality: str, acquired: float | None, started: float | None
) -> tuple[PhaseName | None, tuple[str, ...]]:
    if acquired is None or started is None:
        return None, ()
    delay = (acquired - started) % _DAY_SECONDS  # over midnight the clock starts anew
    if delay > _DAY_SECONDS / 2:
        delay -= _DAY_SECONDS
    sentence = f"AcquisitionTime is {delay:.1f} s after ContrastBolusStartTime"
    name = _window(modality, delay)
    if name is None:
        return None, (f"{sentence}, which fits no phase",)
    return name, (f"{sentence}: {name}",)


def _window(modality: str, delay: float) -> PhaseName | None:
    if -_LONGEST_DELAY_SECONDS < delay <= _SURELY_BEFORE_SECONDS:
        return PhaseName.NATIVE
    if modality == "MR" and _HEPATOBILIARY_FROM_SECONDS <= delay < _LONGEST_DELAY_SECONDS:
        return PhaseName.HEPATOBILIARY
    return next((name for first, last, name in _WINDOWS if first <= delay <= last and delay < 600.0), None)


def _from_words(texts: tuple[tuple[str, str], ...]) -> tuple[set[PhaseName], tuple[str, ...], bool]:
    """Phases named, the sentences, and whether a word was explicit (``arterial``) rather than short (``pre``)."""
    for tag, text in texts:
        hits = phases_in(text)
        if not hits:
            continue
        names = {PhaseName(name.replace("_", " ")) for name, _, _ in hits}
        sentences = tuple(f"{tag} '{text}' says '{word}': {name.replace('_', ' ')}" for name, word, _ in hits)
        # ProtocolName is asked only when SeriesDescription is silent: one protocol name serves all phases of a study.
        return names, sentences, tag == "SeriesDescription" and any(explicit for _, _, explicit in hits)
    return set(), (), False
