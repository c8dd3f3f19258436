"""Values that are not the published terms, and names of tests that are not those of their codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mrecist.sdtm import terms
from mrecist.sdtm.checks import codelists
from mrecist.sdtm.checks.codelists import TERMINOLOGY, Codelist, nearest
from mrecist.sdtm.checks.datasets import Study, Table
from mrecist.sdtm.checks.rule import Rule, Said, error, warning
from mrecist.sdtm.datasets import Record
from mrecist.sdtm.read import reader_in

_CT = f"SDTM CT {TERMINOLOGY}"
RULES: tuple[Rule, ...] = (
    warning(
        "term_not_published",
        "a value that is no term of its codelist; sponsors may extend the codelist",
        _CT,
        "Write the published term, or declare the sponsor's own term with --term and in define.xml.",
    ),
    warning(
        "test_not_published",
        "a test code that is no term of its codelist",
        _CT,
        "Write the published test code, or declare the sponsor's own one with --term and in define.xml.",
    ),
    warning(
        "lesion_test_not_published",
        "a test code of a lesion in TU or TR that is no term of its codelist, so its result is not used",
        _CT,
        "Write the published test code, or declare the sponsor's own one with --term and in define.xml.",
        stops=True,
    ),
    error(
        "term_not_allowed",
        "a value that is no term of its codelist, which sponsors may not extend",
        _CT,
        "Write a term of the codelist.",
    ),
    error(
        "test_name_differs",
        "a name of a test (--TEST) that is not that of its code (--TESTCD)",
        _CT,
        "Write the published name of the test.",
    ),
    error(
        "test_name_varies",
        "a sponsor's test code with several names, or a name with several codes",
        "SDTMIG 3.4, 4.2.1",
        "Give one name to each code.",
    ),
    error(
        "test_code_form",
        "a test code longer than 8, with other signs than A-Z, 0-9 and _, or with a digit first; a name longer than 40",
        "SDTMIG 3.4, 4.2.1",
        "Shorten or rename it.",
    ),
)
TESTS = {"TU": codelists.TU_TESTS, "TR": codelists.TR_TESTS, "RS": codelists.RS_TESTS}
_CODE = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")
# A search through a long codelist takes some milliseconds.
MOST_HINTS, LONGEST_TERM = 300, 100
_NEW_LESION_INDICATORS = ("NEWLIND", "NEWLWIND", "NTLWIND")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A variable of every record that is held to a codelist."""

    variable: str
    codelist: Codelist


_EVERYWHERE = {
    domain: (
        _Held(variable=f"{domain}EVAL", codelist=codelists.EVALUATORS),
        _Held(variable=f"{domain}EVALID", codelist=codelists.EVALUATOR_IDS),
        _Held(variable=f"{domain}STAT", codelist=codelists.STATUS),
        _Held(variable=f"{domain}METHOD", codelist=codelists.METHODS),
        _Held(variable=f"{domain}LOC", codelist=codelists.LOCATIONS),
        _Held(variable=f"{domain}LAT", codelist=codelists.LATERALITY),
    )
    for domain in TESTS
}


def look(study: Study) -> Iterator[Said]:
    """Everything that is found in TU, TR and RS."""
    known = _Known(study)
    for table in study.tumour():
        yield from _tests(known, table)
        yield from _pairs(table)
        held = [one for one in _EVERYWHERE[table.domain] if table.has(one.variable)]
        for record in table.records:
            for one in held:
                yield from _outside(known, table.domain, record, one.variable, (one.codelist,))
            yield from _result(known, table.domain, record)
            if table.domain == "RS":
                yield from _outside(
                    known, "RS", record, "RSCAT", (codelists.CRITERIA, codelists.CLASSIFICATIONS), codelists.CRITERIA
                )


def is_classification(record: Record) -> bool:
    """An RS record of a clinical classification such as ECOG or Child-Pugh, which is no response."""
    return record["RSCAT"] in codelists.CLASSIFICATIONS.terms


@dataclass(slots=True)
class _Known:
    """What is a term in this study, and what was meant by what is none."""

    study: Study
    _near: dict[tuple[str, str], str] = field(default_factory=dict)

    def has(self, codelist: Codelist, value: str) -> bool:
        """Whether it is a term: published, of the study, or one that this package writes."""
        own = codelists.OURS.get(codelist.name, ())
        return value in codelist.terms or value in own or value in self.study.extended.get(codelist.name, ())

    def hint(self, codelist: Codelist, value: str) -> str:
        """The nearest term in words; looked for in so many values only, and in none longer than a term."""
        key = codelist.name, value
        if key not in self._near and (len(self._near) >= MOST_HINTS or len(value) > LONGEST_TERM):
            return ""
        if key not in self._near:
            self._near[key] = nearest(codelist, value, self.study.extended.get(codelist.name, ()))
        return f"; the nearest is '{self._near[key]}'" if self._near[key] else ""


def _outside(
    known: _Known,
    domain: str,
    record: Record,
    variable: str,
    lists: tuple[Codelist, ...],
    meant: Codelist | None = None,
    rule: str = "term_not_published",
) -> Iterator[Said]:
    value = record[variable]
    if not value or any(known.has(codelist, value) for codelist in lists):
        return
    codelist = meant or lists[0]
    yield Said(
        rule=rule if codelist.extensible else "term_not_allowed",
        domain=domain,
        record=record,
        variable=variable,
        message=f"{variable} is '{value}', which is no term of {codelist.name} ({codelist.code}){known.hint(codelist, value)}",
        reader=reader_in(record, domain),
    )


def _tests(known: _Known, table: Table) -> Iterator[Said]:
    domain = table.domain
    code_of, name_of = f"{domain}TESTCD", f"{domain}TEST"
    for record in table.records:
        if domain == "RS" and is_classification(record):
            continue
        rule = "lesion_test_not_published" if record[f"{domain}LNKID"] else "test_not_published"
        yield from _outside(known, domain, record, code_of, (TESTS[domain],), rule=rule)
        published = TESTS[domain].terms.get(record[code_of])
        name = record[name_of]
        if published is not None and name and name != published:
            message = f"{name_of} is '{name}', and {record[code_of]} is '{published}'"
            yield Said(rule="test_name_differs", domain=domain, record=record, variable=name_of, message=message)
        if record[code_of] and not _CODE.fullmatch(record[code_of]):
            message = f"{code_of} is '{record[code_of]}'; a code has up to 8 signs of A-Z, 0-9 and _ and no digit first"
            yield Said(rule="test_code_form", domain=domain, record=record, variable=code_of, message=message)
        if len(name) > 40:
            message = f"{name_of} has {len(name)} signs; a name has 40 at most"
            yield Said(rule="test_code_form", domain=domain, record=record, variable=name_of, message=message)


def _pairs(table: Table) -> Iterator[Said]:
    """Sponsors' own tests: one name a code, one code a name."""
    code_of, name_of = f"{table.domain}TESTCD", f"{table.domain}TEST"
    names: dict[str, str] = {}
    codes: dict[str, str] = {}
    for record in table.records:
        code, name = record[code_of], record[name_of]
        if not code or not name or code in TESTS[table.domain].terms:
            continue
        for one, other, seen, variable in ((code, name, names, name_of), (name, code, codes, code_of)):
            first = seen.setdefault(one, other)
            if first != other:
                message = f"{one} goes with '{other}' here and with '{first}' before"
                yield Said(
                    rule="test_name_varies", domain=table.domain, record=record, variable=variable, message=message
                )


def _result(known: _Known, domain: str, record: Record) -> Iterator[Said]:
    """The standardised result, where its test takes words."""
    test, variable = record[f"{domain}TESTCD"], f"{domain}STRESC"
    lists: tuple[Codelist, ...] = ()
    if domain == "TU" and test in ("TUMIDENT", "TUSPLIT"):
        lists = (codelists.IDENTIFIED,)
    elif domain == "TU" and test.endswith("IND"):
        lists = (codelists.YES_NO,)
    elif domain == "TR" and test in terms.LESION_STATES:
        if record.term(variable) in (*terms.NOT_EVALUABLE, *terms.TOO_SMALL):
            return
        lists = (codelists.PROPERTIES,)
    elif domain == "RS" and not is_classification(record):
        if test in _NEW_LESION_INDICATORS:
            lists = (codelists.YES_NO,)
        elif test in codelists.RS_TESTS.terms:
            lists = (codelists.RESPONSES,)
    if lists:
        yield from _outside(known, domain, record, variable, lists)
