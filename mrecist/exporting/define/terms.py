"""Codelists by what the data hold: the terms that are there, with the codes of the published list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mrecist.datasets.model import Dataset, Row, Variable, text_of
from mrecist.exporting.define.parts import CodeList, Parts, Term
from mrecist.sdtm.checks.codelists import CODELISTS
from mrecist.sdtm.nci import published_lists

_OWN = ("PARAMCD", "PARAMN", "QNAM")
"""Variables whose values are the sponsor's, and whose meaning is in another variable."""
_DECODES = {"PARAMCD": "PARAM", "PARAMN": "PARAM", "QNAM": "QLABEL"}


def codelist_of(parts: Parts, dataset: Dataset, variable: Variable, rows: Sequence[Row], oid: str) -> str:
    """OID of the codelist of a variable in some records, "" where it has none; it is made when nothing has the same one yet."""
    code = variable.codelist or (variable.name if variable.name in _OWN else "")
    decodes = _decodes(dataset, variable, rows)
    if not code or not decodes:
        return ""
    published = published_lists().get(code)
    codes = published.codes if published is not None else {}
    terms = tuple(
        Term(value, decode, codes.get(value, ""), published is not None and _is_ours(code, value, codes))
        for value, decode in sorted(decodes.items())
    )
    known = parts.codelists.get((code, terms))
    if known is None:
        is_published = code.startswith("C") and code[1:].isdigit()
        known = CodeList(
            oid=f"CL.{oid}",
            name=f"{published.name if published is not None else code} ({oid})",
            code=code if is_published else "",
            type="integer" if variable.type.is_number else "text",
            terms=terms,
        )
        parts.codelists[code, terms] = known
    return known.oid


def _is_ours(code: str, value: str, codes: Mapping[str, str]) -> bool:
    """Whether a value extends a published list. Most are known whole; of the others the terms that have a code here."""
    whole = next((one.terms for one in CODELISTS if one.code == code), None)
    return value not in (codes if whole is None else whole)


def _decodes(dataset: Dataset, variable: Variable, rows: Sequence[Row]) -> dict[str, str]:
    other = _DECODES.get(variable.name) or variable.name.removesuffix("CD")
    has = other != variable.name and any(one.name == other for one in dataset.variables)
    found: dict[str, str] = {}
    for row in rows:
        if value := text_of(row.get(variable.name)):
            found.setdefault(value, text_of(row.get(other)) if has else "")
    return found
