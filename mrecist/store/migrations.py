"""Numbered changes of the tables, each in one transaction with its own record. A migration that was released never changes.

A column that a later migration adds is empty in the rows of before; empty columns are in no hash, so old rows keep theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step: its number, what it does, and the statements for a database ("sqlite", "postgresql")."""

    number: int
    name: str
    statements: Callable[[str], Iterator[str]]


# Tables of version 1; a column is TEXT unless it is in _NUMBERS_1.
_TABLES_1 = {
    "migration": "number name software",
    "protocol": "sha256 text",
    "role": "person role state",
    "visit": "subject timepoint date",
    "assignment": "subject subject_key reader part place seed",
    "read": "subject reader timepoint version protocol_sha256 source comment",
    "measurement": "read_id subject reader timepoint position date lesion role kind organ station state longest_mm short_mm "
    "viable_mm viable_short_mm volume_mm3 viable_volume_mm3 mean_hu dense_percent viable_foci_mm manual basis part_of "
    "pattern change intratumoral_nodule local_therapy progressed_since imaged_at_baseline lipiodol cytology lirads_tr "
    "lirads_version modality phase slice_thickness_mm comment",
    "mask": "read_id subject reader timepoint name sha256 size",
    "lock": "read_id subject reader timepoint state role reason",
    "signature": "subject reader timepoint name meaning covers covers_sha256",
    "amendment": "read_id amended_read_id subject reader timepoint reason",
    "pick": "subject criterion variable timepoint reader value reason",
}
_NUMBERS_1 = frozenset(("number", "timepoint", "version", "position", "place", "size"))

# Only this function writes the trail: it gives the number and the hashes, and no login writes an entry of another account.
# It runs with the rights of the tables' owner, so readers need none on the trail.
_APPEND_1 = """
CREATE FUNCTION append_audit(entry text) RETURNS TABLE (seq bigint, hash text)
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
  n bigint; before text; made text;
BEGIN
  IF (entry::json ->> 'account') IS DISTINCT FROM session_user THEN
    RAISE EXCEPTION 'the entry is of account %, and the login is %', entry::json ->> 'account', session_user;
  END IF;
  PERFORM pg_advisory_xact_lock(7305467171);
  SELECT a.seq, a.hash INTO n, before FROM audit a ORDER BY a.seq DESC LIMIT 1;
  n := coalesce(n, 0) + 1;
  before := coalesce(before, repeat('0', 64));
  made := encode(sha256(convert_to(n || E'\\n' || before || E'\\n' || entry, 'UTF8')), 'hex');
  INSERT INTO audit (seq, entry, prev_hash, hash) VALUES (n, entry, before, made);
  RETURN QUERY SELECT n, made;
END $$
"""
# Without a fixed path a login could put a table of its own in the way of the trail.
_PATH_1 = """
DO $$ BEGIN
  EXECUTE format('ALTER FUNCTION append_audit(text) SET search_path = %I, pg_temp', current_schema());
END $$
"""
_REFUSE_1 = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'rows of the store are never changed or deleted'; END $$
"""


def _version_1(dialect: str) -> Iterator[str]:
    for name, columns in _TABLES_1.items():
        own = ", ".join(f"{c} {'BIGINT' if c in _NUMBERS_1 else 'TEXT'}" for c in columns.split())
        yield (
            f"CREATE TABLE {name} (id TEXT PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, replaces TEXT UNIQUE "
            f"REFERENCES {name} (id), {own})"
        )
    yield (
        "CREATE TABLE audit (seq BIGINT PRIMARY KEY, entry TEXT NOT NULL, prev_hash TEXT NOT NULL UNIQUE, "
        "hash TEXT NOT NULL UNIQUE)"
    )
    for name, columns in (("measurement", "read_id"), ("mask", "read_id"), ("visit", "subject"), ("pick", "subject")):
        yield f"CREATE INDEX {name}_by ON {name} ({columns})"
    for name in ("assignment", "read", "lock", "signature"):
        yield f"CREATE INDEX {name}_by ON {name} (reader, subject)"
    if dialect == "postgresql":
        yield _APPEND_1
        yield _PATH_1
        yield "REVOKE EXECUTE ON FUNCTION append_audit(text) FROM PUBLIC"
        yield _REFUSE_1
    for name in (*_TABLES_1, "audit"):
        if dialect == "postgresql":
            change = f"BEFORE UPDATE OR DELETE OR TRUNCATE ON {name}"
            yield f"CREATE TRIGGER {name}_stays {change} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        else:
            for change in ("UPDATE", "DELETE"):
                yield (
                    f"CREATE TRIGGER {name}_no_{change.lower()} BEFORE {change} ON {name} BEGIN "
                    f"SELECT RAISE(ABORT, 'rows of the store are never changed or deleted'); END"
                )


def _version_2(_: str) -> Iterator[str]:
    yield "ALTER TABLE visit ADD COLUMN last_date TEXT"


MIGRATIONS = (
    Migration(number=1, name="the first tables", statements=_version_1),
    Migration(number=2, name="visits of several days", statements=_version_2),
)


def build(connection: Connection, migration: Migration) -> None:
    """Run the statements of a migration in the transaction of the caller."""
    from sqlalchemy import text

    for statement in migration.statements(connection.dialect.name):
        connection.execute(text(statement))
