"""What TU, TR and PR have no variable for: qualifiers of SUPPTU, SUPPTR and SUPPPR, and what of a record is too long for a variable."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mrecist.datasets.guard import MOST_BYTES
from mrecist.datasets.model import Dataset, Row, Variable, text_of
from mrecist.errors import InputError

COLLECTED, ASSIGNED, DERIVED = "Collected", "Assigned", "Derived"


@dataclass(frozen=True, slots=True)
class Qualifier:
    """A qualifier with its label (40 characters at most) and its origin."""

    qnam: str
    label: str
    origin: str = COLLECTED


QUALIFIERS: tuple[Qualifier, ...] = (
    Qualifier("TULOCDTL", "Location Detail"),
    Qualifier("TUTRKUID", "Tracking Unique Identifier", ASSIGNED),
    Qualifier("TUPRVIR", "Previously Irradiated"),
    Qualifier("TUPRVIRP", "Prev. Irradiated, Progressed Since"),
    Qualifier("TUPRVTRT", "Previous Local Treatment"),
    Qualifier("TUPRVTRP", "Previously Treated, Progressed Since"),
    Qualifier("TUIMGBL", "Region Imaged at Baseline"),
    Qualifier("TUBASIS", "Diameter Followed"),
    Qualifier("TRSERUID", "Series Instance UID", ASSIGNED),
    Qualifier("TRSEGUID", "Segmentation SOP Instance UID", ASSIGNED),
    Qualifier("TRPHASE", "Contrast Phase"),
    Qualifier("TRREASNE", "Reason Not Evaluable"),
    Qualifier("TRVFOCI", "Viable Foci in mm"),
    Qualifier("TRMANUAL", "Size Set by Hand"),
    Qualifier("TRPATTRN", "Enhancement Pattern"),
    Qualifier("TRCHANGE", "Change Since Previous Visit"),
    Qualifier("TRINTNOD", "Intratumoral Nodule"),
    Qualifier("TRCYTOL", "Cytology of the Effusion"),
    Qualifier("TRLOCTRT", "Local Treatment Since Previous Visit"),
    Qualifier("TRLIPIOD", "Lipiodol in the Lesion"),
    Qualifier("TRLIRADS", "LI-RADS Treatment Response"),
    Qualifier("TRLIRVER", "LI-RADS Version"),
    Qualifier("TRCOMNT", "Comment of the Reader"),
    Qualifier("PROUTCOM", "Outcome of the Procedure"),
    Qualifier("PRCLAVD", "Clavien-Dindo Grade, Worst"),
    Qualifier("PRCLAVDT", "Date of the Worst Complication"),
)
_BY_NAME = {one.qnam: one for one in QUALIFIERS}
VARIABLES: tuple[Variable, ...] = (
    Variable(name="STUDYID", label="Study Identifier", origin="Protocol", role="Identifier", core="Req"),
    Variable(name="RDOMAIN", label="Related Domain Abbreviation", origin=ASSIGNED, role="Identifier", core="Req"),
    Variable(name="USUBJID", label="Unique Subject Identifier", origin=DERIVED, role="Identifier", core="Req"),
    Variable(name="IDVAR", label="Identifying Variable", origin=ASSIGNED, role="Identifier", core="Exp"),
    Variable(name="IDVARVAL", label="Identifying Variable Value", origin=ASSIGNED, role="Identifier", core="Exp"),
    Variable(name="QNAM", label="Qualifier Variable Name", origin=ASSIGNED, role="Topic", core="Req"),
    Variable(name="QLABEL", label="Qualifier Variable Label", origin=ASSIGNED, role="Synonym Qualifier", core="Req"),
    Variable(name="QVAL", label="Data Value", origin=COLLECTED, role="Result Qualifier", core="Req"),
    Variable(name="QORIG", label="Origin", origin=ASSIGNED, role="Record Qualifier", core="Req"),
    Variable(name="QEVAL", label="Evaluator", codelist="C78735", origin=ASSIGNED, role="Record Qualifier", core="Exp"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record of a domain before it has its sequence number, with its qualifiers by our QNAM."""

    values: Row
    qualifiers: Mapping[str, str]


def pieces(text: str) -> list[str]:
    """A text in pieces that a variable of SAS XPT version 5 holds, cut at spaces (SDTMIG 3.4, 4.5.3)."""
    if len(text.encode("utf-8")) <= MOST_BYTES:
        return [text]
    return textwrap.wrap(text, MOST_BYTES, break_on_hyphens=False, drop_whitespace=True)


def numbered(domain: str, records: Iterable[Record], long: Sequence[str]) -> list[Record]:
    """The records with --SEQ, from 1 for each subject; what is too long for the variables ``long`` goes on as qualifiers."""
    counts: dict[str, int] = {}
    done: list[Record] = []
    for record in records:
        subject = text_of(record.values["USUBJID"])
        counts[subject] = counts.get(subject, 0) + 1
        values = {**record.values, f"{domain}SEQ": counts[subject]}
        more = dict(record.qualifiers)
        for name in long:
            first, *rest = pieces(text_of(values.get(name)))
            if rest:
                values[name] = first
                more |= {f"{name[:7]}{n}": piece for n, piece in enumerate(rest, start=1)}
        done.append(Record(values=values, qualifiers=more))
    return done


def supplement(
    domain: str, label: str, records: Sequence[Record], names: Mapping[str, str], labels: Mapping[str, str]
) -> Dataset:
    """SUPP-- of the records of a domain.

    Parameters
    ----------
    names : our QNAM -> the QNAM to write.
    labels : variable of the domain -> its label, for what goes on from it.
    """
    rows = tuple(row for record in records for row in _rows(domain, record, names, labels))
    return Dataset(
        name=f"SUPP{domain}",
        label=label,
        variables=VARIABLES,
        rows=rows,
        keys=("STUDYID", "RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM"),
        structure="One record per supplemental qualifier per related parent domain record",
        kind="RELATIONSHIP",
    )


def _rows(domain: str, record: Record, names: Mapping[str, str], labels: Mapping[str, str]) -> Iterator[Row]:
    values = record.values
    for qnam, text in record.qualifiers.items():
        known = _BY_NAME.get(qnam)
        label = known.label if known is not None else _label_of(qnam, labels)
        first, *rest = pieces(text)
        name = names.get(qnam, qnam)
        if rest and len(rest) > 9:
            raise InputError(f"{domain} of {values['USUBJID']}: {qnam} has {len(text)} characters; shorten it")
        for number, piece in enumerate([first, *rest]):
            yield {
                "STUDYID": values["STUDYID"],
                "RDOMAIN": domain,
                "USUBJID": values["USUBJID"],
                "IDVAR": f"{domain}SEQ",
                "IDVARVAL": text_of(values[f"{domain}SEQ"]),
                "QNAM": f"{name[:7]}{number}" if number else name,
                "QLABEL": label,
                "QVAL": piece,
                "QORIG": known.origin if known is not None else COLLECTED,
                "QEVAL": text_of(values.get(f"{domain}EVAL")),
            }


def _label_of(qnam: str, labels: Mapping[str, str]) -> str:
    return next(label for name, label in labels.items() if qnam[:-1] == name[:7])
