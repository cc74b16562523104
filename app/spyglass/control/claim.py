"""Who is the one running app: whoever holds the lock; its socket lies beside it.

The kernel releases the lock however the process ends, so a socket that is there without a
holder is stale and the next one replaces it. The socket listens as soon as the lock is
taken, before any window exists: who comes meanwhile waits in its queue.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spyglass.errors import Failure

SOCKET, LOCK = "control", "control.lock"
_QUEUE = 64
_LONGEST = 100
"""Bytes of a path that every system takes for a unix socket (Linux 108, macOS 104)."""


class Claim:
    """The right to be the one app of this directory, with the socket that others talk to."""

    def __init__(self, directory: Path, lock: int) -> None:
        """``lock`` is the locked descriptor, ours to close. Raises a Failure naming the directory."""
        self._socket = directory / SOCKET
        self._lock = lock
        self.listener = socket.socket(socket.AF_UNIX)
        try:
            self._socket.unlink(missing_ok=True)
            with address(directory) as place:
                self.listener.bind(place)
            self._socket.chmod(0o600)
            self.listener.listen(_QUEUE)
        except OSError as error:
            self.listener.close()
            os.close(lock)
            raise _unusable(directory, error) from None

    def close(self) -> None:
        """Give the right up. Callable twice."""
        if self._lock >= 0:
            with suppress(OSError):
                self._socket.unlink(missing_ok=True)  # while the lock is held: it can be only ours
            self.listener.close()
            os.close(self._lock)
            self._lock = -1


def claim(directory: Path) -> Claim | None:
    """Become the one app of this directory (private, existing); None if there is one already."""
    lock = _open(directory)
    if not _lock(lock):
        os.close(lock)
        return None
    return Claim(directory, lock)


def held(directory: Path) -> bool:
    """Whether an app runs; looking takes the lock for a moment (see :func:`client.enter`)."""
    lock = _open(directory)
    try:
        return not _lock(lock, shared=True)
    finally:
        os.close(lock)


def dial(directory: Path, seconds: float) -> socket.socket:
    """Connect to the app's socket. Raises OSError when nobody listens there."""
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(seconds)
    try:
        with address(directory) as place:
            made.connect(place)
    except BaseException:
        made.close()
        raise
    return made


@contextmanager
def address(directory: Path) -> Iterator[str]:
    """The socket's path, short enough: on Linux by way of the directory's descriptor where need be."""
    place = str(directory / SOCKET)
    if len(os.fsencode(place)) <= _LONGEST or sys.platform != "linux":
        yield place
        return
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)


def _open(directory: Path) -> int:
    try:
        return os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    except OSError as error:
        raise _unusable(directory, error) from None


def _lock(descriptor: int, *, shared: bool = False) -> bool:
    import fcntl  # noqa: PLC0415 - exists on Unix only

    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unusable(directory: Path, error: OSError) -> Failure:
    reason = error.strerror or str(error)  # a path that is too long has no number
    return Failure(f"{directory} can't be used: {reason}", "Make it writable for you, or give --profile-dir.")
