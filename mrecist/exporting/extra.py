"""The optional extra ``exports``: its libraries, or one line when one is absent."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from mrecist.errors import InputError

_PACKAGES = {
    "lxml": "lxml",
    "defineutils": "defineutils",
    "odmlib": "odmlib",
    "redcap": "PyCap",
    "requests": "PyCap",
}


def library(name: str) -> ModuleType:
    """A module of the extra, such as ``lxml.etree``; raises :class:`InputError` when it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = _PACKAGES[name.partition(".")[0]]
        if error.name is None or error.name.partition(".")[0] != name.partition(".")[0]:
            raise
        raise InputError(
            f"{package} is not installed; this export needs the extra: pip install 'mrecist[exports]'"
        ) from None
