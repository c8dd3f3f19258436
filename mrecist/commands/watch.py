"""``watch``."""

from __future__ import annotations

import signal
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mrecist.commands._terminal import DONE, SOME_FAILED, say
from mrecist.errors import InputError

if TYPE_CHECKING:
    from mrecist.watching.polling import Polled

_QUERY = ("patient", "subjects", "first", "last", "study_uid", "modality", "description")


def watch(options: Namespace) -> int:
    """``mrecist watch``."""
    from mrecist.watching.holding import held
    from mrecist.watching.watch import Watch
    from mrecist.watching.watch import watch as look_again_and_again

    if not options.folder.is_dir() and not _has_archive(options):
        raise InputError(f"{options.folder}: is not a folder; give a study folder, or a folder of study folders")
    stop = _Stop()
    with held(options.out), stop.heard():
        watched = Watch(
            options.folder,
            options.out,
            _scoring(options, stop),
            settings=_settings(options),
            settle=options.settle,
            tell=_tell,
            archive=_archive(options) if _has_archive(options) else None,
        )
        if not options.once:
            _tell(f"watching {options.folder}, every {options.every:g} s; Ctrl-C or SIGTERM ends it")
        try:
            looks = look_again_and_again(
                watched, every=options.every, settle=options.settle, once=options.once, wait=stop.wait
            )
        except KeyboardInterrupt:
            _tell("stopped; run the same command again to go on")
            return DONE
    return SOME_FAILED if looks.failed else DONE


def _tell(line: str) -> None:
    say(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line}")


_PIECE_OF_A_WAIT = 0.5  # seconds


class _Stop:
    """Ctrl-C or SIGTERM: drops what is measured, which is kept piece by piece, and lets results be written to the end.

    A second one ends that too.
    """

    def __init__(self) -> None:
        self._writing = self._asked = False

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear the signals."""
        before = {number: signal.signal(number, self._hear) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _hear(self, _number: int, _frame: object) -> None:
        first, self._asked = not self._asked, True
        if not (self._writing and first):
            raise KeyboardInterrupt

    def progress(self, what: str, done: int, of: int, failed: int = 0) -> None:
        """Told how far scoring is."""
        del failed
        self._writing = what == "writing the report" and done < of

    def wait(self, seconds: float) -> None:
        """Wait, unless asked to stop."""
        until = time.monotonic() + seconds
        self.check()
        while (left := until - time.monotonic()) > 0:
            # In short pieces: an interrupt that Python raises in the clean-up of an object is lost, what was asked is not.
            time.sleep(min(left, _PIECE_OF_A_WAIT))
            self.check()

    def check(self) -> None:
        """Stop now when asked to."""
        self._writing = False
        if self._asked:
            raise KeyboardInterrupt


def _scoring(options: Namespace, stop: _Stop) -> Callable[[Path, Path], tuple[str, bool]]:
    from mrecist.batch import score_study
    from mrecist.cases import summary_text
    from mrecist.commands.studies import running_of

    def score(study: Path, out: Path) -> tuple[str, bool]:
        stop.check()
        scored = score_study(
            study,
            out,
            protocol_file=options.protocol,
            criteria=options.criterion,
            repeat=options.repeat,
            running=running_of(options, fresh=False),
            progress=stop.progress,
        )
        return summary_text(scored.cases).splitlines()[0], bool(scored.results.problems)

    return score


def _settings(options: Namespace) -> str:
    """What the results depend on beside the study."""
    protocol = "" if options.protocol is None else options.protocol.read_text(encoding="utf-8")
    return repr((protocol, options.criterion, options.repeat))


def _has_archive(options: Namespace) -> bool:
    asked = options.server is not None or options.config is not None
    if not asked and any(getattr(options, name) is not None for name in _QUERY):
        raise InputError("watch: what to fetch goes with --server, or --config: without them only FOLDER is watched")
    return asked


def _archive(options: Namespace) -> Polled:
    from mrecist.commands.archives import connect, query_of, say_in_clear
    from mrecist.pacs.server import load_server
    from mrecist.watching.polling import Polled

    server = load_server(options.config, options.server)
    query_of(options)  # said now, and not at every look
    connect(server).__exit__()
    say_in_clear(server)
    return Polled(
        lambda: connect(server),
        lambda: query_of(options),
        server.patience,
        folder=options.folder,
        out=options.out,
        settle=options.settle,
        tell=_tell,
    )
