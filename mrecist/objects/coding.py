"""Codes in the form that highdicom takes."""

from __future__ import annotations

from typing import Any

from mrecist.imaging.segments import Code


def coded(code: Code) -> Any:
    """A code as highdicom takes it."""
    import highdicom as hd

    return hd.sr.CodedConcept(value=code.value, scheme_designator=code.scheme, meaning=code.meaning)
