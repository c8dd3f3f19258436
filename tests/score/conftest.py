"""Small studies made from the sample, to be damaged one way at a time."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mrecist.samples.build import sample_study_path

MakeStudy = Callable[..., Path]


@pytest.fixture
def make_study(tmp_path: Path) -> MakeStudy:
    """``make_study("SAMPLE-01", "SAMPLE-05")`` copies those subjects into a study folder of their own."""

    def make(*subjects: str) -> Path:
        sample, study = sample_study_path(), tmp_path / "study"
        for subject in subjects:
            shutil.copytree(sample / "images" / subject, study / "images" / subject)
            (study / "masks").mkdir(parents=True, exist_ok=True)
            for path in (sample / "masks").glob(f"{subject}_*.dcm"):
                shutil.copy(path, study / "masks")
        header, *lines = (sample / "reads" / "R1.csv").read_text(encoding="utf-8").splitlines()
        (study / "reads").mkdir(parents=True)
        kept = [line for line in lines if line.split(",")[0] in subjects]
        (study / "reads" / "R1.csv").write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
        if not kept:
            shutil.rmtree(study / "reads")
        return study

    return make
