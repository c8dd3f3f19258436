"""Links between TU, TR and RS: lesions (TULNKID, TRLNKID) and time points (TRLNKGRP, RSLNKGRP)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mrecist.model import Role
from mrecist.sdtm import terms
from mrecist.sdtm.checks.datasets import Study
from mrecist.sdtm.checks.rule import Rule, Said, error, warning
from mrecist.sdtm.checks.terminology import is_classification
from mrecist.sdtm.datasets import Record
from mrecist.sdtm.read import reader_in
from mrecist.sdtm.visits import marked, visit_key

_IG = "SDTMIG 3.4, 6.3.12"
RULES: tuple[Rule, ...] = (
    error(
        "lesion_link_missing",
        "a lesion in TU without TULNKID",
        f"{_IG}, TULNKID",
        "Give the link that its results in TR have.",
        stops=True,
    ),
    error(
        "lesion_link_repeated",
        "a lesion that one reader identifies twice",
        f"{_IG}, TU: one record per lesion per assessor",
        "Keep one record.",
        stops=True,
    ),
    warning(
        "lesion_link_shared",
        "a TULNKID that two readers use for a lesion each, so RELREC cannot tell them apart",
        f"{_IG}, TULNKID",
        "Put the reader before the link, such as R1-T01.",
    ),
    error("location_missing", "a target without TULOC", f"{_IG}, TULOC", "Say where it lies."),
    error(
        "result_link_missing",
        "a result of a lesion without TRLNKID",
        f"{_IG}, TRLNKID",
        "Give the link of its lesion in TU.",
        stops=True,
    ),
    error(
        "result_link_unknown",
        "TRLNKID that no lesion of the subject has in TU",
        f"{_IG}, TRLNKID",
        "Correct the link, or identify the lesion in TU.",
        stops=True,
    ),
    error(
        "result_link_of_other_reader",
        "TRLNKID that in TU is a lesion of another reader only",
        f"{_IG}, TRLNKID",
        "Correct the link, the evaluator, or TU.",
        stops=True,
    ),
    warning(
        "lesion_without_results",
        "a lesion in TU without any record in TR",
        f"{_IG}, TR",
        "Add its results, or remove it; a new lesion has a TR record (TUMSTATE) too.",
        stops=True,
    ),
    error(
        "response_group_unknown",
        "RSLNKGRP that no TRLNKGRP of the subject has",
        f"{_IG}, RSLNKGRP",
        "Correct the group.",
    ),
    warning(
        "result_group_unanswered",
        "TRLNKGRP of a visit after baseline that no RSLNKGRP of the subject has",
        f"{_IG}, TRLNKGRP",
        "Correct the group, or add the overall response of that time point.",
    ),
    warning(
        "result_group_missing",
        "a result without TRLNKGRP where others of that reader and visit have one",
        f"{_IG}, TRLNKGRP",
        "Give the group of the time point.",
    ),
    warning(
        "response_group_missing",
        "an overall response without RSLNKGRP where other overall responses have one",
        f"{_IG}, RSLNKGRP",
        "Give the group of its measurements.",
    ),
    warning(
        "response_group_on_part",
        "RSLNKGRP on a response that is not the overall one",
        f"{_IG}, RSLNKGRP: on the record that the group supports",
        "Keep it on OVRLRESP only.",
    ),
    warning(
        "new_lesion_not_reported",
        "a new lesion in TU, and neither NEWLPROG, NEWLIND nor overall PD by that reader from that visit on",
        f"{_IG}, NEW in TU and NEWLPROG in RS",
        "Add NEWLPROG (EQUIVOCAL or UNEQUIVOCAL), or correct TU.",
    ),
)
_IDENTIFIES = (terms.IDENTIFICATION, terms.SPLIT)
_NEW_LESION = (terms.NEW_PROGRESSION, terms.NEW_INDICATOR)
_PROGRESSION = ("PD", "IUPD", "ICPD", "PROGRESSIVE DISEASE")


def look(study: Study) -> Iterator[Said]:
    """Everything that is found between the datasets."""
    if "TU" in study.tables:
        yield from _lesions(study)
    if "TR" in study.tables:
        yield from _results(study)
        yield from _groups(study)
    if "TU" in study.tables and "RS" in study.tables:
        yield from _new_lesions(study)


def _said(rule: str, domain: str, record: Record, variable: str, message: str) -> Said:
    reader = reader_in(record, domain)
    return Said(rule=rule, domain=domain, record=record, variable=variable, message=message, reader=reader)


def _role(record: Record) -> Role | None:
    return terms.ROLES.get(record.term("TUSTRESC") or record.term("TUORRES"))


def _lesions(study: Study) -> Iterator[Said]:
    measured = {(record["USUBJID"], record["TRLNKID"]) for record in study.records("TR")}
    merged = {(subject, part) for subject, link in measured for part in link.replace("+", "/").split("/")}
    first: dict[tuple[str, str, str], Record] = {}
    readers: dict[tuple[str, str], Record] = {}
    shared: set[tuple[str, str, str]] = set()
    for record in study.records("TU"):
        test, link, subject = record.term("TUTESTCD"), record["TULNKID"], record["USUBJID"]
        if test in _IDENTIFIES and _role(record) is Role.TARGET and not record["TULOC"]:
            yield _said("location_missing", "TU", record, "TULOC", f"target {link} has no TULOC")
        if test not in (*_IDENTIFIES, terms.MERGE):
            continue
        if not link:
            yield _said("lesion_link_missing", "TU", record, "TULNKID", "TULNKID is empty")
        if not link or test != terms.IDENTIFICATION:
            continue
        reader = reader_in(record, "TU")
        before = first.setdefault((subject, reader, link), record)
        if before is not record:
            yield _said("lesion_link_repeated", "TU", record, "TULNKID", f"{link} is identified also in {before.where}")
            continue
        other = readers.setdefault((subject, link), record)
        if reader_in(other, "TU") != reader and (subject, link, reader) not in shared:
            shared.add((subject, link, reader))
            message = f"{link} is a lesion of {reader} here and of {reader_in(other, 'TU')} in {other.where}"
            yield _said("lesion_link_shared", "TU", record, "TULNKID", message)
        if measured and (subject, link) not in measured and (subject, link) not in merged:
            yield _said("lesion_without_results", "TU", record, "TULNKID", f"{link} has no record in TR")


def _results(study: Study) -> Iterator[Said]:
    known: dict[tuple[str, str], set[str]] = {}
    for record in study.records("TU"):
        by = reader_in(record, "TU") if record["TUEVAL"] or record["TUEVALID"] else ""
        known.setdefault((record["USUBJID"], record["TULNKID"]), set()).add(by)
    sized = {*terms.SIZES, terms.DIAMETER, *terms.LESION_STATES}
    for record in study.records("TR"):
        link, test = record["TRLNKID"], record.term("TRTESTCD")
        if not link:
            if test in sized:
                yield _said("result_link_missing", "TR", record, "TRLNKID", f"{test} has no TRLNKID")
        elif "TU" in study.tables:
            of = known.get((record["USUBJID"], link))
            reader = reader_in(record, "TR")
            if of is None:
                yield _said("result_link_unknown", "TR", record, "TRLNKID", f"{link} is not in TU for this subject")
            elif reader not in of and "" not in of:
                message = f"{link} is a lesion of {', '.join(sorted(of))} in TU, and this result is of {reader}"
                yield _said("result_link_of_other_reader", "TR", record, "TRLNKID", message)


def _groups(study: Study) -> Iterator[Said]:
    if not study.has("TR", "TRLNKGRP"):
        return
    results, responses = study.records("TR"), study.records("RS")
    grouped = {(record["USUBJID"], record["TRLNKGRP"]) for record in results if record["TRLNKGRP"]}
    at_visit = {_place(record, "TR") for record in results if record["TRLNKGRP"]}
    answered = {(record["USUBJID"], record["RSLNKGRP"]) for record in responses if record["RSLNKGRP"]}
    answering = {(record["USUBJID"], reader_in(record, "RS")) for record in responses if record["RSLNKGRP"]}
    baseline = _baselines(results)
    told: set[tuple[str, str]] = set()
    for record in results:
        place = _place(record, "TR")
        group = (record["USUBJID"], record["TRLNKGRP"])
        if not record["TRLNKGRP"]:
            if place in at_visit:
                yield _said("result_group_missing", "TR", record, "TRLNKGRP", "TRLNKGRP is empty, and others have one")
        elif group not in answered and group not in told and place[:2] in answering and place not in baseline:
            told.add(group)
            message = f"{record['TRLNKGRP']} is in no RSLNKGRP of this subject"
            yield _said("result_group_unanswered", "TR", record, "TRLNKGRP", message)
    for record in responses:
        group = (record["USUBJID"], record["RSLNKGRP"])
        overall = record.term("RSTESTCD") == terms.OVERALL
        if record["RSLNKGRP"] and group not in grouped:
            message = f"{record['RSLNKGRP']} is in no TRLNKGRP of this subject"
            yield _said("response_group_unknown", "RS", record, "RSLNKGRP", message)
        elif record["RSLNKGRP"] and not overall:
            message = f"{record['RSTESTCD']} has RSLNKGRP {record['RSLNKGRP']}"
            yield _said("response_group_on_part", "RS", record, "RSLNKGRP", message)
        elif not record["RSLNKGRP"] and overall and _place(record, "RS") in at_visit and answered:
            yield _said("response_group_missing", "RS", record, "RSLNKGRP", "OVRLRESP has no RSLNKGRP")


def _baselines(results: Iterable[Record]) -> set[tuple[str, str, str]]:
    """The visits that are marked as baseline; of a reader and subject without any mark, the earliest."""
    found: set[tuple[str, str, str]] = set()
    earliest: dict[tuple[str, str], tuple[str, tuple[str, str, str]]] = {}
    for record in results:
        place = _place(record, "TR")
        if marked(record, "TR"):
            found.add(place)
        if record["TRDTC"]:
            when = (record["TRDTC"], place)
            earliest[place[:2]] = min(earliest.get(place[:2], when), when)
    with_mark = {place[:2] for place in found}
    return found | {place for of, (_, place) in earliest.items() if of not in with_mark}


def _place(record: Record, domain: str) -> tuple[str, str, str]:
    return record["USUBJID"], reader_in(record, domain), visit_key(record) or record[f"{domain}DTC"]


@dataclass(slots=True)
class _Told:
    """Where the responses of a reader tell of a new lesion: their visits, their last date, and whether one has no date."""

    visits: set[str] = field(default_factory=set)
    last: str = ""
    undated: bool = False

    def take(self, response: Record) -> None:
        test, result = response.term("RSTESTCD"), response.term("RSSTRESC")
        if test in _NEW_LESION or (test == terms.OVERALL and result in _PROGRESSION):
            self.visits.add(visit_key(response))
            self.last = max(self.last, response["RSDTC"][:10])
            self.undated = self.undated or not response["RSDTC"]

    def answers(self, lesion: Record) -> bool:
        """On the day of the lesion or later; at its visit, whose response may be dated by another image; without dates, at all."""
        day = lesion["TUDTC"][:10]
        if self.undated or (self.visits and not day):
            return True
        return bool(self.visits) and (self.last >= day or visit_key(lesion) in self.visits)


def _new_lesions(study: Study) -> Iterator[Said]:
    """A reader who reports responses says of a new lesion what it means, at that visit or a later one."""
    reported: dict[tuple[str, str], _Told] = {}
    for record in study.records("RS"):
        if not is_classification(record):
            reported.setdefault((record["USUBJID"], reader_in(record, "RS")), _Told()).take(record)
    for record in study.records("TU"):
        if record.term("TUTESTCD") != terms.IDENTIFICATION or _role(record) is not Role.NEW:
            continue
        own = reported.get((record["USUBJID"], reader_in(record, "TU")))
        if own is not None and not own.answers(record):
            message = (
                f"new lesion {record['TULNKID']} is in TU, and RS has neither NEWLPROG, NEWLIND nor overall PD for it"
            )
            yield _said("new_lesion_not_reported", "TU", record, "TULNKID", message)
