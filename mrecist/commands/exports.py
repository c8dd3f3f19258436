"""``export``: one writer a target."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from typing import TYPE_CHECKING

from mrecist import derivation
from mrecist.commands._terminal import DONE, SOME_FAILED, outcome, progress, say
from mrecist.errors import InputError

if TYPE_CHECKING:
    from mrecist.exporting.adam.inputs import StudyFiles
    from mrecist.exporting.define.run import Definable
    from mrecist.exporting.naming import Exported
    from mrecist.exporting.sdtm.inputs import Given
    from mrecist.exporting.sdtm.settings import SdtmSettings
    from mrecist.protocol import Protocol


def export(options: Namespace) -> int:
    """``mrecist export TARGET``."""
    targets = {
        "seg": _seg,
        "sr": _sr,
        "sdtm": _sdtm,
        "adam": _adam,
        "define": _define,
        "odm": _odm,
        "redcap": _redcap,
        "all": _every,
    }
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
    from mrecist.exporting.sdtm.run import export_sdtm

    settings, given = _of_sdtm(options)
    return _say(export_sdtm(options.results, options.out, settings, given))


def _of_sdtm(options: Namespace) -> tuple[SdtmSettings, Given]:
    from mrecist.exporting.sdtm.inputs import Given
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
    return settings, given


def _define(options: Namespace) -> int:
    from mrecist.exporting.define.run import export_define

    builders = {"sdtm": _define_sdtm, "adam": _define_adam}
    build = partial(builders[options.datasets], options)
    return _say(export_define(options.datasets, build, options.out, options.created))


def _define_sdtm(options: Namespace) -> Definable:
    from mrecist.exporting.define.of_sdtm import define_of_sdtm

    return define_of_sdtm(options.results, *_of_sdtm(options))


def _define_adam(options: Namespace) -> Definable:
    from mrecist.exporting.define.of_adam import define_of_adam

    return define_of_adam(options.results, *_of_adam(options))


def _adam(options: Namespace) -> int:
    from mrecist.exporting.adam.run import export_adam

    return _say(export_adam(options.results, options.out, *_of_adam(options)))


def _of_adam(options: Namespace) -> tuple[Protocol, SdtmSettings, StudyFiles]:
    from mrecist.exporting.adam.inputs import StudyFiles
    from mrecist.exporting.sdtm.settings import settings_of
    from mrecist.protocol import load_protocol
    from mrecist.tables.trial import TABLES

    kept, _, _ = derivation.load_rules(options.results)
    settings = settings_of(
        kept,
        guide=None,
        terminology=options.ct,
        derived=options.derived,
        formats=options.format,
        study=options.study,
        readers=options.reader,
        qnams=(),
    )
    files = StudyFiles(
        subjects=options.subjects,
        tables={name: path for name in TABLES if (path := getattr(options, name)) is not None},
        visits=options.visits,
    )
    protocol = kept if options.protocol is None else load_protocol(options.protocol)
    return protocol, settings, files


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


def _every(options: Namespace) -> int:
    from mrecist.exporting.every import Asked, export_every
    from mrecist.tables.trial import TABLES

    asked = Asked(
        results=options.results,
        out=options.out,
        subjects=options.subjects,
        tables={name: path for name in TABLES if (path := getattr(options, name)) is not None},
        protocol=options.protocol,
        visits=options.visits,
        images=options.images,
        oid_map=options.map,
        events=options.events,
        study=options.study,
        readers=tuple(options.reader),
    )
    derivation.load_rules(options.results)  # without results nothing can be exported
    code, summary, written = DONE, [], False
    for one in export_every(asked):
        if one.exported is None:
            code = SOME_FAILED if one.failed else code
            summary.append(
                f"{one.name}: {f'left out: {one.left_out}' if one.left_out else f'not written: {one.failed}'}"
            )
            continue
        written = True
        code = max(code, _say(one.exported))
        count, problems = len(one.exported.files), len(one.exported.problems)
        summary.append(f"{one.name}: {count} files{f', {problems} problems' if problems else ''}")
    for line in summary:
        say(f"mrecist: {line}")
    if not written:
        raise InputError(f"{options.results}: nothing could be exported")
    return code


def _say(exported: Exported) -> int:
    for note in exported.notes:
        say(f"mrecist: note: {note}")
    for path in exported.files:
        print(path)
    return outcome(exported.problems)
