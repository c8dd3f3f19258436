"""A frame that aborts, loops, eats memory or panics ends one process and is one line; the frame after it is decoded."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from build_series import axial, dataset_of
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from mrecist.errors import SeriesError
from mrecist.imaging import pixels
from mrecist.imaging.codecs import FrameFormat
from mrecist.imaging.decoder_pool import DecodeError, DecoderPool, processors, shared_pool
from mrecist.imaging.limits import DecoderLimits
from mrecist.imaging.scan import scan_folder
from mrecist.imaging.volume import load_volume

FORM = FrameFormat(
    syntax=JPEG2000Lossless, rows=4, columns=6, allocated=16, stored=16, signed=False, photometric="MONOCHROME2"
)
LIMITS = DecoderLimits(memory_mib=700, seconds=3)
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and address space limits are those of POSIX")


@pytest.fixture
def pool() -> Iterator[DecoderPool]:
    made = DecoderPool(2, LIMITS, codecs="stand_in_codecs")
    yield made
    made.close()


HOSTILE = {
    "abort": r"the decoder ended with signal SIGABRT; the file is damaged",
    "fault": r"the decoder ended with signal SIGSEGV; the file is damaged",
    "exit": r"the decoder ended with exit code 3; the file is damaged",
    "loop": r"decoding takes longer than the limit of 3 s \(MRECIST_DECODER_SECONDS\)",
    "panic": r"PanicException: index out of bounds: the len is 4",
    "wide": r"decoded to \(4, 7\) of type 'u2' where Rows x Columns are \(4, 6\)",
    "floats": r"decoded to \(4, 6\) of type 'f8' where Rows x Columns are \(4, 6\)",
}


@pytest.mark.parametrize("used", [False, True], ids=["new process", "used process"])
@pytest.mark.parametrize("word", HOSTILE)
def test_a_hostile_frame_is_one_line_and_the_next_is_decoded(word: str, used: bool, pool: DecoderPool) -> None:
    if used:
        assert pool.decode(FORM, b"fill 1")[0, 0] == 1
    with pytest.raises(DecodeError, match=HOSTILE[word]) as caught:
        pool.decode(FORM, word.encode())
    assert "\n" not in str(caught.value)
    assert pool.decode(FORM, b"fill 5").tolist() == [[5] * 6] * 4


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces a limit of the address space")
def test_memory_has_a_limit() -> None:
    """At 64 MiB a step the process fails at its 700 MiB, long before the memory of the machine."""
    pool = DecoderPool(1, replace(LIMITS, seconds=120), codecs="stand_in_codecs")
    text = r"decoding needs more than the limit of 700 MiB \(MRECIST_DECODER_MEMORY_MIB\)"
    with pytest.raises(DecodeError, match=text):
        pool.decode(FORM, b"allocate")
    assert pool.decode(FORM, b"fill 5")[0, 0] == 5
    pool.close()


def test_time_is_counted_from_the_frame_not_from_the_start(pool: DecoderPool) -> None:
    begun = time.monotonic()
    with pytest.raises(DecodeError, match="takes longer"):
        pool.decode(FORM, b"loop")
    assert 3 <= time.monotonic() - begun < 20


def test_processes_are_kept_and_a_frame_is_not_blamed_for_an_earlier_one(pool: DecoderPool) -> None:
    """``spoilt`` aborts in any process that decoded before, as after a damaged heap: a new process decodes it."""
    assert pool.decode(FORM, b"fill 1")[0, 0] == 1
    assert pool.decode(FORM, b"spoilt 9")[0, 0] == 9


@pytest.mark.parametrize("word", ["print", "noise"])
def test_what_a_library_prints_is_not_taken_for_values(word: str, pool: DecoderPool) -> None:
    assert (pool.decode(FORM, f"{word} 3".encode()) == 3).all()


def test_every_process_has_a_folder_of_its_own_that_goes_with_it(pool: DecoderPool) -> None:
    assert (pool.decode(FORM, b"files") == 0).all()
    place = pool._places.get()
    assert place is not None
    folder = Path(place._folder.name)
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o077 == 0
    pool._places.put(place)
    pool.close()
    assert not folder.exists()


def test_threads_share_a_pool_smaller_than_they_are_many(pool: DecoderPool) -> None:
    """60 frames from 6 threads through 2 processes, every tenth of which aborts: each answer belongs to its frame."""

    def one(number: int) -> int | None:
        try:
            return int(pool.decode(FORM, b"abort" if number % 10 == 0 else b"fill %d" % number)[0, 0])
        except DecodeError:
            return None

    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(one, range(60)))
    assert found == [None if n % 10 == 0 else n for n in range(60)]


def test_a_large_frame_goes_through_pipes_whole(pool: DecoderPool) -> None:
    form = replace(FORM, rows=3000, columns=2500)
    assert (pool.decode(form, b"fill 65535" + b" " * 5_000_000) == 65535).all()


def test_a_process_that_was_killed_from_outside_is_replaced(pool: DecoderPool) -> None:
    pool.decode(FORM, b"fill 1")
    place = pool._places.get()
    assert place is not None
    os.kill(place._process.pid, signal.SIGKILL)
    pool._places.put(place)
    assert pool.decode(FORM, b"fill 2")[0, 0] == 2


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_decoders_end_with_the_program() -> None:
    """Killed without a chance to tidy up: its decoder sees the end of its input and ends too."""
    program = (
        "import os, signal, sys\n"
        "from test_imaging_decoder_pool import FORM, LIMITS, DecoderPool\n"
        "pool = DecoderPool(1, LIMITS, codecs='stand_in_codecs'); pool.decode(FORM, b'fill 1')\n"
        "place = pool._places.get(); print(place._process.pid, place._folder.name, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    places = os.pathsep.join(p or os.getcwd() for p in sys.path)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=False,
    )
    number, folder = done.stdout.split()
    state = Path(f"/proc/{number}/stat")
    for _ in range(100):
        if not state.exists() or ") Z " in state.read_text():
            break
        time.sleep(0.1)
    else:
        pytest.fail("the decoder is still running")
    assert not Path(folder).exists()


def decoders_of_a_worker(_: int) -> tuple[int, int]:
    return processors(), shared_pool().size


def test_a_worker_of_a_batch_uses_one_decoder() -> None:
    """Otherwise 64 workers on 64 processors would start 4096."""
    with multiprocessing.get_context("spawn").Pool(1) as workers:
        assert workers.map(decoders_of_a_worker, [0]) == [(1, 1)]


def test_a_fork_starts_processes_of_its_own() -> None:
    assert shared_pool() is shared_pool()
    reader, writer = os.pipe()
    mine = id(shared_pool())
    child = os.fork()
    if child == 0:  # pragma: no cover - runs in the fork
        os.write(writer, b"own" if id(shared_pool()) != mine else b"shared")
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    assert os.read(reader, 10) == b"own"
    os.close(reader)


# A series ---------------------------------------------------------------------------------------------------------------


def series_of(folder: Path, frames: list[bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for index, (image, frame) in enumerate(zip(axial(len(frames)), frames, strict=True)):
        ds = dataset_of(image, index)
        ds.file_meta.TransferSyntaxUID = JPEG2000Lossless
        ds.PixelData = encapsulate([frame])
        ds["PixelData"].VR = "OB"
        ds.save_as(folder / f"{index}.dcm", enforce_file_format=True)


@pytest.mark.parametrize("word", ["abort", "loop", "panic"])
def test_one_bad_file_is_one_line_that_names_it(
    word: str, tmp_path: Path, pool: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "shared_pool", lambda: pool)
    series_of(tmp_path / "bad", [b"fill 1", b"fill 2", word.encode(), b"fill 4", word.encode()])
    series_of(tmp_path / "good", [b"fill %d" % n for n in range(5)])
    threads = threading.active_count()
    with pytest.raises(SeriesError, match=HOSTILE[word]) as caught:
        load_volume(scan_folder(tmp_path / "bad").series[0])
    assert str(caught.value).startswith(f"{tmp_path / 'bad' / '2.dcm'}: pixel data cannot be decoded: JPEG 2000")
    assert "(1.2.840.10008.1.2.4.90)" in str(caught.value)
    voxels = load_volume(scan_folder(tmp_path / "good").series[0]).voxels
    assert voxels[:, 0, 0].tolist() == [n - 1024 for n in range(5)]
    assert threading.active_count() <= threads + 1  # clocks that were stopped, at most one still ending
