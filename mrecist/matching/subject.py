"""The lesions of one subject matched: reader with reader at each visit, and visit with visit of each reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from mrecist.matching.assign import READERS_RATIO, VISITS_RATIO, Covered, Matched, Pair, match
from mrecist.matching.drawn import DrawnLesion, drawn_lesions
from mrecist.matching.frames import FRAME, Brought, Frames
from mrecist.matching.names import with_findings
from mrecist.matching.overlap import Fit
from mrecist.matching.table import Compared, MatchRow, Relation
from mrecist.model import Problem
from mrecist.study import SubjectInput

# A match is sure where masks overlap by this Dice, or where the best matching without it costs so much more and the surroundings of
# the lesion, not a rigid transform alone, have placed it.
_SURE_DICE, _SURE_MARGIN = 0.5, 0.4
_PERHAPS = "and may be the same; look"
_BY = {
    FRAME: "",
    "surroundings": "after registration",
    "own look": "after registration",
    "neighbours": "after registration, placed by the lesions near it",
    "rigid": "after rigid registration alone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectMatches:
    """The rows of one subject, and what could not be used or compared."""

    subject: str
    rows: tuple[MatchRow, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    reader: str
    timepoint: int
    lesions: tuple[DrawnLesion, ...]

    @property
    def label(self) -> str:
        return f"reader {self.reader}, time point {self.timepoint}"


def match_subject(given: SubjectInput, wanted: Sequence[Compared] = tuple(Compared)) -> SubjectMatches:
    """Match what was drawn of a subject: every two readers of a visit; each visit of a reader with the first and the one before."""
    drawn, problems = drawn_lesions(given)
    sides = {
        key: _Side(reader=key[0], timepoint=key[1], lesions=tuple(d for d in drawn if (d.reader, d.timepoint) == key))
        for key in sorted({(d.reader, d.timepoint) for d in drawn})
    }
    frames = Frames(given.series)
    rows: list[MatchRow] = []
    told = list(problems)
    for compared, one, other in _pairs(sides, wanted):
        found = _compare(given.subject, compared, one, other, frames)
        rows += found
        told += _problems(given.subject, one, other, found)
    return SubjectMatches(subject=given.subject, rows=tuple(rows), problems=tuple(told))


def _problems(subject: str, one: _Side, other: _Side, rows: Sequence[MatchRow]) -> Iterator[Problem]:
    """A problem for each reason for which lesions were not compared."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.relation is Relation.NOT_COMPARED and not row.detail.endswith(_PERHAPS):
            reasons.setdefault(row.detail, []).append(row.lesion_1 or row.lesion_2)
    for reason, names in reasons.items():
        message = f"subject {subject}: {one.label} and {other.label}: {', '.join(names)} not compared: {reason}"
        yield Problem(subject=subject, reader=one.reader, message=message)


def _pairs(sides: dict[tuple[str, int], _Side], wanted: Sequence[Compared]) -> Iterator[tuple[Compared, _Side, _Side]]:
    if Compared.READERS in wanted:
        for timepoint in sorted({key[1] for key in sides}):
            of_visit = [side for side in sides.values() if side.timepoint == timepoint]
            yield from ((Compared.READERS, one, other) for one, other in combinations(of_visit, 2))
    if Compared.VISITS in wanted:
        for reader in sorted({key[0] for key in sides}):
            of_reader = [side for side in sides.values() if side.reader == reader]
            for number, side in enumerate(of_reader[1:], 1):
                # Lesions that appeared later are compared with the visit before.
                for earlier in dict.fromkeys((0, number - 1)):
                    yield Compared.VISITS, of_reader[earlier], side


def _compare(subject: str, compared: Compared, one: _Side, other: _Side, frames: Frames) -> list[MatchRow]:
    mine, theirs = frames.bring(one.lesions, other.lesions)
    ratio = READERS_RATIO if compared is Compared.READERS else VISITS_RATIO
    there = [[b for b in side if b.lesion is not None] for side in (mine, theirs)]
    lesions = [[b.lesion for b in side if b.lesion is not None] for side in there]
    matched = match(lesions[0], lesions[1], ratio)
    blank = MatchRow(
        subject=subject,
        compared=compared,
        reader_1=one.reader,
        timepoint_1=one.timepoint,
        lesion_1="",
        reader_2=other.reader,
        timepoint_2=other.timepoint,
        lesion_2="",
        relation=Relation.SAME,
    )
    rows = [*_rows(blank, there[0], there[1], matched), *_left(blank, mine, theirs)]
    rows = [_unless_unknown(row, mine, theirs) for row in rows]
    rows.sort(key=lambda row: (row.lesion_1 == "", row.lesion_1, row.lesion_2))
    return with_findings(rows) if compared is Compared.VISITS else rows


def _rows(blank: MatchRow, mine: list[Brought], theirs: list[Brought], matched: Matched) -> Iterator[MatchRow]:
    for pair in matched.pairs:
        row = _told(blank, mine[pair.one], theirs[pair.other], pair.fit)
        yield replace(row, sure=_sure(pair, row.placed_by), relation=Relation.SAME)
    for covered in matched.covered:
        yield from _parts(blank, mine, theirs, covered)
    for open_ in matched.ambiguous:
        for i, j, fit in open_.pairs:
            rivals = [(k, m) for k, m, _ in open_.pairs if (k == i) != (m == j)]
            others = ", ".join(f"{_name(mine[k])} and {_name(theirs[m])}" for k, m in rivals)
            row = _told(blank, mine[i], theirs[j], fit)
            yield replace(
                row,
                relation=Relation.AMBIGUOUS,
                detail=f"{row.detail}; {others} fit about as well: look, nothing was chosen",
            )
    yield from _alone(blank, mine, theirs, matched)


def _alone(blank: MatchRow, mine: list[Brought], theirs: list[Brought], matched: Matched) -> Iterator[MatchRow]:
    """Lesions beside which none of the other read lies."""
    for i in matched.only_one:
        detail = _nearest(matched.fits[i], [_name(b) for b in theirs])
        yield replace(_placed(blank, mine[i]), lesion_1=_name(mine[i]), relation=Relation.ONLY_1, detail=detail)
    for j in matched.only_other:
        detail = _nearest([row[j] for row in matched.fits], [_name(b) for b in mine])
        yield replace(_placed(blank, theirs[j]), lesion_2=_name(theirs[j]), relation=Relation.ONLY_2, detail=detail)


def _parts(blank: MatchRow, mine: list[Brought], theirs: list[Brought], covered: Covered) -> Iterator[MatchRow]:
    """A row for each part of a lesion that covers several."""
    parts, whole = (mine, theirs[covered.whole]) if covered.first else (theirs, mine[covered.whole])
    made_of = covered.parts if covered.beside is None else (*covered.parts, covered.beside)
    names = " and ".join(_name(parts[p]) for p in sorted(made_of))
    by_reader = blank.compared is Compared.READERS
    of = [f"reader {blank.reader_1}", f"reader {blank.reader_2}"]
    of = of if by_reader else [f"time point {blank.timepoint_1}", f"time point {blank.timepoint_2}"]
    of_whole, of_parts = of[::-1] if covered.first else of
    said = f"{_name(whole)} of {of_whole} covers {names} of {of_parts}"
    for number, fit in zip(covered.parts, covered.fits, strict=True):
        one, other = (parts[number], whole) if covered.first else (whole, parts[number])
        row = _told(blank, one, other, fit)
        yield replace(
            row,
            relation=Relation.MERGED if covered.first else Relation.SPLIT,
            detail=f"{said}; {row.detail}",
        )


def _left(blank: MatchRow, mine: list[Brought], theirs: list[Brought]) -> Iterator[MatchRow]:
    left = replace(blank, relation=Relation.NOT_COMPARED)
    yield from (replace(left, lesion_1=_name(b), detail=b.why) for b in mine if b.lesion is None)
    yield from (replace(left, lesion_2=_name(b), detail=b.why) for b in theirs if b.lesion is None)


def _unless_unknown(row: MatchRow, mine: list[Brought], theirs: list[Brought]) -> MatchRow:
    """A lesion beside which none lies is not alone for sure while one of the other read could not be compared."""
    other = {Relation.ONLY_1: theirs, Relation.ONLY_2: mine}.get(row.relation, [])
    names = [_name(b) for b in other if b.lesion is None]
    if not names:
        return row
    detail = f"{', '.join(names)} of the other read could not be compared, {_PERHAPS}"
    return replace(row, relation=Relation.NOT_COMPARED, placed_by="", off_mm=None, detail=detail)


def _told(blank: MatchRow, one: Brought, other: Brought, fit: Fit) -> MatchRow:
    row = replace(
        blank,
        lesion_1=_name(one),
        lesion_2=_name(other),
        overlap=fit.dice,
        contained=fit.contained,
        apart_mm=fit.apart_mm,
        placed_by=_carrier(one, other).by,
        off_mm=fit.off_mm,
    )
    how = _BY[row.placed_by] + (f" (within about {fit.off_mm:.0f} mm)" if row.placed_by != FRAME else "")
    said = [f"overlap {fit.dice:.2f}", f"{fit.apart_mm:.1f} mm apart", how]
    return replace(row, detail=", ".join(filter(None, said)))


def _placed(blank: MatchRow, one: Brought) -> MatchRow:
    return replace(blank, placed_by=one.by, off_mm=None if one.lesion is None else one.lesion.off_mm)


def _carrier(one: Brought, other: Brought) -> Brought:
    return one if one.by != FRAME else other


def _sure(pair: Pair, placed_by: str) -> str:
    alone = pair.margin >= _SURE_MARGIN and placed_by not in ("rigid", "neighbours")
    return "high" if alone or pair.fit.dice >= _SURE_DICE else "low"


def _nearest(fits: Sequence[Fit], names: Sequence[str]) -> str:
    if not names:
        return "the other read has no lesion that could be compared"
    away, name, dice = min((fit.apart_mm, name, fit.dice) for fit, name in zip(fits, names, strict=True))
    return f"nothing of the other read is the same; nearest {name}, {away:.0f} mm apart" + (
        f", overlap {dice:.2f}" if dice else ""
    )


def _name(one: Brought) -> str:
    return one.drawn.lesion.name
