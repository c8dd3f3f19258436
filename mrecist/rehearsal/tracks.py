"""The reads of a simulated core lab compared: reader with reader, and the accepted read of each case with that of the site."""

from __future__ import annotations

from collections.abc import Iterator

from mrecist.agreement.compare import Job, compare
from mrecist.rehearsal.lab import Lab
from mrecist.rehearsal.work import Done
from mrecist.samples.readers.panel import ADJUDICATOR, READERS
from mrecist.tables.accepted import AcceptedAs

RESAMPLES = 1000


def compare_reads(lab: Lab, done: Done) -> Iterator[tuple[str, str]]:
    """Path in the folder and text of the tables of `mrecist agree`: ``agreement/readers``, and with ``--tracks`` ``agreement/tracks``."""
    anew = any(one.accepted_as is AcceptedAs.REREAD for one in done.accepted)
    jobs = {
        "readers": Job(
            reads=lab.folder / "results",
            readers=READERS,
            adjudicator=ADJUDICATOR if anew else "",
            resamples=RESAMPLES,
        ),
        "tracks": Job(reads=lab.folder / "results", tracks=True, resamples=RESAMPLES),
    }
    for what, job in jobs.items():
        for name, text in compare(job).tables.items():
            yield f"agreement/{what}/{name}", text
