"""Just enough HTTP/1.1 (RFC 9112) for an engine's API: one request a connection, over any Stream.

Nothing that the other side says may cost more than was agreed: the head, the body and the
time are bounded, whatever answers there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spyglass.errors import Denied, Failure, Lost, Unreachable

if TYPE_CHECKING:
    from spyglass.remote.base import Stream

HEAD = 64 * 1024
"""Bytes of a status line with all header fields, at most."""
BODY = 32 * 1024 * 1024
"""Bytes of a body, at most: thousands of containers with all their labels."""
_PIECE = 65536


@dataclass(frozen=True, slots=True)
class Answer:
    """A status (RFC 9110, section 15), header fields by small letters, and the body."""

    status: int
    fields: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False, default=b"")


class Conversation:
    """One request and its answer. ``where`` names the other side in messages.

    Every method raises Unreachable (no answer within ``seconds`` from the start), Lost (it hung
    up) or a Failure with the code ``not-http``.
    """

    def __init__(self, stream: Stream, where: str, seconds: float) -> None:
        self._stream, self._where = stream, where
        self._deadline = time.monotonic() + seconds
        self._held = b""

    def ask(self, method: str, path: str, body: bytes = b"", fields: Mapping[str, str] | None = None) -> None:
        """Send the request; ``path`` is quoted already."""
        given = {
            "Host": "engine",
            "Connection": "close",
            "Content-Length": str(len(body)),
            **(fields or {}),
        }
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
        self._hurry()
        try:
            self._stream.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + body)
        except OSError as exc:
            raise self._broken(exc) from exc

    def answer(self, limit: int = BODY) -> Answer:
        """The whole answer."""
        head = self.head()
        return Answer(head.status, head.fields, self.body(head, limit))

    def head(self) -> Answer:
        """The answer without its body. What came of that already is :meth:`rest`."""
        while b"\r\n\r\n" not in self._held:
            if len(self._held) > HEAD:
                raise self._nonsense("it sends too long a header")
            self._more()
            if not self._held.startswith(b"HTTP/1."[: len(self._held)]):
                raise self._nonsense("it does not speak HTTP")
        head, _, self._held = self._held.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status = (*first.split(" ", 2)[:2], "")[:2]
        if not version.startswith("HTTP/1.") or not (len(status) == 3 and status.isdecimal()):
            raise self._nonsense("it does not speak HTTP")
        pairs = (line.partition(":") for line in lines)
        return Answer(int(status), {name.strip().lower(): value.strip() for name, _, value in pairs})

    def rest(self) -> bytes:
        """What was received after the head."""
        held, self._held = self._held, b""
        return held

    def body(self, head: Answer, limit: int) -> bytes:
        """What follows this head, at most ``limit`` bytes."""
        length = head.fields.get("content-length", "")
        if head.status in {204, 304}:
            return b""
        if "chunked" in head.fields.get("transfer-encoding", "").lower():
            return self._chunks(limit)
        if length.isascii() and length.isdecimal() and len(length) < 12:
            return self._exactly(int(length), limit)
        while True:  # to the end of the connection (RFC 9112, section 6.3)
            self._bound(len(self._held), limit)
            if not self._more(may_end=True):
                return self.rest()

    def _chunks(self, limit: int) -> bytes:
        """The chunked coding (RFC 9112, section 7.1); trailers are not wanted."""
        whole = bytearray()
        while True:
            size = self._line().partition(b";")[0].strip()
            try:
                count = int(size, 16) if len(size) < 10 else limit + 1
            except ValueError:
                raise self._nonsense("a chunk has no size") from None
            if count == 0:
                return bytes(whole)
            self._bound(len(whole) + count, limit)
            whole += self._exactly(max(count, 0), limit)
            self._line()

    def _line(self) -> bytes:
        while b"\n" not in self._held:
            if len(self._held) > HEAD:
                raise self._nonsense("a chunk has no size")
            self._more()
        line, _, self._held = self._held.partition(b"\n")
        return line

    def _exactly(self, count: int, limit: int) -> bytes:
        self._bound(count, limit)
        pieces, missing = [], count
        while missing:
            if not self._held:
                self._more()
            piece, self._held = self._held[:missing], self._held[missing:]
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def _bound(self, size: int, limit: int) -> None:
        if size > limit:
            raise self._nonsense(f"it sends more than {limit // 1024} kB")

    def _more(self, *, may_end: bool = False) -> bool:
        self._hurry()
        try:
            piece = self._stream.recv(_PIECE)
        except OSError as exc:
            raise self._broken(exc) from exc
        if not piece and not may_end:
            raise Lost(
                f"{self._where} hung up in the middle of an answer", "Try again; see the engine's log."
            )
        self._held += piece
        return bool(piece)

    def _hurry(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self._broken(TimeoutError())
        self._stream.settimeout(left)

    def _broken(self, exc: OSError) -> Failure:
        if isinstance(exc, TimeoutError):
            hint = "The engine may be overloaded, or something else listens there."
            return Unreachable(f"{self._where} accepts, but gives no answer", hint, code="no-answer")
        if refusal := getattr(self._stream, "refusal", ""):
            hint = "The engine wants a client certificate that it believes in (`--docker-certs DIR`)."
            return Denied(f"{self._where} refuses in TLS: {refusal}", hint, code="tls-refused")
        hint = "An engine that wants TLS does so to who speaks without: name its certificates."
        return Lost(f"{self._where} hung up", hint)

    def _nonsense(self, what: str) -> Failure:
        return Failure(
            f"{self._where} is no container engine's API: {what}",
            "See whether the address and the port are right.",
            code="not-http",
        )
