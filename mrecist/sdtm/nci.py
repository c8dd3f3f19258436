"""NCI codes of the controlled terms that are written: ``nci_codes.csv``, a part of CDISC SDTM Controlled Terminology.

The codes are concepts of NCI's thesaurus, which keeps them from release to release. A term that is not in the table has no code here.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A codelist by its name, and the code of each of its terms that is known here."""

    name: str
    codes: Mapping[str, str]


@cache
def published_lists() -> Mapping[str, PublishedList]:
    """Code of a codelist -> the list."""
    names: dict[str, str] = {}
    codes: dict[str, dict[str, str]] = {}
    text = files("mrecist.sdtm").joinpath("nci_codes.csv").read_text(encoding="utf-8")
    for cells in csv.DictReader(text.splitlines()):
        names[cells["codelist"]] = cells["name"]
        codes.setdefault(cells["codelist"], {})[cells["term"]] = cells["code"]
    return MappingProxyType({code: PublishedList(name, MappingProxyType(codes[code])) for code, name in names.items()})
