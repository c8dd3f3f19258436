"""A simulated cohort, assessed by the engine and with its endpoints derived, in memory as far as possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mrecist.assessing import Job, assess_table
from mrecist.derivation import keep
from mrecist.endpoints.course import Courses
from mrecist.endpoints.derive import Derived, derive_endpoints
from mrecist.endpoints.eligibility import Eligibility, screen
from mrecist.endpoints.proportions import Outcome
from mrecist.endpoints.regions import courses_of_regions
from mrecist.endpoints.safety import Safety, safety_of
from mrecist.endpoints.sources import courses_of_results
from mrecist.endpoints.times import EventTime
from mrecist.protocol import Protocol
from mrecist.samples.cohort.build import Cohort, simulate
from mrecist.samples.cohort.parameters import Study
from mrecist.tables import write_whole
from mrecist.tables.trial import TABLES, read_trial
from mrecist.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A cohort and what the tool makes of its tables."""

    cohort: Cohort
    folder: Path
    courses: Courses
    derived: Derived
    trial: Trial

    def times(self, endpoint: str, arm: str = "") -> Sequence[EventTime]:
        return [r for r in self.derived.times if r.endpoint == endpoint and arm in ("", r.arm)]

    def outcomes(self, endpoint: str, arm: str = "") -> Sequence[Outcome]:
        return [r for r in self.derived.outcomes if r.endpoint == endpoint and arm in ("", r.arm)]

    def again(self, protocol: Protocol) -> Derived:
        """The endpoints of another protocol from the same responses."""
        return derive_endpoints(protocol, self.courses, self.trial)

    def safety(self) -> Safety:
        return safety_of(self.cohort.protocol, self.trial)

    def eligibility(self) -> Sequence[Eligibility]:
        found = screen(self.cohort.protocol, self.folder / "results", self.trial)
        assert found.problems == ()
        return found.rows


def finished(study: Study, folder: Path, seed: int, subjects: int = 0, only: Sequence[str] = ()) -> Finished:
    """Simulate, assess and derive, all endpoints or only some of them; nothing may be a problem."""
    cohort = simulate(study, seed, subjects)
    wanted = tuple(one for one in cohort.protocol.endpoints if not only or one.id in only)
    protocol = replace(cohort.protocol, endpoints=wanted)
    for name, text in cohort.files.items():
        write_whole(folder / name, text)
    job = Job(
        measurements=folder / "measurements.csv",
        protocol=folder / "protocol.toml",
        criteria=tuple(dict.fromkeys(one.criterion for one in wanted if one.criterion)),
        subjects=folder / "subjects.csv",
    )
    done = assess_table(job, workers=1)
    for name, text in done.tables.items():
        write_whole(folder / "results" / name, text)
    keep(folder / "results", (folder / "measurements.csv").read_bytes(), protocol, protocol.criteria)
    found = courses_of_results(folder / "results", protocol)
    files = {name: folder / f"{name}.csv" for name in TABLES}
    read = read_trial(folder / "subjects.csv", files, protocol.date_columns, protocol.partial_date)
    regions = courses_of_regions(folder / "results", None, protocol, read.trial)
    derived = derive_endpoints(protocol, found.courses, read.trial, regions=regions)
    told = (*done.problems, *found.problems, *read.problems, *derived.problems)
    assert (*told, *(p for one in regions.values() for p in one.problems)) == ()
    return Finished(cohort=cohort, folder=folder, courses=found.courses, derived=derived, trial=read.trial)
