"""Link identifiers of lesions: role, number, fragment (``T01``, ``NT02``, ``NEW01``, ``T04.1``), one for each lesion of a read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mrecist.model import Measurement, Role, State

_START = {Role.TARGET: "T", Role.NON_TARGET: "NT", Role.NEW: "NEW"}


def first_rows(rows: Sequence[Measurement]) -> dict[str, Measurement]:
    """Lesion -> its first row, in the order in which the lesions came up."""
    found: dict[str, Measurement] = {}
    for row in sorted(rows, key=lambda r: (r.timepoint, r.lesion)):
        found.setdefault(row.lesion, row)
    return found


def wholes(rows: Sequence[Measurement]) -> dict[str, str]:
    """Fragment -> the lesion that it split from; what a merged lesion names is where it went, not where it came from."""
    known = {row.lesion for row in rows}
    return {row.lesion: row.part_of for row in rows if row.part_of in known and row.state is not State.MERGED}


def link_ids(rows: Sequence[Measurement]) -> dict[str, str]:
    """Lesion -> link identifier, without the reader.

    A lesion that is already called so (T01, in any capitals) keeps its name; others are numbered in the order in which they came up, so a
    later visit changes nothing. A fragment is its lesion's identifier with a number behind a point.
    """
    first, whole_of = first_rows(rows), wholes(rows)
    links: dict[str, str] = {}
    own = [lesion for lesion in first if lesion not in whole_of]
    for lesion in own:
        name = lesion.strip().upper()
        if re.fullmatch(rf"{_START[first[lesion].role]}\d{{1,3}}", name) and name not in links.values():
            links[lesion] = name
    for lesion in own:
        if lesion not in links:
            links[lesion] = _next(_START[first[lesion].role], links)
    for lesion in first:
        if lesion in whole_of:
            _name_fragment(lesion, whole_of, links)
    return links


def _next(start: str, links: dict[str, str]) -> str:
    taken = set(links.values())
    return next(name for n in range(1, 1000) if (name := f"{start}{n:02d}") not in taken)


def _name_fragment(lesion: str, whole_of: dict[str, str], links: dict[str, str]) -> None:
    if lesion in links:
        return
    whole = whole_of[lesion]
    if whole in whole_of:
        _name_fragment(whole, whole_of, links)
    before = f"{links[whole]}."
    number = 1 + sum(one.startswith(before) and "." not in one.removeprefix(before) for one in links.values())
    links[lesion] = f"{before}{number}"
