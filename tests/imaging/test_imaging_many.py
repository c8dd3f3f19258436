"""A thousand studies with two in a hundred files damaged: exactly these are named, and everything else is as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from build_series import axial, write

from mrecist.cli import main

STUDIES, EVERY = 1000, 50


def build(root: Path) -> set[str]:
    """One study of three slices each; of every fiftieth, the middle slice is cut in its header or pixels."""
    bad = set()
    for number in range(STUDIES):
        uids = {
            "PatientID": f"P{number}",
            "StudyInstanceUID": f"2.25.{number + 1}",
            "SeriesInstanceUID": f"2.25.{number + 1}.1",
        }
        tags = {**uids, "FrameOfReferenceUID": f"2.25.{number + 1}.2"}
        paths = write(root / f"{number:04d}", axial(3, **tags))
        if number % EVERY == 0:
            content = paths[1].read_bytes()
            paths[1].write_bytes(content[: len(content) - 7] if number % 100 else content[: len(content) // 3])
            bad.add(str(paths[1]))
    return bad


def test_exactly_the_damaged_files_are_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bad = build(tmp_path / "in")
    assert len(bad) == STUDIES // EVERY == 20
    found = []
    for workers in ("1", "2"):
        assert main(["scan", str(tmp_path / "in"), "--json", "--workers", workers]) == 1
        caught = capfd.readouterr()
        assert "Traceback" not in caught.err
        found.append(json.loads(caught.out))
    assert found[0] == found[1]
    assert {problem["path"] for problem in found[0]["problems"]} == bad
    verdicts = {one["subject"]: one["verdict"] for one in found[0]["series"]}
    assert len(verdicts) == STUDIES
    hurt = {f"P{number}" for number in range(0, STUDIES, EVERY)}
    assert {subject for subject, verdict in verdicts.items() if verdict == "refused"} <= hurt
    assert all(verdict == "ok" for subject, verdict in verdicts.items() if subject not in hurt)
    # A header that is cut before its UIDs belongs to no series, but the stack lacks its middle slice then.
    assert all(verdicts[subject] != "ok" for subject in hurt), {s: verdicts[s] for s in hurt}
