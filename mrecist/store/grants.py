"""Database logins with the least rights, for a store that readers share on PostgreSQL.

A reader's login is called as the reader is in the store. It sees and adds rows of its own reads only (row-level security), adds
entries to the audit trail only through ``append_audit``, which refuses any other account, and reads no trail.
"""

from __future__ import annotations

from collections.abc import Iterator

from mrecist.errors import StoreError
from mrecist.store.assigning import ADJUDICATOR
from mrecist.store.people import ROLES, holders
from mrecist.store.schema import FIELDS, READERS_OWN
from mrecist.store.store import Reading, Store

GROUPS = {role: f"mrecist_{role}" for role in ROLES}
"""Role in the store -> group of logins in the database."""
# What each group may add to; everyone who adds rows may run append_audit.
_READER_ADDS = ("read", "measurement", "mask", "lock", "signature", "amendment")
_ADDS = {
    "reader": _READER_ADDS,
    "investigator": _READER_ADDS,
    "adjudicator": (*_READER_ADDS, "pick"),
    "manager": ("protocol", "role", "visit", "assignment", "lock"),
    "auditor": (),
}
_SEES_OWN = ("reader", "investigator")


def grants(read: Reading, schema: str) -> tuple[str, ...]:
    """The statements, in their order; running them twice does no harm."""
    return (*_groups(), *_rights(schema), *_policies(schema), *_pick_policies(_name(schema)), *_members(read))


def run_grants(store: Store) -> tuple[str, ...]:
    """Run the statements in one transaction; raises :class:`StoreError` where the store is in an SQLite file."""
    from sqlalchemy import text

    said = grants_of(store)
    with store.writing("mrecist") as write:
        for statement in said:
            write.connection.execute(text(statement.replace(":", "\\:")))
    return said


def grants_of(store: Store) -> tuple[str, ...]:
    """The statements for a store; raises :class:`StoreError` where it is an SQLite file, which knows no logins."""
    if store.place.path:
        raise StoreError(f"{store.place.name}: an SQLite file knows no logins; protect it by the rights of its folder")
    with store.reading() as read:
        schema = read.connection.exec_driver_sql("SELECT current_schema()").scalar_one()
        return grants(read, str(schema))


def _groups() -> Iterator[str]:
    for group in GROUPS.values():
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{group}') THEN "
            f"CREATE ROLE {group} NOLOGIN; END IF; END $$"
        )


def _rights(schema: str) -> Iterator[str]:
    place = _name(schema)
    yield f"REVOKE CREATE ON SCHEMA {place} FROM PUBLIC"
    for role, group in GROUPS.items():
        yield f"GRANT USAGE ON SCHEMA {place} TO {group}"
        yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {place} FROM {group}"
        tables = [name for name in FIELDS if name != "pick" or role not in _SEES_OWN]
        yield f"GRANT SELECT ON {_listed(place, tables)} TO {group}"
        if _ADDS[role]:
            yield f"GRANT INSERT ON {_listed(place, _ADDS[role])} TO {group}"
            yield f"GRANT EXECUTE ON FUNCTION {place}.append_audit(text) TO {group}"
    yield f"GRANT SELECT ON {place}.audit TO {GROUPS['auditor']}"


def _policies(schema: str) -> Iterator[str]:
    place = _name(schema)
    for name in READERS_OWN:
        yield f"ALTER TABLE {place}.{name} ENABLE ROW LEVEL SECURITY"
        for role, group in GROUPS.items():
            seen = "reader = session_user" if role in _SEES_OWN else "true"
            # Nobody adds to another's reads, and only a manager, who assigns, unlocks.
            added = "who = session_user" if role == "manager" else "who = session_user AND reader = session_user"
            if name == "lock" and role != "manager":
                added += " AND state = 'locked'"
            yield f"DROP POLICY IF EXISTS {role}_sees ON {place}.{name}"
            yield f"CREATE POLICY {role}_sees ON {place}.{name} FOR SELECT TO {group} USING ({seen})"
            yield f"DROP POLICY IF EXISTS {role}_adds ON {place}.{name}"
            yield f"CREATE POLICY {role}_adds ON {place}.{name} FOR INSERT TO {group} WITH CHECK ({added})"


def _pick_policies(place: str) -> Iterator[str]:
    """An adjudicator picks in the cases that were assigned to that login, and in no other's name."""
    own = (
        f"EXISTS (SELECT FROM {place}.assignment a WHERE a.subject = pick.subject AND a.reader = session_user "
        f"AND a.part = '{ADJUDICATOR}' AND NOT EXISTS (SELECT FROM {place}.assignment b WHERE b.replaces = a.id))"
    )
    yield f"ALTER TABLE {place}.pick ENABLE ROW LEVEL SECURITY"
    for role, group in GROUPS.items():
        if role not in _SEES_OWN:
            yield f"DROP POLICY IF EXISTS {role}_sees ON {place}.pick"
            yield f"CREATE POLICY {role}_sees ON {place}.pick FOR SELECT TO {group} USING (true)"
    yield f"DROP POLICY IF EXISTS adjudicator_adds ON {place}.pick"
    yield (
        f"CREATE POLICY adjudicator_adds ON {place}.pick FOR INSERT TO {GROUPS[ADJUDICATOR]} "
        f"WITH CHECK (who = session_user AND {own})"
    )


def _members(read: Reading) -> Iterator[str]:
    """Logins that exist become members of their groups, and leave those of roles that were withdrawn."""
    known = {row["person"] for row in read.rows("role")}
    for person in sorted(known):
        for role, group in GROUPS.items():
            step = f"GRANT {group} TO" if person in holders(read, role) else f"REVOKE {group} FROM"
            yield (
                f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = {_text(person)}) THEN "
                f"EXECUTE {_text(f'{step} {_name(person)}')}; END IF; END $$"
            )


def _listed(place: str, tables: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"{place}.{name}" for name in tables)


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _text(text: str) -> str:
    if "$" in text or "\\" in text:
        raise StoreError(f"'{text}': a person with such a name gets no login; grant the group by hand")
    return "'" + text.replace("'", "''") + "'"
