"""The reads of a simulated core lab compared: reader with reader, and the accepted read of each case with that of the site."""

from __future__ import annotations

from collections.abc import Iterator

from mrecist.agreement.compare import Job, compare
from mrecist.rehearsal.lab import Lab
from mrecist.samples.readers.panel import READERS

RESAMPLES = 1000


def compare_reads(lab: Lab) -> Iterator[tuple[str, str]]:
    """Path in the folder and text of the tables of `mrecist agree`: ``agreement/readers``, and with ``--tracks`` ``agreement/tracks``."""
    jobs = {
        "readers": Job(reads=lab.folder / "results", readers=READERS, resamples=RESAMPLES),
        "tracks": Job(reads=lab.folder / "results", tracks=True, resamples=RESAMPLES),
    }
    for what, job in jobs.items():
        for name, text in compare(job).tables.items():
            yield f"agreement/{what}/{name}", text
