"""Whatever a reader records, a check says something about it and never breaks off."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from check_rows import START, protocol
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mrecist.checks.finding import findings_csv, findings_json
from mrecist.checks.run import check_read
from mrecist.criteria import CRITERIA
from mrecist.errors import ReadError
from mrecist.model import STATES_OF, Basis, Kind, LocalTherapy, Measurement, Role, SubjectDates, YesNo
from mrecist.response.read import build_read

SIZE = st.none() | st.decimals(0, 450, places=1)
RULES = protocol(
    criteria={name: {} for name in CRITERIA},
    schedule={"visits": [{"every_weeks": 8, "until_week": 24}]},
    origin={"event": "first_dose"},
)


@st.composite
def rows(draw: st.DrawFn) -> Measurement:
    lesion = draw(st.sampled_from(["A", "B", "C", "N"]))
    role = draw(st.sampled_from([Role.NEW] if lesion == "N" else [Role.TARGET, Role.TARGET, Role.NON_TARGET]))
    timepoint = draw(st.integers(1 if lesion == "N" else 0, 3))
    return Measurement(
        subject="S1",
        timepoint=timepoint,
        date=draw(st.sampled_from([START + timedelta(days=56 * timepoint)] * 9 + [START, None])),
        lesion=lesion,
        role=role,
        kind=draw(st.sampled_from([Kind.LESION, Kind.LESION, Kind.NODE])),
        organ=draw(st.sampled_from(["liver", "left lung", "portal vein thrombus", ""])),
        state=draw(st.sampled_from(STATES_OF[role])),
        longest_mm=draw(SIZE),
        short_mm=draw(SIZE),
        viable_mm=draw(SIZE),
        volume_mm3=draw(SIZE),
        mean_hu=draw(st.none() | st.decimals(-90, 200, places=0)),
        viable_foci_mm=tuple(draw(st.lists(st.decimals(0, 60, places=1), max_size=2))),
        basis=draw(st.none() | st.sampled_from(Basis)),
        part_of=draw(st.sampled_from(["", "", "", "A", "B"])),
        local_therapy=draw(st.none() | st.sampled_from(LocalTherapy)),
        lipiodol=draw(st.none() | st.sampled_from(YesNo)),
        modality=draw(st.sampled_from(["CT", "MRI", "US", "DX", ""])),
        phase=draw(st.sampled_from(["ARTERIAL", "PVP", "UNKNOWN", ""])),
        slice_thickness_mm=draw(st.none() | st.sampled_from([Decimal(0), Decimal(5), Decimal("5.1")])),
    )


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(rows(), min_size=1, max_size=10))
def test_no_read_breaks_the_checks(read: list[Measurement]) -> None:
    dates = SubjectDates(origins={"S1": START})
    found = check_read(read, RULES, None, dates)
    try:
        build_read(read)
        refused = False
    except ReadError:
        refused = True
    # What the engine refuses is an error here, and nothing that it takes is called a contradiction of the read.
    assert not refused or any(finding.severity == "error" for finding in found)
    assert check_read(list(reversed(read)), RULES, None, dates) is not None
    assert findings_csv(found, "").count("\n") >= len(found) + 1
    assert len(findings_json(found, "")) == len(found)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(rows(), min_size=1, max_size=8, unique_by=lambda row: (row.timepoint, row.lesion)))
def test_the_order_of_rows_does_not_matter(read: list[Measurement]) -> None:
    assert sorted(map(str, check_read(read, RULES))) == sorted(map(str, check_read(read[::-1], RULES)))
