"""Reads a report as a browser would: elements with their attributes, tables as text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "input", "br", "wbr", "link", "img", "hr"}


@dataclass
class Element:
    """A node of the page."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    def all(self, tag: str, css: str = "") -> list[Element]:
        """Every element below of a tag and, if given, a class."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                if child.tag == tag and (not css or css in child.attributes.get("class", "").split()):
                    found.append(child)
                found += child.all(tag, css)
        return found

    @property
    def text(self) -> str:
        """All text below, spaces made plain."""
        parts = [child if isinstance(child, str) else f" {child.text} " for child in self.children]
        return " ".join("".join(parts).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("root", {})
        self.open = [self.root]
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in _VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if self.open[-1].tag == tag:
            self.open.pop()
        else:
            self.faults.append(f"</{tag}> closes <{self.open[-1].tag}>")

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(page: str) -> Element:
    """The page as a tree; every element must be closed where it belongs."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.faults == []
    assert [element.tag for element in reader.open] == ["root"]
    return reader.root


def section(root: Element, subject: str) -> Element:
    """The section of a subject."""
    return next(s for s in root.all("section", "subject") if s.attributes["aria-label"] == f"Subject {subject}")


def row(root: Element, name: str, *, number: int = 0) -> list[str]:
    """The cells of the row with that name, as text."""
    rows = [
        tr
        for tr in root.all("tr")
        if any(th.attributes.get("scope") == "row" and th.children[:1] == [name] for th in tr.all("th"))
    ]
    return [cell.text for cell in rows[number].all("td")]
