"""The sample study read again through sessions: every mask of its segmentations drawn, every word of its reads said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mrecist.imaging.masks import read_segmentation
from mrecist.model import STATES_OF, Measurement, Role, State
from mrecist.pieces import series_of
from mrecist.session.actions import AddLesion, AnswerAdequate, AnswerNewLesions, Comment, Draw, SetState, SetWords, Sign
from mrecist.session.case import Case
from mrecist.session.session import Session, open_session
from mrecist.session.state import DrawnMask, Provenance
from mrecist.tables import WORD_COLUMNS

STUDY = Path(__file__).parents[2] / "sample_data" / "study"


def clock() -> Callable[[], str]:
    """One second later at every call."""
    seconds = iter(range(10**6))
    return lambda: f"2026-01-01T{(s := next(seconds)) // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}Z"


@dataclass
class Opened:
    """A session that a test may close and open again, as after a crash."""

    case: Case
    folder: Path
    session: Session

    def again(self) -> Session:
        """Close, and open what was kept."""
        self.session.close()
        self.session = open_session(self.case, "R1", self.folder, clock())
        return self.session


def read_visit(session: Session, case: Case, timepoint: int, *, sign: bool = True) -> None:
    """Do at one visit what the sample's reader did: draw its masks, state the rest, answer, sign."""
    for row in [r for r in case.given.rows if r.timepoint == timepoint]:
        _add(session, row.lesion, row)
    for segmentation in case.given.segmentations:
        for mask in read_segmentation(segmentation.path, case.given.series).masks:
            series = series_of(mask, case.given.series)
            if case.given.timepoints[series.uid] != timepoint:
                continue
            stated = next((r for r in case.given.rows if (r.lesion, r.timepoint) == (mask.lesion, timepoint)), None)
            _add(session, mask.lesion, stated, mask.kind, mask.organ or "", mask.tracking_uid or "")
            drawn = DrawnMask(
                series_uid=series.uid,
                stack=series.stack,
                whole=session.masks.keep(mask.whole),
                viable=None if mask.viable is None else session.masks.keep(mask.viable),
                provenance=Provenance(method="sample"),
            )
            session.do(Draw(timepoint=timepoint, lesion=mask.lesion, mask=drawn))
    for row in [r for r in case.given.rows if r.timepoint == timepoint]:
        _say(session, row)
    new = [r for r in case.given.rows if r.timepoint == timepoint and r.role is Role.NEW]
    if timepoint:
        session.do(AnswerNewLesions(timepoint=timepoint, answer=any(r.state is not State.ABSENT for r in new)))
    session.do(AnswerAdequate(timepoint=timepoint, answer=True))
    if sign:
        session.do(Sign(timepoint=timepoint, name="R1", at="2026-01-01T00:00:00Z"))


def _add(
    session: Session, lesion: str, row: Measurement | None, kind: str = "lesion", organ: str = "", uid: str = ""
) -> None:
    if lesion in session.state.lesions:
        return
    role = row.role if row else Role.TARGET
    session.do(
        AddLesion(
            lesion=lesion,
            role=role,
            kind=row.kind if row else kind,  # type: ignore[arg-type]
            organ=(row.organ if row else "") or organ,
            station=row.station if row else "",
            tracking_uid=uid or f"2.25.{len(session.state.lesions) + 1}",
        )
    )


def _say(session: Session, row: Measurement) -> None:
    assert row.state in STATES_OF[row.role]
    session.do(
        SetState(timepoint=row.timepoint, lesion=row.lesion, state=row.state, part_of=row.part_of, sizes=_sizes(row))
    )
    words = {name: str(word) for name in WORD_COLUMNS if (word := getattr(row, name)) is not None}
    if words:
        session.do(SetWords(timepoint=row.timepoint, lesion=row.lesion, values=words))
    if row.comment:
        session.do(Comment(timepoint=row.timepoint, lesion=row.lesion, text=row.comment))


def _sizes(row: Measurement) -> dict[str, object]:
    names = ("longest_mm", "short_mm", "viable_mm", "viable_short_mm")
    return {name: size for name in names if (size := getattr(row, name)) is not None}
