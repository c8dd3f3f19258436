"""What stands in the report."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from report_page import read, row, section
from report_study import other, rows, study, target

from mrecist.model import Problem, Role
from mrecist.report.html import report_html
from mrecist.report.look import INK, LOOKS, look_of, percent
from mrecist.response.flags import MEANING
from mrecist.results import StudyResults


def test_every_subject_has_a_row_and_a_section(page: str, results: StudyResults) -> None:
    root = read(page)
    summary = root.all("table", "summary")[0].text
    subjects = {r.subject for r in results.measurements} | {p.subject for p in results.problems if p.subject}
    assert len(root.all("section", "subject")) == len(subjects) == 9
    for subject in subjects:
        assert subject in summary
        assert section(root, subject).all("h2")[0].text == subject


def test_subjects_come_in_natural_order(page: str) -> None:
    names = [s.all("h2")[0].text for s in read(page).all("section", "subject")]
    assert names[-2:] == ["S-08", "S-10"]


def test_best_responses_stand_as_given(page: str, results: StudyResults) -> None:
    body = read(page).all("table", "summary")[0].all("tbody")[0]
    shown = {}
    for tr in body.all("tr"):
        cells = [cell.text for cell in tr.all("td")]
        shown[tr.all("th")[0].text, cells[0]] = cells
    for best in results.best:
        start = 2 if best.criterion == results.criteria[0].name else 5
        expected = [str(best.best_unconfirmed), str(best.best_confirmed), str(best.progression_date or "–")]
        assert shown[best.subject, best.reader][start : start + 3] == expected


def test_overall_responses_stand_as_given(page: str, results: StudyResults) -> None:
    root = read(page)
    for subject in sorted({v.subject for v in results.responses}):
        reads = section(root, subject).all("div", "read")
        readers = [r.all("h3", "reader")[0].text.removeprefix("Reader ") for r in reads]
        for number, criterion in enumerate(results.criteria):
            for visits, reader in zip(reads, readers, strict=True):
                of_read = [
                    v
                    for v in results.responses
                    if (v.subject, v.reader, v.criterion) == (subject, reader, criterion.name)
                ]
                if of_read:
                    expected = [str(v.overall) if v.overall else "–" for v in of_read]
                    assert row(visits, "Overall", number=number) == expected


def test_what_was_not_evaluated_says_so_and_never_0(page: str) -> None:
    four = section(read(page), "S-04")
    assert row(four, "T02")[1:3] == ["not evaluable", "not evaluated"]
    assert row(four, "Sum")[1:3] == ["incomplete", "incomplete"]
    assert row(four, "From baseline")[1:3] == ["–", "–"]
    assert not any(re.search(r"\b0\b", cell) for name in ("T02", "Sum", "From nadir") for cell in row(four, name))
    assert "No row at time point 2" in four.text


def test_a_subject_without_targets_has_no_sum(page: str) -> None:
    five = section(read(page), "S-05")
    assert set(row(five, "Sum")) == {"no target in the sum"}
    assert row(five, "NT01")[-1] == "progressed"


def test_sizes_and_changes_are_shown_without_float_noise(page: str) -> None:
    one = section(read(page), "S-01")
    assert row(one, "T01")[1] == "47.1 × 38 mm viable 30.2 × 21.4 mm"
    assert row(one, "Sum", number=1) == ["77.1 mm", "50.3 mm", "39.8 mm", "31 mm"]
    assert row(one, "From baseline", number=1)[1] == "−34.8 % −26.8 mm"
    assert row(one, "From nadir", number=1)[2] == "−20.9 % −10.5 mm from 50.3 (TP 1)"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("-29.9999", "−29.9999 %"),
        ("-30", "−30 %"),
        ("19.96", "+19.96 %"),
        ("-33.3333", "−33.3 %"),
        ("0", "0 %"),
        ("-29.04", "−29.04 %"),
        ("72.96", "+72.96 %"),
    ],
)
def test_a_percentage_never_reads_as_the_cut_off_that_it_misses(value: str, shown: str) -> None:
    from decimal import Decimal

    assert percent(Decimal(value)) == shown


def test_a_node_shows_its_short_axis_first(page: str) -> None:
    assert row(section(read(page), "S-03"), "LN01")[0] == "short 17.5 mm (longest 24)"


def test_disagreement_is_said_in_words(page: str) -> None:
    root = read(page)
    assert "Best response differs: RECIST 1.1 SD, mRECIST (HCC) PR" in section(root, "S-01").text
    assert "Readers differ by mRECIST (HCC): R1 PR, R2 SD" in section(root, "S-06").text
    assert "differs" not in section(root, "S-03").text


def test_reasons_are_visible_without_script(page: str, results: StudyResults) -> None:
    root = read(page)
    assert all("open" in details.attributes for details in root.all("details"))
    text = root.text
    for visit in results.responses:
        start = " ".join(
            visit.reason.split("[")[0].removeprefix(f"{visit.overall}: ").removeprefix("Baseline: ").split()
        )
        assert start in text


def test_flags_have_their_meaning_as_tooltip_and_in_the_legend(page: str, results: StudyResults) -> None:
    root = read(page)
    used = {flag.partition(":")[0] for r in (*results.responses, *results.best) for flag in r.flags}
    assert used >= {"BACK_DATED", "AS_READ", "INCOMPLETE_SUM"}
    legend = {div.all("dt")[0].text: div.all("dd")[0].text for div in root.all("dl", "flags")[0].all("div")}
    assert legend == {code: MEANING[code] for code in used}
    for link in root.all("a", "flag"):
        assert link.attributes["title"] == MEANING[link.attributes["href"].removeprefix("#flag-")]


def test_problems_and_notes_stand_on_top(page: str, results: StudyResults) -> None:
    notices = read(page).all("section", "notices")[0].text
    for problem in results.problems:
        assert problem.message in notices
    assert results.notes[0] in notices
    assert page.index("notices") < page.index('id="summary"')


def test_without_problems_there_is_no_such_section() -> None:
    assert read(report_html(study(images=False))).all("section", "notices") == []


def test_nothing_is_loaded_from_elsewhere_and_no_script_runs(page: str) -> None:
    loads = r"""(?:src|href|action|data)\s*=\s*["']?\s*(?:https?:)?//|url\(\s*["']?\s*(?:https?:)?//|@import"""
    assert re.findall(loads, page) == []
    root = read(page)
    assert root.all("script") + root.all("link") + root.all("iframe") == []
    for image in root.all("image"):
        assert image.attributes["href"].startswith("data:image/png;base64,")


def test_links_lead_somewhere_and_ids_are_unique(page: str) -> None:
    found = re.findall(r'<[^>]*?\sid="([^"]+)"', page)
    assert len(found) == len(set(found))
    for link in re.findall(r'href="#([^"]+)"', page) + re.findall(r"url\(#([^)]+)\)", page):
        assert link in found


def test_tables_name_their_headers(page: str) -> None:
    assert all(th.attributes.get("scope") for th in read(page).all("th"))
    assert all(svg.attributes.get("aria-label") or svg.attributes.get("aria-hidden") for svg in read(page).all("svg"))


EVIL = '<script>alert(1)</script>"\'&{{ 7*7 }}$x_1$ --> id="axes_1"'


def test_everything_from_outside_is_escaped() -> None:
    measured = [
        replace(r, subject=EVIL, comment=EVIL, organ=EVIL, phase=EVIL)
        for r in target("S-01", "T01", "30/20/25/15", "20/15/9/8")
    ]
    measured = [replace(r, lesion=EVIL, reader=EVIL) for r in measured]
    measured += [
        replace(r, subject=EVIL, reader=EVIL)
        for r in other("S-01", EVIL + "2", Role.NON_TARGET, {0: "present", 1: "progressed"})
    ]
    problems = (Problem(subject=EVIL, reader=EVIL, message=EVIL), Problem(subject="", message=EVIL))
    results = study(measured, title=EVIL, notes=(EVIL,), problems=problems, arms={EVIL: EVIL})
    images = tuple(
        replace(i, series=EVIL, lines=tuple(replace(line, name=EVIL) for line in i.lines)) for i in results.key_images
    )
    html = report_html(replace(results, key_images=images))
    root = read(html)
    assert "<script" not in html
    assert root.all("script") == []
    assert "49" not in root.all("h1")[0].text
    assert root.all("h1")[0].text == " ".join(EVIL.split())
    assert EVIL in section(root, EVIL).all("h2")[0].text
    attributes = {name for element in _everything(root) for name in element.attributes}
    assert not any(name.startswith("on") for name in attributes)


def _everything(root: object) -> list[object]:
    from report_page import Element

    assert isinstance(root, Element)
    found: list[object] = [root]
    for child in root.children:
        if isinstance(child, Element):
            found += _everything(child)
    return found


def test_control_characters_are_left_out() -> None:
    html = report_html(study(target("S\x00-\x1b1", "T\x081", "30/20/25/15", "20/15/9/8"), title="\x07"))
    assert re.findall(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", html) == []


def test_same_results_give_the_same_bytes(page: str, results: StudyResults) -> None:
    assert report_html(results) == page


def test_an_empty_study_has_a_report() -> None:
    root = read(report_html(study([], images=False)))
    assert "0 subjects" in root.text
    assert "No read has a change to draw." in root.text


def test_many_visits_continue_in_a_second_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("report_study.DAYS", tuple(range(0, 600, 50)))
    html = report_html(study(target("S-01", "T01", *["30/20/25/15"] * 12)))
    tables = read(html).all("table", "visits")
    assert [len(t.all("thead")[0].all("th")) for t in tables] == [8, 4]
    assert "part 2 of 2" in tables[1].text


def test_categories_are_told_apart_by_contrast() -> None:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, two: str) -> float:
        high, low = sorted((luminance(one), luminance(two)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    for look in LOOKS.values():
        assert contrast(look.fill, look.ink) >= 4.5
        assert contrast(look.line, "#ffffff") >= 2.9
        assert contrast(look.line, "#14191e") >= 2.9
    assert contrast(INK, "#ffffff") > 10
    assert look_of("something else").css == "na"


def test_irecist_has_colours_and_words_and_is_no_difference_by_its_letter() -> None:
    assert {look_of(c).meaning for c in ("iCR", "iPR", "iSD", "iUPD", "iCPD", "NON-iCR/NON-iUPD")}.isdisjoint({""})
    assert look_of("iUPD").fill != look_of("iCPD").fill == look_of("PD").fill


def test_a_fragmented_and_a_merged_lesion_are_explained() -> None:
    measured = target("S-01", "T01", "30/20/25/15", "") + target("S-01", "T02", "20/15/18/12", "merged")
    parts = [
        replace(r, lesion=f"T01{p}", part_of="T01", timepoint=1)
        for p in "ab"
        for r in target("S-01", "T01", "12/9/10/8")
    ]
    parts = [replace(r, date=measured[-1].date) for r in parts]
    measured[-1] = replace(measured[-1], part_of="T01a")
    one = section(read(report_html(study([*measured, *parts]))), "S-01")
    assert row(one, "T01")[1] == "in parts: T01a, T01b"
    assert row(one, "T01a") == ["–", "12 × 9 mm viable 10 × 8 mm part of T01"]
    assert row(one, "T02")[1] == "merged into T01a"


def test_a_new_lesion_without_a_row_is_not_called_evaluated() -> None:
    measured = target("S-01", "T01", "30/20/25/15", "29/20/25/15", "28/20/25/15")
    measured += other("S-01", "N1", Role.NEW, {1: "unequivocal"})
    assert row(section(read(report_html(study(measured))), "S-01"), "N1") == [
        "–",
        "unequivocal",
        "no row last: unequivocal",
    ]


def test_rows_without_date_or_response_are_shown() -> None:
    undated = [replace(r, date=None) for r in target("S-01", "T01", "30/20/25/15")]
    one = section(read(report_html(study(undated))), "S-01")
    assert "no date" in one.text
    assert row(one, "T01") == ["30 × 20 mm viable 25 × 15 mm"]


def test_the_report_of_all_subjects_grows_no_faster_than_the_subjects() -> None:
    few = report_html(study([r for r in rows() if r.subject == "S-01"], images=False))
    many = [replace(r, subject=f"P{n}") for n in range(20) for r in rows() if r.subject == "S-01"]
    assert len(report_html(study(many, images=False))) < 20 * len(few)
