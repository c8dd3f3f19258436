"""From the files of one time point to the longest diameters of its lesions, beside the pipelines that people put together.

Run ``python benchmarks/end_to_end.py [--slices 200] [--turns 5] [--kind plain|jpeg-ls|...]``. One folder holds a CT series and a DICOM
SEG of ten lesions (benchmarks/loading.py, benchmarks/measure.py); what comes out is the longest diameter of each, by the outline through
the middle of the border pixels' edges (`edge`), within 0.001 mm of each other or nothing is timed. Files come from the page cache.

* pydicom + highdicom + scikit-image: all slices and the segmentation as volumes, ``find_contours`` on every slice of every lesion.
* SimpleITK + highdicom + scikit-image: the images by SimpleITK.
* the same without pixels: headers alone by pydicom, since diameters need none.
* mrecist: scan of the folder with all its checks, the segmentation, and long and short axes, volume and the end points of the lines.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import highdicom as hd
import numpy as np
import numpy.typing as npt
import pydicom
from loading import KINDS, make, phantom
from measure import ten_lesions
from peers import Sizes, per_slice, with_find_contours
from seg import LESIONS, ROOT
from turns import keep, machine, rows_of, rows_option, table, take_turns

from mrecist.imaging.contours import read_masks
from mrecist.imaging.scan import scan_folder
from mrecist.measure.lesion import Convention, measure_lesion
from mrecist.objects.segmentation import DrawnLesion, write_segmentation

PEER, HEADERS = "pydicom + highdicom + scikit-image", "the same without pixels"
PACKAGES = ("mrecist", "numpy", "pydicom", "highdicom", "scikit-image", "SimpleITK")
TOLERANCE_MM = 0.001


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--slices", type=int, default=200)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--kind", default="plain", choices=[*KINDS])
    rows_option(parser)
    options = parser.parse_args()
    print(machine(PACKAGES))
    with tempfile.TemporaryDirectory(prefix="end-to-end-") as name:
        folder = Path(name)
        write_time_point(folder, options.slices, options.kind)
        runs: dict[str, Callable[[], Sizes]] = {
            PEER: partial(by_pydicom, folder, pixels=True),
            "SimpleITK + highdicom + scikit-image": partial(by_simpleitk, folder),
            HEADERS: partial(by_pydicom, folder, pixels=False),
            "mrecist": partial(by_mrecist, folder),
        }
        agree({name: run() for name, run in runs.items()})
        taken = take_turns(runs, options.turns, first_call=False)
        print(f"\none time point, {options.slices} slices ({options.kind}), {LESIONS} lesions")
        print(table(taken, {"times the pipeline": PEER, "times the same without pixels": HEADERS}))
        keep(options.rows, rows_of(f"end to end, {options.kind}", taken, (PEER, HEADERS)))


def write_time_point(folder: Path, slices: int, kind: str) -> None:
    """``images`` with the series, ``lesions.dcm`` with the segmentation."""
    make(folder / "images", kind, phantom(slices))
    (series,) = scan_folder(folder / "images").series
    labels = ten_lesions()[:slices]
    drawn = [
        DrawnLesion(lesion=f"T{n:02d}", tracking_uid=f"{ROOT}.{n}", whole=labels == n, viable=None)
        for n in range(1, LESIONS + 1)
    ]
    (folder / "lesions.dcm").write_bytes(write_segmentation(series, drawn, reader="R1"))


def by_pydicom(folder: Path, *, pixels: bool) -> Sizes:
    slices = [pydicom.dcmread(path, stop_before_pixels=not pixels) for path in (folder / "images").iterdir()]
    slices.sort(key=lambda one: float(one.ImagePositionPatient[2]))
    if pixels:
        np.stack([one.pixel_array * np.float32(one.RescaleSlope) + np.float32(one.RescaleIntercept) for one in slices])
    return by_find_contours(folder / "lesions.dcm", float(slices[0].PixelSpacing[0]))


def by_simpleitk(folder: Path) -> Sizes:
    import SimpleITK as sitk  # noqa: N813 - the name its documentation uses

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder / "images")))
    image = reader.Execute()
    sitk.GetArrayFromImage(image)
    return by_find_contours(folder / "lesions.dcm", image.GetSpacing()[0])


def by_find_contours(segmentation: Path, pixel: float) -> Sizes:
    labels: npt.NDArray[np.uint8] = hd.seg.segread(segmentation).get_volume(combine_segments=True).array
    return per_slice(labels, pixel, with_find_contours)


def by_mrecist(folder: Path) -> Sizes:
    scan = scan_folder(folder)
    (segmentation,) = scan.segmentations
    masks = read_masks(segmentation.path, scan.series).masks
    measured = {
        int(one.lesion[1:]): measure_lesion(one.whole, one.geometry, convention=Convention.EDGE) for one in masks
    }
    return {number: one.longest.mm for number, one in measured.items()}


def agree(found: dict[str, Sizes]) -> None:
    """Stop where one pipeline finds other diameters."""
    for name, sizes in found.items():
        worst = max(abs(sizes[n] - found[PEER][n]) for n in found[PEER])
        print(f"{name}: largest difference {worst:.2g} mm")
        if worst > TOLERANCE_MM or sizes.keys() != found[PEER].keys():
            raise SystemExit(f"{name} gives other diameters; nothing is timed")


if __name__ == "__main__":
    main()
