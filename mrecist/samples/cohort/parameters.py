"""What each simulated cohort is drawn from. Figures are near published ones where the study's document has any (``source``)."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

from mrecist.errors import InputError

DAYS_PER_MONTH = 30.4375


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A procedure that is repeated: every so many days, at most so often; from the day of ``entry`` or the start of treatment."""

    procedure: str
    every_days: int
    most: int
    at_entry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm. Medians are those of exponential times in months, as they happen (a scan sees a progression later), of a subject whose
    hazard no factor changes.

    ``complete`` and ``partial`` are the shares of subjects whose tumours respond unless progression or death comes first;
    ``untreatable_months`` is the median time to untreatable progression, 0 where the study has none. ``pseudo`` is the share whose sum
    rises at the first visit and is back at the second one, ``fatal`` the share of early deaths that are grade 5.
    """

    name: str
    os_months: float
    pfs_months: float
    complete: float
    partial: float
    resection: float = 0.0
    ablation: float = 0.0
    untreatable_months: float = 0.0
    pseudo: float = 0.0
    fatal: float = 0.0
    courses: tuple[Course, ...] = ()

    @property
    def death_rate(self) -> float:
        """Deaths a day."""
        return log(2) / (self.os_months * DAYS_PER_MONTH)

    @property
    def progression_rate(self) -> float:
        """Progressions a day. Independent of death, so the rate of progression or death is the sum of the two."""
        return log(2) / (self.pfs_months * DAYS_PER_MONTH) - self.death_rate

    @property
    def untreatable_rate(self) -> float:
        """Untreatable progressions a day."""
        return log(2) / (self.untreatable_months * DAYS_PER_MONTH)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerPlan:
    """A tumour marker: share that is above the limit at baseline, and share of these that falls to it or below."""

    test: str
    unit: str
    limit: float
    elevated: float
    converts: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Toxicity:
    """An adverse event: share of subjects that have it at any grade, and at grade 3 or 4."""

    term: str
    soc: str
    any_grade: float
    severe: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A column of subjects.csv that is 1 for a share of subjects, whose hazards of progression and death are ``hazard_ratio`` times
    those of the others; recorded of the share ``known``.
    """

    column: str
    share: float
    hazard_ratio: float
    known: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Disease outside the liver at baseline: the share of subjects with it, and of these the shares that progress there by the first
    visit, that are never evaluable there, and that respond there unless progression or death comes first.
    """

    disease: float
    progresses: float
    unevaluable: float
    responds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The treatment before the study: shares of its responses (the rest is not recorded), and of targets that were treated, have progressed
    since, and of which that is not known.
    """

    responses: tuple[tuple[str, float], ...]
    treated: float
    progressed: float
    not_known: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A study: its size, its arms, and what its visits and losses are like.

    ``entry`` are the date columns of subjects.csv that fall on the first day, ``treated`` those of the start of treatment, which is
    ``lead`` days (from, to) later. All hazards start with the treatment. Visits are up to ``late_days`` later than they are due.
    ``outside`` is the share of progressions that are outside the liver, ``child_pugh_b`` that of subjects with class B at baseline.
    ``confirms`` says that a visit follows the one that shows a progression. ``words`` are other columns of subjects.csv, with the share of
    each value.
    """

    name: str
    source: str
    subjects: int
    arms: tuple[Arm, ...]
    measure: str
    entry: tuple[str, ...]
    treated: tuple[str, ...]
    lead: tuple[int, int]
    markers: tuple[MarkerPlan, ...] = ()
    toxicities: tuple[Toxicity, ...] = ()
    ctcae_version: str = "5.0"
    factor: Factor | None = None
    spread: Spread | None = None
    before: Before | None = None
    outside: float = 0.25
    child_pugh_b: float = 0.0
    confirms: bool = False
    words: tuple[tuple[str, tuple[tuple[str, float], ...]], ...] = ()
    prior_line_known: float | None = None
    first_visit_response: float = 0.6
    late_days: int = 6
    missed: float = 0.03
    lost_per_year: float = 0.08
    accrual_days: int = 365
    follow_up_days: int = 730

    @property
    def leads(self) -> range:
        """Every possible number of days from the first day to the start of treatment; all are as likely."""
        return range(self.lead[0], self.lead[1] + 1)


_SKIN, _GUT, _TESTS = "Skin and subcutaneous tissue disorders", "Gastrointestinal disorders", "Investigations"
_GENERAL = "General disorders and administration site conditions"


def _toxicity(term: str, soc: str, any_grade: float, severe: float) -> Toxicity:
    return Toxicity(term=term, soc=soc, any_grade=any_grade, severe=severe)


_REGORAFENIB = (
    _toxicity("Palmar-plantar erythrodysesthesia syndrome", _SKIN, 0.21, 0.05),
    _toxicity("Hypertension", "Vascular disorders", 0.20, 0.04),
    _toxicity("Diarrhea", _GUT, 0.15, 0.03),
    _toxicity("Platelet count decreased", _TESTS, 0.13, 0.04),
    _toxicity("Aspartate aminotransferase increased", _TESTS, 0.11, 0.03),
    _toxicity("Proteinuria", "Renal and urinary disorders", 0.08, 0.01),
)
_INFUSION = (
    _toxicity("Nausea", _GUT, 0.29, 0.0),
    _toxicity("Abdominal pain", _GUT, 0.29, 0.02),
    _toxicity("Fever", _GENERAL, 0.11, 0.0),
    _toxicity("Vomiting", _GUT, 0.08, 0.0),
)
_TACE_HAIC = (
    # Of 162 patients 15 with myelosuppression of grade 3 or 4 and one with a liver abscess, as the entry of NCT06071052 cites.
    _toxicity("White blood cell decreased", _TESTS, 0.25, 15 / 162),
    _toxicity("Hepatic infection", "Infections and infestations", 1 / 162, 1 / 162),
)
# Cao 2022: of 38 patients after HAIC, of 57 by its tables 2 and 3 (any grade, grade 3 and 4).
_CAO = (
    _toxicity("Palmar-plantar erythrodysesthesia syndrome", _SKIN, 8 / 38, 2 / 57),
    _toxicity("Platelet count decreased", _TESTS, 5 / 38, 0.02),
    _toxicity("Anemia", "Blood and lymphatic system disorders", 4 / 38, 0.02),
    _toxicity("Aspartate aminotransferase increased", _TESTS, 4 / 38, 0.02),
    _toxicity("Lymphocyte count decreased", _TESTS, 26 / 57, 11 / 57),
    _toxicity("White blood cell decreased", _TESTS, 11 / 57, 3 / 57),
    _toxicity("Hypoalbuminemia", "Metabolism and nutrition disorders", 19 / 57, 0.0),
    _toxicity("Alkaline phosphatase increased", _TESTS, 3 / 57, 2 / 57),
    _toxicity("Blood bilirubin increased", _TESTS, 17 / 57, 2 / 57),
    _toxicity("Diarrhea", _GUT, 0.06, 1 / 57),
    _toxicity("Hypertension", "Vascular disorders", 0.06, 1 / 57),
    _toxicity("Nausea", _GUT, 11 / 38, 0.0),
    _toxicity("Abdominal pain", _GUT, 11 / 38, 1 / 57),
    _toxicity("Fever", _GENERAL, 4 / 38, 0.0),
    _toxicity("Vomiting", _GUT, 3 / 38, 0.0),
)
COMPLICATIONS: dict[str, tuple[tuple[str, float], ...]] = {
    "HEPATECTOMY": (("I", 0.12), ("II", 0.12), ("IIIa", 0.08), ("IIIb", 0.04), ("IVa", 0.02)),
    "ABLATION": (("I", 0.10), ("II", 0.04), ("IIIa", 0.03)),
    "RFA": (("I", 0.10), ("II", 0.04), ("IIIa", 0.03)),
    "TACE": (("I", 0.20), ("II", 0.05), ("IIIa", 0.01)),
    "HAIC": (("I", 0.10), ("II", 0.03), ("IIIa", 0.005)),
}
"""Share of each procedure with a worst complication of that grade (Clavien-Dindo); the others have none."""
OUTCOMES: dict[str, tuple[tuple[str, float], ...]] = {
    "HEPATECTOMY": (("R0", 0.85), ("R1", 0.15)),
    "ABLATION": (("complete", 0.9), ("incomplete", 0.1)),
    "RFA": (("complete", 0.9), ("incomplete", 0.1)),
}
"""Margin of a resection, completeness of an ablation."""
_CEA = MarkerPlan(test="CEA", unit="ug/L", limit=5.0, elevated=0.75, converts=0.30)
_CA199 = MarkerPlan(test="CA19-9", unit="U/mL", limit=35.0, elevated=0.55, converts=0.35)

STUDIES: dict[str, Study] = {
    study.name: study
    for study in (
        Study(
            name="NCT06071052",
            source="ORR 35.3 %, PFS 7.6 and OS 15.7 months of DEBIRI-TACE with regorafenib, as its entry cites; the number is ours",
            subjects=60,
            arms=(
                Arm(
                    name="DEBIRI-TACE+HAIC+regorafenib",
                    os_months=15.7,
                    pfs_months=7.6,
                    complete=0.03,
                    partial=0.42,
                    resection=0.12,
                    ablation=0.08,
                    fatal=0.1,
                    courses=(
                        Course(procedure="TACE", every_days=42, most=3),
                        Course(procedure="HAIC", every_days=42, most=3),
                    ),
                ),
            ),
            measure="viable",
            entry=("randomisation",),
            treated=("first_procedure", "first_dose"),
            lead=(0, 7),
            markers=(_CEA, _CA199),
            toxicities=(*_REGORAFENIB, *_INFUSION, *_TACE_HAIC),
            ctcae_version="4.03",
        ),
        Study(
            name="NCT05233358",
            source="176 subjects in two arms, as its entry says; it has no results, so the times and rates are ours",
            subjects=176,
            arms=(
                Arm(
                    name="TACE",
                    os_months=12.0,
                    pfs_months=4.5,
                    complete=0.04,
                    partial=0.22,
                    untreatable_months=7.0,
                    fatal=0.1,
                    courses=(Course(procedure="TACE", every_days=42, most=2),),
                ),
                Arm(
                    name="HAIC",
                    os_months=15.0,
                    pfs_months=6.5,
                    complete=0.06,
                    partial=0.38,
                    untreatable_months=10.0,
                    fatal=0.1,
                    courses=(Course(procedure="HAIC", every_days=21, most=6),),
                ),
            ),
            measure="viable",
            entry=("enrolment", "randomisation"),
            treated=("first_procedure", "first_dose"),
            lead=(1, 7),
            toxicities=(*_REGORAFENIB, *_INFUSION),
            # The entry excludes a CR before; a few are there so that eligibility.csv has each answer.
            before=Before(
                responses=(("PR", 0.25), ("SD", 0.35), ("PD", 0.35), ("CR", 0.03)),
                treated=0.8,
                progressed=0.9,
                not_known=0.03,
            ),
            child_pugh_b=0.3,
        ),
        Study(
            name="NCT06988852",
            source="300 subjects, conversion 17.8 to 66 % with HAIC, OS 35 months after resection, as its entry cites",
            subjects=300,
            arms=(
                Arm(
                    name="FOLFOX-HAIC",
                    os_months=30.0,
                    pfs_months=12.0,
                    complete=0.04,
                    partial=0.56,
                    resection=0.48,
                    courses=(Course(procedure="HAIC", every_days=21, most=6),),
                ),
            ),
            measure="longest",
            entry=("enrolment",),
            treated=("first_procedure", "first_dose"),
            lead=(1, 7),
            markers=(_CEA, _CA199),
            toxicities=_INFUSION,
            words=(("antibody", (("bevacizumab", 0.6), ("cetuximab", 0.4))),),
            follow_up_days=1095,
        ),
        Study(
            name="regorafenib-toripalimab-rfa",
            source="its entry has no number and no results: all figures are ours",
            subjects=40,
            arms=(
                Arm(
                    name="regorafenib+toripalimab+RFA",
                    os_months=12.0,
                    pfs_months=4.0,
                    complete=0.02,
                    partial=0.28,
                    pseudo=0.08,
                    fatal=0.1,
                    courses=(Course(procedure="RFA", every_days=1, most=1),),
                ),
            ),
            measure="longest",
            entry=("randomisation",),
            treated=("first_dose",),
            lead=(1, 7),
            toxicities=_REGORAFENIB,
            confirms=True,
        ),
        Study(
            name="Cao2022",
            source="57 subjects, of 50 the prior line known (13 and 37), of 43 the dose (13 below 120 mg), PFS 10.8 and OS 20.8 months, PR "
            "in 20 of 40 in the liver and 4 of 30 outside, adverse events",
            subjects=57,
            arms=(
                Arm(
                    name="HAIC+regorafenib",
                    os_months=11.0,
                    pfs_months=6.9,
                    complete=0.0,
                    partial=0.605,
                    courses=(Course(procedure="HAIC", every_days=31, most=4, at_entry=True),),
                ),
            ),
            measure="viable",
            entry=("first_procedure",),
            treated=("first_dose",),
            lead=(5, 14),
            markers=(_CEA,),
            toxicities=_CAO,
            # Table 1: 13 with 40 or 80 mg, 30 with 120 or 160 mg, 14 missing. The ratio is ours (the paper: 0.21 for PFS, 0.043 for OS).
            factor=Factor(column="dose_120_or_more", share=30 / 43, hazard_ratio=0.4, known=43 / 57),
            # Table 1: of 57 subjects 30 with an answer outside the liver: 4 PR, 7 SD, 7 PD, 12 other.
            spread=Spread(disease=30 / 57, progresses=7 / 30, unevaluable=12 / 30, responds=4 / 30),
            outside=0.35,
            child_pugh_b=0.05,
            prior_line_known=50 / 57,
            missed=0.08,
        ),
    )
}
"""Every study by its name, which is also that of its protocol in ``mrecist/samples/studies``."""


def study_named(name: str) -> Study:
    """The study of that name, capitals do not matter; raises :class:`InputError` when there is none."""
    by_name = {one.casefold(): study for one, study in STUDIES.items()}
    if name.casefold() not in by_name:
        raise InputError(f"simulate: there is no study '{name}'; there are {', '.join(STUDIES)}")
    return by_name[name.casefold()]
