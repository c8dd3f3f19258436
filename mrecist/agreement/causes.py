"""Why two readers have another response at a visit: which part of it differs, and what made that part differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import median

from mrecist.agreement.matching import SIZE_RATIO, Match, TargetSets, target_sets
from mrecist.agreement.reads import STATED_IN_TABLE, Reads, Track
from mrecist.agreement.swaps import Crossed
from mrecist.criteria._overall import overall_response
from mrecist.model import Basis, Kind, Measurement, NewLesion, Response, Role, VisitResponse
from mrecist.protocol import CriterionSetting
from mrecist.units import show

NOT_EVALUABLE, NEW_LESION, NON_TARGET = "not_evaluable", "new_lesion", "non_target"
BASELINE_SCAN, TARGET_SET, WHOLE_OR_VIABLE = "baseline_scan", "target_set", "whole_or_viable"
VISIT_SCAN, BOUNDARY, SUM = "visit_scan", "boundary", "sum"
MISSING_VISIT, EARLIER_VISIT, STATED = "missing_visit", "earlier_visit", "stated"
CONFIRMATION, DATE = "confirmation", "date"
# Every cause -> what it means; in the order in which the first that holds is named.
CAUSES = {
    NOT_EVALUABLE: "one reader could not evaluate what the other evaluated",
    NEW_LESION: "another answer to whether there is a new lesion",
    NON_TARGET: "another response of the non-target lesions",
    BASELINE_SCAN: "another baseline scan: its date, series, modality or phase",
    TARGET_SET: "other target lesions",
    WHOLE_OR_VIABLE: "one reader followed the whole lesion, the other its viable part",
    VISIT_SCAN: "another scan of the visit: its date, series, modality or phase",
    BOUNDARY: "the same lesions with other sizes",
    SUM: "the sums; no lesions were given, so targets and boundaries are not told apart",
    MISSING_VISIT: "one reader has no response at a visit that the other has",
    CONFIRMATION: "the same responses at every visit; the days between them decide",
    DATE: "the same response at the visit, which the readers date differently",
    EARLIER_VISIT: "the same findings at the visit; an earlier visit decides",
    STATED: "the table states a response that its sums do not give",
}
# Beside ``boundary`` or ``target_set`` where sizes alone do not tell; never the cause itself.
PERHAPS_WHOLE = "whole_or_viable?"
# Whole and viable are told apart where the one is this much of the longest diameter and the other is not.
_BY_VIABLE = ("mrecist", "easl", "qeasl")
_NEARLY_WHOLE, _PART = Decimal("0.95"), Decimal("0.8")
# Chosen on simulated reads, seeds 0 to 3 (docs/agreement.md).
_SMALL_PART, _GROWN = Decimal("0.5"), 1.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """``name`` is the first of ``CAUSES`` that decides; ``also`` everything else that differs.

    ``decides`` : giving one reader the other's finding of that part makes the responses alike; None where that cannot be said.
    ``explained_by`` : ``baseline``, ``follow_up``, ``either`` or ``both``: which sum has to be the other reader's; empty: not known.
    """

    name: str
    also: tuple[str, ...] = ()
    decides: bool | None = None
    explained_by: str = ""
    detail: str = ""


def cause_at(reads: Reads, one: Track, other: Track, timepoint: int, crossed: Crossed) -> Cause:
    """Why the responses of a visit differ. Both tracks have the visit."""
    setting = reads.settings[crossed.criterion]
    mine, theirs = one.visits[timepoint], other.visits[timepoint]
    parts = [name for name in ("target", "non_target", "new_lesion") if getattr(mine, name) != getattr(theirs, name)]
    if not parts:
        stated = any(STATED_IN_TABLE in visit.reason for visit in (mine, theirs))
        return Cause(name=STATED if stated else EARLIER_VISIT)
    deciding = _deciding(mine, theirs, parts, setting)
    found: dict[str, str] = {}
    for part in parts:
        if part == "new_lesion":
            found[NEW_LESION] = f"new lesion {mine.new_lesion} and {theirs.new_lesion}"
        elif Response.NE in (getattr(mine, part), getattr(theirs, part)):
            found[NOT_EVALUABLE] = f"{part.replace('_', '-')} {getattr(mine, part)} and {getattr(theirs, part)}"
        elif part == "non_target":
            found[NON_TARGET] = f"non-targets {mine.non_target} and {theirs.non_target}"
        else:
            found |= _of_targets(reads, one, other, timepoint, setting)
    names = [name for name in (*CAUSES, PERHAPS_WHOLE) if name in found]
    first = [name for name in names if deciding is None or _part_of(name, mine, theirs) & deciding] or names
    explained = _explained_by(one, other, timepoint, crossed) if "target" in parts else ""
    return Cause(
        name=first[0],
        also=tuple(name for name in names if name != first[0]),
        decides=None if deciding is None else bool(_part_of(first[0], mine, theirs) & deciding),
        explained_by=explained,
        detail="; ".join(words for name in names if (words := found[name])),
    )


def _part_of(cause: str, mine: VisitResponse, theirs: VisitResponse) -> set[str]:
    """The parts of the response that a cause stands for."""
    if cause == NOT_EVALUABLE:
        return {p for p in ("target", "non_target") if Response.NE in (getattr(mine, p), getattr(theirs, p))}
    return {cause} if cause in (NEW_LESION, NON_TARGET) else {"target"}


def _deciding(
    mine: VisitResponse, theirs: VisitResponse, parts: list[str], setting: CriterionSetting
) -> set[str] | None:
    """The parts each of which alone, taken from the other reader, makes the overall responses alike.

    None where the table of the overall response does not give what was recorded: iRECIST, and disease after CR.
    """
    if setting.criterion.confirms_progression:
        return None
    ours, others = _findings(mine), _findings(theirs)
    if _overall(ours, setting) is not mine.overall or _overall(others, setting) is not theirs.overall:
        return None
    return {
        part
        for part in parts
        if _overall({**ours, part: others[part]}, setting) is theirs.overall
        or _overall({**others, part: ours[part]}, setting) is mine.overall
    }


def _findings(visit: VisitResponse) -> dict[str, Response | NewLesion | None]:
    return {"target": visit.target, "non_target": visit.non_target, "new_lesion": visit.new_lesion}


def _overall(findings: dict[str, Response | NewLesion | None], setting: CriterionSetting) -> Response | None:
    target, non_target = findings["target"], findings["non_target"]
    if not isinstance(target, Response) or not isinstance(non_target, Response):
        return None
    found, _ = overall_response(
        setting.criterion.overall,
        setting.thresholds,
        target=target,
        non_target=non_target,
        new_lesion=findings["new_lesion"] is NewLesion.YES,
    )
    return found


def _explained_by(one: Track, other: Track, timepoint: int, crossed: Crossed) -> str:
    a, b = one.visits[timepoint], other.visits[timepoint]
    if (a.reader, b.reader) not in crossed.grid:
        return ""
    # The follow-up explains it where the other's on my baseline gives the other's response, or mine on the other's gives mine.
    mine_theirs = crossed.grid[a.reader, b.reader].get(timepoint)
    theirs_mine = crossed.grid[b.reader, a.reader].get(timepoint)
    follow_up = mine_theirs is b.overall or theirs_mine is a.overall
    baseline = theirs_mine is b.overall or mine_theirs is a.overall
    words = {(True, True): "either", (True, False): "baseline", (False, True): "follow_up", (False, False): "both"}
    return words[baseline, follow_up]


# --- what made the targets differ ------------------------------------------------------------------------------------


def _of_targets(reads: Reads, one: Track, other: Track, timepoint: int, setting: CriterionSetting) -> dict[str, str]:
    """Cause -> words, for everything that differs between the targets of two readers."""
    found: dict[str, str] = {}
    sets = target_sets(one, other, by_name=reads.shared_names)
    for name, at in ((BASELINE_SCAN, 0), (VISIT_SCAN, timepoint)):
        if words := _other_scan(one, other, at):
            found[name] = words
    if not sets.same:
        found[TARGET_SET] = f"targets {sets.words()}"
    if setting.criterion.name in _BY_VIABLE:
        found |= _whole_or_viable(one, other, sets, timepoint)
    if sets.same:
        found[SUM if reads.sums_only else BOUNDARY] = _sizes(one, other, sets, timepoint)
    return found


def _other_scan(one: Track, other: Track, timepoint: int) -> str:
    """What differs between the scans of a visit on which the targets were measured; empty where nothing is known to."""
    words = []
    for what, mine, theirs in _scans(one, other, timepoint):
        if mine and theirs and not mine & theirs:
            words.append(f"{what} {'+'.join(sorted(mine))} and {'+'.join(sorted(theirs))}")
    visit = "baseline" if timepoint == 0 else f"time point {timepoint}"
    return f"{visit} of another {', '.join(words)}" if words else ""


def _scans(one: Track, other: Track, timepoint: int) -> Iterator[tuple[str, set[str], set[str]]]:
    rows = [[r for r in track.rows if r.timepoint == timepoint and r.role is Role.TARGET] for track in (one, other)]
    for what in ("date", "modality", "phase"):
        mine, theirs = ({str(value) for row in mine if (value := getattr(row, what))} for mine in rows)
        yield what, mine, theirs
    series = [
        {p.series_uid for (t, _), p in track.places.items() if t == timepoint and p.series_uid}
        for track in (one, other)
    ]
    yield "series", series[0], series[1]


def _pairs_at(
    one: Track, other: Track, sets: TargetSets, timepoint: int
) -> Iterator[tuple[Match, Measurement | None, Measurement | None]]:
    rows = [{row.lesion: row for row in track.rows if row.timepoint == timepoint} for track in (one, other)]
    for match in sets.both:
        yield match, rows[0].get(match.one.lesion), rows[1].get(match.other.lesion)


def _whole_or_viable(one: Track, other: Track, sets: TargetSets, timepoint: int) -> dict[str, str]:
    """Lesions whose counted size is the whole one by one reader and clearly less by the other: by what is recorded, or as it may be."""
    found: dict[str, list[str]] = {}
    rows = [{(row.lesion, row.timepoint): row for row in track.rows} for track in (one, other)]
    for match in sets.both:
        mine, theirs = (
            {t: row for (lesion, t), row in of.items() if lesion == name}
            for of, name in zip(rows, (match.one.lesion, match.other.lesion), strict=True)
        )
        for at in sorted({0, timepoint} & mine.keys() & theirs.keys()):
            for whole, part in ((mine, theirs), (theirs, mine)):
                if name := _as_whole(whole, part, at):
                    found.setdefault(name, []).append(_two_sizes(match.one.lesion, whole[at], part[at]))
    return {name: ", ".join(words) for name, words in found.items()}


def _as_whole(whole: Mapping[int, Measurement], part: Mapping[int, Measurement], timepoint: int) -> str:
    """Whether a reader took the whole lesion where the other took a part, by their rows of the lesion at each visit.

    The row may say so. Else sizes alone do not tell it from a viable part that was drawn up to the rim: it may be where the reader took
    the whole at every follow-up with something left, and did not thereby make the lesion itself larger than the other reader has it;
    and it is where the other's part is too small to be drawn as large by mistake.
    """
    row, other = whole[timepoint], part[timepoint]
    if not (_is_whole(row) and _is_part(other) and _one_size(row, other)):
        return ""
    if row.basis is Basis.OVERALL or row.viable_mm is None:
        return WHOLE_OR_VIABLE
    left = [t for t, one in whole.items() if t > 0 and _counted(one)]
    if timepoint == 0 or not all(_is_whole(whole[t]) for t in left) or _grown(whole, part, left) > _GROWN:
        return ""
    small = (other.viable_mm or 0) <= _SMALL_PART * (other.longest_mm or 0)
    return WHOLE_OR_VIABLE if small else PERHAPS_WHOLE


def _grown(one: Mapping[int, Measurement], other: Mapping[int, Measurement], timepoints: list[int]) -> float:
    """How much more a lesion's longest diameter grew since baseline by one reader than by the other: the median ratio of visits."""
    ratios = {
        t: _longest(one, t) / _longest(other, t) for t in (0, *timepoints) if _longest(one, t) * _longest(other, t)
    }
    first = ratios.pop(0, 1.0)
    return median(ratios.values()) / first if ratios else 1.0


def _longest(rows: Mapping[int, Measurement], timepoint: int) -> float:
    return float(rows[timepoint].longest_mm or 0) if timepoint in rows else 0.0


def _two_sizes(lesion: str, whole: Measurement, part: Measurement) -> str:
    visit = "baseline" if whole.timepoint == 0 else f"time point {whole.timepoint}"
    return (
        f"{lesion} at {visit}: {whole.reader} {show(_counted(whole))} mm of {show(whole.longest_mm)} mm, "
        f"{part.reader} {show(part.viable_mm)} mm of {show(part.longest_mm)} mm"
    )


def _counted(row: Measurement) -> Decimal | None:
    return row.longest_mm if row.basis is Basis.OVERALL or row.viable_mm is None else row.viable_mm


def _is_whole(row: Measurement) -> bool:
    counted = _counted(row)
    return counted is not None and bool(row.longest_mm) and counted >= _NEARLY_WHOLE * (row.longest_mm or 0)


def _is_part(row: Measurement) -> bool:
    if row.viable_mm is None or row.basis is Basis.OVERALL or not row.longest_mm:
        return False
    return row.viable_mm <= _PART * row.longest_mm


def _one_size(a: Measurement, b: Measurement) -> bool:
    """Their longest diameters are those of one lesion by two readers."""
    sizes = sorted(float(row.longest_mm or 0) for row in (a, b))
    return sizes[0] > 0 and sizes[1] / sizes[0] <= SIZE_RATIO


def _sizes(one: Track, other: Track, sets: TargetSets, timepoint: int) -> str:
    words = []
    for match, mine, theirs in _pairs_at(one, other, sets, timepoint):
        sizes = [_size_in_words(row) for row in (mine, theirs)]
        before = [_size_in_words(row) for row in (match.one, match.other)]
        of_each = (
            f"{row.reader} {row.lesion} {first} to {last}"
            for row, first, last in zip((match.one, match.other), before, sizes, strict=True)
        )
        words.append(" and ".join(of_each))
    return ", ".join(words)


def _size_in_words(row: Measurement | None) -> str:
    if row is None:
        return "no row"
    sizes = [f"{show(row.longest_mm)} mm"] if row.longest_mm is not None else []
    sizes += [f"short {show(row.short_mm)} mm"] if row.kind is Kind.NODE and row.short_mm is not None else []
    sizes += [f"viable {show(row.viable_mm)} mm"] if row.viable_mm is not None else []
    return " ".join(sizes) or str(row.state)
