"""ADaM of a simulated study says what the tables of the same study say, in every format."""

from __future__ import annotations

import csv
import datetime
import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pandas
import pyreadstat
import pytest
from sdtm_export import read_json
from test_datasets import SCHEMA

from mrecist.cli import main
from mrecist.endpoints import summary
from mrecist.tables.trial import TABLES

STUDY = "regorafenib-toripalimab-rfa"
# One more endpoint: the depth of response, which the waterfall shows.
DEPTH = '\n[[endpoint]]\nid = "DPR"\nkind = "change"\ncriterion = "recist11"\n'
# pandas takes the hexadecimal zero of IBM for the smallest number with its exponent, 16 ** -65.
PANDAS_ZERO = 16.0**-65
DATASETS = ("ADSL", "ADTR", "ADRS", "ADTTE")


@dataclass(frozen=True)
class Study:
    folder: Path
    adam: dict[str, list[dict[str, Any]]]
    sdtm: dict[str, list[dict[str, Any]]]

    def table(self, name: str) -> list[dict[str, str]]:
        with (self.folder / name).open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))

    def find(self, dataset: str, **wanted: Any) -> list[dict[str, Any]]:
        return [one for one in self.adam[dataset] if all(one.get(name) == value for name, value in wanted.items())]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("adam") / "study"
    assert main(["simulate", STUDY, "--subjects", "7", "--out", str(folder)]) == 0
    protocol = folder / "protocol.toml"
    protocol.write_text(protocol.read_text(encoding="utf-8") + DEPTH, encoding="utf-8")
    subjects = folder / "subjects.csv"
    with subjects.open("a", encoding="utf-8") as more:
        more.write(never_assessed(subjects))
    whose = ["--protocol", str(protocol), "--subjects", str(subjects)]
    results = str(folder / "results")
    assert main(["assess", str(folder / "measurements.csv"), *whose, "--out", results]) == 0
    given = [part for name in TABLES for part in (f"--{name.replace('_', '-')}", str(folder / f"{name}.csv"))]
    with pytest.MonkeyPatch.context() as patch:
        # No estimates: the times are what is compared.
        patch.setattr(summary, "estimates", lambda *_: ())
        assert main(["endpoints", results, *whose, *given, "--no-figures", "--out", str(folder / "endpoints")]) == 0
    formats = [part for name in ("xpt5", "dataset-json", "csv") for part in ("--format", name)]
    for out in ("adam", "again"):
        command = ["export", "adam", results, *whose, *given, "--reader", "R1=INVESTIGATOR", *formats]
        assert main([*command, "--out", str(folder / out)]) == 0
    own = [*given[:2], *given[given.index("--occurrences") :][:2]]
    command = ["export", "sdtm", results, *whose[2:], *own, "--reader", "R1=INVESTIGATOR"]
    assert main([*command, "--format", "dataset-json", "--out", str(folder / "sdtm")]) == 0
    return Study(folder, read_json(folder / "adam" / "dataset-json"), read_json(folder / "sdtm"))


def never_assessed(subjects: Path) -> str:
    """A row of somebody who was treated and never scanned again."""
    header, first, *_ = subjects.read_text(encoding="utf-8").splitlines()
    cells = dict(zip(header.split(","), first.split(","), strict=True))
    cells |= {"subject": "SIM-900", "death": "", "withdrawal": "", "lost_to_follow_up": ""}
    return ",".join(cells[name] for name in header.split(",")) + "\n"


def test_times_are_those_of_events_csv(study: Study) -> None:
    rows = study.table("endpoints/events.csv")
    wanted = [
        (one["subject"], one["endpoint"].upper(), one["start"], one["date"], int(one["days"]), int(one["cnsr"]))
        for one in rows
    ]
    names = ("SUBJID", "PARAMCD", "STARTDT", "ADT", "AVAL", "CNSR")
    assert len(wanted) > 30
    assert sorted(tuple(one[name] for name in names) for one in study.adam["ADTTE"]) == sorted(wanted)
    assert {one["PROTSHA"] for one in study.adam["ADTTE"]} == {one["protocol_sha256"] for one in rows}
    for one in study.adam["ADTTE"]:
        days = datetime.date.fromisoformat(one["ADT"]) - datetime.date.fromisoformat(one["STARTDT"])
        assert one["AVAL"] == days.days + 1


def test_proportions_are_those_of_outcomes_csv(study: Study) -> None:
    rows = study.table("endpoints/outcomes.csv")
    word = {"yes": "Y", "no": "N", "": None}
    wanted = [(one["subject"], one["endpoint"].upper(), word[one["success"]], one["date"] or None) for one in rows]
    found = study.find("ADRS", PARCAT1="Protocol Endpoint")
    assert len(wanted) > 30
    assert sorted(map(str, wanted)) == sorted(
        str((one["SUBJID"], one["PARAMCD"], one["AVALC"], one["ADT"])) for one in found
    )


@pytest.mark.parametrize("criterion", ["recist11", "irecist"])
def test_best_responses_are_those_of_best_responses_csv(study: Study, criterion: str) -> None:
    i = "I" if criterion == "irecist" else ""
    rows = [one for one in study.table("results/best_responses.csv") if one["criterion"] == criterion]
    assert len(rows) == 7
    for one in rows:
        found = {row["PARAMCD"]: row for row in study.find("ADRS", SUBJID=one["subject"], PARCAT1="Tumor Response")}
        assert found[f"{i}BOR"]["AVALC"] == one["best_unconfirmed"]
        assert found[f"{i}CBOR"]["AVALC"] == one["best_confirmed"]
        for code, column in ((f"{i}RSP", "first_response_date"), (f"{i}CRSP", "confirmed_response_date")):
            assert (found[code]["AVALC"], found[code]["ADT"] or "") == ("Y" if one[column] else "N", one[column])
        assert (found[f"{i}LSTA"]["ADT"] or "") == one["last_assessment_date"]
        codes = ("ICPD", "IUPD") if i else ("PD",)
        assert [found[code]["ADT"] for code in codes if found[code]["AVALC"] == "Y"] == [
            day for day in (one["progression_date"],) if day
        ]


def test_changes_are_those_of_responses_and_changes_csv(study: Study) -> None:
    names = {
        "AVAL": "sum",
        "NADIR": "nadir_sum",
        "PCHG": "pct_from_baseline",
        "CHGNAD": "abs_from_nadir",
        "PCHGNAD": "pct_from_nadir",
    }
    rows = [one for one in study.table("results/responses.csv") if one["criterion"] == "recist11"]
    sums = {(one["SUBJID"], one["AVISITN"]): one for one in study.find("ADTR", PARAMCD="SDIAM", PARCAT3="RECIST 1.1")}
    assert len(sums) == len(rows) > 20
    for one in rows:
        found = sums[one["subject"], int(one["timepoint"])]
        for name, column in names.items():
            wanted = float(Decimal(one[column])) if one[column] else None
            if not (name == "NADIR" and one["timepoint"] == "0"):
                assert found[name] == wanted, (one["subject"], one["timepoint"], name)
    best = {one["SUBJID"]: one["PCHG"] for one in sums.values() if one["ANL02FL"] == "Y"}
    depth = study.table("endpoints/changes.csv")
    assert best == {one["subject"]: float(one["percent"]) for one in depth if one["percent"]}
    assert len(best) > 4


def test_every_source_is_a_record_of_our_sdtm(study: Study) -> None:
    known = {
        (domain, one["USUBJID"], one[f"{domain}SEQ"]): one
        for domain in ("TR", "RS", "PR")
        for one in study.sdtm[domain]
    }
    people = {one["USUBJID"]: one for one in study.sdtm["DM"]}
    counts = dict.fromkeys(("TR", "RS", "DM"), 0)
    for dataset in DATASETS[1:]:
        for one in study.adam[dataset]:
            if not one["SRCDOM"]:
                continue
            counts[one["SRCDOM"]] += 1
            if one["SRCDOM"] == "DM":
                assert people[one["USUBJID"]][one["SRCVAR"]] == one["ADT"]
                continue
            source = known[one["SRCDOM"], one["USUBJID"], one["SRCSEQ"]]
            if one["SRCVAR"] == "TRSTRESN":
                assert (source["TRSTRESN"], source["TRDTC"]) == (one["AVAL"], one["ADT"])
            elif one["SRCVAR"] == "RSDTC":
                assert source["RSDTC"] == one["ADT"]
            elif one["PARAMCD"] in ("OVR", "IOVR"):
                assert (source["RSSTRESC"], source["RSDTC"]) == (one["AVALC"], one["ADT"])
    assert min(counts.values()) > 5


def test_codes_go_with_words_and_names_with_codes(study: Study) -> None:
    for dataset in DATASETS[1:]:
        pairs = {(one["PARAMCD"], one["PARAM"]) for one in study.adam[dataset]}
        assert len(pairs) == len({code for code, _ in pairs}) == len({name for _, name in pairs})
    values = {(one["PARAMCD"], one["AVALC"], one["AVAL"]) for one in study.adam["ADRS"] if one["AVALC"]}
    assert len(values) == len({(code, word) for code, word, _ in values}) == len({(c, n) for c, _, n in values})


def test_every_subject_and_row_belongs_to_adsl(study: Study) -> None:
    people = {one["USUBJID"]: one for one in study.adam["ADSL"]}
    assert len(people) == 8
    for dataset in DATASETS[1:]:
        numbers: dict[str, list[int]] = {}
        for one in study.adam[dataset]:
            numbers.setdefault(one["USUBJID"], []).append(one["ASEQ"])
            assert all(one[name] == people[one["USUBJID"]][name] for name in ("TRT01P", "TRTSDT", "ITTFL", "SAFFL"))
        assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def test_dataset_json_is_valid(study: Study) -> None:
    for name in DATASETS:
        path = study.folder / "adam" / "dataset-json" / f"{name.lower()}.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        jsonschema.validate(content, SCHEMA)
        assert content["metaDataVersionOID"].endswith(".ADaMIG.1.3")


def test_xpt_is_the_same_to_another_reader(study: Study) -> None:
    for name in DATASETS:
        path = study.folder / "adam" / "xpt5" / f"{name.lower()}.xpt"
        frame = pandas.read_sas(path, format="xport", encoding="ascii")
        rows = study.adam[name]
        assert len(frame) == len(rows)
        for column in frame.columns:
            wanted = [sas_value(column, one[column]) for one in rows]
            if frame[column].dtype == float:
                frame[column] = frame[column].replace(PANDAS_ZERO, 0.0)
            assert list(frame[column].fillna(-9e9 if frame[column].dtype == float else "")) == wanted, (name, column)


def sas_value(column: str, value: Any) -> Any:
    """A date of analysis is a number of days after 1960-01-01; nothing is told apart from a number by -9e9."""
    number = column.endswith(("DT", "SEQ", "DY", "AGE", "NUM", "CNSR", "CHG", "AVAL", "BASE", "NAD", "NADIR", "VISITN"))
    if value is None:
        return -9e9 if number else ""
    if isinstance(value, str) and column.endswith("DT"):
        return float((datetime.date.fromisoformat(value) - datetime.date(1960, 1, 1)).days)
    return value


def test_dates_have_the_format_of_sas(study: Study) -> None:
    _, meta = pyreadstat.read_xport(str(study.folder / "adam" / "xpt5" / "adtte.xpt"))
    assert {meta.original_variable_types[name] for name in ("STARTDT", "ADT", "TRTSDT")} == {"DATE9"}
    assert meta.file_label == "Time-to-Event Analysis Dataset"


def test_the_same_input_gives_the_same_bytes(study: Study) -> None:
    first = sorted(path for path in (study.folder / "adam").rglob("*") if path.is_file())
    assert len(first) == 12
    for path in first:
        assert path.read_bytes() == (study.folder / "again" / path.relative_to(study.folder / "adam")).read_bytes()
