"""What a scan says about one stack of slices: which, when, where, and whether it may be measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mrecist.imaging.geometry import Geometry
from mrecist.imaging.layout import PixelLayout, Scaling
from mrecist.imaging.phase import Phase


class Verdict(StrEnum):
    """What may be done with a stack."""

    OK = "ok"
    """Diameters and volumes."""
    IN_PLANE = "in-plane"
    """Diameters within a slice only: the step is irregular, sheared or unknown, so a volume would be wrong."""
    REFUSED = "refused"
    """Nothing: slices are missing or mixed, or there is no geometry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One slice: a single-frame file, or one frame of a multi-frame file.

    Parameters
    ----------
    path : the file.
    frame : 0-based frame in a multi-frame file, None for a single-frame file.
    sop_instance_uid : SOPInstanceUID of the file.
    position_lps : ImagePositionPatient, LPS mm; zeros when the slice has none (such a stack is refused).
    instance_number : InstanceNumber, or None.
    pixels, scaling : where its stored values lie and what they mean, as the scan found them; None when that was unreadable.
    """

    path: Path
    frame: int | None
    sop_instance_uid: str
    position_lps: tuple[float, float, float]
    instance_number: int | None
    pixels: PixelLayout | None = field(default=None, repr=False, compare=False)
    scaling: Scaling | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One stack of parallel slices that belong together; a SeriesInstanceUID may hold several.

    Parameters
    ----------
    uid : SeriesInstanceUID.
    stack, stacks : this stack is number ``stack`` (1-based) of ``stacks`` under that UID.
    date, date_source : ISO 8601 day and the tag it came from (AcquisitionDate, else SeriesDate, ContentDate, StudyDate).
    timepoint_id : ClinicalTrialTimePointID.
    subject_id : ClinicalTrialSubjectID.
    slices : in stack order (along the slice normal).
    geometry : None when positions are not usable; ``slice_step_mm`` is None unless the verdict is OK.
    verdict, verdict_code, verdict_text : see docs/imaging.md; code and text are empty for OK.
    notes : what was dropped, split or noticed, one sentence each.
    slice_thickness_mm : SliceThickness; never used as the step.
    """

    uid: str
    stack: int
    stacks: int
    patient_id: str
    study_uid: str
    modality: str
    description: str
    frame_of_reference_uid: str
    date: str | None
    date_source: str
    timepoint_id: str | None
    subject_id: str | None
    slices: tuple[Slice, ...]
    geometry: Geometry | None
    verdict: Verdict
    verdict_code: str
    verdict_text: str
    notes: tuple[str, ...]
    phase: Phase
    slice_thickness_mm: float | None

    @property
    def subject(self) -> str:
        """ClinicalTrialSubjectID, else PatientID."""
        return self.subject_id or self.patient_id

    @property
    def label(self) -> str:
        """``series <uid>``, with ``(stack 2 of 3)`` when the UID holds several; for messages."""
        return f"series {self.uid or '(no UID)'}" + (
            f" (stack {self.stack} of {self.stacks})" if self.stacks > 1 else ""
        )
