"""The notation of the worked examples in docs/criteria: from a line of a table to measurement rows and back to words."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from mrecist import assess_subject
from mrecist.model import (
    Basis,
    Change,
    Cytology,
    Kind,
    LocalTherapy,
    Measurement,
    Pattern,
    Response,
    Role,
    State,
    SubjectDates,
    VisitResponse,
    YesNo,
)
from mrecist.protocol import FORMAT, Protocol, parse_protocol
from mrecist.response.best import Assessment, best_response
from mrecist.response.derive import best_of_visits, derive

DOCS = Path(__file__).parents[1] / "docs"
START = date(2024, 1, 1)
DAYS_BETWEEN_VISITS = 56
Row = dict[str, str]


# --- reading a page --------------------------------------------------------------------------------------------------


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """The text below the one second-level heading that contains ``heading``."""
    parts = re.split(r"^## (?=\S)", text, flags=re.MULTILINE)[1:]
    found = [part for part in parts if heading in part.partition("\n")[0]]
    assert len(found) == 1, f"{len(found)} headings with {heading}"
    return found[0]


def table(text: str, *columns: str) -> list[Row]:
    """The rows of the one table whose header begins with ``columns``."""
    tables = []
    for block in re.findall(r"(?:^\|.*\n)+", text + "\n", flags=re.MULTILINE):
        header, _rule, *rows = [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in block.splitlines()]
        if tuple(header[: len(columns)]) == columns:
            assert all(len(row) == len(header) for row in rows), f"a row of the table {header} has another width"
            tables.append([dict(zip(header, row, strict=True)) for row in rows])
    assert len(tables) == 1, f"{len(tables)} tables with {columns}"
    return tables[0]


def visits(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("->")] if cell else []


def protocol_with(option: str) -> Protocol:
    """The protocol that holds only the options of a cell (several separated by a semicolon)."""
    lines = "\n".join(part.strip().strip("`") for part in option.split(";"))
    return parse_protocol({"format": FORMAT, **tomllib.loads(lines)}, where="docs")


# --- rows of measurements --------------------------------------------------------------------------------------------


def blank(day: date, timepoint: int, lesion: str, role: Role, state: State) -> Measurement:
    return Measurement(subject="S", timepoint=timepoint, date=day, lesion=lesion, role=role, state=state)


_ORGANS = ("ascites", "liver", "lung", "porta-hepatis")


def stated(row: Measurement, word: str) -> Measurement:
    """What follows an ``@``: ``12`` (mm), ``n12`` (node, short axis), ``90HU``, or a word of one of the columns."""
    words: dict[str, dict[str, Any]] = {
        **{str(change): {"change": change} for change in Change},
        **{str(therapy): {"local_therapy": therapy} for therapy in LocalTherapy},
        **{str(cytology): {"cytology": cytology} for cytology in Cytology},
        **{organ: {"organ": organ.replace("-", " ")} for organ in _ORGANS},
        **{modality: {"modality": modality} for modality in ("CT", "MR")},
        "lipiodol": {"lipiodol": YesNo.YES},
        "dense": {"dense_percent": Decimal("5.9")},
        "overall": {"basis": Basis.OVERALL},
        "nodule": {"intratumoral_nodule": Change.INCREASE},
    }
    if re.fullmatch(r"[\d.]+", word):
        return replace(row, longest_mm=Decimal(word))
    if re.fullmatch(r"n[\d.]+", word):
        return replace(row, kind=Kind.NODE, short_mm=Decimal(word[1:]))
    if re.fullmatch(r"[\d.]+HU", word):
        return replace(row, mean_hu=Decimal(word.removesuffix("HU")))
    return replace(row, **words.get(word, {"phase": word.replace("-", " ")}))


def with_words(row: Measurement, text: str) -> Measurement:
    for word in filter(None, text.split("@")):
        row = stated(row, word)
    return row


def _area(one: str) -> tuple[Decimal, Decimal | None]:
    """``20x10``; ``20`` lacks the short diameter, ``0`` is nothing."""
    longest, _, short = one.partition("x")
    if Decimal(longest) == 0:
        return Decimal(0), Decimal(0)
    return Decimal(longest), Decimal(short) if short else None


def _conventional(row: Measurement, size: str) -> Measurement:
    return replace(row, longest_mm=Decimal(size)) if Decimal(size) else replace(row, state=State.ABSENT)


def _viable_diameter(row: Measurement, size: str) -> Measurement:
    """``18`` viable in a lesion 10 mm longer; ``18&9`` two viable foci."""
    if row.basis is Basis.OVERALL:
        return _conventional(row, size)
    foci = [Decimal(part) for part in size.split("&")]
    row = replace(row, longest_mm=max(foci) + 10, viable_mm=max(foci))
    return replace(row, viable_foci_mm=tuple(foci)) if len(foci) > 1 else row


def _viable_area(row: Measurement, size: str) -> Measurement:
    longest, short = _area(size)
    if row.basis is Basis.OVERALL:
        return replace(row, longest_mm=longest, short_mm=short)
    whole = replace(row, longest_mm=longest + 10, short_mm=None if short is None else short + 10)
    return replace(whole, viable_mm=longest, viable_short_mm=short)


def _viable_volume(row: Measurement, size: str) -> Measurement:
    volume = Decimal(size)
    return replace(row, volume_mm3=volume + 1000, viable_volume_mm3=volume)


def _volume(row: Measurement, size: str) -> Measurement:
    return replace(row, volume_mm3=Decimal(size)) if Decimal(size) else replace(row, state=State.ABSENT)


SIZED: dict[str, Callable[[Measurement, str], Measurement]] = {
    "recist11": _conventional,
    "irecist": _conventional,
    "choi": _conventional,
    "mrecist": _viable_diameter,
    "easl": _viable_area,
    "qeasl": _viable_volume,
    "vrecist": _volume,
    "recicl": _viable_area,
}


def targets(criterion: str, day: date, timepoint: int, cell: str) -> Iterator[Measurement]:
    """``30 + n12 + (18 + 9)``: the rows of the targets of one visit."""
    if cell == "-":
        return
    for number, word in enumerate(re.findall(r"\([^)]*\)|[^\s+]+", cell), start=1):
        lesion = f"T{number:02d}"
        if word.startswith("("):
            for letter, part in zip("abc", word.strip("()").split("+"), strict=False):
                row = target(criterion, day, timepoint, lesion + letter, part.strip())
                yield replace(row, part_of=lesion)
        elif word != "?" or timepoint == 0:
            yield target(criterion, day, timepoint, lesion, word)


def target(criterion: str, day: date, timepoint: int, lesion: str, word: str) -> Measurement:
    size, _, said = word.partition("@")
    row = with_words(blank(day, timepoint, lesion, Role.TARGET, State.MEASURED), said)
    states = {"?": State.NOT_EVALUABLE, "small": State.TOO_SMALL, "merged": State.MERGED, "gone": State.ABSENT}
    if size in states:
        return replace(row, state=states[size], part_of="T01" if size == "merged" else "")
    if size.startswith("n"):
        longest, short = _area(size[1:]) if "x" in size else (None, Decimal(size[1:]))
        return replace(row, kind=Kind.NODE, short_mm=short, longest_mm=longest)
    return SIZED[criterion](row, size)


def non_targets(day: date, timepoint: int, cell: str) -> Iterator[Measurement]:
    """``present + progressed@increase``; ``?`` has no row."""
    for number, word in enumerate(cell.split(" + "), start=1):
        state, _, said = word.strip().partition("@")
        if state not in ("?", "-"):
            yield with_words(blank(day, timepoint, f"NT{number:02d}", Role.NON_TARGET, State(state)), said)


def new_lesions(day: date, timepoint: int, cell: str) -> Iterator[Measurement]:
    """``equivocal``, ``unequivocal@12``, or ``typical 8``: an unequivocal liver nodule with pattern and size."""
    for number, word in enumerate(cell.split(" + "), start=1):
        state, _, said = word.strip().partition("@")
        first, _, size = state.partition(" ")
        if first == "-":
            continue
        pattern = Pattern(first) if size else None
        row = blank(day, timepoint, f"NEW{number:02d}", Role.NEW, State.UNEQUIVOCAL if size else State(first))
        if size:
            row = replace(row, pattern=pattern, organ="liver", longest_mm=Decimal(size))
        yield with_words(row, said)


# --- running an example ----------------------------------------------------------------------------------------------


def rows_of(row: Row) -> list[Measurement]:
    sums = visits(row["sums per visit"])
    given = visits(row.get("days", ""))
    days = [int(day) for day in given] if given else [n * DAYS_BETWEEN_VISITS for n in range(len(sums))]
    dates = [START + timedelta(days=day) for day in days]
    return [
        *(m for t, cell in enumerate(sums) for m in targets(row["criterion"], dates[t], t, cell)),
        *(m for t, cell in enumerate(visits(row.get("non-targets", ""))) for m in non_targets(dates[t], t, cell)),
        *(m for t, cell in enumerate(visits(row.get("new lesions", ""))) for m in new_lesions(dates[t], t, cell)),
    ]


def responses_of(row: Row) -> tuple[tuple[VisitResponse, ...], Protocol]:
    protocol = protocol_with(row.get("option", ""))
    return assess_subject(rows_of(row), protocol.setting(row["criterion"]), protocol.response), protocol


def example_faults(row: Row) -> list[str]:
    """What the engine gives other than the page says, for one row of a table of time points."""
    responses, protocol = responses_of(row)
    found = {
        "categories": " -> ".join(str(response.overall) for response in responses[1:]),
        "flags": " ".join(sorted({flag.split(":")[0] for response in responses for flag in response.flags})),
        "progression": _day_of(best_of_visits(responses, protocol.response).progression_date),
    }
    return [
        f"{name} {value}, the page has {row[name]}" for name, value in found.items() if row.get(name, value) != value
    ]


def table_faults(row: Row) -> list[str]:
    """What the tables would hold other than the page says: time points shown, best response and its flags."""
    rows = rows_of({**row, "criterion": "recist11"})
    protocol = protocol_with(row["option"])
    therapy = row["new anticancer therapy"]
    dates = SubjectDates(
        origins={} if protocol.origin.event else None,
        new_therapy=None if therapy == "no table" else {"S": date.fromisoformat(therapy)} if therapy else {},
    )
    derived = derive({("S", "R1"): rows}, protocol, (protocol.setting("recist11"),), dates)
    (best,) = derived.best
    found = {
        "time points shown": " ".join(str(response.timepoint) for response in derived.responses),
        "unconfirmed": best.best_unconfirmed.value,
        "progression": _day_of(best.progression_date),
        "flags": " ".join(flag.split(":")[0] for flag in best.flags),
    }
    return [f"{name} {value}, the page has {row[name]}" for name, value in found.items() if row[name] != value]


def _day_of(when: date | None) -> str:
    return "-" if when is None else str((when - START).days)


def best_faults(row: Row) -> list[str]:
    """What the engine gives other than the page says, for one row of the best responses."""
    assessments = []
    for entry in row["responses"].split(", "):
        day, response = entry.split(" ")
        assessments.append(Assessment(date=START + timedelta(days=int(day)), overall=Response(response)))
    best = best_response(
        assessments,
        start=START,
        rules=protocol_with(row["option"]).response,
        subject="S",
        reader="R1",
        criterion="recist11",
        until=START + timedelta(days=int(row["until"])) if row.get("until") else None,
    )
    found = {
        "unconfirmed": best.best_unconfirmed.value,
        "confirmed": best.best_confirmed.value,
        "first response": _day_of(best.first_response_date),
        "confirmed response": _day_of(best.confirmed_response_date),
        "progression": _day_of(best.progression_date),
    }
    return [f"{name} {value}, the page has {row[name]}" for name, value in found.items() if row[name] != value]
