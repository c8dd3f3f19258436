"""Results of a run on the sample study against its known truth."""

from __future__ import annotations

from pathlib import Path

from mrecist.samples.build import sample_data_path
from mrecist.tables import read_rows

Key = tuple[str, ...]
Cells = dict[str, str]


def differences_from_truth(results: Path) -> list[str]:
    """What differs between the tables in ``results`` and the truth: any category, any diameter by half a pixel or more."""
    truth = sample_data_path() / "truth"
    by_visit, by_subject = ("subject", "criterion", "timepoint"), ("subject", "criterion")
    return [
        *_categories(truth, results, "responses.csv", by_visit, ("target", "non_target", "new_lesion", "overall")),
        *_categories(truth, results, "best_responses.csv", by_subject, ("best_unconfirmed", "best_confirmed")),
        *_sizes(truth, results),
    ]


def _table(path: Path, key: tuple[str, ...]) -> dict[Key, Cells]:
    return {tuple(cells[name] for name in key): cells for _, cells in read_rows(path, key)[1]}


def _categories(truth: Path, results: Path, name: str, key: tuple[str, ...], columns: tuple[str, ...]) -> list[str]:
    expected, found = _table(truth / name, key), _table(results / name, key)
    follow_ups = {k for k, cells in found.items() if cells.get("timepoint") != "0"}
    lines = [f"{name}: {' '.join(k)} is in only one of them" for k in sorted(expected.keys() ^ follow_ups)]
    for k in sorted(expected.keys() & follow_ups):
        lines += [
            f"{name}: {' '.join(k)}: {column} is {found[k][column]}, the truth is {expected[k][column]}"
            for column in columns
            if found[k][column] != expected[k][column]
        ]
    return lines


def _sizes(truth: Path, results: Path) -> list[str]:
    key = ("subject", "timepoint", "lesion")
    found = _table(results / "measurements.csv", key)
    lines = []
    for k, true in sorted(_table(truth / "sizes.csv", key).items()):
        for column in ("longest_mm", "short_mm", "viable_mm"):
            measured = found.get(k, {}).get(column, "")
            if true[column] == measured == "":
                continue
            if not measured or abs(float(measured) - float(true[column])) >= float(true["pixel_mm"]) / 2:
                lines.append(f"measurements.csv: {' '.join(k)}: {column} is {measured or 'empty'}, true {true[column]}")
    return lines
