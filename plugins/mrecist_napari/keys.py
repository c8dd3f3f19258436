"""The keys of the reading window, all in one table: what is bound, and what the overlay and the docs say of it.

napari's manifest key bindings do not fire, and the active layer's keys win over the viewer's; these keys are ones that no layer
uses, bound on the viewer (the layers are not selected while one reads).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mrecist_napari.phases import PHASE_KEYS

if TYPE_CHECKING:
    from mrecist_napari.reading_window import ReadingWindow


@dataclass(frozen=True, slots=True)
class Key:
    """A key: how napari writes it, how a person does, what it does. ``held`` lasts until the key is released."""

    key: str
    shown: str
    does: str
    act: Callable[[ReadingWindow], Any]
    held: bool = False


def _phase(key: str) -> Callable[[ReadingWindow], Any]:
    return lambda window: window.show_phase(PHASE_KEYS[key])


KEYS: tuple[Key, ...] = (
    *(Key(key, key, f"{phase.lower()} phase", _phase(key)) for key, phase in PHASE_KEYS.items()),
    Key("Q", "hold Q", "flick to the portal venous phase (wash-out)", lambda w: w.flick(), held=True),
    Key("H", "hold H", "hide masks and lines", lambda w: w.hidden(), held=True),
    Key("W", "W", "next window (right drag: window and level)", lambda w: w.next_window()),
    Key("PageUp", "PgUp", "one slice up (or the wheel)", lambda w: w.step(-1)),
    Key("PageDown", "PgDn", "one slice down", lambda w: w.step(1)),
    Key("Home", "Home", "lesion before", lambda w: w.room.next_lesion(-1)),
    Key("End", "End", "next lesion", lambda w: w.room.next_lesion(1)),
    Key(",", ",", "visit before alone: one slice up", lambda w: w.prior.nudge(-1)),
    Key(".", ".", "visit before alone: one slice down", lambda w: w.prior.nudge(1)),
    Key("K", "K", "link the two slices shown", lambda w: w.link_here()),
    Key("N", "N", "new lesion: drag its long axis", lambda w: w.proposing.start_line()),
    Key("Shift-N", "Shift+N", "new non-target lesion", lambda w: w.proposing.start_line(non_target=True)),
    Key("U", "U", "draw the chosen lesion at this visit", lambda w: w.proposing.start_chosen()),
    Key("G", "G", "drag: this belongs to the lesion", lambda w: w.proposing.start_scribble(add=True)),
    Key("Shift-G", "Shift+G", "drag: this does not", lambda w: w.proposing.start_scribble(add=False)),
    Key("9", "9", "viable cut-off 5 HU lower", lambda w: w.proposing.nudge(-5)),
    Key("0", "0", "viable cut-off 5 HU higher", lambda w: w.proposing.nudge(5)),
    Key("Enter", "Return", "accept the proposal", lambda w: w.proposing.accept()),
    Key("Escape", "Esc", "reject it, or leave the tool", lambda w: w.proposing.reject()),
    Key("Control-Enter", "Ctrl+Return", "sign the visit", lambda w: w.panel.ask_signature()),
    Key("Control-Z", "Ctrl+Z", "undo", lambda w: w.room.session.undo()),
    Key("Control-Shift-Z", "Ctrl+Shift+Z", "redo", lambda w: w.room.session.redo()),
    Key("F8", "F8", "save again what could not be saved", lambda w: w.save_again()),
    Key("F9", "F9", "napari's layer list and controls", lambda w: w.toggle_layers()),
    Key("Shift-/", "?", "these keys", lambda w: w.toggle_help()),
)


def bind(window: ReadingWindow, viewer: Any) -> None:
    """Bind every key on a viewer; what is refused is told in one line."""
    for one in KEYS:
        viewer.bind_key(one.key, _held(window, one) if one.held else _pressed(window, one), overwrite=True)


def _pressed(window: ReadingWindow, key: Key) -> Callable[[Any], None]:
    def pressed(_viewer: Any) -> None:
        window.guarded(lambda: key.act(window))

    return pressed


def _held(window: ReadingWindow, key: Key) -> Callable[[Any], Iterator[None]]:
    def held(_viewer: Any) -> Iterator[None]:
        back = key.act(window)
        yield
        back()

    return held


def help_text() -> str:
    """The keys as lines, for the overlay."""
    widest = max(len(one.shown) for one in KEYS)
    return "\n".join(f"{one.shown:<{widest}}   {one.does}" for one in KEYS)
