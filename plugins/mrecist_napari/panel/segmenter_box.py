"""Who proposes masks, and what the reader must agree to before images go to it.

Hidden while only the built-in segmenter can be used; ``mrecist info`` says what others are missing.
"""

from __future__ import annotations

from mrecist.errors import MrecistError
from mrecist.segmenters.built_in import BUILT_IN
from mrecist_napari.panel.desk import Desk
from mrecist_napari.panel.parts import Section, beside, button, choice, choose, text
from mrecist_napari.panel.style import paint


class SegmenterBox(Section):
    """A list of segmenters. One that has a notice is used after the reader has agreed to it; choosing the built-in one waits for nobody."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("Segmenter", "segmenter_section")
        self._desk = desk
        # The one that was picked, until its notice is there and agreed to.
        self._asking = ""
        self._notice = ""
        self.names = choice("segmenter", ((BUILT_IN, BUILT_IN),), self.pick, tip="who proposes masks")
        self.said = text("", "segmenter_notice")
        self.agree = button("Agree and use it", "segmenter_agree", self._agree, tip="use it, on the terms above")
        self.refuse = button(
            "Do not use it",
            "segmenter_refuse",
            lambda: self.pick(desk.room.segmenter),
            tip="keep the one that is used now",
        )
        self.body.addWidget(self.names)
        self.body.addWidget(self.said)
        self.body.addLayout(beside(self.agree, self.refuse))
        bench = desk.room.bench
        others = [one for one in bench.names if one != BUILT_IN]
        if others:
            desk.later(lambda: [one for one in others if not bench.why_not(one)], self._found, "looking for segmenters")

    def show_read(self) -> None:
        """The segmenter that is asked, or the question that one waits for."""
        room = self._desk.room
        self.setVisible(self.names.count() > 1)
        choose(self.names, self._asking or room.segmenter)
        words = self._notice or room.bench.agreed
        self.said.setText(words)
        self.said.setVisible(bool(words))
        paint(self.said, "warning" if self._notice else "quiet")
        for one in (self.agree, self.refuse):
            one.setVisible(bool(self._notice))

    def _found(self, names: list[str]) -> None:
        for name in names:
            self.names.addItem(name, name)
        self.show_read()

    def pick(self, name: str) -> None:
        """Ask for a segmenter: at once where it has no notice, else its notice is shown first."""
        self._asking = self._notice = ""
        if name == BUILT_IN:
            self._take(name, "")
        elif name != self._desk.room.segmenter:
            self._asking = name
            bench = self._desk.room.bench

            def work() -> tuple[str, str]:
                try:
                    return bench.notice(name), ""
                except MrecistError as error:
                    return "", str(error)

            self._desk.later(work, lambda found: self._asked(name, *found), f"asking {name}")
        self.show_read()

    def _asked(self, name: str, notice: str, trouble: str) -> None:
        if name != self._asking:
            return  # the reader has picked another one since
        if trouble:
            self._asking = ""
            self._desk.message(trouble)
        elif notice:
            self._notice = notice
        else:
            self._take(name, "")
        self.show_read()

    def _agree(self) -> None:
        self._take(self._asking, self._notice)
        self.show_read()

    def _take(self, name: str, notice: str) -> None:
        self._asking = self._notice = ""
        if name != self._desk.room.segmenter:
            self._desk.call(lambda: self._desk.room.choose_segmenter(name, notice))
