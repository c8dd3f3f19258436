"""The derivation of a subject's responses in words, from the tables that ``assess`` or ``score`` wrote."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mrecist.errors import InputError
from mrecist.response.flags import MEANING
from mrecist.tables import read_rows

Cells = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The rows of one subject, reader and criterion that tell the story."""

    subject: str
    reader: str
    criterion: str
    visits: tuple[Cells, ...]
    best: Cells | None


def explanations(
    folder: Path, subject: str, timepoint: int | None = None, criterion: str | None = None
) -> tuple[Explanation, ...]:
    """The explanations of a subject, one per reader and criterion.

    Raises :class:`InputError` when the folder holds no responses, or none of that subject, time point or criterion.
    """
    responses = _rows(folder / "responses.csv", ("subject", "reader", "criterion", "timepoint", "overall", "reason"))
    best = _rows(folder / "best_responses.csv", ("subject", "reader", "criterion", "best_unconfirmed", "reason"))
    _expect(subject, sorted({row["subject"] for row in responses}), "subject", folder)
    responses = [row for row in responses if row["subject"] == subject]
    if criterion is not None:
        _expect(criterion, sorted({row["criterion"] for row in responses}), "criterion", folder)
        responses = [row for row in responses if row["criterion"] == criterion]
    if timepoint is not None:
        _expect(str(timepoint), list(dict.fromkeys(row["timepoint"] for row in responses)), "time point", folder)
        responses = [row for row in responses if row["timepoint"] == str(timepoint)]
    keys = list(dict.fromkeys((row["reader"], row["criterion"]) for row in responses))
    return tuple(
        Explanation(
            subject=subject,
            reader=reader,
            criterion=name,
            visits=tuple(row for row in responses if (row["reader"], row["criterion"]) == (reader, name)),
            best=_best(best, subject, reader, name) if timepoint is None else None,
        )
        for reader, name in keys
    )


def _rows(path: Path, required: tuple[str, ...]) -> list[Cells]:
    return [cells for _, cells in read_rows(path, required)[1]]


def _best(rows: list[Cells], subject: str, reader: str, criterion: str) -> Cells | None:
    key = (subject, reader, criterion)
    return next((row for row in rows if (row["subject"], row["reader"], row["criterion"]) == key), None)


def _expect(wanted: str, known: list[str], word: str, folder: Path) -> None:
    if wanted not in known:
        some = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
        raise InputError(f"{folder}: no {word} '{wanted}' in responses.csv; there are: {some or 'none'}")


def in_words(explanation: Explanation, width: int = 100) -> str:
    """An explanation as text for a terminal."""
    return "\n".join(_lines(explanation, width))


def _lines(explanation: Explanation, width: int) -> Iterator[str]:
    title = f"{explanation.subject} · reader {explanation.reader} · {explanation.criterion}"
    yield title
    yield "=" * len(title)
    for row in explanation.visits:
        yield ""
        yield f"Time point {row['timepoint']}, {row['date']}: {row['overall'] or 'baseline'}"
        yield from _numbers(row)
        yield from _wrapped(row["reason"], width)
        yield from _flags(row.get("flags", ""), width)
    if explanation.best is not None:
        yield ""
        best = explanation.best
        yield f"Best response: {best['best_unconfirmed']} without, {best['best_confirmed']} with confirmation"
        for name in ("first_response_date", "confirmed_response_date", "progression_date", "last_assessment_date"):
            if best.get(name):
                yield f"  {name.replace('_', ' ')}: {best[name]}"
        yield from _wrapped(best["reason"], width)
        yield from _flags(best.get("flags", ""), width)


def _numbers(row: Cells) -> Iterator[str]:
    unit = row.get("unit", "")
    if not row.get("sum"):
        return
    line = f"  sum {row['sum']} {unit}"
    if row.get("pct_from_baseline"):
        line += f" | from baseline {row['baseline_sum']}: {_signed(row['pct_from_baseline'])} %"
    if row.get("abs_from_nadir"):
        percent = f"{_signed(row['pct_from_nadir'])} %, " if row.get("pct_from_nadir") else ""
        line += (
            f" | from nadir {row['nadir_sum']} (time point {row['nadir_timepoint']}): "
            f"{percent}{_signed(row['abs_from_nadir'])} {unit}"
        )
    yield line


def _signed(number: str) -> str:
    return number if number.startswith("-") or number == "0" else f"+{number}"


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width=width, initial_indent="  ", subsequent_indent="  ", break_long_words=False)


def _flags(flags: str, width: int) -> Iterator[str]:
    for flag in filter(None, flags.split(";")):
        yield from _wrapped(f"flag {flag}: {MEANING.get(flag.split(':')[0], 'unknown flag')}", width)
