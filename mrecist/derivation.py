"""What responses were derived from, kept beside them, so that they can be explained and derived again.

``DIR/derivation/`` holds the rows that were assessed, the protocol as it was given, and the names of the criteria. It is a
folder of its own so that no table of the user in ``DIR`` is ever replaced by a copy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mrecist import __version__, tables
from mrecist.errors import InputError
from mrecist.model import Measurement, Problem
from mrecist.protocol import CriterionSetting, Protocol, load_protocol

FOLDER = "derivation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """The rows of one subject by reader, the protocol and the criteria that the responses came from."""

    reads: dict[str, list[Measurement]]
    protocol: Protocol
    settings: tuple[CriterionSetting, ...]
    version: str


def keep(
    out: Path,
    measurements: str | bytes,
    protocol: Protocol,
    settings: Iterable[CriterionSetting],
    accepted: str | None = None,
) -> None:
    """Write what the responses in ``out`` are derived from; ``measurements`` and ``accepted`` are the whole tables."""
    folder = out / FOLDER
    run = {"version": __version__, "protocol_sha256": protocol.sha256, "criteria": [s.name for s in settings]}
    if accepted is not None:
        run["accepted_sha256"] = hashlib.sha256(accepted.encode("utf-8", "backslashreplace")).hexdigest()
    tables.write_whole(folder / "measurements.csv", measurements)
    tables.write_whole(folder / "protocol.toml", protocol.text)
    tables.write_whole(folder / "run.json", json.dumps(run, indent=1) + "\n")


def load(out: Path, subject: str) -> Derivation:
    """What the responses of a subject were derived from.

    Raises :class:`InputError` when ``out`` holds no derivation, or one whose files do not belong together.
    """
    protocol, settings, version = load_rules(out)
    found = tables.read_measurements(rows_path(out), protocol.partial_date, only=subject.__eq__)
    reads = {reader: rows for (_, reader), rows in found.reads().items()}
    return Derivation(reads=reads, protocol=protocol, settings=settings, version=version)


def rows_path(out: Path) -> Path:
    """The table of the rows that were assessed."""
    return out / FOLDER / "measurements.csv"


def unchanged_rows_path(out: Path) -> Path:
    """The same; raises :class:`InputError` where ``measurements.csv`` beside the responses was changed since they were derived."""
    assessed, shown = rows_path(out), out / "measurements.csv"
    if shown.exists() and shown.read_bytes() != assessed.read_bytes():
        raise InputError(f"{shown}: was changed since the responses were derived from it; run assess or score again")
    return assessed


def wrote_accepted(out: Path, accepted: Path) -> bool:
    """Whether the table beside the responses is the one that the run wrote, and no other that somebody put there."""
    try:
        run = json.loads((out / FOLDER / "run.json").read_text(encoding="utf-8"))
        return bool(run.get("accepted_sha256") == hashlib.sha256(accepted.read_bytes()).hexdigest())
    except (OSError, ValueError, AttributeError):
        return False


def other_rules(out: Path, protocol: Protocol) -> Iterator[str]:
    """A note where the responses were derived by other rules than those of ``protocol``; its other sections do not matter."""
    kept = out / FOLDER / "protocol.toml"
    if not kept.is_file():
        yield f"{out}: does not say by which protocol its responses were derived"
        return
    then = load_protocol(kept)
    other = [name for name in ("criteria", "response", "origin") if getattr(then, name) != getattr(protocol, name)]
    if other:
        what = " and ".join(f"[{name}]" for name in other)
        yield f"{out}: its responses were derived with another {what} than this protocol's, and are taken as they are"


def problems_told(out: Path) -> Iterator[Problem]:
    """What ``problems.csv`` says of reads that are missing in the results, each with where it stands."""
    path = out / "problems.csv"
    for _, cells in tables.read_rows(path, tables.PROBLEM_COLUMNS)[1] if path.is_file() else ():
        message = f"{path.name} of {out}: {cells['message']}"
        yield Problem(subject=cells["subject"], reader=cells["reader"], message=message)


def load_rules(out: Path) -> tuple[Protocol, tuple[CriterionSetting, ...], str]:
    """The protocol and criteria that responses were derived by, and the version of `mrecist` that did it.

    Raises :class:`InputError` as :func:`load` does.
    """
    folder = out / FOLDER
    try:
        run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        criteria, sha256, version = list(run["criteria"]), str(run["protocol_sha256"]), str(run["version"])
    except OSError:
        raise InputError(f"{out}: has no {FOLDER}/run.json; give the folder that assess or score wrote") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{folder / 'run.json'}: is damaged; run assess or score again") from None
    protocol = load_protocol(folder / "protocol.toml")
    if protocol.sha256 != sha256:
        raise InputError(
            f"{folder}: protocol.toml was changed since the run (sha256 {protocol.sha256[:12]}..., was {sha256[:12]}...); "
            f"run assess or score again"
        )
    return protocol, protocol.select(criteria), version
