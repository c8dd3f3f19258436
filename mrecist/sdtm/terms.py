"""Variable names and controlled terms of TU, TR and RS, in one place for reading and writing.

Sources: SDTMIG 3.4, section 6.3.12; CDISC SDTM Controlled Terminology 2022-09-30, codelists TUTESTCD (C96784), TUIDRS (C123650),
TRTESTCD (C96779), TRPROPRS (C124309), ONCRTSCD (C96782), ONCRSR (C96785), ONCRSCAT (C124298), EVAL (C78735), METHOD (C85492).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from mrecist.model import NewLesion, Response, Role, State
from mrecist.sdtm.codelists import TR_TESTS, TR_TESTS_OF_OURS

# --- variables -------------------------------------------------------------------------------------------------------

SUBJECT = "USUBJID"
VISITNUM, VISIT = "VISITNUM", "VISIT"
REQUIRED = {
    "TU": (SUBJECT, "TULNKID", "TUTESTCD"),
    "TR": (SUBJECT, "TRLNKID", "TRTESTCD"),
    "RS": (SUBJECT, "RSTESTCD"),
}

# --- readers ---------------------------------------------------------------------------------------------------------

INVESTIGATOR = "INVESTIGATOR"


def reader_of(evaluator: str, identifier: str) -> str:
    """The reader that --EVAL and --EVALID name; ``R1`` when both are empty.

    The evaluator's identifier alone names an independent reader; an investigator keeps his role in the name.
    """
    if evaluator == INVESTIGATOR:
        return f"{evaluator} {identifier}".strip()
    return identifier or evaluator or "R1"


# --- TU --------------------------------------------------------------------------------------------------------------

IDENTIFICATION, SPLIT, MERGE = "TUMIDENT", "TUSPLIT", "TUMERGE"
# Tests of TU that state no lesion and are passed over.
INDICATORS = ("TIND", "NTIND", "METIND", "NEWLIND")
ROLES: Mapping[str, Role] = {
    "TARGET": Role.TARGET,
    "NON-TARGET": Role.NON_TARGET,
    "NEW": Role.NEW,
    "TARGET NODAL": Role.TARGET,
    "TARGET EXTRA NODAL": Role.TARGET,
    "NON-MEASURABLE": Role.NON_TARGET,
    "NEW TARGET": Role.NEW,
    "NEW NON-TARGET": Role.NEW,
    "TARGET LESION": Role.TARGET,
    "NON-TARGET LESION": Role.NON_TARGET,
    "NEW LESION": Role.NEW,
}
NODAL = "TARGET NODAL"
NODE_WORD = "LYMPH NODE"

# --- TR --------------------------------------------------------------------------------------------------------------

# Test -> column of a measurement. DIAMETER is whichever axis counts: the longest, and the short one of a node.
LONGEST, PERPENDICULAR, DIAMETER, VIABLE, VOLUME, DENSITY = "LDIAM", "LPERP", "DIAMETER", "VDIAM", "VOLUME", "RADIODEN"
VIABLE_PERPENDICULAR, VIABLE_VOLUME = "VLPERP", "VVOLUME"
SIZES: Mapping[str, str] = {
    LONGEST: "longest_mm",
    PERPENDICULAR: "short_mm",
    VIABLE: "viable_mm",
    VOLUME: "volume_mm3",
    DENSITY: "mean_hu",
    # Extensions of the codelist by this package.
    VIABLE_PERPENDICULAR: "viable_short_mm",
    VIABLE_VOLUME: "viable_volume_mm3",
}
LESION_STATES = ("TUMSTATE", "LNSTATE")
SUMS: Mapping[str, str] = {
    "SUMDIAM": "recist11",
    "SUMLDIAM": "recist11",
    "SUMVDIAM": "mrecist",
    "SUMVOL": "vrecist",
    # Extensions of the codelist by this package.
    "SUMVPPD": "easl",
    "SUMVVOL": "qeasl",
}
# Changes of sums say nothing that the sums do not.
CHANGES = tuple(name for name in (*TR_TESTS, *TR_TESTS_OF_OURS) if name[:4] in ("PCBS", "PCNS", "ACNS"))
UNITS: Mapping[str, Mapping[str, Decimal]] = {
    "mm": {"mm": Decimal(1), "cm": Decimal(10)},
    "mm2": {"mm2": Decimal(1), "cm2": Decimal(100)},
    "mm3": {"mm3": Decimal(1), "cm3": Decimal(1000), "ml": Decimal(1000)},
    "HU": {"hu": Decimal(1), "hounsfield unit": Decimal(1)},
}
UNIT_OF = {
    **dict.fromkeys((LONGEST, PERPENDICULAR, DIAMETER, VIABLE, VIABLE_PERPENDICULAR), "mm"),
    **dict.fromkeys((VOLUME, VIABLE_VOLUME), "mm3"),
    DENSITY: "HU",
}
UNIT_OF |= {**dict.fromkeys(SUMS, "mm"), **dict.fromkeys(("SUMVOL", "SUMVVOL"), "mm3"), "SUMVPPD": "mm2"}

NOT_DONE = "NOT DONE"
TOO_SMALL = ("TOO SMALL TO MEASURE", "TOO SMALL", "TSTM")
NOT_EVALUABLE = ("NOT EVALUABLE", "NE", "NOT ASSESSABLE", "UNEVALUABLE", "INEVALUABLE", "NOT ASSESSED")
MERGED = ("TUMOR MERGED", "MERGED", "COALESCED")
STATES: Mapping[Role, Mapping[str, State]] = {
    Role.TARGET: {
        "PRESENT": State.MEASURED,
        "PATHOLOGICAL": State.MEASURED,
        "NON-PATHOLOGICAL": State.MEASURED,
        "ABSENT": State.ABSENT,
        "ENLARGEMENT FROM NADIR": State.MEASURED,
    },
    Role.NON_TARGET: {
        "PRESENT": State.PRESENT,
        "PATHOLOGICAL": State.PRESENT,
        "ABSENT": State.ABSENT,
        "NON-PATHOLOGICAL": State.ABSENT,
        "UNEQUIVOCAL": State.PROGRESSED,
        "UNEQUIVOCAL PROGRESSION": State.PROGRESSED,
        "PROGRESSIVE DISEASE": State.PROGRESSED,
        "EQUIVOCAL": State.PRESENT,
        "EQUIVOCAL PROGRESSION": State.PRESENT,
        "ENLARGEMENT FROM NADIR": State.PRESENT,
    },
    Role.NEW: {
        "UNEQUIVOCAL": State.UNEQUIVOCAL,
        "EQUIVOCAL": State.EQUIVOCAL,
        "PRESENT": State.UNEQUIVOCAL,
        "PATHOLOGICAL": State.UNEQUIVOCAL,
        "ENLARGEMENT FROM NADIR": State.UNEQUIVOCAL,
        "ABSENT": State.ABSENT,
        "NON-PATHOLOGICAL": State.ABSENT,
    },
}
GROWN = "ENLARGEMENT FROM NADIR"
METHODS: Mapping[str, str] = {
    "CT SCAN": "CT",
    "CONTRAST ENHANCED CT SCAN": "CT",
    "CT SCAN WITHOUT CONTRAST": "CT",
    "MULTI-SLICE SPIRAL CT": "CT",
    "SPIRAL CT": "CT",
    "MRI": "MR",
    "CONTRAST ENHANCED MRI": "MR",
    "MRI WITHOUT CONTRAST": "MR",
    "DYNAMIC CONTRAST ENHANCED MRI": "MR",
}

# --- RS --------------------------------------------------------------------------------------------------------------

OVERALL, TARGET, NON_TARGET, BEST = "OVRLRESP", "TRGRESP", "NTRGRESP", "BESTRESP"
NEW_PROGRESSION, NEW_INDICATOR = "NEWLPROG", "NEWLIND"
RESPONSE_TESTS = (OVERALL, TARGET, NON_TARGET, NEW_PROGRESSION, NEW_INDICATOR, BEST)
NED = "NED"
_WORDS = {
    "COMPLETE RESPONSE": Response.CR,
    "PARTIAL RESPONSE": Response.PR,
    "STABLE DISEASE": Response.SD,
    "PROGRESSIVE DISEASE": Response.PD,
    "NOT EVALUABLE": Response.NE,
    "INEVALUABLE": Response.NE,
    "NOT APPLICABLE": Response.NA,
    "N/A": Response.NA,
    "NON-CR/ NON-PD": Response.NON_CR_NON_PD,
}
RESPONSES: Mapping[str, Response] = {**{r.upper(): r for r in Response if r is not Response.MISSING}, **_WORDS}
NEW_LESION: Mapping[str, NewLesion] = {
    "UNEQUIVOCAL": NewLesion.YES,
    "EQUIVOCAL": NewLesion.EQUIVOCAL,
    "Y": NewLesion.YES,
    "YES": NewLesion.YES,
    "N": NewLesion.NO,
    "NO": NewLesion.NO,
    "ABSENT": NewLesion.NO,
}
NEW_LESION_WORDS: Mapping[NewLesion, str] = {
    NewLesion.YES: "UNEQUIVOCAL",
    NewLesion.EQUIVOCAL: "EQUIVOCAL",
    NewLesion.NO: "N",
}


@lru_cache(maxsize=65_536)
def folded(text: str) -> str:
    """A term as it is compared: capitals, single spaces."""
    return " ".join(text.upper().split())


def same_category(one: str, other: str) -> bool:
    """Whether two names of response criteria (RSCAT) are the same term, whatever their capitals and spaces."""
    return "".join(one.casefold().split()) == "".join(other.casefold().split())
