"""The addresses that one connection's nodes have of their own on this computer, and what became of each.

They outlive the connected periods: a link that comes back, and a node that comes back elsewhere, are
led to again. Opening one may have to wait for a person, so it is the business of a thread of its own,
which begins with the first node that wants an address.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from spyglass import owntools
from spyglass.aliases import Aliases, Way
from spyglass.errors import Cancelled, Failure, Unreachable
from spyglass.links import problem_of
from spyglass.log import logger_for
from spyglass.loopback.addresses import WAYS
from spyglass.remote.base import Stop
from spyglass.status import Alias, NodeInfo

if TYPE_CHECKING:
    from spyglass.erlang.found import Found
    from spyglass.loopback.shared import Shared
    from spyglass.profile import Profile
    from spyglass.questions import Ask

OFF = "off"
Work = tuple[tuple["Found", ...], bool]


class Addressing:
    """Called by the connection's thread; does nothing where the profile wants no addresses."""

    def __init__(
        self,
        profile: Profile,
        way: Callable[[], Way | None],
        shared: Shared | None,
        ask: Ask,
        tell: Callable[[], None],
        *,
        modules: Callable[[], Path | None] = lambda: None,
    ) -> None:
        """``way`` gives None between two periods; None for ``shared``: no addresses here.

        ``tell`` is called, from a thread, when the outcomes have changed. ``modules`` gives the directory
        of our compiled Erlang modules if it is known; it may take seconds.
        """
        self._profile, self._way, self._shared = profile, way, shared
        self._ask, self._tell, self._modules = ask, tell, modules
        self._stop = Stop()
        self._log = logger_for(profile.id)
        self._outcomes: dict[str, Alias] = {}
        self._known: tuple[Found, ...] = ()
        self._ebin: Path | None = None
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._drop: Callable[[str], None] = lambda _address: None

    def want(self, found: Iterable[Found], *, complete: bool = False) -> None:
        """Let these nodes answer at their addresses; ``complete``: others are not there any more."""
        able = tuple(each for each in found if each.info.reachable and each.port)
        if self._shared is None or self._profile.alias == OFF or not (able or self._thread):
            return
        if self._thread is None:
            work = (self._shared,)
            name = f"addresses {self._profile.name}"
            self._thread = threading.Thread(target=self._work, args=work, name=name, daemon=True)
            self._thread.start()
        if complete:
            self._known = able
        self._queue.put((able, complete))

    def again(self) -> None:
        """A person wants what was refused to be tried again."""
        if self._shared is not None and any(alias.problem for alias in self._outcomes.values()):
            self._shared.again()
            self._queue.put((self._known, False))

    def dressed(self, nodes: Iterable[NodeInfo]) -> tuple[NodeInfo, ...]:
        """The nodes with what is known of their addresses."""
        return tuple(self._dress(node) for node in nodes)

    def close(self) -> None:
        """Give all up; nothing listens any more when this returns."""
        self._stop.set()
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(20)

    def _dress(self, node: NodeInfo) -> NodeInfo:
        alias = self._outcomes.get(node.key) if node.reachable else None
        if alias and alias.problem and self._ebin:
            alias = replace(alias, command=owntools.by_route(node, self._ebin))
        return node if node.alias == alias else replace(node, alias=alias)

    # -- the thread -------------------------------------------------------------------

    def _work(self, shared: Shared) -> None:
        share = shared.share(self._ask, self._stop, self._lost)
        everyone = self._profile.alias_everyone
        if everyone:
            self._log.warning("every user of this computer is let in at the nodes' own addresses")
        with Aliases(self._profile.name, self._now, share, everyone=everyone) as aliases:
            self._drop = aliases.drop
            while (work := self._queue.get()) is not None and not self._stop.is_set():
                try:
                    self._open(aliases, *work)
                except Cancelled:  # the question was taken back: it comes again with the next period
                    continue

    def _now(self) -> Way:
        if (way := self._way()) is None:
            raise Unreachable("There is no connection now", "It may come back.")
        return way

    def _open(self, aliases: Aliases, found: Iterable[Found], complete: bool) -> None:  # noqa: FBT001 - queued
        before = self._outcomes
        outcomes = {} if complete else dict(before)
        for each in found:
            self._stop.check()
            outcomes[each.info.key] = self._outcome(aliases, each, before.get(each.info.key))
            if not complete:
                self._publish(dict(outcomes))
        if complete:
            aliases.keep({alias.address for alias in outcomes.values()})
        self._publish(outcomes)

    def _publish(self, outcomes: dict[str, Alias]) -> None:
        if outcomes != self._outcomes:
            self._outcomes = outcomes
            self._tell()

    def _outcome(self, aliases: Aliases, found: Found, before: Alias | None) -> Alias:
        info = found.info
        try:
            address, port, epmd = aliases.open(found, self._profile.alias)
        except Failure as failure:
            made = Alias(problem=problem_of(failure))
            if made.problem != (before and before.problem):
                self._log.warning("%s has no address of its own: %s", info.node, failure.title)
            self._ebin = self._ebin or self._modules()
            return made
        made = Alias(address, port, epmd, owntools.at_address(info, epmd))
        if made != before:
            self._log.info("%s answers at %s:%s, to any tool", info.node, address, port)
        return made

    def _lost(self, address: str, reason: str) -> None:
        """From the helper's thread: a network that has the address came up."""
        self._drop(address)
        failure = Failure(f"{address} is not answered any more: {reason}", WAYS, code="no-alias")
        problem = problem_of(failure)
        self._publish(
            {k: Alias(problem=problem) if a.address == address else a for k, a in self._outcomes.items()}
        )
