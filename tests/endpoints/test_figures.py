"""Figures: what is drawn is what the data say, and hard cases stay readable. Expected values are worked by hand here."""

from __future__ import annotations

import warnings
from datetime import date, timedelta
from itertools import combinations

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mrecist.endpoints.figures.groups import ForestRow, by_visit, forest
from mrecist.endpoints.figures.incidence import cumulative_incidence
from mrecist.endpoints.figures.kaplan_meier import kaplan_meier
from mrecist.endpoints.figures.patients import Patient
from mrecist.endpoints.figures.spider import spider
from mrecist.endpoints.figures.style import ARMS, LINES, colour_of, files_of, hatch_of, wrapped
from mrecist.endpoints.figures.swimmer import pages_of, swimmer
from mrecist.endpoints.figures.waterfall import changes_at, waterfall
from mrecist.endpoints.times import EventTime
from mrecist.model import Response

LIMITS = {"pr_percent": 30.0, "pd_percent": 20.0}
START = date(2020, 1, 1)


def time(days: int, status: str = "event", arm: str = "") -> EventTime:
    return EventTime(
        subject=f"S{days}",
        endpoint="PFS",
        arm=arm,
        start=START,
        date=START + timedelta(days - 1),
        days=days,
        cnsr=0 if status == "event" else 1,
        reason="",
        source="",
        status=status,
        event="pd",
        reader="",
        criterion="",
        paramcd="",
    )


def patient(name: str, *changes: float, best: Response = Response.SD, end: float = 10.0) -> Patient:
    known = tuple((2.0 * (place + 1), change) for place, change in enumerate(changes))
    return Patient(subject=name, arm="A", best=best, changes=known, end=end)


def x_of(figure: Figure, line: int) -> list[float]:
    """Where the points of a line are."""
    return [float(x) for x in np.asarray(figure.axes[0].lines[line].get_xdata(), dtype=float)]


def y_of(figure: Figure, line: int) -> list[float]:
    return [float(y) for y in np.asarray(figure.axes[0].lines[line].get_ydata(), dtype=float)]


def texts(figure: Figure) -> list[str]:
    """Everything that is written in the axes."""
    axes = figure.axes[0]
    legend = axes.get_legend()
    inside = [] if legend is None else [legend.get_title(), *legend.get_texts()]
    return [one.get_text() for one in (*axes.texts, *inside, axes.xaxis.label, axes.title)]


def test_kaplan_meier_by_hand() -> None:
    """Four subjects, days 10, 20 (censored), 30, 40: S = 3/4, then 3/4 * 1/2, then 0."""
    rows = [time(10), time(20, "censored"), time(30), time(40)]
    figure = kaplan_meier({"": rows}, title="PFS", days_per_month=10, scale="log-log")
    assert x_of(figure, 0) == [0, 1, 3, 4, 4]
    assert y_of(figure, 0) == pytest.approx([1, 0.75, 0.375, 0, 0])
    # The band ends where the curve does, though there is no interval at 0: log-log limits of 0.375 from month 3 to 4.
    band = np.concatenate([np.asarray(path.vertices) for path in figure.axes[0].collections[0].get_paths()])
    assert band[:, 0].max() == 4
    assert (x_of(figure, 1), y_of(figure, 1)) == ([2], [0.75])  # the tick of the censored time
    # Three are under observation on day 20 (month 2), the one of that day included; two on day 30.
    assert [one for one in texts(figure) if one.isdigit()] == ["4", "4", "3", "2", "1"]
    assert "all: 3 events of 4" in texts(figure)


def test_an_arm_without_an_event_has_a_flat_curve_and_no_median() -> None:
    by_arm = {"A": [time(day, "censored", "A") for day in (5, 50)], "B": [time(10, arm="B"), time(90, arm="B")]}
    figure = kaplan_meier(by_arm, title="PFS", days_per_month=30, scale="log-log")
    assert y_of(figure, 0) == [1, 1]
    # Vertical lines from one half down: the median of B only.
    lines = figure.axes[0].lines
    assert [one.get_color() for n, one in enumerate(lines) if y_of(figure, n) == [0, 0.5]] == [ARMS[1]]


def test_incidences_by_hand() -> None:
    """Aalen and Johansen 1978: event on day 10, rival on day 20, event on day 30, censored on day 40.
    I1 = 1/4, then 1/4 + S(20) * 1/2 with S(20) = 3/4 * 2/3 = 1/2; I2 = 3/4 * 1/3 = 1/4.
    """
    rows = [time(10), time(20, "competing"), time(30), time(40, "censored")]
    figure = cumulative_incidence({"": rows}, title="TTP", days_per_month=10, event="progression", competing="death")
    assert [y_of(figure, n)[-1] for n in range(2)] == pytest.approx([0.5, 0.25])
    assert {"progression (2 of 4)", "death (1 of 4)"} <= set(texts(figure))
    none = cumulative_incidence({"": rows[:1]}, title="TTP", days_per_month=10, event="a", competing="b")
    assert y_of(none, 1) == [0, 0]


def bars(figure: Figure) -> list[float]:
    """The heights of a waterfall from left to right."""
    drawn = [one for one in figure.axes[0].collections if isinstance(one, PolyCollection)]
    boxes = [np.asarray(path.vertices) for one in drawn for path in one.get_paths()]
    return [float(box[1, 1]) for box in sorted(boxes, key=lambda box: float(box[0, 0]))]


def test_a_waterfall_goes_from_the_worst_to_the_best() -> None:
    people = [
        patient("A", -10, -40, best=Response.PR),
        patient("B", 150, best=Response.PD),
        patient("C"),
        patient("D", 0),
    ]
    figure = waterfall(people, title="Best change", **LIMITS)
    assert bars(figure) == [100, 0, -40]  # 150 is cut at 100, and written above its bar
    told = texts(figure)
    assert "150" in told
    assert any(one.startswith("3 subjects; 1 without a sum after baseline are not shown") for one in told)


@pytest.mark.parametrize("count", [0, 1, 300, 3000])
def test_any_number_of_subjects_is_one_drawing(count: int) -> None:
    people = [patient(f"S{n}", (n * 37) % 240 - 100, best=list(Response)[n % 5]) for n in range(count)]
    figure = waterfall(people, title="Best change", **LIMITS)
    assert len(bars(figure)) == count
    assert figure.get_size_inches()[0] <= 9
    assert len(figure.axes[0].collections) <= 5
    assert len(figure.axes[0].texts) == 0 or count == 1
    lines = spider(people, title="Change over time", **LIMITS)
    drawn = [one for axes in lines.axes for one in axes.collections if isinstance(one, LineCollection)]
    assert sum(len(one.get_segments()) for one in drawn) == count
    # Many lines stand in a panel for each category.
    assert len([axes for axes in lines.axes if axes.get_visible()]) == (5 if count > 60 else 1)


def test_changes_at_a_month_are_by_arm() -> None:
    figure = changes_at(
        {"A": -25.0, "B": None, "C": 5.0}, dict.fromkeys("AB", "x") | {"C": "y"}, title="ETS", what="change", percent=20
    )
    assert bars(figure) == [5, -25]
    assert {"x", "y", "2 subjects; 1 without a change are not shown"} <= set(texts(figure))
    assert -20 in [y_of(figure, n)[0] for n in range(len(figure.axes[0].lines))]


def test_swimmers_stand_in_pages_of_lanes_that_can_be_read() -> None:
    people = [patient(f"S{n}", end=float(n % 50)) for n in range(176)]
    pages = list(pages_of(people))
    assert [len(page) for page in pages] == [58, 59, 59]
    order = [one.subject for page in pages for one in page]
    assert sorted(order) == sorted(one.subject for one in people)
    ends = [one.end for page in pages for one in page]
    assert ends == sorted(ends, reverse=True)
    figure = swimmer(pages[2], title="Time on study", until=49.0)
    assert [one.get_text() for one in figure.axes[0].get_yticklabels()][-1] == pages[2][0].subject
    assert figure.axes[0].get_xlim()[1] > 49
    assert figure.get_size_inches()[1] < 11.7  # inches of A4
    assert [len(page) for page in pages_of([])] == [0]


def test_a_forest_says_where_an_interval_goes_on() -> None:
    rows = [
        ForestRow(label="all subjects", n=176, events=130, value=0.78, low=0.57, high=1.06),
        ForestRow(label="sex: F", n=12, events=3, value=5.0, low=0.001, high=None),
        ForestRow(label="region: " + "a long name " * 20, n=5, events=0, value=None, note="an arm has no events"),
    ]
    figure = forest(rows, title="OS", favours=("HAIC", "TACE"), what="hazard ratio")
    told = texts(figure)
    assert {"130/176", "0.78 (0.57 to 1.06)", "5.00 (0.00 to not reached)", "an arm has no events"} <= set(told)
    assert {one.get_marker() for one in figure.axes[0].lines} >= {"<", ">"}
    assert all(len(line) <= 34 for one in figure.axes[0].get_yticklabels() for line in one.get_text().split("\n"))


@pytest.mark.parametrize(("visits", "labels"), [(1, 1), (17, 17), (60, 20)])
def test_responses_by_visit(visits: int, labels: int) -> None:
    counts = {str(n): [Response.PR, Response.SD, Response.SD, Response.PD] for n in range(1, visits + 1)}
    figure = by_visit(counts, title="Responses by visit")
    assert len(figure.axes[0].get_xticklabels()) == labels
    boxes = [box for box in figure.axes[0].patches if isinstance(box, Rectangle)]
    heights = sorted({round(box.get_height()) for box in boxes})
    assert heights == [25, 50]
    assert ("20 later ones are not shown" in figure.axes[0].get_xlabel()) == (visits == 60)


def test_colours_and_patterns_differ_in_grey_print() -> None:
    """Rec. 709 luminance; what is close in grey has another pattern."""

    def grey(colour: str) -> float:
        return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))

    seen = [Response.CR, Response.PR, Response.SD, Response.NON_CR_NON_PD, Response.PD, Response.NE]
    for one, other in combinations(seen, 2):
        apart = abs(grey(colour_of(one)) - grey(colour_of(other)))
        assert apart > 0.1 or hatch_of(one) != hatch_of(other), (one, other)
    assert hatch_of(Response.IUPD) != hatch_of(Response.ICPD)
    assert len({str(one) for one in LINES}) == len(LINES)


def test_names_are_no_formulae_and_end_somewhere() -> None:
    assert wrapped("5 $ and $\\alpha$", 40) == r"5 \$ and \$\alpha\$"
    assert wrapped("a\x00b\x1b[31m", 40) == "a b [31m"
    assert wrapped("_hidden", 40) == " _hidden"
    assert wrapped("word " * 100, 20, 2).count("\n") == 1


def test_the_same_figure_is_the_same_bytes_on_any_machine() -> None:
    def made() -> dict[str, bytes]:
        people = [patient(f"S<{n}>&", -n, best=Response.PD) for n in range(4)]
        return files_of(waterfall(people, title="A <title> & more", **LIMITS), "A <title> & more")

    first = made()
    with matplotlib.rc_context({"font.size": 20, "svg.fonttype": "none", "axes.grid": True}):
        assert made() == first
    svg = first["svg"].decode()
    assert "<text" not in svg  # letters are paths, so no font is needed
    assert "<date>" not in svg.replace("dc:", "")
    assert "A &lt;title&gt; &amp; more" in svg


def test_letters_that_the_font_has_not_are_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = files_of(swimmer([patient("患者-001")], title="总生存期"))
    assert made["png"].startswith(b"\x89PNG")
