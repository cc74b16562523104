"""Visiting a distribution port: who answers there, and which cookie is right.

As few connections as can be: the first cookie is tried on the connection of the greeting,
and each further one needs a new connection and costs a warning in the node's log.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from spyglass.erlang import handshake
from spyglass.erlang.cookies import Candidate
from spyglass.erlang.ground import Way
from spyglass.erlang.handshake import Greeting, HungUp, Refused
from spyglass.errors import Cancelled, Failure, Unreachable
from spyglass.remote.base import Remote, Stop, Stream

TRIES = 4  # cookies for one node, at most
_BUSY = 3  # times that a node may say "later"


class Dialler:
    """Dials for one discovery; ``close`` ends every stream that is open, and every later one."""

    def __init__(self, remote: Remote, seconds: float = 2.0) -> None:
        self.remote, self._seconds = remote, seconds
        self._open: set[Stream] = set()
        self._lock = threading.Lock()
        self._closed = False

    @contextlib.contextmanager
    def stream(self, way: Way) -> Iterator[Stream]:
        """A stream to ``way`` for as long as the block lasts."""
        stream = self.remote.dial(way.host, way.port, self._seconds)
        try:
            self._keep(stream)
            yield stream
        finally:
            with self._lock:
                self._open.discard(stream)
            stream.close()

    def _keep(self, stream: Stream) -> None:
        with self._lock:
            if self._closed:
                raise Cancelled
            self._open.add(stream)

    def close(self) -> None:
        """End everything."""
        with self._lock:
            self._closed = True
            streams = list(self._open)
        for stream in streams:
            stream.close()

    def first(self, ways: Iterable[Way]) -> tuple[Way, contextlib.ExitStack, Stream]:
        """The first way that connects, with its stream. Raises the most telling Unreachable."""
        last: Failure = Unreachable("It has no address that could be dialled")
        for way in ways:
            stack = contextlib.ExitStack()
            try:
                return way, stack, stack.enter_context(self.stream(way))
            except Unreachable as failure:
                last = failure
        raise last


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the cookies of a visit went: the right one, if any, and how many were wrong."""

    cookie: Candidate | None
    wrong: int


class Visit:
    """A visit at one port. A context manager; inside it, ``peer`` is who answered and ``way`` how."""

    def __init__(
        self, dialler: Dialler, ways: list[Way], me: str, stop: Stop, *, seconds: float = 3.0
    ) -> None:
        self._dialler, self._ways, self._me, self._stop, self._seconds = dialler, ways, me, stop, seconds
        self._version = 6
        self._stack = contextlib.ExitStack()
        self._greeting: Greeting | None = None

    def __enter__(self) -> Self:
        self._greeting = self._greet()
        self.peer = self._greeting.peer
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()

    def _greet(self) -> Greeting:
        """Greet; wait and repeat while the node is busy, and speak the old way to an old one."""
        for left in reversed(range(_BUSY)):
            try:
                return self._greet_once()
            except Refused as failure:
                if not failure.retry or not left:
                    raise
                self._stop.wait(0.2)
            except HungUp:
                if self._version == 5:
                    raise
                self._version = 5
            self._stop.check()
        raise HungUp("What listens there hung up at the greeting")

    def _greet_once(self) -> Greeting:
        self._stack.close()
        self.way, self._stack, stream = self._dialler.first(self._ways)
        self._ways = [self.way]
        return handshake.greet(stream, self._me, version=self._version, seconds=self._seconds)

    def prove(self, candidates: Iterable[Candidate]) -> Outcome:
        """Try the candidates until one is right."""
        wrong = 0
        for candidate in candidates:
            greeting = self._greeting or self._greet()
            self._greeting = None
            if greeting.prove(candidate.value, seconds=self._seconds):
                return Outcome(candidate, wrong)
            wrong += 1
            if wrong == TRIES:
                break
        return Outcome(None, wrong)
