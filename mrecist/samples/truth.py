"""The truth of the sample study: analytic sizes, and the categories that follow from them by hand.

Nothing here uses the code that measures masks or derives responses. The categories are written down as the arithmetic of
docs/sample-data.md gives them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from mrecist.samples.dicom import visit_date
from mrecist.samples.plan import Subject, Visit, all_subjects

SIZE_COLUMNS = ("subject", "timepoint", "lesion", "longest_mm", "short_mm", "viable_mm", "pixel_mm")
RESPONSE_COLUMNS = ("subject", "criterion", "timepoint", "target", "non_target", "new_lesion", "overall")
BEST_COLUMNS = ("subject", "criterion", "best_unconfirmed", "best_confirmed")
READ_COLUMNS = (
    *("subject", "timepoint", "date", "reader", "lesion", "role", "organ", "state", "viable_mm", "pattern", "comment"),
)

# subject, criterion, time point: target, non-target, new lesion, overall.
RESPONSES = """
SAMPLE-01 recist11 1  SD NON-CR/NON-PD no  SD
SAMPLE-01 recist11 2  SD NON-CR/NON-PD no  SD
SAMPLE-01 mrecist  1  PR NON-CR/NON-PD no  PR
SAMPLE-01 mrecist  2  PR NON-CR/NON-PD no  PR
SAMPLE-02 recist11 1  SD NA            no  SD
SAMPLE-02 recist11 2  PR NA            no  PR
SAMPLE-02 mrecist  1  CR NA            no  CR
SAMPLE-02 mrecist  2  CR NA            no  CR
SAMPLE-03 recist11 1  PR NON-CR/NON-PD no  PR
SAMPLE-03 recist11 2  CR CR            no  CR
SAMPLE-03 mrecist  1  PR NON-CR/NON-PD no  PR
SAMPLE-03 mrecist  2  CR CR            no  CR
SAMPLE-04 recist11 1  SD NON-CR/NON-PD no  SD
SAMPLE-04 recist11 2  PD NON-CR/NON-PD no  PD
SAMPLE-04 mrecist  1  SD NON-CR/NON-PD no  SD
SAMPLE-04 mrecist  2  PD NON-CR/NON-PD no  PD
SAMPLE-05 recist11 2  PR NA            yes PD
SAMPLE-05 mrecist  2  PR NA            yes PD
SAMPLE-06 recist11 1  SD NA            no  SD
SAMPLE-06 recist11 2  NE NA            no  NE
SAMPLE-06 mrecist  1  NE NA            no  NE
SAMPLE-06 mrecist  2  NE NA            no  NE
"""

# subject, criterion: best response without and with confirmation.
BEST = """
SAMPLE-01 recist11 SD SD
SAMPLE-01 mrecist  PR PR
SAMPLE-02 recist11 PR SD
SAMPLE-02 mrecist  CR CR
SAMPLE-03 recist11 CR PR
SAMPLE-03 mrecist  CR PR
SAMPLE-04 recist11 SD SD
SAMPLE-04 mrecist  SD SD
SAMPLE-05 recist11 PD PD
SAMPLE-05 mrecist  PD PD
SAMPLE-06 recist11 SD SD
SAMPLE-06 mrecist  NE NE
"""


def sizes_csv() -> str:
    """``truth/sizes.csv``: the analytic sizes of everything that is drawn, and the side of a pixel of the same area."""
    rows = []
    for subject in all_subjects():
        height, width = subject.spacing_mm
        for visit in subject.visits:
            for one in visit.drawn:
                lesion = one.lesion
                rows.append(
                    {
                        "subject": subject.name,
                        "timepoint": visit.timepoint,
                        "lesion": one.name,
                        "longest_mm": f"{lesion.true_longest_mm():.4f}",
                        "short_mm": f"{lesion.true_short_mm():.4f}",
                        "viable_mm": "" if one.node else f"{lesion.true_viable_mm():.4f}",
                        "pixel_mm": f"{(height * width) ** 0.5:.4f}",
                    }
                )
    return _csv(SIZE_COLUMNS, rows)


def responses_csv() -> str:
    """``truth/responses.csv``: follow-up categories by both criteria."""
    rows = [line.split() for line in RESPONSES.strip().splitlines()]
    return _csv(RESPONSE_COLUMNS, (dict(zip(RESPONSE_COLUMNS, row, strict=True)) for row in rows))


def best_csv() -> str:
    """``truth/best_responses.csv``."""
    rows = [line.split() for line in BEST.strip().splitlines()]
    return _csv(BEST_COLUMNS, (dict(zip(BEST_COLUMNS, row, strict=True)) for row in rows))


def reads_csv() -> str:
    """``study/reads/R1.csv``: what the reader states beside the masks."""
    return _csv(READ_COLUMNS, (row for s in all_subjects() for v in s.visits for row in _stated(s, v)))


def _stated(subject: Subject, visit: Visit) -> Iterable[dict[str, object]]:
    for one in visit.stated:
        yield {
            "subject": subject.name,
            "timepoint": visit.timepoint,
            "date": visit_date(subject, visit).isoformat(),
            "reader": "R1",
            "lesion": one.name,
            "role": one.role,
            "organ": one.organ,
            "state": one.state,
            "viable_mm": one.viable_mm,
            "pattern": one.pattern,
            "comment": one.comment,
        }


def subjects_csv() -> str:
    """``study/subjects.csv``: arm, and randomisation two days after the baseline scan."""
    rows = (
        {"subject": s.name, "arm": s.arm, "randomisation": s.baseline.replace(day=s.baseline.day + 2).isoformat()}
        for s in all_subjects()
    )
    return _csv(("subject", "arm", "randomisation"), rows)


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
