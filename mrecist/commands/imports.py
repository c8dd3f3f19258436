"""``import``: one reader a source."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from mrecist import tables
from mrecist.commands._terminal import outcome, progress, say
from mrecist.dates import parse_date
from mrecist.errors import InputError
from mrecist.model import Role

_SUFFIXES = {"aim": (".xml",), "list": (".csv", ".mrk.json")}


def import_rows(options: Namespace) -> int:
    """``mrecist import SOURCE``."""
    from mrecist.importing import Asked, import_annotations, import_lists, import_reports

    read = {"sr": import_reports, "aim": import_annotations, "list": import_lists}[options.source]
    asked = Asked(
        subject=options.subject,
        timepoint=options.timepoint,
        day=_date(options.date),
        reader=options.reader,
        role=_role(options.role),
        timepoints=options.timepoints,
        manifest=options.manifest,
        images=options.images,
    )
    with progress() as report:
        done = read(_files(options.files, options.source), asked, lambda d, of: report("reading headers", d, of))
    for note in done.notes:
        say(f"mrecist: note: {note}")
    if not done.rows:
        # Nothing could be read: nothing is written, so an older table is not replaced by an empty one.
        outcome(done.problems[:-1])
        raise InputError(done.problems[-1].message if done.problems else "import: the files hold no lesion")
    tables.write_whole(options.out, tables.measurements_csv(done.rows))
    say(f"rows imported: {len(done.rows)}, in {options.out}")
    return outcome(done.problems)


def _files(given: Sequence[Path], source: str) -> list[Path]:
    """The files, and those of a folder that are of this kind."""
    from mrecist.objects.read_report import is_report

    files: list[Path] = []
    for path in given:
        if not path.is_dir():
            if not path.is_file():
                raise InputError(f"{path}: no such file; check the path")
            files.append(path)
            continue
        inside = sorted(p for p in path.rglob("*") if p.is_file())
        kind = [p for p in inside if (is_report(p) if source == "sr" else p.name.lower().endswith(_SUFFIXES[source]))]
        if not kind:
            raise InputError(f"{path}: no file for 'import {source}' in this folder; check the path")
        files += kind
    return files


def _date(text: str | None) -> date | None:
    try:
        return parse_date(text) if text else None
    except ValueError as error:
        raise InputError(f"import: --date: {error}") from None


def _role(text: str | None) -> Role | None:
    if text is None:
        return None
    try:
        return Role(text.casefold())
    except ValueError:
        raise InputError(f"import: --role is '{text}', not one of: {', '.join(Role)}") from None
