"""What an export to ADaM is made from: the reads and records of our SDTM, the courses and endpoints of the study."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mrecist.dates import PartialDate, given_text, parse_date
from mrecist.derivation import rows_path
from mrecist.endpoints.happenings import Case, trials_of_subjects
from mrecist.endpoints.imputed import with_known_days
from mrecist.endpoints.study import StudyEndpoints, endpoints_of_study
from mrecist.exporting.adam.origins import Records
from mrecist.exporting.sdtm.inputs import Given, Inputs, read_inputs
from mrecist.exporting.sdtm.reads import Read, subject_id
from mrecist.exporting.sdtm.responses import Category, categories
from mrecist.exporting.sdtm.run import Sdtm, sdtm_of
from mrecist.exporting.sdtm.settings import SdtmSettings
from mrecist.model import Problem
from mrecist.protocol import Protocol
from mrecist.tables import read_rows
from mrecist.tables.accepted import ReviewTrack
from mrecist.tables.trial import read_trial
from mrecist.trial import Trial

_MONTH_ONLY = re.compile(r"\d{4}-\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFiles:
    """The tables beside the results. ``tables`` are those of ``mrecist endpoints`` by name."""

    subjects: Path
    tables: Mapping[str, Path]
    visits: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What was read. ``imputed`` has, by subject, the days that partial dates were completed to.

    ``of_subject`` has the tables of each subject, ``named`` RSCAT and RSSCAT of each criterion.
    """

    inputs: Inputs
    protocol: Protocol
    study: StudyEndpoints
    trial: Trial
    of_subject: Mapping[str, Trial]
    named: Mapping[str, Category]
    sdtm: Sdtm
    records: Records
    imputed: Mapping[str, frozenset[date]]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    @property
    def unread(self) -> frozenset[str]:
        """Subjects with a problem that was there before any endpoint: not the same as never assessed."""
        return frozenset(p.subject for p in (*self.sdtm.problems, *self.study.told))

    def unique_id(self, subject: str) -> str:
        """USUBJID."""
        return f"{self.inputs.study}-{subject_id(self.inputs.study, subject)}"

    def flag(self, subject: str, day: date | None) -> str:
        """``D`` where the day of a date is the one that ``schedule.partial_date`` put there."""
        return "D" if day is not None and (given_text(day) or day in self.imputed.get(subject, ())) else ""

    def at_fault(self, subject: str, *columns: str) -> bool:
        """Whether one of these columns of subjects.csv could not be read: what it says is not known."""
        facts = {f"subjects.{name}" for name in columns}
        return any(one.subject == subject and one.fact in facts for one in self.trial.faults)

    @property
    def reads(self) -> tuple[Read, ...]:
        """The reads of the subjects that ADSL has."""
        return tuple(read for read in self.inputs.reads if read.subject in self.trial.subjects)

    def counts(self, read: Read, criterion: str) -> bool:
        """Whether a read is the central one that counts for its subject by a criterion."""
        return self.inputs.accepted.reader(read.subject, criterion, ReviewTrack.CENTRAL) == read.evaluator.reader

    def case(self, read: Read, criterion: str) -> Case:
        """A subject with its course by a criterion, as the endpoints see it."""
        course = self.study.found.courses.of(read.subject, read.evaluator.reader, criterion)
        return Case(subject=self.trial.subjects[read.subject], course=course, trial=self.of_subject[read.subject])


def read_material(folder: Path, protocol: Protocol, settings: SdtmSettings, files: StudyFiles) -> Material:
    """Read and derive everything; ``protocol`` has the endpoints. Raises :class:`InputError` for what cannot be used."""
    given = Given(
        subjects=files.subjects,
        procedures=files.tables.get("procedures"),
        occurrences=files.tables.get("occurrences"),
        visits=files.visits,
    )
    inputs = read_inputs(folder, settings, given)
    sdtm = sdtm_of(inputs, settings, given)
    read = read_trial(files.subjects, dict(files.tables), protocol.date_columns, protocol.partial_date)
    study = endpoints_of_study(protocol, read, folder)
    trial = with_known_days(read.trial, study.found.courses, protocol)
    return Material(
        inputs=inputs,
        protocol=protocol,
        study=study,
        trial=trial,
        of_subject=trials_of_subjects(trial),
        named=categories(inputs.results.settings.values()),
        sdtm=sdtm,
        records=Records(sdtm.datasets),
        imputed=_imputed(
            (files.subjects, *files.tables.values(), rows_path(folder)),
            protocol.partial_date,
        ),
        problems=tuple(dict.fromkeys(_problems(sdtm, study, trial))),
        notes=tuple(dict.fromkeys((*inputs.notes, *read.notes, *study.found.notes))),
    )


def _problems(sdtm: Sdtm, study: StudyEndpoints, trial: Trial) -> Iterator[Problem]:
    """Each read with a problem once, as the endpoints tell it, and what could not be read of a subject."""
    told = tuple(dict.fromkeys((*study.told, *study.derived.problems)))
    known = {(p.subject, p.reader) for p in study.told}
    yield from told
    yield from (p for p in sdtm.problems if (p.subject, p.reader) not in known)
    for fault in trial.faults:
        if not any(fault.subject == p.subject and p.message.startswith(fault.message) for p in told):
            yield Problem(subject=fault.subject, reader="", message=f"{fault.message}; what hangs on it is empty")


def _imputed(files: tuple[Path, ...], partial: PartialDate) -> dict[str, frozenset[date]]:
    """The days that only dates without a day were completed to; a full date of the same day is no imputation."""
    if partial is PartialDate.REFUSE:
        return {}
    completed: dict[str, set[date]] = {}
    whole: dict[str, set[date]] = {}
    for path in files:
        for _, cells in read_rows(path, ("subject",))[1]:
            for text in cells.values():
                _sort(text, partial, completed.setdefault(cells["subject"], set()), whole, cells["subject"])
    return {name: frozenset(days - whole.get(name, set())) for name, days in completed.items()}


def _sort(text: str, partial: PartialDate, completed: set[date], whole: dict[str, set[date]], subject: str) -> None:
    try:
        day = parse_date(text, partial)
    except ValueError:
        return
    (completed if _MONTH_ONLY.fullmatch(text.strip()) else whole.setdefault(subject, set())).add(day)
