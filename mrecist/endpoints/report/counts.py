"""Rows of counts.csv, safety.csv and eligibility.csv as tables of the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mrecist.endpoints.counts import CHANGES, DISPOSITION, EVENTS, FLAGS, OUTCOMES, SCREENED
from mrecist.endpoints.printing import event_name
from mrecist.endpoints.report.table import Cell, Line, Rows, Table, arm_name, line, those, values
from mrecist.endpoints.safety import ADVERSE_EVENTS, COMPLICATIONS

_SOURCE = "counts.csv"
_LONGEST = 200
"""More rows than this of one table are left to its CSV file."""


def _number(row: Mapping[str, str] | None) -> str:
    if row is None:
        return "–"
    return f"{row['subjects']} ({row['percent']} %)" if row["percent"] else row["subjects"]


def _by_arm(rows: Rows, arms: list[str]) -> list[str]:
    found = {row["arm"]: row for row in rows}
    return [_number(found.get(arm)) for arm in arms]


def disposition(rows: Rows) -> Table:
    """How many of each arm reached what."""
    own = those(rows, table=DISPOSITION)
    arms = [arm for (arm,) in values(own, "arm")]
    return Table(
        caption="Disposition: subjects by arm",
        head=("", *(arm_name(arm) for arm in arms)),
        lines=tuple(line(status, *_by_arm(those(own, status=status), arms)) for (status,) in values(own, "status")),
        source=_SOURCE,
        notes=(
            "Up to the data cut-off. Treated: with a first dose or procedure. Assessed: by any reader after baseline; evaluated: "
            "with a response other than NE. Ongoing: no death, withdrawal or loss is recorded. A milestone that nobody has a date "
            "for has no row.",
        ),
    )


def endings(rows: Rows, caption: str) -> Table | None:
    """Why the times of an endpoint ended, by arm."""
    own = those(rows, table=EVENTS)
    arms = [arm for (arm,) in values(own, "arm")]
    lines: list[Line] = []
    for (status,) in values(own, "status"):
        lines.append(Line(group={"event": "Events", "competing": "Competing events"}.get(status, "Censored")))
        for reason, cnsr in values(those(own, status=status), "reason", "cnsr"):
            one = those(own, status=status, reason=reason, cnsr=cnsr)
            lines.append(line(event_name(reason), cnsr, *_by_arm(one, arms)))
    head = ("Reason", "CNSR", *(arm_name(arm) for arm in arms))
    return Table(caption=caption, head=head, lines=tuple(lines), source=_SOURCE) if own else None


def outcomes(rows: Rows, caption: str) -> Table | None:
    """The responses, or successes, that a share is made of, by arm and month."""
    own = [row for row in rows if row["table"] in (OUTCOMES, CHANGES)]
    arms = [arm for (arm,) in values(own, "arm")]
    lines: list[Line] = []
    for (month,) in values(own, "months"):
        if month:
            lines.append(Line(group=f"Month {month}"))
        at = those(own, months=month)
        for status, reason in values(at, "status", "reason"):
            one = those(at, status=status, reason=reason)
            lines.append(line(status, reason, *_by_arm(one, arms)))
    told = any(row["reason"] for row in own)
    head = ("", *(("Response",) if told else ()), *(arm_name(arm) for arm in arms))
    if not told:
        lines = [one if one.group else Line((one.cells[0], *one.cells[2:])) for one in lines]
    notes = ("Percent are of the subjects who are counted.",)
    return Table(caption=caption, head=head, lines=tuple(lines), source=_SOURCE, notes=notes) if own else None


def flags(rows: Rows, meaning: Mapping[str, str]) -> Table | None:
    """The flags of times, with their meaning."""
    own = those(rows, table=FLAGS)
    arms = [arm for (arm,) in values(own, "arm")]
    lines = [
        line(flag, endpoint + (f", reader {reader}" if reader else ""), *_by_arm(one, arms), meaning.get(flag, ""))
        for flag, endpoint, reader in values(own, "status", "endpoint", "reader")
        for one in (those(own, status=flag, endpoint=endpoint, reader=reader),)
    ]
    head = ("Flag", "Endpoint", *(arm_name(arm) for arm in arms), "Meaning")
    return Table(caption="Flags of times", head=head, lines=tuple(lines), source="events.csv") if own else None


# --- safety ----------------------------------------------------------------------------------------------------------

_GRADES = {"any": "any", ">=3": "≥ 3", "5": "5", ">=IIIa": "≥ IIIa"}


def safety(rows: Rows) -> Iterator[Table]:
    """All adverse events, the related ones, and complications of procedures; grades beside each other for each arm."""
    events = those(rows, table=ADVERSE_EVENTS)
    if events:
        yield _grades(those(events, relation="all"), "Adverse events: subjects by worst grade")
        yield _grades(those(events, relation="related"), "Related adverse events: subjects by worst grade")
    complications = those(rows, table=COMPLICATIONS)
    if complications:
        yield _complications(complications)


def _grades(rows: Rows, caption: str) -> Table:
    arms = values(rows, "arm", "n")
    grades = [grade for (grade,) in values(rows, "grade")]
    found = {(row["level"], row["soc"], row["term"], row["arm"], row["grade"]): row for row in rows}
    lines: list[Line] = []
    for level, soc, term in values(rows, "level", "soc", "term"):
        of_any = [found[level, soc, term, arm, "any"] for arm, _ in arms]
        if level != "any" and all(row["subjects"] == row["unknown"] == "0" for row in of_any):
            continue  # no related event of this term
        cells = [_share(found[level, soc, term, arm, grade]) for arm, _ in arms for grade in grades]
        name = {"any": "Any adverse event", "soc": soc}.get(level, term)
        lines.append(line(Cell(name, soc if level == "term" else ""), *cells))
    return Table(
        caption=f"{caption} (population: {rows[0]['population']})",
        head=("Event", *(_GRADES.get(grade, grade) for _ in arms for grade in grades)),
        over=(("", 1), *((f"{arm_name(arm)}, n = {n}", len(grades)) for arm, n in arms)),
        lines=tuple(lines),
        source="safety.csv",
        notes=_unknown(rows),
    )


def _share(row: Mapping[str, str]) -> Cell:
    if row["unknown"] != "0" and row["n"] != "0":
        return Cell(row["subjects"], f"{row['percent_least']} to {row['percent_most']} %, {row['unknown']} unknown")
    return Cell(row["subjects"], f"{row['percent']} %" if row["percent"] and row["subjects"] != "0" else "")


def _unknown(rows: Rows) -> tuple[str, ...]:
    told = "A subject counts once a term, by the worst grade."
    if any(row["unknown"] != "0" for row in rows):
        told += " Unknown: the answer hangs on what is not recorded; percent are then from none to all of them."
    return (told,)


def _complications(rows: Rows) -> Table:
    arms = values(rows, "arm", "n")
    lines: list[Line] = []
    for level, grade in values(rows, "level", "grade"):
        found = {row["arm"]: row for row in those(rows, level=level, grade=grade)}
        name = _GRADES.get(grade, grade) + ("" if level == "at_least" else " as the worst")
        lines.append(line(name, *(_share(found[arm]) for arm, _ in arms)))
    return Table(
        caption=f"Complications (Clavien-Dindo) of {rows[0]['term']}",
        head=("Grade", *(f"{arm_name(arm)}, n = {n}" for arm, n in arms)),
        lines=tuple(lines),
        source="safety.csv",
        notes=_unknown(rows),
    )


# --- eligibility and problems ----------------------------------------------------------------------------------------


def eligibility(rows: Rows, count_rows: Rows) -> Iterator[Table]:
    """How many are eligible, and who is not, or not known to be, and why."""
    own = those(count_rows, table=SCREENED)
    arms = [arm for (arm,) in values(own, "arm")]
    lines = [
        line(
            status + (f", reader {reader}" if reader else ""), *_by_arm(those(own, status=status, reader=reader), arms)
        )
        for status, reader in values(own, "status", "reader")
    ]
    head = ("", *(arm_name(arm) for arm in arms))
    yield Table(caption="Eligibility: subjects by arm", head=head, lines=tuple(lines), source=_SOURCE)
    odd = [row for row in rows if row["eligible"] != "yes"]
    words = {"no": "not eligible", "": "not known"}
    if odd:
        yield Table(
            caption="Subjects who are not eligible, or not known to be",
            head=("Subject", "Arm", "Reader", "Eligible", "Reason"),
            lines=tuple(
                line(row["subject"], row["arm"], row["reader"], words[row["eligible"]], row["reason"])
                for row in odd[:_LONGEST]
            ),
            source="eligibility.csv",
            notes=more_than(len(odd)),
        )


def more_than(count: int) -> tuple[str, ...]:
    """What is said where a list is too long for the page."""
    return (f"The first {_LONGEST} of {count}; all are in the file.",) if count > _LONGEST else ()


def problems(rows: Rows) -> Table | None:
    """Who was left out, and why."""
    lines = [line(row["subject"] or "–", row["reader"] or "–", row["message"]) for row in rows[:_LONGEST]]
    return (
        Table(
            caption="Problems",
            head=("Subject", "Reader", "What"),
            lines=tuple(lines),
            source="problems.csv",
            notes=more_than(len(rows)),
        )
        if rows
        else None
    )
