"""Accepted reads in ODM and REDCap: the track in which the read of a response counts (tests/accepted_study.py)."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from accepted_study import CENTRAL, INVESTIGATORS, Study, rows

from mrecist.cli import main
from mrecist.exporting.results_rows import read_results


@pytest.fixture
def study(tmp_path: Path) -> Study:
    made = Study(tmp_path)
    made.assess(*CENTRAL, *INVESTIGATORS)
    return made


def test_each_response_says_whether_its_read_counts(study: Study) -> None:
    found = read_results(study.results)
    of_s2 = {(r["reader"], r["criterion"]): r["accepted"] for r in found.best_responses if r["subject"] == "S2"}
    assert of_s2 == {
        ("R1", "mrecist"): "no",
        ("R1", "recist11"): "central",
        ("R2", "mrecist"): "central",
        ("R2", "recist11"): "no",
        ("Dr.A", "mrecist"): "investigator",
        ("Dr.A", "recist11"): "",
    }
    assert {r["accepted"] for r in found.responses if (r["subject"], r["reader"]) == ("S2", "Dr.A")} == {
        "investigator",
        "",
    }
    assert [p.subject for p in found.problems] == ["S3", "S3"]


def test_redcap_has_a_field_for_it_where_reads_are_accepted(study: Study) -> None:
    out = study.folder / "redcap"
    assert main(["export", "redcap", str(study.results), "--out", str(out)]) == 1
    names = [row["Variable / Field Name"] for row in rows(out / "dictionary.csv")]
    assert {"tr_accepted", "br_accepted"} <= set(names)
    told = [
        row["br_accepted"] for row in rows(out / "records.csv") if row["redcap_repeat_instrument"] == "best_response"
    ]
    # Of 24 best responses six are accepted centrally and three of investigators, whose track has no row by RECIST 1.1.
    assert (told.count("central"), told.count("investigator"), told.count("no"), told.count("")) == (6, 3, 12, 3)


def test_a_project_of_results_without_them_stays_as_it_is(study: Study) -> None:
    study.assess()
    out = study.folder / "redcap"
    assert main(["export", "redcap", str(study.results), "--out", str(out)]) == 0
    assert "accepted" not in (out / "dictionary.csv").read_text(encoding="utf-8")


def test_odm_by_the_template(study: Study) -> None:
    oids, out = study.folder / "oids.csv", study.folder / "odm"
    assert main(["export", "odm", "--map-template", str(oids), "--style", "odm"]) == 0
    assert main(["export", "odm", str(study.results), "--map", str(oids), "--out", str(out)]) == 1
    text = (out / "clinical_data.xml").read_text(encoding="utf-8")
    # The codes of the template: central 1, investigator 2, no 3.
    assert text.count('ItemOID="I_BEST_ACCEPTED" Value="1"') == 6
    assert text.count('ItemOID="I_BEST_ACCEPTED" Value="2"') == 3
    assert text.count('ItemOID="I_BEST_ACCEPTED" Value="3"') == 12


def test_a_form_for_the_accepted_read_alone(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    oids, out = study.folder / "oids.csv", study.folder / "odm"
    assert main(["export", "odm", "--map-template", str(oids), "--style", "odm"]) == 0
    lines = rows(oids)
    best = [line for line in lines if line["table"] == "best_responses"]
    for line in best:
        line["where"] = "accepted=central"
    lines += [{**line, "where": "accepted!=central", "oid": "-"} for line in best]
    with oids.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    assert main(["export", "odm", str(study.results), "--map", str(oids), "--out", str(out)]) == 1
    text = (out / "clinical_data.xml").read_text(encoding="utf-8")
    # One by each criterion of S1, S2 and S4; nothing else of the export is amiss but that S3 is open.
    assert text.count('ItemOID="I_BEST_BEST_UNCONFIRMED"') == 6
    told = [
        line for line in capsys.readouterr().err.splitlines() if line.startswith("mrecist: ") and "note" not in line
    ]
    assert len(told) == 2
    assert all("subject S3" in line for line in told)


def test_a_map_without_it_names_what_it_leaves_out(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    oids, out = study.folder / "oids.csv", study.folder / "odm"
    assert main(["export", "odm", "--map-template", str(oids), "--style", "odm"]) == 0
    kept = [line for line in oids.read_text(encoding="utf-8").splitlines() if ",accepted," not in line]
    oids.write_text("\n".join(kept) + "\n", encoding="utf-8")
    assert main(["export", "odm", str(study.results), "--map", str(oids), "--out", str(out)]) == 1
    assert "best_responses accepted: 21 values have no line in oids.csv and are not exported" in capsys.readouterr().err
