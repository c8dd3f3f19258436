"""Draw docs/img/lesion.png: a lesion of the shipped sample study at two visits. Run ``python docs/img/lesion.py [OUT.png]``."""

from __future__ import annotations

import sys
from pathlib import Path

from matplotlib.figure import Figure

import mrecist
from mrecist.samples.build import sample_study_path

SUBJECT, LESION, VISITS = "SAMPLE-01", "T02", {"baseline": 0, "time point 1": 1}


def main(out: Path) -> None:
    study = sample_study_path()
    series = {one.uid: one for one in mrecist.scan_folder(study / "images" / SUBJECT).series}
    figure = Figure(figsize=(9.6, 5.1), dpi=100, layout="constrained")
    for ax, (visit, number) in zip(figure.subplots(1, 2), VISITS.items(), strict=True):
        masks = mrecist.read_segmentation(study / "masks" / f"{SUBJECT}_{number}.dcm", list(series.values())).masks
        mask = next(mask for mask in masks if mask.lesion == LESION)
        volume = mrecist.load_volume(series[mask.series_uid])
        measured = mrecist.measure_lesion(mask.whole, mask.geometry, mask.viable)
        mrecist.plot_lesion(
            mask.whole, mask.geometry, measured, mask.viable, voxels=volume.voxels, modality="CT", ax=ax
        )
        ax.set_title(f"{SUBJECT} {LESION}, {visit}: {ax.get_title()}", fontsize=10)
    figure.savefig(out)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".png"))
