"""What one file holds that identifies: every element, in sequences too, by VR, by keyword and by group."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from mrecist.errors import SeriesError
from mrecist.identity.attributes import (
    DESCRIPTIONS,
    DUMMY_DATES,
    PERSON,
    PLACEHOLDERS,
    PRIVATE,
    READER,
    READERS,
    REPORT_TEXTS,
    RULES,
    UIDS,
    VENDOR_ROOTS,
    Rule,
)
from mrecist.identity.finding import Severity, hint
from mrecist.imaging.headers import get_items, get_text, object_uid

_OVERLAY = Rule(
    "OVERLAY",
    Severity.MEDIUM,
    "an overlay, which may have a name drawn into it",
    "remove groups 60xx, or look at the overlay",
)
_BURNED_IN = Rule(
    "BURNED_IN", Severity.HIGH, "the pixels state that they show a person", "blank that part, or leave the image out"
)
_NOT_REMOVED = Rule(
    "NOT_DECLARED",
    Severity.MEDIUM,
    "PatientIdentityRemoved is not YES: nothing says that this object was de-identified",
    "set it to YES once it is true, with DeidentificationMethod",
)
_NO_METHOD = Rule(
    "NO_METHOD",
    Severity.LOW,
    "DeidentificationMethod and its code sequence are absent",
    "state the method; PS3.15 E.1.1 requires it where PatientIdentityRemoved is YES",
)
_NOT_SAID = Rule(
    "DATES_NOT_DECLARED",
    Severity.LOW,
    "LongitudinalTemporalInformationModified is absent: nobody can tell whether dates were shifted",
    "set it to UNMODIFIED, MODIFIED or REMOVED",
)
_REMOVED = Rule(
    "DATES_REMOVED",
    Severity.MEDIUM,
    "LongitudinalTemporalInformationModified is REMOVED: intervals between visits are not in the headers",
    "give visits and their days in the manifest (series.csv), or shift dates by one offset a subject instead",
)
_DESCRIPTION = Rule(
    "DESCRIPTION",
    Severity.MEDIUM,
    "a description that seems to hold a person",
    "clean the text; do not delete it: it names the phase",
)
_VENDOR_UID = Rule(
    "VENDOR_UID",
    Severity.NOTE,
    "a UID under a vendor's root, most likely the original one",
    "replace UIDs, the same way in all objects",
)
_OVERLAY_ELEMENTS = {0x60003000: "OverlayData", 0x60004000: "OverlayComments"}  # groups 6000, 6002, ... 601E
_DICOMDIR = "1.2.840.10008.1.3.10"
_PERSON_LIKE = re.compile(
    r"\w\^\w|\d{6,}|\b[A-Z]\.\s?[A-Z]\.|\b(?:dr|prof|mr|mrs|ms|herr|frau|mme|sr|sra)\.? [a-z]", re.IGNORECASE
)
_SHA256 = re.compile(r"[0-9a-f]{64}")  # such as that of the protocol in our own reports
_CODED_READER = re.compile(r"(?:READER|RATER|OBSERVER|R)[\s_^-]*[A-Z0-9]{0,3}", re.IGNORECASE)


class Trace(NamedTuple):
    """A finding in one file: rule, keyword and number of the tag, sequences round it, hint."""

    rule: Rule
    tag: str
    inside: str
    hint: str


class Element(NamedTuple):
    """An element with its place: ``inside`` are the keywords of the sequences round it."""

    keyword: str
    tag: int
    vr: str
    value: Any
    inside: str

    @property
    def name(self) -> str:
        """Keyword and number; a private block stands for its elements."""
        group, element = self.tag >> 16, self.tag & 0xFFFF
        if group % 2:
            return f"private block ({group:04X},{element >> 8:02X}xx)"
        return f"{self.keyword or 'unknown'} ({group:04X},{element:04X})"

    @property
    def text(self) -> str:
        value = self.value
        if value is None or isinstance(value, bytes):
            return ""
        many = value if isinstance(value, list) or type(value).__name__ == "MultiValue" else [value]
        return "\\".join(str(part) for part in many).strip()


def elements_of(dataset: Any, inside: str = "") -> Iterator[Element]:
    """Every element, depth first; pydicom raises what it likes where one cannot be decoded, so callers guard."""
    for element in dataset:
        tag = element.tag
        keyword = element.keyword or _OVERLAY_ELEMENTS.get(int(tag) & 0xFF00FFFF, "")
        place = Element(keyword, int(tag), str(element.VR), element.value, inside)
        yield place
        if element.VR == "SQ":
            below = f"{inside} > {place.keyword or place.name}" if inside else place.keyword or place.name
            for item in element.value or ():
                yield from elements_of(item, below)


def person_words(dataset: Any) -> frozenset[str]:
    """The parts of people's names in this object, in small letters, to look for them in texts and in paths."""
    own = {get_text(dataset, "PatientID").casefold(), get_text(dataset, "ClinicalTrialSubjectID").casefold()}
    words: set[str] = set()
    for element in elements_of(dataset):
        if element.vr == "PN" and _rule(element, own, frozenset()) is PERSON:
            words |= {w.casefold() for w in re.split(r"[\^=\\\s,.]+", element.text) if len(w) >= 3}
    return frozenset(words - PLACEHOLDERS - own)


def traces_of(dataset: Any, known_words: frozenset[str]) -> Iterator[Trace]:
    """What identifies in one object; ``known_words`` are parts of names found anywhere in the folder."""
    own = {get_text(dataset, "PatientID").casefold(), get_text(dataset, "ClinicalTrialSubjectID").casefold()}
    for element in elements_of(dataset):
        rule = _rule(element, own, known_words)
        if rule is not None:
            shown = hint(element.text) if element.text else _bytes_hint(element.value)
            yield Trace(rule, element.name, element.inside, shown)
    if object_uid(dataset, "SOPClassUID") != _DICOMDIR:
        yield from _declarations(dataset)


def _rule(element: Element, own: set[str], known_words: frozenset[str]) -> Rule | None:
    group = element.tag >> 16
    if group % 2:
        # The private creator only says whose block it is; alone it holds nothing.
        return PRIVATE if (element.tag & 0xFFFF) > 0xFF and element.value not in (None, "", b"") else None
    if 0x6000 <= group <= 0x60FF and element.keyword == "OverlayData":
        return _OVERLAY
    if element.vr == "SQ" or not element.text:
        return RULES.get(element.keyword) if element.vr == "SQ" and element.value else None
    if element.vr == "PN":
        if _is_coded(element.text, own):
            return None
        is_reader = element.keyword in READERS
        if (is_reader or "ContentSequence" in element.inside) and _CODED_READER.fullmatch(element.text):
            return None
        return READER if is_reader else PERSON
    return _rule_of_text(element, known_words)


def _rule_of_text(element: Element, known_words: frozenset[str]) -> Rule | None:
    keyword, text = element.keyword, element.text
    if keyword in ("BurnedInAnnotation", "RecognizableVisualFeatures"):
        return _BURNED_IN if text.upper() == "YES" else None
    if keyword in UIDS:
        return _VENDOR_UID if text.startswith(tuple(VENDOR_ROOTS)) else None
    if keyword in RULES and not _is_harmless(keyword, text):
        return None if _is_placeholder(text) else RULES[keyword]
    if keyword in REPORT_TEXTS and _SHA256.fullmatch(text):
        return None
    if (keyword in DESCRIPTIONS or keyword in REPORT_TEXTS) and (
        _PERSON_LIKE.search(text) or known_words & words_of(text)
    ):
        return _DESCRIPTION
    return None


def _is_harmless(keyword: str, text: str) -> bool:
    """A code in a report (one word), a study counted by hand, an invented day of birth."""
    return (
        (keyword in REPORT_TEXTS and len(text.split()) < 2)
        or (keyword == "StudyID" and len(text) < 4)
        or (keyword == "PatientBirthDate" and text in DUMMY_DATES)
    )


def words_of(text: str) -> set[str]:
    """The words of a text in small letters."""
    return {w.casefold() for w in re.split(r"[\W_]+", text)}


def _is_coded(name: str, own: set[str]) -> bool:
    plain = name.strip("^= ").casefold()
    return plain in own or _is_placeholder(plain)


def _is_placeholder(text: str) -> bool:
    letters = re.sub(r"[\W_]+", "", text.casefold())
    return len(letters) < 2 or not letters.strip("x0") or letters in PLACEHOLDERS


def _bytes_hint(value: Any) -> str:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return f"{len(value)} items" if hasattr(value, "__len__") else "a value"


def _declarations(dataset: Any) -> Iterator[Trace]:
    removed = get_text(dataset, "PatientIdentityRemoved").upper()
    if removed != "YES":
        yield Trace(_NOT_REMOVED, "PatientIdentityRemoved (0012,0062)", "", hint(removed) if removed else "absent")
    elif not get_text(dataset, "DeidentificationMethod") and not _has_codes(dataset):
        yield Trace(_NO_METHOD, "DeidentificationMethod (0012,0063)", "", "absent")
    dates = get_text(dataset, "LongitudinalTemporalInformationModified").upper()
    tag = "LongitudinalTemporalInformationModified (0028,0303)"
    if not dates:
        yield Trace(_NOT_SAID, tag, "", "absent")
    elif dates == "REMOVED":
        yield Trace(_REMOVED, tag, "", "REMOVED")


def _has_codes(dataset: Any) -> bool:
    try:
        return bool(get_items(dataset, "DeidentificationMethodCodeSequence"))
    except SeriesError:
        return False
