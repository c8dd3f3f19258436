"""Who takes part in a simulated core lab, how much each errs, and how the adjudicator chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mrecist.samples.readers.errors import Errors, published_errors

MANAGER, ADJUDICATOR, INVESTIGATOR = "Manager", "Adjudicator", "Investigator"
READERS = ("Reader A", "Reader B", "Reader C")
OUTLIER = READERS[-1]
ANEW = "own"
"""What the adjudicator chooses who agrees with neither read: to read the case anew."""


def errors_of_everyone(*, outlier: bool = False) -> dict[str, Errors]:
    """Name -> errors; ``outlier`` makes the last reader one. The investigator errs as a reader does."""
    errors = published_errors()
    found = dict.fromkeys((*READERS, INVESTIGATOR), errors) | {ADJUDICATOR: errors.times(errors.adjudicator)}
    return found | ({OUTLIER: errors.times(errors.outlier)} if outlier else {})


def choose(differ: Mapping[str, Sequence[bool]], visits_alike: Mapping[str, int]) -> tuple[str, str]:
    """The read that the adjudicator accepts, and why.

    Parameters
    ----------
    differ : read -> whether it differs from the adjudicator's own view in each adjudicated variable.
    visits_alike : read -> visits with the same response as in that view; decides between equals, then the first read does.
    """
    if all(all(found) for found in differ.values()):
        return ANEW, "neither read agrees with the adjudicator's in anything that is adjudicated"
    read = min(differ, key=lambda name: (sum(differ[name]), -visits_alike[name]))
    alike = len(differ[read]) - sum(differ[read])
    return read, f"agrees with the adjudicator's view in {alike} of {len(differ[read])} adjudicated variables"
