"""The exception tree.

::

    MrecistError                 anything this package refuses, with one line for a person
    ├── InputError               a file, table or argument that cannot be used
    │   ├── SeriesError          DICOM that cannot make a right volume (gap, mixed stack, tilt, truncated, ...)
    │   ├── MaskError            a segmentation that does not fit its images or itself
    │   └── ProtocolError        a protocol file with an unknown key or an impossible value
    ├── ReadError                a read that contradicts itself (no baseline, dates out of order, two rows for a lesion)
    └── StoreError               a store of reads that cannot do what was asked
        ├── Locked               a visit that is locked, or whose earlier visits are not
        └── NotSigned            a read that is not signed, or whose signature no longer holds

A message says what, where, the two values, and what to do.
"""

from __future__ import annotations

import re

# C0 and C1 controls (an escape sequence drives a terminal), line separators, marks that turn the direction of writing, and
# the lone surrogates by which Python holds file names that are not UTF-8.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str, *, most: int | None = None) -> str:
    """One line that is safe on a terminal: what is unprintable is escaped as in JSON; cut after ``most`` characters.

    Patient IDs, descriptions and file names come from whoever made the files.

    >>> print(printable("P1" + chr(27) + "[2J"))
    P1\\u001b[2J
    """
    line = _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return line if most is None or len(line) <= most else f"{line[:most]}..."


class MrecistError(Exception):
    """Base of every error that this package raises on purpose; ``str(error)`` is the one line for the user.

    A message may quote what a file holds, so it is made printable here.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class InputError(MrecistError):
    """A file, table or argument that cannot be used."""


class SeriesError(InputError):
    """DICOM that cannot make a right volume."""


class MaskError(InputError):
    """A segmentation that does not fit its images, or contradicts itself."""


class ProtocolError(InputError):
    """A protocol file with an unknown key or an impossible value."""


class ReadError(MrecistError):
    """A read that contradicts itself."""


class StoreError(MrecistError):
    """A store of reads that cannot be opened or written, or does not allow what was asked."""


class Locked(StoreError):  # noqa: N818 - the word that readers use
    """A visit that is locked, or that comes after one that is not locked yet."""


class NotSigned(StoreError):  # noqa: N818 - the word that readers use
    """A read that is not signed, or whose signature no longer holds. ``what`` says it without the subject and the reader."""

    def __init__(self, message: str, what: str = "") -> None:
        super().__init__(message)
        self.what = what or message
