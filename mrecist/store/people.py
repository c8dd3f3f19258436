"""Who takes part and as what, and the protocol that is read by."""

from __future__ import annotations

from mrecist.errors import StoreError
from mrecist.protocol import Protocol, protocol_of_text
from mrecist.store.store import Reading, Store

ROLES = {
    "manager": "assigns cases, grants roles, unlocks visits",
    "reader": "reads, locks, signs and amends the own cases",
    "investigator": "as a reader, for the site: a track of its own, never adjudicated",
    "adjudicator": "sees both reads of a case and picks one, or reads anew",
    "auditor": "verifies and exports the audit trail",
}
"""Role -> what it is for."""


def begin(store: Store, protocol: Protocol, people: dict[str, tuple[str, ...]], by: str) -> None:
    """The first rows of a store: the protocol, and who is what (role -> names). ``by`` becomes a manager."""
    # Tables alone are what an attempt that was cut off leaves behind.
    store.migrate("mrecist")
    with store.writing(by) as write:
        if write.rows("protocol"):
            raise StoreError(f"{store.place.name}: is there already; a store is never begun again")
        write.protocol_sha256 = protocol.sha256
        write.add("protocol", "store begun", sha256=protocol.sha256, text=protocol.text)
        everyone = {**people, "manager": (by, *people.get("manager", ()))}
        for role, names in everyone.items():
            for name in dict.fromkeys(names):
                write.add("role", f"made {role}", person=name, role=role, state="granted")


def change_protocol(store: Store, protocol: Protocol, *, by: str, reason: str) -> None:
    """Another protocol from now on; reads of before stay under theirs, and so do their signatures."""
    with store.writing(by, needed(reason)) as write:
        require(write, by, "manager")
        old = write.protocol()
        if protocol.sha256 in {row["sha256"] for row in write.rows("protocol")}:
            raise StoreError(f"the store has the protocol {protocol.sha256[:12]}... already; nothing to change")
        write.add("protocol", "protocol amended", replaces=old, sha256=protocol.sha256, text=protocol.text)


def protocol_of(read: Reading, sha256: str = "") -> Protocol:
    """The protocol in force, or the one of a hash; raises :class:`StoreError` where the store has none."""
    row = next(iter(read.rows("protocol", sha256=sha256)), None) if sha256 else read.protocol()
    if row is None:
        raise StoreError(f"the store has no protocol {sha256[:12]}...; run: mrecist audit verify")
    return protocol_of_text(row["text"], where="the protocol of the store")


def change_role(store: Store, person: str, role: str, *, granted: bool, by: str, reason: str) -> None:
    """Give or take a role; only a manager may, and one manager always stays."""
    with store.writing(by, needed(reason)) as write:
        require(write, by, "manager")
        now = write.current("role", person=person, role=role)
        if bool(now and now[0]["state"] == "granted") == granted:
            raise StoreError(f"{person} {'is' if granted else 'is no'} {role} already; nothing to change")
        if not granted and holders(write, role) == (person,) and role == "manager":
            raise StoreError(f"{person} is the only manager; make another one first")
        state = "granted" if granted else "withdrawn"
        what = f"made {role}" if granted else f"{role} withdrawn"
        write.add("role", what, person=person, role=role, state=state, replaces=now[0] if now else None)


def holders(read: Reading, role: str) -> tuple[str, ...]:
    """Who holds a role, in the order of the grants."""
    return tuple(row["person"] for row in read.current("role", role=role) if row["state"] == "granted")


def require(read: Reading, person: str, role: str) -> None:
    """Raise :class:`StoreError` unless the person holds the role."""
    if person not in holders(read, role):
        raise StoreError(f"{person} is no {role} of this store; {role}s: {', '.join(holders(read, role)) or 'none'}")


def needed(reason: str) -> str:
    """A reason that says something; raises :class:`StoreError`."""
    if not reason.strip():
        raise StoreError("a reason is needed; give it with --reason")
    return reason.strip()
