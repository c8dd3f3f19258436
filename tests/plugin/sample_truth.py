"""What the sample study says of its subjects: long axes of the true masks, the words of its read, the true categories."""

from __future__ import annotations

import csv
from functools import cache

from plugin_mouse import Index3

from mrecist.imaging.masks import read_segmentation
from mrecist.measure.lesion import measure_lesion
from mrecist.model import Measurement
from mrecist.samples.build import sample_study_path
from mrecist.study import SubjectInput, open_study

Axis = tuple[Index3, Index3]


@cache
def _subject(name: str) -> SubjectInput:
    return next(one for one in open_study(sample_study_path()).subjects if one.subject == name)


@cache
def true_axes(name: str) -> dict[tuple[int, str], Axis]:
    """(time point, lesion) -> both ends (z, y, x) of its long axis, from the sample's segmentations."""
    subject = _subject(name)
    found = {}
    for segmentation in subject.segmentations:
        for mask in read_segmentation(segmentation.path, subject.series).masks:
            longest = measure_lesion(mask.whole, mask.geometry).longest
            one, other = longest.ends_index
            z = float(longest.slice_index)
            found[subject.timepoints[mask.series_uid], mask.lesion] = (z, *one), (z, *other)
    return dict(sorted(found.items()))


def said(name: str, timepoint: int) -> list[Measurement]:
    """The rows of the sample's reader at a visit: what no mask can say."""
    return [row for row in _subject(name).rows if row.timepoint == timepoint]


def true_categories(name: str) -> dict[tuple[str, int], dict[str, str]]:
    """(criterion, time point) -> the true target, non-target, new-lesion and overall response."""
    path = sample_study_path().parent / "truth" / "responses.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (row["criterion"], int(row["timepoint"])): {
                part: row[part] for part in ("target", "non_target", "new_lesion", "overall")
            }
            for row in csv.DictReader(file)
            if row["subject"] == name
        }
