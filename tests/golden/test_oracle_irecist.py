"""A second reading of iRECIST against the engine, on random reads.

Straight-line code over fractions, typed from Seymour 2017 (Table 2, new target lesions, reset), the RECIST Working Group FAQ
(additive growth, scenarios B and F) and, for sums and nadirs, Eisenhauer 2009. It shares nothing with ``mrecist.response``. Where
the papers are silent it takes the defaults of A7, A23, A24 and A25.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from mrecist.model import Change, Kind, Measurement, Role, State
from mrecist.protocol import load_protocol
from mrecist.response.options import assess_subject

SETTING = load_protocol().setting("irecist")
RULES = load_protocol().response
BASELINE = date(2024, 1, 1)
BETTER = {"SD": 1, "PR": 2, "CR": 3}
IMMUNE = {"CR": "iCR", "PR": "iPR", "SD": "iSD", "NON": "NON-iCR/NON-iUPD", "NE": "NE"}


# --- the oracle ------------------------------------------------------------------------------------------------------


@dataclass
class Story:
    """What is known of a patient so far."""

    baseline: Fraction
    nadir: Fraction
    had_cr: bool = False
    # New lesions ever seen, those that became part of the disease by a reset, and the smallest sum of these.
    seen: set[str] = field(default_factory=set)
    accepted: set[str] = field(default_factory=set)
    accepted_low: Fraction | None = None
    # The unconfirmed progression: None, or where it was seen and what to compare with.
    where: set[str] | None = None
    progressed: set[str] = field(default_factory=set)
    target_before: str = ""
    sums: list[Fraction] = field(default_factory=list)
    new_sums: list[Fraction] = field(default_factory=list)


def measured_new_lesions(rows: list[Measurement]) -> set[str]:
    """At most five, two an organ, from 10 mm on (a node from 15 mm on) at first sight; the largest of a visit first."""
    chosen: list[Measurement] = []
    first: dict[str, Measurement] = {}
    for row in sorted(rows, key=lambda r: r.timepoint):
        if row.role == "new" and row.state == "unequivocal":
            first.setdefault(row.lesion, row)
    # All new lesions of these reads lie in the liver, or are nodes: two organs.
    for row in sorted(first.values(), key=lambda r: (r.timepoint, -(r.longest_mm or r.short_mm or 0), r.lesion)):
        size, limit = (row.short_mm, 15) if row.kind == "node" else (row.longest_mm, 10)
        if size is not None and size >= limit and sum(c.kind == row.kind for c in chosen) < 2:
            chosen.append(row)
    return {row.lesion for row in chosen}


def target_of(here: dict[str, Measurement], targets: list[str], story: Story) -> tuple[str, Fraction, bool]:
    """Response of the targets by RECIST 1.1, the sum of what was evaluated, and whether that is all."""
    rows = [here.get(name) for name in targets]
    sizes = [None if r is None or r.state == "not-evaluable" else Fraction(r.longest_mm or 0) for r in rows]
    known = sum((s for s in sizes if s is not None), Fraction(0))
    complete = None not in sizes
    # From a sum of 0 any rise meets the relative part (A4).
    grown = known > story.nadir and known - story.nadir >= 5 and known * 5 >= story.nadir * 6
    if known > 0 and (story.had_cr or grown):
        return "PD", known, complete
    if not complete:
        return "NE", known, complete
    if known == 0:
        return "CR", known, complete
    return ("PR" if known * 10 <= story.baseline * 7 else "SD"), known, complete


def non_target_of(here: dict[str, Measurement], names: list[str]) -> str:
    states = {str(here[name].state) for name in names}
    if not states:
        return "NA"
    if "progressed" in states:
        return "PD"
    return "NON" if "present" in states else "CR"


def without_progression(target: str, non_target: str, *, new_left: bool) -> str:
    """Rows 1 to 4 of Table 2; a new lesion that is part of the disease is no complete response."""
    if target == "CR":
        return "iPR" if non_target == "NON" or new_left else "iCR"
    return IMMUNE[target]


def increased(here: dict[str, Measurement], names: set[str]) -> bool:
    return any(name in here and here[name].change == "increase" for name in names)


def rise_of(value: Fraction | None, sums: list[Fraction]) -> Fraction:
    """Growth against the last visit or the start of the block, whichever is more (A24)."""
    if value is None or not sums:
        return Fraction(0)
    return max(value - sums[-1], value - sums[0])


def oracle(rows: list[Measurement]) -> list[str]:  # noqa: C901
    """The overall responses up to the first iCPD."""
    last = max(r.timepoint for r in rows)
    at = [{r.lesion: r for r in rows if r.timepoint == visit} for visit in range(last + 1)]
    targets = [r.lesion for r in at[0].values() if r.role == "target"]
    others = [r.lesion for r in at[0].values() if r.role == "non-target"]
    measured = measured_new_lesions(rows)
    total = sum((Fraction(at[0][name].longest_mm or 0) for name in targets), Fraction(0))
    story = Story(total, total)
    answers: list[str] = []
    for visit in range(1, last + 1):
        here = at[visit]
        target, known, complete = target_of(here, targets, story)
        non_target = non_target_of(here, others)
        new = {r.lesion for r in here.values() if r.role == "new" and r.state == "unequivocal"}
        new_sum = sum((Fraction(here[n].longest_mm or here[n].short_mm or 0) for n in new & measured), Fraction(0))
        appeared = new - story.seen
        small = new - measured - appeared
        here_sees = {"targets"} if target == "PD" else set()
        if non_target == "PD" or (story.had_cr and non_target == "NON"):
            here_sees.add("non-targets")
        if new - story.accepted:
            here_sees.add("new")
        progressed = {name for name in others if here[name].state == "progressed"}

        if story.where is None:
            low = story.accepted_low
            # FAQ: after a reset new lesions progress as targets do.
            if low is not None and new_sum > low and new_sum - low >= 5 and new_sum * 5 >= low * 6:
                here_sees.add("new")
            if increased(here, small & story.accepted):
                here_sees.add("new")
            if here_sees:
                answer = "iUPD"
                story.where, story.progressed = here_sees, progressed
                story.sums, story.new_sums = [known] if complete else [], [new_sum]
                story.target_before = target
            else:
                answer = without_progression(target, non_target, new_left=bool(new))
                story.accepted &= new
                if story.accepted_low is not None:
                    story.accepted_low = min(story.accepted_low, new_sum)
        else:
            confirmed = bool(appeared)
            if "targets" in here_sees:
                confirmed |= "targets" not in story.where or rise_of(known, story.sums) >= 5
            if "non-targets" in story.where:
                confirmed |= increased(here, set(others)) or bool(progressed - story.progressed)
            else:
                confirmed |= "non-targets" in here_sees
            if "new" in story.where:
                confirmed |= rise_of(new_sum, story.new_sums) >= 5 or increased(here, small)
            responds = here_sees == {"new"} and BETTER.get(target, 0) >= 2
            if confirmed:
                # These reads have no scan earlier than 4 weeks after another.
                answer = "iCPD"
            elif (not here_sees and target != "NE") or (
                responds and BETTER[target] > BETTER.get(story.target_before, 0)
            ):
                answer = without_progression(target, non_target, new_left=bool(new))
                story.where, story.accepted, story.accepted_low = None, set(new), new_sum
            else:
                answer = "iUPD" if here_sees else "NE"
            if story.where is not None:
                story.where |= here_sees
                story.progressed |= progressed
                story.target_before = story.target_before if target == "NE" else target
                story.sums += [known] if complete else []
                story.new_sums += [new_sum]
        answers.append(answer)
        if answer == "iCPD":
            break
        story.seen |= new
        story.had_cr = story.had_cr or answer == "iCR"
        if complete:
            story.nadir = min(story.nadir, known)
    return answers


# --- random reads ----------------------------------------------------------------------------------------------------

# Sizes around the cut-offs of a target of 50 mm: -30 %, +20 %, and steps of 5 mm from there.
SIZES = ("35", "35.1", "50", "52", "54.9", "55", "59.9", "60", "61", "64.9", "65", "66", "70")
# Progression of a lone target, and the steps that confirm it or just do not.
GROWING = ("60", "61", "64", "64.9", "65", "66")
NEW_SIZES = ("8", "9.9", "10", "12", "14.9", "15", "17", "19.9", "20", "30", "34.9", "35", "36")


def row(lesion: str, visit: int, day: date, role: Role, state: State, **cells: Any) -> Measurement:
    return Measurement(subject="S", timepoint=visit, date=day, lesion=lesion, role=role, state=state, **cells)


def cells_of_new(draw: st.DrawFn, kind: Kind) -> dict[str, Any]:
    # A new node counts from 10 mm on; smaller ones are another matter.
    size = Decimal(draw(st.sampled_from(NEW_SIZES[2:] if kind is Kind.NODE else NEW_SIZES)))
    cells: dict[str, Any] = {"short_mm" if kind is Kind.NODE else "longest_mm": size}
    # A change is always stated, so that no size of an unmeasured lesion stands in for it.
    cells["change"] = Change(draw(st.sampled_from(("none", "none", "none", "increase", "decrease"))))
    return cells | {"kind": kind, "organ": "" if kind is Kind.NODE else "liver"}


@st.composite
def reads(draw: st.DrawFn) -> list[Measurement]:
    """One or two targets, up to two non-targets and three new lesions over two to five follow-ups, 4 to 9 weeks apart."""
    days = [BASELINE]
    for _ in range(draw(st.integers(2, 5))):
        days.append(days[-1] + timedelta(days=draw(st.sampled_from((28, 42, 56, 63)))))
    rows: list[Measurement] = []
    growing = draw(st.booleans())
    for number in range(1 if growing else draw(st.integers(1, 2))):
        rows.append(row(f"T{number}", 0, days[0], Role.TARGET, State.MEASURED, longest_mm=Decimal(50)))
        for visit, day in enumerate(days[1:], 1):
            states = ("measured",) * 7 + ("not-evaluable",) + (() if growing else ("absent", "absent"))
            state = State(draw(st.sampled_from(states)))
            sizes = st.sampled_from(GROWING if growing else SIZES)
            size = {"longest_mm": Decimal(draw(sizes))} if state is State.MEASURED else {}
            rows.append(row(f"T{number}", visit, day, Role.TARGET, state, **size))
    for number in range(draw(st.integers(0, 2))):
        rows.append(row(f"NT{number}", 0, days[0], Role.NON_TARGET, State.PRESENT))
        for visit, day in enumerate(days[1:], 1):
            state = State(draw(st.sampled_from(("present", "present", "absent", "progressed", "progressed"))))
            changes = ("none",) if state is State.ABSENT else ("none", "none", "increase", "decrease")
            change = Change(draw(st.sampled_from(changes)))
            rows.append(row(f"NT{number}", visit, day, Role.NON_TARGET, state, change=change))
    for number in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from((Kind.LESION, Kind.LESION, Kind.NODE)))
        begins = draw(st.integers(1, len(days) - 1))
        ends = draw(st.integers(begins + 1, len(days) + 2))
        for visit, day in enumerate(days):
            if begins <= visit < ends:
                rows.append(row(f"NEW{number}", visit, day, Role.NEW, State.UNEQUIVOCAL, **cells_of_new(draw, kind)))
            elif visit >= ends:
                rows.append(row(f"NEW{number}", visit, day, Role.NEW, State.ABSENT, kind=kind))
    return rows


def in_short(rows: list[Measurement]) -> str:
    """A read on one line per lesion."""
    lines = [", ".join(sorted({str(r.date) for r in rows}))]
    for lesion in sorted({r.lesion for r in rows}):
        mine = sorted((r for r in rows if r.lesion == lesion), key=lambda r: r.timepoint)
        lines.append(
            f"{lesion}: " + " | ".join(f"{r.state} {r.longest_mm or r.short_mm or ''} {r.change or ''}" for r in mine)
        )
    return "\n".join(lines)


@settings(max_examples=700, deadline=None)
@given(reads())
def test_the_engine_agrees_with_the_oracle_of_irecist(rows: list[Measurement]) -> None:
    expected = oracle(rows)
    for answer in set(expected):
        event(answer)
    found = [str(response.overall) for response in assess_subject(rows, SETTING, RULES)[1:]]
    assert found[: len(expected)] == expected, in_short(rows)
