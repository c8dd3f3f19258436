"""Which target of one reader is which target of another: by ``matches.csv``, else by where it was measured, else by what is said of it.

Without places a match is by kind, organ, station and size: two readers' names are their own (T01 of one may be T02 of the other), so
a name only decides between lesions that fit alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import cbrt, dist, pi

from mrecist.agreement.reads import Place, Track
from mrecist.criteria._organs import organ_of
from mrecist.matching.table import MatchRow, Relation, turned
from mrecist.model import Kind, Measurement, Role

# The longest diameters of one lesion by two readers: 95 % limits of agreement -22.1 to +25.4 % (Yoon 2016, one lesion).
SIZE_RATIO = 1.254
# Two readers who call a lesion alike may differ by more before it is taken for two lesions.
SIZE_RATIO_SAME_NAME = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Two rows of one lesion, and what says so."""

    one: Measurement
    other: Measurement
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSets:
    """The targets of two readers at baseline: those of both, and those of one only; ``why`` says of those what matches.csv does."""

    both: tuple[Match, ...]
    only_one: tuple[Measurement, ...]
    only_other: tuple[Measurement, ...]
    why: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Both chose the same lesions."""
        return not self.only_one and not self.only_other

    def words(self) -> str:
        """What was matched and what was not."""
        parts = [f"{m.one.lesion} = {m.other.lesion} ({m.by})" for m in self.both]
        parts += [f"{_described(row)} of {row.reader} only" for row in (*self.only_one, *self.only_other)]
        parts += self.why
        return ", ".join(parts) or "no targets"


def target_sets(one: Track, other: Track, *, by_name: bool = False) -> TargetSets:
    """Match the baseline targets of two readers, the best fit first; no lesion twice.

    ``by_name`` : names are the same for both readers, nothing else counts. Lesions of which matches.csv says what they are to the
    other reader's follow that; the rest is matched as without it.
    """
    mine, theirs = _targets(one), _targets(other)
    if by_name:
        named = {row.lesion: row for row in theirs}
        return TargetSets(
            both=tuple(Match(one=row, other=named[row.lesion], by="name") for row in mine if row.lesion in named),
            only_one=tuple(row for row in mine if row.lesion not in named),
            only_other=tuple(row for row in theirs if row.lesion not in {r.lesion for r in mine}),
        )
    told = _told(mine, theirs, one, other)
    known = {row.lesion_1 for row in told}, {row.lesion_2 for row in told}
    open_ = [row for row in mine if row.lesion not in known[0]], [row for row in theirs if row.lesion not in known[1]]
    fits = sorted(_fits(open_[0], one.places, open_[1], other.places), key=lambda fit: fit[0])
    matches = list(_matched(mine, theirs, told))
    for _, match in fits:
        if all(m.one is not match.one and m.other is not match.other for m in matches):
            matches.append(match)
    return TargetSets(
        both=tuple(sorted(matches, key=lambda m: m.one.lesion)),
        only_one=tuple(row for row in mine if all(m.one is not row for m in matches)),
        only_other=tuple(row for row in theirs if all(m.other is not row for m in matches)),
        why=tuple(_why(mine, theirs, told)),
    )


def _told(mine: list[Measurement], theirs: list[Measurement], one: Track, other: Track) -> list[MatchRow]:
    """What matches.csv says of the targets of the two, the first reader's lesion first; not what it could not compare."""
    if not mine or not theirs:
        return []
    readers = one.read_by or mine[0].reader, other.read_by or theirs[0].reader
    ways = [*one.matches, *(turned(row) for row in one.matches)]
    names = {row.lesion for row in mine}, {row.lesion for row in theirs}
    return [
        row
        for row in ways
        if (row.reader_1, row.reader_2) == readers
        and row.relation is not Relation.NOT_COMPARED
        and (row.lesion_1 in names[0] or row.lesion_2 in names[1])
    ]


def _matched(mine: list[Measurement], theirs: list[Measurement], told: list[MatchRow]) -> Iterator[Match]:
    rows = {row.lesion: row for row in mine}, {row.lesion: row for row in theirs}
    for row in told:
        one, other = rows[0].get(row.lesion_1), rows[1].get(row.lesion_2)
        if row.relation is Relation.SAME and one is not None and other is not None:
            yield Match(one=one, other=other, by=_by(row))


def _by(row: MatchRow) -> str:
    how = "" if row.placed_by in ("", "frame") else ", after registration"
    how += ", not sure" if row.sure == "low" else ""
    return (f"overlap {row.overlap:.2f}" if row.overlap else f"{row.apart_mm or 0:.1f} mm apart") + how


def _why(mine: list[Measurement], theirs: list[Measurement], told: list[MatchRow]) -> Iterator[str]:
    """What matches.csv says of targets that it does not match with a target."""
    targets = {row.lesion for row in mine}, {row.lesion for row in theirs}
    for row in told:
        names = f"{row.lesion_1} of {row.reader_1} and {row.lesion_2} of {row.reader_2}"
        if row.relation is Relation.SAME and not (row.lesion_1 in targets[0] and row.lesion_2 in targets[1]):
            no_target = row.reader_2 if row.lesion_1 in targets[0] else row.reader_1
            yield f"{names} are one lesion ({_by(row)}), no target of {no_target}"
        elif row.relation in (Relation.MERGED, Relation.SPLIT):
            covers = "second covers the first" if row.relation is Relation.MERGED else "first covers the second"
            yield f"{names}: the {covers}, with others"
        elif row.relation is Relation.AMBIGUOUS:
            yield f"{names} may be one lesion, and so may others"


def _targets(track: Track) -> list[Measurement]:
    found = [row for row in track.rows if row.timepoint == 0 and row.role is Role.TARGET and not row.part_of]
    return sorted(found, key=lambda row: row.lesion)


_Places = Mapping[tuple[int, str], Place]
_Fit = tuple[tuple[float, ...], Match]


def _fits(mine: list[Measurement], places: _Places, theirs: list[Measurement], others: _Places) -> Iterator[_Fit]:
    for a in mine:
        for b in theirs:
            here, there = places.get((0, a.lesion)), others.get((0, b.lesion))
            if here is not None and there is not None and here.series_uid == there.series_uid:
                apart = dist(here.middle_lps, there.middle_lps)
                if apart <= max(_size(a), _size(b)) / 2:
                    yield (0.0, apart), Match(one=a, other=b, by=f"{apart:.1f} mm apart")
            elif _alike(a, b):
                ratio = _ratio(a, b)
                named = a.lesion == b.lesion
                limit = SIZE_RATIO_SAME_NAME if named else SIZE_RATIO
                if ratio is None and named:
                    yield (3.0, 0.0), Match(one=a, other=b, by="same name, no size to compare")
                elif ratio is not None and ratio <= limit:
                    what = "same name, " if named else ""
                    # A name speaks where sizes fit alike, and for sizes that do not fit only when nothing fits better.
                    rank = 2.0 if ratio > SIZE_RATIO else 1.0
                    yield (rank, float(not named), ratio), Match(one=a, other=b, by=f"{what}organ and size")


def _alike(a: Measurement, b: Measurement) -> bool:
    """Nothing that is said of both differs."""
    organs, stations = (organ_of(a), organ_of(b)), (a.station.casefold(), b.station.casefold())
    return a.kind is b.kind and all("" in pair or pair[0] == pair[1] for pair in (organs, stations))


def _size(row: Measurement) -> float:
    """The diameter by which a lesion is told from others in mm; of a volume alone that of a sphere; 0: none is known."""
    if row.kind is Kind.NODE and row.short_mm:
        return float(row.short_mm)
    if row.longest_mm or row.viable_mm:
        return float(row.longest_mm or row.viable_mm or 0)
    return cbrt(6 * float(row.volume_mm3 or 0) / pi)


def _ratio(a: Measurement, b: Measurement) -> float | None:
    sizes = _size(a), _size(b)
    return max(sizes) / min(sizes) if min(sizes) > 0 else None


def _described(row: Measurement) -> str:
    size = f"{_size(row):.1f} mm" if _size(row) else ""
    return " ".join(filter(None, [row.lesion, row.organ, row.station, size]))
