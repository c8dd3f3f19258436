"""Build the sample study byte for byte, find the shipped one, and check one against the other by hashes."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from mrecist.errors import InputError
from mrecist.samples import truth
from mrecist.samples.dicom import versions, write_visit
from mrecist.samples.plan import all_subjects

HASHES = "SHA256SUMS"
PROTOCOL = """# RECIST 1.1 and mRECIST as published; keys and defaults: docs/protocol.md in the project.
format = "mrecist-protocol/1"

[study]
id = "SAMPLE"
title = "mrecist sample study"

[criteria.recist11]
[criteria.mrecist]
"""
README = """# Sample study

Six phantom subjects with liver lesions of known size: arterial and portal venous CT at up to three visits, DICOM segmentations of the
whole lesions and their viable parts, and what a reader states beside them. No person is behind any of it.

- `study/` is a study folder as `mrecist score` takes it.
- `truth/` holds the analytic sizes and the categories that follow from them.
- `SHA256SUMS` are the hashes of all files. `python -m mrecist.samples --check` builds everything again and compares.

What is in it, and the arithmetic of every category: `docs/sample-data.md` in the project. Dedicated to the public domain (CC0 1.0).
"""


def sample_data_path() -> Path:
    """The shipped ``sample_data``: in a checkout beside the package, in an installed package inside it."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_sample_data", package.parent / "sample_data"):
        if (folder / HASHES).is_file():
            return folder
    raise InputError(f"{package}: the sample data is not installed; build it with: python -m mrecist.samples --out DIR")


def sample_study_path() -> Path:
    """The study folder of the shipped sample."""
    return sample_data_path() / "study"


def build_sample_data(out: Path) -> None:
    """Write the sample data below ``out``."""
    study = out / "study"
    for subject in all_subjects():
        for visit in subject.visits:
            write_visit(study / "images" / subject.name, study / "masks", subject, visit)
    texts = {
        study / "protocol.toml": PROTOCOL,
        study / "subjects.csv": truth.subjects_csv(),
        study / "reads" / "R1.csv": truth.reads_csv(),
        out / "truth" / "sizes.csv": truth.sizes_csv(),
        out / "truth" / "responses.csv": truth.responses_csv(),
        out / "truth" / "best_responses.csv": truth.best_csv(),
        out / "README.md": README,
    }
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    (out / HASHES).write_text(hashes_of(out), encoding="utf-8", newline="\n")


def hashes_of(folder: Path) -> str:
    """The lines of ``SHA256SUMS``, in the form that ``sha256sum --check`` reads."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != HASHES)
    return "".join(f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(folder).as_posix()}\n" for p in files)


def _by_file(lines: str) -> dict[str, str]:
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines.splitlines())}


def check_sample_data(shipped: Path) -> list[str]:
    """What differs between the shipped files, their hashes, and a fresh build; empty when all agree."""
    stated = _by_file((shipped / HASHES).read_text(encoding="utf-8"))
    found = _by_file(hashes_of(shipped))
    differences = [f"{name}: its hash is not the one in {HASHES}" for name in _different(stated, found)]
    with tempfile.TemporaryDirectory() as folder:
        build_sample_data(Path(folder))
        built = _by_file((Path(folder) / HASHES).read_text(encoding="utf-8"))
    used = ", ".join(f"{name} {version}" for name, version in versions().items())
    differences += [f"{name}: a fresh build differs (built with {used})" for name in _different(stated, built)]
    return differences


def _different(one: dict[str, str], other: dict[str, str]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
