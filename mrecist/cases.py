"""What became of each case of a run: done, done with flags, or quarantined with the reason, for a person to act on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mrecist.model import BestResponse, Problem, VisitResponse
from mrecist.results import Case, FindingText, Verdict
from mrecist.study import LostFile
from mrecist.tables import csv_text

CASE_COLUMNS = ("subject", "verdict", "reasons", "files", "what_to_do")
_SEPARATOR = " | "
MEND = "mend what the reason names and run the same command again: only what changed is measured"
LOOK = "look at its flags and findings in the report; the results stand"
SUPPLY = "look whether it is an image or a segmentation that the results now lack; replace or remove it"
_MOST_SHOWN = 30


def cases_of(
    subjects: Iterable[str],
    problems: Iterable[Problem],
    lost: Iterable[LostFile],
    flagged: Mapping[str, Sequence[str]],
    files: Mapping[str, Sequence[str]],
    root: Path,
) -> tuple[Case, ...]:
    """Every case, those that need a person first at the top, then by name.

    Parameters
    ----------
    problems : why reads are left out; those of no subject are told by ``lost``.
    lost : files that could not be used at all, with the subject beside whose images they lie.
    flagged : by subject, what stands in the results and should be looked at.
    files : by subject, the masks that its problems name.
    root : the study; files are told from there.
    """
    of_subject: dict[str, list[str]] = {subject: [] for subject in subjects}
    for problem in problems:
        if problem.subject:
            of_subject.setdefault(problem.subject, []).append(problem.message)
    lost_of: dict[str, list[LostFile]] = {}
    for one in lost:
        lost_of.setdefault(one.subject, []).append(one)
    cases = [
        _case(subject, messages, lost_of.get(subject, []), flagged.get(subject, ()), files.get(subject, ()), root)
        for subject, messages in of_subject.items()
        if subject
    ]
    cases += [
        Case(
            subject="",
            verdict=Verdict.QUARANTINED,
            reasons=(f"{_from(root, one.path)}: {one.reason}",),
            files=(_from(root, one.path),),
            what_to_do=SUPPLY,
        )
        for one in (
            *lost_of.get("", ()),
            *(o for s, found in lost_of.items() if s and s not in of_subject for o in found),
        )
    ]
    order = list(Verdict)
    return tuple(sorted(cases, key=lambda case: (order.index(case.verdict), case.subject, case.reasons)))


def _case(
    subject: str,
    messages: Sequence[str],
    lost: Sequence[LostFile],
    flagged: Sequence[str],
    files: Sequence[str],
    root: Path,
) -> Case:
    beside = [f"{_from(root, one.path)}: {one.reason}" for one in lost]
    named = tuple(dict.fromkeys(_from(root, path) for path in (*files, *(one.path for one in lost))))
    if messages:
        told = tuple(message.replace(f"{root}/", "") for message in dict.fromkeys(messages))
        return Case(
            subject=subject, verdict=Verdict.QUARANTINED, reasons=(*told, *beside), files=named, what_to_do=MEND
        )
    if beside:
        reasons = (*beside, *flagged)
        return Case(subject=subject, verdict=Verdict.FLAGGED, reasons=reasons, files=named, what_to_do=SUPPLY)
    if flagged:
        return Case(subject=subject, verdict=Verdict.FLAGGED, reasons=tuple(flagged), what_to_do=LOOK)
    return Case(subject=subject, verdict=Verdict.DONE)


def _from(root: Path, path: str) -> str:
    return path.removeprefix(f"{root}/")


def flags_of(
    responses: Iterable[VisitResponse], best: Iterable[BestResponse], findings: Iterable[FindingText]
) -> dict[str, tuple[str, ...]]:
    """By subject, the flags of its responses and the errors and warnings of the checks."""
    codes: dict[str, set[str]] = {}
    rows: tuple[VisitResponse | BestResponse, ...] = (*responses, *best)
    for row in rows:
        if row.flags:
            codes.setdefault(row.subject, set()).update(flag.partition(":")[0] for flag in row.flags)
    said: dict[str, list[str]] = {
        subject: [f"flag{'s' if len(found) > 1 else ''} {', '.join(sorted(found))}"] for subject, found in codes.items()
    }
    for finding in findings:
        if finding.severity != "note":
            visit = "" if finding.timepoint is None else f"time point {finding.timepoint}: "
            said.setdefault(finding.subject, []).append(f"{finding.severity}: {visit}{finding.what}")
    return {subject: tuple(dict.fromkeys(reasons)) for subject, reasons in said.items()}


def cases_csv(cases: Iterable[Case]) -> str:
    """``cases.csv`` as text."""
    return csv_text(
        CASE_COLUMNS,
        (
            {
                "subject": case.subject,
                "verdict": str(case.verdict),
                "reasons": _SEPARATOR.join(case.reasons),
                "files": _SEPARATOR.join(case.files),
                "what_to_do": case.what_to_do,
            }
            for case in cases
        ),
    )


def summary_text(cases: Sequence[Case]) -> str:
    """The run on one screen: how many of each verdict, whom to look at first and why."""
    subjects = [case for case in cases if case.subject]
    counted = Counter(case.verdict for case in subjects)
    lines = [f"{len(subjects)} cases: " + ", ".join(f"{counted[verdict]} {verdict}" for verdict in Verdict)]
    for case in [case for case in cases if case.verdict is Verdict.QUARANTINED][:_MOST_SHOWN]:
        more = f" (and {len(case.reasons) - 1} more)" if len(case.reasons) > 1 else ""
        lines.append(f"  {case.subject or 'a file of nobody'}: {case.reasons[0]}{more}")
    left = sum(case.verdict is Verdict.QUARANTINED for case in cases) - _MOST_SHOWN
    if left > 0:
        lines.append(f"  and {left} more, in cases.csv")
    reasons = Counter(
        reason for case in subjects if case.verdict is Verdict.FLAGGED for reason in {_kind(r) for r in case.reasons}
    )
    lines += [f"  done with {reason}: {count} cases" for reason, count in sorted(reasons.items())[:_MOST_SHOWN]]
    if counted[Verdict.QUARANTINED] or len(subjects) < len(cases):
        lines.append(f"What to do: {MEND}")
    return "\n".join(lines) + "\n"


def _kind(reason: str) -> str:
    """What several cases have in common: the flags of a case, or that there are warnings."""
    if reason.startswith("flag"):
        return reason
    severity = reason.partition(":")[0]
    return (
        f"{severity}s of the checks"
        if severity in ("warning", "error")
        else "a file beside its images that cannot be used"
    )
