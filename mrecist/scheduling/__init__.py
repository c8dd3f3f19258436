"""One function over many items: in this process, in processes of this machine, or on the workers of a Dask cluster.

All of them yield (index of the item, value or :class:`Failure`) in any order and never raise for an item::

    with open_scheduler(workers=4, limits=Limits(seconds=600)) as scheduler:
        for index, outcome in scheduler.run(partial(score_one, settings=settings), items):
            ...

Leaving the loop early, an interrupt or an error in it ends what runs. The function and the items are pickled: a function of a
module that can be imported (or a ``functools.partial`` of one), items that hold paths and not pixels.
"""

from mrecist.scheduling.interface import Cause, ClusterError, Failure, Limits, Scheduler
from mrecist.scheduling.opening import open_scheduler

__all__ = ["Cause", "ClusterError", "Failure", "Limits", "Scheduler", "open_scheduler"]
