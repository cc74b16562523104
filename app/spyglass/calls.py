"""The VM for calls of one connected period: joined with nodes for rpc, shells and live figures.

It boots at the first need and is booted anew when it died. May be used from any thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from spyglass.errors import Cancelled, Failure, NeedsAnswer
from spyglass.figures import Reading, reading
from spyglass.observation import Way, join, with_cookie

if TYPE_CHECKING:
    from spyglass.erlang.discovery import Found
    from spyglass.erlang.node import LocalNode
    from spyglass.questions import Ask, Question
    from spyglass.standby import Booted

MOST = 24
"""Nodes whose figures are asked for at most: each is joined for that."""
AGAIN = 30.0
"""Seconds after which a node that could not be joined for its figures is tried again."""
REST = 6.0
"""Seconds for which a node that did not answer in time is not asked: it has enough to do."""


class Source(Protocol):
    """What gives a VM: see :class:`spyglass.standby.Standby`."""

    def plain(self) -> Booted:
        """A VM for calls."""


class Calls:
    """One local VM, and which nodes it is joined with."""

    def __init__(
        self, way: Way, standby: Source, ask: Ask, went: Callable[[str], None] = lambda _node: None
    ) -> None:
        """``way`` leads to the nodes; ``ask`` may be asked for a cookie.

        ``went`` hears the full name of a joined node that went down, from a thread that must not wait.
        """
        self._way = way
        self._standby = standby
        self._ask = ask
        self._went = went
        self._lock = threading.Lock()
        self._booted: Booted | None = None
        self._over = threading.Event()
        self._closed = False
        self._joined: dict[str, str] = {}
        self._beside: dict[str, float] = {}

    def close(self) -> None:
        """End the VM; there will be no other."""
        self._closed = True
        booted = self._booted
        if booted is not None:
            booted.close()  # before the lock: whoever waits for an answer holds it
        with self._lock:
            late, self._booted = self._booted, None
        if late is not None and late is not booted:
            late.close()

    def joined(self, found: Found, ask: Ask | None = None) -> tuple[Booted, str]:
        """The VM, connected to the node, and the node's cookie. Raises what joining raises."""
        with self._lock:
            booted = self._running()
            name = found.info.node
            if name not in self._joined:
                able = with_cookie(found, self._way, ask or self._ask)
                join(booted.vm, able, self._way)
                self._joined[name] = able.cookie or ""
            return booted, self._joined[name]

    def _running(self) -> Booted:
        if self._closed:
            raise Failure("This profile is not connected", "Connect it first.", code="offline")
        if self._booted is not None and self._over.is_set():
            self._booted.close()
            self._booted = None
        if self._booted is None:
            self._joined.clear()
            self._over.clear()
            self._booted = self._standby.plain()
            self._booted.listen(self._event)
        return self._booted

    def _event(self, event: dict[str, Any]) -> None:
        """From the VM's thread, which must not wait for us."""
        if event.get("event") == "nodedown":
            self._joined.pop(str(event["node"]), None)
            self._went(str(event["node"]))
        elif event.get("event") == "exit":
            self._over.set()

    # -- live figures ----------------------------------------------------------------

    def figures(self, nodes: Mapping[str, Found]) -> dict[str, Reading]:
        """The figures of these nodes by key, each in one round trip and all at the same time.

        A node that does not answer in time is left out, and for :data:`REST` not asked again; one that
        can't be joined is left out as well.
        """
        joined = {
            found.info.node: key for key, found in list(nodes.items())[:MOST] if self._join_quietly(found)
        }
        booted = self._booted
        if not joined or booted is None:
            return {}
        now = time.monotonic()
        told = {each["node"]: reading(each, now) for each in booted.vm.figures(list(joined))}
        self._beside |= {name: now + REST for name in joined if name not in told}
        return {joined[name]: figures for name, figures in told.items()}

    def _join_quietly(self, found: Found) -> bool:
        name = found.info.node
        if found.cookie is None or self._beside.get(name, 0.0) > time.monotonic():
            return False
        try:
            self.joined(found, _nobody)
        except (Failure, Cancelled):
            self._beside[name] = time.monotonic() + AGAIN
            return False
        return True

    # -- shells -----------------------------------------------------------------------

    def shell(self, found: Found, port: Callable[[], int]) -> tuple[str, Callable[[], int]]:
        """A shell on the node: the line to print before it, and what runs it in this terminal.

        The node is joined first, because the VM can say why where it fails.
        """
        from spyglass.erlang import runtime, shell, slots  # noqa: PLC0415 - few need a shell

        booted, cookie = self.joined(found)
        vm: LocalNode = booted.vm
        name, erlang = found.info.node, booted.erlang
        elixir = vm.is_elixir(name)

        def run() -> int:
            with slots.take() as slot:
                return shell.run_shell(erlang, runtime.modules(erlang), slot, name, port(), cookie)

        return shell.banner(name, elixir=elixir), run


def _nobody(_question: Question) -> Any:
    raise NeedsAnswer("Nobody is asked for the sake of figures")
