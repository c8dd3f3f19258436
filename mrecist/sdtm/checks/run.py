"""All rules over the datasets of a study, in the order of its records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mrecist.checklist import CHECKS, OFF, Severity
from mrecist.model import SubjectDates
from mrecist.protocol import Protocol
from mrecist.sdtm.checks import (
    arithmetic,
    evaluators,
    links,
    related,
    responses,
    results,
    structure,
    terminology,
    timing,
)
from mrecist.sdtm.checks.datasets import DOMAINS, TUMOUR, Study
from mrecist.sdtm.checks.rule import Finding, Rule, Said, finding

_LOOKS: tuple[Callable[[Study], Iterator[Said]], ...] = (
    structure.look,
    terminology.look,
    evaluators.look,
    links.look,
    results.look,
    timing.look,
    related.look,
)
GROUPS: Mapping[str, tuple[Rule, ...]] = {
    "Datasets, variables and records": structure.RULES,
    "Terms": terminology.RULES,
    "Readers": evaluators.RULES,
    "Links": links.RULES,
    "Results and units": results.RULES,
    "Dates and visits": timing.RULES,
    "RELREC and supplemental qualifiers": related.RULES,
    "Sums and changes": arithmetic.RULES,
    "Responses": responses.COMPARED,
    "Measurements": responses.MEASURED,
}
RULES: Mapping[str, Rule] = {rule.name: rule for rules in GROUPS.values() for rule in rules}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checking:
    """How it is checked: criteria by name (none: those that RSCAT names), severities set by rule, dates of the subjects."""

    protocol: Protocol
    criteria: Sequence[str] = ()
    severities: Mapping[str, str] = field(default_factory=dict)
    dates: SubjectDates = field(default_factory=SubjectDates)

    def severity_of(self, rule: Rule) -> Severity | None:
        """The severity that is set, else that of the protocol for a check of measurements, else the default; None = off."""
        if rule.name in self.severities:
            word = self.severities[rule.name]
            return None if word == OFF else Severity(word)
        return self.protocol.checking.severity_of(CHECKS[rule.name]) if rule.name in CHECKS else rule.severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The findings, the records looked at by domain, and how many reads were compared and left out."""

    findings: tuple[Finding, ...]
    records: Mapping[str, int]
    reads: int
    left_out: int

    def count(self, severity: Severity) -> int:
        """How many findings are of that severity."""
        return sum(one.severity is severity for one in self.findings)


def check_study(study: Study, checking: Checking) -> Checked:
    """Every finding in the datasets of a study; nothing is corrected and nothing is raised."""
    said = [one for look in _LOOKS for one in look(study)]
    derived = responses.derive(study, _doubtful(said), checking.protocol, checking.criteria, checking.dates)
    said += derived.said
    place = {id(record): n for table in study.tables.values() for n, record in enumerate(table.records)}
    domains = {name: n for n, name in enumerate((*TUMOUR, *DOMAINS))}
    rules = {name: n for n, name in enumerate(RULES)}
    said.sort(
        key=lambda one: (
            domains.get(one.domain, len(domains)),
            -1 if one.record is None else place[id(one.record)],
            rules[one.rule],
        )
    )
    findings = []
    for one in said:
        rule = RULES[one.rule]
        severity = checking.severity_of(rule)
        if severity is not None:
            findings.append(finding(one, rule, severity))
    records = {name: len(table.records) for name, table in study.tables.items()}
    return Checked(findings=tuple(findings), records=records, reads=derived.reads, left_out=derived.left_out)


def _doubtful(said: Sequence[Said]) -> set[tuple[str, str]]:
    """The reads (subject, reader) whose records hold what makes their measurements doubtful; TU without a reader is of all."""
    found = set()
    for one in said:
        if RULES[one.rule].stops and one.record is not None and one.domain != "RS":
            by_nobody = one.domain == "TU" and not one.record["TUEVAL"] and not one.record["TUEVALID"]
            found.add((one.record["USUBJID"], "" if by_nobody else one.reader))
    return found


def summary(checked: Checked) -> Iterator[str]:
    """What was looked at and found, in lines for a terminal."""
    looked = ", ".join(f"{name} {count}" for name, count in checked.records.items())
    yield f"records: {looked}"
    yield f"{checked.reads} reads derived again and compared" + (
        f", {checked.left_out} left out for what was found in their records" if checked.left_out else ""
    )
    counts = Counter((one.severity, one.rule) for one in checked.findings)
    for severity in Severity:
        for (of, name), count in counts.most_common():
            if of is severity:
                yield f"  {severity:<8}{name:<32}{count:>7}"
    yield ", ".join(f"{checked.count(s)} {s}{'' if checked.count(s) == 1 else 's'}" for s in Severity)
