"""Masks of a read, kept by their content: a file is written once, whole, and never changed.

A mask is kept as its bounding box in bits, so a lesion of a large volume is a few kilobytes. The key is the SHA-256 of what
is kept, so a damaged file is found when it is read.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError
from mrecist.tables import write_whole

BoolArray = npt.NDArray[np.bool_]


class KeptMasks:
    """The masks in a folder, by key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._waiting: dict[str, bytes] = {}
        self._read = lru_cache(maxsize=32)(self._load)

    def keep(self, mask: BoolArray) -> str:
        """Write a (Z, Y, X) mask unless it is there; its key. What a full disk refuses waits for :meth:`save`."""
        head, bits = packed(np.asarray(mask, dtype=np.bool_))
        key = _key(head, bits)
        if key not in self._waiting and not self._path(key).exists():
            self._waiting[key] = head + b"\n" + zlib.compress(bits, 6)
            with suppress(OSError):
                self.save()
        return key

    def key_of(self, mask: BoolArray) -> str:
        """The key that a mask has once it is kept; nothing is written."""
        return _key(*packed(np.asarray(mask, dtype=np.bool_)))

    def save(self) -> None:
        """Write the masks that wait. Raises :class:`OSError` when the disk refuses them; they wait on then."""
        for key, content in tuple(self._waiting.items()):
            write_whole(self._path(key), content)
            del self._waiting[key]

    def get(self, key: str) -> BoolArray:
        """The mask of a key, not to be written to; raises :class:`MaskError` when it is absent or damaged."""
        return self._read(key)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.mask"

    def _load(self, key: str) -> BoolArray:
        path = self._path(key)
        try:
            head, _, packed = (self._waiting.get(key) or path.read_bytes()).partition(b"\n")
            bits = zlib.decompress(packed)
        except (OSError, zlib.error) as error:
            raise MaskError(f"{path}: the mask cannot be read ({error}); draw the lesion again") from None
        if _key(head, bits) != key:
            raise MaskError(f"{path}: the mask is damaged: its content is not what was kept; draw the lesion again")
        return unpacked(head, bits)


def _key(head: bytes, bits: bytes) -> str:
    return hashlib.sha256(head + bits).hexdigest()


def packed(mask: BoolArray) -> tuple[bytes, bytes]:
    """A (Z, Y, X) mask as its head (JSON: shape and box) and the bits inside the box."""
    box = [[0, 0]] * 3
    if mask.any():
        box = []
        for axis in range(3):
            held = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
            box.append([int(held[0]), int(held[-1]) + 1])
    inside = mask[tuple(slice(*span) for span in box)]
    head = json.dumps({"shape": list(mask.shape), "box": box}).encode("ascii")
    return head, np.packbits(inside).tobytes()


def unpacked(head: bytes, bits: bytes) -> BoolArray:
    """The mask of :func:`packed`, not to be written to."""
    said = json.loads(head)
    mask = np.zeros(said["shape"], dtype=np.bool_)
    size = tuple(stop - start for start, stop in said["box"])
    inside = np.unpackbits(np.frombuffer(bits, dtype=np.uint8), count=int(np.prod(size))).astype(np.bool_)
    mask[tuple(slice(*span) for span in said["box"])] = inside.reshape(size)
    mask.flags.writeable = False
    return mask
