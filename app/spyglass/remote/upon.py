"""A stream that lies upon another one: what is read may be wrapped, what is written goes as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spyglass.remote.base import Stream

_PIECE = 65536


class Upon:
    """The half that all of them share; ``held`` came before, with the answer's head."""

    def __init__(self, stream: Stream, held: bytes = b"") -> None:
        self._stream, self._held = stream, bytearray(held)

    def _feed(self) -> bool:
        """Hold more of what comes; False at the end."""
        piece = self._stream.recv(_PIECE)
        self._held += piece
        return bool(piece)

    def _take(self, size: int) -> bytes:
        """Up to ``size`` bytes of what is held."""
        piece = bytes(self._held[:size])
        del self._held[: len(piece)]
        return piece

    def sendall(self, data: bytes, /) -> None:
        """Send everything."""
        self._stream.sendall(data)

    def shutdown_write(self) -> None:
        """Tell the other side that nothing more comes; a command's input ends."""
        self._stream.shutdown_write()

    def settimeout(self, seconds: float | None, /) -> None:
        """Limit each later recv and sendall."""
        self._stream.settimeout(seconds)

    def close(self) -> None:
        """Let go of it, twice and from any thread if need be; a command ends if it heeds that."""
        self._stream.close()
