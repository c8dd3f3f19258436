"""The keys of the reading window, all in one table: what is bound, and what the overlay and the docs say of it.

napari's manifest key bindings do not fire, and the active layer's keys win over the viewer's. So the keys are bound on the viewer and
those that napari's layers use too (``OF_LAYERS``) on every layer as well: they mean the same whatever is selected. P and the
digits work because no layer is selected while one reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from mrecist_napari.phases import PHASE_KEYS

if TYPE_CHECKING:
    from mrecist_napari.reading_window import ReadingWindow


class Group(Enum):
    """The groups of the help page, in its order."""

    LOOK = "Look"
    LESIONS = "Lesions"
    MEND = "Mend a proposal"
    MEASURE = "Measure"
    VISIT = "Visit and window"


@dataclass(frozen=True, slots=True)
class Key:
    """A key: how napari writes it, how a person does, what it does. ``held`` lasts until the key is released.

    ``group`` is its place on the help page; a key without one stands in the group of the key above it.
    """

    key: str
    shown: str
    does: str
    act: Callable[[ReadingWindow], Any]
    held: bool = False
    group: Group | None = None


def _phase(key: str) -> Callable[[ReadingWindow], Any]:
    return lambda window: window.show_phase(PHASE_KEYS[key])


# Of the keys of napari's layers those that are ours: Labels has B, E, V, [ and ]; Image and Shapes have C and I.
OF_LAYERS = ("B", "E", "[", "]", "V", "C", "I")


def _escape(window: ReadingWindow) -> None:
    if not window.measuring.clear():
        window.painting.escape()


def _status(number: int) -> Callable[[ReadingWindow], Any]:
    return lambda window: window.panel.say_state(number)


KEYS: tuple[Key, ...] = (
    *(Key(key, key, f"{phase.lower()} phase", _phase(key)) for key, phase in PHASE_KEYS.items()),
    Key("Q", "hold Q", "flick to the portal venous phase (wash-out)", lambda w: w.flick(), held=True, group=Group.LOOK),
    Key("H", "hold H", "hide masks and lines", lambda w: w.hidden(), held=True),
    Key("W", "W", "next window (right drag: window and level)", lambda w: w.next_window()),
    Key("PageUp", "PgUp", "one slice up (or the wheel)", lambda w: w.step(-1)),
    Key("PageDown", "PgDn", "one slice down", lambda w: w.step(1)),
    Key("Home", "Home", "lesion before", lambda w: w.room.next_lesion(-1), group=Group.LESIONS),
    Key("End", "End", "next lesion", lambda w: w.room.next_lesion(1)),
    Key(",", ",", "visit before alone: one slice up", lambda w: w.prior.nudge(-1), group=Group.LOOK),
    Key(".", ".", "visit before alone: one slice down", lambda w: w.prior.nudge(1)),
    Key("K", "K", "link the two pictures shown", lambda w: w.link_here()),
    Key("Shift-K", "Shift+K", "unlink: each visit moves alone", lambda w: w.unlink()),
    Key("F5", "F5", "an earlier visit beside", lambda w: w.priors.earlier()),
    Key("F6", "F6", "the nadir visit beside", lambda w: w.priors.nadir()),
    Key("F7", "F7", "two reformats with a crosshair, or away", lambda w: w.reformats.toggle()),
    Key("N", "N", "new lesion: drag its long axis", lambda w: w.proposing.start_line(), group=Group.LESIONS),
    Key("Shift-N", "Shift+N", "new non-target lesion", lambda w: w.proposing.start_line(non_target=True)),
    Key("U", "U", "draw the chosen lesion at this visit", lambda w: w.proposing.start_chosen()),
    Key("P", "P", "carry the lesions of the visit before to this one (again: stop)", lambda w: w.following.ask()),
    Key("Shift-P", "Shift+P", "propose the chosen lesion from its dashed line", lambda w: w.following.propose()),
    *(Key(str(n), str(n), f"status {n} of the chosen lesion, as in the panel", _status(n)) for n in range(1, 6)),
    Key("G", "G", "drag: this belongs to the lesion", lambda w: w.proposing.start_scribble(add=True), group=Group.MEND),
    Key("Shift-G", "Shift+G", "drag: this does not", lambda w: w.proposing.start_scribble(add=False)),
    Key(
        "Shift-U",
        "Shift+U",
        "diameters of the chosen lesion as measured again",
        lambda w: w.measuring.as_measured(),
        group=Group.MEASURE,
    ),
    Key("M", "M", "caliper: drag a distance", lambda w: w.measuring.start_caliper()),
    Key("Shift-M", "Shift+M", "region: drag an ellipse for its values", lambda w: w.measuring.start_region()),
    Key("9", "9", "viable cut-off 5 HU lower", lambda w: w.proposing.nudge(-5), group=Group.MEND),
    Key("0", "0", "viable cut-off 5 HU higher", lambda w: w.proposing.nudge(5)),
    Key(
        "J",
        "J",
        "new lesion: click in it, then drag the ends of the line that was guessed",
        lambda w: w.clicking.start(),
        group=Group.LESIONS,
    ),
    Key(
        "B",
        "B",
        "brush (Shift while painting: a ball over several slices)",
        lambda w: w.painting.start("brush"),
        group=Group.MEND,
    ),
    Key("E", "E", "eraser (Shift: a ball)", lambda w: w.painting.start("eraser")),
    Key("[", "[", "brush and eraser smaller", lambda w: w.painting.resize(-1)),
    Key("]", "]", "brush and eraser larger", lambda w: w.painting.resize(1)),
    Key("V", "V", "draw by hand on the viable part, or on the whole lesion again", lambda w: w.painting.toggle_part()),
    Key("C", "C", "drag outlines: what they enclose is added", lambda w: w.painting.start("contour")),
    Key("Shift-C", "Shift+C", "new lesion by outlines", lambda w: w.painting.start_new()),
    Key("I", "I", "fill the slices between the drawn ones", lambda w: w.painting.interpolate()),
    Key("Enter", "Return", "accept the proposal", lambda w: w.proposing.accept()),
    Key("Escape", "Esc", "reject it, leave the tool, or clear calipers and regions", _escape),
    Key("Control-Enter", "Ctrl+Return", "sign the visit", lambda w: w.panel.ask_signature(), group=Group.VISIT),
    Key("Control-Z", "Ctrl+Z", "undo: the last step of the proposal, else of the read", lambda w: w.painting.undo()),
    Key("Control-Shift-Z", "Ctrl+Shift+Z", "redo", lambda w: w.painting.redo()),
    Key("F8", "F8", "save again what could not be saved", lambda w: w.save_again()),
    Key("F9", "F9", "napari's layer list and controls", lambda w: w.toggle_layers()),
    Key("Shift-/", "?", "these keys", lambda w: w.toggle_help()),
)


def bind(window: ReadingWindow, viewer: Any) -> None:
    """Bind every key on a viewer; what is refused is told in one line."""
    for one in KEYS:
        viewer.bind_key(one.key, _held(window, one) if one.held else _pressed(window, one), overwrite=True)
    ours = [one for one in KEYS if one.key in OF_LAYERS]

    def bind_layer(event: Any) -> None:
        for one in ours:
            event.value.bind_key(one.key, _pressed(window, one), overwrite=True)

    viewer.layers.events.inserted.connect(bind_layer)


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


def grouped(keys: tuple[Key, ...] = KEYS) -> dict[Group, list[Key]]:
    """The keys by group, in the order of :class:`Group`; a group without a key is left out."""
    found: dict[Group, list[Key]] = {group: [] for group in Group}
    group = Group.LOOK
    for one in keys:
        group = one.group or group
        found[group].append(one)
    return {group: held for group, held in found.items() if held}
