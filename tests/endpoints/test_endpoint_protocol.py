"""Protocols with endpoints: what is refused, files that extend others, and what a protocol says in plain words."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from endpoint_study import HEAD, proportion, time_endpoint

from mrecist.cli import main
from mrecist.errors import ProtocolError
from mrecist.protocol import FORMAT, load_protocol, parse_protocol

ROOT = Path(__file__).parents[2]
NO_EVENT = '{ when = "no_event", cnsr = 1, at = "last_assessment" }'
WRONG = {
    'kind = "time"\nevents = ["pd"]': "has no id",
    'id = "X"\nkind = "times"': "kind is 'times'; it takes one of time, proportion, change",
    f'id = "X"\nkind = "time"\ncensor = [{NO_EVENT}]': "has no events",
    'id = "X"\nkind = "time"\nevents = ["pd"]': "does not say what happens without an event",
    f'id = "X"\nkind = "time"\nevents = ["pt"]\ncensor = [{NO_EVENT}]': "one of pd, death",
    f'id = "X"\nkind = "time"\nevents = ["deaths"]\ncensor = [{NO_EVENT}]': "did you mean 'death'?",
    f'id = "X"\nkind = "time"\nevents = ["pd"]\ncompeting = ["pd"]\ncensor = [{NO_EVENT}]': "competes with the events",
    f'id = "X"\nkind = "time"\nevents = ["pd"]\ntests = ["gray"]\ncensor = [{NO_EVENT}]': "'gray', which is for competing events",
    f'id = "X"\nkind = "time"\nevents = ["pd"]\ntests = ["fine_gray"]\ncensor = [{NO_EVENT}]': "'fine_gray', which is for",
    f'id = "X"\nkind = "time"\nevents = ["pd"]\nsuccess = ["CR"]\ncensor = [{NO_EVENT}]': "success has no meaning for a time",
    f'id = "X"\nkind = "time"\nevents = ["pd"]\ncensors = [{NO_EVENT}]': "did you mean 'censor'?",
    f'id = "X"\nkind = "time"\nevents = ["pd"]\ncriterion = "main"\ncensor = [{NO_EVENT}]': "criterion is 'main'",
    'id = "X"\nkind = "time"\nevents = ["pd"]\ncensor = [{ when = "no_event", cnsr = 0, at = "origin" }]': "0 is an event",
    'id = "X"\nkind = "time"\nevents = ["pd"]\ncensor = [{ when = "no_event", cnsr = 1, at = "end" }]': "one of last_assessment",
    'id = "X"\nkind = "time"\nevents = ["pd"]\ncensor = [{ when = "no_event", cnsr = 1 }]': "one has no 'at'",
    'id = "X"\nkind = "time"\nevents = ["pd"]\ncensor = [{ when = "missed_visits", cnsr = 1, at = "origin" }]': "count with missed_visits",
    'id = "X"\nkind = "time"\nevents = ["pd"]\ncensor = [{ when = "no_event", cnsr = 1, at = "trigger" }]': "nothing happened",
    f'id = "X"\nkind = "time"\nevents = ["pd"]\nuntil_months = 6\ncensor = [{NO_EVENT}]': "go together; give both or neither",
    f'id = "X"\nkind = "time"\nevents = ["pd"]\ncensor = [{{ when = "horizon", cnsr = 7, at = "trigger" }}, {NO_EVENT}]': "go together",
    'id = "X"\nkind = "time"\nevents = ["pd"]\ncensor = [{ when = "horizon", cnsr = 7, at = "origin" }]': "whose at is one of",
    f'id = "X"\nkind = "time"\nevents = ["pd"]\nuntil_months = 0\ncensor = [{NO_EVENT}]': "a number above 0",
    'id = "X"\nkind = "proportion"': "give either success",
    'id = "X"\nkind = "proportion"\nsuccess = ["CR", "resection"]': "mixes responses and other events",
    'id = "X"\nkind = "proportion"\nsuccess = ["CR"]\nat_months = [3, 1]': "rising",
    'id = "X"\nkind = "proportion"\nmarker = { test = "CEA", limit = 5 }': 'unit = "ug/L"',
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_an_endpoint_that_cannot_be_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ProtocolError) as error:
        parse_protocol(tomllib.loads(f'format = "{FORMAT}"\n[[endpoint]]\n{text}\n'), where="protocol.toml")
    assert WRONG[text] in str(error.value)
    assert str(error.value).startswith("protocol.toml")
    assert "\n" not in str(error.value)


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")


def test_a_file_over_another(tmp_path: Path) -> None:
    base = HEAD
    base += '[study]\narms = ["A", "B"]\nid = "BASE"\n' + time_endpoint() + proportion()
    over = f'format = "{FORMAT}"\nextends = "base.toml"\n[study]\nid = "T1"\n[criteria.mrecist]\npd_absolute_mm = 5\n'
    over += '[[endpoint]]\nid = "PFS"\nevents = ["pd"]\n' + proportion('["CR"]', name="CRR")
    write(tmp_path, base=base, over=over)
    joined = load_protocol(tmp_path / "over.toml")
    assert (joined.design.id, joined.design.arms) == ("T1", ("A", "B"))
    assert joined.origin.event == "randomisation"
    assert joined.criteria[0].thresholds.pd_absolute_mm == 5
    assert [(one.id, one.events or one.success) for one in joined.endpoints] == [
        ("PFS", ("pd",)),
        ("ORR", ("CR", "PR")),
        ("CRR", ("CR",)),
    ]
    # What results keep reads back to the same protocol without the file below.
    (tmp_path / "kept.toml").write_text(joined.text, encoding="utf-8")
    assert load_protocol(tmp_path / "kept.toml").sha256 == joined.sha256
    assert load_protocol(tmp_path / "base.toml").sha256 != joined.sha256


@pytest.mark.parametrize(
    ("over", "said"),
    [
        ('extends = "over.toml"\n', "extends it"),
        ('extends = "nowhere.toml"\n', "nowhere.toml: cannot be read"),
        ("extends = 3\n", "it takes the path of another protocol"),
    ],
)
def test_a_file_that_cannot_extend(over: str, said: str, tmp_path: Path) -> None:
    write(tmp_path, over=f'format = "{FORMAT}"\n{over}')
    with pytest.raises(ProtocolError, match=re.escape(said)):
        load_protocol(tmp_path / "over.toml")


def test_a_protocol_in_plain_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missed = '{ when = "missed_visits", count = 2, cnsr = 4, at = "last_assessment_before" }'
    text = HEAD.replace("[criteria.mrecist]\n", "[criteria.mrecist]\npd_absolute_mm = 5\n")
    write(tmp_path, p=text + time_endpoint(censor=missed) + proportion(more="confirmed = true"))
    assert main(["protocol", "check", str(tmp_path / "p.toml")]) == 1  # No visits are given that could be missed.
    said = capsys.readouterr().out.splitlines()
    assert "Criterion mrecist: mRECIST (HCC), but pd_absolute_mm = 5 (published: 0)." in said
    assert "Day 1 is the date in column randomisation of subjects.csv." in said
    assert "  to the first of: progression, death" in said
    assert (
        "  after 2 missed visits in a row before a progression or death: censored (code 4) at the last assessment up to then"
        in said
    )
    assert "  success: confirmed best response CR or PR" in said


def test_markers_outcomes_and_a_horizon_in_plain_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    markers = '{ test = "CEA", limit = 5.0, unit = "ug/L" }, '
    markers += '{ test = "AFP", unit = "ug/L", fall_percent = 50, elevated_at_baseline = false }'
    text = (
        HEAD
        + f'[[endpoint]]\nid = "M"\nkind = "proportion"\nmarkers = [{markers}]\nrequire = "any"\nuntil_months = 3\n'
    )
    text += proportion('["resection:R0", "procedure:TARE:complete"]', name="R")
    text += time_endpoint(censor='{ when = "horizon", cnsr = 7, at = "trigger" }', more="until_months = 12")
    write(tmp_path, p=text)
    assert main(["protocol", "check", str(tmp_path / "p.toml")]) == 0
    said = capsys.readouterr().out
    for line in (
        "  success: CEA at or below 5 ug/L on a day after day 1",
        "    in a subject whose last CEA up to day 1 was above 5 ug/L",
        "  or: AFP at least 50 % below the last value up to day 1 on a day after day 1",
        "  of: subjects above the limit at baseline where that is asked for, by one marker at least",
        "  within 3 months of day 1; subjects whom the data cut-off stopped earlier are not counted",
        "  success: resection with outcome R0 or TARE (procedure with outcome complete) after day 1",
        "  where the time would end later than 12 months after day 1: censored (code 7) at that day",
    ):
        assert f"{line}\n" in said


def test_the_examples_of_the_page_are_protocols() -> None:
    page = (ROOT / "docs" / "endpoints.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```toml\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    assert examples
    for example in examples:
        found = parse_protocol(tomllib.loads(f'format = "{FORMAT}"\n{example}'), where="docs/endpoints.md")
        assert found.endpoints or found.eligibility.asked
