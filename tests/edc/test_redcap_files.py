"""REDCap files: the dictionary has REDCap's columns and rules, the records are the results, the same bytes again."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest
from edc_results import HOSTILE, assessed, cells, rows, write_table

from mrecist.cli import main
from mrecist.errors import InputError
from mrecist.exporting.redcap.export import export_redcap

# The header of REDCap's own data dictionary file, as its "Download the current Data Dictionary" writes it.
REDCAP_HEADER = (
    '"Variable / Field Name","Form Name","Section Header","Field Type","Field Label",'
    '"Choices, Calculations, OR Slider Labels","Field Note","Text Validation Type OR Show Slider Number",'
    '"Text Validation Min","Text Validation Max",Identifier?,"Branching Logic (Show field only if...)","Required Field?",'
    '"Custom Alignment","Question Number (surveys only)","Matrix Group Name","Matrix Ranking?","Field Annotation"'
)
REPEATING = {"tumor_measurement", "tumor_response", "best_response"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assessed(tmp_path_factory.mktemp("redcap"), rows(("S-1", "S-2 ä肝"), readers=("R1", "R2")))


@pytest.fixture
def subjects(tmp_path: Path) -> Path:
    table = [
        {"subject": "S-1", "arm": "=A", "randomisation": "2024-01-10", "BCLC stage": "B"},
        {"subject": "S-2 ä肝", "arm": "B", "randomisation": "2024-01-11", "death": "2024-09-01"},
    ]
    return write_table(tmp_path / "subjects.csv", table)


def raw(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def code(word: str) -> str:
    return re.sub(r"\W+", "_", word.lower())


def test_the_dictionary_keeps_the_rules_of_redcap(results: Path, subjects: Path, tmp_path: Path) -> None:
    path = export_redcap(results, tmp_path / "out", subjects=subjects).files[0]
    assert list(raw(path)[0]) == next(csv.reader([REDCAP_HEADER]))
    lines = raw(path)
    names = [line["Variable / Field Name"] for line in lines]
    assert names[0] == "record_id"
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,25}", name) and "__" not in name for name in names)
    forms = list(dict.fromkeys(line["Form Name"] for line in lines))
    assert forms == ["subject", "baseline", "tumor_measurement", "tumor_response", "best_response"]
    assert {line["Field Type"] for line in lines} == {"text", "notes", "dropdown"}
    for line in lines:
        choices = line["Choices, Calculations, OR Slider Labels"]
        assert bool(choices) is (line["Field Type"] == "dropdown")
        codes = [one.split(",")[0].strip() for one in choices.split("|")] if choices else []
        assert all(re.fullmatch(r"[a-z0-9_]+", one) for one in codes)
        assert len(set(codes)) == len(codes)
    by_name = {line["Variable / Field Name"]: line for line in lines}
    validated = "Text Validation Type OR Show Slider Number"
    assert (by_name["tm_longest_mm"][validated], by_name["tm_longest_mm"]["Field Note"]) == ("number", "mm")
    assert (by_name["tm_date"][validated], by_name["tr_timepoint"][validated]) == ("date_ymd", "integer")
    assert "non_cr_non_pd, NON-CR/NON-PD" in by_name["tr_overall"]["Choices, Calculations, OR Slider Labels"]
    assert by_name["sj_bclc_stage"]["Field Label"] == "BCLC stage"


def test_every_value_of_the_results_is_in_the_records(results: Path, subjects: Path, tmp_path: Path) -> None:
    done = export_redcap(results, tmp_path / "out", subjects=subjects)
    assert done.problems == ()
    dictionary, records = (raw(path) for path in done.files)
    coded = {line["Variable / Field Name"] for line in dictionary if line["Field Type"] == "dropdown"}
    keys = ("record_id", "redcap_repeat_instrument", "redcap_repeat_instance")
    found = Counter(
        (row["record_id"], name, value)
        for row in records
        for name, value in row.items()
        if value and name not in keys and not name.endswith("_complete")
    )
    expected: Counter[tuple[str, str, str]] = Counter()
    tables = {
        "sj": [{k: v for k, v in row.items() if k != "randomisation"} for row in cells(subjects)],
        "bl": [{k: v for k, v in row.items() if k in ("subject", "randomisation")} for row in cells(subjects)],
        "tm": cells(results / "derivation" / "measurements.csv"),
        "tr": cells(results / "responses.csv"),
        "br": cells(results / "best_responses.csv"),
    }
    for prefix, table in tables.items():
        for row in table:
            for column, value in row.items():
                if column != "subject" and value.strip():
                    name = f"{prefix}_{column.lower().replace(' ', '_')}"
                    expected[row["subject"], name, code(value) if name in coded else value.strip()] += 1
    assert found == expected
    assert {text.strip() for text in HOSTILE.values()} <= {value for _, _, value in found}


def test_repeating_forms_have_instances_and_the_others_one_row(results: Path, subjects: Path, tmp_path: Path) -> None:
    records = raw(export_redcap(results, tmp_path / "out", subjects=subjects).files[1])
    places = [
        tuple(row[k] for k in ("record_id", "redcap_repeat_instrument", "redcap_repeat_instance")) for row in records
    ]
    assert len(set(places)) == len(places)
    for record in ("S-1", "S-2 ä肝"):
        assert places.count((record, "", "")) == 1
        for form in REPEATING:
            numbers = [int(n) for r, f, n in places if (r, f) == (record, form)]
            assert numbers == list(range(1, len(numbers) + 1))
    for row in records:
        complete = {name for name, value in row.items() if name.endswith("_complete") and value == "2"}
        form = row["redcap_repeat_instrument"]
        assert complete == ({f"{form}_complete"} if form else {"subject_complete", "baseline_complete"})


def test_instances_stay_when_visits_are_added(tmp_path: Path) -> None:
    found = []
    for visits in (2, 3):
        folder = assessed(tmp_path / str(visits), rows(("S-1",), ("R1", "R2"), visits=visits))
        records = raw(export_redcap(folder, folder / "out").files[1])
        found.append(
            {
                (row["redcap_repeat_instance"], row["tm_lesion"], row["tm_reader"], row["tm_timepoint"])
                for row in records
                if row["tm_lesion"]
            }
        )
    assert found[0] < found[1]


def test_a_longitudinal_project_has_events_and_an_unnamed_visit_is_told(results: Path, tmp_path: Path) -> None:
    events = write_table(
        tmp_path / "events.csv",
        [
            {"timepoint": "", "event": "once_arm_1"},
            {"timepoint": "0", "event": "base_arm_1"},
            {"timepoint": "1", "event": "fu1_arm_1"},
        ],
    )
    done = export_redcap(results, tmp_path / "out", events=events)
    records = raw(done.files[1])
    assert list(records[0])[:4] == [
        "record_id",
        "redcap_event_name",
        "redcap_repeat_instrument",
        "redcap_repeat_instance",
    ]
    assert {row["redcap_event_name"] for row in records if row["tm_timepoint"] == "1"} == {"fu1_arm_1"}
    assert {row["redcap_event_name"] for row in records if row["br_reader"]} == {"once_arm_1"}
    # instances are counted within an event
    assert {row["redcap_repeat_instance"] for row in records if row["tm_timepoint"] == "1"} == {"1", "2", "3", "4"}
    assert "the events name none for time point '2'; the row is not exported" in done.problems[0].message
    assert len(done.problems) == 12 + 8  # measurements and responses of the last visit


def test_the_same_input_gives_the_same_bytes_and_only_in_the_folder(
    results: Path, subjects: Path, tmp_path: Path
) -> None:
    one, two = (export_redcap(results, tmp_path / name, subjects=subjects) for name in "ab")
    assert [path.read_bytes() for path in one.files] == [path.read_bytes() for path in two.files]
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.csv")) == [
        *("a/dictionary.csv", "a/records.csv", "b/dictionary.csv", "b/records.csv", "subjects.csv"),
    ]


def test_formulas_stay_raw_in_the_records_and_are_told(results: Path, subjects: Path, tmp_path: Path) -> None:
    """REDCap keeps what the file holds: an apostrophe before a formula would become part of the value."""
    done = export_redcap(results, tmp_path / "out", subjects=subjects)
    assert {row["sj_arm"] for row in raw(done.files[1])} == {"", "=A", "B"}
    told = [note for note in done.notes if "would be run by a spreadsheet" in note]
    assert told[0].startswith("records.csv: 3 cells")


def test_what_redcap_cannot_take_is_named(tmp_path: Path) -> None:
    table = rows(("S-1", "L" * 101), visits=1)
    table[0]["comment"] = "bell\x07"
    done = export_redcap(assessed(tmp_path, table), tmp_path / "out")
    told = sorted(problem.message for problem in done.problems)
    assert "is no record name that REDCap takes" in told[1]
    assert "comment: holds a control character" in told[0]
    assert {row["record_id"] for row in raw(done.files[1])} == {"S-1"}


@pytest.mark.parametrize("name", ["Tumor", "tumor response", "best_response", "1st"])
def test_names_of_forms_that_cannot_be(name: str, results: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="repeat instrument"):
        export_redcap(results, tmp_path / "out", repeat_instrument=name)
    assert not (tmp_path / "out").exists()


def test_the_command(results: Path, subjects: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    given = ["--subjects", str(subjects), "--repeat-instrument", "response", "--complete", "1", "--no-dictionary"]
    assert main(["export", "redcap", str(results), "--out", str(out), *given]) == 0
    assert capfd.readouterr().out.split() == [str(out / "records.csv")]
    assert {row["response_complete"] for row in raw(out / "records.csv")} == {"", "1"}
