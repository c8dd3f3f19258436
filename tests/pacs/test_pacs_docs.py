"""docs/pacs.md cannot drift from the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from doc_pages import cell, names, page, section, table, words

from mrecist.pacs import dimse, fetch, web
from mrecist.pacs.server import DEFAULTS, READERS, parse_server

TOML = re.compile(r"^```toml\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


def test_every_key_with_its_default() -> None:
    rows = table(section(page("pacs.md"), "Servers"), "key")
    assert names(rows) == list(READERS)
    for key, default in DEFAULTS.items():
        stated = [tomllib.loads(f"x = {text}")["x"] for text in words(cell(rows, key, "default"))]
        assert stated == ([] if default in ("", None) else [default]), key


def test_every_example_is_a_configuration(tmp_path: Path) -> None:
    found = {}
    for text in TOML.findall(page("pacs.md")):
        found |= tomllib.loads(text)["pacs"]
    assert len(found) == 7
    for name in ("hospital-ca.pem", "mrecist.pem", "mrecist.key"):
        (tmp_path / name).write_text("", encoding="ascii")
    for name, keys in found.items():
        parse_server(name, keys, tmp_path / "mrecist-pacs.toml")


def test_the_lines_that_are_explained_are_said() -> None:
    said = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in (dimse, fetch, web))
    said = re.sub(r"\{[^{}\n]*\}", "...", said)
    for row in table(section(page("pacs.md"), "When something goes wrong"), "line"):
        (line,) = words(row["line"])
        for part in re.split(r" n | m$|\.\.\.|401", line):
            assert part.strip() in said, part
