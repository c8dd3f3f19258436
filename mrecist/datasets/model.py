"""A dataset as a value: variables with what Define-XML has to say of them, and rows."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

Value = str | int | Decimal | datetime.date | None
Row = Mapping[str, Value]


class Type(StrEnum):
    """What the values of a variable are. A ``DATE`` is text (ISO 8601), a ``SAS_DATE`` the same day as a number."""

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    DATE = "date"
    SAS_DATE = "sas-date"

    @property
    def is_number(self) -> bool:
        """Whether SAS keeps it as a number."""
        return self in (Type.INTEGER, Type.FLOAT, Type.SAS_DATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A column.

    ``codelist`` is the NCI code or the name of its controlled terms, ``origin`` one of Define-XML's (Collected, Derived, Assigned,
    Protocol, Predecessor), ``method`` how a derived one is derived, in words. ``core`` and ``role`` are those of the standard.
    """

    name: str
    label: str
    type: Type = Type.TEXT
    codelist: str = ""
    origin: str = ""
    method: str = ""
    role: str = ""
    core: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A table: ``keys`` tell its rows apart, ``structure`` says what one row is, ``kind`` is the class of the standard."""

    name: str
    label: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    keys: tuple[str, ...] = ()
    structure: str = ""
    kind: str = ""

    def __getitem__(self, name: str) -> Variable:
        """The variable of that name."""
        return next(one for one in self.variables if one.name == name)

    def length(self, name: str) -> int:
        """Bytes of the longest text of a variable, at least 1; 8 of a number."""
        if self[name].type.is_number:
            return 8
        return max((len(text_of(row.get(name)).encode("utf-8")) for row in self.rows), default=0) or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """What the datasets follow, as every file and Define-XML state it."""

    study: str
    name: str
    version: str
    terminology: str

    @property
    def oid(self) -> str:
        """The metadata version that the files refer to."""
        return f"MDV.{self.study}.{self.name}.{self.version}"


def text_of(value: Value) -> str:
    """A value as text: a day as ISO 8601, a number in plain notation, nothing as ""."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def without_empty(variables: Iterable[Variable], rows: tuple[Row, ...]) -> tuple[Variable, ...]:
    """The variables without those that are permissible and empty in every row."""
    held = {name for row in rows for name, value in row.items() if value not in (None, "")}
    return tuple(one for one in variables if one.core != "Perm" or one.name in held)
