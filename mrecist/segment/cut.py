"""The minimum cut of a grid: the cheapest split into lesion and background under unary and neighbour costs.

Exact for two labels: Boykov & Jolly, ICCV 2001 (doi:10.1109/ICCV.2001.937505). SciPy's maximum flow does the work; PyMaxflow is
faster on large grids but GPL.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int32]

# Costs are whole numbers for the flow; a cost of 1 is this many units.
_UNITS = 200.0


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
    open_ = ~(lesion | background)
    count = int(open_.sum())
    labels: BoolArray = lesion & ~background
    if not count:
        return labels
    index = np.full(open_.shape, -1, dtype=np.int32)
    index[open_] = np.arange(count, dtype=np.int32)
    # Only the difference of the two costs matters, so each voxel has one terminal link; a neighbour that is settled adds to it.
    gain = _whole(background_cost - lesion_cost)
    ones, others, costs = [], [], []
    for axis, link in enumerate(links):
        low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        cost = _whole(link)
        for here, there in ((low, high), (high, low)):
            gain[here] += np.where(lesion[there], cost, 0) - np.where(background[there], cost, 0)
        both = open_[low] & open_[high]
        ones.append(index[low][both])
        others.append(index[high][both])
        costs.append(cost[both])
    one, other, cost = np.concatenate(ones), np.concatenate(others), np.concatenate(costs)
    labels[open_] = _reached(one, other, cost, gain[open_])
    return labels


def _reached(one: IntArray, other: IntArray, cost: IntArray, gain: IntArray) -> BoolArray:
    """The nodes on the side of the source after the maximum flow: edges both ways, and a link to source or sink by sign of ``gain``."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    count = len(gain)
    source, sink = count, count + 1
    out, in_ = np.flatnonzero(gain > 0).astype(np.int32), np.flatnonzero(gain < 0).astype(np.int32)
    heads = np.concatenate([one, other, np.full(len(out), source, dtype=np.int32), in_])
    tails = np.concatenate([other, one, out, np.full(len(in_), sink, dtype=np.int32)])
    capacity = np.concatenate([cost, cost, gain[out], -gain[in_]])
    graph = csr_matrix((capacity, (heads, tails)), shape=(count + 2, count + 2), dtype=np.int32)
    left = graph - maximum_flow(graph, source, sink).flow
    left.data[left.data < 0] = 0
    left.eliminate_zeros()
    reached = breadth_first_order(left, source, return_predecessors=False)
    labels = np.zeros(count + 2, dtype=np.bool_)
    labels[reached] = True
    return labels[:count]


def _whole(cost: FloatArray) -> IntArray:
    units: IntArray = np.rint(np.clip(cost, -1e4, 1e4) * _UNITS).astype(np.int32)
    return units
