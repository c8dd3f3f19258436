"""The codes: as the standards have them, and as the page lists them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from doc_pages import page, section, table, words
from pydicom.sr import _concepts_dict

from mrecist.imaging.segments import Code
from mrecist.model import Measurement, Response
from mrecist.objects import codes

# LOINC and UCUM are not in pydicom's tables in full.
SCHEMES = ("DCM", "SCT", "NCIt", "UMLS", "LN")


def all_codes(value: Any) -> Iterator[Code]:
    if isinstance(value, Code):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from all_codes(one)
    elif isinstance(value, tuple):
        for one in value:
            yield from all_codes(one)


CODES = list(dict.fromkeys(code for value in vars(codes).values() for code in all_codes(value)))


@pytest.mark.parametrize("code", [c for c in CODES if c.scheme in SCHEMES], ids=lambda c: f"{c.scheme}-{c.value}")
def test_a_standard_code_is_in_the_tables_of_pydicom_with_that_meaning(code: Code) -> None:
    """The tables are made from PS3.16: ``{keyword: {code: (meaning, context groups)}}``."""
    meanings = [found[code.value][0] for found in _concepts_dict.concepts[code.scheme].values() if code.value in found]
    first = code.meaning.casefold().split()[0].rstrip("s")
    alike = {"lymph": "structure of lymph node", "prostate": "prostat", "spleen": "splen", "pancrea": "pancrea"}
    assert any(alike.get(first, first) in meaning.casefold() for meaning in meanings), meanings


def test_values_and_meanings_fit_and_are_unique() -> None:
    """PS3.3 8.1 and 8.3: a code value has 16 characters at most, a meaning 64."""
    assert max(len(code.value) for code in CODES) <= 16
    assert max(len(code.meaning) for code in CODES) <= 64
    assert len({(code.value, code.scheme) for code in CODES}) == len(CODES)
    private = [code for code in CODES if code.scheme == codes.SCHEME]
    assert len({code.meaning for code in private}) == len(private)


def test_every_word_of_a_row_has_a_code() -> None:
    named = {"role", *codes.WORDS, *codes.TEXTS}
    identity = {"subject", "timepoint", "date", "reader", "lesion"}
    assert named | identity == set(Measurement.__dataclass_fields__)
    for concept, values in codes.WORDS.values():
        kind = type(next(iter(values)))
        assert set(values) == set(kind), concept
    assert set(codes.RESPONSES) == set(Response) - {Response.MISSING}


def test_the_page_lists_every_code_with_its_meaning() -> None:
    text = page("dicom-objects.md")
    standard = table(section(text, "Standard codes"), "code")
    private = table(section(text, "Private scheme 99MRECIST"), "code")
    listed = [(words(row["code"])[0], row["scheme"], row["meaning"]) for row in standard]
    listed += [(words(row["code"])[0], codes.SCHEME, row["meaning"]) for row in private]
    assert sorted(listed) == sorted((code.value, code.scheme, code.meaning) for code in CODES)
    assert codes.SCHEME_UID in text
    assert f"version {codes.SCHEME_VERSION}" in text
