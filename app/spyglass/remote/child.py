"""A program that runs on this computer for as long as a stream needs it.

It gets a process group of its own, so that what it starts ends with it. A thread reads
what it writes to standard error, whose end explains why it ended, and waits for it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence

from spyglass.errors import Missing, Unreachable
from spyglass.log import redact
from spyglass.remote.base import TAIL


class Child:
    """One running program. ``on_end`` is called from a thread when it has ended.

    Raises OSError when it can't be started.
    """

    def __init__(
        self, argv: Sequence[str], stdin: int, stdout: int, on_end: Callable[[], None], *, name: str
    ) -> None:
        self._said = b""
        self._on_end = on_end
        self._process = subprocess.Popen(
            list(argv), stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, start_new_session=True
        )
        self._thread = threading.Thread(target=self._attend, name=name, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """The number of the program's process, and of its group."""
        return self._process.pid

    def _attend(self) -> None:
        """Read standard error to its end, wait for the program, tell of it."""
        assert self._process.stderr is not None  # noqa: S101 - it is a pipe
        with self._process.stderr as stderr:
            while piece := stderr.read1(4096):  # type: ignore[attr-defined]  # it is a BufferedReader
                self._said = (self._said + piece)[-TAIL:]
        self._process.wait()
        self._on_end()

    def status(self, seconds: float = 0.5) -> int | None:
        """Its exit status, None while it runs; waits a moment for one that is about to end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            self._thread.join(seconds)
        return self._process.returncode

    def said(self) -> str:
        """The end of what it wrote to standard error, without secrets."""
        return redact(self._said.decode(errors="replace").strip())

    def end(self) -> None:
        """End it and what it started: asked first, a second later by force. May be called twice."""
        if self._thread.is_alive():
            self._signal(signal.SIGTERM)
        if threading.current_thread() is self._thread:
            return
        self._thread.join(1)
        if self._thread.is_alive():
            self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
            self._thread.join(1)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self.pid, number)
            else:
                self._process.terminate()


class CommandStream:
    """A command's standard input and output as a Stream (:class:`~spyglass.remote.base.Piped`).

    Each direction is a socket pair of its own, so that either can end alone.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        self._in, stdin = socket.socketpair()
        self._out, stdout = socket.socketpair()
        self._argv = argv
        self._out.shutdown(socket.SHUT_WR)
        with stdin, stdout:
            stdout.shutdown(socket.SHUT_RD)
            try:
                self._child = Child(
                    argv, stdin.fileno(), stdout.fileno(), self._ended, name=f"pipe {argv[0]}"
                )
            except OSError as exc:
                self._release()
                raise _not_started(exc, argv[0]) from exc
        self.recv = self._out.recv
        self.sendall = self._in.sendall

    def __repr__(self) -> str:
        return f"<CommandStream {self._argv[0]}>"

    def settimeout(self, seconds: float | None, /) -> None:
        """Limit each later recv and sendall."""
        self._in.settimeout(seconds)
        self._out.settimeout(seconds)

    def shutdown_write(self) -> None:
        """Its standard input is at its end."""
        self._in.shutdown(socket.SHUT_WR)

    def why(self) -> str:
        """Why the command ended, as far as it said so; waits a moment for its end."""
        status = self._child.status()
        return self._child.said() or (f"{self._argv[0]} ended with status {status}" if status else "")

    def close(self) -> None:
        """End the command and everything that it started."""
        for sock in (self._in, self._out):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._child.end()
        self._release()

    def _ended(self) -> None:
        """Wake the reader, even when a grandchild still holds the far ends."""
        with contextlib.suppress(OSError):
            self._in.shutdown(socket.SHUT_RDWR)

    def _release(self) -> None:
        self._in.close()
        self._out.close()


def _not_started(exc: OSError, program: str) -> Unreachable | Missing:
    if isinstance(exc, FileNotFoundError):
        return Missing(
            f"{program} is not there on this computer", "Install it, or see whether PATH leads to it."
        )
    return Unreachable(
        f"{program} can't be started: {exc.strerror}", "See whether it may be run.", retry=False
    )
