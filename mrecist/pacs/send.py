"""Send DICOM files to an archive: each with its outcome; what is there already is said and not sent again."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from mrecist.errors import InputError
from mrecist.imaging.headers import looks_like_dicom
from mrecist.pacs.instance import InstanceError, MediaDirectoryError, inspect
from mrecist.pacs.patience import ConnectionLostError, NotOfferedError, Patience, RefusedError
from mrecist.pacs.query import IMAGE, is_uid, shown

SENT, SENT_WITH_WARNING, PRESENT, REFUSED, NOT_SENT = (
    "sent",
    "sent, with a warning",
    "already there",
    "refused",
    "not sent",
)
FAILED = frozenset({REFUSED, NOT_SENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A file to send."""

    path: Path
    sop_class: str
    sop_uid: str
    series_uid: str
    study_uid: str
    transfer_syntax: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of it; ``reason`` is the server's."""

    file: Outgoing
    verdict: str
    reason: str = ""


@dataclass(slots=True)
class Collected:
    """Files to send, one line for each that cannot be, and how many are no DICOM."""

    files: list[Outgoing] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    ignored: int = 0


class Destination(Protocol):
    """What a transport does for :func:`send`."""

    def find(self, level: str, keys: Mapping[str, str]) -> list[dict[str, str]]:
        """As for fetching."""

    def store(self, files: Sequence[Outgoing]) -> Iterator[Outcome]:
        """Store the files in order; raises :class:`ConnectionLostError` when the rest could not be sent."""


def collect(paths: Iterable[Path]) -> Collected:
    """The DICOM files among ``paths`` and in the folders among them; an instance that is given twice is sent once.

    Raises
    ------
    InputError : a path does not exist, or there is nothing to send.
    """
    found = Collected()
    digests: dict[str, tuple[Path, str]] = {}
    for given in paths:
        if not given.exists():
            raise InputError(f"{given}: no such file or folder")
        for path in sorted(p for p in given.rglob("*") if p.is_file()) if given.is_dir() else [given]:
            _look_at(path, given.is_dir(), found, digests)
    if not found.files:
        raise InputError("; ".join(found.problems[:1]) or "send: no DICOM file among what was given")
    return found


def _look_at(path: Path, in_folder: bool, found: Collected, digests: dict[str, tuple[Path, str]]) -> None:
    try:
        if not looks_like_dicom(path):
            if in_folder:
                found.ignored += 1
            else:
                found.problems.append(f"{path}: is no DICOM file; not sent")
            return
        instance = inspect(path)
        with path.open("rb") as file:
            if file.read(132)[128:] != b"DICM":
                raise InstanceError(
                    "has no file meta information, so it cannot be sent as it is; write it as a DICOM file"
                )
        for uid in (instance.sop_uid, instance.series_uid, instance.study_uid):
            if not is_uid(uid):
                raise InstanceError(f"'{shown(uid, 70)}' is no UID")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except MediaDirectoryError:
        found.ignored += 1
        return
    except (InstanceError, OSError) as error:
        found.problems.append(f"{path}: {error.strerror if isinstance(error, OSError) else error}; not sent")
        return
    if instance.sop_uid in digests:
        first, other = digests[instance.sop_uid]
        if digest != other:
            found.problems.append(
                f"{path}: has the SOPInstanceUID of {first} and is another file; not sent, one of the two needs a new UID"
            )
        return
    digests[instance.sop_uid] = (path, digest)
    found.files.append(
        Outgoing(
            path=path,
            sop_class=instance.sop_class,
            sop_uid=instance.sop_uid,
            series_uid=instance.series_uid,
            study_uid=instance.study_uid,
            transfer_syntax=instance.transfer_syntax,
        )
    )


def send(
    destination: Destination, files: Sequence[Outgoing], patience: Patience, report: Callable[[int, int], None]
) -> list[Outcome]:
    """Send every file that is not there yet. One that is refused stops no other.

    After a lost connection the server is asked again what is there, so nothing is sent twice; when the retries are used up the
    rest is ``not sent``.

    Raises
    ------
    ConnectionLostError, RefusedError : the server could not be asked even once.
    """
    outcomes, lost = _already_there(destination, files, patience), 0
    left = [file for file in files if file.sop_uid not in outcomes]
    while left:
        report(len(outcomes), len(files))
        try:
            for outcome in destination.store(left):
                outcomes[outcome.file.sop_uid] = outcome
                lost = 0
                report(len(outcomes), len(files))
        except RefusedError as error:
            if not outcomes:
                raise
            for file in left:
                outcomes.setdefault(file.sop_uid, Outcome(file=file, verdict=NOT_SENT, reason=str(error)))
        except ConnectionLostError as error:
            lost += 1
            left = [file for file in left if file.sop_uid not in outcomes]
            if lost > patience.retries or not _ask_again(destination, left, patience, outcomes, lost):
                for file in left:
                    outcomes.setdefault(file.sop_uid, Outcome(file=file, verdict=NOT_SENT, reason=str(error)))
        left = [file for file in left if file.sop_uid not in outcomes]
    return [outcomes[file.sop_uid] for file in files]


def _ask_again(
    destination: Destination, left: Sequence[Outgoing], patience: Patience, outcomes: dict[str, Outcome], lost: int
) -> bool:
    patience.wait(lost)
    try:
        there = _already_there(destination, left, patience)
    except ConnectionLostError:
        return False
    for uid, outcome in there.items():
        outcomes[uid] = Outcome(file=outcome.file, verdict=SENT, reason="the connection broke after it had arrived")
    return True


def _already_there(destination: Destination, files: Sequence[Outgoing], patience: Patience) -> dict[str, Outcome]:
    """By UID: the same UID is the same instance (PS3.3 C.12.1.1.1). The contents are not compared."""
    by_series: dict[tuple[str, str], list[Outgoing]] = defaultdict(list)
    for file in files:
        by_series[file.study_uid, file.series_uid].append(file)
    there: dict[str, Outcome] = {}
    for (study, series), members in by_series.items():
        keys = {"StudyInstanceUID": study, "SeriesInstanceUID": series}
        try:
            rows = patience.insist(partial(destination.find, IMAGE, keys))
        except NotOfferedError:
            return there  # it stores and answers no questions: everything is sent
        uids = {row["SOPInstanceUID"] for row in rows}
        there |= {f.sop_uid: Outcome(file=f, verdict=PRESENT) for f in members if f.sop_uid in uids}
    return there


def line_of(outcome: Outcome) -> str:
    """A failed outcome as one line."""
    return f"{outcome.file.path}: {outcome.verdict}: {shown(outcome.reason, 300) or 'no reason given'}"
