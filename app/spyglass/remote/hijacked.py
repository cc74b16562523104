"""The stream of a command that an engine's API runs: input as it is, output in frames.

Docker Engine API, "Attach to a container", stream format: eight bytes before each piece,
the first tells the stream (1 output, 2 errors), the last four the length, big-endian.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from spyglass.log import redact
from spyglass.remote.base import TAIL

if TYPE_CHECKING:
    from spyglass.remote.base import Stream

_PIECE = 65536
_ERRORS = 2


class Hijacked:
    """A command's input and output as a :class:`~spyglass.remote.base.Piped`.

    ``rest`` came with the answer's head. ``status`` asks the engine how the command ended. Read
    by one thread; who wants standard error apart takes it from ``errors``.
    """

    def __init__(self, stream: Stream, rest: bytes, status: Callable[[], int | None]) -> None:
        self._stream, self._held, self._status = stream, bytearray(rest), status
        self._left, self._kind = 0, 0
        self._lock = threading.Lock()
        self.errors = bytearray()

    def recv(self, size: int, /) -> bytes:
        """Output of the command; ``b""`` at its end."""
        while True:
            while not self._left:
                if not self._frame():
                    return b""
            if not self._held and not self._feed():
                return b""
            piece = bytes(self._held[: min(self._left, size)])
            del self._held[: len(piece)]
            self._left -= len(piece)
            if self._kind != _ERRORS:
                return piece
            with self._lock:
                self.errors += piece
                del self.errors[:-TAIL]

    def _frame(self) -> bool:
        while len(self._held) < 8:
            if not self._feed():
                return False
        self._kind, self._left = self._held[0], int.from_bytes(self._held[4:8], "big")
        del self._held[:8]
        if self._kind > _ERRORS:
            raise OSError("the engine's API sends a stream of an unknown kind")
        return True

    def _feed(self) -> bool:
        piece = self._stream.recv(_PIECE)
        self._held += piece
        return bool(piece)

    def sendall(self, data: bytes, /) -> None:
        """Send everything to the command's input."""
        self._stream.sendall(data)

    def shutdown_write(self) -> None:
        """End the command's input."""
        self._stream.shutdown_write()

    def settimeout(self, seconds: float | None, /) -> None:
        """Limit each later recv and sendall."""
        self._stream.settimeout(seconds)

    def close(self) -> None:
        """Let go of it: the command loses its input and output, and ends if it heeds that."""
        self._stream.close()

    def why(self) -> str:
        """What it wrote on standard error, or how it ended where it wrote nothing."""
        with self._lock:
            said = redact(self.errors.decode(errors="replace").strip())
        status = None if said else self._status()
        return said or (f"it ended with status {status}" if status else "")
