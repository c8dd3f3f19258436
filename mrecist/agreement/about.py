"""What a statistic is of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mrecist.agreement.reads import Reads


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


def subgroups(reads: Reads, groups: Mapping[str, Mapping[str, str]]) -> list[tuple[str, Callable[[str], bool]]]:
    """(name, who is in it): everybody first, then every value of every column."""
    found: list[tuple[str, Callable[[str], bool]]] = [("", set(reads.subjects).__contains__)]
    for column, values in groups.items():
        for value in sorted(set(values.values())):
            members = {subject for subject, of_subject in values.items() if of_subject == value}
            found.append((f"{column}={value or '(empty)'}", members.__contains__))
    return found
