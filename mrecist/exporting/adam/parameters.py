"""The parameters: PARAMCD, PARAM, PARCAT1, and the numbers that stand for words.

PARAMCD and their meaning: admiralonco 1.4.0, vignettes "Creating ADRS", "Creating ADRS with iRECIST endpoints", "Creating ADTR",
"Creating ADTTE". What is ours and not theirs is said in docs/adam.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from mrecist.exporting.sdtm.readers import Evaluator
from mrecist.exporting.sdtm.responses import Category
from mrecist.protocol import Endpoint
from mrecist.sdtm.codelists import INVESTIGATOR

MOST_CODE, MOST_TEXT = 8, 200
TARGETS, RESPONSE, REFERENCE, ENDPOINT = "Target Lesion(s)", "Tumor Response", "Reference Event", "Protocol Endpoint"
YES_NO = {"Y": 1, "N": 0}
RECIST_CODES = {"CR": 1, "PR": 2, "SD": 3, "NON-CR/NON-PD": 4, "PD": 5, "NE": 6, "MISSING": 7}
IRECIST_CODES = {
    "iCPD": 1,
    "iUPD": 2,
    "NON-iCR/NON-iUPD": 3,
    "iSD": 4,
    "iPR": 5,
    "iCR": 6,
    "MISSING": 7,
    "NE": 8,
}
LESION_TESTS = {
    "LDIAM": ("LDIAM", "Analysis Diameter"),
    "LPERP": ("NLDIAM", "Analysis Perpendicular"),
    "VDIAM": ("VDIAM", "Viable Diameter"),
    "VLPERP": ("VPERP", "Viable Perpendicular"),
    "VOLUME": ("VOL", "Volume"),
    "VVOLUME": ("VVOL", "Viable Volume"),
    "RADIODEN": ("DENS", "Radiodensity"),
}
"""TRTESTCD -> the letters before the number of the lesion, and what PARAM says of it."""
SUMS = {
    "SUMDIAM": ("SDIAM", "Target Lesions Sum of Diameters"),
    "SUMLDIAM": ("SDIAM", "Target Lesions Sum of Diameters"),
    "SUMVDIAM": ("SVDIAM", "Target Lesions Sum of Viable Diameters"),
    "SUMVPPD": ("SVPPD", "Target Lesions Sum of Viable Diameter Products"),
    "SUMVVOL": ("SVVOL", "Target Lesions Sum of Viable Volumes"),
    "SUMVOL": ("SVOL", "Target Lesions Sum of Volumes"),
}
"""TRTESTCD of the sum -> PARAMCD, PARAM."""
RECIST = {
    "OVR": "Overall Response",
    "PD": "Disease Progression",
    "RSP": "Response (Confirmation Not Required)",
    "CB": "Clinical Benefit (Confirmation Not Required)",
    "BOR": "Best Overall Response (Confirmation Not Required)",
    "BCP": "Best Overall Response of CR/PR (Confirmation Not Required)",
    "CRSP": "Confirmed Response",
    "CCB": "Confirmed Clinical Benefit",
    "CBOR": "Best Confirmed Overall Response",
    "CBCP": "Best Confirmed Overall Response of CR/PR",
    "LSTA": "Last Disease Assessment",
    "MDIS": "Measurable Disease at Baseline",
    "LIVOVR": "Overall Response in the Liver",
    "EHOVR": "Overall Response outside the Liver",
}
IRECIST = {
    "IOVR": "iRECIST Overall Response",
    "ICPD": "iRECIST Confirmed Disease Progression",
    "IUPD": "iRECIST Unconfirmed Disease Progression",
    "IRSP": "iRECIST Response (Confirmation Not Required)",
    "ICB": "iRECIST Clinical Benefit (Confirmation Not Required)",
    "IBOR": "iRECIST Best Overall Response (Confirmation Not Required)",
    "IBCP": "iRECIST Best Overall Response of CR/PR (Confirmation Not Required)",
    "ICRSP": "iRECIST Confirmed Response",
    "ICCB": "iRECIST Confirmed Clinical Benefit",
    "ICBOR": "iRECIST Best Confirmed Overall Response",
    "ICBCP": "iRECIST Best Confirmed Overall Response of CR/PR",
    "ILSTA": "iRECIST Last Disease Assessment",
    "IMDIS": "iRECIST Measurable Disease at Baseline",
    "ILIVOVR": "iRECIST Overall Response in the Liver",
    "IEHOVR": "iRECIST Overall Response outside the Liver",
}
DEATH = {"DEATH": "Death"}
STANDARD = {**RECIST, **IRECIST, **DEATH}
IMMUNE_OF = {name: f"I{name}" for name in RECIST if name != "PD"}
"""The parameter of iRECIST in place of that of RECIST; progression has two."""


_RESPONDED, _BENEFIT = {"CR", "PR"}, {"CR", "PR", "SD", "NON-CR/NON-PD"}
_IMMUNE_RESPONDED, _IMMUNE_BENEFIT = {"iCR", "iPR"}, {"iCR", "iPR", "iSD", "NON-iCR/NON-iUPD"}
_MEANING: Mapping[str, tuple[set[str], bool]] = {
    "RSP": (_RESPONDED, False),
    "BCP": (_RESPONDED, False),
    "CB": (_BENEFIT, False),
    "CRSP": (_RESPONDED, True),
    "CBCP": (_RESPONDED, True),
    "CCB": (_BENEFIT, True),
    "IRSP": (_IMMUNE_RESPONDED, False),
    "IBCP": (_IMMUNE_RESPONDED, False),
    "ICB": (_IMMUNE_BENEFIT, False),
    "ICRSP": (_IMMUNE_RESPONDED, True),
    "ICBCP": (_IMMUNE_RESPONDED, True),
    "ICCB": (_IMMUNE_BENEFIT, True),
}


def is_standard(endpoint: Endpoint, *, confirmed: bool) -> bool:
    """Whether a proportion is the standard parameter that its ``paramcd`` names: the same responses, confirmed or not, of all lesions."""
    meant = _MEANING.get(endpoint.paramcd)
    whole = not endpoint.region and not endpoint.at_months
    return meant is not None and whole and meant == (set(endpoint.success), confirmed)


CENTRAL_REVIEW, INVESTIGATORS = "Central Review", "Investigator"
"""PARCAT2 of the central read of each subject that counts, whoever's it is, and of what investigators read."""


def reader_name(who: Evaluator) -> str:
    """PARCAT2: Investigator, Reader 1, Radiologist 2; the adjudicator's word is that of the blinded review (BICR)."""
    if who.role == INVESTIGATOR:
        return INVESTIGATORS
    return who.identifier.capitalize().replace("Adjudicator", "BICR")


def criterion_name(category: Category) -> str:
    """PARCAT3: RSCAT, with RSSCAT behind it where there is one."""
    return "; ".join(filter(None, category))


def lesion_name(link: str) -> str:
    """A lesion in PARAM: ``R1-T04`` is lesion 4, its fragment ``R1-T04.2`` lesion 4B."""
    number, *parts = link.rpartition("-")[2].lstrip("TNEW").split(".")
    return f"{int(number)}{''.join(_letter(int(one)) for one in parts)}"


def lesion_code(letters: str, name: str) -> str:
    """PARAMCD of a size of a lesion; the letters give way where eight characters do not hold them."""
    return f"{letters[: MOST_CODE - len(name)]}{name}"


def _letter(number: int) -> str:
    return chr(ord("A") + number - 1) if number <= 26 else f"Z{number}"


def endpoint_codes(endpoints: Iterable[Endpoint], taken: Iterable[str]) -> dict[str, str]:
    """Endpoint -> PARAMCD: its ``paramcd``, else its id, in capitals and eight characters; a number where one is taken."""
    found: dict[str, str] = {}
    used = set(taken)
    endpoints = list(endpoints)
    for one in sorted(endpoints, key=lambda e: not e.paramcd):
        wanted = (
            re.sub(r"[^A-Z0-9]", "", (one.paramcd or one.id).upper()).lstrip("0123456789")[:MOST_CODE] or "ENDPOINT"
        )
        name, number = wanted, 2
        while name in used:
            name, number = f"{wanted[: MOST_CODE - len(str(number))]}{number}", number + 1
        used.add(name)
        found[one.id] = name
    return {one.id: found[one.id] for one in endpoints}


def endpoint_titles(endpoints: Iterable[Endpoint]) -> dict[str, str]:
    """Endpoint -> PARAM: its title, with the id behind it where another parameter is called so; without a title the id."""
    endpoints = list(endpoints)
    titles = [*STANDARD.values(), *(one.title for one in endpoints)]
    found: dict[str, str] = {}
    for one in endpoints:
        alone = bool(one.title) and titles.count(one.title) == 1
        name = one.id if not one.title else one.title if alone else f"{one.title} ({one.id})"
        found[one.id] = name[:MOST_TEXT]
    return found
