"""What a signed visit leaves in the study folder: segmentations, rows, and the lines with how each mask came to be.

``mrecist score`` reads the first two. Only signed visits are written; a visit that is opened again is taken out until it is
signed again. Everything stays in the session's own folder, so nothing is lost by that.

::

    STUDY/masks/read_<reader>_<subject>/<time point>_<n>.dcm
    STUDY/reads/read_<reader>_<subject>.csv
    STUDY/reads/read_<reader>_<subject>.json
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mrecist.errors import InputError, ReadError
from mrecist.measure.measured import Diameter
from mrecist.objects.segmentation import DrawnLesion, write_segmentation
from mrecist.plain import to_plain
from mrecist.session.actions import Reopen, Sign
from mrecist.session.checklist import open_points
from mrecist.session.rows import Rows, diameter_of
from mrecist.session.session import Session, utc_now
from mrecist.session.state import ReadState
from mrecist.tables import measurements_csv, safe_name, write_whole

KEPT = "reads/.sessions"
_WRITTEN, _SIGNATURES = "written.json", "signatures.json"
MEANING = "read completed"
"""What a signature means unless the reader says otherwise."""


def sign(
    session: Session, rows: Rows, timepoint: int, name: str, meaning: str = MEANING, at: str | None = None
) -> None:
    """Sign a visit; :func:`write_signed` then writes it.

    Raises :class:`ReadError` when something is open (every point is named), or the visit is signed.
    """
    points = open_points(session.state, session.case, timepoint, rows)
    if points:
        said = "; ".join(point.what for point in points)
        raise ReadError(f"time point {timepoint} cannot be signed yet: {said}")
    session.do(Sign(timepoint=timepoint, name=name, at=at or utc_now(), meaning=meaning))


def reopen(session: Session, timepoint: int, name: str, reason: str) -> None:
    """Open a signed visit again, for a reason that is kept; :func:`write_signed` then takes its files out of the study."""
    session.do(Reopen(timepoint=timepoint, name=name, at=utc_now(), reason=reason))


def write_signed(session: Session, rows: Rows, study: Path) -> tuple[Path, ...]:
    """Bring the files of a read in the study folder to what is signed now; the files that there are then.

    Raises :class:`InputError` where a file of that name was not written by this read, or was changed since.
    """
    contents = _contents(session, rows)
    kept = session.folder / _WRITTEN
    before: dict[str, str] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    for name in {*before, *contents}:
        _check_ours(study / name, before.get(name))
    # What will be there is noted first: whatever happens in between, the next time every file is known as ours.
    now = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    write_whole(kept, json.dumps({**before, **now}, indent=1))
    for name, content in contents.items():
        write_whole(study / name, content)
    for name in before:
        if name not in contents:
            (study / name).unlink(missing_ok=True)
    write_whole(kept, json.dumps(now, indent=1))
    write_whole(session.folder / _SIGNATURES, json.dumps(_signatures(session.state)))
    return tuple(study / name for name in contents)


def is_written(session: Session) -> bool:
    """Whether :func:`write_signed` has come to its end since the last signature, or opening again, of this read."""
    kept = session.folder / _SIGNATURES
    known: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    return known == _signatures(session.state)


def _signatures(state: ReadState) -> dict[str, Any]:
    # What a signed visit says changes only by opening it again, and the new signature then has another time.
    return {str(t): to_plain(visit.signature) for t, visit in sorted(state.visits.items()) if visit.signature}


def _check_ours(path: Path, sha256: str | None) -> None:
    if not path.exists():
        return
    if sha256 is None:
        raise InputError(f"{path}: is there and was not written by this read; move it away")


def _contents(session: Session, rows: Rows) -> dict[str, bytes]:
    state, case = session.state, session.case
    signed = {t: visit for t, visit in sorted(state.visits.items()) if visit.signature is not None}
    if not signed:
        return {}
    stem = f"read_{safe_name(session.reader)}_{safe_name(case.subject)}"
    only = ReadState(lesions=state.lesions, visits=signed, phases=state.phases)
    contents: dict[str, bytes] = {}
    for timepoint in signed:
        masks = _masks(only, session, rows, timepoint)
        contents |= {f"masks/{stem}/{name}": data for name, data in masks.items()}
    contents[f"reads/{stem}.csv"] = measurements_csv(rows.stated(only, case)).encode("utf-8")
    contents[f"reads/{stem}.json"] = _as_json(_marks(only, session, rows))
    return contents


def visit_files(session: Session, rows: Rows, timepoint: int) -> dict[str, bytes]:
    """The same of one visit: name -> its masks, and its lines as ``lines_<time point>.json`` without the signature.

    They are the same bytes whenever they are made of the same visit.
    """
    state = session.state
    visit = replace(state.visit(timepoint), signature=None)
    only = ReadState(lesions=state.lesions, visits={timepoint: visit}, phases=state.phases)
    marks = _as_json(_marks(only, session, rows))
    return {**_masks(only, session, rows, timepoint), f"lines_{timepoint}.json": marks}


def _masks(state: ReadState, session: Session, rows: Rows, timepoint: int) -> dict[str, bytes]:
    """Name -> segmentation of a visit, one a stack."""
    drawn = enumerate(_drawn(state, session, rows, timepoint).items(), 1)
    return {
        f"{timepoint}_{number}.dcm": write_segmentation(session.case.series(*series), lesions, reader=session.reader)
        for number, (series, lesions) in drawn
    }


def _as_json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def _drawn(
    state: ReadState, session: Session, rows: Rows, timepoint: int
) -> Mapping[tuple[str, int], list[DrawnLesion]]:
    """The masks of a visit by the stack that they were drawn on."""
    found: dict[tuple[str, int], list[DrawnLesion]] = {}
    for lesion, mark in state.visit(timepoint).marks.items():
        if mark.mask is None:
            continue
        facts = state.lesions[lesion]
        mask = rows.lesion_mask(session.case, lesion, facts, mark.mask)
        found.setdefault((mark.mask.series_uid, mark.mask.stack), []).append(
            DrawnLesion(
                lesion=lesion,
                tracking_uid=facts.tracking_uid,
                whole=mask.whole,
                viable=mask.viable,
                organ=facts.organ,
                kind=str(facts.kind),
            )
        )
    return found


def _marks(state: ReadState, session: Session, rows: Rows) -> dict[str, Any]:
    """Every line in LPS mm with its slice, whether a hand set it, and how the mask came to be."""
    visits = []
    for timepoint, visit in state.visits.items():
        lesions = {}
        for lesion, mark in visit.marks.items():
            drawn = rows.drawn(state, session.case, timepoint, lesion)
            if drawn is None or mark.mask is None:
                continue
            lines: dict[str, Diameter | None] = {
                "longest_mm": drawn.measurement.longest,
                "short_mm": drawn.measurement.short,
                "viable_mm": drawn.measurement.viable,
                "viable_short_mm": drawn.measurement.viable_short,
            }
            lines |= {name: diameter_of(line, drawn.mask.geometry) for name, line in mark.lines.items()}
            uids = drawn.mask.slice_uids or ()
            lesions[lesion] = {
                "series_uid": mark.mask.series_uid,
                "provenance": to_plain(mark.mask.provenance),
                "lines": {
                    name: None
                    if line is None
                    else {
                        "mm": line.mm,
                        "manual": name in mark.lines,
                        "sop_instance_uid": uids[line.slice_index],
                        "ends_lps": line.ends_lps,
                    }
                    for name, line in lines.items()
                },
            }
        visits.append(
            {
                "timepoint": timepoint,
                "signature": to_plain(visit.signature),
                "new_lesions": visit.new_lesions,
                "adequate": visit.adequate,
                "comment": visit.comment,
                "lesions": lesions,
            }
        )
    return {
        "subject": session.case.subject,
        "reader": session.reader,
        "phases": dict(state.phases),
        "protocol_sha256": session.case.protocol.sha256,
        "visits": visits,
    }


class StudyFiles:
    """Where the signed visits of a room go: the study folder, for ``mrecist score``.

    ``behind`` says that they are not there, ``again`` what the button for another attempt does, ``reopening`` what opening a
    signed visit is called. ``folder`` keeps the session. ``until`` is the last visit that may be seen, None where all may be.
    """

    behind = "the study files are not up to date"
    again = "Write the study files again"
    reopening = "Open {visit} again"
    until: int | None = None

    def __init__(self, study: Path, reader: str, subject: str) -> None:
        self.study = study
        self.folder = session_folder(study, reader, subject)

    def write(self, session: Session, rows: Rows) -> tuple[Path, ...]:
        """Bring what is kept there to what is signed now; long, and for any thread, one at a time."""
        return write_signed(session, rows, self.study)

    def is_written(self, session: Session) -> bool:
        """Whether :meth:`write` has come to its end since the last signature, or opening again."""
        return is_written(session)

    def why_closed(self, timepoint: int) -> str:  # noqa: ARG002 - the folder never keeps one closed
        """Why a signed visit cannot be opened again; empty when it can."""
        return ""

    def words(self, text: str) -> str:
        """A message as this reader may see it."""
        return text

    def waits(self, trouble: str) -> str:  # noqa: ARG002 - the panel tells it
        """What the foot of the picture says as long as what is signed is not there."""
        return ""

    def anchor(self, timepoint: int) -> str:  # noqa: ARG002 - files have none
        """The anchor of the audit trail behind the signature of a visit; empty when it is not known."""
        return ""

    @property
    def has_more(self) -> bool:
        """Whether a visit may be opened now that was not there when the room was entered."""
        return False


def session_folder(study: Path, reader: str, subject: str) -> Path:
    """Where the session of a reader with a subject is kept in a study folder."""
    return study / KEPT / f"{safe_name(reader)}_{safe_name(subject)}"
