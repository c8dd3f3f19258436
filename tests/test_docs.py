"""The docs cannot drift from the command line."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from mrecist.cli import build_parser

ROOT = Path(__file__).parents[1]


def subcommands() -> dict[str, argparse.ArgumentParser]:
    action = next(a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(action.choices)


def section(command: str) -> str:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    return next((s for s in sections if s.startswith((f"`mrecist {command} ", f"`mrecist {command}`"))), "")


def test_every_command_and_option_is_documented() -> None:
    missing = []
    for name, parser in subcommands().items():
        text = section(name)
        options = [o for action in parser._actions for o in action.option_strings if o not in ("-h", "--help")]
        missing += [name] if not text else [f"{name} {option}" for option in options if option not in text]
    assert missing == []


def test_every_documented_command_exists() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^## `mrecist ([\w-]+)", text, flags=re.MULTILINE))
    assert named == set(subcommands())


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if not target.startswith(("http:", "https:", "mailto:")) and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert broken == []
