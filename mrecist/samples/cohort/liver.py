"""The liver function of a simulated subject: rows of liver.csv, at baseline and at every visit that takes place.

Bilirubin and albumin are drawn inside the bands of the Child-Pugh class (Pugh 1973: 2 and 3 mg/dL, 35 and 28 g/L), the points are those of
the two and of a prothrombin time, ascites and encephalopathy that go with the class, and ALBI = 0.66 log10(bilirubin in umol/L) - 0.085
albumin in g/L (Johnson 2015, Journal of Clinical Oncology 33:550). Who becomes untreatable by the liver has class C from that day on.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log10

import numpy as np

from mrecist.samples.cohort.life import Life

COLUMNS = ("date", "child_pugh", "points", "bilirubin_umol_l", "albumin_g_l", "albi")
# Class -> bilirubin and albumin from and to, and the points of all five.
BANDS = {
    "A": ((8, 30), (36, 46), (5, 6)),
    "B": ((35, 50), (28, 34), (7, 9)),
    "C": ((60, 140), (20, 27), (10, 13)),
}


def rows_of(life: Life, rng: np.random.Generator) -> Iterator[tuple[int | None, dict[str, str]]]:
    """Day (None: baseline) and cells of each row."""
    yield None, _row(life.child_pugh, rng)
    days = [visit.day for visit in life.attended()]
    failed = life.untreatable if life.untreatable_by == "child_pugh_c" else None
    if failed is not None and failed <= life.known_until:
        days.append(failed)
    for day in sorted(set(days)):
        yield day, _row("C" if failed is not None and day >= failed else life.child_pugh, rng)


def _row(grade: str, rng: np.random.Generator) -> dict[str, str]:
    bilirubins, albumins, points = BANDS[grade]
    bilirubin, albumin = round(rng.uniform(*bilirubins), 1), round(rng.uniform(*albumins), 1)
    return {
        "child_pugh": grade,
        "points": str(rng.integers(points[0], points[1] + 1)),
        "bilirubin_umol_l": f"{bilirubin:.1f}",
        "albumin_g_l": f"{albumin:.1f}",
        "albi": f"{0.66 * log10(bilirubin) - 0.085 * albumin:.2f}",
    }
