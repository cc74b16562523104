"""The life of ONE Observer window: one local VM, one thread, read from top to bottom.

A window has a VM of its own because Observer is a singleton in its VM. Whatever ends it
(the person closes it, the node goes down, the VM dies, the connection stops) leads to the
same unwinding: lent modules are taken back, the window closes, the VM ends.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spyglass.errors import Cancelled, Failure, Lost, Missing
from spyglass.questions import Consent

if TYPE_CHECKING:
    from spyglass.erlang.discovery import Found
    from spyglass.erlang.node import LocalNode
    from spyglass.questions import Ask
    from spyglass.standby import Booted

LENT = "Spyglass lends the node two modules of the Erlang distribution (observer_backend and \
appmon_info), for as long as the window is open. They are loaded into memory only and taken back after."


@dataclass(frozen=True, slots=True)
class Opened:
    """The window is on the screen, on its node."""

    key: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The window is gone; ``failure`` is None when the person closed it or asked for it."""

    key: str
    failure: Failure | None = None


class Observation:
    """One Observer window on one node."""

    def __init__(
        self,
        found: Found,
        port: int,
        take: Callable[[], Booted],
        ask: Ask,
        report: Callable[[Opened | Ended], None],
        explain: Callable[[Found], Failure],
    ) -> None:
        """``take`` gives a booting VM; ``port`` is our forward's;
        ``explain`` finds out why a node that was there can't be connected."""
        self._found = found
        self._port = port
        self._take = take
        self._ask = ask
        self._report = report
        self._explain = explain
        self._events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._booted: Booted | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"observer {found.info.node}", daemon=True)

    @property
    def node(self) -> str:
        """The full name of the observed node."""
        return self._found.info.node

    def start(self) -> None:
        """Open the window, in the background; ``report`` hears the rest."""
        self._thread.start()

    def close(self) -> None:
        """Close the window and wait until it and its VM are gone. Callable from any thread."""
        self._closing.set()
        self._events.put(None)
        if (booted := self._booted) is not None:
            booted.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(15)

    def _run(self) -> None:
        failure: Failure | None = None
        try:
            with ExitStack() as stack:
                self._live(stack)
        except Cancelled:
            pass
        except Failure as error:
            failure = error
        self._report(Ended(self._found.info.key, None if self._closing.is_set() else failure))

    def _live(self, stack: ExitStack) -> None:
        booted = self._booted = self._take()
        stack.callback(booted.close)
        booted.listen(self._events.put)
        vm = booted.vm
        join(vm, self._found, self._port, self._explain)
        self._lend(vm, stack)
        vm.watch(self.node)
        if self._closing.is_set():
            raise Cancelled
        vm.observe(self.node)
        self._report(Opened(self._found.info.key))
        self._wait()

    def _lend(self, vm: LocalNode, stack: ExitStack) -> None:
        if vm.check_backend(self.node):
            return
        vm.can_lend(self.node)
        question = Consent(f"{self.node} has no runtime_tools, which Observer needs", LENT, "Lend and observe")
        if not self._ask(question):
            raise Missing(
                f"{self.node} has no runtime_tools, which Observer needs",
                "Agree to lend them, or add :runtime_tools to extra_applications of the release.",
                code="no-backend",
            )
        modules = vm.lend(self.node)
        stack.callback(_take_back, vm, self.node, modules)

    def _wait(self) -> None:
        """Return when the person closed the window; raise Lost when the node or the VM went."""
        while True:
            event = self._events.get()
            kind = None if event is None else event.get("event")
            if kind in (None, "observer_closed"):
                return
            if kind in {"nodedown", "unresponsive"} and event and event.get("node") == self.node:
                raise Lost(f"{self.node} is gone", "Its Observer window was closed; it opens again when the node is back.")
            if kind == "exit":
                raise Lost("The local Erlang ended", "Observe the node again; the log has its last words.")


def join(vm: LocalNode, found: Found, port: int, explain: Callable[[Found], Failure]) -> None:
    """Connect a local VM to a node through our forward, with the node's own cookie."""
    info = found.info
    if found.cookie is None:
        raise no_cookie(found)
    vm.ready()
    vm.add_route(info.node, port)
    vm.set_cookie(info.node, found.cookie)
    try:
        vm.connect(info.node)
    except Failure:
        raise explain(found) from None


def no_cookie(found: Found) -> Failure:
    """Why a node can't be joined although it was found."""
    info = found.info
    return Failure(
        f"{info.node} can't be reached: {info.why_not or 'no cookie found'}",
        "Give the cookie with --cookie-file FILE, or save it in the profile."
        if not info.tls
        else "A node that speaks TLS needs its certificates; this version does not read them.",
        code="no-cookie",
    )


def _take_back(vm: LocalNode, node: str, modules: list[str]) -> None:
    try:
        vm.withdraw(node, modules)
    except Failure:
        return  # the node or the VM is gone, and what was lent with it
