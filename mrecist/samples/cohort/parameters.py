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
    """One arm. Medians are those of exponential times in months, as they happen (a scan sees a progression later).

    ``complete`` and ``partial`` are the shares of subjects whose tumours respond unless progression or death comes first;
    ``untreatable_months`` is the median time to untreatable progression, 0 where the study has none.
    """

    name: str
    os_months: float
    pfs_months: float
    complete: float
    partial: float
    resection: float = 0.0
    ablation: float = 0.0
    untreatable_months: float = 0.0
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
class Study:
    """A study: its size, its arms, and what its visits and losses are like.

    ``entry`` are the date columns of subjects.csv that fall on the first day, ``treated`` those of the start of treatment, which is
    ``lead`` days (from, to) later. All hazards start with the treatment. Visits are up to ``late_days`` later than they are due.
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


_HFS = Toxicity(
    term="Palmar-plantar erythrodysesthesia syndrome",
    soc="Skin and subcutaneous tissue disorders",
    any_grade=0.21,
    severe=0.05,
)
_REGORAFENIB = (
    _HFS,
    Toxicity(term="Hypertension", soc="Vascular disorders", any_grade=0.20, severe=0.04),
    Toxicity(term="Diarrhea", soc="Gastrointestinal disorders", any_grade=0.15, severe=0.03),
    Toxicity(term="Platelet count decreased", soc="Investigations", any_grade=0.13, severe=0.04),
    Toxicity(term="Aspartate aminotransferase increased", soc="Investigations", any_grade=0.11, severe=0.03),
)
_INFUSION = (
    Toxicity(term="Nausea", soc="Gastrointestinal disorders", any_grade=0.29, severe=0.0),
    Toxicity(term="Abdominal pain", soc="Gastrointestinal disorders", any_grade=0.29, severe=0.02),
    Toxicity(term="Fever", soc="General disorders and administration site conditions", any_grade=0.11, severe=0.0),
    Toxicity(term="Vomiting", soc="Gastrointestinal disorders", any_grade=0.08, severe=0.0),
)
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
            toxicities=(*_REGORAFENIB, *_INFUSION),
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
                    courses=(Course(procedure="TACE", every_days=42, most=3),),
                ),
                Arm(
                    name="HAIC",
                    os_months=15.0,
                    pfs_months=6.5,
                    complete=0.06,
                    partial=0.38,
                    untreatable_months=10.0,
                    courses=(Course(procedure="HAIC", every_days=21, most=6),),
                ),
            ),
            measure="viable",
            entry=("enrolment", "randomisation"),
            treated=("first_procedure", "first_dose"),
            lead=(1, 7),
            toxicities=(*_REGORAFENIB, *_INFUSION),
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
                    courses=(Course(procedure="RFA", every_days=1, most=1),),
                ),
            ),
            measure="longest",
            entry=("randomisation",),
            treated=("first_dose",),
            lead=(1, 7),
            toxicities=_REGORAFENIB,
        ),
        Study(
            name="Cao2022",
            source="57 subjects, of 50 the prior line known (13 and 37), PFS 10.8 and OS 20.8 months, PR in 20 of 40, adverse events",
            subjects=57,
            arms=(
                Arm(
                    name="HAIC+regorafenib",
                    os_months=20.8,
                    pfs_months=10.8,
                    complete=0.0,
                    partial=0.55,
                    courses=(Course(procedure="HAIC", every_days=31, most=4, at_entry=True),),
                ),
            ),
            measure="viable",
            entry=("first_procedure",),
            treated=("first_dose",),
            lead=(5, 14),
            markers=(_CEA,),
            toxicities=(*_REGORAFENIB, *_INFUSION),
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
