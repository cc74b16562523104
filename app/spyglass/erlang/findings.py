"""Where the many tasks of a search put what they find."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from spyglass.erlang.found import Found
from spyglass.erlang.handshake import Peer
from spyglass.errors import Failure, Lost

_log = logging.getLogger("spyglass")


class Findings:
    """Nodes by key and warnings, from many threads. ``on_found`` hears of each reachable node once."""

    def __init__(self, on_found: Callable[[Found], None] | None) -> None:
        self._on_found = on_found
        self._lock = threading.Lock()
        self._nodes: dict[str, Found] = {}
        self._starts: set[tuple[str, str, int]] = set()
        self._warnings: dict[str, None] = {}
        self.lost: Lost | None = None
        self.containers: dict[str, tuple[int, int]] = {}

    def add(self, node: Found) -> None:
        """Take a node in; a reachable one stays before one that is not."""
        with self._lock:
            known = self._nodes.get(node.info.key)
            if known and known.info.reachable and not node.info.reachable:
                return
            self._nodes[node.info.key] = node
        if node.info.reachable and not known and self._on_found:
            self._on_found(node)

    def counted(self, engine: str, running: int, wanted: int) -> None:
        """An engine there runs so many containers, so many of them wanted; there may be several of a kind."""
        before = self.containers.get(engine, (0, 0))
        self.containers[engine] = (before[0] + running, before[1] + wanted)

    def first_visit(self, ground: str, peer: Peer) -> bool:
        """Whether this start of this node was not met before, by another port of its ground."""
        start = (ground, peer.node, peer.creation)
        with self._lock:
            known = start in self._starts
            self._starts.add(start)
            return not known or not peer.creation  # nodes older than OTP 23 tell no creation

    def warn(self, text: str) -> None:
        """Tell people something, once; who asked for the search logs it, and knows for which profile."""
        with self._lock:
            self._warnings[text] = None

    def failed(self, exc: Exception) -> None:
        """A task came to an unexpected end: the link is lost, or a defect of ours."""
        if isinstance(exc, Lost):
            self.lost = exc
        elif isinstance(exc, Failure):
            self.warn(exc.title)
        else:
            _log.error("Discovery stumbled: %s", type(exc).__name__, exc_info=exc)
            self.warn(f"A part of the search failed ({type(exc).__name__}); see the log.")

    def nodes(self) -> list[Found]:
        """What is known by now, by key."""
        with self._lock:
            return [self._nodes[key] for key in sorted(self._nodes)]

    def warnings(self) -> list[str]:
        """What people should know, in the order of its coming."""
        with self._lock:
            return list(self._warnings)
