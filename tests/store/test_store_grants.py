"""Database logins of readers, on a real server: what they can do, and what the database refuses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest
from postgresql_server import PASSWORD, new_schema, refused, session
from store_study import Begun, begun

from mrecist.errors import StoreError
from mrecist.review.accepting import accepted
from mrecist.review.reviewed import Asked, reviewed
from mrecist.store.adjudicating import assign_adjudicators, pick
from mrecist.store.assigning import assign, reassign
from mrecist.store.audit import verify
from mrecist.store.grants import grants_of, run_grants
from mrecist.store.locking import lock, unlock
from mrecist.store.people import change_role
from mrecist.store.schema import table
from mrecist.store.showing import status, worklist
from mrecist.store.signing import sign
from mrecist.store.store import open_store
from mrecist.store.submitting import submit

# PostgreSQL manual, appendix A.
INSUFFICIENT_PRIVILEGE, UNDEFINED_TABLE, RAISE_EXCEPTION = "42501", "42P01", "P0001"


@dataclass(frozen=True)
class Shared:
    study: Begun
    url: str
    files: Path

    def login(self, name: str) -> str:
        return self.url.replace("owner:", f"{name}:")

    def as_login(self, name: str) -> AbstractContextManager[Callable[..., Sequence[Sequence[object]]]]:
        return session(self.login(name))


@pytest.fixture
def shared(postgresql: str, tmp_path: Path) -> Iterator[Shared]:
    """A store on the server with a login for everyone in it, and the grants run twice."""
    url = new_schema(postgresql)
    with session(url) as owner, begun(url, tmp_path / "kept") as study:
        for name in ("A", "B", "C", "I", "boss", "Q"):
            owner(f"DO $$ BEGIN CREATE ROLE \"{name}\" LOGIN PASSWORD '{PASSWORD}'; EXCEPTION WHEN OTHERS THEN END $$")
        run_grants(study.store)
        run_grants(study.store)
        yield Shared(study, url, tmp_path / "kept")


def test_readers_work_with_their_own_logins(shared: Shared) -> None:
    for reader in "AB":
        with open_store(shared.login(reader), shared.files) as store:
            study = Begun(store, shared.study.folder)
            study.read("S1", 0, reader, mask=f"of {reader}")
            sign(store, "S1", reader, f"Dr {reader}", "", 0)
            assert [one.locked for one in worklist(store, reader) if one.case == "S1"] == [(0,)]
    with open_store(shared.login("boss"), shared.files) as store:
        unlock(store, "S1", "A", 0, by="boss", role="manager", reason="wrong series")
    assert verify(shared.study.store)[1] == []
    with shared.study.store.reading() as read:
        accounts = [each.said()["account"] for each in read.entries()]
    assert {"owner", "A", "B", "boss"} == set(accounts)


def test_a_reader_sees_no_row_of_another_reader(shared: Shared) -> None:
    shared.study.read_all("S1", "A")
    with shared.as_login("B") as login:
        for name in ("read", "measurement", "mask", "lock", "signature", "amendment"):
            assert login(f"SELECT count(*) FROM {name}") == [[0]]
        assert login("SELECT DISTINCT reader FROM assignment") == [["B"]]
        with refused(INSUFFICIENT_PRIVILEGE):
            login("SELECT * FROM pick")
    with open_store(shared.login("B"), shared.files) as store:
        assert {one.reader for one in status(store)} == {"B"}
        assert worklist(store, "A") == ()
    with shared.as_login("C") as login:  # the adjudicator sees both
        assert login("SELECT count(*) FROM read") == [[3]]


def test_a_reader_writes_nothing_in_the_name_of_another(shared: Shared) -> None:
    with open_store(shared.login("A"), shared.files) as store:
        with pytest.raises(StoreError, match="S1 is not assigned to B"):
            submit(store, shared.study.given(reader="B"))
        with pytest.raises(StoreError, match="row-level security"), store.writing("B") as write:
            write.add("lock", "visit locked", subject="S1", reader="B", timepoint=0, state="locked")
        study = Begun(store, shared.study.folder)
        study.read("S1", 0, "A")
        # By SQL of one's own, past the program: unlocking, and a row in another's name.
        for planted in ({"state": "unlocked"}, {"state": "locked", "who": "boss"}):
            row = {"id": "planted", "at": "2026", "who": "A", "reader": "A", "subject": "S1", "timepoint": 0, **planted}
            with pytest.raises(StoreError, match="row-level security"), store.writing("A") as write:
                write.connection.execute(table("lock").insert().values(**row))
        for name in ("role", "assignment", "visit", "protocol", "pick", "migration"):
            with pytest.raises(StoreError, match="permission denied"), store.writing("A") as write:
                write.add(name, "planted")
    assert verify(shared.study.store)[1] == []


@pytest.mark.parametrize("login", ["A", "C", "boss", "Q"])
def test_nobody_writes_the_trail_but_through_its_function(shared: Shared, login: str) -> None:
    with shared.as_login(login) as connection:
        for statement in (
            "INSERT INTO audit VALUES (9999, '{}', 'a', 'b')",
            "UPDATE audit SET entry = ''",
            "DELETE FROM audit",
            "TRUNCATE audit",
            "DROP TRIGGER audit_stays ON audit",
            "ALTER TABLE audit DISABLE TRIGGER ALL",
            "ALTER TABLE read DISABLE ROW LEVEL SECURITY",
            "UPDATE read SET who = 'x'",
            "DELETE FROM role",
            "SET session_replication_role = replica",
        ):
            with refused(INSUFFICIENT_PRIVILEGE):
                connection(statement)
        if login != "Q":
            with refused(INSUFFICIENT_PRIVILEGE):
                connection("SELECT * FROM audit")
            with refused(RAISE_EXCEPTION, "the entry is of account B, and the login is"):
                connection("""SELECT * FROM append_audit('{"account":"B"}')""")
            # A table of one's own in the way of the trail does not catch its entries.
            connection("CREATE TEMP TABLE audit (seq bigint, entry text, prev_hash text, hash text)")
            connection("SELECT * FROM append_audit(%s)", f'{{"account":"{login}"}}')
            assert connection("SELECT count(*) FROM pg_temp.audit") == [[0]]
    if login != "Q":
        broken = verify(shared.study.store)[1]
        assert "cannot be read" in str(broken[0])  # an entry without a row is a break, and names who made it


def test_a_withdrawn_role_takes_the_rights_away(shared: Shared) -> None:
    change_role(shared.study.store, "A", "reader", granted=False, by="boss", reason="left")
    run_grants(shared.study.store)
    # Not even the schema is open to the login any more.
    with shared.as_login("A") as login, refused(UNDEFINED_TABLE):
        login("SELECT * FROM read")


def test_an_sqlite_file_has_no_logins(tmp_path: Path) -> None:
    with begun(str(tmp_path)) as study, pytest.raises(StoreError, match="an SQLite file knows no logins"):
        grants_of(study.store)


def test_an_adjudicator_picks_in_own_cases_and_readers_see_no_pick(shared: Shared) -> None:
    for reader in "AB":
        shared.study.read_all("S1", reader)
    change_role(shared.study.store, "Q", "adjudicator", granted=True, by="boss", reason="second adjudicator")
    with open_store(shared.login("boss"), shared.files) as store:
        (case,) = assign_adjudicators(store, ["S1"], "7", by="boss", why="readers differ")
    run_grants(shared.study.store)
    mine, other = case["reader"], {"C": "Q", "Q": "C"}[case["reader"]]
    with open_store(shared.login(mine), shared.files) as store:
        assert [one.adjudicates for one in worklist(store, mine)] == [True]
        (row,) = pick(store, "S1", by=mine, read="reader 1", reason="closer", criteria=("recist11",))
    planted = {"id": "planted", "at": "2026", "criterion": "recist11", "variable": "read", "reader": "A"}
    # By SQL of one's own: a case of the other adjudicator, a case of nobody, and the name of another person.
    for login, more in (
        (other, {"who": other, "subject": "S1"}),
        (mine, {"who": mine, "subject": "S2"}),
        (mine, {"who": "boss", "subject": "S1"}),
    ):
        with (
            open_store(shared.login(login), shared.files) as store,
            pytest.raises(StoreError, match="row-level security"),
            store.writing(login) as write,
        ):
            write.connection.execute(table("pick").insert().values(**planted, **more))
    for login in "AB":
        with shared.as_login(login) as connection, refused(INSUFFICIENT_PRIVILEGE):
            connection("SELECT * FROM pick")
    with open_store(shared.login("boss"), shared.files) as store:
        reassign(store, "S1", mine, other, by="boss", reason="left")
        (found,) = [one for one in status(store) if one.part == "adjudicator"]
        assert [(one.criterion, one.read, one.by) for one in found.picks] == [("recist11", "reader 1", mine)]
        with pytest.raises(StoreError, match="permission denied"), store.writing("boss") as write:
            write.add("pick", "planted", subject="S1", reader="A")
    with open_store(shared.login(mine), shared.files) as store:
        assert worklist(store, mine) == ()
        with pytest.raises(StoreError, match="row-level security"), store.writing(mine) as write:
            write.add("pick", "planted", subject="S1", reader="A", replaces=row)
    assert verify(shared.study.store)[1] == []


def test_a_readers_login_cannot_say_whose_reads_count(shared: Shared) -> None:
    """To it the other reads are not there."""
    shared.study.read_all("S1", "A")
    with open_store(shared.login("A"), shared.files) as store, pytest.raises(StoreError, match="permission denied"):
        reviewed(store, Asked())
    with open_store(shared.login("boss"), shared.files) as store:
        rows = accepted(reviewed(store, Asked()))
    assert {one.reader for one in rows} == {""}
    assert {one.reason.replace("1", "2") for one in rows} == {"reader 2: time point 0 is not signed"}


def test_an_investigator_sees_the_own_rows_alone(shared: Shared) -> None:
    shared.study.read_all("S1", "A")
    change_role(shared.study.store, "I", "investigator", granted=True, by="boss", reason="site")
    assign(shared.study.store, {}, "7", "boss", investigators={"S1": "I"})
    run_grants(shared.study.store)
    with open_store(shared.login("I"), shared.files) as store:
        Begun(store, shared.study.folder).read("S1", 0, "I", mask="of I")
    with shared.as_login("I") as login:
        assert login("SELECT DISTINCT reader FROM read") == [["I"]]
        assert login("SELECT DISTINCT reader FROM assignment") == [["I"]]
        with refused(INSUFFICIENT_PRIVILEGE):
            login("SELECT * FROM pick")
    assert verify(shared.study.store)[1] == []


def test_a_case_that_went_to_another_reader_is_closed_to_the_first(shared: Shared) -> None:
    change_role(shared.study.store, "I", "reader", granted=True, by="boss", reason="joins")
    run_grants(shared.study.store)
    reassign(shared.study.store, "S1", "A", "I", by="boss", reason="A left the case")
    with open_store(shared.login("A"), shared.files) as store:
        assert "S1" not in [one.case for one in worklist(store, "A")]
        with pytest.raises(StoreError, match="S1 is not assigned to A"):
            submit(store, shared.study.given())
    with open_store(shared.login("I"), shared.files) as store:
        Begun(store, shared.study.folder).read("S1", 0, "I")


def test_locks_stay_the_readers_own(shared: Shared) -> None:
    submit(shared.study.store, shared.study.given())
    with open_store(shared.login("B"), shared.files) as store, pytest.raises(StoreError, match="is not assigned to A"):
        lock(store, "S1", "A", 0)
