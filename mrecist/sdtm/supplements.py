"""SUPPTU and SUPPTR: each qualifier becomes a cell of the record that it belongs to, and those known here become columns of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from mrecist.model import Basis, Change, Cytology, LocalTherapy, Pattern, YesNo
from mrecist.sdtm.datasets import Dataset, Record
from mrecist.units import parse_size

_YES_NO = {"Y": YesNo.YES, "N": YesNo.NO}
# QNAM as `export sdtm` writes it -> column of a measurement, what reads it; raises ValueError or KeyError for any other word.
FACTS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "TRPHASE": ("phase", str),
    "TRPATTRN": ("pattern", lambda text: Pattern(text.casefold())),
    "TRCHANGE": ("change", lambda text: Change(text.casefold())),
    "TRINTNOD": ("intratumoral_nodule", lambda text: Change(text.casefold())),
    "TRCYTOL": ("cytology", lambda text: Cytology(text.casefold())),
    "TRLOCTRT": ("local_therapy", lambda text: LocalTherapy(text.casefold())),
    "TRLIPIOD": ("lipiodol", _YES_NO.__getitem__),
    "TRVFOCI": ("viable_foci_mm", lambda text: tuple(parse_size(one) for one in text.split(";"))),
}
BASIS = "TUBASIS"


def with_qualifiers(dataset: Dataset, supplement: Dataset | None) -> Dataset:
    """The dataset with the qualifiers of its supplement as cells; a variable of that name is never overwritten.

    A qualifier belongs to the record of its subject whose IDVAR has the value IDVARVAL.
    """
    if supplement is None:
        return dataset
    added: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in supplement.records:
        key = row["USUBJID"], row["IDVAR"], row["IDVARVAL"]
        added.setdefault(key, {})[row.term("QNAM")] = row["QVAL"]
    variables = dict.fromkeys(row["IDVAR"] for row in supplement.records)
    records = []
    for record in dataset.records:
        more: dict[str, str] = {}
        for name in variables:
            more |= added.get((record["USUBJID"], name, record[name]), {})
        records.append(replace(record, cells={**more, **record.cells}) if more else record)
    return replace(dataset, records=tuple(records))


def facts_of(records: Iterable[Record], notes: list[str]) -> dict[str, Any]:
    """Columns of a row that the qualifiers of its records fill; another word than those written here is noted and not used."""
    found: dict[str, Any] = {}
    for record in records:
        for qnam, (column, read) in FACTS.items():
            if record[qnam] and column not in found:
                try:
                    found[column] = read(record[qnam])
                except (ValueError, KeyError):
                    notes.append(f"{qnam} is '{record[qnam]}', which is not known here, and is not used")
    return found


def basis_of(record: Record, notes: list[str]) -> Basis | None:
    """The diameter by which a target is followed, where a qualifier of TU says it."""
    if not record[BASIS]:
        return None
    try:
        return Basis(record[BASIS].casefold())
    except ValueError:
        notes.append(f"{BASIS} is '{record[BASIS]}', which is not known here, and is not used")
        return None
