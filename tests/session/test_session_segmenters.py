"""Segmenters that are plugged in: found, chosen, asked, checked, and left aside where they are broken."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from segmenter_plug_ins import Brick, around, found, grey, sample_room
from test_session_room import true_lines

from mrecist.errors import InputError, MaskError
from mrecist.imaging.phase import PhaseName
from mrecist.model import Role
from mrecist.plain import from_plain, to_plain
from mrecist.segment.prompt import Line, Scribbles
from mrecist.segment.whole import dice
from mrecist.segmenters.bench import Bench
from mrecist.segmenters.checking import box_of_line
from mrecist.segmenters.interface import Images, Prompt, PromptKind, Segmented
from mrecist.session.proposing import propose_click
from mrecist.session.room import Room
from mrecist.session.state import Provenance

DOC = Path(__file__).parents[2] / "docs" / "segmenters.md"
LINE = Line(start=(6.0, 30.0, 20.0), end=(6.0, 30.0, 44.0))
BALL = "ball"


def lesion() -> Images:
    """A bright ball of 24 mm in noise, whose long axis is LINE."""
    images = grey()
    z, y, x = np.meshgrid(*(np.arange(n) for n in images.voxels.shape), indexing="ij")
    inside = ((z - 6) * 2.0) ** 2 + (y - 30) ** 2 + (x - 32) ** 2 <= 12**2
    return replace(images, voxels=images.voxels + 80 * inside.astype(np.float32))


def chosen(one: Any, longest_s: float = 20.0) -> Bench:
    """A bench with a segmenter that is chosen."""
    bench = Bench(found(brick=lambda: one), longest_s=longest_s)
    bench.choose("brick", bench.notice("brick"))
    return bench


@pytest.fixture
def brick() -> Brick:
    """A sound segmenter."""
    return Brick()


@pytest.fixture
def room(tmp_path: Path, brick: Brick) -> Iterator[Room]:
    """A read with a sound segmenter that is not chosen yet."""
    opened = sample_room(tmp_path, Bench(found(brick=lambda: brick)))
    yield opened
    opened.close()


# --- the example of the docs, installed ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of docs/segmenters.md, installed into a folder."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("target")
    text = DOC.read_text(encoding="utf-8")
    for kind, name in (("toml", "pyproject.toml"), ("python", "ball_segmenter.py")):
        (code,) = re.findall(rf"```{kind}\n(.*?)```", text, flags=re.DOTALL)
        (source / name).write_text(code, encoding="utf-8")
    tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", str(target), str(source)], check=True)
    return target


def test_the_example_of_the_docs_is_found_chosen_and_measured(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(installed))
    bench = Bench()
    assert bench.names[0] == "graph-cut"
    assert BALL in bench.names
    assert bench.package(BALL) == "ball-segmenter 1.0"
    assert bench.why_not(BALL) == ""
    room = sample_room(tmp_path, bench)
    room.choose_segmenter(BALL)
    line = true_lines()[0, "T01"][0]
    proposal = room.ask(line, role=Role.TARGET).proposal
    geometry = room.series.geometry
    assert geometry is not None
    ends = (np.array(line.end) - np.array(line.start))[1:]
    length = float(np.hypot(ends[0] * geometry.row_spacing_mm, ends[1] * geometry.column_spacing_mm))
    # A ball of the line's length: diameter and volume of the closed form, but for the voxels at its edge.
    assert proposal.measurement.longest.mm == pytest.approx(length, abs=2 * geometry.row_spacing_mm)
    voxel = geometry.row_spacing_mm * geometry.column_spacing_mm * float(geometry.slice_step_mm or 0)
    assert proposal.whole.sum() * voxel == pytest.approx(np.pi / 6 * length**3, rel=0.05)
    parameters = proposal.provenance.parameters
    assert (proposal.provenance.method, parameters["segmenter"]) == ("ball on the long axis", BALL)
    assert parameters["settings"] == {"radius_mm": pytest.approx(length / 2)}
    # The viable part is ours, inside what the segmenter gave.
    assert proposal.viable is not None
    assert parameters["viable"]
    assert not (proposal.viable & ~proposal.whole).any()
    mark = (tuple(int(i) for i in np.argwhere(proposal.whole)[0]),)
    mended = room.again(room.ask(line, role=Role.TARGET), Scribbles(remove=mark)).proposal  # type: ignore[arg-type]
    assert mended.notes[0] == f"segmenter {BALL} takes no marks; this proposal is by graph-cut"
    room.close()


def test_info_lists_it_and_read_takes_it(installed: Path, tmp_path: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        root = str(DOC.parents[1])
        code = f"import sys; sys.path[:0] = {[str(installed), root]!r}; from mrecist.cli import main; sys.exit(main())"
        return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)

    lines = [line.split() for line in run("info").stdout.splitlines()]
    assert [BALL, "ball-segmenter", "1.0"] in lines
    refused = run("read", str(tmp_path), "--segmenter", "cube")
    assert refused.returncode == 2
    assert refused.stderr.startswith("mrecist: there is no segmenter cube; installed: graph-cut, ball")
    assert len(refused.stderr.splitlines()) == 1


def test_two_packages_with_one_name_are_both_left_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint(name, f"{module}:Made", "mrecist.segmenters") for name, module in (("a", "x"), ("a", "y"))]
    own = EntryPoint("graph-cut", "not_there:Made", "mrecist.segmenters")
    monkeypatch.setattr("mrecist.segmenters.found.entry_points", lambda **_group: [*points, own])
    bench = Bench()
    assert bench.names == ("graph-cut", "a")
    assert "2 packages bring a segmenter a (x:Made, y:Made)" in bench.why_not("a")
    assert bench.why_not("graph-cut") == ""  # the built-in one is not to be replaced
    assert bench.segment(lesion, Prompt(line=LINE)).name == "graph-cut"


# --- what is broken --------------------------------------------------------------------------------------------------


def brick_of(images: Images, **changes: Any) -> Segmented:
    whole = np.zeros(images.voxels.shape, dtype=bool)
    whole[around(Prompt(line=LINE))] = True
    return replace(Segmented(whole=whole, method="brick", version="1.0"), **changes)


def whole_of(images: Images) -> Any:
    return brick_of(images).whole


def raises(error: BaseException) -> Callable[[Images], Any]:
    def raise_it(_images: Images) -> Any:
        raise error

    return raise_it


def overwrites(images: Images) -> Any:
    images.voxels[:] = 0
    return brick_of(images)


BROKEN: dict[str, tuple[Callable[[Images], Any], str]] = {
    "raises": (raises(ValueError("no\nway")), "brick failed: ValueError: no way"),
    "exits": (raises(SystemExit(3)), "brick failed: SystemExit: 3"),
    "own time-out": (raises(TimeoutError("socket")), "brick failed: TimeoutError: socket"),
    "one line of its own": (raises(MaskError("brick: the oven is cold")), "brick: the oven is cold"),
    "long": (raises(ValueError("x" * 5000)), r"xxx\.\.\."),
    "nothing": (lambda _images: None, "returned NoneType, not a Segmented"),
    "a bare mask": (whole_of, "returned ndarray, not a Segmented"),
    "a list": (lambda i: brick_of(i, whole=whole_of(i).tolist()), "is list, not a numpy array"),
    "shape": (lambda i: brick_of(i, whole=whole_of(i)[1:]), r"the grid \(11, 60, 64\), the series \(12, 60, 64\)"),
    "four axes": (lambda i: brick_of(i, whole=whole_of(i)[None]), "the grid"),
    "transposed": (lambda i: brick_of(i, whole=whole_of(i).swapaxes(1, 2)), r"the grid \(12, 64, 60\)"),
    "floats": (lambda i: brick_of(i, whole=whole_of(i).astype(np.float32)), "the type float32"),
    "not finite": (lambda i: brick_of(i, whole=np.full(i.voxels.shape, np.nan)), "the type float64"),
    "objects": (lambda i: brick_of(i, whole=whole_of(i).astype(object)), "the type object"),
    "labels": (lambda i: brick_of(i, whole=whole_of(i) * 2), "values from 0 to 2"),
    "negative": (lambda i: brick_of(i, whole=-whole_of(i).astype(np.int8)), "values from -1 to 0"),
    "empty": (lambda i: brick_of(i, whole=whole_of(i) & False), "found nothing there"),
    "upside down": (lambda i: brick_of(i, whole=np.roll(whole_of(i), 5, axis=0)), "does not touch the place"),
    "viable grid": (lambda i: brick_of(i, viable=whole_of(i)[:, 1:]), "the viable mask has the grid"),
    "viable type": (lambda i: brick_of(i, viable=whole_of(i) * 0.5), "the viable mask has the type float64"),
    "viable outside": (lambda i: brick_of(i, viable=~whole_of(i)), "lie outside the whole one"),
    "no method": (lambda i: brick_of(i, method=" "), "its method is ' '"),
    "no version": (lambda i: brick_of(i, version=None), "its version is None"),
    "method of two lines": (lambda i: brick_of(i, method="a\nb"), r"its method is 'a\\nb'"),
    "licence": (lambda i: brick_of(i, weights_licence=None), "its weights_licence is None"),
    "parameters": (lambda i: brick_of(i, parameters={"a": np.float32(1)}), "no plain JSON"),
    "parameters not finite": (lambda i: brick_of(i, parameters={"a": float("nan")}), "no plain JSON"),
    "no parameters": (lambda i: brick_of(i, parameters=None), "no plain JSON"),
    "notes": (lambda i: brick_of(i, notes=(1,)), "its notes are no texts"),
    "overwrites": (overwrites, "brick failed: ValueError: .*read-only"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_one_is_told_in_one_line_and_the_built_in_one_goes_on(fault: str) -> None:
    result, words = BROKEN[fault]
    one = Brick(result=result)
    bench = chosen(one)
    images = lesion()
    images.voxels.flags.writeable = False
    answer = bench.segment(lambda: images, Prompt(line=LINE))
    assert answer.name == "graph-cut"
    assert re.search(words, answer.notes[0]), answer.notes[0]
    assert answer.notes[0].endswith("; this proposal is by graph-cut")
    assert len(answer.notes[0]) < 300
    assert answer.notes[0].isprintable()
    truth = lesion().voxels - grey().voxels > 40
    assert dice(answer.whole, truth) > 0.8
    assert one.closed.wait(10)
    assert bench.chosen == "brick"


def test_a_sound_one_is_used(brick: Brick) -> None:
    answer = chosen(brick).segment(lesion, Prompt(line=LINE))
    assert (answer.name, answer.notes) == ("brick", ())
    assert np.array_equal(answer.whole, whole_of(lesion()))
    noted = Brick(result=lambda i: brick_of(i, notes=("red \x1b[31m" + "x" * 500,)))
    (note,) = chosen(noted).segment(lesion, Prompt(line=LINE)).notes
    assert note.startswith("red \\u001b[31mxxx")
    assert len(note) < 210
    integers = Brick(result=lambda i: brick_of(i, whole=whole_of(i).astype(np.uint8)))
    assert np.array_equal(chosen(integers).segment(lesion, Prompt(line=LINE)).whole, answer.whole)


class _Unavailable(Brick):
    def available(self) -> tuple[bool, str]:
        return False, "no graphics card"


def no_driver() -> Any:
    raise RuntimeError("no driver")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: __import__("a_module_that_is_not_there"), "brick failed: ModuleNotFoundError"),
        (lambda: 3, "brick failed: AttributeError"),
        (no_driver, "brick failed: RuntimeError: no driver"),
        (_Unavailable, "brick cannot be used here: no graphics card"),
        (lambda: Brick(notice=3), "its notice is int, not a text"),  # type: ignore[arg-type]
    ],
)
def test_one_that_cannot_be_made_is_not_chosen(make: Callable[[], Any], words: str) -> None:
    bench = Bench(found(brick=make))
    with pytest.raises(InputError, match=words):
        bench.choose("brick")
    assert bench.chosen == "graph-cut"
    assert bench.segment(lesion, Prompt(line=LINE)).notes == ()


def test_why_not_asks_for_nothing_else() -> None:
    bench = Bench(found(one=_Unavailable, two=lambda: Brick(notice="sends images away")))
    assert bench.why_not("one") == "no graphics card"
    assert bench.why_not("two") == ""
    with pytest.raises(InputError, match="there is no segmenter three; installed: graph-cut, one, two"):
        bench.why_not("three")


# --- what takes for ever ---------------------------------------------------------------------------------------------


class _Sleeper(Brick):
    """It never answers, and its end is not waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.began = threading.Event()
        self.let_go = threading.Event()

    def segment(self, prompt: Prompt) -> Any:
        self.began.set()
        self.let_go.wait()
        return super().segment(prompt)


def test_one_that_takes_too_long_is_left_to_itself() -> None:
    one = _Sleeper()
    bench = chosen(one, longest_s=2)
    answer = bench.segment(lesion, Prompt(line=LINE))
    one.let_go.set()
    assert answer.name == "graph-cut"
    assert answer.notes[0].startswith("segmenter brick gave no answer in 2 s")
    assert one.closed.wait(10)


def test_the_reader_can_give_up_by_choosing_the_built_in_one() -> None:
    one = _Sleeper()
    bench = chosen(one, longest_s=600)
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(bench.segment(lesion, Prompt(line=LINE))))
    asking.start()
    assert one.began.wait(10)
    bench.choose("graph-cut")
    asking.join(60)
    one.let_go.set()
    (answer,) = answers
    assert answer.name == "graph-cut"
    assert answer.notes == ("segmenter brick was given up; this proposal is by graph-cut",)
    assert bench.chosen == "graph-cut"


def test_leaving_does_not_wait() -> None:
    one = _Sleeper()
    bench = chosen(one, longest_s=600)
    asking = threading.Thread(target=lambda: bench.segment(lesion, Prompt(line=LINE)))
    asking.start()
    assert one.began.wait(10)
    bench.close()
    asking.join(60)
    assert not asking.is_alive()
    one.let_go.set()


# --- what it is given ------------------------------------------------------------------------------------------------


def test_a_line_is_given_in_the_kind_that_is_taken() -> None:
    marks = Scribbles(add=((6, 30, 50),))
    for kinds, expected in (
        (("line", "box", "scribbles"), Prompt(line=LINE, scribbles=marks)),
        # By hand: the middle (30, 32), half of 24 mm each way on pixels of 1 mm, both ends inside.
        (("box", "click", "scribbles"), Prompt(box=((6, 7), (18, 43), (20, 45)), scribbles=marks)),
        (("click", "scribbles"), Prompt(click=(6.0, 30.0, 32.0), scribbles=marks)),
    ):
        one = Brick(prompts=kinds)
        answer = chosen(one).segment(lesion, Prompt(line=LINE, scribbles=marks))
        assert one.asked == [expected]
        assert answer.asked == expected
        assert answer.notes == ("1 of 1 marked voxels were not followed",)


def test_a_box_stays_in_the_volume_and_follows_the_spacing() -> None:
    line = Line(start=(3.0, 2.0, 10.0), end=(3.0, 2.0, 20.0))
    # Half of 10 columns of 1 mm is 5 mm: 2.5 rows of 2 mm, cut at row 0.
    assert box_of_line(line, (8, 30, 30), (2.0, 2.0, 1.0)) == ((3, 4), (0, 5), (10, 21))


@pytest.mark.parametrize(("kinds", "words"), [((), "only: nothing"), (("lasso",), "only: lasso")])
def test_one_that_takes_nothing_we_have(kinds: tuple[str, ...], words: str) -> None:
    answer = chosen(Brick(prompts=kinds)).segment(lesion, Prompt(line=LINE))
    assert answer.name == "graph-cut"
    assert words in answer.notes[0]


def test_a_click_is_given_as_it_is_or_as_the_line_that_is_guessed_from_it() -> None:
    click = Prompt(click=(6.0, 30.0, 32.0))
    one = Brick(prompts=("click",))
    assert chosen(one).segment(lesion, click).asked == click
    other = Brick(prompts=("line",))
    guessed = chosen(other).segment(lesion, click).asked.line
    assert guessed is not None
    length = np.linalg.norm(np.array(guessed.end) - np.array(guessed.start))
    assert length == pytest.approx(24, abs=4)


@pytest.mark.parametrize(
    "prompt",
    [Prompt(line=Line(start=(0, 0, 0), end=(0, 0, 4000))), Prompt(click=(-1.0, 5.0, 5.0))],
)
def test_what_leaves_the_volume_is_given_to_nobody(brick: Brick, prompt: Prompt) -> None:
    bench = chosen(brick)
    with pytest.raises(MaskError, match="outside the volume"):
        bench.segment(lesion, prompt)
    assert brick.asked == []


def test_where_the_built_in_one_finds_nothing_either_both_are_told() -> None:
    bench = chosen(Brick(result=lambda _images: None))
    short = Line(start=LINE.start, end=(6.0, 30.0, 21.0))
    with pytest.raises(MaskError, match=r"brick returned NoneType.*; graph-cut: the line is 1\.0 mm long"):
        bench.segment(lesion, Prompt(line=short))


# --- agreeing --------------------------------------------------------------------------------------------------------


def test_one_with_a_notice_is_used_after_the_reader_agreed_to_it() -> None:
    one = Brick(notice="sends images to http://example.org")
    bench = Bench(found(brick=lambda: one))
    for agreed in ("", "sends images elsewhere"):
        with pytest.raises(InputError, match=r"must be agreed to first: sends images to http://example\.org"):
            bench.choose("brick", agreed)
    assert bench.segment(lesion, Prompt(line=LINE)).name == "graph-cut"
    assert one.started == one.asked == []
    bench.choose("brick", bench.notice("brick"))
    assert bench.agreed == one.says
    assert bench.segment(lesion, Prompt(line=LINE)).name == "brick"
    one.result = raises(ValueError("once"))
    bench.segment(lesion, Prompt(line=LINE))
    # It is made anew now, and says something that nobody agreed to.
    one.result, one.says = None, "sends images to http://other.example.org"
    asked = len(one.asked)
    answer = bench.segment(lesion, Prompt(line=LINE))
    assert answer.name == "graph-cut"
    assert "asks to agree to something else; choose it again" in answer.notes[0]
    assert len(one.asked) == asked


# --- in a read -------------------------------------------------------------------------------------------------------


def test_the_built_in_one_is_asked_until_another_is_chosen(room: Room, brick: Brick) -> None:
    heard: list[str] = []
    room.watch(heard.append)
    line = true_lines()[0, "T01"][0]
    first = room.ask(line, role=Role.TARGET).proposal
    assert room.segmenter == first.provenance.parameters["segmenter"] == "graph-cut"
    assert first.provenance.method == "graph cut from the long axis"
    assert first.provenance.prompts == ({"line": [list(line.start), list(line.end)]},)
    assert first.provenance.parameters["phases"][0] == "ARTERIAL"
    assert brick.started == []
    room.choose_segmenter("brick")
    assert heard == ["segmenter"]
    pending = room.ask(line, role=Role.TARGET)
    (images,) = brick.started
    assert (images.phase, images.voxels.flags.writeable) == ("ARTERIAL", False)
    assert np.array_equal(pending.proposal.whole[around(brick.asked[0])].all(), True)
    room.offer(pending)
    room.accept()
    kept = room.state.mark(0, "T01").mask.provenance  # type: ignore[union-attr]
    assert kept.parameters["segmenter"] == "brick"
    assert kept.parameters["segmenter_version"] == "1.0"
    assert kept.parameters["weights_licence"] == "CC0-1.0"
    assert kept.parameters["settings"] == {"half": 4}
    assert from_plain(to_plain(kept), Provenance) == from_plain(to_plain(kept), Provenance)


def test_other_phases_are_there_for_whoever_asks(room: Room, brick: Brick) -> None:
    room.choose_segmenter("brick")
    room.ask(true_lines()[0, "T01"][0], role=Role.TARGET)
    (images,) = brick.started
    _, y, x = around(brick.asked[0], 12)
    box = (slice(0, images.voxels.shape[0]), y, x)
    portal = images.other(PhaseName.PORTAL_VENOUS, box)
    assert portal is not None
    assert portal.shape == images.voxels[box].shape
    assert images.other(PhaseName.DELAYED, box) is None
    # Three slices are fewer than the registration's filters take.
    assert images.other(PhaseName.PORTAL_VENOUS, (slice(2, 5), y, x)) is None


def test_a_viable_part_that_is_given_is_kept_and_can_be_nudged(tmp_path: Path) -> None:
    one = Brick(viable=True)
    room = sample_room(tmp_path, Bench(found(brick=lambda: one)))
    room.choose_segmenter("brick")
    line = true_lines()[0, "T01"][0]
    pending = room.ask(line, role=Role.TARGET)
    inner = np.zeros_like(pending.proposal.whole)
    inner[around(one.asked[0], 2)] = True
    assert np.array_equal(pending.proposal.viable, inner)
    assert "the viable part is by brick" in pending.proposal.notes
    assert pending.proposal.provenance.parameters["viable"] == "by brick"
    nudged = room.nudged(pending, 5).proposal
    assert nudged.provenance.parameters["viable"].endswith("set by the reader")
    assert nudged.provenance.parameters["cutoff"] == nudged.cutoff
    room.look_at_series(next(s for s in room.visit.series if s.phase.name == PhaseName.PORTAL_VENOUS))
    portal = room.ask(line, role=Role.TARGET).proposal
    assert portal.viable is None
    assert any("gave a viable part on the portal venous phase; it was left out" in note for note in portal.notes)
    room.close()


def test_a_click_keeps_the_line_that_was_guessed(room: Room) -> None:
    line, whole, _ = true_lines()[0, "T01"]
    z, y, x = (np.array(line.start) + np.array(line.end)) / 2
    click = (float(z), float(y), float(x))
    proposal = propose_click(room.series, click, room.visit, room.volumes.get, room.case.protocol.measuring)
    assert [list(prompt) for prompt in proposal.provenance.prompts] == [["click"], ["line"]]
    assert proposal.provenance.method == "graph cut from a click"
    assert proposal.notes[0].startswith("the long axis was guessed from a click")
    assert dice(proposal.whole, whole) > 0.9


def test_the_docs_name_every_kind_of_prompt() -> None:
    row = next(line for line in DOC.read_text(encoding="utf-8").splitlines() if line.startswith("| `prompts`"))
    assert {str(kind) for kind in PromptKind} <= set(re.findall(r"`(\w+)`", row))
