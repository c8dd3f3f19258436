"""``fetch`` and ``send``: images from a PACS, segmentations and reports to it."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mrecist.commands._terminal import DONE, SOME_FAILED, progress, say, show_table
from mrecist.errors import InputError
from mrecist.pacs.query import FoundSeries, Query, patients_of, shown
from mrecist.pacs.server import Server, load_server

if TYPE_CHECKING:
    from mrecist.pacs.dimse import Dimse
    from mrecist.pacs.fetch import Fetched
    from mrecist.pacs.web import Web


def fetch(options: Namespace) -> int:
    """``mrecist fetch``."""
    from mrecist.pacs.fetch import fetch as fetch_into
    from mrecist.pacs.fetch import find_series
    from mrecist.pacs.folder import StudyFolder

    query = query_of(options)
    if options.list == (options.out is not None):
        raise InputError("fetch: give --out STUDY to fetch, or --list to see what would be fetched")
    server = load_server(options.config, options.server)
    with connect(server, options.listen) as archive:
        say_in_clear(server)
        series, notes = find_series(archive, query, server.patience)
        for note in notes:
            say(f"mrecist: note: {note}")
        if options.list:
            _print_list(series, options.json)
            return DONE
        if not series:
            raise InputError(f"server {server.name}: nothing there matches what was asked; see it with --list")
        folder = StudyFolder(options.out)
        with progress() as report:
            fetched = fetch_into(
                archive, series, folder, server.patience, lambda done, of: report("fetching instances", done, of)
            )
    return _say_fetched(fetched, len(series), options)


def query_of(options: Namespace) -> Query:
    """What the options ask for."""
    patients = tuple(options.patient or ()) + (patients_of(options.subjects) if options.subjects else ())
    return Query(
        patients=tuple(dict.fromkeys(patients)),
        first=options.first,
        last=options.last,
        modalities=tuple(options.modality or ()),
        descriptions=tuple(options.description or ()),
        studies=tuple(options.study_uid or ()),
    )


def connect(server: Server, listen: tuple[str, int] | None = None) -> Web | Dimse:
    """A connection to it; raises InputError when the extra is not installed."""
    from mrecist.pacs.extra import require

    if server.dicomweb:
        if listen is not None:
            raise InputError(f"fetch: --listen is for C-MOVE, and server {server.name} is spoken to by DICOMweb")
        require("dicomweb_client")
        from mrecist.pacs.web import Web

        return Web(server)
    require("pynetdicom")
    from mrecist.pacs.dimse import Dimse

    return Dimse(server, listen)


def say_in_clear(server: Server) -> None:
    """One line when what goes over the network can be read on its way."""
    if not server.encrypted and not server.on_this_machine:
        say(f"mrecist: note: what goes to and comes from server {server.name} is not encrypted")


def _print_list(series: list[FoundSeries], as_json: bool) -> None:
    if as_json:
        print(json.dumps([asdict(one) for one in series], indent=1, ensure_ascii=False))
        return
    if series:
        lines = [["patient", "date", "modality", "instances", "description", "series"]]
        for one in series:
            count = "?" if one.instances is None else str(one.instances)
            cells = [shown(one.patient, 64), shown(one.date, 8), shown(one.modality, 16), f"{count:>9}"]
            lines.append([*cells, shown(one.description, 30), str(one.series_uid)])
        show_table(lines)
    studies = len({one.study_uid for one in series})
    print(f"{len(series)} series of {studies} studies, {sum(one.instances or 0 for one in series)} instances")


def _say_fetched(fetched: Fetched, series: int, options: Namespace) -> int:
    from mrecist.pacs.fetch import FETCHED, MISSING, PRESENT

    if options.json:
        rows: list[dict[str, Any]] = [
            {
                "study_uid": one.series.study_uid,
                "series_uid": one.series.series_uid,
                "sop_uid": one.sop_uid,
                "verdict": one.verdict,
                "file": one.file,
                "reason": one.reason,
            }
            for one in fetched.verdicts
        ]
        print(json.dumps({"instances": rows, "problems": fetched.problems}, indent=1, ensure_ascii=False))
    say(
        f"{series} series: {fetched.count(FETCHED)} instances fetched, {fetched.count(PRESENT)} already there, "
        f"{fetched.count(MISSING)} missing, in {options.out}"
    )
    return _outcome(fetched.problems)


def _outcome(problems: list[str]) -> int:
    for problem in problems:
        say(f"mrecist: {problem}")
    return SOME_FAILED if problems else DONE


def send(options: Namespace) -> int:
    """``mrecist send``."""
    from mrecist.pacs.send import FAILED, collect, line_of
    from mrecist.pacs.send import send as send_to

    server = load_server(options.config, options.server)
    found = collect(options.paths)
    if options.dry_run:
        for file in found.files:
            print(f"{file.path}: would be sent to {server.name}")
        return _outcome(found.problems)
    with connect(server) as archive:
        say_in_clear(server)
        with progress() as report:
            outcomes = send_to(archive, found.files, server.patience, lambda done, of: report("sending", done, of))
    if options.json:
        rows = [
            {"file": str(o.file.path), "sop_uid": o.file.sop_uid, "verdict": o.verdict, "reason": o.reason}
            for o in outcomes
        ]
        print(json.dumps({"instances": rows, "problems": found.problems}, indent=1, ensure_ascii=False))
    else:
        for outcome in outcomes:
            if outcome.verdict not in FAILED:
                print(f"{outcome.file.path}: {outcome.verdict}{f' ({outcome.reason})' if outcome.reason else ''}")
    return _outcome(found.problems + [line_of(o) for o in outcomes if o.verdict in FAILED])
