"""Subjects of the sample read on a real window, from the first drag to the last signature, and scored by the command line.

The categories are those of the sample's truth (docs/sample-data.md); the sizes are what the hand drew, and must be the same in
the session, in the panel and in the tables of ``mrecist score``.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from reader_hand import ReaderHand
from sample_truth import true_categories
from settled import settle
from whole_visit import Took, read_visit

from mrecist.samples.build import sample_study_path

pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture
def open_subject(tmp_path: Path) -> Iterator[Callable[[str], ReaderHand]]:
    """Opens a copy of the images of a sample subject in a window, for reader R2."""
    from mrecist.session.room import open_room
    from mrecist_napari.reading_window import ReadingWindow

    windows = []

    def opened(subject: str) -> ReaderHand:
        study = tmp_path / "study"
        if not study.exists():
            shutil.copytree(sample_study_path() / "images" / subject, study / "images" / subject)
            shutil.copy(sample_study_path() / "protocol.toml", study)
        window = ReadingWindow(open_room(study, subject, "R2"))
        window.viewer.window.resize(1200, 800)
        windows.append(window)
        settle(window)
        return ReaderHand(window)

    yield opened
    for window in windows:
        window.room.offer(None)
        window.close()
        window.viewer.close()


@pytest.mark.parametrize("subject", ["SAMPLE-01", "SAMPLE-05"])
def test_a_subject_from_the_first_drag_to_the_scored_study(
    subject: str, open_subject: Callable[[str], ReaderHand], tmp_path: Path
) -> None:
    hand = open_subject(subject)
    room = hand.window.room
    took = {visit.timepoint: read_visit(hand, subject, visit.timepoint) for visit in room.case.visits}
    if subject == "SAMPLE-01":
        assert_the_page_counts_right(took)
    settle(hand.window)
    measurements, responses = scored(room.study.root, tmp_path / "out")
    assert_equal_to_the_session(room, measurements, responses)
    assert_equal_to_the_panel(hand, measurements, responses)
    found = {
        (row["criterion"], int(row["timepoint"])): {
            part: row[part] for part in ("target", "non_target", "new_lesion", "overall")
        }
        for row in responses
        if row["timepoint"] != "0"
    }
    assert found == true_categories(subject)


def assert_the_page_counts_right(took: dict[int, Took]) -> None:
    """The table of docs/reading-room.md: drags, clicks and keys of a visit with three targets, as they were counted."""
    page = (Path(__file__).parents[2] / "docs" / "reading-room.md").read_text(encoding="utf-8")
    for visit, counts in (("baseline", took[0].with_targets(3)), ("follow-up", took[1].with_targets(3))):
        name = f", {counts['letters']} letters of the name" if counts["letters"] else ""
        row = f"| {visit} | {counts['drags']} | {counts['clicks']} | {counts['keys']}{name} |"
        assert row in page, row


Table = list[dict[str, str]]


def scored(study: Path, out: Path) -> tuple[Table, Table]:
    """Measurements and responses as ``mrecist score`` writes them."""
    from mrecist.cli import main

    assert main(["score", str(study), "--out", str(out)]) == 0
    return _table((out / "measurements.csv").read_text(encoding="utf-8")), _table(
        (out / "responses.csv").read_text(encoding="utf-8")
    )


def _table(text: str) -> Table:
    return list(csv.DictReader(io.StringIO(text)))


def _in_order(rows: Table) -> Table:
    return sorted(rows, key=lambda row: (int(row["timepoint"]), row["lesion"]))


def assert_equal_to_the_session(room: Any, measurements: Table, responses: Table) -> None:
    """Every cell of every row."""
    from mrecist.tables import measurements_csv, responses_csv

    live = room.live()
    assert live.problem == ""
    assert _in_order(_table(measurements_csv(live.rows))) == _in_order(measurements)
    assert _table(responses_csv(live.responses, room.case.protocol.sha256)) == responses


def _size(text: str) -> Decimal | None:
    """21.0 and 21 are one size; none is none."""
    return Decimal(text) if text not in ("", "–") else None


def assert_equal_to_the_panel(hand: ReaderHand, measurements: Table, responses: Table) -> None:
    """Sizes, sums and responses that stand in the panel's table."""
    model = hand.window.panel.matrix.model
    for row in measurements:
        shown = model.at(model.lesions.index(row["lesion"]), model.timepoints.index(int(row["timepoint"]))).text
        if row["state"] == "measured":
            assert [_size(one) for one in shown.split("/")] == [_size(row["viable_mm"]), _size(row["longest_mm"])]
    lines = {(line.criteria, line.measure): line for line in model.sums}
    for row in responses:
        for (criteria, measure), line in lines.items():
            if row["criterion"] not in criteria:
                continue
            cell = line.cells.get(int(row["timepoint"]))
            if measure == "sum":
                assert _size(cell.text.replace("incomplete", "")) == _size(row["sum"])
            elif measure == "overall" and row["timepoint"] != "0":
                assert cell.text == row["overall"]
