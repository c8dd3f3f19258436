"""The reader disagreement index: how often the adjudicator of a study disagreed with each reader (ASCO e18592)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mrecist.agreement.about import About
from mrecist.agreement.adjudication import Said, disagrees
from mrecist.agreement.continuous import mean_of
from mrecist.agreement.reads import Key, Reads, Track
from mrecist.agreement.rows import Row
from mrecist.errors import InputError
from mrecist.tables.accepted import AcceptedAs, AcceptedRead, ReviewTrack, read_accepted

Case = tuple[str, str]
"""Subject and criterion."""
_BY_READS = (
    "100 x adjudicated cases in which the adjudicator's own read differs from the reader's / cases that the reader read"
)
_BY_ACCEPTED = "100 x cases in which the adjudicator picked or made a read that differs from the reader's / cases that the reader read"
_DECIDED = (AcceptedAs.PICKED, AcceptedAs.REREAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """The read that the adjudicator accepted of each case, a reader's or the own one.

    ``others`` are reads that no adjudicator judges: the investigators' and the adjudicators' own. ``not_there``: accepted reads that
    there are none of, so that nobody knows who differs from them; these cases are left out.
    """

    views: Mapping[Case, Track]
    method: str
    source: str
    others: frozenset[Key] = frozenset()
    not_there: tuple[AcceptedRead, ...] = ()


def verdicts_of_reads(adjudicator: Reads, said: Iterable[Said]) -> Verdicts | None:
    """What the adjudicator read anew, of the cases that have to be adjudicated; None without such reads."""
    listed = {(one.subject, one.criterion) for one in said}
    views = {key[::2]: track for key, track in adjudicator.tracks.items() if key[::2] in listed}
    return Verdicts(views=views, method=_BY_READS, source="--adjudicator") if adjudicator.tracks else None


def verdicts_of_accepted(reads: Reads, path: Path) -> Verdicts | None:
    """What ``accepted.csv`` says that was picked or read anew; ``reads`` are those of everybody.

    None where the file has no read of the central track. Raises :class:`InputError` when it cannot be read.
    """
    rows = [row for row in read_accepted(path) if row.criterion in reads.settings]
    central = [row for row in rows if row.track is ReviewTrack.CENTRAL]
    if not central:
        return None
    decided = [row for row in central if row.accepted_as in _DECIDED]
    judges = {row.by for row in decided} | {row.reader for row in decided if row.accepted_as is AcceptedAs.REREAD}
    sites = {_key(row) for row in rows if row.track is ReviewTrack.INVESTIGATOR}
    return Verdicts(
        views={(row.subject, row.criterion): reads.tracks[_key(row)] for row in decided if _key(row) in reads.tracks},
        method=_BY_ACCEPTED,
        source=path.name,
        others=frozenset({*sites, *(key for key in reads.tracks if key[1] in judges)}),
        not_there=tuple(row for row in decided if _key(row) not in reads.tracks),
    )


def _key(row: AcceptedRead) -> Key:
    return row.subject, row.reader, row.criterion


def index_rows(reads: Reads, found: Verdicts, variables: tuple[str, ...], tolerance_days: int) -> Iterator[Row]:
    """The index of every reader whose reads an adjudicator judges, by criterion.

    A case counts against a reader where the read that the adjudicator accepted differs from the reader's in one of ``variables``; the
    reader's own does not. A case that was not adjudicated, or not yet, counts as one without disagreement.
    """
    left_out = {(row.subject, row.criterion) for row in found.not_there}
    for criterion in reads.criteria:
        for reader in reads.readers:
            against = []
            for subject in reads.subjects:
                track = reads.of(subject, criterion).get(reader)
                if track is None or (subject, reader, criterion) in found.others or (subject, criterion) in left_out:
                    continue
                view = found.views.get((subject, criterion))
                against.append(view is not None and disagrees(reads, track, view, variables, tolerance_days))
            if against:
                yield Row(
                    about=About(criterion=criterion, variable=";".join(variables), readers=(reader,)),
                    statistic="reader_disagreement_index",
                    of=mean_of(100 * np.array(against, dtype=np.float64)),
                    method=found.method,
                )


def told(reads: Reads, found: Verdicts, said: Iterable[Said]) -> Iterator[str]:
    """What the index does not know, and who is compared whom no adjudicator judges, in lines."""
    left_out = {(row.subject, row.criterion) for row in found.not_there}
    name = found.source
    if left_out:
        first = found.not_there[0]
        yield (
            f"{name}: of {len(left_out)} adjudicated cases the accepted read is not there (first: {first.subject}, {first.criterion}, "
            f"{first.reader}); the reader disagreement index is without them"
        )
    listed = {(one.subject, one.criterion) for one in said}
    open_ = sorted(listed - found.views.keys() - left_out)
    if open_:
        yield (
            f"{name}: {len(open_)} of {len(listed)} cases to adjudicate have no read that an adjudicator accepted (first: "
            f"{', '.join(open_[0])}); they count as no disagreement"
        )
    others = sorted({reader for _, reader, _ in found.others & reads.tracks.keys()})
    if others:
        yield (
            f"{name}: {', '.join(others)}: read as adjudicator or for the site, and compared here with the readers; name the readers "
            "with --readers to leave them out"
        )


def accepted_file(asked: Path | None, beside: Path) -> Path | None:
    """The file that is asked for, else the one beside the reads where there is one."""
    if asked is not None and not asked.is_file():
        raise InputError(
            f"{asked}: is not there; --accepted takes the accepted.csv that `mrecist reads accepted` writes"
        )
    return asked or (beside if beside.is_file() else None)
