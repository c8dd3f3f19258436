"""Who assessed, whose assessment was accepted, and flags that are Y or nothing."""

from __future__ import annotations

from collections.abc import Iterator

from mrecist.sdtm import terms
from mrecist.sdtm.checks.datasets import Study, Table
from mrecist.sdtm.checks.rule import Rule, Said, error, warning
from mrecist.sdtm.datasets import Record
from mrecist.sdtm.visits import visit_key

_IG = "SDTMIG 3.4, 6.3.12"
RULES: tuple[Rule, ...] = (
    error(
        "flag_not_y",
        "--ACPTFL, --LOBXFL or --BLFL that is neither Y nor empty",
        f"{_IG}; 4.1.5 (flags are Y or null)",
        "Empty it, or write Y.",
    ),
    error(
        "two_accepted",
        "two readers whose assessments of one time point are both accepted",
        f"{_IG}, --ACPTFL",
        "Keep Y on the records of the reader whose assessment counts.",
    ),
    error(
        "investigator_accepted",
        "an accepted record of the investigator: the flag says which independent assessment counts",
        f"{_IG}, --ACPTFL",
        "Empty --ACPTFL on records of the investigator.",
    ),
    error("evaluator_missing", "--EVALID without --EVAL", f"{_IG}, --EVALID", "Give --EVAL, the role of the reader."),
    warning(
        "evaluator_id_missing",
        "an independent assessor without --EVALID where others have one",
        f"{_IG}, --EVALID",
        "Say which reader it is.",
    ),
)
INDEPENDENT = "INDEPENDENT ASSESSOR"


def look(study: Study) -> Iterator[Said]:
    """Everything that is found in TU, TR and RS."""
    for table in study.tumour():
        yield from _flags(table)
        yield from _evaluators(table)
        yield from _accepted(table)


def _flags(table: Table) -> Iterator[Said]:
    domain = table.domain
    names = [f"{domain}{flag}" for flag in ("ACPTFL", "LOBXFL", "BLFL") if table.has(f"{domain}{flag}")]
    for record in table.records:
        for name in names:
            if record[name] not in ("", "Y"):
                message = f"{name} is '{record[name]}'; it is Y or empty"
                yield Said(rule="flag_not_y", domain=domain, record=record, variable=name, message=message)


def _evaluators(table: Table) -> Iterator[Said]:
    domain = table.domain
    who, which = f"{domain}EVAL", f"{domain}EVALID"
    named = any(record[which] for record in table.records)
    for record in table.records:
        if record[which] and not record[who]:
            message = f"{which} is '{record[which]}' and {who} is empty"
            yield Said(rule="evaluator_missing", domain=domain, record=record, variable=who, message=message)
        if named and record.term(who) == INDEPENDENT and not record[which]:
            message = f"{who} is {INDEPENDENT} and {which} is empty"
            yield Said(rule="evaluator_id_missing", domain=domain, record=record, variable=which, message=message)


def _accepted(table: Table) -> Iterator[Said]:
    """One accepted reader per time point; in RS per test and criterion."""
    domain, flag = table.domain, f"{table.domain}ACPTFL"
    first: dict[tuple[str, ...], Record] = {}
    told: set[tuple[str, ...]] = set()
    for record in table.records:
        if record[flag] != "Y":
            continue
        if record.term(f"{domain}EVAL") == terms.INVESTIGATOR:
            message = f"{flag} is Y and {domain}EVAL is {terms.INVESTIGATOR}"
            yield Said(rule="investigator_accepted", domain=domain, record=record, variable=flag, message=message)
            continue
        place: tuple[str, ...] = (record["USUBJID"], visit_key(record) or record[f"{domain}DTC"])
        if domain == "RS":
            place += (record["RSTESTCD"], record["RSCAT"], record["RSSCAT"])
        before = first.setdefault(place, record)
        others = _who(before, domain), _who(record, domain)
        if others[0] != others[1] and (*place, others[1]) not in told:
            told.add((*place, others[1]))
            message = f"{others[1]} is accepted here and {others[0]} in {before.where}, at one time point"
            yield Said(rule="two_accepted", domain=domain, record=record, variable=flag, message=message)


def _who(record: Record, domain: str) -> str:
    return record[f"{domain}EVALID"] or record[f"{domain}EVAL"]
