"""A PACS that is asked again and again, played by a list of the sample's images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pydicom
import pytest

from mrecist.pacs.fetch import Receive
from mrecist.pacs.patience import ConnectionLostError, Patience
from mrecist.pacs.query import IMAGE, SERIES, FoundSeries, Query
from mrecist.samples.build import sample_study_path
from mrecist.watching.polling import Polled
from mrecist.watching.watch import Look

FILES = sorted((sample_study_path() / "images" / "SAMPLE-01" / "0" / "arterial").glob("*.dcm"))
HEADERS = [pydicom.dcmread(path, stop_before_pixels=True) for path in FILES]


class Pacs:
    """``has`` of the images are there; ``gives`` says how many come before the connection breaks; ``gone``: no answer."""

    def __init__(self) -> None:
        self.has, self.gives, self.gone = 0, 99, False
        self.asked_for: list[int] = []

    def __enter__(self) -> Pacs:
        return self

    def __exit__(self, *_: object) -> None: ...

    def find(self, level: str, keys: Mapping[str, str]) -> list[dict[str, str]]:
        del keys
        if self.gone:
            raise ConnectionLostError("server one: did not answer within 5 s, or hung up")
        if level == IMAGE:
            return [{"SOPInstanceUID": str(h.SOPInstanceUID), "SOPClassUID": ""} for h in HEADERS[: self.has]]
        first = HEADERS[0]
        row = {"PatientID": first.PatientID, "StudyDate": first.StudyDate, "StudyInstanceUID": first.StudyInstanceUID}
        if level == SERIES:
            row |= {"Modality": "CT", "SeriesDescription": "", "SeriesNumber": "1"}
            row |= {"SeriesInstanceUID": first.SeriesInstanceUID, "NumberOfSeriesRelatedInstances": str(self.has)}
        return [row] if self.has else []

    def retrieve(self, series: FoundSeries, wanted: Sequence[str] | None, receive: Receive) -> dict[str, str]:
        del series
        self.asked_for.append(self.has if wanted is None else len(wanted))
        for path, header in list(zip(FILES, HEADERS, strict=True))[: self.has]:
            if wanted is None or header.SOPInstanceUID in wanted:
                if self.gives == 0:
                    raise ConnectionLostError("server one: did not answer within 5 s, or hung up")
                self.gives -= 1
                receive(path.read_bytes())
        return {}


class Poll:
    """A PACS, and the one that asks it."""

    def __init__(self, root: Path) -> None:
        self.pacs, self.told = Pacs(), list[str]()
        self.study, self.out = root / "study", root / "out"
        self.started()

    def started(self) -> None:
        """As after a restart."""
        self.polled = Polled(
            lambda: self.pacs,
            lambda: Query(patients=("SAMPLE-01",)),
            Patience(retries=0),
            folder=self.study,
            out=self.out,
            settle=10.0,
            tell=self.told.append,
        )

    def files(self) -> int:
        return len(list(self.study.rglob("*.dcm")))


@pytest.fixture
def poll(tmp_path: Path) -> Poll:
    return Poll(tmp_path)


def test_a_study_is_fetched_when_it_has_arrived_and_once(poll: Poll) -> None:
    assert poll.polled.look(0) == Look()
    poll.pacs.has = 4
    assert poll.polled.look(5) == Look(waiting=True)
    poll.pacs.has = 8  # the scanner still sends
    assert poll.polled.look(15) == Look(waiting=True)
    assert poll.files() == 0
    assert poll.polled.look(25) == Look()
    assert poll.files() == 8
    poll.started()
    assert [poll.polled.look(now) for now in (30, 40, 50)] == [Look()] * 3
    assert poll.pacs.asked_for == [8]
    assert poll.told == [f"PACS: 8 instances of 1 series fetched into {poll.study}"]


def test_images_that_come_later_are_fetched_too(poll: Poll) -> None:
    poll.pacs.has = 8
    for now in (0, 10):
        poll.polled.look(now)
    poll.pacs.has = 11
    assert [poll.polled.look(now).waiting for now in (20, 30)] == [True, False]
    assert (poll.files(), poll.pacs.asked_for) == (11, [8, 3])


def test_what_is_fetched_in_part_is_not_to_be_scored_also_after_a_restart(poll: Poll) -> None:
    poll.pacs.has, poll.pacs.gives = 11, 5
    poll.polled.look(0)
    assert poll.polled.look(10) == Look(failed=True, incomplete=True)
    poll.pacs.gone = True
    poll.started()
    assert poll.polled.look(20) == Look(failed=True, incomplete=True)
    poll.pacs.gone, poll.pacs.gives = False, 99
    poll.polled.look(30)
    assert poll.polled.look(40) == Look()
    assert (poll.files(), poll.pacs.asked_for) == (11, [11, 6])


def test_a_server_that_is_gone_is_said_once_and_asked_again(poll: Poll) -> None:
    poll.pacs.gone = True
    assert [poll.polled.look(now) for now in (0, 10)] == [Look(failed=True)] * 2
    assert poll.told == ["PACS: server one: did not answer within 5 s, or hung up; asked again"]
    poll.pacs.gone, poll.pacs.has = False, 11
    assert [poll.polled.look(now) for now in (20, 30)] == [Look(waiting=True), Look()]
    assert poll.files() == 11
