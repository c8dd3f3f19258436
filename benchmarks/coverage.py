"""How often the 95 % intervals of simulated cohorts hold the truth: the table of docs/studies.md.

Every study is simulated as many cohorts of the size that it has, without missed visits and (Cao 2022, whose analysis leaves out who
is lost) without losses, as the closed forms have it. Each cohort is assessed and its endpoints are derived and estimated by the functions
of the commands; what is counted is how many intervals hold the value of truth/values.csv. A limit that is not reached is none.

    python benchmarks/coverage.py --cohorts 1000 --workers 2
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from mrecist.assessing import Job, assess_table
from mrecist.derivation import keep
from mrecist.endpoints.derive import Derived, derive_endpoints
from mrecist.endpoints.regions import courses_of_regions
from mrecist.endpoints.safety import safety_of
from mrecist.endpoints.sources import courses_of_results
from mrecist.endpoints.summary import estimates
from mrecist.protocol import Protocol
from mrecist.samples.cohort.build import Cohort, simulate
from mrecist.samples.cohort.parameters import STUDIES, Study
from mrecist.tables import write_whole
from mrecist.tables.trial import TABLES, read_trial
from mrecist.trial import Trial

Key = tuple[str, str, str, str, str]
Held = Counter[tuple[Key, bool]]


def study_of(name: str) -> Study:
    """A study as its closed forms have it."""
    return replace(STUDIES[name], missed=0.0, lost_per_year=0.0 if name == "Cao2022" else STUDIES[name].lost_per_year)


def derived(cohort: Cohort, protocol: Protocol, folder: Path) -> tuple[Derived, Trial]:
    """What `assess` and `endpoints` derive of a cohort."""
    for name, text in cohort.files.items():
        write_whole(folder / name, text)
    rows, subjects = folder / "measurements.csv", folder / "subjects.csv"
    done = assess_table(Job(measurements=rows, protocol=folder / "protocol.toml", criteria=(), subjects=subjects), 1)
    for name, text in done.tables.items():
        write_whole(folder / "results" / name, text)
    keep(folder / "results", rows.read_bytes(), cohort.protocol, cohort.protocol.criteria)
    files = {name: folder / f"{name}.csv" for name in TABLES}
    trial = read_trial(subjects, files, cohort.protocol.date_columns, cohort.protocol.partial_date).trial
    courses = courses_of_results(folder / "results", protocol).courses
    regions = courses_of_regions(folder / "results", None, protocol, trial)
    return derive_endpoints(protocol, courses, trial, regions=regions), trial


def held(name: str, seed: int) -> Held:
    """Of one cohort, for each true value that has an interval, whether the interval holds it."""
    cohort = simulate(study_of(name), seed)
    truths = {
        _key(k.endpoint, k.arm, k.covariate, k.estimate, k.months): k.value
        for k in cohort.known
        if k.table == "estimates"
    }
    asked = {key[0] for key in truths}
    endpoints = tuple(one for one in cohort.protocol.endpoints if one.id in asked)
    protocol = replace(cohort.protocol, endpoints=endpoints, design=replace(cohort.protocol.design, subgroups=()))
    found: Held = Counter()
    with tempfile.TemporaryDirectory() as folder:
        rows, trial = derived(cohort, protocol, Path(folder))
    only = cohort.study.arms[0].name if len(cohort.study.arms) == 1 else ""
    for row in estimates(protocol, rows, trial):
        key = _key(row.about.endpoint, row.about.arm or only, row.covariate, row.estimate, row.months)
        told = row.value is not None or row.note == "not reached"
        if key in truths and told and row.method != "wilson":
            low_holds = row.low is None or row.low <= truths[key]
            found[key, low_holds and (row.high is None or truths[key] <= row.high)] += 1
    found.update(_of_safety(cohort, trial))
    return found


def _of_safety(cohort: Cohort, trial: Trial) -> Iterator[tuple[Key, bool]]:
    """Shares of adverse events and complications, with the exact interval that estimates.csv has for rates."""
    from mrecist.endpoints.rates import interval

    truths = {(k.table, k.endpoint, k.arm, k.estimate): k.value for k in cohort.known}
    for row in safety_of(cohort.protocol, trial).shares:
        truth = truths.get((row.table, row.term, row.arm, row.grade))
        if truth is None or row.relation != "all" or row.level not in ("any", "at_least") or row.n == 0:
            continue
        low, high = interval(row.subjects, row.n, "clopper-pearson")
        yield _key(row.table, row.arm, "", f"share {row.grade}", None), low <= truth <= high


def _key(endpoint: str, arm: str, covariate: str, estimate: str, months: object) -> Key:
    return endpoint, arm, covariate, estimate, "" if months is None else str(months)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cohorts", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--study", choices=tuple(STUDIES), action="append")
    options = parser.parse_args()
    print("| study | endpoint | arm | estimate | intervals | hold the truth, % |")
    print("|---|---|---|---|---|---|")
    for name in options.study or STUDIES:
        with ProcessPoolExecutor(options.workers) as pool:
            total: Held = Counter()
            for one in pool.map(partial(held, name), range(1, options.cohorts + 1), chunksize=5):
                total.update(one)
        for key in dict.fromkeys(key for key, _ in total):
            endpoint, arm, covariate, estimate, months = key
            n = total[key, True] + total[key, False]
            what = " ".join(part for part in (estimate, f"at {months}" if months else "", covariate) if part)
            one_arm = len(STUDIES[name].arms) == 1
            share = f"{100 * total[key, True] / n:.1f}"
            print(f"| {name} | {endpoint} | {'' if one_arm else arm} | {what} | {n} | {share} |", flush=True)


if __name__ == "__main__":
    main()
