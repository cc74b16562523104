"""This computer as a :class:`~spyglass.remote.base.Remote`: subprocess and socket."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from typing import TYPE_CHECKING

from spyglass.remote.base import Output, Stop
from spyglass.remote.child import CommandStream
from spyglass.remote.dialling import connect
from spyglass.remote.noes import too_slow
from spyglass.remote.relay import ThreadRelay

if TYPE_CHECKING:
    from spyglass.remote.base import Relay

_NOT_FOUND, _NOT_RUNNABLE = 127, 126  # what a POSIX shell answers (POSIX.1-2017, XCU 2.8.2)


class SocketStream:
    """A connected socket that speaks the Stream protocol."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.recv = sock.recv
        self.recv_into = sock.recv_into
        self.send = sock.send
        self.sendall = sock.sendall
        self.settimeout = sock.settimeout

    def __repr__(self) -> str:
        return f"<SocketStream {self.socket!r}>"

    def shutdown_write(self) -> None:
        """Tell the other side that nothing more comes."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Wake whoever waits on it, then release it."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Local:
    """This computer. Costs nothing to have: every call opens what it needs and closes it again."""

    def describe(self) -> str:
        """``this computer``."""
        return "this computer"

    def __repr__(self) -> str:
        return "<Local>"

    def run(self, argv: Sequence[str], stdin: bytes | None = None, timeout: float = 20.0) -> Output:
        """Run a command in a process group of its own; after ``timeout`` seconds all of it is killed."""
        try:
            child = _spawn(argv)
        except FileNotFoundError:
            return Output(_NOT_FOUND, b"", f"{argv[0]}: not found".encode())
        except OSError as exc:
            return Output(_NOT_RUNNABLE, b"", f"{argv[0]}: {exc.strerror}".encode())
        with child:
            try:
                out, err = child.communicate(stdin or b"", timeout)
            except subprocess.TimeoutExpired:
                raise too_slow(argv[0], timeout, self.describe()) from None
            finally:
                _end(child)
        status = child.returncode
        return Output(status if status >= 0 else -1, out, err)

    def pipe(self, argv: Sequence[str], timeout: float = 10.0) -> CommandStream:
        """Run a command in a process group of its own, with a stream to it; closing that ends the group."""
        return CommandStream(argv)

    def dial(self, host: str, port: int, timeout: float = 5.0) -> SocketStream:
        """Connect to ``host:port``."""
        return self.dial_until(host, port, timeout, Stop())

    def dial_until(self, host: str, port: int, timeout: float, stop: Stop) -> SocketStream:
        """As ``dial``, but ``stop`` ends the attempt at once (Cancelled)."""
        return SocketStream(connect(host, port, timeout, stop))

    def relay(self, listener: socket.socket, host: str, port: int) -> Relay:
        """Carry what the listener accepts to ``host:port``."""
        stop = Stop()
        name = f"{host}:{port}"
        return ThreadRelay(listener, lambda: self.dial_until(host, port, 5.0, stop), name=name, stop=stop)

    def close(self) -> None:
        """Nothing is held."""


def _spawn(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        close_fds=True,
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the child's group and let go of its pipes, whoever still holds the far ends."""
    if child.poll() is None:
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL) if hasattr(os, "killpg") else child.kill()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
