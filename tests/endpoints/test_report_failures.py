"""Tables outlive whatever is wrong with a figure or with the page, and the command always says how it ended."""

from __future__ import annotations

from importlib import util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from endpoint_study import proportion, run, time_endpoint, visits

PROTOCOL = time_endpoint() + proportion()
OVERALL = visits(("2020-03-01", "PR"), ("2020-05-01", "PD"))
CLOSING = "1 times, 1 outcomes and 0 changes of 2 endpoints: "
TABLES = {"events.csv", "outcomes.csv", "changes.csv", "estimates.csv", "counts.csv", "problems.csv"}


def refuses(*_: object, **__: object) -> None:
    raise RuntimeError("no room\nfor this")


def test_a_figure_that_fails_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mrecist.endpoints.figures.all.swimmer", refuses)
    out = run(tmp_path, PROTOCOL, overall=OVERALL, expect=1, figures=True)
    assert {path.name for path in out.glob("*.csv")} == TABLES
    assert sorted(path.name for path in (out / "figures").iterdir()) == ["km_PFS.png", "km_PFS.svg"]
    told = capsys.readouterr().err.splitlines()
    assert "mrecist: figure figures/swimmer_mrecist could not be drawn: RuntimeError: no room for this" in told
    assert told[-1] == f"{CLOSING}{out}; read {out / 'report.html'}"
    assert "not drawn: RuntimeError: no room for this" in (out / "report.html").read_text(encoding="utf-8")


def test_a_page_that_fails_takes_nothing_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mrecist.endpoints.report.page.report_html", refuses)
    out = run(tmp_path, PROTOCOL, overall=OVERALL, expect=1, figures=True)
    assert {path.name for path in out.glob("*.csv")} == TABLES
    assert not (out / "report.html").exists()
    told = capsys.readouterr().err.splitlines()
    assert "mrecist: report.html could not be written: RuntimeError: no room for this" in told
    assert told[-1] == f"{CLOSING}{out}"


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """These modules are not installed."""
    find = util.find_spec

    def found(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name in names else find(name, package)

    monkeypatch.setattr(util, "find_spec", found)


def test_without_matplotlib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without(monkeypatch, "matplotlib")
    out = run(tmp_path, PROTOCOL, overall=OVERALL, expect=1, figures=True)
    assert {path.name for path in out.iterdir()} == {*TABLES, "report.html"}
    assert "no figure is drawn, matplotlib is not installed: pip install matplotlib" in capsys.readouterr().err


def test_without_lifelines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Curves need what estimates need; the figures of subjects do not."""
    without(monkeypatch, "lifelines")
    out = run(tmp_path, PROTOCOL, overall=OVERALL, figures=True)
    assert sorted(path.name for path in (out / "figures").iterdir()) == ["swimmer_mrecist.png", "swimmer_mrecist.svg"]
    assert "times are derived and not estimated: not installed: lifelines" in capsys.readouterr().err
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "not installed: lifelines; pip install" in page


def test_no_figures_where_none_are_asked_for(tmp_path: Path) -> None:
    out = run(tmp_path, PROTOCOL, overall=OVERALL, figures=False)
    assert {path.name for path in out.iterdir()} == {*TABLES, "report.html"}
    assert "<svg" not in (out / "report.html").read_text(encoding="utf-8")


def test_too_many_lanes_are_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mrecist.endpoints.figures.all.MOST_LANES", 0)
    out = run(tmp_path, PROTOCOL, overall=OVERALL, figures=True)
    assert not list((out / "figures").glob("swimmer*"))
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "No swimmer plot is drawn of 1 subjects; more than 0 lanes cannot be read." in page
