"""Reading a reply of a stranger: bounded in bytes and in time, whatever comes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spyglass.remote.base import Stream

_PIECE = 65536  # bytes a read


class Ended(Exception):  # noqa: N818 - not an error by itself: the codec says what it means
    """The other side closed, or broke, before everything was there."""


class Reader:
    """A stream with one deadline, ``seconds`` from now, for everything that is read of it.

    A time-out of the stream alone would not do: a peer that sends one byte a second
    would hold us for ever.
    """

    def __init__(self, stream: Stream, seconds: float) -> None:
        self.stream = stream
        self._end = time.monotonic() + seconds

    def extend(self, seconds: float) -> None:
        """Begin a new deadline, ``seconds`` from now."""
        self._end = time.monotonic() + seconds

    def send(self, data: bytes) -> None:
        """Send everything; raise Ended on a broken stream, TimeoutError when it takes too long."""
        self._limit()
        try:
            self.stream.sendall(data)
        except TimeoutError:
            raise
        except OSError as exc:
            raise Ended(str(exc)) from None

    def some(self, size: int) -> bytes:
        """Up to ``size`` bytes; empty at the end or when the stream broke."""
        self._limit()
        try:
            return self.stream.recv(size)
        except TimeoutError:
            raise
        except OSError:
            return b""

    def exactly(self, size: int) -> bytes:
        """``size`` bytes, or Ended."""
        got = b""
        while len(got) < size:
            piece = self.some(size - len(got))
            if not piece:
                raise Ended(f"closed after {len(got)} of {size} bytes")
            got += piece
        return got

    def everything(self, limit: int) -> bytes:
        """All bytes until the other side closes; at most ``limit`` of them."""
        got = bytearray()
        while len(got) < limit:
            piece = self.some(min(_PIECE, limit - len(got)))
            if not piece:
                break
            got += piece
        return bytes(got)

    def _limit(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        self.stream.settimeout(left)
