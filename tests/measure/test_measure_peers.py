"""The same masks through other implementations."""

from __future__ import annotations

import measure_brute as brute
import numpy as np
import pytest

from mrecist.measure.conventions import Convention, longest_anywhere


def blobs():
    rng = np.random.default_rng(9)
    for _ in range(40):
        mask = brute.random_mask(rng, 30)
        if mask.sum() > 3 and min(np.ptp(np.argwhere(mask), axis=0)) > 0:
            yield mask, brute.random_spacing(rng)


def test_centre_equals_scipy_convex_hull_and_pdist():
    from scipy.spatial import ConvexHull, QhullError
    from scipy.spatial.distance import pdist

    compared = 0
    for mask, spacing in blobs():
        points = np.argwhere(mask) * spacing
        try:
            hull = points[ConvexHull(points).vertices]
        except QhullError:  # all on one line
            continue
        assert longest_anywhere(mask, spacing, Convention.CENTRE)[0] == pytest.approx(pdist(hull).max(), abs=1e-9)
        compared += 1
    assert compared >= 15


def test_edge_equals_skimage_contour_at_a_half():
    from scipy.spatial.distance import pdist
    from skimage.measure import find_contours

    compared = 0
    for mask, spacing in blobs():
        points = np.concatenate(find_contours(np.pad(mask, 1).astype(float), 0.5)) * spacing
        assert longest_anywhere(mask, spacing, Convention.EDGE)[0] == pytest.approx(pdist(points).max(), abs=1e-9)
        compared += 1
    assert compared >= 15
