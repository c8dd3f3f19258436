"""SDTM datasets as rows of text: SAS XPT version 5, Dataset-JSON 1.1 and 1.0, CSV.

A number of a binary format becomes the shortest decimal that it stands for (15 digits), so 9.8 is 9.8; a number of a text format
keeps its digits.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from mrecist.errors import InputError
from mrecist.sdtm import terms
from mrecist.tables import read_rows

_DOMAINS = ("tu", "tr", "supptu", "supptr")
SUFFIXES = (".xpt", ".json", ".ndjson", ".csv")
# A result may be the category NA; elsewhere NA in a CSV is how R writes an empty cell.
_MAY_BE_NA = ("RSORRES", "RSSTRESC")


Rows = list[dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of a dataset; ``where`` names it in messages."""

    where: str
    cells: dict[str, str]

    def __getitem__(self, name: str) -> str:
        """The cell of a variable; empty when the dataset does not have it."""
        return self.cells.get(name, "")

    def term(self, name: str) -> str:
        """The cell as a controlled term: capitals, single spaces."""
        return terms.folded(self[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """The rows of one domain, from one file or from several that are parts of it."""

    domain: str
    paths: tuple[Path, ...]
    records: tuple[Record, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The datasets found: tumour identification (may be empty) and tumour results, and their supplemental qualifiers, if any."""

    tu: Dataset
    tr: Dataset
    supptu: Dataset | None = None
    supptr: Dataset | None = None


def is_sdtm(paths: Sequence[Path]) -> bool:
    """Whether ``assess`` was given SDTM: a folder, several files, a file that is no CSV, or a CSV with USUBJID."""
    if len(paths) != 1 or paths[0].is_dir() or paths[0].suffix.casefold() in SUFFIXES[:-1]:
        return True
    try:
        with paths[0].open(encoding="utf-8-sig") as file:
            return terms.SUBJECT in file.readline().replace('"', "").upper().strip().split(",")
    except (OSError, UnicodeDecodeError):
        return False


def open_sources(paths: Sequence[Path]) -> Sources:
    """TU and TR from a folder that holds ``tu.*`` and ``tr.*``, or from files named one by one.

    Raises :class:`InputError` when there is no TR, a domain stands in a folder twice, or a file is no such dataset.
    """
    files = [file for path in paths for file in (_in_folder(path, _DOMAINS) if path.is_dir() else [path])]
    found: dict[str, list[Dataset]] = {}
    for file in files:
        dataset = read_dataset(file)
        found.setdefault(dataset.domain, []).append(dataset)
    where = ", ".join(str(path) for path in paths)
    other = sorted(set(found) - {name.upper() for name in _DOMAINS})
    if other:
        raise InputError(f"{where}: holds {', '.join(other)}; assess reads TU and TR, give RS with --compare")
    if "TR" not in found:
        raise InputError(f"{where}: no tumour results; give TR (tr.xpt, tr.json or tr.csv), and TU with it")
    return Sources(
        tu=_joined("TU", found.get("TU", [])),
        tr=_joined("TR", found["TR"]),
        supptu=_joined("SUPPTU", found["SUPPTU"]) if "SUPPTU" in found else None,
        supptr=_joined("SUPPTR", found["SUPPTR"]) if "SUPPTR" in found else None,
    )


def open_responses(path: Path) -> Dataset:
    """RS from a file, or from a folder that holds ``rs.*``; raises :class:`InputError`."""
    files = _in_folder(path, ("rs",)) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path}: no rs.xpt, rs.json or rs.csv in this folder; give the file of the RS dataset")
    dataset = read_dataset(files[0])
    if dataset.domain != "RS":
        raise InputError(f"{files[0]}: is {dataset.domain}, not RS; --compare takes the reported responses")
    return dataset


def _in_folder(folder: Path, stems: tuple[str, ...]) -> list[Path]:
    found = []
    for stem in stems:
        same = [p for p in sorted(folder.iterdir()) if p.stem.casefold() == stem and p.suffix.casefold() in SUFFIXES]
        if len(same) > 1:
            names = ", ".join(p.name for p in same)
            raise InputError(
                f"{folder}: {stem.upper()} stands there {len(same)} times ({names}); name the files to use"
            )
        found += same
    return found


def _joined(domain: str, parts: list[Dataset]) -> Dataset:
    return Dataset(
        domain=domain,
        paths=tuple(path for part in parts for path in part.paths),
        records=tuple(record for part in parts for record in part.records),
        notes=tuple(note for part in parts for note in part.notes),
    )


def read_dataset(path: Path) -> Dataset:
    """One SDTM dataset; its domain is what its variables say, not its name.

    Raises :class:`InputError` when the file cannot be read or is not TU, TR or RS.
    """
    names, rows, notes = read_variables(path)
    domain = _domain(path, names, rows)
    records = tuple(Record(where=f"{path.name} row {n}", cells=cells) for n, cells in enumerate(rows, start=1))
    if not records:
        raise InputError(f"{path}: has no rows; nothing to read")
    return Dataset(domain=domain, paths=(path,), records=records, notes=notes)


def read_variables(path: Path) -> tuple[list[str], Rows, tuple[str, ...]]:
    """The variables, rows and notes of any dataset, whatever its domain; raises :class:`InputError` when it cannot be read."""
    suffix = path.suffix.casefold()
    if not path.is_file():
        raise InputError(f"{path}: is not there; give a folder with TU and TR, or their files")
    readers = {".xpt": _xpt, ".json": _json, ".ndjson": _ndjson, ".csv": _csv}
    if suffix not in readers:
        raise InputError(f"{path}: ends in '{suffix}', not one of {', '.join(SUFFIXES)}")
    names, rows = readers[suffix](path)
    if suffix == ".csv":
        rows, notes = _without_na(path, rows)
        return names, rows, notes
    return names, rows, ()


def _domain(path: Path, names: Iterable[str], rows: Rows) -> str:
    if "QNAM" in names:
        missing = [name for name in ("RDOMAIN", terms.SUBJECT, "IDVAR", "IDVARVAL", "QVAL") if name not in names]
        if missing:
            raise InputError(f"{path}: has QNAM and no {', '.join(missing)}; add the variable")
        return f"SUPP{rows[0]['RDOMAIN'].upper()}" if rows else "SUPPTR"
    for domain, required in terms.REQUIRED.items():
        if f"{domain}TESTCD" in names:
            missing = [name for name in required if name not in names]
            if missing:
                raise InputError(f"{path}: is {domain} without {', '.join(missing)}; add the variable")
            return domain
    raise InputError(f"{path}: has no TUTESTCD, TRTESTCD or RSTESTCD, so it is not TU, TR or RS")


def _csv(path: Path) -> tuple[list[str], Rows]:
    _, lines = read_rows(path, ())
    rows = [{name.upper(): value for name, value in cells.items()} for _, cells in lines]
    return (list(rows[0]) if rows else []), rows


def _without_na(path: Path, rows: Rows) -> tuple[Rows, tuple[str, ...]]:
    count = 0
    for cells in rows:
        for name, value in cells.items():
            if value == "NA" and name not in _MAY_BE_NA:
                cells[name] = ""
                count += 1
    return rows, ((f"{path.name}: {count} cells hold NA, read as empty",) if count else ())


def _xpt(path: Path) -> tuple[list[str], Rows]:
    try:
        import pyreadstat
    except ImportError:
        raise InputError(
            f"{path}: SAS XPT needs the package pyreadstat, which is not installed; pip install 'mrecist[exports]'"
        ) from None
    try:
        columns, _ = pyreadstat.read_xport(str(path), output_format="dict", disable_datetime_conversion=True)
    except (pyreadstat.ReadstatError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not a readable SAS XPT file ({error}); export it again as version 5") from None
    names = [str(name).upper() for name in columns]
    values = [[_text(value) for value in column] for column in columns.values()]
    return names, [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def _text(value: Any) -> str:
    """A cell as text; a double as the decimal that was recorded, a missing number as nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        return str(value)
    if value != value:
        return ""
    text = format(Decimal(f"{float(value):.15g}"), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _json(path: Path) -> tuple[list[str], Rows]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"), parse_float=str, parse_int=str)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not valid JSON ({error}); mend the file") from None
    return _dataset_json(path, content, None)


def _ndjson(path: Path) -> tuple[list[str], Rows]:
    try:
        lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        head, *rows = [json.loads(line, parse_float=str, parse_int=str) for line in lines]
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: is not valid NDJSON ({error}); mend the file") from None
    return _dataset_json(path, head, rows)


def _dataset_json(path: Path, content: Any, rows: list[Any] | None) -> tuple[list[str], Rows]:
    """Dataset-JSON 1.1 (``columns``, ``rows``) or 1.0 (``items``, ``itemData`` below ``clinicalData``)."""
    try:
        if "columns" in content:
            names = [str(column["name"]).upper() for column in content["columns"]]
            rows = content["rows"] if rows is None else rows
        else:
            groups = next(content[key] for key in ("clinicalData", "referenceData") if key in content)["itemGroupData"]
            (group,) = groups.values()
            names = [str(item["name"]).upper() for item in group["items"]]
            rows = group["itemData"]
        return names, list(_json_rows(names, rows))
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration):
        raise InputError(
            f"{path}: is not Dataset-JSON; it needs 'columns' with names and 'rows' of the same length"
        ) from None


def _json_rows(names: list[str], rows: Iterable[Any]) -> Iterator[dict[str, str]]:
    for row in rows:
        yield {name: _text(value) for name, value in zip(names, row, strict=True)}
