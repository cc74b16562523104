"""A world without network for a Connection: scripted hops, discovery, and local VMs."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spyglass.erlang.discovery import Discovery, Found
from spyglass.errors import Failure, Unreachable
from spyglass.remote.base import Piped, Stop
from spyglass.status import Cookie, NodeInfo, Status


class FakePlace:
    """A Remote that was opened; ``lose`` kills its link."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = False
        self.on_lost: Callable[[Failure], None] = lambda failure: None

    def describe(self) -> str:
        return self.name

    def pipe(self, argv: Sequence[str], timeout: float = 10.0) -> Piped:
        """Nothing runs here, so there are no events to follow."""
        raise Unreachable(f"{argv[0]}: not here")

    def close(self) -> None:
        self.closed = True

    def lose(self, failure: Failure) -> None:
        self.on_lost(failure)


class FakeVM:
    """A LocalNode that does as told; every call is kept in ``calls``."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.backend = True
        self.fails: dict[str, Failure] = {}
        self.answers: dict[str, Any] = {}
        self.listener: Callable[[dict[str, Any]], None] = lambda event: None
        self.closed = threading.Event()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: str) -> Any:
            self.calls.append((name, *args))
            if name in self.fails:
                raise self.fails[name]
            usual = {"lend": ["observer_backend"], "check_backend": self.backend}
            return self.answers.get(name, usual.get(name))

        return call

    def close(self) -> None:
        if not self.closed.is_set():
            self.closed.set()
            self.listener({"event": "exit", "status": 0})

    def did(self) -> list[str]:
        """The names of the calls, in their order."""
        return [call[0] for call in self.calls]


class FakeBooted:
    """As standby.Booted."""

    def __init__(self, vm: FakeVM) -> None:
        self.vm = vm

    def listen(self, listener: Callable[[dict[str, Any]], None]) -> None:
        self.vm.listener = listener

    def loaded(self) -> FakeVM:
        return self.vm

    def close(self) -> None:
        self.vm.close()


@dataclass
class World:
    """What the connection under test meets, and what it published."""

    places: list[FakePlace] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    hop_failures: list[Failure] = field(default_factory=list)
    survey_failure: Failure | None = None
    hold_survey: threading.Event | None = None
    vms: list[FakeVM] = field(default_factory=list)
    next_vm: FakeVM | None = None
    forwards: dict[str, str] = field(default_factory=dict)
    ports_again: list[int] = field(default_factory=list)
    published: queue.SimpleQueue[Status] = field(default_factory=queue.SimpleQueue)
    history: list[Status] = field(default_factory=list)
    prepared: bool = False
    erlang: Any = None
    problem: Any = None
    warnings: list[str] = field(default_factory=list)

    def open_hops(
        self,
        hops: tuple[Any, ...],
        ask: Any,
        stop: Stop,
        stack: ExitStack,
        *,
        config: Any,
        secrets: Any,
        on_hop: Callable[..., None],
    ) -> list[FakePlace]:
        stop.check()
        opened = [FakePlace("this computer")]
        for index, hop in enumerate(hops, 1):
            on_hop(index - 1, "busy", f"Connecting to {hop.label}")
            if self.hop_failures:
                raise self.hop_failures.pop(0)
            place = FakePlace(hop.label)
            stack.callback(place.close)
            self.places.append(place)
            opened.append(place)
            on_hop(index - 1, "ok", f"{hop.label} key")
        return opened

    def discover(
        self, remote: FakePlace, *, stop: Stop, on_found: Callable[[Found], None], **_more: Any
    ) -> Discovery:
        if self.survey_failure:
            raise self.survey_failure
        for found in self.found:
            on_found(found)
        if self.hold_survey:
            with stop.ending(self.hold_survey.set):
                self.hold_survey.wait(10)
        return Discovery(list(self.found), list(self.warnings))

    def open_forward(self, _remote: Any, _host: str, port: int, *, label: str, again: int = 0) -> FakeForward:
        self.ports_again.append(again)
        return FakeForward(self, label, port)

    def take(self) -> FakeBooted:
        vm = self.next_vm or FakeVM()
        self.next_vm = None
        self.vms.append(vm)
        return FakeBooted(vm)

    plain = take

    def begin(self, *, graphics: bool = True, then: Callable[[], None] = lambda: None) -> None:
        self.prepared = True
        then()

    def modules(self) -> Path:
        return Path("/ebin")

    def close(self) -> None:
        for vm in self.vms:
            assert vm.closed.wait(5)

    def until(self, done: Callable[[Status], bool]) -> Status:
        """The first published status from now on that satisfies ``done``."""
        while True:
            status = self.published.get(timeout=5)
            self.history.append(status)
            if done(status):
                return status


class FakeForward:
    """As forward.Forward."""

    def __init__(self, world: World, label: str, port: int) -> None:
        self.port, self._world, self._label = port, world, label
        world.forwards[label] = "open"

    def close(self) -> None:
        self._world.forwards[self._label] = "closed"


def found(node: str, *, cookie: str | None = "SECRETCOOKIE", key: str = "", **more: Any) -> Found:
    """A node as discovery finds it."""
    info = NodeInfo(
        key or f"host/{node}",
        node,
        reachable=cookie is not None,
        why_not=None if cookie else "no cookie found",
        port=9001,
        otp="25",
        runtime="host",
        cookie=Cookie(cookie is not None, "vm.args", True),
        **more,
    )
    return Found(info=info, cookie=cookie, host="127.0.0.1", port=9001)
