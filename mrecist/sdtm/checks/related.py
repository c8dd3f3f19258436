"""Where RELREC and the supplemental qualifiers point."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mrecist.sdtm.checks import codelists
from mrecist.sdtm.checks.datasets import DOMAINS, Study, Table
from mrecist.sdtm.checks.rule import Rule, Said, error
from mrecist.sdtm.datasets import Record

_RELREC, _SUPP = "SDTMIG 3.4, 8.2 and 8.3", "SDTMIG 3.4, 8.4"
RULES: tuple[Rule, ...] = (
    error("relation_domain", "RDOMAIN that is not there", _RELREC, "Add the dataset, or correct RDOMAIN."),
    error("relation_variable", "IDVAR that the dataset does not have", _RELREC, "Correct IDVAR."),
    error("relation_value", "IDVARVAL that no record of the subject has", _RELREC, "Correct IDVARVAL or USUBJID."),
    error("relation_alone", "RELID with one side only", _RELREC, "Add the other side."),
    error(
        "relation_type",
        "RELTYPE on a relation of records, or none on a relation of datasets, or another word than ONE and MANY",
        _RELREC,
        "Between datasets (USUBJID and IDVARVAL empty) write ONE or MANY, between records nothing.",
    ),
    error(
        "relation_not_one",
        "RELTYPE ONE where a value of IDVAR stands on several records of a subject",
        _RELREC,
        "Write MANY, or make the values unique.",
    ),
    error("qualifier_domain", "RDOMAIN of a qualifier that is not its dataset", _SUPP, "Correct RDOMAIN."),
    error("qualifier_variable", "IDVAR of a qualifier that the dataset does not have", _SUPP, "Correct IDVAR."),
    error(
        "qualifier_value",
        "IDVARVAL of a qualifier that no record of the subject has",
        _SUPP,
        "Correct IDVARVAL or USUBJID.",
    ),
    error(
        "qualifier_name",
        "QNAM longer than 8, with other signs than A-Z, 0-9 and _, or with a digit first",
        _SUPP,
        "Rename it.",
    ),
    error("qualifier_label", "QLABEL that is empty or longer than 40", _SUPP, "Give a label of 40 signs at most."),
    error("qualifier_empty", "a qualifier without QVAL", _SUPP, "Remove the record, or give the value."),
    error("qualifier_repeated", "one QNAM twice for one record", _SUPP, "Keep one."),
)
_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")


def look(study: Study) -> Iterator[Said]:
    """Everything that is found in RELREC and the supplemental qualifiers."""
    index = _Index(study)
    if "RELREC" in study.tables:
        yield from _relations(study, study.tables["RELREC"], index)
    for domain, table in study.tables.items():
        if domain.startswith("SUPP"):
            yield from _qualifiers(study, table, index)


class _Index:
    """How often each value of a variable stands for a subject; counted once a variable."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._counts: dict[tuple[str, str], dict[tuple[str, str], int]] = {}
        self._repeated: dict[tuple[str, str], list[tuple[str, str]]] = {}

    def counts(self, domain: str, variable: str) -> dict[tuple[str, str], int]:
        """(subject, value) -> records of the domain that have it."""
        if (domain, variable) not in self._counts:
            found: dict[tuple[str, str], int] = {}
            for record in self._study.records(domain):
                if record[variable]:
                    place = record["USUBJID"], number_text(record[variable])
                    found[place] = found.get(place, 0) + 1
            self._counts[domain, variable] = found
        return self._counts[domain, variable]

    def repeated(self, domain: str, variable: str) -> list[tuple[str, str]]:
        """(subject, value) that stand on several records of the domain."""
        if (domain, variable) not in self._repeated:
            counts = self.counts(domain, variable)
            self._repeated[domain, variable] = [place for place, count in counts.items() if count > 1]
        return self._repeated[domain, variable]


def number_text(text: str) -> str:
    """A whole number as an integer: IDVARVAL is text and --SEQ may be 12.0."""
    return text.removesuffix(".0")


def _said(rule: str, domain: str, record: Record, variable: str, message: str) -> Said:
    return Said(rule=rule, domain=domain, record=record, variable=variable, message=message)


def _pointed(study: Study, record: Record, rules: tuple[str, str], own: str, index: _Index) -> Iterator[Said]:
    """What IDVAR and IDVARVAL of a record point to."""
    domain, variable, value = record["RDOMAIN"], record["IDVAR"], record["IDVARVAL"]
    if variable and not study.has(domain, variable):
        yield _said(rules[0], own, record, "IDVAR", f"{domain} has no {variable}")
    elif variable and value and not index.counts(domain, variable).get((record["USUBJID"], number_text(value))):
        message = f"no record of {record['USUBJID'] or 'the subject'} in {domain} has {variable} = '{value}'"
        yield _said(rules[1], own, record, "IDVARVAL", message)


def _relations(study: Study, table: Table, index: _Index) -> Iterator[Said]:
    sides: dict[tuple[str, str], list[Record]] = {}
    for record in table.records:
        sides.setdefault((record["USUBJID"], record["RELID"]), []).append(record)
        domain = record["RDOMAIN"]
        if domain not in study.tables:
            # Other domains are not read here, so nothing can be said of them.
            if not domain or domain in DOMAINS:
                yield _said("relation_domain", "RELREC", record, "RDOMAIN", f"{domain or '(empty)'} is not there")
            continue
        yield from _pointed(study, record, ("relation_variable", "relation_value"), "RELREC", index)
        whole = not record["USUBJID"] and not record["IDVARVAL"]
        kind = record["RELTYPE"]
        if whole and kind not in codelists.RELATION.terms:
            yield _said(
                "relation_type", "RELREC", record, "RELTYPE", f"RELTYPE is '{kind}'; between datasets it is ONE or MANY"
            )
        elif not whole and kind:
            yield _said("relation_type", "RELREC", record, "RELTYPE", f"RELTYPE is '{kind}' on a relation of records")
        elif whole and kind == "ONE" and study.has(domain, record["IDVAR"]):
            yield from _more_than_one(record, index)
    for (_, name), found in sides.items():
        if len(found) < 2:
            yield _said("relation_alone", "RELREC", found[0], "RELID", f"RELID '{name}' has one side only")


def _more_than_one(record: Record, index: _Index) -> Iterator[Said]:
    repeated = index.repeated(record["RDOMAIN"], record["IDVAR"])
    if repeated:
        subject, value = repeated[0]
        more = f", and {len(repeated) - 1} more" if len(repeated) > 1 else ""
        message = f"RELTYPE is ONE, and {record['IDVAR']} '{value}' stands on several records of {subject}{more}"
        yield _said("relation_not_one", "RELREC", record, "RELTYPE", message)


def _qualifiers(study: Study, table: Table, index: _Index) -> Iterator[Said]:
    own = table.domain
    first: dict[tuple[str, ...], Record] = {}
    for record in table.records:
        domain, name = record["RDOMAIN"], record["QNAM"]
        if domain != own.removeprefix("SUPP") or domain not in study.tables:
            what = f"RDOMAIN is '{domain}' in {own}" if domain != own.removeprefix("SUPP") else f"{domain} is not there"
            yield _said("qualifier_domain", own, record, "RDOMAIN", what)
        else:
            yield from _pointed(study, record, ("qualifier_variable", "qualifier_value"), own, index)
        if not _NAME.fullmatch(name):
            message = f"QNAM is '{name}'; it has up to 8 signs of A-Z, 0-9 and _ and no digit first"
            yield _said("qualifier_name", own, record, "QNAM", message)
        if not record["QLABEL"] or len(record["QLABEL"]) > 40:
            yield _said("qualifier_label", own, record, "QLABEL", f"QLABEL of {name} has {len(record['QLABEL'])} signs")
        if not record["QVAL"]:
            yield _said("qualifier_empty", own, record, "QVAL", f"{name} has no QVAL")
        place = (record["USUBJID"], domain, record["IDVAR"], number_text(record["IDVARVAL"]), name)
        before = first.setdefault(place, record)
        if before is not record:
            yield _said(
                "qualifier_repeated", own, record, "QNAM", f"{name} of the same record stands also in {before.where}"
            )
