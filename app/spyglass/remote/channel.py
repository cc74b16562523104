"""One channel of an SSH connection, as a Stream.

paramiko's own Channel copies its whole backlog at each read, raises EOFError where a
socket raises OSError, spins in ``sendall`` after a half-close, and sends from the garbage
collector's thread. This one does none of that, and can pour what arrives straight into a
local socket, without waking another thread for each packet.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import paramiko
from paramiko.buffered_pipe import PipeTimeout

if TYPE_CHECKING:
    from spyglass.remote.transport import Transport

PIECE = 256 * 1024  # bytes taken from the pipe at once
_DONT_WAIT = getattr(socket, "MSG_DONTWAIT", 0)  # Windows has none


class Pipe:
    """What came in and is not read yet: a queue of chunks, with the interface of paramiko's BufferedPipe.

    ``shortcut`` may take chunks before they enter the queue (it returns how many bytes it
    took); it is asked only while the reader waits, so the order is kept.
    """

    def __init__(self) -> None:
        self._cv = threading.Condition(threading.Lock())
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._closed = False
        self._waiting = False
        self._taken = 0
        self._enough = 1 << 62
        self.shortcut: Callable[[bytes], int] | None = None

    def __len__(self) -> int:
        return self._size

    def read_ready(self) -> bool:
        """Whether a read would return at once."""
        return self._size > 0

    def feed(self, data: bytes) -> None:
        """Add a chunk (the transport's thread)."""
        with self._cv:
            if self.shortcut and self._waiting and not self._chunks:
                took = self.shortcut(data)
                self._taken += took
                if took == len(data) and self._taken < self._enough:
                    return
                data = data[took:]
            if data:
                self._chunks.append(data)
                self._size += len(data)
            self._cv.notify()

    def read(self, size: int, timeout: float | None = None) -> bytes:
        """Up to ``size`` bytes, ``b""`` at the end; raises PipeTimeout after ``timeout`` seconds."""
        with self._cv:
            if not self._chunks and not self._closed and not self._wait(timeout):
                raise PipeTimeout
            return self._take(size)

    def _wait(self, timeout: float | None) -> bool:
        if timeout == 0.0:
            return False
        return self._cv.wait_for(lambda: bool(self._chunks) or self._closed, timeout)

    def take(self, size: int, enough: int) -> tuple[bytes, int]:
        """Wait for chunks, the end, or until the shortcut took ``enough`` bytes; return (chunks, taken)."""
        with self._cv:
            self._enough, self._waiting = enough, True
            while not (self._chunks or self._closed or self._taken >= enough):
                self._cv.wait()
            self._waiting = False
            taken, self._taken = self._taken, 0
            return self._take(size), taken

    def _take(self, size: int) -> bytes:
        """Whole chunks up to ``size`` bytes, or the beginning of the first. The lock is held."""
        parts: list[bytes] = []
        room = size
        while self._chunks and len(self._chunks[0]) <= room:
            parts.append(self._chunks.popleft())
            room -= len(parts[-1])
        if not parts and self._chunks:
            first = self._chunks[0]
            parts, self._chunks[0] = [first[:size]], first[size:]
            room = 0
        self._size -= size - room
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def empty(self) -> bytes:
        """Everything at once, without waiting."""
        with self._cv:
            return self._take(1 << 62) if self._chunks else b""

    def close(self) -> None:
        """Nothing more comes; wakes the reader."""
        with self._cv:
            self._closed = True
            self._cv.notify_all()

    def set_event(self, event: Any) -> None:
        """paramiko's hook for fileno(), which is not offered here."""
        raise NotImplementedError


class Channel(paramiko.Channel):
    """A channel that keeps the promises of a Stream: OSError when broken, TimeoutError when late."""

    transport: Transport | None

    def __init__(self, chanid: int) -> None:
        super().__init__(chanid)
        self.in_buffer: Any = Pipe()
        self.in_stderr_buffer: Any = Pipe()
        self.answered = threading.Event()
        self.ended = threading.Event()
        self.refusal: tuple[int, str] | None = None  # (reason code of RFC 4254 5.1, the server's words)

    def __del__(self) -> None:
        """paramiko would send a CLOSE from whichever thread collects garbage, and could wait for itself."""

    def granted(self) -> None:
        """The server opened the channel (called in the transport's thread)."""
        self.answered.set()

    def refused(self, code: int, words: str) -> None:
        """The server did not open the channel (called in the transport's thread)."""
        self.refusal = (code, words)
        self.answered.set()

    def recv(self, size: int) -> bytes:
        """At least one byte, ``b""`` at the end; ConnectionResetError when it was cut off."""
        data = super().recv(size)
        if not data and not self.eof_received:
            raise ConnectionResetError(errno.ECONNRESET, "the channel was cut off")
        return data

    def sendall(self, data: bytes) -> None:  # type: ignore[override]  # bytes is what a Stream takes
        """Send everything; BrokenPipeError after shutdown_write or when the other side closed."""
        while data:
            size = self.send(data)
            if not size:
                raise BrokenPipeError(errno.EPIPE, "the channel is closed for sending")
            data = data[size:]

    def _feed(self, m: Any) -> None:
        m.packet.seek(8)  # behind the channel's number and the length (RFC 4254, 5.2)
        self.in_buffer.feed(m.packet.read())

    def shutdown_write(self) -> None:
        """Tell the other side that nothing more comes."""
        with self.lock:
            message = self._send_eof()  # type: ignore[attr-defined]  # not in the stubs
        if message is not None and self.transport is not None:
            with contextlib.suppress(BrokenPipeError):  # the other side has closed: it knows
                self.transport._send_user_message(message, self)
        self._perhaps_over()

    def send(self, data: bytes) -> int:  # type: ignore[override]  # as above
        """Send what the window lets through within the time-out; returns how much, 0 when closed."""
        with self.lock:
            size = int(self._wait_for_send_window(len(data)))  # type: ignore[attr-defined]  # not in the stubs
        if size and self.transport is not None:
            self.transport.send_data(self, data if size == len(data) else data[:size])
        return size

    def close(self) -> None:
        """Release it; nothing is raised when the link is gone already."""
        with contextlib.suppress(OSError):
            super().close()

    def _perhaps_over(self) -> None:
        """Close when both directions are: not every server does it by itself (RFC 4254, 5.3)."""
        if self.eof_sent and self.eof_received:
            self.close()

    def pour(self, sock: socket.socket) -> None:
        """Carry what comes to ``sock`` until both directions are over; OSError if either side breaks."""
        if _DONT_WAIT:
            self.in_buffer.shortcut = functools.partial(_send_now, sock)
        try:
            self._pour(sock)
        finally:
            self.in_buffer.shortcut = None
        if not self.eof_received:
            raise ConnectionResetError(errno.ECONNRESET, "the channel was cut off")
        sock.shutdown(socket.SHUT_WR)
        self._perhaps_over()
        self.ended.wait()  # until we have nothing more to send, or the far side wants no more
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RD)

    def _pour(self, sock: socket.socket) -> None:
        threshold = self.in_window_threshold
        while True:
            data, straight = self.in_buffer.take(PIECE, threshold)
            if data:
                sock.sendall(data)
            elif not straight:
                return
            self._give_back(len(data) + straight)

    def _give_back(self, size: int) -> None:
        """Let the server send that many bytes more: only now are they out of our hands (RFC 4254, 5.2)."""
        credit = self._check_add_window(size)  # type: ignore[attr-defined]  # not in the stubs
        if credit > 0 and self.transport is not None:
            self.transport.adjust(self, credit)

    def _set_closed(self) -> None:
        super()._set_closed()  # type: ignore[misc]  # not in the stubs
        self.answered.set()
        self.ended.set()

    def _log(self, level: int, msg: str, *args: object) -> None:
        """Be quiet: building the texts costs more than carrying the data."""


def _send_now(sock: socket.socket, data: bytes) -> int:
    try:
        return sock.send(data, _DONT_WAIT)
    except OSError:  # full, or broken: the reader will find out which
        return 0
