"""The variables of ADSL, ADTR, ADRS and ADTTE with what Define-XML has to say of them.

Sources: ADaMIG 1.3, sections 3.2 (ADSL) and 3.3 (BDS); ADaM BDS for Time-to-Event Analyses 1.0. What no standard names is ours, and
said so in docs/adam.md. ``codelist`` is an NCI code, or a name of :data:`CODELISTS`.
"""

from __future__ import annotations

from collections.abc import Mapping

from mrecist.datasets.model import Type, Variable
from mrecist.exporting.adam.parameters import IRECIST_CODES, RECIST_CODES, STANDARD, YES_NO

CODELISTS: Mapping[str, Mapping[str, str]] = {
    "RESPONSE": {word: str(number) for word, number in {**RECIST_CODES, **YES_NO}.items()},
    "IRESPONSE": {word: str(number) for word, number in IRECIST_CODES.items()},
    "PARAMCD": STANDARD,
    "DATEFL": {"D": "The day was completed"},
}
"""Name -> term and what it stands for: the number in AVAL, the words in PARAM."""

_YES = "C66742"
_PREDECESSOR, _DERIVED, _ASSIGNED = "Predecessor", "Derived", "Assigned"


def _v(
    name: str,
    label: str,
    core: str,
    origin: str,
    method: str,
    *,
    type: Type = Type.TEXT,
    codelist: str = "",
) -> Variable:
    return Variable(name=name, label=label, core=core, origin=origin, method=method, type=type, codelist=codelist)


def _day(name: str, label: str, method: str, *, core: str = "Perm", origin: str = _DERIVED) -> Variable:
    return _v(name, label, core, origin, method, type=Type.SAS_DATE)


def _number(name: str, label: str, method: str, *, core: str = "Perm") -> Variable:
    return _v(name, label, core, _DERIVED, method, type=Type.FLOAT)


def _flag(name: str, label: str, method: str, *, core: str = "Perm") -> Variable:
    return _v(name, label, core, _DERIVED, method, codelist=_YES)


def flag_variable(name: str, column: str) -> Variable:
    """The flag of a population that is a column of subjects.csv."""
    return _flag(name, f"Population {column}"[:40], f"Y where the column {column} of subjects.csv says yes, else N.")


def _from_dm(name: str, label: str, core: str = "Perm", type: Type = Type.TEXT, codelist: str = "") -> Variable:
    return _v(name, label, core, _PREDECESSOR, f"DM.{name}", type=type, codelist=codelist)


_IDS = (
    _from_dm("STUDYID", "Study Identifier", "Req"),
    _from_dm("USUBJID", "Unique Subject Identifier", "Req"),
    _from_dm("SUBJID", "Subject Identifier for the Study", "Req"),
)
_RANDDT = _day("RANDDT", "Date of Randomization", "Column randomisation of subjects.csv.")
_TRTSDT = _day(
    "TRTSDT",
    "Date of First Exposure to Treatment",
    "The earliest of first_dose, first_procedure and the first procedure that the protocol names as origin (DM.RFXSTDTC).",
)
_ITTFL = _flag("ITTFL", "Intent-To-Treat Population Flag", "Y of every subject of subjects.csv.", core="Req")
_SAFFL = _flag(
    "SAFFL", "Safety Population Flag", "Y where TRTSDT is there, else N; empty where it is there of nobody.", core="Req"
)
_PROTSHA = _v(
    "PROTSHA",
    "SHA-256 of the Protocol File",
    "Req",
    _ASSIGNED,
    "The hash of the parsed protocol that the row was derived by, as in responses.csv and events.csv.",
)

ADSL: tuple[Variable, ...] = (
    *_IDS,
    _from_dm("SITEID", "Study Site Identifier"),
    _from_dm("AGE", "Age", type=Type.INTEGER),
    _from_dm("AGEU", "Age Units", codelist="C66781"),
    _from_dm("SEX", "Sex", codelist="C66731"),
    _from_dm("RACE", "Race", codelist="C74457"),
    _from_dm("ETHNIC", "Ethnicity", codelist="C66790"),
    _from_dm("COUNTRY", "Country"),
    _from_dm("ARMCD", "Planned Arm Code"),
    _from_dm("ARM", "Description of Planned Arm", "Req"),
    _from_dm("ACTARM", "Description of Actual Arm"),
    _v("TRT01P", "Planned Treatment for Period 01", "Req", _PREDECESSOR, "DM.ARM"),
    _v("TRT01A", "Actual Treatment for Period 01", "Perm", _PREDECESSOR, "DM.ACTARM"),
    _RANDDT,
    _day("ENRLDT", "Date of Enrollment", "Column enrolment of subjects.csv."),
    _day("REFSDT", "Reference Start Date", "Day 1 of the study: DM.RFSTDTC."),
    _TRTSDT,
    _day("DTHDT", "Date of Death", "DM.DTHDTC as a number; a date without its day as schedule.partial_date says."),
    _v(
        "DTHDTF", "Date of Death Imputation Flag", "Perm", _DERIVED, "D where the day was completed.", codelist="DATEFL"
    ),
    _flag("DTHFL", "Subject Death Flag", "Y where DTHDT is there."),
    _day("LSTALVDT", "Date Last Known Alive", "Column last_alive of subjects.csv."),
    _flag(
        "RANDFL", "Randomized Population Flag", "Y where RANDDT is there, else N; empty where it is there of nobody."
    ),
    _ITTFL,
    _SAFFL,
    _PROTSHA,
)

_SHARED = (
    *_IDS,
    _v(
        "ASEQ",
        "Analysis Sequence Number",
        "Perm",
        _DERIVED,
        "The place of the row among those of its subject, in the order of the keys.",
        type=Type.INTEGER,
    ),
    _v("TRTP", "Planned Treatment", "Req", _PREDECESSOR, "ADSL.TRT01P"),
    _v("TRT01P", "Planned Treatment for Period 01", "Perm", _PREDECESSOR, "ADSL.TRT01P"),
    _day("RANDDT", "Date of Randomization", "ADSL.RANDDT", origin=_PREDECESSOR),
    _day("TRTSDT", "Date of First Exposure to Treatment", "ADSL.TRTSDT", origin=_PREDECESSOR),
    _v("ITTFL", "Intent-To-Treat Population Flag", "Perm", _PREDECESSOR, "ADSL.ITTFL", codelist=_YES),
    _v("SAFFL", "Safety Population Flag", "Perm", _PREDECESSOR, "ADSL.SAFFL", codelist=_YES),
    _v("PARAMCD", "Parameter Code", "Req", _ASSIGNED, "", codelist="PARAMCD"),
    _v("PARAM", "Parameter", "Req", _ASSIGNED, ""),
    _v("PARCAT1", "Parameter Category 1", "Perm", _ASSIGNED, "What the parameter is about."),
    _v(
        "PARCAT2",
        "Parameter Category 2",
        "Perm",
        _ASSIGNED,
        "Whose assessment: --EVAL and --EVALID of SDTM in words; an adjudicator is BICR, the accepted read Central Review.",
    ),
    _v(
        "PARCAT3",
        "Parameter Category 3",
        "Perm",
        _ASSIGNED,
        "The criterion: RS.RSCAT, with RS.RSSCAT behind a semicolon where there is one.",
    ),
)
_PARCAT4 = _v("PARCAT4", "Parameter Category 4", "Perm", _ASSIGNED, "The region: Liver or Extrahepatic; empty: all.")
_VISIT = (
    _v(
        "AVISIT",
        "Analysis Visit",
        "Perm",
        _DERIVED,
        "BASELINE of time point 0, else VISIT; of an endpoint at a month MONTH and the month.",
    ),
    _number("AVISITN", "Analysis Visit (N)", "The time point, 0 of baseline; of an endpoint at a month the month."),
    _v("VISITNUM", "Visit Number", "Perm", _PREDECESSOR, "VISITNUM of the visit in SDTM.", type=Type.FLOAT),
)
_WHEN = (
    _day("ADT", "Analysis Date", "The day of the assessment or event.", core="Cond"),
    _v(
        "ADTF",
        "Analysis Date Imputation Flag",
        "Perm",
        _DERIVED,
        "D where ADT was completed by schedule.partial_date.",
        codelist="DATEFL",
    ),
)
_ADY = _v(
    "ADY",
    "Analysis Relative Day",
    "Perm",
    _DERIVED,
    "ADT - ADSL.REFSDT, plus 1 on and after it; there is no day 0.",
    type=Type.INTEGER,
)
_SOURCE = (
    _v(
        "SRCDOM",
        "Source Data",
        "Perm",
        _ASSIGNED,
        "Domain of the SDTM export that the value comes from; empty where it has no such record.",
    ),
    _v("SRCVAR", "Source Variable", "Perm", _ASSIGNED, "Variable of SRCDOM."),
    _v("SRCSEQ", "Source Sequence Number", "Perm", _PREDECESSOR, "--SEQ of SRCDOM; DM has none.", type=Type.INTEGER),
)
_ANL01FL = "Y on the rows that are to be analysed."

ADTR: tuple[Variable, ...] = (
    *_SHARED,
    *_VISIT,
    *_WHEN,
    _ADY,
    _number(
        "AVAL",
        "Analysis Value",
        "TR.TRSTRESN; of a sum the column sum of responses.csv, empty unless complete.",
        core="Req",
    ),
    _v("AVALU", "Analysis Value Unit", "Perm", _PREDECESSOR, "TR.TRSTRESU", codelist="C71620"),
    _number("BASE", "Baseline Value", "AVAL of time point 0; of a sum baseline_sum of responses.csv.", core="Cond"),
    _number("CHG", "Change from Baseline", "AVAL - BASE, after baseline."),
    _number("PCHG", "Percent Change from Baseline", "100 * CHG / BASE to four decimals; empty where BASE is 0."),
    _number(
        "NADIR", "Nadir", "nadir_sum of responses.csv: the smallest complete sum before the visit, baseline among them."
    ),
    _number("CHGNAD", "Change from Nadir", "AVAL - NADIR"),
    _number("PCHGNAD", "Percent Change from Nadir", "100 * CHGNAD / NADIR to four decimals; empty where NADIR is 0."),
    _flag(
        "PDFL", "Progressive Disease Flag", "Y where the overall response of the visit by the criterion is PD or iCPD."
    ),
    _flag("ABLFL", "Baseline Record Flag", "Y on the value of time point 0.", core="Cond"),
    _flag("ANL01FL", "Analysis Flag 01", "Y where AVAL is there: of a sum, complete sums only."),
    _flag(
        "ANL02FL",
        "Analysis Flag 02",
        "Y on the sum with the best change (the waterfall): the lowest from day 1 up to progression, a new therapy and the cut-off.",
    ),
    _v("TRLNKID", "Link ID", "Perm", _PREDECESSOR, "TR.TRLNKID"),
    _v("TULOC", "Location of the Tumor/Lesion", "Perm", _PREDECESSOR, "TU.TULOC of the lesion.", codelist="C74456"),
    _v("TRSTAT", "Completion Status", "Perm", _PREDECESSOR, "TR.TRSTAT", codelist="C66789"),
    *_SOURCE,
    _PROTSHA,
)

_SRCTXT = _v(
    "SRCTXT",
    "Source in the Tables of the Study",
    "Perm",
    _ASSIGNED,
    "The table and column, or the reason, as source of events.csv and reason of outcomes.csv have it, up to 200 characters.",
)

ADRS: tuple[Variable, ...] = (
    *_SHARED,
    _PARCAT4,
    *_VISIT,
    *_WHEN,
    _ADY,
    _v(
        "AVALC",
        "Analysis Value (C)",
        "Cond",
        _DERIVED,
        "The response; Y or N of an event; empty outside the denominator of an endpoint.",
        codelist="RESPONSE",
    ),
    _number(
        "AVAL",
        "Analysis Value",
        "The number of AVALC by the codelist RESPONSE, of the parameters of iRECIST by IRESPONSE.",
        core="Cond",
    ),
    _flag(
        "ANL01FL", "Analysis Flag 01", f"{_ANL01FL} Of responses of a visit: something was evaluated, from day 1 on."
    ),
    _flag("ANL02FL", "Analysis Flag 02", "Y on responses of visits with ANL01FL up to the first PD or iCPD."),
    *_SOURCE,
    _SRCTXT,
    _PROTSHA,
)

ADTTE: tuple[Variable, ...] = (
    *_SHARED,
    _PARCAT4,
    _day("STARTDT", "Time-to-Event Origin Date for Subject", "start of events.csv", core="Req"),
    _v(
        "STARTDTF",
        "Origin Date Imputation Flag",
        "Perm",
        _DERIVED,
        "D where STARTDT was completed by schedule.partial_date.",
        codelist="DATEFL",
    ),
    *_WHEN,
    _v("AVAL", "Analysis Value", "Req", _DERIVED, "ADT - STARTDT + 1: days of events.csv.", type=Type.INTEGER),
    _v("AVALU", "Analysis Value Unit", "Perm", _ASSIGNED, "DAYS", codelist="C71620"),
    _v(
        "CNSR",
        "Censor",
        "Req",
        _DERIVED,
        "cnsr of events.csv: 0 of an event, from 101 on a competing event, else the code of the censoring rule.",
        type=Type.INTEGER,
    ),
    _v(
        "EVNTDESC",
        "Event or Censoring Description",
        "Perm",
        _DERIVED,
        "event of events.csv in words: what happened, or the rule that censors.",
    ),
    _v(
        "CNSDTDSC",
        "Censor Date Description",
        "Perm",
        _DERIVED,
        "The place at which the rule stops the clock; COMPETING EVENT of one.",
    ),
    *_SOURCE,
    _SRCTXT,
    _PROTSHA,
)
