"""How fast a series becomes a volume, beside the bytes alone and beside the programs that give the same voxels.

Run ``python benchmarks/loading.py [--slices 300] [--turns 5] [--kinds plain jpeg-ls jpeg-2000 rle jpeg-lossless]``. It makes
its data (seeded; JPEG lossless with dcmtk's ``dcmcjpeg``), checks that every contender gives the same HU, voxel for voxel, and
then lets them take turns; printed are medians of wall-clock seconds and, in brackets, of the ratios to the limit within a
turn. Files come from the page cache. Contenders that are not installed are named and left out: SimpleITK, highdicom, dicomsdl,
imagecodecs, dcm2niix and dicom2nifti (both with nibabel). pydicom takes the first decoder that is installed.

The limits do less than a loader must: ``preadv`` knows where the pixels lie, and "decode only" has the frames in memory and
drops what it decodes. mrecist is given the result of its scan, the others the list of files in order.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import os
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless
from turns import Taken, figure, keep, machine, ratio, rows_of, rows_option, take_turns

import mrecist
from mrecist.imaging import codecs
from mrecist.imaging.decoder_pool import processors
from mrecist.imaging.pixels import encoded_frame
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.series import Series

SEED = 20240607
SIDE = 512
ROOT = "1.2.826.0.1.3680043.10.999"
KINDS = {"plain": None, "jpeg-ls": JPEGLSLossless, "jpeg-2000": JPEG2000Lossless, "rle": RLELossless}
LOSSLESS = "jpeg-lossless"
Voxels = npt.NDArray[Any]
Run = Callable[[], Voxels]
LIMIT = "limit: preadv, or decode only"
PEER = "pydicom loop"
PACKAGES = (
    "pydicom",
    "pyjpegls",
    "pylibjpeg-openjpeg",
    "SimpleITK",
    "highdicom",
    "dicomsdl",
    "imagecodecs",
    "dicom2nifti",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--kinds", nargs="+", default=[*KINDS, LOSSLESS], choices=[*KINDS, LOSSLESS])
    rows_option(parser)
    options = parser.parse_args()
    print(machine(("mrecist", "numpy", *PACKAGES)))
    cells: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory(prefix="loading-") as folder:
        stored = phantom(options.slices)
        for kind in options.kinds:
            place = Path(folder) / kind
            if not make(place, kind, stored):
                print(f"{kind}: left out, dcmcjpeg (dcmtk) is not installed")
                continue
            taken = one_kind(kind, place, stored, options.turns)
            keep(options.rows, rows_of(f"load a series, {kind}", taken, (LIMIT, PEER)))
            for name, seconds in taken.items():
                cell = f"{figure(statistics.median(seconds))} ({figure(ratio(taken, name, LIMIT))})"
                cells.setdefault(name, {})[kind] = cell
            shutil.rmtree(place)
    print(f"\n| seconds (times the limit) | {' | '.join(options.kinds)} |\n|{'---|' * (len(options.kinds) + 1)}")
    for name, own in cells.items():
        print(f"| {name} | {' | '.join(own.get(kind, '') for kind in options.kinds)} |")


# --- data ------------------------------------------------------------------------------------------------------------


def phantom(slices: int) -> npt.NDArray[np.uint16]:
    """A body of soft tissue in air with organs and 12 HU of noise, stored with intercept -1024, 12 bits."""
    rng = np.random.default_rng(SEED)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    body = np.hypot(x / 210, y / 160) < 1
    volume = np.empty((slices, SIDE, SIDE), dtype=np.uint16)
    for z in range(slices):
        turn = 2 * np.pi * z / slices
        hu = np.where(body, 40.0, -1000.0)
        for k, level in enumerate((110.0, -90.0, 300.0, 60.0)):
            centre = 80 * np.cos(turn + 1.6 * k), 70 * np.sin(turn + 1.6 * k)
            hu[np.hypot(x - centre[0], y - centre[1]) < 45 - 8 * k] = level
        hu += rng.normal(0, 12, hu.shape)
        volume[z] = np.clip(np.rint(hu) + 1024, 0, 4095)
    return volume


def make(folder: Path, kind: str, stored: npt.NDArray[np.uint16]) -> bool:
    """Write the series; False when the encoder is not there."""
    if kind == LOSSLESS and shutil.which("dcmcjpeg") is None:
        return False
    folder.mkdir(parents=True)
    for index, plane in enumerate(stored):
        path = folder / f"{index:04d}.dcm"
        ds = one_slice(index, plane)
        if KINDS.get(kind) is not None:
            ds.compress(KINDS[kind], generate_instance_uid=False)
        ds.save_as(path, enforce_file_format=True)
        if kind == LOSSLESS:
            subprocess.run(["dcmcjpeg", "+e1", str(path), str(path)], check=True, capture_output=True)
    return True


def one_slice(index: int, plane: npt.NDArray[np.uint16]) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = f"{ROOT}.4.{index + 1}"
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = f"{ROOT}.1", f"{ROOT}.2", f"{ROOT}.3"
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = "P1", "", "", ""
    ds.StudyDate = ds.AcquisitionDate = "20200131"
    ds.StudyTime = ds.AcquisitionTime = "120000"
    ds.StudyID, ds.AccessionNumber, ds.ReferringPhysicianName, ds.Manufacturer = "", "", "", "benchmark"
    ds.Modality, ds.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SeriesNumber = ds.AcquisitionNumber = 1
    ds.InstanceNumber = index + 1
    ds.ImagePositionPatient = [-190.0, -190.0, 2.5 * index]
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness, ds.PositionReferenceIndicator = [0.75, 0.75], 2.5, ""
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = SIDE, SIDE, 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType, ds.KVP = 1, -1024, "HU", 120
    ds.PixelData = plane.tobytes()
    return ds


# --- contenders ------------------------------------------------------------------------------------------------------


def by_preadv(series: Series) -> Voxels:
    """The bytes of all slices into one fresh array, their places known."""
    voxels = np.empty((len(series.slices), SIDE, SIDE), dtype=np.uint16)
    for index, item in enumerate(series.slices):
        handle = os.open(item.path, os.O_RDONLY)
        os.preadv(handle, [voxels[index].reshape(-1).view(np.uint8).data], item.pixels.start)
        os.close(handle)
    return voxels


def by_pydicom(paths: list[str]) -> Voxels:
    voxels = np.empty((len(paths), SIDE, SIDE), dtype=np.float32)
    for index, path in enumerate(paths):
        ds = pydicom.dcmread(path)
        voxels[index] = ds.pixel_array * np.float32(ds.RescaleSlope) + np.float32(ds.RescaleIntercept)
    return voxels


def by_simpleitk(paths: list[str]) -> Voxels:
    import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(paths)
    return np.asarray(sitk.GetArrayFromImage(reader.Execute()))


def by_highdicom(paths: list[str]) -> Voxels:
    import highdicom

    volume = highdicom.get_volume_from_series([pydicom.dcmread(p) for p in paths], dtype=np.float32)
    return np.asarray(volume.array[::-1])


def by_dicomsdl(paths: list[str]) -> Voxels:
    import dicomsdl

    return np.stack([dicomsdl.open(path).pixelData() for path in paths])


def by_dcm2niix(folder: Path) -> Voxels:
    with tempfile.TemporaryDirectory() as out:
        command = ["dcm2niix", "-z", "n", "-b", "n", "-f", "out", "-o", out, str(folder)]
        subprocess.run(command, check=True, capture_output=True)
        return _from_nifti(next(Path(out).glob("*.nii")))


def by_dicom2nifti(folder: Path) -> Voxels:
    import dicom2nifti

    with tempfile.TemporaryDirectory() as out:
        dicom2nifti.dicom_series_to_nifti(str(folder), str(Path(out) / "out.nii"), reorient_nifti=True)
        return _from_nifti(Path(out) / "out.nii")


def _from_nifti(path: Path) -> Voxels:
    """(Z, Y, X) as in DICOM: NIfTI counts y towards the front, and x towards the left or right as its affine says."""
    import nibabel

    image = nibabel.load(path)
    turned = nibabel.as_closest_canonical(image)
    return np.asarray(turned.dataobj).transpose(2, 1, 0)[:, ::-1, ::-1]


def contenders(folder: Path, series: Series) -> dict[str, Run]:
    paths = [str(item.path) for item in series.slices]
    found: dict[str, Run] = {
        "mrecist load_volume": lambda: mrecist.load_volume(series).voxels,
        PEER: lambda: by_pydicom(paths),
    }
    others: dict[str, tuple[str, Run]] = {
        "SimpleITK ImageSeriesReader": ("SimpleITK", lambda: by_simpleitk(paths)),
        "highdicom get_volume_from_series": ("highdicom", lambda: by_highdicom(paths)),
        "dicomsdl": ("dicomsdl", lambda: by_dicomsdl(paths)),
        "dcm2niix, uncompressed NIfTI": ("nibabel", lambda: by_dcm2niix(folder)),
        "dicom2nifti, uncompressed NIfTI": ("dicom2nifti", lambda: by_dicom2nifti(folder)),
    }
    for name, (module, run) in others.items():
        missing = importlib.util.find_spec(module) is None or ("dcm2niix" in name and shutil.which("dcm2niix") is None)
        if missing:
            print(f"not installed, left out: {name}")
        else:
            found[name] = run
    return found


# --- limit of compressed series --------------------------------------------------------------------------------------

FRAMES: list[tuple[codecs.FrameFormat, bytes]] = []
SCRATCH: list[tempfile.TemporaryDirectory[str]] = []


def load_frames(series: Series) -> None:
    FRAMES.clear()
    for item in series.slices:
        layout = item.pixels
        form = codecs.FrameFormat(
            **{name: getattr(layout, name) for name in codecs.FrameFormat.__dataclass_fields__},
        )
        with item.path.open("rb") as stream:
            FRAMES.append((form, encoded_frame(stream, layout, 0)))


def decode_only(index: int) -> None:
    if not SCRATCH:
        SCRATCH.append(tempfile.TemporaryDirectory())
    codecs.decode(*FRAMES[index], Path(SCRATCH[0].name))


# --- turns -----------------------------------------------------------------------------------------------------------


def one_kind(kind: str, folder: Path, stored: npt.NDArray[np.uint16], turns: int) -> Taken:
    """Name of the contender -> seconds of each turn."""
    (series,) = scan_folder(folder).series
    size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
    print(f"{kind}: {len(stored)} slices of {SIDE} x {SIDE}, {size:.0f} MiB", flush=True)
    runs = agreeing(contenders(folder, series), stored)
    if kind == "plain":
        limits: dict[str, Callable[[], object]] = {
            LIMIT: lambda: by_preadv(series),
            "the same, to float32": lambda: by_preadv(series).astype(np.float32),
        }
        return take_turns(limits | runs, turns, first_call=False)
    load_frames(series)
    with multiprocessing.get_context("fork").Pool(processors()) as pool:
        limits = {LIMIT: lambda: pool.map(decode_only, range(len(FRAMES)), chunksize=4)}
        if kind == "jpeg-ls" and importlib.util.find_spec("imagecodecs"):
            limits["imagecodecs, decode only, threads"] = by_imagecodecs
        return take_turns(limits | runs, turns, first_call=False)


def by_imagecodecs() -> Voxels:
    from concurrent.futures import ThreadPoolExecutor

    import imagecodecs

    with ThreadPoolExecutor(processors()) as threads:
        return np.stack(list(threads.map(lambda pair: imagecodecs.jpegls_decode(pair[1]), FRAMES)))


def agreeing(runs: dict[str, Run], stored: npt.NDArray[np.uint16]) -> dict[str, Run]:
    """Those whose HU are the phantom's; the others are named and left out. Also the first, slower call of each."""
    truth = stored.astype(np.int32) - 1024
    good = {}
    for name, run in runs.items():
        try:
            voxels = run()
        except Exception as error:  # noqa: BLE001 - another program's failure is a result
            print(f"left out, fails: {name}: {type(error).__name__}: {' '.join(str(error).split())[:120]}")
            continue
        if voxels.shape == truth.shape and np.array_equal(voxels, truth):
            good[name] = run
        else:
            print(f"left out, other voxels: {name}: {voxels.shape} {voxels.dtype}")
    return good


if __name__ == "__main__":
    main()
