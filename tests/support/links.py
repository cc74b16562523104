"""Opening SSH connections to a test's own sshd, and counting what they hold."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from spyglass.profile import SSHHop
from spyglass.questions import Question
from spyglass.remote.base import Remote, Stop, Stream
from spyglass.remote.local import Local
from spyglass.remote.ssh import SSH
from support.sshd import Sshd


def nobody(question: Question) -> object:
    """An ``ask`` for where nothing may be asked."""
    raise AssertionError(f"asked {question}")


def connect(
    server: Sshd,
    ask: Callable[[Question], object] = nobody,
    stop: Stop | None = None,
    through: Remote | None = None,
    hop: SSHHop | None = None,
) -> SSH:
    """Log in to the server as its ssh_config tells."""
    return SSH.connect(hop or server.hop, through or Local(), ask, stop or Stop(), config=server.config)


@contextlib.contextmanager
def connected(server: Sshd, ask: Callable[[Question], object] = nobody) -> Iterator[SSH]:
    """The same for the time of a ``with`` block."""
    link = connect(server, ask)
    try:
        yield link
    finally:
        link.close()


def holdings() -> tuple[int, int]:
    """How many threads and descriptors this process has."""
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))


def until(condition: Callable[[], object], seconds: float = 5.0) -> bool:
    """Whether the condition becomes true in time (for what gives no event to wait for)."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def everything(stream: Stream) -> bytes:
    """What comes until the other side ends."""
    data = b""
    while piece := stream.recv(65536):
        data += piece
    return data


def gone(pid: int) -> bool:
    """Whether this process runs no more."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
