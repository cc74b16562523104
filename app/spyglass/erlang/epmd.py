"""The client's half of epmd's protocol, over any stream.

Wire format: Erlang/OTP documentation, "Distribution Protocol", section "EPMD Protocol".
All numbers are big-endian; a request begins with its length in two bytes.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spyglass.erlang.reader import Ended, Reader
from spyglass.errors import Failure

if TYPE_CHECKING:
    from spyglass.remote.base import Stream


class NotEpmd(Failure):
    """Something answers, or nothing does, but no epmd."""

    code = "not-epmd"


PORT = 4369
_NAMES_REQ, _PORT_PLEASE2_REQ, _PORT2_RESP = 110, 122, 119
_HIDDEN = 72
_MOST = 256 * 1024  # bytes of one answer: more than two thousand nodes with names of 100 characters
_ENTRY = re.compile(rb"name ([^\s\x00-\x20\x7f]{1,255}) at port (\d{1,5})")


@dataclass(frozen=True, slots=True)
class EpmdNode:
    """What epmd knows of one node. ``name`` is the part before the ``@``."""

    name: str
    port: int
    hidden: bool
    protocol: int
    highest: int
    lowest: int
    extra: bytes = b""


def names(stream: Stream, *, seconds: float = 2.0) -> dict[str, int]:
    """Ask for all registered names and their distribution ports (NAMES_REQ).

    Raises NotEpmd when something else answers, or nothing (code ``silent`` while it stays connected).
    Lines that are no entries are passed over, as epmd's own client does.
    """
    try:
        reader = Reader(stream, seconds)
        reader.send(struct.pack(">HB", 1, _NAMES_REQ))
        answer = reader.everything(_MOST)
    except TimeoutError:
        raise _not_epmd("it gave no answer", code="silent") from None
    except Ended:
        raise _not_epmd("it gave no answer") from None
    if len(answer) < 4 or len(answer) >= _MOST:
        raise _not_epmd(f"it answered {len(answer)} bytes")
    return dict(_entries(answer[4:]))


def _entries(text: bytes) -> list[tuple[str, int]]:
    found = (_ENTRY.fullmatch(line.strip()) for line in text.split(b"\n"))
    pairs = [(m[1].decode("utf-8", "replace"), int(m[2])) for m in found if m]
    if text.strip() and not pairs:
        raise _not_epmd("its answer has another form")
    return [(name, port) for name, port in pairs if 0 < port < 65536]


def port_please(stream: Stream, name: str, *, seconds: float = 2.0) -> EpmdNode | None:
    """Ask for one node (PORT_PLEASE2_REQ); None when epmd does not know it.

    ``name`` is the part before the ``@``. Raises NotEpmd.
    """
    encoded = name.encode()
    try:
        reader = Reader(stream, seconds)
        reader.send(struct.pack(">HB", len(encoded) + 1, _PORT_PLEASE2_REQ) + encoded)
        return _node(reader)
    except (TimeoutError, Ended):
        raise _not_epmd("it gave no whole answer") from None


def _node(reader: Reader) -> EpmdNode | None:
    tag, result = reader.exactly(2)
    if tag != _PORT2_RESP:
        raise _not_epmd(f"its answer begins with {tag}")
    if result:
        return None
    port, kind, protocol, highest, lowest, length = struct.unpack(">HBBHHH", reader.exactly(10))
    name = reader.exactly(length).decode("utf-8", "replace")
    (length,) = struct.unpack(">H", reader.exactly(2))
    return EpmdNode(name, port, kind == _HIDDEN, protocol, highest, lowest, reader.exactly(length))


def _not_epmd(why: str, code: str | None = None) -> NotEpmd:
    return NotEpmd(f"What listens there is not epmd: {why}", code=code)
