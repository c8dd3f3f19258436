"""The exception tree.

::

    MrecistError                 anything this package refuses, with one line for a person
    ├── InputError               a file, table or argument that cannot be used
    │   ├── SeriesError          DICOM that cannot make a right volume (gap, mixed stack, tilt, truncated, ...)
    │   ├── MaskError            a segmentation that does not fit its images or itself
    │   └── ProtocolError        a protocol file with an unknown key or an impossible value
    └── ReadError                a read that contradicts itself (no baseline, dates out of order, two rows for a lesion)

A message says what, where, the two values, and what to do.
"""

from __future__ import annotations


class MrecistError(Exception):
    """Base of every error that this package raises on purpose; ``str(error)`` is the one line for the user."""


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
