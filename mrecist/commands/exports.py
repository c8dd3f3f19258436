"""``export``: one writer a target."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from mrecist import derivation
from mrecist.commands._terminal import outcome, progress, say
from mrecist.errors import InputError

if TYPE_CHECKING:
    from mrecist.exporting.naming import Exported


def export(options: Namespace) -> int:
    """``mrecist export TARGET``."""
    targets = {"seg": _seg, "sr": _sr, "sdtm": _sdtm, "odm": _odm, "redcap": _redcap}
    return targets[options.target](options)


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

    protocol, _, _ = derivation.load_rules(options.results)
    settings = settings_of(
        protocol,
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


def _odm(options: Namespace) -> int:
    from mrecist.exporting.odm.export import export_odm, write_template

    if options.map_template is not None:
        return _say(write_template(options.map_template, options.style, options.subjects))
    if options.results is None or options.out is None:
        raise InputError("export odm: give RESULTS, --out and --map, or --map-template for a map to begin with")
    return _say(
        export_odm(
            options.results,
            options.out,
            options.map,
            subjects=options.subjects,
            protocol=options.protocol,
            version=options.odm_version,
            transaction=options.transaction,
            created=options.created,
            file_oid=options.file_oid,
            only_metadata=options.metadata,
        )
    )


def _redcap(options: Namespace) -> int:
    from mrecist.exporting.redcap.export import export_redcap

    return _say(
        export_redcap(
            options.results,
            options.out,
            subjects=options.subjects,
            protocol=options.protocol,
            events=options.events,
            dictionary=False if options.no_dictionary else None,
            repeat_instrument=options.repeat_instrument,
            complete=options.complete,
            url=options.upload,
            replace=options.replace,
        )
    )


def _say(exported: Exported) -> int:
    for note in exported.notes:
        say(f"mrecist: note: {note}")
    for path in exported.files:
        print(path)
    return outcome(exported.problems)
