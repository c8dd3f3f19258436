"""The stratum of each subject: its values in the columns of subjects.csv that the protocol names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from typing import Protocol as Shape

from mrecist.errors import InputError
from mrecist.protocol import Protocol
from mrecist.trial import Trial


class _OfSubject(Shape):
    @property
    def subject(self) -> str: ...


Row = TypeVar("Row", bound=_OfSubject)


@dataclass(frozen=True, slots=True)
class Stratified(Generic[Row]):
    """The rows whose stratum is known, the stratum of each, and a note of how many have none."""

    rows: list[Row]
    strata: list[str]
    note: str


def check_strata(protocol: Protocol, trial: Trial) -> None:
    """Raises :class:`InputError` where strata are asked for and not named, or are no column of subjects.csv."""
    columns = {name for subject in trial.subjects.values() for name in subject.words}
    for name in protocol.design.strata:
        if name not in columns:
            raise InputError(f"[study] strata: '{name}' is no column of subjects.csv with a value")
    for endpoint in protocol.endpoints:
        asked = [test for test in endpoint.tests if test.endswith("_stratified")]
        if asked and not protocol.design.strata:
            raise InputError(
                f"endpoint {endpoint.id}: {asked[0]} needs [study] strata; name the columns of subjects.csv"
            )


def stratified(rows: Sequence[Row], protocol: Protocol, trial: Trial) -> Stratified[Row]:
    """The rows by stratum; a subject without a value in a column is left out, not put into a stratum of its own."""
    columns = protocol.design.strata
    values = [[trial.subjects[row.subject].words.get(name, "") for name in columns] for row in rows]
    known = [(row, own) for row, own in zip(rows, values, strict=True) if all(own)]
    out = len(rows) - len(known)
    return Stratified(
        rows=[row for row, _ in known],
        strata=[", ".join(f"{name}={one}" for name, one in zip(columns, own, strict=True)) for _, own in known],
        note=f"{out} left out without a stratum" if out else "",
    )
