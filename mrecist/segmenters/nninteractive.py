"""nnInteractive (Isensee et al. 2025, arXiv:2503.08373) on a server of the reader's own institution, through its client without torch.

The client is ``nninteractive-client`` (Apache-2.0); model and weights stay on the server. The address comes from the environment and
nowhere else. What is sent is a block of voxels around the lesion with its spacing, the points and marks, and the key of the server.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, metadata
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from mrecist.errors import MaskError, printable
from mrecist.segment.crop import Crop, crop_around
from mrecist.segment.prompt import Index3, Line
from mrecist.segmenters.interface import Images, Prompt, PromptKind, Segmented, filled

NAME = "nninteractive"
SERVER = "MRECIST_NNINTERACTIVE"
PACKAGE = "nninteractive-client"
METHOD = "nnInteractive from points on the long axis"
CLICK_METHOD = "nnInteractive from a click"
# The network sees 192 voxels each way; more than this around a liver lesion is not about it.
REACH_MM = 100.0
# RECIST line -> five points on it, as RECISTto3D does, here evenly and the middle last: the server predicts around the last one.
_POINTS = (1 / 6, 5 / 6, 2 / 6, 4 / 6, 3 / 6)
_CONNECT_S, _ANSWER_S = 10.0, 120.0
_LOCAL = ("localhost", "127.0.0.1", "::1")
# What a server says whose model came without a licence.
_NO_LICENCE = ("", "!!MISSING!!")


class NNInteractive:
    """A :class:`mrecist.segmenters.interface.Segmenter`.

    Parameters
    ----------
    server : ``http://host:port`` or https; the environment variable ``MRECIST_NNINTERACTIVE`` unless given. Where the server asks for a
        key, its client takes it from ``NN_INTERACTIVE_API_KEY``.
    answer_s : how long one answer of the server is waited for.
    """

    prompts = frozenset({PromptKind.LINE, PromptKind.CLICK, PromptKind.SCRIBBLES})

    def __init__(self, server: str | None = None, answer_s: float = _ANSWER_S) -> None:
        self._server = (os.environ.get(SERVER, "") if server is None else server).strip().rstrip("/")
        self._answer_s = answer_s
        self._images: Images | None = None
        self._session: Any = None
        self._licence = ""
        self._sent = ""
        self._buffer: npt.NDArray[np.uint8] | None = None

    def available(self) -> tuple[bool, str]:
        """Whether the client is installed and a server is named; the server itself is not asked."""
        if _client_version() is None:
            return False, f"{PACKAGE} is not installed: pip install 'mrecist[nninteractive]'"
        if not self._server:
            return False, f"no server is named; set {SERVER}, for example to http://gpu-box:1527"
        wrong = _wrong_address(self._server)
        return (False, f"{SERVER}: {wrong}") if wrong else (True, "")

    def notice(self) -> str:
        """Where the voxels go, and the licence of the weights as the server states it; raises :class:`MaskError` without a server."""
        self._connect()
        open_line = urlsplit(self._server)
        plain = open_line.scheme == "http" and open_line.hostname not in _LOCAL
        return (
            f"{NAME} sends the voxels within {REACH_MM:g} mm of the lesion, without headers or names, to {self._server}"
            f"{', NOT ENCRYPTED' if plain else ''}. Licence of the model's weights: {self._licence}."
        )

    def start(self, images: Images) -> None:
        """The images of the next prompt; nothing is sent yet."""
        self._images = images

    def segment(self, prompt: Prompt) -> Segmented:
        """The lesion; raises :class:`MaskError` where the server cannot be reached, breaks off, refuses or answers what cannot be read."""
        images = self._images
        if images is None:
            raise MaskError(f"{NAME}: there are no images; start comes first")
        points, crop = _points_and_crop(prompt, images)
        block = np.ascontiguousarray(filled(images.voxels[crop.box]))
        mask, used = self._predicted(block, crop, points, prompt)
        whole = np.zeros(images.voxels.shape, dtype=np.uint8)
        whole[crop.box] = mask
        return Segmented(
            whole=whole,
            method=METHOD if prompt.line is not None else CLICK_METHOD,
            version=_client_version() or "unknown",
            parameters={
                "server": self._server,
                "server_version": str(self._session.INFERENCE_SESSION_VERSION),
                "reach_mm": REACH_MM,
                "sent": [[part.start, part.stop] for part in crop.box],
                "points": [list(point) for point in points],
                "scribbles": used,
            },
            weights_licence=self._licence,
        )

    def close(self) -> None:
        """Give the place on the server back."""
        session, self._session = self._session, None
        self._images, self._buffer, self._sent = None, None, ""
        if session is not None:
            session.close()

    # --- the server ------------------------------------------------------------------------------------------------

    def _predicted(
        self, block: npt.NDArray[np.float32], crop: Crop, points: list[tuple[int, int, int]], prompt: Prompt
    ) -> tuple[npt.NDArray[np.uint8], int]:
        """The mask on the block, and how many scribbles were sent. A place on the server that ran out is asked for once more."""
        expired: type[Exception] = _client().SessionExpiredError
        for again in (True, False):
            self._connect()
            try:
                with self._told(expired):
                    return self._ask(block, crop, points, prompt)
            except expired:
                self._session = None
                if not again:
                    raise MaskError(
                        f"{NAME}: the server at {self._server} ended the session twice; try again"
                    ) from None
        raise AssertionError("the second round returns or raises")

    def _connect(self) -> None:
        if self._session is not None:
            return
        with self._told():
            session = _session(self._server, self._answer_s)
        stated = printable(str(session.license or "").strip(), most=120)
        licence = "not stated by the server" if stated in _NO_LICENCE else stated
        if self._licence and licence != self._licence:
            session.close()
            raise MaskError(
                f"{NAME}: the licence of the weights was {self._licence} and is {licence} now; choose it again"
            )
        self._session, self._licence, self._sent = session, licence, ""

    def _ask(
        self, block: npt.NDArray[np.float32], crop: Crop, points: list[tuple[int, int, int]], prompt: Prompt
    ) -> tuple[npt.NDArray[np.uint8], int]:
        session = self._session
        supported = session.supported_interactions
        scribbles = list(_scribbles(prompt, crop))
        for kind in ("points", *(("scribble",) if scribbles else ())):
            if not supported.get(kind, False):
                raise MaskError(f"{NAME}: the model at {self._server} takes no {kind}")
        if not self._is_there(block):
            session.set_image(block[None], {"spacing": list(crop.spacing_mm)})
            self._buffer = np.zeros(block.shape, dtype=np.uint8)
            session.set_target_buffer(self._buffer)
            self._sent = _digest(block)
        else:
            session.reset_interactions()
        low = [part.start for part in crop.box]
        for number, point in enumerate(points, start=1):
            local = [p - offset for p, offset in zip(point, low, strict=True)]
            session.add_point_interaction(local, include_interaction=True, run_prediction=number == len(points))
        for mask, ranges, include in scribbles:
            session.add_scribble_interaction(mask, include_interaction=include, interaction_bbox=ranges)
        assert self._buffer is not None
        return self._buffer.copy(), len(scribbles)

    def _is_there(self, block: npt.NDArray[np.float32]) -> bool:
        """The block lies on the server already: marks on the same lesion do not send it again."""
        return self._buffer is not None and self._sent == _digest(block)

    @contextmanager
    def _told(self, *passed: type[Exception]) -> Iterator[None]:
        """Whatever goes wrong with the server as one line."""
        try:
            yield
        except Exception as error:
            if isinstance(error, (MaskError, *passed)):
                raise
            raise MaskError(f"{NAME}: the server at {self._server} {self._trouble(error)}") from None

    def _trouble(self, error: Exception) -> str:
        """What the server did; the client checks little of what it is sent, so anything may come."""
        httpx = import_module("httpx")
        if isinstance(error, httpx.HTTPStatusError):
            response: Any = error.response
            key = "; its key belongs in NN_INTERACTIVE_API_KEY" if response.status_code in (401, 403) else ""
            return f"refused with {response.status_code} {response.text[:120]}{key}"
        for kind, words in (
            (_client().ServerAtCapacityError, "has no place free; try again later"),
            (httpx.ConnectTimeout, f"cannot be reached within {_CONNECT_S:g} s"),
            (httpx.TimeoutException, f"gave no answer in {self._answer_s:g} s"),
            (httpx.ConnectError, f"cannot be reached: {error}"),
            (httpx.HTTPError, f"broke off: {str(error).rstrip('.')}"),
        ):
            if isinstance(error, kind):
                return words
        return f"gave an answer that cannot be read: {type(error).__name__} {error}"


def points_on(line: Line) -> list[tuple[int, int, int]]:
    """Five voxels (z, y, x) evenly on a line, fewer where it is short, its middle last."""
    start, end = np.array(line.start), np.array(line.end)
    points = [_voxel(start + (end - start) * at) for at in _POINTS]
    return [point for number, point in enumerate(points) if point not in points[number + 1 :]]


def _points_and_crop(prompt: Prompt, images: Images) -> tuple[list[tuple[int, int, int]], Crop]:
    shape = images.voxels.shape
    if prompt.line is not None:
        line, points = prompt.line, points_on(prompt.line)
    elif prompt.click is not None:
        line, points = Line(start=prompt.click, end=prompt.click), [_voxel(prompt.click)]
    else:
        raise MaskError(f"{NAME} takes a line or a click")
    half = float(np.linalg.norm((np.array(line.end) - np.array(line.start)) * images.spacing_mm)) / 2
    crop = crop_around(line, (shape[0], shape[1], shape[2]), images.spacing_mm, half + REACH_MM)
    return points, crop


def _scribbles(prompt: Prompt, crop: Crop) -> Iterator[tuple[npt.NDArray[np.uint8], list[list[int]], bool]]:
    """(mask, ranges on the block, belongs to the lesion) for the marks of each slice: the model was trained on strokes in one slice."""
    if prompt.scribbles is None:
        return
    for marks, include in ((prompt.scribbles.add, True), (prompt.scribbles.remove, False)):
        local = np.array(marks, dtype=np.int64).reshape(-1, 3) - [part.start for part in crop.box]
        if ((local < 0) | (local >= crop.shape)).any():
            raise MaskError(f"{NAME}: a mark lies outside the {REACH_MM:g} mm around the lesion that are sent")
        for z in dict.fromkeys(local[:, 0].tolist()):
            on = local[local[:, 0] == z]
            low, high = on.min(axis=0), on.max(axis=0) + 1
            mask = np.zeros(high - low, dtype=np.uint8)
            mask[tuple((on - low).T)] = 1
            yield mask, [[int(a), int(b)] for a, b in zip(low, high, strict=True)], include


def _voxel(point: Index3 | npt.NDArray[np.float64]) -> tuple[int, int, int]:
    z, y, x = (round(float(p)) for p in point)
    return z, y, x


def _digest(block: npt.NDArray[np.float32]) -> str:
    return hashlib.sha256(repr(block.shape).encode() + block.tobytes()).hexdigest()


def _client() -> Any:
    return import_module("nnInteractive.inference.remote")


def _session(server: str, answer_s: float) -> Any:
    """A place on the server. The client leaves its connection open where it gets none; it is closed here."""
    kind: Any = _client().nnInteractiveRemoteInferenceSession
    session = kind.__new__(kind)
    try:
        session.__init__(server, connect_timeout=_CONNECT_S, read_timeout=answer_s)
    except BaseException:
        connection = vars(session).get("_http")
        if connection is not None:
            connection.close()
        raise
    return session


def _client_version() -> str | None:
    try:
        return metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        return None


def _wrong_address(server: str) -> str:
    """What is wrong with the address of a server; empty when nothing."""
    try:
        parts = urlsplit(server)
        host, _port = parts.hostname, parts.port
    except ValueError as error:
        return f"{server} is no address: {error}"
    if parts.scheme not in ("http", "https") or not host:
        return f"{server} is no address; it begins with http:// or https:// and names a host"
    if parts.username or parts.password:
        return "the address holds a name or password; a key belongs in NN_INTERACTIVE_API_KEY"
    return ""
