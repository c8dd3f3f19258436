"""What the order and the gaps of the acquisitions of one study say about their phases.

A gap alone never names a phase with more than ``low`` confidence, because a missing phase shifts every guess; it may confirm what
other headers say, and where it contradicts them their confidence falls. Reconstructions of one acquisition share its time.

Gaps: the portal venous phase follows the arterial by 25 to 45 s, the delayed one by 90 to 300 s (the usual multiphase liver
protocols: arterial 20 to 45 s after the start of injection, portal venous 55 to 90 s, delayed from 150 s).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mrecist.imaging.phase import CONFIDENCES, NO_EVIDENCE, Phase, PhaseName

_SAME_ACQUISITION_SECONDS = 2.0
# (from, to, first second, last second): the gap from one phase to a later one.
_GAPS = (
    (PhaseName.ARTERIAL, PhaseName.PORTAL_VENOUS, 25.0, 45.0),
    (PhaseName.ARTERIAL, PhaseName.DELAYED, 90.0, 300.0),
    (PhaseName.PORTAL_VENOUS, PhaseName.DELAYED, 60.0, 275.0),
)
_ORDER = (
    PhaseName.NATIVE,
    PhaseName.ARTERIAL,
    PhaseName.PORTAL_VENOUS,
    PhaseName.DELAYED,
    PhaseName.HEPATOBILIARY,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquired:
    """One stack of a study: when its acquisition began (seconds on one clock), and its phase by its own headers."""

    seconds: float
    phase: Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class _Acquisition:
    seconds: float
    members: tuple[int, ...]
    name: PhaseName


def with_order(stacks: Sequence[Acquired]) -> tuple[Phase, ...]:
    """The phases of the stacks of one study and modality, with what their order adds; as many as given, in the same order."""
    acquisitions = _acquisitions(stacks)
    phases = [stack.phase for stack in stacks]
    for one in acquisitions:
        others = [a for a in acquisitions if a is not one and a.name is not PhaseName.UNKNOWN]
        gaps = [said for a in others if (said := _by_gap(one, a))]
        wrong = [_inversion(one, a) for a in others if _inverted(one, a)]
        for index in one.members:
            named = phases[index].name is not PhaseName.UNKNOWN
            phases[index] = _checked(phases[index], gaps, wrong) if named else _named(phases[index], gaps, one)
    if all(a.name in (PhaseName.UNKNOWN, PhaseName.NATIVE) for a in acquisitions):
        return _by_pattern(phases, acquisitions)
    return tuple(phases)


def _acquisitions(stacks: Sequence[Acquired]) -> list[_Acquisition]:
    order = sorted(range(len(stacks)), key=lambda i: stacks[i].seconds)
    groups: list[list[int]] = []
    for index in order:
        if groups and stacks[index].seconds - stacks[groups[-1][0]].seconds <= _SAME_ACQUISITION_SECONDS:
            groups[-1].append(index)
        else:
            groups.append([index])
    return [
        _Acquisition(seconds=stacks[g[0]].seconds, members=tuple(g), name=_common([stacks[i].phase for i in g]))
        for g in groups
    ]


def _common(phases: Sequence[Phase]) -> PhaseName:
    """The one phase that the reconstructions of an acquisition name."""
    names = {phase.name for phase in phases} - {PhaseName.UNKNOWN}
    return names.pop() if len(names) == 1 else PhaseName.UNKNOWN


def _inverted(one: _Acquisition, other: _Acquisition) -> bool:
    if PhaseName.UNKNOWN in (one.name, other.name) or one.name is other.name:
        return False
    return (one.seconds < other.seconds) != (_ORDER.index(one.name) < _ORDER.index(other.name))


def _by_gap(one: _Acquisition, other: _Acquisition) -> dict[PhaseName, str]:
    """The phases that ``one`` may be by its gap to ``other``, whose phase is named, with the sentence."""
    gap = one.seconds - other.seconds
    words = f"acquired {abs(gap):.0f} s {'after' if gap > 0 else 'before'} a series that is {other.name}"
    found = {}
    for first, second, least, most in _GAPS:
        if other.name is first and least <= gap <= most:
            found[second] = f"{words}: {second}"
        if other.name is second and least <= -gap <= most:
            found[first] = f"{words}: {first}"
    return found


def _named(phase: Phase, gaps: Sequence[Mapping[PhaseName, str]], one: _Acquisition) -> Phase:
    """A phase for a series whose headers say nothing, where its gaps leave one possible; low confidence."""
    possible = set.intersection(*(set(g) for g in gaps)) if gaps else set()
    if len(possible) != 1 or NO_EVIDENCE not in phase.evidence or one.name is not PhaseName.UNKNOWN:
        return phase
    (name,) = possible
    said = (*_without_request(phase), *(g[name] for g in gaps))
    return Phase(name=name, confidence="low", evidence=(*said, "by its gaps alone: confirm it in series.csv"))


def _checked(phase: Phase, gaps: Sequence[Mapping[PhaseName, str]], wrong: Sequence[str]) -> Phase:
    """A phase that headers name, held against the others: a doubtful one is confirmed, a contradiction costs confidence."""
    against = [text for g in gaps if phase.name not in g for text in g.values()] + list(wrong)
    agreeing = [g[phase.name] for g in gaps if phase.name in g]
    if against:
        confidence = CONFIDENCES[CONFIDENCES.index(phase.confidence) - 1]
        name = phase.name if confidence != "none" else PhaseName.UNKNOWN
        return Phase(name=name, confidence=confidence, evidence=(*phase.evidence, f"but {'; '.join(against)}"))
    if not agreeing:
        return phase
    confidence = "medium" if phase.confidence == "low" else phase.confidence
    return replace(phase, confidence=confidence, evidence=(*phase.evidence, *agreeing))


def _inversion(one: _Acquisition, other: _Acquisition) -> str:
    return f"acquired {'before' if one.seconds < other.seconds else 'after'} a series that is {other.name}"


def _without_request(phase: Phase) -> tuple[str, ...]:
    return tuple(text for text in phase.evidence if text != NO_EVIDENCE)


def _by_pattern(phases: list[Phase], acquisitions: Sequence[_Acquisition]) -> tuple[Phase, ...]:
    """Three acquisitions with the gaps of arterial, portal venous and delayed, and no other such three: low confidence."""
    unnamed = [a for a in acquisitions if a.name is PhaseName.UNKNOWN]
    triples = [
        (first, second, third)
        for i, first in enumerate(unnamed)
        for j, second in enumerate(unnamed[i + 1 :], i + 1)
        for third in unnamed[j + 1 :]
        if 25.0 <= second.seconds - first.seconds <= 45.0 and 90.0 <= third.seconds - first.seconds <= 300.0
    ]
    if len(triples) != 1:
        return tuple(phases)
    gaps = [a.seconds - triples[0][0].seconds for a in triples[0]]
    words = (
        f"one of three acquisitions at 0, {gaps[1]:.0f} and {gaps[2]:.0f} s, as arterial, portal venous and delayed are"
    )
    for acquisition, name in zip(triples[0], _ORDER[1:4], strict=True):
        for index in acquisition.members:
            if NO_EVIDENCE in phases[index].evidence:
                said = (*_without_request(phases[index]), f"{words}: {name}")
                evidence = (*said, "by its gaps alone: confirm it in series.csv")
                phases[index] = Phase(name=name, confidence="low", evidence=evidence)
    return tuple(phases)
