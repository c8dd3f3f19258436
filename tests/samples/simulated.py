"""A simulated cohort, assessed by the engine and with its endpoints derived, in memory as far as possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mrecist.assessing import Job, assess_table
from mrecist.endpoints.course import Courses
from mrecist.endpoints.derive import Derived, derive_endpoints
from mrecist.endpoints.proportions import Outcome
from mrecist.endpoints.sources import courses_of_results
from mrecist.endpoints.times import EventTime
from mrecist.samples.cohort.build import Cohort, simulate
from mrecist.samples.cohort.parameters import Study
from mrecist.tables import write_whole
from mrecist.tables.trial import TABLES, read_trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A cohort and what the tool makes of its tables."""

    cohort: Cohort
    courses: Courses
    derived: Derived

    def times(self, endpoint: str, arm: str = "") -> Sequence[EventTime]:
        return [r for r in self.derived.times if r.endpoint == endpoint and arm in ("", r.arm)]

    def outcomes(self, endpoint: str, arm: str = "") -> Sequence[Outcome]:
        return [r for r in self.derived.outcomes if r.endpoint == endpoint and arm in ("", r.arm)]


def finished(study: Study, folder: Path, seed: int, subjects: int = 0) -> Finished:
    """Simulate, assess and derive; nothing may be a problem."""
    cohort = simulate(study, seed, subjects)
    for name, text in cohort.files.items():
        write_whole(folder / name, text)
    job = Job(
        measurements=folder / "measurements.csv",
        protocol=folder / "protocol.toml",
        criteria=(),
        subjects=folder / "subjects.csv",
    )
    done = assess_table(job, workers=1)
    for name, text in done.tables.items():
        write_whole(folder / "results" / name, text)
    found = courses_of_results(folder / "results", cohort.protocol)
    files = {name: folder / f"{name}.csv" for name in TABLES if (folder / f"{name}.csv").is_file()}
    read = read_trial(folder / "subjects.csv", files, cohort.protocol.date_columns, cohort.protocol.partial_date)
    derived = derive_endpoints(cohort.protocol, found.courses, read.trial)
    assert (*done.problems, *found.problems, *read.problems, *derived.problems) == ()
    return Finished(cohort=cohort, courses=found.courses, derived=derived)
