"""RS to reported responses, in the words of this package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mrecist.criteria.irecist import IMMUNE
from mrecist.model import NewLesion, Response
from mrecist.protocol import CriterionSetting
from mrecist.sdtm import terms
from mrecist.sdtm.datasets import Record
from mrecist.sdtm.read import reader_in

NEW_LESION_TESTS = (terms.NEW_PROGRESSION, terms.NEW_INDICATOR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One RS record that is compared. ``value`` is None when nothing was reported or it is not understood (``fault``)."""

    subject: str
    reader: str
    rscat: str
    test: str
    text: str
    value: Response | NewLesion | None
    record: Record
    fault: str = ""
    flags: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """No response was given: empty, or NOT DONE."""
        return self.value is None and not self.fault and self.text != terms.NED


def reported_in(records: Iterable[Record], only_criterion: str) -> tuple[list[Reported], dict[str, int]]:
    """The records of compared tests, and how often each other test stands there.

    ``only_criterion`` is the RSCAT of records that name none.
    """
    found: list[Reported] = []
    others: dict[str, int] = {}
    for record in records:
        test = record.term("RSTESTCD")
        if test in terms.RESPONSE_TESTS:
            found.append(_reported(record, test, only_criterion))
        else:
            others[test] = others.get(test, 0) + 1
    return found, others


def _reported(record: Record, test: str, only_criterion: str) -> Reported:
    text = record["RSSTRESC"] or record["RSORRES"]
    done = record.term("RSSTAT") != terms.NOT_DONE
    value, fault = (None, "") if not text or not done else _value(text, test)
    flags = []
    other = record["RSORRES"]
    if value is not None and other and _value(other, test)[0] not in (None, value):
        flags.append(f"ORIGINAL_DIFFERS:{other}")
    if record.term("RSACPTFL") == "Y":
        flags.append("ACCEPTED")
    return Reported(
        subject=record[terms.SUBJECT],
        reader=reader_in(record, "RS"),
        rscat=record["RSCAT"] or only_criterion,
        test=test,
        text=terms.folded(text) if terms.folded(text) == terms.NED else text if done else terms.NOT_DONE,
        value=value,
        record=record,
        fault=fault,
        flags=tuple(flags),
    )


def _value(text: str, test: str) -> tuple[Response | NewLesion | None, str]:
    word = terms.folded(text)
    if test in NEW_LESION_TESTS:
        if word in terms.NEW_LESION:
            return terms.NEW_LESION[word], ""
        return None, f"'{text}' is not understood for {test}; it is one of: {', '.join(terms.NEW_LESION)}"
    if word == terms.NED:
        return None, ""
    if word in terms.RESPONSES:
        return terms.RESPONSES[word], ""
    return None, f"'{text}' is no response category"


def settings_of(rscat: str, settings: Sequence[CriterionSetting]) -> tuple[CriterionSetting, ...]:
    """The criteria that are reported under this RSCAT."""
    return tuple(s for s in settings if any(terms.same_category(rscat, name) for name in s.rscats))


def same(reported: Reported, derived: object) -> bool:
    """Whether the reported value is the derived one; RECIST words in iRECIST, and NOT DONE for NE, are the same."""
    value = reported.value
    if value is None:
        return reported.nothing and derived is Response.NE
    return value == derived or (isinstance(value, Response) and IMMUNE.get(value) is derived)


def agree(reported: Reported, derived: object) -> bool:
    """Whether a reported response contradicts nothing (docs/sdtm.md lists what counts as the same)."""
    if same(reported, derived):
        return True
    if reported.test in NEW_LESION_TESTS:
        indicates = reported.test == terms.NEW_INDICATOR and derived is NewLesion.EQUIVOCAL
        return (reported.nothing and derived is NewLesion.NO) or (indicates and reported.value is not None)
    if derived is Response.NA:
        return reported.text == terms.NED or reported.nothing or reported.value is Response.NE
    return False
