"""docs/criteria.md says what the code does: rules, matrices, ambiguities and worked examples are read from the page and run."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from mrecist import assess_subject
from mrecist.criteria import CRITERIA
from mrecist.criteria._overall import overall_response
from mrecist.criteria._rule import Criterion
from mrecist.model import Kind, Measurement, Pattern, Response, Role, State
from mrecist.protocol import FORMAT, Protocol, parse_protocol
from mrecist.response.best import Assessment, best_response

PAGE = (Path(__file__).parents[1] / "docs" / "criteria.md").read_text(encoding="utf-8")
START = date(2024, 1, 1)
BETWEEN_VISITS = timedelta(days=56)
Row = dict[str, str]


# --- reading the page ------------------------------------------------------------------------------------------------


def section(text: str, heading: str, level: int = 2) -> str:
    """The text below the one heading of that level that contains ``heading``, up to the next of the same level."""
    parts = re.split(rf"^{'#' * level} (?=\S)", text, flags=re.MULTILINE)[1:]
    found = [part for part in parts if heading in part.partition("\n")[0]]
    assert len(found) == 1, f"{len(found)} headings with {heading}"
    return found[0]


def table(text: str, *columns: str) -> list[Row]:
    """The rows of the one table whose header begins with ``columns``."""
    tables = []
    for block in re.findall(r"(?:^\|.*\n)+", text + "\n", flags=re.MULTILINE):
        header, _rule, *rows = [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in block.splitlines()]
        if tuple(header[: len(columns)]) == columns:
            assert all(len(row) == len(header) for row in rows), f"a row of the table {header} has another width"
            tables.append([dict(zip(header, row, strict=True)) for row in rows])
    assert len(tables) == 1, f"{len(tables)} tables with {columns}"
    return tables[0]


def visits(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("->")] if cell else []


def protocol_with(option: str) -> Protocol:
    return parse_protocol({"format": FORMAT, **tomllib.loads(option.strip("`"))}, where="docs/criteria.md")


# --- rules, matrices, ambiguities ------------------------------------------------------------------------------------


def rules_in_page(text: str, criterion: Criterion) -> list[tuple[str, ...]]:
    targets = section(section(text, f"`{criterion.name}`"), "Target lesions", level=3)
    rows = table(targets, "rule", "category", "condition", "source")
    return [(row["rule"], row["category"], row["source"]) for row in rows]


def rules_in_code(criterion: Criterion) -> list[tuple[str, ...]]:
    return [(rule.name, rule.gives.value, rule.cite) for rule in criterion.rules]


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)
def test_rules_stand_in_their_section_in_order(criterion: Criterion) -> None:
    assert rules_in_page(PAGE, criterion) == rules_in_code(criterion)


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)
def test_criterion_is_introduced_with_its_source(criterion: Criterion) -> None:
    row = next(r for r in table(PAGE, "name", "criterion", "source") if r["name"] == f"`{criterion.name}`")
    assert (row["criterion"], row["source"]) == (criterion.title, criterion.source)
    assert row["size that counts"] == criterion.quantity


ALL = set(Response) - {Response.MISSING}
OF_TARGETS = (Response.CR, Response.PR, Response.SD, Response.PD, Response.NE, Response.NA)
OF_NON_TARGETS = (Response.CR, Response.NON_CR_NON_PD, Response.PD, Response.NE, Response.NA)
WORDS = {
    "any": ALL,
    "not PD": ALL - {Response.PD},
    "none": {Response.NA},
    "CR or none": {Response.CR, Response.NA},
    **{response.value: {response} for response in ALL - {Response.NA}},
}


def matrix_faults(text: str, criterion: Criterion) -> list[str]:
    """Every combination looked up in the page's matrix and in the code's."""
    overall = section(section(text, f"`{criterion.name}`"), "Overall response", level=3)
    rows = table(overall, "target", "non-target", "new lesion", "overall", "source")
    faults = []
    for target, non_target, new in product(OF_TARGETS, OF_NON_TARGETS, (False, True)):
        here = f"{target}/{non_target}/{'yes' if new else 'no'}"
        wanted, source = overall_response(criterion.overall, target=target, non_target=non_target, new_lesion=new)
        fits = (
            row
            for row in rows
            if target in WORDS[row["target"]]
            and non_target in WORDS[row["non-target"]]
            and new == (row["new lesion"] == "yes")
        )
        row = next(fits, None)
        if row is None or row["overall"] != wanted or row["source"] not in source:
            faults.append(f"{here}: {wanted} by {source}, the page has {row}")
    return faults


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)
def test_overall_matrix_is_the_one_of_the_code(criterion: Criterion) -> None:
    assert matrix_faults(PAGE, criterion) == []


def ambiguities(text: str) -> list[str]:
    return [row["#"] for row in table(section(text, "Ambiguities"), "#", "question")]


def test_ambiguities_are_a1_to_a32() -> None:
    assert ambiguities(PAGE) == [f"A{number}" for number in range(1, 33)]


def test_every_ambiguity_named_in_a_rule_has_a_row() -> None:
    notes = [rule.note for criterion in CRITERIA.values() for rule in criterion.rules]
    named = {a for note in notes for a in re.findall(r"\bA\d+\b", note)}
    assert named, "no rule names an ambiguity"
    assert named <= set(ambiguities(PAGE))


def test_every_ambiguity_named_in_the_page_has_a_row() -> None:
    assert set(re.findall(r"\bA\d+\b", PAGE)) <= set(ambiguities(PAGE))


# --- worked examples -------------------------------------------------------------------------------------------------


def target_rows(criterion: str, timepoint: int, cell: str) -> Iterator[Measurement]:
    """``30 + n12 + (18 + 9)``: the rows of the targets of one visit."""
    if cell == "-":
        return
    for number, word in enumerate(re.findall(r"\([^)]*\)|[^\s+]+", cell), start=1):
        lesion = f"T{number:02d}"
        if word.startswith("("):
            for letter, part in zip("abc", word.strip("()").split("+"), strict=False):
                row = target(criterion, timepoint, lesion + letter, part.strip())
                yield replace(row, part_of=lesion)
        elif word != "?" or timepoint == 0:
            yield target(criterion, timepoint, lesion, word)


def target(criterion: str, timepoint: int, lesion: str, word: str) -> Measurement:
    size, _, phase = word.partition("@")
    kind = Kind.NODE if size.startswith("n") else Kind.LESION
    row = blank(timepoint, lesion, Role.TARGET, State.MEASURED, kind=kind, phase=phase)
    states = {"?": State.NOT_EVALUABLE, "small": State.TOO_SMALL, "merged": State.MERGED}
    if size in states:
        return replace(row, state=states[size], part_of="T01" if size == "merged" else "")
    mm = Decimal(size.removeprefix("n"))
    if kind is Kind.NODE:
        return replace(row, short_mm=mm)
    if criterion == "mrecist":
        return replace(row, longest_mm=mm + 10, viable_mm=mm)
    return replace(row, longest_mm=mm) if mm else replace(row, state=State.ABSENT)


def non_target(timepoint: int, word: str) -> Iterator[Measurement]:
    if word != "?":
        yield blank(timepoint, "NT01", Role.NON_TARGET, State(word))


def new_lesion(timepoint: int, word: str) -> Iterator[Measurement]:
    """``equivocal``, or ``typical 8``: an unequivocal nodule with pattern and size."""
    if word == "-":
        return
    first, _, size = word.partition(" ")
    if size:
        row = blank(timepoint, "NEW01", Role.NEW, State.UNEQUIVOCAL, pattern=Pattern(first))
        yield replace(row, organ="liver", longest_mm=Decimal(size))
    else:
        yield blank(timepoint, "NEW01", Role.NEW, State(first))


def blank(
    timepoint: int,
    lesion: str,
    role: Role,
    state: State,
    *,
    kind: Kind = Kind.LESION,
    phase: str = "",
    pattern: Pattern | None = None,
) -> Measurement:
    day = START + timepoint * BETWEEN_VISITS
    return Measurement(
        subject="S",
        timepoint=timepoint,
        date=day,
        lesion=lesion,
        role=role,
        state=state,
        kind=kind,
        phase=phase,
        pattern=pattern,
    )


def example_faults(row: Row) -> list[str]:
    """What the engine gives other than the page says, for one row of a table of time points."""
    protocol = protocol_with(row.get("option", ""))
    rows = [
        *(m for t, cell in enumerate(visits(row["sums per visit"])) for m in target_rows(row["criterion"], t, cell)),
        *(m for t, cell in enumerate(visits(row.get("non-targets", ""))) for m in non_target(t, cell)),
        *(m for t, cell in enumerate(visits(row.get("new lesions", ""))) for m in new_lesion(t, cell)),
    ]
    responses = assess_subject(rows, protocol.setting(row["criterion"]), protocol.response)
    found = " -> ".join(str(response.overall) for response in responses[1:])
    flags = " ".join(sorted({flag.split(":")[0] for response in responses for flag in response.flags}))
    faults = [] if found == row["categories"] else [f"categories {found}, the page has {row['categories']}"]
    if "flags" in row and flags != row["flags"]:
        faults.append(f"flags {flags}, the page has {row['flags']}")
    return faults


def best_faults(row: Row) -> list[str]:
    """What the engine gives other than the page says, for one row of the best responses."""
    assessments = []
    for entry in row["responses"].split(", "):
        day, response = entry.split(" ")
        assessments.append(Assessment(date=START + timedelta(days=int(day)), overall=Response(response)))
    rules = protocol_with(row["option"]).response
    best = best_response(assessments, start=START, rules=rules, subject="S", reader="R1", criterion="recist11")

    def day_of(when: date | None) -> str:
        return "-" if when is None else str((when - START).days)

    found = {
        "unconfirmed": best.best_unconfirmed.value,
        "confirmed": best.best_confirmed.value,
        "first response": day_of(best.first_response_date),
        "confirmed response": day_of(best.confirmed_response_date),
        "progression": day_of(best.progression_date),
    }
    return [f"{name} {value}, the page has {row[name]}" for name, value in found.items() if row[name] != value]


WORKED = section(PAGE, "Worked examples")
EXAMPLES = table(WORKED, "example", "criterion", "sums per visit")
OPTIONS = table(WORKED, "option", "criterion", "sums per visit")
BEST = table(WORKED, "example", "option", "responses")


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: row["example"])
def test_worked_example(row: Row) -> None:
    assert example_faults(row) == []


@pytest.mark.parametrize("row", OPTIONS, ids=lambda row: row["option"])
def test_option_decides(row: Row) -> None:
    assert example_faults(row) == []
    assert example_faults({**row, "option": ""}) != [], "the option changes nothing here"


@pytest.mark.parametrize("row", BEST, ids=lambda row: row["example"])
def test_best_response_example(row: Row) -> None:
    assert best_faults(row) == []


def test_every_criterion_has_worked_examples() -> None:
    for name in CRITERIA:
        assert len([row for row in EXAMPLES if row["criterion"] == name]) >= 8


# --- the checks can fail ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [*EXAMPLES, *OPTIONS], ids=lambda row: row.get("example", row.get("option")))
def test_a_planted_wrong_category_is_found(row: Row) -> None:
    given = visits(row["categories"])
    for index, category in enumerate(given):
        wrong = "SD" if category != "SD" else "PR"
        planted = " -> ".join([*given[:index], wrong, *given[index + 1 :]])
        assert example_faults({**row, "categories": planted}) != []


@pytest.mark.parametrize("row", BEST, ids=lambda row: row["example"])
def test_a_planted_wrong_best_response_is_found(row: Row) -> None:
    for name in ("unconfirmed", "confirmed"):
        assert best_faults({**row, name: "SD" if row[name] != "SD" else "PR"}) != []


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)
def test_a_planted_wrong_rule_or_matrix_is_found(criterion: Criterion) -> None:
    name, category, source = rules_in_code(criterion)[-1]
    for old, new in ((f"| {name} |", "| stable |"), (f"| {category} |", "| PR |"), (f"| {source} |", "| a review |")):
        assert rules_in_page(PAGE.replace(old, new), criterion) != rules_in_code(criterion)
    for old, new in (
        ("| NE | not PD | no | NE |", "| NE | not PD | no | SD |"),
        ("| CR | NE | no | PR |", "| CR | NE | no | CR |"),
    ):
        assert matrix_faults(PAGE.replace(old, new), criterion) != []
