"""What is read out of a results folder: as recorded, numbered so that later visits change nothing, faults told."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from edc_results import assessed, rows, write_table

from mrecist.cli import main
from mrecist.errors import InputError
from mrecist.exporting.odm.check import read_clinical_data
from mrecist.exporting.odm.export import export_odm, write_template
from mrecist.exporting.redcap.export import export_redcap
from mrecist.exporting.results_fields import FieldKind, field_of, plain_value
from mrecist.exporting.results_rows import read_results

SAME = {"subject": "S1", "date": "2024-01-08", "kind": "lesion", "organ": "liver"}


def lesion(name: str, timepoint: str = "0", **cells: str) -> dict[str, str]:
    kind = {"role": "target", "state": "measured", "longest_mm": "30"}
    if not name.startswith("T"):
        kind = {"role": "non-target", "state": "present"}
    return {**SAME, "timepoint": timepoint, "lesion": name, **kind, **cells}


def test_lesions_are_numbered_by_first_visit_role_and_name(tmp_path: Path) -> None:
    """By hand: T2 before T10, targets before the others, what comes later after all that was there."""
    later = {"date": "2024-03-08"}
    table = [lesion("NT1"), lesion("T10"), lesion("T2"), *(lesion(n, "1", **later) for n in ("T2", "T10", "NT1"))]
    table.append({**SAME, **later, "timepoint": "01", "lesion": "A", "role": "New", "state": "Equivocal"})
    found = read_results(assessed(tmp_path, table)).measurements
    numbers = {(cells["lesion"], cells["timepoint"]): cells["lesion_number"] for cells in found}
    baseline = {("T2", "0"): "1", ("T10", "0"): "2", ("NT1", "0"): "3"}
    assert numbers == {**baseline, ("T2", "1"): "1", ("T10", "1"): "2", ("NT1", "1"): "3", ("A", "1"): "4"}
    (new,) = (cells for cells in found if cells["lesion"] == "A")
    assert (new["role"], new["state"], new["reader"]) == ("new", "equivocal", "R1")


def test_a_read_that_was_not_assessed_is_left_out_and_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A lesion twice at a visit contradicts itself: the others are exported."""
    table = [lesion("T1"), lesion("T1", subject="S2"), lesion("T1", subject="S2", longest_mm="31")]
    source = write_table(tmp_path / "input.csv", table)
    results = tmp_path / "results"
    assert main(["assess", str(source), "--out", str(results)]) == 1
    map_path = write_template(tmp_path / "map.csv", "odm").files[0]
    done = export_odm(results, tmp_path / "odm", map_path)
    assert {place.subject for place in read_clinical_data(done.files[0].read_bytes())} == {"S1"}
    assert any(
        "subject S2, reader R1: is measured and has no response; it is left out" in p.message for p in done.problems
    )
    capfd.readouterr()
    assert main(["export", "redcap", str(results), "--out", str(tmp_path / "redcap")]) == 1
    assert "subject S2, reader R1" in capfd.readouterr().err


def test_what_score_could_not_do_is_told_again(tmp_path: Path) -> None:
    results = assessed(tmp_path, rows(("S-1",)))
    (results / "problems.csv").write_text("subject,reader,message\nS-9,R1,a mask is damaged\n", encoding="utf-8")
    (problem,) = read_results(results).problems
    assert (problem.subject, problem.message) == ("S-9", f"problems.csv of {results}: a mask is damaged")


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no measurements\.csv"):
        read_results(tmp_path)
    results = assessed(tmp_path, rows(("S-1",)))
    (results / "measurements.csv").write_text("subject\nS-1\n", encoding="utf-8")
    with pytest.raises(InputError, match="was changed since the responses were derived from it"):
        read_results(results)
    (results / "measurements.csv").unlink()
    with (results / "responses.csv").open(encoding="utf-8", newline="") as file:
        changed = [{**cells, "timepoint": "one"} for cells in csv.DictReader(file)]
    write_table(results / "responses.csv", changed)
    with pytest.raises(InputError, match="timepoint is 'one'"):
        read_results(results)


def test_subjects_of_the_results_and_of_the_table(tmp_path: Path) -> None:
    results = assessed(tmp_path, rows(("S-1", "S-2")))
    subjects = write_table(tmp_path / "subjects.csv", [{"subject": "S-1", "arm": "A"}, {"subject": "S-7", "arm": "B"}])
    found = read_results(results, subjects)
    assert found.subject_names() == ["S-1", "S-2", "S-7"]
    assert found.notes == (f"subject S-2: is not in {subjects}",)
    write_table(subjects, [{"subject": "S-1", "arm": "A"}, {"subject": "S-1", "arm": "B"}])
    with pytest.raises(InputError, match="line 3 is a second row of subject S-1"):
        read_results(results, subjects)


def test_columns_of_subjects_are_texts_whatever_they_are_called(tmp_path: Path) -> None:
    """A US state is no state of a lesion."""
    assert field_of("subjects", "state").kind is FieldKind.TEXT
    assert field_of("measurements", "state").kind is FieldKind.CHOICE
    results = assessed(tmp_path, rows(("S-1",)))
    subjects = write_table(
        tmp_path / "subjects.csv", [{"subject": "S-1", "state": "CA", "sum": "all", "death": "2024-09-01"}]
    )
    done = export_redcap(results, tmp_path / "out", subjects=subjects)
    assert done.problems == ()
    assert done.files[1].read_text(encoding="utf-8").splitlines()[1].startswith("S-1,,,")


def test_other_rules_are_noted(tmp_path: Path) -> None:
    results = assessed(tmp_path, rows(("S-1",)))
    protocol = tmp_path / "other.toml"
    text = (results / "derivation" / "protocol.toml").read_text(encoding="utf-8") or 'format = "mrecist-protocol/1"\n'
    protocol.write_text(f'{text}[study]\nid = "X1"\n', encoding="utf-8")
    assert read_results(results, protocol=protocol).notes == ()
    protocol.write_text('format = "mrecist-protocol/1"\n[response]\nsd_min_days = 49\n', encoding="utf-8")
    (note,) = read_results(results, protocol=protocol).notes
    assert "derived with another [response] than this protocol's" in note
    (results / "derivation" / "protocol.toml").unlink()
    assert "does not say by which protocol" in read_results(results).notes[0]


@pytest.mark.parametrize(
    ("text", "written"), [("14.0", "14.0"), ("1E+1", "10"), ("+5", "5"), ("2e-3", "0.002"), ("007", "007")]
)
def test_numbers_are_as_recorded_or_written_out(text: str, written: str) -> None:
    assert plain_value(field_of("measurements", "longest_mm"), text) == written


@pytest.mark.parametrize("text", ["2024-03", "2024-02-30", "8.1.2024"])
def test_a_date_that_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        plain_value(field_of("measurements", "date"), text)
