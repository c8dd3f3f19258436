"""A second reading of the papers against the engine, on random reads.

The oracle below is straight-line code over fractions, typed from Eisenhauer 2009 (4.3, 4.4, Tables 1 and 2) and, for mRECIST,
from Lencioni & Llovet 2010; it shares nothing with ``mrecist.criteria``. The readings where the papers are silent are the
defaults of the ambiguities A1, A4, A5, A7, A12, A15, A21 and A29.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mrecist.model import Kind, Measurement, Role, State, VisitResponse
from mrecist.protocol import CriterionSetting, ResponseRules, load_protocol
from mrecist.response.options import assess_subject

PROTOCOL = load_protocol()
RULES = PROTOCOL.response
BASELINE = date(2024, 1, 1)
ABSOLUTE = {"recist11": Fraction(5), "mrecist": Fraction(0)}
FINE = settings(max_examples=400, deadline=None)


# --- the oracle ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What the oracle says of one follow-up."""

    total: Fraction | None
    nadir: Fraction | None
    target: str
    non_target: str
    overall: str


def size_by_hand(row: Measurement | None, criterion: str) -> Fraction | None:
    """Millimetres that a target counts; None = not evaluated."""
    if row is None or row.state == "not-evaluable":
        return None
    if row.state == "absent":
        return Fraction(0)
    diameter = row.viable_mm if criterion == "mrecist" else row.longest_mm
    number = row.short_mm if row.kind == "node" else diameter
    if number is None:
        return Fraction(5) if row.state == "too-small" else None
    return Fraction(number)


def targets_by_hand(rows: list[Measurement], criterion: str) -> list[Measurement]:
    """Baseline rows of the targets in the sum; mRECIST leaves out what does not enhance at baseline (A12)."""
    targets = [r for r in rows if r.timepoint == 0 and r.role == "target"]
    if criterion == "recist11":
        return targets
    return [r for r in targets if r.kind == "node" or r.viable_mm is None or r.viable_mm > 0]


def moved_by_hand(rows: list[Measurement], criterion: str) -> list[Measurement]:
    """Targets of the read that mRECIST follows as non-targets, because they do not enhance at baseline (A12)."""
    kept = {r.lesion for r in targets_by_hand(rows, criterion)}
    return [r for r in rows if r.timepoint == 0 and r.role == "target" and r.lesion not in kept]


def enhances_by_hand(row: Measurement | None) -> str:
    """The state of a moved target, in the words of a non-target: it is there as far as it enhances."""
    if row is None or row.state == "not-evaluable":
        return "not-evaluable"
    if row.state == "absent" or row.viable_mm == 0:
        return "absent"
    if row.viable_mm is None and row.state == "measured":
        return "not-evaluable"
    return "present"


def counted_new_lesions(rows: list[Measurement], last: int) -> set[int]:
    """Visits at which new lesions count, told backwards in time: what is proven later was there before."""
    counted: set[int] = set()
    for lesion in {r.lesion for r in rows if r.role == "new"}:
        word_at: dict[int, str] = {r.timepoint: str(r.state) for r in rows if r.lesion == lesion}
        word = ""
        for visit in range(1, last + 1):
            word = word_at.get(visit, "" if word == "absent" else word)
            word_at[visit] = word
        proven = False
        for visit in range(last, 0, -1):
            if word_at[visit] == "unequivocal":
                proven = True
            elif word_at[visit] != "equivocal":
                proven = False
            if proven:
                counted.add(visit)
    return counted


def oracle(rows: list[Measurement], criterion: str) -> list[Answer]:  # noqa: C901
    """Every follow-up of a read, from the text of the papers."""
    last = max(r.timepoint for r in rows)
    at = {(r.timepoint, r.lesion): r for r in rows}
    targets = targets_by_hand(rows, criterion)
    moved = moved_by_hand(rows, criterion)
    others = [r.lesion for r in rows if r.timepoint == 0 and r.role == "non-target"]
    new_at = counted_new_lesions(rows, last)
    first = [size_by_hand(r, criterion) for r in targets]
    baseline = sum(s for s in first if s is not None) if first and None not in first else None
    smallest = baseline
    had_cr = False
    answers = []
    for visit in range(1, last + 1):
        sizes = [(r.kind, size_by_hand(at.get((visit, r.lesion)), criterion)) for r in targets]
        seen = sum((s for _, s in sizes if s is not None), Fraction(0))
        complete = all(s is not None for _, s in sizes)
        disease = any(s is not None and (s >= 10 if kind == "node" else s > 0) for kind, s in sizes)
        grown = smallest is not None and seen > smallest and seen - smallest >= ABSOLUTE[criterion]
        grown = grown and (smallest == 0 or seen / smallest >= Fraction(6, 5))
        if not targets:
            target = "NA"
        elif disease and (had_cr or grown):
            target = "PD"
        elif not complete:
            target = "NE"
        elif not disease:
            target = "CR"
        elif baseline is None:
            target = "NE"
        elif seen / baseline <= Fraction(7, 10):
            target = "PR"
        else:
            target = "SD"

        states = [str(at[visit, lesion].state) if (visit, lesion) in at else "not-evaluable" for lesion in others]
        states += [enhances_by_hand(at.get((visit, r.lesion))) for r in moved]
        if not states:
            non_target = "NA"
        elif "progressed" in states:
            non_target = "PD"
        elif "not-evaluable" in states:
            non_target = "NE"
        elif "present" in states:
            non_target = "NON-CR/NON-PD"
        else:
            non_target = "CR"

        if visit in new_at or target == "PD" or non_target == "PD":
            overall = "PD"
        elif target == "CR":
            overall = "CR" if non_target in ("CR", "NA") else "PR"
        elif target == "NA":
            overall = non_target
        else:
            overall = target
        # Table 3, note: any disease seen after CR is PD; what was not evaluated is not seen.
        if had_cr and (target in ("PR", "SD") or "present" in states):
            overall = "PD"
        if not targets and any(r.role == "target" for r in rows):
            overall = "NA"
        total = seen if complete and targets else None
        answers.append(Answer(total, smallest if targets else None, target, non_target, overall))
        had_cr = had_cr or overall == "CR"
        if total is not None and (smallest is None or total < smallest):
            smallest = total
    return answers


def engine(rows: list[Measurement], criterion: str, **thresholds: Any) -> list[VisitResponse]:
    setting = PROTOCOL.setting(criterion)
    setting = replace(setting, thresholds=replace(setting.thresholds, **thresholds))
    return list(assess_subject(rows, setting, RULES))[1:]


def as_answer(response: VisitResponse) -> Answer:
    return Answer(
        None if response.sum is None else Fraction(response.sum),
        None if response.nadir is None else Fraction(response.nadir.sum),
        str(response.target),
        str(response.non_target),
        str(response.overall),
    )


# --- random reads ----------------------------------------------------------------------------------------------------

EDGES = (
    "0.1",
    "3",
    "4.9",
    "5",
    "7",
    "8.4",
    "9.8",
    "9.9",
    "10",
    "10.1",
    "11",
    "12",
    "14",
    "20",
    "24.9",
    "25",
    "29.4",
    "30",
)
sizes = st.one_of(st.sampled_from(EDGES).map(Decimal), st.integers(1, 600).map(lambda tenths: Decimal(tenths) / 10))
RARELY_MISSING = ("measured",) * 6 + ("absent", "absent", "too-small", "not-evaluable", "no row")


def row(lesion: str, visit: int, role: Role, state: State, **cells: Any) -> Measurement:
    day = BASELINE + timedelta(days=56 * visit)
    return Measurement(subject="S", timepoint=visit, date=day, lesion=lesion, role=role, state=state, **cells)


@st.composite
def target_rows(draw: st.DrawFn, lesion: str, visits: int, states: tuple[str, ...], nodes: bool) -> list[Measurement]:
    kind = draw(st.sampled_from((Kind.LESION, Kind.LESION, Kind.NODE))) if nodes else Kind.LESION
    whole, found = draw(sizes), []
    for visit in range(visits + 1):
        state = draw(st.sampled_from(states)) if visit else "measured"
        if visit == 0 and "not-evaluable" in states and draw(st.integers(0, 9)) == 0:
            state = "not-evaluable"
        # Often a cut-off of the first size, so that the limits themselves are met.
        factor = draw(st.sampled_from(("0", "0.69", "0.7", "0.71", "1", "1.19", "1.2", "1.21")))
        size = draw(sizes) if factor == "0" else whole * Decimal(factor)
        if state == "no row":
            continue
        cells: dict[str, Any] = {"kind": kind}
        if state == "measured" or (state == "too-small" and draw(st.booleans())):
            if kind is Kind.NODE:
                cells["short_mm"] = size
            else:
                cells["longest_mm"] = size
                part = draw(st.sampled_from(("1", "1", "0.5", "0", "none"))) if states is RARELY_MISSING else "1"
                cells["viable_mm"] = None if part == "none" else size * Decimal(part)
        found.append(row(lesion, visit, Role.TARGET, State(state), **cells))
    return found


@st.composite
def reads(draw: st.DrawFn) -> list[Measurement]:
    """A read with up to four targets, two non-targets and two new lesions over one to four follow-ups."""
    visits, targets, others = draw(st.integers(1, 4)), draw(st.integers(0, 4)), draw(st.integers(0, 2))
    assume(targets or others)
    rows: list[Measurement] = []
    for number in range(targets):
        rows += draw(target_rows(f"T{number}", visits, RARELY_MISSING, nodes=True))
    for number in range(others):
        rows.append(row(f"NT{number}", 0, Role.NON_TARGET, State.PRESENT))
        for visit in range(1, visits + 1):
            word = draw(
                st.sampled_from(("present", "present", "absent", "absent", "not-evaluable", "progressed", "no row"))
            )
            if word != "no row":
                rows.append(row(f"NT{number}", visit, Role.NON_TARGET, State(word)))
    for number in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
        for visit in range(1, visits + 1):
            word = draw(st.sampled_from(("no row", "no row", "equivocal", "equivocal", "unequivocal", "absent")))
            if word != "no row":
                rows.append(row(f"NEW{number}", visit, Role.NEW, State(word)))
    # A visit at which nothing was recorded at all is no visit of the read.
    assume({r.timepoint for r in rows} == set(range(visits + 1)))
    return rows


@st.composite
def measured_reads(draw: st.DrawFn, nodes: bool = True) -> list[Measurement]:
    """Targets only, every one measured or gone at every visit, viable = whole."""
    visits, rows = draw(st.integers(1, 3)), []
    for number in range(draw(st.integers(1, 3))):
        rows += draw(target_rows(f"T{number}", visits, ("measured", "measured", "measured", "absent"), nodes))
    return rows


criteria = st.sampled_from(("recist11", "mrecist"))


# --- comparisons and properties --------------------------------------------------------------------------------------


@settings(FINE, max_examples=1000)
@given(reads(), criteria)
def test_the_engine_agrees_with_the_oracle(rows: list[Measurement], criterion: str) -> None:
    assert [as_answer(r) for r in engine(rows, criterion)] == oracle(rows, criterion)


@FINE
@given(reads(), criteria, st.randoms(use_true_random=False))
def test_the_order_of_rows_never_matters(rows: list[Measurement], criterion: str, random: Random) -> None:
    mixed = random.sample(rows, len(rows))
    for before, after in zip(engine(rows, criterion), engine(mixed, criterion), strict=True):
        assert as_answer(before) == as_answer(after)
        assert before.new_lesion == after.new_lesion
        assert {f.partition(":")[0] for f in before.flags} == {f.partition(":")[0] for f in after.flags}


@FINE
@given(reads(), criteria)
def test_the_names_of_lesions_never_matter(rows: list[Measurement], criterion: str) -> None:
    renamed = [replace(r, lesion=r.lesion[::-1]) for r in rows]
    assert [as_answer(r) for r in engine(rows, criterion)] == [as_answer(r) for r in engine(renamed, criterion)]


RANK = ("CR", "PR", "SD", "PD")


@FINE
@given(measured_reads(), criteria, sizes, st.integers(0, 99))
def test_growth_at_the_last_visit_never_improves(
    rows: list[Measurement], criterion: str, more: Decimal, which: int
) -> None:
    last = max(r.timepoint for r in rows)
    row_of_last = [r for r in rows if r.timepoint == last]
    grown = row_of_last[which % len(row_of_last)]
    larger = {
        name: (getattr(grown, name) or Decimal(0)) + more
        for name in (("short_mm",) if grown.kind is Kind.NODE else ("longest_mm", "viable_mm"))
    }
    after = [replace(r, state=State.MEASURED, **larger) if r is grown else r for r in rows]
    before_rank = RANK.index(str(engine(rows, criterion)[-1].target))
    assert RANK.index(str(engine(after, criterion)[-1].target)) >= before_rank


@FINE
@given(measured_reads(nodes=False), criteria, st.sampled_from(("0.1", "0.25", "0.5", "2", "10")).map(Decimal))
def test_only_the_absolute_clause_knows_millimetres(rows: list[Measurement], criterion: str, scale: Decimal) -> None:
    def scaled(value: Decimal | None) -> Decimal | None:
        return None if value is None else value * scale

    other = [replace(r, longest_mm=scaled(r.longest_mm), viable_mm=scaled(r.viable_mm)) for r in rows]
    for absolute in (Decimal(0), Decimal(5)):
        before = engine(rows, criterion, pd_absolute_mm=absolute)
        after = engine(other, criterion, pd_absolute_mm=absolute * scale)
        assert [(r.target, r.overall) for r in before] == [(r.target, r.overall) for r in after]


@FINE
@given(measured_reads(), criteria, st.integers(0, 99))
def test_unknown_never_beats_known(rows: list[Measurement], criterion: str, which: int) -> None:
    """A target that was not evaluated gives NE, or PD where the read with its size is PD too."""
    last = max(r.timepoint for r in rows)
    of_last = [r for r in rows if r.timepoint == last]
    lost = of_last[which % len(of_last)]
    bare = replace(lost, state=State.NOT_EVALUABLE, longest_mm=None, short_mm=None, viable_mm=None)
    without = [bare if r is lost else r for r in rows]
    known, unknown = engine(rows, criterion)[-1], engine(without, criterion)[-1]
    assert unknown.target in ("NE", "PD")
    assert unknown.target == "NE" or known.target == "PD"


@FINE
@given(reads(), criteria)
def test_a_setting_without_effect_changes_nothing(rows: list[Measurement], criterion: str) -> None:
    """Best-response settings other than cr_then_worse never touch a time point."""
    setting: CriterionSetting = PROTOCOL.setting(criterion)
    other = ResponseRules(sd_min_days=0, cut=(), confirm_min_days=0, confirm_max_ne_between=9)
    assert assess_subject(rows, setting, RULES) == assess_subject(rows, setting, other)


def in_another_quantity(row: Measurement, criterion: str) -> Measurement:
    """The same read with areas or volumes that are the same numbers as the diameters were."""
    if row.kind is Kind.NODE:
        amount = {"longest_mm": Decimal(1)} if criterion == "easl" else {"volume_mm3": row.short_mm}
        return replace(row, **(amount if row.short_mm is not None else {}))
    if criterion == "vrecist":
        return replace(row, volume_mm3=row.longest_mm)
    if criterion == "qeasl":
        return replace(row, viable_volume_mm3=row.viable_mm)
    return replace(row, viable_short_mm=None if row.viable_mm is None else Decimal(1))


def default_size_is_used(row: Measurement) -> bool:
    """Too small to measure and without a number: 5 mm, 25 mm2 or no volume, so the criteria differ."""
    numbers = (row.short_mm,) if row.kind is Kind.NODE else (row.longest_mm, row.viable_mm)
    return row.state is State.TOO_SMALL and None in numbers


@settings(FINE, max_examples=300)
@given(reads(), st.sampled_from(("easl", "qeasl", "vrecist")))
def test_areas_and_volumes_follow_the_rules_of_diameters(rows: list[Measurement], criterion: str) -> None:
    """On the same numbers and with the same cut-offs, only the name of the quantity differs."""
    assume(not any(default_size_is_used(r) for r in rows))
    diameters = "recist11" if criterion == "vrecist" else "mrecist"
    cut_offs = PROTOCOL.setting(criterion).thresholds
    same = {name: getattr(cut_offs, name) for name in ("pr_percent", "pd_percent", "pd_absolute_mm")}
    expected = [as_answer(response) for response in engine(rows, diameters, **same)]
    assert [as_answer(r) for r in engine([in_another_quantity(r, criterion) for r in rows], criterion)] == expected
