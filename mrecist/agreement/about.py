"""What a statistic is of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a statistic is of. ``group``: empty for everybody, ``visit=1``, ``COLUMN=value``; several with ; between them."""

    criterion: str
    variable: str
    group: str = ""
    readers: tuple[str, ...] = ()


def group_named(*parts: str) -> str:
    """Several groups as one: everybody ("") adds nothing."""
    return ";".join(filter(None, parts))
