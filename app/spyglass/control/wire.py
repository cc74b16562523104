"""One JSON object a line, bounded in size and time, over a connected socket."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

from spyglass.errors import BadInput, Lost

VERSION = 1
REQUEST = 64 * 1024
"""The longest request, in bytes."""
ANSWER = 16 * 1024 * 1024
"""The longest line of an answer, in bytes: hundreds of nodes fit."""


class Wire:
    """Sends and receives objects; ``most`` bounds the lines that come, in bytes."""

    def __init__(self, sock: socket.socket, most: int) -> None:
        self._sock = sock
        self._most = most
        self._rest = bytearray()

    def send(self, document: dict[str, Any]) -> None:
        """Send one object. Raises OSError when nobody is there any more."""
        self._sock.sendall(json.dumps(document).encode() + b"\n")

    def receive(self, seconds: float | None) -> dict[str, Any] | None:
        """The next object, None at the end; None seconds wait for ever.

        Raises BadInput for what is none, Lost when the time is over, OSError when the link broke.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while b"\n" not in self._rest:
            if len(self._rest) > self._most:
                raise BadInput(f"The line is longer than {self._most // 1024} KiB", "Send less.")
            more = self._more(end)
            if not more:
                if self._rest:
                    raise BadInput("The line has no end", "Each request is one line of JSON.")
                return None
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\n")
        return _object(bytes(line), self._most)

    def _more(self, end: float | None) -> bytes:
        try:
            self._sock.settimeout(None if end is None else max(0.001, end - time.monotonic()))
            return self._sock.recv(64 * 1024)
        except TimeoutError:
            raise Lost("No answer came in time", "Try again.", code="no-answer") from None
        finally:
            self._sock.settimeout(None)


def _object(line: bytes, most: int) -> dict[str, Any]:
    hint = 'Each request is one line such as {"v": 1, "do": "status"}.'
    if len(line) > most:
        raise BadInput(f"The line is longer than {most // 1024} KiB", "Send less.")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise BadInput("The line is not JSON", hint) from None
    if not isinstance(found, dict):
        raise BadInput("The line is no JSON object", hint)
    return found
