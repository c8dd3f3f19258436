"""``read``: the reading room, and what a read stands at."""

from __future__ import annotations

import json
from argparse import Namespace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mrecist.commands._terminal import DONE
from mrecist.errors import InputError


def read(options: Namespace) -> int:
    """``mrecist read``."""
    if options.status:
        return _status(options)
    missing = [name for name in ("napari", "mrecist_napari") if find_spec(name) is None]
    if missing:
        raise InputError(f"{missing[0]} is not installed; the reading room needs it: pip install 'mrecist[napari]'")
    subject = options.subject or _first_open(options)
    import_module("mrecist_napari.opening").read(options.study, subject, options.reader, options.protocol)
    return DONE


def _status(options: Namespace) -> int:
    from mrecist.study import open_study

    study = open_study(options.study, options.protocol)
    names = [options.subject] if options.subject else [one.subject for one in study.subjects]
    said = [_of(study, name, options.reader) for name in names]
    if options.json:
        print(json.dumps({"reader": options.reader, "subjects": said}, indent=1))
    else:
        for one in said:
            _print(one)
    return DONE


def _first_open(options: Namespace) -> str:
    """The first subject with a visit that is not signed; the first one when all are."""
    from mrecist.study import open_study

    study = open_study(options.study, options.protocol)
    names = [one.subject for one in study.subjects]
    if not names:
        raise InputError(f"{study.root}: has no subject to read; put its images below images/")
    for name in names:
        if not all(visit["signed"] for visit in _of(study, name, options.reader)["visits"]):
            return name
    return names[0]


def _of(study: Any, subject: str, reader: str) -> dict[str, Any]:
    """A read as plain values. A read that was not begun is not begun by asking."""
    from mrecist.session.case import open_case
    from mrecist.session.room import KEPT, Room
    from mrecist.tables import safe_name

    folder: Path = study.root / KEPT / f"{safe_name(reader)}_{safe_name(subject)}"
    if not folder.is_dir():
        case = open_case(study, subject)
        visits = [_visit(v.timepoint, v.date.isoformat(), "", [], {}) for v in case.visits]
        return {"subject": subject, "begun": False, "visits": visits}
    room = Room(study, subject, reader)
    try:
        now = room.live()
        visits = []
        for visit in room.case.visits:
            t = visit.timepoint
            signature = room.state.visit(t).signature
            points = [] if signature else [point.what for point in room.open_points(t)]
            overall = {r.criterion: str(r.overall) for r in now.responses if r.timepoint == t and r.overall is not None}
            visits.append(_visit(t, visit.date.isoformat(), signature.name if signature else "", points, overall))
        return {"subject": subject, "begun": True, "visits": visits}
    finally:
        room.close()


def _visit(timepoint: int, day: str, signed: str, points: list[str], overall: dict[str, str]) -> dict[str, Any]:
    return {"timepoint": timepoint, "date": day, "signed": signed, "open": points, "overall": overall}


def _print(read: dict[str, Any]) -> None:
    print(f"{read['subject']}: {'' if read['begun'] else 'not begun, '}{len(read['visits'])} visits")
    for visit in read["visits"]:
        state = f"signed by {visit['signed']}" if visit["signed"] else "open"
        overall = ", ".join(f"{name} {word}" for name, word in visit["overall"].items())
        print(f"  {visit['timepoint']}  {visit['date']}  {state}" + (f"  {overall}" if overall else ""))
        for point in visit["open"]:
            print(f"       - {point}")
