"""A study folder that instances are fetched into: names, whole files only, and what is there already.

``STUDY/images/<StudyInstanceUID>/<SeriesInstanceUID>/<SOPInstanceUID>.dcm``; a UID that is none becomes a hash, so no name comes
from a text of a header and nothing is written outside the folder. ``STUDY/.fetched/`` holds one record a series with the size
and SHA-256 of each file: a file that is still that is not fetched again. A file without a record (a run that was killed) is
taken when it is whole and holds the right instance.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from mrecist.errors import InputError
from mrecist.pacs.instance import Instance, InstanceError, inspect
from mrecist.pacs.query import FoundSeries, is_uid, shown
from mrecist.tables import write_whole

IMAGES, RECORDS = "images", ".fetched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file that is there: relative to the study folder, its size in bytes and SHA-256."""

    file: str
    size: int
    sha256: str


def name_of(uid: str) -> str:
    """A UID as the name of a file or folder; the hash of anything else."""
    return uid if is_uid(uid) else "x" + hashlib.sha256(uid.encode("utf-8", "surrogatepass")).hexdigest()[:40]


class StudyFolder:
    """Where fetched instances go; made when it is not there."""

    def __init__(self, root: Path) -> None:
        if root.exists() and not root.is_dir():
            raise InputError(f"{root}: is not a folder; give the study folder to fetch into")
        self.root = root
        self.records = root / RECORDS
        self.records.mkdir(parents=True, exist_ok=True)
        for left_over in self.records.glob("*.part"):
            left_over.unlink()

    def present(self, series: FoundSeries) -> dict[str, Kept]:
        """SOPInstanceUID -> file, of the instances of a series that are there and whole."""
        recorded = self._recorded(series)
        kept = {uid: one for uid, one in recorded.items() if self._is_as_recorded(one)}
        folder = self._folder(series)
        # a file that is not what its record says is fetched again, even when it can be read
        known = {one.file for one in recorded.values()}
        for path in sorted(folder.glob("*.dcm")) if folder.is_dir() else []:
            if self._relative(path) not in known:
                with suppress(InstanceError, OSError):
                    instance = inspect(path)
                    check_identity(instance, series, None)
                    if self._path(series, instance.sop_uid) == path:
                        kept[instance.sop_uid] = self._kept(path, path.read_bytes())
        return kept

    def take(self, content: bytes, series: FoundSeries, expected: set[str] | None) -> tuple[str, Kept]:
        """Write an instance that came, whole or not at all; its SOPInstanceUID and file.

        Raises
        ------
        InstanceError : it is not what was asked for, or not whole; nothing is written.
        """
        handle, name = tempfile.mkstemp(suffix=".part", dir=self.records)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            instance = inspect(Path(name))
            check_identity(instance, series, expected)
            path = self._path(series, instance.sop_uid)
            path.parent.mkdir(parents=True, exist_ok=True)
            umask = os.umask(0)
            os.umask(umask)
            os.chmod(name, 0o666 & ~umask)
            os.replace(name, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        return instance.sop_uid, self._kept(path, content)

    def record(self, series: FoundSeries, kept: dict[str, Kept]) -> None:
        """Keep in mind what is there of a series."""
        instances = {uid: asdict(kept[uid]) for uid in sorted(kept)}
        content = {"study": series.study_uid, "series": series.series_uid, "instances": instances}
        write_whole(self._record_file(series), json.dumps(content, indent=1) + "\n")

    def _recorded(self, series: FoundSeries) -> dict[str, Kept]:
        try:
            content = json.loads(self._record_file(series).read_text(encoding="utf-8"))
            # The name is worked out again, not read: a record that was changed leads nowhere else.
            return {
                uid: Kept(
                    file=self._relative(self._path(series, uid)), size=int(one["size"]), sha256=str(one["sha256"])
                )
                for uid, one in content["instances"].items()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}  # without a record every file is looked at

    def _is_as_recorded(self, kept: Kept) -> bool:
        try:
            path = self.root / kept.file
            return path.stat().st_size == kept.size and hashlib.sha256(path.read_bytes()).hexdigest() == kept.sha256
        except OSError:
            return False

    def _kept(self, path: Path, content: bytes) -> Kept:
        return Kept(file=self._relative(path), size=len(content), sha256=hashlib.sha256(content).hexdigest())

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _folder(self, series: FoundSeries) -> Path:
        return self.root / IMAGES / name_of(series.study_uid) / name_of(series.series_uid)

    def _path(self, series: FoundSeries, sop_uid: str) -> Path:
        return self._folder(series) / f"{name_of(sop_uid)}.dcm"

    def _record_file(self, series: FoundSeries) -> Path:
        both = f"{series.study_uid} {series.series_uid}"
        return self.records / f"{hashlib.sha256(both.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.json"


def check_identity(instance: Instance, series: FoundSeries, expected: set[str] | None) -> None:
    """Raise :class:`InstanceError` when an instance is not of that patient, study and series, or not one of ``expected``."""
    pairs = (
        ("PatientID", instance.patient, series.patient),
        ("StudyInstanceUID", instance.study_uid, series.study_uid),
        ("SeriesInstanceUID", instance.series_uid, series.series_uid),
    )
    for what, came, asked in pairs:
        if came != asked:
            raise InstanceError(f"{what} is '{shown(came, 70)}' where '{shown(asked, 70)}' was asked for; not kept")
    if expected is not None and instance.sop_uid not in expected:
        raise InstanceError(
            f"SOPInstanceUID '{shown(instance.sop_uid, 70)}' is not one that the server listed for this series; not kept"
        )
