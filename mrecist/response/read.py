"""One reader's read of one subject: its visits in order, checked for contradictions before anything is derived from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise

from mrecist.contradictions import Contradiction
from mrecist.criteria._organs import organ_of
from mrecist.errors import ReadError
from mrecist.model import LocalTherapy, Measurement, Role, State
from mrecist.response.new_fragments import whole_new_lesions


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The rows of one time point by lesion id. ``dates`` are the different dates of its rows, ascending."""

    timepoint: int
    dates: tuple[date, ...]
    rows: dict[str, Measurement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One reader's read of one subject; ``visits`` start with the baseline (time point 0)."""

    subject: str
    reader: str
    visits: tuple[Visit, ...]
    targets: tuple[Measurement, ...]
    non_targets: tuple[Measurement, ...]
    # Lesion -> ids of the fragments it split into, in order of appearance.
    fragments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    # Target -> its first local treatment on study and the time point that records it.
    treated: dict[str, tuple[LocalTherapy, int]] = field(default_factory=dict)

    @property
    def baseline(self) -> Visit:
        """Time point 0."""
        return self.visits[0]

    def history(self, lesion: str) -> dict[int, Measurement]:
        """Time point -> row of one lesion."""
        return {v.timepoint: v.rows[lesion] for v in self.visits if lesion in v.rows}

    def parts(self, lesion: str) -> tuple[str, ...]:
        """Ids of all fragments of a lesion, fragments of fragments among them."""
        parts = self.fragments.get(lesion, ())
        return parts + tuple(p for part in parts for p in self.parts(part))

    def new_lesions(self) -> tuple[str, ...]:
        """Ids of new lesions in order of appearance."""
        found = (row.lesion for visit in self.visits for row in visit.rows.values() if row.role is Role.NEW)
        return tuple(dict.fromkeys(found))


def build_read(rows: Iterable[Measurement]) -> Read:
    """Order the rows of one subject and reader into visits.

    Raises :class:`ReadError` where the rows contradict each other or the criteria: a lesion twice at a visit, no baseline,
    dates out of order, a role that changes, a target that is not of the baseline, a fragment of nothing, a size both whole
    and in parts.
    """
    read, contradictions = examine_read(rows)
    if contradictions:
        raise ReadError(str(contradictions[0]))
    whole = whole_new_lesions([visit.rows for visit in read.visits], read.fragments)
    return replace(read, visits=tuple(replace(v, rows=rows) for v, rows in zip(read.visits, whole, strict=True)))


def examine_read(rows: Iterable[Measurement]) -> tuple[Read, tuple[Contradiction, ...]]:
    """The read, and everything in it that :func:`build_read` refuses, worst first.

    With contradictions the read is a draft for looking at single lesions; no response may be derived from it. Of two rows of
    a lesion at one visit it holds the first.
    """
    rows = list(rows)
    subject, reader = rows[0].subject, rows[0].reader
    found: list[Contradiction] = []
    by_timepoint: dict[int, dict[str, Measurement]] = {}
    for row in rows:
        if row.date is None:
            words = f"lesion {row.lesion} has no date; a response needs the date of the assessment"
            found.append(_of_row("no_date", row, words))
        lesions = by_timepoint.setdefault(row.timepoint, {})
        if row.lesion in lesions:
            found.append(_of_row("duplicate_row", row, f"lesion {row.lesion} has two rows; keep one"))
        lesions.setdefault(row.lesion, row)
    visits = tuple(
        Visit(timepoint=t, dates=tuple(sorted({r.date for r in lesions.values() if r.date is not None})), rows=lesions)
        for t, lesions in sorted(by_timepoint.items())
    )
    found += _check_order(visits, subject, reader)
    found += _check_roles(visits)
    fragments, of_nothing = _fragments(visits)
    found += of_nothing
    found += _check_circles(fragments, f"subject {subject}, reader {reader}")
    reported = {(one.timepoint, one.lesion) for one in of_nothing}
    for visit in visits:
        found += [one for one in _check_parts(visit, fragments) if (one.timepoint, one.lesion) not in reported]
    baseline = [row for row in visits[0].rows.values() if row.timepoint == 0]
    read = Read(
        subject=subject,
        reader=reader,
        visits=visits,
        targets=tuple(r for r in baseline if r.role is Role.TARGET and not r.part_of),
        non_targets=tuple(r for r in baseline if r.role is Role.NON_TARGET),
        fragments=fragments,
        treated=_treated(visits),
    )
    found += _check_baseline(read)
    return read, tuple(found)


def _at(row: Measurement) -> str:
    return f"subject {row.subject}, reader {row.reader}, time point {row.timepoint}"


def _of_row(kind: str, row: Measurement, words: str) -> Contradiction:
    return Contradiction(kind=kind, words=words, where=_at(row), timepoint=row.timepoint, lesion=row.lesion)


def _check_order(visits: tuple[Visit, ...], subject: str, reader: str) -> Iterator[Contradiction]:
    where = f"subject {subject}, reader {reader}"
    first = visits[0]
    if first.timepoint != 0:
        words = f"no baseline, the first time point is {first.timepoint} and not 0; add the baseline rows"
        yield Contradiction(kind="no_baseline", words=words, where=where)
    for earlier, later in pairwise([visit for visit in visits if visit.dates]):
        if later.dates[0] <= earlier.dates[-1]:
            words = (
                f"time point {later.timepoint} is dated {later.dates[0]}, not after "
                f"time point {earlier.timepoint} of {earlier.dates[-1]}; correct the dates or the time points"
            )
            yield Contradiction(kind="visit_order", words=words, where=where, timepoint=later.timepoint)


def _check_roles(visits: tuple[Visit, ...]) -> Iterator[Contradiction]:
    first: dict[str, Measurement] = {}
    for visit in visits:
        for row in visit.rows.values():
            before = first.setdefault(row.lesion, row)
            yield from _check_same(row, before)
            if before is row:
                yield from _check_first(row, visits[0].timepoint)


def _check_same(row: Measurement, before: Measurement) -> Iterator[Contradiction]:
    for word, now, then in (("role", row.role, before.role), ("kind", row.kind, before.kind)):
        if now != then:
            words = (
                f"{row.lesion} is {word} '{now}' and was '{then}' at time point {before.timepoint}; "
                f"a lesion keeps its {word}"
            )
            yield _of_row(f"changed_{word}", row, words)
    if row.basis is not None and row.basis != (before.basis or row.basis.VIABLE):
        words = (
            f"{row.lesion} has basis '{row.basis}' and had '{before.basis or row.basis.VIABLE}' at time point "
            f"{before.timepoint}; the basis is fixed at baseline"
        )
        yield _of_row("changed_basis", row, words)


def _check_first(row: Measurement, first_timepoint: int) -> Iterator[Contradiction]:
    if row.role is Role.NEW and row.timepoint == 0:
        words = f"{row.lesion} is a new lesion at baseline; make it target or non-target"
        yield _of_row("new_at_baseline", row, words)
    # Without any baseline that is what is wrong, and not every lesion of the first visit.
    if row.role is not Role.NEW and row.timepoint > 0 and not row.part_of and first_timepoint == 0:
        words = (
            f"{row.role} {row.lesion} has no baseline row; a lesion first seen later has role 'new', "
            f"a fragment names its lesion in part_of"
        )
        yield _of_row("no_baseline_row", row, words)


def _fragments(visits: tuple[Visit, ...]) -> tuple[dict[str, tuple[str, ...]], list[Contradiction]]:
    fragments: dict[str, tuple[str, ...]] = {}
    of_nothing: list[Contradiction] = []
    known: set[str] = set()
    for visit in visits:
        known.update(visit.rows)
        for row in visit.rows.values():
            if not row.part_of:
                continue
            if row.part_of not in known or row.part_of == row.lesion:
                words = f"{row.lesion} is part of '{row.part_of}', which is no lesion of this read"
                of_nothing.append(_of_row("part_of_nothing", row, words))
            elif row.state is not State.MERGED and row.lesion not in fragments.get(row.part_of, ()):
                fragments[row.part_of] = (*fragments.get(row.part_of, ()), row.lesion)
    return fragments, of_nothing


def _check_circles(fragments: dict[str, tuple[str, ...]], where: str) -> Iterator[Contradiction]:
    """A lesion that is a fragment of a fragment of itself; one of a circle is named."""
    for lesion in fragments:
        below, left = set[str](), [lesion]
        while left:
            new = set(fragments.get(left.pop(), ())) - below
            below |= new
            left += new
        if lesion in below:
            words = f"part_of goes round in a circle at {lesion}; correct it"
            yield Contradiction(kind="part_of_nothing", words=words, where=where, lesion=lesion)
            return


def _treated(visits: tuple[Visit, ...]) -> dict[str, tuple[LocalTherapy, int]]:
    found: dict[str, tuple[LocalTherapy, int]] = {}
    for visit in visits[1:]:
        for row in visit.rows.values():
            if row.local_therapy is not None:
                found.setdefault(row.lesion, (row.local_therapy, visit.timepoint))
    return found


def _check_parts(visit: Visit, fragments: dict[str, tuple[str, ...]]) -> Iterator[Contradiction]:
    for row in visit.rows.values():
        if row.state is State.MERGED and (not row.part_of or row.part_of not in visit.rows):
            words = (
                f"{row.lesion} is merged, but part_of names '{row.part_of}', which has no row here; "
                f"name the lesion that carries the mass"
            )
            yield _of_row("merged_into_nothing", row, words)
        elif row.state is State.MERGED:
            yield from _check_carrier(row, visit.rows[row.part_of])
        parts = [part for part in fragments.get(row.lesion, ()) if part in visit.rows]
        if parts and row.state is not State.MERGED:
            words = (
                f"{row.lesion} has a row of its own and fragments {', '.join(parts)}; "
                f"keep the fragments or the whole, or the size counts twice"
            )
            yield _of_row("counted_twice", row, words)


def _check_carrier(row: Measurement, carrier: Measurement) -> Iterator[Contradiction]:
    """The mass is recorded on a lesion that can hold it, or it would vanish from the sum."""
    if carrier.role is not row.role or carrier.state is State.MERGED:
        words = (
            f"{row.lesion} is merged into {carrier.lesion}, a {carrier.role} that is '{carrier.state}'; the mass "
            f"is recorded on a {row.role} that is measured"
        )
        yield _of_row("merged_into_nothing", row, words)


def _check_baseline(read: Read) -> Iterator[Contradiction]:
    for row in read.targets:
        if row.state in (State.ABSENT, State.MERGED):
            words = f"target {row.lesion} is '{row.state}' at baseline; a target is measured there"
            yield _of_row("baseline_state", row, words)
    for row in read.non_targets:
        if row.state in (State.ABSENT, State.PROGRESSED):
            words = f"non-target {row.lesion} is '{row.state}' at baseline; it can only be present"
            yield _of_row("baseline_state", row, words)


def too_many_targets(targets: Sequence[Measurement], max_targets: int, max_per_organ: int) -> tuple[str, ...]:
    """Flags for a baseline with more targets than the criterion allows; paired organs and all nodes are one organ each."""
    flags = []
    if len(targets) > max_targets:
        flags.append(f"TOO_MANY_TARGETS:{len(targets)}")
    organs = [organ_of(row) for row in targets]
    for organ in sorted(set(organs) - {""}):
        if organs.count(organ) > max_per_organ:
            flags.append(f"TOO_MANY_TARGETS_PER_ORGAN:{organ}={organs.count(organ)}")
    return tuple(flags)
