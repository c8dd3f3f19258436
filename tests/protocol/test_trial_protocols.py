"""Six trial protocols (a base and five that extend it): they load, are told in plain words, and every key decides what it says.

Expected categories are worked out by hand from the numbers beside them, never taken from the program.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from trial_rows import (
    LESION,
    NAMES,
    START,
    TRIALS,
    areas,
    best,
    changed,
    flags,
    overall,
    responses,
    row,
)

from mrecist.checks.run import check_read
from mrecist.cli import main
from mrecist.dates import PartialDate
from mrecist.model import Kind, Measurement, Response, SubjectDates
from mrecist.protocol import FORMAT, Protocol, load_protocol, parse_protocol
from mrecist.protocol.extending import read_whole
from mrecist.response.derive import best_of_visits

# --- they load, and are told -----------------------------------------------------------------------------------------

TOLD = {
    "base": (
        "Criterion main: mRECIST (HCC), as published",
        "exported as RSCAT MRECIST LENCIONI LIVER CANCER 2010",
        "targets from 10 mm, nodes from 15 mm short axis, at the porta hepatis from 20 mm",
        "no data_cutoff is given yet",
        "Visits are due every 8 weeks until week 48, then every 12 weeks, 7 days sooner or later",
        "dated by its earliest scan when it is a progression, else by its latest scan",
        "A date without its day is taken as the last of its month",
        "Read by two readers and an adjudicator, who decides on best response and pd date",
        "SDTM IG 3.4, terms of 2022-09-30, as xpt5 and dataset-json; sums and best responses are exported",
        "ODM 1.3.2 with the OIDs of oids.csv; REDCap instrument tumor_response with its data dictionary",
        "arms are compared by logrank stratified, cox stratified",
    ),
    "t1": ("Criterion main: RECIST 1.1, as published", "progression from at least +20 % and at least +5 mm"),
    "t2": (
        "Criterion main: RECICL (HCC), but pr_percent = 30 (published: 50); new_lesion_is_pd = false (published: true)",
        "progression from at least +25 % from the baseline sum",
        "a new lesion of the organ liver is flagged and no progression, unless it names a thrombus",
        "deterioration to Child-Pugh C after TACE",
    ),
    "t3": (
        "intrahepatic and extrahepatic responses (intrahepatic: liver)",
        "Day 1 is the first HAIC in procedures.csv",
    ),
    "t4": (
        "Criterion immune: iRECIST, but icpd_max_days = 56 (published: 0)",
        "at least 28 days after the first iUPD and at most 56 days after the last",
        "Read by the investigator",
    ),
    "t5": (
        "No visit is due on a fixed day",
        "A date without its day is refused",
        "best response is MISSING",
        "competing: death, transplant",
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_trial_protocol_is_told_in_plain_words(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocol", "check", str(TRIALS / f"{name}.toml")]) == 0
    text = capsys.readouterr().out
    assert [words for words in TOLD[name] if words not in text] == []


def test_what_the_trials_say() -> None:
    """The last table of the page that the six blocks are from: criteria, origin, readers, confirmation."""
    trials = {name: changed(name) for name in NAMES}
    assert [trials[name].setting("main").criterion.name for name in NAMES] == [
        *("mrecist", "recist11", "recicl", "recist11", "recist11", "mrecist"),
    ]
    origins = [trials[name].origin.event for name in NAMES]
    assert origins == ["randomisation", "randomisation", "randomisation", "first_procedure", "first_dose", "enrolment"]
    assert [trials[name].readers.accepted for name in ("t3", "t4")] == ["adjudicator", "investigator"]
    assert [trials[name].response.confirm_required for name in NAMES] == [True] * 5 + [False]
    assert [trials[name].setting("main").rscat for name in ("base", "t1", "t2")] == [
        *("MRECIST LENCIONI LIVER CANCER 2010", "RECIST 1.1", "RECICL"),
    ]
    assert trials["t4"].setting("immune").rscat == "iRECIST"
    assert trials["t5"].partial_date is PartialDate.REFUSE
    assert trials["base"].partial_date is PartialDate.LAST_OF_MONTH
    assert trials["t5"].schedule.visits == ()


def test_exports_are_typed_and_have_defaults() -> None:
    export = changed("base").export
    assert (export.sdtm.ig, export.sdtm.ct, export.sdtm.derived) == ("3.4", "2022-09-30", "assessor")
    assert export.sdtm.format == ("xpt5", "dataset-json")
    assert (export.odm.version, export.odm.oid_map) == ("1.3.2", "oids.csv")
    assert (export.redcap.dictionary, export.redcap.repeat_instrument) == (True, "tumor_response")
    unset = load_protocol(None).export
    assert (unset.sdtm.format, unset.odm.oid_map) == (("xpt5",), "")


# --- what the criterion counts ---------------------------------------------------------------------------------------


def test_the_measure_decides() -> None:
    # Viable 40 to 20 mm is -50 %; the whole lesion stays at 50 mm.
    rows = (row("T1", 0, viable_mm="40", **LESION), row("T1", 1, viable_mm="20", **LESION))
    assert overall(changed("base"), *rows) == ["PR"]
    assert overall(changed("t1"), *rows) == ["SD"]


def test_the_absolute_minimum_of_t1_decides() -> None:
    # 20 to 24 mm is +20 % and +4 mm.
    sizes = [{"longest_mm": size, "viable_mm": size} for size in ("20", "24")]
    rows = [row("T1", timepoint, **given) for timepoint, given in enumerate(sizes)]
    assert overall(changed("base"), *rows) == ["PD"]
    assert overall(changed("t1"), *rows) == ["SD"]
    assert overall(changed("t1", pd_absolute_mm=0), *rows) == ["PD"]


def test_recicl_counts_progression_from_the_baseline() -> None:
    # 200 mm2, 140 (-30 %), 200 (+43 % from the nadir, 0 % from baseline), 250 (+25 % from baseline).
    rows = areas(("20", "10"), ("14", "10"), ("20", "10"), ("25", "10"))
    assert overall(changed("t2"), *rows) == ["PR", "SD", "PD"]
    # RECICL's own 50 % instead of the 30 % that the file inherits: 140 is no response.
    assert overall(changed("t2", drop=("pr_percent",)), *rows) == ["SD", "SD", "PD"]
    assert overall(changed("t2", pd_reference="nadir"), *rows) == ["PR", "PD", "PD"]


@pytest.mark.parametrize(
    ("organ", "spared", "default"),
    [("liver", "SD", "PD"), ("Liver, segment 4", "SD", "PD"), ("lung", "PD", "PD"), ("", "PD", "PD")],
)
def test_a_new_lesion_in_the_liver_is_no_untreatable_progression(organ: str, spared: str, default: str) -> None:
    rows = [*areas(("20", "10"), ("20", "10")), row("NEW1", 1, organ=organ)]
    assert overall(changed("t2"), *rows) == [spared]
    assert overall(changed("t2", new_lesion_is_pd=True), *rows) == [default]
    visit = responses(changed("t2"), *rows)[1]
    assert str(visit.new_lesion) == "yes"
    assert ("NEW_LESION_NOT_PD:NEW1" in visit.flags) is (spared == "SD")
    assert ("NEW_LESION_UNPLACED:NEW1" in visit.flags) is (organ == "")
    assert ("NEW1" in visit.reason) is True


def test_a_spared_new_lesion_leaves_no_complete_response() -> None:
    # Nothing viable is left of the target; the new nodule is: TE4 needs every nodule gone.
    rows = [*areas(("20", "10"), ("0", "0")), row("NEW1", 1, organ="liver")]
    assert overall(changed("t2"), *rows) == ["PR"]
    assert overall(changed("t2"), *areas(("20", "10"), ("0", "0"))) == ["CR"]


@pytest.mark.parametrize(
    ("cells", "category"),
    [
        ({"organ": "liver", "comment": "no thrombus"}, "SD"),
        ({"organ": "liver", "comment": "tumour thrombus in the left branch"}, "PD"),
        ({"organ": "liver", "station": "portal vein invasion"}, "PD"),
        ({"organ": "portal vein"}, "PD"),
        ({"organ": "lymph node", "station": "hepatic", "kind": Kind.NODE, "short_mm": "16"}, "PD"),
    ],
)
def test_vessels_and_nodes_are_not_the_liver(cells: dict[str, Any], category: str) -> None:
    """Vascular invasion and disease outside the liver are untreatable progression in TACTICS, whatever [regions] counts as intrahepatic."""
    content, _ = read_whole(TRIALS / "t2.toml")
    content = {key: one for key, one in content.items() if key != "endpoint"}
    protocol = parse_protocol({**content, "regions": {"intrahepatic": ["liver", "portal vein"]}}, where="t2")
    assert overall(protocol, *areas(("20", "10"), ("20", "10")), row("NEW1", 1, **cells)) == [category]


def test_the_interval_of_confirmation_decides() -> None:
    # 50, 60 on day 56 (+20 %, +10 mm: iUPD), 66 on day 126: 70 days after it, more than 56.
    rows = [row("T1", t, day, longest_mm=size) for t, (day, size) in enumerate([(0, "50"), (56, "60"), (126, "66")])]
    assert overall(changed("t4"), *rows, criterion="immune") == ["iUPD", "iUPD"]
    assert overall(changed("t4", "immune", ("confirm_pd",)), *rows, criterion="immune") == ["iUPD", "iCPD"]
    # With at most 70 days the same scan confirms; with at least 71 it is too early.
    for days, last in (({"max_days": 70}, "iCPD"), ({"min_days": 71}, "iUPD")):
        assert overall(changed("t4", "immune", confirm_pd=days), *rows, criterion="immune") == ["iUPD", last]


# --- who can be a target ---------------------------------------------------------------------------------------------


def not_measurable(protocol: Protocol, *rows: Measurement) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """(lesions, criteria) of the targets that `check` finds too small."""
    found = check_read(rows, protocol)
    return [(one.lesion, one.criterion) for one in found if one.check == "not_measurable"]


def test_the_smallest_target_is_the_criterions_own() -> None:
    target = row("T1", longest_mm="12", viable_mm="12", organ="liver")
    assert not_measurable(changed("t4"), target) == []
    # Of two criteria only the one that states 13 mm refuses 12 mm.
    assert not_measurable(changed("t4", min_target_mm=13), target) == [(("T1",), ("main",))]
    assert not_measurable(changed("t4", min_target_mm=12), target) == []


def test_the_smallest_node_is_the_criterions_own() -> None:
    node = row("T1", kind=Kind.NODE, short_mm="16", organ="lymph node")
    assert not_measurable(changed("t1"), node) == []
    assert not_measurable(changed("t1", node_target_mm=17), node) == [(("T1",), ("main",))]


def test_a_node_at_the_porta_hepatis_has_a_size_of_its_own() -> None:
    node = row("T1", kind=Kind.NODE, short_mm="18", organ="lymph node", station="porta hepatis")
    assert not_measurable(changed("t1"), node) == [(("T1",), ("main",))]
    assert not_measurable(changed("t1", portal_node_target_mm=18), node) == []
    assert not_measurable(changed("t1", drop=("portal_node_target_mm",)), node) == []


def test_with_mrecist_the_size_at_the_porta_hepatis_is_that_of_the_engine() -> None:
    # Viable 30 to 20 (-33 %). A node of 18 to 8 mm counts from 18 mm on only: 48 to 28 is -42 %, and without it -33 %.
    rows = [
        *(row("T1", t, longest_mm="40", viable_mm=size, organ="liver") for t, size in enumerate(("30", "20"))),
        *(row("T2", t, kind=Kind.NODE, short_mm=s, station="porta hepatis") for t, s in enumerate(("18", "8"))),
    ]
    assert [one.sum for one in responses(changed("base"), *rows)] == [Decimal(30), Decimal(20)]
    assert "PORTA_HEPATIS_NODE:T2" in flags(responses(changed("base"), *rows))
    wider = changed("base", portal_node_target_mm=18)
    assert wider.setting("main").thresholds.porta_hepatis_node_mm == 18
    assert [one.sum for one in responses(wider, *rows)] == [Decimal(48), Decimal(28)]
    assert not_measurable(wider, *rows) == []


# --- dates and best responses ----------------------------------------------------------------------------------------

TWO_DAYS = (row("T1", 0, longest_mm="50"), row("T1", 1, 60, longest_mm="50"), row("NEW1", 1, 56, organ="lung"))


@pytest.mark.parametrize(("scan", "day"), [("earliest_scan", 56), ("latest_scan", 60)])
def test_the_date_of_a_progression(scan: str, day: int) -> None:
    content, _ = read_whole(TRIALS / "t1.toml")
    del content["endpoint"]
    content["schedule"]["assessment_date"]["progression"] = scan
    protocol = parse_protocol(content, where="t1")
    assert responses(protocol, *TWO_DAYS)[1].date == START + timedelta(days=day)
    assert best(protocol, *TWO_DAYS).progression_date == START + timedelta(days=day)


@pytest.mark.parametrize(("scan", "day"), [("earliest_scan", 56), ("latest_scan", 60)])
def test_the_date_of_a_response(scan: str, day: int) -> None:
    content, _ = read_whole(TRIALS / "t1.toml")
    del content["endpoint"]
    content["schedule"]["assessment_date"]["response"] = scan
    rows = [row("T1", 0, longest_mm="50"), row("T2", 0, longest_mm="50")]
    rows += [row("T1", 1, 56, longest_mm="30"), row("T2", 1, 60, longest_mm="30")]
    found = best(parse_protocol(content, where="t1"), *rows)
    # 100 to 60 mm: partial response.
    assert (found.best_unconfirmed, found.first_response_date) == (Response.PR, START + timedelta(days=day))


def test_an_immune_progression_is_confirmed_from_the_day_that_dates_it() -> None:
    """+10 mm with scans of days 56 and 80, +6 mm on day 112: 56 days after the earliest, 32 after the latest."""
    rows = [row(t, 0, longest_mm="50") for t in ("T1", "T2")]
    rows += [row("T1", 1, 56, longest_mm="60"), row("T2", 1, 80, longest_mm="60")]
    rows += [row(t, 2, 112, longest_mm="66") for t in ("T1", "T2")]
    content, _ = read_whole(TRIALS / "t4.toml")
    del content["endpoint"]
    content["criteria"]["immune"]["confirm_pd"] = {"min_days": 40}
    for scan, last in (("earliest_scan", "iCPD"), ("latest_scan", "iUPD")):
        content["schedule"]["assessment_date"]["progression"] = scan
        assert overall(parse_protocol(content, where="t4"), *rows, criterion="immune") == ["iUPD", last]


def test_best_responses_of_base_and_t5_differ_where_their_rules_do() -> None:
    base, series = changed("base"), changed("t5")
    stable = [row("T1", 0, 0, longest_mm="50", viable_mm="40"), row("T1", 1, 30, longest_mm="50", viable_mm="40")]
    # SD on day 30: at least 28 days (T5), not 42 (base).
    assert (best(base, *stable).best_confirmed, best(series, *stable).best_confirmed) == (Response.NE, Response.SD)
    nothing = stable[:1]
    assert (best(base, *nothing).best_confirmed, best(series, *nothing).best_confirmed) == (
        Response.NE,
        Response.MISSING,
    )


def test_a_data_cutoff_without_its_date_cuts_nothing_and_says_so() -> None:
    rows = [row("T1", t, longest_mm="50", viable_mm=size) for t, size in enumerate(("40", "40", "20"))]
    assert "CUTOFF_UNKNOWN" in best(changed("t5"), *rows).flags
    rules = replace(changed("t5").response, data_cutoff=START + timedelta(days=60))
    visits = responses(changed("t5"), *rows)
    cut = best_of_visits(visits, rules, SubjectDates())
    assert cut.best_unconfirmed is Response.SD
    assert "CUTOFF_UNKNOWN" not in cut.flags


def test_explain_names_the_keys_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What departs from the default is named by the key that a user would change."""
    table = "subject,timepoint,date,lesion,role,organ,state,longest_mm\n"
    table += "S1,0,2024-01-01,T1,target,liver,measured,50\nS1,1,2024-02-26,T1,target,liver,measured,50\n"
    table += "S1,1,2024-02-26,NEW1,new,liver,unequivocal,12\n"
    (tmp_path / "m.csv").write_text(table, encoding="utf-8")
    text = f'format = "{FORMAT}"\n[criteria.main]\nstandard = "RECIST 1.1"\nnew_lesion_is_pd = false\n'
    text += '[schedule]\nassessment_date = { progression = "latest_scan" }\n'
    (tmp_path / "p.toml").write_text(text, encoding="utf-8")
    call = ["assess", str(tmp_path / "m.csv"), "--protocol", str(tmp_path / "p.toml"), "--out", str(tmp_path / "out")]
    assert main(call) == 0
    assert main(["explain", str(tmp_path / "out"), "S1"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "new_lesion_is_pd = false (as published: true)" in said
    assert "schedule.assessment_date.progression = latest_scan (default: earliest_scan)" in said
    assert "NEW1 unequivocal, in the liver, so no progression (new_lesion_is_pd)" in said
    # The target is SD, so the overall response is not made worse by the new lesion.
    assert "Time point 1, 2024-02-26: SD" in said
