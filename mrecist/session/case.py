"""One subject as a reader meets it: visits in order, each with its series by phase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches

from mrecist.errors import ReadError
from mrecist.imaging.phase import Phase, PhaseName
from mrecist.imaging.series import Series, Verdict
from mrecist.model import SubjectDates
from mrecist.protocol import Protocol
from mrecist.study import Study, SubjectInput
from mrecist.tables import safe_name


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseVisit:
    """A visit: its series in the order of their phases, without those that were refused; ``date`` is the day of the first of them."""

    timepoint: int
    last_date: date
    date: date
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A subject to read. ``refused`` are series that cannot be used, with the reason."""

    subject: str
    protocol: Protocol
    dates: SubjectDates
    given: SubjectInput
    visits: tuple[CaseVisit, ...]
    refused: tuple[str, ...]

    def visit(self, timepoint: int) -> CaseVisit:
        """The visit of a time point; raises :class:`ReadError` where there is none."""
        for visit in self.visits:
            if visit.timepoint == timepoint:
                return visit
        known = ", ".join(str(v.timepoint) for v in self.visits)
        raise ReadError(f"subject {self.subject} has no images of time point {timepoint}; there are: {known or 'none'}")

    def series(self, uid: str, stack: int) -> Series:
        """A stack by its UID and number; raises :class:`ReadError` where it is not there."""
        for visit in self.visits:
            for one in visit.series:
                if (one.uid, one.stack) == (uid, stack):
                    return one
        raise ReadError(f"subject {self.subject}: series {uid} (stack {stack}) is not in the images; restore it")

    def with_phases(self, stated: Mapping[str, str], by: str) -> Case:
        """The case with phases that the reader stated, which overrule the headers."""

        def changed(one: Series) -> Series:
            if one.uid not in stated:
                return one
            phase = Phase(name=PhaseName(stated[one.uid]), confidence="high", evidence=(f"stated by {by}",))
            return replace(one, phase=phase)

        visits = tuple(replace(v, series=_in_order([changed(s) for s in v.series])) for v in self.visits)
        given = replace(self.given, series=tuple(changed(s) for s in self.given.series))
        return replace(self, visits=visits, given=given)


_PHASES = tuple(PhaseName)


def _in_order(series: list[Series]) -> tuple[Series, ...]:
    return tuple(sorted(series, key=lambda s: (_PHASES.index(PhaseName(s.phase.name)), s.description, s.uid, s.stack)))


def open_case(study: Study, subject: str) -> Case:
    """The case of a subject of an opened study.

    Raises :class:`ReadError` when the study has no such subject, or no image of it that can be read.
    """
    given = next((one for one in study.subjects if one.subject == subject), None)
    if given is None:
        known = ", ".join(one.subject for one in study.subjects)
        near = get_close_matches(subject, [one.subject for one in study.subjects], n=1)
        meant = f"did you mean {near[0]}? " if near else ""
        raise ReadError(f"{study.root}: has no subject {subject}; {meant}there are: {known or 'none'}")
    usable: dict[int, list[Series]] = {}
    refused = []
    for one in given.series:
        timepoint = given.timepoints.get(one.uid)
        if one.verdict is Verdict.REFUSED or one.geometry is None:
            refused.append(f"{one.description or one.uid}: {one.verdict_text}")
        elif timepoint is None or one.date is None:
            refused.append(f"{one.description or one.uid}: no time point or no date; state it in series.csv")
        else:
            usable.setdefault(timepoint, []).append(one)
    if not usable:
        raise ReadError(f"subject {subject}: no series that can be read: {'; '.join(refused) or 'no images'}")
    visits = tuple(
        CaseVisit(timepoint=timepoint, date=min(_days(series)), last_date=max(_days(series)), series=_in_order(series))
        for timepoint, series in sorted(usable.items())
    )
    return Case(
        subject=subject,
        protocol=study.protocol,
        dates=study.dates,
        given=given,
        visits=visits,
        refused=tuple(refused),
    )


def _days(series: list[Series]) -> list[date]:
    return [date.fromisoformat(one.date) for one in series if one.date]


def best_series(visit: CaseVisit) -> Series:
    """The series to begin with: arterial, else portal venous, else the first."""
    for phase in (PhaseName.ARTERIAL, PhaseName.PORTAL_VENOUS):
        for one in visit.series:
            if one.phase.name == phase:
                return one
    return visit.series[0]


def refuse_masks_of(reader: str, case: Case, study: Study) -> None:
    """Masks of the same reader that were drawn elsewhere would be measured beside those of this read."""
    own = study.root / "masks" / f"read_{safe_name(reader)}_{safe_name(case.subject)}"
    for segmentation in case.given.segmentations:
        if (segmentation.content_creator or "R1") == reader and own not in segmentation.path.parents:
            raise ReadError(
                f"{segmentation.path}: masks of {case.subject} by reader {reader} are there already; read under another "
                f"name (--reader), or move them away"
            )
