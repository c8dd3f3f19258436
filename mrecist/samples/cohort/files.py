"""The tables of a simulated study as text: what a trial keeps, and the truth in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from mrecist.samples.cohort import lesions, liver
from mrecist.samples.cohort.known import Known
from mrecist.samples.cohort.life import SURGERY_AFTER_VISIT
from mrecist.samples.cohort.parameters import Study
from mrecist.samples.cohort.subject import Subject
from mrecist.tables import csv_text

NEW_THERAPY_DAYS = 14
PROCEDURES = ("date", "procedure", "outcome", "clavien_dindo", "complication")
MARKERS = ("subject", "date", "test", "value", "unit")
REACTIONS = ("start", "end", "term", "grade", "ctcae_version", "soc", "related", "serious")
ABLE = {"HEPATECTOMY": "resectable", "ABLATION": "ablatable"}
Row = dict[str, Any]


def files_of(
    study: Study, protocol: str, subjects: Sequence[Subject], known: Sequence[Known]
) -> Iterator[tuple[str, str]]:
    """Path in the folder and text of each file."""
    yield "protocol.toml", protocol
    yield "subjects.csv", _subjects_csv(study, subjects)
    yield "measurements.csv", csv_text(lesions.COLUMNS, (row for one in subjects for row in one.measurements))
    yield "procedures.csv", _csv(PROCEDURES, subjects, _procedures)
    yield "therapies.csv", _csv(("date", "therapy"), subjects, _therapies)
    yield "markers.csv", csv_text(MARKERS, (row for one in subjects for row in one.markers))
    yield "liver.csv", csv_text(("subject", *liver.COLUMNS), (row for one in subjects for row in one.liver))
    yield "occurrences.csv", _csv(("date", "event", "comment"), subjects, _occurrences)
    yield "adverse_events.csv", _csv(REACTIONS, subjects, lambda one: _reactions(one, study))
    yield "truth/subjects.csv", _truth_csv(subjects)
    yield "truth/values.csv", _known_csv(known)


def _csv(columns: Sequence[str], subjects: Sequence[Subject], rows: Callable[[Subject], Iterator[Row]]) -> str:
    found = sorted(
        ({"subject": one.name, **row} for one in subjects for row in rows(one)),
        key=lambda row: (row["subject"], str(row[columns[0]])),
    )
    return csv_text(("subject", *columns), found)


def _subjects_csv(study: Study, subjects: Sequence[Subject]) -> str:
    columns = (
        *("subject", "arm", *study.entry, *study.treated, "last_dose", "new_anticancer_therapy", "withdrawal"),
        *("lost_to_follow_up", "death", "last_alive", *subjects[0].words),
    )
    return csv_text(columns, (_subject_row(study, one) for one in subjects))


def _subject_row(study: Study, one: Subject) -> Row:
    life = one.life
    gone = life.lost <= min(life.death - 1, life.cutoff)
    row: Row = {"subject": one.name, "arm": life.arm.name}
    row |= dict.fromkeys(study.entry, one.first_day) | dict.fromkeys(study.treated, one.on(life.start))
    ended = min(life.known_until, one.seen_to_progress or life.cutoff, life.surgery or life.cutoff)
    row |= {"last_dose": one.on(ended)} if ended < life.cutoff else {}
    row |= {"new_anticancer_therapy": next((r["date"] for r in _therapies(one)), "")}
    row |= {life.lost_how: one.on(life.lost)} if gone else {}
    row |= {"death" if life.death <= life.known_until else "last_alive": one.on(life.known_until)}
    return {**row, **one.words}


def _procedures(one: Subject) -> Iterator[Row]:
    for done in one.operations:
        yield {
            "date": one.on(done.day),
            "procedure": done.procedure,
            "outcome": done.outcome,
            "clavien_dindo": done.clavien_dindo,
            "complication": "" if done.complication is None else one.on(done.complication),
        }


def _therapies(one: Subject) -> Iterator[Row]:
    seen = one.followed_until
    if seen is not None and one.treated_again and seen + NEW_THERAPY_DAYS < one.life.known_until:
        yield {"date": one.on(seen + NEW_THERAPY_DAYS), "therapy": "next line of systemic therapy"}


def _occurrences(one: Subject) -> Iterator[Row]:
    life, day = one.life, one.life.untreatable
    if day is not None and day <= life.known_until:
        why = life.untreatable_by.replace("_", " ")
        yield {"date": one.on(day), "event": "intraarterial_treatment_impossible", "comment": why}
        if life.untreatable_by != "child_pugh_c":
            yield {"date": one.on(day), "event": life.untreatable_by}
    if life.procedure and life.judged <= life.known_until:
        comment = f"tumour board after visit {SURGERY_AFTER_VISIT}"
        yield {"date": one.on(life.judged), "event": ABLE[life.procedure], "comment": comment}


def _reactions(one: Subject, study: Study) -> Iterator[Row]:
    life = one.life
    version = {"ctcae_version": study.ctcae_version}
    for reaction in life.reactions:
        if reaction.day < life.known_until:
            yield {
                "start": one.on(reaction.day),
                "end": one.on(min(reaction.day + 7 * reaction.grade, life.known_until)),
                "term": reaction.toxicity.term,
                "grade": reaction.grade,
                "soc": reaction.toxicity.soc,
                "related": "yes" if reaction.related else "no",
                "serious": "yes" if reaction.grade >= 4 else "no",
                **version,
            }
    if life.fatal and life.death <= life.known_until:
        day = one.on(life.death)
        what = {"term": "Hepatic failure", "soc": "Hepatobiliary disorders", "grade": 5}
        yield {"start": day, "end": day, **what, "related": "yes", "serious": "yes", **version}


def _truth_csv(subjects: Iterable[Subject]) -> str:
    columns = (
        *("subject", "arm", "response", "response_visit", "progression", "progression_at_visit", "progression_by"),
        *("progression_place", "pseudoprogression", "death", "untreatable_progression", "untreatable_by", "surgery"),
        *("surgery_procedure", "outside_liver", "factor", "lost", "cutoff"),
    )
    return csv_text(columns, map(_truth_row, subjects))


def _truth_row(one: Subject) -> Row:
    life = one.life
    visible = next((v.day for v in life.visits if v.day >= life.progression), None)
    days = {
        "progression": life.progression,
        "progression_at_visit": visible,
        "death": life.death,
        "untreatable_progression": life.untreatable,
        "surgery": life.surgery,
        "cutoff": life.cutoff,
        # A loss that would be after a hundred years is none.
        "lost": life.lost if life.lost < 36_525 else None,
    }
    outside = life.elsewhere
    return {
        "subject": one.name,
        "arm": life.arm.name,
        "response": life.response,
        "response_visit": life.response_visit,
        "progression_by": life.by,
        "progression_place": life.place,
        "pseudoprogression": "yes" if life.pseudo else "no",
        "untreatable_by": life.untreatable_by,
        "surgery_procedure": life.procedure,
        "outside_liver": "" if outside is None else "evaluable" if outside.evaluable else "not evaluable",
        "factor": int(life.factor),
        **{name: "" if day is None else one.on(day) for name, day in days.items()},
    }


def _known_csv(known: Iterable[Known]) -> str:
    columns = ("table", "endpoint", "arm", "covariate", "estimate", "months", "value", "unit")
    rows = (
        {
            "table": one.table,
            "endpoint": one.endpoint,
            "arm": one.arm,
            "covariate": one.covariate,
            "estimate": one.estimate,
            "months": one.months,
            "value": f"{one.value:.4f}",
            "unit": one.unit,
        }
        for one in known
    )
    return csv_text(columns, rows)
