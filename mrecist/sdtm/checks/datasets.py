"""The datasets that are checked: the tumour domains and what they point to, as they stand in the files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mrecist.errors import InputError
from mrecist.sdtm.datasets import SUFFIXES, Record, read_variables
from mrecist.sdtm.read import reader_in

TUMOUR = ("TU", "TR", "RS")
DOMAINS = (*TUMOUR, "RELREC", "DM", "PR", "SV", *(f"SUPP{name}" for name in (*TUMOUR, "PR", "DM", "SV")))
# A dataset, or a part of it: tr.xpt, tr1.xpt.
_STEM = re.compile(rf"({'|'.join(DOMAINS)})(\d*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The records of a dataset with the names of its variables."""

    domain: str
    name: str
    variables: frozenset[str]
    records: tuple[Record, ...]

    def has(self, *names: str) -> bool:
        """Whether all of these are variables of the dataset."""
        return self.variables.issuperset(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """The tables by domain, and the terms by which the study extends a codelist (codelist -> terms)."""

    tables: Mapping[str, Table]
    extended: Mapping[str, frozenset[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def tumour(self) -> Iterator[Table]:
        """Those of TU, TR and RS that are there."""
        return (self.tables[name] for name in TUMOUR if name in self.tables)

    def records(self, domain: str) -> tuple[Record, ...]:
        """The records of a domain; none when it is not there."""
        return self.tables[domain].records if domain in self.tables else ()

    def has(self, domain: str, *names: str) -> bool:
        """Whether the domain is there and has these variables."""
        return domain in self.tables and self.tables[domain].has(*names)


def by_reader(records: Iterable[Record], domain: str) -> dict[tuple[str, str], list[Record]]:
    """(subject, reader) -> records."""
    found: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        found.setdefault((record["USUBJID"], reader_in(record, domain)), []).append(record)
    return found


def open_study(paths: Sequence[Path], extended: Mapping[str, frozenset[str]] | None = None) -> Study:
    """The datasets in a folder, or in files that are named one by one.

    Raises :class:`InputError` when a file cannot be read, a dataset stands in a folder in two formats, or none is TU, TR or RS.
    """
    files = [file for path in paths for file in (_in_folder(path) if path.is_dir() else [path])]
    parts: dict[str, list[Table]] = {}
    notes: list[str] = []
    for file in files:
        table, told = _table(file)
        parts.setdefault(table.domain, []).append(table)
        notes += told
    if not parts.keys() & set(TUMOUR):
        where = ", ".join(str(path) for path in paths)
        raise InputError(
            f"{where}: no TU, TR or RS (tu, tr, rs with {', '.join(SUFFIXES)}); name the folder or the files"
        )
    tables = {domain: _joined(domain, same) for domain, same in parts.items()}
    return Study(tables=tables, extended=extended or {}, notes=tuple(notes))


def _in_folder(folder: Path) -> list[Path]:
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.casefold() in SUFFIXES and _STEM.fullmatch(path.stem):
            other = found.setdefault(path.stem.casefold(), path)
            if other != path:
                raise InputError(
                    f"{folder}: {path.stem.upper()} stands there twice ({other.name}, {path.name}); name the files to check"
                )
    return list(found.values())


def _table(path: Path) -> tuple[Table, tuple[str, ...]]:
    names, rows, notes = read_variables(path)
    records = tuple(Record(where=f"{path.name} row {n}", cells=cells) for n, cells in enumerate(rows, start=1))
    table = Table(domain=_domain(path, names, records), name=path.name, variables=frozenset(names), records=records)
    return table, notes


def _domain(path: Path, names: Sequence[str], records: Sequence[Record]) -> str:
    """What the variables say it is, else the name of the file."""
    if "QNAM" in names and records:
        return f"SUPP{records[0].term('RDOMAIN')}"
    if "RELID" in names:
        return "RELREC"
    for domain in TUMOUR:
        if f"{domain}TESTCD" in names:
            return domain
    named = _STEM.fullmatch(path.stem)
    if named is not None:
        return named[1].upper()
    raise InputError(f"{path}: is none of {', '.join(DOMAINS)} by its variables or its name; leave it out or rename it")


def _joined(domain: str, parts: Sequence[Table]) -> Table:
    return Table(
        domain=domain,
        name=", ".join(part.name for part in parts),
        variables=frozenset().union(*(part.variables for part in parts)),
        records=tuple(record for part in parts for record in part.records),
    )
