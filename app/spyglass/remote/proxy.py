"""ProxyCommand: a program of the user's whose standard input and output are the way to the server.

It runs on one end of a socket pair, so that reading and closing behave as with any
connection. At its end the pair is closed, even when a grandchild still holds the other
end; what it wrote to standard error explains why it ended.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import socket

from spyglass.errors import Unreachable
from spyglass.remote.child import Child
from spyglass.remote.local import SocketStream


class ProxyStream(SocketStream):
    """The stream through a ProxyCommand; the user's shell runs it, as with OpenSSH (ssh_config(5))."""

    def __init__(self, command: str, label: str) -> None:
        ours, theirs = socket.socketpair()
        super().__init__(ours)
        self._label = label
        with theirs:
            try:
                self._child = Child(
                    _argv(command), theirs.fileno(), theirs.fileno(), self._ended, name=f"proxy {label}"
                )
            except OSError as exc:
                ours.close()
                raise Unreachable(
                    f"The ProxyCommand can't be started: {exc.strerror}", "See whether the shell exists."
                ) from exc

    def _ended(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def why(self) -> Unreachable | None:
        """Why the program ended, or None while it runs. Waits a moment for one that is about to end."""
        status = self._child.status()
        if status is None:
            return None
        return Unreachable(
            f"The ProxyCommand for {self._label} ended with status {status}",
            self._child.said() or "It gave no reason. Try it by hand, as ssh_config has it.",
            code="proxy-command",
        )

    def close(self) -> None:
        """End the program and everything that it started."""
        super().close()
        self._child.end()


def _argv(command: str) -> list[str]:
    shell = os.environ.get("SHELL") or "/bin/sh"
    return [shell, "-c", f"exec {command}"] if os.name == "posix" else shlex.split(command)
