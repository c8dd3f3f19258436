"""Fetch series into a study folder: what is asked is checked against what comes, and a stopped run goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from mrecist.pacs.folder import Kept, StudyFolder
from mrecist.pacs.instance import InstanceError
from mrecist.pacs.patience import ConnectionLostError, NotOfferedError, Patience, RefusedError
from mrecist.pacs.query import (
    IMAGE,
    SERIES,
    STUDY,
    FoundSeries,
    Query,
    in_order,
    is_uid,
    series_is_asked,
    series_of,
    shown,
    study_filters,
    study_is_asked,
)

FETCHED, PRESENT, MISSING = "fetched", "already there", "missing"
# A server that answers, and leaves an instance out, is asked for it once more and no more often.
_QUIET_ROUNDS = 2
# Takes the bytes of an instance; False when it was not kept.
Receive = Callable[[bytes], bool]
Report = Callable[[int, int], None]


class Source(Protocol):
    """What a transport does for :func:`fetch`; lost connections are :class:`ConnectionLostError`, a no is :class:`RefusedError`."""

    def find(self, level: str, keys: Mapping[str, str]) -> list[dict[str, str]]:
        """Rows at a level (``STUDY``, ``SERIES``, ``IMAGE``) with all keys of that level, ``""`` for what has no value."""

    def retrieve(self, series: FoundSeries, wanted: Sequence[str] | None, receive: Receive) -> dict[str, str]:
        """Get the instances ``wanted``, or the whole series; SOPInstanceUID -> reason, of what the server would not give."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one instance."""

    series: FoundSeries
    sop_uid: str
    verdict: str
    file: str = ""
    reason: str = ""


@dataclass(slots=True)
class Fetched:
    """Verdicts of all instances, and one line for each thing that went wrong."""

    verdicts: list[Verdict] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def count(self, verdict: str) -> int:
        """How many instances have that verdict."""
        return sum(one.verdict == verdict for one in self.verdicts)


def find_series(source: Source, query: Query, patience: Patience) -> tuple[list[FoundSeries], list[str]]:
    """The series that were asked for, in order, and notes on answers that were left out.

    Raises
    ------
    ConnectionLostError, RefusedError : the server cannot be asked.
    """
    found: list[FoundSeries] = []
    notes: list[str] = []
    studies: dict[str, dict[str, str]] = {}
    others = 0
    for keys in study_filters(query):
        for study in patience.insist(partial(source.find, STUDY, keys)):
            if study_is_asked(query, study):
                studies[study["StudyInstanceUID"]] = study
            else:
                others += 1
    for uid, study in studies.items():
        for row in patience.insist(partial(source.find, SERIES, {"StudyInstanceUID": uid})):
            if is_uid(row["SeriesInstanceUID"]):
                found.append(series_of(study, row))
            else:
                notes.append(
                    f"study {uid}: SeriesInstanceUID '{shown(row['SeriesInstanceUID'], 70)}' is no UID; left out"
                )
    if others:
        notes.append(f"studies that the server named and that do not match what was asked, left out: {others}")
    return in_order(one for one in found if series_is_asked(query, one)), notes


def fetch(
    source: Source, series: Sequence[FoundSeries], folder: StudyFolder, patience: Patience, report: Report
) -> Fetched:
    """Fetch every series. One that fails stops no other, but when the server is gone the rest is not tried.

    Parameters
    ----------
    report : called with (instances done, instances in all, as far as the server says).
    """
    fetched = Fetched()
    total = sum(one.instances or 0 for one in series)
    for number, one in enumerate(series):
        work = _SeriesWork(source, one, folder, patience, partial(_report_from, len(fetched.verdicts), total, report))
        try:
            work.run()
        except ConnectionLostError as error:
            fetched.problems.append(f"series {one.series_uid}: {error}; run the same command again to go on")
            rest = len(series) - number - 1
            if rest:
                fetched.problems.append(f"series not tried, because the server is gone: {rest}")
            work.finish(fetched)
            break
        except RefusedError as error:
            fetched.problems.append(f"series {one.series_uid}: {error}")
        work.finish(fetched)
    return fetched


def _report_from(before: int, total: int, report: Report, done: int) -> None:
    report(before + done, max(total, before + done))


class _SeriesWork:
    """One series on its way: what is expected, what is there, what came and was not kept."""

    def __init__(
        self,
        source: Source,
        series: FoundSeries,
        folder: StudyFolder,
        patience: Patience,
        report: Callable[[int], None],
    ) -> None:
        self.source, self.series, self.folder, self.patience, self.report = source, series, folder, patience, report
        self.present = folder.present(series)
        self.kept: dict[str, Kept] = dict(self.present)
        self.expected: set[str] | None = None
        self.not_kept: list[str] = []
        self.refused: dict[str, str] = {}
        report(len(self.kept))

    def run(self) -> None:
        """Retrieve until everything is there, the server leaves something out twice, or the retries are used up."""
        self.expected = self._instances()
        lost = quiet = 0
        try:
            while self._incomplete() and quiet < _QUIET_ROUNDS:
                before = len(self.kept)
                broken = self._retrieve()
                if len(self.kept) > before:
                    lost = quiet = 0
                # A connection that ends between two chunks looks like the end of the answer: the last instance is cut short.
                if broken is None and not self.not_kept:
                    quiet += 1
                    continue
                lost += 1
                if lost > self.patience.retries:
                    if broken is not None:
                        raise broken
                    return
                self.patience.wait(lost)
        finally:
            if self.kept:
                self.folder.record(self.series, self.kept)

    def _retrieve(self) -> ConnectionLostError | None:
        self.not_kept.clear()
        try:
            self.refused = self.source.retrieve(self.series, self._wanted(), self._receive)
        except ConnectionLostError as error:
            return error
        return None

    def _instances(self) -> set[str] | None:
        """SOPInstanceUIDs that the server lists, or None when it lists none."""
        keys = {"StudyInstanceUID": self.series.study_uid, "SeriesInstanceUID": self.series.series_uid}
        try:
            rows = self.patience.insist(partial(self.source.find, IMAGE, keys))
        except NotOfferedError:
            return None
        return {row["SOPInstanceUID"] for row in rows if row["SOPInstanceUID"]} or None

    def _incomplete(self) -> bool:
        if self.expected is not None:
            return not self.expected <= self.kept.keys()
        return self.series.instances is None or len(self.kept) < self.series.instances

    def _wanted(self) -> list[str] | None:
        if self.expected is None or not (self.expected & self.kept.keys()):
            return None
        return sorted(self.expected - self.kept.keys())

    def _receive(self, content: bytes) -> bool:
        try:
            uid, kept = self.folder.take(content, self.series, self.expected)
        except InstanceError as error:
            self.not_kept.append(str(error))
            return False
        self.kept[uid] = kept
        self.report(len(self.kept))
        return True

    def finish(self, fetched: Fetched) -> None:
        """Verdicts and problem lines of the series."""
        where = f"series {self.series.series_uid}"
        for uid in sorted(self.kept):
            verdict = PRESENT if self.present.get(uid) == self.kept[uid] else FETCHED
            fetched.verdicts.append(Verdict(series=self.series, sop_uid=uid, verdict=verdict, file=self.kept[uid].file))
        gone = sorted((self.expected or set()) - self.kept.keys())
        for uid in gone:
            reason = self.refused.get(uid, "")
            fetched.verdicts.append(Verdict(series=self.series, sop_uid=uid, verdict=MISSING, reason=reason))
        fetched.problems += [
            f"{where}: an instance that came was not kept: {why}" for why in dict.fromkeys(self.not_kept)
        ]
        if gone:
            named = ", ".join(shown(uid, 70) for uid in gone[:5]) + (
                f" and {len(gone) - 5} more" if len(gone) > 5 else ""
            )
            fetched.problems.append(
                f"{where}: {len(gone)} of {len(self.expected or ())} instances are missing: {named}"
            )
        for why in dict.fromkeys(self.refused[uid] for uid in gone if self.refused.get(uid)):
            fetched.problems.append(f"{where}: the server says: {why}")
        self._compare_counts(fetched, where)

    def _compare_counts(self, fetched: Fetched, where: str) -> None:
        stated, listed = self.series.instances, None if self.expected is None else len(self.expected)
        if stated is not None and listed is not None and stated != listed:
            fetched.problems.append(
                f"{where}: the server states {stated} instances and lists {listed}; ask its operator"
            )
        elif stated is not None and listed is None and len(self.kept) != stated:
            fetched.problems.append(f"{where}: {len(self.kept)} instances came where the server states {stated}")
        elif stated is None and listed is None and not self.kept:
            fetched.problems.append(f"{where}: the server says nothing about its instances, and none came")
