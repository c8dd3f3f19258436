"""docs/criteria.md and docs/criteria/ say what the code does: rules, matrices, defaults, options and worked examples are read
from the pages and run."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace
from itertools import product
from typing import Any

import pytest
from worked_examples import (
    DOCS,
    Row,
    best_faults,
    example_faults,
    page,
    protocol_with,
    responses_of,
    rows_of,
    section,
    table,
    table_faults,
    visits,
)

from mrecist import assess_subject
from mrecist import protocol as protocols
from mrecist.criteria import CRITERIA
from mrecist.criteria._liver_findings import _EFFUSION, _PORTA_HEPATIS
from mrecist.criteria._overall import overall_response
from mrecist.criteria._rule import Criterion, Thresholds
from mrecist.criteria._viable import _ARTERIAL_SHORT
from mrecist.criteria.irecist import CONFIRMED_BY, IMMUNE, PLAIN
from mrecist.errors import ProtocolError
from mrecist.model import Response
from mrecist.response.flags import MEANING
from mrecist.response.options import _ONLY_FOR, OTHER_CHOICES
from mrecist.tables import WORD_COLUMNS

OVERVIEW = page("criteria.md")
BY_CRITERION = pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)


def ticked(cell: str) -> list[str]:
    return re.findall(r"`([^`]*)`", cell)


def page_of(criterion: Criterion) -> str:
    return page(f"criteria/{criterion.name}.md")


def all_pages() -> str:
    return OVERVIEW + "".join(path.read_text(encoding="utf-8") for path in sorted((DOCS / "criteria").glob("*.md")))


# --- rules, defaults, matrices ---------------------------------------------------------------------------------------


def rules_in_page(text: str) -> list[tuple[str, ...]]:
    rows = table(section(text, "Target lesions"), "rule", "category", "condition", "source")
    assert all(row["condition"] for row in rows)
    return [(row["rule"], row["category"], row["source"]) for row in rows]


def rules_in_code(criterion: Criterion) -> list[tuple[str, ...]]:
    return [(rule.name, rule.gives.value, rule.cite) for rule in criterion.rules]


def test_every_criterion_has_a_page_that_the_overview_links() -> None:
    pages = {path.stem for path in (DOCS / "criteria").glob("*.md")}
    assert pages == {*CRITERIA, "best-response", "options"}
    assert {*re.findall(r"\(criteria/([\w-]+)\.md\)", OVERVIEW)} == pages


@BY_CRITERION
def test_rules_stand_in_their_page_in_order(criterion: Criterion) -> None:
    assert rules_in_page(page_of(criterion)) == rules_in_code(criterion)


@BY_CRITERION
def test_criterion_is_introduced_with_its_source(criterion: Criterion) -> None:
    row = next(r for r in table(OVERVIEW, "name", "criterion", "source") if f"`{criterion.name}`" in r["name"])
    assert (row["criterion"], row["source"]) == (criterion.title, criterion.source)
    assert (row["size that counts"], row["unit"]) == (criterion.quantity, criterion.unit)


def defaults_in_page(text: str) -> dict[str, Any]:
    (line,) = re.findall(r"^Defaults: (.*?)\.\n\n", text, flags=re.MULTILINE | re.DOTALL)
    return {key: json.loads(value) for key, value in re.findall(r"`(\w+)` (\[.*?\]|\".*?\"|[\w.]+)", line)}


@BY_CRITERION
def test_defaults_on_the_page_are_those_of_the_code(criterion: Criterion) -> None:
    shown = defaults_in_page(page_of(criterion))
    assert {"pr_percent", "pd_percent"} <= set(shown) <= set(criterion.options)
    for key, value in shown.items():
        given = getattr(criterion.thresholds, key)
        assert (list(given) if isinstance(given, tuple) else given) == value, key
    differing = {f.name for f in fields(Thresholds) if getattr(criterion.thresholds, f.name) != f.default}
    assert differing <= set(shown)


def test_the_conditions_that_confirm_a_progression_are_those_of_the_code() -> None:
    rows = table(page("criteria/irecist.md"), "confirmed by", "condition", "source")
    assert {row["confirmed by"]: row["source"] for row in rows} == CONFIRMED_BY
    assert all(row["condition"] for row in rows)


def test_words_by_which_mrecist_recognises_a_place_or_a_phase() -> None:
    text = " ".join(page("criteria/mrecist.md").split())
    (nodes,) = re.findall(r"\*\*Node at the porta hepatis\*\*, when `organ` or `station` contains (.*?): disease", text)
    (fluid,) = re.findall(r"An effusion or ascites, when `organ` or `station` contains (.*?), that is", text)
    (phases,) = re.findall(r"contain \"arter\", and (.*?) mean arterial", text)
    assert sorted(ticked(nodes)) == sorted(_PORTA_HEPATIS)
    assert sorted(ticked(fluid)) == sorted(_EFFUSION)
    assert {word.casefold() for word in ticked(phases)} == _ARTERIAL_SHORT


OF_TARGETS = (Response.CR, Response.PR, Response.SD, Response.PD, Response.NE, Response.NA)
OF_NON_TARGETS = (Response.CR, Response.NON_CR_NON_PD, Response.PD, Response.NE, Response.NA)
ALL = {*OF_TARGETS, *OF_NON_TARGETS}
WORDS = {
    "any": ALL,
    "not PD": ALL - {Response.PD},
    "not iUPD": ALL - {Response.PD},
    "none": {Response.NA},
    "CR or none": {Response.CR, Response.NA},
    "iCR or none": {Response.CR, Response.NA},
    **{response.value: {response} for response in ALL - {Response.NA}},
    **{immune.value: {plain} for immune, plain in PLAIN.items() if plain is not Response.NA},
}


def matrix_faults(text: str, criterion: Criterion) -> list[str]:
    """Every combination looked up in the page's matrix and in the code's."""
    rows = table(section(text, "Overall response"), "target", "non-target", "new lesion", "overall", "source")
    faults = []
    for target, non_target, new in product(OF_TARGETS, OF_NON_TARGETS, (False, True)):
        here = f"{target}/{non_target}/{'yes' if new else 'no'}"
        wanted, source = overall_response(
            criterion.overall, criterion.thresholds, target=target, non_target=non_target, new_lesion=new
        )
        word = IMMUNE[wanted] if criterion.confirms_progression else wanted
        fits = (
            row
            for row in rows
            if target in WORDS[row["target"]]
            and non_target in WORDS[row["non-target"]]
            and (row["new lesion"] == "any" or new == (row["new lesion"] == "yes"))
        )
        row = next(fits, None)
        if row is None or row["overall"] != word or row["source"] not in source:
            faults.append(f"{here}: {word} by {source}, the page has {row}")
    return faults


@BY_CRITERION
def test_overall_matrix_is_the_one_of_the_code(criterion: Criterion) -> None:
    assert matrix_faults(page_of(criterion), criterion) == []


# --- ambiguities -----------------------------------------------------------------------------------------------------

AMBIGUITIES = table(
    section(OVERVIEW, "Ambiguities"), "#", "question", "what the program does", "source", "option", "flag", "not done"
)


def test_ambiguities_are_a1_to_a33() -> None:
    assert [row["#"] for row in AMBIGUITIES] == [f"A{number}" for number in range(1, 34)]
    assert all(cell for row in AMBIGUITIES for cell in row.values())


def test_every_ambiguity_named_in_a_rule_or_flag_has_a_row() -> None:
    notes = [rule.note for criterion in CRITERIA.values() for rule in criterion.rules] + list(MEANING.values())
    named = {a for note in notes for a in re.findall(r"\bA\d+\b", note)}
    assert named, "no rule names an ambiguity"
    assert named <= {row["#"] for row in AMBIGUITIES}


def test_every_ambiguity_named_in_the_pages_has_a_row() -> None:
    assert set(re.findall(r"\bA\d+\b", all_pages())) <= {row["#"] for row in AMBIGUITIES}


def takes(option: str) -> bool:
    """Whether a protocol may hold ``key = value``, written with its section or as a key of a criterion."""
    lines = [option] + [f"criteria.{name}.{option}" for name in CRITERIA]
    for line in lines:
        try:
            protocol_with(line)
        except ProtocolError:
            continue
        return True
    return False


@pytest.mark.parametrize("row", AMBIGUITIES, ids=lambda row: row["#"])
def test_options_and_flags_of_an_ambiguity_exist(row: Row) -> None:
    for option in ticked(row["option"]):
        assert takes(option), option
    assert {flag.split(":")[0] for flag in ticked(row["flag"])} <= set(MEANING)


@pytest.mark.parametrize("choice", OTHER_CHOICES, ids=lambda choice: choice.key)
def test_an_option_that_is_compared_with_its_other_value_stands_in_its_row(choice: Any) -> None:
    (row,) = (row for row in AMBIGUITIES if row["#"] == choice.ambiguity)
    assert choice.key in {option.split(" = ")[0] for option in ticked(row["option"])}
    assert f"OPTION_DECIDES:{choice.key}" in ticked(row["flag"])
    for name in _ONLY_FOR.get(choice.key, ()):
        assert CRITERIA[name].title.split(" ")[0] in row["flag"]


def test_no_row_promises_a_comparison_that_is_not_made() -> None:
    said = {flag.split(":")[1] for row in AMBIGUITIES for flag in ticked(row["flag"]) if flag.startswith("OPTION_")}
    assert said == {choice.key for choice in OTHER_CHOICES}


# --- worked examples -------------------------------------------------------------------------------------------------

EXAMPLES = [
    row
    for criterion in CRITERIA.values()
    for row in table(section(page_of(criterion), "Worked examples"), "example", "criterion")
]
OPTIONS = table(page("criteria/options.md"), "option", "criterion", "sums per visit")
BEST = table(page("criteria/best-response.md"), "example", "option", "until", "responses")
SHOWN = table(page("criteria/best-response.md"), "option", "sums per visit", "non-targets")


def name_of(row: Row) -> str:
    return f"{row.get('criterion', '')} {row.get('example') or row['option']}"


@pytest.mark.parametrize("row", EXAMPLES, ids=name_of)
def test_worked_example(row: Row) -> None:
    assert row["by hand"]
    assert example_faults(row) == []


@pytest.mark.parametrize("row", OPTIONS, ids=name_of)
def test_option_decides(row: Row) -> None:
    assert row["by hand"]
    assert example_faults(row) == []
    assert example_faults({**row, "option": row["instead of"]}) != [], "the option changes nothing here"


@pytest.mark.parametrize("row", BEST, ids=lambda row: row["example"])
def test_best_response_example(row: Row) -> None:
    assert best_faults(row) == []
    if row["option"]:
        assert best_faults({**row, "option": ""}) != [], "the option changes nothing here"


@pytest.mark.parametrize("row", SHOWN, ids=lambda row: f"{row['option']} {row['sums per visit']}")
def test_what_the_tables_show(row: Row) -> None:
    assert table_faults(row) == []
    for name, wrong in (("time points shown", "0 2"), ("unconfirmed", "NA"), ("flags", "PR_DRIFT")):
        assert table_faults({**row, name: wrong}) != []


def test_every_criterion_has_worked_examples() -> None:
    for name in CRITERIA:
        assert len([row for row in EXAMPLES if row["criterion"] == name]) >= 8


def test_every_option_is_shown_where_it_decides() -> None:
    shown = {part.split(" = ")[0].strip(" `") for row in OPTIONS for part in row["option"].split(";")}
    keys = {key.rpartition(".")[2] for key in shown}
    assert keys == {f.name for f in fields(Thresholds)} | {"cr_then_worse", "disease"}
    of_best = {row["option"].strip("`").split(" = ")[0] for row in BEST} - {""}
    responses = {f"response.{k}" for k in protocols.keys.RESPONSE} | {
        f"response.confirm.{k}" for k in protocols.keys.CONFIRM
    }
    in_tables = {part.split(" = ")[0].strip(" `") for row in SHOWN for part in row["option"].split(";")}
    # `required` names one of two answers that are both given: in the sentence only.
    assert responses - of_best - in_tables == {"response.confirm.required"}


def test_every_flag_of_a_time_point_is_shown_in_an_example() -> None:
    shown = {flag for row in (*EXAMPLES, *OPTIONS, *SHOWN) for flag in row["flags"].split()}
    # A line of the table has one date a visit and always a lesion at baseline.
    # The stability changes no category: tests/stability.
    assert set(MEANING) - shown == {"MULTIPLE_DATES", "NO_DISEASE_AT_BASELINE", "LESS_LIKELY_THAN"}


def columns_that_no_rule_reads() -> list[str]:
    rows = table(section(page("files.md"), "`measurements.csv`"), "column", "required", "values")
    return [name for row in rows if "no rule reads it" in row["values"] for name in ticked(row["column"])]


@pytest.mark.parametrize("row", EXAMPLES, ids=name_of)
def test_lirads_and_what_no_rule_reads_change_nothing(row: Row) -> None:
    kept = columns_that_no_rule_reads()
    assert kept == ["progressed_since", "imaged_at_baseline", "lirads_tr", "lirads_version"]
    protocol = protocol_with(row.get("option", ""))
    rows = rows_of(row)
    before = assess_subject(rows, protocol.setting(row["criterion"]), protocol.response)
    for column in kept:
        for word in WORD_COLUMNS[column]:
            said = [replace(one, **{column: word}) for one in rows]
            assert assess_subject(said, protocol.setting(row["criterion"]), protocol.response) == before


def test_flags_stand_in_the_rows_that_the_page_says() -> None:
    said = {ticked(row["flag"])[0]: row["in the rows of"] for row in table(page("flags.md"), "flag", "in the rows of")}
    seen: dict[str, set[str]] = {}
    for row in (*EXAMPLES, *OPTIONS):
        for index, response in enumerate(responses_of(row)[0]):
            for flag in response.flags:
                seen.setdefault(flag.split(":")[0], set()).add("follow-ups" if index else "baseline")
    assert seen, "no flag in any example"
    for flag, rows in seen.items():
        assert all(kind in said[flag] for kind in rows), f"{flag} stands in {rows}, the page says {said[flag]}"


# --- the checks can fail ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [*EXAMPLES, *OPTIONS], ids=name_of)
def test_a_planted_wrong_category_is_found(row: Row) -> None:
    given = visits(row["categories"])
    for index, category in enumerate(given):
        wrong = "SD" if category != "SD" else "PR"
        planted = " -> ".join([*given[:index], wrong, *given[index + 1 :]])
        assert example_faults({**row, "categories": planted}) != []
    assert example_faults({**row, "flags": f"{row['flags']} PR_DRIFTS"}) != []


@pytest.mark.parametrize("row", BEST, ids=lambda row: row["example"])
def test_a_planted_wrong_best_response_is_found(row: Row) -> None:
    for name in ("unconfirmed", "confirmed"):
        assert best_faults({**row, name: "SD" if row[name] != "SD" else "PR"}) != []


@BY_CRITERION
def test_a_planted_wrong_rule_default_or_matrix_is_found(criterion: Criterion) -> None:
    text = page_of(criterion)
    name, category, source = rules_in_code(criterion)[-1]
    for old, new in ((f"| {name} |", "| stable |"), (f"| {category} |", "| PR |"), (f"| {source} |", "| a review |")):
        assert old in text
        assert rules_in_page(text.replace(old, new)) != rules_in_code(criterion)
    assert defaults_in_page(text.replace("`pr_percent` ", "`pr_percent` 1")) != defaults_in_page(text)
    i = "i" if criterion.confirms_progression else ""
    no_progression = "not iUPD" if i else "not PD"
    for old, new in (
        (f"| NE | {no_progression} | no | NE |", f"| NE | {no_progression} | no | {i}SD |"),
        (f"| {i}CR | NE | no | {i}PR |", f"| {i}CR | NE | no | {i}CR |"),
    ):
        assert old in text
        assert matrix_faults(text.replace(old, new), criterion) != []


def test_the_examples_reach_the_engine() -> None:
    """The notation is read as the page says: the sum of the first example of each criterion, by hand."""
    first = {name: next(row for row in EXAMPLES if row["criterion"] == name) for name in CRITERIA}
    sums = {name: str(responses_of(row)[0][0].sum) for name, row in first.items()}
    assert sums == {
        "recist11": "14.0",
        "mrecist": "14.0",
        "irecist": "50",
        "easl": "200",
        "qeasl": "1000",
        "vrecist": "1000",
        "choi": "50",
        "recicl": "200",
    }
