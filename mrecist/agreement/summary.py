"""Which statistics a study gets: by criterion, variable, visit and subgroup. The rows of ``agreement.csv``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from mrecist.agreement import categorical as cat
from mrecist.agreement import continuous as con
from mrecist.agreement.about import About, group_named, subgroups
from mrecist.agreement.reads import Reads, Track, best_of
from mrecist.agreement.resampling import Array, Statistic, Whole
from mrecist.agreement.rows import Row
from mrecist.agreement.scales import QUESTIONS, answer, labels, place_of, span_in_use
from mrecist.agreement.variables import BEST_RESPONSE, VARIABLES, VISIT_RESPONSE, derivable, differ, value_of
from mrecist.agreement.weights import IDENTITY, NAMES, ORDINAL, weights
from mrecist.model import Response

SUM, CHANGE = "sum", "percent_change"
# Groups beside visits and subgroups: units that every reader rated, and subjects in whom no reader has a sum of 0.
COMPLETE, ABOVE_ZERO = "read by all", "no sum is 0"
_COHEN = "Cohen 1960, 1968; units that both rated"
_FLEISS = "Fleiss 1971; units that every reader rated"
_PAIRS = "units with two ratings or more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What is rated: a subject, or a visit of a subject (``timepoint``), with the category of each reader; None: not rated."""

    subject: str
    timepoint: int | None
    responses: tuple[Response | None, ...]


def agreement_rows(reads: Reads, groups: Mapping[str, Mapping[str, str]], tolerance_days: int) -> Iterator[Row]:
    """Every statistic of every criterion. ``groups`` maps a column of subjects.csv to subject -> value."""
    for criterion in reads.criteria:
        yield from _of_categories(reads, criterion, groups)
        yield from _of_differences(reads, criterion, groups, tolerance_days)
        yield from _of_sums(reads, criterion, groups)


# --- categories ------------------------------------------------------------------------------------------------------


def units_of(reads: Reads, criterion: str, variable: str) -> list[Unit]:
    """The units of ``best_response`` or ``visit_response``."""
    found = []
    for subject in reads.subjects:
        tracks = reads.of(subject, criterion)
        if variable == BEST_RESPONSE:
            best = [_best(tracks.get(reader), reads) for reader in reads.readers]
            found.append(Unit(subject=subject, timepoint=None, responses=tuple(best)))
            continue
        visits = {reader: track.follow_ups() for reader, track in tracks.items()}
        for timepoint in sorted({t for of_reader in visits.values() for t in of_reader}):
            seen = [visits.get(reader, {}).get(timepoint) for reader in reads.readers]
            responses = tuple(None if visit is None else visit.overall for visit in seen)
            found.append(Unit(subject=subject, timepoint=timepoint, responses=responses))
    return found


def _best(track: Track | None, reads: Reads) -> Response | None:
    return None if track is None else best_of(track, reads.protocol.response)


def _of_categories(reads: Reads, criterion: str, groups: Mapping[str, Mapping[str, str]]) -> Iterator[Row]:
    immune = reads.settings[criterion].criterion.confirms_progression
    for variable in derivable((BEST_RESPONSE, VISIT_RESPONSE), dated=reads.dated):
        units = units_of(reads, criterion, variable)
        for group, member in subgroups(reads, groups):
            mine = [unit for unit in units if member(unit.subject)]
            visits = sorted({unit.timepoint for unit in mine if unit.timepoint is not None})
            parts = {group: mine}
            if len(visits) > 1:
                parts |= {group_named(group, f"visit={t}"): [u for u in mine if u.timepoint == t] for t in visits}
            for name, part in parts.items():
                about = About(criterion=criterion, variable=variable, group=name)
                yield from _of_units(reads, about, part, units, immune)
                complete = [unit for unit in part if None not in unit.responses]
                if 0 < len(complete) < len(part) and len(reads.readers) > 2:
                    about = replace(about, group=group_named(name, COMPLETE))
                    yield from _of_units(reads, about, complete, units, immune)


def _of_units(reads: Reads, about: About, mine: list[Unit], every: list[Unit], immune: bool) -> Iterator[Row]:
    """The coefficients of some units, on the scale that all units of the variable use."""
    subject = np.array([reads.number[unit.subject] for unit in mine], dtype=np.int64)
    span = span_in_use(place_of(response) for unit in every for response in unit.responses)
    scale = "|".join(labels(span, immune))
    places = _ratings([[place_of(r) for r in unit.responses] for unit in mine], len(reads.readers), span.start)
    if len(span) > 1:
        yield from _coefficients(reads, about, places, len(span), subject, scale, NAMES if len(span) > 2 else NAMES[:1])
    for question in QUESTIONS:
        answers = [[answer(question, r) for r in unit.responses] for unit in mine]
        about_question = replace(about, variable=f"{about.variable}:{question}")
        ratings = _ratings(answers, len(reads.readers))
        yield from _coefficients(reads, about_question, ratings, 2, subject, f"{question} yes|no", NAMES[:1])
    off = sorted(
        {r for u in every for r in u.responses if r is not None and place_of(r) is None and r is not Response.MISSING}
    )
    if off:
        names = [*labels(span, immune), *map(str, off)]
        numbers = [[_place_or(r, span, off) for r in unit.responses] for unit in mine]
        ratings = _ratings(numbers, len(reads.readers))
        yield from _coefficients(reads, about, ratings, len(names), subject, "|".join(names), NAMES[:1])


def _place_or(response: Response | None, span: range, off: Sequence[Response]) -> int | None:
    place = place_of(response)
    if place is not None:
        return place - span.start
    return len(span) + off.index(response) if response in off else None


def _ratings(answers: Sequence[Sequence[int | None]], readers: int, first: int = 0) -> Whole:
    rows = [[-1 if one is None else one - first for one in unit] for unit in answers]
    return np.array(rows, dtype=np.int64).reshape(len(rows), readers)


def _coefficients(
    reads: Reads, about: About, ratings: Whole, categories: int, subject: Whole, scale: str, by: Sequence[str]
) -> Iterator[Row]:
    for name in by:
        matrix = weights(name, categories)
        more = {"form": scale, "weights": name}
        everybody = replace(about, readers=reads.readers)
        for a, b in combinations(range(len(reads.readers)), 2):
            pair = replace(about, readers=(reads.readers[a], reads.readers[b]))
            two = ratings[:, [a, b]]
            if name != ORDINAL:
                cohen = cat.cohen_kappa(two, categories, matrix, subject)
                yield Row(about=pair, statistic="cohen_kappa", of=cohen, method=_COHEN, **more)
            if len(reads.readers) > 2:
                yield _gwet(pair, two, categories, matrix, subject, more)
        fleiss = cat.fleiss_kappa(ratings, categories, matrix, subject)
        yield Row(about=everybody, statistic="fleiss_kappa", of=fleiss, method=_FLEISS, **more)
        yield _gwet(everybody, ratings, categories, matrix, subject, more)
        agreed = cat.percent_agreement(ratings, categories, matrix, subject)
        yield Row(about=everybody, statistic="pairs_agreement", of=agreed, method=_PAIRS, **more)


def _gwet(about: About, ratings: Whole, categories: int, matrix: Array, subject: Whole, more: dict[str, str]) -> Row:
    name = "gwet_ac1" if more["weights"] == IDENTITY else "gwet_ac2"
    found = cat.gwet_ac(ratings, categories, matrix, subject)
    return Row(about=about, statistic=name, of=found, method="Gwet 2008, 2014; units with one rating or more", **more)


# --- how often readers differ ----------------------------------------------------------------------------------------


def _of_differences(
    reads: Reads, criterion: str, groups: Mapping[str, Mapping[str, str]], tolerance_days: int
) -> Iterator[Row]:
    for group, member in subgroups(reads, groups):
        subjects = [subject for subject in reads.subjects if member(subject)]
        for variable in derivable(VARIABLES, dated=reads.dated):
            about = About(criterion=criterion, variable=variable, group=group)
            for readers in (*reads.pairs(), *([reads.readers] if len(reads.readers) > 2 else [])):
                units = list(_units_of_readers(reads, about, subjects, readers, tolerance_days))
                visits = sorted({timepoint for _, timepoint, *_ in units if timepoint is not None})
                parts = {group: units}
                if len(visits) > 1:
                    parts |= {group_named(group, f"visit={t}"): [u for u in units if u[1] == t] for t in visits}
                for name, part in parts.items():
                    named = replace(about, group=name, readers=readers)
                    yield _discordance(reads, named, part, tolerance_days)
                    complete = [unit for unit in part if unit[3]]
                    if 0 < len(complete) < len(part):
                        by_all = replace(named, group=group_named(name, COMPLETE))
                        yield _discordance(reads, by_all, complete, tolerance_days)


_Differs = tuple[str, int | None, bool, bool]
"""Subject, time point of a visit, whether any two readers differ, and whether all of them have it."""


def _units_of_readers(
    reads: Reads, about: About, subjects: Sequence[str], readers: Sequence[str], tolerance_days: int
) -> Iterator[_Differs]:
    """Units that two of the readers have, or more."""
    for subject in subjects:
        tracks = reads.of(subject, about.criterion)
        mine = [tracks[reader] for reader in readers if reader in tracks]
        if about.variable == VISIT_RESPONSE:
            visits = [track.follow_ups() for track in mine]
            for timepoint in sorted(set().union(*visits)):
                there = [one[timepoint].overall for one in visits if timepoint in one]
                if len(there) > 1:
                    yield subject, timepoint, len(set(there)) > 1, len(there) == len(readers)
        elif len(mine) > 1:
            values = [value_of(about.variable, track, reads.protocol.response) for track in mine]
            differs = any(differ(a, b, tolerance_days) for a, b in combinations(values, 2))
            yield subject, None, differs, len(mine) == len(readers)


def _discordance(reads: Reads, about: About, units: Sequence[_Differs], tolerance_days: int) -> Row:
    places = np.array([reads.number[subject] for subject, *_ in units], dtype=np.int64)
    return Row(
        about=about,
        statistic="discordance",
        of=cat.share_of(np.array([differs for _, _, differs, _ in units], dtype=np.bool_), places),
        form=f"tolerance {tolerance_days} days" if about.variable.endswith("_date") else "",
        method="share of units, read by two or more of the named readers, in which any two differ; NE is a category",
    )


# --- sums ------------------------------------------------------------------------------------------------------------


def _of_sums(reads: Reads, criterion: str, groups: Mapping[str, Mapping[str, str]]) -> Iterator[Row]:
    timepoints = sorted({t for (_, _, name), track in reads.tracks.items() if name == criterion for t in track.visits})
    for group, member in subgroups(reads, groups):
        subjects = [subject for subject in reads.subjects if member(subject)]
        above = [s for s in subjects if _all_above_zero(reads, criterion, s)]
        for timepoint in timepoints:
            sums = _sizes(reads, criterion, subjects, timepoint)
            named = group_named(group, f"visit={timepoint}")
            yield from _of_sizes(reads, About(criterion=criterion, variable=SUM, group=named), sums)
            if len(above) < len(subjects):
                # The same subjects at every visit: those whom no reader has without measured disease at any.
                only = _sizes(reads, criterion, above, timepoint)
                about = About(criterion=criterion, variable=SUM, group=group_named(named, ABOVE_ZERO))
                yield from _of_sizes(reads, about, only)
            if timepoint > 0:
                changes = _sizes(reads, criterion, subjects, timepoint, change=True)
                yield from _of_changes(reads, About(criterion=criterion, variable=CHANGE, group=named), changes)


def _all_above_zero(reads: Reads, criterion: str, subject: str) -> bool:
    tracks = reads.of(subject, criterion)
    sums = [visit.sum for track in tracks.values() for visit in track.visits.values()]
    return len(tracks) == len(reads.readers) and all(one is not None and one > 0 for one in sums)


def _sizes(reads: Reads, criterion: str, subjects: Sequence[str], timepoint: int, *, change: bool = False) -> Array:
    """(subjects, readers), nan where a reader has no complete sum; with ``change`` in % of the baseline sum."""
    found = np.full((len(subjects), len(reads.readers)), np.nan)
    for i, subject in enumerate(subjects):
        tracks = reads.of(subject, criterion)
        for j, reader in enumerate(reads.readers):
            visit = tracks[reader].visits.get(timepoint) if reader in tracks else None
            if visit is None or visit.sum is None:
                continue
            if not change:
                found[i, j] = float(visit.sum)
            elif visit.baseline_sum:
                found[i, j] = float(100 * (visit.sum - visit.baseline_sum) / visit.baseline_sum)
    return found


def _of_sizes(reads: Reads, about: About, sums: Array) -> Iterator[Row]:
    complete = sums[~np.isnan(sums).any(axis=1)]
    positive = complete[(complete > 0).all(axis=1)]
    unit = reads.settings[about.criterion].criterion.unit
    everybody = replace(about, readers=reads.readers)
    for scale, sizes in ((unit, complete), (f"log {unit}", np.log(positive))):
        yield from _icc(everybody, sizes, scale)
        yield from _spread(everybody, "between_reader_sd", con.spread(sizes), scale)
    yield from _spread(everybody, "within_subject_cv", con.relative_spread(positive), "")
    yield from _limits(reads, about, sums, unit)


def _of_changes(reads: Reads, about: About, changes: Array) -> Iterator[Row]:
    complete = changes[~np.isnan(changes).any(axis=1)]
    everybody = replace(about, readers=reads.readers)
    yield from _icc(everybody, complete, "% of baseline")
    yield from _spread(everybody, "between_reader_sd", con.spread(complete), "% of baseline")
    for a, b in combinations(range(len(reads.readers)), 2):
        two = changes[~np.isnan(changes[:, [a, b]]).any(axis=1)][:, [a, b]]
        pair = replace(about, readers=(reads.readers[a], reads.readers[b]))
        yield from _bland_altman(pair, two, "percentage points", percent=False)


def _icc(about: About, sizes: Array, scale: str) -> Iterator[Row]:
    for form, name in con.FORMS.items():
        method = f"Shrout and Fleiss 1979, {name} of McGraw and Wong 1996; k = {sizes.shape[1]}"
        yield Row(about=about, statistic="icc", of=con.icc(sizes, form), form=f"{form}, {scale}", method=method)


def _spread(about: About, statistic: str, values: Array, scale: str) -> Iterator[Row]:
    """The mean over subjects, and the root mean square, which is the within-subject standard deviation of an analysis of variance."""
    forms: dict[str, Callable[[Array], Statistic]] = {"mean": con.mean_of, "root mean square": con.root_mean_square_of}
    for form, of in forms.items():
        named = ", ".join(filter(None, [form, scale]))
        yield Row(
            about=about, statistic=statistic, of=of(values), form=named, method="subjects that every reader measured"
        )


def _limits(reads: Reads, about: About, sums: Array, unit: str) -> Iterator[Row]:
    for a, b in combinations(range(len(reads.readers)), 2):
        pair = replace(about, readers=(reads.readers[a], reads.readers[b]))
        two = sums[~np.isnan(sums[:, [a, b]]).any(axis=1)][:, [a, b]]
        yield from _bland_altman(pair, two, unit, percent=False)
        yield from _bland_altman(pair, two, "% of the mean", percent=True)


def _bland_altman(about: About, two: Array, scale: str, *, percent: bool) -> Iterator[Row]:
    for name, found in con.bland_altman(two[:, 0], two[:, 1], percent=percent).items():
        method = "first reader less second; limits bias +- 1.96 SD (Bland and Altman 1986)"
        yield Row(about=about, statistic=f"bland_altman_{name}", of=found, form=scale, method=method)
