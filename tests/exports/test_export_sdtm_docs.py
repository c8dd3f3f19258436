"""docs/sdtm.md and docs/commands.md are held to the export: options, qualifiers, variables, tests."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from mrecist.arguments.exports import export
from mrecist.exporting.sdtm import variables
from mrecist.exporting.sdtm.qualifiers import QUALIFIERS
from mrecist.sdtm.codelists import EPOCHS, EVALUATOR_IDS, REASONS, RS_TESTS, TR_TESTS, TR_TESTS_OF_OURS, TU_TESTS
from mrecist.sdtm.supplements import BASIS, FACTS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sdtm.md").read_text(encoding="utf-8")
WRITING = PAGE.split("## Writing\n")[1]


def test_every_option_is_documented() -> None:
    parser = argparse.ArgumentParser()
    export(parser)
    targets = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for name, one in targets.choices.items():
        section = text.split(f"## `mrecist export {name} ")[1].split("\n## ")[0]
        options = [o for action in one._actions for o in action.option_strings if o not in ("-h", "--help")]
        assert [option for option in options if option not in section] == []


def test_the_table_of_qualifiers_is_the_one_in_the_code() -> None:
    rows = re.findall(r"^\| ([A-Z]+) \| ([^|]+) \| [^|]+ \|$", WRITING.split("### Qualifiers")[1], flags=re.MULTILINE)
    assert rows[1:] == [(one.qnam, one.label) for one in QUALIFIERS]


def test_what_is_read_back_is_what_is_written() -> None:
    names = {one.qnam for one in QUALIFIERS}
    assert {*FACTS, BASIS} <= names
    reading = PAGE.split("## Writing\n")[0]
    assert all(f"`{column}`" in reading for column, _ in FACTS.values())


def test_the_words_of_the_page_are_those_of_the_code() -> None:
    """Changes of sums are shown for diameters; those of the other sums are formed likewise."""
    of_changes = {name for name in TR_TESTS | TR_TESTS_OF_OURS if name.startswith(("PCBS", "PCNS", "ACNS"))}
    words = {*TU_TESTS, *RS_TESTS, *EPOCHS, *REASONS, *(TR_TESTS | TR_TESTS_OF_OURS).keys() - of_changes}
    assert sorted(word for word in words if word not in WRITING) == []
    assert all(re.sub(r" \d$", "", name) in WRITING for name in EVALUATOR_IDS)


def test_names_and_labels_fit_every_format() -> None:
    """SAS XPT version 5: names of 8 characters, labels of 40; SDTMIG: a QNAM of 8 and a QLABEL of 40."""
    for name, label in (
        *((v.name, v.label) for d in ("TU", "TR", "RS", "RELREC", "DM", "PR", "SV") for v in getattr(variables, d)),
        *((one.qnam, one.label) for one in QUALIFIERS),
        *TU_TESTS.items(),
        *TR_TESTS.items(),
        *TR_TESTS_OF_OURS.items(),
        *RS_TESTS.items(),
    ):
        assert len(name) <= 8, name
        assert len(label) <= 40, label
