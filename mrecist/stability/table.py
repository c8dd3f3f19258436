"""``stability.csv``, ``stability_lesions.csv``, and the table of single standard deviations (docs/stability.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from decimal import Decimal
from pathlib import Path
from typing import Any

from mrecist import __version__
from mrecist.errors import InputError
from mrecist.model import Flip, Response, VisitStability
from mrecist.protocol import Protocol
from mrecist.stability.spread import Cell, OwnSpread
from mrecist.tables import SIZE_COLUMNS, Measurements, csv_text, read_rows
from mrecist.units import parse_size

# Column -> the categories that it counts: those of iRECIST stand with their RECIST 1.1 counterparts.
SHARES = {
    "p_CR": (Response.CR, Response.ICR),
    "p_PR": (Response.PR, Response.IPR),
    "p_SD": (Response.SD, Response.ISD),
    "p_NON_CR_NON_PD": (Response.NON_CR_NON_PD, Response.NON_ICR_NON_IUPD),
    "p_PD": (Response.PD,),
    "p_iUPD": (Response.IUPD,),
    "p_iCPD": (Response.ICPD,),
    "p_NE": (Response.NE,),
}
_ABOUT = ("subject", "reader", "criterion", "timepoint", "date")
_MADE_BY = ("protocol_sha256", "version")
STABILITY_COLUMNS = (
    *(*_ABOUT, "overall", "target", "sum", "unit", "step"),
    *("less", "less_gives", "more", "more_gives"),
    *("target_less", "target_less_gives", "target_more", "target_more_gives"),
    *("lesion", "lesion_change", "lesion_gives"),
    *(*SHARES, "p_reported", "level", "draws", "seed", "correlation", "model", "own_sd", *_MADE_BY),
)
LESION_COLUMNS = (
    *(*_ABOUT, "overall", "lesion", "size", "unit", "less", "less_gives", "more", "more_gives"),
    *_MADE_BY,
)


SPREAD_COLUMNS = ("subject", "reader", "timepoint", "lesion", "column", "sd")
# What `spread.csv` says beside the standard deviation when masks were drawn again; :func:`read_spread` needs none of it.
OWN_SPREAD_COLUMNS = tuple(field.name for field in fields(OwnSpread))


def read_spread(path: Path, measurements: Measurements) -> dict[Cell, float]:
    """Standard deviations of single sizes: one row a size of ``measurements.csv``, named by its column.

    Raises :class:`InputError` for a line that is no such row, names no row of the measurements, or comes twice.
    """
    known = {(row.subject, row.reader, row.timepoint, row.lesion) for row in measurements.rows}
    bad = {(problem.subject, problem.reader) for problem in measurements.problems}
    found: dict[Cell, float] = {}
    for number, cells in read_rows(path, tuple(name for name in SPREAD_COLUMNS if name != "reader"))[1]:
        try:
            cell, sd = _spread_row(cells)
            if cell[:4] not in known and cell[:2] not in bad:
                raise ValueError("names no row of the measurements; correct subject, reader, timepoint or lesion")
            if cell in found:
                raise ValueError("is a second row of this size; keep one")
        except ValueError as error:
            raise InputError(f"{path}: line {number} {error}") from None
        found[cell] = sd
    return found


def _spread_row(cells: dict[str, str]) -> tuple[Cell, float]:
    if cells["column"] not in SIZE_COLUMNS:
        raise ValueError(f"has column '{cells['column']}', not one of: {', '.join(SIZE_COLUMNS)}")
    if not cells["timepoint"].isdecimal():
        raise ValueError(f"has timepoint '{cells['timepoint']}', not a whole number of 0 or more")
    try:
        sd = float(parse_size(cells["sd"]))
    except ValueError as error:
        raise ValueError(f"has sd {error}; give a standard deviation in the unit of its column") from None
    reader = cells.get("reader") or "R1"
    return (cells["subject"], reader, int(cells["timepoint"]), cells["lesion"], cells["column"]), sd


def spread_csv(rows: Iterable[OwnSpread]) -> str:
    """``spread.csv`` as text: what :func:`read_spread` reads."""
    return csv_text(OWN_SPREAD_COLUMNS, map(asdict, rows))


def stability_tables(rows: Sequence[VisitStability], protocol: Protocol) -> dict[str, str]:
    """Both tables by file name."""
    return {
        "stability.csv": stability_csv(rows, protocol),
        "stability_lesions.csv": stability_lesions_csv(rows, protocol),
    }


def stability_csv(rows: Iterable[VisitStability], protocol: Protocol) -> str:
    """``stability.csv`` as text: one row a response after baseline."""
    rules = protocol.stability
    names = rules.error.__dataclass_fields__
    made_by = {
        "draws": rules.draws,
        "seed": rules.seed,
        "correlation": rules.correlation,
        "model": tuple(f"{name}={getattr(rules.error, name)}" for name in names),
        **_made_by(protocol),
    }
    return csv_text(STABILITY_COLUMNS, ({**_cells(row), **made_by} for row in rows))


def stability_lesions_csv(rows: Iterable[VisitStability], protocol: Protocol) -> str:
    """``stability_lesions.csv`` as text: one row for each lesion with a size, in each complete sum."""
    made_by = _made_by(protocol)
    return csv_text(
        LESION_COLUMNS,
        (
            {
                **_about(row),
                "lesion": one.lesion,
                "size": one.size,
                **_flip("less", one.less),
                **_flip("more", one.more),
                **made_by,
            }
            for row in rows
            if row.margins is not None
            for one in row.margins.lesions
        ),
    )


def _made_by(protocol: Protocol) -> dict[str, Any]:
    return {"protocol_sha256": protocol.sha256, "version": __version__}


def _about(row: VisitStability) -> dict[str, Any]:
    return {name: getattr(row, name) for name in (*_ABOUT, "overall", "unit")}


def _flip(name: str, flip: Flip | None) -> dict[str, Any]:
    return {} if flip is None else {name: flip.by, f"{name}_gives": flip.gives}


def _cells(row: VisitStability) -> dict[str, Any]:
    cells = {
        **_about(row),
        "target": row.target,
        "sum": row.sum,
        "level": row.level,
        "own_sd": row.own_sd,
        "p_reported": row.share,
    }
    if row.shares:
        cells |= {name: _share(row, categories) for name, categories in SHARES.items()}
    margins = row.margins
    if margins is None:
        return cells
    nearest = margins.nearest_lesion()
    if nearest is not None:
        cells |= dict(zip(("lesion", "lesion_change", "lesion_gives"), nearest, strict=True))
    return {
        **cells,
        "step": margins.step,
        **_flip("less", margins.less),
        **_flip("more", margins.more),
        **_flip("target_less", margins.target_less),
        **_flip("target_more", margins.target_more),
    }


def _share(row: VisitStability, categories: tuple[Response, ...]) -> Decimal:
    return sum((row.shares.get(category, Decimal(0)) for category in categories), Decimal(0))
