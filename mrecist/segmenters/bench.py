"""The segmenter that is chosen, at work: made, asked, waited for, checked, and replaced by the built-in one where it fails.

A plug-in runs on a thread of its own, so that one that never answers can be left to itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mrecist.errors import InputError, MaskError, MrecistError, printable
from mrecist.segment.crop import BoolArray
from mrecist.segmenters.built_in import BUILT_IN
from mrecist.segmenters.checking import check_prompt, checked_masks, fitted, marks_missed
from mrecist.segmenters.found import Found, built_in, plug_ins
from mrecist.segmenters.interface import Images, Prompt, Segmented, Segmenter

# Uploading a volume and a first prediction take a minute or two; the reader can give up earlier.
LONGEST_S = 300.0
# A place on a server is given back before the program ends, where the server is quick.
_LEAVE_S = 3.0
# Whether it can be used at all is said from what is installed.
_LOOK_S = 10.0
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A checked mask.

    Parameters
    ----------
    name : the segmenter that gave it.
    whole, viable : (Z, Y, X) on the grid of the series; ``viable`` None unless the segmenter gave one.
    asked : the prompt as the segmenter got it.
    segmented : what it said of the mask.
    notes : for the reader, the first why another segmenter was not used.
    """

    name: str
    whole: BoolArray
    viable: BoolArray | None
    asked: Prompt
    segmented: Segmented
    notes: tuple[str, ...]


class _NoAnswer(Exception):  # noqa: N818 - nobody erred
    """It is not waited for any more."""


class _Call:
    """Work on a thread of its own, and somebody who waits for it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._woken = threading.Event()
        self._ended = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._given_up = False

    def start(self) -> _Call:
        """Begin."""
        threading.Thread(target=self._run, name="segmenter", daemon=True).start()
        return self

    def give_up(self) -> None:
        """Wait no more."""
        self._given_up = True
        self._woken.set()

    def outcome(self, longest_s: float | None) -> tuple[Any, BaseException | None]:
        """What the work gave, and what it raised; it is not waited for longer than that, where that is a number."""
        self._woken.wait(longest_s)
        if self._ended:
            return self._value, self._error
        return None, _NoAnswer("was given up" if self._given_up else f"gave no answer in {longest_s:g} s")

    def _run(self) -> None:
        try:
            self._value = self._work()
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error
        self._ended = True
        self._woken.set()


class Bench:
    """Segmenters to choose from, and the one that is chosen.

    Parameters
    ----------
    others : name -> segmenter beside the built-in one; those that are installed unless given.
    longest_s : how long a call of a plug-in is waited for.
    """

    def __init__(self, others: Mapping[str, Found] | None = None, longest_s: float = LONGEST_S) -> None:
        self._known = {BUILT_IN: built_in(), **(plug_ins() if others is None else others)}
        self._longest_s = longest_s
        self._chosen = BUILT_IN
        self._made: dict[str, Segmenter] = {}
        self._notices: dict[str, str] = {}
        self._agreed: dict[str, str] = {}
        # One call at a time for each; choosing does not wait for it, but gives it up: also one that is about to begin.
        self._turns = {name: threading.RLock() for name in self._known}
        self._running: dict[str, _Call] = {}
        self._choices = 0

    @property
    def names(self) -> tuple[str, ...]:
        """All that are installed, the built-in one first."""
        return tuple(self._known)

    @property
    def chosen(self) -> str:
        """The one that is asked first."""
        return self._chosen

    @property
    def agreed(self) -> str:
        """The notice of the chosen one, which the reader agreed to; empty without one."""
        return self._agreed.get(self._chosen, "")

    def package(self, name: str) -> str:
        """The distribution that brings it, with its version."""
        return self._of(name).package

    def why_not(self, name: str) -> str:
        """Why it cannot be used here, in one line; empty where it can. No server is asked."""
        found = self._of(name)

        def work() -> tuple[bool, str]:
            made = found.make()
            can, why = made.available()
            _Call(made.close).start()
            return bool(can), str(why)

        value, error = _Call(work).start().outcome(min(_LOOK_S, self._longest_s))
        if error is not None:
            return str(_one_line(name, error))
        can, why = value
        return "" if can else why or "it does not say why"

    def notice(self, name: str) -> str:
        """What the reader must agree to before it is chosen; empty when nothing. It may ask a server, so it may take long.

        Raises :class:`InputError` where there is no such segmenter, it cannot be loaded, or something is missing.
        """
        self._of(name)
        with self._turns[name]:
            try:
                self._ready(name)
            except MaskError as error:
                raise InputError(str(error)) from None
        return self._notices[name]

    def choose(self, name: str, agreed: str = "") -> None:
        """Ask this one from now on; whoever is being waited for is given up.

        Parameters
        ----------
        name : one of :attr:`names`.
        agreed : its notice, where it has one: the reader has read and accepted it.

        Raises
        ------
        InputError : there is no such segmenter, it cannot be used here, or it has a notice that was not agreed to.
        """
        self._of(name)
        if name != BUILT_IN:
            notice = self._notices[name] if name in self._made else self.notice(name)
            if notice != agreed:
                raise InputError(f"segmenter {name} must be agreed to first: {notice}")
            self._agreed[name] = agreed
        self._chosen = name
        self._give_up(but=name)

    def segment(self, images: Callable[[], Images], prompt: Prompt) -> Answer:
        """A checked mask of the chosen segmenter; where it fails, of the built-in one with a note that says why.

        Parameters
        ----------
        images : gives the images, anew for each segmenter that is asked.

        Raises
        ------
        MaskError : the prompt leaves the volume, or the built-in one finds no lesion either.
        """
        check_prompt(prompt, images())
        choices, name = self._choices, self._chosen
        if name == BUILT_IN:
            return self._answer(name, images(), prompt)
        try:
            return self._answer(name, images(), prompt, choices)
        except MaskError as error:
            trouble = str(error)
        try:
            answer = self._answer(BUILT_IN, images(), prompt)
        except MaskError as error:
            raise MaskError(f"{trouble}; {BUILT_IN}: {error}") from None
        return replace(answer, notes=(f"{trouble}; this proposal is by {BUILT_IN}", *answer.notes))

    def close(self) -> None:
        """Let go of every segmenter; one that hangs is not waited for."""
        self._give_up(but=BUILT_IN)
        for name in tuple(self._made):
            self._drop(name, wait_s=_LEAVE_S)

    # --- how -------------------------------------------------------------------------------------------------------

    def _of(self, name: str) -> Found:
        if name not in self._known:
            raise InputError(f"there is no segmenter {printable(name)}; installed: {', '.join(self._known)}")
        return self._known[name]

    def _give_up(self, but: str) -> None:
        self._choices += 1
        for name, call in tuple(self._running.items()):
            if name not in (but, BUILT_IN):
                call.give_up()

    def _answer(self, name: str, images: Images, prompt: Prompt, choices: int | None = None) -> Answer:
        with self._turns[name]:
            segmenter = self._ready(name)
            if self._notices[name] != self._agreed.get(name, ""):
                self._drop(name)
                raise MaskError(f"segmenter {name} now asks to agree to something else; choose it again")

            def work() -> tuple[Prompt, Any]:
                asked = fitted(prompt, frozenset(map(str, segmenter.prompts)), images, name)
                segmenter.start(images)
                return asked, segmenter.segment(asked)

            asked, result = self._waited(name, work, choices)
        try:
            whole, viable = checked_masks(result, asked, images, name)
        except MaskError:
            self._drop(name)
            raise
        return Answer(
            name=name,
            whole=whole,
            viable=viable,
            asked=asked,
            segmented=result,
            notes=(*(printable(note, most=200) for note in result.notes), *marks_missed(whole, prompt)),
        )

    def _ready(self, name: str) -> Segmenter:
        """The segmenter, made and asked what the reader must know where that has not been done."""
        if name in self._made:
            return self._made[name]
        found = self._of(name)

        def work() -> tuple[Segmenter, str]:
            made = found.make()
            can, why = made.available()
            if not can:
                raise MaskError(f"segmenter {name} cannot be used here: {why}")
            notice = made.notice()
            if not isinstance(notice, str):
                raise TypeError(f"its notice is {type(notice).__name__}, not a text")
            return made, notice

        self._made[name], self._notices[name] = self._waited(name, work)
        return self._made[name]

    def _waited(self, name: str, work: Callable[[], Result], choices: int | None = None) -> Result:
        """The result of work by a segmenter; whatever goes wrong with it is one line, and it is made anew the next time.

        ``choices`` counts the choices of the reader when it was asked: it is not waited for after another one.
        """
        call = _Call(work)
        self._running[name] = call
        if choices is not None and choices != self._choices:
            call.give_up()
        else:
            call.start()
        value, error = call.outcome(None if name == BUILT_IN else self._longest_s)
        del self._running[name]
        if error is not None:
            self._drop(name)
            raise _one_line(name, error)
        done: Result = value
        return done

    def _drop(self, name: str, wait_s: float = 0) -> None:
        """Forget a segmenter; it may still hang, so it is closed elsewhere."""
        made = self._made.pop(name, None)
        if made is not None:
            _Call(made.close).start().outcome(wait_s)


def _one_line(name: str, error: BaseException) -> MaskError:
    """Whatever a segmenter raised, for the reader."""
    if isinstance(error, MaskError):
        return error
    if isinstance(error, MrecistError):
        return MaskError(str(error))
    if isinstance(error, _NoAnswer):
        return MaskError(f"segmenter {name} {error}")
    said = printable(f"{type(error).__name__}: {' '.join(str(error).split())}", most=200)
    return MaskError(f"segmenter {name} failed: {said}")
