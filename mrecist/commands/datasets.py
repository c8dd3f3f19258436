"""``check-sdtm``."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from mrecist import tables
from mrecist.commands._terminal import DONE, SOME_FAILED, say, show_json
from mrecist.errors import InputError
from mrecist.protocol import load_protocol

if TYPE_CHECKING:
    from argparse import Namespace


def check_sdtm(options: Namespace) -> int:
    """``mrecist check-sdtm``."""
    from mrecist.checklist import Severity
    from mrecist.sdtm.checks.datasets import open_study
    from mrecist.sdtm.checks.rule import findings_csv, findings_json
    from mrecist.sdtm.checks.run import Checking, check_study, summary

    protocol = load_protocol(options.protocol)
    protocol.select(options.criterion)  # a name that is none is told before anything is read
    checking = Checking(
        protocol=protocol,
        criteria=tuple(options.criterion or ()),
        severities=_severities(options.severity or ()),
        dates=tables.read_subject_dates(options.subjects, protocol),
    )
    study = open_study(options.datasets, _extended(options.term or ()))
    checked = check_study(study, checking)
    table = findings_csv(checked.findings, protocol.sha256)
    if options.out is not None:
        tables.write_whole(options.out, table)
    if options.json:
        show_json(findings_json(checked.findings, protocol.sha256))
    elif options.out is None:
        print(table, end="")
    for note in study.notes:
        say(f"mrecist: note: {note}")
    for line in summary(checked):
        say(line)
    return SOME_FAILED if checked.count(Severity.ERROR) else DONE


def _extended(given: Iterable[str]) -> dict[str, frozenset[str]]:
    from mrecist.sdtm.checks.codelists import BY_NAME

    found: dict[str, frozenset[str]] = {}
    for text in given:
        name, _, term = text.partition("=")
        codelist = BY_NAME.get(name.strip().upper())
        if codelist is None or not term.strip():
            raise InputError(f"--term {text}: write CODELIST=TERM; codelists: {', '.join(BY_NAME)}")
        if not codelist.extensible:
            raise InputError(
                f"--term {text}: {codelist.name} cannot be extended; its terms: {', '.join(codelist.terms)}"
            )
        found[codelist.name] = found.get(codelist.name, frozenset()) | {term.strip()}
    return found


def _severities(given: Iterable[str]) -> dict[str, str]:
    from mrecist.checklist import OFF, Severity
    from mrecist.sdtm.checks.run import RULES

    words = (OFF, *reversed(Severity))
    found: dict[str, str] = {}
    for text in given:
        name, _, word = (part.strip() for part in text.partition("="))
        if name not in RULES:
            near = get_close_matches(name, RULES, n=1)
            raise InputError(f"--severity {text}: no rule '{name}'" + (f"; the nearest is '{near[0]}'" if near else ""))
        if word not in words:
            raise InputError(f"--severity {text}: write RULE=SEVERITY with one of {', '.join(words)}")
        found[name] = word
    return found
