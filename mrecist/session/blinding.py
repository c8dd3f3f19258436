"""A subject as a blinded reader meets it: called by its key, days in place of dates, no text of the images, no later visit.

What is taken away is not in the case that a room holds, so no screen can show it. Messages (of a file, of a store) are the
exception: :meth:`Blinding.words` takes names, paths, UIDs and dates out of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from mrecist.imaging.phase import NO_EVIDENCE, Phase
from mrecist.imaging.series import Series
from mrecist.model import Measurement, SubjectDates
from mrecist.study import Study, SubjectInput

BASELINE = date(1000, 1, 1)
"""The day that stands for the baseline: no date of a study, and days from it are right."""
_LAST_YEAR = 1099
_ANY_YEAR = range(1900, 2200)
# Not the time of a signature (2026-01-01T10:00:00Z), which is no date of the study.
_DATE = re.compile(r"(?<![\d.])(\d{4})-(\d\d)-(\d\d)(?![\dT.]*\d|T)")
# As DICOM writes a day: eight digits that are neither part of a longer word nor a number of something.
_DIGITS = re.compile(r"(?<![A-Za-z\d.])(\d{4})(\d\d)(\d\d)(?![A-Za-z\d]|\.\d| (?:bytes|voxels|pixels|mm)\b)")
_UID = re.compile(r"(?<![\d.])\d+(?:\.\d+){4,}")
# A path anywhere, up to its file's name; folders may hold spaces. "26.1/51.8" and "and/or" are none.
_PATH = re.compile(r"(?<![\w./])/[^:;,()\n]*/[^:;,()\s]*|\b[A-Za-z]:\\[^:;,()\n]*")
_SHORTEST = 3  # characters of a name that is looked for in messages: "1" is everywhere
_SAID = re.compile(r"(\w+) '.*' says '(.*)': (.*)")


class Unsaid:
    """What messages must not say.

    Parameters
    ----------
    root : the study folder, absolute: no path below it is shown.
    names : what is hidden -> what is said in its place.
    baseline : the date of the baseline, from which days are counted; without one a date is only taken out.
    years : the years of the study's dates. Eight digits are a day only within them: other ones are a number.
    """

    def __init__(
        self, root: Path, names: Mapping[str, str], baseline: date | None = None, years: range = _ANY_YEAR
    ) -> None:
        self._baseline = baseline
        self._years = years
        self._names = [
            (re.compile(rf"(?<![\w-]){re.escape(hidden)}(?![\w-])"), shown)
            for hidden, shown in sorted(names.items(), key=lambda one: -len(one[0]))
            if len(hidden) >= _SHORTEST and hidden != shown
        ]
        # A path may hold spaces: in messages it ends before ": ", "; ", ", " or ")".
        self._paths = re.compile(re.escape(str(root)) + r".*?(?=: |; |, |\)|$)", re.MULTILINE)

    def words(self, text: str) -> str:
        """A text without what must not be said."""
        for hidden, shown in self._names:
            text = hidden.sub(lambda _found, shown=shown: shown, text)  # type: ignore[misc]
        text = _PATH.sub("a file", self._paths.sub("a file of the study", text))
        return _DIGITS.sub(self._digits, _DATE.sub(self._day, _UID.sub("(UID)", text)))

    def _digits(self, found: re.Match[str]) -> str:
        return self._day(found) if int(found[1]) in self._years else found[0]

    def _day(self, found: re.Match[str]) -> str:
        try:
            day = date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            return found[0]
        if BASELINE.year - 100 <= day.year <= _LAST_YEAR:
            return f"day {(day - BASELINE).days}"
        if day.year not in _ANY_YEAR:
            return found[0]
        return "(a date)" if self._baseline is None else f"day {(day - self._baseline).days}"


class Blinding:
    """One subject, blinded.

    Parameters
    ----------
    study : the opened study; its root is absolute.
    given : the subject.
    key : what the reader calls it.
    baseline : the date of its baseline.
    names : more that messages must not say -> what they say in its place.
    """

    def __init__(
        self, study: Study, given: SubjectInput, key: str, baseline: date, names: Mapping[str, str] | None = None
    ) -> None:
        self._study, self._given, self._key, self._baseline = study, given, key, baseline
        own = {name: key for one in given.series for name in (one.patient_id, one.subject_id) if name}
        self._texts = _numbered(given)
        uids = {one.uid: text for one, text in zip(given.series, self._texts, strict=True)}
        others = {one.subject: "another case" for one in study.subjects if one.subject != given.subject}
        hidden = {**others, **own, given.subject: key, **uids, **(names or {})}
        self.words = Unsaid(study.root, hidden, baseline, years_of(study, baseline)).words

    def study(self, visible: Iterable[int]) -> Study:
        """The study with this subject alone, with the visits that may be seen alone; nobody's masks, rows, arms or dates."""
        given, seen = self._given, {*visible}
        series = tuple(
            self._series(one, text)
            for one, text in zip(given.series, self._texts, strict=True)
            if given.timepoints.get(one.uid) in seen
        )
        subject = replace(
            given,
            subject=self._key,
            series=series,
            segmentations=(),
            label_masks=(),
            rows=(),
            timepoints={one.uid: given.timepoints[one.uid] for one in series},
            problems=(),
            notes=(),
        )
        return replace(self._study, subjects=(subject,), arms={}, dates=SubjectDates(), problems=(), notes=())

    def dated(self, row: Measurement) -> Measurement:
        """A row of a blinded read with its date."""
        return row if row.date is None else replace(row, date=row.date + (self._baseline - BASELINE))

    def _series(self, one: Series, text: str) -> Series:
        shift: timedelta = BASELINE - self._baseline
        day = None if one.date is None else (date.fromisoformat(one.date) + shift).isoformat()
        return replace(
            one,
            patient_id=self._key,
            subject_id=None,
            timepoint_id=None,
            description=text,
            date=day,
            verdict_text=self.words(one.verdict_text),
            notes=(),
            phase=_without_texts(one.phase),
        )


def years_of(study: Study, *days: date) -> range:
    """From the first to the last year of the images, the tables of dates and ``days``; every year where there is none."""
    images = (int(one.date[:4]) for subject in study.subjects for one in subject.series if one.date)
    tables = (study.dates.origins or {}, study.dates.new_therapy or {})
    years = [*images, *(day.year for table in tables for day in table.values()), *(day.year for day in days)]
    return range(min(years), max(years) + 1) if years else _ANY_YEAR


def _numbered(given: SubjectInput) -> list[str]:
    """What stands in place of the descriptions, by the place within the visit: ``CT series 2``."""
    counts: Counter[int | None] = Counter()
    texts = []
    for one in given.series:
        visit = given.timepoints.get(one.uid)
        counts[visit] += 1
        texts.append(f"{one.modality} series {counts[visit]}")
    return texts


def _without_texts(phase: Phase) -> Phase:
    """The evidence without what was typed at the scanner or into the study's tables, but for the word of the phase."""
    said = []
    for sentence in phase.evidence:
        found = _SAID.fullmatch(sentence)
        if found:
            said.append(f"{found[1]} says '{found[2]}': {found[3]}")
        elif sentence.startswith("AcquisitionTime is ") or sentence == NO_EVIDENCE:
            said.append(sentence)
        elif sentence.startswith("ContrastBolusAgent is "):
            said.append("ContrastBolusAgent names no phase")
        else:
            said.append("not shown in a blinded read")
    return replace(phase, evidence=tuple(said))
