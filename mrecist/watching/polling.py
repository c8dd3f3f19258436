"""A PACS that is asked again and again: what is new there and has settled is fetched into the watched study folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from mrecist.errors import MrecistError
from mrecist.pacs.fetch import FETCHED, Fetched, Source, fetch, find_series
from mrecist.pacs.folder import StudyFolder
from mrecist.pacs.patience import Patience
from mrecist.pacs.query import FoundSeries, Query
from mrecist.tables import write_whole
from mrecist.watching.arrivals import Settling
from mrecist.watching.watch import Look, Once

STATE = ".watch.pacs.json"


class Polled:
    """See :class:`mrecist.watching.watch.Archive`.

    A series is fetched when all that the server says of its study has been the same for the settle time; again when the number
    of its instances changes. Until every series that was begun is whole, the folder is not to be scored, also after a restart.

    Parameters
    ----------
    connect : opens a connection for one look.
    query : what is asked for, found out anew at each look: a table of subjects may grow.
    folder, out : the study folder, and the results, beside which it is remembered what was fetched.
    settle : seconds.
    tell : takes one line for a person.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[Source]],
        query: Callable[[], Query],
        patience: Patience,
        *,
        folder: Path,
        out: Path,
        settle: float,
        tell: Callable[[str], None],
    ) -> None:
        self._connect, self._query, self._patience = connect, query, patience
        self._folder, self._state = folder, out / STATE
        self._settling = Settling(settle)
        self._tell = Once(tell)
        self._whole, self._begun = _load(self._state)

    def look(self, now: float) -> Look:
        """Ask what is there, and fetch what is new and settled."""
        try:
            query = self._query()
            with self._connect() as source:
                series, notes = find_series(source, query, self._patience)
                self._tell.about("notes", "; ".join(notes))
                new = [one for one in series if self._whole.get(one.series_uid) != _count(one)]
                ready = [one for one in new if self._is_settled(one, series, now)]
                fetched = self._fetch(source, ready) if ready else None
        except (MrecistError, OSError) as error:
            self._tell.about("", f"PACS: {error}; asked again")
            return Look(failed=True, incomplete=bool(self._begun))
        self._tell.forget("")
        problems = [] if fetched is None else fetched.problems
        for problem in problems:
            self._tell.about(problem, f"PACS: {problem}")
        if self._begun:
            self._tell.about("begun", f"{self._folder}: not scored while {len(self._begun)} series are fetched in part")
        else:
            self._tell.forget("begun")
        return Look(waiting=len(ready) < len(new), failed=bool(problems), incomplete=bool(self._begun))

    def _is_settled(self, one: FoundSeries, series: Sequence[FoundSeries], now: float) -> bool:
        looks = repr([(other.series_uid, _count(other)) for other in series if other.study_uid == one.study_uid])
        return self._settling.is_settled(one.study_uid, looks, now)

    def _fetch(self, source: Source, ready: Sequence[FoundSeries]) -> Fetched:
        self._begun |= {one.series_uid for one in ready}
        self._remember()
        fetched = fetch(source, ready, StudyFolder(self._folder), self._patience, lambda _done, _of: None)
        came = {verdict.series.series_uid for verdict in fetched.verdicts}
        for one in ready:
            if one.series_uid in came and not any(one.series_uid in problem for problem in fetched.problems):
                self._whole[one.series_uid] = _count(one)
                self._begun.discard(one.series_uid)
        self._remember()
        count = fetched.count(FETCHED)
        if count:
            self._tell.now(f"PACS: {count} instances of {len(ready)} series fetched into {self._folder}")
        return fetched

    def _remember(self) -> None:
        content = {"whole": self._whole, "begun": sorted(self._begun)}
        write_whole(self._state, json.dumps(content, indent=1) + "\n")


def _count(series: FoundSeries) -> str:
    return "?" if series.instances is None else str(series.instances)


def _load(path: Path) -> tuple[dict[str, str], set[str]]:
    """Series that are whole, with the number of instances they had, and series that were begun."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(uid): str(count) for uid, count in content["whole"].items()}, set(map(str, content["begun"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, set()  # asked and compared with the folder once more
