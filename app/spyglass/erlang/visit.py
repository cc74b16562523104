"""Visiting a distribution port: who answers there, and which cookie is right.

As few connections as can be: the first cookie is tried on the connection of the greeting,
and each further one needs a new connection and costs a warning in the node's log.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self, TypeVar

from spyglass.erlang import handshake
from spyglass.erlang.cookies import Candidate
from spyglass.erlang.epmd import NotEpmd
from spyglass.erlang.ground import Way
from spyglass.erlang.handshake import Greeting, HungUp, Refused
from spyglass.errors import Cancelled, Failure, Unreachable
from spyglass.remote.base import Remote, Stop, Stream
from spyglass.remote.carried import RELAYED, Behind, Carried, broken
from spyglass.remote.container import Container

TRIES = 4  # cookies for one node, at most
_BUSY = 3  # times that a node may say "later"
_T = TypeVar("_T")


class Dialler:
    """Dials for one discovery; ``close`` ends every stream that is open, and every later one."""

    def __init__(self, remote: Remote, seconds: float = 2.0) -> None:
        self.remote, self._seconds = remote, seconds
        self._open: set[Stream] = set()
        self._carried: dict[str, Remote] = {}
        self._lock = threading.Lock()
        self._closed = False

    def _equip(self, way: Way) -> Way:
        """The way with what dials it, if that is a command in a container."""
        facts = way.inside
        if facts is None:
            return way
        with self._lock:
            if facts.id not in self._carried:
                behind = Behind.of(facts, self.remote)
                carried = Carried(Container(self.remote, facts), way.runtime, behind)
                over: Callable[[Remote], Remote] | None = getattr(self.remote, "over", None)  # by TLS
                self._carried[facts.id] = over(carried) if over else carried
            return replace(way, remote=self._carried[facts.id])

    @contextlib.contextmanager
    def stream(self, way: Way) -> Iterator[Stream]:
        """A stream to ``way`` for as long as the block lasts."""
        stream = (way.remote or self.remote).dial(way.host, way.port, self._seconds)
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

    def talk(
        self, ways: Sequence[Way], speak: Callable[[Stream, float], _T]
    ) -> tuple[Way, contextlib.ExitStack, _T]:
        """The first way where ``speak`` gets an answer, the stack that ends its stream, and the answer.

        ``speak`` is told how many seconds more the way there may take. Raises the most telling
        Unreachable, or what ``speak`` raises. One that connects and hangs up may be a way that
        leads nowhere (a published port, a command), so the others are tried after it; one that
        keeps silent would by every other way, and each would be waited for.
        """
        last: Failure = Unreachable("It has no address that could be dialled")
        for left, way in zip(reversed(range(len(ways))), map(self._equip, ways), strict=False):
            try:
                return self._try(way, speak)
            except Unreachable as failure:
                if failure.code != "no-carrier" or left == len(ways) - 1:
                    last = failure
            except (HungUp, NotEpmd) as failure:
                if not left or failure.code == "silent":
                    raise
                last = failure
        raise last

    def _try(self, way: Way, speak: Callable[[Stream, float], _T]) -> tuple[Way, contextlib.ExitStack, _T]:
        with contextlib.ExitStack() as stack:
            stream = stack.enter_context(self.stream(way))
            carrier = getattr(stream, "carrier", "")
            try:
                answer = speak(stream, RELAYED if carrier else 0)
            except (HungUp, NotEpmd) as failure:
                if why := broken(stream):
                    raise Unreachable(why) from failure
                raise
            return replace(way, by=carrier), stack.pop_all(), answer


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
        self.way, self._stack, greeting = self._dialler.talk(self._ways, self._speak)
        self._ways = [self.way]
        return greeting

    def _speak(self, stream: Stream, more: float) -> Greeting:
        return handshake.greet(stream, self._me, version=self._version, seconds=self._seconds + more)

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
