"""One simulated subject as its tables know it: dates in place of days, rows in place of courses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from mrecist.samples.cohort.life import Life

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A procedure on a day of the subject's life, its outcome, its worst complication (``none``: there was none) and the day of that."""

    procedure: str
    day: int
    outcome: str
    clavien_dindo: str
    complication: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One simulated subject: its life, its first day, its rows, and ``words``, the columns of subjects.csv that are no dates."""

    name: str
    first_day: date
    baseline: date
    life: Life
    measurements: tuple[Row, ...]
    markers: tuple[Row, ...]
    liver: tuple[Row, ...]
    operations: tuple[Operation, ...]
    treated_again: bool
    words: dict[str, str]

    def on(self, day: float) -> date:
        """The date of a day of its life."""
        return self.first_day + timedelta(days=int(day))

    @property
    def seen_to_progress(self) -> int | None:
        """The day of the visit that shows its progression, if one does."""
        return next((v.day for v in self.life.attended() if v.day >= self.life.progression), None)

    @property
    def followed_until(self) -> int | None:
        """The day of its last visit where that shows or confirms a progression; None where no progression was seen."""
        return max((v.day for v in self.life.attended() if v.day >= self.life.progression), default=None)
