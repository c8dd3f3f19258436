"""The cases that are adjudicated, with what each reader says of them side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from mrecist.agreement.report.numbers import NONE, Row, words
from mrecist.endpoints.report.table import Rows
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
    """A reader by name, or a track with who read for it. ``visits`` are (time point, response)."""

    name: str
    read_by: str
    visits: tuple[tuple[str, str], ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Said:
    """What every reader says of one thing, in the order of the readers."""

    of: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether they do not all say the same."""
        return len(set(self.values)) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A subject by a criterion. ``answers`` are of the whole read, ``facts`` of the visit behind the difference.

    ``why`` are sentences on the causes.
    """

    subject: str
    criterion: str
    differs: tuple[str, ...]
    behind: str
    readers: tuple[Reader, ...]
    answers: tuple[Said, ...]
    facts: tuple[Said, ...]
    why: tuple[str, ...]


def cases(adjudication: Rows, discordances: Rows, read_by: Mapping[tuple[str, str, str], str]) -> Iterator[Case]:
    """Every case of ``adjudication.csv``; ``read_by`` maps (subject, reader, criterion) to who read for a track."""
    differences: dict[tuple[str, str], list[Row]] = {}
    for row in discordances:
        differences.setdefault((row["subject"], row["criterion"]), []).append(row)
    listed: dict[tuple[str, str], list[Row]] = {}
    for row in adjudication:
        listed.setdefault((row["subject"], row["criterion"]), []).append(row)
    for key, said in listed.items():
        yield _case(said, differences.get(key, []), read_by)


def _case(said: Sequence[Row], found: Sequence[Row], read_by: Mapping[tuple[str, str, str], str]) -> Case:
    differs = tuple(filter(None, said[0]["differs"].split(";")))
    listed = [row for row in found if row["variable"] in differs]
    behind = min((row["timepoint"] for row in listed if row["timepoint"]), key=int, default="")
    at_visit = [row for row in found if row["timepoint"] == behind] if behind else []
    answers = [Said(words(name), tuple(row[name] or NONE for row in said)) for name in _ANSWERS]
    facts = [
        Said(title, tuple(_fact(at_visit, row["reader"], name) or NONE for row in said))
        for name, title in _FACTS.items()
    ]
    subject, criterion = said[0]["subject"], said[0]["criterion"]
    return Case(
        subject=subject,
        criterion=criterion,
        differs=tuple(words(name) for name in differs),
        behind=behind,
        readers=tuple(
            Reader(
                name=row["reader"],
                read_by=read_by.get((subject, row["reader"], criterion), ""),
                visits=tuple(_visits(row["visit_responses"])),
                reason=_reason(at_visit, row["reader"]) or row["reason"],
            )
            for row in said
        ),
        answers=tuple(one for one in answers if set(one.values) != {NONE}),
        facts=tuple(one for one in facts if set(one.values) != {NONE}),
        why=tuple(_whys(listed)),
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


def _whys(rows: Sequence[Row]) -> Iterator[str]:
    """Why two readers differ, in a sentence for all variables that have the same visit and cause behind them."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        pair = f"{row['reader_1']} and {row['reader_2']}"
        visit = f", time point {row['timepoint']}" if row["timepoint"] else ""
        variables = found.setdefault((pair, f"{visit}: {_why(row)}"), [])
        if words(row["variable"]) not in variables:
            variables.append(words(row["variable"]))
    for (pair, why), variables in found.items():
        yield f"{pair}, {' and '.join(variables)}{why}"


def _why(row: Row) -> str:
    parts = [f"{row['cause'].replace('_', ' ')}"]
    if row["decides"]:
        parts.append("it decides" if row["decides"] == "yes" else "it does not decide alone")
    if row["also"]:
        parts.append("also " + row["also"].replace("_", " ").replace(";", ", "))
    if row["explained_by"]:
        sums = {
            "either": "with the other's baseline sum or with the other's follow-up it is the other's class",
            "both": "only both sums of the other give the other's class",
        }
        one = f"with the other's {row['explained_by'].replace('_', '-')} it is the other's class"
        parts.append(sums.get(row["explained_by"], one))
    told = "; ".join(parts)
    return f"{told}. {row['detail']}" if row["detail"] else told
