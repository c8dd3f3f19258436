"""A plain table of sums: one row a subject, reader, criterion and time point (docs/agreement.md).

Categories follow from the sums by the engine, each sum taken as one target; a category that the table states stands, and a difference
from the engine's is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from mrecist.agreement.reads import STATED_IN_TABLE, Reads
from mrecist.agreement.sources import tracks_of
from mrecist.dates import parse_date
from mrecist.errors import InputError
from mrecist.model import BestResponse, Measurement, Response, Role, State, VisitResponse
from mrecist.protocol import CriterionSetting, Protocol
from mrecist.response.derive import derive
from mrecist.tables import read_rows
from mrecist.tables.files import not_empty
from mrecist.tables.tidy import Cell, read_tidy
from mrecist.units import parse_size

REQUIRED = ("subject", "reader", "timepoint", "sum")
LESION = "SUM"
WHOLE, VIABLE = ("recist11", "irecist"), ("mrecist",)
# A table without dates: visits so far apart that no rule on the days between them is met by chance. Nothing that is a date is told.
_FIRST, _APART = date(2000, 1, 1), timedelta(days=90)
_WORDS = {response.casefold(): response for response in Response}


@dataclass(frozen=True, slots=True, kw_only=True)
class SumRow:
    """One row; ``category`` is the response that the table states."""

    subject: str
    reader: str
    timepoint: int
    sum: Decimal
    criterion: str = ""
    date: date | None = None
    category: Response | None = None


def is_table_of_sums(path: Path) -> bool:
    """Whether a table has the columns of sums and not those of measurements."""
    header, _ = read_rows(path, ("subject",))
    return "sum" in header and "lesion" not in header


def reads_of_sums(path: Path, protocol: Protocol, criteria: list[str]) -> Reads:
    """Read the table. Raises :class:`InputError` when it cannot be used; a row that cannot be read is a problem of its subject."""
    settings = protocol.select(criteria)
    table = read_tidy(path, SumRow, _COLUMNS, REQUIRED)
    if not table.rows and not table.problems:
        raise InputError(f"{path}: has a header and no rows; nothing to compare")
    by_default = settings[0].name if len(settings) == 1 else ""
    rows = _placed(path, [replace(row, criterion=row.criterion or by_default) for row in table.rows])
    used = tuple(setting for setting in settings if any(row.criterion == setting.name for row in rows))
    unknown = sorted({row.criterion for row in rows} - {setting.name for setting in settings})
    if unknown and not criteria:
        raise InputError(
            f"{path}: criterion is '{unknown[0]}', and the protocol has {', '.join(s.name for s in settings)}; "
            f"name the criterion in its column or with --criterion"
        )
    dated = all(row.date is not None for row in rows)
    responses: list[VisitResponse] = []
    best: list[BestResponse] = []
    problems = list(table.problems)
    reads: dict[str, dict[tuple[str, str], list[Measurement]]] = {}
    for setting in used:
        reads[setting.name] = _reads(rows, setting, protocol, dated)
        derived = derive(reads[setting.name], protocol, (setting,))
        responses += derived.responses
        best += derived.best if dated else ()
        problems += derived.problems
    stated = {(r.subject, r.reader, r.criterion, r.timepoint): r.category for r in rows if r.category is not None}
    told = [_as_stated(one, stated) for one in responses]
    tracks = {}
    for name, of_criterion in reads.items():
        mine = [one for one in told if one.criterion == name]
        tracks.update(tracks_of(mine, [one for one in best if one.criterion == name], of_criterion, {}))
    return Reads(
        tracks=dict(sorted(tracks.items())),
        protocol=protocol,
        settings={setting.name: setting for setting in used},
        dated=dated,
        sums_only=True,
        shared_names=True,
        problems=tuple(problems),
        notes=(*table.notes, *_differences(responses, stated), *([] if dated else [_UNDATED.format(path=path.name)])),
    )


_UNDATED = "{path}: has no date in every row; best response and everything that is a date is not compared"


def _placed(path: Path, rows: list[SumRow]) -> list[SumRow]:
    seen: set[tuple[str, str, str, int]] = set()
    for row in rows:
        key = (row.subject, row.reader, row.criterion, row.timepoint)
        if key in seen:
            where = f"subject {row.subject}, reader {row.reader}, time point {row.timepoint}"
            raise InputError(f"{path}: {where} has two sums by '{row.criterion}'; keep one")
        seen.add(key)
    return rows


def _reads(
    rows: list[SumRow], setting: CriterionSetting, protocol: Protocol, dated: bool
) -> dict[tuple[str, str], list[Measurement]]:
    """(subject, reader) -> rows with one target. By mRECIST its whole size is the sum by RECIST 1.1, where the table has it."""
    standard = setting.criterion.name
    if standard not in (*WHOLE, *VIABLE) or (standard == "irecist" and not dated):
        why = (
            "needs the dates of the visits" if standard == "irecist" else "is not derived from sums of diameters alone"
        )
        raise InputError(f"agree: {setting.name} {why}; give measurements, or another --criterion")
    names = dict.fromkeys(row.criterion for row in rows)
    whole_name = next((name for name in names if protocol.setting(name).criterion.name in WHOLE), "")
    whole = {(r.subject, r.reader, r.timepoint): r.sum for r in rows if whole_name and r.criterion == whole_name}
    found: dict[tuple[str, str], list[Measurement]] = {}
    for row in rows:
        if row.criterion == setting.name:
            size = row.sum if standard in WHOLE else whole.get((row.subject, row.reader, row.timepoint))
            made = _measurement(row, size, row.sum if standard in VIABLE else None)
            found.setdefault((row.subject, row.reader), []).append(made)
    return dict(sorted(found.items()))


def _measurement(row: SumRow, whole: Decimal | None, viable: Decimal | None) -> Measurement:
    if whole is not None and viable is not None and whole < viable:
        whole = None  # sums of other lesions, so not the whole of these
    gone = not (whole or viable)
    return Measurement(
        subject=row.subject,
        reader=row.reader,
        timepoint=row.timepoint,
        date=row.date or _FIRST + row.timepoint * _APART,
        lesion=LESION,
        role=Role.TARGET,
        state=State.ABSENT if gone else State.MEASURED,
        longest_mm=None if gone else whole,
        viable_mm=None if gone else viable,
    )


_Stated = Mapping[tuple[str, str, str, int], Response]


def _as_stated(one: VisitResponse, stated: _Stated) -> VisitResponse:
    category = stated.get((one.subject, one.reader, one.criterion, one.timepoint))
    if category is None or one.timepoint == 0 or category is one.overall:
        return one
    return replace(one, overall=category, reason=f"{category}: {STATED_IN_TABLE}; its sums give {one.reason}")


def _differences(responses: list[VisitResponse], stated: _Stated) -> Iterator[str]:
    for one in responses:
        category = stated.get((one.subject, one.reader, one.criterion, one.timepoint))
        if category is not None and one.timepoint > 0 and category is not one.overall:
            where = f"subject {one.subject}, reader {one.reader}, {one.criterion}, time point {one.timepoint}"
            yield f"{where}: the table states {category} and its sums give {one.overall}; {category} is compared"


def _timepoint(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"timepoint is '{text}'; it is a whole number, 0 = baseline")
    return int(text)


def _category(text: str) -> Response:
    if text.casefold() not in _WORDS:
        raise ValueError(f"'{text}' is no response; use one of: {', '.join(_WORDS.values())}")
    return _WORDS[text.casefold()]


_COLUMNS: dict[str, Cell] = {
    "subject": str,
    "reader": lambda text: not_empty("reader", text),
    "timepoint": _timepoint,
    "sum": parse_size,
    "criterion": str,
    "date": parse_date,
    "category": _category,
}
COLUMNS = tuple(_COLUMNS)
