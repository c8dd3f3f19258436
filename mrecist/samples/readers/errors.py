"""How much a simulated reader errs: the values of ``errors.toml``, each with what it was set by."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("errors.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Standard deviations are of the natural logarithm of a diameter; the others are shares (``errors.toml`` says of what).

    ``adjudicator`` and ``outlier`` are what all of them are multiplied by for these two.
    """

    visit_sd: float
    bias_sd: float
    lesion_sd: float
    viable_lesion_sd: float
    viable_treated_sd: float
    whole_for_viable: float
    residual_seen: float
    more_lesions: float
    more_lesions_differ_sd: float
    choice_sd: float
    not_evaluable: float
    new_lesion_missed: float
    new_lesion_called: float
    new_lesion_taken_back: float
    non_target_missed: float
    non_target_called: float
    adjudicator: float
    outlier: float

    def times(self, factor: float) -> Errors:
        """Those of a reader who errs more, or less. What is true of the disease, and what a review takes back, stays."""
        return replace(self, **{name: min(getattr(self, name) * factor, _most(name)) for name in _OF_READER})


_OF_DISEASE = ("more_lesions", "more_lesions_differ_sd", "new_lesion_taken_back", "adjudicator", "outlier")
_OF_READER = tuple(one.name for one in fields(Errors) if one.name not in _OF_DISEASE)


def _most(name: str) -> float:
    return 10.0 if name.endswith("_sd") else 1.0


@cache
def published_errors() -> Errors:
    """The values of the file."""
    found = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return Errors(**{name: float(said["value"]) for name, said in found.items()})
