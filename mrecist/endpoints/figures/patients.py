"""What the figures with a mark for each subject draw of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mrecist.endpoints.figures.style import swatches
from mrecist.model import Response

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LANES = 640
"""More subjects than this are no swimmer plot that anybody can read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is drawn of a subject; times in months from day 1.

    ``changes`` are (month, % change of the sum from baseline). ``marks`` are (month, what): response, progression, death, new therapy.
    ``ongoing`` : alive and without progression at the end.
    """

    subject: str
    arm: str
    best: Response
    changes: tuple[tuple[float, float], ...] = ()
    end: float = 0.0
    marks: tuple[tuple[float, str], ...] = ()
    phases: tuple[tuple[float, float, Response], ...] = field(default=())
    ongoing: bool = False

    @property
    def best_change(self) -> float | None:
        """The lowest change; None where no sum after baseline is known."""
        return min((percent for _, percent in self.changes), default=None)


def best_response_legend(axes: Axes, patients: Sequence[Patient]) -> None:
    """The categories that occur, right of the axes."""
    if patients:
        axes.legend(
            frameon=False,
            handles=swatches({p.best for p in patients}),
            title="best response",
            fontsize=8,
            title_fontsize=8,
            alignment="left",
            loc="upper left",
            bbox_to_anchor=(1.0, 1.0),
        )
