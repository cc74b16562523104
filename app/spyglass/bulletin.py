"""The newest Status of one connection, and how it is told: each change is published once, in order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from spyglass import links, news
from spyglass.log import logger_for
from spyglass.status import NodeInfo, Status, advance

if TYPE_CHECKING:
    from spyglass.errors import Failure


class Bulletin:
    """Callable from any thread: workers tell of hops and questions, the connection of all the rest."""

    def __init__(self, status: Status, publish: Callable[[Status], None]) -> None:
        """``publish`` hears every Status that differs from the one before."""
        self.status = status
        self.log = logger_for(status.profile_id)
        self._publish = publish
        self._lock = threading.RLock()
        self._told: tuple[NodeInfo, ...] | None = None

    def show(self, **changes: Any) -> None:
        """Publish the status with these fields changed."""
        with self._lock:
            if "phase" in changes:
                advance(self.status.phase, changes["phase"])
            self.renew(replace(self.status, **changes))

    def renew(self, status: Status) -> None:
        """Publish this status in the place of the old one."""
        with self._lock:  # held while publishing, so that listeners hear the changes in their order
            if status != self.status:
                self.status = status
                self._publish(status)

    def found(self, nodes: tuple[NodeInfo, ...], warnings: list[str]) -> None:
        """A search is over: the log has all nodes once, then what has changed; and what is to be known."""
        before, self._told = self._told, nodes
        told = [f"{links.count(len(nodes), 'node')} found"] if before is None else news.lines(before, nodes)
        for line in told:
            self.log.info("%s", line)
        for warning in (each for each in warnings if each not in self.status.warnings):
            self.log.warning("%s", warning)

    def trouble(self, key: str, failure: Failure) -> None:
        """Something went wrong with one node."""
        self.log.error("%s — %s", failure.title, failure.hint)
        self.show(troubles={**self.status.troubles, key: links.problem_of(failure)})

    def clear(self, *keys: str) -> None:
        """What was wrong with these nodes is over."""
        self.show(troubles={k: v for k, v in self.status.troubles.items() if k not in keys})
