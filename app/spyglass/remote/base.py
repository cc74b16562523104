"""The one idea of the program: a :class:`Remote`.

A Remote is a place where one can run a command and dial a TCP port. This machine, an
SSH host, an SSH host behind another one and a container inside any of them are all
Remotes; opening a profile is a fold over its hops. Everything above this package knows
these few names and nothing of SSH or engines, so it runs against a fake as well.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from spyglass.errors import Cancelled

TAIL = 2000  # bytes of a command's standard error that are kept


@dataclass(frozen=True, slots=True)
class Output:
    """How a command ended: exit status (-1: ended by a signal) and what it wrote."""

    status: int
    stdout: bytes = field(repr=False, default=b"")
    stderr: bytes = field(repr=False, default=b"")


class Stream(Protocol):
    """A connected byte stream: a socket, a channel, or anything that behaves like one.

    ``recv`` returns ``b""`` at the end; a time-out raises TimeoutError, a broken link OSError.
    """

    def recv(self, size: int, /) -> bytes:
        """Return at least one byte, or ``b""`` at the end."""

    def sendall(self, data: bytes, /) -> None:
        """Send everything."""

    def shutdown_write(self) -> None:
        """Tell the other side that nothing more comes; reading goes on."""

    def settimeout(self, seconds: float | None, /) -> None:
        """Limit each later recv and sendall."""

    def close(self) -> None:
        """Release it; may be called twice and from any thread."""


class Piped(Stream, Protocol):
    """The standard input and output of a command that runs there.

    ``shutdown_write`` ends its input, ``close`` ends the command. Reading gives ``b""`` at
    the end of its output, also when the command was not there or failed: see ``why`` then.
    """

    def why(self) -> str:
        """The end of what it wrote to standard error (at most :data:`TAIL` bytes), without secrets.

        How it ended where it wrote nothing; empty while it runs, and after a good end.
        """


class Relay(Protocol):
    """Carries connections of a local listener to a far port until closed."""

    def close(self) -> None:
        """Close the listener and every connection that it carries."""


class Remote(Protocol):
    """A place where one can run a command and dial a TCP port."""

    def run(self, argv: Sequence[str], stdin: bytes | None = None, timeout: float = 20.0) -> Output:
        """Run a command there. Raises Unreachable, Lost, Denied (running not allowed), or
        a Failure with code ``timeout``; a command that fails is an Output, not an error."""

    def pipe(self, argv: Sequence[str], timeout: float = 10.0) -> Piped:
        """Run a command there for as long as the stream is open; ``timeout`` is for its start.

        Raises Unreachable, Lost or Denied. Of a command that is not there one may hear only
        at the end of the stream, or by Missing. Over SSH a server allows few at once: code
        ``sessions`` (Unreachable) when none became free in time.
        """

    def dial(self, host: str, port: int, timeout: float = 5.0) -> Stream:
        """Connect to ``host:port`` as seen from there. Raises Unreachable, Lost or Denied."""

    def relay(self, listener: socket.socket, host: str, port: int) -> Relay:
        """Carry every connection that the listening socket accepts to ``host:port`` there."""

    def close(self) -> None:
        """Give everything back; may be called twice and from any thread."""

    def describe(self) -> str:
        """A short name for people: ``deploy@prod``, ``container web``."""


class Stop:
    """One person's wish to stop, made known to every blocking step.

    A worker wraps what it blocks on in :meth:`ending`, so that :meth:`set` ends it from
    another thread at once; :meth:`check` raises Cancelled between steps.
    """

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._enders: list[Callable[[], None]] = []

    def set(self) -> None:
        """Stop now: wakes waiters and ends what is registered."""
        with self._lock:
            self._event.set()
            enders, self._enders = self._enders, []
        for end in enders:
            end()

    def is_set(self) -> bool:
        """Whether stopping was asked for."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise Cancelled if stopping was asked for."""
        if self._event.is_set():
            raise Cancelled

    def wait(self, seconds: float) -> bool:
        """Sleep, but not past :meth:`set`; return whether it was set."""
        return self._event.wait(seconds)

    @contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """While inside, :meth:`set` calls ``end`` (from its own thread). Leaving raises Cancelled if set."""
        with self._lock:
            if not self._event.is_set():
                self._enders.append(end)
        self.check()
        try:
            yield
        except BaseException:
            self._drop(end)
            if self._event.is_set():
                raise Cancelled from None
            raise
        self._drop(end)
        self.check()

    def _drop(self, end: Callable[[], None]) -> None:
        with self._lock:
            if end in self._enders:
                self._enders.remove(end)
