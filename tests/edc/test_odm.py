"""ODM: valid by the official schemas, every value where the map says, the same bytes again, nothing lost in silence."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
import xmlschema
from defusedxml import ElementTree
from edc_results import HOSTILE, assessed, cells, rows, write_table
from odmlib.schema_manager import get_schema_path

from mrecist.cli import main
from mrecist.errors import InputError
from mrecist.exporting.odm.check import check_equal, check_valid, read_clinical_data
from mrecist.exporting.odm.export import export_odm, write_template
from mrecist.exporting.odm.oid_map import MAP_COLUMNS, read_map

STYLES = ("odm", "openclinica", "rave")
VERSIONS = ("1.3.2", "2.0")
NAMESPACE = {"1.3.2": "{http://www.cdisc.org/ns/odm/v1.3}", "2.0": "{http://www.cdisc.org/ns/odm/v2.0}"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assessed(tmp_path_factory.mktemp("odm"), rows(("S-1", "S-2 <ä&b>"), readers=("R1", "R2")))


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("maps")
    return {style: write_template(folder / f"{style}.csv", style).files[0] for style in STYLES}


@pytest.fixture
def subjects(tmp_path: Path) -> Path:
    table = [
        {"subject": "S-1", "arm": "A", "randomisation": "2024-01-10"},
        {"subject": "S-2 <ä&b>", "arm": '"B" & C', "randomisation": "2024-01-11", "death": "2024-09-01"},
    ]
    return write_table(tmp_path / "subjects.csv", table)


@cache
def schema(version: str) -> xmlschema.XMLSchema:
    """CDISC's schema in another validator than the one that the writer uses."""
    return xmlschema.XMLSchema(get_schema_path("odm", version))


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_map(path: Path, lines: list[dict[str, str]]) -> Path:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, MAP_COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(lines)
    path.write_text(buffer.getvalue(), encoding="utf-8")
    return path


def values_by_item(content: bytes, version: str) -> Counter[tuple[str, str, str]]:
    """(SubjectKey, ItemOID, value), counted, by a walk of the XML that knows no more than element names."""
    name = NAMESPACE[version]
    root = ElementTree.fromstring(content, forbid_dtd=True)
    assert root.tag == f"{name}ODM"
    found: Counter[tuple[str, str, str]] = Counter()
    for subject in root.iter(f"{name}SubjectData"):
        for item in subject.iter(f"{name}ItemData"):
            value = item.get("Value") if version == "1.3.2" else item.findtext(f"{name}Value")
            found[subject.get("SubjectKey", ""), item.get("ItemOID", ""), value or ""] += 1
    return found


def expected(folder: Path, subjects: Path, map_path: Path) -> Counter[tuple[str, str, str]]:
    """The same out of the CSV files, by the OIDs and codes of the map."""
    lines = lines_of(map_path)
    key = next((line["oid"] for line in lines if line["column"] == "subject_key"), "{subject}")
    sources = {
        "subjects": subjects,
        "measurements": folder / "derivation" / "measurements.csv",
        "responses": folder / "responses.csv",
        "best_responses": folder / "best_responses.csv",
    }
    found: Counter[tuple[str, str, str]] = Counter()
    for table, path in sources.items():
        oids = {line["column"]: (line["oid"], line["codes"]) for line in lines if line["table"] == table}
        for row in cells(path):
            for column, value in row.items():
                if column != "subject" and value.strip():
                    oid, codes = oids[column]
                    coded = dict(one.rsplit("=", 1) for one in codes.split(";")) if codes else {}
                    text = coded.get(value, value) if codes else value.strip()
                    found[key.replace("{subject}", row["subject"]), oid, text] += 1
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("style", STYLES)
def test_every_value_is_at_its_item_and_the_schema_says_valid(
    style: str, version: str, results: Path, maps: dict[str, Path], subjects: Path, tmp_path: Path
) -> None:
    done = export_odm(results, tmp_path / "out", maps[style], subjects=subjects, version=version)
    assert (done.problems, done.files) == ((), (tmp_path / "out" / "clinical_data.xml",))
    content = done.files[0].read_bytes()
    found = values_by_item(content, version)
    assert found == expected(results, subjects, maps[style])
    assert {text.strip() for text in HOSTILE.values()} <= {value for _, _, value in found}
    if style != "openclinica":  # its attributes are not CDISC's; the next test looks at the file without them
        assert schema(version).is_valid(str(done.files[0]))


def test_openclinica_is_valid_without_its_own_attributes_and_has_them(
    results: Path, maps: dict[str, Path], tmp_path: Path
) -> None:
    path = export_odm(results, tmp_path, maps["openclinica"]).files[0]
    text = path.read_text(encoding="utf-8")
    assert 'xmlns:OpenClinica="http://www.openclinica.org/ns/odm_ext_v130/v3.1"' in text
    assert 'SubjectKey="SS_S-1" OpenClinica:StudySubjectID="S-1"' in text
    assert text.count("<ClinicalData ") == 1
    assert 'ODMVersion="1.3"' in text
    assert "<SubjectData TransactionType" not in text
    plain = text.replace(' OpenClinica:StudySubjectID="S-1"', "")
    plain = plain.replace(' OpenClinica:StudySubjectID="S-2 &lt;ä&amp;b&gt;"', "")
    assert schema("1.3.2").is_valid(plain)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("style", ["odm", "openclinica"])
def test_metadata_define_every_oid_that_the_data_use(
    style: str, version: str, results: Path, maps: dict[str, Path], tmp_path: Path
) -> None:
    data = export_odm(results, tmp_path, maps[style], version=version).files[0]
    path = export_odm(results, tmp_path, maps[style], version=version, only_metadata=True).files[0]
    assert path.name == "metadata.xml"
    if style == "odm":
        assert schema(version).is_valid(str(path))
    root = ElementTree.parse(str(path)).getroot()
    defined = {(one.tag.partition("}")[2].removesuffix("Def"), one.get("OID")) for one in root.iter() if one.get("OID")}
    used = set()
    for one in ElementTree.parse(str(data)).getroot().iter():
        kind = one.tag.partition("}")[2].removesuffix("Data")
        used |= {(kind, one.get(f"{kind}OID"))} if one.get(f"{kind}OID") else set()
    assert len(used) > 45
    assert used <= defined


def test_rave_metadata_are_refused_in_one_line(results: Path, maps: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'SUBJ' is an OID of both forms and groups"):
        export_odm(results, tmp_path, maps["rave"], only_metadata=True)
    assert list(tmp_path.iterdir()) == []


def test_odmlib_reads_the_same_values(results: Path, maps: dict[str, Path], tmp_path: Path) -> None:
    """In a process of its own: odmlib keeps the namespace of the last model imported."""
    path = export_odm(results, tmp_path, maps["odm"]).files[0]
    code = (
        "import sys, odmlib.odm_loader as OL, odmlib.loader as LO\n"
        "loader = LO.ODMLoader(OL.XMLODMLoader(model_package='odm_1_3_2', ns_uri='http://www.cdisc.org/ns/odm/v1.3'))\n"
        "loader.open_odm_document(sys.argv[1]); odm = loader.root()\n"
        "values = [i.Value for s in odm.ClinicalData[0].SubjectData for e in s.StudyEventData for f in e.FormData\n"
        "          for g in f.ItemGroupData for i in g.ItemData]\n"
        "sys.stdout.buffer.write('\\0'.join(sorted(values)).encode('utf-8'))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True, timeout=60)
    found = values_by_item(path.read_bytes(), "1.3.2")
    assert done.stdout.decode("utf-8").split("\0") == sorted(value for _, _, value in found.elements())


def test_models_of_other_versions_in_the_process_change_nothing(
    results: Path, maps: dict[str, Path], tmp_path: Path
) -> None:
    """odmlib's models set a namespace for the whole process; the file is of the version that was asked for."""
    alone = export_odm(results, tmp_path / "alone", maps["odm"]).files[0].read_bytes()
    code = (
        "import sys, odmlib.define_2_1.model, odmlib.odm_2_0.model\n"
        "from mrecist.cli import main\n"
        "sys.exit(main(['export', 'odm', *sys.argv[1:]]))"
    )
    given = [str(results), "--map", str(maps["odm"]), "--out", str(tmp_path / "beside")]
    subprocess.run([sys.executable, "-c", code, *given], capture_output=True, check=True, timeout=60)
    assert (tmp_path / "beside" / "clinical_data.xml").read_bytes() == alone


def test_the_same_input_gives_the_same_bytes(results: Path, maps: dict[str, Path], tmp_path: Path) -> None:
    one, two = (export_odm(results, tmp_path / name, maps["odm"]).files[0].read_bytes() for name in "ab")
    assert one == two
    assert b'CreationDateTime="2024-05-08T00:00:00Z"' in one  # the latest date of the rows
    other = export_odm(results, tmp_path / "c", maps["odm"], created="2025-01-01T10:00:00Z", file_oid="F.1").files[0]
    head = other.read_bytes()[:600]
    assert b'CreationDateTime="2025-01-01T10:00:00Z"' in head
    assert b'FileOID="F.1"' in head
    with pytest.raises(InputError, match="is no date and time"):
        export_odm(results, tmp_path / "d", maps["odm"], created="yesterday")
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("transaction", ["Insert", "Update", "Upsert"])
def test_transaction_types(transaction: str, results: Path, maps: dict[str, Path], tmp_path: Path) -> None:
    text = export_odm(results, tmp_path, maps["odm"], transaction=transaction).files[0].read_text(encoding="utf-8")
    assert 'FileType="Transactional"' in text
    groups = [line for line in text.splitlines() if "<ItemGroupData " in line]
    assert groups
    assert all(f'TransactionType="{transaction}"' in line for line in groups)


def test_lesions_keep_their_repeat_keys_when_visits_are_added(maps: dict[str, Path], tmp_path: Path) -> None:
    few, more = (assessed(tmp_path / str(n), rows(("S-1",), ("R1", "R2"), visits=n)) for n in (2, 3))
    keys = []
    for folder in (few, more):
        content = export_odm(folder, folder / "odm", maps["odm"]).files[0].read_bytes()
        keys.append(
            {place: text for place, text in read_clinical_data(content).items() if place.form == "F_TUMOURS_V10"}
        )
    assert keys[0].items() <= keys[1].items()
    assert {place.group_repeat for place in keys[1]} == {"1", "2", "3", "4", "5", "6"}


# --- what cannot be exported is named ---------------------------------------------------------------------------------


def test_a_column_without_a_line_is_named(
    results: Path, maps: dict[str, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    kept = [line for line in lines_of(maps["odm"]) if line["column"] != "viable_mm"]
    path = write_map(tmp_path / "map.csv", [*kept, {"table": "measurements", "column": "organ", "oid": "-"}])
    lines = [line for line in lines_of(path) if line["column"] != "organ" or line["oid"] == "-"]
    write_map(path, lines)
    assert main(["export", "odm", str(results), "--out", str(tmp_path / "out"), "--map", str(path)]) == 1
    told = capfd.readouterr().err
    assert "measurements viable_mm: 12 values have no line in map.csv and are not exported" in told
    assert "note: measurements organ: 28 values are not exported, as map.csv says" in told


def test_a_control_character_and_a_word_without_code_are_named(maps: dict[str, Path], tmp_path: Path) -> None:
    table = rows(("S-1",), visits=1)
    table[0]["comment"] = "bell\x07"
    folder = assessed(tmp_path, table)
    lines = lines_of(maps["odm"])
    for line in lines:
        if line["column"] == "state":
            line["codes"] = "measured=1"
    done = export_odm(folder, tmp_path / "out", write_map(tmp_path / "map.csv", lines))
    told = [problem.message for problem in done.problems]
    assert len(told) == 2
    assert any("comment: holds a control character" in line for line in told)
    assert any("state: 'present' has no code" in line for line in told)
    assert b"bell" not in done.files[0].read_bytes()


def test_a_map_that_would_lose_values_is_refused_and_nothing_is_replaced(
    results: Path, maps: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "clinical_data.xml").write_text("of an earlier run", encoding="utf-8")
    lines = lines_of(maps["odm"])
    for line in lines:
        line["item_group_repeat"] = ""
    with pytest.raises(InputError, match=r"both go to .*; give a repeat key or other OIDs"):
        export_odm(results, out, write_map(tmp_path / "map.csv", lines))
    lines = [line for line in lines_of(maps["odm"]) if line["column"] != "subject_key"]
    same = {"table": "study", "column": "subject_key", "oid": "SS_1"}
    with pytest.raises(InputError, match=r"subjects S-1 and S-2 .* get the same key 'SS_1'"):
        export_odm(results, out, write_map(tmp_path / "map.csv", [*lines, same]))
    assert [path.read_text(encoding="utf-8") for path in out.iterdir()] == ["of an earlier run"]


def test_keys_are_recoded(results: Path, maps: dict[str, Path], tmp_path: Path) -> None:
    lines = [*lines_of(maps["odm"]), {"table": "keys", "column": "subject", "codes": "S-1=SS_001"}]
    done = export_odm(results, tmp_path / "out", write_map(tmp_path / "map.csv", lines))
    assert {place.subject for place in read_clinical_data(done.files[0].read_bytes())} == {"SS_001"}
    assert [problem.subject for problem in done.problems] == ["S-2 <ä&b>"]
    assert "has no code among the keys of the map; the subject is not exported" in done.problems[0].message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"table": "tumours", "column": "x", "oid": "I"}, "table is 'tumours', not one of"),
        ({"table": "responses", "column": "overal", "oid": "I"}, "responses has no column 'overal'"),
        (
            {"table": "responses", "column": "overall", "study_event": "E", "form": "F", "item_group": "G"},
            "oid of responses",
        ),
        (
            {
                "table": "responses",
                "column": "overall",
                "study_event": "E",
                "form": "F",
                "item_group": "G{lesion}",
                "oid": "I",
            },
            "responses has no column 'lesion'",
        ),
        ({"table": "responses", "column": "overall", "oid": "-", "where": "R1"}, "where is 'R1'"),
        ({"table": "responses", "column": "overall", "oid": "-", "codes": "CR"}, "'CR' is not WORD=CODE"),
        ({"table": "responses", "column": "overall", "oid": "-", "codes": "CR=1;PR=1"}, "1 is the code of two words"),
        ({"table": "responses", "column": "overall", "oid": "-", "codes": "CR=1;CR=2"}, "'CR' has two codes"),
        ({"table": "study", "column": "colour", "oid": "red"}, "study has no setting 'colour'"),
        ({"table": "study", "column": "style", "oid": "paper"}, "style is 'paper', not one of"),
        ({"table": "study", "column": "form_status", "oid": "complete"}, "form_status goes with the style openclinica"),
    ],
)
def test_faults_of_a_map_are_one_line(line: dict[str, str], said: str, tmp_path: Path) -> None:
    study = [{"table": "study", "column": name, "oid": "S_1"} for name in ("study_oid", "metadata_version_oid")]
    with pytest.raises(InputError) as error:
        read_map(write_map(tmp_path / "map.csv", [*study, line]))
    assert said in str(error.value)


def test_a_map_without_a_study_is_refused_and_an_edited_map_is_not_replaced(tmp_path: Path) -> None:
    path = write_map(tmp_path / "map.csv", [])
    with pytest.raises(InputError, match="no row 'study,study_oid'"):
        read_map(path)
    with pytest.raises(InputError, match="is there already"):
        write_template(path, "odm")


# --- the guard before writing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_the_guard_refuses_what_is_not_valid_or_reads_back_otherwise(
    version: str, results: Path, maps: dict[str, Path], tmp_path: Path
) -> None:
    content = export_odm(results, tmp_path, maps["odm"], version=version).files[0].read_bytes()
    meant = read_clinical_data(content)
    check_valid(content, version)
    check_equal(content, meant)
    other = VERSIONS[1 - VERSIONS.index(version)]
    for wrong in (
        content.replace(b"<SubjectData", b"<Subject").replace(b"</SubjectData", b"</Subject"),
        content.replace(b' FileOID="', b' FileID="'),
    ):
        with pytest.raises(InputError, match=f"would not be valid ODM {version}"):
            check_valid(wrong, version)
    with pytest.raises(InputError, match=f"would not be valid ODM {other}"):
        check_valid(content, other)
    with pytest.raises(InputError, match="reads back as"):
        check_equal(content.replace(b"48.25", b"48.26"), meant)


def test_a_document_type_is_never_expanded() -> None:
    bomb = b'<!DOCTYPE ODM [<!ENTITY a "aaaa">]><ODM xmlns="http://www.cdisc.org/ns/odm/v1.3">&a;</ODM>'
    with pytest.raises(InputError, match="no XML that can be read safely"):
        read_clinical_data(bomb)


def test_an_absent_library_is_one_line(
    results: Path,
    maps: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "lxml", None)
    monkeypatch.delitem(sys.modules, "lxml.etree", raising=False)
    assert main(["export", "odm", str(results), "--out", str(tmp_path), "--map", str(maps["odm"])]) == 2
    assert (
        "lxml is not installed; this export needs the extra: pip install 'mrecist[exports]'" in capfd.readouterr().err
    )
