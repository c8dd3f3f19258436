"""Weights of partial agreement between ordered categories, by name: 1 on the diagonal, least between the ends of the scale.

Identity, linear and quadratic: Cohen 1968, Fleiss and Cohen 1973, written as agreement weights. Ordinal: Gwet 2014, chapter 3.
"""

from __future__ import annotations

import numpy as np

from mrecist.agreement.resampling import Array

IDENTITY, LINEAR, QUADRATIC, ORDINAL = "identity", "linear", "quadratic", "ordinal"
NAMES = (IDENTITY, LINEAR, QUADRATIC, ORDINAL)


def weights(name: str, categories: int) -> Array:
    """The matrix (categories, categories); with fewer than three categories all names give the identity.

    With d the distance of two of q categories: linear 1 - d / (q - 1), quadratic 1 - d^2 / (q - 1)^2, ordinal
    1 - C(d + 1, 2) / C(q, 2).
    """
    place = np.arange(categories, dtype=np.float64)
    apart = np.abs(place[:, None] - place[None, :])
    last = max(categories - 1, 1)
    if name == LINEAR:
        found: Array = 1 - apart / last
    elif name == QUADRATIC:
        found = 1 - apart**2 / last**2
    elif name == ORDINAL:
        found = 1 - (apart + 1) * apart / (last * (last + 1))
    else:
        found = (apart == 0).astype(np.float64)
    return found
