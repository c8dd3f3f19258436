"""A synthetic study with everything that a report must show; the responses are those that the package derives.

``python tests/report/report_study.py OUT.html`` writes its report.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np

from mrecist.model import Basis, Kind, Measurement, Pattern, Problem, Role, State
from mrecist.protocol import load_protocol
from mrecist.response.derive import derive
from mrecist.results import CriterionText, KeyImage, KeyLine, StudyResults

START = {"S-01": date(2023, 1, 12), "S-02": date(2023, 2, 3), "S-03": date(2023, 2, 20), "S-04": date(2023, 3, 1)}
START |= {"S-05": date(2023, 3, 9), "S-06": date(2023, 4, 4), "S-07": date(2023, 4, 17), "S-10": date(2023, 5, 2)}
DAYS = (0, 58, 116, 171, 235)


def when(subject: str, timepoint: int) -> date:
    """The day of a visit."""
    return START.get(subject, date(2023, 6, 1)) + timedelta(days=DAYS[timepoint])


def _size(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def target(subject: str, lesion: str, *sizes: str, reader: str = "R1", organ: str = "liver") -> list[Measurement]:
    """Rows of a target: "longest/short/viable/viable short" or a state at each visit; "" is no row."""
    rows = []
    for timepoint, text in enumerate(sizes):
        if not text:
            continue
        measured = text[0].isdigit()
        parts = [*text.split("/"), "", "", ""] if measured else ["", "", "", ""]
        rows.append(
            Measurement(
                subject=subject,
                timepoint=timepoint,
                date=when(subject, timepoint),
                reader=reader,
                lesion=lesion,
                role=Role.TARGET,
                organ=organ,
                state=State.MEASURED if measured else State(text),
                longest_mm=_size(parts[0]),
                short_mm=_size(parts[1]),
                viable_mm=_size(parts[2]),
                viable_short_mm=_size(parts[3]),
                basis=Basis.VIABLE if organ == "liver" else Basis.OVERALL,
                modality="CT",
                phase="arterial" if organ == "liver" else "portal venous",
            )
        )
    return rows


def other(
    subject: str,
    lesion: str,
    role: Role,
    states: dict[int, str],
    *,
    reader: str = "R1",
    organ: str = "liver",
    **more: object,
) -> list[Measurement]:
    """Rows of a non-target or new lesion; ``states`` by time point."""
    return [
        Measurement(
            subject=subject,
            timepoint=timepoint,
            date=when(subject, timepoint),
            reader=reader,
            lesion=lesion,
            role=role,
            organ=organ,
            state=State(state),
            **more,  # type: ignore[arg-type]
        )
        for timepoint, state in states.items()
    ]


def as_nodes(rows: Iterable[Measurement]) -> list[Measurement]:
    """The same rows as a lymph node, followed by its short axis."""
    return [replace(r, kind=Kind.NODE, organ="lymph node", station="porta hepatis", basis=None) for r in rows]


def rows() -> list[Measurement]:
    """All measurements."""
    present = {0: "present", 1: "present", 2: "present", 3: "present"}
    one = target("S-01", "T01", "48.2/39.6/46.1/35", "47.1/38/30.2/21.4", "45/37.2/24.5/14", "44.3/36/18.2/9.9")
    one += target("S-01", "T02", "31/27.5/31/27.5", "30.2/27/20.1/12", "29.4/26/15.3/9.2", "30/26.1/12.8/8")
    one += other("S-01", "NT01", Role.NON_TARGET, present, comment="portal vein thrombus, bland")
    two = target("S-02", "T01", "52/44/50/41", "38.5/30/33/25", "36/28/30.5/22", "41.5/33/37/30", "55/46/53/41")
    two += other("S-02", "NT01", Role.NON_TARGET, dict.fromkeys(range(5), "present"))
    found = {2: "equivocal", 3: "unequivocal", 4: "unequivocal"}
    nodule = other("S-02", "NEW01", Role.NEW, found, pattern=Pattern.TYPICAL, comment="segment VI")
    sizes = {2: Decimal(8), 3: Decimal("12.5"), 4: Decimal(19)}
    two += [replace(r, longest_mm=sizes[r.timepoint]) for r in nodule]
    three = target("S-03", "T01", "33/28/33/26", "14.2/11/9.5/6", "too-small", "absent", "absent")
    three += as_nodes(target("S-03", "LN01", "24/17.5", "16/11.2", "13/9", "12/8.4", "12/8.1", organ="lymph node"))
    three += other("S-03", "NT01", Role.NON_TARGET, {0: "present", 1: "present", 2: "absent", 3: "absent", 4: "absent"})
    four = target("S-04", "T01", "41/35/40/33", "39/33/36/30", "", "37/30/30/22", "36/29/28/20")
    four += target("S-04", "T02", "22/18/22/17", "not-evaluable", "", "", "20/15/16/11", organ="liver")
    five = other("S-05", "NT01", Role.NON_TARGET, {0: "present", 1: "present", 2: "present", 3: "progressed"})
    five += other(
        "S-05", "NT02", Role.NON_TARGET, {0: "present", 1: "present", 2: "present", 3: "present"}, organ="bone"
    )
    six = target("S-06", "T01", "60/50/58/47", "58/48/39/30", "59/49/38/29")
    six += target("S-06", "T01", "61.5/50/59/47", "59/48/45.5/33", "60.2/49/47/35", reader="R2")
    seven = target("S-07", "T01", "18/15/17/14", "29/24/28/22", "57/49/55/46")
    ten = target("S-10", "T01", "27/21/27/20")
    return [*one, *two, *three, *four, *five, *six, *seven, *ten]


# --- pictures --------------------------------------------------------------------------------------------------------


def picture(row: Measurement, seed: int, column_spacing: float = 0.8, row_spacing: float = 0.8) -> KeyImage:
    """A drawn liver with a lesion of the row's sizes; the pixels are not square when the spacings differ."""
    from PIL import Image

    width, height = round(96 / column_spacing), round(96 / row_spacing)
    y, x = np.mgrid[0:height, 0:width]
    x_mm, y_mm = (x + 0.5) * column_spacing - 48, (y + 0.5) * row_spacing - 48
    noise = np.random.default_rng(seed).normal(0, 9, (height, width))
    grey = 118 + 12 * np.sin(x_mm / 17) * np.cos(y_mm / 23) + noise
    grey[(x_mm + 20) ** 2 + (y_mm - 66) ** 2 < 55**2] -= 8
    grey[(x_mm - 60) ** 2 + (y_mm + 20) ** 2 < 28**2] = 30 + noise[(x_mm - 60) ** 2 + (y_mm + 20) ** 2 < 28**2]
    a, b = float(row.longest_mm or 0) / 2, float(row.short_mm or 0) / 2
    angle = 0.5
    u, v = x_mm * np.cos(angle) + y_mm * np.sin(angle), -x_mm * np.sin(angle) + y_mm * np.cos(angle)
    grey[(u / a) ** 2 + (v / b) ** 2 < 1] -= 42
    c, d = float(row.viable_mm or 0) / 2, float(row.viable_short_mm or 0) / 2
    if c and d:
        grey[((u + a - c) / c) ** 2 + (v / d) ** 2 < 1] += 95
    buffer = io.BytesIO()
    Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(buffer, format="PNG", optimize=True)

    def at(along: float, across: float) -> tuple[float, float]:
        px = (along * np.cos(angle) - across * np.sin(angle) + 48) / column_spacing
        py = (along * np.sin(angle) + across * np.cos(angle) + 48) / row_spacing
        return float(px), float(py)

    def ring(centre: float, first: float, second: float) -> tuple[tuple[float, float], ...]:
        turns = np.linspace(0, 2 * np.pi, 60)
        return tuple(at(centre + first * np.cos(t), second * np.sin(t)) for t in turns)

    ends = {"longest": (at(-a, 0), at(a, 0)), "short": (at(0, -b), at(0, b))}
    outlines = {"whole": (ring(0, a, b),)}
    if c and d:
        ends |= {"viable": (at(-a, 0.6), at(-a + 2 * c, 0.6)), "viable_short": (at(c - a, -d), at(c - a, d))}
        outlines["viable"] = (ring(c - a, c, d),)
    lines = tuple(
        KeyLine(name=name, mm=getattr(row, f"{name}_mm"), start=start, end=end)
        for name, (start, end) in ends.items()
        if getattr(row, f"{name}_mm") is not None
    )
    return KeyImage(
        subject=row.subject,
        reader=row.reader,
        timepoint=row.timepoint,
        date=row.date,
        lesion=row.lesion,
        png=buffer.getvalue(),
        width=width,
        height=height,
        column_spacing_mm=column_spacing,
        row_spacing_mm=row_spacing,
        lines=lines,
        outlines=outlines,
        phase=row.phase,
        series="ART 2.5 B30f",
        slice_number=30 + row.timepoint,
        sop_instance_uid=f"1.2.3.{seed}",
        window=(70.0, 350.0),
    )


def pictures(measured: Iterable[Measurement]) -> tuple[KeyImage, ...]:
    """A picture of each target with both diameters."""
    found = [row for row in measured if row.role is Role.TARGET and row.longest_mm and row.short_mm]
    return tuple(
        picture(row, seed, row_spacing=0.8 if row.subject != "S-02" else 1.6) for seed, row in enumerate(found)
    )


# --- study -----------------------------------------------------------------------------------------------------------


def study(measured: list[Measurement] | None = None, *, images: bool = True, **more: object) -> StudyResults:
    """The results of the study, or of other measurements."""
    measured = rows() if measured is None else measured
    protocol = load_protocol()
    reads: dict[tuple[str, str], list[Measurement]] = {}
    for row in measured:
        reads.setdefault((row.subject, row.reader), []).append(row)
    derived = derive(reads, protocol, protocol.criteria)
    texts = tuple(
        CriterionText(
            name=setting.name,
            title=setting.criterion.title,
            quantity=setting.criterion.quantity,
            source=setting.criterion.source,
            unit=setting.criterion.unit,
        )
        for setting in protocol.criteria
    )
    given: dict[str, object] = {
        "title": "TACE pilot",
        "problems": derived.problems,
        "protocol_sha256": protocol.sha256,
        "version": "0.1.0",
    }
    return StudyResults(
        criteria=texts,
        measurements=tuple(measured),
        responses=derived.responses,
        best=derived.best,
        key_images=pictures(measured) if images else (),
        **(given | more),  # type: ignore[arg-type]
    )


PROBLEMS = (
    Problem(subject="S-08", message="segmentation refers to series 1.2.840.99, which is not in the folder; add it"),
    Problem(
        subject="S-06",
        reader="R3",
        message="time point 1 is dated 2023-03-01, not after time point 0; correct the dates",
    ),
    Problem(subject="", message="masks.csv: line 7 names no subject"),
)
NOTES = ("S-04, 2023-05-02: phase of series 'ABD 5.0' is not known; its viable diameters were not used",)
ARMS = {f"S-{n:02d}": "A" if n % 2 else "B" for n in range(1, 11)}


def full_study() -> StudyResults:
    """The study with problems, notes and arms."""
    return study(problems=PROBLEMS, notes=NOTES, arms=ARMS)


if __name__ == "__main__":
    from mrecist.report.html import report_html

    Path(sys.argv[1]).write_text(report_html(full_study()), encoding="utf-8")
