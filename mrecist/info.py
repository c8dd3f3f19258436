"""Versions for a bug report: this package, Python, the system, and every library that could change a result."""

from __future__ import annotations

import json
import platform
from importlib import metadata, util

from mrecist import __version__

CORE = ("numpy", "pydicom", "highdicom", "defusedxml", "simpleitk", "scikit-image", "matplotlib", "jinja2", "rich")
DECODERS = ("pylibjpeg", "pylibjpeg-openjpeg", "pyjpegls", "pillow")
# Extra -> its libraries, each with the module that shows it is there.
EXTRAS = {
    "napari": {"napari": "napari", "pyside6-essentials": "PySide6"},
    "network": {"pynetdicom": "pynetdicom", "dicomweb-client": "dicomweb_client"},
    "nninteractive": {"nninteractive-client": "nnInteractive"},
    "survival": {"lifelines": "lifelines", "statsmodels": "statsmodels"},
    "store": {"sqlalchemy": "sqlalchemy"},
    "postgresql": {"pg8000": "pg8000"},
    "cluster": {"distributed": "distributed"},
    "exports": {
        "pyreadstat": "pyreadstat",
        "pandas": "pandas",
        "odmlib": "odmlib",
        "defineutils": "defineutils",
        "lxml": "lxml",
        "pycap": "redcap",
    },
}


def gather() -> dict[str, dict[str, str]]:
    """Section -> name -> version; "absent" for what is not installed."""
    return {
        "mrecist": {
            "mrecist": __version__,
            "python": platform.python_version(),
            "system": platform.platform(),
        },
        "libraries": {name: _version(name) for name in CORE},
        "decoders": {name: _version(name) for name in DECODERS},
        "extras": {extra: _versions(extra, libraries) for extra, libraries in EXTRAS.items()},
    }


def _versions(extra: str, libraries: dict[str, str]) -> str:
    if not all(util.find_spec(module) for module in libraries.values()):
        return f"absent (pip install 'mrecist[{extra}]')"
    return ", ".join(f"{library} {_version(library)}" for library in libraries)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def as_text(found: dict[str, dict[str, str]]) -> str:
    """Aligned lines."""
    return "\n".join(
        f"{section}\n" + "\n".join(f"  {name:<20}{version}" for name, version in names.items())
        for section, names in found.items()
    )


def as_json(found: dict[str, dict[str, str]]) -> str:
    """The same for a program."""
    return json.dumps(found, indent=1)
