"""The tables of the store as they are now (docs/core-lab.md). Rows are inserted and never changed.

Every table but ``audit`` has ``id``, ``at`` (ISO 8601, UTC), ``who`` and ``replaces`` (the id of the row that it corrects).
``subject`` and ``reader`` stand in every row that belongs to a read, so that a database can keep readers apart.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from mrecist.tables import MEASUREMENT_COLUMNS

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table

OWN = ("id", "at", "who", "replaces")
# What a row of measurements.csv says; whose it is stands in the read.
MEASURED = tuple(name for name in MEASUREMENT_COLUMNS if name not in ("subject", "timepoint", "reader", "date"))

FIELDS: dict[str, tuple[str, ...]] = {
    "migration": ("number", "name", "software"),
    "protocol": ("sha256", "text"),
    "role": ("person", "role", "state"),
    "visit": ("subject", "timepoint", "date", "last_date"),
    "assignment": ("subject", "subject_key", "reader", "part", "place", "seed"),
    "read": ("subject", "reader", "timepoint", "version", "protocol_sha256", "source", "comment"),
    "measurement": ("read_id", "subject", "reader", "timepoint", "position", "date", *MEASURED),
    "mask": ("read_id", "subject", "reader", "timepoint", "name", "sha256", "size"),
    "lock": ("read_id", "subject", "reader", "timepoint", "state", "role", "reason"),
    "signature": ("subject", "reader", "timepoint", "name", "meaning", "covers", "covers_sha256"),
    "amendment": ("read_id", "amended_read_id", "subject", "reader", "timepoint", "reason"),
    "pick": ("subject", "criterion", "variable", "timepoint", "reader", "value", "reason"),
}
"""Table -> its own columns, in the order of the documentation. ``pick``: whose answer to a variable an adjudicator accepted."""

AUDIT = ("seq", "entry", "prev_hash", "hash")
NUMBERS = frozenset({"number", "timepoint", "place", "version", "position", "size", "seq"})
READERS_OWN = ("assignment", "read", "measurement", "mask", "lock", "signature", "amendment")
"""Tables whose rows belong to one reader."""


@cache
def metadata() -> MetaData:
    """The tables for SQLAlchemy; migrations, not this, make them."""
    from sqlalchemy import BigInteger, Column, MetaData, Table, Text

    def column(name: str) -> Column[object]:
        return Column(name, BigInteger if name in NUMBERS else Text, primary_key=name in ("id", "seq"))

    found = MetaData()
    for name, own in FIELDS.items():
        Table(name, found, *(column(each) for each in (*OWN, *own)))
    Table("audit", found, *(column(each) for each in AUDIT))
    return found


def table(name: str) -> Table:
    """One table by its name."""
    return metadata().tables[name]
