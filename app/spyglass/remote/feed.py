"""The body of an answer that never ends: what an engine's API tells while it happens.

In the chunked coding (RFC 9112, section 7.1) or as it comes. A read that takes too long loses
nothing: the next one goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from spyglass.remote.upon import Upon

if TYPE_CHECKING:
    from spyglass.remote.base import Stream

_LINE = 4096  # bytes of a chunk's size with its extensions, at most


class Feed(Upon):
    """A body as a :class:`~spyglass.remote.base.Piped`; ``rest`` came with the answer's head."""

    def __init__(self, stream: Stream, rest: bytes, fields: Mapping[str, str]) -> None:
        super().__init__(stream, rest)
        self._chunked = "chunked" in fields.get("transfer-encoding", "").lower()
        self._left = 0
        self._over = False

    def recv(self, size: int, /) -> bytes:
        """At least one byte; ``b""`` at the end. Raises TimeoutError and other OSErrors."""
        while self._chunked and not self._left and not self._over:
            if not self._begin():
                return b""
        if self._over or (not self._held and not self._feed()):
            return b""
        piece = self._take(min(size, self._left) if self._chunked else size)
        self._left -= len(piece) * self._chunked
        return piece

    def _begin(self) -> bool:
        """Take the next chunk's size; an empty line before it ends the one that was."""
        while b"\n" not in self._held:
            if len(self._held) > _LINE:
                raise OSError("a chunk has no size")
            if not self._feed():
                return False
        line, _, self._held = self._held.partition(b"\n")
        digits = line.partition(b";")[0].strip()
        if digits:
            if digits.strip(b"0123456789abcdefABCDEF") or len(digits) > 8:
                raise OSError("a chunk has no size")
            self._left = int(digits, 16)
            self._over = not self._left
        return True

    def why(self) -> str:
        """An engine gives no reason at the end."""
        return ""
