"""Published terms: which variable is held to which codelist, and the nearest term to one that is not published.

``terms.csv``: codelist (NCI code), term, and for a test code the name of the test. Source: CDISC SDTM Controlled Terminology
2022-09-30, published by NCI EVS; whole codelists, terms only.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from mrecist.sdtm.codelists import TR_TESTS_OF_OURS

TERMINOLOGY = "2022-09-30"


@dataclass(frozen=True, slots=True, kw_only=True)
class Codelist:
    """A codelist: its short name, NCI code, whether sponsors may add terms, and its terms with the names of tests."""

    name: str
    code: str
    extensible: bool = True

    @property
    def terms(self) -> Mapping[str, str]:
        """Term -> name of the test; empty for terms that are no test codes."""
        return _published()[self.code]


TU_TESTS = Codelist(name="TUTESTCD", code="C96784")
TR_TESTS = Codelist(name="TRTESTCD", code="C96779")
RS_TESTS = Codelist(name="ONCRTSCD", code="C96782")
IDENTIFIED = Codelist(name="TUIDRS", code="C123650")
PROPERTIES = Codelist(name="TRPROPRS", code="C124309")
RESPONSES = Codelist(name="ONCRSR", code="C96785")
CRITERIA = Codelist(name="ONCRSCAT", code="C124298")
CLASSIFICATIONS = Codelist(name="CCCAT", code="C118971")
EVALUATORS = Codelist(name="EVAL", code="C78735")
EVALUATOR_IDS = Codelist(name="MEDEVAL", code="C96777")
METHODS = Codelist(name="METHOD", code="C85492")
LOCATIONS = Codelist(name="LOC", code="C74456")
LATERALITY = Codelist(name="LAT", code="C99073")
YES_NO = Codelist(name="NY", code="C66742", extensible=False)
STATUS = Codelist(name="ND", code="C66789", extensible=False)
RELATION = Codelist(name="RELTYPE", code="C78737", extensible=False)
CODELISTS: tuple[Codelist, ...] = (
    *(TU_TESTS, TR_TESTS, RS_TESTS, IDENTIFIED, PROPERTIES, RESPONSES, CRITERIA, CLASSIFICATIONS),
    *(EVALUATORS, EVALUATOR_IDS, METHODS, LOCATIONS, LATERALITY, YES_NO, STATUS, RELATION),
)
BY_NAME = {codelist.name: codelist for codelist in CODELISTS}

# Terms by which the exports of this package extend a codelist, where no published term says it. Copies of the terminology differ on
# ADJUDICATOR as an evaluator's identifier: some have only ADJUDICATOR 1 to 3.
OURS: Mapping[str, frozenset[str]] = {
    "TRTESTCD": frozenset(TR_TESTS_OF_OURS),
    "MEDEVAL": frozenset({"ADJUDICATOR"}),
}

# What people write instead of a term, where no likeness of letters leads to it.
MEANT: Mapping[str, Mapping[str, str]] = {
    "TRTESTCD": {
        **dict.fromkeys(("SAXIS", "SHORT", "SHORTAX", "SHAXIS", "SAD", "SDIAM"), "LPERP"),
        **dict.fromkeys(("LAXIS", "LONG", "LONGAX", "LD", "LONGEST"), "LDIAM"),
        **dict.fromkeys(("VIABLE", "VLDIAM", "ENHDIAM", "ARTDIAM"), "VDIAM"),
        **dict.fromkeys(("SLD", "SUMLD"), "SUMLDIAM"),
        **dict.fromkeys(("SOD", "SUM"), "SUMDIAM"),
        "HU": "RADIODEN",
        "LESSTATE": "TUMSTATE",
    },
    "ONCRSCAT": {
        **dict.fromkeys(("MRECIST", "MODIFIED RECIST", "MRECIST HCC"), "MRECIST LENCIONI LIVER CANCER 2010"),
        **dict.fromkeys(("RECIST", "RECIST1.1", "RECIST V1.1", "RECIST 1.1."), "RECIST 1.1"),
        "IMMUNE RECIST": "iRECIST",
        "EASL": "EASL BRUIX LIVER CANCER 2001",
        "CHOI": "CHOI GIST 2008",
        "PERCIST 1.0": "PERCIST",
    },
    "ONCRTSCD": {
        **dict.fromkeys(("OVRL", "OVERALL", "OVERRESP", "OVR"), "OVRLRESP"),
        **dict.fromkeys(("BOR", "BEST"), "BESTRESP"),
        **dict.fromkeys(("NEWLES", "NEWLESN", "NEWLRESP"), "NEWLPROG"),
    },
    "MEDEVAL": {f"R{n}": f"READER {n}" for n in (1, 2, 3)},
    "EVAL": {"ADJUDICATOR COMMITTEE": "ADJUDICATION COMMITTEE", "BICR": "INDEPENDENT ASSESSOR"},
    "METHOD": {"CT": "CT SCAN", "CECT": "CONTRAST ENHANCED CT SCAN", "MR": "MRI", "MR IMAGING": "MRI"},
    "ONCRSR": {
        "COMPLETE RESPONSE": "CR",
        "PARTIAL RESPONSE": "PR",
        "STABLE DISEASE": "SD",
        "PROGRESSIVE DISEASE": "PD",
        "NOT EVALUABLE": "NE",
        "INEVALUABLE": "NE",
        "NOT APPLICABLE": "NED",
        "NA": "NED",
    },
}


@cache
def _published() -> Mapping[str, Mapping[str, str]]:
    text = files("mrecist.sdtm.checks").joinpath("terms.csv").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {}
    for row in csv.DictReader(text.splitlines()):
        found.setdefault(row["codelist"], {})[row["term"]] = row["name"]
    return found


def nearest(codelist: Codelist, value: str, extended: Iterable[str] = ()) -> str:
    """The term that was most likely meant; empty when none is near."""
    known = {term.casefold(): term for term in (*codelist.terms, *extended)}
    folded = " ".join(value.split())
    if folded.casefold() in known:
        return known[folded.casefold()]
    meant = MEANT.get(codelist.name, {}).get(folded.upper())
    if meant is not None:
        return meant
    by_name = {name.casefold(): term for term, name in codelist.terms.items() if name}
    if folded.casefold() in by_name:
        return by_name[folded.casefold()]
    close = get_close_matches(folded.casefold(), known, n=1, cutoff=0.7)
    return known[close[0]] if close else ""
