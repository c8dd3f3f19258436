"""The truth of a simulated cohort: its closed forms against brute force, and its events against what the engine finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from math import exp, log, sqrt
from pathlib import Path

import numpy as np
import pytest
from simulated import Finished, finished

from mrecist.checklist import Severity
from mrecist.checks.run import check_table
from mrecist.model import Response
from mrecist.protocol import load_protocol
from mrecist.samples.cohort import build
from mrecist.samples.cohort.known import Known, known_values
from mrecist.samples.cohort.parameters import STUDIES, Arm, Study
from mrecist.samples.cohort.subject import Subject
from mrecist.tables import read_measurements, read_subject_dates

NAMES = ("NCT06071052", "NCT05233358", "NCT06988852", "regorafenib-toripalimab-rfa", "Cao2022")


# --- closed forms against brute force --------------------------------------------------------------------------------


def drawn(
    study: Study, arm: Arm, visits_at_entry: bool, every: int, n: int = 200_000, early: float = 0.0
) -> dict[str, np.ndarray]:
    """Times in days by brute force, from the description in docs/studies.md and not from the simulator: one row a subject.

    Visits are every ``every`` days; exponential times in whole days from the start of treatment, uniform leads and lateness. The share
    ``early`` progresses by the first visit; those with the study's factor have its ratio of the hazards.
    """
    rng = np.random.default_rng(99)
    lead = rng.integers(study.lead[0], study.lead[1] + 1, n)
    ratio = np.ones(n)
    if study.factor is not None:
        ratio[rng.random(n) < study.factor.share] = study.factor.hazard_ratio
    death = lead + np.ceil(rng.exponential(arm.os_months * 30.4375 / log(2), n) / ratio)
    rate = log(2) / 30.4375 * (1 / arm.pfs_months - 1 / arm.os_months)
    progression = lead + np.ceil(rng.exponential(1 / rate, n) / ratio)
    by_first = rng.random(n) < early
    seen = np.full(n, np.inf)
    first = np.zeros((2, n))
    for number, day in enumerate(np.arange(1, 120) * every):
        visit = day + (0 if visits_at_entry else lead) + rng.integers(0, study.late_days + 1, n)
        if number == 0:
            progression = np.where(by_first, visit, progression)
        if number < 2:
            first[number] = visit
        seen = np.where((seen == np.inf) & (visit >= progression), visit, seen)
    return {
        "lead": lead,
        "death": death,
        "progression": progression,
        "seen": seen,
        "first": first[0],
        "second": first[1],
        "early": by_first,
    }


def value(found: tuple[Known, ...], endpoint: str, estimate: str, months: int | None = None) -> float:
    (one,) = (k.value for k in found if (k.endpoint, k.estimate, k.months) == (endpoint, estimate, months))
    return one


def known(name: str) -> tuple[Known, ...]:
    study = STUDIES[name]
    return tuple(known_values(study, load_protocol(build.protocol_file(study))))


def close(found: float, truth: np.ndarray) -> bool:
    """Four standard errors of the brute force."""
    share = float(np.mean(truth))
    return abs(found - share) < 4 * sqrt(share * (1 - share) / len(truth))


def test_times_from_two_origins() -> None:
    """Cao 2022: from the first HAIC, on which visits are timed, and from regorafenib 5 to 14 days later."""
    study = STUDIES["Cao2022"]
    assert study.spread is not None
    early = study.spread.disease * study.spread.progresses
    world = drawn(study, study.arms[0], visits_at_entry=True, every=42, early=early)
    year = 12 * 30.4375
    either = np.minimum(world["seen"], world["death"])
    found = known("Cao2022")
    assert close(value(found, "OS_HAIC", "survival", 12), world["death"] + 1 > year)
    assert close(value(found, "OS_REGORAFENIB", "survival", 12), world["death"] - world["lead"] + 1 > year)
    assert close(value(found, "PFS_HAIC", "survival", 12), either + 1 > year)
    assert close(value(found, "PFS_REGORAFENIB", "survival", 12), either - world["lead"] + 1 > year)
    assert close(value(found, "TTP", "survival", 12), world["seen"] + 1 > year)
    assert value(found, "OS_HAIC", "median") * 30.4375 == pytest.approx(float(np.median(world["death"] + 1)), abs=8)


def test_responses_in_and_outside_the_liver() -> None:
    """Cao 2022, of those who live to the first visit: a progression outside the liver leaves the liver stable, and the other way round.

    Of those with disease outside the liver some progress there by the first visit, some are never evaluable, some respond.
    """
    study = STUDIES["Cao2022"]
    (arm,), spread = study.arms, study.spread
    assert spread is not None
    world = drawn(study, arm, visits_at_entry=True, every=42, early=spread.disease * spread.progresses)
    rng = np.random.default_rng(6)
    n = len(world["death"])
    lives, outside = world["death"] > world["first"], rng.random(n) < study.outside
    at = np.where(rng.random(n) < study.first_visit_response, world["first"], world["second"])
    well = (world["progression"] > at) & (world["death"] > at)
    progressed = world["progression"] <= world["first"]
    found = known("Cao2022")
    assert close(value(found, "LIVER_ORR", "rate"), ((rng.random(n) < arm.partial) & well)[lives])
    assert close(value(found, "LIVER_DCR", "rate"), (~progressed | world["early"] | outside)[lives])
    # Who progresses first has disease there; of the others the rest of the share that has it.
    kind = rng.random(n)
    rest = (spread.disease - spread.disease * spread.progresses) / (1 - spread.disease * spread.progresses)
    there = world["early"] | (kind < rest)
    split = rest / (1 - spread.progresses)
    responds = ~world["early"] & (kind < split * spread.responds)
    evaluable = ~world["early"] & (kind < split * (1 - spread.progresses - spread.unevaluable))
    assert close(value(found, "EXTRAHEPATIC_ORR", "rate"), (responds & well)[lives & there])
    assert close(value(found, "EXTRAHEPATIC_DCR", "rate"), (evaluable & (~progressed | ~outside))[lives & there])


def test_pseudoprogression_counts_by_recist_and_not_by_irecist() -> None:
    """Visits every 8 weeks; who has not progressed by the second visit may have a rise at the first that is gone at the second."""
    study = STUDIES["regorafenib-toripalimab-rfa"]
    (arm,) = study.arms
    world = drawn(study, arm, visits_at_entry=False, every=56)
    n = len(world["death"])
    rng = np.random.default_rng(7)
    false = (rng.random(n) < arm.pseudo) & (world["progression"] > world["second"])
    by_recist = np.where(false, world["first"], world["seen"])
    found = known(study.name)
    start = world["lead"] - 1
    for months in (6, 12):
        days = months * 30.4375
        assert close(value(found, "PFS", "survival", months), np.minimum(by_recist, world["death"]) - start > days)
        assert close(value(found, "iPFS", "survival", months), np.minimum(world["seen"], world["death"]) - start > days)
        assert close(value(found, "iTTP", "survival", months), world["seen"] - start > days)
    median = np.median(np.minimum(by_recist, world["death"]) - start)
    assert value(found, "PFS", "median") * 30.4375 == pytest.approx(float(median), abs=2)
    early = rng.random(n) < study.first_visit_response
    responds = rng.random(n) < arm.complete + arm.partial
    at = np.where(early, world["first"], world["second"])
    assert close(value(found, "ORR", "rate"), responds & ~false & (world["progression"] > at) & (world["death"] > at))
    at = np.where(early & ~false, world["first"], world["second"])
    assert close(value(found, "iORR", "rate"), responds & (world["progression"] > at) & (world["death"] > at))
    held = (world["progression"] > world["first"]) & (world["death"] > world["first"])
    assert close(value(found, "DCR", "rate"), held & ~false)
    assert close(value(found, "iDCR", "rate"), held & (~false | (world["death"] > world["second"])))


def test_adverse_events_and_eligibility() -> None:
    """NCT05233358: each event begins on one of the first 119 days unless death comes first; a tenth of the deaths in them are grade 5."""
    study = STUDIES["NCT05233358"]
    arm = study.arms[0]
    n = 100_000
    rng = np.random.default_rng(8)
    death = np.ceil(rng.exponential(arm.os_months * 30.4375 / log(2), n))
    fatal = (rng.random(n) < arm.fatal) & (death <= 119)
    draws = {one.term: rng.random(n) for one in study.toxicities}
    lives = {one.term: rng.integers(1, 120, n) < death for one in study.toxicities}
    either = {0: fatal.copy(), 3: fatal.copy()}
    for one in study.toxicities:
        either[0] |= (draws[one.term] < one.any_grade) & lives[one.term]
        either[3] |= (draws[one.term] < one.severe) & lives[one.term]
    found = {
        (k.table, k.endpoint, k.estimate): k.value
        for k in known(study.name)
        if k.arm == "TACE" and k.table != "estimates"
    }
    assert close(found["adverse_events", "", "any"], either[0])
    assert close(found["adverse_events", "", ">=3"], either[3])
    assert close(found["adverse_events", "", "5"], fatal)
    assert close(found["adverse_events", "Nausea", "any"], (draws["Nausea"] < 0.29) & lives["Nausea"])
    # By hand: of one or two targets each is untreated (0.2) or has progressed (0.8 x 0.9); PR, SD or PD before in 0.95.
    assert found["eligibility", "", "eligible"] == pytest.approx(0.95 * (0.92 + (1 - 0.08**2)) / 2)


def test_shares() -> None:
    """NCT06071052: visits every 8 weeks; response at the first (60 %) or second visit; surgery ten days after the second."""
    study = STUDIES["NCT06071052"]
    (arm,) = study.arms
    world = drawn(study, arm, visits_at_entry=True, every=56)
    n = len(world["death"])
    rng = np.random.default_rng(5)
    found = known("NCT06071052")
    at = np.where(rng.random(n) < study.first_visit_response, world["first"], world["second"])
    well = (world["progression"] > at) & (world["death"] > at)
    assert close(value(found, "ORR", "rate"), (rng.random(n) < arm.complete + arm.partial) & well)
    fit = (world["progression"] > world["second"]) & (world["death"] > world["second"] + 10)
    assert close(value(found, "RESECTION", "rate"), (rng.random(n) < 0.12) & fit)
    lived = world["death"] > world["first"]
    assert close(value(found, "CEA_NEGATIVE", "rate"), (rng.random(n) < 0.30) & lived)
    elevated = rng.random(n) < 0.75
    fell = rng.random(n) < 0.30
    assert close(value(found, "CEA_NEGATIVE_ALL", "rate"), elevated & fell & lived)
    both = fell & (rng.random(n) < 0.35)
    assert close(value(found, "MARKERS_NEGATIVE", "rate"), both & lived)
    assert close(value(found, "MARKERS_NEGATIVE_ALL", "rate"), elevated & (rng.random(n) < 0.55) & both & lived)


def test_a_resection_with_negative_margin_is_one_of_0_85_resections() -> None:
    """NCT06988852: docs/studies.md has the share of R0."""
    found = known("NCT06988852")
    assert value(found, "CTRR_R0", "rate") == pytest.approx(0.85 * value(found, "CTRR", "rate"), rel=1e-12)


def test_no_median_is_known_that_lies_beyond_the_horizon() -> None:
    """The median of OS of NCT05233358 with TACE is 12 months (from treatment); up to month 6 nobody sees it."""
    study = STUDIES["NCT05233358"]
    protocol = load_protocol(build.protocol_file(study))
    (os,) = (one for one in protocol.endpoints if one.id == "OS")
    for until, medians in ((Decimal(24), 2), (Decimal(6), 0)):
        cut = replace(protocol, endpoints=(replace(os, until_months=until),))
        assert sum(one.estimate == "median" for one in known_values(study, cut)) == medians


def test_one_value_by_hand() -> None:
    """A median of six months (182.625 days) without lead: at six months 2^(-181/182.625), as day 1 is the day of the start."""
    study = replace(STUDIES["regorafenib-toripalimab-rfa"], lead=(0, 0))
    study = replace(study, arms=(replace(study.arms[0], os_months=6.0, pfs_months=3.0),))
    found = tuple(known_values(study, load_protocol(build.protocol_file(study))))
    # Six months are 182.625 days; a time of 182 days, which is over by then, is a death 181 days after the start.
    assert value(found, "OS", "survival", 6) == pytest.approx(exp(-log(2) * 181 / 182.625), rel=1e-12)


# --- the engine finds what was drawn ----------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=NAMES)
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Each study with its shipped parameters, missed visits included."""
    return finished(STUDIES[request.param], tmp_path_factory.mktemp("study"), seed=11, subjects=90)


def test_progressions_and_responses_are_found_on_their_day(study: Finished) -> None:
    criterion = study.cohort.protocol.criteria[0].name
    kinds = set()
    for one in study.cohort.subjects:
        course = study.courses.of(one.name, "R1", criterion)
        assert course is not None
        seen = one.seen_to_progress
        false = shown_falsely(one)
        shown = seen if false is None else false
        assert course.progression == (None if shown is None else one.on(shown)), one.name
        if false is not None:
            kinds.add("pseudoprogression")
            assert course.best_unconfirmed == Response.PD
            continue
        visits = [v for v in one.life.attended() if v.day < one.life.progression]
        responds = [v for v in visits if one.life.response != "SD" and v.number >= one.life.response_visit]
        # After surgery no target is left to be judged by; the response before it counts.
        judged = [v for v in responds if one.life.surgery is None or v.day < one.life.surgery]
        assert course.first_response == (one.on(judged[0].day) if judged else None), one.name
        if judged:
            assert course.best_unconfirmed == Response(one.life.response)
            kinds.add(one.life.response)
        if seen is not None:
            kinds.add(one.life.by)
    assert kinds >= {"PR", "growth", "new lesion", "non-target"}
    assert ("pseudoprogression" in kinds) is any(arm.pseudo for arm in study.cohort.study.arms)


def test_the_checks_find_nothing_but_what_was_drawn(study: Finished) -> None:
    """No error, and of the warnings only that of a non-target that progresses alone, which is one of the three ways that are drawn."""
    protocol = study.cohort.protocol
    rows = read_measurements(study.folder / "measurements.csv", protocol.partial_date)
    dates = read_subject_dates(study.folder / "subjects.csv", protocol)
    found = check_table(rows, protocol, protocol.criteria, dates).findings
    assert {one.check for one in found if one.severity is not Severity.NOTE} <= {"non_target_alone_progressed"}


def shown_falsely(one: Subject) -> int | None:
    """The day of the first visit where that shows a pseudoprogression."""
    return next((v.day for v in one.life.attended() if one.life.pseudo and v.number == 1), None)


def test_irecist_takes_a_pseudoprogression_back(study: Finished) -> None:
    """The progression by iRECIST is the true one, confirmed at the next visit or the last thing seen."""
    if len(study.cohort.protocol.criteria) == 1:
        assert not study.cohort.study.confirms
        return
    confirmed = 0
    for one in study.cohort.subjects:
        course = study.courses.of(one.name, "R1", "irecist")
        assert course is not None
        # Who is not seen after the visit that shows a pseudoprogression has nothing that takes it back.
        last = max((v.day for v in one.life.attended()), default=None)
        false = shown_falsely(one)
        seen = false if false is not None and last == false else one.seen_to_progress
        assert course.progression == (None if seen is None else one.on(seen)), one.name
        confirmed += any(v.overall is Response.ICPD for v in course.visits)
    assert confirmed > len(study.cohort.subjects) / 3


def test_deaths_are_the_true_ones_until_a_subject_is_lost(study: Finished) -> None:
    survival = next(e for e in study.cohort.protocol.endpoints if e.events == ("death",))
    people = {one.name: one for one in study.cohort.subjects}
    rows = study.times(survival.id)
    assert {row.status for row in rows} == {"event", "censored"}
    for row in rows:
        one = people[row.subject]
        # Two years are 730 days after day 1, the first day, where the entry looks no further (NCT05233358).
        ends = one.on(one.life.known_until)
        if survival.until_months is not None:
            ends = min(ends, one.first_day + timedelta(days=730))
        assert row.date == ends
        assert (row.status == "event") == (one.on(one.life.death) == ends)


def test_surgery_and_markers_are_the_true_ones(study: Finished) -> None:
    people = {one.name: one for one in study.cohort.subjects}
    for endpoint, procedure in (("RESECTION", "HEPATECTOMY"), ("CTRR", "HEPATECTOMY"), ("ABLATION", "ABLATION")):
        for row in study.outcomes(endpoint):
            life = people[row.subject].life
            done = life.procedure == procedure and life.surgery is not None and life.surgery < life.known_until
            assert row.success is done
    for row in study.outcomes("CEA_NEGATIVE"):
        life = people[row.subject].life
        course = next(m for m in life.markers if m.plan.test == "CEA")
        expected = course.converts and any(True for _ in life.attended())
        assert row.success is (expected if course.elevated else None)
    for row in study.outcomes("CEA_NEGATIVE_ALL"):
        life = people[row.subject].life
        course = next(m for m in life.markers if m.plan.test == "CEA")
        assert row.success is (course.elevated and course.converts and any(True for _ in life.attended()))
    for row in study.outcomes("MARKERS_NEGATIVE_ALL"):
        life = people[row.subject].life
        assert row.success is (
            all(m.elevated and m.converts for m in life.markers) and any(True for _ in life.attended())
        )
    for row in study.outcomes("CTRR_R0"):
        done = [one for one in people[row.subject].operations if one.procedure == "HEPATECTOMY" and one.outcome == "R0"]
        assert row.success is bool(done)
    for row in study.outcomes("CONVERSION"):
        life = people[row.subject].life
        assert row.success is bool(life.procedure and life.judged <= life.known_until)


def test_the_worst_complication_is_the_true_one(study: Finished) -> None:
    """Of those with a procedure of clavien_procedures; by hand from what was drawn."""
    wanted = study.cohort.protocol.safety.clavien_procedures
    counted = [one for one in study.cohort.subjects if any(o.procedure in wanted for o in one.operations)]
    counted = [one for one in counted if one.words.get("final_analysis", "Y") == "Y"]
    worse = [one for one in counted if any(o.procedure in wanted and o.clavien_dindo != "none" for o in one.operations)]
    rows = [row for row in study.safety().shares if row.table == "clavien_dindo" and row.grade == "any"]
    assert [(row.n, row.subjects, row.unknown) for row in rows] == [(len(counted), len(worse), 0)] * bool(wanted)


# --- the rules of the documents, subject by subject -------------------------------------------------------------------


def test_time_to_progression_is_censored_as_nct06071052_says(tmp_path: Path) -> None:
    """Death at the time of death; who withdraws, is lost or has no progression at the last known day alive."""
    done = finished(STUDIES["NCT06071052"], tmp_path, seed=3, subjects=120)
    people = {one.name: one for one in done.cohort.subjects}
    found = set()
    for row in done.times("TTP"):
        one = people[row.subject]
        life, seen = one.life, one.seen_to_progress
        how = 2 if life.lost_how == "withdrawal" else 3
        lost = life.lost <= min(life.death - 1, life.cutoff)
        cnsr = 0 if seen is not None else how if lost else 4 if life.death <= life.cutoff else 1
        assert (row.cnsr, row.date) == (cnsr, one.on(life.known_until if seen is None else seen))
        found.add(cnsr)
    assert found == {0, 1, 2, 3, 4}


def test_the_two_origins_of_cao_2022_differ_by_the_lead(tmp_path: Path) -> None:
    done = finished(STUDIES["Cao2022"], tmp_path, seed=3)
    people = {one.name: one for one in done.cohort.subjects}
    for early, late in (("PFS_HAIC", "PFS_REGORAFENIB"), ("OS_HAIC", "OS_REGORAFENIB")):
        pairs = list(zip(done.times(early), done.times(late), strict=True))
        assert 35 <= len(pairs) <= 50  # 57 less the unknown lines and the losses
        for one, other in pairs:
            assert one.start + timedelta(days=people[one.subject].life.start) == other.start
            assert one.days - other.days == people[one.subject].life.start
            assert 5 <= one.days - other.days <= 14


def test_leaving_out_the_lost_of_cao_2022_shortens_survival() -> None:
    """What docs/studies.md warns of: who is lost would have lived longer than who stays, so the analysis of the latter is too dark."""
    people = build.simulate(STUDIES["Cao2022"], seed=1, subjects=800).subjects
    lost = [one.life.death for one in people if one.life.lost <= min(one.life.death - 1, one.life.cutoff)]
    stays = [one.life.death for one in people if one.life.lost > min(one.life.death - 1, one.life.cutoff)]
    assert np.mean(lost) > 1.3 * np.mean(stays)


def test_untreatable_progression_counts_from_the_first_procedure(tmp_path: Path) -> None:
    done = finished(STUDIES["NCT05233358"], tmp_path, seed=3, subjects=60)
    people = {one.name: one for one in done.cohort.subjects}
    events = [row for row in done.times("TTUP") if row.status == "event"]
    assert events
    for row in events:
        life = people[row.subject].life
        assert life.untreatable is not None
        assert row.days == life.untreatable - life.start + 1


def test_regions_are_those_that_were_drawn(tmp_path: Path) -> None:
    """Cao 2022: who has disease outside the liver, who is evaluable there, and where a progression is."""
    done = finished(STUDIES["Cao2022"], tmp_path, seed=5, subjects=100)
    liver = {row.subject: row for row in done.outcomes("LIVER_PD")}
    outside = {row.subject: row for row in done.outcomes("EXTRAHEPATIC_DCR")}
    seen = set()
    for one in done.cohort.subjects:
        life = one.life
        visits = list(life.attended())
        if not visits:
            continue
        first_shows = visits[0].day >= life.progression
        assert liver[one.name].success is (first_shows and life.place == "liver")
        row = outside[one.name]
        if life.elsewhere is None:
            assert row.success is None
        elif not life.elsewhere.evaluable:
            assert (row.success, row.value) == (False, "PD" if first_shows and life.place != "liver" else row.value)
            seen.add(row.value)
        else:
            assert row.success is not (first_shows and life.place != "liver")
            seen.add(row.value)
    assert seen >= {"NE", "PR", "SD", "PD"}


def test_untreatable_by_the_liver_is_child_pugh_c_in_liver_csv(tmp_path: Path) -> None:
    """By the events of TACTICS the TACE arm becomes untreatable on the days on which the investigator says so."""
    done = finished(STUDIES["NCT05233358"], tmp_path, seed=3, subjects=80)
    listed = ("vascular_invasion", "extrahepatic_spread", "child_pugh_c_after_tace")
    (ttup,) = (one for one in done.cohort.protocol.endpoints if one.id == "TTUP")
    again = done.again(replace(done.cohort.protocol, endpoints=(replace(ttup, events=listed),)))
    found = {row.subject: row for row in again.times if row.arm == "TACE"}
    assert {row.event for row in found.values()} >= set(listed)
    for row in done.times("TTUP", "TACE"):
        assert (found[row.subject].days, found[row.subject].cnsr) == (row.days, row.cnsr)


def test_eligibility_is_what_was_drawn(tmp_path: Path) -> None:
    done = finished(STUDIES["NCT05233358"], tmp_path, seed=3, subjects=120)
    people = {one.name: one for one in done.cohort.subjects}
    answers = set()
    for row in done.eligibility():
        one = people[row.subject]
        since = [r.get("progressed_since") for r in one.measurements if r["timepoint"] == 0 and r["role"] == "target"]
        measurable = True if {None, "yes"} & set(since) else None if "" in since else False
        before = {"": None, "CR": False}.get(one.words["prior_mrecist"], True)
        expected = False if False in (measurable, before) else None if None in (measurable, before) else True
        assert row.eligible is expected, row
        answers.add(row.eligible)
    assert answers == {True, False, None}


# --- the cohorts themselves --------------------------------------------------------------------------------------------


def test_sizes_that_the_documents_state() -> None:
    assert {name: STUDIES[name].subjects for name in ("NCT05233358", "NCT06988852", "Cao2022")} == {
        "NCT05233358": 176,
        "NCT06988852": 300,
        "Cao2022": 57,
    }


def test_the_same_seed_gives_the_same_files_and_another_one_others() -> None:
    study = STUDIES["NCT06071052"]
    one = build.simulate(study, seed=4, subjects=5)
    assert one.files == build.simulate(study, seed=4, subjects=5).files
    assert one.subjects == build.simulate(study, seed=4, subjects=9).subjects[:5]
    other = build.simulate(study, seed=5, subjects=5)
    same = [name for name, text in one.files.items() if other.files[name] == text]
    assert same == ["protocol.toml", "truth/values.csv"]
    assert all(one.name.startswith("SIM-") for one in one.subjects)
