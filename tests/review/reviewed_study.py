"""A small study that was read: readers A and B, adjudicators C and D, an investigator I.

Sizes in mm of one target, and what RECIST 1.1 makes of them (PR from -30 %, PD from +20 % and +5 mm over the smallest sum):

=======  ==============  ===============  =====================================================================
subject  A               B                differ in
=======  ==============  ===============  =====================================================================
AGREE    50, 30, 28      50, 31, 27       nothing: PR at both visits (-38 % is the least)
SPLIT    50, 30, 45      50, 40, 41       best response (PR; SD), progression at visit 2 (45 is +50 % of 30)
VISIT    50, 30, 20      50, 40, 30       visit 1 alone (-40 %: PR; -20 %: SD); both PR in the end, no progression
=======  ==============  ===============  =====================================================================

ALONE has one central reader, and LATE is not read yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from mrecist.model import Measurement, Role, State
from mrecist.protocol import FORMAT, protocol_of_text
from mrecist.review.accepting import accepted
from mrecist.review.adjudication import send_to_adjudicators
from mrecist.review.reviewed import Asked, Case, Reviewed, reviewed
from mrecist.store.assigning import assign
from mrecist.store.locking import lock
from mrecist.store.people import begin
from mrecist.store.signing import sign
from mrecist.store.store import Store, new_store
from mrecist.store.submitting import Submission, amend, submit
from mrecist.tables.accepted import AcceptedRead

DAYS = (date(2024, 1, 8), date(2024, 3, 4), date(2024, 4, 29))
SIZES = {
    "AGREE": {"A": (50, 30, 28), "B": (50, 31, 27), "I": (50, 48, 47)},
    "SPLIT": {"A": (50, 30, 45), "B": (50, 40, 41)},
    "VISIT": {"A": (50, 30, 20), "B": (50, 40, 30)},
}
VISITS = dict(enumerate(DAYS))
PEOPLE = {"reader": ("A", "B"), "adjudicator": ("C", "D"), "investigator": ("I",), "auditor": ("Q",)}
PROTOCOL = f"""format = "{FORMAT}"
[criteria.recist11]
[readers]
plan = "two_plus_adjudicator"
adjudicate_on = ["best_response", "progression_date"]
"""
ASKED = Asked()


@dataclass(frozen=True)
class Study:
    store: Store
    folder: Path

    def given(self, subject: str, reader: str, timepoint: int, mm: int) -> Submission:
        row = Measurement(
            subject=subject,
            timepoint=timepoint,
            reader=reader,
            date=None,
            lesion="T01",
            role=Role.TARGET,
            state=State.MEASURED,
            organ="liver",
            longest_mm=Decimal(mm),
        )
        return Submission(subject=subject, reader=reader, timepoint=timepoint, rows=[row], source="test")

    def read(self, subject: str, reader: str, sizes: Sequence[int]) -> None:
        """Read every visit and sign the subject."""
        for timepoint, mm in enumerate(sizes):
            submit(self.store, self.given(subject, reader, timepoint, mm))
            lock(self.store, subject, reader, timepoint)
        sign(self.store, subject, reader, f"Dr {reader}", "")

    def amend(self, subject: str, reader: str, timepoint: int, mm: int) -> None:
        amend(self.store, self.given(subject, reader, timepoint, mm), "global review")
        sign(self.store, subject, reader, f"Dr {reader}", "review completed")

    def send(self, asked: Asked = ASKED, seed: str = "9") -> Reviewed:
        """Send the discordant cases to adjudicators."""
        return send_to_adjudicators(self.store, asked, seed, "boss")[0]

    def case(self, subject: str = "SPLIT") -> Case:
        return reviewed(self.store, ASKED).cases[subject]

    def accepted(self, subject: str, asked: Asked = ASKED) -> list[AcceptedRead]:
        """What is accepted of a subject, or why it is open: central first."""
        rows = accepted(reviewed(self.store, asked))
        return sorted((one for one in rows if one.subject == subject), key=lambda one: one.track)

    def one(self, subject: str) -> AcceptedRead:
        (found,) = self.accepted(subject)
        assert not found.is_open
        return found

    def why(self, subject: str, asked: Asked = ASKED) -> str:
        (found,) = self.accepted(subject, asked)
        assert found.is_open
        return found.reason


def written(folder: Path) -> None:
    """The store, in the folder of a study. A and B read the three cases."""
    with new_store(str(folder)) as store:
        study = Study(store, folder)
        begin(store, protocol_of_text(PROTOCOL, where="test"), PEOPLE, "boss")
        two = {**dict.fromkeys(SIZES, VISITS), "LATE": VISITS}
        assign(store, two, "7", "boss", pseudonyms=True, investigators={"AGREE": "I"})
        assign(store, {"ALONE": VISITS}, "7", "boss", pseudonyms=True, per_case=1)
        for subject, reads in SIZES.items():
            for reader, sizes in reads.items():
                study.read(subject, reader, sizes)
