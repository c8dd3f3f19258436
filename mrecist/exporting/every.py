"""Every export of one results folder, each into a folder of its own: ``mrecist export all``.

A new export is a line of :data:`TARGETS`. One that cannot be written stops those that need it, and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mrecist import derivation
from mrecist.errors import MrecistError
from mrecist.exporting.adam.inputs import StudyFiles
from mrecist.exporting.adam.run import export_adam
from mrecist.exporting.define.of_adam import define_of_adam
from mrecist.exporting.define.of_sdtm import define_of_sdtm
from mrecist.exporting.define.run import export_define
from mrecist.exporting.naming import Exported
from mrecist.exporting.odm.export import export_odm, write_template
from mrecist.exporting.redcap.export import export_redcap
from mrecist.exporting.sdtm.inputs import Given
from mrecist.exporting.sdtm.run import export_sdtm
from mrecist.exporting.sdtm.settings import SdtmSettings, settings_of
from mrecist.protocol import Protocol, load_protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What there is to export: the results, and the files beside them. What is not given is not exported, or as the protocol says.

    ``tables`` are those of ``mrecist endpoints`` by name; ``protocol`` the one with the endpoints, by default that of the results.
    """

    results: Path
    out: Path
    subjects: Path | None = None
    tables: Mapping[str, Path] = field(default_factory=dict)
    protocol: Path | None = None
    visits: Path | None = None
    images: Path | None = None
    oid_map: Path | None = None
    events: Path | None = None
    study: str = ""
    readers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An export. ``after`` is what it stands on; ``absent`` says why it is left out, "" when it is not."""

    name: str
    run: Callable[[Asked], Exported]
    after: str = ""
    absent: Callable[[Asked], str] = lambda _: ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a target: what it wrote, or why it was left out or failed."""

    name: str
    exported: Exported | None = None
    left_out: str = ""
    failed: str = ""


def export_every(asked: Asked) -> Iterator[Outcome]:
    """Run every target in turn; an error of one is its outcome."""
    written: set[str] = set()
    for target in TARGETS:
        why = target.absent(asked)
        if not why and target.after and target.after not in written:
            why = f"{target.after} was not written"
        if why:
            yield Outcome(name=target.name, left_out=why)
            continue
        try:
            exported = target.run(asked)
        except MrecistError as error:
            yield Outcome(name=target.name, failed=str(error))
        except OSError as error:
            yield Outcome(name=target.name, failed=f"{error.filename or 'file'}: {error.strerror or error}")
        else:
            written.add(target.name)
            yield Outcome(name=target.name, exported=exported)


def _of_sdtm(asked: Asked) -> tuple[SdtmSettings, Given]:
    protocol, _, _ = derivation.load_rules(asked.results)
    settings = settings_of(
        protocol,
        guide=None,
        terminology=None,
        derived=None,
        formats=None,
        study=asked.study,
        readers=asked.readers,
        qnams=(),
    )
    given = Given(
        subjects=asked.subjects,
        procedures=asked.tables.get("procedures"),
        occurrences=asked.tables.get("occurrences"),
        visits=asked.visits,
        images=asked.images,
    )
    return settings, given


def _of_adam(asked: Asked) -> tuple[Protocol, SdtmSettings, StudyFiles]:
    assert asked.subjects is not None
    settings, _ = _of_sdtm(asked)
    kept, _, _ = derivation.load_rules(asked.results)
    protocol = kept if asked.protocol is None else load_protocol(asked.protocol)
    return protocol, settings, StudyFiles(subjects=asked.subjects, tables=asked.tables, visits=asked.visits)


def _sdtm(asked: Asked) -> Exported:
    settings, given = _of_sdtm(asked)
    return export_sdtm(asked.results, asked.out / "sdtm", settings, given)


def _adam(asked: Asked) -> Exported:
    return export_adam(asked.results, asked.out / "adam", *_of_adam(asked))


def _define_adam(asked: Asked) -> Exported:
    return export_define("adam", lambda: define_of_adam(asked.results, *_of_adam(asked)), asked.out / "adam")


def _define_sdtm(asked: Asked) -> Exported:
    return export_define("sdtm", lambda: define_of_sdtm(asked.results, *_of_sdtm(asked)), asked.out / "sdtm")


def _odm(asked: Asked) -> Exported:
    """By the map that is given, or the protocol's; else by a template, which has OIDs of ours."""
    out = asked.out / "odm"
    protocol, _, _ = derivation.load_rules(asked.results)
    if asked.oid_map is not None or protocol.export.odm.oid_map:
        return export_odm(asked.results, out, asked.oid_map, subjects=asked.subjects)
    template = out / "oids.csv"
    files = () if template.is_file() else write_template(template, "odm", asked.subjects).files
    exported = export_odm(asked.results, out, template, subjects=asked.subjects)
    note = f"{template}: no map was given, so the OIDs are made up; put in those of the database, and give it as --map"
    return Exported(
        files=(*files, *exported.files), problems=exported.problems, notes=tuple(dict.fromkeys((note, *exported.notes)))
    )


def _redcap(asked: Asked) -> Exported:
    return export_redcap(asked.results, asked.out / "redcap", subjects=asked.subjects, events=asked.events)


def _seg(asked: Asked) -> Exported:
    from mrecist.exporting.segmentations import export_segmentations

    assert asked.images is not None
    return export_segmentations(asked.images, asked.out / "seg")


def _sr(asked: Asked) -> Exported:
    from mrecist.exporting.reports import export_reports

    assert asked.images is not None
    segmentations = asked.out / "seg"
    return export_reports(
        asked.results, asked.images, asked.out / "sr", segmentations=segmentations if segmentations.is_dir() else None
    )


def _no_subjects(asked: Asked) -> str:
    return "" if asked.subjects is not None else "no --subjects"


def _no_images(asked: Asked) -> str:
    return "" if asked.images is not None else "no --images"


TARGETS = (
    Target(name="sdtm", run=_sdtm),
    Target(name="define sdtm", run=_define_sdtm, after="sdtm"),
    Target(name="adam", run=_adam, absent=_no_subjects),
    Target(name="define adam", run=_define_adam, after="adam", absent=_no_subjects),
    Target(name="odm", run=_odm),
    Target(name="redcap", run=_redcap),
    Target(name="seg", run=_seg, absent=_no_images),
    Target(name="sr", run=_sr, absent=_no_images),
)
