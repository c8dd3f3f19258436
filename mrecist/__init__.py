"""From contrast CT/MRI of liver tumours to a response category that a trial can defend.

The names below load what they need when they are first used; ``import mrecist`` itself loads nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME_OF = {
    "MrecistError": "mrecist.errors",
    "Measurement": "mrecist.model",
    "VisitResponse": "mrecist.model",
    "BestResponse": "mrecist.model",
    "read_measurements": "mrecist.tables",
    "load_protocol": "mrecist.protocol",
    "assess_subject": "mrecist.response.options",
    "best_response": "mrecist.response.best",
    "Finding": "mrecist.checks.finding",
    "check_read": "mrecist.checks.run",
    "scan_folder": "mrecist.imaging.scan",
    "load_volume": "mrecist.imaging.volume",
    "read_segmentation": "mrecist.imaging.masks",
    "read_label_masks": "mrecist.imaging.masks",
    "measure": "mrecist.measure",
    "measure_lesion": "mrecist.measure.lesion",
    "plot_lesion": "mrecist.pictures.axes",
    "score_study": "mrecist.batch",
}

__all__ = ["__version__", *sorted(_HOME_OF)]  # noqa: PLE0604 - the table above is the single list of names

if TYPE_CHECKING:
    from mrecist.batch import score_study as score_study
    from mrecist.checks.finding import Finding as Finding
    from mrecist.checks.run import check_read as check_read
    from mrecist.errors import MrecistError as MrecistError
    from mrecist.imaging.masks import read_label_masks as read_label_masks
    from mrecist.imaging.masks import read_segmentation as read_segmentation
    from mrecist.imaging.scan import scan_folder as scan_folder
    from mrecist.imaging.volume import load_volume as load_volume
    from mrecist.measure.lesion import measure_lesion as measure_lesion
    from mrecist.measure.volume import measure as measure
    from mrecist.model import BestResponse as BestResponse
    from mrecist.model import Measurement as Measurement
    from mrecist.model import VisitResponse as VisitResponse
    from mrecist.pictures.axes import plot_lesion as plot_lesion
    from mrecist.protocol import load_protocol as load_protocol
    from mrecist.response.best import best_response as best_response
    from mrecist.response.options import assess_subject as assess_subject
    from mrecist.tables import read_measurements as read_measurements


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        home = import_module(_HOME_OF[name])
        return home if home.__name__ == f"{__name__}.{name}" else getattr(home, name)
    raise AttributeError(f"module 'mrecist' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
