"""Small studies for the tests of endpoints: responses, subjects and a protocol as a user writes them."""

from __future__ import annotations

import csv
from pathlib import Path

from mrecist.cli import main
from mrecist.endpoints.course import Courses
from mrecist.endpoints.derive import Derived, derive_endpoints
from mrecist.endpoints.estimate import Estimate
from mrecist.endpoints.regions import courses_of_regions
from mrecist.endpoints.rows import events_csv, outcomes_csv
from mrecist.endpoints.sources import courses_of_reported
from mrecist.endpoints.summary import estimates
from mrecist.protocol import load_protocol
from mrecist.tables.trial import read_trial

HEAD = 'format = "mrecist-protocol/1"\n[criteria.mrecist]\n[origin]\nevent = "randomisation"\n'
NO_EVENT = '{ when = "no_event", cnsr = 1, at = "last_assessment" }'


def time_endpoint(events: str = '["pd", "death"]', censor: str = "", more: str = "", name: str = "PFS") -> str:
    """An ``[[endpoint]]`` of kind time; ``censor`` are rules before the one for no event."""
    rules = ", ".join(one for one in (censor, NO_EVENT) if one)
    return f'[[endpoint]]\nid = "{name}"\nkind = "time"\nevents = {events}\ncensor = [{rules}]\n{more}\n'


def proportion(success: str = '["CR", "PR"]', more: str = "", name: str = "ORR") -> str:
    """An ``[[endpoint]]`` of kind proportion."""
    return f'[[endpoint]]\nid = "{name}"\nkind = "proportion"\nsuccess = {success}\n{more}\n'


def run(
    folder: Path,
    protocol: str,
    *,
    overall: str,
    subjects: str = "subject,arm,randomisation\nS1,A,2020-01-01\n",
    expect: int = 0,
    figures: bool = False,
    **others: str,
) -> Path:
    """``mrecist endpoints`` on tables that are given as text, with figures where they are asked for; the folder of the results."""
    (folder / "protocol.toml").write_text(HEAD + protocol, encoding="utf-8")
    (folder / "subjects.csv").write_text(subjects, encoding="utf-8")
    (folder / "overall.csv").write_text(overall, encoding="utf-8")
    call = ["endpoints", "--overall", str(folder / "overall.csv"), "--subjects", str(folder / "subjects.csv")]
    for name, text in others.items():
        path = folder / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        call += [f"--{name.replace('_', '-')}", str(path)]
    call += ["--protocol", str(folder / "protocol.toml"), "--out", str(folder / "out")]
    call += [] if figures else ["--no-figures"]
    assert main(call) == expect
    return folder / "out"


def estimated(folder: Path, protocol: str, subjects: str) -> list[Estimate]:
    """The estimates of endpoints that need no responses, from the same two files, without the command and its figures."""
    (folder / "protocol.toml").write_text(HEAD + protocol, encoding="utf-8")
    (folder / "subjects.csv").write_text(subjects, encoding="utf-8")
    read = load_protocol(folder / "protocol.toml")
    given = read_trial(folder / "subjects.csv", {}, read.date_columns, read.partial_date)
    derived = derive_endpoints(read, Courses({}), given.trial)
    assert not (*given.problems, *derived.problems)
    return list(estimates(read, derived, given.trial))


def derived(
    folder: Path,
    protocol: str,
    *,
    overall: str,
    subjects: str = "subject,arm,randomisation\nS1,A,2020-01-01\n",
    **others: str,
) -> tuple[Derived, list[str]]:
    """What ``mrecist endpoints`` derives from such tables, without estimates and figures, and the lines of its problems."""
    paths = {}
    for name, text in {"protocol": HEAD + protocol, "subjects": subjects, "overall": overall, **others}.items():
        paths[name] = folder / f"{name}.csv"
        paths[name].write_text(text, encoding="utf-8")
    asked = load_protocol(paths.pop("protocol"))
    people, responses = paths.pop("subjects"), paths.pop("overall")
    read = read_trial(people, paths, asked.date_columns, asked.partial_date)
    courses = courses_of_reported(responses, asked, read.trial)
    regions = courses_of_regions(None, responses, asked, read.trial)
    told = [*read.problems, *courses.problems, *(one for found in regions.values() for one in found.problems)]
    made = derive_endpoints(asked, courses.courses, read.trial, frozenset(one.subject for one in told), regions)
    return made, [one.message for one in (*told, *made.problems)]


def derived_rows(folder: Path, protocol: str, *, overall: str, **tables: str) -> dict[str, list[dict[str, str]]]:
    """The rows of ``events`` and ``outcomes`` as ``mrecist endpoints`` writes them, without estimates and figures."""
    made, _ = derived(folder, protocol, overall=overall, **tables)
    texts = {"events": events_csv(made.times, ""), "outcomes": outcomes_csv(made.outcomes, "")}
    return {name: list(csv.DictReader(text.splitlines())) for name, text in texts.items()}


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def visits(*pairs: tuple[str, str], subject: str = "S1", baseline: str = "2019-12-20") -> str:
    """overall.csv of one subject: (date, overall) pairs."""
    lines = [f"{subject},{day},{overall},{baseline}" for day, overall in pairs]
    return "\n".join(["subject,date,overall,baseline_date", *lines]) + "\n"
