"""Simulated readers err by what their sources say: spreads by closed form, the published arithmetic done again, and no errors at all."""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from doc_pages import page, section, table, words

from mrecist.samples.cohort.build import simulate
from mrecist.samples.cohort.parameters import STUDIES
from mrecist.samples.cohort.subject import Subject
from mrecist.samples.readers.disease import Scans, scans_of
from mrecist.samples.readers.errors import FILE, Errors, published_errors
from mrecist.samples.readers.panel import ANEW, choose, errors_of_everyone
from mrecist.samples.readers.reading import SimulatedRead, read_subject

VIABLE, WHOLE = STUDIES["NCT06071052"], STUDIES["NCT06988852"]
NONE = replace(published_errors(), **{one.name: 0.0 for one in fields(Errors)})
SIZES = ("longest_mm", "short_mm", "viable_mm", "viable_short_mm")


def cohort(study: Any, subjects: int) -> tuple[Subject, ...]:
    return simulate(study, 3, subjects).subjects


def read_of(subject: Subject, study: str, errors: Errors, reader: str = "R", seed: int = 3) -> SimulatedRead:
    return read_subject(scans_of(subject, study, errors, seed), reader, study, errors, seed)


def said(rows: Any) -> Counter[tuple[Any, ...]]:
    """What rows say but for the names of lesions, which are each reader's own, and the short axis, which is rounded twice."""
    columns = ("subject", "date", "timepoint", "role", "organ", "state", "longest_mm", "viable_mm", "basis", "change")
    return Counter(tuple(row.get(name) or "" for name in (*columns, "pattern", "local_therapy")) for row in rows)


@pytest.mark.parametrize("study", STUDIES.values(), ids=list(STUDIES))
def test_a_reader_without_errors_says_the_truth(study: Any) -> None:
    for subject in cohort(study, 30):
        read = read_of(subject, study.name, NONE)
        assert said(row for rows in read.visits.values() for row in rows) == said(subject.measurements)
        assert read.amended == {}


def one_lesion(study: Any) -> Scans:
    """A subject with one target in the liver that is measured at the first two visits."""
    for subject in cohort(study, 30):
        scans = scans_of(subject, study.name, NONE, 3)
        targets = [one for one in scans.lesions if one.target]
        sizes = [row.get("viable_mm") or row["longest_mm"] for row in targets[0].rows.values()]
        if len(targets) == 1 and len(scans.dates) > 2 and all(sizes[:3]) and min(map(float, sizes[:3])) > 0:
            return scans
    raise AssertionError("no such subject")


def spread(study: Any, column: str, readers: int = 600) -> tuple[float, float, float]:
    """SD over readers of the logarithm of one lesion at baseline and at visit 1, and within readers of that of visits 1 and 2."""
    scans, errors = one_lesion(study), replace(published_errors(), not_evaluable=0.0, whole_for_viable=0.0)
    logs = np.array(
        [
            [
                math.log(float(next(row[column] for row in read.visits[t] if row["role"] == "target")))
                for t in list(scans.dates)[:3]
            ]
            for read in (read_subject(scans, f"R{n}", study.name, errors, 3) for n in range(readers))
        ]
    )
    within = np.std(logs[:, 2] - logs[:, 1], ddof=1) / math.sqrt(2)
    return float(np.std(logs[:, 0], ddof=1)), float(np.std(logs[:, 1], ddof=1)), float(within)


def test_spreads_are_the_published_ones() -> None:
    """Yoon 2016, one lesion: two readers -22.1 to 25.4 %, one reader -17.8 to 16.1 %. HCC-TACE-Seg: CV of three readers 14.3 and 25.8 %
    (the mean SD of three is 0.886 of the SD). 600 readers give an SD to 3 % (standard error 1 / sqrt(1200)); 10 % is three of these.
    """
    two, one = 0.475 / 2 / 1.96 / math.sqrt(2), 0.339 / 2 / 1.96 / math.sqrt(2)
    assert spread(WHOLE, "longest_mm") == pytest.approx((two, two, one), 0.1)
    at_baseline, at_follow_up, within = spread(VIABLE, "viable_mm")
    assert at_baseline == pytest.approx(0.143 / 0.8862, 0.1)
    assert at_follow_up == pytest.approx(0.258 / 0.8862, 0.1)
    assert within == pytest.approx(one, 0.1)


def test_the_arithmetic_of_the_file() -> None:
    """Every value that is said to follow from published figures follows from them; every value says what set it."""
    told = tomllib.loads(FILE.read_text(encoding="utf-8"))
    assert set(told) == {one.name for one in fields(Errors)}
    assert all(set(one) == {"value", "set_by"} for one in told.values())
    ours = {name for name, one in told.items() if one["set_by"].startswith("ours")}
    lesion, total = 0.475 / 2 / 1.96 / math.sqrt(2), 0.387 / 2 / 1.96 / math.sqrt(2)
    visit = 0.339 / 2 / 1.96 / math.sqrt(2)
    bias = math.sqrt(2 * total**2 - lesion**2)
    baseline, follow_up = 0.143 / 0.8862, 0.258 / 0.8862
    missed = 2 * 0.15 * 0.85 * 0.25
    called = (0.367 * 0.537 - missed) / 2
    right = {
        "visit_sd": visit,
        "bias_sd": bias,
        "lesion_sd": math.sqrt(lesion**2 - bias**2 - visit**2),
        "viable_lesion_sd": math.sqrt(baseline**2 - bias**2 - visit**2),
        "viable_treated_sd": math.sqrt(follow_up**2 - baseline**2),
        # 2 q (1 - q) of subjects differ where q of each reader's are called.
        "new_lesion_called": (1 - math.sqrt(1 - 4 * called)) / 2 / 5.1,
    }
    assert set(right) == set(told) - ours
    for name, value in right.items():
        assert told[name]["value"] == pytest.approx(value, abs=0.0006), name


def test_share_of_subjects_that_show_a_new_lesion() -> None:
    """The 25 % and 5.1 follow-ups of ``new_lesion_called``: of 300 subjects, standard errors 2.6 % and about 0.24."""
    subjects = cohort(VIABLE, 300)
    shown = sum(any(row["role"] == "new" for row in one.measurements) for one in subjects) / 300
    visits = sum(len({row["timepoint"] for row in one.measurements}) - 1 for one in subjects) / 300
    assert shown == pytest.approx(0.25, abs=0.08)
    assert visits == pytest.approx(5.1, abs=0.7)


def test_others_change_nothing_of_a_read() -> None:
    errors = published_errors()
    few, many = cohort(VIABLE, 4), cohort(VIABLE, 9)
    assert [read_of(one, "S", errors) for one in few] == [read_of(one, "S", errors) for one in many[:4]]
    assert read_of(few[0], "S", errors, "R1").visits != read_of(few[0], "S", errors, "R2").visits
    assert read_of(few[0], "S", errors, seed=4).visits != read_of(few[0], "S", errors).visits


def test_a_review_takes_back_what_was_called_in_error() -> None:
    errors = replace(NONE, new_lesion_called=0.4, new_lesion_taken_back=1.0)
    amended = 0
    for subject in cohort(VIABLE, 30):
        read = read_of(subject, VIABLE.name, errors)
        after = {t: read.amended[t].rows if t in read.amended else rows for t, rows in read.visits.items()}
        called = [t for t, rows in read.visits.items() if any(row["lesion"] == "NEW09" for row in rows)]
        amended += bool(read.amended)
        # Only a later visit shows that there is none.
        if called and min(called) < max(read.visits):
            assert said(row for rows in after.values() for row in rows) == said(subject.measurements)
        else:
            assert read.amended == {}
    assert amended > 5


def test_who_errs_how_much() -> None:
    everyone = errors_of_everyone(outlier=True)
    assert everyone["Reader A"] == everyone["Reader B"] == everyone["Site"] == published_errors()
    assert everyone["Adjudicator"].visit_sd == pytest.approx(0.061 * 0.5)
    assert everyone["Reader C"].new_lesion_missed == pytest.approx(0.15 * 2.5)
    assert everyone["Reader C"].more_lesions == everyone["Reader A"].more_lesions
    assert errors_of_everyone()["Reader C"] == published_errors()


def test_how_the_adjudicator_chooses() -> None:
    near = {"reader 1": 3, "reader 2": 5}
    assert choose({"reader 1": [False, True], "reader 2": [True, True]}, near)[0] == "reader 1"
    assert choose({"reader 1": [False, True], "reader 2": [True, False]}, near)[0] == "reader 2"
    assert choose({"reader 1": [False, True], "reader 2": [False, True]}, near)[0] == "reader 2"
    assert choose({"reader 1": [False, True], "reader 2": [True, False]}, dict.fromkeys(near, 4))[0] == "reader 1"
    assert choose({"reader 1": [True, False], "reader 2": [True, True]}, near)[0] == ANEW


def test_the_table_of_the_page_is_the_file() -> None:
    told = tomllib.loads(FILE.read_text(encoding="utf-8"))
    found = {words(row["key"])[0]: row for row in table(section(page("core-lab.md"), "A simulated study"), "key")}
    assert {key: float(row["value"]) for key, row in found.items()} == {key: one["value"] for key, one in told.items()}
    for key, row in found.items():
        assert row["set by"].startswith("ours") is told[key]["set_by"].startswith("ours"), key
