"""Many cases, some broken in every way that an archive is: the broken ones are quarantined, and only they."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from archive_made import BREAKS, make_archive, name_of

from mrecist.batch import score_study
from mrecist.cli import main
from mrecist.commands._terminal import Lines
from mrecist.results import Verdict
from mrecist.scheduling import Cause, Failure

MakeStudy = Callable[..., Path]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def outputs(out: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob("*")
        if ".checkpoints" not in path.parts and path.is_file()
    }


def test_exactly_the_broken_cases_are_quarantined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty cases, ten of them broken, each in another way; with pages, as an archive has them."""
    monkeypatch.setattr("mrecist.batch.MOST_ON_ONE_PAGE", 10)
    monkeypatch.setattr("mrecist.report.html._panels", lambda _results: ())
    study, out = tmp_path / "study", tmp_path / "out"
    broken = make_archive(study, 30, len(BREAKS))
    assert set(broken.values()) == set(BREAKS)
    assert main(["score", str(study), "--out", str(out)]) == 1
    cases = table(out / "cases.csv")
    assert [case["subject"] for case in cases if case["verdict"] == "quarantined"] == sorted(broken)
    assert [case["verdict"] for case in cases] == ["quarantined"] * 10 + [
        "done"
    ] * 20  # whom a person looks at stands first
    assert {row["subject"] for row in table(out / "best_responses.csv")} == {name_of(n) for n in range(30)} - set(
        broken
    )
    for case in cases[:10]:
        assert case["files"] or broken[case["subject"]] == "slice of another patient", case
        assert case["reasons"], case
        assert case["what_to_do"], case
        assert str(tmp_path) not in case["reasons"] + case["files"]
    told = {broken[case["subject"]]: case["reasons"] for case in cases[:10]}
    assert "deflated data grow beyond" in told["deflate bomb"]
    assert "holds slices of several subjects: 10 of" in told["slice of another patient"]
    assert "65535 x 65535" in told["frame that claims 65535 x 65535"]
    index = (out / "report.html").read_text(encoding="utf-8")
    pages = sorted(re.findall(r'href="(report/[^"]*)"', index))
    assert len(set(pages)) == 30 == len(list((out / "report").iterdir()))
    assert "data:image/png" not in index
    page = (out / pages[0]).read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 3  # a lesion at two visits, a new one at the second
    assert 'href="../report.html#summary"' in page
    before = outputs(out)
    assert main(["score", str(study), "--out", str(out)]) == 1
    assert outputs(out) == before


def test_the_order_of_the_file_system_does_not_matter(make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    study = make_study("SAMPLE-05", "SAMPLE-06")
    one, other = study.parent / "one", study.parent / "other"
    assert main(["score", str(study), "--out", str(one)]) == 0
    walk = os.walk

    def backwards(top: Any, **options: Any) -> Iterator[tuple[str, list[str], list[str]]]:
        for folder, folders, names in walk(top, **options):
            folders.sort(reverse=True)
            yield folder, folders, sorted(names, reverse=True)

    monkeypatch.setattr(os, "walk", backwards)
    assert main(["score", str(study), "--out", str(other), "--workers", "2"]) == 0
    assert outputs(one) == outputs(other)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Failure("its process ended with signal SIGSEGV; tried twice", Cause.DIED), "SIGSEGV"),
        (Failure("it takes longer than the limit of 5 s", Cause.TIME), "raise --case-timeout"),
    ],
)
def test_a_worker_that_dies_or_hangs_quarantines_its_case_alone(
    make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch, failure: Failure, words: str
) -> None:
    """That such a worker gives a failure is tested with the schedulers (tests/scheduling)."""

    class Dying:
        def run(self, function: Callable[[Any], Any], items: Any) -> Iterator[tuple[int, Any]]:
            found = [
                (index, failure if item.given.subject == "SAMPLE-01" else function(item))
                for index, item in enumerate(items)
            ]
            yield from reversed(found)

    @contextmanager
    def opened(**_options: Any) -> Iterator[Dying]:
        yield Dying()

    monkeypatch.setattr("mrecist.batch.open_scheduler", opened)
    monkeypatch.setattr("mrecist.report.html._panels", lambda _results: ())
    study = make_study("SAMPLE-01", "SAMPLE-05")
    assert main(["score", str(study), "--out", str(study.parent / "out")]) == 1
    bad, good = table(study.parent / "out" / "cases.csv")
    assert (bad["subject"], bad["verdict"]) == ("SAMPLE-01", "quarantined")
    assert words in bad["reasons"]
    assert (good["subject"], good["verdict"]) == ("SAMPLE-05", "done")


def test_flags_and_a_file_beside_the_slices_are_told(make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    """SAMPLE-06 was read on another phase at its first follow-up; a file of SAMPLE-05 that no slice of a read is."""
    monkeypatch.setattr("mrecist.report.html._panels", lambda _results: ())
    study = make_study("SAMPLE-05", "SAMPLE-06")
    (study / "images" / "SAMPLE-05" / "0" / "portal" / "9999.dcm").write_text("no DICOM", encoding="utf-8")
    (study / "images" / "stray.dcm").write_text("no DICOM", encoding="utf-8")
    out = study.parent / "out"
    assert main(["score", str(study), "--out", str(out)]) == 1
    nobody, five, six = table(out / "cases.csv")
    assert (nobody["subject"], nobody["verdict"], nobody["files"]) == ("", "quarantined", "images/stray.dcm")
    assert (five["verdict"], five["files"]) == ("done with flags", "images/SAMPLE-05/0/portal/9999.dcm")
    assert six["verdict"] == "done with flags"
    assert "VIABLE_NOT_ARTERIAL" in six["reasons"]
    text = (out / "summary.txt").read_text(encoding="utf-8")
    assert text.startswith("2 cases: 0 quarantined, 2 done with flags, 0 done\n")
    assert "images/stray.dcm" in text
    scored = score_study(study, out)
    assert [case.verdict for case in scored.cases] == [Verdict.QUARANTINED, Verdict.FLAGGED, Verdict.FLAGGED]
    assert scored.resumed == 2


# --- stopped runs ------------------------------------------------------------------------------------------------------


def started(study: Path, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "mrecist", "score", str(study), "--out", str(out), "--workers", "2"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_for(condition: Callable[[], bool], running: subprocess.Popen[str] | None = None) -> None:
    end = time.monotonic() + 120
    while not condition() and (running is None or running.poll() is None) and time.monotonic() < end:
        time.sleep(0.01)


def children_of(pid: int) -> set[int]:
    """The processes of a process, and theirs, as Linux tells them."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text(encoding="ascii").split()):
            found |= {child} | children_of(child)
    return found


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_run_that_is_stopped_again_and_again_ends_with_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before anything is kept and in the middle, interrupted, then to its end. No worker outlives the run."""
    monkeypatch.setattr("mrecist.report.html._panels", lambda _results: ())
    study, out = tmp_path / "study", tmp_path / "out"
    make_archive(study, 8, 0)
    kept = out / ".checkpoints" / "measured"
    for pieces, how in ((0, signal.SIGKILL), (2, signal.SIGKILL), (5, signal.SIGINT)):
        running = started(study, out)
        wait_for(lambda pieces=pieces: out.exists() and len(list(kept.rglob("*.json"))) >= pieces, running)  # type: ignore[misc]
        workers = children_of(running.pid)
        running.send_signal(how)
        _, said = running.communicate(timeout=60)
        assert running.returncode == (130 if how is signal.SIGINT else -signal.SIGKILL)
        if how is signal.SIGINT:
            assert said.splitlines()[-1].startswith("mrecist: stopped; what was finished is kept")
            assert "Traceback" not in said
        wait_for(lambda workers=workers: not any(map(is_there, workers)))  # type: ignore[misc]
        assert not any(map(is_there, workers))
        assert not (out / "responses.csv").exists()
    assert len(list(kept.rglob("*.json"))) >= 5
    assert main(["score", str(study), "--out", str(out)]) == 0
    assert main(["score", str(study), "--out", str(tmp_path / "whole")]) == 0
    assert outputs(out) == outputs(tmp_path / "whole")


def test_progress_without_a_terminal_is_a_line_now_and_then() -> None:
    """Ten a second: at 30 s 300 of 900 are done, and 60 s are left."""
    now = [0.0]
    lines: list[str] = []
    report = Lines(lines.append, lambda: now[0])
    for done in range(901):
        now[0] = done / 10
        report("measuring subjects", done, 900, done // 400)
    assert lines == [
        "measuring subjects: 300 of 900, 10.0/s, 60 s left",
        "measuring subjects: 600 of 900, 10.0/s, 30 s left, 1 failed",
        "measuring subjects: 900 of 900, 10.0/s, 2 failed",
    ]
    report("short", 0, 1)
    report("short", 1, 1)
    assert len(lines) == 3
