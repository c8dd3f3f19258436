"""Definitions as Define-XML 2.1, in the order that its schema asks for, and as HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from mrecist.datasets.model import Dataset, Standard
from mrecist.exporting.define.parts import CodeList, Group, Item, ItemUse, Parts
from mrecist.exporting.extra import library
from mrecist.exporting.odm.document import PREFIXES, Heading, Tree

CONTEXT, VERSION = "Submission", "2.1.0"
_NCI = "nci:ExtCodeID"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the file says of the study. ``files`` is dataset -> path of its file beside define.xml, with slashes."""

    standard: Standard
    title: str
    created: str
    files: Mapping[str, str]
    comment: str


def define_xml(parts: Parts, about: About) -> bytes:
    """The file; the same bytes for the same definitions."""
    tree = Tree(Heading(version="1.3.2", style="define", created=about.created), "Snapshot", "")
    tree.root.set(f"{{{PREFIXES['def']}}}Context", CONTEXT)
    study = tree.add(tree.root, "Study", {"OID": f"STD.{about.standard.study}"})
    names = tree.add(study, "GlobalVariables")
    tree.add(names, "StudyName", text=about.standard.study)
    tree.add(names, "StudyDescription", text=about.title or about.standard.study)
    tree.add(names, "ProtocolName", text=about.standard.study)
    writer = _Writer(tree, study, about, parts)
    writer.standards()
    writer.values()
    for group in parts.groups:
        writer.group(group)
    for item in parts.items:
        writer.item(item)
    for codelist in parts.codelists.values():
        writer.codelist(codelist)
    writer.words()
    return tree.to_bytes()


class _Writer:
    """The children of MetaDataVersion."""

    def __init__(self, tree: Tree, study: Any, about: About, parts: Parts) -> None:
        self._tree, self._about, self._parts = tree, about, parts
        standard = about.standard
        self._version = tree.add(
            study,
            "MetaDataVersion",
            {
                "OID": standard.oid,
                "Name": f"{standard.study}, {standard.name} {standard.version}",
                "Description": f"Datasets of study {standard.study} by {standard.name} {standard.version}",
                "def:DefineVersion": VERSION,
                "def:CommentOID": parts.comment("COM.MDV", about.comment),
            },
        )

    def standards(self) -> None:
        standard = self._about.standard
        found = self._tree.add(self._version, "def:Standards")
        described = {"OID": "STD.IG", "Name": standard.name, "Type": "IG", "Version": standard.version}
        self._tree.add(found, "def:Standard", {**described, "Status": "Final"})
        terms = {"OID": "STD.CT", "Name": "CDISC/NCI", "Type": "CT", "PublishingSet": "SDTM"}
        self._tree.add(found, "def:Standard", {**terms, "Version": standard.terminology, "Status": "Final"})

    def values(self) -> None:
        for oid, uses in self._parts.value_lists.items():
            self._uses(self._tree.add(self._version, "def:ValueListDef", {"OID": oid}), uses)
        for oid, wanted in self._parts.wheres.items():
            clause = self._tree.add(self._version, "def:WhereClauseDef", {"OID": oid})
            for item, value in wanted.items():
                check = {"Comparator": "EQ", "SoftHard": "Soft", "def:ItemOID": item}
                self._tree.add(self._tree.add(clause, "RangeCheck", check), "CheckValue", text=value)

    def group(self, group: Group) -> None:
        dataset = group.dataset
        analysis = self._about.standard.name.startswith("ADaM")
        found = self._tree.add(
            self._version,
            "ItemGroupDef",
            {
                "OID": f"IG.{dataset.name}",
                "Name": dataset.name,
                "Repeating": "No" if set(dataset.keys) <= {"STUDYID", "USUBJID"} else "Yes",
                "IsReferenceData": "No",
                "SASDatasetName": dataset.name,
                "Domain": "" if analysis else dataset.name.removeprefix("SUPP"),
                "Purpose": "Analysis" if analysis else "Tabulation",
                "def:Structure": dataset.structure,
                "def:ArchiveLocationID": f"LF.{dataset.name}",
                "def:StandardOID": "STD.IG",
                "def:CommentOID": group.comment,
            },
        )
        self._tree.translated(found, "Description", dataset.label)
        self._uses(found, group.uses)
        kind = self._tree.add(found, "def:Class", {"Name": dataset.kind})
        if any(one.name == "CNSR" for one in dataset.variables):
            self._tree.add(kind, "def:SubClass", {"Name": "TIME-TO-EVENT"})
        self._leaf(found, dataset)

    def _leaf(self, parent: Any, dataset: Dataset) -> None:
        path = self._about.files[dataset.name]
        leaf = self._tree.add(parent, "def:leaf", {"ID": f"LF.{dataset.name}", "xlink:href": path})
        self._tree.add(leaf, "def:title", text=path.rpartition("/")[2])

    def _uses(self, parent: Any, uses: Iterable[ItemUse]) -> None:
        for number, use in enumerate(uses, start=1):
            reference = {
                "ItemOID": use.item,
                "OrderNumber": str(number),
                "Mandatory": "Yes" if use.mandatory else "No",
                "KeySequence": str(use.key) if use.key else "",
                "MethodOID": use.method,
                "Role": use.role,
                "def:HasNoData": "Yes" if use.empty else "",
            }
            found = self._tree.add(parent, "ItemRef", reference)
            if use.where:
                self._tree.add(found, "def:WhereClauseRef", {"WhereClauseOID": use.where})

    def item(self, item: Item) -> None:
        described = {
            "OID": item.oid,
            "Name": item.name,
            "DataType": item.type,
            "Length": "" if item.length is None else str(item.length),
            "SignificantDigits": "" if item.digits is None else str(item.digits),
            "SASFieldName": item.name,
            "def:DisplayFormat": item.display,
            "def:CommentOID": item.comment,
        }
        found = self._tree.add(self._version, "ItemDef", described)
        self._tree.translated(found, "Description", item.label)
        if item.codelist:
            self._tree.add(found, "CodeListRef", {"CodeListOID": item.codelist})
        for origin in item.origins:
            made = self._tree.add(found, "def:Origin", {"Type": origin.kind, "Source": origin.source})
            if origin.words:
                self._tree.translated(made, "Description", origin.words)
        if item.value_list:
            self._tree.add(found, "def:ValueListRef", {"ValueListOID": item.value_list})

    def codelist(self, codelist: CodeList) -> None:
        published = {"def:StandardOID": "STD.CT"} if codelist.code else {"def:IsNonStandard": "Yes"}
        described = {"OID": codelist.oid, "Name": codelist.name, "DataType": codelist.type}
        found = self._tree.add(self._version, "CodeList", {**described, **published})
        for term in codelist.terms:
            decoded = all(one.decode for one in codelist.terms)
            value = {"CodedValue": term.value, "def:ExtendedValue": "Yes" if term.extended else ""}
            made = self._tree.add(found, "CodeListItem" if decoded else "EnumeratedItem", value)
            if decoded:
                self._tree.translated(made, "Decode", term.decode)
            if term.code:
                self._tree.add(made, "Alias", {"Context": _NCI, "Name": term.code})
        if codelist.code:
            self._tree.add(found, "Alias", {"Context": _NCI, "Name": codelist.code})

    def words(self) -> None:
        for words, (oid, name) in self._parts.methods.items():
            method = self._tree.add(self._version, "MethodDef", {"OID": oid, "Name": name, "Type": "Computation"})
            self._tree.translated(method, "Description", words)
        for words, oid in self._parts.comments.items():
            self._tree.translated(self._tree.add(self._version, "def:CommentDef", {"OID": oid}), "Description", words)


def define_html(content: bytes) -> bytes:
    """A Define-XML file as a page, by the stylesheet of Lex Jansen that defineutils ships (MIT).

    Raises :class:`InputError` when defineutils is not installed.
    """
    etree = library("lxml.etree")
    library("defineutils")
    closed = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    sheet = etree.fromstring(files("defineutils.definehtml").joinpath("define2-1.xsl").read_bytes(), closed)
    transform = etree.XSLT(sheet, access_control=etree.XSLTAccessControl.DENY_ALL)
    return bytes(transform(etree.fromstring(content, closed)))
