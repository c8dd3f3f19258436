"""What is written is valid against CDISC's schema and reads back as what was meant, or it is not written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from defusedxml import ElementTree

from mrecist.errors import InputError
from mrecist.exporting.extra import library
from mrecist.exporting.odm.document import NAMESPACES
from mrecist.exporting.odm.placing import Place

_XML = "{http://www.w3.org/XML/1998/namespace}"


def check_valid(content: bytes, version: str) -> None:
    """Raise :class:`InputError` unless ``content`` is valid ODM of that version.

    Vendor attributes are taken off first: an ODM file with extensions is one that is valid without them (its rule on vendor extensions).
    """
    root = _parsed(content)
    for element in root.iter():
        for name in [name for name in element.attrib if name.startswith("{") and not name.startswith(_XML)]:
            del element.attrib[name]
    _check_schema(root, "odm", version, f"ODM {version}", NAMESPACES[version])


def check_valid_define(content: bytes) -> None:
    """Raise :class:`InputError` unless ``content`` is valid Define-XML 2.1, which is ODM 1.3.2 with CDISC's own extension."""
    _check_schema(_parsed(content), "define", "2.1", "Define-XML 2.1", NAMESPACES["1.3.2"])


_CLOSED = {"resolve_entities": False, "no_network": True}


def _parsed(content: bytes) -> Any:
    etree = library("lxml.etree")
    return etree.fromstring(content, etree.XMLParser(**_CLOSED, huge_tree=True))


def _check_schema(root: Any, standard: str, version: str, named: str, namespace: str) -> None:
    """By the schemas that odmlib ships. Its models are not used: they keep the namespace of the last one imported, process-wide."""
    etree = library("lxml.etree")
    path = library("odmlib.schema_manager").get_schema_path(standard, version)
    schema = etree.XMLSchema(etree.parse(path, etree.XMLParser(**_CLOSED)))
    if root.tag != f"{{{namespace}}}ODM" or not schema.validate(root):
        first = schema.error_log[0].message if len(schema.error_log) else f"the root is {root.tag}"
        raise InputError(f"the file would not be valid {named} and is not written: {first}")


def read_clinical_data(content: bytes) -> dict[Place, str]:
    """The values of an ODM file by their places, of either version.

    Raises :class:`InputError` when it holds none, is no XML, or declares a document type (entities could be in it).
    """
    try:
        root = ElementTree.fromstring(content, forbid_dtd=True)
    except (SyntaxError, ValueError) as error:  # ParseError is the one, what defusedxml forbids the other
        raise InputError(f"no XML that can be read safely: {error}") from None
    namespace = root.tag.partition("}")[0] + "}"
    version = next((v for v, name in NAMESPACES.items() if namespace == f"{{{name}}}"), None)
    data = root.find(f"{namespace}ClinicalData")
    if version is None or data is None:
        raise InputError("no ClinicalData of ODM 1.3.2 or 2.0")
    form = ("ItemGroupData", "ItemGroup") if version == "2.0" else ("FormData", "Form")
    found: dict[Place, str] = {}
    for subject in data.iterfind(f"{namespace}SubjectData"):
        for event, event_keys in _children(subject, namespace, "StudyEventData", "StudyEvent"):
            for one, form_keys in _children(event, namespace, *form):
                for group, group_keys in _children(one, namespace, "ItemGroupData", "ItemGroup"):
                    for item in group.iterfind(f"{namespace}ItemData"):
                        keys = (*event_keys, *form_keys, *group_keys, item.get("ItemOID"))
                        found[Place(subject.get("SubjectKey"), *keys)] = _value(item, namespace)
    return found


def _children(parent: Any, namespace: str, name: str, prefix: str) -> list[tuple[Any, tuple[str, str]]]:
    children = parent.iterfind(f"{namespace}{name}")
    return [(one, (one.get(f"{prefix}OID"), one.get(f"{prefix}RepeatKey", ""))) for one in children]


def _value(item: Any, namespace: str) -> str:
    value = item.find(f"{namespace}Value")
    return str(item.get("Value", "") if value is None else value.text or "")


def check_equal(content: bytes, meant: Mapping[Place, str]) -> None:
    """Raise :class:`InputError` unless the file reads back as the values that were meant, each at its place."""
    found = read_clinical_data(content)
    odd = next((place for place in (*meant, *found) if meant.get(place) != found.get(place)), None)
    if odd is not None:
        raise InputError(
            f"{odd.subject} {odd.item}: reads back as {found.get(odd)!r} and not as {meant.get(odd)!r}; the file is not written"
        )
