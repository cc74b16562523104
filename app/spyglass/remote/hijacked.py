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
from spyglass.remote.upon import Upon

if TYPE_CHECKING:
    from spyglass.remote.base import Stream

_ERRORS = 2


class Hijacked(Upon):
    """A command's input and output as a :class:`~spyglass.remote.base.Piped`.

    ``rest`` came with the answer's head. ``status`` asks the engine how the command ended. Read
    by one thread; who wants standard error apart takes it from ``errors``.
    """

    def __init__(self, stream: Stream, rest: bytes, status: Callable[[], int | None]) -> None:
        super().__init__(stream, rest)
        self._status = status
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
            piece = self._take(min(self._left, size))
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

    def why(self) -> str:
        """What it wrote on standard error, or how it ended where it wrote nothing."""
        with self._lock:
            said = redact(self.errors.decode(errors="replace").strip())
        status = None if said else self._status()
        return said or (f"it ended with status {status}" if status else "")
