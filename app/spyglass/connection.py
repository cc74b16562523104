"""The life of ONE connection: one thread, one mailbox, one ExitStack.

:meth:`Connection._period` is the order of steps, read from top to bottom; nothing else in
the program knows it. Each step stands on the stack, so a failure anywhere unwinds exactly
what was built, in reverse. Then a loop over the mailbox serves the person's wishes and the
workers' reports (:mod:`spyglass.service`) until one of them ends it. After a failure that may
pass there is a pause and another try, for as long as it takes.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

from spyglass import links, messages
from spyglass.addressing import Addressing
from spyglass.answers import Answers
from spyglass.bulletin import Bulletin
from spyglass.errors import Cancelled, Failure
from spyglass.figures import Figures
from spyglass.keeping import Keeper
from spyglass.options import Options
from spyglass.remote.base import Stop
from spyglass.safe import Safe
from spyglass.service import Service
from spyglass.session import Session
from spyglass.status import Phase, Status, advance, backoff
from spyglass.store import paths
from spyglass.wanted import Want

if TYPE_CHECKING:
    from spyglass.profile import Profile
    from spyglass.questions import Ask, Question
    from spyglass.standby import Standby

STEADY = 60.0
"""Seconds of READY after which the back-off starts from the beginning again."""

HASTE = 1.0
"""Seconds after which an attempt to connect that a change of the network overtakes is begun anew."""

DEFECT = Failure("Spyglass met a defect of its own", "The log has the details; it is worth a report.")
PASSING = {"no-container"}
"""Codes of failures that are final at first, but pass where all had been well before: it is made anew."""


class Connection:
    """One profile's connection, from :meth:`start` until its thread ends (OFFLINE or FAILED)."""

    def __init__(
        self,
        profile: Profile,
        ask: Callable[[Question], Any],
        publish: Callable[[Status], None],
        standby: Standby,
        options: Options,
        withdraw: Callable[[], None] = lambda: None,
        keep: Callable[[Ask, Stop], Keeper] | None = None,
    ) -> None:
        """``ask`` blocks until a person answered; ``withdraw`` takes open questions back.

        ``publish`` hears every Status. ``keep`` makes the one who keeps secrets (default: until the end).
        """
        self.profile = profile
        self.options = options
        self.session: Session | None = None
        self.figures = Figures(f"figures {profile.name}")
        self._question = ask
        self._withdraw = withdraw
        self._stop = Stop()
        keep = keep or partial(Keeper, Safe(), profile, saved=False)
        self._secrets = keep(self._ask, self._stop)
        self._answers = Answers(self._secrets.ask)
        self._standby = standby
        self._attempt = Stop()
        self._began = 0.0
        self._overtaken = False
        self._changed = False
        self._mailbox: queue.SimpleQueue[messages.Message] = queue.SimpleQueue()
        self._epoch = 0
        self._wants: dict[str, Want] = {}
        self._ports: dict[str, int] = {}
        way, more = lambda: self.session, standby.modules
        self._addressing = Addressing(profile, way, options.helper, self._ask, self.wake, modules=more)
        self._been_ready = False
        self._bulletin = Bulletin(Status(profile.id, chain=links.planned(profile)), publish)
        self._log = self._bulletin.log
        self._thread = threading.Thread(target=self._live, name=f"connection {profile.name}", daemon=True)

    @property
    def status(self) -> Status:
        """The newest one."""
        return self._bulletin.status

    def start(self) -> None:
        """Connect, in the background."""
        self._thread.start()

    def post(self, message: messages.Wish) -> None:
        """Hand a wish to the connection's thread."""
        self._mailbox.put(message)

    def wake(self) -> None:
        """Something that the status tells of has become known; from any thread."""
        self._mailbox.put(None)

    def stop(self) -> None:
        """Begin to end; the thread unwinds everything and then publishes OFFLINE."""
        self._stop.set()
        self._attempt.set()
        self._mailbox.put(None)

    def nudge(self) -> None:
        """The network changed or the computer woke: do not wait, and make sure of what is up.

        An attempt that hangs on the old network is given up for a new one, but only once in a row:
        a network that never rests must not keep us from connecting at all.
        """
        self._mailbox.put(messages.Nudge())
        hangs = self.status.phase is Phase.CONNECTING and not self.status.question
        if hangs and not self._overtaken and time.monotonic() - self._began > HASTE:
            self._overtaken = True
            self._attempt.set()

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
            tries = 1 if self._was_steady() or self._changed else tries + 1
            self._changed = False
            if then is not Phase.WAITING or not self._wait(tries):
                break
        self._addressing.close()
        self._secrets.close()
        last = then if then is not Phase.WAITING else Phase.OFFLINE
        self._bulletin.show(phase=last, doing="", nodes=(), awaited=frozenset(), next_try=None)

    def _was_steady(self) -> bool:
        return bool(self.status.since) and time.time() - self.status.since > STEADY

    def _once(self) -> Phase:
        """Connect and serve once; everything is unwound when this returns what comes next."""
        now, chain = advance(self.status.phase, Phase.CONNECTING), links.planned(self.profile)
        self._bulletin.renew(Status(self.profile.id, now, "Connecting", chain, attempt=self.status.attempt))
        self._attempt, self._began = Stop(), time.monotonic()
        then = Phase.OFFLINE
        with ExitStack() as stack:
            try:
                self._stop.check()
                self._period(stack)
            except Cancelled:
                then = self._cancelled()
            except Failure as failure:
                then = self._failed(failure)
            except Exception:  # noqa: BLE001 - the border: a defect must not end in silence
                self._log.debug("defect", exc_info=True)
                then = self._failed(DEFECT)
            self._been_ready = self._been_ready or self.status.surveyed
            self._bulletin.show(phase=Phase.CLOSING, doing="Closing", observing=frozenset())
        self.session = None
        return then

    def _period(self, stack: ExitStack) -> None:
        from spyglass.remote.opening import open_hops  # noqa: PLC0415 - paramiko takes 0.1 s to import

        config, tell, hops, ask = (
            paths.current().ssh_config,
            self._reporter(),
            self.profile.hops,
            self._answers.ask,
        )
        remotes = open_hops(
            hops, ask, self._attempt, stack, config=config, secrets=self._secrets, on_hop=self._on_hop
        )
        self._bulletin.show(chain=links.travelled(self.status.chain, remotes))
        for hop, remote in links.numbered(remotes, hops):
            if hasattr(remote, "on_lost"):
                remote.on_lost = lambda failure, hop=hop: tell(messages.LinkLost(failure, hop))
        stack.callback(self.figures.detach)
        session = Session(self.profile, remotes, self._standby, ask, tell, self.options.cookie, self._ports)
        stack.callback(session.close)
        session.follows = self.options.follow
        self.session = session
        self.figures.attach(session.figures)
        stack.callback(self._withdraw)  # nothing waits for an answer that is of no use any more
        helpers = (self._standby, self._addressing)
        service = Service(
            self.profile, session, self._bulletin, self._wants, *helpers, persist=self.options.persist
        )
        stack.callback(lambda: self._wants.update(service.carry()))
        service.begin()
        while True:
            self._serve(service)

    def _serve(self, service: Service) -> None:
        try:
            message = self._mailbox.get(timeout=service.patience())
        except queue.Empty:
            service.search()
            return
        self._stop.check()
        if not isinstance(message, messages.Dated):
            service.grant(message)
        elif message.epoch == self._epoch:
            service.hear(message.report)

    # -- ends and waits -----------------------------------------------------------

    def _cancelled(self) -> Phase:
        """A person wants no more; or the attempt was overtaken, and the next one follows at once."""
        again = self._attempt.is_set() and not self._stop.is_set()
        self._overtaken = again
        return Phase.WAITING if again else Phase.OFFLINE

    def _failed(self, failure: Failure) -> Phase:
        self._overtaken = False
        self._log.error("%s — %s", failure.title, failure.hint)
        self._bulletin.show(
            problem=links.problem_of(failure), chain=links.broken(self.status.chain, failure), question=None
        )
        passing = failure.retry or (failure.code in PASSING and self._been_ready)
        return Phase.WAITING if passing and self.options.persist else Phase.FAILED

    def _wait(self, tries: int) -> bool:
        """Wait for the next try (cut short by Retry and Nudge); return False when stopped."""
        delay = backoff(tries)
        awaited = frozenset(self._wants)
        self._bulletin.show(
            phase=Phase.WAITING, doing="Waiting", attempt=tries, next_try=time.time() + delay, awaited=awaited
        )
        end = time.monotonic() + delay
        while not self._stop.is_set():
            try:
                message = self._mailbox.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                return True
            match message:
                case messages.Retry():
                    return True
                case messages.Nudge():
                    self._changed = True  # what failed on the old network tells nothing of the new one
                    return True
                case messages.Observe(node, company):
                    self._wants.setdefault(node, Want(node, company=company))
                case messages.CloseWindow(key):
                    self._wants.pop(key, None)
                    self._bulletin.show(awaited=frozenset(self._wants))
        return False

    # -- publishing -----------------------------------------------------------------

    def _ask(self, question: Question) -> Any:
        self._bulletin.show(question=type(question).__name__)
        try:
            return self._question(question)
        finally:
            self._bulletin.show(question=None)

    def _on_hop(self, index: int, state: str, detail: str) -> None:
        chain = links.hop_changed(self.status.chain, index + 1, state, detail)
        self._bulletin.show(chain=chain, doing=detail)
        self._log.log(logging.INFO if state == "ok" else logging.DEBUG, "%s", detail)

    def _reporter(self) -> Callable[[messages.Report], None]:
        epoch = self._epoch
        return lambda report: self._mailbox.put(messages.Dated(epoch, report))
