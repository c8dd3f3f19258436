"""What a Define-XML file is put together from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mrecist.datasets.model import Dataset, Row


@dataclass(frozen=True, slots=True)
class Origin:
    """``kind`` is Collected, Derived, Assigned, Protocol, Predecessor or Not Available; ``source`` is who did it."""

    kind: str
    source: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is known of the values of a test beside the data: its label, where they come from (None: as the variable says), how."""

    label: str
    derived: bool | None = None
    method: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """A value of a codelist. ``code`` is that of NCI; ``extended``: the published list does not have it, as far as it is known here."""

    value: str
    decode: str = ""
    code: str = ""
    extended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeList:
    """``code`` is that of the published list, "" for one of the sponsor's."""

    oid: str
    name: str
    code: str
    type: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A variable, or a variable for one test. ``digits`` are those behind the point of a float."""

    oid: str
    name: str
    label: str
    type: str
    length: int | None
    digits: int | None = None
    display: str = ""
    codelist: str = ""
    comment: str = ""
    value_list: str = ""
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemUse:
    """An item in a dataset or in a list of values; ``where`` is the clause of the latter."""

    item: str
    mandatory: bool
    key: int = 0
    method: str = ""
    role: str = ""
    empty: bool = False
    where: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A dataset, and the items in it."""

    dataset: Dataset
    uses: tuple[ItemUse, ...]
    comment: str = ""


@dataclass(slots=True, kw_only=True)
class Parts:
    """All definitions, in the order in which they came up. ``methods`` and ``comments``: words -> (OID, name)."""

    groups: list[Group] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    codelists: dict[tuple[str, tuple[Term, ...]], CodeList] = field(default_factory=dict)
    value_lists: dict[str, list[ItemUse]] = field(default_factory=dict)
    # OID -> the items and the values that they have to have.
    wheres: dict[str, Mapping[str, str]] = field(default_factory=dict)
    methods: dict[str, tuple[str, str]] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)

    def method(self, oid: str, name: str, words: str) -> str:
        """OID of the method with these words, which the first item that has it gives."""
        return self.methods.setdefault(words, (oid, name))[0] if words else ""

    def comment(self, oid: str, words: str) -> str:
        """OID of the comment with these words."""
        return self.comments.setdefault(words, oid) if words else ""


Clause = Mapping[str, str]
"""Variable -> the value that the records of a test have in it."""


def rows_of(dataset: Dataset, clause: Clause) -> tuple[Row, ...]:
    """The records of a test."""
    return tuple(row for row in dataset.rows if all(str(row.get(name) or "") == text for name, text in clause.items()))
