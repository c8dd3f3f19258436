"""``read``: the reading room, and what a read stands at."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from argparse import Namespace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mrecist.commands._terminal import DONE, SOME_FAILED, progress, say, show, show_json
from mrecist.errors import InputError

if TYPE_CHECKING:
    from mrecist.session.store_reads import StoreReads
    from mrecist.session.worklist import Work
    from mrecist.study import Study

_SAMPLE = Path("mrecist-sample")
# What a reader begins with; the sample's own masks and rows are another reader's answers.
_TO_READ = ("images", "protocol.toml", "subjects.csv")
_START_SECONDS = 60


def read(options: Namespace) -> int:
    """``mrecist read``."""
    if options.study is None and not options.sample:
        raise InputError("no study: give its folder (docs/files.md), or --sample for a copy of the sample study")
    if options.segmenter:
        _check_segmenter(options.segmenter)
    if not options.status:
        _check_napari()
        _check_screen()
    if options.store is None and options.files:
        raise InputError("--files is the folder of a store's files; name the store with --store")
    if options.store is not None and options.protocol:
        raise InputError("--protocol: a store is read by its own protocol; change it with: mrecist reads protocol")
    study = _open(options)
    if options.store is not None:
        return _on_store(study, options)
    if options.status:
        return _status(study, options)
    from mrecist.session.worklist import StudyReads

    reads = StudyReads(study, options.reader)
    import_module("mrecist_napari.opening").read(reads, options.subject or "", options.segmenter)
    return DONE


def _on_store(study: Study, options: Namespace) -> int:
    """The cases of one reader of a core lab's store."""
    from mrecist.session.store_reads import StoreReads

    reads = StoreReads(study, options.store or str(study.root), options.reader, options.files)
    if options.status:
        return _store_status(reads, options)
    import_module("mrecist_napari.opening").read(reads, options.subject or "", options.segmenter)
    return DONE


def _open(options: Namespace) -> Study:
    from mrecist.study import open_study

    root = copy_sample(options.study or _SAMPLE) if options.sample else options.study
    if options.store is not None:
        root = root.resolve()  # no message of a blinded read may show a path below it
    with progress() as report:
        study = open_study(root, options.protocol, lambda done, of: report("headers", done, of))
    if not study.subjects:
        raise InputError(f"{study.root}: has no subject to read; put its images below images/")
    return study


# --- what the window needs -------------------------------------------------------------------------------------------


def _check_napari() -> None:
    missing = [name for name in ("napari", "mrecist_napari") if find_spec(name) is None]
    if missing:
        raise InputError(f"{missing[0]} is not installed; the reading room needs it: pip install 'mrecist[napari]'")


def _check_screen() -> None:
    """Qt aborts the whole process where it finds no screen, so it is asked in a process of its own first."""
    platform = os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if platform in ("offscreen", "minimal"):
        raise InputError(f"QT_QPA_PLATFORM is '{platform}', which shows no images; unset it and read on a screen")
    bare = sys.platform.startswith("linux") and not platform
    if bare and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise InputError(
            "there is no screen (neither DISPLAY nor WAYLAND_DISPLAY is set); read on a desktop, or use --status"
        )
    ask = [sys.executable, "-P", "-c", "from qtpy.QtWidgets import QApplication; QApplication([])"]
    try:
        asked = subprocess.run(
            ask, capture_output=True, text=True, errors="replace", timeout=_START_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"the screen gave no answer within {_START_SECONDS} s; check DISPLAY") from None
    if asked.returncode:
        lines = [line.strip() for line in asked.stderr.splitlines() if line.strip()]
        why = next((line for line in lines if line.startswith("qt.")), lines[-1] if lines else "Qt gave no reason")
        raise InputError(f"no window can be opened: {why}; check DISPLAY and the Qt libraries, or use --status")


def _check_segmenter(name: str) -> None:
    from mrecist.segmenters.bench import Bench

    why = Bench().why_not(name)
    if why:
        raise InputError(f"--segmenter {name}: {why}")


def copy_sample(folder: Path) -> Path:
    """A copy of the sample study to read in; one that is there already is gone on with."""
    from mrecist.samples.build import sample_study_path

    source = sample_study_path()
    if (folder / "images").is_dir() and (folder / "protocol.toml").is_file():
        say(f"the sample study is in {folder.resolve()}; its reads go on")
        return folder
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: is there and is no copy of the sample study; name another folder")
    # Whole or not at all: a copy that is cut off never has the name.
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for name in _TO_READ:
        one = source / name
        if one.is_dir():
            shutil.copytree(one, unfinished / name)
        else:
            shutil.copy(one, unfinished / name)
    if folder.is_dir():
        folder.rmdir()
    unfinished.replace(folder)
    say(f"a copy of the sample study is in {folder.resolve()}; what you read is kept there")
    return folder


# --- how far a read is ------------------------------------------------------------------------------------------------


def _status(study: Study, options: Namespace) -> int:
    from mrecist.session.case import open_case
    from mrecist.session.worklist import work_of

    if options.subject:
        open_case(study, options.subject)  # a subject that was named must be there
    names = [options.subject] if options.subject else [one.subject for one in study.subjects]
    works = [work_of(study, name, options.reader) for name in names]
    said = [_of(study, work, options.reader) for work in works]
    if options.json:
        show_json({"reader": options.reader, "subjects": said})
    else:
        for one in said:
            _print(one)
    return SOME_FAILED if any(work.problem for work in works) else DONE


def _store_status(reads: StoreReads, options: Namespace) -> int:
    """How far the reader's own cases are: no dates, and nothing of visits to come."""
    name = reads.name_of(options.subject) if options.subject else ""
    works = [work for work in reads.works() if name in ("", work.subject)]
    if options.json:
        cases = [
            {
                "case": work.subject,
                "state": work.state,
                "locked": sorted(work.signed),
                "next": work.next_visit,
                "day": work.day,
                "last_day": work.last_day,
                "elsewhere": work.elsewhere,
                "unsent": work.unwritten,
                "amending": list(work.amending),
                "problem": work.problem,
            }
            for work in works
        ]
        show_json({"reader": reads.reader, "cases": cases})
    else:
        for work in works:
            show(f"{work.subject}: {_store_words(work)}")
    return SOME_FAILED if any(work.problem for work in works) else DONE


def _store_words(work: Work) -> str:
    if work.problem:
        return f"cannot be read: {work.problem}"
    said = [work.state, f"{len(work.signed)} visits locked"]
    said += [f"next: time point {work.next_visit} (day {work.days})"] if work.next_visit is not None else []
    said += [f"time point {t} is being amended" for t in work.amending]
    said += ["open in another window"] if work.elsewhere else []
    said += ["a signed visit is not in the store yet"] if work.unwritten else []
    return ", ".join(said)


def _of(study: Study, work: Work, reader: str) -> dict[str, Any]:
    """A read as plain values. A read that was not begun is not begun by asking, and one that is open elsewhere is left alone."""
    from mrecist.session.case import open_case

    read: dict[str, Any] = {
        "subject": work.subject,
        "state": work.state,
        "begun": work.begun,
        "elsewhere": work.elsewhere,
        "next": work.next_visit,
        "unwritten": work.unwritten,
        "problem": work.problem,
        "visits": [],
    }
    if work.problem:
        return read
    if work.begun and not work.elsewhere:
        return read | {"visits": _visits(study, work, reader)}
    case = open_case(study, work.subject)
    read["visits"] = [
        _visit(v.timepoint, v.date.isoformat(), work.signed.get(v.timepoint, ""), [], {}) for v in case.visits
    ]
    return read


def _visits(study: Study, work: Work, reader: str) -> list[dict[str, Any]]:
    from mrecist.session.room import Room

    room = Room(study, work.subject, reader)
    try:
        now = room.live()
        visits = []
        for visit in room.case.visits:
            t = visit.timepoint
            signed = work.signed.get(t, "")
            points = [] if signed else [point.what for point in room.open_points(t)]
            overall = {r.criterion: str(r.overall) for r in now.responses if r.timepoint == t and r.overall is not None}
            visits.append(_visit(t, visit.date.isoformat(), signed, points, overall))
        return visits
    finally:
        room.close()


def _visit(timepoint: int, day: str, signed: str, points: list[str], overall: dict[str, str]) -> dict[str, Any]:
    return {"timepoint": timepoint, "date": day, "signed": signed, "open": points, "overall": overall}


def _print(read: dict[str, Any]) -> None:
    if read["problem"]:
        show(f"{read['subject']}: cannot be read: {read['problem']}")
        return
    signed = sum(bool(visit["signed"]) for visit in read["visits"])
    said = [read["state"], f"{signed} of {len(read['visits'])} visits signed"]
    said += [f"next: time point {read['next']}"] if read["next"] is not None else []
    said += ["open in another window"] if read["elsewhere"] else []
    said += ["files of the last signature not written yet"] if read["unwritten"] else []
    show(f"{read['subject']}: {', '.join(said)}")
    for visit in read["visits"]:
        state = f"signed by {visit['signed']}" if visit["signed"] else "open"
        overall = ", ".join(f"{name} {word}" for name, word in visit["overall"].items())
        show(f"  {visit['timepoint']}  {visit['date']}  {state}" + (f"  {overall}" if overall else ""))
        for point in visit["open"]:
            show(f"       - {point}")
