"""``export``: one writer a target."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from mrecist.commands._terminal import outcome, progress, say

if TYPE_CHECKING:
    from mrecist.exporting.naming import Exported


def export(options: Namespace) -> int:
    """``mrecist export TARGET``."""
    return {"seg": _seg, "sr": _sr, "sdtm": _sdtm}[options.target](options)


def _seg(options: Namespace) -> int:
    from mrecist.exporting.segmentations import export_segmentations

    with progress() as report:
        exported = export_segmentations(
            options.study,
            options.out,
            labelmap=options.labelmap,
            uid_root=options.uid_root,
            progress=lambda done, of: report("reading headers", done, of),
        )
    return _say(exported)


def _sr(options: Namespace) -> int:
    from mrecist.exporting.reports import export_reports

    with progress() as report:
        exported = export_reports(
            options.results,
            options.images,
            options.out,
            segmentations=options.seg,
            previous=options.previous,
            uid_root=options.uid_root,
            progress=lambda done, of: report("reading headers", done, of),
        )
    return _say(exported)


def _sdtm(options: Namespace) -> int:
    from mrecist.exporting.sdtm.inputs import Given
    from mrecist.exporting.sdtm.run import export_sdtm
    from mrecist.exporting.sdtm.settings import settings_of

    settings = settings_of(
        guide=options.ig,
        terminology=options.ct,
        derived=options.derived,
        formats=options.format,
        study=options.study,
        readers=options.reader,
        qnams=options.qnam,
    )
    given = Given(
        subjects=options.subjects,
        procedures=options.procedures,
        occurrences=options.occurrences,
        visits=options.visits,
        images=options.images,
    )
    return _say(export_sdtm(options.results, options.out, settings, given))


def _say(exported: Exported) -> int:
    for note in exported.notes:
        say(f"mrecist: note: {note}")
    for path in exported.files:
        print(path)
    return outcome(exported.problems)
