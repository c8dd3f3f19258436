"""The variables of each domain in the order of SDTMIG 3.4, with label, codelist, role, core and origin.

Sources: SDTMIG 3.4, sections 5 (DM, SV), 6.1.5 (PR), 6.3.12 (TU, TR, RS), 8 (RELREC). Codelists by their NCI codes.
"""

from __future__ import annotations

from mrecist.datasets.model import Type, Variable

NOT_IN_33 = {"SV": ("SVPRESP", "SVOCCUR")}
"""Variables that came with SDTMIG 3.4."""

_IDENTIFIER, _TOPIC, _SYNONYM, _RESULT = "Identifier", "Topic", "Synonym Qualifier", "Result Qualifier"
_RECORD, _VARIABLE, _GROUPING, _TIMING = "Record Qualifier", "Variable Qualifier", "Grouping Qualifier", "Timing"
_COLLECTED, _ASSIGNED, _DERIVED, _PROTOCOL = "Collected", "Assigned", "Derived", "Protocol"
_YES = "C66742"
_DAYS = "Days from RFSTDTC of DM, with no day 0: the date - RFSTDTC, plus 1 on and after RFSTDTC."
_LAST = "Death, else withdrawal, else loss to follow-up, else the last day known to be alive."
_EPOCH_METHOD = (
    "SCREENING before the first treatment (day 1 where that is not known), TREATMENT from it on, FOLLOW-UP after a new anticancer "
    "therapy, withdrawal or death."
)


def _v(
    name: str,
    label: str,
    core: str,
    role: str,
    origin: str,
    *,
    type: Type = Type.TEXT,
    codelist: str = "",
    method: str = "",
) -> Variable:
    return Variable(
        name=name, label=label, core=core, role=role, origin=origin, type=type, codelist=codelist, method=method
    )


def _identifiers(domain: str) -> tuple[Variable, ...]:
    return (
        _v("STUDYID", "Study Identifier", "Req", _IDENTIFIER, _PROTOCOL),
        _v("DOMAIN", "Domain Abbreviation", "Req", _IDENTIFIER, _ASSIGNED, codelist="C66734"),
        _v("USUBJID", "Unique Subject Identifier", "Req", _IDENTIFIER, _DERIVED, method="STUDYID, a dash, SUBJID."),
        _v(
            f"{domain}SEQ",
            "Sequence Number",
            "Req",
            _IDENTIFIER,
            _DERIVED,
            type=Type.INTEGER,
            method="The place of the record among those of its subject, in the order of the keys.",
        ),
    )


def _visit() -> tuple[Variable, ...]:
    return (
        _v("VISITNUM", "Visit Number", "Exp", _TIMING, _ASSIGNED, type=Type.FLOAT),
        _v("VISIT", "Visit Name", "Perm", _TIMING, _ASSIGNED),
    )


def _when(domain: str, dated: str, day: str) -> tuple[Variable, ...]:
    return (
        *_visit(),
        _v("EPOCH", "Epoch", "Perm", _TIMING, _DERIVED, codelist="C99079", method=_EPOCH_METHOD),
        _v(f"{domain}DTC", dated, "Exp", _TIMING, _COLLECTED, type=Type.DATE),
        _v(f"{domain}DY", day, "Perm", _TIMING, _DERIVED, type=Type.INTEGER, method=_DAYS),
    )


def _flagged(domain: str, core: str) -> Variable:
    words = "Y on what was observed at baseline, time point 0, unless that is after the first treatment."
    label = "Last Observation Before Exposure Flag"
    return _v(f"{domain}LOBXFL", label, core, _RECORD, _DERIVED, codelist=_YES, method=words)


def _evaluated(domain: str, core: str) -> tuple[Variable, ...]:
    return (
        _v(f"{domain}EVAL", "Evaluator", core, _RECORD, _ASSIGNED, codelist="C78735"),
        _v(f"{domain}EVALID", "Evaluator Identifier", "Perm", _VARIABLE, _ASSIGNED, codelist="C96777"),
        _v(f"{domain}ACPTFL", "Accepted Record Flag", "Perm", _RECORD, _COLLECTED, codelist=_YES),
    )


TU: tuple[Variable, ...] = (
    *_identifiers("TU"),
    _v("TUGRPID", "Group ID", "Perm", _IDENTIFIER, _ASSIGNED),
    _v("TUREFID", "Reference ID", "Perm", _IDENTIFIER, _COLLECTED),
    _v("TUSPID", "Sponsor-Defined Identifier", "Perm", _IDENTIFIER, _COLLECTED),
    _v("TULNKID", "Link ID", "Exp", _IDENTIFIER, _ASSIGNED),
    _v("TUTESTCD", "Tumor/Lesion ID Short Name", "Req", _TOPIC, _ASSIGNED, codelist="C96784"),
    _v("TUTEST", "Tumor/Lesion ID Test Name", "Req", _SYNONYM, _ASSIGNED, codelist="C96783"),
    _v("TUORRES", "Tumor/Lesion ID Result", "Exp", _RESULT, _COLLECTED),
    _v("TUSTRESC", "Tumor/Lesion ID Result Std. Format", "Exp", _RESULT, _ASSIGNED, codelist="C123650"),
    _v("TULOC", "Location of the Tumor/Lesion", "Exp", _RECORD, _COLLECTED, codelist="C74456"),
    _v("TULAT", "Laterality", "Perm", _VARIABLE, _COLLECTED, codelist="C99073"),
    _v("TUMETHOD", "Method of Identification", "Exp", _RECORD, _COLLECTED, codelist="C85492"),
    _flagged("TU", "Exp"),
    *_evaluated("TU", "Exp"),
    *_when("TU", "Date/Time of Tumor/Lesion Identification", "Study Day of Tumor/Lesion Identification"),
)

TR: tuple[Variable, ...] = (
    *_identifiers("TR"),
    _v("TRGRPID", "Group ID", "Perm", _IDENTIFIER, _ASSIGNED),
    _v("TRREFID", "Reference ID", "Perm", _IDENTIFIER, _COLLECTED),
    _v("TRSPID", "Sponsor-Defined Identifier", "Perm", _IDENTIFIER, _COLLECTED),
    _v("TRLNKID", "Link ID", "Exp", _IDENTIFIER, _ASSIGNED),
    _v("TRLNKGRP", "Link Group", "Perm", _IDENTIFIER, _ASSIGNED),
    _v("TRTESTCD", "Tumor/Lesion Assessment Short Name", "Req", _TOPIC, _ASSIGNED, codelist="C96779"),
    _v("TRTEST", "Tumor/Lesion Assessment Test Name", "Req", _SYNONYM, _ASSIGNED, codelist="C96778"),
    _v("TRORRES", "Result or Finding in Original Units", "Exp", _RESULT, _COLLECTED),
    _v("TRORRESU", "Original Units", "Exp", _VARIABLE, _COLLECTED, codelist="C71620"),
    _v("TRSTRESC", "Character Result/Finding in Std Format", "Exp", _RESULT, _ASSIGNED, codelist="C124309"),
    _v("TRSTRESN", "Numeric Result/Finding in Standard Units", "Exp", _RESULT, _ASSIGNED, type=Type.FLOAT),
    _v("TRSTRESU", "Standard Units", "Exp", _VARIABLE, _ASSIGNED, codelist="C71620"),
    _v("TRSTAT", "Completion Status", "Perm", _RECORD, _COLLECTED, codelist="C66789"),
    _v("TRREASND", "Reason Not Done", "Perm", _RECORD, _COLLECTED),
    _v("TRMETHOD", "Method Used to Identify the Tumor/Lesion", "Exp", _RECORD, _COLLECTED, codelist="C85492"),
    _flagged("TR", "Exp"),
    *_evaluated("TR", "Exp"),
    *_when("TR", "Date/Time of Tumor/Lesion Measurement", "Study Day of Tumor/Lesion Measurement"),
)

RS: tuple[Variable, ...] = (
    *_identifiers("RS"),
    _v("RSLNKGRP", "Link Group ID", "Perm", _IDENTIFIER, _ASSIGNED),
    _v("RSTESTCD", "Assessment Short Name", "Req", _TOPIC, _ASSIGNED, codelist="C96782"),
    _v("RSTEST", "Assessment Name", "Req", _SYNONYM, _ASSIGNED, codelist="C96781"),
    _v("RSCAT", "Category for Assessment", "Exp", _GROUPING, _ASSIGNED, codelist="C124298"),
    _v("RSSCAT", "Subcategory", "Perm", _GROUPING, _ASSIGNED),
    _v("RSORRES", "Result or Finding in Original Units", "Exp", _RESULT, _COLLECTED),
    _v("RSSTRESC", "Character Result/Finding in Std Format", "Exp", _RESULT, _ASSIGNED, codelist="C96785"),
    _v("RSSTAT", "Completion Status", "Perm", _RECORD, _COLLECTED, codelist="C66789"),
    _v("RSREASND", "Reason Not Done", "Perm", _RECORD, _COLLECTED),
    *_evaluated("RS", "Perm"),
    *_when("RS", "Date/Time of Assessment", "Study Day of Assessment"),
)

RELREC: tuple[Variable, ...] = (
    _v("STUDYID", "Study Identifier", "Req", _IDENTIFIER, _PROTOCOL),
    _v("RDOMAIN", "Related Domain Abbreviation", "Req", _IDENTIFIER, _ASSIGNED, codelist="C66734"),
    _v("USUBJID", "Unique Subject Identifier", "Exp", _IDENTIFIER, _ASSIGNED),
    _v("IDVAR", "Identifying Variable", "Req", _IDENTIFIER, _ASSIGNED),
    _v("IDVARVAL", "Identifying Variable Value", "Exp", _IDENTIFIER, _ASSIGNED),
    _v("RELTYPE", "Relationship Type", "Exp", _RECORD, _ASSIGNED, codelist="C78737"),
    _v("RELID", "Relationship Identifier", "Req", _RECORD, _ASSIGNED),
)


def _day(name: str, label: str, *, origin: str = _COLLECTED, method: str = "") -> Variable:
    return _v(name, label, "Exp", _RECORD, origin, type=Type.DATE, method=method)


DM: tuple[Variable, ...] = (
    *_identifiers("DM")[:3],
    _v("SUBJID", "Subject Identifier for the Study", "Req", _TOPIC, _COLLECTED),
    _day(
        "RFSTDTC",
        "Subject Reference Start Date/Time",
        origin=_DERIVED,
        method="The origin event of the protocol, else the first treatment, else randomisation or enrolment.",
    ),
    _day("RFENDTC", "Subject Reference End Date/Time", origin=_DERIVED, method=_LAST),
    _day(
        "RFXSTDTC",
        "Date/Time of First Study Treatment",
        origin=_DERIVED,
        method="The earliest of first dose, first procedure and the first procedure that the protocol names as origin.",
    ),
    _day("RFXENDTC", "Date/Time of Last Study Treatment"),
    _day("RFICDTC", "Date/Time of Informed Consent"),
    _day("RFPENDTC", "Date/Time of End of Participation", origin=_DERIVED, method=_LAST),
    _day("DTHDTC", "Date/Time of Death"),
    _v("DTHFL", "Subject Death Flag", "Exp", _RECORD, _DERIVED, codelist=_YES, method="Y where DTHDTC is there."),
    _v("SITEID", "Study Site Identifier", "Req", _RECORD, _COLLECTED),
    _v("AGE", "Age", "Exp", _RECORD, _COLLECTED, type=Type.INTEGER),
    _v("AGEU", "Age Units", "Exp", _VARIABLE, _ASSIGNED, codelist="C66781"),
    _v("SEX", "Sex", "Req", _RECORD, _COLLECTED, codelist="C66731"),
    _v("RACE", "Race", "Exp", _RECORD, _COLLECTED, codelist="C74457"),
    _v("ETHNIC", "Ethnicity", "Perm", _RECORD, _COLLECTED, codelist="C66790"),
    _v("ARMCD", "Planned Arm Code", "Exp", _RECORD, _ASSIGNED),
    _v("ARM", "Description of Planned Arm", "Exp", _SYNONYM, _ASSIGNED),
    _v("ACTARMCD", "Actual Arm Code", "Exp", _RECORD, _ASSIGNED),
    _v("ACTARM", "Description of Actual Arm", "Exp", _SYNONYM, _ASSIGNED),
    _v("ARMNRS", "Reason Arm and/or Actual Arm is Null", "Exp", _RECORD, _ASSIGNED, codelist="C142179"),
    _v("ACTARMUD", "Description of Unplanned Actual Arm", "Exp", _RECORD, _COLLECTED),
    _v("COUNTRY", "Country", "Req", _RECORD, _COLLECTED),
)

PR: tuple[Variable, ...] = (
    *_identifiers("PR"),
    _v("PRTRT", "Reported Name of Procedure", "Req", _TOPIC, _COLLECTED),
    _v("EPOCH", "Epoch", "Perm", _TIMING, _DERIVED, codelist="C99079", method=_EPOCH_METHOD),
    _v("PRSTDTC", "Start Date/Time of Procedure", "Exp", _TIMING, _COLLECTED, type=Type.DATE),
    _v("PRSTDY", "Study Day of Start of Procedure", "Perm", _TIMING, _DERIVED, type=Type.INTEGER, method=_DAYS),
)

SV: tuple[Variable, ...] = (
    *_identifiers("SV")[:3],
    _v("VISITNUM", "Visit Number", "Req", _TOPIC, _ASSIGNED, type=Type.FLOAT),
    _v("VISIT", "Visit Name", "Perm", _SYNONYM, _ASSIGNED),
    _v("SVPRESP", "Pre-specified", "Exp", _VARIABLE, _ASSIGNED, codelist=_YES),
    _v("SVOCCUR", "Occurrence", "Exp", _RECORD, _COLLECTED, codelist=_YES),
    _v("EPOCH", "Epoch", "Perm", _TIMING, _DERIVED, codelist="C99079", method=_EPOCH_METHOD),
    _v("SVSTDTC", "Start Date/Time of Observation", "Exp", _TIMING, _COLLECTED, type=Type.DATE),
    _v("SVENDTC", "End Date/Time of Observation", "Exp", _TIMING, _COLLECTED, type=Type.DATE),
    _v("SVSTDY", "Study Day of Start of Observation", "Perm", _TIMING, _DERIVED, type=Type.INTEGER, method=_DAYS),
    _v("SVENDY", "Study Day of End of Observation", "Perm", _TIMING, _DERIVED, type=Type.INTEGER, method=_DAYS),
)
