"""ADSL: one row a subject of subjects.csv, as far as that table says it, and what the other datasets take from it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mrecist.datasets.model import Row, Value, Variable
from mrecist.endpoints.derive import POPULATIONS, belongs
from mrecist.exporting.adam.inputs import Material
from mrecist.exporting.adam.variables import flag_variable
from mrecist.trial import Subject

SHARED = ("STUDYID", "USUBJID", "SUBJID", "TRT01P", "RANDDT", "TRTSDT", "ITTFL", "SAFFL")
"""What ADTR, ADRS and ADTTE take over."""
_FROM_DM = ("SITEID", "AGE", "AGEU", "SEX", "RACE", "ETHNIC", "COUNTRY", "ARMCD", "ARM", "ACTARM")


def subject_rows(material: Material) -> Iterator[tuple[str, Row]]:
    """Subject -> row of ADSL, in order of USUBJID."""
    people = {row["USUBJID"]: row for row in material.records.rows.get("DM", ())}
    columns = populations(material)
    # Where nobody has such a date the table does not say it, which is no "N".
    treated, randomised = (
        any(is_so(material, name) for name in material.trial.subjects) for is_so in (_treated, _randomised)
    )
    for name in sorted(material.trial.subjects, key=material.unique_id):
        one = material.trial.subjects[name]
        dm = people.get(material.unique_id(name), {})
        row: dict[str, Value] = {
            "STUDYID": material.inputs.study,
            "USUBJID": material.unique_id(name),
            **{key: dm.get(key) for key in ("SUBJID", *_FROM_DM)},
            "TRT01P": one.arm,
            "TRT01A": dm.get("ACTARM") or "",
            **_days(material, one),
            "DTHFL": "Y" if "death" in one.dates else "",
            "RANDFL": _flag(material, name, _randomised(material, name), "randomisation") if randomised else "",
            "ITTFL": "Y",
            "SAFFL": _flag(material, name, _treated(material, name), "first_dose", "first_procedure")
            if treated
            else "",
            "PROTSHA": material.protocol.sha256,
        }
        yield name, row | {code: "Y" if belongs(column, one, None) else "N" for code, column in columns.items()}


def _flag(material: Material, name: str, held: bool, *columns: str) -> str:
    return "Y" if held else "" if material.at_fault(name, *columns) else "N"


def _treated(material: Material, name: str) -> bool:
    return material.inputs.references[name].exposure is not None


def _randomised(material: Material, name: str) -> bool:
    return "randomisation" in material.trial.subjects[name].dates


def _days(material: Material, one: Subject) -> dict[str, Value]:
    reference, dates = material.inputs.references[one.subject], one.dates
    days = {
        "RANDDT": dates.get("randomisation"),
        "ENRLDT": dates.get("enrolment"),
        "REFSDT": reference.start,
        "TRTSDT": reference.exposure,
        "DTHDT": dates.get("death"),
        "LSTALVDT": dates.get("last_alive"),
    }
    return {**days, "DTHDTF": material.flag(one.subject, days["DTHDT"])}


def populations(material: Material) -> dict[str, str]:
    """Flag variable -> the column of subjects.csv that an endpoint takes for its population."""
    found: dict[str, str] = {}
    for endpoint in material.protocol.endpoints:
        column = endpoint.population
        if column in POPULATIONS or column in found.values():
            continue
        stem = re.sub(r"[^A-Z0-9]", "", column.upper()).lstrip("0123456789").removesuffix("FL")[:6] or "POP"
        name, number = f"{stem}FL", 2
        while name in found or name in ("ITTFL", "SAFFL", "RANDFL", "DTHFL"):
            name, number = f"{stem[: 6 - len(str(number))]}{number}FL", number + 1
        found[name] = column
    return found


def population_variables(material: Material) -> tuple[Variable, ...]:
    """The variables of :func:`populations`."""
    return tuple(flag_variable(name, column) for name, column in populations(material).items())


def shared(row: Row) -> dict[str, Value]:
    """What a dataset of one row a parameter takes over from ADSL, with the planned treatment of the row."""
    return {**{name: row.get(name) for name in SHARED}, "TRTP": row.get("TRT01P")}
