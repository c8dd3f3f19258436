"""What a protocol settles: how visits become responses, how masks become sizes, when visits are due."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRules:
    """``[response]`` and ``[response.confirm]``: how visits become a best response."""

    sd_min_days: int = 42
    cr_then_worse: str = "pd"
    cut: tuple[str, ...] = ("first_pd",)
    data_cutoff: date | None = None
    no_assessment: str = "NE"
    after_pd: str = "show"
    confirm_required: bool = False
    confirm_min_days: int = 28
    confirm_max_ne_between: int = 1
    confirm_sd_between: bool = False
    # ``schedule.assessment_date``: which scan dates a visit with several, as a progression and as any other response.
    response_date: str = "latest_scan"
    progression_date: str = "earliest_scan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """``[measurement]``: how masks become recorded sizes."""

    convention: str = ""
    max_gap_mm: float = 0.0
    round_mm: Decimal = Decimal("0.1")
    # CT voxels from this HU on are taken off the viable part where that can be told; 0: nothing is taken off.
    dense_hu: float = 0.0
    # Whether volumes are told of irregular and tilted stacks too, after resampling them.
    resample: bool = False
    # The phase that headers state goes into rows from this confidence on; below it, it is UNKNOWN (A27).
    phase_confidence: str = "medium"


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """``[study]``: what the tables of the study are grouped by, and how long a month is."""

    id: str = ""
    arms: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    subgroups: tuple[str, ...] = ()
    days_per_month: Decimal = Decimal("30.4375")


@dataclass(frozen=True, slots=True, kw_only=True)
class Readers:
    """``[readers]``: whose responses are the study's. ``accepted`` is a name in the tables; empty where nobody was named."""

    plan: str = ""
    adjudicate_on: tuple[str, ...] = ()
    accepted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyRules:
    """``[safety]``: which adverse events are counted, of whom. ``asked``: the protocol has the section.

    ``window_days`` counts from the last of ``last_treatment``; None: no end. ``clavien_days``: windows of complications,
    rising; none: no end.
    """

    asked: bool = False
    ctcae_version: str = ""
    population: str = "treated"
    last_treatment: tuple[str, ...] = ()
    window_days: int | None = None
    clavien_procedures: tuple[str, ...] = ()
    clavien_days: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityRules:
    """``[eligibility]``: the criteria by which a lesion has to be measurable, and the column of the response before the study."""

    asked: bool = False
    measurable: tuple[str, ...] = ()
    treated_need_progression: bool = True
    prior_response: str = ""
    low_response: tuple[str, ...] = ("PR", "SD")
    failure: tuple[str, ...] = ("PD",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """``[origin]``: day 1. ``procedure`` names the one that ``first_procedure`` means; empty: the column of subjects.csv."""

    event: str = ""
    procedure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EveryWeeks:
    """One stretch of the schedule: a visit every so many weeks until that week, or for ever (None)."""

    every_weeks: int
    until_week: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When assessments are due, counted from the origin: ``[schedule]`` and ``origin.baseline_window_days``."""

    visits: tuple[EveryWeeks, ...] = ()
    window_days: int = 7
    baseline_window_days: int = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementError:
    """``[stability]``: the standard deviation of one measurement, in % of the size and in mm, added in quadrature.

    The defaults are published reader variability; docs/stability.md derives each number.
    """

    lesion_percent: Decimal = Decimal("8.6")
    lesion_mm: Decimal = Decimal(0)
    node_percent: Decimal = Decimal(0)
    node_mm: Decimal = Decimal("1.02")
    viable_baseline_percent: Decimal = Decimal("14.3")
    viable_percent: Decimal = Decimal("25.8")
    viable_mm: Decimal = Decimal(0)
    volume_percent: Decimal = Decimal("15.9")
    viable_volume_percent: Decimal = Decimal("25.8")


@dataclass(frozen=True, slots=True, kw_only=True)
class StabilityRules:
    """``[stability]``: how the probability of each category is found, and below which one a response is flagged."""

    asked: bool = False
    level: Decimal = Decimal("0.8")
    draws: int = 1000
    seed: int = 0
    correlation: Decimal = Decimal(0)
    # How often `score` draws the outlines of every mask again; 0: the standard deviations of `error` stand for all sizes.
    repeat: int = 0
    error: MeasurementError = field(default_factory=MeasurementError)
