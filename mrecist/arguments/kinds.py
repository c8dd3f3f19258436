"""What an argument may be; a wrong one is told in one line."""

from __future__ import annotations

import argparse
from datetime import date

from mrecist.dates import parse_date


def workers(text: str) -> int:
    """A number of processes."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of processes (1 or more)")
    return int(text)


def timepoint(text: str) -> int:
    """A whole number of 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is not a time point (0 = baseline, 1, 2, ...)")
    return int(text)


def not_negative(text: str) -> float:
    """Millimetres, 0 or more."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of millimetres (0 or more)")
    return value


def repeats(text: str) -> int:
    """How often outlines are drawn again."""
    if not text.isdecimal() or not 5 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of repeats (5 to 1000)")
    return int(text)


def percent(text: str) -> str:
    """A standard deviation in %, as it was written."""
    try:
        fine = 0 <= float(text) <= 100
    except ValueError:
        fine = False
    if not fine:
        raise argparse.ArgumentTypeError(f"'{text}' is not a standard deviation in % (0 to 100)")
    return text


def dense_hu(text: str) -> float:
    """0, or a density in HU."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if value != 0 and not 150 <= value <= 3000:
        raise argparse.ArgumentTypeError(f"'{text}' is not 0 or a density in HU (150 to 3000)")
    return value


def seconds(text: str) -> float:
    """Seconds above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above 0")
    return value


def settle(text: str) -> float:
    """Seconds, 0 or more."""
    return 0.0 if text == "0" else seconds(text)


def step(text: str) -> str:
    """A step in mm above 0, as it was written."""
    if not_negative(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a step above 0 mm")
    return text


def day(text: str) -> date:
    """A day, ISO 8601."""
    try:
        return parse_date(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def listener(text: str) -> tuple[str, int]:
    """An address and a port."""
    address, _, port = text.rpartition(":")
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port, or ADDRESS:PORT")
    return address.strip("[]") or "127.0.0.1", int(port)


def seed(text: str) -> int:
    """The start of random numbers."""
    if not (text.isascii() and text.isdecimal()) or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"'{text}' is not a seed (0 to {2**32 - 1})")
    return int(text)


def subjects(text: str) -> int:
    """A number of simulated subjects."""
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= 99_999:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of subjects (1 to 99999)")
    return int(text)


def days(text: str) -> int:
    """Days, 0 or more."""
    if not (text.isascii() and text.isdecimal()) or int(text) > 99_999:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of days (0 or more)")
    return int(text)


def resamples(text: str) -> int:
    """A number of resamples of a bootstrap; 0: none."""
    if not (text.isascii() and text.isdecimal()) or not (int(text) == 0 or 100 <= int(text) <= 10_000):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of resamples (0, or 100 to 10000)")
    return int(text)
