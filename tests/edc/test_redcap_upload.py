"""Upload to a stand-in REDCap on loopback: what is sent, what fails and how it is told, and where the token never is."""

from __future__ import annotations

import csv
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from edc_results import assessed, rows
from redcap_server import KEYS, TOKEN, RedcapProject, always, serving

from mrecist.cli import main
from mrecist.errors import InputError
from mrecist.exporting.naming import Exported
from mrecist.exporting.redcap.dictionary import dictionary_csv, instruments
from mrecist.exporting.redcap.export import export_redcap
from mrecist.exporting.redcap.server import TOKEN_VARIABLE
from mrecist.pacs.patience import ConnectionLostError, Patience

REPEATING = {"tumor_measurement", "tumor_response", "best_response"}
QUICK = Patience(retries=2, wait_s=0.01)


@dataclass
class Bench:
    """A project that is served, results, and an upload of the one to the other."""

    project: RedcapProject
    url: str
    out: Path
    results: Path

    def upload(
        self,
        results: Path | None = None,
        *,
        replace: bool = False,
        events: Path | None = None,
        subjects: Path | None = None,
    ) -> Exported:
        given = {"events": events, "subjects": subjects}
        return export_redcap(results or self.results, self.out, url=self.url, patience=QUICK, replace=replace, **given)

    def statuses(self) -> list[str]:
        with (self.out / "upload.csv").open(encoding="utf-8", newline="") as file:
            return [row["status"] for row in csv.DictReader(file)]

    def imports(self) -> list[list[dict[str, str]]]:
        return [json.loads(request["data"]) for request in self.project.requests if "data" in request]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assessed(tmp_path_factory.mktemp("upload"), rows(("S-1", "S-2", "S-3 ä肝"), visits=2))


@pytest.fixture
def bench(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    project = RedcapProject(dictionary_csv(instruments("tumor_response")), set(REPEATING))
    with serving(project) as url:
        yield Bench(project, url, tmp_path / "out", results)


def test_everything_is_sent_once_and_reads_back_equal(bench: Bench) -> None:
    done = bench.upload()
    assert done.problems == ()
    assert set(bench.statuses()) == {"sent"}
    with (bench.out / "records.csv").open(encoding="utf-8", newline="") as file:
        written = {
            tuple(row[k] for k in KEYS if k in row): {k: v for k, v in row.items() if v} for row in csv.DictReader(file)
        }
    held = {tuple(key[:1] + key[2:]): {k: v for k, v in row.items() if v} for key, row in bench.project.rows.items()}
    assert held == written
    sent = len(bench.imports())
    assert bench.upload().problems == ()
    assert set(bench.statuses()) == {"already there"}
    assert len(bench.imports()) == sent


def test_later_visits_are_added_and_instances_of_the_server_are_kept(bench: Bench, tmp_path: Path) -> None:
    few = assessed(tmp_path / "few", rows(("S-1",), visits=1))
    bench.upload(few)
    # the server counts otherwise: instances 1 and 2 became 7 and 9 there
    moved = {("1"): "7", ("2"): "9"}
    for key in [key for key in bench.project.rows if key[2] == "tumor_measurement"]:
        row = bench.project.rows.pop(key)
        row["redcap_repeat_instance"] = moved[key[3]]
        bench.project.rows[(*key[:3], moved[key[3]])] = row
    more = assessed(tmp_path / "more", rows(("S-1",), visits=2))
    # the best response of one visit is not that of two: nobody but a person writes over it
    told = [problem.message for problem in bench.upload(more).problems]
    assert ["best_response" in line and "differs on the server" in line for line in told] == [True, True]
    assert bench.upload(more, replace=True).problems == ()
    held = {key[3]: row["tm_timepoint"] for key, row in bench.project.rows.items() if key[2] == "tumor_measurement"}
    assert held == {"7": "0", "9": "0", "10": "1", "11": "1"}


def test_values_that_differ_are_kept_unless_they_are_to_be_replaced(bench: Bench) -> None:
    bench.upload()
    key = next(key for key in bench.project.rows if key[0] == "S-2" and key[2] == "tumor_measurement")
    bench.project.rows[key].update(tm_longest_mm="11", tm_station="left")
    done = bench.upload()
    (told,) = [problem.message for problem in done.problems]
    assert "tm_station is 'left' and not ''; tm_longest_mm is '11' and not '48.250'" in told
    assert bench.project.rows[key]["tm_longest_mm"] == "11"
    assert bench.upload(replace=True).problems == ()
    assert (bench.project.rows[key]["tm_longest_mm"], bench.project.rows[key]["tm_station"]) == ("48.250", "")


def test_replacing_one_form_of_a_record_leaves_its_other_forms(bench: Bench, tmp_path: Path) -> None:
    """The arm of one subject changes, and the date of another: were both forms in one request, each would lack a field."""
    form = dictionary_csv(instruments("tumor_response", ("subject", "arm", "randomisation")))
    bench.project.fields = RedcapProject(form, set(REPEATING)).fields
    subjects = tmp_path / "subjects.csv"
    for rows_of in (("S-1,A,2024-01-01", "S-2,A,2024-01-02"), ("S-1,B,2024-01-01", "S-2,A,2024-01-09")):
        subjects.write_text("\n".join(["subject,arm,randomisation", *rows_of]) + "\n", encoding="utf-8")
        assert bench.upload(subjects=subjects, replace=True).problems == ()
    held = {key[0]: row for key, row in bench.project.rows.items() if not key[2]}
    assert (held["S-1"]["sj_arm"], held["S-1"]["bl_randomisation"]) == ("B", "2024-01-01")
    assert (held["S-2"]["sj_arm"], held["S-2"]["bl_randomisation"]) == ("A", "2024-01-09")


def test_refused_rows_are_found_among_the_others(bench: Bench) -> None:
    field = next(one for one in bench.project.fields if one["field_name"] == "tm_longest_mm")
    field["text_validation_type_or_show_slider_number"] = "integer"
    done = bench.upload()
    assert len(done.problems) == 6  # the target of three subjects at two visits
    assert all("refused: 127.0.0.1: S-" in p.message and "could not be validated" in p.message for p in done.problems)
    assert bench.statuses().count("refused") == 6
    assert set(bench.statuses()) == {"refused", "sent"}


def test_a_server_that_changes_a_value_is_told(bench: Bench) -> None:
    bench.project.alter = lambda text: text.replace("<", "&lt;")
    done = bench.upload()
    assert done.problems
    assert all("reads back different: tm_comment is '&lt;a" in problem.message for problem in done.problems)


def test_rows_of_the_server_that_the_results_do_not_have_are_told(bench: Bench) -> None:
    bench.upload()
    stray = dict(zip(KEYS, ("S-1", "", "tumor_measurement", "99"), strict=True))
    stray |= {"tm_reader": "R1", "tm_timepoint": "0", "tm_lesion": "T09"}
    bench.project.rows["S-1", "", "tumor_measurement", "99"] = stray
    (problem,) = bench.upload().problems
    assert problem.message.startswith(
        "record S-1, tumor_measurement 99 (R1 0 T09) is on the server and not in the results"
    )


def test_two_instances_of_one_lesion_at_one_visit_are_refused(bench: Bench) -> None:
    bench.upload()
    key = next(key for key in bench.project.rows if key[2] == "tumor_measurement")
    bench.project.rows[(*key[:3], "50")] = bench.project.rows[key] | {"redcap_repeat_instance": "50"}
    with pytest.raises(InputError, match="instances 1 and 50 are both R1 0 T01; keep one"):
        bench.upload()


# --- a server in trouble ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [(500, "<html>oops</html>"), (503, '{"error": "busy"}'), (0, "")])
def test_a_short_failure_is_overcome(answer: tuple[int, str], bench: Bench) -> None:
    failures = iter([answer, None, answer, None, answer])
    bench.project.trouble = lambda _: next(failures, None)
    assert bench.upload().problems == ()
    assert set(bench.statuses()) == {"sent"}


def test_a_lost_answer_to_an_import_leaves_nothing_twice(bench: Bench) -> None:
    """The rows were taken, and the connection broke before the server said so: the same rows are sent again."""
    lost: list[bool] = []

    def trouble(request: dict[str, str]) -> tuple[int, str] | None:
        if "data" in request and not lost:
            lost.append(True)
            bench.project._import(json.loads(request["data"]), overwrite=False)
            return 0, ""
        return None

    bench.project.trouble = trouble
    assert bench.upload().problems == ()
    assert len(bench.project.rows) == len(bench.statuses())


def test_after_a_breakdown_the_rest_is_named_and_the_next_run_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mrecist.exporting.redcap.upload.CHUNK", 5)
    bench.project.trouble = lambda _: (502, "") if len(bench.imports()) > 2 else None
    done = bench.upload()
    statuses = bench.statuses()
    assert (statuses.count("sent"), set(statuses)) == (
        3 + 5,
        {"sent", "not sent"},
    )  # the subjects, and a part of the measurements
    assert len(done.problems) == len(statuses)  # what was sent is not read back yet
    assert all("127.0.0.1: 502" in problem.message for problem in done.problems)
    bench.project.trouble = always(None)
    before = len(bench.imports())
    assert bench.upload().problems == ()
    again = [row for part in bench.imports()[before:] for row in part]
    assert bench.statuses().count("already there") == 8
    assert len(again) == len(statuses) - 8


def test_a_token_without_rights_and_a_wrong_page_are_one_line(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "F" * 32)
    with pytest.raises(InputError, match=r"127\.0\.0\.1: 403: You do not have permissions to use the API"):
        bench.upload()
    assert len(bench.project.requests) == 1
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    bench.project.trouble = always((200, "<html>login</html>"))
    with pytest.raises(InputError, match="does not answer as the API of REDCap does"):
        bench.upload()
    bench.project.trouble = always((200, '{"a": 1}'))
    with pytest.raises(InputError, match="does not answer as the API of REDCap does"):
        bench.upload()


def test_a_server_that_is_slow_is_waited_for_and_one_that_is_silent_is_told(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mrecist.exporting.redcap.server._ANSWER_S", 0.2)
    waited: list[bool] = []

    def slow_once(_: dict[str, str]) -> tuple[int, str] | None:
        if not waited:
            waited.append(True)
            time.sleep(0.5)
        return None

    bench.project.trouble = slow_once
    assert bench.upload().problems == ()
    bench.project.trouble = lambda _: time.sleep(0.5)
    with pytest.raises(ConnectionLostError, match=r"127\.0\.0\.1: ReadTimeout"):
        bench.upload()


_ODD = ("null", '"text"', "[]", "[1]", "{}", "[{}]", '[{"field_name": {"a": 1}}]', "{")
_ODD_ROW = [{"record_id": "S-1", "redcap_repeat_instrument": "tumor_measurement", "redcap_repeat_instance": "x"}]


@pytest.mark.parametrize("body", [*_ODD, json.dumps(_ODD_ROW)])
def test_odd_answers_are_one_line_or_a_problem(body: str, bench: Bench) -> None:
    """Whatever the server answers to one kind of question, the rest as it should be."""
    for content, sent in (
        ("metadata", False),
        ("project", False),
        ("repeatingFormsEvents", False),
        ("record", False),
        ("record", True),
    ):
        bench.project.rows.clear()

        def trouble(request: dict[str, str], content: str = content, sent: bool = sent) -> tuple[int, str] | None:
            return (200, body) if request["content"] == content and ("data" in request) is sent else None

        bench.project.trouble = trouble
        assert told_by(bench)


def told_by(bench: Bench) -> list[str]:
    """The lines of an upload, whether it is refused or has problems; any other exception fails the test."""
    try:
        return [problem.message for problem in bench.upload().problems]
    except InputError as error:
        return [str(error)]


# --- the token -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 302, 307, 400, 403, 500])
def test_the_token_is_in_no_message_log_or_file(
    status: int,
    bench: Bench,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when the server quotes it, in capitals or not."""
    monkeypatch.setattr("mrecist.pacs.patience.time.sleep", always(None))
    elsewhere = f"{bench.url}?token={TOKEN}"
    body = elsewhere if 300 <= status < 400 else json.dumps({"error": f"token {TOKEN} or {TOKEN.lower()} is bad"})
    bench.project.trouble = always((status, body))
    caplog.set_level(logging.DEBUG)
    code = main(["export", "redcap", str(bench.results), "--out", str(bench.out), "--upload", bench.url])
    told = capfd.readouterr()
    assert code == 2
    assert "127.0.0.1" in told.err
    assert "Traceback" not in told.err
    files = "".join(path.read_text(encoding="utf-8") for path in bench.out.iterdir())
    everything = (told.out + told.err + caplog.text + files).upper()
    assert TOKEN not in everything
    assert {request["(path)"] for request in bench.project.requests} == {"/redcap/api/"}  # no redirect was followed
    assert {request["token"] for request in bench.project.requests} == {TOKEN}


def test_netrc_is_not_sent(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    bench.upload()
    assert {request["(authorization)"] for request in bench.project.requests} == {""}


@pytest.mark.parametrize("token", ["", "short", "0123456789ABCDEF0123456789ABCDE\n", "é" * 32])
def test_no_token_or_none_that_could_be_one(token: str, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, token)
    with pytest.raises(InputError) as error:
        bench.upload()
    assert TOKEN_VARIABLE in str(error.value)
    assert not token or token not in str(error.value)
    assert not bench.project.requests
    assert not bench.out.exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://redcap.example.org/api/", "is not encrypted"),
        ("https://someone:secret@redcap.example.org/api/", "without user and password"),
        ("https://redcap.example.org/api/?token=1", "give a URL such as"),
        ("https://redcap.example.org/redcap/", "does not end with /api/"),
        ("ftp://redcap.example.org/api/", "give a URL such as"),
        ("redcap", "give a URL such as"),
    ],
)
def test_urls_that_are_not_safe(url: str, said: str, bench: Bench) -> None:
    with pytest.raises(InputError, match=said) as error:
        export_redcap(bench.results, bench.out, url=url)
    assert "secret" not in str(error.value)
    assert not bench.out.exists()


# --- a project that does not fit -------------------------------------------------------------------------------------


def test_a_project_that_does_not_fit_gets_nothing(bench: Bench) -> None:
    fields = list(bench.project.fields)
    cases = [
        (
            [one for one in fields if one["field_name"] != "tm_viable_mm"],
            "it has no field tm_viable_mm in tumor_measurement",
        ),
        (fields[1:], "the first field is not record_id"),
        (
            [
                one | {"select_choices_or_calculations": "1, yes"} if one["field_name"] == "tr_overall" else one
                for one in fields
            ],
            "tr_overall has no choice cr, icpd",
        ),
    ]
    for changed, said in cases:
        bench.project.fields = changed
        with pytest.raises(InputError, match=said):
            bench.upload()
    bench.project.fields = fields
    bench.project.repeating = {"tumor_response"}
    with pytest.raises(InputError, match="does not repeat tumor_measurement, best_response"):
        bench.upload()
    bench.project.repeating = set(REPEATING)
    bench.project.events = True
    with pytest.raises(InputError, match="is longitudinal, so --events is needed"):
        bench.upload()
    assert bench.imports() == []


def test_a_longitudinal_project(bench: Bench, tmp_path: Path) -> None:
    bench.project.events = True
    events = tmp_path / "events.csv"
    events.write_text("timepoint,event\n,once_arm_1\n0,base_arm_1\n1,fu1_arm_1\n", encoding="utf-8")
    assert bench.upload(events=events).problems == ()
    assert {key[1] for key in bench.project.rows} == {"once_arm_1", "base_arm_1", "fu1_arm_1"}
    assert bench.upload(events=events).problems == ()
    assert set(bench.statuses()) == {"already there"}
