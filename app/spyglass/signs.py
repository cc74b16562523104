"""Signs of life of the servers on the way: whether they still answer, and how soon."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from spyglass import links
from spyglass.errors import Lost
from spyglass.messages import LinkLost, Measured

if TYPE_CHECKING:
    from spyglass.messages import Report
    from spyglass.profile import Hop
    from spyglass.remote.base import Remote, Stop

ANSWER = 5.0
"""Seconds that a server may take for a sign of life."""

Heard = Callable[[int, "Remote", float | None], bool]
"""Takes a hop, its Remote and its latency in seconds (None: no answer); returns whether to go on."""


class Signs:
    """Asks the servers of one connected period, in the background, one round at a time."""

    def __init__(
        self, remotes: Sequence[Remote], hops: Sequence[Hop], stop: Stop, post: Callable[[Report], None]
    ) -> None:
        """``remotes`` as :func:`spyglass.remote.opening.open_hops` gives them; ``post`` hears reports."""
        self._way = links.numbered(remotes, hops)
        self._ends = remotes[len(remotes) - len(hops) :]
        self._stop = stop
        self._post = post
        self._thread: threading.Thread | None = None

    def probe(self) -> None:
        """Report LinkLost for the first server that gives no sign."""
        self._begin(self._lost)

    def measure(self) -> None:
        """Report Measured for each server that a hop ends at."""
        self._begin(self._measured)

    def join(self, seconds: float) -> None:
        """Wait for the end of the round, once the stop is set."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _begin(self, heard: Heard) -> None:
        asked = [(hop, remote) for hop, remote in self._way if hasattr(remote, "latency")]
        if asked and (self._thread is None or not self._thread.is_alive()):
            work = (asked, heard)
            self._thread = threading.Thread(target=self._ask, args=work, name="signs of life", daemon=True)
            self._thread.start()

    def _ask(self, asked: Sequence[tuple[int, Any]], heard: Heard) -> None:
        for hop, remote in asked:
            seconds: float | None = remote.latency(ANSWER)
            if self._stop.is_set() or not heard(hop, remote, seconds):
                return

    def _lost(self, hop: int, remote: Remote, seconds: float | None) -> bool:
        if seconds is None:
            title = f"The connection to {remote.describe()} is lost: no answer"
            self._post(LinkLost(Lost(title, "It can be opened again."), hop))
        return seconds is not None

    def _measured(self, hop: int, remote: Remote, seconds: float | None) -> bool:
        if seconds is not None and remote in self._ends:
            self._post(Measured(hop, seconds))
        return True
