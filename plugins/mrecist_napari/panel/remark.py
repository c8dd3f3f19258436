"""A line of words that belongs to a lesion or a visit, and stays with it when the reader goes on before pressing Return."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtWidgets import QLineEdit


class Remark(QLineEdit):
    """Words of a key (a visit, a lesion at a visit).

    Parameters
    ----------
    name : the object's name.
    say : ``say(key, words)`` saves what was typed.
    """

    def __init__(self, name: str, say: Callable[[tuple[int, str], str], object]) -> None:
        super().__init__()
        self.setObjectName(name)
        self._say = say
        self._of: tuple[int, str] | None = None
        self.editingFinished.connect(self.save)

    def save(self) -> None:
        """Save what was typed since it was shown."""
        if self._of is not None and self.isModified():
            self.setModified(False)
            self._say(self._of, self.text().strip())

    def show_words(self, of: tuple[int, str], said: str) -> None:
        """The words of a key; what is being typed for the same key stays, and what was typed for another one is saved."""
        if self._of != of:
            self.save()
            self._of = of
            self.setText(said)
        elif not self.isModified() and self.text() != said:
            self.setText(said)
