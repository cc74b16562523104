"""What paramiko gets for its socket: reads far ahead, notices silence, wakes at once when closed.

paramiko reads each packet with two small recv() calls and polls ten times a second to
see whether it should end. This asks the kernel once for as much as there is, hands out
slices, and waits as long as it likes, because :meth:`Wire.close` wakes it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spyglass.remote.base import Stream

AHEAD = 256 * 1024  # bytes asked for at once
_KERNEL_TIMES = os.name == "posix"  # Windows takes milliseconds, and forgets what it received at a time-out
_LOST_AFTER = 3  # silent intervals
TCP_USER_TIMEOUT = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux only


class Wire:
    """A Stream in the shape that ``paramiko.Transport`` wants.

    ``interval`` is in seconds: after each that passes without one byte coming in,
    ``on_silence(n)`` is called with how many there were in a row, in the reading thread.
    A dead line looks silent too, so :meth:`watch` makes the third silence an error.
    """

    def __init__(self, stream: Stream, interval: float = 3.0) -> None:
        self._stream: Any = stream  # wider than Stream: some have recv_into and send
        self._send = getattr(stream, "send", None)
        self._buffer = bytearray(AHEAD) if hasattr(stream, "recv_into") else None
        self._view = memoryview(self._buffer or b"")
        self._at = self._end = 0  # what is not handed out yet lies between
        self._interval = interval
        self._last = time.monotonic()
        self._silences = 0
        self._probe: Callable[[], None] | None = None
        self._closed = False
        self.interval(interval)
        _net_below(stream)

    @property
    def silent(self) -> float:
        """Seconds since the last byte came in."""
        return time.monotonic() - self._last

    def interval(self, seconds: float) -> None:
        """How long recv and send wait before they look around."""
        self._interval = seconds
        sock = getattr(self._stream, "socket", None)
        if sock is None or not _KERNEL_TIMES:
            self._stream.settimeout(seconds)
            return
        # Python polls before each call on a socket with a time-out; let the kernel keep the time instead
        limit = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
        sock.setblocking(True)  # noqa: FBT003 - it takes no name
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

    def watch(self, probe: Callable[[], None]) -> None:
        """From now on call ``probe`` at each silence, and give the line up at the third in a row."""
        self._silences, self._last = 0, time.monotonic()
        self._probe = probe

    def recv(self, size: int) -> bytes:
        """Up to ``size`` bytes (only paramiko's own thread reads)."""
        if self._at == self._end:
            self._at, self._end = 0, self._fill()
        at = self._at
        self._at = min(at + size, self._end)
        return self._view[at : self._at].tobytes()

    def _fill(self) -> int:
        """Wait for bytes; returns how many lie in the view now, 0 at the end."""
        try:
            if self._buffer is not None:
                got = int(self._stream.recv_into(self._buffer))
            else:
                self._view = memoryview(self._stream.recv(AHEAD))
                got = len(self._view)
        except BlockingIOError:
            self._silence()
            raise TimeoutError from None
        except TimeoutError as exc:
            if exc.errno:  # the kernel's ETIMEDOUT, not ours
                raise ConnectionResetError(exc.errno, "the connection timed out") from None
            self._silence()
            raise
        except OSError as exc:
            if len(exc.args) > 1:
                raise
            # paramiko wants a number and words, or it dies of an IndexError
            raise ConnectionResetError(errno.ECONNRESET, str(exc) or "the connection is gone") from exc
        self._silences, self._last = 0, time.monotonic()
        return got

    def _silence(self) -> None:
        if self._probe is None:
            return
        self._silences += 1
        if self._silences >= _LOST_AFTER:
            raise ConnectionAbortedError(0, self._silence_text())
        self._probe()

    def _silence_text(self) -> str:
        return f"nothing came for {_LOST_AFTER * self._interval:g} seconds"

    def send(self, data: bytes) -> int:
        """Send what fits; a line that takes nothing and has been silent too long is an error."""
        try:
            if self._send is not None:
                return int(self._send(data))
            self._stream.sendall(data)
        except (TimeoutError, BlockingIOError):
            if self._closed or (self._probe and self.silent > _LOST_AFTER * self._interval):
                raise ConnectionAbortedError(0, self._silence_text()) from None
            raise TimeoutError from None
        return len(data)

    def settimeout(self, _seconds: float) -> None:
        """paramiko's wish to poll; see :meth:`interval`."""

    def close(self) -> None:
        """Wake the reader. The descriptor stays until :meth:`release`: its number must not be taken."""
        self._closed = True
        sock = getattr(self._stream, "socket", None)
        if sock is None:
            self._stream.close()
            return
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Give the stream back; nobody reads from it any more."""
        self._stream.close()


def _net_below(stream: Stream) -> None:
    """A net below our own counting: the kernel gives up on data that is not acknowledged for 20 s."""
    sock = getattr(stream, "socket", None)
    if sock is not None and sock.family in {socket.AF_INET, socket.AF_INET6} and TCP_USER_TIMEOUT:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, 20_000)
