"""The optional extra ``network``: said in one line when it is absent."""

from __future__ import annotations

from importlib import util

from mrecist.errors import InputError

LIBRARIES = {"dicomweb_client": "dicomweb-client", "pynetdicom": "pynetdicom"}


def require(module: str) -> None:
    """Raise :class:`InputError` when a library of the extra is not installed."""
    if util.find_spec(module) is None:
        raise InputError(
            f"{LIBRARIES[module]} is not installed; fetch and send need the extra: pip install 'mrecist[network]'"
        )
