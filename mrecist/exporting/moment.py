"""When an ODM or Define-XML file says that it was made: by what it holds, so the same input gives the same bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from mrecist.errors import InputError

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def created_at(asked: str, days: Iterable[str]) -> str:
    """CreationDateTime: what was ``asked`` (ISO 8601, or ``now``), else midnight of the latest of ``days``.

    Raises :class:`InputError` for what is no date and time, and when there is no day.
    """
    if asked == "now":
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if asked:
        try:
            if not _MOMENT.fullmatch(asked):
                raise ValueError
            datetime.fromisoformat(asked)
        except ValueError:
            raise InputError(f"'{asked}' is no date and time; write 2024-03-06T12:00:00Z, or now") from None
        return asked
    whole = [text for text in days if _DAY.fullmatch(text)]
    if not whole:
        raise InputError(
            "the results hold no date, so the file's CreationDateTime is not known; give it with --created"
        )
    return f"{max(whole)}T00:00:00Z"
