"""Which addresses this computer has: rtnetlink(7), which needs no rights to ask."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

_GETADDR, _DUMP, _DONE, _ERROR = 22, 0x301, 3, 2  # linux/rtnetlink.h, linux/netlink.h
_ADDRESS, _LOCAL, _LABEL = 1, 2, 3  # linux/if_addr.h
_HEADER, _IFADDRMSG = struct.Struct("=IHHII"), struct.Struct("=BBBBI")
LOOPBACK = 1
"""The index of ``lo`` in every network namespace."""


@dataclass(frozen=True, slots=True)
class Own:
    """An address of this computer, and the network that is reached through it."""

    address: IPv4Address
    length: int
    index: int
    label: str

    @property
    def network(self) -> IPv4Network:
        """What is on the same link."""
        return IPv4Network((self.address, self.length), strict=False)


def own() -> list[Own]:
    """Every IPv4 address of this computer; none where the system has no netlink."""
    if not sys.platform.startswith("linux"):
        return []
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as netlink,
    ):
        netlink.settimeout(1)
        body = _IFADDRMSG.pack(socket.AF_INET, 0, 0, 0, 0)
        netlink.send(_HEADER.pack(_HEADER.size + len(body), _GETADDR, _DUMP, 1, 0) + body)
        return [found for message in _messages(netlink) if (found := _read(message))]
    return []


def _messages(netlink: socket.socket) -> Iterator[bytes]:
    while True:
        data = netlink.recv(1 << 17)
        while len(data) >= _HEADER.size:
            length, kind, *_ = _HEADER.unpack_from(data)
            if kind in {_DONE, _ERROR}:
                return
            yield data[_HEADER.size : length]
            data = data[(length + 3) & ~3 :]


def _read(message: bytes) -> Own | None:
    _, length, _, _, index = _IFADDRMSG.unpack_from(message)
    found = _attributes(message[_IFADDRMSG.size :])
    raw = found.get(_LOCAL) or found.get(_ADDRESS) or b""
    label = found.get(_LABEL, b"").rstrip(b"\0").decode("ascii", "replace")
    return Own(IPv4Address(raw), length, index, label) if len(raw) == 4 else None


def _attributes(data: bytes) -> dict[int, bytes]:
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        if length < 4:
            break
        found[kind & 0x3FFF] = data[4:length]
        data = data[(length + 3) & ~3 :]
    return found
