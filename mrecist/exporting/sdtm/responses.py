"""RS: the responses of each time point under each criterion, and the best response."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from mrecist.criteria.study_rules import PROTOCOL_DEFINED
from mrecist.datasets.model import Value
from mrecist.dates import parse_date
from mrecist.exporting.results import Cells
from mrecist.exporting.sdtm.qualifiers import Record
from mrecist.exporting.sdtm.reads import Read, subject_id
from mrecist.exporting.sdtm.timing import Reference
from mrecist.model import NewLesion, Response
from mrecist.protocol import CriterionSetting
from mrecist.sdtm.codelists import INVESTIGATOR, RS_TESTS
from mrecist.sdtm.terms import NEW_LESION_WORDS, NOT_DONE
from mrecist.trial import Occurrence

LIVER, CLINICAL = "intrahepatic", "clinical_progression"
NOT_APPLICABLE, NO_ASSESSMENT = "CRITERION NOT APPLICABLE", "NO ASSESSMENT AFTER BASELINE"
Category = tuple[str, str]


def categories(settings: Iterable[CriterionSetting]) -> dict[str, Category]:
    """Section of the protocol -> RSCAT and RSSCAT.

    A criterion that has no term, one that is used beyond its disease, and a second section of one standard are responses that the
    protocol defines; RSSCAT then says which section. The ``rscat`` of a section goes before all that.
    """
    found: dict[str, Category] = {}
    for setting in settings:
        term = setting.own_rscat or (PROTOCOL_DEFINED if setting.non_hcc else setting.rscat)
        taken = (term, "") in found.values()
        if taken and not setting.own_rscat:
            term = PROTOCOL_DEFINED
        found[setting.name] = term, setting.name.upper() if taken or term == PROTOCOL_DEFINED else ""
    return found


def visit_responses(read: Read, timepoint: int, known: Mapping[str, Category]) -> Iterator[Record]:
    """The records of one time point after baseline."""
    for cells in read.responses.get(timepoint, []):
        if not cells["overall"]:
            continue
        when = parse_date(cells["date"])
        for test, column in (("TRGRESP", "target"), ("NTRGRESP", "non_target")):
            if cells[column] not in ("", Response.NA):
                yield _record(read, known, cells, test, _said(cells[column]), when, timepoint)
        new = NewLesion(cells["new_lesion"]) if cells["new_lesion"] else NewLesion.NO
        if new is not NewLesion.NO:
            yield _record(read, known, cells, "NEWLPROG", _said(NEW_LESION_WORDS[new]), when, timepoint)
        liver = read.liver.get((timepoint, cells["criterion"]))
        if liver not in (None, Response.NA):
            yield _record(read, known, cells, "LIVRRESP", _said(str(liver)), when, timepoint)
        overall = cells["overall"]
        said = _not_done(NOT_APPLICABLE) if overall == Response.NA else _said(overall)
        yield _record(read, known, cells, "OVRLRESP", said, when, timepoint)


def symptomatic(study: str, occurrences: Iterable[Occurrence], references: Mapping[str, Reference]) -> Iterator[Record]:
    """Clinical progression as the investigator documented it: no criterion of images, so under one that the protocol defines.

    Source: SDTMIG 3.4, 6.3.12, assumption 5 of RS.
    """
    for one in dict.fromkeys((o.subject, o.date) for o in occurrences if o.event == CLINICAL):
        subject, day = one
        reference = references.get(subject, Reference())
        for test in ("SYMPTDTR", "OVRLRESP"):
            values: dict[str, Value] = {
                "STUDYID": study,
                "DOMAIN": "RS",
                "USUBJID": f"{study}-{subject_id(study, subject)}",
                "RSTESTCD": test,
                "RSTEST": RS_TESTS[test],
                "RSCAT": PROTOCOL_DEFINED,
                "RSSCAT": CLINICAL.upper().replace("_", " "),
                "RSEVAL": INVESTIGATOR,
                "EPOCH": reference.epoch(day),
                "RSDTC": day,
                "RSDY": reference.study_day(day),
                **_said(Response.PD.value),
            }
            yield Record(values=values, qualifiers={})


def best_responses(read: Read, best: Iterable[Cells], known: Mapping[str, Category]) -> Iterator[Record]:
    """BESTRESP under each criterion: confirmed or not as the protocol says."""
    column = "best_confirmed" if read.results.protocol.response.confirm_required else "best_unconfirmed"
    for cells in best:
        last = cells["last_assessment_date"]
        # Without an assessment that could be evaluated it stands on the last day that was read.
        when = parse_date(last) if last else read.day(max(read.rows))
        reasons = {Response.MISSING.value: NO_ASSESSMENT, Response.NA.value: NOT_APPLICABLE}
        result = cells[column]
        said = _not_done(reasons[result]) if result in reasons else _said(result)
        yield _record(read, known, cells, "BESTRESP", said, when, None)


def _said(result: str) -> dict[str, Value]:
    return {"RSORRES": result, "RSSTRESC": result}


def _not_done(reason: str) -> dict[str, Value]:
    return {"RSSTAT": NOT_DONE, "RSREASND": reason}


def _record(
    read: Read,
    known: Mapping[str, Category],
    cells: Cells,
    test: str,
    said: Mapping[str, Value],
    when: date | None,
    timepoint: int | None,
) -> Record:
    category, subcategory = known[cells["criterion"]]
    at = read.accepted.responses.get(cells["criterion"], frozenset())
    accepted = timepoint in at if timepoint is not None else bool(at)
    values = {
        **read.common("RS", when, timepoint),
        # The group is what the overall response stands on; no other record has it.
        "RSLNKGRP": read.group(timepoint) if test == "OVRLRESP" and timepoint is not None else "",
        "RSTESTCD": test,
        "RSTEST": RS_TESTS[test],
        "RSCAT": category,
        "RSSCAT": subcategory,
        "RSACPTFL": "Y" if accepted else "",
        **said,
    }
    return Record(values=values, qualifiers={})
