"""ProxyCommand: a program of the user's whose standard input and output are the way to the server.

It runs on one end of a socket pair, so that reading and closing behave as with any
connection. A thread waits for its end and closes the pair then, even when a grandchild
still holds the other end; what it wrote to standard error explains why it ended.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import threading

from spyglass.errors import Unreachable
from spyglass.log import redact
from spyglass.remote.local import SocketStream

_TAIL = 2000  # bytes of standard error that are kept


class ProxyStream(SocketStream):
    """The stream through a ProxyCommand; the user's shell runs it, as with OpenSSH (ssh_config(5))."""

    def __init__(self, command: str, label: str) -> None:
        ours, theirs = socket.socketpair()
        super().__init__(ours)
        self._label = label
        self._said = b""
        with theirs:
            self._child = _start(command, theirs)
        self._thread = threading.Thread(target=self._attend, name=f"proxy {label}", daemon=True)
        self._thread.start()

    def _attend(self) -> None:
        """Read standard error to its end, wait for the program, close the pair."""
        assert self._child.stderr is not None  # noqa: S101 - it is a pipe
        with self._child.stderr as stderr:
            while piece := stderr.read1(4096):  # type: ignore[attr-defined]  # it is a BufferedReader
                self._said = (self._said + piece)[-_TAIL:]
        self._child.wait()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def why(self) -> Unreachable | None:
        """Why the program ended, or None while it runs. Waits a moment for one that is about to end."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(0.5)
        if self._child.returncode is None:
            return None
        self._thread.join(0.5)
        said = redact(self._said.decode(errors="replace").strip())
        return Unreachable(
            f"The ProxyCommand for {self._label} ended with status {self._child.returncode}",
            said or "It gave no reason. Try it by hand, as ssh_config has it.",
            code="proxy-command",
        )

    def close(self) -> None:
        """End the program and everything that it started."""
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._child.pid, signal.SIGTERM)
            else:
                self._child.terminate()
        super().close()
        if threading.current_thread() is not self._thread:
            self._thread.join(1)
            if self._thread.is_alive():
                self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(OSError):
            os.killpg(self._child.pid, signal.SIGKILL) if hasattr(os, "killpg") else self._child.kill()
        self._thread.join(1)


def _start(command: str, end: socket.socket) -> subprocess.Popen[bytes]:
    shell = os.environ.get("SHELL") or "/bin/sh"
    argv = [shell, "-c", f"exec {command}"] if os.name == "posix" else shlex.split(command)
    try:
        return subprocess.Popen(
            argv, stdin=end.fileno(), stdout=end.fileno(), stderr=subprocess.PIPE, start_new_session=True
        )
    except OSError as exc:
        raise Unreachable(
            f"The ProxyCommand can't be started: {exc.strerror}", "See whether the shell exists."
        ) from exc
