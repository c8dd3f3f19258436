"""Measuring beside the read: calipers and regions, kept until Esc or another visit; and diameters back as they were measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mrecist.imaging.series import Series
from mrecist.session.actions import SetLine
from mrecist.session.regions import PhaseValues, Region, Values, same_grid, values_by_phase, values_in
from mrecist_napari.line_ends import LineEnds
from mrecist_napari.marks import CALIPER, OWN, Ends, Index3, MarkLine, MarkRegion, Marks

if TYPE_CHECKING:
    from mrecist_napari.reading_window import ReadingWindow


@dataclass(frozen=True, slots=True)
class _Own:
    """A caliper or a region, where it was drawn."""

    timepoint: int
    series: Series
    drawn: MarkLine | MarkRegion


class Measuring:
    """What the reader measures in the current pane of one window, outside the read."""

    def __init__(self, window: ReadingWindow) -> None:
        self._window = window
        self._room = window.room
        self._own: list[_Own] = []
        self.ends = LineEnds(window, self._moved)

    def with_own(self, marks: Marks) -> Marks:
        """Marks with the calipers and regions of the visit; those of another visit are dropped.

        They are shown on every series of the grid that they were drawn on.
        """
        series, timepoint = self._window.current.series, self._room.looking.timepoint
        self._own = [one for one in self._own if one.timepoint == timepoint]
        here = [one.drawn for one in self._own if series is not None and same_grid(one.series, series)]
        lines = (one for one in here if isinstance(one, MarkLine))
        regions = (one for one in here if isinstance(one, MarkRegion))
        return replace(marks, lines=(*marks.lines, *lines), regions=(*marks.regions, *regions))

    def clear(self) -> bool:
        """Take calipers and regions away, unless a tool or a proposal is there to be left first; whether anything went."""
        if self._window.mouse.is_drawing or self._room.pending is not None or not self._own:
            return False
        self._own.clear()
        self._window.message("")
        self._window.redraw()
        return True

    def as_measured(self) -> None:
        """The diameters of the chosen lesion as they were measured, in place of lines set by hand."""
        timepoint, lesion = self._room.looking.timepoint, self._room.looking.lesion
        mark = self._room.state.mark(timepoint, lesion) if lesion else None
        if mark is None or not mark.lines:
            self._window.message(f"{lesion or 'no lesion is chosen: it'} has no diameter set by hand at this visit")
            return
        for size in tuple(mark.lines):
            self._room.do(SetLine(timepoint=timepoint, lesion=lesion, size=size, line=None))
        if not self._room.session.trouble:
            self._window.message(f"{lesion} as measured again")

    # --- calipers --------------------------------------------------------------------------------------------------

    def start_caliper(self) -> None:
        """The next drag is a distance."""
        self._window.message("caliper: drag a distance   Esc leaves")
        self._window.mouse.ask_for_line(self._caliper_grows, self._caliper_drawn)

    def _caliper_grows(self, start: Index3, end: Index3) -> None:
        ends = start, (start[0], *end[1:])
        self._window.current.drawing.grow(*ends, f"{self.ends.mm(ends):.1f} mm", OWN)

    def _caliper_drawn(self, start: Index3, end: Index3) -> None:
        self._window.current.drawing.grown()
        ends = start, (start[0], *end[1:])
        if self.ends.mm(ends) > 0:
            numbers = [int(one.drawn.lesion[1:]) for one in self._own if isinstance(one.drawn, MarkLine)]
            assert self._window.current.series is not None
            self._keep(self._caliper(f"C{max(numbers, default=0) + 1}", ends), self._window.current.series)
        self._window.message("M: another caliper   Esc clears them")

    def _caliper(self, name: str, ends: Ends) -> MarkLine:
        return MarkLine(lesion=name, size=CALIPER, text=f"{self.ends.mm(ends):.1f} mm", colour=OWN, ends=ends)

    def _moved(self, line: MarkLine, ends: Ends) -> None:
        moved = self._caliper(line.lesion, ends)
        self._own = [replace(one, drawn=moved) if one.drawn == line else one for one in self._own]

    def _keep(self, drawn: MarkLine | MarkRegion, series: Series) -> None:
        self._own.append(_Own(self._room.looking.timepoint, series, drawn))
        self._window.redraw()

    # --- regions ---------------------------------------------------------------------------------------------------

    def start_region(self) -> None:
        """The next drag is the box of an ellipse."""
        self._window.message("region: drag an ellipse from corner to corner   Esc leaves")
        self._window.mouse.ask_for_line(self._region_grows, self._region_drawn)

    def _region_grows(self, start: Index3, end: Index3) -> None:
        series = self._window.current.series
        assert series is not None
        said = ""
        if self._room.volumes.has(series):  # never wait for a volume while the mouse moves
            said = _values_row(values_in(_region(start, end), self._room.volumes.get(series)))
        self._window.current.drawing.grow_ellipse(start, (start[0], *end[1:]), said, OWN)

    def _region_drawn(self, start: Index3, end: Index3) -> None:
        self._window.current.drawing.grown()
        region, series, visit = _region(start, end), self._window.current.series, self._room.visit
        assert series is not None
        timepoint = visit.timepoint

        def keep(found: tuple[PhaseValues, ...]) -> None:
            if self._room.looking.timepoint == timepoint:
                corners = start, (start[0], *end[1:])
                self._keep(MarkRegion(corners=corners, rows=rows_of(found)), series)
                self._window.message("Shift+M: another region   Esc clears them")

        self._window.background.later(
            lambda: values_by_phase(region, series, visit, self._room.volumes.get), keep, "region"
        )


def _region(start: Index3, end: Index3) -> Region:
    return Region(slice_index=round(start[0]), corners=(start[1:], end[1:]))


def rows_of(found: tuple[PhaseValues, ...]) -> tuple[str, ...]:
    """A region in words: one row for each phase, one for the area."""
    rows = [f"{str(one.series.phase.name).lower()}  {_phase_row(one)}" for one in found]
    first = found[0].values
    if first is not None:
        rows.append(f"{first.area_mm2:.0f} mm²  {first.pixels} pixels")
    return tuple(rows)


def _phase_row(one: PhaseValues) -> str:
    return one.why if one.values is None else _values_row(one.values)


def _values_row(values: Values) -> str:
    left_out = f"  ({values.left_out} padding left out)" if values.left_out else ""
    if values.mean is None or values.sd is None or values.low is None or values.high is None:
        return f"no pixel with a value{left_out}"
    unit = f" {values.unit}" if values.unit else ""
    mean, sd, low, high = (_number(value) for value in (values.mean, values.sd, values.low, values.high))
    return f"mean {mean}{unit}  SD {sd}  min {low}  max {high}{left_out}"


def _number(value: float) -> str:
    return f"{value:.1f}" if abs(value) >= 1 or value == 0 else f"{value:.3g}"
