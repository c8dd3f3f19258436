"""``stability.csv`` and ``stability_lesions.csv`` (docs/stability.md)."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from mrecist import __version__
from mrecist.model import Flip, Response, VisitStability
from mrecist.protocol import Protocol
from mrecist.tables import csv_text

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
    *(*SHARES, "p_reported", "level", "draws", "seed", "correlation", "model", *_MADE_BY),
)
LESION_COLUMNS = (
    *(*_ABOUT, "overall", "lesion", "size", "unit", "less", "less_gives", "more", "more_gives"),
    *_MADE_BY,
)


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
    cells = {**_about(row), "target": row.target, "sum": row.sum, "level": row.level, "p_reported": row.share}
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
