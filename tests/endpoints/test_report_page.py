"""report.html: what the tables say as trials print it, one file that is safe, accessible and the same twice."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from endpoint_study import proportion, rows, run, time_endpoint
from html_page import Page

from mrecist.endpoints.report import estimates
from mrecist.endpoints.report.page import FLAGS
from mrecist.endpoints.report.table import Table
from mrecist.response.flags import MEANING

EVIL = "<script>alert(1)</script>"
SUBJECTS = (
    "subject,arm,randomisation,first_dose,death,lost_to_follow_up\n"
    "S1,A,2020-01-01,2020-01-02,,\n"
    f'"{EVIL}",A,2020-01-01,2020-01-02,2020-06-01,\n'
    "S3,B & <b>,2020-01-01,,,2020-03-01\n"
    "S4,B & <b>,2020-01-01,2020-01-02,2020-04-01,\n"
)
OVERALL = (
    "subject,date,overall,baseline_date\nS1,2020-03-01,PR,2019-12-20\nS1,2020-05-01,PD,2019-12-20\n"
    f'"{EVIL}",2020-03-01,SD,2019-12-20\nS4,2020-03-01,NE,2019-12-20\n'
)
EVENTS = "subject,term,grade,start,soc,related\nS1,Nausea,3,2020-01-05,Gut <i>,yes\nS4,Rash,1,2020-01-05,Skin,\n"
PROTOCOL = (
    '[study]\nid = "S <1>"\ntitle = "A & B <b>"\narms = ["A", "B & <b>"]\n[safety]\n'
    + time_endpoint(more=f'title = "Progression {EVIL}"\nat_months = [2]\ntests = ["logrank"]')
    + time_endpoint('["pd"]', more='competing = ["death"]', name="TTP")
    + proportion()
)


def derived(folder: Path) -> Path:
    return run(folder, PROTOCOL, overall=OVERALL, subjects=SUBJECTS, adverse_events=EVENTS, figures=True)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `endpoints` writes of four subjects."""
    return derived(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def page(out: Path) -> Page:
    return Page(out / "report.html")


def test_nothing_is_loaded_and_nothing_runs(page: Page) -> None:
    tags = {name for name, _ in page.elements}
    assert not tags & {"script", "iframe", "object", "embed", "link", "base", "form", "b", "i", "text"}
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert not page.all("img")
    links = {value for _, a in page.elements for name, value in a.items() if name in ("href", "src", "xlink:href")}
    assert not [link for link in links if re.match(r"[a-z]+:|//", link)]
    assert "default-src 'none'" in next(a["content"] for a in page.all("meta") if "content" in a and "http-equiv" in a)


def test_every_text_of_the_study_is_escaped(page: Page) -> None:
    assert f"Progression {EVIL}" in page.text
    assert "A & B <b>" in page.text
    assert "B & <b>: " in page.text
    assert "Gut <i>" in page.text


def test_links_lead_somewhere(page: Page, out: Path) -> None:
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {a["href"] for a in page.all("a")} | {a["xlink:href"] for a in page.all("use")}
    for target in targets:
        assert target[1:] in ids if target.startswith("#") else (out / target).is_file()
    assert {f"{path.stem}.csv" for path in out.glob("*.csv")} <= targets
    assert {f"figures/{path.name}" for path in (out / "figures").iterdir()} <= targets
    assert set(re.findall(r"url\(#([^)]+)\)", page.source)) <= set(ids)


def test_tables_and_figures_can_be_heard(page: Page) -> None:
    tables = [place for place, (tag, _) in enumerate(page.elements) if tag == "table"]
    assert len(tables) > 8
    for place in tables:
        assert page.elements[place + 1][0] == "caption"
    assert all(a.get("scope") in ("col", "row", "colgroup", "rowgroup") for a in page.all("th"))
    figures = [a for a in page.all("div") if a.get("role") == "img"]
    assert len(figures) == len(page.all("figure")) == 4  # swimmer, two times, one of them with incidences
    assert all(a["aria-label"] for a in figures)
    assert page.all("html") == [{"lang": "en"}]
    levels = [int(tag[1]) for tag, _ in page.elements if tag in ("h1", "h2", "h3")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_the_protocol_is_told_in_words(page: Page, out: Path) -> None:
    assert "Day 1 is the date in column randomisation of subjects.csv." in page.text
    assert "to the first of: progression, death" in page.text
    assert rows(out / "events.csv")[0]["protocol_sha256"] in page.text


def test_counts_by_hand(out: Path, page: Page) -> None:
    """Of four subjects two died, one was lost, S1 progressed; S3 has no visit and no dose."""
    table = [row for row in rows(out / "counts.csv") if row["arm"] == ""]
    reached = {row["status"]: (row["subjects"], row["percent"]) for row in table if row["table"] == "disposition"}
    assert reached == {
        "in subjects.csv": ("4", "100.0"),
        "randomised": ("4", "100.0"),
        "treated": ("3", "75.0"),
        "assessed": ("3", "75.0"),
        "evaluated": ("2", "50.0"),
        "lost to follow-up": ("1", "25.0"),
        "dead": ("2", "50.0"),
        "ongoing": ("1", "25.0"),
    }
    ended = {
        (row["endpoint"], row["status"], row["reason"], row["cnsr"]): row["subjects"]
        for row in table
        if row["table"] == "events"
    }
    assert ended == {
        ("PFS", "event", "death", "0"): "2",
        ("PFS", "event", "pd", "0"): "1",
        ("PFS", "censored", "no_event", "1"): "1",
        ("TTP", "event", "pd", "0"): "1",
        ("TTP", "competing", "death", "101"): "2",
        ("TTP", "censored", "no_event", "1"): "1",
    }
    best = {(row["status"], row["reason"]): row["subjects"] for row in table if row["table"] == "outcomes"}
    assert best == {("success", "PR"): "1", ("no success", "SD"): "1", ("no success", "NE"): "2"}
    assert "randomised 4 (100.0 %) 2 (100.0 %) 2 (100.0 %)" in page.text
    assert "progression 0 1 (25.0 %) 1 (50.0 %) 0 (0.0 %)" in page.text


def test_rates_and_safety_on_the_page(page: Page) -> None:
    # Clopper-Pearson of 1 of 2 by hand: 1 - (1 - p)^2 = 0.025 gives 1.3 %, 1 - p^2 = 0.025 gives 98.7 %.
    assert "A: rate 50.0 % (95 % CI 1.3 to 98.7), 1 of 2 subjects" in page.text
    # Treated are S1 and one more of arm A, and S4: nausea of grade 3 in one of two; the rash may be related.
    assert "Nausea Gut <i> 1 33.3 % 1 33.3 % 0 1 50.0 % 1 50.0 % 0 0 0 0" in page.text
    assert "Rash Skin 0 0.0 to 33.3 %, 1 unknown" in page.text
    assert "NO_ASSESSMENT" in page.text


def test_the_same_study_is_the_same_page(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        found = run(tmp_path / name, proportion(), overall=OVERALL, subjects=SUBJECTS, figures=True)
        made.append({path.relative_to(found): path.read_bytes() for path in found.rglob("*") if path.is_file()})
    assert made[0] == made[1]
    assert Path("figures/swimmer_mrecist.png") in made[0]


def test_the_page_explains_every_flag_of_a_time() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")
    section = documented.partition("## `events.csv`")[2].partition("\n## ")[0]
    of_times = set(re.findall(r"^\| `([A-Z_]+)` \|", section, re.MULTILINE))
    # A flag that best responses have too is explained with those.
    assert of_times - set(MEANING) == set(FLAGS)


# --- numbers as trials print them ------------------------------------------------------------------------------------


def estimate(name: str, value: str, **more: str) -> dict[str, str]:
    """A row of estimates.csv."""
    columns = (
        "endpoint",
        "arm",
        "against",
        "covariate",
        "group",
        "reader",
        "criterion",
        "months",
        "n",
        "events",
        "low",
    )
    row = dict.fromkeys((*columns, "high", "level", "unit", "method", "p", "note"), "")
    return row | {"estimate": name, "value": value, "level": "0.95" if "low" in more or "high" in more else ""} | more


@pytest.mark.parametrize(
    ("row", "printed"),
    [
        # Cao 2022: "median PFS 10.8 months (95 % CI 8.1-13.2)"; the others as ICH E3 and CONSORT 2010, 17a, ask for.
        (estimate("median", "10.78", low="8.1", high="13.2", unit="months"), "10.8 months (95 % CI 8.1 to 13.2)"),
        (
            estimate("median", "", low="8.1", unit="months", note="not reached"),
            "not reached (95 % CI 8.1 to not reached)",
        ),
        (estimate("rate", "0.352941", low="0.2", high="0.5005"), "35.3 % (95 % CI 20.0 to 50.1)"),
        (
            estimate("rate_difference", "-0.0645", low="-0.2", high="0.05"),
            "−6.5 percentage points (95 % CI −20.0 to 5.0)",
        ),
        (estimate("hazard_ratio", "0.77703", low="0.569468", high="1.06024"), "0.78 (95 % CI 0.57 to 1.06)"),
        (estimate("median_change", "-50.25", unit="%"), "−50.3 %"),
        (estimate("hazard_ratio", "", note="an arm has no events"), "an arm has no events"),
    ],
)
def test_numbers_are_printed_as_in_papers(row: dict[str, str], printed: str) -> None:
    assert estimates.value(row, unit=True) == printed


def cells(table: Table | None) -> list[list[str]]:
    assert table is not None
    return [[f"{cell.main} {cell.more}".strip() for cell in line.cells] or [line.group] for line in table.lines]


def test_estimates_of_names_that_are_not_known_are_shown() -> None:
    found = [
        estimate("gray", "3.1", unit="chi-squared", p="0.0004", n="100", events="40", method="Gray, 1 df"),
        estimate("subdistribution_hazard_ratio", "0.5", low="0.3", high="0.9", arm="B", against="A", group="sex=F"),
        estimate("restricted_mean", "12.345", unit="months", arm="B"),
        estimate("hazard_ratio_univariable", "1.5", covariate="age"),
    ]
    assert cells(estimates.comparisons(found, "x")) == [
        ["Gray", "all arms", "3.10 chi-squared", "< 0.001", "100", "40", "Gray, 1 df"],
        ["Restricted mean", "B", "12.3 months", "–", "–", "–", ""],
        ["Hazard ratio univariable", "age", "1.50", "–", "–", "–", ""],
        ["sex: F"],
        ["Subdistribution hazard ratio", "B against A", "0.50 (0.30 to 0.90)", "–", "–", "–", ""],
    ]
    assert next(iter(estimates.sentences(found))) == "gray, p < 0.001"


def test_arms_months_and_subgroups_are_rows() -> None:
    found = [
        estimate("rate", "0.5", low="0.1", high="0.9", n="4", events="2", method=method, months=month, group=group)
        for group in ("", "sex=F")
        for month in ("1", "3")
        for method in ("clopper-pearson", "wilson")
    ]
    table = estimates.summary(found, "x")
    line = ["4", "2", "50.0 (10.0 to 90.0)", "50.0 (10.0 to 90.0)"]
    assert cells(table) == [
        ["all", "1", *line],
        ["all", "3", *line],
        ["sex: F"],
        ["all", "1", *line],
        ["all", "3", *line],
    ]
    assert list(estimates.sentences(found)) == [
        "rate at month 1: 50.0 % (95 % CI 10.0 to 90.0), 2 of 4 subjects; "
        "month 3: 50.0 % (95 % CI 10.0 to 90.0), 2 of 4 subjects"
    ]
    assert table is not None
    assert table.head[-1] == "Rate, % (95 % CI Wilson)"
