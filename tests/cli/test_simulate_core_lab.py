"""``mrecist simulate --core-lab``: six subjects through a real store, held against the truth, and walked again by hand from the tables.

The database does not sync the disk here: what a crash leaves has tests of its own.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from mrecist.cli import main
from mrecist.endpoints.figures import all as all_figures
from mrecist.rehearsal import tracks
from mrecist.rehearsal.figures import best_of
from mrecist.rehearsal.lab import Lab, lab_of
from mrecist.rehearsal.work import work
from mrecist.samples.cohort.build import simulate
from mrecist.samples.cohort.parameters import STUDIES
from mrecist.samples.readers.errors import Errors, published_errors
from mrecist.store import place

STUDY = STUDIES["NCT06071052"]
# Six subjects with 22 visits; four are adjudicated, one of these is read anew. In the first two of the other a reader amends two visits.
SEED, AMENDED = 40, 76
READERS = {"Reader A", "Reader B", "Reader C"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module", autouse=True)
def no_sync() -> Iterator[None]:
    durable = place._durable

    def quick(connection: Any, record: Any) -> None:
        durable(connection, record)
        connection.execute("PRAGMA synchronous=OFF").close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, "_durable", quick)
        patch.setattr(all_figures, "figures", lambda *_: iter(()))
        patch.setattr(tracks, "RESAMPLES", 0)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("lab") / "study"
    told = ["--core-lab", "--endpoints", "--subjects", "6", "--seed", str(SEED)]
    assert main(["simulate", STUDY.name, "--out", str(out), *told]) == 0
    return out


@pytest.fixture(scope="module")
def parts(folder: Path) -> dict[tuple[str, str], str]:
    """(subject, part) -> who, as `reads status` says."""
    with pytest.MonkeyPatch.context() as patch:
        said: list[str] = []
        patch.setattr("builtins.print", lambda *words, **_: said.append(" ".join(map(str, words))))
        assert main(["reads", "status", str(folder), "--json"]) == 0
    found = json.loads("\n".join(said))
    assert all(visit["state"] == "locked" for one in found for visit in one["visits"] if one["part"] != "adjudicator")
    return {(one["subject"], one["part"]): one["reader"] for one in found}


def by_hand(folder: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """(subject, reader) -> best response and progression date, from the table."""
    return {
        (row["subject"], row["reader"]): (row["best_unconfirmed"], row["progression_date"])
        for row in rows(folder / "best_responses.csv")
    }


def test_adjudicated_are_those_whose_two_readers_differ(folder: Path, parts: dict[tuple[str, str], str]) -> None:
    best = by_hand(folder / "results")
    subjects = sorted({subject for subject, _ in parts})
    assert len(subjects) == 6
    pairs = {s: (parts[s, "reader 1"], parts[s, "reader 2"]) for s in subjects}
    assert all(len(set(pair)) == 2 and set(pair) <= READERS for pair in pairs.values())
    differ = {s for s, (one, other) in pairs.items() if best[s, one] != best[s, other]}
    assert len(differ) == 4
    central = {row["subject"]: row for row in rows(folder / "accepted.csv") if row["track"] == "central"}
    assert {s for s, row in central.items() if row["accepted_as"] in ("picked", "reread")} == differ
    assert {s for s in subjects if (s, "adjudicator") in parts} == differ
    for subject, row in central.items():
        if subject not in differ:
            assert (row["accepted_as"], row["reader"]) == ("agreed", pairs[subject][0])
        elif row["accepted_as"] == "picked":
            assert row["reader"] in pairs[subject]
        else:
            # She reads anew only where neither read has her best response.
            assert row["reader"] == "Adjudicator"
            assert best[subject, "Adjudicator"][0] not in {best[subject, reader][0] for reader in pairs[subject]}
    assert [row["accepted_as"] for row in central.values()].count("reread") == 1
    sites = {row["subject"]: row["reader"] for row in rows(folder / "accepted.csv") if row["track"] == "investigator"}
    assert sites == dict.fromkeys(subjects, "Site")


def test_figures_against_the_truth(folder: Path, parts: dict[tuple[str, str], str]) -> None:
    best, truth = by_hand(folder / "results"), by_hand(folder / "truth" / "results")
    central = {row["subject"]: row["reader"] for row in rows(folder / "accepted.csv") if row["track"] == "central"}
    said = {(row["figure"], row["group"]): (int(row["count"]), int(row["of"])) for row in rows(folder / "core_lab.csv")}
    for group in ("reader 1", "reader 2", "investigator", "accepted"):
        whose = central if group == "accepted" else {s: parts[s, group] for s in central}
        right = [(best[s, whose[s]], truth[s, "R1"]) for s in central]
        assert said["right in best response", group] == (sum(a[0] == b[0] for a, b in right), 6)
        assert said["right in progression date", group] == (sum(a[1] == b[1] for a, b in right), 6)
        assert said["right in both", group] == (sum(a == b for a, b in right), 6)
    sent = {subject for subject, part in parts if part == "adjudicator"}
    told = {
        row["readers"]: row
        for row in rows(folder / "agreement" / "readers" / "agreement.csv")
        if row["statistic"] == "reader_disagreement_index"
    }
    assert told.keys() == READERS
    for reader in READERS:
        mine = {s for s in central if reader in (parts[s, "reader 1"], parts[s, "reader 2"])}
        against = {s for s in mine & sent if central[s] != reader}
        assert said["reader disagreement", reader] == (len(against), len(mine))
        # The same number by `agree`, which compares what the reads say.
        assert int(told[reader]["n"]) == len(mine)
        assert float(told[reader]["value"]) == pytest.approx(100 * len(against) / len(mine), abs=1e-3)
    assert said["adjudicated", ""] == (4, 6)
    pairs = [(best[s, parts[s, "reader 1"]], best[s, parts[s, "reader 2"]]) for s in central]
    assert said["adjudicated, differs in", "best_response"][0] == sum(a[0] != b[0] for a, b in pairs)
    assert said["adjudicated, differs in", "progression_date"][0] == sum(a[1] != b[1] for a, b in pairs)


def test_the_trail_tells_the_order_of_reading(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of every reader and case: submit 0, lock 0, submit 1, lock 1, ..., sign; cases in the order of the list."""
    assert main(["audit", "export", str(folder), "--out", str(tmp_path / "trail.jsonl")]) == 0
    trail = [json.loads(line) for line in (tmp_path / "trail.jsonl").read_text(encoding="utf-8").splitlines()]
    steps: dict[tuple[str, str], list[tuple[str, int]]] = {}
    places: dict[str, list[int]] = {}
    place_of = {(e["to"]["reader"], e["to"]["subject"]): e["to"]["place"] for e in trail if e["table"] == "assignment"}
    for entry in trail:
        to = entry["to"]
        if entry["table"] in ("read", "lock"):
            steps.setdefault((to["reader"], to["subject"]), []).append((entry["table"], to["timepoint"]))
        elif entry["table"] == "signature":
            places.setdefault(to["reader"], []).append(place_of[to["reader"], to["subject"]])
            assert "timepoint" not in to
    assert len(steps) == 6 * 3 + 1
    for found in steps.values():
        visits = [timepoint for table, timepoint in found if table == "read"]
        assert visits == sorted(visits)
        assert found == [(table, timepoint) for timepoint in visits for table in ("read", "lock")]
    assert all(places[who] == list(range(1, len(places[who]) + 1)) for who in (*READERS, "Site"))
    assert main(["audit", "verify", str(folder)]) == 0
    assert f"anchor {len(trail)}:{trail[-1]['hash']}" in capsys.readouterr().out


def test_what_readers_submitted_is_blinded(folder: Path) -> None:
    for path in sorted((folder / "submitted").glob("*.csv")):
        for row in rows(path):
            assert row["subject"].startswith("CASE-")
            assert row["date"] == ""
            assert row["reader"] == path.stem.removesuffix("_amended").replace("_", " ")


def test_ordinary_commands_go_on_with_it(folder: Path, tmp_path: Path, parts: dict[tuple[str, str], str]) -> None:
    """What the command wrote is what the commands write from the store, byte for byte."""
    study, subjects = str(folder), ["--subjects", str(folder / "subjects.csv")]
    assert main(["reads", "worklist", study, "--reader", "Reader B"]) == 0
    assert main(["reads", "rows", study, "--out", str(tmp_path / "rows.csv")]) == 0
    assert (tmp_path / "rows.csv").read_bytes() == (folder / "measurements.csv").read_bytes()
    assert main(["reads", "accepted", study, "--out", str(tmp_path / "accepted.csv"), *subjects]) == 0
    assert (tmp_path / "accepted.csv").read_bytes() == (folder / "accepted.csv").read_bytes()
    assert main(["reads", "adjudicate", study, "--by", "Manager", "--seed", "again", *subjects]) == 0
    sent = next(s for s, part in parts if part == "adjudicator")
    assert main(["explain", str(folder / "results"), sent]) == 0


def test_endpoints_are_of_the_accepted_reads(folder: Path) -> None:
    accepted = {row["subject"]: row["reader"] for row in rows(folder / "accepted.csv") if row["track"] == "central"}
    times = [row for row in rows(folder / "endpoints" / "events.csv") if row["endpoint"] == "TTP"]
    assert {row["subject"]: row["read_by"] for row in times} == accepted
    best = by_hand(folder / "results")
    for row in times:
        if row["status"] == "event":
            assert row["date"] == best[row["subject"], row["read_by"]][1]
    assert rows(folder / "endpoints" / "problems.csv") == []
    for name in ("readers", "tracks"):
        assert rows(folder / "agreement" / name / "agreement.csv") != []
    named = {row["reader_1"] for row in rows(folder / "agreement" / "tracks" / "discordances.csv")}
    assert named <= {"central"}


def the_lab(out: Path, seed: int, subjects: int) -> Lab:
    out.mkdir()
    return lab_of(simulate(STUDY, seed, subjects), out, seed, outlier=False)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = the_lab(tmp_path / "first", AMENDED, 2), the_lab(tmp_path / "second", AMENDED, 2)
    done = work(first, lambda _: None)
    work(second, lambda _: None)
    for path in sorted(one for one in first.folder.rglob("*") if one.suffix in (".csv", ".toml")):
        assert path.read_bytes() == (second.folder / path.relative_to(first.folder)).read_bytes(), path.name
    # What the global review took back was submitted and is not among the rows of the store.
    (amended,) = (first.folder / "submitted").glob("Reader_*_amended.csv")
    who = amended.stem.removesuffix("_amended").replace("_", " ")
    before = {
        row["timepoint"] for row in rows(amended.with_name(f"{who.replace(' ', '_')}.csv")) if row["role"] == "new"
    }
    assert done.written[who].amended == len({row["timepoint"] for row in rows(amended)}) == 2
    assert before
    assert not [row for row in rows(first.folder / "measurements.csv") if row["reader"] == who and row["role"] == "new"]


def test_without_errors_everyone_finds_the_truth(tmp_path: Path) -> None:
    none = replace(published_errors(), **{one.name: 0.0 for one in fields(Errors)})
    lab = the_lab(tmp_path / "study", SEED, 2)
    lab = Lab(cohort=lab.cohort, folder=lab.folder, seed=SEED, everyone=dict.fromkeys(lab.everyone, none))
    vars(lab)["scans"] = {
        s: replace(one, lesions=tuple(x for x in one.lesions if x.name[0] != "M")) for s, one in lab.scans.items()
    }
    done = work(lab, lambda _: None)
    assert done.adjudicated.cases == ()
    rules = ["--protocol", str(lab.folder / "protocol.toml"), "--subjects", str(lab.folder / "subjects.csv")]
    for table, out in (("measurements.csv", "results"), ("truth/measurements.csv", "truth/results")):
        assert main(["assess", str(lab.folder / table), *rules, "--out", str(lab.folder / out)]) == 0
    read, truth = (best_of(lab.folder / out, lab.cohort.protocol) for out in ("results", "truth/results"))
    assert len(read) == 6
    assert all(value == truth[subject, "R1", criterion] for (subject, _, criterion), value in read.items())


def test_an_outlier_needs_a_core_lab(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", STUDY.name, "--out", str(tmp_path / "new"), "--outlier"]) == 2
    assert "--outlier is a reader of --core-lab" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
