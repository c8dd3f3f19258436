"""A folder of anything -> series with verdicts, segmentations, other DICOM objects, problems.

Files are found by content, never by name; the result does not depend on names or on the order of the file system. One bad
file is one problem, and the series it belongs to is refused, because a slice of it is missing.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import stat
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from mrecist.errors import InputError, SeriesError, printable
from mrecist.imaging.assemble import Damage, assemble
from mrecist.imaging.headers import (
    Header,
    get_integer,
    get_items,
    get_text,
    guarded,
    header_if_dicom,
    object_uid,
    pixel_problem,
)
from mrecist.imaging.records import FrameRecord, first_date, records_of
from mrecist.imaging.series import Series, Verdict

SEGMENTATION_CLASSES = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"})
STRUCTURE_SET_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
_DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".ima"})
_LONGEST_REASON = 400
_FILES_A_SHARE = 50
_AHEAD = 4  # shares on their way for each process
_WORTH_SHARING = 1000  # files; below, starting processes costs more than it saves
Share = TypeVar("Share")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Whose segmentation could not be used, as far as its header tells."""

    patient_id: str
    subject_id: str | None
    referenced_series_uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A file that looks like DICOM but cannot be used, and why in one sentence.

    ``segmentation`` tells whose segmentation it was: without it that subject's read is incomplete. ``series_uid`` is that of an
    image, as far as its header tells.
    """

    path: str
    reason: str
    segmentation: Lost | None = None
    series_uid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmentation:
    """A DICOM SEG or RT Structure Set found by the scan; read it with :func:`mrecist.imaging.contours.read_masks`."""

    path: Path
    sop_instance_uid: str
    patient_id: str
    subject_id: str | None
    referenced_series_uid: str
    referenced_sop_instance_uids: frozenset[str]
    date: str | None
    timepoint_id: str | None
    content_creator: str
    is_structure_set: bool = False
    referenced_series_uids: frozenset[str] = frozenset()

    @property
    def subject(self) -> str:
        """ClinicalTrialSubjectID, else PatientID."""
        return self.subject_id or self.patient_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What is in a folder.

    Parameters
    ----------
    series : one entry a stack, ordered by subject, date, UID and stack.
    others : (path, what it is), e.g. ``("x/DICOMDIR", "DICOMDIR")``, ``"SR"``, ``"RWVM"``.
    ignored : number of files that are no DICOM.
    """

    root: Path
    series: tuple[Series, ...]
    segmentations: tuple[Segmentation, ...]
    others: tuple[tuple[str, str], ...]
    problems: tuple[Problem, ...]
    ignored: int


@dataclass(slots=True)
class Found:
    """What is in some files."""

    records: list[FrameRecord] = field(default_factory=list)
    segmentations: list[Segmentation] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    damage: dict[str, list[Damage]] = field(default_factory=lambda: defaultdict(list))
    ignored: int = 0

    def add(self, other: Found) -> None:
        """What was found in the files that come next."""
        self.records += other.records
        self.segmentations += other.segmentations
        self.others += other.others
        self.problems += other.problems
        for uid, damaged in other.damage.items():
            self.damage[uid] += damaged
        self.ignored += other.ignored


def scan_folder(root: Path, progress: Callable[[int, int], None] | None = None, *, workers: int | None = 1) -> Scan:
    """Scan a folder and all folders below it.

    Parameters
    ----------
    root : the folder.
    progress : called with (files read, files in all).
    workers : number of processes, the result is the same for any; None: one a processor when there are many files.

    Raises
    ------
    InputError
        ``root`` is no folder, or a process that read headers was ended from outside.
    """
    root = Path(root)
    if not root.is_dir():
        raise InputError(f"{root}: is not a folder; give a folder with DICOM files")
    files, problems = files_below(root)
    found = Found(problems=problems)
    for done, share in in_shares(look_at_all, files, workers):
        found.add(share)
        if progress is not None:
            progress(done, len(files))
    series = with_neighbours(assemble(found.records, found.damage), found.problems)
    return Scan(
        root=root,
        series=series,
        segmentations=tuple(sorted(found.segmentations, key=lambda s: (s.subject, s.sop_instance_uid, str(s.path)))),
        others=tuple(sorted(found.others)),
        problems=tuple(sorted(found.problems, key=lambda p: (p.path, p.reason))),
        ignored=found.ignored,
    )


def segmentation_in(path: Path) -> Segmentation | None:
    """The SEG or structure set that one file holds; None where it holds none that can be used."""
    found = look_at_all([path])
    return found.segmentations[0] if found.segmentations else None


def with_neighbours(series: Sequence[Series], problems: Sequence[Problem]) -> tuple[Series, ...]:
    """The series with a note where a file beside the slices could not be read at all: it may have been the slice at an end."""
    beside: dict[Path, list[str]] = defaultdict(list)
    for problem in problems:
        if problem.segmentation is not None:
            continue
        beside[Path(problem.path).parent].append(Path(problem.path).name)
    noted = []
    for one in series:
        names = sorted({name for folder in {s.path.parent for s in one.slices} for name in beside.get(folder, ())})
        if names and one.verdict is not Verdict.REFUSED:
            shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            said = f"beside its slices lies what cannot be read ({printable(shown)}): a slice may be missing at an end"
            one = replace(one, notes=(*one.notes, said))
        noted.append(one)
    return tuple(noted)


def in_shares(
    look: Callable[[Sequence[Path]], Share], files: Sequence[Path], workers: int | None
) -> Iterator[tuple[int, Share]]:
    """How many files are done, and what ``look`` found in each share, in their order whatever the number of processes."""
    shares = [files[start : start + _FILES_A_SHARE] for start in range(0, len(files), _FILES_A_SHARE)]
    if workers is None:
        workers = (os.cpu_count() or 1) if len(files) >= _WORTH_SHARING else 1
    done = 0
    for one, share in zip(_in_order(look, shares, min(workers, len(shares))), shares, strict=True):
        done += len(share)
        yield done, one


def _in_order(
    look: Callable[[Sequence[Path]], Share], shares: Sequence[Sequence[Path]], workers: int
) -> Iterator[Share]:
    if workers <= 1:
        yield from map(look, shares)
        return
    with ProcessPoolExecutor(max_workers=workers, initializer=_as_worker) as pool:
        waiting: deque[Future[Share]] = deque()
        try:
            for share in shares:
                waiting.append(pool.submit(look, share))
                if len(waiting) >= _AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise InputError(
                "a process that read headers was ended from outside, perhaps for want of memory; try again with --workers 1"
            ) from None
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _as_worker() -> None:
    """The parent decides what an interrupt ends; its own end is the end of this process too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def look_at_all(files: Sequence[Path]) -> Found:
    """What is in some files, one after another."""
    found = Found()
    for path in files:
        _look_at(path, found)
    return found


def files_below(root: Path) -> tuple[list[Path], list[Problem]]:
    """Regular files in the order of their names, and what cannot be listed.

    Linked folders are entered once, so that a loop of links ends; pipes and devices are left out.
    """
    problems: list[Problem] = []
    seen: set[tuple[int, int]] = set()
    files: list[Path] = []

    def unreadable(error: OSError) -> None:
        problems.append(Problem(path=str(error.filename), reason=f"cannot be opened: {error.strerror}"))

    for folder, folders, names in os.walk(root, followlinks=True, onerror=unreadable):
        try:
            status = os.stat(folder)
        except OSError as error:  # the folder went away while it was listed
            unreadable(error)
            continue
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders.sort()
        for name in names:
            path = Path(folder) / name
            try:
                if stat.S_ISREG(path.stat().st_mode):
                    files.append(path)
            except OSError as error:
                unreadable(error)
    return sorted(files, key=os.fspath), problems


def _look_at(path: Path, found: Found) -> None:
    try:
        header = header_if_dicom(path)
        if header is None:
            if path.suffix.lower() in _DICOM_SUFFIXES:
                found.problems.append(Problem(path=str(path), reason="named as DICOM, but it has no DICOM header"))
            else:
                found.ignored += 1
            return
    except OSError as error:
        found.problems.append(Problem(path=str(path), reason=f"cannot be opened: {error.strerror}"))
        return
    except SeriesError as error:
        found.problems.append(Problem(path=str(path), reason=_without(path, error)))
        return
    try:
        with guarded("the header cannot be used"):
            _sort_in(header, found)
    except SeriesError as error:
        _damaged(header, _without(path, error), found)


def _without(path: Path, error: Exception) -> str:
    """The reason without the path, on one line: it may quote what the file holds."""
    return printable(str(error).removeprefix(f"{path}: "), most=_LONGEST_REASON)


def _sort_in(header: Header, found: Found) -> None:
    sop_class = object_uid(header.dataset, "SOPClassUID")
    if sop_class in SEGMENTATION_CLASSES:
        if problem := pixel_problem(header, frames=get_integer(header.dataset, "NumberOfFrames") or 1):
            raise SeriesError(problem)
        found.segmentations.append(_segmentation(header))
        return
    if sop_class == STRUCTURE_SET_CLASS:
        found.segmentations.append(_segmentation(header))
        return
    other = _other_kind(header, sop_class)
    if other:
        found.others.append((str(header.path), other))
    elif not sop_class and header.pixels is None and not header.has_prefix:
        found.ignored += 1  # no preamble, no class, no pixels: the first bytes looked like DICOM by chance
    else:
        found.records.extend(records_of(header))


def _damaged(header: Header, reason: str, found: Found) -> None:
    try:
        uid = get_text(header.dataset, "SeriesInstanceUID")
        is_segmentation = object_uid(header.dataset, "SOPClassUID") in {*SEGMENTATION_CLASSES, STRUCTURE_SET_CLASS}
        lost = _lost(header) if is_segmentation else None
    except SeriesError:
        found.problems.append(Problem(path=str(header.path), reason=reason))
        return
    found.problems.append(Problem(path=str(header.path), reason=reason, segmentation=lost, series_uid=uid))
    if uid:
        found.damage[uid].append(Damage(path=header.path, reason=reason))


def _lost(header: Header) -> Lost:
    series = referenced_series(header.dataset)
    return Lost(
        patient_id=get_text(header.dataset, "PatientID"),
        subject_id=get_text(header.dataset, "ClinicalTrialSubjectID") or None,
        referenced_series_uid=get_text(series[0], "SeriesInstanceUID") if series else "",
    )


_OTHER_WORDS = (
    ("Media Storage Directory", "DICOMDIR"),
    ("Real World Value Mapping", "RWVM"),
    (" SR ", "SR"),
    ("SR Storage", "SR"),
    ("Presentation State", "PR"),
    ("Key Object", "KO"),
    ("RT ", "RT"),
    ("Encapsulated", "encapsulated document"),
    ("Parametric Map", "parametric map"),
    ("Registration", "registration"),
    ("Fiducials", "fiducials"),
    ("Waveform", "waveform"),
    ("Raw Data", "raw data"),
    ("Surface", "surface"),
)


def _other_kind(header: Header, sop_class: str) -> str:
    """What a DICOM object without slices is, or "" for an image."""
    from pydicom.uid import UID

    name = str(UID(sop_class).name)
    known = next((kind for word, kind in _OTHER_WORDS if word in name), "")
    if known:
        return known
    image = header.pixels is not None or "Image Storage" in name or get_text(header.dataset, "Rows") != ""
    if image or not sop_class:
        return ""
    modality = get_text(header.dataset, "Modality")
    if name == sop_class and not modality:  # a UID that was cut, or a private class that says nothing of itself
        raise SeriesError(
            f"header truncated or damaged: SOPClassUID {sop_class[:64]} is unknown and there is no Modality"
        )
    return modality or name


def referenced_series(dataset: Any) -> list[Any]:
    """The items that name the series of a SEG, or of an RT Structure Set (PS3.3 C.8.8.5)."""
    return get_items(dataset, "ReferencedSeriesSequence") or [
        series
        for frame in get_items(dataset, "ReferencedFrameOfReferenceSequence")
        for study in get_items(frame, "RTReferencedStudySequence")
        for series in get_items(study, "RTReferencedSeriesSequence")
    ]


def _segmentation(header: Header) -> Segmentation:
    dataset = header.dataset
    series = referenced_series(dataset)
    images = {
        get_text(image, "ReferencedSOPInstanceUID")
        for item in series
        for keyword in ("ReferencedInstanceSequence", "ContourImageSequence")
        for image in get_items(item, keyword)
    }
    for frame in get_items(dataset, "PerFrameFunctionalGroupsSequence"):
        for derivation in get_items(frame, "DerivationImageSequence"):
            images |= {get_text(s, "ReferencedSOPInstanceUID") for s in get_items(derivation, "SourceImageSequence")}
    date, _ = first_date(dataset)
    return Segmentation(
        path=header.path,
        sop_instance_uid=object_uid(dataset, "SOPInstanceUID"),
        patient_id=get_text(dataset, "PatientID"),
        subject_id=get_text(dataset, "ClinicalTrialSubjectID") or None,
        referenced_series_uid=get_text(series[0], "SeriesInstanceUID") if series else "",
        referenced_sop_instance_uids=frozenset(images - {""}),
        date=date,
        timepoint_id=get_text(dataset, "ClinicalTrialTimePointID") or None,
        content_creator=get_text(dataset, "ContentCreatorName"),
        is_structure_set=object_uid(dataset, "SOPClassUID") == STRUCTURE_SET_CLASS,
        referenced_series_uids=frozenset(get_text(item, "SeriesInstanceUID") for item in series) - {""},
    )


def scan_to_json(scan: Scan) -> dict[str, Any]:
    """The scan as plain values for ``mrecist scan --json``."""
    return {
        "root": str(scan.root),
        "series": [_series_to_json(s) for s in scan.series],
        "segmentations": [
            {
                "path": str(s.path),
                "sop_instance_uid": s.sop_instance_uid,
                "subject": s.subject,
                "patient_id": s.patient_id,
                "referenced_series_uid": s.referenced_series_uid,
                "referenced_images": len(s.referenced_sop_instance_uids),
                "date": s.date,
                "timepoint_id": s.timepoint_id,
                "content_creator": s.content_creator,
            }
            for s in scan.segmentations
        ],
        "others": [{"path": path, "kind": kind} for path, kind in scan.others],
        "problems": [{"path": p.path, "reason": p.reason} for p in scan.problems],
        "ignored": scan.ignored,
    }


def _series_to_json(series: Series) -> dict[str, Any]:
    geometry = series.geometry
    return {
        "uid": series.uid,
        "stack": series.stack,
        "stacks": series.stacks,
        "subject": series.subject,
        "patient_id": series.patient_id,
        "study_uid": series.study_uid,
        "modality": series.modality,
        "description": series.description,
        "date": series.date,
        "date_source": series.date_source,
        "timepoint_id": series.timepoint_id,
        "slices": len(series.slices),
        "verdict": series.verdict.value,
        "verdict_code": series.verdict_code,
        "verdict_text": series.verdict_text,
        "notes": list(series.notes),
        "phase": {
            "name": series.phase.name.value,
            "confidence": series.phase.confidence,
            "evidence": list(series.phase.evidence),
        },
        "slice_thickness_mm": series.slice_thickness_mm,
        "geometry": None
        if geometry is None
        else {
            "shape": list(geometry.shape),
            "row_spacing_mm": geometry.row_spacing_mm,
            "column_spacing_mm": geometry.column_spacing_mm,
            "slice_step_mm": geometry.slice_step_mm,
            "first_origin_lps": list(geometry.origins_lps[0]),
            "row_direction": list(geometry.row_direction),
            "column_direction": list(geometry.column_direction),
        },
        "files": sorted({str(s.path) for s in series.slices}),
    }
