"""The study that is rehearsed: its folder before the first read, and what each person would make of each subject."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mrecist.samples.cohort import lesions
from mrecist.samples.cohort.build import Cohort
from mrecist.samples.readers.disease import Scans, scans_of
from mrecist.samples.readers.errors import Errors, published_errors
from mrecist.samples.readers.panel import INVESTIGATOR, errors_of_everyone
from mrecist.samples.readers.reading import SimulatedRead, read_subject
from mrecist.tables import csv_text

TRUTH = "truth/measurements.csv"
VISITS, INVESTIGATORS = "visits.csv", "investigators.csv"
_READERS = """
# Added for the simulated core lab, with `reader = "accepted"` in every endpoint that has a criterion.
[readers]
plan = "two_plus_adjudicator"
"""


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A cohort in a folder, and who reads it. ``seed`` starts all random numbers; ``everyone``: name -> how much that person errs."""

    cohort: Cohort
    folder: Path
    seed: int
    everyone: Mapping[str, Errors]

    @property
    def draw(self) -> str:
        """The text that the randomisations of the store start from."""
        return f"{self.cohort.study.name} {self.seed}"

    @cached_property
    def scans(self) -> Mapping[str, Scans]:
        """Subject -> what there is to read."""
        errors = published_errors()
        return {one.name: scans_of(one, self.cohort.study.name, errors, self.seed) for one in self.cohort.subjects}

    def read(self, subject: str, who: str) -> SimulatedRead:
        """The read of a subject by one of everyone."""
        return read_subject(self.scans[subject], who, self.cohort.study.name, self.everyone[who], self.seed)

    def files(self) -> Iterator[tuple[str, str]]:
        """Path in the folder and text: those of the cohort, its own measurements among the truth, and what the store begins with."""
        for name, text in self.cohort.files.items():
            if name == "protocol.toml":
                yield name, by_accepted_reads(text)
            else:
                yield TRUTH if name == "measurements.csv" else name, text
        scans = self.scans.values()
        rows = (row for one in scans for lesion in one.lesions for row in lesion.rows.values())
        yield "truth/lesions.csv", csv_text(lesions.COLUMNS, sorted(rows, key=_order))
        visits = (
            {"subject": s.subject, "timepoint": t, "date": day} for s in scans for t, day in sorted(s.dates.items())
        )
        yield VISITS, csv_text(("subject", "timepoint", "date"), visits)
        sites = ({"subject": one.subject, "reader": INVESTIGATOR} for one in scans)
        yield INVESTIGATORS, csv_text(("subject", "reader"), sites)


def lab_of(cohort: Cohort, folder: Path, seed: int, *, outlier: bool) -> Lab:
    """The core lab of a cohort; ``outlier``: one of its readers errs more than the others."""
    return Lab(cohort=cohort, folder=folder, seed=seed, everyone=errors_of_everyone(outlier=outlier))


def by_accepted_reads(protocol: str) -> str:
    """The text of a shipped protocol whose endpoints are of the accepted reads; it says nothing of readers before."""
    head, *endpoints = re.split(r"^(?=\[\[endpoint\]\]\n)", protocol, flags=re.MULTILINE)
    asked = (_with_reader(one) if re.search(r"^criterion = ", one, flags=re.MULTILINE) else one for one in endpoints)
    return "".join((head, *asked)).rstrip("\n") + "\n" + _READERS


def _with_reader(endpoint: str) -> str:
    return endpoint.replace("[[endpoint]]\n", '[[endpoint]]\nreader = "accepted"\n', 1)


def _order(row: Mapping[str, Any]) -> tuple[str, int, str]:
    return row["subject"], row["timepoint"], row["lesion"]
