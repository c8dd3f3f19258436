"""Where a value comes from in our SDTM: SRCDOM, SRCVAR, SRCSEQ (ADaMIG 1.3, 3.3.9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from mrecist.datasets.model import Dataset, Row, Value
from mrecist.exporting.sdtm.readers import Evaluator
from mrecist.exporting.sdtm.responses import Category

NOWHERE: Row = {"SRCDOM": "", "SRCVAR": "", "SRCSEQ": None}
Found = dict[str, Value]


class Records:
    """The records of an SDTM export, found by what they say."""

    def __init__(self, datasets: Sequence[Dataset]) -> None:
        self.rows = {one.name: one.rows for one in datasets}
        self._assessed: dict[tuple[Value, ...], list[Row]] = {}
        for row in self.rows.get("RS", ()):
            key = (row["USUBJID"], row.get("RSEVAL") or "", row.get("RSEVALID") or "", row["RSCAT"])
            self._assessed.setdefault((*key, row.get("RSSCAT") or "", row["RSTESTCD"]), []).append(row)
        self._sums: dict[tuple[Value, ...], Row] = {}
        for row in self.rows.get("TR", ()):
            if not row.get("TRLNKID"):
                self._sums[row["USUBJID"], row.get("TRLNKGRP") or "", row["TRTESTCD"]] = row
        self._people = {row["USUBJID"]: row for row in self.rows.get("DM", ())}
        self._done = {(row["USUBJID"], row["PRSTDTC"], row["PRTRT"]): row for row in reversed(self.rows.get("PR", ()))}
        self._worse = {
            (row["USUBJID"], row["RSDTC"]): row for row in self.rows.get("RS", ()) if row["RSTESTCD"] == "SYMPTDTR"
        }

    def response(self, subject: str, who: Evaluator, category: Category, day: date | None, test: str) -> Found:
        """The response of a reader under a criterion on a day."""
        for row in self._assessed.get((subject, who.role, who.identifier, *category, test), ()):
            if day is not None and row["RSDTC"] == day:
                return {"SRCDOM": "RS", "SRCVAR": "RSSTRESC", "SRCSEQ": row["RSSEQ"]}
        return dict(NOWHERE)

    def total(self, subject: str, group: str, test: str, value: Value) -> Found:
        """The sum of a visit, where TR has it: the assessor's, and of this criterion."""
        row = self._sums.get((subject, group, test))
        if row is None or row.get("TRSTRESN") != value:
            return dict(NOWHERE)
        return {"SRCDOM": "TR", "SRCVAR": "TRSTRESN", "SRCSEQ": row["TRSEQ"]}

    def person(self, subject: str, variable: str, day: date | None) -> Found:
        """A date of DM, which has one record a subject and so no sequence number."""
        row = self._people.get(subject, {})
        if day is None or row.get(variable) != day:
            return dict(NOWHERE)
        return {"SRCDOM": "DM", "SRCVAR": variable, "SRCSEQ": None}

    def procedure(self, subject: str, name: str, day: date) -> Found:
        """A procedure of a day."""
        row = self._done.get((subject, day, name))
        return dict(NOWHERE) if row is None else {"SRCDOM": "PR", "SRCVAR": "PRSTDTC", "SRCSEQ": row["PRSEQ"]}

    def symptomatic(self, subject: str, day: date) -> Found:
        """Symptomatic deterioration of a day, as the investigator documented it."""
        row = self._worse.get((subject, day))
        return dict(NOWHERE) if row is None else {"SRCDOM": "RS", "SRCVAR": "RSDTC", "SRCSEQ": row["RSSEQ"]}
