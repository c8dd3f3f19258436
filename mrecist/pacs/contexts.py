"""Presentation contexts (PS3.8 7.1.1.13): which SOP classes are asked for in which transfer syntaxes. No connection here.

One context for each pair of class and syntax, so that the other side can choose the syntax that the data are stored in; an
association holds 128 contexts at most (odd identifiers from 1 to 255).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MOST_CONTEXTS = 128
_IMAGE = "1.2.840.10008.5.1.4.1.1"
# Modality -> SOP classes that a series of it may hold, when the server does not say which it does.
CLASSES_OF: dict[str, tuple[str, ...]] = {
    "CT": (f"{_IMAGE}.2", f"{_IMAGE}.2.1", f"{_IMAGE}.2.2"),
    "MR": (f"{_IMAGE}.4", f"{_IMAGE}.4.1", f"{_IMAGE}.4.4"),
    "SEG": (f"{_IMAGE}.66.4", f"{_IMAGE}.66.7"),
    # Basic, Enhanced, Comprehensive, Comprehensive 3D, Extensible SR, Key Object Selection
    "SR": tuple(f"{_IMAGE}.88.{end}" for end in (11, 22, 33, 34, 35, 59)),
    "RTSTRUCT": (f"{_IMAGE}.481.3",),
    "PT": (f"{_IMAGE}.128", f"{_IMAGE}.130"),
}
SECONDARY_CAPTURE = (f"{_IMAGE}.7",)
# Explicit and implicit little endian, deflated, RLE, JPEG (8, 12 bit), lossless, LS, LS near, 2000 (lossless, lossy), HTJ2K (3).
SYNTAXES = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.4.203",
)


def classes_of(modality: str, listed: Iterable[str]) -> tuple[str, ...]:
    """SOP classes to be able to receive: those the server listed, else those of the modality and secondary capture."""
    known = tuple(dict.fromkeys(uid for uid in listed if uid))
    return known or (*CLASSES_OF.get(modality, sum(CLASSES_OF.values(), ())), *SECONDARY_CAPTURE)


def to_receive(classes: Sequence[str], room: int) -> list[tuple[str, tuple[str, ...]]]:
    """(class, syntaxes) of at most ``room`` contexts: one a syntax where they fit, else all syntaxes of a class in one."""
    if len(classes) * len(SYNTAXES) <= room:
        return [(uid, (syntax,)) for uid in classes for syntax in SYNTAXES]
    return [(uid, SYNTAXES) for uid in classes[:room]]


def to_send(pairs: Iterable[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Distinct (class, syntax) in groups that fit an association each."""
    once = sorted(set(pairs))
    return [once[start : start + MOST_CONTEXTS] for start in range(0, len(once), MOST_CONTEXTS)]
