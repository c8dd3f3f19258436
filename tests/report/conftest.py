"""The report of the synthetic study, made once."""

from __future__ import annotations

import pytest
from report_study import full_study

from mrecist.report.html import report_html
from mrecist.results import StudyResults


@pytest.fixture(scope="session")
def results() -> StudyResults:
    return full_study()


@pytest.fixture(scope="session")
def page(results: StudyResults) -> str:
    return report_html(results)
