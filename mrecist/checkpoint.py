"""Measured masks, kept beside the results and found again by what they came from, never by name or time.

A mask is measured again only when something changed that its sizes depend on: the bytes of its file, what the headers say of its
series, the voxels that it covers, the ``[measurement]`` settings, or the version. Its key is a digest of all but the voxels; which
slices were read is only known afterwards, so they are kept with the result, each with its digest, and compared when it is found.

::

    DIR/.checkpoints/measured/ab/abcd....json   the lesions of one mask file
    DIR/.checkpoints/spread/ab/abcd....json     the spread of one lesion whose outlines were drawn again
    DIR/.checkpoints/files/abcd....json         digests of the files of one subject (:mod:`mrecist.fingerprints`)

A file is written whole; its first line is the digest of the rest, so one that was damaged is not used. What could not be measured
is not kept: it is tried again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from mrecist import __version__
from mrecist.errors import MrecistError
from mrecist.fingerprints import Fingerprints
from mrecist.imaging.scan import Segmentation
from mrecist.imaging.series import Series
from mrecist.model import Measurement
from mrecist.pieces import MaskFile, MeasuredFile, path_of
from mrecist.plain import from_plain, to_plain
from mrecist.protocol import Measuring
from mrecist.repeating import Repeating
from mrecist.score import Spread
from mrecist.study import LabelMaskFile, SubjectInput
from mrecist.tables import SIZE_COLUMNS, write_whole

FOLDER = ".checkpoints"
_LAYOUT = "pieces/1"
Value = TypeVar("Value")


class NotKeptError(MrecistError):
    """A finished piece of work cannot be written: the run cannot go on, because it could not be resumed."""


class KeptPieces:
    """The pieces of one subject in a folder; see :class:`mrecist.score.Keeping`.

    ``measured_again`` counts the mask files that had to be measured.
    """

    def __init__(self, folder: Path, given: SubjectInput, measuring: Measuring, repeating: Repeating | None) -> None:
        self.measured_again = 0
        self._folder, self._given = folder, given
        self._settings = repr((_LAYOUT, __version__, measuring))
        self._repeating = repeating
        self._files = Fingerprints(folder / "files" / f"{_digest(given.subject)[:24]}.json")

    def measured(self, file: MaskFile, make: Callable[[], MeasuredFile]) -> MeasuredFile:
        """The lesions of a mask file: kept ones, else ``make``'s."""
        key = self._key(file)
        kept = None if key is None else _read(self._place("measured", key))
        found = None if kept is None else self._checked(kept)
        if found is not None:
            return found
        found = make()
        self.measured_again += 1
        if key is not None and found.is_whole:
            self._keep_measured(key, file, found)
        return found

    def spread(self, file: MaskFile, row: Measurement, make: Callable[[], Spread]) -> Spread:
        """The spread of the sizes of a row: the kept one, else ``make``'s."""
        key = self._key(file)
        if key is None:
            return make()
        of_row = [row.subject, row.reader, row.lesion, row.timepoint, row.kind]
        of_row += [getattr(row, name) for name in SIZE_COLUMNS]
        place = self._place("spread", _digest(repr((key, of_row, self._repeating))))
        kept = _read(place)
        if kept is not None:
            try:
                return from_plain(kept, Spread)
            except ValueError:
                pass  # of another layout: drawn again
        found = make()
        _write(place, to_plain(found))
        return found

    def close(self) -> None:
        """Remember the digests of the files that were used."""
        try:
            self._files.keep()
        except OSError as error:
            raise not_kept(self._folder, error) from None

    # --- keys ----------------------------------------------------------------------------------------------------------

    def _key(self, file: MaskFile) -> str | None:
        """What a measurement depends on beside voxels; None where the file cannot be read."""
        try:
            digests = [self._files.sha256(path) for path in _paths(file)]
        except OSError:
            return None
        about: Any = None
        series = _series_of(file, self._given)
        if isinstance(file, LabelMaskFile):  # its day is kept with its lesions
            about = file.series_uid, file.date, [one.date for one in series]
        facts = [self._facts[id(one)] for one in series]
        return _digest(repr((self._settings, digests, about, facts)))

    @cached_property
    def _facts(self) -> dict[int, str]:
        return {id(one): _digest(_facts(one)) for one in self._given.series}

    @cached_property
    def _images(self) -> dict[tuple[str, int | None], set[Path]]:
        images: dict[tuple[str, int | None], set[Path]] = {}
        for series in self._given.series:
            for one in series.slices:
                images.setdefault((one.sop_instance_uid, one.frame), set()).add(one.path)
        return images

    def _image(self, uid: str, frame: int | None) -> Path | None:
        """The file of a slice; None where there is none, or several."""
        paths = self._images.get((uid, frame), set())
        return next(iter(paths)) if len(paths) == 1 else None

    # --- files ---------------------------------------------------------------------------------------------------------

    def _place(self, kind: str, key: str) -> Path:
        return self._folder / kind / key[:2] / f"{key}.json"

    def _checked(self, kept: Any) -> MeasuredFile | None:
        """What was kept, where the slices that it was measured on hold the same bytes as then."""
        try:
            found = from_plain(kept["file"], MeasuredFile)
            for one, digest in zip(found.looked_at, kept["digests"], strict=True):
                path = self._image(one.sop_instance_uid, one.frame)
                if path is None or self._files.sha256(path) != digest:
                    return None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found

    def _keep_measured(self, key: str, file: MaskFile, found: MeasuredFile) -> None:
        paths = [self._image(one.sop_instance_uid, one.frame) for one in found.looked_at]
        known = [path for path in paths if path is not None]
        try:
            digests = [self._files.sha256(path) for path in known]
        except OSError:
            return
        # A file that was written to while it was measured may be the one or the other.
        if len(known) < len(paths) or not all(map(self._files.still, _paths(file))):
            return
        plain = {"file": to_plain(found), "digests": digests}
        text = json.dumps(plain, ensure_ascii=False)
        # What names a place would be wrong of the same file in another place.
        if any(
            json.dumps(os.fspath(path.parent), ensure_ascii=False)[1:-1] in text for path in (path_of(file), *known)
        ):
            return
        _write(self._place("measured", key), plain)


def _paths(file: MaskFile) -> list[Path]:
    if isinstance(file, Segmentation):
        return [file.path]
    return [path for path in (file.lesions, file.viable) if path is not None]


def _series_of(file: MaskFile, given: SubjectInput) -> list[Series]:
    """The series that can matter for a mask: those it names, and those of the same studies, among which a native phase is sought."""
    if isinstance(file, LabelMaskFile):
        return [one for one in given.series if one.uid == file.series_uid]
    uids, images = file.referenced_series_uids, file.referenced_sop_instance_uids
    named = [one for one in given.series if one.uid in uids or any(s.sop_instance_uid in images for s in one.slices)]
    if not named:
        return list(given.series)
    studies = {one.study_uid for one in named}
    return [one for one in given.series if one.study_uid in studies]


def _facts(series: Series) -> str:
    """What headers say of a stack, without where its files lie, when they were written, and whose visit it is."""
    slices = [(s.sop_instance_uid, s.frame, s.position_lps, s.instance_number) for s in series.slices]
    about = series.uid, series.stack, series.stacks, series.study_uid, series.frame_of_reference_uid
    words = series.modality, series.description, series.phase, series.slice_thickness_mm
    verdict = series.verdict, series.verdict_code, series.verdict_text
    return repr((about, words, verdict, series.geometry, slices))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _read(path: Path) -> Any:
    """What was written there; None where nothing was, or it was damaged since."""
    try:
        digest, _, content = path.read_text(encoding="utf-8").partition("\n")
        return json.loads(content) if _digest(content) == digest else None
    except (OSError, ValueError):
        return None


def _write(path: Path, plain: Any) -> None:
    content = json.dumps(plain)
    try:
        write_whole(path, f"{_digest(content)}\n{content}")
    except OSError as error:
        raise not_kept(path.parent, error) from None


def not_kept(folder: Path, error: OSError) -> NotKeptError:
    """What is told when nothing can be written any more."""
    return NotKeptError(
        f"{folder}: cannot be written: {error.strerror or error}; what was finished before is kept: "
        f"make room and run the same command again"
    )
