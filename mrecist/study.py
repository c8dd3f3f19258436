"""A study folder: its images, masks, what readers added, and what the study says about them (docs/files.md).

::

    STUDY/protocol.toml   optional
    STUDY/subjects.csv    optional: subject, arm, dates
    STUDY/series.csv      optional manifest: series_uid with the phase, time point or subject to use for it, and who says so
    STUDY/images/         any DICOM tree
    STUDY/masks/          DICOM SEG, or NIfTI named in masks.csv
    STUDY/reads/*.csv     measurements.csv rows for what no mask can say

Opening a study reads headers and tables, no pixels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, overload

from mrecist.dates import PartialDate, parse_date
from mrecist.errors import InputError
from mrecist.imaging.archive import Pile, scan_in_parts
from mrecist.imaging.assemble import order_of
from mrecist.imaging.phase import PhaseName
from mrecist.imaging.scan import Problem as Unusable
from mrecist.imaging.scan import Segmentation, scan_folder
from mrecist.imaging.series import Series
from mrecist.manifest import Manifest, read_manifest, subject_of_series, timepoint_of, unused, with_manifest
from mrecist.model import Measurement, Problem, SubjectDates
from mrecist.protocol import Protocol, load_protocol
from mrecist.tables import Measurements, read_measurements, read_rows, read_subject_dates

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMaskFile:
    """A row of ``masks/masks.csv``: a NIfTI label mask drawn on a series."""

    subject: str
    timepoint: int
    series_uid: str
    lesions: Path
    viable: Path | None
    reader: str
    date: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectInput:
    """Everything of one subject that scoring needs. ``timepoints`` maps a series UID to its time point."""

    subject: str
    series: tuple[Series, ...]
    segmentations: tuple[Segmentation, ...]
    label_masks: tuple[LabelMaskFile, ...]
    rows: tuple[Measurement, ...]
    timepoints: dict[str, int]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LostFile:
    """A file that could not be used, though no read was seen to need it; ``subject`` is whose series it lies in or beside, or ""."""

    path: str
    reason: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """An opened study folder.

    ``lost`` are the files that ``problems`` tell of, one each; ``damaged`` the segmentations that problems of the subjects tell of.
    """

    root: Path
    protocol: Protocol
    subjects: Sequence[SubjectInput]
    arms: dict[str, str]
    dates: SubjectDates
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    lost: tuple[LostFile, ...] = ()
    damaged: tuple[LostFile, ...] = ()


def open_study(
    root: Path,
    protocol_file: Path | None = None,
    progress: Progress | None = None,
    workers: int = 1,
    spool: Path | None = None,
) -> Study:
    """Read the tables and DICOM headers of a study folder, the headers by ``workers`` processes.

    ``spool`` is a folder for what was found in an archive that memory need not hold: each of ``subjects`` is then read from there
    whenever it is asked for.

    Raises :class:`InputError` when the folder is no study: it does not exist, or holds neither images nor reads.
    """
    if not root.is_dir():
        raise InputError(f"{root}: is not a folder; give the study folder that holds images/ and masks/")
    own_protocol = root / "protocol.toml"
    protocol = load_protocol(protocol_file or (own_protocol if own_protocol.exists() else None))
    if not any((root / name).is_dir() for name in ("images", "masks", "reads")):
        raise InputError(f"{root}: holds none of images/, masks/, reads/; see docs/files.md for the study folder")
    manifest = read_manifest(root / "series.csv", protocol.partial_date)
    found = _scan(root, progress, workers, spool)
    usable = Counter(s.uid for s in found.outlines if s.verdict != "refused")
    series = tuple(with_manifest(s, manifest, usable[s.uid]) for s in found.outlines)
    reads = _read_reads(root / "reads", protocol.partial_date)
    label_masks = _read_label_masks(root / "masks" / "masks.csv", protocol.partial_date)
    subjects_table = root / "subjects.csv"
    subject_of, mixed = _owners_of_series(series, found.sizes, manifest)
    owners = [subject_of.get(seg.referenced_series_uid) or seg.subject for seg in found.drawings]
    names = sorted(
        {*subject_of.values(), *owners, *(m.subject for m in label_masks)}
        | {row.subject for row in reads.rows}
        | {p.subject for p in reads.problems}
    )
    owner_of = _Owners(subject_of, {s.patient_id: subject_of[s.uid] for s in series}, found.folders)
    unusable: dict[str, list[Problem]] = {name: [] for name in names}
    for problem_of in mixed:
        if problem_of.subject in unusable:
            unusable[problem_of.subject].append(problem_of)
    lost, damaged = [], []
    for problem in found.problems:
        if (owner := owner_of.segmentation(problem)) in unusable:
            unusable[owner].append(Problem(subject=owner, message=_said(problem)))
            damaged.append(LostFile(path=problem.path, reason=problem.reason, subject=owner))
        else:
            lost.append(LostFile(path=problem.path, reason=problem.reason, subject=owner_of.file(problem)))
    given = _Given(found, usable, manifest, reads, label_masks, unusable)
    for index, one in enumerate(series):
        given.series.setdefault(subject_of[one.uid], []).append(index)
    for index, name in enumerate(owners):
        given.drawings.setdefault(name, []).append(index)
    subjects = _Subjects(names, given.subject)
    return Study(
        root=root,
        protocol=protocol,
        subjects=subjects if spool is not None else tuple(subjects),
        arms=_read_arms(subjects_table),
        dates=_read_dates(subjects_table, protocol),
        problems=tuple(Problem(subject="", message=f"{one.path}: {one.reason}") for one in lost),
        notes=(*_notes(series), *unused(manifest, series)),
        lost=tuple(lost),
        damaged=tuple(damaged),
    )


def _said(problem: Unusable) -> str:
    return f"{problem.path}: {problem.reason}"


@dataclass(slots=True)
class _Scanned:
    """What was found: of each series and segmentation what names it, and the whole of it by number.

    ``outlines`` are series without slices, of which ``sizes`` tell the number, ``drawings`` segmentations without the images that
    they name; ``folders`` says which series have slices in a folder.
    """

    outlines: list[Series] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    drawings: list[Segmentation] = field(default_factory=list)
    problems: list[Unusable] = field(default_factory=list)
    folders: dict[str, set[str]] = field(default_factory=dict)
    pile: Pile | None = None
    whole: dict[tuple[str, int], Any] = field(default_factory=dict)
    order: dict[str, list[int]] = field(default_factory=lambda: {"series": [], "drawing": []})

    def keep(self, kind: str, number: int, value: Any) -> None:
        if self.pile is None:
            self.whole[kind, number] = value
        else:
            self.pile.put((kind, number), value)

    def get(self, kind: str, place: int) -> Any:
        """The whole of what stands at a place of ``outlines`` or ``drawings``."""
        number = self.order[kind][place]
        return self.whole[kind, number] if self.pile is None else self.pile.get((kind, number))[0]

    def add(
        self, series: Iterable[Series], segmentations: Iterable[Segmentation], problems: Iterable[Unusable]
    ) -> None:
        placed = []
        for number, one in enumerate(series, len(self.outlines)):
            self.keep("series", number, one)
            for folder in {str(piece.path.parent) for piece in one.slices}:
                self.folders.setdefault(folder, set()).add(one.uid)
            outline = replace(one, slices=(), geometry=None, notes=())
            placed.append((order_of(one), number, outline, len(one.slices)))
        drawn = []
        for number, seg in enumerate(segmentations, len(self.drawings)):
            self.keep("drawing", number, seg)
            drawn.append((number, replace(seg, referenced_sop_instance_uids=frozenset())))
        placed.sort(key=lambda p: p[0])
        drawn.sort(key=lambda d: (d[1].subject, d[1].sop_instance_uid, str(d[1].path)))
        self.order["series"] += [number for _, number, _, _ in placed]
        self.order["drawing"] += [number for number, _ in drawn]
        self.outlines += [outline for _, _, outline, _ in placed]
        self.sizes += [size for _, _, _, size in placed]
        self.drawings += [outline for _, outline in drawn]
        self.problems += problems


def _scan(root: Path, progress: Progress | None, workers: int, spool: Path | None) -> _Scanned:
    """Images and segmentations may lie in either folder, or in one PACS export: both are scanned."""
    if spool is not None:
        spool.mkdir(parents=True, exist_ok=True)
    found = _Scanned(pile=None if spool is None else Pile(spool))
    for folder in (root / name for name in ("images", "masks") if (root / name).is_dir()):
        if spool is None:
            scan = scan_folder(folder, progress, workers=workers)
            found.add(scan.series, scan.segmentations, scan.problems)
        else:
            parts = scan_in_parts(folder, spool, progress, workers)
            found.add(parts.series, parts.segmentations, parts.problems)
    return found


def _owners_of_series(
    series: Iterable[Series], sizes: Iterable[int], manifest: Manifest
) -> tuple[dict[str, str], list[Problem]]:
    """Whose a series UID is, that of most of its slices; a problem of each subject where several have slices under one UID."""
    slices: dict[str, Counter[str]] = {}
    for one, size in zip(series, sizes, strict=True):
        slices.setdefault(one.uid, Counter())[subject_of_series(one, manifest)] += size
    owners = {uid: min(found, key=lambda name: (-found[name], name)) for uid, found in slices.items()}
    problems = []
    for uid, found in slices.items():
        if uid and len(found) > 1:
            told = " and ".join(f"{count} of {name or '(no PatientID)'}" for name, count in sorted(found.items()))
            said = f"series {uid} holds slices of several subjects: {told}; separate them, or state its subject in series.csv"
            problems += [Problem(subject=name, message=said) for name in sorted(found)]
    return owners, problems


@dataclass(frozen=True, slots=True)
class _Owners:
    """Whose an unusable file is: by series UID, by PatientID, by folder (series UIDs in it)."""

    of_series: dict[str, str]
    of_patient: dict[str, str]
    folders: dict[str, set[str]]

    def segmentation(self, problem: Unusable) -> str:
        """Of a segmentation, the subject whose read is incomplete without it; "" for any other file."""
        lost = problem.segmentation
        if lost is None:
            return ""
        known = self.of_series.get(lost.referenced_series_uid) or self.of_patient.get(lost.patient_id)
        return known or lost.subject_id or lost.patient_id

    def file(self, problem: Unusable) -> str:
        """The subject in or beside whose series a file lies; "" where nothing says, or where several have slices there."""
        if problem.series_uid and problem.series_uid in self.of_series:
            return self.of_series[problem.series_uid]
        beside = {self.of_series[uid] for uid in self.folders.get(str(Path(problem.path).parent), ())}
        return beside.pop() if len(beside) == 1 else ""


class _Given:
    """What scoring needs of a subject, put together when it is asked for."""

    def __init__(
        self,
        found: _Scanned,
        usable: Mapping[str, int],
        manifest: Manifest,
        reads: Measurements,
        label_masks: Iterable[LabelMaskFile],
        unusable: Mapping[str, Sequence[Problem]],
    ) -> None:
        self.series: dict[str, list[int]] = {}
        self.drawings: dict[str, list[int]] = {}
        self._found, self._usable, self._manifest, self._unusable = found, usable, manifest, unusable
        self._rows: dict[str, list[Measurement]] = {}
        self._unread: dict[str, list[Problem]] = {}
        self._labels: dict[str, list[LabelMaskFile]] = {}
        for row in reads.rows:
            self._rows.setdefault(row.subject, []).append(row)
        for problem in reads.problems:
            self._unread.setdefault(problem.subject, []).append(problem)
        for mask in label_masks:
            self._labels.setdefault(mask.subject, []).append(mask)

    def subject(self, name: str) -> SubjectInput:
        whole = (self._found.get("series", place) for place in self.series.get(name, ()))
        series = tuple(with_manifest(one, self._manifest, self._usable[one.uid]) for one in whole)
        rows = tuple(self._rows.get(name, ()))
        timepoints, notes = _timepoints(name, series, rows, self._manifest)
        return SubjectInput(
            subject=name,
            series=series,
            segmentations=tuple(self._found.get("drawing", place) for place in self.drawings.get(name, ())),
            label_masks=tuple(self._labels.get(name, ())),
            rows=rows,
            timepoints=timepoints,
            problems=(*self._unusable[name], *self._unread.get(name, ())),
            notes=notes,
        )


class _Subjects(Sequence[SubjectInput]):
    """The subjects in the order of their names, each made when it is asked for."""

    def __init__(self, names: Sequence[str], make: Callable[[str], SubjectInput]) -> None:
        self._names, self._make = names, make

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, place: int) -> SubjectInput: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[SubjectInput, ...]: ...

    def __getitem__(self, place: int | slice) -> SubjectInput | tuple[SubjectInput, ...]:
        if isinstance(place, slice):
            return tuple(self._make(name) for name in self._names[place])
        return self._make(self._names[place])


# --- the tables ------------------------------------------------------------------------------------------------------


def _read_reads(folder: Path, partial: PartialDate) -> Measurements:
    tables = [read_measurements(path, partial) for path in sorted(folder.glob("*.csv"))] if folder.is_dir() else []
    return Measurements(
        rows=tuple(row for table in tables for row in table.rows),
        problems=tuple(problem for table in tables for problem in table.problems),
    )


def _read_label_masks(path: Path, partial: PartialDate) -> tuple[LabelMaskFile, ...]:
    if not path.exists():
        return ()
    _, lines = read_rows(path, ("subject", "timepoint", "series_uid", "lesions", "viable"))
    masks = []
    for number, cells in lines:
        where = f"{path}: line {number}"
        if not cells["lesions"]:
            raise InputError(f"{where}: lesions is empty; name the NIfTI file of the lesions")
        try:
            day = parse_date(cells["date"], partial) if cells.get("date") else None
        except ValueError as error:
            raise InputError(f"{where}: date: {error}") from None
        masks.append(
            LabelMaskFile(
                subject=cells["subject"],
                timepoint=timepoint_of(cells["timepoint"], where),
                series_uid=cells["series_uid"],
                lesions=path.parent / cells["lesions"],
                viable=path.parent / cells["viable"] if cells["viable"] else None,
                reader=cells.get("reader") or "R1",
                date=day,
            )
        )
    return tuple(masks)


def _read_arms(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    header, lines = read_rows(path, ("subject",))
    return {cells["subject"]: cells["arm"] for _, cells in lines if "arm" in header}


def _read_dates(path: Path, protocol: Protocol) -> SubjectDates:
    needed = [protocol.origin.event] if protocol.origin.event not in ("", "baseline") else []
    needed += ["new_anticancer_therapy"] if "new_anticancer_therapy" in protocol.response.cut else []
    if needed and not path.exists():
        raise InputError(f"{path}: is missing; the protocol needs its dates of {', '.join(needed)}")
    return read_subject_dates(path if path.exists() else None, protocol)


# --- one subject -----------------------------------------------------------------------------------------------------


def _timepoints(
    subject: str, series: tuple[Series, ...], rows: tuple[Measurement, ...], manifest: Manifest
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Series UID -> time point: the manifest, then ClinicalTrialTimePointID, then a read of that date, then date order."""
    found: dict[str, int] = {}
    by_read = {row.date.isoformat(): row.timepoint for row in rows if row.date is not None}
    left: list[Series] = []
    for one in series:
        if one.uid in manifest.timepoints:
            found[one.uid] = manifest.timepoints[one.uid]
        elif one.timepoint_id is not None and one.timepoint_id.strip().isdecimal():
            found[one.uid] = int(one.timepoint_id)
        elif one.date in by_read:
            found[one.uid] = by_read[one.date]
        else:
            left.append(one)
    dates = sorted({one.date for one in left if one.date})
    if not dates or found:
        # Date order says nothing once other series of the subject carry time points of their own.
        return found, ()
    found |= {one.uid: dates.index(one.date) for one in left if one.date}
    order = ", ".join(f"{day} = {index}" for index, day in enumerate(dates))
    note = f"{subject}: time points taken from the order of dates ({order}); state them in series.csv if a visit is missing"
    return found, (note,)


def _notes(series: tuple[Series, ...]) -> tuple[str, ...]:
    refused = (s for s in series if s.verdict == "refused")
    unused = tuple(f"{s.subject}: series {s.description or s.uid} is not used: {s.verdict_text}" for s in refused)
    return (*unused, *phases_to_state(series))


def phases_to_state(series: Iterable[Series]) -> tuple[str, ...]:
    """One line a subject that lists the series without a phase, and says what to write where."""
    asked: dict[str, list[str]] = {}
    for one in series:
        if one.phase.name is PhaseName.UNKNOWN and one.verdict != "refused":
            part = f" stack {one.stack}" if one.stacks > 1 else ""
            asked.setdefault(one.subject, []).append(f"{one.uid or '(no UID)'}{part} ({one.date or 'no date'})")
    return tuple(
        f"{subject}: the contrast phase of {len(names)} series is unknown: {', '.join(names[:5])}"
        f"{f' and {len(names) - 5} more' if len(names) > 5 else ''}; state it in series.csv "
        f"(columns series_uid, phase, and stack where a series holds several), or viable sizes on it are not evaluated"
        for subject, names in asked.items()
    )
