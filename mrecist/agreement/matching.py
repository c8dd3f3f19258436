"""Which target of one reader is which target of another: by where it was measured, else by what is said of it.

Without places a match is by kind, organ, station and size: two readers' names are their own (T01 of one may be T02 of the other), so
a name only decides between lesions that fit alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import cbrt, dist, pi

from mrecist.agreement.reads import Place, Track
from mrecist.criteria._organs import organ_of
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
    """The targets of two readers at baseline: those of both, and those of one only."""

    both: tuple[Match, ...]
    only_one: tuple[Measurement, ...]
    only_other: tuple[Measurement, ...]

    @property
    def same(self) -> bool:
        """Both chose the same lesions."""
        return not self.only_one and not self.only_other

    def words(self) -> str:
        """What was matched and what was not."""
        parts = [f"{m.one.lesion} = {m.other.lesion} ({m.by})" for m in self.both]
        parts += [f"{_described(row)} of {row.reader} only" for row in (*self.only_one, *self.only_other)]
        return ", ".join(parts) or "no targets"


def target_sets(one: Track, other: Track, *, by_name: bool = False) -> TargetSets:
    """Match the baseline targets of two readers, the best fit first; no lesion twice.

    ``by_name`` : names are the same for both readers, nothing else counts.
    """
    mine, theirs = _targets(one), _targets(other)
    if by_name:
        named = {row.lesion: row for row in theirs}
        return TargetSets(
            both=tuple(Match(one=row, other=named[row.lesion], by="name") for row in mine if row.lesion in named),
            only_one=tuple(row for row in mine if row.lesion not in named),
            only_other=tuple(row for row in theirs if row.lesion not in {r.lesion for r in mine}),
        )
    fits = sorted(_fits(mine, one.places, theirs, other.places), key=lambda fit: fit[0])
    matches: list[Match] = []
    for _, match in fits:
        if all(m.one is not match.one and m.other is not match.other for m in matches):
            matches.append(match)
    return TargetSets(
        both=tuple(sorted(matches, key=lambda m: m.one.lesion)),
        only_one=tuple(row for row in mine if all(m.one is not row for m in matches)),
        only_other=tuple(row for row in theirs if all(m.other is not row for m in matches)),
    )


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
