"""TU to lesions: role, kind, place, what split from what, and what merged."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from mrecist.model import Basis, Kind, Role
from mrecist.sdtm import terms
from mrecist.sdtm.datasets import Record
from mrecist.sdtm.faults import Faults
from mrecist.sdtm.supplements import basis_of

_JOINED = re.compile(r"\s*[/+;,&]\s*")
_FRAGMENT = re.compile(r"(.+)\.(\d+|[A-Za-z])")
_PLACE = ("TULAT", "TUDIR", "TUPORTOT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesion:
    """A lesion as one reader identified it."""

    id: str
    role: Role
    kind: Kind = Kind.LESION
    organ: str = ""
    station: str = ""
    part_of: str = ""
    basis: Basis | None = None


@dataclass(slots=True)
class Lesions:
    """The lesions of one subject by reader and link id; a reader of None stands for all."""

    subject: str
    faults: Faults
    _known: dict[tuple[str | None, str], Lesion] = field(default_factory=dict)
    _splits: set[tuple[str | None, str]] = field(default_factory=set)
    _merges: dict[str | None, list[tuple[str, ...]]] = field(default_factory=dict)

    def get(self, reader: str, link: str) -> Lesion | None:
        """The lesion of a reader by its link id, identified by that reader or without naming one."""
        return self._known.get((reader, link)) or self._known.get((None, link))

    def of(self, reader: str, record: Record) -> Lesion:
        """The lesion that a TR record measures; raises ``ValueError`` when neither TU nor TRGRPID says what it is."""
        link = record["TRLNKID"]
        known = self.get(reader, link)
        fragment = self._fragment(reader, link)
        if fragment is not None and (known is None or known.role is fragment.role):
            known = fragment
        role = terms.ROLES.get(record.term("TRGRPID"))
        if known is not None and role in (None, known.role):
            return known
        if known is not None:
            raise ValueError(f"{link} is {known.role} in TU and TRGRPID is '{record['TRGRPID']}'; correct one")
        if role is None:
            raise ValueError(
                f"{link} is not in TU and TRGRPID is '{record['TRGRPID']}'; identify it in TU as TARGET, NON-TARGET or NEW"
            )
        text = "lesions that are not in TU have the role that TRGRPID gives and are taken as no lymph nodes"
        self.faults.note(text, self.subject)
        return Lesion(id=link, role=role)

    def joined(self, reader: str, link: str) -> tuple[str, ...]:
        """The lesions that a link id such as ``T01/T02`` joins; empty for any other id."""
        if self.get(reader, link) is not None:
            return ()
        parts = tuple(_JOINED.split(link))
        return parts if len(parts) > 1 and all(self.get(reader, part) for part in parts) else ()

    def carriers(self, reader: str, link: str) -> tuple[str, ...]:
        """The lesions with which TUMERGE says this one merged."""
        groups = [*self._merges.get(reader, ()), *self._merges.get(None, ())]
        return tuple(dict.fromkeys(part for group in groups if link in group for part in group if part != link))

    def _fragment(self, reader: str, link: str) -> Lesion | None:
        """``T04.1`` is a part of T04; other forms need a TUSPLIT record to be one."""
        found = _FRAGMENT.fullmatch(link)
        parent = self.get(reader, found[1]) if found else None
        if parent is None and ((reader, link) in self._splits or (None, link) in self._splits):
            longest = [link[:n] for n in range(len(link) - 1, 0, -1) if self.get(reader, link[:n])]
            if not longest:
                raise ValueError(f"{link} is a TUSPLIT of no known lesion; name it after its lesion, such as T04.1")
            parent = self.get(reader, longest[0])
        if parent is None:
            return None
        known = self.get(reader, link) or parent
        return Lesion(
            id=link,
            role=parent.role,
            kind=parent.kind,
            organ=known.organ or parent.organ,
            station=known.station or parent.station,
            part_of=parent.id,
            basis=known.basis,
        )

    # --- filling ---

    def add(self, record: Record) -> None:
        """Take one TU record; raises ``ValueError`` when it cannot be understood or contradicts an earlier one."""
        reader, link, test = _reader(record), record["TULNKID"], record.term("TUTESTCD")
        if test in terms.INDICATORS:
            return
        if not link:
            raise ValueError("TULNKID is empty; it links the lesion to its results")
        if test == terms.MERGE:
            named = _JOINED.split(link)
            other = record["TUORRES"]
            if len(named) == 1 and other and (self.get(reader or "", other) or (None, other) in self._known):
                named.append(other)
            self._merges.setdefault(reader, []).append(tuple(named))
            return
        if test == terms.SPLIT:
            self._splits.add((reader, link))
            if record.term("TUSTRESC") not in terms.ROLES and record.term("TUORRES") not in terms.ROLES:
                return
        elif test != terms.IDENTIFICATION:
            raise ValueError(f"TUTESTCD is '{test}', not TUMIDENT, TUSPLIT or TUMERGE; the lesion is not understood")
        notes: list[str] = []
        self._keep((reader, link), replace(_lesion(record), basis=basis_of(record, notes)))
        for note in notes:
            self.faults.note(note, self.subject)

    def _keep(self, key: tuple[str | None, str], lesion: Lesion) -> None:
        before = self._known.setdefault(key, lesion)
        for word, now, then in (("role", lesion.role, before.role), ("kind", lesion.kind, before.kind)):
            if now is not then:
                raise ValueError(f"{lesion.id} has {word} '{now}' here and '{then}' in another record; keep one")


def _reader(record: Record) -> str | None:
    if not record["TUEVAL"] and not record["TUEVALID"]:
        return None
    return terms.reader_of(record.term("TUEVAL"), record.term("TUEVALID"))


def _lesion(record: Record) -> Lesion:
    said = record.term("TUSTRESC") or record.term("TUORRES")
    role = terms.ROLES.get(said)
    if role is None:
        raise ValueError(f"TUSTRESC is '{said}', not one of: {', '.join(terms.ROLES)}")
    place = record.term("TULOC")
    node = terms.NODE_WORD in place or said == terms.NODAL
    organ, _, rest = place.partition(",")
    station = " ".join(part for part in (place if node else rest.strip(), *(record.term(n) for n in _PLACE)) if part)
    return Lesion(
        id=record["TULNKID"],
        role=role,
        kind=Kind.NODE if node else Kind.LESION,
        organ="lymph node" if node else organ.strip().casefold(),
        station=station.casefold(),
    )


def lesions_of(subject: str, records: Iterable[Record], readers: Iterable[str], faults: Faults) -> Lesions:
    """The lesions of one subject; a record that is not understood is a problem of its reader, or of all readers."""
    lesions = Lesions(subject=subject, faults=faults)
    # Identification first, so that a merge or split can name what is identified.
    for record in sorted(records, key=lambda r: r.term("TUTESTCD") != terms.IDENTIFICATION):
        try:
            lesions.add(record)
        except ValueError as error:
            reader = _reader(record)
            for concerned in [reader] if reader is not None else list(readers):
                faults.problem(subject, concerned, record.where, str(error))
    return lesions
