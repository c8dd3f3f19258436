"""``mrecist check-sdtm`` from the command line: formats, exit codes, options, bad input, large input."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from checked_study import SUBJECT, Datasets, clean, the
from sdtm_study import FORMATS, write_all

from mrecist.cli import main
from mrecist.sdtm.checks.datasets import open_study
from mrecist.sdtm.checks.rule import FINDING_COLUMNS
from mrecist.sdtm.checks.run import Checking, check_study


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def findings(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.out)))


Check = Callable[..., Outcome]


@pytest.fixture
def check(capsys: pytest.CaptureFixture[str]) -> Check:
    def go(*arguments: object) -> Outcome:
        code = main(["check-sdtm", *map(str, arguments)])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Outcome(code, said.out, said.err)

    return go


@pytest.fixture
def faulty() -> Datasets:
    """One error, and a criterion by the wrong name in 16 records."""
    study = clean()
    for row in study["rs"]:
        row["RSCAT"] = row["RSCAT"].replace("MRECIST LENCIONI LIVER CANCER 2010", "mRECIST")
    the(study["tr"], TRTESTCD="LDIAM")["TRLOBXFL"] = "N"
    return study


@pytest.mark.parametrize("form", FORMATS)
def test_a_study_without_faults_has_no_findings(form: str, tmp_path: Path, check: Check) -> None:
    done = check(write_all(tmp_path, form, **clean()))
    assert (done.code, done.findings) == (0, [])
    assert done.err.splitlines() == [
        "records: DM 1, PR 1, RELREC 4, RS 32, SUPPTR 1, SUPPTU 1, TR 56, TU 8",
        "2 reads derived again and compared",
        "0 errors, 0 warnings, 0 notes",
    ]


def test_findings_and_exit_code(faulty: Datasets, tmp_path: Path, check: Check) -> None:
    folder = write_all(tmp_path / "in", "csv", **faulty)
    out = tmp_path / "findings.csv"
    done = check(folder, "--out", out)
    assert done.code == 1
    assert done.out == ""
    assert done.err.splitlines()[-1] == "1 error, 16 warnings, 0 notes"
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert list(rows[0]) == list(FINDING_COLUMNS)
    assert [(row["rule"], row["severity"], row["domain"], row["variable"], row["value"]) for row in rows] == [
        ("flag_not_y", "error", "TR", "TRLOBXFL", "N"),
        *[("term_not_published", "warning", "RS", "RSCAT", "mRECIST")] * 16,
    ]
    assert rows[1]["usubjid"] == SUBJECT
    assert rows[1]["record"] == "RSSEQ 9, rs.csv row 9"
    assert "MRECIST LENCIONI LIVER CANCER 2010" in rows[1]["message"]
    assert check(folder).findings == rows


def test_json(faulty: Datasets, tmp_path: Path, check: Check) -> None:
    rows = json.loads(check(write_all(tmp_path, "csv", **faulty), "--json").out)
    assert [row["rule"] for row in rows] == ["flag_not_y", *["term_not_published"] * 16]
    assert all(list(row) == list(FINDING_COLUMNS) for row in rows)


def test_severities_and_terms_of_the_study(faulty: Datasets, tmp_path: Path, check: Check) -> None:
    folder = write_all(tmp_path, "csv", **faulty)
    done = check(folder, "--severity", "flag_not_y=note", "--term", "ONCRSCAT=mRECIST")
    assert (done.code, [(row["rule"], row["severity"]) for row in done.findings]) == (0, [("flag_not_y", "note")])
    done = check(folder, "--severity", "flag_not_y=off", "--severity", "term_not_published=error")
    assert (done.code, [row["rule"] for row in done.findings]) == (1, ["term_not_published"] * 16)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--severity", "flag_not=off"), "no rule 'flag_not'; the nearest is 'flag_not_y'"),
        (("--severity", "flag_not_y=fatal"), "one of off, note, warning, error"),
        (("--term", "TRTEST=X"), "write CODELIST=TERM"),
        (("--term", "NY=MAYBE"), "NY cannot be extended"),
        (("--criterion", "recist12"), "recist12"),
    ],
)
def test_wrong_options(option: tuple[str, str], message: str, tmp_path: Path, check: Check) -> None:
    done = check(write_all(tmp_path, "csv", **clean()), *option)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert message in done.err


# --- bad input -------------------------------------------------------------------------------------------------------


def test_unreadable_input(tmp_path: Path, check: Check) -> None:
    folder = write_all(tmp_path, "csv", **clean())
    told = []
    for name, content in (
        ("tr.csv", "USUBJID,TRTESTCD\nÄ,LDIAM\n".encode("latin-1")),
        ("rs.csv", b'USUBJID,RSTESTCD\n"A,B\n'),
        ("tu.json", b"{"),
        ("tr.xpt", b"HEADER RECORD"),
    ):
        one = tmp_path / name.replace(".", "_")
        one.mkdir()
        (one / name).write_bytes(content)
        done = check(one)
        assert done.code == 2
        told += done.err.splitlines()
    assert len(told) == 4
    assert "is not UTF-8" in told[0]
    empty = tmp_path / "empty"
    empty.mkdir()
    for place, message in ((empty, "no TU, TR or RS"), (tmp_path / "nothing", "is not there")):
        done = check(place)
        assert done.code == 2
        assert message in done.err
    (folder / "tr.json").write_text("{}", encoding="utf-8")
    assert "TR stands there twice" in check(folder).err


def test_datasets_that_lack_almost_everything(tmp_path: Path, check: Check) -> None:
    (tmp_path / "tr.csv").write_text("TRTESTCD\nLDIAM\n", encoding="utf-8")
    done = check(tmp_path)
    assert done.code == 1
    assert {row["rule"] for row in done.findings} == {
        "dataset_missing",
        "required_variable_missing",
        "expected_variable_missing",
        "result_link_missing",
    }
    (tmp_path / "tr.csv").write_text("TRTESTCD\n", encoding="utf-8")
    assert [row["rule"] for row in check(tmp_path).findings] == ["dataset_missing", "dataset_empty", "dataset_missing"]


def test_values_that_are_no_values(tmp_path: Path, check: Check) -> None:
    study = clean()
    for name in ("TRSTRESN", "TRDTC", "TRSEQ", "TRDY", "VISITNUM", "TRTESTCD", "TRLNKID"):
        for number, text in enumerate(("=1+1", "1e999999", "\u202e\u0000x", "9" * 5000, "NaN")):
            study["tr"][number][name] = text
    done = check(write_all(tmp_path, "csv", **study))
    assert done.code == 1


def test_files_named_one_by_one_and_datasets_in_parts(tmp_path: Path, check: Check) -> None:
    study = clean()
    write_all(tmp_path / "one", "csv", lesions=study["tu"], results=study["tr"], answers=study["rs"], dm=study["dm"])
    files = [tmp_path / "one" / f"{name}.csv" for name in ("lesions", "results", "answers", "dm")]
    assert check(*files).findings == []
    parts = {**study, "tr1": study["tr"][:20], "tr2": study["tr"][20:]}
    del parts["tr"]
    assert check(write_all(tmp_path / "two", "csv", **parts)).findings == []


# --- size ------------------------------------------------------------------------------------------------------------


def _many(subjects: int) -> Datasets:
    study = clean()
    return {
        name: [
            {key: value.replace(SUBJECT, f"HAND-P{n}") if key == "USUBJID" else value for key, value in row.items()}
            for n in range(subjects)
            for row in rows
        ]
        if name != "relrec"
        else rows
        for name, rows in study.items()
    }


def test_work_grows_with_the_records_and_not_faster(tmp_path: Path) -> None:
    """Ten times the subjects take about ten times as long; a search in a list for each record would take a hundred times."""
    from mrecist.protocol import load_protocol

    took = []
    for subjects in (6, 60):
        folder = write_all(tmp_path / str(subjects), "csv", **_many(subjects))
        study = open_study([folder])
        start = time.process_time()
        checked = check_study(study, Checking(protocol=load_protocol(None)))
        took.append(time.process_time() - start)
        assert (checked.findings, checked.reads) == ((), 2 * subjects)
    assert took[1] < 40 * took[0]


def test_one_subject_with_many_strange_records_is_no_slower(tmp_path: Path) -> None:
    """Every place another wrong word, every lesion new, every relation ONE: what is compared is looked up, not searched for."""
    from mrecist.protocol import load_protocol

    study, count = clean(), 3000
    lesion, relation = the(study["tu"], TULNKID="R1-NEW01"), study["relrec"][0]
    study["tu"] = [
        {**lesion, "TULOC": f"PLACE {n} " + "X" * 60, "TULNKID": "NEW", "TUSEQ": str(n)} for n in range(1, count)
    ]
    study["relrec"] = [{**relation, "RELID": f"R{n}"} for n in range(count)]
    folder = write_all(tmp_path, "csv", **study)
    start = time.process_time()
    checked = check_study(open_study([folder]), Checking(protocol=load_protocol(None)))
    # Below 2 s where it is looked up; a search of each list for each record would take minutes.
    assert time.process_time() - start < 20
    assert len(checked.findings) > 3 * (count - 2)
