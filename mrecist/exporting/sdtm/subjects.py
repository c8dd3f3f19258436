"""DM, PR and SV from the tables of the study, as far as these say it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from mrecist.datasets.model import Row, Value
from mrecist.exporting.sdtm.qualifiers import Record
from mrecist.exporting.sdtm.reads import Read, subject_id
from mrecist.exporting.sdtm.timing import Reference, visit_of
from mrecist.protocol import Protocol
from mrecist.trial import Procedure, Subject

MOST_ARM_CODE = 20
# Column of subjects.csv, in small letters -> variable of DM.
COLUMNS = {
    "site": "SITEID",
    "siteid": "SITEID",
    "sex": "SEX",
    "race": "RACE",
    "ethnic": "ETHNIC",
    "country": "COUNTRY",
}
LAST_DAYS = ("death", "withdrawal", "lost_to_follow_up", "last_alive")
ASSIGNED_NOT_TREATED, NOT_ASSIGNED = "ASSIGNED, NOT TREATED", "NOT ASSIGNED"


def demographics(
    study: str, subjects: Iterable[Subject], references: Mapping[str, Reference], protocol: Protocol
) -> Iterator[Row]:
    """DM. The actual arm is the planned one of everybody who was treated, because subjects.csv has one arm.

    Where nobody has a date of treatment the table does not say who was treated, and everybody is taken to be.
    """
    subjects = list(subjects)
    told = any(references[one.subject].exposure is not None for one in subjects)
    codes = _arm_codes([one.arm for one in subjects if one.arm], protocol.design.arms)
    for one in subjects:
        reference, dates = references[one.subject], one.dates
        name = subject_id(study, one.subject)
        treated = reference.exposure is not None or not told
        last = next((dates[name] for name in LAST_DAYS if name in dates), None)
        code = codes.get(one.arm, "")
        row: dict[str, Value] = {
            "STUDYID": study,
            "DOMAIN": "DM",
            "USUBJID": f"{study}-{name}",
            "SUBJID": name,
            "RFSTDTC": reference.start,
            "RFENDTC": last,
            "RFXSTDTC": reference.exposure,
            "RFICDTC": dates.get("consent"),
            "RFPENDTC": last,
            "DTHDTC": dates.get("death"),
            "DTHFL": "Y" if "death" in dates else "",
            "ARMCD": code,
            "ARM": one.arm,
            "ACTARMCD": code if treated else "",
            "ACTARM": one.arm if treated else "",
            "ARMNRS": NOT_ASSIGNED if not one.arm else "" if treated else ASSIGNED_NOT_TREATED,
        }
        yield row | _words(one)


def _words(one: Subject) -> dict[str, Value]:
    given = {name.casefold(): text for name, text in one.words.items()}
    row: dict[str, Value] = {name: given[column].upper() for column, name in COLUMNS.items() if column in given}
    if given.get("age", "").isdecimal():
        row |= {"AGE": int(given["age"]), "AGEU": "YEARS"}
    return row


def _arm_codes(arms: Sequence[str], order: Sequence[str]) -> dict[str, str]:
    """Arm -> ARMCD: the arm itself in capitals where that is short enough, else its number in the protocol's order."""
    known = dict.fromkeys((*order, *sorted(arms)))
    return {
        arm: arm.upper() if len(arm) <= MOST_ARM_CODE else f"ARM{number}" for number, arm in enumerate(known, start=1)
    }


def procedures(study: str, rows: Iterable[Procedure], references: Mapping[str, Reference]) -> Iterator[Record]:
    """PR, in order of subjects and days."""
    for row in sorted(rows, key=lambda r: (r.subject, r.date, r.procedure)):
        reference = references.get(row.subject, Reference())
        values: dict[str, Value] = {
            "STUDYID": study,
            "DOMAIN": "PR",
            "USUBJID": f"{study}-{subject_id(study, row.subject)}",
            "PRTRT": row.procedure,
            "EPOCH": reference.epoch(row.date),
            "PRSTDTC": row.date,
            "PRSTDY": reference.study_day(row.date),
        }
        told = {
            "PROUTCOM": row.outcome,
            "PRCLAVD": row.clavien_dindo.upper(),
            "PRCLAVDT": row.complication.isoformat() if row.complication is not None else "",
        }
        yield Record(values=values, qualifiers={name: text for name, text in told.items() if text})


def visits(reads: Iterable[Read], guide: str) -> Iterator[Row]:
    """SV: the days of the assessments at each visit, all readers together."""
    days: dict[tuple[str, int], set[date]] = {}
    of: dict[str, Read] = {}
    for read in reads:
        of.setdefault(read.unique_id, read)
        for timepoint, rows in read.rows.items():
            days.setdefault((read.unique_id, timepoint), set()).update(row.date for row in rows if row.date is not None)
    for (subject, timepoint), found in sorted(days.items()):
        read = of[subject]
        visit, first, last = visit_of(timepoint, read.names), min(found), max(found)
        row: dict[str, Value] = {
            "STUDYID": read.study,
            "DOMAIN": "SV",
            "USUBJID": subject,
            "VISITNUM": visit.number,
            "VISIT": visit.name,
            "EPOCH": read.reference.epoch(first),
            "SVSTDTC": first,
            "SVENDTC": last,
            "SVSTDY": read.reference.study_day(first),
            "SVENDY": read.reference.study_day(last),
        }
        yield row | ({"SVPRESP": "Y", "SVOCCUR": "Y"} if guide != "3.3" else {})
