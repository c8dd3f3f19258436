"""``mrecist match`` on the sample study, of which every name is right, with names exchanged; and ``agree --matches``."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import generate_uid

from mrecist.cli import main

SAMPLE = Path(__file__).parents[2] / "sample_data" / "study"
SUBJECT = "SAMPLE-01"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def redrawn(source: Path, target: Path, reader: str, names: Callable[[str], str]) -> None:
    """The same segmentation by another reader, or with other names."""
    dataset = pydicom.dcmread(source)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.ContentCreatorName = reader
    for segment in dataset.SegmentSequence:
        segment.TrackingID = names(segment.TrackingID)
        segment.SegmentLabel = names(segment.SegmentLabel)
        segment.TrackingUID = f"{segment.TrackingUID}.{len(reader)}.{ord(names(segment.TrackingID)[-1])}"
    dataset.save_as(target)


def exchanged(name: str) -> str:
    return name.translate(str.maketrans("12", "21"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Baseline by R1 and, with T01 and T02 called the other way round, by R2; visit 1 of R1 with exchanged names too."""
    root = tmp_path_factory.mktemp("match")
    for visit in ("0", "1"):
        shutil.copytree(SAMPLE / "images" / SUBJECT / visit, root / "study" / "images" / visit)
    masks = root / "study" / "masks"
    masks.mkdir()
    shutil.copy(SAMPLE / "masks" / f"{SUBJECT}_0.dcm", masks / "R1_0.dcm")
    redrawn(SAMPLE / "masks" / f"{SUBJECT}_0.dcm", masks / "R2_0.dcm", "R2", exchanged)
    redrawn(SAMPLE / "masks" / f"{SUBJECT}_1.dcm", masks / "R1_1.dcm", "R1", exchanged)
    assert main(["match", str(root / "study"), "--out", str(root / "matches.csv")]) == 1
    return root


def test_readers_of_one_scan_are_matched_whatever_the_names_are(folder: Path) -> None:
    found = [row for row in rows_of(folder / "matches.csv") if row["compared"] == "readers"]
    assert [(r["lesion_1"], r["lesion_2"], r["relation"], r["sure"]) for r in found] == [
        ("T01", "T02", "same", "high"),
        ("T02", "T01", "same", "high"),
    ]
    # The very same masks: whole overlap, in one frame, and no name of another reader contradicts anything.
    assert {(r["overlap"], r["apart_mm"], r["off_mm"], r["placed_by"], r["finding"]) for r in found} == {
        ("1.000", "0.0", "0", "frame", "")
    }


def test_names_exchanged_at_a_visit_are_found_by_place(folder: Path) -> None:
    """The visits have frames of reference of their own; the phantom's lesions lie 86 mm apart."""
    found = [row for row in rows_of(folder / "matches.csv") if row["compared"] == "visits"]
    assert [(r["lesion_1"], r["lesion_2"], r["relation"], r["finding"]) for r in found] == [
        ("T01", "T02", "same", "NAMES_SWAPPED"),
        ("T02", "T01", "same", "NAMES_SWAPPED"),
    ]
    assert all(row["placed_by"] != "frame" and float(row["off_mm"]) > 0 for row in found)
    assert found[0]["detail"].startswith("T02 lies where T01 was and T01 where T02 was (overlap 0.")


def test_the_sample_study_contradicts_none_of_its_names(tmp_path: Path, folder: Path) -> None:
    shutil.copytree(folder / "study" / "images", tmp_path / "images")
    (tmp_path / "masks").mkdir()
    for visit in ("0", "1"):
        shutil.copy(SAMPLE / "masks" / f"{SUBJECT}_{visit}.dcm", tmp_path / "masks")
    assert main(["match", str(tmp_path), "--visits", "--out", str(tmp_path / "m.csv")]) == 0
    found = rows_of(tmp_path / "m.csv")
    assert [(r["lesion_1"], r["lesion_2"], r["relation"], r["finding"]) for r in found] == [
        ("T01", "T01", "same", ""),
        ("T02", "T02", "same", ""),
    ]


def test_without_two_reads_nothing_is_written(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(folder / "study" / "images" / "0", tmp_path / "images")
    (tmp_path / "masks").mkdir()
    shutil.copy(SAMPLE / "masks" / f"{SUBJECT}_0.dcm", tmp_path / "masks")
    assert main(["match", str(tmp_path), "--out", str(tmp_path / "m.csv")]) == 2
    assert "no two reads with masks can be compared" in capsys.readouterr().err
    assert not (tmp_path / "m.csv").exists()


HEADER = "subject,timepoint,date,reader,lesion,role,organ,state,longest_mm"


def measured(folder: Path) -> Path:
    """Two readers with three liver lesions of one size; A's T01 is not B's T01, and A's T03 no target of B."""
    lines = [HEADER]
    for reader, names, later in (("A", ("T01", "T02", "T03"), 30), ("B", ("T01", "T02", "T04"), 18)):
        for timepoint, day, size in ((0, "2020-01-01", 30), (1, "2020-03-01", later)):
            lines += [f"S1,{timepoint},{day},{reader},{name},target,liver,measured,{size}" for name in names]
    path = folder / "measurements.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


MATCHES = """subject,compared,reader_1,timepoint_1,lesion_1,reader_2,timepoint_2,lesion_2,relation,sure,overlap,apart_mm,placed_by
S1,readers,B,0,T02,A,0,T01,same,high,0.82,1.5,frame
S1,readers,B,0,T01,A,0,T02,same,low,0,4.2,surroundings
S1,readers,B,0,T04,A,0,,only_1,,,,frame
S1,readers,B,0,,A,0,T03,only_2,,,,frame
"""


def target_set(folder: Path, *options: str) -> str:
    """What discordances.csv says of the targets of the two."""
    assert main(["agree", str(measured(folder)), "--out", str(folder / "out"), "--resamples", "0", *options]) == 0
    details = {row["detail"] for row in rows_of(folder / "out" / "discordances.csv")}
    return next((d for d in sorted(details) if "targets" in d), "")


def test_agree_says_which_target_is_which_as_the_table_does(tmp_path: Path) -> None:
    (tmp_path / "matches.csv").write_text(MATCHES, encoding="utf-8")
    said = target_set(tmp_path, "--criterion", "recist11", "--matches", str(tmp_path / "matches.csv"))
    assert "T01 = T02 (overlap 0.82)" in said
    assert "T02 = T01 (4.2 mm apart, after registration, not sure)" in said
    assert "T03 liver 30.0 mm of A only" in said
    assert "T04 liver 30.0 mm of B only" in said


def test_the_two_tracks_by_the_table_of_those_who_read_them(tmp_path: Path) -> None:
    """Names of readers in matches.csv are those of the rows, whichever track is whose: central is B here, and A in another study."""
    (tmp_path / "matches.csv").write_text(MATCHES, encoding="utf-8")
    for central, site in (("B", "A"), ("A", "B")):
        tracks = ((central, "central"), (site, "investigator"))
        text = "".join(f"S1,recist11,{track},{reader}\n" for reader, track in tracks)
        (tmp_path / "accepted.csv").write_text(f"subject,criterion,track,reader\n{text}", encoding="utf-8")
        options = ("--criterion", "recist11", "--tracks")
        assert target_set(tmp_path, *options) == ""
        said = target_set(tmp_path, *options, "--matches", str(tmp_path / "matches.csv"))
        one, other = ("T01", "T02") if central == "A" else ("T02", "T01")
        assert f"{one} = {other} (overlap 0.82)" in said
        assert f"{other} = {one} (4.2 mm apart, after registration, not sure)" in said
        named = {"A": "central", "B": "investigator"} if central == "A" else {"B": "central", "A": "investigator"}
        assert f"T03 liver 30.0 mm of {named['A']} only" in said
        assert f"T04 liver 30.0 mm of {named['B']} only" in said


def test_agree_without_the_table_goes_by_organ_size_and_name_as_before(tmp_path: Path) -> None:
    assert target_set(tmp_path, "--criterion", "recist11") == ""  # three and three that fit: the same set


def test_agree_refuses_a_table_that_says_nothing_or_contradicts_shared_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "matches.csv"
    call = ["agree", str(measured(tmp_path)), "--out", str(tmp_path / "out"), "--matches", str(path)]
    path.write_text(MATCHES.replace("readers,B,0", "readers,B,1"), encoding="utf-8")
    assert main(call) == 2
    assert "says nothing of two readers at time point 0" in capsys.readouterr().err
    path.write_text(MATCHES, encoding="utf-8")
    assert main([*call, "--shared-names"]) == 2
    assert "--matches" in capsys.readouterr().err
    path.write_text(MATCHES.replace("same,high", "equal,high"), encoding="utf-8")
    assert main(call) == 2
    assert "line 2: relation is 'equal', not one of: same, merged, split" in capsys.readouterr().err
