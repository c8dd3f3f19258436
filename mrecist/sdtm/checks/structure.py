"""Which datasets and variables there are, identifiers, sequence numbers, and records that stand twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mrecist.sdtm.checks.datasets import TUMOUR, Study, Table
from mrecist.sdtm.checks.rule import Rule, Said, error, warning
from mrecist.sdtm.datasets import Record
from mrecist.sdtm.read import reader_in

_IG = "SDTMIG 3.4, 6.3.12"
RULES: tuple[Rule, ...] = (
    warning(
        "dataset_missing", "TU, TR or RS that is not there", _IG, "Add the dataset; what links to it is not checked."
    ),
    warning("dataset_empty", "a dataset without records", _IG, "Leave the dataset out, or fill it."),
    error(
        "required_variable_missing",
        "a required variable that the dataset does not have",
        f"{_IG}, core Req",
        "Add the variable.",
    ),
    warning(
        "expected_variable_missing",
        "an expected variable that the dataset does not have",
        f"{_IG}, core Exp",
        "Add the variable, empty where nothing was collected.",
    ),
    error(
        "place_outside_tu",
        "TRLOC, TRLAT, TRDIR or TRPORTOT: where a lesion lies is said in TU",
        f"{_IG}, TR assumptions; CORE-000003, CORE-000076 to 78",
        "Remove the variable from TR.",
    ),
    error(
        "required_value_missing", "a required variable that is empty", f"{_IG}, core Req", "Give its value.", stops=True
    ),
    error("domain_differs", "DOMAIN that is not the domain of the dataset", "SDTMIG 3.4, 4.1.1", "Correct DOMAIN."),
    error(
        "sequence_not_whole",
        "--SEQ that is no whole number from 1 on",
        "SDTMIG 3.4, 4.1.5",
        "Number the records of each subject.",
    ),
    error(
        "sequence_repeated",
        "--SEQ that stands twice for a subject",
        "SDTMIG 3.4, 4.1.5",
        "Number the records of each subject.",
    ),
    error(
        "subject_not_in_dm", "a subject that DM does not have", "SDTMIG 3.4, 5.1", "Correct USUBJID, or add it to DM."
    ),
    error(
        "record_repeated",
        "two records of one test of one lesion or criterion at one visit by one reader",
        "SDTMIG 3.4, 3.2.1.2 (natural keys)",
        "Keep one, or tell them apart by a key variable.",
        stops=True,
    ),
)
_COMMON = ("STUDYID", "DOMAIN", "USUBJID")
_REQUIRED = {name: (*_COMMON, f"{name}SEQ", f"{name}TESTCD", f"{name}TEST") for name in TUMOUR}
_EXPECTED = {
    "TU": (*("TULNKID", "TUORRES", "TUSTRESC", "TULOC", "TUMETHOD", "TULOBXFL", "TUEVAL", "VISITNUM", "TUDTC"),),
    "TR": (
        *("TRLNKID", "TRORRES", "TRORRESU", "TRSTRESC", "TRSTRESN", "TRSTRESU", "TRMETHOD", "TRLOBXFL", "TREVAL"),
        *("VISITNUM", "TRDTC"),
    ),
    "RS": ("RSCAT", "RSORRES", "RSSTRESC", "VISITNUM", "RSDTC"),
}
_PLACES = ("TRLOC", "TRLAT", "TRDIR", "TRPORTOT")
_WHOLE = re.compile(r"[1-9]\d*(\.0*)?")
# TULNKID may stand on a TUMIDENT and a TUSPLIT record, which the test tells apart.
_KEYS = {
    "TU": ("TUTESTCD", "TULNKID", "TULOC", "TULAT", "TUSPID", "TUDTC"),
    "TR": ("TRTESTCD", "TRLNKID", "TRGRPID", "TRSPID", "TRMETHOD", "TRDTC"),
    "RS": ("RSTESTCD", "RSCAT", "RSSCAT", "RSSPID", "RSDTC"),
}


def look(study: Study) -> Iterator[Said]:
    """Everything that is found in the datasets as such."""
    for name in TUMOUR:
        if name not in study.tables:
            yield Said(rule="dataset_missing", domain=name, message=f"{name} is not there")
    for table in study.tables.values():
        if not table.records:
            yield Said(rule="dataset_empty", domain=table.domain, message=f"{table.name} has no records")
        elif table.domain in TUMOUR:
            yield from _variables(table)
            yield from _identifiers(study, table)
            yield from _repeated(table)


def _variables(table: Table) -> Iterator[Said]:
    domain = table.domain
    for rule, names, word in (
        ("required_variable_missing", _REQUIRED[domain], "required"),
        ("expected_variable_missing", _EXPECTED[domain], "expected"),
    ):
        for name in names:
            if not table.has(name):
                yield Said(
                    rule=rule, domain=domain, variable=name, message=f"{table.name} has no {name}, which is {word}"
                )
    for name in _PLACES:
        if table.has(name):
            message = f"{table.name} has {name}; the place of a lesion is said in TU only"
            yield Said(rule="place_outside_tu", domain=domain, variable=name, message=message)


def _identifiers(study: Study, table: Table) -> Iterator[Said]:
    domain, sequence = table.domain, f"{table.domain}SEQ"
    known = {record["USUBJID"] for record in study.records("DM")}
    required = [name for name in _REQUIRED[domain] if table.has(name)]
    seen: dict[tuple[str, str], Record] = {}
    strangers: set[str] = set()
    for record in table.records:
        for name in required:
            if not record[name]:
                message, reader = f"{name} is empty", reader_in(record, domain)
                yield Said(
                    rule="required_value_missing",
                    domain=domain,
                    record=record,
                    variable=name,
                    message=message,
                    reader=reader,
                )
        if record["DOMAIN"] and record["DOMAIN"] != domain:
            message = f"DOMAIN is '{record['DOMAIN']}' in {domain}"
            yield Said(rule="domain_differs", domain=domain, record=record, variable="DOMAIN", message=message)
        number, subject = record[sequence], record["USUBJID"]
        if number and not _WHOLE.fullmatch(number):
            message = f"{sequence} is '{number}', no whole number from 1 on"
            yield Said(rule="sequence_not_whole", domain=domain, record=record, variable=sequence, message=message)
        elif number:
            first = seen.setdefault((subject, number.split(".")[0]), record)
            if first is not record:
                message = f"{sequence} {number} stands also in {first.where}"
                yield Said(rule="sequence_repeated", domain=domain, record=record, variable=sequence, message=message)
        if known and subject and subject not in known and subject not in strangers:
            strangers.add(subject)
            message = f"{subject} is not in DM"
            yield Said(rule="subject_not_in_dm", domain=domain, record=record, variable="USUBJID", message=message)


def _repeated(table: Table) -> Iterator[Said]:
    domain = table.domain
    keys = ("USUBJID", f"{domain}EVAL", f"{domain}EVALID", "VISITNUM", "VISIT", *_KEYS[domain])
    test = f"{domain}TESTCD"
    first: dict[tuple[str, ...], Record] = {}
    for record in table.records:
        if not record[test]:
            continue
        before = first.setdefault(tuple(record[name] for name in keys), record)
        if before is not record:
            message = f"{record[test]} of the same lesion or criterion, visit and reader stands also in {before.where}"
            reader = reader_in(record, domain)
            yield Said(
                rule="record_repeated", domain=domain, record=record, variable=test, message=message, reader=reader
            )
