"""Who takes part in a simulated core lab, how much each errs, and how the adjudicator chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mrecist.samples.readers.errors import Errors, published_errors

MANAGER, ADJUDICATOR, INVESTIGATOR = "Manager", "Adjudicator", "Site"
READERS = ("Reader A", "Reader B", "Reader C")
OUTLIER = READERS[-1]
ANEW = "own"
"""What the adjudicator chooses who accepts neither read: her own."""


def errors_of_everyone(*, outlier: bool = False) -> dict[str, Errors]:
    """Name -> errors; ``outlier`` makes the last reader one. The site errs as a reader does."""
    errors = published_errors()
    found = dict.fromkeys((*READERS, INVESTIGATOR), errors) | {ADJUDICATOR: errors.times(errors.adjudicator)}
    return found | ({OUTLIER: errors.times(errors.outlier)} if outlier else {})


def choose(differ: Mapping[str, Sequence[bool]], visits_alike: Mapping[str, int]) -> tuple[str, str]:
    """The read that the adjudicator accepts, and why.

    The read that agrees with her own view in more of the adjudicated variables; of equals the one with more visits alike, then the
    first. Where neither has her value of the first variable, she reads the case anew.

    Parameters
    ----------
    differ : read -> whether it differs from the adjudicator's own view in each adjudicated variable.
    visits_alike : read -> visits with the same response as in that view.
    """
    if all(found[0] for found in differ.values()):
        return ANEW, "neither read agrees with the adjudicator's view in the first adjudicated variable"
    read = min(differ, key=lambda name: (sum(differ[name]), -visits_alike[name]))
    alike = len(differ[read]) - sum(differ[read])
    return read, f"agrees with the adjudicator's view in {alike} of {len(differ[read])} adjudicated variables"
