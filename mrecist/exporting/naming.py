"""How exported lesions and files are called, the same at every run."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from mrecist.model import Problem
from mrecist.objects.identity import make_uid
from mrecist.protocol import Protocol


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


def study_id(protocol: Protocol) -> str:
    """``id`` in the section ``[study]`` of the protocol; "" without one."""
    study = tomllib.loads(protocol.text).get("study", {}) if protocol.text else {}
    return str(study.get("id", ""))


def safe_name(text: str) -> str:
    """A file name for an id; an id that holds more than letters, digits, point, dash and underscore gets a hash behind it."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip(".")[:60]
    return name if name == text else f"{name}_{hashlib.sha256(text.encode('utf-8')).hexdigest()[:8]}"
