"""The reads of a simulated core lab compared: reader with reader, and the accepted read of each case with that of the site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mrecist.agreement.compare import Job, compare
from mrecist.dates import PartialDate
from mrecist.rehearsal.lab import Lab
from mrecist.rehearsal.work import ROWS, Done
from mrecist.samples.readers.panel import ADJUDICATOR, READERS
from mrecist.tables import measurements_csv, read_measurements, write_whole
from mrecist.tables.accepted import AcceptedAs

RESAMPLES = 1000


def compare_reads(lab: Lab, done: Done) -> Iterator[tuple[str, str]]:
    """Path in the folder and text of what `mrecist agree` writes: ``agreement/readers``, ``agreement/tracks/CRITERION``."""
    anew = any(one.accepted_as is AcceptedAs.REREAD for one in done.accepted)
    everyone = Job(
        reads=lab.folder / "results", readers=READERS, adjudicator=ADJUDICATOR if anew else "", resamples=RESAMPLES
    )
    for name, text in compare(everyone).tables.items():
        yield f"agreement/readers/{name}", text
    for criterion in dict.fromkeys(one.criterion for one in done.accepted):
        path = lab.folder / "agreement" / "tracks" / criterion / ROWS
        write_whole(path, _by_track(lab, done, criterion))
        job = Job(
            reads=path,
            protocol=lab.folder / "protocol.toml",
            subjects=lab.folder / "subjects.csv",
            criteria=(criterion,),
            resamples=RESAMPLES,
        )
        for name, text in compare(job).tables.items():
            yield f"agreement/tracks/{criterion}/{name}", text


def _by_track(lab: Lab, done: Done, criterion: str) -> str:
    """The rows of the reads that count by a criterion, whose reader is called by the track."""
    tracks = {(one.subject, one.reader): str(one.track) for one in done.accepted if one.criterion == criterion}
    rows = read_measurements(lab.folder / ROWS, PartialDate.REFUSE).rows
    return measurements_csv(
        replace(row, reader=tracks[row.subject, row.reader]) for row in rows if (row.subject, row.reader) in tracks
    )
