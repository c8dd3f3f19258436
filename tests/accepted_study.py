"""A study that was reviewed twice: by R1, R2 and an adjudicator centrally, and by the investigator of each site.

One target a subject, its viable part as long as the lesion, so that both criteria see the same sizes. Responses by hand from Eisenhauer
2009, 4.3.1, and Lencioni and Llovet 2010 (PR -30 %; PD +20 % and 5 mm from the smallest sum):

====  ==========================  =======================================================================
S1    R1 50 30 30, R2 48 28 28    both PR on 1 March; Dr.A 50 45 44: SD
S2    R1 50 62 70, R2 50 50 50    R1: +24 %, PD on 1 March; R2: SD; Dr.A 50 48 47: SD
S3    R1 50 62 70, R2 50 50 50    as S2 and not adjudicated; Dr.B 50 50 64: +28 %, PD on 1 May
S4    R1 50 30 30, R2 50 45 45    PR and SD; ADJ read it again, 50 33 33: -34 %, PR on 1 March; no investigator
S5    nobody                      never assessed
====  ==========================  =======================================================================
"""

from __future__ import annotations

import csv
from pathlib import Path

from mrecist.cli import main

DAYS = ("2024-01-02", "2024-03-01", "2024-05-01")
READS = {
    ("S1", "R1"): (50, 30, 30),
    ("S1", "R2"): (48, 28, 28),
    ("S1", "Dr.A"): (50, 45, 44),
    ("S2", "R1"): (50, 62, 70),
    ("S2", "R2"): (50, 50, 50),
    ("S2", "Dr.A"): (50, 48, 47),
    ("S3", "R1"): (50, 62, 70),
    ("S3", "R2"): (50, 50, 50),
    ("S3", "Dr.B"): (50, 50, 64),
    ("S4", "R1"): (50, 30, 30),
    ("S4", "R2"): (50, 45, 45),
    ("S4", "ADJ"): (50, 33, 33),
}
# Of S2 the adjudicator picked another reader by each criterion; S3 is open.
CENTRAL = (
    "S1,mrecist,central,R1,agreed",
    "S1,recist11,central,R1,agreed",
    "S2,mrecist,central,R2,picked",
    "S2,recist11,central,R1,picked",
    "S4,mrecist,central,ADJ,reread",
    "S4,recist11,central,ADJ,reread",
)
INVESTIGATORS = (
    "S1,mrecist,investigator,Dr.A,only",
    "S2,mrecist,investigator,Dr.A,only",
    "S3,mrecist,investigator,Dr.B,only",
)
HEAD = """format = "mrecist-protocol/1"
[study]
id = "T1"
[criteria.mrecist]
[criteria.recist11]
[origin]
event = "randomisation"
"""


def accepted(*rows: str) -> str:
    """accepted.csv with these rows."""
    return "\n".join(["subject,criterion,track,reader,accepted_as", *rows]) + "\n"


def pfs(name: str, reader: str, criterion: str = "mrecist") -> str:
    """An endpoint from randomisation on 5 January to progression."""
    return (
        f'[[endpoint]]\nid = "{name}"\nkind = "time"\ncriterion = "{criterion}"\nreader = "{reader}"\n'
        'events = ["pd", "death"]\ncensor = [{ when = "no_event", cnsr = 1, at = "last_assessment" }]\n'
    )


def orr(name: str, reader: str) -> str:
    """The share of responders by mRECIST, unconfirmed."""
    return (
        f'[[endpoint]]\nid = "{name}"\nkind = "proportion"\ncriterion = "mrecist"\nreader = "{reader}"\n'
        'success = ["CR", "PR"]\nconfirmed = false\n'
    )


def rows(path: Path) -> list[dict[str, str]]:
    """A table that was written."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Study:
    """The study in a folder, as a user has it."""

    def __init__(self, folder: Path, protocol: str = "", without: tuple[tuple[str, str], ...] = ()) -> None:
        self.folder, self.results = folder, folder / "results"
        self.protocol(protocol)
        lines = ["subject,reader,timepoint,date,lesion,role,state,organ,longest_mm,viable_mm,comment"]
        for (subject, reader), sizes in READS.items():
            if (subject, reader) not in without:
                cells = (f"{n},{DAYS[n]},T01,target,measured,liver,{mm},{mm}," for n, mm in enumerate(sizes))
                lines += [f"{subject},{reader},{text}" for text in cells]
        self.write("measurements.csv", "\n".join(lines) + "\n")
        people = [f"S{n},{'AB'[n % 2]},2024-01-05,2024-06-01" for n in range(1, 6)]
        self.write("subjects.csv", "\n".join(["subject,arm,randomisation,last_alive", *people]) + "\n")

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def protocol(self, more: str) -> None:
        """The protocol, with endpoints or settings behind its head."""
        self.write("protocol.toml", HEAD + more)

    def run(self, *words: str, subjects: bool = True) -> int:
        """A command with the protocol and the subjects of the study."""
        more = ["--subjects", str(self.folder / "subjects.csv")] if subjects else []
        return main([*words, "--protocol", str(self.folder / "protocol.toml"), *more])

    def assess(self, *lines: str, options: tuple[str, ...] = ()) -> int:
        """Assess, with these rows of accepted.csv."""
        more = ["--accepted", str(self.write("accepted.csv", accepted(*lines)))] if lines else []
        table = str(self.folder / "measurements.csv")
        return self.run("assess", table, *more, *options, "--out", str(self.results))

    def endpoints(self) -> int:
        """Endpoints of the results."""
        return self.run("endpoints", str(self.results), "--no-figures", "--out", str(self.folder / "endpoints"))

    def table(self, name: str) -> list[dict[str, str]]:
        """A table of the endpoints."""
        return rows(self.folder / "endpoints" / f"{name}.csv")
