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
from typing import TYPE_CHECKING, Any, Literal

from spyglass import links, messages
from spyglass.errors import Cancelled, Failure
from spyglass.log import logger_for
from spyglass.remote.base import Stop
from spyglass.session import Session, no_node
from spyglass.status import Phase, Problem, Status, advance, backoff
from spyglass.store import paths

if TYPE_CHECKING:
    from spyglass.erlang.discovery import Discovery, Found
    from spyglass.profile import Profile
    from spyglass.questions import Question
    from spyglass.standby import Standby

STEADY = 60.0
"""Seconds of READY after which the back-off starts from the beginning again."""

DEFECT = Failure("Spyglass met a defect of its own", "The log has the details; it is worth a report.")


Boots = Literal["window", "calls", ""]


@dataclass(frozen=True, slots=True)
class Options:
    """How a connection behaves. ``persist``: it comes back after a loss, and a next VM stands by
    when a window was opened. ``boots``: the VM to start while SSH connects."""

    persist: bool = True
    boots: Boots = "window"
    cookie: str | None = field(default=None, repr=False)


class Connection:
    """One profile's connection, from :meth:`start` until its thread ends (OFFLINE or FAILED)."""

    def __init__(
        self,
        profile: Profile,
        ask: Callable[[Question], Any],
        publish: Callable[[Status], None],
        standby: Standby,
        options: Options,
    ) -> None:
        """``ask`` blocks until a person answered; ``publish`` hears every Status, from our thread."""
        self.profile = profile
        self.options = options
        self.session: Session | None = None
        self._question = ask
        self._publish = publish
        self._standby = standby
        self._stop = Stop()
        self._mailbox: queue.SimpleQueue[messages.Message] = queue.SimpleQueue()
        self._epoch = 0
        self._wanted: dict[str, None] = {}
        self._log = logger_for(profile.id)
        self._lock = threading.RLock()
        self.status = Status(profile.id, chain=links.planned(profile))
        self._thread = threading.Thread(target=self._live, name=f"connection {profile.name}", daemon=True)

    def start(self) -> None:
        """Connect, in the background."""
        self._thread.start()

    def post(self, message: messages.Wish) -> None:
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
        fresh = Status(self.profile.id, advance(self.status.phase, Phase.CONNECTING), "Connecting")
        self._set(replace(fresh, chain=links.planned(self.profile), attempt=self.status.attempt))
        then = Phase.OFFLINE
        with ExitStack() as stack:
            try:
                self._session(stack)
            except Cancelled:
                pass
            except Failure as failure:
                then = self._failed(failure)
            except Exception:  # noqa: BLE001 - the border: a defect must not end in silence
                self._log.debug("defect", exc_info=True)
                then = self._failed(DEFECT)
            self._show(phase=Phase.CLOSING, doing="Closing", observing=frozenset())
        self.session = None
        return then

    def _session(self, stack: ExitStack) -> None:
        from spyglass.remote.opening import open_hops  # noqa: PLC0415 - paramiko takes 0.1 s to import

        config, tell, hops = paths.current().ssh_config, self._reporter(self._epoch), self.profile.hops
        remotes = open_hops(hops, self._ask, self._stop, stack, config=config, on_hop=self._on_hop)
        for remote in remotes[1:]:
            if hasattr(remote, "on_lost"):
                remote.on_lost = lambda failure: tell(messages.LinkLost(failure))
        session = Session(self.profile, remotes, self._standby, self._ask, tell, self.options.cookie)
        stack.callback(session.close)
        self.session = session
        self._show(phase=Phase.DISCOVERING, doing="Looking for nodes")
        session.survey()
        while True:
            self._serve(session, self._mailbox.get())

    def _serve(self, session: Session, message: messages.Message) -> None:
        self._stop.check()
        if not isinstance(message, messages.Dated):
            self._grant(session, message)
        elif message.epoch == self._epoch:
            self._hear(session, message.report)

    def _grant(self, session: Session, wish: messages.Wish | None) -> None:
        match wish:
            case messages.Observe(node):
                self._wanted[node] = None
                self._open_wanted(session)
                if node in self._wanted and self.status.surveyed:
                    session.survey()  # it may have come since
            case messages.CloseWindow(key):
                session.close_window(key)
            case messages.Refresh():
                session.survey()
            case _:
                pass  # Retry: there is nothing to wait for

    def _hear(self, session: Session, report: messages.Report) -> None:
        match report:
            case messages.Seen(found):
                self._seen(session, found)
            case messages.Surveyed(discovery):
                self._surveyed(session, discovery)
            case messages.SurveyFailed(failure) | messages.LinkLost(failure):
                raise failure
            case messages.Opened(key):
                self._show(observing=self.status.observing | {key}, doing="")
                self._log.info("Observer is open on %s", key)
                if self.options.persist:
                    self._standby.begin()
            case messages.Ended(key, failure):
                self._ended(session, key, failure)

    def _seen(self, session: Session, found: Found) -> None:
        info = session.admit(found)
        others = [n for n in self.status.nodes if n.key != info.key]
        self._show(nodes=(*others, info))
        self._open_wanted(session)

    def _surveyed(self, session: Session, discovery: Discovery) -> None:
        if self.status.phase is not Phase.READY:
            self._show(phase=Phase.FORWARDING, doing="Opening forwards")
        nodes = session.settle(discovery)
        chain = links.complete(self.status.chain, len(self.profile.hops), nodes)
        since = self.status.since or time.time()
        self._show(
            phase=Phase.READY,
            doing="",
            nodes=nodes,
            warnings=tuple(discovery.warnings),
            chain=chain,
            since=since,
            surveyed=True,
            attempt=0,
        )
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
        if failure is None:
            self._log.info("Observer on %s was closed", key)
        else:
            self._trouble(key, failure)  # before the window is told gone: whoever waits for that asks why
        self._show(observing=self.status.observing - {key})
        if failure is not None and failure.retry and self.options.persist and failure.code == "lost":
            self._wanted[key] = None
            session.survey()

    def _trouble(self, key: str, failure: Failure) -> None:
        self._log.error("%s — %s", failure.title, failure.hint)
        self._show(troubles={**self.status.troubles, key: links.problem_of(failure)})

    def _clear_trouble(self, key: str) -> None:
        troubles: Mapping[str, Problem] = {k: v for k, v in self.status.troubles.items() if k != key}
        self._show(troubles=troubles)

    # -- ends and waits -----------------------------------------------------------

    def _failed(self, failure: Failure) -> Phase:
        self._log.error("%s — %s", failure.title, failure.hint)
        if self.session is not None:
            self._wanted.update(dict.fromkeys(self.session.open_windows))
        self._show(problem=links.problem_of(failure), chain=links.broken(self.status.chain), question=None)
        return Phase.WAITING if failure.retry and self.options.persist else Phase.FAILED

    def _wait(self, tries: int) -> bool:
        """Wait for the next try (cut short by Retry); return False when stopped."""
        delay = backoff(tries)
        self._show(phase=Phase.WAITING, doing="Waiting", attempt=tries, next_try=time.time() + delay)
        end = time.monotonic() + delay
        while not self._stop.is_set():
            try:
                message = self._mailbox.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                return True
            if isinstance(message, messages.Retry):
                return True
            if isinstance(message, messages.Observe):
                self._wanted[message.node] = None
        return False

    # -- publishing -----------------------------------------------------------------

    def _show(self, **changes: Any) -> None:
        """Publish the status with these fields changed. Workers call it too (questions, hops)."""
        with self._lock:
            if "phase" in changes:
                advance(self.status.phase, changes["phase"])
            self._set(replace(self.status, **changes))

    def _set(self, status: Status) -> None:
        with self._lock:  # held while publishing, so that listeners hear the changes in their order
            if status != self.status:
                self.status = status
                self._publish(status)

    def _ask(self, question: Question) -> Any:
        self._show(question=type(question).__name__)
        try:
            return self._question(question)
        finally:
            self._show(question=None)

    def _on_hop(self, index: int, state: str, detail: str) -> None:
        self._show(chain=links.hop_changed(self.status.chain, index + 1, state, detail), doing=detail)
        self._log.log(logging.INFO if state == "ok" else logging.DEBUG, "%s", detail)

    def _reporter(self, epoch: int) -> Callable[[messages.Report], None]:
        return lambda report: self._mailbox.put(messages.Dated(epoch, report))
