"""The data of the plots, and that the drawings show it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from report_page import read
from report_study import study, target

from mrecist.model import NewLesion, Response, VisitResponse
from mrecist.report.changes import best_change, changes_by_criterion, spider_points, why_no_change
from mrecist.report.look import label_of, natural
from mrecist.report.plots import spider_svg, spread, themed, waterfall_svg
from mrecist.results import StudyResults


def visits(
    *sums: str, overall: tuple[str, ...] = (), baseline: str | None = None, target_response: str = "SD"
) -> list[VisitResponse]:
    """Visits of 50 days with these sums; "" is an incomplete one."""
    first = sums[0] if baseline is None else baseline
    return [
        VisitResponse(
            subject="S",
            reader="R1",
            criterion="recist11",
            timepoint=t,
            date=date(2023, 1, 1) + timedelta(days=50 * t),
            sum=Decimal(s) if s else None,
            unit="mm",
            baseline_sum=Decimal(first) if first else None,
            nadir=None,
            target=Response(target_response) if t else None,
            non_target=Response.NA if t else None,
            new_lesion=NewLesion.NO if t else None,
            overall=Response(overall[t - 1] if overall else "SD") if t else None,
            flags=(),
            reason="",
        )
        for t, s in enumerate(sums)
    ]


def test_best_change_is_the_smallest_of_the_complete_sums() -> None:
    best = best_change(visits("50", "40", "", "30", "35"))
    assert best is not None
    assert (best.percent, best.timepoint, best.shown) == (Decimal(-40), 3, "−40 %")


def test_best_change_counts_the_first_progression_and_nothing_after_it() -> None:
    best = best_change(visits("50", "45", "42", "20", overall=("SD", "PD", "PD")))
    assert best is not None
    assert best.percent == Decimal(-16)


def test_best_change_can_be_growth_or_0() -> None:
    assert [b.percent for b in (best_change(visits("50", "60")), best_change(visits("50", "50"))) if b] == [20, 0]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (visits("50"), "no assessment after baseline"),
        (visits("50", "", ""), "no complete sum after baseline"),
        (visits("", "20"), "no complete sum at baseline"),
        (visits("0", "20"), "the sum is 0 at baseline"),
        (visits("", "", target_response="NA"), "no target in the sum"),
        (visits("50", "", "40", overall=("PD", "PD")), "no complete sum until progression"),
    ],
)
def test_without_a_change_there_is_a_reason_and_no_0(given: list[VisitResponse], why: str) -> None:
    assert best_change(given) is None
    assert why_no_change(given) == why


def test_spider_marks_the_first_new_lesion_and_the_first_progression() -> None:
    given = visits("50", "45", "", "70", overall=("SD", "PD", "PD"))
    given[2:] = [replace(visit, new_lesion=NewLesion.YES) for visit in given[2:]]
    points = spider_points(given)
    assert [p.days for p in points] == [0, 50, 100, 150]
    assert [p.percent for p in points] == [0, -10, None, 40]
    assert [p.new_lesion for p in points] == [False, False, True, False]
    assert [p.progression for p in points] == [False, False, True, False]


def test_reads_without_change_are_listed_and_not_drawn(results: StudyResults) -> None:
    for changes in changes_by_criterion(results):
        drawn = {bar.label for bar in changes.bars}
        assert {n.label for n in changes.not_drawn} == {"S-05 · R1", "S-10 · R1"}
        assert not drawn & {n.label for n in changes.not_drawn}
        assert "S-05" not in waterfall_svg(changes)
        assert "S-05" not in spider_svg(changes)


def test_the_page_lists_them_by_name(page: str) -> None:
    listed = [p.text for p in read(page).all("p", "undrawn")]
    assert len(listed) == 2
    for words in listed:
        assert "S-05 · R1, NON-CR/NON-PD (no target in the sum)" in words
        assert "S-10 · R1, NE (no assessment after baseline)" in words


def test_bars_go_from_growth_to_shrinkage_with_the_unconfirmed_category(results: StudyResults) -> None:
    recist, mrecist = changes_by_criterion(results)
    assert [bar.best.percent for bar in recist.bars] == sorted((b.best.percent for b in recist.bars), reverse=True)
    best = {f"{b.subject} · {b.reader}": str(b.best_unconfirmed) for b in results.best if b.criterion == "mrecist"}
    assert all(bar.category == best[bar.label] for bar in mrecist.bars)


def test_the_height_of_a_bar_is_its_value() -> None:
    results = study(
        target("A", "T01", "50/40/50/40", "40/30/25/20") + target("B", "T01", "50/40/50/40", "35/30/35/20"),
        images=False,
    )
    svg = waterfall_svg(changes_by_criterion(results)[0])
    paths = re.findall(r'<path d="([^"]*)"[^>]*fill: #(?:8cc5ee|f0cf73)', svg)
    heights = []
    for path in paths:
        y = [float(pair.split()[1]) for pair in re.split("[MLz]", path) if pair.strip()]
        heights.append(max(y) - min(y))
    assert len(heights) == 2
    assert heights[1] / heights[0] == pytest.approx(30 / 20, rel=1e-3)


def test_the_cut_offs_are_drawn_and_labelled(results: StudyResults) -> None:
    for changes in changes_by_criterion(results):
        for svg in (waterfall_svg(changes), spider_svg(changes)):
            assert ">−30 %<" in svg
            assert len(re.findall(r">\+20 %<", svg)) >= 2


def test_a_cut_bar_says_its_value() -> None:
    results = study(target("A", "T01", "10/8/10/8", "45/40/45/40"), images=False)
    changes = changes_by_criterion(results)[0]
    assert ">+350 %<" in waterfall_svg(changes)
    assert "up to +350 %" in spider_svg(changes)


def test_one_reader_needs_no_name_and_several_do() -> None:
    assert label_of("S-1", "R1", several_readers=False) == "S-1"
    assert label_of("S-1", "R2", several_readers=True) == "S-1 · R2"
    assert label_of("x" * 60, "R2", several_readers=True).endswith("… · R2")
    assert sorted(["S10", "S2", "S1", "T", "7"], key=natural) == ["7", "S1", "S2", "S10", "T"]


def test_the_same_data_give_the_same_bytes(results: StudyResults) -> None:
    changes = changes_by_criterion(results)[1]
    assert waterfall_svg(changes) == waterfall_svg(changes)
    assert spider_svg(changes) == spider_svg(changes)


def test_the_drawing_depends_on_no_setting_of_the_machine(results: StudyResults) -> None:
    import matplotlib as mpl

    changes = changes_by_criterion(results)[0]
    expected = waterfall_svg(changes)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert waterfall_svg(changes) == expected
        assert mpl.rcParams["font.size"] == 30


def test_names_are_text_whatever_they_hold() -> None:
    names = ("$x_{1}$", 'id="axes_1"', "患者一", "<b>", "--><x>")
    measured = [row for name in names for row in target(name, "T01", "50/40/50/40", "40/30/25/20")]
    for draw in (waterfall_svg, spider_svg):
        svg = themed(draw(changes_by_criterion(study(measured, images=False))[0]), "p")
        texts = " ".join(text.text for text in read(svg).all("text"))
        for name in names:
            assert " ".join(name.split()) in texts


def test_the_svg_is_well_formed_xml(results: StudyResults) -> None:
    import xml.etree.ElementTree as ElementTree

    for changes in changes_by_criterion(results):
        for svg in (waterfall_svg(changes), spider_svg(changes), themed(waterfall_svg(changes), "a")):
            assert ElementTree.fromstring(svg).tag.endswith("svg")


@pytest.mark.parametrize("count", [1, 12, 60, 150])
def test_many_subjects_are_drawn(count: int) -> None:
    measured = [
        row for n in range(count) for row in target(f"P{n:03d}", "T01", "50/40/50/40", f"{20 + n % 50}/20/20/20")
    ]
    changes = changes_by_criterion(study(measured, images=False))[0]
    assert f"P{count - 1:03d}" in waterfall_svg(changes)
    assert ("P000 " in re.sub(r"aria-label=\"[^\"]*\"", "", spider_svg(changes))) == (count <= 30)


def test_labels_are_moved_apart_and_stay_near() -> None:
    placed = spread([0, 0, 0, 50, 99, 100], 5, -100, 100)
    assert all(b - a >= 5 for a, b in pairwise(placed))
    assert placed[:4] == [-5, 0, 5, 50]
    assert placed[4:] == [95, 100]
    assert spread([], 5, 0, 1) == []
