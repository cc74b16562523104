"""The life of ONE connection: one thread, one mailbox, one ExitStack.

:meth:`Connection._session` is the order of steps, read from top to bottom; nothing else in
the program knows it. Each step stands on the stack, so a failure anywhere unwinds exactly
what was built, in reverse. Then a loop over the mailbox serves the person's wishes and the
workers' reports until one of them ends it. Every change publishes one immutable Status.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from spyglass.errors import Cancelled, Failure
from spyglass.log import logger_for
from spyglass.observation import Ended, Opened
from spyglass.session import Report, Seen, Session, Surveyed, SurveyFailed, no_node, place_of
from spyglass.status import Link, Phase, Problem, Status, advance, backoff
from spyglass.remote.base import Stop

if TYPE_CHECKING:
    from spyglass.profile import Profile
    from spyglass.questions import Question
    from spyglass.standby import Standby

STEADY = 60.0
"""Seconds of READY after which the back-off starts from the beginning again."""

THIS_COMPUTER = "This computer"


@dataclass(frozen=True, slots=True)
class Options:
    """How a connection behaves: ``persist`` comes back after a loss, ``observes`` boots a VM ahead."""

    persist: bool = True
    observes: bool = True
    cookie: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Observe:
    """Open Observer on this node (a key or a full name), as soon as it is known."""

    node: str


@dataclass(frozen=True, slots=True)
class CloseWindow:
    """Close the Observer window of this node."""

    key: str


@dataclass(frozen=True, slots=True)
class Refresh:
    """Look for nodes again."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Do not wait any longer for the next try."""


@dataclass(frozen=True, slots=True)
class LinkLost:
    """A hop's link died by itself."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class _Of:
    """A report of one session: those of an earlier one are dropped."""

    epoch: int
    report: Report | LinkLost


class Connection:
    """One profile's connection, from :meth:`start` until its thread ends (OFFLINE or FAILED)."""

    def __init__(
        self,
        profile: Profile,
        ask: Callable[[Question], Any],
        publish: Callable[[Status], None],
        standby: Standby,
        options: Options = Options(),
    ) -> None:
        """``ask`` blocks until a person answered; ``publish`` hears every Status, from our thread."""
        self.profile = profile
        self.options = options
        self.session: Session | None = None
        self._question = ask
        self._publish = publish
        self._standby = standby
        self._stop = Stop()
        self._mailbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._epoch = 0
        self._wanted: dict[str, None] = {}
        self._log = logger_for(profile.id)
        self._lock = threading.Lock()
        self.status = Status(profile.id, chain=self._chain())
        self._thread = threading.Thread(target=self._live, name=f"connection {profile.name}", daemon=True)

    # -- from any thread --------------------------------------------------------

    def start(self) -> None:
        """Connect, in the background."""
        self._thread.start()

    def post(self, message: Observe | CloseWindow | Refresh | Retry) -> None:
        """Hand a wish to the connection's thread."""
        self._mailbox.put(message)

    def stop(self) -> None:
        """Begin to end; the thread unwinds everything and then publishes OFFLINE."""
        self._stop.set()
        self._mailbox.put(None)

    def join(self, seconds: float) -> bool:
        """Wait for the end; return whether it has ended."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    # -- the thread -------------------------------------------------------------

    def _live(self) -> None:
        tries = 0
        while True:
            self._epoch += 1
            then = self._once()
            steady = self.status.since and time.time() - self.status.since > STEADY
            tries = 1 if steady else tries + 1
            if then is not Phase.WAITING or not self._wait(tries):
                break
        self._show(phase=then if then is not Phase.WAITING else Phase.OFFLINE, doing="", nodes=())

    def _once(self) -> Phase:
        """Connect and serve once; everything is unwound when this returns what comes next."""
        self._show(phase=Phase.CONNECTING, doing="Connecting", problem=None, nodes=(), warnings=(), troubles={},
                   chain=self._chain(), next_try=None, since=0.0, surveyed=False, observing=frozenset())
        then = Phase.OFFLINE
        with ExitStack() as stack:
            try:
                self._session(stack)
            except Cancelled:
                pass
            except Failure as failure:
                then = self._failed(failure)
            except Exception:
                self._log.exception("defect")
                then = self._failed(Failure("Spyglass met a defect of its own", "The log has the details; it is worth a report."))
            self._show(phase=Phase.CLOSING, doing="Closing", observing=frozenset())
        self.session = None
        return then

    def _session(self, stack: ExitStack) -> None:
        from spyglass.remote.opening import open_hops  # noqa: PLC0415 - paramiko takes 0.1 s to import

        remotes = open_hops(self.profile.hops, self._ask, self._stop, stack, on_hop=self._on_hop)
        for remote in remotes[1:]:
            if hasattr(remote, "on_lost"):
                remote.on_lost = self._lost(self._epoch)
        session = Session(
            self.profile, remotes, self._standby, self._ask, self._report(self._epoch), self.options.cookie
        )
        stack.callback(session.close)
        self.session = session
        self._show(phase=Phase.DISCOVERING, doing="Looking for nodes")
        session.survey()
        while True:
            self._serve(session, self._mailbox.get())

    def _serve(self, session: Session, message: Any) -> None:
        self._stop.check()
        if isinstance(message, _Of):
            if message.epoch != self._epoch:
                return
            message = message.report
        match message:
            case Seen(found):
                self._seen(session, found)
            case Surveyed(discovery):
                self._surveyed(session, discovery)
            case SurveyFailed(failure) | LinkLost(failure):
                raise failure
            case Observe(node):
                self._wanted[node] = None
                self._open_wanted(session)
            case CloseWindow(key):
                session.close_window(key)
            case Refresh():
                session.survey()
            case Opened(key):
                self._show(observing=self.status.observing | {key}, doing="")
                self._log.info("Observer is open on %s", key)
            case Ended(key, failure):
                self._ended(session, key, failure)
            case _:
                pass  # Retry: there is nothing to wait for

    # -- what the workers report ----------------------------------------------------

    def _seen(self, session: Session, found: Any) -> None:
        info = session.admit(found)
        others = [n for n in self.status.nodes if n.key != info.key]
        self._show(nodes=(*others, info))
        self._open_wanted(session)

    def _surveyed(self, session: Session, discovery: Any) -> None:
        if self.status.phase is not Phase.READY:
            self._show(phase=Phase.FORWARDING, doing="Opening forwards")
        nodes = session.settle(discovery)
        links = (*self._hop_links("ok"), *_tail(nodes))
        since = self.status.since or time.time()
        self._show(phase=Phase.READY, doing="", nodes=nodes, warnings=tuple(discovery.warnings), chain=links,
                   since=since, surveyed=True, attempt=0)
        self._log.info("%d nodes found", len(nodes))
        for warning in discovery.warnings:
            self._log.warning("%s", warning)
        self._open_wanted(session)
        for wanted in list(self._wanted):
            if session.match(wanted) is None:
                del self._wanted[wanted]
                self._trouble(wanted, no_node(wanted, [n.node for n in nodes]))

    def _open_wanted(self, session: Session) -> None:
        for wanted in list(self._wanted):
            found = session.match(wanted)
            if found is not None:
                del self._wanted[wanted]
                self._clear_trouble(found.info.key)
                self._log.info("opening Observer on %s", found.info.node)
                session.observe(found)

    def _ended(self, session: Session, key: str, failure: Failure | None) -> None:
        session.ended(key)
        self._show(observing=self.status.observing - {key})
        if failure is None:
            self._log.info("Observer on %s was closed", key)
        elif failure.retry and self.options.persist and failure.code == "lost":
            self._trouble(key, failure)
            self._wanted[key] = None
            session.survey()
        else:
            self._trouble(key, failure)

    def _trouble(self, key: str, failure: Failure) -> None:
        self._log.error("%s — %s", failure.title, failure.hint)
        self._show(troubles={**self.status.troubles, key: problem_of(failure)})

    def _clear_trouble(self, key: str) -> None:
        troubles: Mapping[str, Problem] = {k: v for k, v in self.status.troubles.items() if k != key}
        self._show(troubles=troubles)

    # -- ends and waits -----------------------------------------------------------

    def _failed(self, failure: Failure) -> Phase:
        self._log.error("%s — %s", failure.title, failure.hint)
        if self.session is not None:
            self._wanted.update(dict.fromkeys(self.session.open_windows))
        chain = tuple(replace(link, state="bad") if link.state == "busy" else link for link in self.status.chain)
        self._show(problem=problem_of(failure), chain=chain, question=None)
        return Phase.WAITING if failure.retry and self.options.persist else Phase.FAILED

    def _wait(self, tries: int) -> bool:
        """Wait for the next try (cut short by Retry); return False when stopped."""
        delay = backoff(tries)
        self._show(phase=Phase.WAITING, doing="Waiting for the next try", attempt=tries, next_try=time.time() + delay)
        end = time.monotonic() + delay
        while not self._stop.is_set():
            try:
                message = self._mailbox.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                return True
            if isinstance(message, Retry):
                return True
            if isinstance(message, Observe):
                self._wanted[message.node] = None
        return False

    # -- publishing -----------------------------------------------------------------

    def _show(self, **changes: Any) -> None:
        """Publish the status with these fields changed. Workers call it too (questions, hops)."""
        with self._lock:
            if "phase" in changes:
                changes["phase"] = advance(self.status.phase, changes["phase"])
            status = replace(self.status, **changes)
            if status == self.status:
                return
            self.status = status
            self._publish(status)

    def _ask(self, question: Question) -> Any:
        self._show(question=type(question).__name__)
        try:
            return self._question(question)
        finally:
            self._show(question=None)

    def _on_hop(self, index: int, state: str, detail: str) -> None:
        """Hops are counted from 1 in the order of travel; jumps of ssh_config come in between."""
        links = list(self.status.chain)
        while len(links) <= index:
            links.append(Link(detail, "todo"))
        links[index] = replace(links[index], state=state, detail=detail)
        for earlier in range(index):
            links[earlier] = replace(links[earlier], state="ok")
        self._show(chain=tuple(links), doing=detail)
        self._log.log(logging.INFO if state == "ok" else logging.DEBUG, "%s: %s", links[index].label, detail)

    def _chain(self) -> tuple[Link, ...]:
        return (Link(THIS_COMPUTER, "ok"), *(Link(label, "todo") for label in place_of(self.profile)))

    def _hop_links(self, state: str) -> tuple[Link, ...]:
        count = 1 + len(self.profile.hops)
        return tuple(replace(link, state=state) for link in self.status.chain[:count])

    def _report(self, epoch: int) -> Callable[[Report], None]:
        return lambda report: self._mailbox.put(_Of(epoch, report))

    def _lost(self, epoch: int) -> Callable[[Failure], None]:
        return lambda failure: self._mailbox.put(_Of(epoch, LinkLost(failure)))


def problem_of(failure: Failure) -> Problem:
    """The Failure as data."""
    return Problem(failure.title, failure.hint, failure.code, failure.retry)


def _tail(nodes: tuple[Any, ...]) -> tuple[Link, ...]:
    """The links behind the last hop: the engine, if any, and the nodes."""
    engines = sorted({n.runtime for n in nodes if n.container})
    reachable = [n for n in nodes if n.reachable]
    links = [Link(e.capitalize(), "ok", _count(len({n.container_id for n in nodes if n.runtime == e}), "container")) for e in engines]
    name = reachable[0].node if len(reachable) == 1 else _count(len(reachable), "node")
    detail = f"OTP {reachable[0].otp}" if len(reachable) == 1 and reachable[0].otp else ""
    missing = len(nodes) - len(reachable)
    if missing:
        detail = f"{_count(missing, 'more node')} can't be reached"
    return (*links, Link(name, "ok" if reachable else "warn", detail))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
