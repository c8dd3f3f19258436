"""Mask and geometry in, diameters and volumes out. No image values, no DICOM, no criteria.

The package can be called: ``mrecist.measure(labels, geometry)`` is :func:`mrecist.measure.volume.measure`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    """A package of the same name as its main function; importing any part of it would hide a plain function."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        from mrecist.measure.volume import measure

        return measure(*args, **options)


sys.modules[__name__].__class__ = _Callable
