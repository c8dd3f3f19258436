"""What only several objects show together: references, lesions' UIDs, days between visits, seconds after the contrast.

De-identification may keep every object valid and still break these: new UIDs in some objects only, one dummy day for all
visits, AcquisitionTime shifted and ContrastBolusStartTime not. Differences in days and seconds are shown, days are not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from mrecist.identity.attributes import DUMMY_DATES, Rule
from mrecist.identity.elements import Trace, elements_of
from mrecist.identity.finding import Severity
from mrecist.imaging.headers import get_items, get_text, object_uid
from mrecist.imaging.records import DATE_TAGS, time_of_day

_DANGLING = Rule(
    "DANGLING_REFERENCE",
    Severity.HIGH,
    "refers to objects that are not in this folder: UIDs were replaced in one object and not in the other, or these lie elsewhere",
    "check images, segmentations and reports in one folder; de-identify them in one run with one table of UIDs",
)
_TRACKING = Rule(
    "TRACKING_MISMATCH",
    Severity.HIGH,
    "segmentations and reports of a subject give a lesion different tracking UIDs",
    "replace TrackingUID (0062,0021) and the UID values of reports by the same table",
)
_LOST = Rule(
    "INTERVALS_LOST",
    Severity.HIGH,
    "the days of the visits are gone: a dummy day, none, or one day for all studies",
    "shift all dates of a subject by one number of whole days instead, or give the days in the study's tables",
)
_INVERTED = Rule(
    "VISITS_INVERTED",
    Severity.HIGH,
    "the order of the visits by StudyDate is not that by AcquisitionDate",
    "shift all dates of a subject by the same number of days",
)
_APART = Rule(
    "DATES_APART",
    Severity.HIGH,
    "a date of the series lies days away from StudyDate: some date attributes were shifted and others not",
    "shift all dates of a subject by the same number of days; until then state the visit's day yourself",
)
_DELAY = Rule(
    "DELAY_ABSURD",
    Severity.HIGH,
    "AcquisitionTime minus ContrastBolusStartTime is no delay of a scan: the two were shifted apart",
    "leave times alone, or shift both; until then state the phase in series.csv",
)
_NO_DELAY = Rule(
    "DELAY_LOST",
    Severity.NOTE,
    "contrast was given and AcquisitionTime or ContrastBolusStartTime is gone: the delay is unknown",
    "state the phase in series.csv, or keep both times",
)
# An injection up to half an hour before a scan is what hepatobiliary phases take; native series come a little before it.
_EARLIEST_SECONDS, _LATEST_SECONDS = -1800.0, 3600.0
_TRACKING_UID_CODE = "112040"  # DCM, Tracking Unique Identifier (PS3.16 TID 1501)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one object adds to the comparison; ``file`` is relative to the folder."""

    file: str
    subject: str
    modality: str
    study_uid: str
    series_uid: str
    sop_uid: str
    is_image: bool
    days: Mapping[str, str]
    delay: float | None
    has_contrast: bool
    references: frozenset[str]
    lesions: frozenset[str]


def facts_of(dataset: Any, file: str, *, is_image: bool) -> Facts:
    """The facts of one header."""
    modality = get_text(dataset, "Modality")
    start, taken = (time_of_day(get_text(dataset, k)) for k in ("ContrastBolusStartTime", "AcquisitionTime"))
    return Facts(
        file=file,
        subject=get_text(dataset, "ClinicalTrialSubjectID") or get_text(dataset, "PatientID"),
        modality=modality,
        study_uid=get_text(dataset, "StudyInstanceUID"),
        series_uid=get_text(dataset, "SeriesInstanceUID"),
        sop_uid=object_uid(dataset, "SOPInstanceUID"),
        is_image=is_image,
        days={tag: get_text(dataset, tag)[:8] for tag in DATE_TAGS},
        delay=None if start is None or taken is None else _shortest(taken - start),
        has_contrast=bool(get_text(dataset, "ContrastBolusAgent")) or start is not None,
        references=frozenset() if is_image else frozenset(_references(dataset)),
        lesions=frozenset() if is_image else frozenset(_lesions(dataset)),
    )


def _shortest(seconds: float) -> float:
    """A difference of two clock times, over midnight the short way."""
    return (seconds + 43_200.0) % 86_400.0 - 43_200.0


def _references(dataset: Any) -> Iterator[str]:
    """UIDs of the images that a segmentation or report refers to."""
    for element in elements_of(dataset):
        if element.keyword == "ReferencedSOPInstanceUID" and (
            "ReferencedSeriesSequence" in element.inside
            or "SourceImageSequence" in element.inside
            or "ContentSequence" in element.inside
        ):
            yield element.text


def _lesions(dataset: Any) -> Iterator[str]:
    """Tracking UIDs of segments, and of measurement groups in a report."""
    for segment in get_items(dataset, "SegmentSequence"):
        if uid := get_text(segment, "TrackingUID"):
            yield uid
    todo = get_items(dataset, "ContentSequence")
    while todo:
        item = todo.pop()
        todo += get_items(item, "ContentSequence")
        names = get_items(item, "ConceptNameCodeSequence")
        if names and get_text(names[0], "CodeValue") == _TRACKING_UID_CODE and (uid := get_text(item, "UID")):
            yield uid


Located = tuple[str, int, Trace]


def compare(facts: Sequence[Facts]) -> Iterator[Located]:
    """(first file, number of files, trace) of everything that only shows across objects."""
    yield from _dangling(facts)
    by_subject: dict[str, list[Facts]] = defaultdict(list)
    for fact in facts:
        by_subject[fact.subject].append(fact)
    for _, own in sorted(by_subject.items()):
        yield from _tracking(own)
        images = [fact for fact in own if fact.is_image]
        if images:
            yield from _intervals(images)
            yield from _apart(images)
            yield from _delays(images)


def _located(found: Sequence[Facts], rule: Rule, tag: str, hint: str) -> Located:
    return min(f.file for f in found), len(found), Trace(rule, tag, "", hint)


def _dangling(facts: Sequence[Facts]) -> Iterator[Located]:
    here = {fact.sop_uid for fact in facts}
    for fact in facts:
        missing = len(fact.references - here)
        if missing:
            hint = f"{missing} of {len(fact.references)} objects that it refers to are not in the folder"
            yield _located([fact], _DANGLING, "ReferencedSOPInstanceUID (0008,1155)", hint)


def _tracking(own: Sequence[Facts]) -> Iterator[Located]:
    drawn = {uid for fact in own if fact.modality == "SEG" for uid in fact.lesions}
    reports = [fact for fact in own if fact.modality == "SR" and fact.lesions]
    strange = [fact for fact in reports if not fact.lesions & drawn]
    if drawn and strange:
        hint = f"{len(strange)} of {len(reports)} reports share no tracking UID with the segmentations"
        yield _located(strange, _TRACKING, "TrackingUID (0062,0021)", hint)


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def _intervals(images: Sequence[Facts]) -> Iterator[Located]:
    studies: dict[str, Facts] = {}
    for fact in sorted(images, key=lambda f: f.file):
        studies.setdefault(fact.study_uid, fact)
    visits = list(studies.values())
    gone = [v for v in visits if not any(_day(d) and d not in DUMMY_DATES for d in v.days.values())]
    if gone:
        yield _located(
            gone, _LOST, "StudyDate (0008,0020)", f"{len(gone)} of {len(visits)} studies have no day or a dummy"
        )
        return
    days = {v.days[tag] for v in visits for tag in ("StudyDate", "AcquisitionDate") if v.days[tag]}
    if len(visits) > 1 and len(days) == 1:
        yield _located(visits, _LOST, "StudyDate (0008,0020)", f"{len(visits)} studies on one day")
    both = [(s, a) for v in visits if (s := _day(v.days["StudyDate"])) and (a := _day(v.days["AcquisitionDate"]))]
    wrong = sum(one[0] < other[0] and one[1] > other[1] for one in both for other in both)
    if wrong:
        tag = "AcquisitionDate (0008,0022)"
        yield _located(visits, _INVERTED, tag, f"{wrong} pairs of {len(both)} studies are the other way round")


def _apart(images: Sequence[Facts]) -> Iterator[Located]:
    """Days between StudyDate and each other date, series by series: a night is nothing, more is a shift."""
    by_shift: dict[tuple[str, int], list[Facts]] = defaultdict(list)
    for fact in images:
        study = _day(fact.days["StudyDate"])
        for tag in DATE_TAGS[:-1]:
            other = _day(fact.days[tag])
            if study and other and fact.days[tag] not in DUMMY_DATES and abs((other - study).days) > 1:
                by_shift[tag, (other - study).days].append(fact)
    numbers = {"AcquisitionDate": "0022", "SeriesDate": "0021", "ContentDate": "0023"}
    for (tag, shift), found in sorted(by_shift.items()):
        series = len({f.series_uid for f in found})
        of = len({f.series_uid for f in images})
        yield _located(
            found, _APART, f"{tag} (0008,{numbers[tag]})", f"{_later(shift, 'days')} in {series} of {of} series"
        )


def _later(difference: int, unit: str) -> str:
    return f"{abs(difference)} {unit} {'later' if difference >= 0 else 'earlier'}"


def _delays(images: Sequence[Facts]) -> Iterator[Located]:
    by_series: dict[str, list[Facts]] = defaultdict(list)
    for fact in images:
        by_series[fact.series_uid].append(fact)
    absurd = [
        s
        for s in by_series.values()
        if any(not _EARLIEST_SECONDS <= f.delay <= _LATEST_SECONDS for f in s if f.delay is not None)
    ]
    if absurd:
        worst = max((f.delay for s in absurd for f in s if f.delay is not None), key=abs)
        hint = f"{_later(round(worst), 's')} at most, in {len(absurd)} of {len(by_series)} series"
        yield _located([f for s in absurd for f in s], _DELAY, "ContrastBolusStartTime (0018,1042)", hint)
    lost = [s for s in by_series.values() if any(f.has_contrast for f in s) and all(f.delay is None for f in s)]
    if lost:
        found = Counter(f.series_uid for s in lost for f in s)
        hint = f"in {len(found)} of {len(by_series)} series"
        yield _located([f for s in lost for f in s], _NO_DELAY, "ContrastBolusStartTime (0018,1042)", hint)
