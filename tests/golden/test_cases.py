"""Our engine on every conformance case, and whether the set itself is whole."""

from __future__ import annotations

import csv
from collections import Counter

import pytest

from mrecist.conformance.cases import Case, load_cases
from mrecist.conformance.compare import Answers, Difference, compare
from mrecist.conformance.own import differences, run_own
from mrecist.model import Response
from mrecist.tables import BEST_COLUMNS, RESPONSE_COLUMNS

CASES = load_cases()
FLAGS = ("flag", "no_flag")
PSEUDO_COLUMNS = (*FLAGS, "row")


@pytest.fixture(scope="module")
def found() -> list[Difference]:
    return list(differences(CASES))


@pytest.mark.parametrize("case", CASES.cases, ids=lambda case: case.case)
def test_case(case: Case, found: list[Difference]) -> None:
    wrong = [str(difference) for difference in found if difference.case == case.case]
    assert wrong == [], f"{case.title} [{case.source}]: {case.why}"


# --- the set itself --------------------------------------------------------------------------------------------------


def test_the_set_is_large_enough() -> None:
    assert CASES.version == "v1"
    assert len(CASES.cases) >= 850


@pytest.mark.parametrize("case", CASES.cases, ids=lambda case: case.case)
def test_a_case_has_input_answers_source_and_reason(case: Case) -> None:
    assert bool(case.measurements) != (case.reported is not None)
    assert case.expected
    assert len(case.title) > 5
    assert len(case.source) > 1
    assert len(case.why.split()) > 3
    assert {row.reader for row in case.measurements} <= {"R1"}


def test_names_of_cases_and_titles_are_unique() -> None:
    assert [name for name, count in Counter(c.case for c in CASES.cases).items() if count > 1] == []
    assert [title for title, count in Counter(c.title for c in CASES.cases).items() if count > 1] == []


def test_expected_values_name_columns_and_are_not_repeated() -> None:
    every = [e for case in CASES.cases for e in case.expected]
    for expected in every:
        columns = BEST_COLUMNS if expected.timepoint is None else RESPONSE_COLUMNS
        assert expected.column in (*columns, *PSEUDO_COLUMNS), expected
    keys = Counter((e.case, e.criterion, e.timepoint, e.column, e.expected if e.column in FLAGS else "") for e in every)
    assert [key for key, count in keys.items() if count > 1] == []


def test_a_wrong_answer_and_a_missing_answer_are_found() -> None:
    case = next(c for c in CASES.cases if c.case == "R11-PR-01")
    right = {
        "subject": case.case,
        "criterion": "recist11",
        "timepoint": "1",
        "sum": "9.80",
        "target": "PR",
        "overall": "PR",
    }
    assert compare([case], Answers(responses=(right,))) == []
    wrong = {**right, "overall": "SD"}
    assert [d.found for d in compare([case], Answers(responses=(wrong,)))] == ["SD"]
    assert {d.found for d in compare([case], Answers())} == {"no such row"}
    assert {d.found for d in compare([case], Answers(responses=(right, right)))} == {"two rows"}
    assert {d.found for d in compare([case], Answers(refused={case.case: "refused: why"}))} == {"refused: why"}
    assert {d.found for d in compare([case], Answers(no_responses="no table"))} == {"no table"}
    del wrong["overall"]
    assert [d.found for d in compare([case], Answers(responses=(wrong,)))] == ["no such column"]


# --- the printed tables ----------------------------------------------------------------------------------------------

NON = "NON-CR/NON-PD"
NOT_PD = ("CR", NON, "NE")
# Typed from Eisenhauer 2009, Tables 1 and 2; the last item is the overall response.
TABLES_1_AND_2 = [
    ("CR", "CR", "no", "CR"),
    ("CR", NON, "no", "PR"),
    ("CR", "NE", "no", "PR"),
    *(("PR", non_target, "no", "PR") for non_target in NOT_PD),
    *(("SD", non_target, "no", "SD") for non_target in NOT_PD),
    *(("NE", non_target, "no", "NE") for non_target in NOT_PD),
    *(("PD", non_target, "no", "PD") for non_target in NOT_PD),
    ("PD", "PD", "yes", "PD"),
    *((target, "PD", "no", "PD") for target in ("CR", "PR", "SD", "NE")),
    ("CR", "CR", "yes", "PD"),
    ("NA", "CR", "no", "CR"),
    ("NA", NON, "no", NON),
    ("NA", "NE", "no", "NE"),
    ("NA", "PD", "no", "PD"),
    *(("NA", non_target, "yes", "PD") for non_target in NOT_PD),
]
# Lencioni & Llovet 2010 as reprinted in Choi 2018, Table A.1; its IR/SD is non-CR/non-PD here.
MRECIST_TABLE = [
    ("CR", "CR", "no", "CR"),
    ("CR", NON, "no", "PR"),
    ("PR", "CR", "no", "PR"),
    ("PR", NON, "no", "PR"),
    ("SD", "CR", "no", "SD"),
    ("SD", NON, "no", "SD"),
    ("PD", "CR", "no", "PD"),
    ("PD", NON, "yes", "PD"),
    *((target, "PD", "no", "PD") for target in ("CR", "PR", "SD")),
    ("CR", "CR", "yes", "PD"),
    ("PR", NON, "yes", "PD"),
]
# Eisenhauer 2009, Table 3: first and later response -> best responses that the row can give.
TABLE_3 = {
    ("CR", "CR"): {"CR"},
    ("CR", "PR"): {"SD", "PD", "PR"},
    ("CR", "SD"): {"SD", "PD"},
    ("CR", "PD"): {"SD", "PD"},
    ("CR", "NE"): {"SD", "NE"},
    ("PR", "CR"): {"PR"},
    ("PR", "PR"): {"PR"},
    ("PR", "SD"): {"SD"},
    ("PR", "PD"): {"SD", "PD"},
    ("PR", "NE"): {"SD", "NE"},
    ("NE", "NE"): {"NE"},
}


def expected_rows(criterion: str) -> set[tuple[str, ...]]:
    """(target, non-target, new lesion, overall) of every expected visit that states all four."""
    visits: dict[tuple[str, int], dict[str, str]] = {}
    for case in CASES.cases:
        for e in case.expected:
            if e.criterion == criterion and e.timepoint is not None:
                visits.setdefault((e.case, e.timepoint), {})[e.column] = e.expected
    columns = ("target", "non_target", "new_lesion", "overall")
    return {tuple(visit[c] for c in columns) for visit in visits.values() if all(c in visit for c in columns)}


def test_every_row_of_tables_1_and_2_has_a_case() -> None:
    assert set(TABLES_1_AND_2) - expected_rows("recist11") == set()


def test_every_row_of_the_mrecist_table_has_a_case() -> None:
    assert set(MRECIST_TABLE) - expected_rows("mrecist") == set()


def test_every_row_and_outcome_of_table_3_has_a_case() -> None:
    covered: dict[tuple[Response, ...], set[str]] = {}
    for case in CASES.cases:
        if case.case.startswith("BOR-T3-") and case.reported is not None:
            pair = tuple(response for _, response in case.reported.responses)
            covered.setdefault(pair, set()).update(e.expected for e in case.expected if e.column == "best_confirmed")
    assert covered == TABLE_3


# Seymour 2017, Table 2 (rows 5 to 10, in the words of iRECIST): target, non-target, new lesion -> overall after no iUPD, and
# the two outcomes after an iUPD.
UP, NON_I = "iUPD", "NON-iCR/NON-iUPD"
SEYMOUR_TABLE_2 = [
    ("iCR", "iCR", "no", {"iCR"}),
    ("iCR", NON_I, "no", {"iPR"}),
    ("iPR", NON_I, "no", {"iPR"}),
    ("iSD", NON_I, "no", {"iSD"}),
    *((target, UP, "no", {"iUPD", "iCPD"}) for target in ("iSD", "iPR", "iCR")),
    (UP, NON_I, "no", {"iUPD", "iCPD"}),
    (UP, UP, "no", {"iUPD", "iCPD"}),
    (UP, UP, "yes", {"iUPD", "iCPD"}),
    ("iSD", NON_I, "yes", {"iUPD", "iCPD"}),
]


def immune_visits(after_iupd: bool) -> dict[tuple[str, ...], set[str]]:
    """(target, non-target, new lesion) -> overall responses of the iRECIST cases, at visits with or without an iUPD before."""
    asked = {
        (e.case, e.timepoint)
        for c in CASES.cases
        for e in c.expected
        if e.criterion == "irecist" and e.column == "overall"
    }
    found: dict[tuple[str, ...], set[str]] = {}
    for _, answers in run_own(CASES):
        before = ""
        for row in answers.responses:
            mine = row["criterion"] == "irecist" and (row["subject"], int(row["timepoint"])) in asked
            if mine and (before == UP) == after_iupd:
                key = (row["target"], row["non_target"], row["new_lesion"])
                found.setdefault(key, set()).add(row["overall"])
            before = row["overall"]
    return found


def test_every_row_of_table_2_of_irecist_has_cases() -> None:
    first, later = immune_visits(after_iupd=False), immune_visits(after_iupd=True)
    for target, non_target, new, overall in SEYMOUR_TABLE_2:
        assert first[target, non_target, new] >= overall - {"iCPD"}, (target, non_target, new)
        assert later[target, non_target, new] >= overall, (target, non_target, new)


AMOUNTS = {"easl": "EA", "qeasl": "QE", "vrecist": "VR", "choi": "CH", "recicl": "RC"}


@pytest.mark.parametrize("criterion", AMOUNTS)
def test_every_row_of_the_table_has_a_case_by_the_other_criteria(criterion: str) -> None:
    # CR / none and the rows for non-target disease only are told apart by the non-target column.
    wanted = {(t, nt, new, o) for t, nt, new, o in TABLES_1_AND_2 if t != "NA" and (t, nt, new) != ("NE", "CR", "no")}
    wanted -= {("PD", "CR", "no", "PD")}
    assert wanted - expected_rows(criterion) == set()


# --- the open points -------------------------------------------------------------------------------------------------

OPEN_POINTS = tuple(f"A{number}" for number in range(1, 34))
# Points that the protocol cannot change: the reader's or the measurement's matter, or settled by the default alone.
NO_OPTION = {"A3", "A20", "A28", "A29"}


def sources_of(point: str) -> list[Case]:
    return [c for c in CASES.cases if point in c.source.replace(";", " ").replace(",", " ").split()]


@pytest.mark.parametrize("point", OPEN_POINTS)
def test_every_open_point_has_a_case_of_its_default(point: str) -> None:
    assert [c for c in sources_of(point) if "option" not in c.source]


@pytest.mark.parametrize("point", OPEN_POINTS)
def test_every_open_point_with_an_option_has_a_case_of_it(point: str) -> None:
    by_option = [c for c in sources_of(point) if c.protocol and "option" in c.source]
    assert bool(by_option) != (point in NO_OPTION)


def test_every_protocol_of_the_set_is_used() -> None:
    files = {path.stem for path in (CASES.folder / "protocols").iterdir()}
    assert files == {case.protocol for case in CASES.cases} - {""}


def test_every_subject_with_dates_is_a_case() -> None:
    assert CASES.subjects is not None
    with CASES.subjects.open(encoding="utf-8", newline="") as file:
        named = [row["subject"] for row in csv.DictReader(file)]
    assert sorted(named) == sorted({*named} & {case.case for case in CASES.cases})
