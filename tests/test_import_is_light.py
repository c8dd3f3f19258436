"""``import mrecist`` loads nothing heavy and does nothing; every public name is there when asked for."""

from __future__ import annotations

import subprocess
import sys

import mrecist

HEAVY = ("numpy", "pydicom", "SimpleITK", "skimage", "highdicom", "matplotlib", "rich", "jinja2", "napari")


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def loaded_after(statement: str) -> str:
    return run(f"import sys; {statement}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))")


def test_import_loads_nothing_heavy() -> None:
    assert loaded_after("import mrecist") == ""


def test_the_engine_loads_nothing_heavy() -> None:
    assert loaded_after("import mrecist.response.derive, mrecist.tables") == ""


def test_help_loads_nothing_heavy() -> None:
    assert loaded_after("from mrecist.cli import build_parser; build_parser().format_help()") == ""


def test_every_public_name_resolves() -> None:
    for name in mrecist.__all__:
        assert getattr(mrecist, name) is not None
