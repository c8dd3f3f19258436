"""The reference pages (flags, protocol, files) cannot drift from the code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from doc_pages import ROOT, Table, cell, names, page, section, table, tables_of, words

from mrecist import model, pieces, protocol, reading, score, study, tables
from mrecist.criteria import CRITERIA
from mrecist.criteria.irecist import IMMUNE
from mrecist.dates import PartialDate, parse_date
from mrecist.errors import InputError, ProtocolError
from mrecist.imaging.geometry import Geometry
from mrecist.imaging.masks import LesionMask
from mrecist.imaging.phase import PhaseName
from mrecist.manifest import read_manifest
from mrecist.measure.conventions import Convention
from mrecist.measure.lesion import DEFAULT_CONVENTION
from mrecist.protocol import keys
from mrecist.protocol.endpoints import ENDPOINT_KEYS
from mrecist.protocol.variants import SPELLED
from mrecist.response.flags import MEANING
from mrecist.tables.trial import DATE_COLUMNS

# --- flags.md --------------------------------------------------------------------------------------------------------


def test_the_table_of_flags_is_the_one_in_the_code() -> None:
    rows = table(page("flags.md").split("## After the colon")[0], "flag")
    assert [(words(row["flag"]), row["meaning"]) for row in rows] == [([k], m) for k, m in MEANING.items()]
    assert all(row["what to do"] for row in rows)


def emitted() -> dict[str, set[bool]]:
    """Flag -> whether a detail follows, for every flag that a string of the package begins with."""
    found: dict[str, set[bool]] = {}
    for path in sorted((ROOT / "mrecist").rglob("*.py")):
        # The table itself and the checks, which ask for flags, give none; neither does _any_flag.
        if path.name != "flags.py" and "checks" not in path.parts:
            text = re.sub(r"_any_flag\([^)]*\)", "", path.read_text(encoding="utf-8"))
            for code, colon in re.findall(r"\"([A-Z]+(?:_[A-Z]+)*)(:?)", text):
                if code in MEANING:
                    found.setdefault(code, set()).add(bool(colon))
    return found


def test_every_flag_has_its_detail_explained() -> None:
    rows = table(section(page("flags.md"), "After the colon"), "flag")
    assert names(rows) == list(MEANING)
    in_code = emitted()
    assert set(in_code) == set(MEANING)
    for row in rows:
        (code,), (example,) = words(row["flag"]), words(row["example"])
        assert example.split(":")[0] == code
        assert in_code[code] == {":" in example} == {row["detail"] != "none"}, code


# --- protocol.md -----------------------------------------------------------------------------------------------------

PARSED = {
    "[response]": ("response",),
    "[response.confirm]": ("response", "confirm"),
    "[measurement]": ("measurement",),
    "[origin]": ("origin",),
    "[schedule]": ("schedule",),
    "[stability]": ("stability",),
    "[study]": ("study",),
    "[readers]": ("readers",),
    "[safety]": ("safety",),
    "[regions]": ("regions",),
    "[eligibility]": ("eligibility",),
    "[export.sdtm]": ("export", "sdtm"),
    "[export.odm]": ("export", "odm"),
    "[export.redcap]": ("export", "redcap"),
}
IN_CODE: dict[str, set[str]] = {
    "[response]": set(keys.RESPONSE),
    "[response.confirm]": set(keys.CONFIRM),
    "[measurement]": set(keys.MEASURING),
    "[origin]": set(keys.ORIGIN),
    "[schedule]": set(keys.SCHEDULE),
    "[stability]": set(keys.STABILITY),
    "[study]": set(keys.STUDY),
    "[readers]": set(keys.READERS),
    "[safety]": set(keys.SAFETY),
    "[regions]": set(keys.REGIONS),
    "[eligibility]": set(keys.ELIGIBILITY),
    **{f"[export.{name}]": set(known) for name, known in keys.EXPORT.items()},
}


def parse(content: Mapping[str, Any]) -> protocol.Protocol:
    return protocol.parse_protocol({"format": protocol.FORMAT, **content}, where="protocol.toml")


def within(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for key in reversed(path):
        value = {key: value}
    return value


def refusal(content: Mapping[str, Any]) -> str:
    with pytest.raises(ProtocolError) as error:
        parse(content)
    return str(error.value)


def keys_of(heading: str) -> Table:
    return table(section(page("protocol.md"), f"`{heading}`"), "key")


def criteria_tables() -> tuple[Table, Table, Table]:
    naming, keys, defaults = tables_of(section(page("protocol.md"), "`[criteria.NAME]`"))
    return naming, keys, defaults


def test_every_section_is_documented() -> None:
    rows = table(section(page("protocol.md"), "Sections"), "section")
    assert sorted(names(rows)) == sorted(keys.SECTIONS)
    headings = {h.split(".")[0] for h in re.findall(r"^## `\[+([a-z.]+)", page("protocol.md"), flags=re.MULTILINE)}
    assert headings == keys.SECTIONS - {"format", "extends"}


@pytest.mark.parametrize("heading", PARSED)
def test_keys_and_defaults_of_a_section(heading: str) -> None:
    rows = keys_of(heading)
    assert sorted(names(rows)) == sorted(IN_CODE[heading])
    assert all(row["takes"] and row["meaning"] for row in rows)
    unset = replace(parse({}), sha256="")
    for row in rows:
        (key,) = words(row["key"])
        # An object of no TOML type is refused for its value by a key that is known, and for its name otherwise.
        assert "it takes" in refusal(within((*PARSED[heading], key), object()))
        for text in words(row["default"]):
            value = tomllib.loads(f"x = {text}")["x"]
            found = parse(within((*PARSED[heading], key), value))
            # That the section is there at all asks for the tables; no key of it does more than its default.
            asked = ("stability", "safety", "eligibility")
            assert [name for name in asked if getattr(found, name).asked] == [
                name for name in asked if heading == f"[{name}]"
            ]
            bare = {name: replace(getattr(found, name), asked=False) for name in asked}
            assert replace(found, sha256="", **bare) == unset, key


def test_the_origin_without_a_key_is_the_baseline() -> None:
    assert cell(keys_of("[origin]"), "event", "default") == "the baseline scan"
    assert parse({}).origin.event == ""


@pytest.mark.parametrize("heading", PARSED)
def test_what_a_key_takes(heading: str) -> None:
    for row in keys_of(heading):
        (key,) = words(row["key"])
        wrong = 0 if key in ("round_mm", "days_per_month") else object()
        takes = refusal(within((*PARSED[heading], key), wrong)).split("it takes ")[1]
        if key == "convention":
            assert set(words(row["takes"])) == {f'"{c}"' for c in Convention}
            assert row["default"] == DEFAULT_CONVENTION
        elif '"' in takes:
            assert words(row["takes"]) == re.findall(r'"[^"]*"', takes)
        else:
            assert re.sub(r"^an? ", "", row["takes"]) == re.sub(r"^an? | of 0 or more$", "", takes)


def test_criterion_keys_and_what_they_take() -> None:
    naming, rows, _ = criteria_tables()
    assert names(naming) == list(keys.CRITERION)
    spelled = [f'"{name}"' for names in (CRITERIA, SPELLED) for name in names] + ['"protocol"']
    assert words(cell(naming, "standard", "takes")) == spelled
    for row in naming[1:]:
        (key,) = words(row["key"])
        takes = refusal({"criteria": {"irecist": {key: object()}}}).split("it takes ")[1]
        if '"' in takes:
            assert words(row["takes"]) == re.findall(r'"[^"]*"', takes)
        else:
            assert row["takes"] == re.sub(r"^an? | of 0 or more$", "", takes)
    assert sorted(names(rows)) == sorted(keys.THRESHOLDS)
    for row in rows:
        (key,) = words(row["key"])
        name = next(name for name, criterion in CRITERIA.items() if key in criterion.options)
        takes = refusal({"criteria": {name: {key: object()}}}).split("it takes ")[1]
        if '"' in takes:
            assert words(row["takes"]) == re.findall(r'"[^"]*"', takes)
        else:
            assert row["takes"] == re.sub(r"^an? | of 0 or more$", "", takes)
        assert row["meaning"]


def test_which_criterion_takes_which_key_with_which_default() -> None:
    _, keys, rows = criteria_tables()
    assert names(rows) == names(keys)
    assert list(rows[0]) == ["key", *(f"`{name}`" for name in CRITERIA)]
    for row in rows:
        (key,) = words(row["key"])
        for name, criterion in CRITERIA.items():
            if key not in criterion.options:
                assert row[f"`{name}`"] == "-", f"{name}.{key}"
                assert f"unknown key 'criteria.{name}.{key}'" in refusal({"criteria": {name: {key: object()}}})
                continue
            (text,) = words(row[f"`{name}`"])
            (setting,) = parse({"criteria": {name: {key: tomllib.loads(f"x = {text}")["x"]}}}).criteria
            assert setting.thresholds == criterion.thresholds, f"{name}.{key}"


def test_diseases_that_are_refused() -> None:
    text = section(page("protocol.md"), "`[criteria.NAME]`")
    (said,) = re.findall(r"\*\*Disease\.\*\*(.*?) are defined for hepatocellular", text)
    assert words(said) == [name for name, criterion in CRITERIA.items() if criterion.hcc_only]
    for name, criterion in CRITERIA.items():
        content = {"study": {"disease": "melanoma"}, "criteria": {name: {}}}
        if criterion.hcc_only:
            assert "is defined for hepatocellular carcinoma" in refusal(content)
            parse({**content, "criteria": {name: {"enhancement_based_non_hcc": True}}})
        else:
            parse(content)
    assert [s.name for s in parse({"study": {"disease": "melanoma"}}).criteria] == ["recist11"]
    for disease in re.findall(r"is not `(.*?)` or\n`(.*?)`", text)[0]:
        assert [s.name for s in parse({"study": {"disease": disease}}).criteria] == ["recist11", "mrecist"]


def test_keys_of_an_endpoint() -> None:
    rows = keys_of("[[endpoint]]")
    assert sorted(names(rows)) == sorted(ENDPOINT_KEYS)
    smallest = {
        "time": {"events": ["pd"], "censor": [{"when": "no_event", "cnsr": 1, "at": "last_assessment"}]},
        "proportion": {"success": ["CR"]},
        "change": {},
    }
    for row in rows:
        (key,) = words(row["key"])
        kinds = list(smallest) if row["kind"] == "all" else row["kind"].split(", ")
        for kind, others in smallest.items():
            asked = {"id": "X", "kind": kind, **others, key: object()}
            said = refusal({"endpoint": [asked]})
            if key not in ("id", "kind"):
                assert ("it takes" in said) is (kind in kinds), said
            for text in words(row["default"]) if kind in kinds and key not in ("confirmed", "origin") else ():
                value = {**asked, key: tomllib.loads(f"x = {text}")["x"]}
                bare = {name: one for name, one in asked.items() if name != key}
                found, unset = (parse({"endpoint": [one]}).endpoints for one in (value, bare))
                assert replace(found[0], reader="") == unset[0], key


def test_every_toml_example_is_a_protocol() -> None:
    fences = re.findall(r"^```(\w*)\n(.*?)^```", page("protocol.md"), flags=re.MULTILINE | re.DOTALL)
    assert {kind for kind, _ in fences} == {"toml", "text"}
    for text in (text for kind, text in fences if kind == "toml"):
        assert text.startswith(f'format = "{protocol.FORMAT}"\n')
        protocol.parse_protocol(tomllib.loads(text), where="docs/protocol.md")


def test_the_whole_file_names_every_key_that_is_derived_with() -> None:
    text = section(page("protocol.md"), "A whole file")
    (toml,) = re.findall(r"^```toml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    content = tomllib.loads(toml)
    for heading, path in PARSED.items():
        part = content
        for key in path:
            part = part[key]
        assert set(part) - {"confirm"} == IN_CODE[heading]
    assert {key for part in content["criteria"].values() for key in part} == {*keys.THRESHOLDS, *keys.CRITERION}
    whole = parse({key: value for key, value in content.items() if key != "format"})
    for name, criterion in CRITERIA.items():
        assert whole.setting(name).thresholds == criterion.thresholds


def test_the_messages_and_the_sha256_on_the_page_are_true() -> None:
    text = page("protocol.md")
    assert refusal({"response": {"sd_min_day": 42}}) in text.splitlines()
    assert refusal({"response": {"sd_min_days": 4.5}}) in text.splitlines()
    assert re.findall(r"\b[0-9a-f]{64}\b", text) == [protocol.load_protocol(None).sha256]


# --- files.md: tables ------------------------------------------------------------------------------------------------


def columns_of(name: str) -> Table:
    return table(section(page("files.md"), f"`{name}`"), "column")


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("measurements.csv", tables.MEASUREMENT_COLUMNS),
        ("responses.csv", tables.RESPONSE_COLUMNS),
        ("best_responses.csv", tables.BEST_COLUMNS),
        ("overall.csv", (*tables.OVERALL_REQUIRED, "reader", "region", "criterion")),
        ("problems.csv", tables.PROBLEM_COLUMNS),
    ],
)
def test_every_column_is_documented_once(name: str, columns: tuple[str, ...]) -> None:
    rows = columns_of(name)
    assert sorted(names(rows)) == sorted(columns)
    assert all(row["values"] for row in rows)


def required(name: str) -> set[str]:
    return {word for row in columns_of(name) if row["required"].startswith("yes") for word in words(row["column"])}


def test_required_columns() -> None:
    assert required("measurements.csv") == set(tables.REQUIRED_COLUMNS)
    assert required("overall.csv") == set(tables.OVERALL_REQUIRED)


def test_roles_and_states() -> None:
    rows = table(section(page("files.md"), "`measurements.csv`"), "role")
    assert {words(row["role"])[0]: words(row["states"]) for row in rows} == {
        str(role): [str(state) for state in states] for role, states in model.STATES_OF.items()
    }
    assert {state for states in model.STATES_OF.values() for state in states} == set(model.State)


@pytest.mark.parametrize(("column", "kind"), [("role", model.Role), ("kind", model.Kind), *tables.WORD_COLUMNS.items()])
def test_words_of_a_measurement(column: str, kind: type[StrEnum]) -> None:
    assert words(cell(columns_of("measurements.csv"), column, "values")) == [str(word) for word in kind]


def categories(name: str, column: str) -> set[str]:
    return {w for w in words(cell(columns_of(name), column, "values")) if w in list(model.Response)}


def test_response_words() -> None:
    every = {str(response) for response in model.Response}
    assert categories("best_responses.csv", "best_confirmed") == every
    assert categories("responses.csv", "overall") == every - {"MISSING"}
    assert words(cell(columns_of("responses.csv"), "new_lesion", "values")) == [str(w) for w in model.NewLesion]
    listed = words(cell(columns_of("overall.csv"), "overall", "values"))
    assert listed == [*(str(r) for r in model.Response if r is not model.Response.MISSING), "MISSING"]


def test_target_and_non_target_words_are_those_of_rules_and_matrix() -> None:
    target, non_target = {"NA"}, set()
    for criterion in CRITERIA.values():
        as_written = IMMUNE if criterion.confirms_progression else {r: r for r in model.Response}
        target |= {str(as_written[rule.gives]) for rule in criterion.rules}
        exact = {r for _, one, *_ in criterion.overall if len(one) == 1 for r in one}
        non_target |= {str(as_written[r]) for r in exact}
    assert categories("responses.csv", "target") == target
    assert categories("responses.csv", "non_target") == non_target


def test_units() -> None:
    assert set(words(cell(columns_of("responses.csv"), "unit", "values"))) == {c.unit for c in CRITERIA.values()}


# --- files.md: study folder ------------------------------------------------------------------------------------------


def write_row(path: Path, cells: Mapping[str, str]) -> Path:
    path.write_text(f"{','.join(cells)}\n{','.join(cells.values())}\n", encoding="utf-8")
    return path


MASKS_ROW = {
    "subject": "S1",
    "timepoint": "1",
    "series_uid": "1.2.3",
    "lesions": "l.nii.gz",
    "viable": "v.nii.gz",
    "reader": "R7",
    "date": "2024-03-06",
}


def test_columns_of_the_mask_table(tmp_path: Path) -> None:
    rows = columns_of("masks.csv")
    assert names(rows) == list(MASKS_ROW) == [f.name for f in fields(study.LabelMaskFile) if f.name in MASKS_ROW]
    (mask,) = study._read_label_masks(write_row(tmp_path / "masks.csv", MASKS_ROW), PartialDate.REFUSE)
    assert (mask.subject, mask.timepoint, mask.series_uid, mask.reader) == ("S1", 1, "1.2.3", "R7")
    assert (mask.lesions, mask.viable) == (tmp_path / "l.nii.gz", tmp_path / "v.nii.gz")
    assert mask.date == parse_date("2024-03-06")
    for column in MASKS_ROW:
        path = write_row(tmp_path / "less.csv", {k: v for k, v in MASKS_ROW.items() if k != column})
        if column in required("masks.csv"):
            with pytest.raises(InputError, match=f"no column '{column}'"):
                study._read_label_masks(path, PartialDate.REFUSE)
        else:
            study._read_label_masks(path, PartialDate.REFUSE)


def test_columns_of_the_series_table(tmp_path: Path) -> None:
    assert required("series.csv") == {"series_uid"}
    given = {"series_uid": "1.2.3", "phase": "arterial", "timepoint": "2", "subject": "S1", "stack": "1"}
    given |= {"date": "2024-01-30", "by": "Dr X", "on": "2024-02-03"}
    assert names([row for row in columns_of("series.csv") if "," not in row["column"]]) == list(given)[:-2]
    assert words(columns_of("series.csv")[-1]["column"]) == ["by", "on"]
    assert words(cell(columns_of("series.csv"), "phase", "values")) == [str(p) for p in PhaseName]
    manifest = read_manifest(write_row(tmp_path / "series.csv", given))
    assert manifest.phases["1.2.3", 1].name is PhaseName.ARTERIAL
    assert manifest.phases["1.2.3", 1].evidence == ("stated by Dr X on 2024-02-03",)
    assert (manifest.timepoints, manifest.subjects) == ({"1.2.3": 2}, {"1.2.3": "S1"})
    assert manifest.dates == {"1.2.3": date(2024, 1, 30)}
    with pytest.raises(InputError, match="no column 'series_uid'"):
        read_manifest(write_row(tmp_path / "less.csv", {"phase": "arterial"}))


def test_columns_of_the_subject_table(tmp_path: Path) -> None:
    rows = columns_of("subjects.csv")
    assert required("subjects.csv") == {"subject"}
    events = {event.strip('"') for event in words(cell(keys_of("[origin]"), "event", "takes"))} - {"baseline"}
    therapy = "new_anticancer_therapy"
    known = {name for row in rows for name in words(row["column"])}
    assert known - {"date:COLUMN"} == {"subject", "arm", *DATE_COLUMNS}
    assert events < set(DATE_COLUMNS)
    days = {name: f"2024-03-{day:02d}" for day, name in enumerate((*sorted(events), therapy), start=1)}
    given = {"subject": "S1", "arm": "A", **days}
    path = write_row(tmp_path / "subjects.csv", given)
    assert study._read_arms(path) == {"S1": "A"}
    for event in events:
        asked = parse({"origin": {"event": event}, "response": {"cut": [therapy]}})
        dates = study._read_dates(path, asked)
        assert dates.origins == {"S1": parse_date(days[event])}
        assert dates.new_therapy == {"S1": parse_date(days[therapy])}
        for column in (event, therapy):
            less = write_row(tmp_path / "less.csv", {k: v for k, v in given.items() if k != column})
            with pytest.raises(InputError, match=f"no column '{column}'"):
                study._read_dates(less, asked)


def test_the_folders_of_a_study_are_those_of_the_code() -> None:
    (tree,) = re.findall(r"^```text\n(.*?)^```", section(page("files.md"), "Study folder"), flags=re.M | re.S)
    shown = set(re.findall(r"^STUDY/(\S+)", tree, flags=re.MULTILINE))
    in_code = set(re.findall(r"^STUDY/(\S+)", study.__doc__ or "", flags=re.MULTILINE)) | {
        *re.findall(r"^ +STUDY/(\S+)", study.__doc__ or "", flags=re.MULTILINE),
        "masks/masks.csv",
    }
    assert shown == in_code


def test_what_reads_says_of_a_drawn_lesion_is_kept() -> None:
    text = " ".join(section(page("files.md"), "Study folder").split())
    (listed,) = re.findall(r"Every column with a fixed list of words, (.*?) of such a row are kept", text)
    drawn = model.Measurement(
        subject="S1", timepoint=0, date=None, lesion="T01", role=model.Role.TARGET, state=model.State.MEASURED
    )
    said = {column: next(iter(kind)) for column, kind in tables.WORD_COLUMNS.items()}
    said |= {column: (Decimal(18), Decimal(9)) if column == "viable_foci_mm" else "NEW01" for column in words(listed)}
    joined = reading._with_words(drawn, replace(drawn, **said), None)
    assert [column for column, value in said.items() if getattr(joined, column) != value] == []


# --- files.md: measurements.json -------------------------------------------------------------------------------------


def test_keys_of_the_json() -> None:
    whole = np.zeros((1, 9, 9), dtype=bool)
    whole[0, 2:7, 3:6] = True
    geometry = Geometry(
        shape=(1, 9, 9),
        origins_lps=((0.0, 0.0, 0.0),),
        row_direction=(1.0, 0.0, 0.0),
        column_direction=(0.0, 1.0, 0.0),
        row_spacing_mm=1.0,
        column_spacing_mm=1.0,
        slice_step_mm=1.0,
    )
    mask = LesionMask(
        lesion="T01",
        tracking_uid=None,
        reader=None,
        organ=None,
        kind="lesion",
        geometry=geometry,
        whole=whole,
        viable=whole,
        slice_uids=None,
        series_uid=None,
        source="a mask",
    )
    found = pieces.measurement_json(
        "T01", reading.measure_mask(mask, protocol.Measuring(round_mm=Decimal("0.1"))), mask
    )
    text = section(page("files.md"), "`measurements.json`")
    beside = [f.name for f in fields(score.Drawing) if f.name not in ("lesion", "measurement")]
    assert sorted(names(table(text, "key"))) == sorted([*beside, *found])
    longest = found["longest"]
    assert isinstance(longest, dict)
    assert names(table(text, "key of a diameter")) == list(longest)


# --- the choices -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["flags.md", "protocol.md", "files.md"])
def test_every_choice_that_a_page_names_is_explained(name: str) -> None:
    named = set(re.findall(r"\bA\d+\b", page(name)))
    assert named
    assert named <= {row["#"] for row in table(section(page("criteria.md"), "Ambiguities"), "#")}
