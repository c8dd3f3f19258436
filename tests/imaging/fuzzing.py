"""Seeded damage to small valid DICOM files of all kinds, and what may come of it: a result or a line, nothing else.

The seeds are built by the code below (build_series, build_seg), so nothing binary is kept. A case is (kind of seed, number):
the same pair always gives the same bytes. Used by test_imaging_fuzz.py (some hundred cases) and benchmarks/fuzz_dicom.py.
"""

from __future__ import annotations

import io
import json
import random
import time
import warnings
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from build_seg import ENHANCING, Part, change_seg, write_seg
from build_series import Image, axial, dataset_of, enhanced, write
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.tag import Tag
from pydicom.uid import (
    ComprehensiveSRStorage,
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from mrecist.errors import InputError, MrecistError
from mrecist.identity.check import check_identity
from mrecist.imaging.masks import read_segmentation
from mrecist.imaging.scan import scan_folder, scan_to_json
from mrecist.imaging.series import Series, Verdict
from mrecist.imaging.volume import load_volume

SLICES, EDGE = 3, 32  # JPEG 2000 encoders take no image below 32 pixels
COMPRESSED = {"jpeg2000": JPEG2000Lossless, "jpegls": JPEGLSLossless, "rle": RLELossless}
IMAGES = ("ct", "implicit", "deflated", "enhanced", *COMPRESSED)
MASKS = ("binary", "labelmap", "fractional")
KINDS = (*IMAGES, *MASKS, "sr")
SECONDS_A_CASE = 20.0
VALUES = (
    *(
        b"",
        b" ",
        b"\\",
        b"\\\\\\",
        b"0",
        b"-1",
        b"6,0\\6,0",
        b"nan",
        b"inf\\-inf",
        b"1e400",
        b"1e-320",
        b"1e308\\1e308",
    ),
    *(
        b"65535",
        b"4294967295",
        b"99999999999999999999",
        b"2000000000",
        b"1_0",
        b"0x10",
        b"\0\0",
        b"\xff\xff",
        b"\0" * 7,
    ),
    *(
        b"../../../x",
        b"1.2." * 30,
        b"\x1b$)C\xb1\xe8",
        b"\x1b]0;x\x07",
        b"A\nB\rC",
        b"=cmd|' /C calc'!A0",
        b"x" * 10_000,
    ),
    *(b"ISO 2022 IR 149", b"GB18030", b"no such set", b"20240230", b"99999999", b"250000", b"\x81\xff\xfe" * 5),
)
VRS = ("AE", "AT", "CS", "DA", "DS", "FD", "IS", "LO", "OB", "OW", "PN", "SQ", "TM", "UI", "UL", "UN", "US", "UT", "ZZ")


@dataclass(frozen=True)
class Seeds:
    """The valid file of each kind; the CT slices that segmentations were drawn on; the scan of those."""

    files: dict[str, bytes]
    images: tuple[bytes, ...]
    series: tuple[Series, ...]


def build_seeds(folder: Path) -> Seeds:
    """``folder`` keeps the CT slices: segmentations are placed on them."""
    paths = write(folder / "ct", _slices())
    files = {"ct": paths[1].read_bytes(), "enhanced": _bytes(_enhanced()), "sr": _bytes(_report())}
    plain = dataset_of(_slices()[1], 1)
    for kind, syntax in COMPRESSED.items():
        packed = pydicom.dcmread(paths[1])
        packed.compress(syntax, generate_instance_uid=False)
        files[kind] = _bytes(packed)
    for kind, syntax in (("implicit", ImplicitVRLittleEndian), ("deflated", DeflatedExplicitVRLittleEndian)):
        plain.file_meta.TransferSyntaxUID = syntax
        files[kind] = _bytes(plain)
    whole = np.zeros((SLICES, EDGE, EDGE), bool)
    whole[:2, 4:20, 5:25] = True
    viable = whole.copy()
    viable[:, 10:14, 10:14] = False
    parts = [Part(whole, label="T01 whole"), Part(viable, label="T01 viable", kind=ENHANCING)]
    for kind in MASKS:
        given = parts if kind != "labelmap" else [Part(viable, label="T01 viable", kind=ENHANCING)]
        files[kind] = change_seg(write_seg(folder / f"{kind}.dcm", paths, given, kind.upper()), _fixed).read_bytes()
    return Seeds(files, tuple(p.read_bytes() for p in paths), scan_folder(folder / "ct").series)


def _fixed(dataset: Dataset) -> None:
    """The writer's clock, random UIDs and hashes are replaced, so that a case is the same bytes on every day."""
    for element in list(dataset.iterall()):
        if element.VR in ("DA", "TM", "DT") and element.value:
            element.value = {"DA": "20200131", "TM": "101112", "DT": "20200131101112"}[element.VR]
        if element.keyword == "DimensionOrganizationUID":
            element.value = "1.2.826.0.1.3680043.10.999.31"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.826.0.1.3680043.10.999.32"


def _slices() -> list[Image]:
    return [
        replace(image, tags={"Rows": EDGE, "Columns": EDGE, "AcquisitionTime": "101112.5"}) for image in axial(SLICES)
    ]


def _enhanced() -> FileDataset:
    return enhanced([(-50.0, -60.0, 3.0 * i) for i in range(4)], [1, 1, 1, 1], [0, 1, 2, 3])


def _report() -> FileDataset:
    ds = dataset_of(Image((0.0, 0.0, 0.0), 0, 1, {"SOPClassUID": ComprehensiveSRStorage, "Modality": "SR"}), 0)
    for keyword in ("PixelData", "Rows", "Columns", "PixelSpacing"):
        delattr(ds, keyword)
    item, inner, code = Dataset(), Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "121071", "DCM", "Finding"
    inner.ValueType, inner.RelationshipType, inner.TextValue = "TEXT", "CONTAINS", "a lesion"
    item.ValueType, item.ConceptNameCodeSequence, item.ContentSequence = "CONTAINER", [code], [inner]
    ds.ValueType, ds.ContentSequence = "CONTAINER", [item]
    return ds


def _bytes(dataset: FileDataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


# --- damage ----------------------------------------------------------------------------------------------------------


def damaged(seeds: Seeds, kind: str, number: int) -> bytes:
    """The bytes of a case: half of them with elements changed, half with bytes changed, some with both."""
    dice = random.Random(f"{kind} {number}")
    data = seeds.files[kind]
    choice = dice.random()
    if choice < 0.6:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the writing side, which is made to write it
            data = _elements_changed(data, dice)
    if choice > 0.5:
        data = _bytes_changed(data, dice)
    return data


def _elements_changed(data: bytes, dice: random.Random) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(data))
    list(dataset.iterall())  # every element is converted once, before any is damaged
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        place = dataset
        while tags := [
            element.tag for element in place.elements() if element.tag.group != 0x7FE0
        ]:  # down into sequences, at random
            element = place.get_item(dice.choice(tags))
            if element.VR != "SQ" or not element.value or dice.random() < 0.2:
                _change(place, element, dice)
                break
            place = dice.choice(list(element.value))
    try:
        return _bytes(dataset)
    except Exception:  # noqa: BLE001 - what pydicom refuses to write is no case; the seed with its bytes changed is
        return _bytes_changed(data, dice)


def _change(place: Dataset, element: Any, dice: random.Random) -> None:
    tag, action = Tag(element.tag), dice.random()
    if action < 0.2:
        del place[tag]
    elif action < 0.35 and element.VR == "SQ":
        items = list(element.value)
        place[tag].value = dice.choice(([], items * 2, items[:-1], items[::-1]))
    else:
        vr = dice.choice(VRS) if dice.random() < 0.2 else ("LO" if element.VR == "SQ" else element.VR)
        value = dice.choice(VALUES)
        value += b" " * (len(value) % 2)
        if vr in ("US", "UL", "FD", "AT"):
            value = dice.randbytes(dice.choice((0, 1, 2, 2, 4, 8)))
        place[tag] = RawDataElement(tag, "UN" if vr in ("SQ", "ZZ") else vr, len(value), value, 0, False, True)


def _bytes_changed(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.choice((1, 2, 4, 16))):
        if len(changed) < 160:
            break
        end = len(changed) if dice.random() < 0.3 else min(len(changed), 3000)  # headers above all
        at, kind = dice.randrange(128, end), dice.random()
        if kind < 0.35:
            changed[at] = dice.randrange(256)
        elif kind < 0.5:
            changed[at : at + 4] = dice.choice(
                (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xfe\xff\xff\xff", b"\xff\xff\xff\x7f")
            )
        elif kind < 0.6:
            del changed[at : at + dice.randrange(1, 40)]
        elif kind < 0.7:
            changed[at:at] = dice.randbytes(dice.randrange(1, 40))
        elif kind < 0.8:
            start = dice.randrange(128, len(changed))
            changed[at:at] = changed[start : start + dice.randrange(1, 400)]
        elif kind < 0.9:
            changed[at : at + 2] = dice.choice(VRS).encode()
        else:
            del changed[at:]
    return bytes(changed)


# --- a case ----------------------------------------------------------------------------------------------------------


def run_case(seeds: Seeds, kind: str, number: int, folder: Path) -> str:
    """Write the damaged file among whole ones, scan, load, read as a segmentation; what came of it, in a word.

    Every exception but MrecistError passes. A case that takes longer than SECONDS_A_CASE fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    case = folder / "case.dcm"
    case.write_bytes(damaged(seeds, kind, number))
    if kind in IMAGES and kind != "enhanced":
        (folder / "0.dcm").write_bytes(seeds.images[0])
        (folder / "2.dcm").write_bytes(seeds.images[2])
    began = time.perf_counter()
    word = _read_everything(case, folder, seeds)
    seconds = time.perf_counter() - began
    assert seconds < SECONDS_A_CASE, f"{kind} {number} took {seconds:.1f} s"
    for path in folder.iterdir():
        path.unlink()
    return word


def _read_everything(case: Path, folder: Path, seeds: Seeds) -> str:
    scan = scan_folder(folder)
    json.dumps(scan_to_json(scan), allow_nan=False)
    words = {"problem"} if scan.problems else set()
    for problem in scan.problems:
        assert "\n" not in problem.reason, problem
    lines: list[str] = []
    for series in scan.series:
        words.add(str(series.verdict))
        if series.verdict is Verdict.OK:
            _check_geometry(series)
        try:
            voxels = load_volume(series).voxels
            assert voxels.shape == (len(series.slices), *voxels.shape[1:])
        except MrecistError as error:
            lines.append(str(error))
    try:
        for mask in read_segmentation(case, seeds.series).masks:
            words.add("mask" if mask.whole.any() else "empty mask")
    except MrecistError as error:
        lines.append(str(error))
    assert not [line for line in lines if "\n" in line]
    with suppress(InputError):  # the damage made it no DICOM, and there is no other file
        for finding in check_identity(folder):
            assert finding.what_to_do
    return "+".join(sorted(words)) or "nothing"


def _check_geometry(series: Series) -> None:
    grid = series.geometry
    assert grid is not None
    assert grid.slice_step_mm is not None
    sizes = (grid.row_spacing_mm, grid.column_spacing_mm, grid.slice_step_mm)
    assert all(0 < size < 1e6 for size in sizes), sizes
    assert all(abs(c) < 1e9 for origin in grid.origins_lps for c in origin), grid.origins_lps
