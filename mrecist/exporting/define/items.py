"""Datasets as definitions: every variable of every dataset, and the values of results for each test."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from mrecist.datasets.model import Dataset, Row, Type, Value, Variable, text_of
from mrecist.exporting.define.parts import Clause, Group, Item, ItemUse, Origin, Parts, Told, rows_of
from mrecist.exporting.define.terms import codelist_of
from mrecist.sdtm.codelists import INVESTIGATOR

Describe = Callable[[str, Clause], Told]
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_BY_TEST = {
    **dict.fromkeys(("TRORRES", "TRSTRESC", "TRSTRESN"), ("TRTESTCD",)),
    **dict.fromkeys(("RSORRES", "RSSTRESC"), ("RSCAT", "RSSCAT", "RSTESTCD")),
    "QVAL": ("QNAM",),
    **dict.fromkeys(("AVAL", "AVALC"), ("PARAMCD",)),
}
"""Variable -> what its values are told apart by."""
_UNIT = {"TRORRES": "TRORRESU", "TRSTRESC": "TRSTRESU", "TRSTRESN": "TRSTRESU"}
_FLAGS = {"Y", "N"}
_EMPTY = "The standard expects this variable; nothing was recorded in it."


class Definer:
    """Collects the definitions of datasets.

    ``describe`` says what is known of a test; ``deriver`` is who derived what the results say, "" for the evaluator of the records.
    """

    def __init__(self, describe: Describe, deriver: str) -> None:
        """Start with nothing."""
        self.parts = Parts()
        self._describe = describe
        self._deriver = deriver

    def add(self, dataset: Dataset, comment: str = "") -> None:
        """Define a dataset with all its variables."""
        uses = tuple(self._variable(dataset, variable) for variable in dataset.variables)
        told = self.parts.comment(f"COM.{dataset.name}", comment)
        self.parts.groups.append(Group(dataset=dataset, uses=uses, comment=told))

    def _variable(self, dataset: Dataset, variable: Variable) -> ItemUse:
        rows = _held(dataset.rows, variable.name)
        oid = f"{dataset.name}.{variable.name}"
        by = [name for name in _BY_TEST.get(variable.name, ()) if any(row.get(name) for row in rows)]
        by = [name for name in by if any(one.name == name for one in dataset.variables)]
        if by:
            self._values(dataset, variable, by, rows)
        method = variable.method if rows and not by and variable.origin == "Derived" else ""
        comment = variable.method if rows and variable.origin not in ("Derived", "Predecessor") else ""
        self.parts.items.append(
            _item(
                variable,
                rows,
                oid=f"IT.{oid}",
                label=variable.label,
                codelist="" if by else codelist_of(self.parts, dataset, variable, rows, oid),
                comment=self.parts.comment(f"COM.{oid}" if rows else "COM.EMPTY", comment if rows else _EMPTY),
                value_list=f"VL.{oid}" if by else "",
                origins=() if by else self._origins(dataset, variable, rows),
            )
        )
        return ItemUse(
            item=f"IT.{oid}",
            mandatory=variable.core == "Req",
            key=dataset.keys.index(variable.name) + 1 if variable.name in dataset.keys else 0,
            method=self.parts.method(f"MT.{oid}", f"Algorithm for {oid}", method),
            role=variable.role,
            empty=not rows,
        )

    def _values(self, dataset: Dataset, variable: Variable, by: Sequence[str], rows: Sequence[Row]) -> None:
        uses = []
        for clause in _clauses(rows, by):
            name = ".".join(_safe(text) for text in clause.values() if text)
            where, oid = f"WC.{dataset.name}.{name}", f"{dataset.name}.{variable.name}.{name}"
            self.parts.wheres[where] = {f"IT.{dataset.name}.{key}": text for key, text in clause.items() if text}
            uses.append(self._value(dataset, variable, clause, where, oid))
        self.parts.value_lists[f"VL.{dataset.name}.{variable.name}"] = uses

    def _value(self, dataset: Dataset, variable: Variable, clause: Clause, where: str, oid: str) -> ItemUse:
        rows = _held(rows_of(dataset, clause), variable.name)
        told = self._describe(dataset.name, clause)
        origins, method = self._of_test(dataset, variable, rows, told)
        item = _item(
            variable,
            rows,
            oid=f"IT.{oid}",
            label=_labelled(variable, rows, told),
            codelist=self._list_of_values(dataset, variable, rows, oid),
            origins=origins,
            of_test=True,
        )
        self.parts.items.append(item)
        return ItemUse(
            item=item.oid,
            mandatory=False,
            method=self.parts.method(f"MT.{oid}", f"Algorithm for {told.label}", method),
            where=where,
        )

    def _of_test(
        self, dataset: Dataset, variable: Variable, rows: Sequence[Row], told: Told
    ) -> tuple[tuple[Origin, ...], str]:
        if told.derived:
            sources = [self._deriver] if self._deriver else _evaluators(dataset, rows)
            return tuple(Origin("Derived", source) for source in sources), told.method
        if "QORIG" in {one.name for one in dataset.variables}:
            kinds = sorted({text_of(row.get("QORIG")) for row in rows})
            return tuple(one for kind in kinds for one in self._origin(dataset, kind, rows)), ""
        method = variable.method if variable.origin == "Derived" else ""
        return self._origins(dataset, variable, rows), method

    def _list_of_values(self, dataset: Dataset, variable: Variable, rows: Sequence[Row], oid: str) -> str:
        texts = {text_of(row.get(variable.name)) for row in rows}
        if variable.name == "QVAL" and texts <= _FLAGS:
            flag = Variable(name="QVAL", label=variable.label, codelist="C66742")
            return codelist_of(self.parts, dataset, flag, rows, oid)
        if all(_NUMBER.fullmatch(text) for text in texts):
            return ""
        return codelist_of(self.parts, dataset, variable, rows, oid)

    def _origins(self, dataset: Dataset, variable: Variable, rows: Sequence[Row]) -> tuple[Origin, ...]:
        if not rows:
            return (Origin("Not Available"),)
        if variable.origin == "Predecessor":
            return (Origin("Predecessor", words=variable.method or variable.name),)
        return self._origin(dataset, variable.origin, rows)

    def _origin(self, dataset: Dataset, kind: str, rows: Sequence[Row]) -> tuple[Origin, ...]:
        if kind != "Collected":
            return (Origin(kind, "Sponsor"),) if kind else ()
        return tuple(Origin(kind, source) for source in _evaluators(dataset, rows))


def _evaluators(dataset: Dataset, rows: Iterable[Row]) -> list[str]:
    """Who recorded the records: the investigator, or a vendor, which an independent assessor is."""
    names = {one.name for one in dataset.variables}
    column = "QEVAL" if "QEVAL" in names else f"{dataset.name}EVAL"
    independent = {column in names and text_of(row.get(column)) not in ("", INVESTIGATOR) for row in rows}
    return ["Vendor" if one else "Investigator" for one in sorted(independent)]


def _held(rows: Iterable[Row], name: str) -> tuple[Row, ...]:
    return tuple(row for row in rows if row.get(name) not in (None, ""))


def _clauses(rows: Iterable[Row], by: Sequence[str]) -> Iterator[Clause]:
    found = sorted({tuple(text_of(row.get(name)) for name in by) for row in rows})
    return (dict(zip(by, texts, strict=True)) for texts in found)


def _labelled(variable: Variable, rows: Sequence[Row], told: Told) -> str:
    """The name of the test, with its unit where all results have one."""
    if variable.name == "QVAL":
        return text_of(rows[0].get("QLABEL"))
    if variable.name in ("AVAL", "AVALC"):
        return text_of(rows[0].get("PARAM")) or told.label
    units = {text_of(row.get(_UNIT.get(variable.name, ""))) for row in rows}
    unit = next(iter(units)) if len(units) == 1 else ""
    return f"{told.label} ({unit})" if unit else told.label


def _safe(text: str) -> str:
    return re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_")


# --- types and lengths -----------------------------------------------------------------------------------------------


def _item(
    variable: Variable,
    rows: Sequence[Row],
    *,
    oid: str,
    label: str,
    codelist: str,
    origins: tuple[Origin, ...],
    comment: str = "",
    value_list: str = "",
    of_test: bool = False,
) -> Item:
    values = [row.get(variable.name) for row in rows]
    kind, length, digits = _typed(variable, values, of_test=of_test)
    return Item(
        oid=oid,
        name=variable.name,
        label=label,
        type=kind,
        length=length,
        digits=digits,
        display="DATE9." if variable.type is Type.SAS_DATE else "",
        codelist=codelist,
        comment=comment,
        value_list=value_list,
        origins=origins,
    )


def _typed(variable: Variable, values: Sequence[Value], *, of_test: bool) -> tuple[str, int | None, int | None]:
    """DataType, Length and SignificantDigits. A text of one test that is always a number is that number."""
    texts = [text_of(value) for value in values]
    if variable.type is Type.SAS_DATE:
        return "integer", max((len(str(_sas_day(value))) for value in values), default=1), None
    if variable.type is Type.DATE:
        return ("date" if all(_DAY.fullmatch(text) for text in texts) else "partialDate"), None, None
    number = variable.type.is_number or (of_test and bool(texts) and all(_NUMBER.fullmatch(text) for text in texts))
    if not number:
        return "text", max((len(text.encode()) for text in texts), default=0) or 1, None
    digits = max((len(text.partition(".")[2]) for text in texts), default=0)
    length = max((len(text) for text in texts), default=0) or 1
    if variable.type is Type.FLOAT or digits:
        return "float", length, digits
    return "integer", length, None


def _sas_day(value: Value) -> int:
    day = value if isinstance(value, datetime.date) else datetime.date.fromisoformat(text_of(value))
    return (day - datetime.date(1960, 1, 1)).days
