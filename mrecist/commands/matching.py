"""``match``."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter

from mrecist import tables
from mrecist.commands._terminal import SOME_FAILED, outcome, progress, say
from mrecist.errors import InputError


def match(options: Namespace) -> int:
    """``mrecist match``."""
    from mrecist.matching.study import match_study
    from mrecist.matching.table import Compared, Relation, matches_csv

    wanted = [c for c, asked in ((Compared.READERS, options.readers), (Compared.VISITS, options.visits)) if asked]
    with progress() as report:
        subjects, problems = match_study(options.study, wanted or list(Compared), options.workers, report)
    rows = [row for one in subjects for row in one.rows]
    problems = (*problems, *(problem for one in subjects for problem in one.problems))
    if not rows:
        outcome(problems)
        raise InputError(
            f"{options.study}: no two reads with masks can be compared: at a visit by two readers, or at two visits by one"
        )
    tables.write_whole(options.out, matches_csv(rows))
    findings = [row for row in rows if row.finding is not None]
    for row in findings:
        say(
            f"mrecist: {row.finding}: subject {row.subject}, reader {row.reader_1}, time points {row.timepoint_1} and "
            f"{row.timepoint_2}: {row.detail}"
        )
    counted = Counter(row.relation for row in rows)
    counts = ", ".join(f"{counted[relation]} {relation}" for relation in Relation if counted[relation])
    say(f"{len(subjects)} subjects: {counts}; {len(findings)} contradictions of names and places: {options.out}")
    failed = outcome(problems)
    return SOME_FAILED if findings else failed
