"""Hostile files, one at a time, through ``mrecist scan``, ``measure`` and ``score``: one line each, the rest is done, no traceback.

The whole files beside the hostile one are a subject of the sample study; its result must be as without the hostile file.
"""

from __future__ import annotations

import csv
import gc
import io
import json
import os
import shutil
import stat
import struct
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from build_series import Image, axial, dataset_of, set_raw, write
from pydicom.dataset import Dataset
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from mrecist.cli import main
from mrecist.imaging.scan import scan_folder
from mrecist.samples.build import sample_study_path

Captured = pytest.CaptureFixture[str]
SUBJECT = "SAMPLE-05"


# --- one hostile file of each kind -----------------------------------------------------------------------------------


def _image(change: Callable[[Dataset], None] | None = None, **tags: Any) -> bytes:
    """A CT slice of a series of its own, changed."""
    image = Image((0.0, 0.0, 7.0), 0, 1, {"PatientID": "HOSTILE", **tags}, change=change)
    buffer = io.BytesIO()
    dataset_of(image, 0).save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _nested(levels: int) -> bytes:
    """Explicit VR little endian: each level is a sequence and an item of undefined length."""
    head = _image()
    level = struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    return head[: head.index(b"\xe0\x7f\x10\x00")] + level * levels


def _bomb(megabytes: int = 80) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(_image()))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    data = buffer.getvalue()
    start = 132 + 12 + struct.unpack("<I", data[140:144])[0]
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return data[:start] + b"".join(packer.compress(b"\0" * 2**20) for _ in range(megabytes)) + packer.flush()


def _bomb_behind_a_long_meta() -> bytes:
    """The deflated transfer syntax stands behind 40 kB of private file meta information and a group length that lies."""
    data = _bomb()
    start = 132 + 12 + struct.unpack("<I", data[140:144])[0]
    syntax = data.index(b"\x02\x00\x10\x00UI")
    length = 8 + struct.unpack("<H", data[syntax + 6 : syntax + 8])[0]
    private = struct.pack("<HH2sHI", 0x0002, 0x0102, b"OB", 0, 40_000) + b"\0" * 40_000
    meta = data[144:syntax] + private + data[syntax : syntax + length]
    return data[:144] + meta + data[start:]


def _pixel_length(length: int) -> bytes:
    data = _image()
    at = data.index(b"\xe0\x7f\x10\x00OW") + 8
    return data[:at] + struct.pack("<I", length) + data[at + 4 : at + 44]


def _four_gigabytes_in_the_header() -> bytes:
    data = _image()
    at = data.index(b"\x28\x00\x02\x00US")
    return data[:at] + struct.pack("<HH2sHI", 0x0021, 0x1010, b"OB", 0, 0xFFFFFFFE) + data[at:]


def _private(count: int) -> bytes:
    data = _image()
    at = data.index(b"\x28\x00\x02\x00US")
    elements = (
        struct.pack("<HH2sH", 0x0021 + 2 * (i >> 15), 0x8000 + (i & 0x7FFF), b"LO", 2) + b"ab" for i in range(count)
    )
    return data[:at] + b"".join(elements) + data[at:]


def _class_that_swallows_the_header() -> bytes:
    """The length of SOPClassUID covers what follows it: found by the fuzzer, whose line quoted kilobytes with line feeds."""
    data = _image(ImageComments="a\nb" * 20)
    at = data.index(b"\x08\x00\x16\x00UI") + 6
    return data[:at] + struct.pack("<H", len(data) - at - 2) + data[at + 2 :]


WHOLE = _image()
# What it is -> (bytes, words that the one line about it holds).
PROBLEMS: dict[str, tuple[Callable[[], bytes], str]] = {
    "truncated header": (lambda: WHOLE[:400], "truncated"),
    "truncated pixels": (lambda: WHOLE[:-50], "truncated: 46 bytes of pixel data where 96 are needed"),
    "Rows 65535": (
        lambda: _image(set_raw(0x00280010, "US", b"\xff\xff")),
        "bytes of pixel data where 1048560 are needed",
    ),
    "2e9 frames": (
        lambda: _image(set_raw(0x00280008, "IS", b"2000000000")),
        "bytes of pixel data where 192000000000 are",
    ),
    "1e12 frames": (lambda: _image(set_raw(0x00280008, "IS", b"999999999999")), "bytes of pixel data where"),
    "4 GB of pixels stated": (
        lambda: _pixel_length(0xFFFFFFFE),
        "truncated: 40 bytes of pixel data where 96 are needed",
    ),
    "4 GB stated in the header": (_four_gigabytes_in_the_header, "truncated"),
    "900 nested sequences": (lambda: _nested(900), "RecursionError"),
    "20000 nested sequences": (lambda: _nested(20_000), "RecursionError"),
    "deflate bomb": (_bomb, "deflated data grow beyond"),
    "deflate bomb behind a long meta": (_bomb_behind_a_long_meta, "deflated data grow beyond"),
    "Rows as text": (lambda: _image(set_raw(0x00280010, "DS", b"six ")), "Rows (0028,0010) is not a number: six"),
    "Rows as a sequence": (lambda: _image(set_raw(0x00280010, "SQ", b"")), "Rows"),
    "Rows zero": (lambda: _image(set_raw(0x00280010, "US", b"\0\0")), "is not positive"),
    "a class that swallows the header": (_class_that_swallows_the_header, "header truncated or damaged"),
    "frames negative": (lambda: _image(set_raw(0x00280008, "IS", b"-3")), "NumberOfFrames (0028,0008) is -3"),
}
# What it is -> (bytes, words of the verdict of its series).
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "zero spacing": (lambda: _image(PixelSpacing=[0, 0]), "PixelSpacing (0028,0030) is not a spacing in mm: 0\\0"),
    "zero orientation": (lambda: _image(ImageOrientationPatient=[0] * 6), "is not two perpendicular unit vectors"),
    "three orientation values": (
        lambda: _image(ImageOrientationPatient=[1, 0, 0]),
        "holds 3 values where 6 are needed",
    ),
    "comma decimals": (
        lambda: _image(set_raw(0x00280030, "DS", b"6,0\\6,0 ")),
        "PixelSpacing (0028,0030) is not a number: 6,0\\6,0; correct the header",
    ),
    "nan spacing": (lambda: _image(set_raw(0x00280030, "DS", b"nan\\inf ")), "is not finite: nan\\inf"),
    "spacing with an underscore": (lambda: _image(set_raw(0x00280030, "DS", b"1_0\\1_0 ")), "1_0\\1_0"),
}


@pytest.mark.filterwarnings("ignore:Invalid value for VR")  # of the writing side, which is made to write it
@pytest.mark.parametrize("what", PROBLEMS)
def test_scan_names_the_file_and_the_cause_in_one_line(what: str, tmp_path: Path, capsys: Captured) -> None:
    build, words = PROBLEMS[what]
    write(tmp_path / "whole", axial(3, SeriesInstanceUID="1.2.3.9"))
    (tmp_path / "hostile").write_bytes(build())
    began = time.perf_counter()
    assert main(["scan", str(tmp_path)]) == 1
    assert time.perf_counter() - began < 20
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith(f"mrecist: {tmp_path / 'hostile'}: ")
    assert words in line
    assert len(line) < 600
    assert "3 slices of 6 x 8" in captured.out


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize("what", REFUSED)
def test_geometry_that_cannot_be_is_refused_by_name(what: str, tmp_path: Path, capsys: Captured) -> None:
    build, words = REFUSED[what]
    (tmp_path / "hostile").write_bytes(build())
    assert main(["scan", str(tmp_path), "--json"]) == 0
    (series,) = json.loads(capsys.readouterr().out)["series"]
    assert (series["verdict"], series["verdict_code"]) == ("refused", "NO_GEOMETRY")
    assert words in series["verdict_text"]


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_scan_of_all_of_them_at_once_is_the_same_for_any_number_of_processes(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mrecist.imaging.sharing.WORTH_SHARING", 1)
    for number, (build, _) in enumerate((*PROBLEMS.values(), *REFUSED.values())):
        (tmp_path / f"h{number}").write_bytes(build())
    for number in range(12):
        write(tmp_path / f"s{number}", axial(12, SeriesInstanceUID=f"1.2.3.{number}"))
    outputs = set()
    for workers in ("1", "2", "3"):
        assert main(["scan", str(tmp_path), "--json", "--workers", workers]) == 1
        captured = capsys.readouterr()
        outputs.add((captured.out, captured.err))
    assert len(outputs) == 1
    ((out, err),) = outputs
    assert len(err.splitlines()) == len(json.loads(out)["problems"]) == len(PROBLEMS)


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_score_and_measure_with_all_of_them_beside_a_whole_subject(tmp_path: Path, capsys: Captured) -> None:
    """Every hostile file is one line and one row of problems.csv; the subject is measured as without them."""
    study = _study(tmp_path / "study")
    assert main(["score", str(study), "--out", str(tmp_path / "clean")]) == 0
    for number, (build, _) in enumerate((*PROBLEMS.values(), *REFUSED.values())):
        (study / "images" / f"h{number}").write_bytes(build())
    capsys.readouterr()
    assert main(["score", str(study), "--out", str(tmp_path / "out"), "--workers", "2"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert sum(str(study / "images" / "h") in line for line in lines) >= len(PROBLEMS)
    assert not any("Traceback" in line or "unexpected" in line for line in lines)
    clean, out = (tmp_path / name / "measurements.csv" for name in ("clean", "out"))
    assert out.read_bytes() == clean.read_bytes()
    problems = (tmp_path / "out" / "problems.csv").read_text(encoding="utf-8")
    assert all(f"images/h{number}: " in problems for number in range(len(PROBLEMS)))
    seg = next((study / "masks").glob("*.dcm"))
    table = tmp_path / "m.csv"
    assert main(["measure", "--seg", str(seg), "--images", str(study / "images"), "--out", str(table)]) == 0
    assert len(table.read_text(encoding="utf-8").splitlines()) > 1


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize(
    "what", ["truncated header", "900 nested sequences", "deflate bomb", "Rows 65535", "2e9 frames"]
)
def test_measure_names_a_segmentation_that_is_hostile(what: str, tmp_path: Path, capsys: Captured) -> None:
    write(tmp_path / "ct", axial(3))
    (tmp_path / "seg.dcm").write_bytes(PROBLEMS[what][0]())
    code = main(
        [
            "measure",
            "--seg",
            str(tmp_path / "seg.dcm"),
            "--images",
            str(tmp_path / "ct"),
            "--out",
            str(tmp_path / "m.csv"),
        ]
    )
    assert code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "seg.dcm" in line
    assert not (tmp_path / "m.csv").exists()


def _study(folder: Path) -> Path:
    sample = sample_study_path()
    shutil.copytree(sample / "images" / SUBJECT, folder / "images" / SUBJECT)
    (folder / "masks").mkdir()
    for path in (sample / "masks").glob(f"{SUBJECT}_*.dcm"):
        shutil.copy(path, folder / "masks")
    header, *lines = (sample / "reads" / "R1.csv").read_text(encoding="utf-8").splitlines()
    (folder / "reads").mkdir()
    kept = [line for line in lines if line.startswith(SUBJECT)]
    (folder / "reads" / "R1.csv").write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    return folder


# --- what is large, odd or harmless ----------------------------------------------------------------------------------


def test_three_hundred_thousand_private_elements_are_read_in_bounded_time(tmp_path: Path) -> None:
    (tmp_path / "many").write_bytes(_private(300_000))
    began = time.process_time()
    (series,) = scan_folder(tmp_path).series
    assert series.verdict_code == "SINGLE_SLICE"
    assert time.process_time() - began < 8  # about 1 s; converting each of them took 8 s


@pytest.mark.parametrize("magic", [b"MZ\x90\0", b"\x7fELF"])
def test_a_program_in_the_preamble_is_only_an_image_here(magic: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.exe").write_bytes(magic + WHOLE[4:])
    assert [s.verdict_code for s in scan_folder(tmp_path).series] == ["SINGLE_SLICE"]


@pytest.mark.filterwarnings("ignore:.*UI")
def test_uids_that_look_like_paths_name_no_file(tmp_path: Path, capsys: Captured) -> None:
    """Nothing is written outside --out, whatever PatientID, UIDs and TrackingIDs say."""
    study = _study(tmp_path / "a" / "study")
    for path in sorted((study / "images").rglob("*")):
        if path.is_file():
            dataset = pydicom.dcmread(path)
            dataset.PatientID = "../../escaped"
            if "ClinicalTrialSubjectID" in dataset:
                del dataset.ClinicalTrialSubjectID
            dataset.SOPInstanceUID = UID("../../../" + dataset.SOPInstanceUID[-12:], validation_mode=0)
            dataset.SeriesDescription = "../../../x"
            dataset.save_as(path)
    before = {p for p in tmp_path.rglob("*") if (tmp_path / "a" / "out") not in p.parents}
    main(["score", str(study), "--out", str(tmp_path / "a" / "out")])
    after = {p for p in tmp_path.rglob("*") if (tmp_path / "a" / "out") not in p.parents}
    assert after - before == {tmp_path / "a" / "out"}
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:Invalid value for VR", "ignore::ResourceWarning")
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # FileSet leaves its folder to the collector
def test_a_dicomdir_that_points_elsewhere_is_listed_and_not_followed(tmp_path: Path) -> None:
    from pydicom.fileset import FileSet

    (tmp_path / "outside").mkdir()
    write(tmp_path / "outside", axial(1))
    files = FileSet()
    files.add(dataset_of(Image((0.0, 0.0, 0.0), 0, 1, {"StudyTime": "101010", "StudyID": "1", "SeriesNumber": 1}), 0))
    files.write(tmp_path / "disc")
    del files
    gc.collect()
    directory = pydicom.dcmread(tmp_path / "disc" / "DICOMDIR")
    for item in directory.DirectoryRecordSequence:
        if "ReferencedFileID" in item:
            item.ReferencedFileID = ["..", "outside", "0000.dcm"]
    directory.save_as(tmp_path / "disc" / "DICOMDIR")
    scan = scan_folder(tmp_path / "disc")
    assert [kind for _, kind in scan.others] == ["DICOMDIR"]
    assert [len(s.slices) for s in scan.series] == [1]
    assert all("outside" not in str(piece.path) for s in scan.series for piece in s.slices)


# --- folders ---------------------------------------------------------------------------------------------------------


def test_names_that_are_not_utf8(tmp_path: Path, capsys: Captured) -> None:
    """Latin-1 names: printed escaped, JSON that any program reads, and the whole study scores."""
    study = _study(tmp_path / "study")
    folder = study / "images" / SUBJECT
    for number, path in enumerate(sorted(p for p in folder.rglob("*") if p.is_file())):
        os.rename(os.fsencode(path), os.fsencode(path.parent) + b"/Leberl\xe4sion" + str(number).encode())
    (study / "images" / os.fsdecode(b"besch\xe4digt.dcm")).write_bytes(WHOLE[:-50])
    assert main(["scan", str(study / "images"), "--json"]) == 1
    captured = capsys.readouterr()
    assert "besch\\udce4digt.dcm: truncated" in captured.err
    captured.out.encode("utf-8")
    names = [name for s in json.loads(captured.out)["series"] for name in s["files"]]
    assert all(Path(name).is_file() for name in names)
    assert main(["score", str(study), "--out", str(tmp_path / "out")]) == 1
    assert "besch\\udce4digt.dcm: truncated" in (tmp_path / "out" / "problems.csv").read_text(encoding="utf-8")


def test_a_folder_that_disappears_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a", axial(3))
    write(tmp_path / "b", axial(3))
    plain = os.stat

    def gone(path: Any, *args: Any, **options: Any) -> os.stat_result:
        if str(path) == str(tmp_path / "b"):
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return plain(path, *args, **options)

    monkeypatch.setattr(os, "stat", gone)
    scan = scan_folder(tmp_path)
    assert [len(s.slices) for s in scan.series] == [3]
    assert [(p.path, p.reason) for p in scan.problems] == [
        (str(tmp_path / "b"), "cannot be opened: No such file or directory")
    ]


def test_a_file_that_disappears_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mrecist.imaging import scan as scanning

    paths = write(tmp_path, axial(3))
    listed = scanning.files_below

    def then_gone(root: Path) -> Any:
        files = listed(root)
        paths[1].unlink()
        return files

    monkeypatch.setattr(scanning, "files_below", then_gone)
    (problem,) = scan_folder(tmp_path).problems
    assert (problem.path, problem.reason) == (str(paths[1]), "cannot be opened: No such file or directory")


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder that an ordinary user may read, and that user's rights while the test runs."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    scan_folder(folder)
    yield folder
    os.seteuid(0) if os.getuid() == 0 else None
    for path in folder.rglob("*"):
        path.chmod(0o755)
    shutil.rmtree(folder)


def test_permission_denied_is_one_line_a_file_or_folder(nobody: Path) -> None:
    write(nobody / "a", axial(3))
    write(nobody / "b", axial(3))
    scan_folder(nobody)  # whatever is imported on first use is imported with full rights
    (nobody / "a" / "0001.dcm").chmod(0)
    (nobody / "b").chmod(0)
    if os.getuid() == 0:
        os.seteuid(65534)
    scan = scan_folder(nobody)
    assert {(p.path, p.reason) for p in scan.problems} == {
        (str(nobody / "a" / "0001.dcm"), "cannot be opened: Permission denied"),
        (str(nobody / "b"), "cannot be opened: Permission denied"),
    }


def test_fifos_devices_and_loops_of_links_end(tmp_path: Path) -> None:
    write(tmp_path / "a", axial(3))
    os.mkfifo(tmp_path / "a" / "fifo.dcm")
    (tmp_path / "zero.dcm").symlink_to("/dev/zero")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "up").symlink_to(tmp_path)
    (tmp_path / "twice").symlink_to(tmp_path / "a")
    scan = scan_folder(tmp_path)
    assert [(len(s.slices), s.notes) for s in scan.series] == [(3, ())]
    assert [Path(p.path).name for p in scan.problems] == ["self"]
    assert stat.S_ISFIFO((tmp_path / "a" / "fifo.dcm").stat().st_mode)


# --- texts -----------------------------------------------------------------------------------------------------------

ESCAPES = "A\x1b]0;owned\x07\x1b[2J\nforged: subject B\r\u202e\x9b31m"


@pytest.mark.filterwarnings("ignore:.*")
def test_control_characters_never_reach_the_terminal(tmp_path: Path, capsys: Captured) -> None:
    texts = {"PatientID": ESCAPES, "SeriesDescription": ESCAPES, "SpecificCharacterSet": "ISO_IR 192"}
    write(tmp_path / "a", axial(3, **texts))
    write(tmp_path / "b", axial(1, ImageType=["ORIGINAL", "\x1b[2J\nforged"], SOPClassUID="1.2.3", Modality="\x1b[1m"))
    os.truncate(tmp_path / "a" / "0002.dcm", 100)
    for options in ([], ["--json"]):
        main(["scan", str(tmp_path), *options])
        captured = capsys.readouterr()
        for text in (captured.out, captured.err):
            assert not set(text) & set("\x1b\x07\r\x9b\u202e"), options
            assert not any(line.startswith("forged") for line in text.splitlines())
    assert json.loads(captured.out)["series"]


@pytest.mark.filterwarnings("ignore:.*")
def test_a_subject_of_control_characters_and_a_formula_scores(tmp_path: Path, capsys: Captured) -> None:
    for number, subject in enumerate((ESCAPES, "=cmd|' /C calc'!A0")):
        study = _study(tmp_path / f"study{number}")
        _rename_reads(study / "reads" / "R1.csv", subject)
        for path in sorted(study.rglob("*")):
            if path.is_file() and path.suffix != ".csv":
                dataset = pydicom.dcmread(path)
                dataset.SpecificCharacterSet, dataset.PatientID = "ISO_IR 192", subject
                if "ClinicalTrialSubjectID" in dataset:
                    dataset.ClinicalTrialSubjectID = subject
                dataset.save_as(path)
        out = tmp_path / f"out{number}"
        code = main(["score", str(study), "--out", str(out)])
        captured = capsys.readouterr()
        assert code == 0, captured.err
        assert not set(captured.out + captured.err) & set("\x1b\x07\r\x9b\u202e")
        from mrecist.tables import read_measurements

        assert {row.subject for row in read_measurements(out / "measurements.csv").rows} == {subject}
        lines = (out / "measurements.csv").read_text(encoding="utf-8").splitlines()
        assert not any(line.startswith("=") for line in lines)


def _rename_reads(path: Path, subject: str) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    place = header.index("subject")
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *([*row[:place], subject, *row[place + 1 :]] for row in rows)])


@pytest.mark.filterwarnings("ignore:The value length")
def test_a_description_of_ten_thousand_characters(tmp_path: Path, capsys: Captured) -> None:
    write(tmp_path, axial(3, SeriesDescription="ARTERIAL " * 1111))
    assert main(["scan", str(tmp_path)]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) < 1000


CHARSETS = [
    # The name of PS3.5 Annex I.2 (ISO 2022 IR 149) and J.3 (GB18030), byte for byte; a GBK name under the wrong label.
    (b"ISO_IR 192", "肝脏 動脈".encode(), "肝脏 動脈"),
    (b"\\ISO 2022 IR 149", b"\x1b$)C\xb1\xe8\xc8\xf1\xc1\xdf", "김희중"),
    (b"GB18030 ", b"\xcd\xf5\xd0\xa1\xb6\xab", "王小东"),
    (b"ISO_IR 100", "Läsion".encode("latin-1"), "Läsion"),
    (b"ISO_IR 144", b"\xbb\xee\xda", "Люк"),
]


@pytest.mark.parametrize(("charset", "data", "text"), CHARSETS)
def test_character_sets(charset: bytes, data: bytes, text: str, tmp_path: Path) -> None:
    _described(tmp_path, charset, data)
    assert [s.description for s in scan_folder(tmp_path).series] == [text]


@pytest.mark.parametrize(
    "charset", [b"ISO_IR 192", b"ISO_IR 6 ", b"no such set ", b"ISO 2022 IR 149\\ISO 2022 IR 87", b""]
)
def test_a_wrong_character_set_is_still_a_series(charset: bytes, tmp_path: Path, capsys: Captured) -> None:
    """Text that cannot be decoded names no phase, and decides nothing else."""
    _described(tmp_path, charset, b"\xcd\xf5\xff\x81\xb6\xab")
    assert main(["scan", str(tmp_path), "--json"]) == 0
    captured = capsys.readouterr()
    captured.out.encode("utf-8")
    (series,) = json.loads(captured.out)["series"]
    assert (series["verdict"], series["phase"]["name"]) == ("ok", "UNKNOWN")
    assert captured.err == ""


def _described(folder: Path, charset: bytes, description: bytes) -> None:
    """Three slices whose SpecificCharacterSet and SeriesDescription are these bytes."""
    for path in write(folder, axial(3, SpecificCharacterSet="ISO_IR 100", SeriesDescription="x")):
        data = path.read_bytes()
        for old, new in (
            (b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100", charset),
            (b"\x08\x00\x3e\x10LO\x02\x00x ", description),
        ):
            value = new + b" " * (len(new) % 2)
            assert old in data
            data = data.replace(old, old[:6] + struct.pack("<H", len(value)) + value)
        path.write_bytes(data)
