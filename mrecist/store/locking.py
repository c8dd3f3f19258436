"""Locks: a visit that is locked is read; the next one may be shown."""

from __future__ import annotations

from mrecist.errors import Locked, StoreError
from mrecist.store.assigning import assignment_of, own_case
from mrecist.store.people import needed, require
from mrecist.store.store import Store
from mrecist.store.submitting import check_turn, lock_of, read_of
from mrecist.store.trail import Row

MAY_UNLOCK = ("manager",)
"""Roles that unlock."""


def lock(store: Store, subject: str, reader: str, timepoint: int) -> Row:
    """Lock a visit as it was read.

    Raises :class:`Locked` when it is locked or an earlier one is not, :class:`StoreError` when nothing was read.
    """
    with store.writing(reader) as write:
        own = own_case(write, subject, reader)["subject"]
        check_turn(write, own, reader, timepoint)
        read = read_of(write, own, reader, timepoint)
        if read is None:
            raise StoreError(f"{subject} time point {timepoint} was not submitted yet; there is nothing to lock")
        if lock_of(write, own, reader, timepoint) is not None:
            raise Locked(f"{subject} time point {timepoint} is locked already")
        old = write.current("lock", subject=own, reader=reader, timepoint=timepoint)
        whose: Row = {"subject": own, "reader": reader, "timepoint": timepoint}
        replaced = old[0] if old else None
        return write.add("lock", "visit locked", replaces=replaced, read_id=read["id"], state="locked", **whose)


def unlock(store: Store, subject: str, reader: str, timepoint: int, *, by: str, role: str, reason: str) -> Row:
    """Open a locked visit again: only a role that may, only with a reason. Later visits stay as they are."""
    with store.writing(by, needed(reason)) as write:
        if role not in MAY_UNLOCK:
            raise StoreError(f"a {role} unlocks nothing; roles that may: {', '.join(MAY_UNLOCK)}")
        require(write, by, role)
        own = assignment_of(write, subject, reader)["subject"]
        old = lock_of(write, own, reader, timepoint)
        if old is None:
            raise StoreError(f"{subject} time point {timepoint} of {reader} is not locked; there is nothing to unlock")
        whose: Row = {"subject": own, "reader": reader, "timepoint": timepoint, "read_id": old["read_id"]}
        return write.add(
            "lock", "visit unlocked", replaces=old, state="unlocked", role=role, reason=reason.strip(), **whose
        )
