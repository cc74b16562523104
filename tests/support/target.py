"""What stands behind a tunnel in tests and benchmarks: a TCP server whose first byte says how to behave.

A process of its own, so that it takes no thread and no lock of the program under test.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

_SIZE = struct.Struct(">Q")
_CHUNK = bytes(256 * 1024)


def exactly(sock: socket.socket, size: int) -> bytes:
    """Read ``size`` bytes; EOFError when fewer come."""
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise EOFError(f"{len(data)} of {size} bytes, then the end")
        data += piece
    return data


def _echo(sock: socket.socket) -> None:
    while data := sock.recv(65536):
        sock.sendall(data)


def _flood(sock: socket.socket) -> None:
    """Send as many bytes as asked for, half-close, wait for the other side's end."""
    (left,) = _SIZE.unpack(exactly(sock, 8))
    while left > 0:
        left -= sock.send(_CHUNK[: min(left, len(_CHUNK))])
    sock.shutdown(socket.SHUT_WR)
    sock.recv(1)


def _swallow(sock: socket.socket) -> None:
    """Take as many bytes as announced, then say K."""
    (left,) = _SIZE.unpack(exactly(sock, 8))
    buffer = bytearray(len(_CHUNK))
    while left > 0:
        got = sock.recv_into(buffer)
        if not got:
            return
        left -= got
    sock.sendall(b"K")
    sock.recv(1)


def _count(sock: socket.socket) -> None:
    """Read to the end, then answer with the number of bytes."""
    size = 0
    while data := sock.recv(65536):
        size += len(data)
    sock.sendall(b"%d" % size)


def _early(sock: socket.socket) -> None:
    """Say hi, half-close, then count what still comes and tell it to the next ``Q``."""
    sock.sendall(b"hi")
    sock.shutdown(socket.SHUT_WR)
    size = 0
    while data := sock.recv(65536):
        size += len(data)
    _remembered.append(size)


_remembered: list[int] = []


def _recall(sock: socket.socket) -> None:
    deadline = time.monotonic() + 5
    while not _remembered and time.monotonic() < deadline:
        time.sleep(0.01)
    sock.sendall(b"%d" % (_remembered.pop() if _remembered else -1))


def _stuck(sock: socket.socket) -> None:
    """Never read."""
    time.sleep(60)


def _reset(sock: socket.socket) -> None:
    """Vanish with a RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


MODES: dict[bytes, Callable[[socket.socket], None]] = {
    b"E": _echo,
    b"D": _flood,
    b"U": _swallow,
    b"H": _count,
    b"P": _early,
    b"Q": _recall,
    b"Z": _stuck,
    b"R": _reset,
}


def _serve(sock: socket.socket) -> None:
    with sock, contextlib.suppress(OSError, EOFError, KeyError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        MODES[exactly(sock, 1)](sock)


def main() -> None:
    """Print the port, then serve until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    sys.stdin.read()


def _accept(listener: socket.socket) -> None:
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=_serve, args=(sock,), daemon=True).start()


@contextlib.contextmanager
def running() -> Iterator[int]:
    """The server's port, for the time of a ``with`` block."""
    child = subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout
    with child:
        try:
            yield int(child.stdout.readline())
        finally:
            child.kill()


def open_to(port: int, first: bytes = b"", timeout: float = 10) -> socket.socket:
    """A client's connection, with Nagle's algorithm off and ``first`` sent."""
    sock = socket.create_connection(("127.0.0.1", port), timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(first)
    return sock


def flood(size: int) -> bytes:
    """The request for ``size`` bytes."""
    return b"D" + _SIZE.pack(size)


def swallow(size: int) -> bytes:
    """The announcement of ``size`` bytes."""
    return b"U" + _SIZE.pack(size)


if __name__ == "__main__":
    main()
