"""Key images: where the lines lie, and one scale for all images of a lesion."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date

import pytest
from report_page import Element, read, section
from report_study import picture, target

from mrecist.report.pictures import canvas_for, cards_for, picture_svg
from mrecist.results import KeyImage, StudyResults

ROWS = target("S-01", "T01", "48.2/39.6/46.1/35", "30/22/15.25/9")


def numbers(element: Element, *names: str) -> list[float]:
    return [float(element.attributes[name]) for name in names]


def drawn(image: KeyImage) -> Element:
    return read(picture_svg(image, canvas_for([image]))).all("svg")[0]


@pytest.mark.parametrize(("column", "row"), [(0.8, 0.8), (0.7, 1.4), (1.5, 0.6)])
def test_line_ends_lie_at_the_given_pixels_in_mm(column: float, row: float) -> None:
    image = picture(ROWS[0], 1, column, row)
    svg = drawn(image)
    lines = {line.attributes["data-name"]: line for line in svg.all("line", "diameter")}
    assert set(lines) == {"longest", "short", "viable", "viable_short"}
    for line in image.lines:
        x1, y1, x2, y2 = numbers(lines[line.name], "x1", "y1", "x2", "y2")
        assert (x1, y1) == pytest.approx((line.start[0] * column, line.start[1] * row), abs=1e-3)
        assert (x2, y2) == pytest.approx((line.end[0] * column, line.end[1] * row), abs=1e-3)
        assert ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 == pytest.approx(float(line.mm), abs=2e-3)


def test_the_picture_has_the_aspect_of_the_body_and_not_of_the_pixels() -> None:
    image = picture(ROWS[0], 1, 0.7, 1.4)
    grey = drawn(image).all("image")[0]
    width, height = numbers(grey, "width", "height")
    assert (width, height) == pytest.approx((image.width * 0.7, image.height * 1.4))
    assert grey.attributes["preserveaspectratio"] == "none"
    assert base64.b64decode(grey.attributes["href"].partition(",")[2]) == image.png


def test_one_scale_for_all_images_of_a_lesion() -> None:
    large, small = picture(ROWS[0], 1), replace(picture(ROWS[1], 2, 0.5, 0.5), width=100, height=80)
    cards = cards_for([small, large], ROWS[0].date)
    assert [card.visit for card in cards] == ["Baseline", "TP 1"]
    svgs = [read(card.svg).all("svg")[0] for card in cards]
    for svg in svgs:
        box = [float(n) for n in svg.attributes["viewbox"].split()]
        assert float(svg.attributes["width"]) / box[2] == pytest.approx(
            float(svg.attributes["height"]) / box[3], rel=1e-3
        )
    assert svgs[0].attributes["viewbox"] == svgs[1].attributes["viewbox"]
    assert svgs[0].attributes["width"] == svgs[1].attributes["width"]


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    for image, length in ((picture(ROWS[0], 1), 20), (replace(picture(ROWS[0], 1), width=40, height=40), 10)):
        svg = drawn(image)
        path = svg.all("path", "scale")[0].attributes["d"]
        across = [float(point.split()[0]) for point in path.removeprefix("M").split("L")]
        assert max(across) - min(across) == pytest.approx(length, abs=0.02)
        assert svg.all("text", "scale-text")[0].text == f"{length} mm"


def test_letters_stand_at_the_edges() -> None:
    image = replace(picture(ROWS[0], 1, 0.7, 1.4), letters=("R", "LP", "A", "<P>"))
    wide, high = image.width * 0.7, image.height * 1.4
    places = {t.text: numbers(t, "x", "y") for t in drawn(image).all("text", "letter")}
    assert set(places) == {"R", "LP", "A", "<P>"}
    assert places["R"][0] < 0.1 * wide < 0.9 * wide < places["LP"][0] < wide
    assert places["A"][1] < 0.1 * high < 0.9 * high < places["<P>"][1] < high
    assert places["A"][0] == places["<P>"][0] == pytest.approx(wide / 2, abs=1e-3)
    assert drawn(picture(ROWS[0], 1)).all("text", "letter") == []


def test_sizes_stand_below_the_picture() -> None:
    image = picture(ROWS[1], 1)
    canvas = canvas_for([image])
    texts = {t.text: float(t.attributes["y"]) for t in drawn(image).all("text")}
    assert {"longest 30 mm", "short 22 mm", "viable 15.25 mm", "viable short 9 mm"} <= set(texts)
    assert min(texts.values()) > canvas.height_mm


def test_outlines_are_closed_and_in_mm() -> None:
    image = picture(ROWS[0], 1, 0.7, 1.4)
    outlines = {path.attributes["data-name"]: path.attributes["d"] for path in drawn(image).all("path", "outline")}
    assert set(outlines) == {"whole", "viable"}
    x, y = (float(n) for n in outlines["whole"][1:].partition("L")[0].split())
    first = image.outlines["whole"][0][0]
    assert (x, y) == pytest.approx((first[0] * 0.7, first[1] * 1.4), abs=0.006)
    assert outlines["whole"].endswith("Z")


def test_a_picture_without_lines_or_date_is_shown() -> None:
    image = replace(picture(ROWS[0], 1), lines=(), outlines={}, date=None, phase="", series="")
    (card,) = cards_for([image], date(2023, 1, 1))
    assert card.day == "no date"
    assert card.details.replace("\u00a0", " ") == "slice 30 · C 70 W 350"
    assert "no diameter on this slice" in card.svg


def test_captions_name_visit_day_phase_series_slice_and_window(page: str, results: StudyResults) -> None:
    cards = section(read(page), "S-01").all("figure", "card")
    assert len(cards) == sum(1 for i in results.key_images if i.subject == "S-01") == 8
    assert (
        cards[1].all("figcaption")[0].text == "TP 1 2023-03-11, day 58 arterial · ART 2.5 B30f · slice 31 · C 70 W 350"
    )
    label = cards[0].all("svg")[0].attributes["aria-label"]
    assert label == "Lesion T01 at baseline: longest 48.2 mm, short 39.6 mm, viable 46.1 mm, viable short 35 mm"
