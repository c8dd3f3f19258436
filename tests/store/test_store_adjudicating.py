"""Adjudicators by a randomisation that anyone can repeat, and their picks as rows."""

from __future__ import annotations

import random
from collections import Counter
from itertools import product

import pytest
from store_study import Begun
from store_tampering import full

from mrecist.errors import StoreError
from mrecist.store.adjudicating import OWN, assign_adjudicators, draw_adjudicators, pick, picks
from mrecist.store.assigning import assign, assignments
from mrecist.store.audit import verify
from mrecist.store.schema import FIELDS
from mrecist.store.showing import worklist
from mrecist.store.submitting import submit


@pytest.mark.parametrize("people", ["C", "CD", "CDEFG"])
def test_the_randomisation_is_balanced_and_comes_again(people: str) -> None:
    may = {f"S{number}": tuple(people) for number in range(23)}
    found = draw_adjudicators(may, "7")
    assert draw_adjudicators(dict(reversed(may.items())), "7") == found
    assert {one.subject for one in found} == set(may)
    loads = Counter(one.reader for one in found)
    assert max(loads.values()) - min(loads.values()) <= 1
    for name in people:
        assert sorted(one.place for one in found if one.reader == name) == [*range(1, loads[name] + 1)]
    if len(people) > 1:
        assert draw_adjudicators(may, "8") != found
        later = draw_adjudicators(
            {"T1": tuple(people)}, "7", {**dict.fromkeys(people, 2), people[-1]: 1}, {people[-1]: 9}
        )
        assert [(one.reader, one.place) for one in later] == [(people[-1], 10)]


@pytest.mark.parametrize("seed", range(12))
def test_no_assignment_is_more_even_where_some_may_not_adjudicate_some_cases(seed: int) -> None:
    """The sum of squares of the loads against that of every possible assignment."""
    drawn = random.Random(seed)
    people = "CDE"
    may = {f"S{n}": tuple(drawn.sample(people, drawn.randint(1, 3))) for n in range(6)}
    had = {name: drawn.randint(0, 3) for name in people}
    found = draw_adjudicators(may, "7", had)
    assert all(one.reader in may[one.subject] for one in found)
    best = min(_squares(Counter(had) + Counter(names)) for names in product(*may.values()))
    assert _squares(Counter(had) + Counter(one.reader for one in found)) == best


def _squares(loads: Counter[str]) -> int:
    return sum(load * load for load in loads.values())


def test_a_case_that_everybody_read_has_no_adjudicator() -> None:
    with pytest.raises(StoreError, match="S1: no adjudicator is left who did not read it"):
        draw_adjudicators({"S1": ()}, "7")


def test_picks_are_rows_of_the_trail(study: Begun) -> None:
    for reader in "AB":
        study.read_all("S1", reader)
    made = assign_adjudicators(study.store, ["S1"], "7", by="boss", why="readers differ")
    assert [(row["subject"], row["reader"], row["part"]) for row in made] == [("S1", "C", "adjudicator")]
    assert assign_adjudicators(study.store, ["S1"], "8", by="boss", why="again") == ()
    (due,) = worklist(study.store, "C")
    assert (due.case, due.adjudicates, due.picked) == ("S1", True, {})
    given = {"by": "C", "read": "reader 1", "criteria": ("mrecist", "recist11")}
    pick(study.store, "S1", **given, reason="closer")
    (due,) = worklist(study.store, "C")
    assert due.picked == {"mrecist": "reader 1", "recist11": "reader 1"}
    study.read_all("S1", "C")
    pick(study.store, "S1", by="C", read=OWN, criteria=("mrecist",), reason="neither")
    with study.store.reading() as read:
        found = {one.criterion: (one.read, one.by, one.reason, one.stale) for one in picks(read, "S1")}
        last = [e.said() for e in read.entries()][-1]
        first = read.rows("pick")[0]
    assert found == {"mrecist": (OWN, "C", "neither", ""), "recist11": ("reader 1", "C", "closer", "")}
    assert (last["table"], last["from"], last["why"], last["to"]["reader"]) == ("pick", first, "neither", "C")
    assert verify(study.store)[1] == []


def test_a_visit_that_was_added_after_the_signature_is_not_signed(study: Begun) -> None:
    from datetime import date

    from mrecist.store.showing import rows_to_derive

    study.read_all("S2", "A")
    assign(study.store, {"S2": {2: date(2024, 6, 1)}}, "x", "boss")
    rows, left = rows_to_derive(study.store, "A")
    assert rows == []
    assert "S2 time point 2 of A is not signed" in [str(one) for one in left]


def test_rows_that_were_fetched_at_once_are_those_that_the_database_finds(study: Begun) -> None:
    store = full(study)
    with store.reading() as asked, store.loaded() as loaded:
        for name, columns in FIELDS.items():
            for row in asked.rows(name)[-1:]:
                for column in {*columns} & row.keys():
                    for way in ("rows", "current"):
                        equal = {column: row[column]}
                        assert getattr(loaded, way)(name, **equal) == getattr(asked, way)(name, **equal)
            assert loaded.current(name) == asked.current(name)
        assert loaded.rows("pick", subject="S1", reader="A") == asked.rows("pick", subject="S1", reader="A") != []


def test_an_investigators_case_is_on_the_worklist_and_no_readers(study: Begun) -> None:
    from mrecist.store.people import change_role

    change_role(study.store, "I", "investigator", granted=True, by="boss", reason="site")
    (made,) = assign(study.store, {}, "7", "boss", investigators={"S1": "I"})
    assert (made["part"], made["place"], made.get("seed")) == ("investigator", 1, None)
    submit(study.store, study.given("S1", 0, "I"))
    with study.store.reading() as read:
        assert sorted(row["part"] for row in assignments(read, subject="S1")) == [
            "investigator",
            "reader 1",
            "reader 2",
        ]
