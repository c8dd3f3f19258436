"""From what a reader has said to rows of measurements.csv, by the same path that ``mrecist score`` takes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np

from mrecist.errors import MrecistError
from mrecist.imaging.geometry import Geometry
from mrecist.imaging.masks import LesionMask
from mrecist.imaging.series import Series
from mrecist.measure.lesion import LesionMeasurement
from mrecist.measure.measured import Diameter
from mrecist.model import Kind, Measurement, Role
from mrecist.plain import from_plain
from mrecist.reading import Looked, look, measure_with_volume, measured_row, row_phase, sized
from mrecist.session.case import Case
from mrecist.session.kept_masks import BoolArray, KeptMasks
from mrecist.session.state import DrawnMask, LesionFacts, ManualLine, Mark, Provenance, ReadState
from mrecist.tables import WORD_COLUMNS
from mrecist.units import round_size

# Stands for the lesion while nobody knows what a proposal will be called.
_NOBODY = LesionFacts(role=Role.TARGET, kind=Kind.LESION, organ="", station="", tracking_uid="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A mask of the read with its measurement: what the screens draw and the reports quote."""

    mask: LesionMask
    measurement: LesionMeasurement
    looked: Looked


class Rows:
    """Rows of a read; masks that were measured once are not measured again.

    ``reader`` is the name in the tables; the masks are those of the session.
    """

    def __init__(self, reader: str, masks: KeptMasks) -> None:
        self._reader = reader
        self._masks = masks
        self._known: dict[Hashable, Drawn] = {}
        # By the masks alone, whatever the lesion is called: what was measured before it was accepted.
        self._expected: dict[Hashable, Drawn] = {}

    def of(self, state: ReadState, case: Case) -> tuple[Measurement, ...]:
        """Every row of the read, visit by visit, lesions in the order in which they were added."""
        rows = []
        for timepoint, visit in sorted(state.visits.items()):
            for lesion, facts in state.lesions.items():
                if lesion in visit.marks:
                    rows.append(self._row(case, timepoint, lesion, facts, visit.marks[lesion]))
        return tuple(rows)

    def stated(self, state: ReadState, case: Case) -> tuple[Measurement, ...]:
        """The same rows as the reader's words alone, for ``reads/``: sizes only where no mask gives them."""
        return tuple(
            self._note(case, timepoint, lesion, facts, visit.marks[lesion])
            for timepoint, visit in sorted(state.visits.items())
            for lesion, facts in state.lesions.items()
            if lesion in visit.marks
        )

    def drawn(self, state: ReadState, case: Case, timepoint: int, lesion: str) -> Drawn | None:
        """The mask of a lesion at a visit with its measurement; None where nothing was drawn."""
        mark = state.mark(timepoint, lesion)
        if mark is None or mark.mask is None:
            return None
        return self._measured(case, lesion, state.lesions[lesion], mark.mask)

    def unmeasured(self, state: ReadState, case: Case) -> tuple[tuple[int, str], ...]:
        """(time point, lesion) of every mask that the next rows would have to measure, which needs its voxels."""
        return tuple(
            (timepoint, lesion)
            for timepoint, visit in sorted(state.visits.items())
            for lesion, mark in visit.marks.items()
            if mark.mask is not None
            and _key(case, lesion, state.lesions[lesion], mark.mask) not in self._known
            and _masks_key(case, mark.mask) not in self._expected
        )

    def expect(
        self,
        case: Case,
        series: Series,
        whole: BoolArray,
        viable: BoolArray | None,
        measured: LesionMeasurement | None = None,
    ) -> None:
        """Measure a proposal (Z, Y, X masks) now, so that nothing is left to measure once it is accepted; for any thread.

        ``measured`` is its measurement by the protocol, where there is one. What cannot be measured is told when it is accepted.
        """
        drawn = DrawnMask(
            series_uid=series.uid,
            stack=series.stack,
            whole=self._masks.key_of(whole),
            viable=None if viable is None else self._masks.key_of(viable),
            provenance=Provenance(method=""),
        )
        key = _masks_key(case, drawn)
        if key in self._expected:
            return
        with suppress(MrecistError):
            mask = self._mask_of(case, "", _NOBODY, drawn, whole, viable)
            found = self._look_and_measure(case, mask, series, measured)
            if not found.looked.unread:  # its sentence may name the lesion
                self._expected = {key: found}

    def _measured(self, case: Case, lesion: str, facts: LesionFacts, drawn: DrawnMask) -> Drawn:
        key = _key(case, lesion, facts, drawn)
        if key not in self._known:
            self._known[key] = self._measure(case, lesion, facts, drawn)
        return self._known[key]

    def _measure(self, case: Case, lesion: str, facts: LesionFacts, drawn: DrawnMask) -> Drawn:
        mask = self.lesion_mask(case, lesion, facts, drawn)
        expected = self._expected.get(_masks_key(case, drawn))
        if expected is None:
            return self._look_and_measure(case, mask, case.series(drawn.series_uid, drawn.stack))
        named = replace(mask, viable=expected.mask.viable) if expected.looked.taken_off else mask
        return Drawn(mask=named, measurement=expected.measurement, looked=replace(expected.looked, mask=named))

    def _look_and_measure(
        self, case: Case, mask: LesionMask, series: Series, known: LesionMeasurement | None = None
    ) -> Drawn:
        measuring = case.protocol.measuring
        looked = look(mask, series, case.given.series, measuring)
        known = None if looked.taken_off else known
        measured = measure_with_volume(looked.mask, series, measuring, known).measured
        return Drawn(mask=looked.mask, measurement=measured, looked=looked)

    def lesion_mask(self, case: Case, lesion: str, facts: LesionFacts, drawn: DrawnMask) -> LesionMask:
        """The mask as the rest of the package knows it."""
        viable = None if drawn.viable is None else self._masks.get(drawn.viable)
        return self._mask_of(case, lesion, facts, drawn, self._masks.get(drawn.whole), viable)

    def _mask_of(
        self,
        case: Case,
        lesion: str,
        facts: LesionFacts,
        drawn: DrawnMask,
        whole: BoolArray,
        viable: BoolArray | None,
    ) -> LesionMask:
        series = case.series(drawn.series_uid, drawn.stack)
        assert series.geometry is not None  # a case holds no other series
        return LesionMask(
            lesion=lesion,
            tracking_uid=facts.tracking_uid,
            reader=self._reader,
            organ=facts.organ or None,
            kind=str(facts.kind),
            geometry=series.geometry,
            whole=whole,
            viable=viable,
            slice_uids=tuple(s.sop_instance_uid for s in series.slices),
            series_uid=series.uid,
            source=f"read of {self._reader}",
            stack=series.stack,
        )

    def _row(self, case: Case, timepoint: int, lesion: str, facts: LesionFacts, mark: Mark) -> Measurement:
        note = self._note(case, timepoint, lesion, facts, mark)
        if mark.mask is None:
            return note
        drawn = self._measured(case, lesion, facts, mark.mask)
        series = case.series(mark.mask.series_uid, mark.mask.stack)
        return measured_row(
            sized(drawn.looked, drawn.measurement, case.protocol.measuring),
            subject=case.subject,
            timepoint=timepoint,
            day=note.date or case.visit(timepoint).date,
            reader=self._reader,
            series=series,
            phase=row_phase(series, case.protocol.measuring),
            stated=(note,),
            earlier=None,
        )

    def _note(self, case: Case, timepoint: int, lesion: str, facts: LesionFacts, mark: Mark) -> Measurement:
        """The reader's words on a lesion at a visit."""
        day = case.visit(timepoint).date
        sizes: dict[str, Decimal] = dict(mark.sizes)
        if mark.mask is not None:
            series = case.series(mark.mask.series_uid, mark.mask.stack)
            day = day if series.date is None else type(day).fromisoformat(series.date)
            assert series.geometry is not None
            sizes |= {
                name: round_size(line_mm(line, series.geometry), case.protocol.measuring.round_mm)
                for name, line in mark.lines.items()
            }
        row = Measurement(
            subject=case.subject,
            timepoint=timepoint,
            date=day,
            reader=self._reader,
            lesion=lesion,
            role=facts.role,
            kind=facts.kind,
            organ=facts.organ,
            station=facts.station,
            state=mark.state,
            manual=tuple(name for name in sorted(mark.lines)),
            part_of=mark.part_of,
            comment=mark.comment,
        )
        given: dict[str, Any] = {**sizes, **_words(mark.words)}
        return replace(row, **given)


def _key(case: Case, lesion: str, facts: LesionFacts, drawn: DrawnMask) -> Hashable:
    """What a measurement depends on."""
    return lesion, facts, _masks_key(case, drawn)


def _masks_key(case: Case, drawn: DrawnMask) -> Hashable:
    """The same without what the lesion is called."""
    # The phases tell which series is the native one, against which dense material is judged.
    phases = tuple((one.uid, one.stack, one.phase.name) for one in case.given.series)
    return drawn.series_uid, drawn.stack, drawn.whole, drawn.viable, phases


def _words(words: Mapping[str, str]) -> dict[str, Any]:
    return {name: from_plain(word, WORD_COLUMNS[name]) for name, word in words.items()}


def line_mm(line: ManualLine, geometry: Geometry) -> float:
    """Length of a line that was set by hand, in mm."""
    (row, column), (row_2, column_2) = line.ends
    return float(np.hypot((row_2 - row) * geometry.row_spacing_mm, (column_2 - column) * geometry.column_spacing_mm))


def diameter_of(line: ManualLine, geometry: Geometry) -> Diameter:
    """A line that was set by hand as a diameter, with its ends in LPS mm."""
    ends = tuple(geometry.to_lps(line.slice_index, row, column) for row, column in line.ends)
    return Diameter(
        mm=line_mm(line, geometry),
        slice_index=line.slice_index,
        ends_lps=(ends[0], ends[1]),
        ends_index=line.ends,
    )


def next_name(state: ReadState, role: Role) -> str:
    """The next free id of a role: T01, NT01, NEW01."""
    prefix = {Role.TARGET: "T", Role.NON_TARGET: "NT", Role.NEW: "NEW"}[role]
    number = 1
    while f"{prefix}{number:02d}" in state.lesions:
        number += 1
    return f"{prefix}{number:02d}"


def default_kind(organ: str) -> Kind:
    """A lesion in a lymph node is followed by its short axis."""
    return Kind.NODE if organ.strip().casefold() == "lymph node" else Kind.LESION
