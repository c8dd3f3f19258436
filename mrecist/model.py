"""The words that everything shares: what a reader recorded, and what follows from it. Standard library only.

A :class:`Measurement` is one row of ``measurements.csv``: the place where imaging and criteria meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class Role(StrEnum):
    """What a lesion is for the criteria."""

    TARGET = "target"
    NON_TARGET = "non-target"
    NEW = "new"


class Kind(StrEnum):
    """Lesion or lymph node; a node enters the sum by its short axis."""

    LESION = "lesion"
    NODE = "node"


class State(StrEnum):
    """What the reader saw of a lesion at a visit. The first five are for targets."""

    MEASURED = "measured"
    ABSENT = "absent"
    TOO_SMALL = "too-small"
    NOT_EVALUABLE = "not-evaluable"
    MERGED = "merged"
    PRESENT = "present"
    PROGRESSED = "progressed"
    UNEQUIVOCAL = "unequivocal"
    EQUIVOCAL = "equivocal"


STATES_OF = {
    Role.TARGET: (State.MEASURED, State.ABSENT, State.TOO_SMALL, State.NOT_EVALUABLE, State.MERGED),
    Role.NON_TARGET: (State.PRESENT, State.ABSENT, State.PROGRESSED, State.NOT_EVALUABLE),
    Role.NEW: (State.UNEQUIVOCAL, State.EQUIVOCAL, State.ABSENT),
}


class Basis(StrEnum):
    """mRECIST: the diameter by which a target is followed, fixed at baseline."""

    VIABLE = "viable"
    OVERALL = "overall"


class Pattern(StrEnum):
    """Enhancement of a new or atypical liver nodule."""

    TYPICAL = "typical"
    ATYPICAL = "atypical"
    NONE = "none"


class Change(StrEnum):
    """Change of an unmeasured lesion since the last visit."""

    INCREASE = "increase"
    DECREASE = "decrease"
    NONE = "none"


class LocalTherapy(StrEnum):
    """Local treatment of a lesion: in a baseline row before the study, in a follow-up row since the visit before."""

    RESECTION = "resection"
    ABLATION = "ablation"
    EMBOLISATION = "embolisation"
    RADIATION = "radiation"
    OTHER = "other"


class Cytology(StrEnum):
    """What is known of an effusion or ascites."""

    MALIGNANT = "malignant"
    BENIGN = "benign"
    NOT_DONE = "not-done"


class YesNo(StrEnum):
    """A fact that was asked; not asked is None."""

    YES = "yes"
    NO = "no"


class LiradsResponse(StrEnum):
    """LI-RADS treatment response category of one lesion. No time-point response follows from it."""

    VIABLE = "viable"
    EQUIVOCAL = "equivocal"
    NONVIABLE = "nonviable"
    NONPROGRESSING = "nonprogressing"
    NONEVALUABLE = "nonevaluable"


class LiradsVersion(StrEnum):
    """The algorithm that gave a LI-RADS treatment response."""

    V2018 = "2018"
    V2024_NONRADIATION = "2024-nonradiation"
    V2024_RADIATION = "2024-radiation"


class Response(StrEnum):
    """Response categories of a time point and of a subject; those with an i are of iRECIST."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    NON_CR_NON_PD = "NON-CR/NON-PD"
    PD = "PD"
    NE = "NE"
    NA = "NA"
    MISSING = "MISSING"
    ICR = "iCR"
    IPR = "iPR"
    ISD = "iSD"
    NON_ICR_NON_IUPD = "NON-iCR/NON-iUPD"
    IUPD = "iUPD"
    ICPD = "iCPD"


class NewLesion(StrEnum):
    """Whether a new lesion is there at a visit."""

    YES = "yes"
    NO = "no"
    EQUIVOCAL = "equivocal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One lesion of one subject at one time point as one reader recorded it; sizes in mm, mm3, HU; None = not given."""

    subject: str
    timepoint: int
    # None only for a mask that holds no date (NIfTI); no response is derived without one.
    date: date | None
    reader: str = "R1"
    lesion: str
    role: Role
    kind: Kind = Kind.LESION
    organ: str = ""
    station: str = ""
    state: State
    longest_mm: Decimal | None = None
    short_mm: Decimal | None = None
    viable_mm: Decimal | None = None
    viable_short_mm: Decimal | None = None
    volume_mm3: Decimal | None = None
    viable_volume_mm3: Decimal | None = None
    mean_hu: Decimal | None = None
    # Share of the lesion that is very dense on CT, in %; 0: looked for and not found.
    dense_percent: Decimal | None = None
    # Every viable focus of the lesion by its longest diameter, when a reader recorded more than the longest one.
    viable_foci_mm: tuple[Decimal, ...] = ()
    # Size columns that the reader set by hand: they stand where a mask gives another number.
    manual: tuple[str, ...] = ()
    basis: Basis | None = None
    part_of: str = ""
    pattern: Pattern | None = None
    change: Change | None = None
    # Choi: a nodule inside the target, "increase" also for a new one.
    intratumoral_nodule: Change | None = None
    local_therapy: LocalTherapy | None = None
    progressed_since: YesNo | None = None
    imaged_at_baseline: YesNo | None = None
    lipiodol: YesNo | None = None
    cytology: Cytology | None = None
    lirads_tr: LiradsResponse | None = None
    lirads_version: LiradsVersion | None = None
    modality: str = ""
    phase: str = ""
    slice_thickness_mm: Decimal | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a case could not be done: which one, and one line for a person."""

    subject: str
    message: str
    reader: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nadir:
    """The smallest complete sum so far and the time point that gave it."""

    sum: Decimal
    timepoint: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitResponse:
    """One row of ``responses.csv``: one subject x reader x criterion x time point.

    At baseline (time point 0) the four responses are None: there is nothing to respond to yet.
    """

    subject: str
    reader: str
    criterion: str
    timepoint: int
    date: date
    sum: Decimal | None
    unit: str
    baseline_sum: Decimal | None
    nadir: Nadir | None
    target: Response | None
    non_target: Response | None
    new_lesion: NewLesion | None
    overall: Response | None
    flags: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BestResponse:
    """One row of ``best_responses.csv``: one subject x reader x criterion."""

    subject: str
    reader: str
    criterion: str
    best_unconfirmed: Response
    best_confirmed: Response
    first_response_date: date | None
    confirmed_response_date: date | None
    progression_date: date | None
    last_assessment_date: date | None
    flags: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """The smallest change of a size (in the criterion's unit, always above 0) that gives another category, and which."""

    by: Decimal
    gives: Response


@dataclass(frozen=True, slots=True, kw_only=True)
class LesionMargins:
    """How far one lesion alone, the others as they are, is from changing the overall response; None = it cannot."""

    lesion: str
    size: Decimal
    less: Flip | None
    more: Flip | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """How far a visit is from another category, in ``unit``; None = no change of the sizes in that direction gives one.

    ``less`` and ``more`` are the smallest fall and rise of the sum that change the overall response, spread over the lesions in
    the way that needs least; ``target_less`` and ``target_more`` likewise for the target response. ``step`` is the precision.
    """

    unit: str
    step: Decimal
    overall: Response
    less: Flip | None
    more: Flip | None
    target: Response
    target_less: Flip | None
    target_more: Flip | None
    lesions: tuple[LesionMargins, ...]

    def nearest_lesion(self) -> tuple[str, Decimal, Response] | None:
        """The lesion that changes the overall response by the smallest change of its own: (lesion, signed change, gives)."""
        found: list[tuple[Decimal, str, Decimal, Response]] = []
        for one in self.lesions:
            if one.less is not None:
                found.append((one.less.by, one.lesion, -one.less.by, one.less.gives))
            if one.more is not None:
                found.append((one.more.by, one.lesion, one.more.by, one.more.gives))
        # By name where several need the same, so that the order of the rows does not matter.
        return min(found, key=lambda flip: flip[:2])[1:] if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitStability:
    """How firmly one time-point response stands: one row of ``stability.csv``.

    ``margins`` is None where the sum is not complete. ``shares`` are the categories of the visits drawn with measurement error,
    with how often each came; empty where no target of the visit was measured. ``less_likely`` says that the reported one came less often
    than the protocol's level.
    """

    subject: str
    reader: str
    criterion: str
    timepoint: int
    date: date
    sum: Decimal | None
    unit: str
    target: Response
    overall: Response
    margins: Margins | None
    shares: Mapping[Response, Decimal]
    level: Decimal
    # How many sizes of the read were drawn with a standard deviation of their own.
    own_sd: int = 0

    @property
    def share(self) -> Decimal | None:
        """How often the reported overall response came."""
        return self.shares.get(self.overall, Decimal(0)) if self.shares else None

    @property
    def less_likely(self) -> bool:
        """The reported response came less often than the level."""
        return self.share is not None and self.share < self.level


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectDates:
    """Dates by subject that the tables of the study give.

    ``origins`` start the clock of stable disease, None when the protocol names no origin (the baseline scan then).
    ``new_therapy`` ends what counts from day 1 on, where the protocol's ``cut`` says so; None when the table that tells it was not given.
    """

    origins: Mapping[str, date] | None = None
    new_therapy: Mapping[str, date] | None = None
