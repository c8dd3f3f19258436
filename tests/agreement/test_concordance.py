"""Two tracks of a review as two readers: the table of progression, discrepancy rates, rates of response, and what is refused.

Ten subjects by arms of five are built cell by cell, so every expected number is counted here; intervals and p are by statsmodels.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from two_readers import Line, line, read, write

from mrecist.agreement.concordance import mcnemar_exact
from mrecist.cli import main

START = date(2010, 1, 1)
# Visits are 60 days apart and every size starts at 50 mm: 70 mm is PD, 30 mm PR, 50 mm SD.
# Subject: arm, sizes by the central review, sizes by the investigator.
PEOPLE = {
    "S01": ("A", (70, None), (70, None)),  # a1
    "S02": ("A", (50, 70), (70, None)),  # a3, 60 days earlier
    "S03": ("A", (50, 50), (50, 70)),  # b
    "S04": ("A", (30, 30), (30, 30)),  # d, PR by both
    "S05": ("A", (50, 50), (30, 30)),  # d, PR by the investigator alone
    "S06": ("B", (70, None), (50, 70)),  # a2, 60 days later
    "S07": ("B", (70, None), (50, 50)),  # c
    "S08": ("B", (50, 70), (50, 70)),  # a1
    "S09": ("B", (30, 30), (50, 50)),  # d, PR by the central review alone
    "S10": ("B", (50, 50), (30, 30)),  # d, PR by the investigator alone
}
CENTRAL = {subject: "Adams" if number % 2 else "Baker" for number, subject in enumerate(PEOPLE)}


def rows_of(subject: str, reader: str, sizes: tuple[int | None, ...]) -> list[Line]:
    days = [(START + timedelta(days=60 * t)).isoformat() for t in range(3)]
    seen = [(t, size) for t, size in enumerate((50, *sizes)) if size is not None]
    return [line(reader, t, size, subject=subject, date=days[t]) for t, size in seen]


def study(folder: Path, *, accepted: str | None = None, only: tuple[str, ...] = tuple(PEOPLE)) -> Path:
    """measurements.csv with readers Adams, Baker and Site; the central reader who does not count read 50 mm throughout."""
    lines: list[Line] = []
    table = "subject,criterion,track,reader\n"
    for subject in only:
        _, central, investigator = PEOPLE[subject]
        other = "Baker" if CENTRAL[subject] == "Adams" else "Adams"
        lines += rows_of(subject, CENTRAL[subject], central) + rows_of(subject, "Site", investigator)
        lines += rows_of(subject, other, (50, 50))
        table += f"{subject},recist11,central,{CENTRAL[subject]}\n{subject},recist11,investigator,Site\n"
    (folder / "accepted.csv").write_text(table if accepted is None else accepted, encoding="utf-8")
    people = "".join(f"{subject},{arm}\n" for subject, (arm, *_) in PEOPLE.items())
    (folder / "subjects.csv").write_text("subject,arm\n" + people, encoding="utf-8")
    return write(folder / "measurements.csv", lines)


def run(folder: Path, *options: str, code: int = 0) -> Path:
    base = ["agree", str(folder / "measurements.csv"), "--criterion", "recist11", "--resamples", "0"]
    assert main([*base, "--out", str(folder / "out"), *options]) == code
    return folder / "out"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tracks")
    study(folder)
    return run(folder, "--tracks", "--subjects", str(folder / "subjects.csv"), "--by", "arm")


def one(out: Path, statistic: str, group: str = "", **about: str) -> dict[str, str]:
    rows = read(out / "concordance.csv")
    wanted = {"statistic": statistic, "group": group, **about}
    (row,) = [r for r in rows if all(r[name] == text for name, text in wanted.items())]
    return row


def near(row: dict[str, str], value: float, interval: tuple[float, float] | None = None) -> None:
    assert float(row["value"]) == pytest.approx(value, abs=1e-6)
    if interval is not None:
        assert (float(row["low"]), float(row["high"])) == pytest.approx(interval, abs=1e-6)


def exact(count: int, n: int) -> tuple[float, float]:
    low, high = proportion_confint(count, n, method="beta")
    return float(low), float(high)


def test_the_table_of_progression(out: Path) -> None:
    cells = {"agree": 2, "investigator_later": 1, "investigator_earlier": 1, "investigator_only": 1, "central_only": 1}
    for name, count in (cells | {"neither": 4}).items():
        row = one(out, name)
        assert (row["count"], row["n"]) == (str(count), "10")
    assert [one(out, f"days_{name}")["value"] for name in ("minimum", "median", "maximum")] == ["-60", "0", "60"]
    assert [one(out, f"days_{name}_median")["value"] for name in ("earlier", "later")] == ["60", "60"]


# a1 2, a2 1, a3 1, b 1, c 1, d 4; arm A: a1 1, a3 1, b 1, d 2; arm B: a1 1, a2 1, c 1, d 2
@pytest.mark.parametrize(
    ("statistic", "group", "count", "n"),
    [
        ("early_discrepancy_rate", "", 2, 5),
        ("late_discrepancy_rate", "", 2, 4),
        ("overall_discrepancy", "", 4, 10),
        ("event_discrepancy", "", 2, 10),
        ("early_discrepancy_rate", "arm=A", 2, 3),
        ("late_discrepancy_rate", "arm=A", 0, 2),
        ("early_discrepancy_rate", "arm=B", 0, 2),
        ("late_discrepancy_rate", "arm=B", 2, 2),
    ],
)
def test_discrepancy_rates(out: Path, statistic: str, group: str, count: int, n: int) -> None:
    row = one(out, statistic, group)
    assert (row["count"], row["n"]) == (str(count), str(n))
    near(row, count / n, exact(count, n))


def test_arms_differ_by(out: Path) -> None:
    """B less A: EDR 0/2 - 2/3, LDR 2/2 - 0/2; both say that the investigator favours B."""
    for name, (k, n, j, m) in {"early": (0, 2, 2, 3), "late": (2, 2, 0, 2)}.items():
        row = one(out, f"{name}_discrepancy_rate_difference", "arm=B less arm=A")
        low, high = confint_proportions_2indep(k, n, j, m, method="newcomb", compare="diff")
        near(row, k / n - j / m, (float(low), float(high)))
        assert row["method"].startswith(
            ("negative" if name == "early" else "positive") + ": the investigator favours B"
        )


def test_rates_of_the_two_tracks(out: Path) -> None:
    """Objective response: central S04, S09; investigator S04, S05, S10. Discordant: 1 and 2."""
    near(one(out, "rate", track="central", variable="objective_response"), 0.2, exact(2, 10))
    near(one(out, "rate", track="investigator", variable="objective_response"), 0.3, exact(3, 10))
    row = one(out, "rate_difference", variable="objective_response")
    near(row, 0.1)
    assert (row["count"], float(row["p"])) == ("3", pytest.approx(mcnemar([[1, 1], [2, 6]], exact=True).pvalue))
    # disease control: all but a best response of PD, which S01, S06, S07 have centrally and S01, S02 at the site
    near(one(out, "rate", track="central", variable="disease_control"), 0.7, exact(7, 10))
    near(one(out, "rate", track="investigator", variable="disease_control"), 0.8, exact(8, 10))


def test_cross_tables_and_agreement(out: Path) -> None:
    rows = [r for r in read(out / "concordance.csv") if r["statistic"] == "cross_table" and not r["group"]]
    found = {(r["central"], r["investigator"]): int(r["count"]) for r in rows if r["variable"] == "objective_response"}
    assert found == {("yes", "yes"): 1, ("yes", "no"): 1, ("no", "yes"): 2, ("no", "no"): 6}
    best = {(r["central"], r["investigator"]): int(r["count"]) for r in rows if r["variable"] == "best_response"}
    assert best == {("PR", "PR"): 1, ("PR", "SD"): 1, ("SD", "PR"): 2, ("SD", "SD"): 2, ("SD", "PD"): 1} | {
        ("PD", "SD"): 2,
        ("PD", "PD"): 1,
    }
    near(one(out, "agreement", variable="best_response"), 0.4, exact(4, 10))
    near(one(out, "agreement", variable="progression"), 0.8, exact(8, 10))


def test_the_tracks_are_the_readers_of_every_other_table(out: Path) -> None:
    assert {r["readers"] for r in read(out / "agreement.csv") if r["statistic"] == "discordance"} == {
        "central|investigator"
    }
    assert {(r["reader_1"], r["reader_2"]) for r in read(out / "discordances.csv")} == {("central", "investigator")}
    page = (out / "agreement.html").read_text(encoding="utf-8")
    assert "read of Adams" in page
    assert "read of Site" in page


@pytest.mark.parametrize("counts", [(0, 0), (1, 2), (0, 6), (5, 9)])
def test_mcnemar_is_that_of_statsmodels(counts: tuple[int, int]) -> None:
    b, c = counts
    assert mcnemar_exact(b, c) == pytest.approx(mcnemar([[3, b], [c, 4]], exact=True).pvalue if b + c else 1.0)


def test_dates_within_the_tolerance_agree(tmp_path: Path) -> None:
    study(tmp_path, only=("S01", "S02", "S03", "S06"))
    out = run(tmp_path, "--tracks", "--date-tolerance", "60")
    assert (one(out, "agree")["count"], one(out, "investigator_later")["count"]) == ("3", "0")
    near(one(out, "early_discrepancy_rate"), 1 / 4)


def test_two_readers_by_name(tmp_path: Path) -> None:
    """Adams read 50 mm throughout, as Baker's are the reads of S01 and S03 that count; the site saw progression in both and in S02."""
    study(tmp_path, only=("S01", "S02", "S03", "S04"))
    out = run(tmp_path, "--central", "Adams", "--investigator", "Site")
    row = [
        r for r in read(out / "concordance.csv") if r["statistic"] == "cross_table" and r["variable"] == "progression"
    ]
    assert {(r["central"], r["investigator"]): int(r["count"]) for r in row} == {
        ("yes", "yes"): 1,
        ("no", "yes"): 2,
        ("no", "no"): 1,
    }


def test_what_is_not_compared_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """S01 names a reader without a read, S02 one read twice; the other subjects have no accepted read but S03."""
    table = (
        "subject,criterion,track,reader\nS01,recist11,central,Nobody\nS01,recist11,investigator,Site\n"
        "S02,recist11,central,Site\nS02,recist11,investigator,Site\n"
        "S03,recist11,central,Adams\nS03,recist11,investigator,Site\n"
    )
    study(tmp_path, accepted=table)
    out = run(tmp_path, "--tracks", code=1)
    told = {(r["subject"], r["reader"]): r["message"] for r in read(out / "problems.csv")}
    assert told == {
        ("S01", "Nobody"): "accepted.csv: the read by recist11 is not there; it is not compared",
        ("S02", "Site"): "accepted.csv: the read by recist11 is accepted in both tracks; it is not compared",
    }
    assert one(out, "neither")["n"] == "1"
    assert "accepts no read of 7 of 10 subjects, not compared: S04" in capsys.readouterr().err


def test_both_tracks_without_being_asked_are_a_note(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study(tmp_path, only=("S01", "S02"))
    out = run(tmp_path)
    assert "--tracks compares investigator and central review" in capsys.readouterr().err
    assert not (out / "concordance.csv").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--central", "Adams"), "give both"),
        (("--investigator", "Site"), "give both"),
        (("--central", "Site", "--investigator", "Site"), "they are two readers"),
        (("--central", "Adams", "--investigator", "Nobody"), "there is no read of reader 'Nobody'"),
        (("--tracks", "--central", "Adams", "--investigator", "Site"), "leave out --central and --investigator"),
        (("--tracks", "--readers", "Adams", "Site"), "leave out --readers and --adjudicator"),
    ],
)
def test_what_cannot_be_asked(
    options: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study(tmp_path, only=("S01", "S02"))
    out = tmp_path / "out"
    run(tmp_path, *options, code=2)
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_a_file_with_one_track_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    only_central = "subject,criterion,track,reader\nS01,recist11,central,Adams\n"
    study(tmp_path, accepted=only_central, only=("S01", "S02"))
    run(tmp_path, "--tracks", code=2)
    assert "has no read of track investigator by recist11" in capsys.readouterr().err
