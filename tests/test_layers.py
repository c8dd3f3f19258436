"""Data flows one way: a module imports lower rungs only, and the two worlds (images, criteria) do not know each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mrecist"

# Lowest first. A folder is one rung; modules inside it may use each other.
LADDER = (
    ("errors", "units", "dates", "info", "plain"),
    ("model",),
    ("imaging", "criteria", "results", "checklist", "contradictions", "trial"),
    ("measure", "protocol", "scheduling"),
    ("tables", "pictures"),
    ("response", "keyimages", "objects", "segment", "datasets"),
    ("derivation", "accepted", "checks", "stability", "identity", "segmenters", "store", "fingerprints", "manifest"),
    ("endpoints",),
    ("reading", "repeating", "study", "samples", "report", "conformance", "explain", "sdtm", "pacs"),
    ("pieces", "cases"),
    ("score", "session"),
    ("measuring", "assessing", "checkpoint", "exporting", "importing", "matching"),
    ("batch", "agreement"),
    ("watching", "review"),
    ("rehearsal",),
    ("arguments",),
    ("commands",),
    ("cli",),
    ("__main__",),
)
RUNG = {name: rung for rung, names in enumerate(LADDER) for name in names}
WORDS_ONLY = (
    *("errors", "units", "dates", "model", "trial", "results", "criteria", "checklist", "contradictions"),
    *("protocol", "tables", "response", "checks", "sdtm"),
)
MAY_IMPORT_DICOM = ("imaging", "samples", "objects", "pacs")


def imports_of(source: str) -> set[str]:
    """Names of the modules that a source imports, at the top or inside functions, for running (not for typing)."""
    tree = ast.parse(source)
    typing_only = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def violations(module: str, source: str) -> list[str]:
    """Why the imports of a module (its path below mrecist, with dots) break the ladder."""
    home = module.split(".")[0]
    if home not in RUNG:
        return [f"{module} has no rung; place it in LADDER"]
    found = []
    for name in sorted(imports_of(source)):
        top, _, rest = name.partition(".")
        if top == "mrecist":
            other = rest.split(".")[0]
            if other in RUNG and other != home and RUNG[other] >= RUNG[home]:
                found.append(f"{module} imports {name}, which is not on a lower rung")
        elif home in WORDS_ONLY and top in ("numpy", "pydicom", "SimpleITK", "skimage", "highdicom", "matplotlib"):
            found.append(f"{module} imports {name}; criteria and responses know words and exact numbers only")
        elif top in ("pydicom", "highdicom") and home not in MAY_IMPORT_DICOM:
            found.append(f"{module} imports {name}; only {', '.join(MAY_IMPORT_DICOM)} may")
        elif top in ("napari", "qtpy", "PySide6", "PyQt6"):
            found.append(f"{module} imports {name}; the core never imports a screen")
    return found


def sources() -> list[tuple[str, str]]:
    return [
        (".".join(path.relative_to(PACKAGE).with_suffix("").parts), path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != PACKAGE / "__init__.py"
    ]


def test_every_module_imports_lower_rungs_only() -> None:
    assert [line for module, source in sources() for line in violations(module, source)] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("criteria.recist11", "from mrecist.response.assess import assess_subject"),
        ("units", "def f():\n    from mrecist.model import Role"),
        ("criteria.easl", "import numpy as np"),
        ("report.html", "import pydicom"),
        ("batch", "import napari"),
        ("helpers", "import os"),
    ],
)
def test_a_planted_violation_is_found(module: str, source: str) -> None:
    assert len(violations(module, source)) == 1


def test_files_and_functions_stay_small() -> None:
    too_long = [
        f"{module}: {len(source.splitlines())} lines" for module, source in sources() if source.count("\n") > 500
    ]
    for module, source in sources():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None and node.end_lineno - node.lineno > 75:
                too_long.append(f"{module}.{node.name}: {node.end_lineno - node.lineno} lines")
    assert too_long == []


def test_no_attic() -> None:
    assert not [m for m, _ in sources() if m.split(".")[-1].strip("_") in ("utils", "helpers", "common", "misc")]
