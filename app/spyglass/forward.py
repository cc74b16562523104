"""A forward: a port on this computer's loopback that leads to a port as seen from a Remote.

Any user of this computer may connect to a loopback port. Behind this one lies a node
that trusts whoever knows its cookie, so each connection's owner is looked up, and those
of other users are closed before a byte of theirs is carried.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

    from spyglass.remote.base import Relay, Remote

_log = logging.getLogger("spyglass")

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20  # linux/sock_diag.h
_REQUEST = 1  # NLM_F_REQUEST, linux/netlink.h
_NLMSGHDR, _NLMSGERR = struct.Struct("=IHHII"), 2
_UID_AT = (
    16 + 4 + 48 + 12
)  # nlmsghdr, four small fields, inet_diag_sockid, three counters (linux/inet_diag.h)
_TCP_TABLE = Path("/proc/net/tcp")


class Forward:
    """Open until closed; a context manager. ``port`` is on 127.0.0.1."""

    def __init__(self, listener: socket.socket, relay: Relay, label: str) -> None:
        self.host: str = listener.getsockname()[0]
        self.port: int = listener.getsockname()[1]
        self.label = label
        self._relay = relay

    def __repr__(self) -> str:
        return f"<Forward {self.host}:{self.port} to {self.label}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the listener and every connection through it; may be called twice."""
        self._relay.close()


def open_forward(remote: Remote, host: str, port: int, *, label: str = "", again: int = 0) -> Forward:
    """Listen on 127.0.0.1 and carry each connection of ours to ``host:port`` as seen from ``remote``.

    ``again`` is the local port that it had before; it gets that one unless somebody else has it now.
    """
    label = label or f"{host}:{port}"
    listener = OwnListener(label)
    try:
        _bind(listener, again)
        listener.listen(128)
        relay = remote.relay(listener, host, port)
    except BaseException:
        listener.close()
        raise
    return Forward(listener, relay, label)


def _bind(listener: socket.socket, again: int) -> None:
    if (
        sys.platform != "win32"
    ):  # there it would allow to take another's port; here also the next one needs it
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if again:
        with contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", again))
            return
    listener.bind(("127.0.0.1", 0))


class OwnListener(socket.socket):
    """A TCP listener that accepts connections of its own user only, and closes the others at once.

    On Linux the kernel says who they are; elsewhere nothing can be checked.
    """

    def __init__(self, label: str = "") -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self._label = label
        self._told = False

    def accept(self) -> tuple[socket.socket, Any]:
        """Wait for the next connection of ours."""
        while True:
            sock, address = super().accept()
            if _ours(sock):
                return sock, address
            sock.close()
            self._tell()

    def _tell(self) -> None:
        if not self._told:
            self._told = True
            _log.warning(
                "the forward to %s: refused a connection of another user of this computer", self._label
            )


def _ours(sock: socket.socket) -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return peer_uid(sock) == os.getuid()


def peer_uid(sock: socket.socket) -> int | None:
    """The user id of the process at the other end of a loopback TCP connection (Linux).

    None when it can't be told: the other end is closed already, or the kernel does not say.
    """
    try:
        near, far = sock.getsockname(), sock.getpeername()
    except OSError:
        return None
    with contextlib.suppress(OSError, struct.error):
        return _ask_kernel(far, near)
    with contextlib.suppress(OSError, ValueError):
        return _search_table(far, near)
    return None


def _ask_kernel(far: tuple[str, int], near: tuple[str, int]) -> int:
    """Look up the one socket that goes from ``far`` to ``near`` (sock_diag(7))."""
    identity = (
        struct.pack("!HH", far[1], near[1])
        + socket.inet_aton(far[0]).ljust(16, b"\0")
        + socket.inet_aton(near[0]).ljust(16, b"\0")
        + struct.pack("=I", 0)
        + b"\xff" * 8  # INET_DIAG_NOCOOKIE
    )
    body = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF) + identity
    header = _NLMSGHDR.pack(_NLMSGHDR.size + len(body), _SOCK_DIAG_BY_FAMILY, _REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(1)
        netlink.send(header + body)
        answer = netlink.recv(8192)
    if _NLMSGHDR.unpack_from(answer)[1] == _NLMSGERR:
        raise OSError(-struct.unpack_from("=i", answer, _NLMSGHDR.size)[0], "no such socket")
    return int(struct.unpack_from("=I", answer, _UID_AT)[0])


def _search_table(far: tuple[str, int], near: tuple[str, int]) -> int | None:
    """The same from the table of all sockets (proc(5)), for kernels without sock_diag."""
    ends = [_in_table(far), _in_table(near)]
    for line in _TCP_TABLE.read_text("ascii").splitlines()[1:]:
        words = line.split()
        if words[1:3] == ends:
            return int(words[7])
    return None


def _in_table(address: tuple[str, int]) -> str:
    (number,) = struct.unpack("=I", socket.inet_aton(address[0]))
    return f"{number:08X}:{address[1]:04X}"
