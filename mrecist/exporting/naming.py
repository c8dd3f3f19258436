"""How exported lesions and files are called, the same at every run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mrecist.model import Problem
from mrecist.objects.identity import make_uid


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """The files that were written, and what could not be."""

    files: tuple[Path, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """How a TrackingUID is made where the input has none."""

    study: str
    uid_root: str

    def uid(self, subject: str, reader: str, lesion: str) -> str:
        """The same at every visit: it depends on the study, the subject, the reader and the lesion only."""
        return make_uid(self.uid_root, "lesion", self.study, subject, reader, lesion)
