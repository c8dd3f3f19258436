"""ODM documents as XML trees: the root of either version, and the bytes of a tree."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from mrecist import __version__
from mrecist.exporting.extra import library

NAMESPACES = {"1.3.2": "http://www.cdisc.org/ns/odm/v1.3", "2.0": "http://www.cdisc.org/ns/odm/v2.0"}
OPENCLINICA = "http://www.openclinica.org/ns/odm_ext_v130/v3.1"
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
        if heading.style == "openclinica":
            named |= {"OpenClinica": OPENCLINICA}
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
            self.root.set(name, value)
        self._made_oid = not heading.file_oid

    def add(self, parent: Any, name: str, attributes: dict[str, str] | None = None, text: str = "") -> Any:
        """A new child; an attribute that is "" is not written."""
        child = self._etree.SubElement(parent, f"{{{self._namespace}}}{name}")
        for key, value in (attributes or {}).items():
            if value:
                child.set(key, value)
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
