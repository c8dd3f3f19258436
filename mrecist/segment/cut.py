"""The minimum cut of a grid: the cheapest split into lesion and background under unary and neighbour costs.

Exact for two labels: Boykov & Jolly, ICCV 2001 (doi:10.1109/ICCV.2001.937505). SciPy's maximum flow does the work; PyMaxflow is
faster on large grids but GPL.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

# Costs are whole numbers for the flow; a cost of 1 is this many units.
_UNITS = 200.0
_HARD = 2**26


def minimum_cut(
    lesion_cost: FloatArray,
    background_cost: FloatArray,
    links: tuple[FloatArray, FloatArray, FloatArray],
    lesion: BoolArray,
    background: BoolArray,
) -> BoolArray:
    """The labelling with the least cost.

    Parameters
    ----------
    lesion_cost, background_cost : (Z, Y, X) cost of calling a voxel lesion or background, at least 0.
    links : cost of a border between a voxel and the next along z, y and x; each one shorter along its axis.
    lesion, background : voxels that must be one or the other.

    Returns
    -------
    (Z, Y, X) bool, True where lesion.
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    shape = lesion_cost.shape
    count = lesion_cost.size
    source, sink = count, count + 1
    index = np.arange(count, dtype=np.int32).reshape(shape)
    heads, tails, costs = [], [], []
    for axis, link in enumerate(links):
        one = index[tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))].ravel()
        other = index[tuple(slice(1, None) if a == axis else slice(None) for a in range(3))].ravel()
        cost = _whole(link).ravel()
        heads += [one, other]
        tails += [other, one]
        costs += [cost, cost]
    # Only the difference of the two costs matters, so each voxel has one terminal link, and many have none.
    gain = _whole(background_cost - lesion_cost)
    gain[lesion], gain[background] = _HARD, -_HARD
    gain = gain.ravel()
    to_lesion, to_background = np.flatnonzero(gain > 0), np.flatnonzero(gain < 0)
    heads += [np.full(len(to_lesion), source, dtype=np.int32), to_background.astype(np.int32)]
    tails += [to_lesion.astype(np.int32), np.full(len(to_background), sink, dtype=np.int32)]
    costs += [gain[to_lesion], -gain[to_background]]
    graph = csr_matrix(
        (np.concatenate(costs), (np.concatenate(heads), np.concatenate(tails))),
        shape=(count + 2, count + 2),
        dtype=np.int32,
    )
    flow = maximum_flow(graph, source, sink).flow
    left = graph - flow
    left.data[left.data < 0] = 0
    left.eliminate_zeros()
    reached = breadth_first_order(left, source, return_predecessors=False)
    labels = np.zeros(count + 2, dtype=np.bool_)
    labels[reached] = True
    return labels[:count].reshape(shape)


def _whole(cost: FloatArray) -> npt.NDArray[np.int32]:
    units: npt.NDArray[np.int32] = np.rint(np.clip(cost, -1e4, 1e4) * _UNITS).astype(np.int32)
    return units
