"""What a check finds, and what it is given to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from mrecist import __version__
from mrecist.checklist import Checking, Severity
from mrecist.model import Measurement, State
from mrecist.protocol import CriterionSetting, Schedule
from mrecist.response.assess import Assessed
from mrecist.response.read import Read
from mrecist.response.targets import Targets
from mrecist.tables import csv_text

FINDING_COLUMNS = (
    *("subject", "reader", "timepoint", "lesion", "criterion", "check", "severity", "what", "why", "what_to_do"),
    *("protocol_sha256", "version"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding of one check in one read.

    ``timepoint`` is None where the whole read is meant, and ``subject`` empty where the whole table is; ``lesion`` names
    every lesion concerned, ``criterion`` every criterion under which it holds, and none where that does not matter.
    ``why`` is the source of the check.
    """

    subject: str
    reader: str
    timepoint: int | None
    lesion: tuple[str, ...]
    criterion: tuple[str, ...]
    check: str
    severity: Severity
    what: str
    why: str
    what_to_do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one check says: ``what`` with the numbers, at which time point, of which lesions."""

    what: str
    timepoint: int | None = None
    lesions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCase:
    """One row, and the numbers that checks take."""

    row: Measurement
    limits: Checking


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionCase:
    """The rows of one lesion in order of time point; ``last`` is the last time point of the read."""

    rows: tuple[Measurement, ...]
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCase:
    """A read without contradictions.

    ``origin`` is the subject's date of the protocol's origin event, if there is one. ``unstated`` are columns that are
    empty in the whole table, which is said once for the table.
    """

    read: Read
    limits: Checking
    schedule: Schedule
    origin_event: str = ""
    origin: date | None = None
    unstated: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionCase:
    """A read by one criterion, with what the engine makes of it."""

    read: Read
    limits: Checking
    setting: CriterionSetting
    targets: Targets
    assessed: tuple[Assessed, ...] = field(repr=False)

    @property
    def by_enhancement(self) -> bool:
        """The criterion follows the viable part."""
        return self.setting.criterion.measure == "viable"

    def target_rows(self) -> Iterator[tuple[Measurement, Measurement]]:
        """(row, baseline row) of every target and fragment at every visit, without those treated locally on study."""
        for visit in self.read.visits:
            for baseline in self.targets.rows:
                for lesion in (baseline.lesion, *self.read.parts(baseline.lesion)):
                    row = visit.rows.get(lesion)
                    if row is not None and not self.is_treated(lesion, visit.timepoint):
                        yield row, baseline

    def is_treated(self, lesion: str, timepoint: int) -> bool:
        """The lesion was treated locally on study, up to that visit; it is outside the assessment then."""
        return lesion in self.read.treated and self.read.treated[lesion][1] <= timepoint


RowCheck = Callable[[RowCase], Iterable[Found]]
LesionCheck = Callable[[LesionCase], Iterable[Found]]
ReadCheck = Callable[[ReadCase], Iterable[Found]]
CriterionCheck = Callable[[CriterionCase], Iterable[Found]]


def at(row: Measurement, what: str) -> Found:
    """Something found in one row."""
    return Found(what=f"{row.lesion}: {what}", timepoint=row.timepoint, lesions=(row.lesion,))


def has_size(row: Measurement) -> bool:
    """The row holds a size that was read from images."""
    sizes = (row.longest_mm, row.short_mm, row.viable_mm, row.volume_mm3, row.viable_volume_mm3)
    return any(size for size in sizes) and row.state is not State.ABSENT


def findings_csv(findings: Iterable[Finding], protocol_sha256: str) -> str:
    """``findings.csv`` as text (docs/check.md)."""
    extra = {"protocol_sha256": protocol_sha256, "version": __version__}
    return csv_text(FINDING_COLUMNS, ({**_cells(finding), **extra} for finding in findings))


def findings_json(findings: Iterable[Finding], protocol_sha256: str) -> list[dict[str, Any]]:
    """The same for a program; ``lesion`` and ``criterion`` are lists."""
    extra = {"protocol_sha256": protocol_sha256, "version": __version__}
    return [
        {**{k: list(v) if isinstance(v, tuple) else v for k, v in _cells(finding).items()}, **extra}
        for finding in findings
    ]


def _cells(finding: Finding) -> dict[str, Any]:
    return {name: getattr(finding, name) for name in FINDING_COLUMNS if hasattr(finding, name)}
