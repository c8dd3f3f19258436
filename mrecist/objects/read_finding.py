"""What a report of another program says of one lesion, before anybody decides what row it makes.

Values keep the decimals that the file has; only the unit is changed to that of measurements.csv, exactly, and said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from mrecist.model import Kind, Role
from mrecist.units import EXACT, parse_number, parse_size

_LENGTHS = {"mm": 0, "millimeter": 0, "millimetre": 0, "cm": 1, "centimeter": 1, "centimetre": 1}
_VOLUMES = {"mm3": 0, "mm^3": 0, "mm³": 0, "cubic millimeter": 0, "cm3": 3, "cm^3": 3, "cm³": 3, "cc": 3, "ml": 3}
_DENSITIES = {"[hnsf'u]": 0, "hu": 0, "hounsfield unit": 0}
# Column of measurements.csv -> the units that it may come in, with the power of ten to that of the column.
UNITS_OF = {
    **dict.fromkeys(("longest_mm", "short_mm", "viable_mm", "viable_short_mm"), _LENGTHS),
    **dict.fromkeys(("volume_mm3", "viable_volume_mm3"), _VOLUMES),
    "mean_hu": _DENSITIES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The line that a size was read from.

    Parameters
    ----------
    ends : two points: (column, row) on the image, or (x, y, z) in LPS mm.
    image : SOPInstanceUID, or "" for LPS points.
    frame : 1-based frame of a multi-frame image, or None.
    """

    ends: tuple[tuple[float, ...], tuple[float, ...]]
    image: str
    frame: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A number for a column of measurements.csv, as the file states it; ``what``: the name it has there."""

    column: str
    stated: Decimal
    what: str
    line: Line | None = None


@dataclass(slots=True, kw_only=True)
class Finding:
    """One lesion at one visit as one file has it; None and "" where the file does not say.

    Parameters
    ----------
    source : the file, for messages.
    lesion : the name that a person gave it, or "".
    timepoint : whole number that the file states; ``timepoint_text``: what it says instead.
    day : ISO 8601 day of the images, and ``day_source``, where it came from.
    images, series_uids : what it was measured on.
    words : column of measurements.csv -> text of its cell.
    not_used : what could not be understood, one sentence each.
    notes : what was converted or inferred, one sentence each.
    """

    source: str
    subject: str = ""
    reader: str = ""
    lesion: str = ""
    tracking_uid: str = ""
    timepoint: int | None = None
    timepoint_text: str = ""
    day: str = ""
    day_source: str = ""
    study_uid: str = ""
    images: tuple[str, ...] = ()
    series_uids: tuple[str, ...] = ()
    role: Role | None = None
    kind: Kind | None = None
    organ: str = ""
    words: dict[str, str] = field(default_factory=dict)
    sizes: list[Size] = field(default_factory=list)
    not_used: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def where(self) -> str:
        """File and lesion, for messages."""
        return f"{self.source}: lesion {self.lesion or self.tracking_uid or '(no name)'}"

    def add(self, column: str, text: str, unit: str, what: str, line: Line | None = None) -> None:
        """Take a number with its unit for a column; an unknown unit or no number is listed as not used."""
        powers = UNITS_OF[column]
        power = powers.get(unit.strip().lower())
        if power is None:
            known = ", ".join(powers)
            self.not_used.append(f"{what} is {text} {unit or '(no unit)'}, not in one of: {known}")
            return
        try:
            value = parse_number(text) if column == "mean_hu" else parse_size(text)
        except ValueError as error:
            self.not_used.append(f"{what}: {error}")
            return
        if power:
            scaled = EXACT.scaleb(value, power)
            target = column.rpartition("_")[2]
            self.notes.append(f"{what} {text} {unit} converted to {scaled.normalize():f} {target}")
            value = scaled
        self.sizes.append(Size(column=column, stated=value, what=what, line=line))


TIMEPOINT_BASELINE = ("baseline", "bl")


def stated_timepoint(text: str) -> int | None:
    """The time point that a text states: a whole number, or baseline; None for any other word, which is not guessed."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return int(text)
    return 0 if text.lower() in TIMEPOINT_BASELINE else None
