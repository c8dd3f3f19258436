"""agreement.html: one file that is safe and the same twice, and says what the tables say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from html_page import Page
from two_readers import Line, agree, line, read

EVIL = "<script>alert(1)</script>"
# Subject -> sizes at the two visits after 50 mm by A and by B; T1 is read by A alone.
SIZES = {
    "S1": ((30, 30), (30, 30)),
    EVIL: ((30, 70), (45, 45)),
    "S3": ((45, 45), (70, 70)),
    "S4": ((45, 30), (45, 30)),
    "S5": ((45, 46), (30, 46)),
}


def lines() -> list[Line]:
    found = [line("A", t, size, subject="T1") for t, size in enumerate((50, 40))]
    for subject, of_readers in SIZES.items():
        for reader, sizes in zip(("A", "B & <b>"), of_readers, strict=True):
            found += [line(reader, t, size, subject=subject) for t, size in enumerate((50, *sizes))]
    return found


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return agree(tmp_path_factory.mktemp("page"), lines(), "--criterion", "recist11")


@pytest.fixture(scope="module")
def page(out: Path) -> Page:
    return Page(out / "agreement.html")


def test_nothing_is_run_or_loaded(page: Page, out: Path) -> None:
    assert page.inside == []
    assert not {"script", "link", "iframe", "img", "object"} & {tag for tag, _ in page.elements}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert EVIL not in page.source
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for tag, attributes in page.elements if tag == "a"}
    assert all(link[1:] in ids if link.startswith("#") else (out / link).is_file() for link in links)
    assert not re.search(r"url\((?!#)", page.source)


def test_the_same_twice(out: Path, tmp_path: Path) -> None:
    again = agree(tmp_path, lines(), "--criterion", "recist11")
    assert (again / "agreement.html").read_bytes() == (out / "agreement.html").read_bytes()


def test_it_says_what_the_tables_say(page: Page, out: Path) -> None:
    """Best response differs in three of five, which the file has as 0.6; one figure a visit of five pairs."""
    (row,) = [
        r for r in read(out / "agreement.csv") if r["statistic"] == "discordance" and r["variable"] == "best_response"
    ]
    assert row["value"] == "0.6"
    assert "Readers differ in best response in 60.0 % of 5 subjects." in page.words
    assert "2 of 5 agree (40 %)" in page.words
    assert sum(tag == "figure" for tag, _ in page.elements) == 3
    for (cause,) in {(r["cause"],) for r in read(out / "discordances.csv")}:
        assert cause.replace("_", " ") in page.words


def test_both_derivations_stand_side_by_side(page: Page, out: Path) -> None:
    """Every case of adjudication.csv, with the reasons of both readers of the visit behind it."""
    cases = {r["subject"] for r in read(out / "adjudication.csv")}
    assert cases == {EVIL, "S3", "S5"}
    for row in read(out / "discordances.csv"):
        if row["subject"] in cases and row["variable"] == "visit_response" and row["timepoint"] == "1":
            assert {row["reason_1"], row["reason_2"]} <= set(page.words)
    assert page.words.count("derivation") == 3


def test_what_was_not_compared_is_told(page: Page) -> None:
    assert any("one reader's read alone of 1 of 6 subjects, not compared: T1" in text for text in page.words)


def test_without_a_difference(tmp_path: Path) -> None:
    """A study whose readers agree in all has a page, which says so."""
    same = [line(reader, t, size, subject="S1") for reader in "AB" for t, size in enumerate((50, 30))]
    found = Page(agree(tmp_path, same) / "agreement.html")
    assert "No two readers differ." in found.words
    assert "No case is to be adjudicated." in found.words
    assert not [tag for tag, _ in found.elements if tag == "figure"]
