"""A results folder to an ODM file, by a map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mrecist.errors import InputError
from mrecist.exporting.moment import created_at
from mrecist.exporting.naming import Exported
from mrecist.exporting.odm.check import check_equal, check_valid
from mrecist.exporting.odm.clinical import TRANSACTIONS, clinical_data
from mrecist.exporting.odm.document import NAMESPACES, Heading
from mrecist.exporting.odm.metadata import metadata
from mrecist.exporting.odm.oid_map import read_map
from mrecist.exporting.odm.placing import NOT_XML, Placements, place
from mrecist.exporting.odm.template import map_template
from mrecist.exporting.results_fields import FieldKind, field_of
from mrecist.exporting.results_rows import TABLES, ResultRows, read_results
from mrecist.tables import read_rows, write_whole

DEFAULT_TRANSACTION = "Upsert"


def export_odm(
    results: Path,
    out: Path,
    oid_map: Path | None = None,
    *,
    subjects: Path | None = None,
    protocol: Path | None = None,
    version: str = "",
    transaction: str = DEFAULT_TRANSACTION,
    created: str = "",
    file_oid: str = "",
    only_metadata: bool = False,
) -> Exported:
    """Write ``clinical_data.xml``, or with ``only_metadata`` ``metadata.xml``, into ``out`` (docs/edc.md).

    Parameters
    ----------
    results : the folder that ``assess`` or ``score`` wrote.
    oid_map : the map from columns to OIDs; without it that of the protocol.
    subjects, protocol : ``subjects.csv``, and the protocol when the folder keeps none.
    version : ``1.3.2`` or ``2.0``; without it that of the protocol.
    transaction : ``Insert``, ``Update`` or ``Upsert``.
    created : CreationDateTime in ISO 8601, or ``now``; without it midnight of the latest date in the results.
    file_oid : FileOID; without it made from the content.

    Raises
    ------
    InputError : the results or the map cannot be used, or the file would not be valid. A value without a place is a problem.
    """
    if version not in ("", *NAMESPACES) or transaction not in TRANSACTIONS:
        raise InputError(
            f"ODM {version}, {transaction}: give one of {', '.join(NAMESPACES)} and {', '.join(TRANSACTIONS)}"
        )
    if NOT_XML.search(file_oid):
        raise InputError(f"FileOID '{file_oid}' holds a control character, which XML cannot hold")
    rows = read_results(results, subjects, protocol)
    settings = rows.protocol.export.odm
    version = version or settings.version
    if oid_map is None:
        if not settings.oid_map:
            raise InputError("no map of OIDs: give --map, or --map-template for one to begin with")
        oid_map = (protocol.parent if protocol is not None else Path()) / settings.oid_map
    by = read_map(oid_map)
    found = place(rows, by)
    heading = Heading(
        version=version, style=by.settings["style"], created=created_at(created, _days(rows)), file_oid=file_oid
    )
    if only_metadata:
        path, content = out / "metadata.xml", metadata(found, by, heading)
        check_valid(content, version)
    else:
        path, content = out / "clinical_data.xml", clinical_data(found, by, heading, transaction)
        check_valid(content, version)
        check_equal(content, {where: placed.text for where, placed in found.values.items()})
    write_whole(path, content)
    return Exported(
        files=(path,),
        problems=(*rows.problems, *found.problems),
        notes=(*rows.notes, *found.notes, *_of_the_study(found)),
    )


def _of_the_study(found: Placements) -> list[str]:
    return [] if found.values else ["the file holds no value; look at the lines of the map and their where"]


def _days(rows: ResultRows) -> Iterator[str]:
    return (
        text
        for table in TABLES
        for cells in rows.table(table)
        for column, text in cells.items()
        if field_of(table, column).kind is FieldKind.DATE
    )


def write_template(path: Path, style: str, subjects: Path | None = None) -> Exported:
    """Write a map to begin with; raises :class:`InputError` when there is a file already, which a person may have edited."""
    if path.exists():
        raise InputError(f"{path}: is there already; give another name, an edited map is not replaced")
    columns = read_rows(subjects, ("subject",))[0] if subjects is not None else []
    write_whole(path, map_template(style, columns))
    return Exported(files=(path,), problems=(), notes=())
