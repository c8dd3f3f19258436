"""An archive of many small cases made from one subject of the sample study, a share of them broken, each in a known way.

Each case gets its own UIDs and its own name in place of the sample's, byte for byte and of the same length, so that making one costs
no more than copying its files. ``BREAKS`` says in how many ways a case can be broken; every one must end in quarantine.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from mrecist.samples.build import sample_study_path

TEMPLATE = "SAMPLE-05"
_UID = re.compile(rb"2\.25\.[0-9]{30,39}")
_READS = "subject,timepoint,date,reader,lesion,role,organ,state,pattern\n"


def name_of(number: int) -> str:
    """A name as long as the sample's."""
    return f"C{number:08d}"


def make_archive(root: Path, cases: int, broken: int) -> dict[str, str]:
    """A study folder of ``cases`` cases; which of them are broken, and how. Spread evenly, the kinds in turn."""
    template = _template()
    every = cases // broken if broken else 0
    wrong: dict[str, str] = {}
    reads = [_READS]
    for number in range(cases):
        name = name_of(number)
        for place, content in template.items():
            path = root / place.replace(TEMPLATE, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_renamed(content, number))
        reads.append(f"{name},2,2024-06-26,R1,NEW01,new,liver,unequivocal,typical\n")
        if every and number % every == every - 1 and len(wrong) < broken:
            kind = list(BREAKS)[len(wrong) % len(BREAKS)]
            images = root / "images" / name / "0" / "arterial"
            BREAKS[kind](images / "0006.dcm", root / "masks" / f"{name}_0.dcm")
            wrong[name] = kind
    (root / "reads").mkdir()
    (root / "reads" / "R1.csv").write_text("".join(reads), encoding="utf-8")
    return wrong


def _template() -> dict[str, bytes]:
    """One series a visit and its segmentation, by their places in a study folder."""
    sample = sample_study_path()
    files = [*sample.glob(f"images/{TEMPLATE}/*/arterial/*.dcm"), *sample.glob(f"masks/{TEMPLATE}_*.dcm")]
    return {str(path.relative_to(sample)): path.read_bytes() for path in sorted(files)}


def _renamed(content: bytes, number: int) -> bytes:
    content = content.replace(TEMPLATE.encode(), name_of(number).encode())
    digits = b"%08d" % number
    return _UID.sub(lambda found: found[0][:-8] + digits, content)


# --- ways to break a case: (a slice in the middle of the lesion, the segmentation of that visit) ------------------------


def _truncated(image: Path, _mask: Path) -> None:
    image.write_bytes(image.read_bytes()[: image.stat().st_size // 2])


def _empty(image: Path, _mask: Path) -> None:
    image.write_bytes(b"")


def _text(image: Path, _mask: Path) -> None:
    image.write_text("See the other disc.\n", encoding="utf-8")


def _dangling(image: Path, _mask: Path) -> None:
    image.unlink()
    image.symlink_to(image.parent / "gone" / "0006.dcm")


def _unreadable(image: Path, _mask: Path) -> None:
    """A link to itself: nobody can open it, the superuser neither."""
    image.unlink()
    image.symlink_to(image)


def _other_patient(image: Path, _mask: Path) -> None:
    content = image.read_bytes()
    own = image.parents[2].name.encode()
    image.write_bytes(content.replace(own, b"X" + own[1:]))


def _no_number(image: Path, _mask: Path) -> None:
    """ImagePositionPatient that is no number, in the length of the old value."""
    content = image.read_bytes()
    start = content.index(b"\x20\x00\x32\x00DS") + 6
    (length,) = struct.unpack("<H", content[start : start + 2])
    value = b"nan\\nan\\nan".ljust(length)
    image.write_bytes(content[: start + 2] + value + content[start + 2 + length :])


def _inflates(image: Path, _mask: Path) -> None:
    """A deflated data set of 200 kB that inflates to 200 MB."""
    head = image.read_bytes()[:132]
    syntax = b"1.2.840.10008.1.2.1.99"
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(syntax)) + syntax
    meta = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(meta)) + meta
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    block = bytes(2**20)
    body = b"".join([*(packer.compress(block) for _ in range(200)), packer.flush()])
    image.write_bytes(head + meta + body)


def _claims_too_much(image: Path, _mask: Path) -> None:
    """A JPEG-LS frame of 172 x 206 that says it has 65535 x 65535."""
    content = bytearray(image.read_bytes())
    frame = content.index(b"\xff\xd8\xff\xf7")
    content[frame + 7 : frame + 11] = b"\xff\xff\xff\xff"
    image.write_bytes(content)


def _half_a_mask(_image: Path, mask: Path) -> None:
    mask.write_bytes(mask.read_bytes()[: mask.stat().st_size * 3 // 4])


BREAKS: dict[str, Callable[[Path, Path], None]] = {
    "slice truncated": _truncated,
    "slice of another patient": _other_patient,
    "position not a number": _no_number,
    "deflate bomb": _inflates,
    "frame that claims 65535 x 65535": _claims_too_much,
    "empty file": _empty,
    "text named .dcm": _text,
    "dangling link": _dangling,
    "file that cannot be opened": _unreadable,
    "segmentation truncated": _half_a_mask,
}


def size_of(root: Path) -> tuple[int, int]:
    """Files and bytes below a folder."""
    found = [os.lstat(os.path.join(folder, name)).st_size for folder, _, names in os.walk(root) for name in names]
    return len(found), sum(found)
