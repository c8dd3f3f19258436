"""Which segments of a SEG are lesions, which belong to one lesion, and which part of it each one is.

Codes: PS3.16 CID 7159 and 7151, SNOMED CT, NCI Thesaurus; the retired SRT codes that older writers use are known too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mrecist.imaging.segments import Code, Segment


class Part(StrEnum):
    """What a segment is of its lesion."""

    WHOLE = "whole"
    VIABLE = "viable"
    NECROSIS = "necrosis"


_VIABLE_CODES = frozenset({"C113842"})  # NCIt Enhancing Lesion
_NECROSIS_CODES = frozenset({"6574001", "M-54000", "C81175"})  # SCT, SRT Necrosis; NCIt Non-Enhancing Lesion
_NODE_CODES = frozenset({"59441001", "T-C4000"})  # SCT, SRT Lymph node
_BACKGROUND_CODES = frozenset({"125040"})
_MORPHOLOGY_CODES = frozenset({"49755003", "M-01000"})  # Morphologically Abnormal (Altered) Structure
_GENERIC_TISSUE_CODES = frozenset({"85756007", "T-D0050"})  # what editors write when nobody chose a type
_GENERIC_WORDS = frozenset({"", "tissue", "undefined", "unknown", "unspecified", "other"})

_NECROSIS_WORD = re.compile(r"\b(necro\w*|non[ _-]?viable|non[ _-]?enhanc\w*|avital)\b", re.IGNORECASE)
_VIABLE_WORD = re.compile(r"\b(viable|enhancing|vital)\b", re.IGNORECASE)
_LESION_WORD = re.compile(r"lesion|mass\b|neoplas|tumou?r|metasta|carcinoma|nodule", re.IGNORECASE)
# A name that a reader gives to a lesion (T01, NT2, NEW1, HCC 3), and the name that an editor gives when nobody chose one.
_LESION_NAME = re.compile(r"(T|NT|NEW|HCC|GTV|L)[ _-]?\d|(NT|NEW|HCC|GTV)\b", re.IGNORECASE)
_DEFAULT_NAME = re.compile(r"(new )?(segment|segmentation|label|roi|region|object)([ _-]?\d+)?$", re.IGNORECASE)
_PART_SUFFIX = re.compile(
    r"[\s_:/,(\[-]+(whole|viable|vital|enhancing|necrosis|necrotic|non[ _-]?viable|non[ _-]?enhancing|avital)"
    r"([\s_-]+(lesion|tumou?r|part|component))?[)\]]?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """Segments that are one lesion; ``parts`` maps segment number to part."""

    name: str
    tracking_uid: str
    organ: str | None
    kind: str
    parts: Mapping[int, Part]


def group_segments(segments: Sequence[Segment]) -> tuple[tuple[Lesion, ...], tuple[str, ...]]:
    """Lesions by name, and one sentence for every segment that is none."""
    chosen: list[Segment] = []
    skipped: list[str] = []
    for segment in segments:
        reason, _ = _judge(segment)
        if reason:
            skipped.append(f"{segment}: {reason}")
        else:
            chosen.append(segment)
    lesions = [_lesion(group) for group in _groups(chosen)]
    return tuple(sorted(_distinct(lesions), key=lambda le: le.name)), tuple(skipped)


def inferred_lesions(segments: Sequence[Segment]) -> tuple[str, ...]:
    """One sentence for every segment that is a lesion by its name only, because nobody chose a type."""
    return tuple(f"{segment}: {note}" for segment in segments if (note := _judge(segment)[1]))


def _judge(segment: Segment) -> tuple[str, str]:
    """(why a segment is not a lesion, or ""; what was inferred to take it as one, or "")."""
    kind, category = segment.property_type, segment.category
    if kind.value in _BACKGROUND_CODES or kind.meaning.lower() == "background":
        return "background", ""
    if _is_node(segment) or _LESION_WORD.search(kind.meaning) or part_of(segment) is not Part.WHOLE:
        return "", ""
    if category.value in _MORPHOLOGY_CODES or category.meaning.lower().startswith("morphologic"):
        return "", ""
    name = segment.tracking_id or segment.label
    if kind.value in _GENERIC_TISSUE_CODES or kind.meaning.lower() in _GENERIC_WORDS:
        if segment.tracking_id and kind.value in _GENERIC_TISSUE_CODES:
            return "", ""
        if _names_a_lesion(name):
            return "", f"its type says only '{kind.meaning or 'nothing'}'; taken as a lesion by its name"
    what = f"{category.meaning} / {kind.meaning}" if category.meaning or kind.meaning else "nothing"
    return f"coded as {what}, so no lesion; to measure it, code it as a lesion (e.g. SCT 52988006 Lesion)", ""


def _names_a_lesion(name: str) -> bool:
    text = name.strip()
    return bool(_LESION_WORD.search(text) or _LESION_NAME.match(text) or _DEFAULT_NAME.match(text))


def part_of(segment: Segment) -> Part:
    """By the code of the property type; by the words of its label where the code is about something else."""
    code = segment.property_type.value
    if code in _VIABLE_CODES:
        return Part.VIABLE
    if code in _NECROSIS_CODES:
        return Part.NECROSIS
    for text in (segment.property_type.meaning, segment.label, segment.tracking_id):
        words = text.replace("_", " ")
        if _NECROSIS_WORD.search(words):
            return Part.NECROSIS
        if _VIABLE_WORD.search(words):
            return Part.VIABLE
    return Part.WHOLE


def _is_node(segment: Segment) -> bool:
    return any(is_node_code(code) for code in (segment.property_type, segment.region))


def is_node_code(code: Code) -> bool:
    """Whether a code means a lymph node."""
    return code.value in _NODE_CODES or "lymph node" in code.meaning.lower()


def name_of(segment: Segment) -> str:
    """TrackingID, else SegmentLabel, without a trailing ``whole``, ``viable`` or the like; else ``SEG<n>``."""
    text = (segment.tracking_id or segment.label).strip()
    return _PART_SUFFIX.sub("", text).strip() or f"SEG{segment.number}"


def _groups(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Segments that share a TrackingUID or a name are one lesion."""
    groups: list[list[Segment]] = []
    for segment in segments:
        mine = [g for g in groups if any(_same_lesion(segment, other) for other in g)]
        groups = [g for g in groups if not any(g is m for m in mine)]
        groups.append([s for g in mine for s in g] + [segment])
    return groups


def _same_lesion(one: Segment, other: Segment) -> bool:
    if one.tracking_uid and one.tracking_uid == other.tracking_uid:
        return True
    if bool(one.tracking_id) != bool(other.tracking_id):
        return False
    # Without tracking, equal labels of two whole segments are two lesions that a reader did not name apart.
    both_whole = part_of(one) is Part.WHOLE and part_of(other) is Part.WHOLE
    return name_of(one) == name_of(other) and (bool(one.tracking_id) or not both_whole)


def _lesion(group: Sequence[Segment]) -> Lesion:
    ordered = sorted(group, key=lambda s: (part_of(s) is not Part.WHOLE, s.number))
    first = ordered[0]
    node = any(_is_node(s) for s in ordered)
    region = next((s.region.meaning for s in ordered if s.region.meaning), "")
    return Lesion(
        name=name_of(first),
        tracking_uid=next((s.tracking_uid for s in ordered if s.tracking_uid), ""),
        organ="lymph node" if node else region.lower() or None,
        kind="node" if node else "lesion",
        parts={s.number: part_of(s) for s in ordered},
    )


def _distinct(lesions: Sequence[Lesion]) -> list[Lesion]:
    """Names made unique: two lesions that share one get their first segment's number behind it."""
    names = [le.name for le in lesions]
    return [
        le
        if names.count(le.name) == 1
        else Lesion(
            name=f"{le.name} (SEG{min(le.parts)})",
            tracking_uid=le.tracking_uid,
            organ=le.organ,
            kind=le.kind,
            parts=le.parts,
        )
        for le in lesions
    ]
