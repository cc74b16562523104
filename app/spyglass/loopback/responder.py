"""epmd's answers for nodes that have no epmd: as much of the protocol as a client needs to connect.

Wire format: Erlang/OTP documentation, "Distribution Protocol", section "EPMD Protocol".
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Mapping

PORT_PLEASE2, NAMES, PORT2_RESP = 122, 110, 119
_NODE, _TCP, _HIGHEST, _LOWEST = 77, 0, 6, 5
_LONGEST = 1024  # bytes of a request; a name has 255 characters at most
_PATIENCE = 10.0  # seconds for a request


class Responder:
    """One connection's Stream: what is sent to it is a request, what is read from it the answer."""

    def __init__(self, names: Callable[[], Mapping[str, int]], port: int) -> None:
        """``names`` tells the ports of the nodes by the part before the ``@``; ``port`` is epmd's own."""
        self._names, self._port = names, port
        self._request = b""
        self._ready = threading.Event()
        self._answer: bytes | None = None

    def sendall(self, data: bytes, /) -> None:
        """Take a piece of the request."""
        self._request = (self._request + data)[:_LONGEST]
        if len(self._request) >= 2:
            (length,) = struct.unpack_from(">H", self._request)
            if len(self._request) >= 2 + length or length > _LONGEST:
                self.shutdown_write()

    def shutdown_write(self) -> None:
        """Nothing more comes: answer what there is."""
        if self._answer is None:
            self._answer = answer(self._request[2:], self._names(), self._port)
        self._ready.set()

    def recv(self, size: int, /) -> bytes:
        """The answer, then the end, as epmd closes after each."""
        self._ready.wait(_PATIENCE)
        given, self._answer = (self._answer or b"")[:size], (self._answer or b"")[size:]
        return given

    def settimeout(self, seconds: float | None, /) -> None:
        """Nothing to wait for but the request."""

    def close(self) -> None:
        """Let a reader go."""
        self._ready.set()


def answer(request: bytes, names: Mapping[str, int], port: int) -> bytes:
    """The answer to one request, without its length: empty for one that epmd's clients do not make."""
    if not request:
        return b""
    kind, name = request[0], request[1:].decode("utf-8", "replace")
    if kind == NAMES:
        lines = "".join(f"name {known} at port {number}\n" for known, number in sorted(names.items()))
        return struct.pack(">I", port) + lines.encode()
    if kind != PORT_PLEASE2:
        return b""
    number = names.get(name)
    if number is None:
        return bytes((PORT2_RESP, 1))
    short = name.encode()
    node = struct.pack(">BBHBBHHH", PORT2_RESP, 0, number, _NODE, _TCP, _HIGHEST, _LOWEST, len(short))
    return node + short + struct.pack(">H", 0)
