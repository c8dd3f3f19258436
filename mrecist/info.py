"""Versions for a bug report: this package, Python, the system, and every library that could change a result."""

from __future__ import annotations

import json
import platform
from importlib import metadata, util

from mrecist import __version__

CORE = ("numpy", "pydicom", "highdicom", "simpleitk", "scikit-image", "matplotlib", "jinja2", "rich")
DECODERS = ("pylibjpeg", "pylibjpeg-openjpeg", "pyjpegls", "pillow")
# Extra -> (library, module that shows it is there).
EXTRAS = {
    "napari": ("napari", "napari"),
    "network": ("pynetdicom", "pynetdicom"),
    "nninteractive": ("nninteractive-client", "nnInteractive"),
    "survival": ("lifelines", "lifelines"),
    "store": ("sqlalchemy", "sqlalchemy"),
    "cluster": ("distributed", "distributed"),
    "exports": ("pyreadstat", "pyreadstat"),
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
        "extras": {
            extra: _version(library) if util.find_spec(module) else f"absent (pip install 'mrecist[{extra}]')"
            for extra, (library, module) in EXTRAS.items()
        },
    }


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
