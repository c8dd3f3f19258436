"""define.xml and the datasets beside it, as another reader than their writer finds them."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

from defusedxml import ElementTree

ODM = "{http://www.cdisc.org/ns/odm/v1.3}"
DEF = "{http://www.cdisc.org/ns/def/v2.1}"
XLINK = "{http://www.w3.org/1999/xlink}"


class Define:
    """A define.xml as its elements say."""

    def __init__(self, path: Path) -> None:
        self.root = ElementTree.parse(path).getroot()
        self.items = self._by_oid("ItemDef")
        self.codelists = self._by_oid("CodeList")
        self.methods = {oid: text_of(one) for oid, one in self._by_oid("MethodDef").items()}
        self.groups = {one.get("Name"): one for one in self.root.iter(f"{ODM}ItemGroupDef")}
        self.wheres = {
            one.get("OID"): {
                check.get(f"{DEF}ItemOID").split(".")[-1]: check.findtext(f"{ODM}CheckValue") for check in one
            }
            for one in self.root.iter(f"{DEF}WhereClauseDef")
        }
        self.lists = {one.get("OID"): one.findall(f"{ODM}ItemRef") for one in self.root.iter(f"{DEF}ValueListDef")}

    def _by_oid(self, name: str) -> dict[str, Any]:
        found = list(self.root.iter(f"{ODM}{name}"))
        assert len({one.get("OID") for one in found}) == len(found)
        return {one.get("OID"): one for one in found}

    def terms(self, item: Any) -> list[Any]:
        reference = item.find(f"{ODM}CodeListRef")
        return (
            []
            if reference is None
            else [one for one in self.codelists[reference.get("CodeListOID")] if one.get("CodedValue")]
        )

    def of_test(self, item: str) -> dict[str, Any]:
        """Clause as text -> the definition of an item for a test."""
        reference = self.items[item].find(f"{DEF}ValueListRef")
        return {
            " ".join(self.wheres[use[0].get("WhereClauseOID")].values()): self.items[use.get("ItemOID")]
            for use in self.lists[reference.get("ValueListOID")]
        }

    def method_of(self, use_of: str) -> str:
        use = next(one for one in self.root.iter(f"{ODM}ItemRef") if one.get("ItemOID") == use_of)
        return self.methods.get(use.get("MethodOID"), "")


def text_of(element: Any) -> str:
    return element.find(f"{ODM}Description").findtext(f"{ODM}TranslatedText")


def origins(item: Any) -> list[tuple[str, str]]:
    return [(one.get("Type"), one.get("Source")) for one in item.findall(f"{DEF}Origin")]


def read(folder: Path) -> dict[str, tuple[list[str], list[dict[str, Any]]]]:
    """Datasets as another reader finds them: names of the variables, and the records with what is there."""
    found = {}
    for path in folder.glob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        names = [column["name"] for column in content["columns"]]
        rows = [{n: v for n, v in zip(names, one, strict=True) if v is not None} for one in content["rows"]]
        found[content["name"]] = names, rows
    return found


def fits(define: Define, item: Any, value: Any) -> None:
    """A value is of the type, no longer than said, and a term of the codelist."""
    if item.get(f"{DEF}DisplayFormat") == "DATE9.":
        value = (datetime.date.fromisoformat(value) - datetime.date(1960, 1, 1)).days  # Dataset-JSON has the day itself
    text = str(value)
    kind, length = item.get("DataType"), item.get("Length")
    patterns = {"integer": r"-?\d+", "float": r"-?\d+(\.\d+)?", "date": r"\d{4}-\d\d-\d\d", "text": r"(?s).+"}
    # A whole number as a JSON double has ".0" behind it.
    text = text.removesuffix(".0") if isinstance(value, float) else text
    assert re.fullmatch(patterns[kind], text), (item.get("OID"), text)
    assert (length is None) == (kind == "date")
    assert length is None or len(text) <= int(length), (item.get("OID"), text)
    if kind == "float":
        assert len(text.partition(".")[2]) <= int(item.get("SignificantDigits"))
    terms = [one.get("CodedValue") for one in define.terms(item)]
    assert not terms or text in terms, (item.get("OID"), text)
