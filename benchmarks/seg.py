"""How fast a DICOM SEG is written and read, beside the bytes alone and beside other programs.

Run ``python benchmarks/seg.py [--slices 200] [--turns 5]``. It makes a CT series and ten lesions on it (benchmarks/loading.py and
benchmarks/measure.py), checks that every contender writes and reads the same voxels, and lets them take turns; files come from the page
cache. Contenders that are not installed are named and left out: highdicom is a dependency, dcmqi (``itkimage2segimage``,
``segimage2itkimage``) is not.

The limits: packing the bits of the frames that are not empty and writing them; reading the file and unpacking them. mrecist writes with
highdicom, and settles what makes the bytes the same for the same input.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import numpy.typing as npt
import pydicom
from loading import make, phantom
from measure import ten_lesions
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, RLELossless
from turns import keep, machine, rows_of, rows_option, table, take_turns

import mrecist
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series
from mrecist.objects.segmentation import DrawnLesion, write_segmentation

Labels = npt.NDArray[np.uint8]
ROOT = "1.2.826.0.1.3680043.10.999.7"
LESIONS = 10
PACKAGES = ("mrecist", "numpy", "pydicom", "highdicom", "dcmqi")
PACK, UNPACK, PEER_OUT, PEER_IN = (
    "limit: pack the bits, write",
    "limit: read, unpack the bits",
    "highdicom BINARY",
    "highdicom get_volume",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--turns", type=int, default=5)
    rows_option(parser)
    options = parser.parse_args()
    print(machine(PACKAGES))
    with tempfile.TemporaryDirectory(prefix="seg-") as name:
        folder = Path(name)
        make(folder / "images", "plain", phantom(options.slices))
        (series,) = scan_folder(folder / "images").series
        labels = ten_lesions()[: options.slices]
        present = len(np.unique(labels)) - 1
        print(f"{present} segments on {options.slices} slices of {labels.shape[1]} x {labels.shape[2]}")
        writers = written_by(series, labels, folder)
        sizes = {name: same_voxels(name, run, labels, series) for name, run in writers.items()}
        taken = take_turns({PACK: lambda: pack(labels, folder / "bits")} | writers, options.turns)
        print(f"\n{table(taken, {'times the limit': PACK, 'times highdicom': PEER_OUT}, sizes)}")
        keep(options.rows, rows_of("write a SEG", taken, (PACK, PEER_OUT)))
        source = writers[PEER_OUT]()
        readers = read_by(source, series, folder)
        for name, run in readers.items():
            check(name, run(), labels)
        taken = take_turns({UNPACK: lambda: unpack(folder / "bits", labels)} | readers, options.turns)
        print(f"\n{table(taken, {'times the limit': UNPACK, 'times highdicom': PEER_IN})}")
        keep(options.rows, rows_of("read a SEG", taken, (UNPACK, PEER_IN)))


# --- contenders ------------------------------------------------------------------------------------------------------


def pack(labels: Labels, path: Path) -> None:
    planes = [labels[z] == n for n in range(1, LESIONS + 1) for z in np.flatnonzero((labels == n).any(axis=(1, 2)))]
    path.write_bytes(np.packbits(np.stack(planes), bitorder="little").tobytes())


def unpack(path: Path, labels: Labels) -> npt.NDArray[np.uint8]:
    return np.unpackbits(np.frombuffer(path.read_bytes(), np.uint8), bitorder="little").reshape(-1, *labels.shape[1:])


def written_by(series: Series, labels: Labels, folder: Path) -> dict[str, Callable[[], Path]]:
    lesions = [
        DrawnLesion(lesion=f"T{n:02d}", tracking_uid=f"{ROOT}.{n}", whole=labels == n, viable=None)
        for n in range(1, LESIONS + 1)
    ]

    def own(labelmap: bool) -> Path:
        path = folder / f"own{labelmap}.dcm"
        path.write_bytes(write_segmentation(series, lesions, reader="R1", labelmap=labelmap))
        return path

    def peer(kind: str, syntax: str) -> Path:
        images = [pydicom.dcmread(item.path) for item in series.slices]
        made = hd.seg.Segmentation(
            source_images=images,
            pixel_array=labels,
            segmentation_type=kind,
            segment_descriptions=[description(n) for n in range(1, LESIONS + 1)],
            series_instance_uid=f"{ROOT}.100",
            series_number=1,
            sop_instance_uid=f"{ROOT}.101",
            instance_number=1,
            manufacturer="benchmark",
            manufacturer_model_name="benchmark",
            software_versions="1",
            device_serial_number="1",
            transfer_syntax_uid=syntax,
        )
        path = folder / f"{kind}.dcm"
        made.save_as(path)
        return path

    return {
        "mrecist BINARY": lambda: own(False),
        "mrecist LABELMAP": lambda: own(True),
        PEER_OUT: lambda: peer("BINARY", ExplicitVRLittleEndian),
        "highdicom LABELMAP, RLE": lambda: peer("LABELMAP", RLELossless),
    }


def description(number: int) -> Any:
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=f"T{number:02d}",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type="MANUAL",
        tracking_id=f"T{number:02d}",
        tracking_uid=f"{ROOT}.{number}",
    )


def read_by(source: Path, series: Series, folder: Path) -> dict[str, Callable[[], Labels]]:
    def own() -> Any:
        return mrecist.read_segmentation(source, [series]).masks

    def peer() -> Any:
        return hd.seg.segread(source).get_volume(combine_segments=True)

    def dcmqi() -> Any:
        out = folder / "dcmqi"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        command = ["segimage2itkimage", "--inputDICOM", str(source), "--outputDirectory", str(out), "-t", "nrrd"]
        subprocess.run(command, check=True, capture_output=True)
        return out

    found: dict[str, Callable[[], Any]] = {"mrecist read_segmentation": own, PEER_IN: peer}
    if shutil.which("segimage2itkimage"):
        found["dcmqi segimage2itkimage, to files"] = dcmqi
    else:
        print("not installed, left out: dcmqi")
    return found


# --- the same voxels -------------------------------------------------------------------------------------------------


def same_voxels(name: str, run: Callable[[], Path], labels: Labels, series: Series) -> str:
    """The size of what a writer wrote, after it was read again by mrecist and compared."""
    path = run()
    check(f"{name}, read again", mrecist.read_segmentation(path, [series]).masks, labels)
    return f"{path.stat().st_size / 2**20:.2g} MiB"


def check(name: str, found: Any, labels: Labels) -> None:
    """Stop when what was read are other voxels."""
    if isinstance(found, tuple):
        read = np.zeros_like(labels)
        for mask in found:
            read[mask.whole] = int(mask.lesion[1:])
    elif isinstance(found, Path):
        return  # files of each segment, cropped: not compared here
    else:
        # highdicom gives the slices that hold a segment, in the order of their positions
        filled = np.flatnonzero(labels.any(axis=(1, 2)))
        read, part = np.zeros_like(labels), np.asarray(found.array)
        first = round(
            float(min(found.get_affine("LPS")[2, 3], (found.get_affine("LPS") @ [len(part) - 1, 0, 0, 1])[2])) / 2.5
        )
        turned = part if found.get_affine("LPS")[2, 0] > 0 else part[::-1]
        read[first : first + len(part)] = turned
        assert filled[0] >= first
    if not np.array_equal(read, labels):
        raise SystemExit(f"{name}: other voxels than were drawn; nothing is timed")


if __name__ == "__main__":
    main()
