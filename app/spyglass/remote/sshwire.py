"""The data types of the SSH protocol (RFC 4251, section 5), for keys, certificates and agents."""

from __future__ import annotations

import struct


class Fields:
    """Takes values off some bytes, one after the other; ValueError when they run out."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        piece = self._data[self.position : self.position + count]
        if len(piece) != count:
            raise ValueError("the data ends too early")
        self.position += count
        return piece

    def number(self, size: int = 4) -> int:
        """An unsigned number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "big")

    def string(self) -> bytes:
        """A ``string``: length and bytes."""
        return self.take(self.number())

    def text(self) -> str:
        """A ``string`` for people."""
        return self.string().decode("utf-8", "replace")

    def strings(self) -> tuple[bytes, ...]:
        """All strings up to the end."""
        found = []
        while self.position < len(self._data):
            found.append(self.string())
        return tuple(found)


def number(value: int) -> bytes:
    """A ``uint32``."""
    return struct.pack(">I", value)


def string(data: bytes | str) -> bytes:
    """A ``string``: four bytes of length and the data."""
    data = data.encode() if isinstance(data, str) else data
    return number(len(data)) + data


def mpint(value: int) -> bytes:
    """An ``mpint`` that is not negative."""
    return string(value.to_bytes(value.bit_length() // 8 + 1, "big") if value else b"")


def key_type(blob: bytes) -> str:
    """The type that a public key begins with; empty when it can't be read."""
    try:
        return Fields(blob).string().decode("ascii")
    except ValueError:
        return ""
