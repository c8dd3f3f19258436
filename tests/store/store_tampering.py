"""A store with rows in every table, and what someone can do to it behind the program."""

from __future__ import annotations

from sqlalchemy import Connection, text
from store_study import Begun

from mrecist.store.locking import unlock
from mrecist.store.signing import sign
from mrecist.store.store import Store
from mrecist.store.submitting import amend


def full(study: Begun) -> Store:
    """A store with rows in every table, those of later work too."""
    study.read_all("S1", "A")
    amend(study.store, study.given(mm="50", mask="n"), "global review")
    sign(study.store, "S1", "A", "Dr A", "review completed")
    unlock(study.store, "S1", "A", 2, by="boss", role="manager", reason="wrong series")
    with study.store.writing("C", "closer to the image") as write:
        write.add("pick", "read picked", subject="S1", variable="read", reader="A", reason="closer to the image")
    return study.store


def disarm(connection: Connection) -> None:
    """What someone can do who owns the database: the triggers are no hindrance, in this transaction."""
    if connection.dialect.name == "sqlite":
        for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text("PRAGMA defer_foreign_keys=ON"))
    else:
        connection.execute(text("SET LOCAL session_replication_role = replica"))


def by_force(store: Store, *statements: str) -> None:
    with store.engine.connect().execution_options(writes=True) as connection, connection.begin():
        disarm(connection)
        for statement in statements:
            connection.execute(text(statement))


def last_of(store: Store, name: str) -> str:
    with store.reading() as read:
        return str(read.rows(name)[-1]["id"])
