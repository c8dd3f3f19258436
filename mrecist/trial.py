"""What a study knows of a subject beside the images: plain values of the tables subjects.csv, procedures.csv and the others."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from decimal import Decimal

PROCEDURES = {
    "resection": ("HEPATECTOMY", "RESECTION", "LIVER RESECTION"),
    "ablation": ("ABLATION", "RFA", "MWA", "CRYOABLATION", "PEI"),
    "transplant": ("TRANSPLANT", "LIVER TRANSPLANT", "TRANSPLANTATION"),
}
"""What a protocol calls by one word, by the names of procedures.csv."""
OUTCOMES = {"resection": ("R0", "R1", "R2"), "ablation": ("complete", "incomplete")}
"""Margins of a resection (UICC R classification; RX is not recorded) and results of an ablation that a protocol may ask for."""
NOT_RECORDED = ("", "rx", "unknown", "not recorded")
"""Outcomes, in small letters, that say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One row of subjects.csv. ``dates`` has the date columns that are filled, ``words`` all other columns (strata, populations)."""

    subject: str
    arm: str = ""
    dates: Mapping[str, date] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One row of procedures.csv: TACE, HAIC, HEPATECTOMY, ABLATION, TRANSPLANT, ... ``clavien_dindo`` is its worst complication (``none``:
    there was none; empty: not recorded), ``complication`` the day of that.
    """

    subject: str
    date: date
    procedure: str
    outcome: str = ""
    clavien_dindo: str = ""
    complication: datetime.date | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Therapy:
    """One row of therapies.csv: a new anticancer therapy that the protocol does not give."""

    subject: str
    date: date
    therapy: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """One row of markers.csv: a tumour marker; ``below`` and ``above`` say that the value is a limit of the assay (``<2``)."""

    subject: str
    date: date
    test: str
    value: Decimal
    unit: str
    below: bool = False
    above: bool = False


def child_pugh_of(points: int) -> str:
    """The class of so many points: A to 6, B to 9, C from 10 (Pugh 1973)."""
    return "A" if points <= 6 else "B" if points <= 9 else "C"


@dataclass(frozen=True, slots=True, kw_only=True)
class LiverFunction:
    """One row of liver.csv: Child-Pugh class (A, B, C) and points, ALBI score."""

    subject: str
    date: date
    child_pugh: str = ""
    points: int | None = None
    albi: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One row of occurrences.csv: what happened by the investigator's word (vascular_invasion, clinical_progression, ...)."""

    subject: str
    date: date
    event: str
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEvent:
    """One row of adverse_events.csv: term, CTCAE grade 1 to 5 with the version, relation, dates."""

    subject: str
    term: str
    grade: int
    start: date | None = None
    end: date | None = None
    ctcae_version: str = ""
    soc: str = ""
    related: str = ""
    serious: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something of a subject that could not be read, or is there twice in two ways: what depends on it cannot be told of the subject.

    ``fact`` names the table (``liver``), or the column of subjects.csv (``subjects.death``).
    """

    subject: str
    fact: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """All tables of a study beside its responses; a table that was not given is None, which is not the same as an empty one.

    A subject has no rows in a table in which it has one of the ``faults``.
    """

    subjects: Mapping[str, Subject]
    procedures: tuple[Procedure, ...] | None = None
    therapies: tuple[Therapy, ...] | None = None
    markers: tuple[Marker, ...] | None = None
    liver: tuple[LiverFunction, ...] | None = None
    occurrences: tuple[Occurrence, ...] | None = None
    adverse_events: tuple[AdverseEvent, ...] | None = None
    faults: tuple[Fault, ...] = ()


ENTRIES = ("consent", "enrolment", "randomisation", "first_dose", "first_procedure")
"""Columns of subjects.csv that may be day 1."""


def without_faults(trial: Trial) -> Trial:
    """The study without the subjects of whom anything is at fault, also a date of subjects.csv after the death."""
    bad = {fault.subject for fault in trial.faults}
    for name, one in trial.subjects.items():
        death = one.dates.get("death")
        if death is not None and any(one.dates.get(column, death) > death for column in ("last_alive", *ENTRIES)):
            bad.add(name)
    kept = {
        one.name: tuple(row for row in rows if row.subject not in bad)
        for one in fields(Trial)
        if one.name not in ("subjects", "faults") and (rows := getattr(trial, one.name)) is not None
    }
    people = {name: one for name, one in trial.subjects.items() if name not in bad}
    return Trial(subjects=people, **kept)
