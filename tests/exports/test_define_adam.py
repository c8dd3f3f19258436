"""define.xml of ADaM, read by another reader than its writer, beside the datasets that it describes."""

from __future__ import annotations

from pathlib import Path

import pytest
from define_file import DEF, ODM, Define, fits, origins, read

from mrecist.cli import main
from mrecist.samples.cohort.build import simulate
from mrecist.samples.cohort.parameters import study_named
from mrecist.tables import write_whole

TABLES = ("procedures", "therapies", "markers", "liver", "occurrences", "adverse-events")


@pytest.fixture(scope="module")
def adam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ADaM of a simulated study with its define.xml."""
    folder = tmp_path_factory.mktemp("cohort")
    for name, text in simulate(study_named("NCT05233358"), 3, 6).files.items():
        write_whole(folder / name, text)
    options = ["--protocol", str(folder / "protocol.toml"), "--subjects", str(folder / "subjects.csv")]
    assert main(["assess", str(folder / "measurements.csv"), *options, "--out", str(folder / "results")]) == 0
    for name in TABLES:
        options += [f"--{name}", str(folder / f"{name.replace('-', '_')}.csv")]
    for target in (["adam"], ["define", "adam"]):
        command = ["export", *target, str(folder / "results"), *options, "--out", str(folder / "adam")]
        assert main([*command, "--format", "dataset-json"]) == 0
    return folder / "adam"


def test_every_variable_and_value_is_as_defined(adam: Path) -> None:
    define = Define(adam / "define.xml")
    datasets = read(adam)
    assert {"ADSL", "ADTR", "ADRS", "ADTTE"} == set(datasets) == set(define.groups)
    for name, (variables, rows) in datasets.items():
        uses = define.groups[name].findall(f"{ODM}ItemRef")
        assert [use.get("ItemOID") for use in uses] == [f"IT.{name}.{variable}" for variable in variables]
        for variable in variables:
            item = define.items[f"IT.{name}.{variable}"]
            for one in rows:
                if variable in one:
                    fits(define, item, one[variable])
            derived = ("Derived", "Sponsor") in origins(item)
            assert not derived or define.method_of(item.get("OID")), (name, variable)


def test_values_are_told_apart_by_parameter(adam: Path) -> None:
    define = Define(adam / "define.xml")
    for name in ("ADTR", "ADRS", "ADTTE"):
        rows = read(adam)[name][1]
        tests = define.of_test(f"IT.{name}.AVAL")
        assert set(tests) == {one["PARAMCD"] for one in rows if "AVAL" in one}
        for one in rows:
            if "AVAL" in one:
                fits(define, tests[one["PARAMCD"]], one["AVAL"])
    assert define.groups["ADTTE"].find(f"{DEF}Class")[0].get("Name") == "TIME-TO-EVENT"
