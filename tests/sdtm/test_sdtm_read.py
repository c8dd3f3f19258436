"""TU and TR to rows of measurements.csv: every trap of the domains, with rows worked out by hand (SDTMIG 3.4, 6.3.12)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sdtm_runs import Outcome, Run
from sdtm_study import FORMATS, Row, not_done, rs, tr, tu, write_all

from mrecist.cli import main

LESIONS = [
    tu("S", "T01", "TARGET", TULOC="LIVER, RIGHT LOBE", TULAT="RIGHT"),
    tu("S", "T02", "TARGET", TULOC="PORTAL LYMPH NODE"),
    tu("S", "NT01", "NON-TARGET", TULOC="LUNG"),
    tu("S", "NEW01", "NEW", "2", TULOC="BONE"),
]
RESULTS = [
    *(tr("S", "T01", "LDIAM", size, visit, TRMETHOD="CT SCAN") for visit, size in (("1", "31.7"), ("2", "9.8"))),
    *(tr("S", "T02", "LPERP", size, visit) for visit, size in (("1", "22"), ("2", "8.25"))),
    *(tr("S", "NT01", "TUMSTATE", state, visit) for visit, state in (("1", "PRESENT"), ("2", "ABSENT"))),
    tr("S", "NEW01", "TUMSTATE", "EQUIVOCAL", "2"),
]
SHOWN = (
    "timepoint",
    "date",
    "lesion",
    "role",
    "kind",
    "organ",
    "station",
    "state",
    "longest_mm",
    "short_mm",
    "modality",
)
ROWS = [
    ("0", "2024-01-01", "NT01", "non-target", "lesion", "lung", "", "present", "", "", ""),
    ("0", "2024-01-01", "T01", "target", "lesion", "liver", "right lobe right", "measured", "31.7", "", "CT"),
    ("0", "2024-01-01", "T02", "target", "node", "lymph node", "portal lymph node", "measured", "", "22", ""),
    ("1", "2024-02-26", "NEW01", "new", "lesion", "bone", "", "equivocal", "", "", ""),
    ("1", "2024-02-26", "NT01", "non-target", "lesion", "lung", "", "absent", "", "", ""),
    ("1", "2024-02-26", "T01", "target", "lesion", "liver", "right lobe right", "measured", "9.8", "", "CT"),
    ("1", "2024-02-26", "T02", "target", "node", "lymph node", "portal lymph node", "measured", "", "8.25", ""),
]


def shown(done: Outcome, *columns: str) -> list[tuple[str, ...]]:
    return [tuple(row[c] for c in columns) for row in done.tables["measurements"]]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_rows(run: Run, form: str) -> None:
    done = run(form=form, tu=LESIONS, tr=RESULTS)
    assert (done.code, shown(done, *SHOWN)) == (0, ROWS)
    assert {row["reader"] for row in done.tables["measurements"]} == {"INVESTIGATOR"}
    assert "baseline is the visit that TRLOBXFL or TRBLFL marks" in done.err
    assert "comparison" not in done.tables


def test_what_is_written_can_be_read_again(run: Run, tmp_path: Path) -> None:
    first = run(tu=LESIONS, tr=RESULTS)
    again = tmp_path / "again"
    assert main(["assess", str(tmp_path / "out" / "measurements.csv"), "--out", str(again)]) == 0
    for name in ("responses.csv", "best_responses.csv"):
        assert (again / name).read_text() == (tmp_path / "out" / name).read_text()
    assert first.tables["problems"] == []


def test_several_readers_and_the_accepted_one(run: Run) -> None:
    independent = {"TREVAL": "INDEPENDENT ASSESSOR", "TREVALID": "RADIOLOGIST 1", "TRACPTFL": "Y"}
    by_reader = [
        *(tr("S", "T01", "LDIAM", size, visit) for visit, size in (("1", "30"), ("2", "30"))),
        *(tr("S", "R1-T01", "LDIAM", size, visit, **independent) for visit, size in (("1", "40"), ("2", "20"))),
    ]
    lesions = [
        tu("S", "T01", "TARGET"),
        tu("S", "R1-T01", "TARGET", TUEVAL="INDEPENDENT ASSESSOR", TUEVALID="RADIOLOGIST 1"),
    ]
    done = run(tu=lesions, tr=by_reader)
    best = {r["reader"]: r["best_unconfirmed"] for r in done.tables["best_responses"] if r["criterion"] == "recist11"}
    assert best == {"INVESTIGATOR": "SD", "RADIOLOGIST 1": "PR"}
    assert {r["comment"] for r in done.tables["measurements"] if r["reader"] == "RADIOLOGIST 1"} == {"accepted"}


def sized(subject: str = "S", **changed: str) -> list[Row]:
    """Baseline 30 mm and a follow-up whose record is changed."""
    return [tr(subject, "T01", "LDIAM", "30", "1"), tr(subject, "T01", "LDIAM", "20", "2") | changed]


@pytest.mark.parametrize(
    ("changed", "state", "longest"),
    [
        ({"TRORRES": "2.5", "TRORRESU": "cm", "TRSTRESC": "25", "TRSTRESN": "25"}, "measured", "25"),
        ({"TRORRES": "25.4", "TRSTRESC": "25", "TRSTRESN": "25"}, "measured", "25.4"),
        ({"TRORRES": "", "TRORRESU": "", "TRSTRESC": "", "TRSTRESN": "11.700000000000001"}, "measured", "11.7"),
        ({"TRORRES": "0", "TRSTRESC": "0", "TRSTRESN": "0"}, "absent", "0"),
        ({"TRORRES": "TOO SMALL TO MEASURE", "TRORRESU": "", "TRSTRESC": "5", "TRSTRESN": "5"}, "too-small", "5"),
        ({"TRORRES": "Too small  to measure", "TRSTRESC": "", "TRSTRESN": ""}, "too-small", ""),
        ({"TRORRES": "", "TRSTRESC": "", "TRSTRESN": "", "TRSTAT": "NOT DONE"}, "not-evaluable", ""),
        ({"TRORRES": "NOT EVALUABLE", "TRSTRESC": "", "TRSTRESN": ""}, "not-evaluable", ""),
    ],
)
def test_results_of_a_size(run: Run, changed: Row, state: str, longest: str) -> None:
    done = run(tu=[tu("S", "T01", "TARGET")], tr=sized(**changed))
    assert (done.code, shown(done, "state", "longest_mm")[-1]) == (0, (state, longest))


@pytest.mark.parametrize(
    ("lesions", "results", "words"),
    [
        ([tu("S", "T01", "TARGET")], sized(TRORRESU="in", TRSTRESU="in"), "LDIAM is in 'in', not in mm or cm"),
        ([tu("S", "T01", "TARGET")], sized(TRORRESU="", TRSTRESU=""), "LDIAM 20 has no unit; say mm"),
        ([tu("S", "T01", "TARGET")], sized(TRSTRESC="21"), "TRORRES is 20 mm and TRSTRESC is 21 mm; correct one"),
        ([tu("S", "T01", "TARGET")], sized(TRORRES="<5"), "LDIAM: TRORRES '<5' is not a number"),
        ([tu("S", "T01", "TARGET")], sized(TRSTAT="NOT DONE"), "TRSTAT is NOT DONE and the result is '20'"),
        ([tu("S", "T01", "TARGET")], sized(TRTESTCD="SAXIS"), "T01 has SAXIS only, which says neither size nor state"),
        ([tu("S", "T01", "TARGET")], sized(TRLNKID=""), "LDIAM has no TRLNKID"),
        ([tu("S", "T01", "TARGET")], sized(TRDTC="2024-02"), "TRDTC: '2024-02' lacks its day"),
        ([tu("S", "T01", "TARGET")], sized(TRDTC="2024-02-30"), "'2024-02-30' is not a day of the calendar"),
        ([tu("S", "T01", "MAIN ONE")], sized(), "TUSTRESC is 'MAIN ONE', not one of: TARGET"),
        ([tu("S", "T01", "TARGET"), tu("S", "T01", "NON-TARGET")], sized(), "role 'non-target' here and 'target'"),
        ([tu("S", "T02", "TARGET")], sized(), "T01 is not in TU and TRGRPID is ''"),
        ([tu("S", "T01", "TARGET")], sized(TRGRPID="NON-TARGET"), "T01 is target in TU and TRGRPID is 'NON-TARGET'"),
        (
            [tu("S", "T01", "TARGET")],
            [sized()[0], *(tr("S", "T01", t, r, "2") for t, r in (("LDIAM", "0"), ("TUMSTATE", "PRESENT")))],
            "T01 is 'PRESENT' with a size of 0 mm",
        ),
        (
            [tu("S", "T01", "TARGET")],
            [*sized(), tr("S", "T01", "DIAMETER", "18", "2")],
            "T01, a lesion, has DIAMETER 18 and LDIAM 20 for one size",
        ),
        (
            [tu("S", "T01", "TARGET")],
            [*sized(), tr("S", "T01", "TUMSTATE", "ABSENT", "2")],
            "state is 'absent' but longest_mm is 20",
        ),
        (
            [tu("S", "T01", "TARGET"), tu("S", "NT01", "NON-TARGET")],
            [*sized(), tr("S", "NT01", "TUMSTATE", "LARGER", "1")],
            "the state 'LARGER' is not understood for a non-target",
        ),
    ],
)
def test_what_is_not_understood_is_a_problem_and_the_rest_is_done(
    run: Run, lesions: list[Row], results: list[Row], words: str
) -> None:
    """A second subject without fault is assessed all the same."""
    done = run(tu=[*lesions, tu("OK", "T01", "TARGET")], tr=[*results, *sized("OK")])
    assert done.code == 1
    assert words in done.err
    assert "subject S, reader INVESTIGATOR" in done.err
    assert {p["subject"] for p in done.tables["problems"]} == {"S"}
    assert {r["subject"] for r in done.tables["responses"]} == {"OK"}
    assert {r["overall"] for r in done.tables["responses"] if r["criterion"] == "recist11"} == {"", "PR"}


def test_a_partial_date_follows_the_protocol(run: Run, tmp_path: Path) -> None:
    protocol = tmp_path / "p.toml"
    protocol.write_text('format = "mrecist-protocol/1"\n[schedule]\npartial_date = "last_of_month"\n')
    done = run(tu=[tu("S", "T01", "TARGET")], tr=sized(TRDTC="2024-02"), options=["--protocol", str(protocol)])
    assert (done.code, shown(done, "date")[-1]) == (0, ("2024-02-29",))


def test_time_points_follow_the_dates_and_not_the_visit_numbers(run: Run) -> None:
    """Unscheduled visit 99 lies between weeks 8 and 16; times of day are left out; a screening scan is before the baseline."""
    results = [
        tr("S", "T01", "LDIAM", "33", "1", TRLOBXFL="", VISITNUM="0.5", VISIT="SCREENING", TRDTC="2023-12-01"),
        tr("S", "T01", "LDIAM", "30", "1", TRDTC="2024-01-01T09:30"),
        tr("S", "T01", "LDIAM", "20", "2"),
        tr("S", "T01", "LDIAM", "22", "3"),
        tr("S", "T01", "LDIAM", "21", "2", VISITNUM="99", VISIT="UNSCHEDULED", TRDTC="2024-03-11"),
    ]
    done = run(tu=[tu("S", "T01", "TARGET")], tr=results, rs=[rs("S", "OVRLRESP", "PR", "2", VISITNUM="99")])
    assert shown(done, "timepoint", "longest_mm") == [("0", "30"), ("1", "20"), ("2", "21"), ("3", "22")]
    assert "visits before the baseline are not used: SCREENING (1 subject: S)" in done.err
    assert [r["timepoint"] for r in done.tables["comparison"] if r["flags"].startswith("DATE_DIFFERS")] == ["2"]


@pytest.mark.parametrize(
    ("lesion", "words"),
    [
        ({"TULOBXFL": "Y", "VISITNUM": "2"}, "baseline is the visit that TULOBXFL or TUBLFL marks"),
        ({}, "baseline is the earliest visit, because no TRLOBXFL, TRBLFL or TULOBXFL is set"),
    ],
)
def test_the_baseline_without_a_flag_in_tr(run: Run, lesion: Row, words: str) -> None:
    results = [tr("S", "T01", "LDIAM", size, v, TRLOBXFL="") for v, size in (("1", "30"), ("2", "20"), ("3", "10"))]
    done = run(tu=[tu("S", "T01", "TARGET") | lesion], tr=results)
    assert words in done.err
    assert shown(done, "timepoint", "longest_mm")[0] == (("0", "20") if lesion else ("0", "30"))


def test_a_baseline_that_is_marked_in_two_visits(run: Run) -> None:
    """T01 was scanned at screening and T02 two weeks later; the second look at T01 is not marked and not used."""
    screening = {"VISITNUM": "0.5", "VISIT": "SCREENING", "TRDTC": "2023-12-18"}
    results = [
        tr("S", "T01", "LDIAM", "30", "1", **screening),
        tr("S", "T01", "LDIAM", "33", "1", TRLOBXFL=""),
        tr("S", "T02", "LDIAM", "20", "1"),
        *(tr("S", link, "LDIAM", "15", "2") for link in ("T01", "T02")),
    ]
    done = run(tu=[tu("S", "T01", "TARGET"), tu("S", "T02", "TARGET")], tr=results)
    assert shown(done, "timepoint", "date", "lesion", "longest_mm") == [
        ("0", "2023-12-18", "T01", "30"),
        ("0", "2024-01-01", "T02", "20"),
        ("1", "2024-02-26", "T01", "15"),
        ("1", "2024-02-26", "T02", "15"),
    ]
    assert "baseline is marked in several visits; what is not marked in them is not used" in done.err


def test_a_node_that_is_gone_is_not_pathological(run: Run) -> None:
    results = [
        *(tr("S", "T01", "LPERP", size, visit) for visit, size in (("1", "16"), ("2", "0"))),
        tr("S", "T01", "LNSTATE", "NON-PATHOLOGICAL", "2"),
    ]
    done = run(tu=[tu("S", "T01", "TARGET", TULOC="LYMPH NODE")], tr=results)
    assert (done.code, shown(done, "state", "short_mm")[-1]) == (0, ("absent", "0"))


def test_a_split_lesion_is_the_sum_of_its_parts(run: Run) -> None:
    """40 mm, then 15 + 10 = 25 mm: -37.5 %, PR."""
    results = [
        tr("S", "T01", "LDIAM", "40", "1"),
        tr("S", "T01.1", "LDIAM", "15", "2"),
        tr("S", "T01B", "LDIAM", "10", "2"),
    ]
    splits = [tu("S", link, "TARGET", "2", TUTESTCD="TUSPLIT") for link in ("T01.1", "T01B")]
    done = run(tu=[tu("S", "T01", "TARGET"), *splits], tr=results)
    assert shown(done, "lesion", "part_of") == [("T01", ""), ("T01.1", "T01"), ("T01B", "T01")]
    (row,) = (r for r in done.tables["responses"] if (r["criterion"], r["timepoint"]) == ("recist11", "1"))
    assert (row["sum"], row["overall"]) == ("25", "PR")


@pytest.mark.parametrize("joined", [True, False])
def test_merged_lesions_count_once(run: Run, joined: bool) -> None:
    """30 + 20 = 50 mm, then one mass of 40 mm: -20 %, SD. Written as T01/T02, or on T01 with T02 merged."""
    results = [tr("S", "T01", "LDIAM", "30", "1"), tr("S", "T02", "LDIAM", "20", "1")]
    if joined:
        results.append(tr("S", "T01/T02", "LDIAM", "40", "2"))
    else:
        results += [tr("S", "T01", "LDIAM", "40", "2"), tr("S", "T02", "TUMSTATE", "TUMOR MERGED", "2")]
    merge = tu("S", "T01/T02", "TARGET", "2", TUTESTCD="TUMERGE")
    done = run(tu=[tu("S", "T01", "TARGET"), tu("S", "T02", "TARGET"), merge], tr=results)
    assert shown(done, "lesion", "state", "part_of")[2:] == [("T01", "measured", ""), ("T02", "merged", "T01")]
    (row,) = (r for r in done.tables["responses"] if (r["criterion"], r["timepoint"]) == ("recist11", "1"))
    assert (row["sum"], row["overall"]) == ("40", "SD")


def test_a_merge_that_names_no_partner_is_a_problem(run: Run) -> None:
    results = [*sized(), tr("S", "T02", "LDIAM", "20", "1"), tr("S", "T02", "TUMSTATE", "TUMOR MERGED", "2")]
    done = run(tu=[tu("S", "T01", "TARGET"), tu("S", "T02", "TARGET")], tr=results)
    assert done.code == 1
    assert "T02 has merged and no TUMERGE says with which lesion" in done.err


def test_a_new_lesion_that_only_tu_knows_is_not_lost(run: Run) -> None:
    done = run(tu=[tu("S", "T01", "TARGET"), tu("S", "NEW01", "NEW", "2")], tr=sized())
    assert shown(done, "lesion", "state", "timepoint")[-2] == ("NEW01", "unequivocal", "1")
    assert "new lesions that are in TU and never in TR are unequivocal" in done.err


def test_roles_from_the_group_when_tu_is_silent_are_told(run: Run) -> None:
    done = run(tr=[row | {"TRGRPID": "TARGET"} for row in sized()])
    assert (done.code, shown(done, "role")[0]) == (0, ("target",))
    assert "lesions that are not in TU have the role that TRGRPID gives and are taken as no lymph nodes" in done.err


def test_viable_diameters_are_kept_beside_the_longest(run: Run) -> None:
    """VDIAM not done leaves the longest diameter as it is; 0 means that nothing enhances."""
    results = [
        *(tr("S", "T01", "LDIAM", "30", v) for v in "123"),
        tr("S", "T01", "VDIAM", "25", "1"),
        tr("S", "T01", "VDIAM", "0", "2"),
        not_done("S", "T01", "VDIAM", "3"),
    ]
    done = run(tu=[tu("S", "T01", "TARGET")], tr=results)
    assert shown(done, "state", "longest_mm", "viable_mm") == [
        ("measured", "30", "25"),
        ("measured", "30", "0"),
        ("measured", "30", ""),
    ]


def test_files_may_be_named_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_all(tmp_path, "csv", tu_onco=LESIONS, tr_onco=RESULTS)
    files = [str(folder / "tu_onco.csv"), str(folder / "tr_onco.csv")]
    assert main(["assess", *files, "--out", str(tmp_path / "out")]) == 0
    assert "time-point responses" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("tr.xpt", b"not a transport file", "is not a readable SAS XPT file"),
        ("tr.json", b"{", "is not valid JSON"),
        ("tr.json", b'{"columns": [{"name": "TRTESTCD"}], "rows": [["a", "b"]]}', "is not Dataset-JSON"),
        ("tr.csv", b"USUBJID,TRTESTCD\nS,LDIAM\n", "is TR without TRLNKID"),
        ("tr.csv", b"USUBJID,AGE\nS,5\n", "has no TUTESTCD, TRTESTCD or RSTESTCD"),
        ("tu.csv", b"USUBJID,TULNKID,TUTESTCD\nS,T01,TUMIDENT\n", "no tumour results; give TR"),
        ("other.csv", b"", "no tumour results; give TR"),
    ],
)
def test_what_is_no_sdtm_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, words: str
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(content)
    assert main(["assess", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_domain_that_is_there_twice_is_not_chosen_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_all(tmp_path, "csv", tr=RESULTS)
    write_all(tmp_path, "json", tr=RESULTS)
    assert main(["assess", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "TR stands there 2 times (tr.csv, tr.json)" in capsys.readouterr().err


def test_xpt_without_its_package_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyreadstat", None)
    (tmp_path / "tr.xpt").write_bytes(b"")
    assert main(["assess", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert (
        "needs the package pyreadstat, which is not installed; pip install 'mrecist[exports]'"
        in capsys.readouterr().err
    )


def test_compare_needs_sdtm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "measurements.csv"
    path.write_text("subject,timepoint,date,lesion,role,state\nS,0,2024-01-01,T01,target,measured\n")
    assert main(["assess", str(path), "--compare", str(path), "--out", str(tmp_path / "out")]) == 2
    assert "--compare checks SDTM" in capsys.readouterr().err
