"""Another engine on the cases: an external program that reads and writes the tables of docs/files.md.

It is started without a shell, once for each protocol of the set (and criterion, for reported responses), with a time limit.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mrecist import tables
from mrecist.conformance.cases import Case, CaseSet
from mrecist.conformance.compare import NOT_ASKED, Answers, Row
from mrecist.conformance.judge import Answered
from mrecist.errors import InputError
from mrecist.protocol import FORMAT

ASSESS_PLACEHOLDERS = ("measurements", "protocol", "subjects", "out")
BEST_PLACEHOLDERS = ("overall", "protocol", "subjects", "criterion", "out_file")
_ASSESS_FORM = ("assess", "{measurements}", "--protocol", "{protocol}", "--subjects", "{subjects}", "--out", "{out}")
_BEST_FORM = (
    *("best", "{overall}", "--criterion", "{criterion}", "--protocol", "{protocol}", "--subjects", "{subjects}"),
    *("--out", "{out_file}"),
)
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Command lines with placeholders; ``best`` is None when the engine takes no reported responses."""

    assess: tuple[str, ...]
    best: tuple[str, ...] | None
    time_limit_s: float


def engine_of(command: str, best: str | None, time_limit_s: float) -> Engine:
    """The engine that a user described.

    A command without placeholders gets the arguments of ``mrecist assess`` and ``mrecist best``. One with placeholders is
    taken as it is, and reported responses then need a command of their own.

    Raises :class:`InputError` for an unknown placeholder, or when one that is needed is not there.
    """
    words = _words(command, "--engine")
    own_form = not _placeholders(words)
    assess = (*words, *_ASSESS_FORM) if own_form else words
    _check(assess, "--engine", ASSESS_PLACEHOLDERS, ("measurements", "out"))
    if best is not None:
        best_words = _words(best, "--best-engine")
        best_words = best_words if _placeholders(best_words) else (*best_words, *_BEST_FORM)
    else:
        best_words = (*words, *_BEST_FORM) if own_form else ()
    if best_words:
        _check(best_words, "--best-engine", BEST_PLACEHOLDERS, ("overall", "out_file"))
    return Engine(assess=assess, best=best_words or None, time_limit_s=time_limit_s)


def _words(command: str, option: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise InputError(f"{option}: '{command}' cannot be split into words ({error}); mend the quotes") from None
    if not words:
        raise InputError(f"{option}: the command is empty; give the program that answers the cases")
    return words


def _placeholders(words: Sequence[str]) -> list[str]:
    return [name for word in words for name in re.findall(r"\{([a-z_]*)\}", word)]


def _check(words: Sequence[str], option: str, known: Sequence[str], needed: Sequence[str]) -> None:
    found = _placeholders(words)
    for name in found:
        if name not in known:
            raise InputError(f"{option}: unknown placeholder {{{name}}}; there are: {_listed(known)}")
    missing = [name for name in needed if name not in found]
    if missing:
        raise InputError(f"{option}: the command has placeholders, but not {_listed(missing)}; add it")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


# --- running ---------------------------------------------------------------------------------------------------------


def run_engine(engine: Engine, cases: CaseSet, progress: Progress | None = None) -> list[Answered]:
    """Ask the engine about every case; raises :class:`InputError` when it cannot be started."""
    answered: list[Answered] = []
    groups = [(name, group) for name, _, group in cases.groups() if group]
    with tempfile.TemporaryDirectory(prefix="mrecist-conformance-") as folder:
        for number, (name, group) in enumerate(groups):
            here = Path(folder) / (name or "default")
            here.mkdir()
            answered += _run_group(engine, cases, name, group, here)
            if progress:
                progress(number + 1, len(groups))
    return answered


def _run_group(engine: Engine, cases: CaseSet, name: str, group: list[Case], here: Path) -> Iterator[Answered]:
    protocol = here / "protocol.toml"
    source = cases.folder / "protocols" / f"{name}.toml"
    protocol.write_bytes(source.read_bytes() if name else f'format = "{FORMAT}"\n'.encode())
    subjects = here / "subjects.csv"
    subjects.write_text(_subjects_of(cases, group), encoding="utf-8")
    values = {"protocol": str(protocol), "subjects": str(subjects)}
    measured = [case for case in group if case.measurements]
    if measured:
        yield measured, _assess(engine, measured, here, values)
    reported = [case for case in group if case.reported is not None]
    for criterion in dict.fromkeys(criterion for case in reported for criterion in case.criteria):
        asked = [_about(case, criterion) for case in reported if criterion in case.criteria]
        yield asked, _best(engine, asked, criterion, here, values)


def _subjects_of(cases: CaseSet, group: list[Case]) -> str:
    """The dates of these cases; the header alone when there are none."""
    if cases.subjects is None:
        return "subject\n"
    header, lines = tables.read_rows(cases.subjects, ("subject",))
    names = {case.case for case in group}
    return tables.csv_text(header, [cells for _, cells in lines if cells["subject"] in names])


def _about(case: Case, criterion: str) -> Case:
    return replace(case, expected=tuple(e for e in case.expected if e.criterion == criterion))


def _assess(engine: Engine, cases: list[Case], here: Path, values: Mapping[str, str]) -> Answers:
    measurements, out = here / "measurements.csv", here / "out"
    tables.write_whole(measurements, tables.measurements_csv([row for case in cases for row in case.measurements]))
    out.mkdir()
    failed = _run(engine.assess, {**values, "measurements": str(measurements), "out": str(out)}, engine.time_limit_s)
    if failed:
        return Answers(no_responses=failed, no_best=failed)
    responses, no_responses = _table(out / "responses.csv", ("subject", "criterion", "timepoint"))
    best, no_best = _table(out / "best_responses.csv", ("subject", "criterion"))
    return Answers(responses=responses, best=best, no_responses=no_responses, no_best=no_best)


def _best(engine: Engine, cases: list[Case], criterion: str, here: Path, values: Mapping[str, str]) -> Answers:
    if engine.best is None:
        return Answers(no_best=NOT_ASKED)
    overall, out_file = here / f"overall_{criterion}.csv", here / f"best_{criterion}.csv"
    tables.write_whole(
        overall, tables.csv_text(("subject", "reader", "date", "overall", "baseline_date"), _reported(cases))
    )
    named = {**values, "overall": str(overall), "criterion": criterion, "out_file": str(out_file)}
    failed = _run(engine.best, named, engine.time_limit_s)
    if failed:
        return Answers(no_best=failed)
    best, no_best = _table(out_file, ("subject", "criterion"))
    return Answers(best=best, no_best=no_best)


def _reported(cases: list[Case]) -> Iterator[dict[str, object]]:
    """Rows of overall.csv; a subject without an assessment has one row without date and response."""
    for case in cases:
        if case.reported is not None:
            same = {"subject": case.case, "reader": case.reported.reader, "baseline_date": case.reported.baseline_date}
            for day, overall in case.reported.responses or ((None, None),):
                yield {**same, "date": day, "overall": overall}


def _table(path: Path, required: tuple[str, ...]) -> tuple[tuple[Row, ...], str]:
    """Rows of a table that the engine wrote, or why there are none."""
    if not path.exists():
        return (), f"the engine wrote no {path.name}"
    try:
        _, lines = tables.read_rows(path, required)
    except InputError as error:
        return (), str(error).replace(f"{path}", path.name)
    return tuple([cells for _, cells in lines]), ""


def _run(words: Sequence[str], values: Mapping[str, str], time_limit_s: float) -> str:
    """Run one command; words that say why it failed, or ""."""
    command = [re.sub(r"\{([a-z_]*)\}", lambda found: values[found[1]], word) for word in words]
    try:
        # A process group of its own: what the engine has started is stopped with it.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
        )
    except OSError as error:
        raise InputError(f"--engine: '{command[0]}' cannot be started ({error.strerror}); check the command") from None
    try:
        _, said = process.communicate(timeout=time_limit_s)
    except subprocess.TimeoutExpired:
        _stop(process)
        return f"the engine gave no answer within {time_limit_s:g} s and was stopped"
    except BaseException:
        _stop(process)
        raise
    if process.returncode != 0:
        lines = said.decode("utf-8", errors="replace").strip().splitlines()
        return f"the engine ended with exit code {process.returncode}" + (f": {lines[-1]}" if lines else "")
    return ""


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the engine and everything that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
