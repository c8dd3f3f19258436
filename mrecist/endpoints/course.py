"""The responses of one subject by one reader and one criterion, as endpoints need them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from mrecist.accepted import TRACK_OF, Accepted
from mrecist.errors import InputError
from mrecist.model import Response
from mrecist.tables.accepted import ReviewTrack

NOT_EVALUATED = (Response.NE, Response.NA, Response.MISSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An assessment after baseline. ``percent`` is the change of the sum from baseline to four decimals, ``sums`` the sum and the
    baseline sum, both None where one of them is missing or the baseline is 0.
    """

    date: date
    overall: Response
    timepoint: int | None = None
    percent: Decimal | None = None
    sums: tuple[Decimal, Decimal] | None = None
    new_lesion: bool = False
    clear: bool = False

    @property
    def evaluated(self) -> bool:
        """Something was said of the response; also that a region without disease at baseline still has none (``clear``)."""
        return self.clear or self.overall not in NOT_EVALUATED

    def __str__(self) -> str:
        name = f"time point {self.timepoint}" if self.timepoint is not None else "the assessment"
        return f"{self.overall} at {name} of {self.date}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """All assessments of a subject in order of date, with what the engine derived from them.

    ``baseline`` is the date of the baseline scan. ``first_response``, ``confirmed_response`` and ``progression`` are the engine's
    (docs/files.md, best_responses.csv): progression may date back to the visit on which a doubtful lesion was first seen.
    ``has_sums`` is False for responses that were reported without sums, ``diseased`` for a region without disease at baseline.
    """

    subject: str
    reader: str
    criterion: str
    baseline: date | None
    visits: tuple[Visit, ...]
    first_response: date | None = None
    confirmed_response: date | None = None
    progression: date | None = None
    best_unconfirmed: Response = Response.NE
    best_confirmed: Response = Response.NE
    measurable: bool | None = None
    source: str = "responses.csv"
    has_sums: bool = True
    diseased: bool = True

    def evaluated(self, after: date, until: date | None = None) -> tuple[Visit, ...]:
        """Visits with a response from ``after`` to ``until``, both days included."""
        return tuple(
            visit
            for visit in self.visits
            if visit.evaluated and visit.date >= after and (until is None or visit.date <= until)
        )


@dataclass(frozen=True, slots=True)
class Courses:
    """Courses by (subject, reader, criterion); criterion ``""`` holds for any (responses reported without one).

    ``accepted`` says whose read of a subject counts; ``tracks`` are the words that then stand for no reader but for that read.
    """

    by_key: Mapping[tuple[str, str, str], Course]
    accepted: Accepted = field(default_factory=Accepted)
    tracks: Mapping[str, ReviewTrack] = field(default_factory=dict)

    @property
    def readers(self) -> tuple[str, ...]:
        """All readers, by name."""
        return tuple(sorted({reader for _, reader, _ in self.by_key}))

    def readers_of(self, criterion: str) -> tuple[str, ...]:
        """The readers that used a criterion."""
        return tuple(sorted({reader for _, reader, name in self.by_key if name in (criterion, "")}))

    def track_of(self, reader: str, criterion: str) -> ReviewTrack | None:
        """The track of which ``reader`` is the accepted read by a criterion; None where it is a reader."""
        track = self.tracks.get(reader)
        return track if track is not None and self.accepted.decides(criterion, track) else None

    def who(self, subject: str, reader: str, criterion: str) -> str:
        """The reader of the tables that ``reader`` is of a subject; "" where no read of it is accepted."""
        track = self.track_of(reader, criterion)
        return reader if track is None else self.accepted.reader(subject, criterion, track)

    def of(self, subject: str, reader: str, criterion: str) -> Course | None:
        """The course of a subject, None where it was never assessed."""
        who = self.who(subject, reader, criterion)
        return self.by_key.get((subject, who, criterion)) or self.by_key.get((subject, who, ""))


def courses_of(found: Iterable[Course]) -> Courses:
    """Courses by their key."""
    return Courses({(one.subject, one.reader, one.criterion): one for one in found})


def with_accepted(courses: Courses, accepted: Accepted) -> Courses:
    """The same courses, and whose count.

    Raises :class:`InputError` where a reader is called as the read that counts, and is not the one whose reads do.
    """
    tracks = {}
    for name, track in TRACK_OF.items():
        if not accepted.has(track):
            continue
        whose = accepted.readers(track)
        if name not in courses.readers:
            tracks[name] = track
        elif track is ReviewTrack.CENTRAL or not whose <= {name}:
            raise InputError(
                f"reader {name}: is a reader of the responses, and of accepted.csv the word for the {track} read that counts "
                f"(of {', '.join(sorted(whose))}); call the reader another name"
            )
    return replace(courses, accepted=accepted, tracks=tracks)
