"""How good the causes of `mrecist agree` are: told against true, of simulated reads whose errors are known (docs/agreement.md).

Cohorts of 60 subjects of each study (seeds 4 and on) are read by three readers. Of every two readers of a subject the first visit with
another response is taken. The true cause is found by having both read once more without the errors of one kind: a kind without which
the two responses of that visit are alike is a true cause. Where none alone makes them alike, several have to come together. What
`agree` tells is found from the two reads alone.

    python benchmarks/causes.py
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations

from mrecist.agreement.causes import PERHAPS_WHOLE, Cause, cause_at
from mrecist.agreement.reads import Reads
from mrecist.agreement.sources import tracks_of
from mrecist.agreement.swaps import crossed
from mrecist.agreement.variables import visit_values
from mrecist.model import Measurement, Response
from mrecist.response.derive import derive
from mrecist.samples.cohort.build import Cohort, simulate
from mrecist.samples.cohort.parameters import STUDIES
from mrecist.samples.readers.disease import scans_of
from mrecist.samples.readers.errors import published_errors
from mrecist.samples.readers.panel import READERS
from mrecist.samples.readers.reading import Kind, read_subject
from mrecist.tables import measurement_of

ANY, TOGETHER = "any of several", "several together"
Rows = dict[tuple[str, str], list[Measurement]]
Responses = Mapping[int, Response | None]


def main() -> None:
    """Print the table: a row for what is true, a column for what is told."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--first", type=int, default=4, help="seed of the first cohort; the rules were chosen on 0 to 3"
    )
    parser.add_argument("--cohorts", type=int, default=4)
    parser.add_argument("--subjects", type=int, default=60)
    parser.add_argument("--study", action="append", default=[], choices=[*STUDIES])
    options = parser.parse_args()
    counts: Counter[tuple[str, str]] = Counter()
    for name in options.study or STUDIES:
        for seed in range(options.first, options.first + options.cohorts):
            for true, cause in differences(simulate(STUDIES[name], seed, options.subjects), seed):
                row = true[0] if len(true) == 1 else ANY if true else TOGETHER
                told = {"n", cause.name, *(f"also {one}" for one in cause.also if one == PERHAPS_WHOLE)}
                counts.update((row, one) for one in (*told, *(["told is true"] if cause.name in true else [])))
    show(counts)


def show(counts: Counter[tuple[str, str]]) -> None:
    """The table."""
    others = sorted({told for _, told in counts} - {*Kind, "n", "told is true", f"also {PERHAPS_WHOLE}"})
    columns = ["n", *Kind, *others, f"also {PERHAPS_WHOLE}", "told is true"]
    print("| true | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for row in (*Kind, ANY, TOGETHER):
        print(f"| {row} | " + " | ".join(str(counts[row, told] or "") for told in columns) + " |")


def differences(cohort: Cohort, seed: int) -> Iterator[tuple[tuple[str, ...], Cause]]:
    """Of the first visit at which two readers differ: the true causes, and the one that is told."""
    protocol = cohort.protocol
    scans = {one.name: scans_of(one, cohort.study.name, published_errors(), seed) for one in cohort.subjects}

    @cache
    def rows(subject: str, reader: str, without: Kind | None) -> list[Measurement]:
        kinds = frozenset([] if without is None else [without])
        read = read_subject(scans[subject], reader, cohort.study.name, published_errors(), seed, kinds)
        last = [read.amended[t].rows if t in read.amended else found for t, found in read.visits.items()]
        cells = ({k: str(v) for k, v in row.items() if v != ""} for visit in last for row in visit)
        return [measurement_of({**row, "reader": reader}) for row in cells]

    @cache
    def responses(subject: str, reader: str, without: Kind, criterion: str) -> Responses:
        setting = protocol.setting(criterion)
        found = derive({(subject, reader): rows(subject, reader, without)}, protocol, (setting,), None)
        return {visit.timepoint: visit.overall for visit in found.responses}

    read: Rows = {(s, r): rows(s, r, None) for s in scans for r in READERS}
    derived = derive(read, protocol, protocol.criteria, None)
    settings = {one.name: one for one in protocol.criteria}
    reads = Reads(tracks=tracks_of(derived.responses, derived.best, read, {}), protocol=protocol, settings=settings)
    for criterion in settings:
        for subject in scans:
            tracks, swapped = reads.of(subject, criterion), crossed(reads, subject, criterion)
            for one, other in combinations(tracks, 2):
                t = next((t for t, a, b in visit_values(tracks[one], tracks[other]) if a != b), None)
                if t is None:
                    continue
                alike = (
                    kind
                    for kind in Kind
                    if responses(subject, one, kind, criterion).get(t)
                    == responses(subject, other, kind, criterion).get(t)
                )
                yield tuple(map(str, alike)), cause_at(reads, tracks[one], tracks[other], t, swapped)


if __name__ == "__main__":
    main()
