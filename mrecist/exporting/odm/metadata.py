"""``Study`` and ``MetaDataVersion``: the visits, forms, groups and items of the map, to build the database from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mrecist.errors import InputError
from mrecist.exporting.odm.document import Heading, Tree
from mrecist.exporting.odm.oid_map import ItemLine, OidMap
from mrecist.exporting.odm.placing import Placements
from mrecist.exporting.results_fields import Field, FieldKind, field_of

# As long as OpenClinica's longest text item, and as many digits as mrecist reckons with.
TEXT_LENGTH, NUMBER_LENGTH, DECIMALS = 4000, 25, 10


@dataclass(slots=True)
class _Node:
    """A visit, form or group: whether it repeats, and the OIDs below it in their order."""

    repeats: bool = False
    below: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Forms:
    events: dict[str, _Node] = field(default_factory=dict)
    forms: dict[str, _Node] = field(default_factory=dict)
    groups: dict[str, _Node] = field(default_factory=dict)
    items: dict[str, ItemLine] = field(default_factory=dict)


def metadata(found: Placements, by: OidMap, heading: Heading) -> bytes:
    """The file without any subject: every line of the map, where its OIDs name a column as often as the results need it."""
    tree = Tree(heading, "Snapshot", "Metadata")
    forms = _forms(found, by)
    if heading.version == "2.0":
        version = _study_2_0(tree, by)
        _visits_2_0(tree, version, forms)
    else:
        version = _study_1_3(tree, by, forms)
        _visits_1_3(tree, version, forms)
    for oid, line in forms.items.items():
        _item(tree, version, oid, line)
    for oid, line in forms.items.items():
        _code_list(tree, version, oid, line)
    return tree.to_bytes()


def _forms(found: Placements, by: OidMap) -> _Forms:
    forms = _Forms()
    used: dict[int, dict[tuple[str, str, str, str], None]] = {}
    for place, placed in found.values.items():
        used.setdefault(placed.line.line, {})[place.event, place.form, place.group, place.item] = None
    for line in by.lines:
        if line.left_out:
            continue
        templates = (line.study_event, line.form, line.item_group, line.oid)
        fixed = not any(template.columns for template in templates)
        written = tuple(template.text for template in templates)
        for event, form, group, item in [written] if fixed else used.get(line.line, {}):
            _add(forms.events, event, line.study_event_repeat.text, form)
            _add(forms.forms, form, line.form_repeat.text, group)
            _add(forms.groups, group, line.item_group_repeat.text, item)
            forms.items.setdefault(item, line)
    _check_oids(forms, by)
    return forms


def _check_oids(forms: _Forms, by: OidMap) -> None:
    """The schemas want one OID for one thing; Rave's map gives a form's own OID to its group."""
    kind_of: dict[str, str] = {}
    for kind in ("events", "forms", "groups", "items"):
        for oid in getattr(forms, kind):
            if oid in kind_of:
                one = f"{by.path}: '{oid}' is an OID of both {kind_of[oid]} and {kind}"
                raise InputError(f"{one}; metadata need an OID of its own for each (docs/edc.md)")
            kind_of[oid] = kind


def _add(nodes: dict[str, _Node], oid: str, repeat: str, below: str) -> None:
    node = nodes.setdefault(oid, _Node())
    node.repeats = node.repeats or bool(repeat)
    node.below[below] = None


def _named(oid: str, repeats: bool) -> dict[str, str]:
    return {"OID": oid, "Name": oid, "Repeating": "Yes" if repeats else "No"}


def _study_name(by: OidMap) -> str:
    return by.settings["study_name"] or by.settings["study_oid"]


def _refs(tree: Tree, parent: Any, name: str, key: str, oids: Iterable[str]) -> None:
    for number, oid in enumerate(oids, start=1):
        tree.add(parent, name, {key: oid, "OrderNumber": str(number), "Mandatory": "No"})


# --- ODM 1.3.2 -------------------------------------------------------------------------------------------------------


def _study_1_3(tree: Tree, by: OidMap, forms: _Forms) -> Any:
    study = tree.add(tree.root, "Study", {"OID": by.settings["study_oid"]})
    told = tree.add(study, "GlobalVariables")
    for name in ("StudyName", "StudyDescription", "ProtocolName"):
        tree.add(told, name, text=_study_name(by))
    units = {line.unit: field_of(line.table, line.column).unit for line in forms.items.values() if line.unit}
    if units:
        definitions = tree.add(study, "BasicDefinitions")
        for oid, symbol in units.items():
            unit = tree.add(definitions, "MeasurementUnit", {"OID": oid, "Name": symbol or oid})
            tree.translated(unit, "Symbol", symbol or oid)
    return tree.add(study, "MetaDataVersion", {"OID": by.settings["metadata_version_oid"], "Name": _study_name(by)})


def _visits_1_3(tree: Tree, version: Any, forms: _Forms) -> None:
    _refs(tree, tree.add(version, "Protocol"), "StudyEventRef", "StudyEventOID", forms.events)
    levels: tuple[tuple[str, Mapping[str, _Node], str, str], ...] = (
        ("StudyEventDef", forms.events, "FormRef", "FormOID"),
        ("FormDef", forms.forms, "ItemGroupRef", "ItemGroupOID"),
        ("ItemGroupDef", forms.groups, "ItemRef", "ItemOID"),
    )
    for name, nodes, ref, key in levels:
        for oid, node in nodes.items():
            kind = {"Type": "Scheduled"} if name == "StudyEventDef" else {}
            _refs(tree, tree.add(version, name, {**_named(oid, node.repeats), **kind}), ref, key, node.below)


# --- ODM 2.0 ---------------------------------------------------------------------------------------------------------


def _study_2_0(tree: Tree, by: OidMap) -> Any:
    name = _study_name(by)
    study = tree.add(tree.root, "Study", {"OID": by.settings["study_oid"], "StudyName": name, "ProtocolName": name})
    return tree.add(study, "MetaDataVersion", {"OID": by.settings["metadata_version_oid"], "Name": name})


def _visits_2_0(tree: Tree, version: Any, forms: _Forms) -> None:
    _refs(tree, tree.add(version, "Protocol"), "StudyEventGroupRef", "StudyEventGroupOID", ("SEG.ALL",))
    group = tree.add(version, "StudyEventGroupDef", {"OID": "SEG.ALL", "Name": "All visits"})
    _refs(tree, group, "StudyEventRef", "StudyEventOID", forms.events)
    for oid, node in forms.events.items():
        event = tree.add(version, "StudyEventDef", {**_named(oid, node.repeats), "Type": "Scheduled"})
        _refs(tree, event, "ItemGroupRef", "ItemGroupOID", node.below)
    # A form is a group of groups; a repeating one has no fixed number of rows
    for kind, nodes, ref, key in (
        ("Form", forms.forms, "ItemGroupRef", "ItemGroupOID"),
        ("Section", forms.groups, "ItemRef", "ItemOID"),
    ):
        for oid, node in nodes.items():
            repeating = "Dynamic" if node.repeats else "No"
            attributes = {"OID": oid, "Name": oid, "Repeating": repeating, "Type": kind}
            _refs(tree, tree.add(version, "ItemGroupDef", attributes), ref, key, node.below)


# --- items -----------------------------------------------------------------------------------------------------------


def _item(tree: Tree, version: Any, oid: str, line: ItemLine) -> None:
    known = field_of(line.table, line.column)
    codes = _codes(line, known)
    attributes = {"OID": oid, "Name": line.column, **_type(known, codes, tree.version)}
    item = tree.add(version, "ItemDef", attributes)
    unit = f" ({known.unit})" if known.unit else ""
    tree.translated(item, "Question", f"{known.label}{unit}")
    if line.unit and tree.version != "2.0":
        tree.add(item, "MeasurementUnitRef", {"MeasurementUnitOID": line.unit})
    if codes:
        tree.add(item, "CodeListRef", {"CodeListOID": f"CL.{oid}"})


def _code_list(tree: Tree, version: Any, oid: str, line: ItemLine) -> None:
    codes = _codes(line, field_of(line.table, line.column))
    if codes:
        attributes = {"OID": f"CL.{oid}", "Name": line.column, "DataType": "text"}
        codelist = tree.add(version, "CodeList", attributes)
        for word, code in codes.items():
            tree.translated(tree.add(codelist, "CodeListItem", {"CodedValue": code}), "Decode", word)


def _codes(line: ItemLine, known: Field) -> Mapping[str, str]:
    return line.codes or {word: word for word in known.words}


def _type(known: Field, codes: Mapping[str, str], version: str) -> dict[str, str]:
    if codes:
        return {"DataType": "text", "Length": str(max(map(len, codes.values())))}
    if known.kind is FieldKind.DATE:
        return {"DataType": "date"}
    if known.kind is FieldKind.INTEGER:
        return {"DataType": "integer", "Length": "4"}
    if known.kind is FieldKind.NUMBER:
        digits = {} if version == "2.0" else {"SignificantDigits": str(DECIMALS)}
        return {"DataType": "float", "Length": str(NUMBER_LENGTH), **digits}
    return {"DataType": "text", "Length": str(TEXT_LENGTH)}
