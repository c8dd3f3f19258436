"""Reads out of a folder of results, or out of a table of measurements that is assessed first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from mrecist.agreement.reads import Key, Place, Reads, Track
from mrecist.dates import parse_date
from mrecist.derivation import rows_path
from mrecist.errors import InputError
from mrecist.exporting.results_rows import read_results
from mrecist.matching.table import Compared, MatchRow, read_matches
from mrecist.model import BestResponse, Measurement, Nadir, NewLesion, Response, VisitResponse
from mrecist.protocol import Protocol
from mrecist.response.derive import derive
from mrecist.tables import read_measurements, read_subject_dates
from mrecist.units import parse_number

_Cells = Mapping[str, str]
_Places = dict[tuple[str, str], dict[tuple[int, str], Place]]


def reads_of_results(folder: Path, criteria: Iterable[str], protocol: Path | None = None) -> Reads:
    """What ``assess`` or ``score`` wrote in ``folder``: responses as they stand there, and the rows that they came from.

    Raises :class:`InputError` when the folder holds no such results, or a criterion is not among them.
    """
    found = read_results(folder, None, protocol)
    derived = dict.fromkeys(cells["criterion"] for cells in found.responses)
    in_protocol = [setting.name for setting in found.protocol.criteria if setting.name in derived]
    there = list(dict.fromkeys((*in_protocol, *derived)))
    wanted = list(criteria) or there
    for name in wanted:
        if name not in there:
            raise InputError(f"{folder}: has no responses by '{name}'; there are: {', '.join(there)}")
    kept = rows_path(folder)
    path = kept if kept.is_file() else folder / "measurements.csv"
    rows = read_measurements(path, found.protocol.partial_date).reads()
    places = _places(folder / "measurements.json")
    try:
        visits = [_visit(cells) for cells in found.responses if cells["criterion"] in wanted]
        best = [_best(cells) for cells in found.best_responses if cells["criterion"] in wanted]
    except ValueError as error:
        raise InputError(f"{folder}: a response cannot be read: {error}; run assess or score again") from None
    return Reads(
        tracks=tracks_of(visits, best, rows, places),
        protocol=found.protocol,
        settings={name: found.protocol.setting(name) for name in wanted},
        problems=found.problems,
        notes=found.notes,
    )


def reads_of_measurements(path: Path, protocol: Protocol, criteria: list[str], subjects: Path | None = None) -> Reads:
    """The rows of ``measurements.csv``, assessed by the protocol. Raises :class:`InputError` when a file cannot be read."""
    measured = read_measurements(path, protocol.partial_date)
    found = reads_of_rows(measured.reads(), protocol, criteria, subjects)
    return replace(found, problems=(*measured.problems, *found.problems), notes=measured.notes)


def reads_of_rows(
    rows: Mapping[tuple[str, str], list[Measurement]],
    protocol: Protocol,
    criteria: list[str],
    subjects: Path | None = None,
) -> Reads:
    """Rows by subject and reader, assessed by the protocol. Raises :class:`InputError` where ``subjects`` cannot be read."""
    settings = protocol.select(criteria)
    dates = read_subject_dates(subjects, protocol)
    derived = derive(rows, protocol, settings, dates)
    return Reads(
        tracks=tracks_of(derived.responses, derived.best, rows, {}),
        protocol=protocol,
        settings={setting.name: setting for setting in settings},
        problems=derived.problems,
        subject_dates=dates,
    )


def tracks_of(
    responses: Iterable[VisitResponse],
    best: Iterable[BestResponse],
    rows: Mapping[tuple[str, str], Iterable[Measurement]],
    places: _Places,
) -> dict[Key, Track]:
    """Responses by subject, reader and criterion, with the rows of the read."""
    visits: dict[Key, dict[int, VisitResponse]] = {}
    for one in responses:
        visits.setdefault((one.subject, one.reader, one.criterion), {})[one.timepoint] = one
    of_read = {(one.subject, one.reader, one.criterion): one for one in best}
    return {
        key: Track(
            visits=dict(sorted(found.items())),
            best=of_read.get(key),
            rows=tuple(rows.get(key[:2], ())),
            places=places.get(key[:2], {}),
        )
        for key, found in sorted(visits.items())
    }


def _visit(cells: _Cells) -> VisitResponse:
    nadir = None
    if cells["nadir_sum"] and cells["nadir_timepoint"]:
        nadir = Nadir(sum=parse_number(cells["nadir_sum"]), timepoint=int(cells["nadir_timepoint"]))
    return VisitResponse(
        subject=cells["subject"],
        reader=cells["reader"],
        criterion=cells["criterion"],
        timepoint=int(cells["timepoint"]),
        date=parse_date(cells["date"]),
        sum=parse_number(cells["sum"]) if cells["sum"] else None,
        unit=cells["unit"],
        baseline_sum=parse_number(cells["baseline_sum"]) if cells["baseline_sum"] else None,
        nadir=nadir,
        target=_response(cells["target"]),
        non_target=_response(cells["non_target"]),
        new_lesion=NewLesion(cells["new_lesion"]) if cells["new_lesion"] else None,
        overall=_response(cells["overall"]),
        flags=tuple(filter(None, cells["flags"].split(";"))),
        reason=cells["reason"],
    )


def _best(cells: _Cells) -> BestResponse:
    return BestResponse(
        subject=cells["subject"],
        reader=cells["reader"],
        criterion=cells["criterion"],
        best_unconfirmed=Response(cells["best_unconfirmed"]),
        best_confirmed=Response(cells["best_confirmed"]),
        first_response_date=_day(cells["first_response_date"]),
        confirmed_response_date=_day(cells["confirmed_response_date"]),
        progression_date=_day(cells["progression_date"]),
        last_assessment_date=_day(cells["last_assessment_date"]),
        flags=tuple(filter(None, cells["flags"].split(";"))),
        reason=cells["reason"],
    )


def _response(text: str) -> Response | None:
    return Response(text) if text else None


def _day(text: str) -> date | None:
    return parse_date(text) if text else None


def _places(path: Path) -> _Places:
    """Where ``score`` measured each lesion; nothing without its ``measurements.json``."""
    if not path.is_file():
        return {}
    try:
        drawings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); run score again, or take it away") from None
    found: _Places = {}
    try:
        for one in drawings:
            for place in _place(one):
                key = str(one["subject"]), str(one.get("reader") or "R1")
                found.setdefault(key, {})[int(one["timepoint"]), str(one["lesion"])] = place
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: is not what score writes ({type(error).__name__} {error}); run score again"
        ) from None
    return found


def _place(drawing: Mapping[str, Any]) -> Iterator[Place]:
    ends = (drawing.get("longest") or {}).get("ends_lps")
    if ends:
        one, other = ends
        x, y, z = ((float(a) + float(b)) / 2 for a, b in zip(one, other, strict=True))
        yield Place(middle_lps=(x, y, z), series_uid=str(drawing.get("series_uid") or ""))


def with_matches(reads: Reads, path: Path | None) -> Reads:
    """The reads with what ``matches.csv`` says of their lesions at baseline; as they are without it.

    Raises :class:`InputError` when it is no such table, says nothing of two readers at baseline, or lesions have shared names.
    """
    if path is None:
        return reads
    if reads.shared_names:
        raise InputError(
            "agree: names are the same in all reads, so nothing is left to match; give --matches without them"
        )
    rows: dict[str, list[MatchRow]] = {}
    for row in read_matches(path):
        if row.compared is Compared.READERS and row.timepoint_1 == row.timepoint_2 == 0:
            rows.setdefault(row.subject, []).append(row)
    if not rows:
        raise InputError(
            f"{path}: says nothing of two readers at time point 0; write it by mrecist match, without --visits"
        )
    return replace(
        reads, tracks={k: replace(track, matches=tuple(rows.get(k[0], ()))) for k, track in reads.tracks.items()}
    )


def of_readers(reads: Reads, readers: Iterable[str], adjudicator: str) -> tuple[Reads, Reads]:
    """The reads that are compared, and those of the adjudicator.

    Raises :class:`InputError` for a reader who has no read, and where fewer than two readers are left.
    """
    known = reads.readers
    wanted = tuple(dict.fromkeys(readers)) or tuple(one for one in known if one != adjudicator)
    for name in (*wanted, *filter(None, [adjudicator])):
        if name not in known:
            raise InputError(f"agree: there is no read of reader '{name}'; readers are: {', '.join(known)}")
    if adjudicator in wanted:
        raise InputError(f"agree: reader '{adjudicator}' is compared and adjudicates; choose one")
    if len(wanted) < 2:
        raise InputError(f"agree: there is one reader, {', '.join(wanted)}; agreement needs two or more")
    return _only(reads, wanted), _only(reads, (adjudicator,))


def _only(reads: Reads, readers: tuple[str, ...]) -> Reads:
    return replace(reads, tracks={key: track for key, track in reads.tracks.items() if key[1] in readers})
