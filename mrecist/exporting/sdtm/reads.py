"""One read of one subject as the records of TU, TR and RS are made from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from mrecist.criteria._viable import by_viable_part
from mrecist.datasets.model import Value
from mrecist.exporting.results import Cells, Results
from mrecist.exporting.sdtm.acceptance import Acceptance
from mrecist.exporting.sdtm.links import first_rows, link_ids, wholes
from mrecist.exporting.sdtm.readers import Evaluator
from mrecist.exporting.sdtm.timing import Reference, VisitName, visit_of
from mrecist.model import Kind, Measurement, Role, State

ACCEPTED = "accepted"
# What a target has to have beside its diameter (a node: its short axis), by what a criterion measures and the unit of its sum.
_ALSO = {
    ("viable", "mm"): ("viable_mm",),
    ("viable", "mm2"): ("viable_mm", "viable_short_mm"),
    ("viable", "mm3"): ("viable_volume_mm3",),
    ("volume", "mm3"): ("volume_mm3",),
}
OF_VIABLE_PART = ("viable_mm", "viable_short_mm", "viable_volume_mm3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What one reader recorded of one subject; ``rows`` and ``responses`` by time point, all in order."""

    study: str
    subject: str
    evaluator: Evaluator
    reference: Reference
    names: Mapping[int, VisitName]
    rows: Mapping[int, list[Measurement]]
    responses: Mapping[int, list[Cells]]
    results: Results
    accepted: Acceptance
    # (time point, criterion) -> response of the lesions in the liver, where the protocol says which organs that is.
    liver: Mapping[tuple[int, str], str]
    # (time point, lesion) -> SOP Instance UID of its segmentation, where the images were given.
    segmented: Mapping[tuple[int, str], str]
    links: Mapping[str, str] = field(init=False)
    first: Mapping[str, Measurement] = field(init=False)
    whole_of: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        every = [row for rows in self.rows.values() for row in rows]
        object.__setattr__(self, "links", link_ids(every))
        object.__setattr__(self, "first", first_rows(every))
        object.__setattr__(self, "whole_of", wholes(every))

    @property
    def unique_id(self) -> str:
        """USUBJID."""
        return f"{self.study}-{subject_id(self.study, self.subject)}"

    def link(self, lesion: str) -> str:
        """--LNKID of a lesion."""
        return self.evaluator.linked(self.links[lesion])

    def group(self, timepoint: int) -> str:
        """--LNKGRP of a time point: ``R1-A2``."""
        return self.evaluator.linked(f"A{timepoint + 1}")

    def day(self, timepoint: int) -> date | None:
        """The latest date of a time point."""
        return max((row.date for row in self.rows[timepoint] if row.date is not None), default=None)

    def accepts(self, row: Measurement) -> bool:
        """Whether an independent assessor accepted this record where several read the time point."""
        said = ACCEPTED in [part.strip().casefold() for part in row.comment.split(";")]
        return row.timepoint in self.accepted.lesions or (said and row.timepoint in self.accepted.by_row)

    def missing(self, timepoint: int) -> Iterator[Measurement]:
        """The first rows of the targets and non-targets that were followed and have no row at a later time point."""
        here = {row.lesion for row in self.rows[timepoint]}
        split = {
            self.whole_of[one] for one, row in self.first.items() if one in self.whole_of and row.timepoint <= timepoint
        }
        for lesion, row in self.first.items():
            if row.timepoint < timepoint and row.role is not Role.NEW and lesion not in here and lesion not in split:
                yield row

    def needed(self, row: Measurement) -> tuple[str, ...]:
        """The size columns that the criteria of the study ask for of this target."""
        first = self.first[row.lesion]
        own = "short_mm" if first.kind is Kind.NODE else "longest_mm"
        criteria = [one.criterion for one in self.results.settings.values()]
        also = [name for one in criteria for name in _ALSO.get((one.measure, one.unit), ())]
        also += ["mean_hu"] if any(one.name == "choi" for one in criteria) else []
        return tuple(dict.fromkeys((own, *(n for n in also if n not in OF_VIABLE_PART or by_viable_part(first)))))

    def common(self, domain: str, day: date | None, timepoint: int | None) -> dict[str, Value]:
        """What every record says of study, subject, assessor, visit and day."""
        visit = visit_of(timepoint, self.names) if timepoint is not None else None
        return {
            "STUDYID": self.study,
            "DOMAIN": domain,
            "USUBJID": self.unique_id,
            f"{domain}EVAL": self.evaluator.role,
            f"{domain}EVALID": self.evaluator.identifier,
            "VISITNUM": visit.number if visit is not None else None,
            "VISIT": visit.name if visit is not None else "",
            "EPOCH": self.reference.epoch(day),
            f"{domain}DTC": day,
            f"{domain}DY": self.reference.study_day(day),
        }

    def flag(self, row: Measurement, *, seen: bool = True) -> str:
        """--LOBXFL of what was observed in a row."""
        return "Y" if row.timepoint == 0 and seen and self.reference.before_exposure(row.date) else ""

    def merged(self, row: Measurement) -> bool:
        """Whether the row says so for the first time."""
        before = (one for timepoint, rows in self.rows.items() if timepoint < row.timepoint for one in rows)
        again = any(one.lesion == row.lesion and one.state is State.MERGED for one in before)
        return row.state is State.MERGED and not again


def subject_id(study: str, subject: str) -> str:
    """SUBJID: the subject as the tables name it, without the study before it."""
    return subject.removeprefix(f"{study}-") or subject
