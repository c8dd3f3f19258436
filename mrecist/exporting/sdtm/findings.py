"""TR: what was measured or seen of each lesion at each visit, and what was not done with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mrecist.datasets.model import Value
from mrecist.exporting.sdtm.places import method_of
from mrecist.exporting.sdtm.qualifiers import Record
from mrecist.exporting.sdtm.reads import ACCEPTED, OF_VIABLE_PART, Read
from mrecist.exporting.sdtm.tumours import ROLES
from mrecist.model import Kind, Measurement, Role, State
from mrecist.sdtm.codelists import NOT_ASSESSABLE, NOT_RECORDED, REASONS, TR_TESTS, TR_TESTS_OF_OURS
from mrecist.sdtm.terms import MERGED, NOT_DONE, TOO_SMALL
from mrecist.units import product, show

TESTS = {**TR_TESTS, **TR_TESTS_OF_OURS}
MILLIMETRES, MILLILITRES, HOUNSFIELD = "mm", "mL", "Hounsfield Unit"
# Size column -> test, unit. CDISC has no mm3 among its units: volumes are in mL, the decimal point moved by three places.
SIZES = {
    "longest_mm": ("LDIAM", MILLIMETRES),
    "short_mm": ("LPERP", MILLIMETRES),
    "viable_mm": ("VDIAM", MILLIMETRES),
    "viable_short_mm": ("VLPERP", MILLIMETRES),
    "volume_mm3": ("VOLUME", MILLILITRES),
    "viable_volume_mm3": ("VVOLUME", MILLILITRES),
    "mean_hu": ("RADIODEN", HOUNSFIELD),
}
_PER_MM3 = Decimal("0.001")
_LINES = {"longest_mm": "longest", "short_mm": "short", "viable_mm": "viable", "viable_short_mm": "viable_short"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One test of a lesion: a number with its unit, a word, or nothing and why."""

    test: str
    original: str = ""
    standard: str = ""
    number: Decimal | None = None
    unit: str = ""
    reason: str = ""
    column: str = ""

    def values(self) -> dict[str, Value]:
        """The variables of TR that it fills."""
        done = not self.reason
        return {
            "TRTESTCD": self.test,
            "TRTEST": TESTS[self.test],
            "TRORRES": self.original,
            "TRORRESU": self.unit if done else "",
            "TRSTRESC": self.standard or self.original,
            "TRSTRESN": self.number,
            "TRSTRESU": self.unit if done else "",
            "TRSTAT": "" if done else NOT_DONE,
            "TRREASND": self.reason,
        }


def size_result(column: str, value: Decimal) -> Result:
    """A size that was measured."""
    test, unit = SIZES[column]
    shown = product(value, _PER_MM3) if unit == MILLILITRES else value
    return Result(test=test, original=show(shown), number=shown, unit=unit, column=column)


def measured(read: Read, timepoint: int) -> Iterator[Record]:
    """The records of TR for the lesions at a time point of a read, in order of link identifiers."""
    rows = sorted(read.rows[timepoint], key=lambda row: read.link(row.lesion))
    for row in rows:
        yield from _records(read, row, _results(read, row))
    for row in read.missing(timepoint) if timepoint else ():
        for result in _not_recorded(read, row):
            common = read.common("TR", read.day(timepoint), timepoint)
            yield Record(values={**common, **_whose(read, row, timepoint), **result.values()}, qualifiers={})


def _whose(read: Read, row: Measurement, timepoint: int) -> dict[str, Value]:
    return {
        "TRGRPID": ROLES[row.role],
        "TRSPID": row.lesion,
        "TRLNKID": read.link(row.lesion),
        "TRLNKGRP": read.group(timepoint),
    }


def _records(read: Read, row: Measurement, results: Iterable[Result]) -> Iterator[Record]:
    drawn = read.results.drawings.get((row.subject, row.reader, row.timepoint, row.lesion), {})
    of_row = _facts(row)
    for result in results:
        line: Mapping[str, Any] = drawn.get(_LINES.get(result.column, "")) or {}
        by_hand = result.column in row.manual
        values = {
            **read.common("TR", row.date, row.timepoint),
            **_whose(read, row, row.timepoint),
            **result.values(),
            # The image of a mask does not show a size that the reader set by hand.
            "TRREFID": "" if by_hand else str(line.get("sop_instance_uid") or ""),
            "TRMETHOD": method_of(row) if not result.reason else "",
            "TRLOBXFL": read.flag(row, seen=not result.reason),
            "TRACPTFL": "Y" if read.accepts(row) else "",
        }
        of_result = {
            "TRSERUID": str(drawn.get("series_uid") or "") if result.column and not by_hand else "",
            "TRSEGUID": read.segmented.get((row.timepoint, row.lesion), "") if result.column and not by_hand else "",
            "TRPHASE": row.phase.upper() if not result.reason else "",
            "TRMANUAL": "Y" if by_hand else "",
            "TRREASNE": _own_reason(row) if result.reason else "",
            "TRVFOCI": ";".join(show(one) for one in row.viable_foci_mm) if result.column == "viable_mm" else "",
            **of_row,
        }
        yield Record(values=values, qualifiers={name: text for name, text in of_result.items() if text})
        of_row = {}  # said once, on the first record of the lesion at the visit


def _facts(row: Measurement) -> dict[str, str]:
    """What a row says of a lesion that no test says."""
    return {
        "TRPATTRN": (row.pattern or "").upper(),
        "TRCHANGE": (row.change or "").upper(),
        "TRINTNOD": (row.intratumoral_nodule or "").upper(),
        "TRCYTOL": (row.cytology or "").upper(),
        "TRLOCTRT": (row.local_therapy or "").upper() if row.timepoint else "",
        "TRLIPIOD": {"yes": "Y", "no": "N"}.get(row.lipiodol or "", ""),
        "TRLIRADS": (row.lirads_tr or "").upper(),
        "TRLIRVER": (row.lirads_version or "").upper(),
        "TRCOMNT": _comment(row) if row.state is not State.NOT_EVALUABLE else "",
    }


def _comment(row: Measurement) -> str:
    parts = [part.strip() for part in row.comment.split(";")]
    return "; ".join(part for part in parts if part and part.casefold() != ACCEPTED)


def _reason(row: Measurement) -> str:
    said = _comment(row).upper()
    return said if said in REASONS else NOT_ASSESSABLE


def _own_reason(row: Measurement) -> str:
    said = _comment(row)
    return said if row.state is State.NOT_EVALUABLE and said.upper() not in REASONS else ""


# --- the results of a row --------------------------------------------------------------------------------------------


def _results(read: Read, row: Measurement) -> Iterator[Result]:
    if row.role is Role.TARGET:
        yield from _target(read, row)
        return
    word = _STATES[row.role, row.state]
    if row.kind is Kind.NODE:
        word = _OF_NODES.get(word, word)
    said = "UNEQUIVOCAL PROGRESSION" if row.state is State.PROGRESSED else word
    test = _state_test(row)
    yield Result(test=test, original=said, standard=word) if word else Result(test=test, reason=_reason(row))
    if row.state is not State.NOT_EVALUABLE:
        yield from _sizes(row)


# What TRPROPRS has for the state of a non-target or new lesion; "" where it was not evaluated.
_STATES = {
    (Role.NON_TARGET, State.PRESENT): "PRESENT",
    (Role.NON_TARGET, State.ABSENT): "ABSENT",
    (Role.NON_TARGET, State.PROGRESSED): "UNEQUIVOCAL",
    (Role.NON_TARGET, State.NOT_EVALUABLE): "",
    (Role.NEW, State.UNEQUIVOCAL): "UNEQUIVOCAL",
    (Role.NEW, State.EQUIVOCAL): "EQUIVOCAL",
    (Role.NEW, State.ABSENT): "ABSENT",
}
_OF_NODES = {"PRESENT": "PATHOLOGICAL", "ABSENT": "NON-PATHOLOGICAL"}


def _state_test(row: Measurement) -> str:
    return "LNSTATE" if row.kind is Kind.NODE else "TUMSTATE"


def _sizes(row: Measurement) -> Iterator[Result]:
    for column in SIZES:
        value = getattr(row, column)
        if column == "viable_mm" and value is None and row.viable_foci_mm:
            value = max(row.viable_foci_mm)
        if value is not None:
            yield size_result(column, value)


def _target(read: Read, row: Measurement) -> Iterator[Result]:
    needed = read.needed(row)
    if row.state is State.MERGED:
        yield Result(test=_state_test(row), original=MERGED[0])
    elif row.state is State.NOT_EVALUABLE:
        yield from (Result(test=SIZES[name][0], reason=_reason(row), column=name) for name in needed)
    elif row.state is State.ABSENT:
        yield Result(test=_state_test(row), original="ABSENT")
        yield from (size_result(name, Decimal(0)) for name in needed if name != "mean_hu")
    elif row.state is State.TOO_SMALL:
        yield from _too_small(read, row, needed)
    else:
        sizes = list(_sizes(row))
        yield from sizes
        given = {one.column for one in sizes}
        yield from (Result(test=SIZES[n][0], reason=NOT_RECORDED, column=n) for n in needed if n not in given)


def _too_small(read: Read, row: Measurement, needed: tuple[str, ...]) -> Iterator[Result]:
    """The reader's words beside the number that stands for them: what was recorded, else what the criterion counts (5 mm)."""
    sizes = {one.column: one for one in _sizes(row)}
    counts = next((one.thresholds.too_small_mm for one in read.results.settings.values()), Decimal(5))
    # What does not enhance at all is not too small to measure there.
    nothing = [name for name in OF_VIABLE_PART if getattr(row, name) == 0]
    needed = tuple(name for name in needed if not nothing or name not in OF_VIABLE_PART)
    for column in dict.fromkeys((*needed, *sizes)):
        test, unit = SIZES[column]
        if column in needed[:1] or (column in needed and column not in sizes and unit == MILLIMETRES):
            number = sizes[column].number if column in sizes else counts
            yield Result(
                test=test, original=TOO_SMALL[0], standard=show(number), number=number, unit=unit, column=column
            )
        elif column in sizes:
            yield sizes[column]
        else:
            yield Result(test=test, reason=TOO_SMALL[0], column=column)


def _not_recorded(read: Read, row: Measurement) -> Iterator[Result]:
    """A lesion that was followed and has no row at a visit: nothing was recorded, which is not that it was gone."""
    if row.role is not Role.TARGET:
        yield Result(test=_state_test(row), reason=NOT_RECORDED)
        return
    yield from (Result(test=SIZES[name][0], reason=NOT_RECORDED, column=name) for name in read.needed(row))
