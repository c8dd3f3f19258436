"""The cases that are adjudicated, with what each reader says of them side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from mrecist.agreement.report.numbers import NONE, Row, words
from mrecist.endpoints.report.table import Rows, those, values
from mrecist.report.look import percent

# More than this make a page that nobody reads; the file has all of them.
MOST = 200
_ANSWERS = ("best_response", "progression_date", "first_response_date")
_FACTS = {
    "date": "date",
    "baseline_sum": "baseline sum",
    "sum": "sum",
    "pct_from_baseline": "change from baseline",
    "target": "targets",
    "non_target": "non-targets",
    "new_lesion": "new lesion",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A reader's answers. ``visits`` are (time point, response); ``facts`` are of the visit behind the difference."""

    name: str
    read_by: str
    answers: tuple[str, ...]
    visits: tuple[tuple[str, str], ...]
    facts: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A subject by a criterion. ``behind`` is the visit behind the difference; ``why`` are sentences on its causes."""

    subject: str
    criterion: str
    differs: tuple[str, ...]
    behind: str
    questions: tuple[str, ...]
    facts: tuple[str, ...]
    readers: tuple[Reader, ...]
    why: tuple[str, ...]


def cases(adjudication: Rows, discordances: Rows, read_by: Mapping[tuple[str, str, str], str]) -> Iterator[Case]:
    """Every case of ``adjudication.csv``; ``read_by`` maps (subject, reader, criterion) to who read for a track."""
    for subject, criterion in values(adjudication, "subject", "criterion"):
        said = those(adjudication, subject=subject, criterion=criterion)
        found = those(discordances, subject=subject, criterion=criterion)
        differs = tuple(filter(None, said[0]["differs"].split(";")))
        listed = [row for row in found if row["variable"] in differs]
        behind = min((row["timepoint"] for row in listed if row["timepoint"]), key=int, default="")
        at_visit = [row for row in found if row["timepoint"] == behind] if behind else []
        asked = tuple(name for name in _ANSWERS if any(row[name] for row in said))
        facts = tuple(name for name in _FACTS if any(_fact(at_visit, row["reader"], name) for row in said))
        yield Case(
            subject=subject,
            criterion=criterion,
            differs=tuple(words(name) for name in differs),
            behind=behind,
            questions=tuple(words(name) for name in asked),
            facts=tuple(_FACTS[name] for name in facts),
            readers=tuple(
                Reader(
                    name=row["reader"],
                    read_by=read_by.get((subject, row["reader"], criterion), ""),
                    answers=tuple(row[name] or NONE for name in asked),
                    visits=tuple(_visits(row["visit_responses"])),
                    facts=tuple(_fact(at_visit, row["reader"], name) or NONE for name in facts),
                    reason=_reason(at_visit, row["reader"]) or row["reason"],
                )
                for row in said
            ),
            why=tuple(dict.fromkeys(_why(row) for row in listed)),
        )


def _visits(text: str) -> Iterator[tuple[str, str]]:
    for one in filter(None, text.split(";")):
        timepoint, _, response = one.partition(" ")
        yield timepoint, response


def _fact(rows: Sequence[Row], reader: str, name: str) -> str:
    """What a row of the visit says of a reader; every row of one visit says the same."""
    for row in rows:
        for side in ("1", "2"):
            if row[f"reader_{side}"] == reader and row[f"{name}_{side}"]:
                cell = row[f"{name}_{side}"]
                return percent(Decimal(cell)) if name == "pct_from_baseline" else cell
    return ""


def _reason(rows: Sequence[Row], reader: str) -> str:
    """The derivation of the visit: that of a difference in the visit's response, else the one with the most in it."""
    of_visit = [row for row in rows if row["variable"] == "visit_response"]
    return _fact(of_visit or rows, reader, "reason")


def _why(row: Row) -> str:
    parts = [f"{row['cause'].replace('_', ' ')}"]
    if row["decides"]:
        parts.append("it decides" if row["decides"] == "yes" else "it does not decide alone")
    if row["also"]:
        parts.append("also " + row["also"].replace("_", " ").replace(";", ", "))
    if row["explained_by"]:
        sums = {"either": "either sum explains it", "both": "both sums are needed"}
        parts.append(sums.get(row["explained_by"], f"the {row['explained_by'].replace('_', '-')} explains it"))
    told = f"{row['reader_1']} and {row['reader_2']}, {words(row['variable'])}: {'; '.join(parts)}"
    return f"{told}. {row['detail']}" if row["detail"] else told
