"""The wire of DNS over TCP: one question, one answer (RFC 1035; AAAA: RFC 3596).

Asked only where the far end has no tool for it, through the hop, so over TCP (RFC 7766).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from spyglass.erlang.reader import Ended, Reader
from spyglass.errors import Failure
from spyglass.remote.base import Stream

PORT = 53
A, AAAA = 1, 28
_HEAD = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_RECURSE = 0x0100  # RD, RFC 1035 4.1.1
_IN = 1
_MOST = 64  # records that are read


def query(number: int, name: str, kind: int) -> bytes:
    """The message with its length in front (RFC 1035, 4.2.2)."""
    labels = b"".join(bytes([len(part)]) + part.encode("ascii") for part in name.rstrip(".").split("."))
    message = _HEAD.pack(number, _RECURSE, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, _IN)
    return struct.pack("!H", len(message)) + message


def answers(message: bytes, number: int) -> list[str]:
    """The addresses in an answer (without its length). ValueError for what is none."""
    try:
        got, flags, questions, records, _, _ = _HEAD.unpack_from(message)
        if got != number or not flags & 0x8000:
            raise ValueError("this answers another question")
        at = _HEAD.size
        for _ in range(questions):
            at = _skip_name(message, at) + 4
        return list(_addresses(message, at, min(records, _MOST)))
    except (struct.error, IndexError) as fault:
        raise ValueError("the answer is cut off") from fault


def _addresses(message: bytes, at: int, records: int) -> Iterator[str]:
    for _ in range(records):
        at = _skip_name(message, at)
        kind, family, _, length = _RECORD.unpack_from(message, at)
        at += _RECORD.size
        data = message[at : at + length]
        if (kind, family, len(data)) == (A, _IN, 4):
            yield str(IPv4Address(data))
        elif (kind, family, len(data)) == (AAAA, _IN, 16):
            yield str(IPv6Address(data))
        at += length


def _skip_name(message: bytes, at: int) -> int:
    """Where a name ends; a pointer ends it (RFC 1035, 4.1.4)."""
    while length := message[at]:
        if length & 0xC0:
            return at + 2
        at += 1 + length
    return at + 1


def ask(stream: Stream, name: str, kind: int, *, number: int, seconds: float) -> list[str]:
    """Ask over an open stream. Raises a Failure when no usable answer comes."""
    try:
        reader = Reader(stream, seconds)
        reader.send(query(number, name, kind))
        (length,) = struct.unpack("!H", reader.exactly(2))
        return answers(reader.exactly(length), number)
    except (TimeoutError, Ended, ValueError) as fault:
        raise Failure(
            f"The name server does not tell where {name} is: {fault}", "See /etc/resolv.conf there."
        ) from fault
