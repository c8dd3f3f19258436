"""Bland-Altman figures of the sums of two readers, a visit each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mrecist.agreement.continuous import bland_altman
from mrecist.agreement.reads import Reads
from mrecist.agreement.resampling import Array
from mrecist.endpoints.figures.plan import Plan
from mrecist.endpoints.figures.style import ARMS, DARK, GREY, in_house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Fewer pairs have no limits worth drawing.
FEWEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The sums of two readers at a visit, (subjects, 2), and whether the two have one class (True at baseline, which has none)."""

    readers: tuple[str, str]
    timepoint: int
    unit: str
    sums: Array
    alike: tuple[bool, ...]


def bland_altman_figures(reads: Reads) -> Iterator[Plan]:
    """A figure for every criterion, two readers and visit with enough pairs."""
    for criterion in reads.criteria:
        for pair in reads.pairs():
            for found in _pairs(reads, criterion, pair):
                title = f"{reads.settings[criterion].title}, {_visit(found.timepoint)}: {pair[0]} and {pair[1]}"
                yield Plan(
                    kind="bland_altman",
                    parts=("bland-altman", criterion, *pair, f"visit{found.timepoint}"),
                    title=title,
                    alt=f"{title}. {_said(found)}",
                    draw=partial(drawn, found, title),
                    criterion=criterion,
                )


def _said(found: Pairs) -> str:
    """The figure in a sentence."""
    limits = bland_altman(found.sums[:, 0], found.sums[:, 1], percent=False)
    bias, low, high = (f"{limits[name].value or 0:.1f}" for name in ("bias", "lower_limit", "upper_limit"))
    said = f"Bias {bias} {found.unit}, limits of agreement {low} to {high} {found.unit}, {len(found.sums)} subjects."
    return said.replace("-", "\N{MINUS SIGN}")


@in_house_style
def drawn(found: Pairs, title: str) -> Figure:
    """Difference of the two sums against their mean, with the bias and the limits of agreement (Bland and Altman 1986)."""
    figure, axes = new_figure(5.4, 3.9, title)
    mean, apart = found.sums.mean(axis=1), found.sums[:, 0] - found.sums[:, 1]
    alike = np.array(found.alike)
    same = "one class by both" if found.timepoint else "sums"
    for chosen, colour, marker, label in ((alike, ARMS[0], "o", same), (~alike, ARMS[1], "^", "another class")):
        if chosen.any():
            axes.scatter(
                mean[chosen], apart[chosen], s=16, color=colour, marker=marker, alpha=0.75, label=label, linewidths=0
            )
    for name, statistic in bland_altman(found.sums[:, 0], found.sums[:, 1], percent=False).items():
        value = statistic.value
        if value is not None:
            axes.axhline(value, color=DARK, linewidth=0.8, linestyle="-" if name == "bias" else (0, (4, 3)))
            text = f"{name.removesuffix('_limit')} {value:.1f}".replace("-", "\N{MINUS SIGN}")
            axes.text(1.01, value, text, transform=axes.get_yaxis_transform(), va="center", fontsize=8)
    axes.axhline(0, color=GREY, linewidth=0.5)
    first, second = found.readers
    axes.set(xlabel=f"mean of the two sums, {found.unit}", ylabel=f"{first} less {second}, {found.unit}")
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.14), "ncol": 2, "frameon": False}
    axes.legend(**below, fontsize=8, title=f"{len(mean)} subjects", title_fontsize=8)
    return figure


def _pairs(reads: Reads, criterion: str, pair: tuple[str, str]) -> Iterator[Pairs]:
    by_visit: dict[int, list[tuple[float, float, bool]]] = {}
    for subject in reads.subjects:
        tracks = reads.of(subject, criterion)
        if not all(reader in tracks for reader in pair):
            continue
        one, other = (tracks[reader].visits for reader in pair)
        for timepoint in sorted(one.keys() & other.keys()):
            a, b = one[timepoint], other[timepoint]
            if a.sum is not None and b.sum is not None:
                by_visit.setdefault(timepoint, []).append((float(a.sum), float(b.sum), a.overall is b.overall))
    for timepoint, found in sorted(by_visit.items()):
        if len(found) >= FEWEST:
            yield Pairs(
                readers=pair,
                timepoint=timepoint,
                unit=reads.settings[criterion].criterion.unit,
                sums=np.array([row[:2] for row in found]),
                alike=tuple(row[2] for row in found),
            )


def _visit(timepoint: int) -> str:
    return "baseline" if timepoint == 0 else f"time point {timepoint}"
