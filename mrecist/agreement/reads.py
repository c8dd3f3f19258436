"""The reads of a study side by side: what each reader found of each subject by each criterion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from mrecist.matching.table import MatchRow
from mrecist.model import BestResponse, Measurement, Problem, Response, SubjectDates, VisitResponse
from mrecist.protocol import CriterionSetting, Protocol, ResponseRules

Key = tuple[str, str, str]
"""Subject, reader, criterion."""
STATED_IN_TABLE = "stated in the table"
"""In the reason of a response that the input states and its sums do not give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a diameter was measured: its middle in LPS mm, and the series."""

    middle_lps: tuple[float, float, float]
    series_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One reader's read of one subject by one criterion: the baseline and the visits after it, the best response, the rows.

    ``best`` is None where the input has no dates. ``places`` maps (time point, lesion) to where it was measured, as far as known.
    ``matches`` is what matches.csv says of the read's lesions at baseline beside those of other readers.
    ``read_by`` is who read it where the reader is a track of the review; else empty.
    """

    visits: Mapping[int, VisitResponse]
    best: BestResponse | None
    rows: tuple[Measurement, ...] = ()
    places: Mapping[tuple[int, str], Place] = field(default_factory=dict)
    matches: tuple[MatchRow, ...] = ()
    read_by: str = ""

    def follow_ups(self) -> dict[int, VisitResponse]:
        """The visits after the baseline that have a response."""
        return {t: visit for t, visit in self.visits.items() if t > 0 and visit.overall is not None}


@dataclass(frozen=True, kw_only=True)
class Reads:
    """All reads. ``dated`` is False where the input has no dates: nothing that is a date is compared then.

    ``sums_only``: sums were given and no lesions. ``shared_names``: a lesion has the same name in every reader's rows.
    ``subject_dates``: as the responses were derived with, where they are known; swaps have none other.
    """

    tracks: Mapping[Key, Track]
    protocol: Protocol
    settings: Mapping[str, CriterionSetting]
    dated: bool = True
    sums_only: bool = False
    shared_names: bool = False
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    subject_dates: SubjectDates | None = None

    @cached_property
    def criteria(self) -> tuple[str, ...]:
        """Criteria in the order of the settings."""
        return tuple(name for name in self.settings if any(key[2] == name for key in self.tracks))

    @cached_property
    def readers(self) -> tuple[str, ...]:
        """Readers by name."""
        return tuple(sorted({reader for _, reader, _ in self.tracks}))

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """Subjects by name."""
        return tuple(sorted({subject for subject, _, _ in self.tracks}))

    @cached_property
    def number(self) -> dict[str, int]:
        """Subject -> its place among the subjects."""
        return {subject: place for place, subject in enumerate(self.subjects)}

    def of(self, subject: str, criterion: str) -> dict[str, Track]:
        """Reader -> track."""
        found = {reader: self.tracks.get((subject, reader, criterion)) for reader in self.readers}
        return {reader: track for reader, track in found.items() if track is not None}

    def pairs(self) -> list[tuple[str, str]]:
        """Every two readers."""
        return list(combinations(self.readers, 2))


def best_of(track: Track, rules: ResponseRules) -> Response | None:
    """The best response that is the study's: confirmed where the protocol requires it."""
    if track.best is None:
        return None
    return track.best.best_confirmed if rules.confirm_required else track.best.best_unconfirmed
