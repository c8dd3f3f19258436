"""What is asked, which server, and what goes wrong on the command line: no connection here."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from pacs_commands import run

from mrecist.errors import InputError
from mrecist.pacs.contexts import MOST_CONTEXTS, SYNTAXES, classes_of, to_receive, to_send
from mrecist.pacs.patience import ConnectionLostError, Patience, RefusedError
from mrecist.pacs.query import FoundSeries, Query, in_order, series_is_asked, study_filters, study_is_asked
from mrecist.pacs.server import load_server

STUDY = {"PatientID": "P1", "StudyDate": "20240108", "StudyInstanceUID": "1.2.3"}


def series(**values: object) -> FoundSeries:
    given: dict[str, object] = {
        "patient": "P1",
        "study_uid": "1.2.3",
        "series_uid": "1.2.3.4",
        "date": "20240108",
        "modality": "CT",
        "description": "LIVER Arterial 5.0",
        "number": "2",
        "instances": 11,
        **values,
    }
    return FoundSeries(**given)  # type: ignore[arg-type]


# PS3.5 6.2.5: range matching of dates
@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2024, 1, 8), date(2024, 3, 6), "20240108-20240306"),
        (date(2024, 1, 8), None, "20240108-"),
        (None, date(2024, 3, 6), "-20240306"),
        (date(2024, 1, 8), date(2024, 1, 8), "20240108-20240108"),
    ],
)
def test_ranges_of_dates(first: date | None, last: date | None, text: str) -> None:
    assert study_filters(Query(first=first, last=last)) == [{"StudyDate": text}]


def test_one_question_for_each_patient_and_study() -> None:
    asked = study_filters(Query(patients=("A", "B"), studies=("1.2", "1.3"), first=date(2024, 1, 1)))
    assert [(one["PatientID"], one["StudyInstanceUID"]) for one in asked] == [
        ("A", "1.2"),
        ("A", "1.3"),
        ("B", "1.2"),
        ("B", "1.3"),
    ]
    assert {one["StudyDate"] for one in asked} == {"20240101-"}


@pytest.mark.parametrize(
    ("query", "row", "asked"),
    [
        (Query(patients=("P1",)), {}, True),
        (Query(patients=("p1",)), {}, False),
        (Query(patients=("P",)), {}, False),
        (Query(studies=("1.2.3",)), {}, True),
        (Query(studies=("1.2",)), {}, False),
        (Query(first=date(2024, 1, 8), last=date(2024, 1, 8)), {}, True),
        (Query(first=date(2024, 1, 9)), {}, False),
        (Query(last=date(2024, 1, 7)), {}, False),
        (Query(first=date(2024, 1, 1)), {"StudyDate": ""}, False),
        (Query(last=date(2024, 1, 9)), {"StudyDate": ""}, False),
        (Query(last=date(2024, 1, 9)), {"StudyDate": "2024.01.08"}, True),
        (Query(patients=("P1",)), {"StudyDate": ""}, True),
        (Query(patients=("P1",)), {"StudyInstanceUID": "../x"}, False),
    ],
)
def test_answers_are_compared_once_more(query: Query, row: dict[str, str], asked: bool) -> None:
    assert study_is_asked(query, {**STUDY, **row}) is asked


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ({}, True),
        ({"modalities": ("ct", "MR")}, True),
        ({"modalities": ("SEG",)}, False),
        ({"descriptions": ("*arterial*",)}, True),
        ({"descriptions": ("arterial",)}, False),
        ({"descriptions": ("portal*", "liver art???al 5.0")}, True),
    ],
)
def test_series_by_modality_and_description(query: dict[str, tuple[str, ...]], asked: bool) -> None:
    assert series_is_asked(Query(patients=("P1",), **query), series()) is asked


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"modalities": ("CT",)},
        {"patients": ("*",)},
        {"patients": ("A\\B",)},
        {"patients": ("A?",)},
        {"patients": ("",)},
        {"patients": ("A" * 65,)},
        {"studies": ("../x",)},
        {"first": date(2024, 2, 1), "last": date(2024, 1, 1)},
    ],
)
def test_questions_that_are_refused(query: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Query(**query)  # type: ignore[arg-type]


def test_order_and_doubles() -> None:
    one, two, ten = (series(number=n, series_uid=f"1.{n}") for n in ("1", "2", "10"))
    later = series(date="20240306", study_uid="1.9", series_uid="1.0", number="1")
    assert in_order([later, ten, two, one, two]) == [one, two, ten, later]


# --- contexts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", ["CT", "MR", "SEG", "SR", "", "XX"])
def test_contexts_fit_an_association(modality: str) -> None:
    contexts = to_receive(classes_of(modality, ()), MOST_CONTEXTS - 1)
    assert 0 < len(contexts) <= 127
    offered = {(uid, syntax) for uid, syntaxes in contexts for syntax in syntaxes}
    assert {syntax for _, syntax in offered} == set(SYNTAXES)


def test_a_listed_class_is_enough() -> None:
    assert classes_of("CT", ["1.2.3", "", "1.2.3"]) == ("1.2.3",)
    assert "1.2.840.10008.5.1.4.1.1.66.7" in classes_of("SEG", ())
    assert "1.2.840.10008.5.1.4.1.1.88.34" in classes_of("SR", ())


def test_groups_to_send() -> None:
    pairs = [(f"1.{n}", "1.2") for n in range(300)]
    groups = to_send([*pairs, *pairs])
    assert [len(group) for group in groups] == [128, 128, 44]
    assert {pair for group in groups for pair in group} == set(pairs)


# --- patience --------------------------------------------------------------------------------------------------------


def test_retries_are_bounded_and_wait_longer_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("mrecist.pacs.patience.time.sleep", waits.append)
    asked = 0

    def lost() -> None:
        nonlocal asked
        asked += 1
        raise ConnectionLostError("gone")

    with pytest.raises(ConnectionLostError):
        Patience(retries=7, wait_s=1).insist(lost)
    assert (asked, waits) == (8, [1, 2, 4, 8, 16, 30, 30])

    def refused() -> None:
        raise RefusedError("no")

    with pytest.raises(RefusedError):
        Patience(retries=7).insist(refused)
    assert len(waits) == 7


# --- configuration ---------------------------------------------------------------------------------------------------

WEB = {"dicomweb": "https://pacs.example.org/dicom-web"}
DIMSE = {"host": "pacs.example.org", "called_ae": "ARCHIVE"}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({**WEB, "pasword_env": "X"}, "unknown key 'pasword_env'; did you mean 'password_env'?"),
        ({**WEB, "password": "hunter2"}, "holds a password"),
        ({**WEB, "token": "hunter2"}, "holds a token"),
        ({"dicomweb": "https://me:hunter2@pacs.example.org/"}, "without user and password in it"),
        ({"dicomweb": "ftp://pacs.example.org/"}, "a URL such as"),
        ({**WEB, **DIMSE}, "either dicomweb (a URL) or host"),
        ({}, "either dicomweb (a URL) or host"),
        ({**WEB, "port": 104}, "port does not go with dicomweb"),
        ({**DIMSE, "user": "me", "password_env": "X"}, "user does not go with host"),
        ({**WEB, "user": "me"}, "user and password_env"),
        ({**WEB, "user": "me", "password_env": "X", "token_env": "Y"}, "keep one"),
        ({"dicomweb": "http://pacs.example.org/d", "token_env": "X"}, "would go over http in clear"),
        ({"host": "pacs.example.org"}, "called_ae is missing"),
        ({**DIMSE, "called_ae": "A" * 17}, "an AE title of at most 16 letters"),
        ({**DIMSE, "port": 0}, "a whole number from 1 to 65535"),
        ({**DIMSE, "tls": 1}, "true or false"),
        ({**DIMSE, "ca": "ca.pem"}, "need tls = true"),
        ({**DIMSE, "tls": True, "ca": "absent.pem"}, "no such file"),
        ({**DIMSE, "tls": True, "key": "absent.pem"}, "key goes with cert"),
        ({**WEB, "timeout_s": -1}, "a number of seconds above 0"),
        ({**WEB, "retries": 21}, "a whole number from 0 to 20"),
    ],
)
def test_a_configuration_that_is_refused(keys: dict[str, object], message: str, tmp_path: Path) -> None:
    import json

    path = tmp_path / "mrecist-pacs.toml"
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    path.write_text("\n".join(["[pacs.one]", *lines]), encoding="utf-8")
    ran = run("fetch", "--config", path, "--patient", "P1", "--list")
    assert (ran.code, ran.out, len(ran.lines)) == (2, "", 1)
    assert message in ran.err
    assert "hunter2" not in ran.err


def test_which_server(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text('[pacs.a]\ndicomweb = "http://localhost:1/d"\n[pacs.b]\nhost = "h"\ncalled_ae = "X"\n', "utf-8")
    assert load_server(path, "b").host == "h"
    with pytest.raises(InputError, match="several servers \\(a, b\\)"):
        load_server(path, None)
    with pytest.raises(InputError, match="no server 'c'"):
        load_server(path, "c")
    with pytest.raises(InputError, match="no such file"):
        load_server(tmp_path / "absent.toml", None)
    path.write_text("[pacs\n", "utf-8")
    with pytest.raises(InputError, match="is no TOML file"):
        load_server(path, None)
    path.write_text("", "utf-8")
    with pytest.raises(InputError, match="names no server"):
        load_server(path, None)


def test_secrets_do_not_show_in_a_server(config: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_PACS_TOKEN", "abc.def")
    server = load_server(config(a={**WEB, "token_env": "TEST_PACS_TOKEN"}), "a")
    assert server.token() == "abc.def"
    assert "abc.def" not in repr(server)


# --- command line ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [
        ["--list"],
        ["--patient", "P1"],
        ["--patient", "P1", "--list", "--out", "x"],
        ["--from", "8.1.2024", "--list"],
        ["--patient", "P1", "--list", "--listen", "0"],
        ["--patient", "P1", "--list", "--listen", "11112"],  # not with DICOMweb
        ["--subjects", "absent.csv", "--list"],
    ],
)
def test_wrong_use(options: list[str], config: Callable[..., Path]) -> None:
    ran = run("fetch", "--config", config(web=WEB), *options)
    assert (ran.code, ran.out) == (2, "")


@pytest.mark.parametrize(("module", "keys"), [("dicomweb_client", WEB), ("pynetdicom", DIMSE)])
def test_without_the_extra(
    module: str, keys: dict[str, object], config: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setattr(
        "mrecist.pacs.extra.util.find_spec", lambda name: None if name == module else pytest.fail(f"looked for {name}")
    )
    ran = run("fetch", "--config", config(one=keys), "--patient", "P1", "--list")
    assert (ran.code, len(ran.lines)) == (2, 1)
    assert "pip install 'mrecist[network]'" in ran.err
