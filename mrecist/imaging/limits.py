"""How much one series may take: bytes of a volume, bytes and seconds of a decoder. Checked before anything is allocated.

A header is a claim: 65535 x 65535 x 1000 costs twelve bytes to write and eight terabytes to believe.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass

from mrecist.errors import InputError, SeriesError

MAX_SERIES_GIB = "MRECIST_MAX_SERIES_GIB"
DECODER_MEMORY_MIB = "MRECIST_DECODER_MEMORY_MIB"
DECODER_SECONDS = "MRECIST_DECODER_SECONDS"
DEFAULTS = {MAX_SERIES_GIB: 8.0, DECODER_MEMORY_MIB: 2048.0, DECODER_SECONDS: 60.0}
"""8 GiB is 8000 slices of 512 x 512; a CT frame takes 0.01 to 0.1 s and some MiB to decode, and a
machine may be busy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderLimits:
    """What one decoder process may take: address space in MiB, and seconds of wall-clock time a frame."""

    memory_mib: float
    seconds: float


def decoder_limits() -> DecoderLimits:
    """The limits of decoder processes; raises InputError when an environment variable holds no positive number."""
    return DecoderLimits(memory_mib=_setting(DECODER_MEMORY_MIB), seconds=_setting(DECODER_SECONDS))


def check_size(what: str, shape: Sequence[int], bytes_each: float, error: type[InputError] = SeriesError) -> None:
    """Refuse an array of ``shape`` voxels of ``bytes_each`` bytes that is beyond ``MRECIST_MAX_SERIES_GIB``."""
    limit, needed = _setting(MAX_SERIES_GIB), math.prod(shape) * bytes_each / 2**30
    if needed > limit:
        text = " x ".join(str(n) for n in shape)
        raise error(
            f"{what}: {text} voxels need {needed:.1f} GiB, more than the limit of {limit:g} GiB; "
            f"if the header is right, raise {MAX_SERIES_GIB}"
        )


def _setting(name: str) -> float:
    text = os.environ.get(name, "").strip()
    if not text:
        return DEFAULTS[name]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise InputError(f"environment variable {name} is '{text}'; it must be a positive number")
    return value
