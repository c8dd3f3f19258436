"""A TCP forwarder on loopback: adds TLS in front of a server, or breaks the connection after so many bytes."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from types import TracebackType


class Forwarder:
    """Forwards to ``port`` of this machine.

    Parameters
    ----------
    tls : when given, callers speak TLS with it.
    budgets : one number a connection, in order: how many bytes may come back before it is cut; further ones are unlimited.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None, budgets: tuple[int, ...] = ()) -> None:
        self._to, self._tls, self._budgets, self.cuts = port, tls, list(budgets), 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Forwarder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, where: TracebackType | None
    ) -> None:
        for one in (self._socket, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for one in (self._socket, *self._open):
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(caller)
            budget = self._budgets.pop(0) if self._budgets else None
            self._threads.append(threading.Thread(target=self._serve, args=(caller, budget)))
            self._threads[-1].start()

    def _serve(self, caller: socket.socket, budget: int | None) -> None:
        try:
            if self._tls is not None:
                caller = self._tls.wrap_socket(caller, server_side=True)
                self._open.append(caller)
            server = socket.create_connection(("127.0.0.1", self._to))
        except OSError:
            caller.close()
            return
        self._open.append(server)
        self._threads.append(threading.Thread(target=self._pump, args=(caller, server, None)))
        self._threads[-1].start()
        self._pump(server, caller, budget)

    def _pump(self, source: socket.socket, target: socket.socket, budget: int | None) -> None:
        with suppress(OSError, ValueError):
            while data := source.recv(65536):
                if budget is not None:
                    data, budget = data[:budget], budget - len(data)
                target.sendall(data)
                if budget is not None and budget <= 0:
                    self.cuts += 1
                    break
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
