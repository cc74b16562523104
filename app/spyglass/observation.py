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
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from spyglass import log
from spyglass.errors import Cancelled, Denied, Failure, Lost, Missing, NeedsAnswer
from spyglass.messages import Ended, Opened, Turned
from spyglass.questions import Consent, Secret

if TYPE_CHECKING:
    from spyglass.erlang.discovery import Found
    from spyglass.erlang.node import LocalNode
    from spyglass.profile import Lend
    from spyglass.questions import Ask
    from spyglass.remote.tls import Credentials
    from spyglass.standby import Booted

ASKED_AT_MOST = 3

LENT = "Spyglass lends the node two modules of the Erlang distribution (observer_backend and \
appmon_info), for as long as the window is open. They are loaded into memory only and taken back after."


CERTIFICATES = "Nodes there speak TLS and let in only who shows a certificate. Spyglass can read the one \
that this node was started with, and its private key, by the same way by which it looks for cookies. They \
stay in memory until the connection ends, and are written nowhere."


class Way(Protocol):
    """What a window needs of the connected period that it belongs to."""

    @property
    def lends(self) -> Lend:
        """What the profile says of lending: whether a person is asked before."""

    def port(self, found: Found) -> int:
        """The local port of the forward to the node, opened at need."""

    def prove(self, found: Found, cookie: str) -> bool:
        """Whether the node knows this cookie."""

    def explain(self, found: Found) -> Failure:
        """Why a node that was there can't be connected."""

    def unlock(self, found: Found, credentials: Credentials) -> Found:
        """The node as it is found with these certificates."""


class Others(Protocol):
    """The other nodes in a window's Nodes menu: :class:`spyglass.company.Company`."""

    def begin(self, vm: LocalNode, stack: ExitStack, node: str) -> None:
        """The window is open on ``node``: let the others in; what that takes is undone by ``stack``."""

    def gather(self, node: str) -> None:
        """Let in who came, and out who is gone; ``node`` is the one that the window shows."""

    def lost(self, node: str) -> None:
        """The link to this node is down."""

    def member(self, node: str) -> Found | None:
        """The node of this full name, if it is one of the target."""


class Observation:
    """One Observer window on one node."""

    def __init__(
        self,
        found: Found,
        way: Way,
        take: Callable[[], Booted],
        ask: Ask,
        report: Callable[[Opened | Ended | Turned], None],
        company: Others | None = None,
    ) -> None:
        """``take`` gives a booting VM; ``report`` hears Opened and, at last, Ended.

        With ``company`` a person may turn the window to another node; ``report`` hears Turned then.
        """
        self.key = found.info.key
        self._found = found
        self._company = company
        self._way = way
        self._take = take
        self._ask = ask
        self._report = report
        self._events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._booted: Booted | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"observer {found.info.node}", daemon=True)

    def members_changed(self) -> None:
        """Nodes of the target came or went. Does not wait."""
        if self._company:
            self._events.put({"event": "members"})

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
        self._report(Ended(self.key, None if self._closing.is_set() else failure))

    def _live(self, stack: ExitStack) -> None:
        booted = self._booted = self._take()
        stack.callback(booted.close)
        booted.listen(self._events.put)
        vm = booted.vm
        join(vm, with_cookie(self._found, self._way, self._ask), self._way)
        lend(vm, self.node, self._ask, stack, self._way.lends)
        vm.watch(self.node)
        if self._closing.is_set():
            raise Cancelled
        vm.observe(self.node)
        self._report(Opened(self.key))
        if self._company:
            self._company.begin(vm, stack, self.node)
        self._wait()

    def _wait(self) -> None:
        """Return when the person closed the window; raise Lost when the node or the VM went."""
        while True:
            event = self._events.get()
            kind = None if event is None else event.get("event")
            if kind in (None, "observer_closed"):
                return
            if self._company and event:
                self._with_company(self._company, event)
            if kind in {"nodedown", "unresponsive"} and event and event.get("node") == self.node:
                raise Lost(
                    f"{self.node} is gone",
                    "Its Observer window was closed at once. Observe it again when the node is back.",
                )
            if kind == "exit":
                raise Failure(
                    "The local Erlang ended",
                    "Observe the node again; the log has its last words.",
                    code="local-erlang",
                )

    def _with_company(self, company: Others, event: dict[str, Any]) -> None:
        """What happens to the others in the menu, and whether the window shows another one by now."""
        name, now = str(event.get("node")), None
        match event.get("event"):
            case "members":
                company.gather(self.node)
            case "nodedown":
                company.lost(name)
            case "observer_turned":
                now = company.member(name)
        if now is not None and name != self.node:
            self._found = now
            self._report(Turned(self.key, name))


def join(vm: LocalNode, found: Found, way: Way) -> None:
    """Connect a local VM to a node through our forward, with the node's own cookie."""
    if found.cookie is None:
        raise no_cookie(found)
    node = found.info.node
    vm.ready()
    vm.add_route(node, way.port(found))
    vm.set_cookie(node, found.cookie)
    try:
        vm.connect(node)
    except Failure:
        raise way.explain(found) from None


def with_cookie(found: Found, way: Way, ask: Ask) -> Found:
    """The node with a cookie that fits: a person is asked where none was found."""
    if found.certificates is not None:
        found = _unlocked(found, way, ask, found.certificates)
    if found.cookie is not None or not found.port:
        return found
    for tries in range(ASKED_AT_MOST):
        try:
            answer = log.forget(ask(Secret("cookie", found.info.node, again=tries > 0)))
        except NeedsAnswer:
            break
        if way.prove(found, answer):
            return replace(found, cookie=answer)
    raise no_cookie(found)


def _unlocked(found: Found, way: Way, ask: Ask, certificates: Callable[[], Credentials]) -> Found:
    """The node with its own certificates, should a person agree that they are read."""
    name = found.info.node
    try:
        agreed = ask(Consent(f"{name} wants a client certificate", CERTIFICATES, "Read and connect"))
    except NeedsAnswer:
        agreed = False
    return way.unlock(found, certificates()) if agreed else found


def no_cookie(found: Found) -> Failure:
    """Why a node can't be joined although it was found."""
    info = found.info
    hint = "Give the cookie with --cookie-file FILE, or type it when asked."
    if info.tls and not found.port:
        hint = "Name --tls-certificate and --tls-key, or let Spyglass read what the node itself has."
    return Denied(
        f"{info.node} can't be reached: {info.why_not or 'no cookie found'}", hint, code="no-cookie"
    )


def lend(vm: LocalNode, node: str, ask: Ask, stack: ExitStack, lends: Lend = "ask") -> None:
    """See that the node has what Observer needs; where it has not, lend it if a person agrees."""
    if vm.check_backend(node):
        return
    vm.can_lend(node)
    lacks = f"{node} has no runtime_tools, which Observer needs"
    if lends == "never" or (lends == "ask" and not ask(Consent(lacks, LENT, "Lend and observe"))):
        raise Missing(
            lacks,
            "Agree to lend them, or add :runtime_tools to extra_applications of the release.",
            code="no-backend",
        )
    stack.callback(_take_back, vm, node, vm.lend(node))


def _take_back(vm: LocalNode, node: str, modules: list[str]) -> None:
    try:
        vm.withdraw(node, modules)
    except Failure:
        return  # the node or the VM is gone, and what was lent with it
