"""Estimates of public data sets, from subjects.csv and a protocol on, against what R says of them (data/README.md)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from endpoint_study import estimated, run
from endpoint_study import rows as read

from mrecist.endpoints.estimate import Estimate

pytestmark = pytest.mark.filterwarnings("default")
DATA = Path(__file__).parent / "data"
DAY_1 = date(2000, 1, 1)
ALIVE = '{ when = "no_event", cnsr = 1, at = "last_alive" }'


def time(name: str, months: str, more: str, events: str = '["death"]', censor: str = ALIVE) -> str:
    return f'[[endpoint]]\nid = "{name}"\nkind = "time"\nevents = {events}\ncensor = [{censor}]\nat_months = [{months}]\n{more}\n'


RANKS = '"logrank", "logrank_stratified", "cox", "cox_stratified"'
COMPETING = 'competing = ["death"]\ntests = ["gray", "gray_stratified", "fine_gray"]\ncovariates = ["age"]'
OF_COMPETING = {"events": '["date:event"]'}
PROTOCOLS = {
    # A month is a day here, so that medians are told in the unit of the data.
    "lung": '[study]\ndays_per_month = 1\nstrata = ["ph.ecog"]\nsubgroups = ["ph.ecog"]\n'
    + time("OS_loglog", "180, 365, 730", f'tests = [{RANKS}]\ncovariates = ["age", "ph.ecog"]')
    + time("OS_log", "180, 365, 730", 'km_ci = "log"')
    + time("OS_linear", "180, 365, 730", 'km_ci = "linear"')
    + '[[endpoint]]\nid = "DIED"\nkind = "proportion"\nsuccess = ["death"]\n',
    "ovarian": '[study]\ndays_per_month = 1\nstrata = ["resid"]\n'
    + time("OS", "365", f'tests = [{RANKS}]\ncovariates = ["age", "ecog"]'),
    "veteran": '[study]\ndays_per_month = 1\nstrata = ["celltype"]\n'
    + time("OS", "90, 365", f'tests = [{RANKS}]\ncovariates = ["celltype", "karno", "age"]'),
    "colon": '[study]\ndays_per_month = 1\nstrata = ["extent"]\narms = ["Obs", "Lev", "Lev+5FU"]\n'
    + time("OS", "365, 1826", f'km_ci = "log"\ntests = [{RANKS}]\ncovariates = ["node4"]')
    + time(
        "TTR",
        "365, 1826",
        f'km_ci = "log"\ntests = [{RANKS}]\ncovariates = ["node4"]',
        '["date:recurrence"]',
        f'{{ when = "death", cnsr = 2, at = "trigger" }}, {ALIVE}',
    ),
    "mgus2": '[study]\ndays_per_month = 1\nstrata = ["old"]\n' + time("TTE", "60, 120, 240", COMPETING, **OF_COMPETING),
    "ties": '[study]\ndays_per_month = 1\nstrata = ["site"]\n' + time("TTE", "5, 10, 20", COMPETING, **OF_COMPETING),
}


def after(days: str) -> str:
    """The date on which a time of so many days ends: days = date - start + 1."""
    return str(DAY_1 + timedelta(days=int(days) - 1))


def subjects(name: str) -> str:
    """subjects.csv of a data set."""
    lines = list(_subjects(name))
    columns = dict.fromkeys(column for line in lines for column in line)
    head = ",".join(("subject", "randomisation", *columns))
    cells = (",".join((f"P{n:04}", str(DAY_1), *(line.get(c, "") for c in columns))) for n, line in enumerate(lines))
    return "\n".join((head, *cells)) + "\n"


def _subjects(name: str) -> Iterator[dict[str, str]]:
    for row in read(DATA / f"{name}.csv"):
        words = {key: cell for key, cell in row.items() if key not in TIMES}
        if name == "colon":
            last, died, end = row["death"], row["died"], row["recurrence"]
            words |= {"recurrence": after(end) if row["recurred"] == "1" else ""}
        else:
            last, died = row["time"], row["status"]
        if name == "mgus2":
            words["old"] = "yes" if int(row["age"]) >= 72 else "no"
        if name in ("mgus2", "ties"):
            words |= {"event": after(last) if died == "1" else ""}
            died = "1" if died == "2" else "0"
        yield {**words, "death": after(last) if died == "1" else "", "last_alive": after(last)}


TIMES = {"time", "status", "recurrence", "recurred", "death", "died"}
KEYS = ("endpoint", "group", "estimate", "arm", "against", "covariate", "months")


def found(name: str, folder: Path) -> dict[tuple[str, ...], Estimate]:
    """All estimates of a data set by what they are of."""
    by_key: dict[tuple[str, ...], Estimate] = {}
    for one in estimated(folder, PROTOCOLS[name], subjects(name)):
        months = "" if one.months is None else str(one.months)
        about = one.about
        key = (about.endpoint, about.group, one.estimate, about.arm, one.against, one.covariate, months)
        assert one.method in ("clopper-pearson", "wilson") or key not in by_key
        by_key[key] = one
    return by_key


REFERENCE = read(DATA / "reference.csv")
SETS = list(PROTOCOLS)


@pytest.mark.parametrize("name", SETS)
def test_what_r_says(name: str, tmp_path: Path) -> None:
    """Every number of reference.csv: estimate, limits, p, subjects, events."""
    ours = found(name, tmp_path)
    asked = [row for row in REFERENCE if row["set"] == name]
    wrong = [(*row.values(), said) for row in asked if (said := _differs(row, ours.get(tuple(row[k] for k in KEYS))))]
    assert asked
    assert not wrong, "\n".join(map(str, wrong))


def _differs(row: dict[str, str], one: Estimate | None) -> str:
    if one is None:
        return "not there"
    for name, value in (("value", one.value), ("low", one.low), ("high", one.high), ("p", one.p)):
        if (value is None) != (row[name] == "") or (
            value is not None and value != pytest.approx(float(row[name]), rel=1e-6)
        ):
            return f"{name} is {value}"
    for name, count in (("n", one.n), ("events", one.events)):
        if row[name] and count != int(row[name]):
            return f"{name} is {count}"
    return ""


def test_the_command_on_the_lung_data(tmp_path: Path) -> None:
    """print(survfit(Surv(time, status) ~ sex, lung, conf.type = "log-log")): 138 112 270 210 306, 90 53 426 345 524; in months."""
    asked = time("OS", "12", 'tests = ["logrank"]')
    overall = "subject,date,overall,baseline_date\nP0000,2000-02-01,SD,1999-12-20\n"
    out = run(tmp_path, asked, overall=overall, subjects=subjects("lung"))
    events = read(out / "events.csv")
    data = read(DATA / "lung.csv")
    assert [(int(one["days"]), one["cnsr"]) for one in events] == [
        (int(one["time"]), "0" if one["status"] == "1" else "1") for one in data
    ]
    told = {(one["estimate"], one["arm"]): one for one in read(out / "estimates.csv")}
    for arm, expected in (("1", (138, 112, 270, 210, 306)), ("2", (90, 53, 426, 345, 524))):
        one = told["median", arm]
        assert (int(one["n"]), int(one["events"])) == expected[:2]
        months = [float(one[name]) for name in ("value", "low", "high")]
        assert months == pytest.approx([days / 30.4375 for days in expected[2:]], rel=1e-5)
    # summary(survfit(Surv(time, status) ~ 1, lung, conf.type = "log-log"), times = 365.25)
    year = told["survival", ""]
    assert [float(year[name]) for name in ("value", "low", "high")] == pytest.approx(
        [0.409242, 0.338714, 0.478381], rel=1e-5
    )
    # survdiff(Surv(time, status) ~ sex, lung): 10.32674, p 0.001311165
    assert (told["logrank", ""]["value"], told["logrank", ""]["p"]) == ("10.3267", "0.00131116")
