"""A figure that is to be drawn: what it is of, what it is called, and how."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``parts`` make the name of the file. ``alt`` says in a sentence what is seen. ``draw`` None: there is none, which ``note`` says.

    ``endpoint`` is empty for the figures of subjects, ``region`` for those of all lesions.
    """

    kind: str
    parts: tuple[str, ...]
    title: str
    alt: str
    draw: Callable[[], Figure] | None
    note: str = ""
    endpoint: str = ""
    reader: str = ""
    criterion: str = ""
    region: str = ""
