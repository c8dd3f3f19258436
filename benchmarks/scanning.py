"""How fast the headers of many files are read, beside touching the files at all and beside other programs.

Run ``python benchmarks/scanning.py [--turns N] [--files N]``. It makes its data in a temporary folder (CT slices of 128 x 128
with 110 elements in the header, among them sequences and private ones): ten series in ten folders, and the same series mixed
in one folder with files that are no DICOM. Before any time is taken, all contenders must find the same series with the same
numbers of slices. Then they take turns in one process; the table shows medians, and medians of the ratios within each turn.

mrecist does more than the others: it checks geometry and pixel lengths and says of each series whether it may be measured.
SimpleITK lists the series of one folder at a time and reads every header again to list the files of a series.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from turns import keep, machine, rows_of, rows_option, table, take_turns

from mrecist.imaging.scan import scan_folder

ROOT = "1.2.826.0.1.3680043.10.999.21"
SERIES = 10
Counted = Counter[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--files", type=int, default=2000)
    rows_option(parser)
    options = parser.parse_args()
    print(machine(("mrecist", "pydicom", "SimpleITK")))
    with tempfile.TemporaryDirectory() as name:
        apart, mixed = Path(name) / "apart", Path(name) / "mixed"
        make(apart, mixed, options.files)
        for title, folder in (
            (f"{options.files} files in {SERIES} folders", apart),
            ("the same in one, with junk", mixed),
        ):
            found = {name: run(folder) for name, run in CONTENDERS.items() if name != LIMIT}
            expected = Counter({f"{ROOT}.{s}": options.files // SERIES for s in range(SERIES)})
            for contender, series in found.items():
                assert series == expected, f"{contender} finds {series} and not {expected}"
            print(f"\n{title}: all find {len(expected)} series of {options.files // SERIES} slices")
            taken = take_turns(
                {n: partial(run, folder) for n, run in CONTENDERS.items()}, options.turns, first_call=False
            )
            print(table(taken, {"times pydicom": PEER, "times the limit": LIMIT}))
            keep(options.rows, rows_of(f"header scan, {title}", taken, (PEER, LIMIT)))


def make(apart: Path, mixed: Path, files: int) -> None:
    mixed.mkdir(parents=True)
    names = random.Random(3)
    per_series = files // SERIES
    for series in range(SERIES):
        (apart / f"s{series}").mkdir(parents=True)
        for number in range(per_series):
            path = apart / f"s{series}" / f"{number:04d}.dcm"
            slice_of(series, number).save_as(path, enforce_file_format=True)
            os.link(path, mixed / f"{names.getrandbits(64):016x}")
    for number in range(files // SERIES):
        content = (b"", b"some,table\n1,2\n" * 99, b"\x89PNG\r\n\x1a\n" * 999, names.randbytes(20_000))[number % 4]
        (mixed / f"junk{number}.{('txt', 'csv', 'png', 'bin')[number % 4]}").write_bytes(content)


def slice_of(series: int, number: int) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = f"{ROOT}.{series}.{number + 1}"
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = f"{ROOT}.90", f"{ROOT}.{series}", f"{ROOT}.91"
    ds.PatientID, ds.PatientName, ds.Modality, ds.StudyDate = "P1", "A^B", "CT", "20240102"
    ds.AcquisitionDate, ds.AcquisitionTime, ds.ContrastBolusStartTime = "20240102", "101500.25", "101425"
    ds.SeriesDescription, ds.ImageType = "LIVER ARTERIAL 5.0", ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.InstanceNumber, ds.AcquisitionNumber, ds.SeriesNumber = number + 1, 1, series
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [-180.0, -180.0, 2.5 * number], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness, ds.ConvolutionKernel = [0.75, 0.75], 2.5, "B30f"
    ds.Rows = ds.Columns = 128
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
    ds.RescaleIntercept, ds.RescaleSlope = -1024, 1
    referenced = Dataset()
    referenced.ReferencedSOPClassUID, referenced.ReferencedSOPInstanceUID = CTImageStorage, f"{ROOT}.92"
    ds.ReferencedStudySequence, ds.ReferencedImageSequence = [referenced], [referenced]
    for block, creator in enumerate(("VENDOR A", "VENDOR B")):
        private = ds.private_block(0x0019 + 2 * block, creator, create=True)
        for element in range(30):
            private.add_new(element, "LO", f"value {element}")
    ds.PixelData = np.full((128, 128), number + 1024, np.uint16).tobytes()
    return ds


# --- the contenders: series UID -> number of slices ------------------------------------------------------------------


def limit(folder: Path) -> Counted:
    for where, _, names in os.walk(folder):
        for name in names:
            handle = os.open(os.path.join(where, name), os.O_RDONLY)
            os.pread(handle, 4096, 0)
            os.close(handle)
    return Counter()


def with_pydicom(folder: Path) -> Counted:
    found: Counted = Counter()
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                dataset = pydicom.dcmread(os.path.join(where, name), stop_before_pixels=True)
            except pydicom.errors.InvalidDicomError:
                continue
            found[str(dataset.SeriesInstanceUID)] += 1
    return found


def with_simpleitk(folder: Path) -> Counted:
    import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

    found: Counted = Counter()
    for where, _, _ in os.walk(folder):
        for uid in sitk.ImageSeriesReader.GetGDCMSeriesIDs(where) if any(os.scandir(where)) else ():
            found[uid] += len(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(where, uid))
    return found


def with_mrecist(workers: int) -> Callable[[Path], Counted]:
    def run(folder: Path) -> Counted:
        scan = scan_folder(folder, workers=workers)
        assert not scan.problems
        assert all(s.verdict == "ok" for s in scan.series)
        return Counter({s.uid: len(s.slices) for s in scan.series})

    return run


LIMIT, PEER = "limit: walk, open, 4 KiB each", "pydicom, stop_before_pixels"
CONTENDERS: dict[str, Callable[[Path], Counted]] = {
    LIMIT: limit,
    PEER: with_pydicom,
    "SimpleITK, series IDs and names": with_simpleitk,
    "mrecist, one process": with_mrecist(1),
    "mrecist, two processes": with_mrecist(2),
}


if __name__ == "__main__":
    main()
