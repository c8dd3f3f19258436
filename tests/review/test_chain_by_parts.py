"""From a store with a pool of readers to endpoints and exports, with readers called by their part in each case.

Sizes in mm of one target. Of 8 January, 4 March and 29 April 2024; RECIST 1.1 by hand (PR from -30 %, PD from +20 % and +5 mm over the
smallest sum):

=======  ==============  ==============  ===============================================================================
subject  reader 1        reader 2        what counts
=======  ==============  ==============  ===============================================================================
AGREE    50, 30, 28      50, 31, 27      both PR: reader 1; the investigator's 50, 48, 47 is SD
SPLIT    50, 30, 45      50, 40, 41      reader 2 is picked: -20 %, SD, no progression
AGAIN    50, 62, 70      50, 50, 50      read anew by the adjudicator, 50, 48, 47: SD
OPEN     50, 62, 70      50, 50, 50      PD at once, or SD: nobody has picked yet
UNREAD   nothing         nothing         assigned, and its investigator has not read it either
NEVER    not assigned    not assigned    never assessed
=======  ==============  ==============  ===============================================================================
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from reviewed_study import PROTOCOL, VISITS, Study

from mrecist.cli import main
from mrecist.protocol import protocol_of_text
from mrecist.review.adjudication import pick_read, send_to_adjudicators
from mrecist.review.reviewed import Asked, reviewed
from mrecist.store.assigning import assign, central_readers, reassign
from mrecist.store.people import begin
from mrecist.store.store import new_store, open_store

SIZES = {
    "AGREE": ((50, 30, 28), (50, 31, 27)),
    "SPLIT": ((50, 30, 45), (50, 40, 41)),
    "AGAIN": ((50, 62, 70), (50, 50, 50)),
    "OPEN": ((50, 62, 70), (50, 50, 50)),
}
ENDPOINTS = """[study]
id = "T1"
[origin]
event = "randomisation"
"""
for name, reader in (("PFS", "accepted"), ("PFSINV", "investigator"), ("PFS1", "reader 1")):
    ENDPOINTS += f'[[endpoint]]\nid = "{name}"\nkind = "time"\nreader = "{reader}"\nevents = ["pd", "death"]\n'
    ENDPOINTS += 'censor = [{ when = "no_event", cnsr = 1, at = "last_assessment" }]\n'
ENDPOINTS += (
    '[[endpoint]]\nid = "ORR"\nkind = "proportion"\nreader = "accepted"\nsuccess = ["CR", "PR"]\nconfirmed = false\n'
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class Chain:
    """A folder with the store, and what the commands write beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.results = folder, folder / "results"
        people = "".join(f"{name},A,2024-01-08,2024-06-01\n" for name in (*SIZES, "UNREAD", "NEVER"))
        (folder / "subjects.csv").write_text(f"subject,arm,randomisation,last_alive\n{people}", encoding="utf-8")
        (folder / "protocol.toml").write_text(PROTOCOL + ENDPOINTS, encoding="utf-8")

    def of_store(self, step: str, *words: str, to: str, parts: bool = True) -> int:
        more = ["--as-parts"] if parts else []
        if step == "accepted":
            more += ["--subjects", str(self.folder / "subjects.csv")]
        return main(["reads", step, str(self.folder), "--out", str(self.folder / to), *more, *words])

    def run(self, *words: str, table: Path | None = None) -> int:
        dates = ("--subjects", str(self.folder / "subjects.csv"))
        return main([*words, *(() if table is None else (str(table),)), *dates])

    def assess(self, accepted: str = "accepted.csv") -> int:
        given = ("--protocol", str(self.folder / "protocol.toml"), "--accepted", str(self.folder / accepted))
        return self.run("assess", str(self.folder / "rows.csv"), *given, "--out", str(self.results))


def written(folder: Path) -> Chain:
    """The store: three readers who are reader 1 of one case and reader 2 of another, C, D who adjudicate, I and J of the sites."""
    chain = Chain(folder)
    people = {"reader": ("A", "B", "E"), "adjudicator": ("C", "D"), "investigator": ("I", "J")}
    with new_store(str(folder)) as store:
        study = Study(store, folder)
        begin(store, protocol_of_text(PROTOCOL + ENDPOINTS, where="test"), people, "boss")
        cases = dict.fromkeys((*SIZES, "UNREAD"), VISITS)
        assign(store, cases, "7", "boss", pseudonyms=True, investigators={"AGREE": "I", "UNREAD": "J"})
        for subject, (first, second) in SIZES.items():
            with store.reading() as read:
                readers = central_readers(read, subject)
            study.read(subject, readers["reader 1"], first)
            study.read(subject, readers["reader 2"], second)
        study.read("AGREE", "I", (50, 48, 47))
        asked = Asked(subjects=folder / "subjects.csv")
        send_to_adjudicators(store, asked, "9", "boss")
        found = reviewed(store, asked).cases
        study.read("AGAIN", found["AGAIN"].adjudicator, (50, 48, 47))
        for subject, picked in (("SPLIT", "reader 2"), ("AGAIN", "own")):
            by = found[subject].adjudicator
            pick_read(store, subject, by=by, read=picked, reason="closer to the images", asked=asked)
    return chain


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """For tests that only add files: the rows, accepted.csv and the results, with readers by their part."""
    made = written(tmp_path_factory.mktemp("chain"))
    assert made.of_store("rows", to="rows.csv") == 1  # UNREAD is not signed
    assert made.of_store("accepted", to="accepted.csv") == 1
    assert made.assess() == 1
    return made


def test_the_pool_is_mixed_and_the_rows_say_the_part(chain: Chain) -> None:
    with open_store(str(chain.folder)) as store, store.reading() as read:
        parts = [central_readers(read, subject) for subject in SIZES]
    assert {one["reader 1"] for one in parts} & {one["reader 2"] for one in parts}  # whom no one term of EVALID fits
    found = {(row["subject"], row["reader"]): [] for row in rows(chain.folder / "rows.csv")}
    for row in rows(chain.folder / "rows.csv"):
        found[row["subject"], row["reader"]].append(float(row["longest_mm"]))
    of_pairs = {(s, f"reader {n}"): list(sizes) for s, pair in SIZES.items() for n, sizes in enumerate(pair, 1)}
    own = {("AGREE", "investigator"): [50, 48, 47], ("AGAIN", "adjudicator"): [50, 48, 47]}
    assert found == {**of_pairs, **own}


def test_every_assigned_case_has_a_row(chain: Chain) -> None:
    found = [tuple(row[n] for n in ("subject", "track", "reader", "accepted_as", "by")) for row in _accepted(chain)]
    assert found == [
        ("AGAIN", "central", "adjudicator", "reread", "adjudicator"),
        ("AGREE", "central", "reader 1", "agreed", ""),
        ("AGREE", "investigator", "investigator", "only", ""),
        ("OPEN", "central", "", "open", ""),
        ("SPLIT", "central", "reader 2", "picked", "adjudicator"),
        ("UNREAD", "central", "", "open", ""),
        ("UNREAD", "investigator", "", "open", ""),
    ]
    assert {(row["subject"], row["track"]): row["reason"] for row in _accepted(chain) if not row["reader"]} == {
        ("OPEN", "central"): "readers differ in best_response, progression_date: the adjudicator has not picked yet",
        ("UNREAD", "central"): "reader 1: time point 0 is not signed",
        ("UNREAD", "investigator"): "investigator: time point 0 is not signed",
    }


def _accepted(chain: Chain) -> list[dict[str, str]]:
    return rows(chain.folder / "accepted.csv")


def test_open_is_not_never_assessed(chain: Chain) -> None:
    out = chain.folder / "endpoints"
    given = ("endpoints", "--protocol", str(chain.folder / "protocol.toml"), "--no-figures", "--out", str(out))
    assert chain.run(*given, table=chain.results) == 1
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for row in rows(out / "events.csv"):
        found.setdefault(row["endpoint"], {})[row["subject"]] = row["days"], row["status"]
    last = ("113", "censored")  # 29 April is 112 days after 8 January, which is day 1
    assert found["PFS"] == {"AGREE": last, "SPLIT": last, "AGAIN": last, "NEVER": ("1", "censored")}
    # AGREE alone has an investigator who has read it.
    assert found["PFSINV"] == {"AGREE": last, "NEVER": ("1", "censored")}
    # Who is named by part: UNREAD is not never assessed by reader 1 either.
    assert found["PFS1"].keys() == {"AGREE", "SPLIT", "AGAIN", "OPEN", "NEVER"}
    responders = {(row["events"], row["n"]) for row in rows(out / "estimates.csv") if row["estimate"] == "rate"}
    assert responders == {("1", "4")}  # AGREE, of AGREE, SPLIT, AGAIN and NEVER
    told = {(row["subject"], row["message"].split(": ", 1)[1]) for row in rows(out / "problems.csv")}
    assert ("UNREAD", "is open, no central read of it is accepted: reader 1: time point 0 is not signed") in told
    assert {subject for subject, _ in told} == {"OPEN", "UNREAD", "SPLIT", "AGAIN"}


def sdtm(chain: Chain) -> Path:
    out = chain.folder / "sdtm"
    assert chain.run("export", "sdtm", "--out", str(out), "--format", "csv", table=chain.results) == 1
    return out


def test_sdtm_without_any_reader_option(chain: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    out = sdtm(chain)
    told = [line for line in capsys.readouterr().err.splitlines() if "is open" in line]
    assert [line.split("subject ")[1].split(",")[0] for line in told] == ["OPEN", "UNREAD", "UNREAD"]
    found = {(row["USUBJID"].removeprefix("T1-"), row["RSEVALID"], row["RSACPTFL"]) for row in rows(out / "rs.csv")}
    assert found == {
        ("AGREE", "READER 1", "Y"),
        ("AGREE", "READER 2", ""),
        ("AGREE", "", ""),
        ("SPLIT", "READER 1", ""),
        ("SPLIT", "READER 2", "Y"),
        ("AGAIN", "READER 1", ""),
        ("AGAIN", "READER 2", ""),
        ("AGAIN", "ADJUDICATOR", "Y"),
        ("OPEN", "READER 1", ""),
        ("OPEN", "READER 2", ""),
    }
    for domain in ("TU", "TR"):
        flagged = {
            (row["USUBJID"].removeprefix("T1-"), row[f"{domain}EVALID"])
            for row in rows(out / f"{domain.lower()}.csv")
            if row[f"{domain}ACPTFL"] == "Y"
        }
        assert flagged == {("AGREE", "READER 1"), ("SPLIT", "READER 2"), ("AGAIN", "ADJUDICATOR")}
    assert main(["check-sdtm", str(out), "--out", str(chain.folder / "findings.csv")]) == 0
    assert rows(chain.folder / "findings.csv") == []


def test_all_exports_and_the_agreement(chain: Chain) -> None:
    oids = chain.folder / "oids.csv"
    assert main(["export", "odm", "--map-template", str(oids), "--style", "odm"]) == 0
    out = chain.folder / "all"
    assert chain.run("export", "all", "--out", str(out), "--map", str(oids), table=chain.results) == 1
    assert {path.name for path in out.iterdir() if path.is_dir()} >= {"sdtm", "adam", "odm", "redcap"}
    best = [row for row in rows(out / "redcap" / "records.csv") if row["redcap_repeat_instrument"] == "best_response"]
    assert sorted((row["br_reader"], row["br_accepted"]) for row in best if row["br_accepted"] != "no") == [
        ("adjudicator", "central"),
        ("investigator", "investigator"),
        ("reader 1", "central"),
        ("reader 2", "central"),
    ]
    assert main(["agree", str(chain.results), "--tracks", "--out", str(chain.folder / "tracks")]) in (0, 1)
    of_both = {row["n"] for row in rows(chain.folder / "tracks" / "concordance.csv") if row["group"] == ""}
    assert "1" in of_both  # AGREE


def test_adam_says_never_assessed_of_who_was_not_and_of_nobody_else(chain: Chain) -> None:
    out = chain.folder / "adam"
    given = ("export", "adam", "--protocol", str(chain.folder / "protocol.toml"), "--out", str(out), "--format", "csv")
    assert chain.run(*given, table=chain.results) == 1
    best = {
        (row["USUBJID"].removeprefix("T1-"), row["AVALC"])
        for row in rows(out / "adrs.csv")
        if (row["PARAMCD"], row["PARCAT2"]) == ("BOR", "Central Review")
    }
    assert best == {("AGREE", "PR"), ("SPLIT", "SD"), ("AGAIN", "SD"), ("NEVER", "NE")}  # [response] no_assessment
    of_unread = [row for row in rows(out / "adrs.csv") if row["USUBJID"] == "T1-UNREAD"]
    assert {row["PARAMCD"] for row in of_unread} == {"DEATH"}  # which no image says
    assert "T1-UNREAD" not in {row["USUBJID"] for row in rows(out / "adtte.csv")}


def test_what_the_manager_is_told(chain: Chain, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["reads", "status", str(chain.folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "UNREAD" in line and "0-2 open" in line]
    assert [line for line in lines if "SPLIT" in line and "0-2 locked" in line]
    # The protocol counts from randomisation, whose dates are in subjects.csv.
    assert main(["reads", "accepted", str(chain.folder), "--out", str(tmp_path / "accepted.csv")]) == 1
    assert (
        "note: the protocol counts from randomisation, and without --subjects from the baseline"
        in capsys.readouterr().err
    )


@pytest.mark.parametrize(("rows_by", "accepted_by"), [("part", "person"), ("person", "part")])
def test_the_two_files_are_of_one_manner(
    chain: Chain, capsys: pytest.CaptureFixture[str], tmp_path: Path, rows_by: str, accepted_by: str
) -> None:
    for step, by in (("rows", rows_by), ("accepted", accepted_by)):
        chain.of_store(step, to=str(tmp_path / f"{step}.csv"), parts=by == "part")
    capsys.readouterr()
    given: Sequence[str] = (
        "--protocol",
        str(chain.folder / "protocol.toml"),
        "--accepted",
        str(tmp_path / "accepted.csv"),
    )
    assert chain.run("assess", str(tmp_path / "rows.csv"), *given, "--out", str(tmp_path / "results")) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "give the table of the same reads" in line
    assert not (tmp_path / "results").exists()


def test_a_case_that_went_to_somebody_else_keeps_its_part(chain: Chain, tmp_path: Path) -> None:
    """The reads of who had it before stay in the store, and are no rows: two people are never one part."""
    shutil.copy(chain.folder / "store.sqlite", tmp_path)
    after = Chain(tmp_path)
    with open_store(str(tmp_path)) as store:
        with store.reading() as read:
            before = central_readers(read, "AGREE")
        (to,) = {"A", "B", "E"} - set(before.values())
        reassign(store, "AGREE", before["reader 1"], to, by="boss", reason="left")
        after.of_store("rows", to="rows.csv")
        assert {r["reader"] for r in rows(tmp_path / "rows.csv") if r["subject"] == "AGREE"} == {
            "reader 2",
            "investigator",
        }
        Study(store, tmp_path).read("AGREE", to, (50, 33, 33))
    after.of_store("rows", to="rows.csv")
    sizes = [
        r["longest_mm"] for r in rows(tmp_path / "rows.csv") if (r["subject"], r["reader"]) == ("AGREE", "reader 1")
    ]
    assert sizes == ["50", "33", "33"]
