"""Carrying connections: what a local listener accepts, to a stream that is dialled for each.

Two threads a connection, one a direction, so that a side that does not read holds up
nobody but itself. A half-close is carried as a half-close: many protocols say "that was
my question" with it and then wait for the answer.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from spyglass.errors import Cancelled, Failure
from spyglass.remote.base import Stop

if TYPE_CHECKING:
    from spyglass.remote.base import Stream

PIECE = 32_704  # bytes a read: what fits into one SSH data packet of 32 kB
_NO_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_log = logging.getLogger("spyglass")


def _everybody(_sock: socket.socket) -> bool:
    return True


class ThreadRelay:
    """Accepts until closed. ``dial`` gives a new stream for each connection that ``allow`` lets in.

    The listener belongs to the relay from now on. ``name`` shows up in thread names.
    ``stop`` is set when the relay is closed, for a ``dial`` that heeds it.
    """

    def __init__(
        self,
        listener: socket.socket,
        dial: Callable[[], Stream],
        allow: Callable[[socket.socket], bool] = _everybody,
        *,
        name: str = "relay",
        stop: Stop | None = None,
    ) -> None:
        self._stop = stop or Stop()
        self._listener, self._dial, self._allow, self._name = listener, dial, allow, name
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._links: set[Link] = set()
        self._thread = threading.Thread(target=self._accept, name=f"{name}: accept", daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"<ThreadRelay {self._name}: {len(self._links)} connections>"

    def close(self) -> None:
        """End the listener and every connection; returns when their threads are gone."""
        self._closed.set()
        self._stop.set()
        _end_listener(self._listener)
        if threading.current_thread() is not self._thread:
            self._thread.join(5)
        with self._lock:
            links = list(self._links)
        for link in links:
            link.break_off()
        for link in links:
            link.join(5)

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError as exc:
                if exc.errno in _NO_FILES:
                    self._closed.wait(0.1)  # out of descriptors: the backlog waits, so must we
                continue
            self._welcome(sock)

    def _welcome(self, sock: socket.socket) -> None:
        if self._closed.is_set() or not self._allow(sock):
            sock.close()
            return
        link = Link(sock, self._dial, self._name, self._gone)
        with self._lock:
            self._links.add(link)
        try:
            link.start()
        except RuntimeError:  # no more threads to be had
            _log.warning("%s: too many connections", self._name)
            link.break_off()
            sock.close()
            self._gone(link)

    def _gone(self, link: Link) -> None:
        with self._lock:
            self._links.discard(link)


class Link:
    """One carried connection: the thread ``up`` dials and carries there, ``down`` carries back."""

    def __init__(
        self, sock: socket.socket, dial: Callable[[], Stream], name: str, on_end: Callable[[Link], None]
    ) -> None:
        self._sock, self._dial, self._on_end = sock, dial, on_end
        self._stream: Stream | None = None
        self._reached = threading.Event()
        self._broken = False
        self._up = threading.Thread(target=self._carry, name=f"{name}: up", daemon=True)
        self._down = threading.Thread(target=self._carry_down, name=f"{name}: down", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._down.start()  # it takes a while to come up, and dialling does too
        self._up.start()

    def join(self, timeout: float) -> None:
        """Wait until both directions have ended, at most ``timeout`` seconds each."""
        for thread in (self._up, self._down):
            if thread.ident and thread is not threading.current_thread():
                thread.join(timeout)

    def break_off(self) -> None:
        """End both directions now, from any thread."""
        self._broken = True  # whoever is dialling looks at it afterwards
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        if self._stream is not None:
            self._stream.close()

    def _carry(self) -> None:
        try:
            with contextlib.suppress(OSError):
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._stream = self._reach()
            self._reached.set()
            if self._stream is not None and not self._broken:
                self._carry_up(self._stream)
        finally:
            self._reached.set()
            if self._broken:
                self.break_off()
            self._down.join()
            if self._stream is not None:
                self._stream.close()
            self._sock.close()
            self._on_end(self)

    def _reach(self) -> Stream | None:
        """Dial. A far side that can't be had shows to the local one as a closed connection."""
        try:
            return self._dial()
        except (Failure, Cancelled, OSError) as exc:
            level = logging.WARNING if getattr(exc, "code", "") == "sessions" else logging.DEBUG
            _log.log(level, "not carried: %s", exc)
            return None

    def _carry_up(self, stream: Stream) -> None:
        try:
            while data := self._sock.recv(PIECE):
                if not _took(stream, data):
                    return  # it wants no more, but what it has said already must still get through
        except OSError:
            self.break_off()
        else:
            with contextlib.suppress(OSError):
                stream.shutdown_write()

    def _carry_down(self) -> None:
        self._reached.wait()
        stream, sock = self._stream, self._sock
        if stream is None:
            return
        try:
            if pour := getattr(stream, "pour", None):
                pour(sock)  # a stream that knows a shorter way
            else:
                while data := stream.recv(PIECE):
                    sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.break_off()


def _took(stream: Stream, data: bytes) -> bool:
    try:
        stream.sendall(data)
    except OSError:
        return False
    return True


def _end_listener(listener: socket.socket) -> None:
    """Close it so that a thread in accept() wakes on every system."""
    with contextlib.suppress(OSError):
        address = listener.getsockname()
        try:
            listener.shutdown(socket.SHUT_RDWR)  # wakes accept() on Linux
        except OSError:
            with contextlib.suppress(OSError), socket.create_connection(address[:2], 0.2):
                pass  # elsewhere a last connection does
    listener.close()
