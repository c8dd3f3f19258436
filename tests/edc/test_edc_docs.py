"""docs/edc.md and the sections of docs/commands.md say what the code does."""

from __future__ import annotations

import argparse

import pytest
from doc_pages import names, page, section, table, words

from mrecist.arguments import exports
from mrecist.exporting.odm.oid_map import MAP_COLUMNS, SETTINGS, STYLES
from mrecist.exporting.redcap import upload
from mrecist.exporting.redcap.dictionary import DICTIONARY_COLUMNS, instruments
from mrecist.exporting.redcap.server import TOKEN_VARIABLE
from mrecist.exporting.results_rows import TABLES


def test_columns_settings_and_tables_of_the_map() -> None:
    text = section(page("edc.md"), "The map")
    columns = table(text, "column")
    assert names(columns) == list(MAP_COLUMNS)
    assert words(columns[0]["in any other row"]) == list(TABLES)
    settings = table(text, "setting")
    assert sorted(names(settings)) == sorted(SETTINGS)
    (style,) = (row["meaning"] for row in settings if row["setting"] == "`style`")
    assert words(style) == list(STYLES)


def test_forms_and_statuses_of_redcap() -> None:
    forms = table(section(page("edc.md"), "REDCap"), "form")
    found = [(words(row["form"])[0], row["repeats"], words(row["fields begin with"])[0]) for row in forms]
    in_code = instruments("tumor_response")
    assert found == [
        (form.name, "yes" if form.repeats else "no", f"{next(iter(form.fields)).partition('_')[0]}_")
        for form in in_code
    ]
    statuses = names(table(section(page("edc.md"), "Upload"), "status in `upload.csv`"))
    assert sorted(statuses) == sorted(
        (upload.THERE, upload.SENT, upload.DIFFERS, upload.REFUSED, upload.NOT_SENT, upload.NOT_EQUAL)
    )
    assert f"{len(DICTIONARY_COLUMNS)} columns" in page("edc.md")
    assert all(TOKEN_VARIABLE in page(name) for name in ("edc.md", "commands.md"))


@pytest.mark.parametrize(
    ("heading", "arguments"),
    [
        ("`mrecist export odm RESULTS --out DIR --map FILE`", exports.odm),
        ("`mrecist export redcap RESULTS --out DIR [--upload URL]`", exports.redcap),
    ],
)
def test_every_option_is_documented(heading: str, arguments: object) -> None:
    parser = argparse.ArgumentParser()
    assert callable(arguments)
    arguments(parser)
    options = {one for action in parser._actions for one in action.option_strings} - {"-h", "--help"}
    assert set(names(table(section(page("commands.md"), heading), "option"))) == options
