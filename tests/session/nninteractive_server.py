"""A stand-in for nninteractive-server on loopback: it speaks the wire protocol of nninteractive-client 2.6 and answers with a ball.

The lesion that it "finds" is the ball around the middle of the points that belong to it, with 3/4 of their largest distance as radius
(points at 1/6 to 5/6 of a line of length L lie 2/3 L apart, so the ball's radius is L/2); voxels of scribbles are added and taken away.
"""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt

LICENCE = "CC BY-NC-SA 4.0"


def ball(
    shape: tuple[int, ...], spacing: tuple[float, ...], points: list[list[float]], radius_mm: float | None = None
) -> npt.NDArray[np.bool_]:
    """Voxels whose centre lies within the radius of the middle of the points."""
    mm = np.array(points) * np.array(spacing)
    apart = np.linalg.norm(mm[:, None] - mm[None], axis=-1).max()
    radius = 0.75 * float(apart) if radius_mm is None else radius_mm
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1) * np.array(spacing)
    return np.asarray(np.linalg.norm(grid - (mm.min(axis=0) + mm.max(axis=0)) / 2, axis=-1) <= radius + 1e-6)


@dataclass
class StandIn:
    """What the server does and what it was sent.

    ``fault``: ``die`` (the connection breaks in a prediction), ``slow`` (no answer until ``let_go``), ``garbage`` (bytes that are no
    array), ``wrong_box``, ``sevens`` (mask values of 7), ``empty``, ``elsewhere`` (a ball in the corner), ``refuse`` (400), ``full``,
    ``expired`` (the next interaction finds its session gone, once), ``no_points``, ``not_json``.
    """

    fault: str = ""
    licence: str = LICENCE
    key: str = ""
    calls: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    images: list[npt.NDArray[Any]] = field(default_factory=list)
    properties: list[dict[str, Any]] = field(default_factory=list)
    points: list[list[float]] = field(default_factory=list)
    scribbles: list[tuple[npt.NDArray[Any], list[list[int]], bool]] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)
    leases: set[str] = field(default_factory=set)
    target: npt.NDArray[Any] | None = None
    connections: list[socket.socket] = field(default_factory=list)

    def __enter__(self) -> StandIn:
        handler = type("Handler", (_Handler,), {"stand_in": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Gone, with its port."""
        self.let_go.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            for one in self.connections:
                with suppress(OSError):  # it is closed already
                    one.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def predicted(self) -> tuple[npt.NDArray[Any], list[list[int]]]:
        """The mask on the box that changed, and the box."""
        assert self.target is not None
        shape = self.target.shape
        spacing = tuple(self.properties[-1]["spacing"])
        found = ball(shape, spacing, self.points)
        if self.fault == "elsewhere":
            found = ball(shape, spacing, [[0.0, 0.0, 0.0]], 5.0)
        for mask, ranges, include in self.scribbles:
            box = tuple(slice(a, b) for a, b in ranges)
            found[box] = np.where(mask > 0, include, found[box])
        if self.fault == "empty":
            found[:] = False
        self.target[:] = found * (7 if self.fault == "sevens" else 1)
        return self.target, [[0, n] for n in shape]


class _Handler(BaseHTTPRequestHandler):
    stand_in: StandIn
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """A connection, which goes with the server."""
        super().setup()
        self.stand_in.connections.append(self.connection)

    def log_message(self, *_words: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        """Health and capabilities."""
        if self.path == "/healthz":
            self._json({"ok": True})
        elif self.path == "/capabilities" and self._may():
            kinds = dict.fromkeys(("points", "scribble", "lasso", "bbox2d"), True) | {"bbox3d": False}
            if self.stand_in.fault == "no_points":
                kinds["points"] = False
            self._json(
                {
                    "supported_interactions": kinds,
                    "channel_mapping": {"prev_seg": 0, "points": [3, 4], "scribble": [5, 6]},
                    "num_interaction_channels": 7,
                    "supports_initial_label": True,
                    "supports_zero_shot_label_refinement": True,
                    "preferred_scribble_thickness": 2,
                    "interaction_decay": 0.9,
                    "do_autozoom": True,
                    "inference_session_version": "2.6.0",
                    "license": self.stand_in.licence,
                    "supports_undo": True,
                }
            )

    def do_POST(self) -> None:
        """Everything else."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        one = self.stand_in
        one.calls.append(self.path)
        one.headers.append(dict(self.headers.items()))
        if not self._may():
            return
        if self.path == "/claim":
            if one.fault == "full":
                self._json({"detail": "server is at capacity (1 sessions)"}, 503)
            elif one.fault == "not_json":
                self._send(b"<html>hotel wifi</html>", "text/html", 200)
            else:
                token = uuid4().hex
                one.leases.add(token)
                self._json({"lease_token": token, "idle_timeout_seconds": 600.0, "liveness_timeout_seconds": 60.0})
            return
        lease = self.headers.get("X-Lease-Token", "")
        if one.fault == "expired" and self.path != "/release":
            one.fault = ""
            one.leases.clear()
        if lease not in one.leases:
            self._json({"detail": "lease expired or unknown"}, 410)
            return
        self._act(body)

    def _act(self, body: bytes) -> None:
        from nnInteractive.inference.remote.serialization import unpack_array

        one = self.stand_in
        meta = json.loads(self.headers.get("X-Meta", "{}"))
        if self.path == "/release":
            one.leases.discard(self.headers["X-Lease-Token"])
            self._json({"released": True})
        elif self.path == "/heartbeat":
            self._json({"remaining_seconds": 600.0})
        elif self.path == "/set_image":
            one.images.append(unpack_array(body))
            one.properties.append(meta["image_properties"])
            one.points.clear()
            one.scribbles.clear()
            self._json({"original_image_shape": list(one.images[-1].shape)})
        elif self.path == "/set_target_buffer":
            asked = json.loads(body)
            one.target = np.zeros(asked["shape"], dtype=asked["dtype"])
            self._json({})
        elif self.path == "/reset_interactions":
            assert one.target is not None
            one.target[:] = 0
            one.points.clear()
            one.scribbles.clear()
            self._json({})
        elif self.path == "/add_point_interaction":
            asked = json.loads(body)
            assert asked["include_interaction"]
            one.points.append(asked["coordinates"])
            self._prediction(run=asked["run_prediction"])
        elif self.path == "/add_scribble_interaction":
            mask = unpack_array(body)
            assert list(mask.shape) == [b - a for a, b in meta["interaction_bbox"]]
            one.scribbles.append((mask, meta["interaction_bbox"], meta["include_interaction"]))
            self._prediction(run=meta["run_prediction"])
        else:
            self._json({"detail": "Not Found"}, 404)

    def _prediction(self, *, run: bool) -> None:
        from nnInteractive.inference.remote.serialization import pack_array

        one = self.stand_in
        if not run:
            self._send(b"", "application/octet-stream", 200, {"ran_prediction": False, "bbox": None})
            return
        if one.fault == "die":
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if one.fault == "slow":
            one.let_go.wait()
            self.close_connection = True
            return
        if one.fault == "refuse":
            self._json({"detail": "Interaction 'points' is not supported"}, 400)
            return
        mask, box = one.predicted()
        if one.fault == "wrong_box":
            box = [[0, n + 3] for n in mask.shape]
            mask = mask[1:]
        packed = b"not an array" if one.fault == "garbage" else pack_array(mask)
        self._send(packed, "application/octet-stream", 200, {"ran_prediction": True, "bbox": box})

    def _may(self) -> bool:
        if self.stand_in.key and self.headers.get("Authorization") != f"Bearer {self.stand_in.key}":
            self._json({"detail": "Missing bearer token"}, 401)
            return False
        return True

    def _json(self, value: object, code: int = 200) -> None:
        self._send(json.dumps(value).encode(), "application/json", code)

    def _send(self, body: bytes, kind: str, code: int, meta: dict[str, Any] | None = None) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if meta is not None:
            self.send_header("X-Meta", json.dumps(meta))
        self.end_headers()
        self.wfile.write(body)
