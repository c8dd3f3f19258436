"""The adapter for nnInteractive: its real client against a stand-in server, and one line for whatever goes wrong with a server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nninteractive_server import LICENCE, StandIn, ball
from segmenter_plug_ins import found, grey, sample_room

from mrecist.errors import InputError, MaskError
from mrecist.model import Role
from mrecist.plain import from_plain, to_plain
from mrecist.segment.prompt import Line, Scribbles
from mrecist.segmenters.bench import LONGEST_S, Bench
from mrecist.segmenters.interface import GROUP, Images, Prompt
from mrecist.segmenters.nninteractive import REACH_MM, SERVER, NNInteractive, points_on
from mrecist.session.room import Room
from mrecist.session.state import Provenance

SPACING = (2.5, 0.8, 0.8)
LINE = Line(start=(20.0, 200.0, 180.0), end=(20.0, 200.0, 240.0))
needs_client = pytest.mark.skipif(
    find_spec("nnInteractive") is None,
    reason="nninteractive-client is not installed (pip install 'mrecist[nninteractive]')",
)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is never asked for through a proxy, and no key of the machine is used."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", SERVER):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("NN_INTERACTIVE_API_KEY", raising=False)


@pytest.fixture
def server() -> Iterator[StandIn]:
    """A server that answers."""
    with StandIn() as one:
        yield one


def images(shape: tuple[int, int, int] = (40, 400, 420)) -> Images:
    return grey(shape, SPACING)


def asked(server: StandIn, prompt: Prompt | None = None, answer_s: float = 60.0) -> Any:
    one = NNInteractive(server.url, answer_s)
    try:
        one.start(images())
        return one.segment(prompt or Prompt(line=LINE))
    finally:
        one.close()


# --- without a server ------------------------------------------------------------------------------------------------


def test_points_lie_evenly_on_the_line_with_its_middle_last() -> None:
    # 1/6, 5/6, 1/3, 2/3 and 1/2 of 60 columns, by hand.
    assert points_on(LINE) == [(20, 200, 190), (20, 200, 230), (20, 200, 200), (20, 200, 220), (20, 200, 210)]
    short = points_on(Line(start=(5.0, 5.0, 5.0), end=(5.0, 5.0, 7.0)))
    assert len(short) == len(set(short)) == 3
    assert short[-1] == (5, 5, 6)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", f"no server is named; set {SERVER}"),
        ("gpu-box:1527", "begins with http:// or https://"),
        ("http://", "names a host"),
        ("http://me:secret@gpu-box:1527", "belongs in NN_INTERACTIVE_API_KEY"),
        ("http://gpu-box:port", "is no address"),
    ],
)
@needs_client
def test_the_address_is_given_and_never_guessed(monkeypatch: pytest.MonkeyPatch, address: str, words: str) -> None:
    monkeypatch.setenv(SERVER, address)
    can, why = NNInteractive().available()
    assert not can
    assert words in why
    assert "secret" not in why
    monkeypatch.setenv(SERVER, "http://gpu-box:1527/")
    assert NNInteractive().available() == (True, "")


def test_the_docs_say_what_is_sent_and_how_long_is_waited() -> None:
    page = (Path(__file__).parents[2] / "docs" / "segmenters.md").read_text(encoding="utf-8")
    assert f"the voxels within {REACH_MM:g} mm of it" in page
    assert f"gives no answer in {LONGEST_S:g} s" in page
    assert f"export {SERVER}=" in page


def test_it_loads_as_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("nninteractive", "mrecist.segmenters.nninteractive:NNInteractive", GROUP)
    monkeypatch.setattr("mrecist.segmenters.found.entry_points", lambda **_group: [point])
    assert Bench().names == ("graph-cut", "nninteractive")
    why = Bench().why_not("nninteractive")
    assert SERVER in why if find_spec("nnInteractive") else "pip install 'mrecist[nninteractive]'" in why


def test_without_the_client_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mrecist.segmenters.nninteractive.PACKAGE", "a-package-that-is-not-there")
    can, why = NNInteractive("http://127.0.0.1:9").available()
    assert not can
    assert "pip install 'mrecist[nninteractive]'" in why


# --- a server that answers -------------------------------------------------------------------------------------------


@needs_client
def test_the_mask_is_the_ball_that_the_server_made_in_its_place(server: StandIn) -> None:
    result = asked(server)
    # The closed form on the whole grid: a ball on the middle of the line, of half its length.
    truth = ball((40, 400, 420), SPACING, [[20, 200, 210]], radius_mm=30 * 0.8)
    assert np.array_equal(result.whole, truth)
    assert result.weights_licence == LICENCE
    assert result.version
    assert result.parameters["points"] == [list(p) for p in points_on(LINE)]
    assert result.parameters["server"] == server.url
    assert server.calls[-1] == "/release"
    assert server.leases == set()


@needs_client
def test_only_voxels_around_the_lesion_and_their_spacing_are_sent(server: StandIn) -> None:
    result = asked(server)
    (sent,), (properties,) = server.images, server.properties
    # 100 mm beyond both ends of 48 mm: 124 mm each way from the middle, 155 columns of 0.8 mm.
    assert REACH_MM == 100
    assert result.parameters["sent"] == [[0, 40], [45, 356], [55, 366]]
    assert sent.shape == (1, 40, 311, 311)
    assert np.array_equal(sent[0], images().voxels[:, 45:356, 55:366])
    assert properties == {"spacing": list(SPACING)}
    names = {name.lower() for headers in server.headers for name in headers}
    usual = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-type", "content-length"}
    assert names <= usual | {"x-meta", "x-lease-token"}


@needs_client
def test_marks_are_sent_by_slice_and_the_block_only_once(server: StandIn) -> None:
    one = NNInteractive(server.url)
    one.start(images())
    before = one.segment(Prompt(line=LINE)).whole
    marks = Scribbles(add=((20, 200, 260), (20, 201, 260), (21, 200, 260)), remove=((20, 200, 210),))
    one.start(images())
    result = one.segment(Prompt(line=LINE, scribbles=marks))
    after = result.whole
    one.close()
    changed = {tuple(int(i) for i in at) for at in np.argwhere(before != after)}
    assert changed == {*marks.add, *marks.remove}
    assert result.parameters["scribbles"] == 3  # two slices to add, one to take away
    assert server.calls.count("/set_image") == 1
    assert server.calls.count("/reset_interactions") == 1


@needs_client
def test_a_click_is_one_point(server: StandIn) -> None:
    server.fault = "empty"
    result = asked(server, Prompt(click=(20.0, 200.2, 210.0)))
    assert result.parameters["points"] == [[20, 200, 210]]
    assert result.method == "nnInteractive from a click"


@needs_client
def test_a_session_that_ran_out_is_begun_again(server: StandIn) -> None:
    one = NNInteractive(server.url)
    one.start(images())
    first = one.segment(Prompt(line=LINE)).whole
    server.fault = "expired"
    again = one.segment(Prompt(line=LINE)).whole
    one.close()
    assert np.array_equal(first, again)
    assert server.calls.count("/claim") == server.calls.count("/set_image") == 2


@needs_client
def test_other_weights_behind_the_same_address_are_not_used_unseen(server: StandIn) -> None:
    one = NNInteractive(server.url)
    assert f"Licence of the model's weights: {LICENCE}." in one.notice()
    one.start(images())
    server.fault, server.licence = "expired", "Proprietary"
    with pytest.raises(MaskError, match=f"was {LICENCE} and is Proprietary now; choose it again"):
        one.segment(Prompt(line=LINE))
    one.close()


@needs_client
def test_the_notice_says_where_voxels_go_and_under_which_licence(server: StandIn) -> None:
    one = NNInteractive(server.url)
    said = one.notice()
    one.close()
    assert f"sends the voxels within 100 mm of the lesion, without headers or names, to {server.url}" in said
    assert "NOT ENCRYPTED" not in said  # it does not leave this machine
    assert server.images == []
    server.licence = "!!MISSING!!"
    one = NNInteractive(server.url)
    assert "not stated by the server" in one.notice()
    one.close()


@pytest.mark.parametrize(
    ("address", "open_line"),
    [
        ("http://gpu-box:1527", True),
        ("https://gpu-box", False),
        ("http://localhost:1527", False),
        ("http://[::1]:1", False),
    ],
)
def test_a_line_that_is_not_encrypted_is_said(monkeypatch: pytest.MonkeyPatch, address: str, open_line: bool) -> None:
    monkeypatch.setattr(NNInteractive, "_connect", lambda _self: None)
    said = NNInteractive(address).notice()
    assert address in said
    assert ("NOT ENCRYPTED" in said) is open_line


@needs_client
def test_a_key_is_the_clients_own(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    server.key = "k-1"
    with pytest.raises(MaskError, match=r"refused with 401 .*NN_INTERACTIVE_API_KEY"):
        asked(server)
    monkeypatch.setenv("NN_INTERACTIVE_API_KEY", "k-1")
    result = asked(server)
    assert result.whole.any()
    assert "k-1" not in str(to_plain(dict(result.parameters)))


# --- a server that does not ------------------------------------------------------------------------------------------

FAULTS = {
    "die": "broke off",
    "garbage": "cannot be read",
    "wrong_box": "cannot be read",
    "refuse": "refused with 400 .*not supported",
    "full": "no place free",
    "no_points": "takes no points",
    "not_json": "cannot be read",
}


@needs_client
@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_goes_wrong_is_one_line(server: StandIn, fault: str) -> None:
    server.fault = fault
    with pytest.raises(MaskError, match=f"^nninteractive: .*{FAULTS[fault]}") as told:
        asked(server)
    assert "\n" not in str(told.value)
    assert server.url in str(told.value)


@needs_client
def test_a_server_that_is_slow(server: StandIn) -> None:
    server.fault = "slow"
    with pytest.raises(MaskError, match=r"gave no answer in 0\.2 s"):
        asked(server, answer_s=0.2)


@needs_client
def test_no_server_at_all() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(MaskError, match=r"cannot be reached: .*refused"):
        NNInteractive(address).notice()


# --- in a read -------------------------------------------------------------------------------------------------------


@pytest.fixture
def room(server: StandIn, tmp_path: Path) -> Iterator[Room]:
    """A read with the server as a segmenter."""
    opened = sample_room(tmp_path, Bench(found(nninteractive=lambda: NNInteractive(server.url, 60.0)), longest_s=300))
    yield opened
    opened.close()


def long_axis(room: Room) -> Line:
    from test_session_room import true_lines

    assert room.looking.timepoint == 0
    return true_lines()[0, "T01"][0]


@needs_client
def test_a_read_with_it_records_where_and_under_which_licence(room: Room, server: StandIn) -> None:
    with pytest.raises(InputError, match=f"agreed to first: .*{LICENCE}"):
        room.choose_segmenter("nninteractive")
    room.choose_segmenter("nninteractive", room.bench.notice("nninteractive"))
    line = long_axis(room)
    pending = room.ask(line, role=Role.TARGET)
    spacing = np.array(room.series.geometry.row_spacing_mm)  # type: ignore[union-attr]
    length = float(np.linalg.norm((np.array(line.end) - np.array(line.start))[1:] * spacing))
    # A ball of the line's length: its longest diameter is that, but for one voxel.
    assert pending.proposal.measurement.longest.mm == pytest.approx(length, abs=2 * float(spacing))
    assert pending.proposal.viable is not None
    assert not (pending.proposal.viable & ~pending.proposal.whole).any()
    room.offer(pending)
    room.accept()
    mask = room.state.mark(0, "T01").mask  # type: ignore[union-attr]
    parameters = mask.provenance.parameters  # type: ignore[union-attr]
    assert mask.provenance.method == "nnInteractive from points on the long axis"  # type: ignore[union-attr]
    assert (parameters["segmenter"], parameters["weights_licence"]) == ("nninteractive", LICENCE)
    assert parameters["settings"]["server"] == server.url
    assert from_plain(to_plain(mask.provenance), Provenance) == mask.provenance  # type: ignore[union-attr]
    room.close()
    assert server.leases == set()  # the place is given back before the program ends


@needs_client
@pytest.mark.parametrize("fault", ["die", "sevens", "empty", "elsewhere", "wrong_box"])
def test_a_read_goes_on_with_the_built_in_one(room: Room, server: StandIn, fault: str) -> None:
    room.choose_segmenter("nninteractive", room.bench.notice("nninteractive"))
    server.fault = fault
    proposal = room.ask(long_axis(room), role=Role.TARGET).proposal
    assert proposal.provenance.parameters["segmenter"] == "graph-cut"
    assert "nninteractive" in proposal.notes[0]
    assert proposal.notes[0].endswith("this proposal is by graph-cut")
    server.fault = ""
    assert room.segmenter == "nninteractive"
    again = room.ask(long_axis(room), role=Role.TARGET).proposal
    assert again.provenance.parameters["segmenter"] == "nninteractive"


@needs_client
def test_a_server_that_dies_between_two_lesions(room: Room, server: StandIn) -> None:
    room.choose_segmenter("nninteractive", room.bench.notice("nninteractive"))
    room.ask(long_axis(room), role=Role.TARGET)
    server.stop()
    proposal = room.ask(long_axis(room), role=Role.TARGET).proposal
    assert proposal.provenance.parameters["segmenter"] == "graph-cut"
    assert server.url in proposal.notes[0]
