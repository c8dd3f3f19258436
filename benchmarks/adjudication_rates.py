"""How often simulated readers differ, and how often each and the accepted read are right: the tables of docs/core-lab.md.

Cohorts of 60 subjects of each study (seeds 0 and on) are read by two drawn readers and, where these differ in the best response or the
progression date, adjudicated by the rule of the simulated adjudicator; without a store, so that many cohorts take minutes. What is
counted is compared here by hand and not by the functions of `mrecist reads adjudicate`.

    python benchmarks/adjudication_rates.py --cohorts 20
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mrecist.model import BestResponse, Measurement, VisitResponse
from mrecist.protocol import CriterionSetting, Protocol
from mrecist.rehearsal.lab import Lab, lab_of
from mrecist.response.derive import derive
from mrecist.samples.cohort.build import simulate
from mrecist.samples.cohort.parameters import STUDIES
from mrecist.samples.readers.panel import ADJUDICATOR, ANEW, READERS, choose
from mrecist.store.assigning import randomise
from mrecist.tables import measurement_of, read_subject_dates, write_whole

TRUTH = "truth"
Found = Mapping[tuple[str, str], tuple[BestResponse, list[VisitResponse]]]


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cohorts", type=int, default=20)
    parser.add_argument("--subjects", type=int, default=60)
    parser.add_argument("--study", action="append", default=[], choices=[*STUDIES])
    parser.add_argument("--scratch", type=Path, required=True, help="a folder for subjects.csv")
    options = parser.parse_args()
    for name in options.study or STUDIES:
        per_cohort = [cohort(name, seed, options.subjects, options.scratch) for seed in range(options.cohorts)]
        for criterion in per_cohort[0]:
            show(name, criterion, [one[criterion] for one in per_cohort])


def show(study: str, criterion: str, counts: list[Counter[str]]) -> None:
    """A row of the table: the mean over cohorts in percent, and for the adjudication rate the smallest and the largest."""
    total: Counter[str] = sum(counts, Counter())
    rates = sorted(100 * one["adjudicated"] / one["cases"] for one in counts)
    cells = [f"{100 * total['adjudicated'] / total['cases']:.1f} ({rates[0]:.0f} to {rates[-1]:.0f})"]
    cells += [f"{100 * total[what] / total['cases']:.1f}" for what in ("best", "date", "anew")]
    cells += [f"{100 * total[f'right {who}'] / total['cases']:.1f}" for who in ("1", "2", "accepted")]
    print(f"| {study} | {criterion} | {' | '.join(cells)} |", flush=True)


def cohort(name: str, seed: int, subjects: int, scratch: Path) -> dict[str, Counter[str]]:
    """Criterion -> counts of one cohort."""
    made = simulate(STUDIES[name], seed, subjects)
    lab = lab_of(made, scratch, seed, outlier=False)
    write_whole(scratch / "subjects.csv", made.files["subjects.csv"])
    pairs: dict[str, dict[str, str]] = {}
    for one in randomise(lab.scans, READERS, lab.draw):
        pairs.setdefault(one.subject, {})[one.part] = one.reader
    rows = rows_of(lab, pairs)
    protocol = made.protocol
    derived = derive(rows, protocol, protocol.criteria, read_subject_dates(scratch / "subjects.csv", protocol))
    assert derived.problems == (), derived.problems[0]
    return {
        setting.name: counted(protocol, pairs, responses_of(derived.best, derived.responses, setting))
        for setting in protocol.criteria
    }


def rows_of(lab: Lab, pairs: Mapping[str, Mapping[str, str]]) -> dict[tuple[str, str], list[Measurement]]:
    """(subject, "reader 1", "reader 2", "own" or "truth") -> rows after the global review."""
    found = {}
    for subject in lab.cohort.subjects:
        found[subject.name, TRUTH] = measurements(subject.measurements, TRUTH)
        for part, who in (*pairs[subject.name].items(), (ANEW, ADJUDICATOR)):
            read = lab.read(subject.name, who)
            last = {t: read.amended[t].rows if t in read.amended else rows for t, rows in read.visits.items()}
            found[subject.name, part] = measurements((row for rows in last.values() for row in rows), part)
    return found


def measurements(rows: Iterable[Mapping[str, Any]], reader: str) -> list[Measurement]:
    """Rows as the engine takes them."""
    return [measurement_of({**{k: str(v) for k, v in row.items() if v != ""}, "reader": reader}) for row in rows]


def responses_of(best: Iterable[BestResponse], visits: Iterable[VisitResponse], setting: CriterionSetting) -> Found:
    """(subject, reader) -> best response and visits by one criterion."""
    found: dict[tuple[str, str], tuple[BestResponse, list[VisitResponse]]] = {
        (one.subject, one.reader): (one, []) for one in best if one.criterion == setting.name
    }
    for visit in visits:
        if visit.criterion == setting.name:
            found[visit.subject, visit.reader][1].append(visit)
    return found


def counted(protocol: Protocol, pairs: Mapping[str, Mapping[str, str]], found: Found) -> Counter[str]:
    """How many cases, adjudicated, differing in each variable, read anew, right."""

    def said(subject: str, who: str) -> tuple[Any, Any]:
        best = found[subject, who][0]
        response = best.best_confirmed if protocol.response.confirm_required else best.best_unconfirmed
        return response, best.progression_date

    def alike(subject: str, who: str) -> int:
        mine, hers = ({v.timepoint: v.overall for v in found[subject, w][1] if v.timepoint} for w in (who, ANEW))
        return sum(mine[t] == hers[t] for t in mine.keys() & hers.keys())

    counts: Counter[str] = Counter(cases=len(pairs))
    for subject in pairs:
        one, other, own, truth = (said(subject, who) for who in ("reader 1", "reader 2", ANEW, TRUTH))
        accepted = one
        if one != other:
            differ = {part: [a != b for a, b in zip(said(subject, part), own, strict=True)] for part in pairs[subject]}
            chosen, _ = choose(dict(sorted(differ.items())), {part: alike(subject, part) for part in differ})
            accepted = said(subject, chosen)
            counts += Counter(adjudicated=1, best=one[0] != other[0], date=one[1] != other[1], anew=chosen == ANEW)
        counts += Counter({"right 1": one == truth, "right 2": other == truth, "right accepted": accepted == truth})
    return counts


if __name__ == "__main__":
    main()
