"""Connecting a TCP socket from this computer: soon, to the address that answers, and never longer than asked.

A name may have several addresses, and some of them may be dead. They are tried a short
while apart, and the first that connects wins (RFC 8305, "Happy Eyeballs"). Everything
waits in one selector, so that a :class:`~spyglass.remote.base.Stop` ends it at once.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from spyglass.errors import Unreachable
from spyglass.remote.base import Stop

if TYPE_CHECKING:
    Address = tuple[socket.AddressFamily, Any]

STAGGER = 0.25  # seconds before the next address is tried as well (RFC 8305, section 8)


def connect(host: str, port: int, timeout: float, stop: Stop | None = None) -> socket.socket:
    """A connected socket with Nagle's algorithm off, within ``timeout`` seconds, name look-up included.

    Raises Unreachable with a title for each way to fail, and Cancelled when stopped.
    """
    deadline = time.monotonic() + timeout
    stop = stop or Stop()
    try:
        addresses = _look_up(host, port, timeout, stop)
        sock = _Race(addresses, deadline).run(stop)
    except OSError as exc:
        raise explain(exc, host, port) from exc
    sock.setblocking(True)  # noqa: FBT003 - it takes no name
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return sock


def place(host: str, port: int) -> str:
    """``host:port`` as people write it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def explain(exc: OSError, host: str, port: int, seen_from: str = "") -> Unreachable:
    """The Unreachable that tells why a TCP connection to ``host:port`` did not come about."""
    there = f" from {seen_from}" if seen_from else ""
    where = place(host, port)
    if isinstance(exc, socket.gaierror):
        return Unreachable(
            f"{host} can't be found{there}", "See whether the name is right and the network is up."
        )
    if isinstance(exc, ConnectionRefusedError):
        hint = "Nothing listens there: see whether the port is right and the service runs."
        return Unreachable(f"{where} refuses connections{there}", hint, code="refused")
    if isinstance(exc, TimeoutError) or exc.errno == errno.ETIMEDOUT:
        hint = "The host is down, or a firewall drops the packets. A VPN may be needed."
        return Unreachable(f"{where} does not answer{there}", hint, code="no-answer")
    if exc.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}:
        hint = "See whether the network or the VPN is up."
        return Unreachable(f"There is no route to {where}{there}", hint, code="no-route")
    reason = exc.strerror or str(exc) or type(exc).__name__
    return Unreachable(f"{where} can't be reached{there}: {reason}", "See whether the network is up.")


def _look_up(host: str, port: int, timeout: float, stop: Stop) -> list[Address]:
    """The addresses of a name. The system's resolver can't be stopped: its thread may be left behind."""
    with contextlib.suppress(socket.gaierror):
        return _addresses(host, port, socket.AI_NUMERICHOST)
    answer: queue.SimpleQueue[list[Address] | OSError | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(_addresses(host, port, 0))
        except (OSError, UnicodeError) as exc:  # UnicodeError: a label too long for IDNA
            answer.put(exc if isinstance(exc, OSError) else socket.gaierror(str(exc)))

    threading.Thread(target=ask, name=f"look up {host}", daemon=True).start()
    with stop.ending(lambda: answer.put(None)):
        try:
            found = answer.get(timeout=timeout)
        except queue.Empty:
            raise socket.gaierror("the look-up took too long") from None
    if found is None or isinstance(found, OSError):
        raise found or socket.gaierror("stopped")
    return found


def _addresses(host: str, port: int, flags: int) -> list[Address]:
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _, _, _, address in infos]


class _Race:
    """Several addresses of one host; the first that connects wins, the others are closed."""

    def __init__(self, addresses: list[Address], deadline: float) -> None:
        self._left = list(addresses)
        self._deadline = deadline
        self._selector = selectors.DefaultSelector()
        self._error: OSError = TimeoutError()

    def run(self, stop: Stop) -> socket.socket:
        ours, wake = socket.socketpair()
        with ours, wake, self._selector:
            self._selector.register(ours, selectors.EVENT_READ)
            try:
                with stop.ending(_quietly(wake)):
                    return self._winner(ours)
            finally:
                self._close_all(ours)

    def _winner(self, ours: socket.socket) -> socket.socket:
        while True:
            racing = len(self._selector.get_map()) > 1
            if self._left:
                racing |= self._start(*self._left.pop(0))
            rest = self._deadline - time.monotonic()
            if rest <= 0 or not (racing or self._left):
                raise self._error
            for key, _ in self._selector.select(min(rest, STAGGER) if self._left else rest):
                if key.fileobj is ours:
                    raise TimeoutError  # stopped; ending() makes it Cancelled
                if sock := self._finished(key.fileobj):
                    return sock

    def _start(self, family: socket.AddressFamily, address: Any) -> bool:
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as exc:  # IPv6 switched off
            self._error = exc
            return False
        sock.setblocking(False)  # noqa: FBT003 - it takes no name
        code = sock.connect_ex(address)
        if code in {0, errno.EINPROGRESS, errno.EWOULDBLOCK}:
            self._selector.register(sock, selectors.EVENT_WRITE)
            return True
        sock.close()
        self._lost(code)
        return False

    def _finished(self, sock: Any) -> socket.socket | None:
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._selector.unregister(sock)
        if not code:
            return sock  # type: ignore[no-any-return]
        sock.close()
        self._lost(code)
        return None

    def _lost(self, code: int) -> None:
        error = OSError(code, os.strerror(code))
        if isinstance(self._error, TimeoutError) or isinstance(error, ConnectionRefusedError):
            self._error = error  # "refused" is the most telling of several answers

    def _close_all(self, ours: socket.socket) -> None:
        for key in list(self._selector.get_map().values()):
            if key.fileobj is not ours and isinstance(key.fileobj, socket.socket):
                key.fileobj.close()


def _quietly(wake: socket.socket) -> Callable[[], None]:
    def send() -> None:
        with contextlib.suppress(OSError):
            wake.send(b"x")

    return send
