"""``standard = "protocol"``: a study's own thresholds in the rule tables of RECIST 1.1 (longest) or of mRECIST (viable).

No publication stands behind the numbers; every rule still names the one whose table it is of.
"""

from __future__ import annotations

from dataclasses import replace

from mrecist.criteria import mrecist, recist11
from mrecist.criteria._rule import Criterion

# The term of CDISC's RSCAT codelist for rules of a protocol, and for criteria that the codelist does not name.
PROTOCOL_DEFINED = "PROTOCOL DEFINED RESPONSE CRITERIA"
# ``measure`` -> the criterion with the defaults that hold where the study says nothing.
STUDY_RULES: dict[str, Criterion] = {
    one.measure: replace(
        one,
        name="protocol",
        title=f"Rules of the study in the tables of {one.title}",
        source=f"the study's protocol; what it does not state as in {one.source}",
        rscat=(PROTOCOL_DEFINED,),
    )
    for one in (recist11.CRITERION, mrecist.CRITERION)
}
