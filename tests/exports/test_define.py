"""define.xml is read by another reader than its writer, beside the datasets that it describes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from define_file import DEF, ODM, XLINK, Define, fits, origins, read, text_of
from odmlib.schema_manager import get_schema_path
from sdtm_export import Exporter, row, sized, table

from mrecist.cli import main

PROTOCOL = """format = "mrecist-protocol/1"
[study]
id = "S1"
title = "A study of <two> readers & one investigator"
[criteria.recist11]
too_small_mm = 4
[criteria.mrecist]
pd_percent = 25
too_small_mm = 4
[response.confirm]
required = true
min_days = 35
"""
ROWS = [
    *(sized("T01", tp, size, viable, organ="liver segment 5", phase="arterial", modality="CT", reader=reader)
      for reader in ("R1", "INV")
      for tp, size, viable in ((0, "40.5", "30"), (1, "30", "20"), (2, "42", "31"))),
    sized("T02", 0, "20", "12"),
    row("T02", 1, "too-small"),
    row("T02", 2, "not-evaluable", comment="motion"),
    row("NT01", 0, "present", organ="thyroid gland"),
    row("NT01", 1, "present"),
    row("NT01", 2, "progressed", lipiodol="yes"),
    row("NEW01", 2, "unequivocal", organ="moon"),
]  # fmt: skip


Defined = tuple[Path, Define]


def defined(folder: Path, *options: str, protocol: str = PROTOCOL) -> Defined:
    """Assess, export and define in a folder; again in the same one is the same export again."""
    folder.mkdir(exist_ok=True)
    (folder / "measurements.csv").write_text(table(ROWS), encoding="utf-8")
    (folder / "protocol.toml").write_text(protocol, encoding="utf-8")
    results, out = str(folder / "results"), str(folder / "sdtm")
    assess = ["assess", str(folder / "measurements.csv"), "--protocol", str(folder / "protocol.toml"), "--out", results]
    assert main(assess) == 0
    for target in (["sdtm"], ["define", "sdtm"]):
        assert main(["export", *target, results, "--out", out, "--format", "dataset-json", *options]) == 0
    return folder / "sdtm", Define(folder / "sdtm" / "define.xml")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Defined:
    """With the tables of the study."""
    folder = tmp_path_factory.mktemp("full")
    (folder / "subjects.csv").write_text("subject,arm,randomisation,first_dose,sex\nP01,A,2024-01-10,2024-01-11,F\n")
    (folder / "visits.csv").write_text("timepoint,visit\n0,SCREENING\n1,WEEK 8\n2,WEEK 16\n")
    tables = ["--subjects", str(folder / "subjects.csv"), "--visits", str(folder / "visits.csv")]
    return defined(folder, *tables)


def test_every_variable_and_value_is_as_defined(full: Defined) -> None:
    folder, define = full
    datasets = read(folder)
    assert {"DM", "SV", "TU", "TR", "SUPPTR", "RS", "RELREC"} <= set(datasets) == set(define.groups)
    for name, (variables, rows) in datasets.items():
        uses = define.groups[name].findall(f"{ODM}ItemRef")
        assert [use.get("ItemOID") for use in uses] == [f"IT.{name}.{variable}" for variable in variables]
        assert [int(use.get("OrderNumber")) for use in uses] == list(range(1, len(uses) + 1))
        for variable in variables:
            item = define.items[f"IT.{name}.{variable}"]
            assert item.get("Name") == variable
            for one in rows:
                if variable in one:
                    fits(define, item, one[variable])
        keys = sorted(
            (int(u.get("KeySequence")), u.get("ItemOID").split(".")[-1]) for u in uses if u.get("KeySequence")
        )
        texts = [tuple(str(one.get(key, "")) for _, key in keys) for one in rows]
        assert len(set(texts)) == len(texts)


def test_every_value_of_a_test_has_one_definition_that_it_fits(full: Defined) -> None:
    folder, define = full
    seen = set()
    for name, (variables, rows) in read(folder).items():
        for variable in variables:
            reference = define.items[f"IT.{name}.{variable}"].find(f"{DEF}ValueListRef")
            if reference is None:
                continue
            seen.add(variable)
            uses = define.lists[reference.get("ValueListOID")]
            for one in rows:
                clauses = ((use, define.wheres[use[0].get("WhereClauseOID")]) for use in uses)
                mine = [use for use, clause in clauses if all(one.get(k) == v for k, v in clause.items())]
                assert len(mine) == 1 or (variable not in one and len(mine) == 0)
                if variable in one:
                    fits(define, define.items[mine[0].get("ItemOID")], one[variable])
    assert seen == {"TRORRES", "TRSTRESC", "TRSTRESN", "RSORRES", "RSSTRESC", "QVAL"}


def test_nothing_is_referred_to_that_is_not_there(full: Defined) -> None:
    """OIDs of ODM are no XML ids, so no schema looks."""
    folder, define = full
    there = {one.get("OID") for one in define.root.iter() if one.get("OID")}
    referred = {
        one.get(name)
        for one in define.root.iter()
        for name in one.keys()  # noqa: SIM118
        if name.endswith("OID") and name != "OID" and name != "FileOID"
    }
    assert referred <= there
    used = there - referred
    assert {oid.split(".")[0] for oid in used} <= {"STD", "MDV", "IG"}
    leaves = {one.get("ID"): one.get(f"{XLINK}href") for one in define.root.iter(f"{DEF}leaf")}
    assert {one.get(f"{DEF}ArchiveLocationID") for one in define.groups.values()} == set(leaves)
    assert all((folder / path).is_file() for path in leaves.values())


def test_another_validator_finds_it_valid(full: Defined) -> None:
    folder, _ = full
    xmlschema.XMLSchema(get_schema_path("define", "2.1")).validate(str(folder / "define.xml"))


def test_origins_say_who(full: Defined) -> None:
    """Define-XML 2.1: Investigator for a site's own reading, Vendor for a core lab's; the sponsor assigns."""
    _, define = full
    assert origins(define.items["IT.TU.TULNKID"]) == [("Assigned", "Sponsor")]
    sizes = define.of_test("IT.TR.TRORRES")
    assert origins(sizes["LDIAM"]) == [("Collected", "Investigator"), ("Collected", "Vendor")]
    assert origins(sizes["SUMVDIAM"]) == [("Derived", "Investigator"), ("Derived", "Vendor")]
    assert origins(define.items["IT.TR.TREVALID"]) == [("Assigned", "Sponsor")]
    assert origins(define.of_test("IT.RS.RSORRES")["RECIST 1.1 NTRGRESP"]) == [("Derived", "Vendor")]
    derived = [one for one in define.items.values() if ("Derived", "Sponsor") in origins(one)]
    assert derived
    assert all(define.method_of(one.get("OID")) for one in derived)


def test_the_sponsor_derives_when_the_package_stands_for_it(tmp_path: Path) -> None:
    _, define = defined(tmp_path, "--derived", "sponsor")
    assert origins(define.of_test("IT.RS.RSSTRESC")["RECIST 1.1 OVRLRESP"]) == [("Derived", "Sponsor")]
    assert "SUMDIAM" not in define.of_test("IT.TR.TRORRES")


def test_methods_have_the_thresholds_of_the_protocol(full: Defined, tmp_path: Path) -> None:
    """25 %, 4 mm and 35 days are what PROTOCOL sets; 20 % and 5 mm are those of RECIST 1.1 (Eisenhauer 2009, 4.3.1)."""
    _, define = full
    named = {one.get("Name"): text_of(one) for one in define.root.iter(f"{ODM}MethodDef")}
    mrecist = "MRECIST LENCIONI LIVER CANCER 2010"
    assert "at least +20 % and at least +5 mm" in named["Algorithm for Target Response, RECIST 1.1"]
    assert "at least +25 %" in named[f"Algorithm for Target Response, {mrecist}"]
    assert "20 %" not in named[f"Algorithm for Target Response, {mrecist}"]
    assert "35 days later" in named[f"Algorithm for Best Overall Response, {mrecist}"]
    assert "longest viable" in named["Algorithm for Sum of Viable Diameter"]
    comments = " ".join(text_of(one) for one in define.root.iter(f"{DEF}CommentDef"))
    assert "else 4 mm" in comments
    assert "RSDTC is the latest scan of the time point, of a progression the earliest scan." in comments
    assert "carries" not in named["Algorithm for Target Response, RECIST 1.1"]
    carried = PROTOCOL.replace("[criteria.recist11]\n", "[criteria.recist11]\npr_carry_forward = true\n")
    _, define = defined(tmp_path, protocol=carried)
    assert any("carries a partial response forward" in text for text in define.methods.values())


def test_codes_are_those_of_nci_and_ours_are_marked_as_extensions(full: Defined) -> None:
    """C25936 is the code that CDISC's own schema (define-enumerations.xsd) has for the investigator; C126032 is mRECIST's RSCAT."""
    _, define = full
    found: dict[str, tuple[str | None, str | None]] = {}
    for one in define.codelists.values():
        for term in one:
            if term.get("CodedValue"):
                alias = term.find(f"{ODM}Alias")
                found[term.get("CodedValue")] = (
                    None if alias is None else alias.get("Name"),
                    term.get(f"{DEF}ExtendedValue"),
                )
    schema = Path(get_schema_path("define", "2.1")).with_name("define-enumerations.xsd").read_text(encoding="utf-8")
    assert re.search(r'value="Investigator">.{0,120}?Name="C25936"', schema, flags=re.DOTALL)
    assert found["INVESTIGATOR"] == ("C25936", None)
    assert found["MRECIST LENCIONI LIVER CANCER 2010"] == ("C126032", None)
    assert found["VDIAM"][0] is not None
    assert found["THYROID GLAND"] == (None, None)  # published, and not among those whose codes are here
    assert found["MOON"] == (None, "Yes")
    assert found["ACNSVD"] == (None, "Yes")


def test_bytes_are_the_same_again_and_the_date_is_the_latest_of_the_data(tmp_path: Path) -> None:
    folder, define = defined(tmp_path)
    first = [(folder / name).read_bytes() for name in ("define.xml", "define.html")]
    _, again = defined(tmp_path)
    assert [(folder / name).read_bytes() for name in ("define.xml", "define.html")] == first
    assert define.root.get("CreationDateTime") == again.root.get("CreationDateTime") == "2024-04-29T00:00:00Z"


def test_the_page_shows_what_the_file_says(full: Defined) -> None:
    folder, define = full
    page = (folder / "define.html").read_text(encoding="utf-8")
    assert "A study of &lt;two&gt; readers &amp; one investigator" in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", page)
    assert all(
        text_of(group).replace("/", "&#x2F;") in page or text_of(group) in page for group in define.groups.values()
    )
    assert "at least +25 %" in page


@pytest.mark.parametrize("form", ["xpt5", "csv"])
def test_files_of_any_format_are_found(exporter: Exporter, form: str) -> None:
    results = exporter.assess(ROWS, PROTOCOL)
    out = exporter.folder / "sdtm"
    for target in (["sdtm"], ["define", "sdtm"]):
        assert main(["export", *target, str(results), "--out", str(out), "--format", form]) == 0
    leaves = [one.get(f"{XLINK}href") for one in Define(out / "define.xml").root.iter(f"{DEF}leaf")]
    assert sorted(leaves) == sorted(path.name for path in out.iterdir() if not path.name.startswith("define"))


def test_two_formats_have_one_definition(exporter: Exporter) -> None:
    results = exporter.assess(ROWS, PROTOCOL)
    out = exporter.folder / "sdtm"
    options = ["--out", str(out), "--format", "dataset-json", "--format", "csv"]
    for target in (["sdtm"], ["define", "sdtm"]):
        assert main(["export", *target, str(results), *options]) == 0
    leaves = [one.get(f"{XLINK}href") for one in Define(out / "define.xml").root.iter(f"{DEF}leaf")]
    assert "dataset-json/tu.json" in leaves


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda out: [path.unlink() for path in out.iterdir()], "holds no datasets"),
        (lambda out: (out / "tr.json").unlink(), "tr.json: is not there"),
        (lambda out: (out / "dm.json").write_text("{}"), "dm.json: is of another export"),
        (lambda out: (out / "tr.json").write_text("{}"), "tr.json: is not what these results and options give"),
    ],
)
def test_what_the_folder_does_not_hold_is_not_described(
    exporter: Exporter, capsys: pytest.CaptureFixture[str], spoil: Any, said: str
) -> None:
    made = exporter.made(ROWS, protocol=PROTOCOL)
    spoil(made.folder)
    command = ["export", "define", "sdtm", str(made.results), "--out", str(made.folder), "--format", "dataset-json"]
    assert main(command) == 2
    assert said in capsys.readouterr().err
    assert not (made.folder / "define.xml").exists()


def test_what_xml_cannot_hold_is_named(exporter: Exporter, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row("NT01", timepoint, "present", organ="moon\x02base") for timepoint in (0, 1)]
    made = exporter.made([*rows, sized("T01", 0, "20", "20"), sized("T01", 1, "20", "20")], protocol=PROTOCOL)
    command = ["export", "define", "sdtm", str(made.results), "--out", str(made.folder), "--format", "dataset-json"]
    assert made.code == 0
    assert main(command) == 2
    assert "CL.TU.TULOC: 'MOON\\u0002BASE' holds a character that XML cannot hold" in capsys.readouterr().err
    assert not (made.folder / "define.xml").exists()
