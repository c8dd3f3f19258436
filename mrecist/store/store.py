"""An open store: rows are read, and added together with their entries of the audit trail, in one transaction or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mrecist
from mrecist.errors import StoreError
from mrecist.store.kept_files import KeptFiles
from mrecist.store.migrations import MIGRATIONS, Migration, build
from mrecist.store.place import Place, account, engine_of, one_writer, place_of
from mrecist.store.schema import FIELDS, table
from mrecist.store.server import answered, message
from mrecist.store.trail import GENESIS, Anchor, Entry, Row, canonical, link

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select


class Reading:
    """The rows of a store as one moment of it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def rows(self, name: str, /, **equal: Any) -> list[Row]:
        """Rows of a table in the order of their writing, without what is empty; ``equal`` are columns and their values."""
        return self._found(_asked(name, tuple(equal), newest=False), equal)

    def current(self, name: str, /, **equal: Any) -> list[Row]:
        """The rows that no other row replaces."""
        return self._found(_asked(name, tuple(equal), newest=True), equal)

    def _found(self, query: Select[Any], values: Mapping[str, Any]) -> list[Row]:
        found = self.connection.execute(query, values).mappings()
        return [{str(key): value for key, value in row.items() if value is not None} for row in found]

    def entries(self) -> Iterator[Entry]:
        """The audit trail."""
        for row in self.rows("audit"):
            yield Entry(seq=row["seq"], entry=row["entry"], prev_hash=row["prev_hash"], hash=row["hash"])

    def protocol(self) -> Row:
        """The protocol in force; raises :class:`StoreError` before ``init``."""
        found = self.current("protocol")
        if len(found) != 1:
            raise StoreError("the store has no protocol yet; begin it with: mrecist reads init")
        return found[0]


class Loaded(Reading):
    """The same, for whoever looks at everything: each table is fetched once, and answers come from what was fetched."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._tables: dict[str, list[Row]] = {}
        self._by: dict[tuple[str, str], dict[Any, list[Row]]] = {}

    def rows(self, name: str, /, **equal: Any) -> list[Row]:
        if name not in self._tables:
            self._tables[name] = super().rows(name)
        column = next((one for one in ("read_id", "subject", "reader", "sha256") if one in equal), "")
        found = self._indexed(name, column).get(equal[column], []) if column else self._tables[name]
        return [row for row in found if all(row.get(key) == value for key, value in equal.items())]

    def current(self, name: str, /, **equal: Any) -> list[Row]:
        found = self.rows(name, **equal)
        replaced = self._indexed(name, "replaces")
        return [row for row in found if row["id"] not in replaced]

    def _indexed(self, name: str, column: str) -> dict[Any, list[Row]]:
        if (name, column) not in self._by:
            by = self._by.setdefault((name, column), {})
            for row in self._tables[name]:
                by.setdefault(row.get(column), []).append(row)
        return self._by[name, column]


class Writing(Reading):
    """A transaction that adds rows. ``who`` is the person, ``why`` the reason that stands beside every row."""

    def __init__(self, connection: Connection, who: str, why: str, protocol_sha256: str) -> None:
        super().__init__(connection)
        self.who, self.why = plain(who, "who"), plain(why, "reason")
        self.protocol_sha256 = protocol_sha256
        self.anchor: Anchor | None = None
        self._account = account(connection)

    def add(self, name: str, what: str, /, *, replaces: Row | None = None, **values: Any) -> Row:
        """Add a row and its entry; ``what`` says in words what was done, ``replaces`` is the row that it corrects."""
        given = {key: value for key, value in values.items() if value is not None and value != ""}
        unknown = set(given) - set(FIELDS[name])
        if unknown:
            raise ValueError(f"{name} has no column {', '.join(sorted(unknown))}")
        row: Row = {"id": str(uuid.uuid4()), "at": utc_now(), "who": self.who, **given}
        if replaces is not None:
            row["replaces"] = replaces["id"]
        row = {key: plain(value, key) if isinstance(value, str) else value for key, value in row.items()}
        self.connection.execute(table(name).insert(), row)
        said = {
            "at": row["at"],
            "who": self.who,
            "account": self._account,
            "what": what,
            "table": name,
            "key": row["id"],
        }
        said |= {"to": row, "software": f"mrecist {mrecist.__version__}"}
        optional = {"from": replaces, "why": self.why, "protocol_sha256": self.protocol_sha256}
        self.anchor = self._append(canonical(said | {key: value for key, value in optional.items() if value}))
        return row

    def _append(self, entry: str) -> Anchor:
        if self.connection.dialect.name == "postgresql":
            from sqlalchemy import text

            made = self.connection.execute(text("SELECT seq, hash FROM append_audit(:entry)"), {"entry": entry}).one()
            return Anchor(count=made[0], hash=made[1])
        last = self.connection.execute(_last_entry()).first()
        seq, before = (last[0] + 1, last[1]) if last else (1, GENESIS)
        digest = link(seq, before, entry)
        row = {"seq": seq, "entry": entry, "prev_hash": before, "hash": digest}
        self.connection.execute(table("audit").insert(), row)
        return Anchor(count=seq, hash=digest)


class Store:
    """A store that is open. ``files`` keeps the files that its rows name."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.engine = engine_of(place)
        self.files = KeptFiles(place.files)

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Rows as they are now, the same until the end."""
        with self._connected(writes=False) as connection:
            yield Reading(connection)

    @contextmanager
    def loaded(self) -> Iterator[Reading]:
        """As :meth:`reading`, for whoever looks at everything."""
        with self._connected(writes=False) as connection:
            yield Loaded(connection)

    @contextmanager
    def writing(self, who: str, why: str = "") -> Iterator[Writing]:
        """Rows to add: all are there when this ends, and none when anything fails. Nobody else writes meanwhile."""
        with self._connected(writes=True) as connection:
            found = Reading(connection).current("protocol")
            yield Writing(connection, who, why, found[-1]["sha256"] if found else "")

    @contextmanager
    def _connected(self, *, writes: bool) -> Iterator[Connection]:
        with (
            said_by(self.place),
            self.engine.connect().execution_options(**self._options(writes)) as connection,
            connection.begin() as transaction,
        ):
            if writes:
                one_writer(connection)
            yield connection
            if writes:
                with _doubt(self.place):
                    transaction.commit()

    def _options(self, writes: bool) -> dict[str, Any]:
        # PostgreSQL: a reader sees one moment; a writer sees what was committed before it got its turn.
        level = {"isolation_level": "READ COMMITTED" if writes else "REPEATABLE READ"}
        return {"writes": writes} if self.place.path else {"writes": writes, **level}

    def version(self) -> int:
        """The number of the last migration; 0 for a database without a store."""
        with self._connected(writes=False) as connection:
            return _version(connection)

    def migrate(self, who: str, migrations: tuple[Migration, ...] = MIGRATIONS) -> tuple[Migration, ...]:
        """Bring the tables to what this program knows, each step in a transaction with its record; the steps that were run."""
        ran = []
        for step in (one for one in migrations if one.number > self.version()):
            with self._connected(writes=True) as connection:
                if _version(connection) >= step.number:
                    continue  # another program was quicker
                take(connection, step, who)
                ran.append(step)
        return tuple(ran)

    @contextmanager
    def empty(self) -> Iterator[Connection]:
        """A transaction on a database that holds no store, for one to be put in whole; raises :class:`StoreError`."""
        if self.version():
            raise StoreError(f"{self.place.name}: holds a store already; import into a place without one")
        with self._connected(writes=True) as connection:
            yield connection

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()


def take(connection: Connection, step: Migration, who: str) -> None:
    """Run a migration and record it, in the transaction of the caller."""
    build(connection, step)
    found = Reading(connection).current("protocol")
    write = Writing(connection, who, "", found[-1]["sha256"] if found else "")
    software = f"mrecist {mrecist.__version__}"
    write.add("migration", "store migrated", number=step.number, name=step.name, software=software)


@contextmanager
def open_store(where: str, files: Path | None = None) -> Iterator[Store]:
    """Open a store that is there, brought to the newest tables.

    Raises :class:`StoreError` when there is none, or a newer program wrote it.
    """
    place = place_of(where, files)
    if place.path and not place.path.is_file():
        raise StoreError(f"{place.name}: there is no store; begin one with: mrecist reads init")
    store = Store(place)
    try:
        found, known = store.version(), MIGRATIONS[-1].number
        if found == 0:
            raise StoreError(f"{place.name}: holds no store of reads; begin one with: mrecist reads init")
        if found > known:
            raise StoreError(
                f"{place.name}: has tables of version {found} and this program knows {known}; update mrecist"
            )
        if found < known:
            store.migrate("mrecist")
        yield store
    finally:
        store.close()


@contextmanager
def new_store(where: str, files: Path | None = None) -> Iterator[Store]:
    """A place for a store, which may be there already: ``begin`` and ``import_store`` look."""
    place = place_of(where, files)
    if place.path and not place.path.parent.is_dir():
        raise StoreError(f"{place.path.parent}: is no folder; a store is kept in the study folder")
    store = Store(place)
    try:
        yield store
    finally:
        store.close()


def _version(connection: Connection) -> int:
    from sqlalchemy import inspect

    if not inspect(connection).has_table("migration"):
        return 0
    return max((row["number"] for row in Reading(connection).rows("migration")), default=0)


@cache
def _asked(name: str, columns: tuple[str, ...], *, newest: bool) -> Select[Any]:
    """The query of rows by these columns, made once: making it costs more than its answer, and a step of the workflow asks dozens."""
    from sqlalchemy import bindparam, exists, select

    asked = table(name)
    query = select(asked).order_by(*([asked.c.seq] if name == "audit" else [asked.c.at, asked.c.id]))
    query = query.where(*(asked.c[column] == bindparam(column) for column in columns))
    if not newest:
        return query
    later = asked.alias()
    return query.where(~exists().where(later.c.replaces == asked.c.id))


@cache
def _last_entry() -> Select[Any]:
    """The query of the number and hash of the last entry of the trail."""
    from sqlalchemy import select

    audit = table("audit")
    return select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)


@contextmanager
def _doubt(place: Place) -> Iterator[None]:
    """A commit that got no answer may have been made or not."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (DBAPIError, OSError) as error:
        said = error.orig if isinstance(error, DBAPIError) else error
        if place.path or answered(said):
            raise
        raise StoreError(
            f"{place.name}: the connection was lost while this was written ({message(said)}); whether it is there is not known, "
            f"look with: mrecist reads status"
        ) from None


@contextmanager
def said_by(place: Place) -> Iterator[None]:
    """What a database says, as one line."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except DBAPIError as error:
        raise StoreError(f"{place.name}: {message(error.orig)}; nothing of this was written") from None
    except OverflowError:
        raise StoreError(
            f"{place.name}: a number is larger than a database keeps; nothing of this was written"
        ) from None
    except SQLAlchemyError as error:
        raise StoreError(f"{place.name}: {str(error).splitlines()[0]}; nothing of this was written") from None


def utc_now() -> str:
    """The time now, ISO 8601, UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def plain(text: str, name: str) -> str:
    """A text that every database and every JSON reader keeps as it is; raises :class:`StoreError`."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise StoreError(f"{name} holds characters that are no text (a broken file name?); give it anew") from None
    if "\0" in text:
        raise StoreError(f"{name} holds a zero byte, which no database keeps; give it anew")
    return text.strip()
