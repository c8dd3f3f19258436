"""Eligibility that needs images: a measurable lesion by each criterion that a study asks for, and the response before the study.

Measurable: Eisenhauer 2009, 3.1.1 and 3.1.2; Lencioni and Llovet 2010. A lesion treated locally before the study is measurable only
where it has progressed since (Eisenhauer 2009, 3.1.1). What is not recorded makes nobody eligible and nobody ineligible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mrecist.checks.finding import CriterionCase
from mrecist.checks.selection import size_at_baseline, why_not_measurable
from mrecist.checks.words import unfit_word, vascular_word
from mrecist.criteria._viable import phase_word
from mrecist.derivation import load_rules, rows_path
from mrecist.errors import InputError, ReadError
from mrecist.model import Measurement, Problem, YesNo
from mrecist.protocol import CriterionSetting, Protocol
from mrecist.response.read import Read, build_read
from mrecist.response.targets import targets_of
from mrecist.tables import read_measurements
from mrecist.trial import Subject, Trial
from mrecist.units import show


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes, no, or not known (None), and why."""

    met: bool | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """One row of eligibility.csv. ``measurable`` are the criteria by which a lesion is; ``prior_group`` is ``low response`` or
    ``failure``, empty for neither.
    """

    subject: str
    arm: str
    reader: str
    eligible: bool | None
    measurable: tuple[str, ...]
    prior_response: str
    prior_group: str
    reason: str


@dataclass(frozen=True, slots=True)
class Screened:
    """The rows, and the reads that could not be used."""

    rows: tuple[Eligibility, ...] = ()
    problems: tuple[Problem, ...] = ()


def screen(protocol: Protocol, folder: Path | None, trial: Trial) -> Screened:
    """Every subject by each reader; nobody where the protocol has no ``[eligibility]``.

    Raises :class:`InputError` when measurable lesions are asked for and there are no rows of measurements, or the column of the
    response before the study is not in subjects.csv.
    """
    rules = protocol.eligibility
    if not rules.asked:
        return Screened()
    columns = {name for subject in trial.subjects.values() for name in subject.words}
    if rules.prior_response and rules.prior_response not in columns:
        raise InputError(
            f"[eligibility] prior_response: subjects.csv has no column '{rules.prior_response}' with a response; add it"
        )
    if folder is None and rules.measurable:
        raise InputError(
            "[eligibility] measurable needs the sizes at baseline; give the folder that assess or score wrote"
        )
    reads, problems = _reads(folder) if folder is not None and rules.measurable else ({}, ())
    bad = {(problem.subject, problem.reader) for problem in problems}
    rows: list[Eligibility] = []
    for name, subject in trial.subjects.items():
        own = {reader: read for (who, reader), read in reads.items() if who == name}
        if own or name not in {who for who, _ in bad}:
            rows += _of_subject(protocol, subject, own)
    return Screened(tuple(rows), tuple(problems))


def _reads(folder: Path) -> tuple[Mapping[tuple[str, str], Read], tuple[Problem, ...]]:
    then, _, _ = load_rules(folder)
    table = read_measurements(rows_path(folder), then.partial_date)
    reads: dict[tuple[str, str], Read] = {}
    problems = list(table.problems)
    for (subject, reader), rows in table.reads().items():
        try:
            reads[subject, reader] = build_read(rows)
        except ReadError as error:
            problems.append(Problem(subject=subject, reader=reader, message=f"{error} (eligibility)"))
    return reads, tuple(problems)


def _of_subject(protocol: Protocol, subject: Subject, reads: Mapping[str, Read]) -> Iterator[Eligibility]:
    """One row a reader; one without a reader where nobody read the baseline, or no image is asked for."""
    whose: Mapping[str, Read | None] = reads or {"": None}
    for reader, read in whose.items():
        measurable = {
            name: _measurable(protocol, protocol.setting(name), read) for name in protocol.eligibility.measurable
        }
        answers = list(measurable.values())
        response, group = "", ""
        if protocol.eligibility.prior_response:
            response, group, answer = _prior(protocol, subject)
            answers.append(answer)
        yield Eligibility(
            subject=subject.subject,
            arm=subject.arm,
            reader=reader,
            eligible=_all(answers),
            measurable=tuple(name for name, answer in measurable.items() if answer.met),
            prior_response=response,
            prior_group=group,
            reason="; ".join(answer.why for answer in answers),
        )


def _all(answers: Iterable[Answer]) -> bool | None:
    met = [answer.met for answer in answers]
    return False if False in met else None if None in met else True


def _prior(protocol: Protocol, subject: Subject) -> tuple[str, str, Answer]:
    """The response before the study and its group: low response, failure, or none."""
    rules = protocol.eligibility
    response = subject.words.get(rules.prior_response, "").strip().upper()
    if not response:
        return "", "", Answer(None, f"{rules.prior_response} is not recorded")
    groups = {"low response": rules.low_response, "failure": rules.failure}
    for group, responses in groups.items():
        if response in responses:
            return response, group, Answer(True, f"{rules.prior_response} {response}: {group}")
    return response, "", Answer(False, f"{rules.prior_response} {response} is neither low response nor failure")


def _measurable(protocol: Protocol, setting: CriterionSetting, read: Read | None) -> Answer:
    """Whether a target at baseline is measurable by a criterion, and which, or why none is."""
    if read is None:
        return Answer(None, f"{setting.name}: no baseline was read")
    case = CriterionCase(
        read=read, limits=protocol.limits_of(setting), setting=setting, targets=targets_of(read, setting), assessed=()
    )
    found = {row.lesion: _of_lesion(protocol, case, row) for row in case.targets.rows}
    sure = [answer.why for answer in found.values() if answer.met]
    if sure:
        return Answer(True, f"{setting.name}: {sure[0]}")
    words = ", ".join(answer.why for answer in found.values()) or "no target at baseline"
    hangs = any(answer.met is None for answer in found.values())
    return Answer(None if hangs else False, f"{setting.name}: none measurable{' for sure' if hangs else ''} ({words})")


def _of_lesion(protocol: Protocol, case: CriterionCase, row: Measurement) -> Answer:
    name, size = size_at_baseline(case, row)
    unfit = unfit_word(row) or (vascular_word(row) if case.setting.criterion.hcc_only else "")
    why = why_not_measurable(case, row) or (f"is {unfit}" if unfit else "")
    if why:
        return Answer(False, f"{row.lesion}: {why}")
    phases = {phase_word(phase) for phase in case.setting.thresholds.viable_phases}
    if name == "viable_mm" and row.phase and phase_word(row.phase) not in phases:
        return Answer(None, f"{row.lesion}: viable_mm on phase {row.phase}, on which it does not count")
    if size is None:
        return Answer(None, f"{row.lesion}: {name} is not recorded")
    if protocol.eligibility.treated_need_progression and row.local_therapy is not None:
        if row.progressed_since is None:
            return Answer(None, f"{row.lesion}: {row.local_therapy} before the study, progressed_since is not recorded")
        if row.progressed_since is not YesNo.YES:
            return Answer(False, f"{row.lesion}: {row.local_therapy} before the study and no progression since")
    return Answer(True, f"{row.lesion} with {name} {show(size)}")
