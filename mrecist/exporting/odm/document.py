"""ODM documents as XML trees: the root of either version and of Define-XML, and the bytes of a tree."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from mrecist import __version__
from mrecist.exporting.extra import library

NAMESPACES = {"1.3.2": "http://www.cdisc.org/ns/odm/v1.3", "2.0": "http://www.cdisc.org/ns/odm/v2.0"}
OPENCLINICA = "http://www.openclinica.org/ns/odm_ext_v130/v3.1"
PREFIXES = {
    "OpenClinica": OPENCLINICA,
    "def": "http://www.cdisc.org/ns/def/v2.1",
    "xlink": "http://www.w3.org/1999/xlink",
}
"""What a name may have before a colon. The root declares those of its style."""
_OF_STYLE = {"openclinica": ("OpenClinica",), "define": ("def", "xlink")}
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """What the root says. ``file_oid`` is "" to make it from the content."""

    version: str
    style: str
    created: str
    file_oid: str = ""


class Tree:
    """A tree of one ODM version; elements are named without their namespace."""

    def __init__(self, heading: Heading, file_type: str, granularity: str) -> None:
        """Start with the root."""
        self._etree = library("lxml.etree")
        self.version = heading.version
        self._namespace = NAMESPACES[heading.version]
        named: dict[str | None, str] = {None: self._namespace}
        named |= {prefix: PREFIXES[prefix] for prefix in _OF_STYLE.get(heading.style, ())}
        self.root = self._etree.Element(f"{{{self._namespace}}}ODM", nsmap=named)
        # OpenClinica's importer asks for the namespace and version of 1.3 without its revision.
        written = "1.3" if heading.style == "openclinica" and heading.version == "1.3.2" else heading.version
        for name, value in (
            ("FileType", file_type),
            ("Granularity", granularity),
            ("FileOID", heading.file_oid or "MRECIST"),
            ("CreationDateTime", heading.created),
            ("ODMVersion", written),
            ("SourceSystem", "mrecist"),
            ("SourceSystemVersion", __version__),
        ):
            if value:
                self.root.set(name, value)
        self._made_oid = not heading.file_oid

    def add(self, parent: Any, name: str, attributes: dict[str, str] | None = None, text: str = "") -> Any:
        """A new child; an attribute that is "" is not written. ``def:leaf`` is a name with a prefix of :data:`PREFIXES`."""
        child = self._etree.SubElement(parent, _expanded(name, self._namespace))
        for key, value in (attributes or {}).items():
            if value:
                child.set(_expanded(key, ""), value)
        if text:
            child.text = text
        return child

    def translated(self, parent: Any, name: str, text: str) -> None:
        """A ``TranslatedText`` in a new child."""
        kind = {"Type": "text/plain"} if self.version == "2.0" else {}
        self.add(self.add(parent, name), "TranslatedText", {XML_LANG: "en", **kind}, text)

    def to_bytes(self) -> bytes:
        """UTF-8, the same at every run; the FileOID is that of the content where none was given."""
        if self._made_oid:
            self.root.set("FileOID", f"MRECIST.{hashlib.sha256(self._bytes()).hexdigest()[:32]}")
        return self._bytes()

    def _bytes(self) -> bytes:
        self._etree.indent(self.root)
        written: bytes = self._etree.tostring(self.root, xml_declaration=True, encoding="UTF-8")
        return written + b"\n"


def _expanded(name: str, unprefixed: str) -> str:
    prefix, colon, local = name.partition(":")
    if not name.startswith("{") and colon:
        return f"{{{PREFIXES[prefix]}}}{local}"
    return f"{{{unprefixed}}}{name}" if unprefixed else name
