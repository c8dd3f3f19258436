"""The signed reads of a store as one moment of it, derived by its protocol, with readers called by their part in each case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from mrecist.agreement.adjudication import adjudicated_on
from mrecist.agreement.discordances import Discordance, discordances
from mrecist.agreement.reads import Reads
from mrecist.agreement.sources import reads_of_rows
from mrecist.agreement.swaps import crossed
from mrecist.agreement.variables import known_variables
from mrecist.model import Measurement
from mrecist.store.adjudicating import OWN, Picked, picks, state_of
from mrecist.store.assigning import ADJUDICATOR, INVESTIGATOR, assignments, is_central, visits_of
from mrecist.store.people import protocol_of
from mrecist.store.showing import signed_rows
from mrecist.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What readers are compared by, and dates of subjects.

    ``variables``: in place of the protocol's ``[readers] adjudicate_on``. ``date_tolerance``: days by which dates may differ.
    ``subjects``: subjects.csv, where the protocol asks for its dates.
    """

    variables: tuple[str, ...] = ()
    date_tolerance: int = 0
    subjects: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case of the store.

    Parameters
    ----------
    subject, key : the subject, and how the case is called on blinded lists.
    baseline : the day that days are counted from.
    central : "reader 1", "reader 2" -> who reads the case as that.
    adjudicator, investigator : who; empty where there is none.
    picks : criterion -> the pick in force.
    state : changes when a central read of the case or the protocol does (:func:`mrecist.store.adjudicating.state_of`).
    """

    subject: str
    key: str
    baseline: date
    central: Mapping[str, str]
    adjudicator: str
    investigator: str
    picks: Mapping[str, Picked]
    state: str


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """Cases and their reads. In ``reads`` a reader is called "reader 1", "reader 2", "own" (the adjudicator) or "investigator".

    ``differences`` are those of the central readers, by subject and criterion; ``variables`` decide whether a case is adjudicated.
    ``unsigned`` and ``wrong`` map (subject, part) to why a read is not signed, or could not be derived; neither says who read.
    """

    cases: Mapping[str, Case]
    reads: Reads
    variables: tuple[str, ...]
    differences: Mapping[tuple[str, str], tuple[Discordance, ...]]
    signed: frozenset[tuple[str, str]]
    unsigned: Mapping[tuple[str, str], str]
    wrong: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def why_open(self, case: Case, criterion: str, parts: tuple[str, ...]) -> str:
        """Why reads of a case cannot be compared by a criterion yet; empty where they can."""
        for part in parts:
            whose = ADJUDICATOR if part == OWN else part
            if (case.subject, part) not in self.signed:
                return f"{whose}: {self.unsigned.get((case.subject, part), 'the read has no row')}"
            if (case.subject, part) in self.wrong:
                return f"{whose}: the read cannot be derived: {self.wrong[case.subject, part]}"
            if part not in self.reads.of(case.subject, criterion):
                return f"{whose}: the read gives no response"
        return ""

    def discordant(self, case: Case) -> dict[str, tuple[Discordance, ...]]:
        """Criterion -> the differences for which a case is adjudicated; nothing where a read is missing."""
        found: dict[str, tuple[Discordance, ...]] = {}
        for criterion in self.reads.settings:
            if not self.why_open(case, criterion, tuple(case.central)):
                differences = self.differences.get((case.subject, criterion), ())
                deciding = tuple(one for one in differences if one.variable in self.variables)
                if deciding:
                    found[criterion] = deciding
        return found


def reviewed(store: Store, asked: Asked, subject: str = "") -> Reviewed:
    """Every case of a store, or one (by subject).

    Raises :class:`mrecist.errors.InputError` for an unknown variable, :class:`StoreError` for the database login of a reader: to it the
    other reads are not there, and a case with one read would pass for a case with one reader.
    """
    whose = {"subject": subject} if subject else {}
    with store.loaded() as read:
        protocol = protocol_of(read)
        parts = {(row["subject"], row["reader"]): _called(row["part"]) for row in assignments(read, **whose)}
        keys = {row["subject"]: row["subject_key"] for row in assignments(read, **whose)}
        rows, left = signed_rows(store, read, whose)
        cases = {}
        for name, key in sorted(keys.items()):
            mine = {part: reader for (each, reader), part in sorted(parts.items()) if each == name}
            central = {part: mine[part] for part in sorted(mine) if is_central(part)}
            cases[name] = Case(
                subject=name,
                key=key,
                baseline=visits_of(read, name)[0],
                central=central,
                adjudicator=mine.get(OWN, ""),
                investigator=mine.get(INVESTIGATOR, ""),
                picks={one.criterion: one for one in picks(read, name)},
                state=state_of(read, name),
            )
    by_part: dict[tuple[str, str], list[Measurement]] = {}
    for row in rows:
        part = parts[row.subject, row.reader]
        by_part.setdefault((row.subject, part), []).append(replace(row, reader=part))
    reads = reads_of_rows(by_part, protocol, [], asked.subjects)
    on_protocol = known_variables(protocol.readers.adjudicate_on, "[readers] adjudicate_on")
    variables = adjudicated_on(reads, known_variables(asked.variables, "--adjudicate-on") or on_protocol)
    return Reviewed(
        cases=cases,
        reads=reads,
        variables=variables,
        differences=_differences(reads, asked.date_tolerance),
        signed=frozenset(by_part),
        unsigned={(name, parts[name, reader]): error.what for (name, reader), error in left.items()},
        wrong={
            (one.subject, one.reader): one.message.removeprefix(f"subject {one.subject}, reader {one.reader}: ")
            for one in reads.problems
        },
    )


def _called(part: str) -> str:
    return OWN if part == ADJUDICATOR else part


def _differences(reads: Reads, tolerance_days: int) -> dict[tuple[str, str], tuple[Discordance, ...]]:
    central = replace(reads, tracks={key: track for key, track in reads.tracks.items() if is_central(key[1])})
    keys = [(s, c) for c in central.criteria for s in central.subjects if len(central.of(s, c)) > 1]
    found: dict[tuple[str, str], list[Discordance]] = {key: [] for key in keys}
    for one in discordances(central, {(s, c): crossed(central, s, c) for s, c in keys}, tolerance_days):
        found[one.subject, one.criterion].append(one)
    return {key: tuple(differences) for key, differences in found.items()}
