"""docs/core-lab.md is held to the code."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest
from doc_pages import names, page, section, table, words

from mrecist.arguments.reads import audit, reads
from mrecist.store.audit import COLUMNS, export_trail
from mrecist.store.grants import GROUPS
from mrecist.store.people import ROLES
from mrecist.store.schema import FIELDS, MEASURED
from mrecist.store.trail import ENTRY_FIELDS, GENESIS, Entry, canonical, link

PAGE = "core-lab.md"


def test_the_tables_and_their_columns_are_those_of_the_store() -> None:
    found = {words(row["table"])[0]: words(row["columns"]) for row in table(section(page(PAGE), "Tables"), "table")}
    right = {
        name: [one for one in columns if name != "measurement" or one not in MEASURED]
        for name, columns in FIELDS.items()
    }
    right["measurement"].append("measurements.csv")
    assert found == {**right, "audit": ["seq", "entry", "prev_hash", "hash"]}


def test_the_fields_of_an_entry_are_documented() -> None:
    assert sorted(names(table(section(page(PAGE), "The audit trail"), "field"))) == sorted(ENTRY_FIELDS)
    written = section(page("files.md"), "Exported stores and audit trails").split("fields of an entry in columns:")[1]
    assert tuple(words(written)) == COLUMNS


def test_the_groups_of_logins_are_documented() -> None:
    assert sorted(names(table(section(page(PAGE), "A store that readers share"), "group"))) == sorted(GROUPS.values())
    assert all(f"`{role}`" in page(PAGE) for role in ROLES)


def steps(command: str) -> dict[str, argparse.ArgumentParser]:
    parser = argparse.ArgumentParser()
    {"reads": reads, "audit": audit}[command](parser)
    action = next(one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    return dict(action.choices)


@pytest.mark.parametrize("command", ["reads", "audit"])
def test_every_step_and_option_is_documented(command: str) -> None:
    (text,) = [
        part for part in re.split(r"^## ", page("commands.md"), flags=re.M) if part.startswith(f"`mrecist {command} (")
    ]
    rows = {words(line)[0].split()[0]: line for line in text.splitlines() if line.startswith("| `")}
    missing = []
    for name, parser in steps(command).items():
        said = rows.get(name, text if command == "audit" else "")
        said = rows["submit"] + said if name == "amend" else said
        # Options of several steps are said once, in a paragraph that begins with their names.
        said += "".join(
            part for part in text.split("\n\n") if part.startswith("`") and f"`{name}`" in part.split(" derive ")[0]
        )
        options = [one for action in parser._actions for one in action.option_strings if one not in ("-h", "--help")]
        missing += [f"{name} {one}" for one in options if one not in said and one != "--files"]
    assert missing == []
    assert "--files" in text or command == "audit"


def test_the_program_on_the_page_verifies_a_trail(tmp_path: Path) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```", page(PAGE), flags=re.M | re.S)
    entries, before = [], GENESIS
    for seq in (1, 2):
        entry = canonical({"at": "2026", "what": "ä \u2028 \x7f", "to": {"id": str(seq), "timepoint": 0}})
        entries.append(Entry(seq=seq, entry=entry, prev_hash=before, hash=link(seq, before, entry)))
        before = entries[-1].hash
    path = tmp_path / "trail.jsonl"
    export_trail(entries, path)
    run = [sys.executable, "-c", program, str(path)]
    assert subprocess.run(run, check=False, capture_output=True, timeout=30).returncode == 0
    path.write_text(path.read_text(encoding="utf-8").replace('"2026"', '"2025"'), encoding="utf-8")
    done = subprocess.run(run, check=False, capture_output=True, text=True, timeout=30)
    assert "entry 1 was changed" in done.stderr
